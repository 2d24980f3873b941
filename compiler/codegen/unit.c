#include "codegen/unit.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <string.h>

#include "codegen/loop.h"
#include "support/memory.h"

static const char triple[] = "x86_64-unknown-linux-gnu";

CpuVariant unit_cpu(Context *context, const char *name)
{
    if (!name) name = "native";
    CpuVariant cpu = cpu_parse(name, strlen(name));
    if (cpu == CPU_COUNT)
        diag_hint(diag_new(context->diagnostics, DIAG_unknown_cpu, NO_SPAN, "there is no CPU variant %s", name),
                  "there are native, x86-64-v2, x86-64-v3 and x86-64-v4");
    return cpu;
}

static void dispose_message(void *message)
{
    LLVMDisposeMessage(message);
}

bool unit_refused(Context *context, char *message)
{
    if (message) memory_on_failure(dispose_message, message);
    diag_new(context->diagnostics, DIAG_run_time, NO_SPAN, "LLVM refuses the generated code: %s",
             message ? message : "no reason given");
    if (message) memory_settle(message);
    LLVMDisposeMessage(message);
    return false;
}

void units_prepare(void)
{
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
}

/* What is LLVM's of a unit. */
static void free_llvm(void *data)
{
    Unit *unit = data;
    LLVMContextRef context = unit->vector.context;
    LLVMDisposeTargetMachine(unit->machine);
    LLVMDisposeBuilder(unit->vector.builder);
    LLVMDisposeModule(unit->vector.module);
    vector_free(&unit->vector);
    LLVMContextDispose(context);
}

Unit *unit_new(CpuVariant cpu, int level, const char *name, char **error)
{
    LLVMTargetRef target;
    *error = NULL;
    if (LLVMGetTargetFromTriple(triple, &target, error)) return NULL;
    Unit *unit = memory_calloc(1, sizeof *unit);
    unit->arena = arena_new();
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext(name, context);
    unit->vector = (Vector){.context = context, .module = module, .builder = LLVMCreateBuilderInContext(context)};
    memory_on_failure(free_llvm, unit);
    unit->vector = vector_make(context, module, unit->vector.builder, cpu);
    unit->machine = LLVMCreateTargetMachine(target, triple, unit->vector.llvm_name, unit->vector.llvm_features,
                                            level >= 2 ? LLVMCodeGenLevelDefault : LLVMCodeGenLevelLess, LLVMRelocPIC,
                                            LLVMCodeModelDefault);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(unit->machine);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);
    LLVMSetTarget(module, triple);
    return unit;
}

void unit_free(Unit *unit)
{
    if (!unit) return;
    memory_settle(unit);
    free_llvm(unit);
    arena_free(unit->arena);
    memory_free(unit);
}

/* `prefix_NUMBER_kernel name`, without characters that assemblers would quote. */
static const char *symbol_name(Arena *arena, const char *prefix, uint32_t number, const char *name)
{
    char *symbol = arena_format(arena, "%s_%u_%s", prefix, number, name ? name : "kernel");
    for (char *c = symbol; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '.';
        if (!plain) *c = '_';
    }
    return symbol;
}

static LLVMValueRef local_function(Unit *unit, const char *symbol)
{
    LLVMValueRef function = LLVMGetNamedFunction(unit->vector.module, symbol);
    LLVMSetLinkage(function, LLVMInternalLinkage);
    return function;
}

KernelCode unit_kernel(Unit *unit, const Kernel *kernel, uint32_t number)
{
    KernelCode code = {0};
    KernelContraction form;
    Arena *scratch = arena_new();
    if (!contraction_find(kernel, &form)) {
        const char *symbol = symbol_name(scratch, "loop", number, kernel->name);
        loop_emit(scratch, &unit->vector, kernel, symbol);
        code.loop = local_function(unit, symbol);
    } else {
        const char *symbol = symbol_name(scratch, "contraction", number, kernel->name);
        contraction_emit(scratch, &unit->vector, kernel, &form, symbol);
        code.contraction = local_function(unit, symbol);
        symbol = symbol_name(scratch, "tile", number, kernel->name);
        bool tile = contraction_has_tile(kernel, &form);
        if (tile) tile_emit(scratch, &unit->vector, kernel, &form, symbol);
        code.tile = tile ? local_function(unit, symbol) : NULL;
    }
    arena_free(scratch);
    return code;
}

char *unit_verify(Unit *unit)
{
    char *error = NULL;
    if (LLVMVerifyModule(unit->vector.module, LLVMReturnStatusAction, &error)) return error;
    LLVMDisposeMessage(error);
    return NULL;
}

LLVMMemoryBufferRef unit_output(Unit *unit, LLVMCodeGenFileType type, char **error)
{
    LLVMMemoryBufferRef buffer = NULL;
    *error = NULL;
#ifndef NDEBUG
    *error = unit_verify(unit);
    if (*error) return NULL;
#endif
    if (LLVMTargetMachineEmitToMemoryBuffer(unit->machine, unit->vector.module, type, error, &buffer)) return NULL;
    return buffer;
}
