#include <string.h>

#include "kernel/kernel.h"

static AxisMask bit(uint32_t axis)
{
    return (AxisMask)1 << axis;
}

/* Both or neither. */
static bool together(AxisMask mask, AxisMask pair)
{
    return (mask & pair) == 0 || (mask & pair) == pair;
}

/* True when subscripts d and d + 1 walk dimensions of these sizes as `outer` and `inner` one after the other. */
static bool adjacent(const Kernel *kernel, const KernelIndex *index, const uint32_t *dims, uint32_t outer,
                     uint32_t inner)
{
    uint32_t axis;
    return kernel_index_plain(kernel, &index[0], &axis) && axis == outer &&
           kernel_index_plain(kernel, &index[1], &axis) && axis == inner && dims[1] == kernel->axes[inner].extent &&
           dims[0] == kernel->axes[outer].extent;
}

/* True when all subscripts of a value have the pair as neighbours or not at all. */
static bool value_allows(const Kernel *kernel, const KernelValue *value, uint32_t outer, uint32_t inner)
{
    AxisMask pair = bit(outer) | bit(inner);
    if (!together(value->domain, pair) || !together(value->reduced, pair)) return false;
    if (value->kind == KERNEL_AXIS && (bit(value->axis) & pair)) return false;
    const uint32_t *dims = value->kind == KERNEL_RANDOM ? value->dims : kernel->buffers[value->buffer].dims;
    bool found = false;
    for (uint32_t i = 0; i < value->n_index; i++) {
        AxisMask axes = 0;
        for (uint32_t j = 0; j < value->index[i].n_terms; j++) axes |= bit(value->index[i].terms[j].axis);
        if (!(axes & pair)) continue;
        if (found || i + 1 == value->n_index || !adjacent(kernel, &value->index[i], &dims[i], outer, inner))
            return false;
        found = true;
        i++;
    }
    return true;
}

/* A buffer's dimensions must be merged in all its accesses or in none, at one place: where the first access has them.
 */
static bool buffer_allows(const Kernel *kernel, uint32_t buffer, uint32_t outer, uint32_t inner, int32_t *place)
{
    *place = -1;
    bool first = true;
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        const KernelValue *value = &kernel->values[v];
        bool access = value->kind == KERNEL_LOAD || value->kind == KERNEL_STORE || value->kind == KERNEL_SCATTER;
        if (!access || value->buffer != buffer) continue;
        int32_t here = -1;
        for (uint32_t i = 0; i + 1 < value->n_index && here < 0; i++)
            if (adjacent(kernel, &value->index[i], &kernel->buffers[buffer].dims[i], outer, inner)) here = (int32_t)i;
        if (!first && here != *place) return false;
        *place = here;
        first = false;
    }
    return true;
}

static bool may_merge(const Kernel *kernel, uint32_t outer, uint32_t inner)
{
    bool useful = false;
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        if (!value_allows(kernel, &kernel->values[i], outer, inner)) return false;
        useful = useful || kernel->values[i].domain & bit(outer);
    }
    for (uint32_t i = 0; i < kernel->n_buffers; i++) {
        int32_t place;
        if (!buffer_allows(kernel, i, outer, inner, &place)) return false;
    }
    return useful;
}

static void remove_subscript(Arena *arena, KernelValue *value, uint32_t place)
{
    KernelIndex *index = ARENA_COPY(arena, KernelIndex, value->index, value->n_index);
    memmove(&index[place + 1], &index[place + 2], (value->n_index - place - 2) * sizeof *index);
    value->index = index;
    value->n_index--;
    value->clipped = (value->clipped & ((1u << place) - 1)) | (value->clipped >> 1 & ~((1u << place) - 1));
}

static void merge_dims(uint32_t *dims, uint32_t rank, uint32_t place, uint32_t size)
{
    dims[place] = size;
    memmove(&dims[place + 1], &dims[place + 2], (rank - place - 2) * sizeof *dims);
    dims[rank - 1] = 0;
}

static AxisMask without_axis(AxisMask mask, uint32_t axis)
{
    return (mask & (bit(axis) - 1)) | (mask >> 1 & ~(bit(axis) - 1));
}

/* Removes an axis that nothing mentions any more; later ones move down. */
static void drop_axis(Arena *arena, Kernel *kernel, uint32_t axis)
{
    memmove(&kernel->axes[axis], &kernel->axes[axis + 1], (kernel->n_axes - axis - 1) * sizeof *kernel->axes);
    kernel->n_axes--;
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        KernelValue *value = &kernel->values[v];
        value->domain = without_axis(value->domain, axis);
        value->reduced = without_axis(value->reduced, axis);
        if (value->kind == KERNEL_AXIS && value->axis > axis) value->axis--;
        KernelIndex *index = value->n_index ? ARENA_COPY(arena, KernelIndex, value->index, value->n_index) : NULL;
        for (uint32_t i = 0; i < value->n_index; i++) {
            if (!index[i].n_terms) continue;
            KernelTerm *terms = ARENA_COPY(arena, KernelTerm, index[i].terms, index[i].n_terms);
            for (uint32_t j = 0; j < index[i].n_terms; j++) terms[j].axis -= terms[j].axis > axis;
            index[i].terms = terms;
        }
        value->index = index;
    }
}

