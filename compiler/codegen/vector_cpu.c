/* CPU variants: their names, their features, what this machine can run. */
#include <stdlib.h>
#include <string.h>

#include "codegen/vector.h"

static const char *const names[CPU_COUNT] = {"x86-64-v2", "x86-64-v3", "x86-64-v4", "native"};

const char *cpu_name(CpuVariant cpu)
{
    return names[cpu];
}

CpuVariant cpu_parse(const char *text, size_t length)
{
    for (int cpu = 0; cpu < CPU_COUNT; cpu++)
        if (strlen(names[cpu]) == length && !memcmp(names[cpu], text, length)) return (CpuVariant)cpu;
    return CPU_COUNT;
}

bool cpu_runs(CpuVariant cpu)
{
#if defined __x86_64__
    switch (cpu) {
    case CPU_X86_64_V2:
        return __builtin_cpu_supports("x86-64-v2");
    case CPU_X86_64_V3:
        return __builtin_cpu_supports("x86-64-v3");
    case CPU_X86_64_V4:
        return __builtin_cpu_supports("x86-64-v4");
    case CPU_NATIVE:
        return true;
    case CPU_COUNT:
        break;
    }
#endif
    return false;
}

CpuVariant cpu_best(void)
{
    if (cpu_runs(CPU_X86_64_V4)) return CPU_X86_64_V4;
    return cpu_runs(CPU_X86_64_V3) ? CPU_X86_64_V3 : CPU_X86_64_V2;
}

char *cpu_llvm_name(CpuVariant cpu)
{
    return cpu == CPU_NATIVE ? LLVMGetHostCPUName() : LLVMCreateMessage(names[cpu]);
}

char *cpu_llvm_features(CpuVariant cpu)
{
    return cpu == CPU_NATIVE ? LLVMGetHostCPUFeatures() : LLVMCreateMessage("");
}

Vector vector_make(LLVMContextRef context, LLVMModuleRef module, LLVMBuilderRef builder, CpuVariant cpu)
{
    CpuVariant level = cpu == CPU_NATIVE ? cpu_best() : cpu;
    return (Vector){.context = context,
                    .module = module,
                    .builder = builder,
                    .cpu = cpu,
                    .lanes = level == CPU_X86_64_V4   ? 16
                             : level == CPU_X86_64_V3 ? 8
                                                      : 4,
                    .has_fma = level != CPU_X86_64_V2,
                    .has_masks = level != CPU_X86_64_V2,
                    .llvm_name = cpu_llvm_name(cpu),
                    .llvm_features = cpu_llvm_features(cpu)};
}

void vector_free(Vector *v)
{
    LLVMDisposeMessage(v->llvm_name);
    LLVMDisposeMessage(v->llvm_features);
    v->llvm_name = v->llvm_features = NULL;
}

static void attribute_add(const Vector *v, LLVMValueRef function, const char *key, const char *value)
{
    LLVMAttributeRef attribute =
        LLVMCreateStringAttribute(v->context, key, (unsigned)strlen(key), value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex, attribute);
}

void vector_attributes(const Vector *v, LLVMValueRef function)
{
    attribute_add(v, function, "target-cpu", v->llvm_name);
    if (*v->llvm_features) attribute_add(v, function, "target-features", v->llvm_features);
    /* Without these, LLVM halves 512-bit vectors for the sake of old processors that lower their clock. */
    attribute_add(v, function, "prefer-vector-width", v->lanes == 16 ? "512" : v->lanes == 8 ? "256" : "128");
    if (v->lanes == 16) attribute_add(v, function, "min-legal-vector-width", "512");
}
