/* Finds the form of a contraction in a kernel: which axes are rows, columns, inner k, lists and batch, and which
 * subscripts are windows. */
#include <string.h>

#include "kernel/kernel.h"

bool kernel_index_clipped(const KernelValue *load, uint32_t subscript)
{
    return load->clipped >> subscript & 1;
}

/* The axes in the load's subscripts: all of them, or those that are clipped. */
static AxisMask load_axes(const Kernel *kernel, const KernelValue *load, bool clipped)
{
    AxisMask axes = 0;
    for (uint32_t i = 0; i < load->n_index; i++)
        if (!clipped || kernel_index_clipped(load, i)) axes |= kernel_index_axes(kernel, &load->index[i]);
    return axes;
}

/* A load whose address is linear in the axes, but for subscripts that are clipped. */
static bool walked_load(const KernelValue *value)
{
    if (value->kind != KERNEL_LOAD || (value->n_args && !value->clipped)) return false;
    for (uint32_t i = 0; i < value->n_index; i++)
        if (value->index[i].value >= 0) return false;
    return true;
}

/* True where values that depend on the summed axes lead to the sum alone. */
static bool only_sum_reads(const Kernel *kernel, const KernelContraction *form)
{
    AxisMask summed = kernel->values[form->reduce].reduced;
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        const KernelValue *value = &kernel->values[v];
        bool inside = value->domain & summed;
        if (inside && value->kind == KERNEL_STORE) return false;
        if (inside || v == form->reduce) continue;
        for (uint32_t i = 0; i < value->n_args; i++)
            if (kernel->values[value->args[i]].domain & summed) return false;
        for (uint32_t i = 0; i < value->n_index; i++)
            if (value->index[i].value >= 0 && kernel->values[value->index[i].value].domain & summed) return false;
    }
    return true;
}

/* The one SUM, of a product of two walked loads, that nothing else shares axes with. */
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
    if (reduce->op != OP_SUM || !dtype_is_float(reduce->dtype)) return false;
    if (product->kind != KERNEL_COMPUTE || product->op != OP_MUL) return false;
    form->a = product->args[0];
    form->b = product->args[1];
    if (!walked_load(&kernel->values[form->a]) || !walked_load(&kernel->values[form->b])) return false;
    return only_sum_reads(kernel, form);
}

/* The last axis that every store walks contiguously, and the order of the others in the first store. */
static bool store_order(const Kernel *kernel, AxisMask result, uint32_t *last, uint32_t *order, uint32_t *n_order)
{
    bool first = true;
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        const KernelValue *store = &kernel->values[i];
        if (store->kind != KERNEL_STORE) continue;
        uint32_t axis = NO_AXIS;
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

/* The class of each axis of a clipped subscript: at most one of the batch and one that is summed. */
static bool find_window(const Kernel *kernel, const KernelContraction *form, uint32_t load, uint32_t subscript,
                        KernelWindow *window)
{
    const KernelIndex *index = &kernel->values[load].index[subscript];
    *window = (KernelWindow){load, subscript, NO_AXIS, NO_AXIS, 0, 0};
    for (uint32_t i = 0; i < index->n_terms; i++) {
        const KernelTerm *term = &index->terms[i];
        bool outer = form->batch & axis_bit(term->axis),
             inner = (form->lists | axis_bit(form->k)) & axis_bit(term->axis);
        if (!outer && !inner) return false;
        uint32_t *axis = outer ? &window->outer : &window->inner;
        if (*axis != NO_AXIS) return false;
        *axis = term->axis;
        *(outer ? &window->f_outer : &window->f_inner) = term->factor;
    }
    return window->inner != form->k || index->div == 1;
}

/* Each summed axis in at most one window. */
static bool find_windows(const Kernel *kernel, KernelContraction *form)
{
    AxisMask seen = 0;
    const uint32_t loads[] = {form->a, form->b};
    form->n_windows = 0;
    for (uint32_t side = 0; side < 2; side++) {
        const KernelValue *load = &kernel->values[loads[side]];
        for (uint32_t i = 0; i < load->n_index; i++) {
            KernelWindow window;
            if (!kernel_index_clipped(load, i)) continue;
            if (form->n_windows == KERNEL_MAX_WINDOWS || !find_window(kernel, form, loads[side], i, &window))
                return false;
            if (seen & axis_bit(window.inner)) return false;
            seen |= axis_bit(window.inner);
            form->windows[form->n_windows++] = window;
        }
    }
    return true;
}

/* The summed axis that A walks nearest: in the last subscript that has one alone. It becomes the inner k if the windows
 * allow it. */
static bool find_inner(const Kernel *kernel, KernelContraction *form)
{
    const KernelValue *a = &kernel->values[form->a];
    AxisMask summed = kernel->values[form->reduce].reduced, all = summed;
    for (uint32_t i = a->n_index; i-- > 0;) {
        AxisMask here = kernel_index_axes(kernel, &a->index[i]) & summed;
        if (!here || here & (here - 1)) continue;
        for (form->k = 0; here != axis_bit(form->k);) form->k++;
        form->lists = all & ~here;
        if (find_windows(kernel, form)) return true;
    }
    /* A has none of its own. */
    for (form->k = 0; !(all & axis_bit(form->k));) form->k++;
    form->lists = all & ~axis_bit(form->k);
    return find_windows(kernel, form);
}

bool kernel_contraction(const Kernel *kernel, KernelContraction *form)
{
    if (!find_product(kernel, form)) return false;
    const KernelValue *reduce = &kernel->values[form->reduce];
    uint32_t order[MAX_RANK], n_order = 0;
    if (!reduce->domain || !store_order(kernel, reduce->domain, &form->n, order, &n_order)) return false;
    AxisMask a = load_axes(kernel, &kernel->values[form->a], false),
             b = load_axes(kernel, &kernel->values[form->b], false);
    AxisMask n = axis_bit(form->n);
    if (!(a & n) == !(b & n)) return false;
    if (a & n) {
        uint32_t swap = form->a;
        form->a = form->b;
        form->b = swap;
        AxisMask axes = a;
        a = b;
        b = axes;
    }
    AxisMask clipped = load_axes(kernel, &kernel->values[form->a], true);
    form->m = NO_AXIS;
    for (uint32_t i = 0; i < n_order; i++)
        if ((a & ~b & ~clipped) & axis_bit(order[i])) form->m = order[i];
    form->batch = reduce->domain & ~n & ~axis_bit(form->m);
    return find_inner(kernel, form);
}
