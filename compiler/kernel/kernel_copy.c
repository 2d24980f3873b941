#include "kernel/kernel.h"

static const KernelIndex *copy_index(Arena *arena, const KernelIndex *index, uint32_t count)
{
    KernelIndex *copy = ARENA_COPY(arena, KernelIndex, index, count);
    for (uint32_t i = 0; i < count; i++)
        if (copy[i].n_terms) copy[i].terms = ARENA_COPY(arena, KernelTerm, copy[i].terms, copy[i].n_terms);
    return copy;
}

Kernel *kernel_copy(Arena *arena, const Kernel *kernel)
{
    Kernel *copy = ARENA_COPY(arena, Kernel, kernel, 1);
    copy->sizes = ARENA_COPY(arena, KernelSize, kernel->sizes, kernel->n_sizes);
    copy->axes = ARENA_COPY(arena, KernelAxis, kernel->axes, kernel->n_axes);
    copy->buffers = ARENA_COPY(arena, KernelBuffer, kernel->buffers, kernel->n_buffers);
    copy->values = ARENA_COPY(arena, KernelValue, kernel->values, kernel->n_values);
    for (uint32_t i = 0; i < copy->n_values; i++) {
        KernelValue *value = &copy->values[i];
        if (value->n_index) value->index = copy_index(arena, value->index, value->n_index);
    }
    return copy;
}