static uint32_t product_size(Arena *arena, DimTable *dims, Kernel *kernel, Dim **sizes, uint32_t a, uint32_t b)
{
    Dim product = dim_mul(dims, (*sizes)[a], (*sizes)[b]);
    for (uint32_t i = 0; i < kernel->n_sizes; i++)
        if (dim_same((*sizes)[i], product)) return i;
    uint32_t count = kernel->n_sizes++;
    KernelSize *kinds = ARENA_ARRAY(arena, KernelSize, count + 1);
    Dim *grown = ARENA_ARRAY(arena, Dim, count + 1);
    memcpy(kinds, kernel->sizes, count * sizeof *kinds);
    memcpy(grown, *sizes, count * sizeof *grown);
    grown[count] = product;
    kernel->sizes = kinds;
    *sizes = grown;
    return count;
}

static void merge(Arena *arena, DimTable *dims, Kernel *kernel, Dim **sizes, uint32_t outer, uint32_t inner)
{
    uint32_t size = product_size(arena, dims, kernel, sizes, kernel->axes[outer].extent, kernel->axes[inner].extent);
    int32_t *places = ARENA_ARRAY(arena, int32_t, kernel->n_buffers);
    for (uint32_t i = 0; i < kernel->n_buffers; i++) buffer_allows(kernel, i, outer, inner, &places[i]);
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        KernelValue *value = &kernel->values[v];
        int32_t place = -1;
        if (value->kind == KERNEL_RANDOM) {
            for (uint32_t i = 0; i + 1 < value->n_index && place < 0; i++)
                if (adjacent(kernel, &value->index[i], &value->dims[i], outer, inner)) place = (int32_t)i;
            if (place >= 0) merge_dims(value->dims, value->n_index, (uint32_t)place, size);
        } else if (value->n_index) {
            place = places[value->buffer];
        }
        if (place >= 0) remove_subscript(arena, value, (uint32_t)place);
        value->domain &= ~bit(inner);
        value->reduced &= ~bit(inner);
    }
    for (uint32_t i = 0; i < kernel->n_buffers; i++)
        if (places[i] >= 0) merge_dims(kernel->buffers[i].dims, kernel->buffers[i].rank--, (uint32_t)places[i], size);
    kernel->axes[outer].extent = size;
    drop_axis(arena, kernel, inner);
}

void kernel_merge_axes(Arena *arena, DimTable *dims, Kernel *kernel, Dim **sizes)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t outer = 0; outer < kernel->n_axes && !again; outer++)
            for (uint32_t inner = 0; inner < kernel->n_axes && !again; inner++) {
                if (outer == inner || !may_merge(kernel, outer, inner)) continue;
                merge(arena, dims, kernel, sizes, outer, inner);
                again = true;
            }
    }
}

/* A renumbering of sizes by first use. */
typedef struct {
    uint32_t *to;
    uint32_t count;
} Renumbering;

static void use_size(Renumbering *new, uint32_t *size)
{
    if (new->to[*size] == UINT32_MAX) new->to[*size] = new->count++;
    *size = new->to[*size];
}

static void use_value_sizes(Arena *arena, Renumbering *new, KernelValue *value)
{
    if (value->kind == KERNEL_SIZE || value->kind == KERNEL_NUMBER) use_size(new, &value->size);
    if (value->kind == KERNEL_RANDOM) use_size(new, &value->stream);
    for (uint32_t i = 0; value->kind == KERNEL_RANDOM && i < value->n_index; i++) use_size(new, &value->dims[i]);
    if (!value->n_index) return;
    KernelIndex *index = ARENA_COPY(arena, KernelIndex, value->index, value->n_index);
    for (uint32_t i = 0; i < value->n_index; i++) use_size(new, &index[i].offset);
    value->index = index;
}

void kernel_compact_sizes(Arena *arena, Kernel *kernel, Dim **sizes)
{
    Renumbering new = {.to = ARENA_ARRAY(arena, uint32_t, kernel->n_sizes)};
    for (uint32_t i = 0; i < kernel->n_sizes; i++) new.to[i] = UINT32_MAX;
    for (uint32_t i = 0; i < kernel->n_axes; i++) use_size(&new, &kernel->axes[i].extent);
    for (uint32_t i = 0; i < kernel->n_buffers; i++)
        for (uint32_t j = 0; j < kernel->buffers[i].rank; j++) use_size(&new, &kernel->buffers[i].dims[j]);
    for (uint32_t i = 0; i < kernel->n_values; i++) use_value_sizes(arena, &new, &kernel->values[i]);
    KernelSize *kinds = ARENA_ARRAY(arena, KernelSize, new.count);
    Dim *values = ARENA_ARRAY(arena, Dim, new.count);
    for (uint32_t i = 0; i < kernel->n_sizes; i++) {
        if (new.to[i] == UINT32_MAX) continue;
        kinds[new.to[i]] = kernel->sizes[i];
        values[new.to[i]] = (*sizes)[i];
    }
    kernel->sizes = kinds;
    kernel->n_sizes = new.count;
    *sizes = values;
}
