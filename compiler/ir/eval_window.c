/* Windows of an axis, and the sums of what they read. */
#include "ir/eval_internal.h"
#include "ir/window.h"

/* The index stride * i + dilation * u - padding, where it is in [0, size); -1 elsewhere. Every position of an axis of
 * the interpreter's fits in memory, but the padding may be any number. */
static int64_t position(const Window *window, int64_t padding, int64_t size, int64_t i, int64_t u)
{
    int64_t at;
    if (__builtin_sub_overflow(window->stride * i + window->dilation * u, padding, &at)) return -1;
    return at < 0 || at >= size ? -1 : at;
}

bool eval_window(EvalStep *step)
{
    bool sums = step->info->op == OP_UNWINDOW;
    const Tensor *x = step->args[0], *whole = sums ? step->to : x, *parts = sums ? x : step->to;
    Window window = window_of(step->eval->graph, step->node);
    int64_t padding, size = whole->dims[window.axis], count = parts->dims[window.axis];
    int64_t taps = parts->dims[window.axis + 1];
    int64_t outer = tensor_extent(whole, 0, window.axis), inner = tensor_extent(whole, window.axis + 1, whole->rank);
    if (!eval_dim(step->eval, step->node, window.padding, &padding)) return false;
    if (x->count != outer * inner * (sums ? count * taps : size))
        return eval_fail(step->eval, step->node, "the sizes of `%s` do not agree", op_info(step->info->op)->spelling);
    for (int64_t part = 0; part < outer * count * taps; part++) {
        int64_t at = position(&window, padding, size, part / taps % count, part % taps);
        if (at < 0) continue;
        at += part / taps / count * size;
        if (sums)
            tensor_add(step->to, at * inner, x, part * inner, inner);
        else
            tensor_copy(step->to, part * inner, x, at * inner, inner);
    }
    return true;
}
