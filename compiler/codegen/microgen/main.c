/* microgen DIRECTORY: writes the micro kernels of each CPU variant as an object file and as a C array of its bytes, and
 * the functions that find them. Runs while nnc is built. */
#include <errno.h>
#include <llvm-c/Analysis.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/micro.h"

static const CpuVariant variants[] = {CPU_X86_64_V2, CPU_X86_64_V3, CPU_X86_64_V4};
enum { N_VARIANTS = sizeof variants / sizeof *variants };

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "microgen: %s: %s\n", what, why ? why : "failed");
    exit(1);
}

static LLVMTargetMachineRef machine_make(const Vector *v)
{
    LLVMTargetRef target;
    char *error = NULL, *triple = LLVMGetDefaultTargetTriple();
    if (LLVMGetTargetFromTriple(triple, &target, &error)) fail(triple, error);
    LLVMTargetMachineRef machine = LLVMCreateTargetMachine(target, triple, v->llvm_name, v->llvm_features,
                                                           LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelDefault);
    LLVMDisposeMessage(triple);
    return machine;
}

static LLVMMemoryBufferRef object_make(CpuVariant cpu)
{
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext("micro", context);
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(context);
    Vector vector = vector_make(context, module, builder, cpu);
    LLVMTargetMachineRef machine = machine_make(&vector);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    char *triple = LLVMGetTargetMachineTriple(machine), *error = NULL;
    LLVMSetModuleDataLayout(module, layout);
    LLVMSetTarget(module, triple);
    micro_emit(&vector);
    if (LLVMVerifyModule(module, LLVMReturnStatusAction, &error)) fail(cpu_name(cpu), error);
    LLVMDisposeMessage(error);
    LLVMMemoryBufferRef object = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, &error, &object)) fail(triple, error);
    LLVMDisposeMessage(triple);
    LLVMDisposeTargetData(layout);
    LLVMDisposeTargetMachine(machine);
    vector_free(&vector);
    LLVMDisposeBuilder(builder);
    LLVMDisposeModule(module);
    LLVMContextDispose(context);
    return object;
}

static FILE *file_open(const char *directory, const char *name, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", directory, name, suffix);
    FILE *file = fopen(path, "wb");
    if (!file) fail(path, strerror(errno));
    return file;
}

static void file_close(FILE *file)
{
    if (ferror(file) || fclose(file)) fail("write", strerror(errno));
}

static void array_write(FILE *to, int index, const unsigned char *bytes, size_t size)
{
    fprintf(to, "static const unsigned char object_%d[%zu] = {", index, size);
    for (size_t i = 0; i < size; i++) fprintf(to, i % 32 ? "%d," : "\n%d,", bytes[i]);
    fprintf(to, "};\n\n");
}

/* What micro.h declares: selecting by a variant's position. */
static void functions_write(FILE *to)
{
    for (int i = 0; i < N_VARIANTS; i++) fprintf(to, "extern const nn_micro_kernels %s;\n", micro_symbol(variants[i]));
    fprintf(to, "\nconst nn_micro_kernels *micro_kernels(CpuVariant cpu)\n{\n"
                "    switch (cpu == CPU_NATIVE ? cpu_best() : cpu) {\n");
    for (int i = N_VARIANTS - 1; i > 0; i--)
        fprintf(to, "    case %d: return &%s;\n", variants[i], micro_symbol(variants[i]));
    fprintf(to, "    default: return &%s;\n    }\n}\n\n", micro_symbol(variants[0]));
    fprintf(to, "MicroObject micro_object(CpuVariant cpu)\n{\n    switch (cpu == CPU_NATIVE ? cpu_best() : cpu) {\n");
    for (int i = N_VARIANTS - 1; i > 0; i--)
        fprintf(to, "    case %d: return (MicroObject){object_%d, sizeof object_%d};\n", variants[i], i, i);
    fprintf(to, "    default: return (MicroObject){object_0, sizeof object_0};\n    }\n}\n");
}

int main(int n_args, char **args)
{
    if (n_args != 2) fail("usage", "microgen DIRECTORY");
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    FILE *source = file_open(args[1], "micro_objects", ".c");
    fprintf(source, "/* Written by microgen. */\n#include \"codegen/micro.h\"\n\n");
    for (int i = 0; i < N_VARIANTS; i++) {
        LLVMMemoryBufferRef object = object_make(variants[i]);
        const char *bytes = LLVMGetBufferStart(object);
        size_t size = LLVMGetBufferSize(object);
        FILE *file = file_open(args[1], micro_symbol(variants[i]), ".o");
        if (fwrite(bytes, 1, size, file) != size) fail("write", strerror(errno));
        file_close(file);
        array_write(source, i, (const unsigned char *)bytes, size);
        LLVMDisposeMemoryBuffer(object);
    }
    functions_write(source);
    file_close(source);
    return 0;
}
