/* A unit: one LLVM module with its context, into which kernels are emitted and from which machine code comes. Units are
 * independent, so several threads may each work on one. */
#ifndef NNC_CODEGEN_UNIT_H
#define NNC_CODEGEN_UNIT_H

#include "codegen/vector.h"
#include "kernel/kernel.h"
#include "nn_image.h"
#include "support/context.h"

typedef struct {
    Arena *arena; /* of the emission; freed with the unit */
    LLVMTargetMachineRef machine;
    Vector vector;
} Unit;

/* The three functions of a kernel, as constants of the unit's module; NULL: none. */
typedef struct {
    LLVMValueRef loop, tile, contraction;
} KernelCode;

/* The variant of that name (NULL: native); CPU_COUNT after a diagnostic. */
CpuVariant unit_cpu(Context *context, const char *name);
/* Says that LLVM refused what was generated, and frees its message. Always false. */
bool unit_refused(Context *context, char *message);

/* Makes LLVM know this processor's family; once before units are made, from one thread. */
void units_prepare(void);
/* NULL with *error (to be freed with LLVMDisposeMessage) when LLVM has no such target. level as in CodegenOptions. */
Unit *unit_new(CpuVariant cpu, int level, const char *name, char **error);
void unit_free(Unit *unit);
/* Emits a kernel's functions; `number` makes their symbols distinct. */
KernelCode unit_kernel(Unit *unit, const Kernel *kernel, uint32_t number);
/* An ELF object or assembly text; NULL with *error. */
LLVMMemoryBufferRef unit_output(Unit *unit, LLVMCodeGenFileType type, char **error);
/* In debug builds: NULL when LLVM accepts the module, else what is wrong (LLVMDisposeMessage). */
char *unit_verify(Unit *unit);

#endif
