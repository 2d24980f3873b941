/* Micro kernels of contractions (runtime/core/contract.h): emitted once, when nnc is built, by the program in
 * microgen/, for each CPU variant; linked into nnc for the JIT and embedded as bytes for models compiled ahead of time.
 */
#ifndef NNC_CODEGEN_MICRO_H
#define NNC_CODEGEN_MICRO_H

#include "codegen/vector.h"
#include "core/contract.h"

/* Emits every micro kernel of the vector's variant and the table of them, under the name micro_symbol(cpu), which is
 * the only external symbol. Not for CPU_NATIVE, which uses the table of the best variant. */
void micro_emit(Vector *vector);

/* The external name of the table: "nn_micro_x86_64_v4". Native is the best variant of this machine. */
const char *micro_symbol(CpuVariant cpu);
/* Of a table without f64 (NULL), "nn_micro_x86_64_v4_f32": a model that contracts f32 alone refers to it and a linker
 * that collects unused sections leaves half of the kernels out. */
const char *micro_symbol_f32(CpuVariant cpu);

/* The table linked into this process. */
const nn_micro_kernels *micro_kernels(CpuVariant cpu);

/* A relocatable object (ELF, position independent, needs no library) that defines micro_symbol(cpu). */
typedef struct {
    const unsigned char *bytes;
    size_t size;
} MicroObject;

MicroObject micro_object(CpuVariant cpu);

#endif
