/* Kernels as functions: one nn_loop_function for a loop nest, an nn_contraction_function and an nn_tile_function for a
 * contraction. The caller owns the module that the Vector names. */
#ifndef NNC_CODEGEN_LOOP_H
#define NNC_CODEGEN_LOOP_H

#include "codegen/vector.h"
#include "kernel/kernel.h"
#include "nn_image.h"

/* Fills the description of a kernel: all fields but name and function pointers. Needs no LLVM. */
void kernel_describe(const Kernel *kernel, nn_kernel *out);

/* Emits the function of a kernel that is not a contraction. */
void loop_emit(Arena *arena, Vector *vector, const Kernel *kernel, const char *symbol);

/* True and filled when the run time's contraction driver can do the kernel: kernel_contraction within its limits. */
bool contraction_find(const Kernel *kernel, KernelContraction *form);
/* True when a contraction needs a tile function: it does more than store its sums. */
bool contraction_has_tile(const Kernel *kernel, const KernelContraction *form);
void tile_emit(Arena *arena, Vector *vector, const Kernel *kernel, const KernelContraction *form, const char *symbol);
void contraction_emit(Arena *arena, Vector *vector, const Kernel *kernel, const KernelContraction *form,
                      const char *symbol);

#endif
