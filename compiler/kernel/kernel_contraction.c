#include "kernel/kernel.h"

static AxisMask bit(uint32_t axis)
{
    return (AxisMask)1 << axis;
}

static AxisMask load_axes(const Kernel *kernel, const KernelValue *load)
{
    AxisMask axes = 0;
    for (uint32_t i = 0; i < load->n_index; i++) axes |= kernel_index_axes(kernel, &load->index[i]);
    return axes;
}

/* A load without mask and data subscripts: its address is linear in the axes. */
static bool plain_load(const KernelValue *value)
{
    if (value->kind != KERNEL_LOAD || value->n_args) return false;
    for (uint32_t i = 0; i < value->n_index; i++)
        if (value->index[i].value >= 0) return false;
    return true;
}

/* The one SUM, of a product of two plain loads, that nothing else shares axes with. */
static bool find_product(const Kernel *kernel, KernelContraction *form)
{
    uint32_t reduces = 0;
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        if (kernel->values[i].kind == KERNEL_SCATTER) return false;
        if (kernel->values[i].kind == KERNEL_SCAN) return false;
        if (kernel->values[i].kind != KERNEL_REDUCE) continue;
        form->reduce = i;
        reduces++;
    }
    if (reduces != 1) return false;
    const KernelValue *reduce = &kernel->values[form->reduce];
    const KernelValue *product = &kernel->values[reduce->args[0]];
    if (reduce->op != OP_SUM || !dtype_is_float(reduce->dtype) || (reduce->reduced & (reduce->reduced - 1)))
        return false;
    if (product->kind != KERNEL_COMPUTE || product->op != OP_MUL) return false;
    form->a = product->args[0];
    form->b = product->args[1];
    if (!plain_load(&kernel->values[form->a]) || !plain_load(&kernel->values[form->b])) return false;
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        if (i == form->a || i == form->b || i == reduce->args[0]) continue;
        if (kernel->values[i].domain & reduce->reduced) return false;
    }
    return true;
}

/* The last axis that every store walks contiguously, and the order of the others in the first store. */
static bool store_order(const Kernel *kernel, AxisMask result, uint32_t *last, uint32_t *order, uint32_t *n_order)
{
    bool first = true;
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        const KernelValue *store = &kernel->values[i];
        if (store->kind != KERNEL_STORE) continue;
        uint32_t axis = KERNEL_MAX_AXES;
        if (store->domain != result || !store->n_index) return false;
        /* Dimensions of size 1 after it do not matter. */
        uint32_t j = store->n_index;
        while (j-- > 0 && !kernel_index_axes(kernel, &store->index[j])) continue;
        if (j == UINT32_MAX || !kernel_index_plain(kernel, &store->index[j], &axis)) return false;
        if (!first && axis != *last) return false;
        *last = axis;
        for (uint32_t d = 0; first && d < j; d++)
            if (kernel_index_plain(kernel, &store->index[d], &axis)) order[(*n_order)++] = axis;
        first = false;
    }
    return !first;
}

bool kernel_contraction(const Kernel *kernel, KernelContraction *form)
{
    if (!find_product(kernel, form)) return false;
    const KernelValue *reduce = &kernel->values[form->reduce];
    uint32_t order[MAX_RANK], n_order = 0;
    if (!reduce->domain || !store_order(kernel, reduce->domain, &form->n, order, &n_order)) return false;
    AxisMask a = load_axes(kernel, &kernel->values[form->a]), b = load_axes(kernel, &kernel->values[form->b]);
    AxisMask n = bit(form->n);
    if (!(a & n) == !(b & n)) return false;
    if (a & n) {
        uint32_t swap = form->a;
        form->a = form->b;
        form->b = swap;
        AxisMask axes = a;
        a = b;
        b = axes;
    }
    for (form->k = 0; reduce->reduced != bit(form->k);) form->k++;
    form->m = KERNEL_MAX_AXES;
    for (uint32_t i = 0; i < n_order; i++)
        if ((a & bit(order[i])) && !(b & bit(order[i]))) form->m = order[i];
    form->batch = reduce->domain & ~n;
    if (form->m < KERNEL_MAX_AXES) form->batch &= ~bit(form->m);
    return true;
}
