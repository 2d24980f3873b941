/* The image of a plan: the tables of nn_image.h. Built once as C data, which a Jit hands out as it stands and which
 * becomes constants of a module when compiled ahead of time. */
#ifndef NNC_CODEGEN_IMAGE_H
#define NNC_CODEGEN_IMAGE_H

#include "codegen/unit.h"
#include "kernel/plan.h"
#include "nn_image.h"

typedef struct {
    nn_image image;
    nn_kernel *kernels; /* image.kernels, function pointers NULL */
    uint32_t n_size_code, n_references;
} ImageTables;

/* In the context's arena. Programs are in the plan's order; micro_kernels is NULL. */
ImageTables *image_build(Context *context, const Plan *plan, CpuVariant cpu);

/* Emits the tables with the kernels' functions and returns the image: a hidden global called image_symbol(cpu). `micro`
 * is the external symbol of the micro kernels' table; `weights`, of that size, is a global of the module, or NULL. */
LLVMValueRef image_emit(Unit *unit, const Plan *plan, const ImageTables *tables, const KernelCode *code,
                        const char *micro, LLVMValueRef weights, size_t weights_size);
/* "nn_image_x86_64_v4"; of native code "nn_image_native". */
const char *image_symbol(CpuVariant cpu);

/* Emits the model's exported functions, as header_print declares them, and the entry that nn.h looks for; at run time
 * the first of the images that the processor runs is theirs. */
void entry_emit(Unit *unit, const Module *module, LLVMValueRef *images, unsigned n_images);

#endif
