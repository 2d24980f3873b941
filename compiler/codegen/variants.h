/* A plan as objects in memory, for linking: one for each CPU variant with its code and its image, and one with what all
 * of them share: the exported functions, the choice between the images, and the weights. */
#ifndef NNC_CODEGEN_VARIANTS_H
#define NNC_CODEGEN_VARIANTS_H

#include "codegen/codegen.h"
#include "codegen/image.h"
#include "codegen/link.h"

enum { MAX_VARIANTS = 3 };

typedef struct {
    CpuVariant cpus[MAX_VARIANTS]; /* the best first */
    int count;
    LLVMMemoryBufferRef objects[MAX_VARIANTS + 1]; /* the last: what they share */
} Variants;

/* Those that the options ask for. False after a diagnostic. */
bool variants_choose(Context *context, const CodegenOptions *options, Variants *variants);
/* Compiles them, in threads. False after a diagnostic; free in any case. */
bool variants_compile(Context *context, const Plan *plan, const CodegenOptions *options, Variants *variants);
void variants_free(Variants *variants);

/* Emits a plan's kernels and its image into a unit; `weights` as image_emit takes them. The image. */
LLVMValueRef variant_emit(Unit *unit, const Plan *plan, const ImageTables *tables, LLVMValueRef weights,
                          size_t weights_size);
/* The weights that the options give as a hidden global of the unit; NULL when there are none. With `define` it is their
 * place, else it is elsewhere. */
LLVMValueRef weights_emit(Unit *unit, const CodegenOptions *options, bool define);

#endif
