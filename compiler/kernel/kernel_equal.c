#include <string.h>

#include "kernel/kernel.h"

AxisMask kernel_index_axes(const Kernel *kernel, const KernelIndex *index)
{
    AxisMask axes = index->value >= 0 ? kernel->values[index->value].domain : 0;
    for (uint32_t i = 0; i < index->n_terms; i++) axes |= (AxisMask)1 << index->terms[i].axis;
    return axes;
}

bool kernel_index_plain(const Kernel *kernel, const KernelIndex *index, uint32_t *axis)
{
    const KernelSize *offset = &kernel->sizes[index->offset];
    if (index->n_terms != 1 || index->terms[0].factor != 1 || index->value >= 0 || index->div > 1) return false;
    if (!offset->known || offset->value != 0) return false;
    *axis = index->terms[0].axis;
    return true;
}

bool kernel_index_same(const KernelIndex *a, const KernelIndex *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (a[i].n_terms != b[i].n_terms || a[i].offset != b[i].offset || a[i].negative != b[i].negative ||
            a[i].value != b[i].value || a[i].checked != b[i].checked || a[i].div != b[i].div)
            return false;
        for (uint32_t j = 0; j < a[i].n_terms; j++)
            if (a[i].terms[j].axis != b[i].terms[j].axis || a[i].terms[j].factor != b[i].terms[j].factor) return false;
    }
    return true;
}

static bool value_equal(const KernelValue *a, const KernelValue *b)
{
    if (a->kind != b->kind || a->dtype != b->dtype || a->op != b->op || a->domain != b->domain ||
        a->reduced != b->reduced || a->n_args != b->n_args || a->buffer != b->buffer || a->axis != b->axis ||
        a->size != b->size || a->n_index != b->n_index || a->stream != b->stream || a->clipped != b->clipped)
        return false;
    /* Bits, so that NaN equals itself and -0 does not equal 0. */
    if (memcmp(&a->number, &b->number, sizeof a->number) || a->integer != b->integer) return false;
    if (memcmp(a->args, b->args, a->n_args * sizeof *a->args)) return false;
    if (a->kind == KERNEL_RANDOM && memcmp(a->dims, b->dims, a->n_index * sizeof *a->dims)) return false;
    return kernel_index_same(a->index, b->index, a->n_index);
}

static bool buffer_equal(const KernelBuffer *a, const KernelBuffer *b)
{
    return a->dtype == b->dtype && a->rank == b->rank && a->read == b->read && a->written == b->written &&
           !memcmp(a->dims, b->dims, a->rank * sizeof *a->dims);
}

bool kernel_equal(const Kernel *a, const Kernel *b)
{
    if (a->n_sizes != b->n_sizes || a->n_axes != b->n_axes || a->n_buffers != b->n_buffers ||
        a->n_values != b->n_values)
        return false;
    for (uint32_t i = 0; i < a->n_sizes; i++)
        if (a->sizes[i].known != b->sizes[i].known || a->sizes[i].value != b->sizes[i].value) return false;
    for (uint32_t i = 0; i < a->n_axes; i++)
        if (a->axes[i].extent != b->axes[i].extent) return false;
    for (uint32_t i = 0; i < a->n_buffers; i++)
        if (!buffer_equal(&a->buffers[i], &b->buffers[i])) return false;
    for (uint32_t i = 0; i < a->n_values; i++)
        if (!value_equal(&a->values[i], &b->values[i])) return false;
    return true;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 29;
}

static uint64_t value_hash(uint64_t hash, const KernelValue *value)
{
    uint64_t number;
    memcpy(&number, &value->number, sizeof number);
    hash = mix(hash, (uint64_t)value->kind | (uint64_t)value->dtype << 8 | (uint64_t)value->op << 16);
    hash = mix(hash, (uint64_t)value->domain << 32 | value->reduced);
    hash = mix(hash, (uint64_t)value->buffer << 32 | value->axis << 16 | value->size);
    hash = mix(hash, (uint64_t)value->stream << 32 | value->clipped << 8 | value->n_index);
    hash = mix(hash, number);
    hash = mix(hash, (uint64_t)value->integer);
    for (uint32_t i = 0; i < value->n_args; i++) hash = mix(hash, value->args[i]);
    for (uint32_t i = 0; i < value->n_index; i++) {
        const KernelIndex *index = &value->index[i];
        hash = mix(hash, (uint64_t)(uint32_t)index->value << 32 | index->offset << 2 | (uint32_t)index->negative << 1 |
                             (uint32_t)index->checked);
        hash = mix(hash, (uint64_t)index->div);
        for (uint32_t j = 0; j < index->n_terms; j++)
            hash = mix(hash, (uint64_t)index->terms[j].factor << 8 ^ index->terms[j].axis);
    }
    return hash;
}

uint64_t kernel_hash(const Kernel *kernel)
{
    uint64_t hash = mix(mix(HASH_START, kernel->n_sizes), kernel->n_axes);
    for (uint32_t i = 0; i < kernel->n_sizes; i++)
        hash = mix(hash, (uint64_t)kernel->sizes[i].known << 1 | (uint64_t)kernel->sizes[i].value);
    for (uint32_t i = 0; i < kernel->n_axes; i++) hash = mix(hash, kernel->axes[i].extent);
    for (uint32_t i = 0; i < kernel->n_buffers; i++) {
        const KernelBuffer *buffer = &kernel->buffers[i];
        hash = mix(hash, (uint64_t)buffer->dtype | (uint64_t)buffer->read << 8 | (uint64_t)buffer->written << 9);
        for (uint32_t j = 0; j < buffer->rank; j++) hash = mix(hash, buffer->dims[j]);
    }
    for (uint32_t i = 0; i < kernel->n_values; i++) hash = value_hash(hash, &kernel->values[i]);
    return hash;
}
