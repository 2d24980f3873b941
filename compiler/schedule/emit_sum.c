/* Sums: products over labels, and what windows read from one place. What a sum adds up is a value over new axes, which
 * its piece then reduces; a sum directly beneath another is part of it, so that nothing between them is stored. */
#include <assert.h>

#include "ir/window.h"
#include "schedule/schedule_internal.h"

uint32_t emit_axis(KernelEmitter *emitter, Dim extent)
{
    if (is_unit(emitter->scheduler, extent)) return NO_AXIS;
    assert(emitter->draft->axes.count < KERNEL_MAX_AXES);
    vec_push(&emitter->draft->axes, extent);
    return (uint32_t)emitter->draft->axes.count - 1;
}

static Affine summed_axis(KernelEmitter *emitter, Dim extent)
{
    uint32_t axis = emit_axis(emitter, extent);
    if (axis != NO_AXIS) emitter->summed |= axis_bit(axis);
    return affine_axis(emitter->scheduler, axis);
}

/* ---- sums beneath sums */

static bool is_sum(const Scheduler *scheduler, Node node)
{
    Op op = node_op(scheduler->graph, node);
    return !facts_of(scheduler, node)->apart && (op == OP_UNWINDOW || (op == OP_CONTRACT && has_sum(scheduler, node)));
}

/* True for a reshape between sizes of 1. */
static bool keeps_axes(const Scheduler *scheduler, const NodeInfo *info)
{
    Affine index[MAX_RANK], own[MAX_RANK];
    Shape view = {info->type.rank, info->type.dims};
    for (uint32_t i = 0; i < info->type.rank; i++) index[i] = affine_none(scheduler);
    return own_index(scheduler, node_type(scheduler->graph, info->args[0]), view, index, own);
}

bool moves_elements(const Scheduler *scheduler, Node node)
{
    const NodeInfo *info = graph_node(scheduler->graph, node);
    if (facts_of(scheduler, node)->apart) return false;
    if (info->op == OP_RESHAPE) return keeps_axes(scheduler, info);
    return info->op == OP_TRANSPOSE || info->op == OP_SLICE || info->op == OP_REVERSE;
}

bool sum_is_beneath(const Scheduler *scheduler, Node node)
{
    while (moves_elements(scheduler, node)) node = node_arg(scheduler->graph, node, 0);
    return is_sum(scheduler, node);
}

static uint32_t emit_beneath(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask)
{
    const Scheduler *scheduler = emitter->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    if (!sum_is_beneath(scheduler, node)) return emit(emitter, node, shape_of(scheduler, node), index, mask);
    if (info->op == OP_UNWINDOW) return emit_unwindow(emitter, node, index, mask);
    if (info->op == OP_CONTRACT) return emit_contraction(emitter, node, index, mask);
    Affine own[MAX_RANK];
    Shape shape = shape_of(scheduler, info->args[0]);
    bool good = info->op == OP_RESHAPE ? own_index(scheduler, node_type(scheduler->graph, info->args[0]),
                                                   shape_of(scheduler, node), index, own)
                                       : moved_index(scheduler, info, shape, index, own);
    return good ? emit_beneath(emitter, info->args[0], own, mask) : emit_blocked(emitter, node);
}

/* ---- contractions */

/* The axes of labels that are summed. */
typedef struct {
    int32_t labels[2 * MAX_RANK];
    Affine axes[2 * MAX_RANK];
    uint32_t count;
} Labels;

static Affine label_axis(KernelEmitter *emitter, Labels *labels, int32_t label, Dim extent)
{
    for (uint32_t i = 0; i < labels->count; i++)
        if (labels->labels[i] == label) return labels->axes[i];
    labels->labels[labels->count] = label;
    return labels->axes[labels->count++] = summed_axis(emitter, extent);
}

/* True if the index runs over its dimension whatever a mask says. */
static bool runs_over(const KernelEmitter *emitter, const Affine *index, Dim extent)
{
    uint32_t axis;
    if (is_unit(emitter->scheduler, extent) && affine_zero(emitter->scheduler, index)) return true;
    return affine_plain(emitter->scheduler, index, &axis) && dim_same(emitter->draft->axes.at[axis], extent);
}

uint32_t emit_contraction(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask)
{
    Scheduler *scheduler = emitter->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    const int32_t *next = info->attr.ints, *result = next + info->attr.n_ints - info->type.rank;
    bool tiled = is_tiled(scheduler, node);
    uint32_t factors[2];
    Labels summed = {.count = 0};
    for (uint32_t side = 0; side < 2; side++) {
        Shape shape = shape_of(scheduler, info->args[side]);
        Affine at[MAX_RANK];
        bool whole = true;
        for (uint32_t i = 0; i < shape.rank; i++, next++) {
            uint32_t j = 0;
            while (j < info->type.rank && result[j] != *next) j++;
            at[i] = j < info->type.rank ? index[j] : label_axis(emitter, &summed, *next, shape.dims[i]);
            whole = whole && runs_over(emitter, &at[i], shape.dims[i]);
        }
        factors[side] = emit(emitter, info->args[side], shape, at, whole ? NO_VALUE : mask);
        if (factors[side] == NO_VALUE) return NO_VALUE;
        if (tiled && !is_walked_load(emitter->draft, factors[side])) return emit_blocked(emitter, info->args[side]);
    }
    return draft_compute(emitter->draft, OP_MUL, info->type.dtype, 2, factors);
}

/* ---- windows */

/* True where `place` / stride is a position: exactly, and in range. */
static uint32_t is_position(KernelEmitter *emitter, const Affine *place, const Affine *position, const Window *window)
{
    DimTable *dims = emitter->scheduler->dims;
    Draft *draft = emitter->draft;
    Dim stride = dim_constant(dims, window->stride), one = dim_constant(dims, 1);
    Dim last_tap = dim_mul(dims, dim_sub(dims, window->taps, one), dim_constant(dims, window->dilation));
    Dim end = dim_mul(dims, window->count, stride);
    uint32_t inside = NO_VALUE;
    if (!entry_at_least(emitter->scheduler, window->padding, last_tap)) inside = emit_not_negative(emitter, place);
    if (!entry_at_least(emitter->scheduler, end, dim_add(dims, window->size, window->padding)))
        inside = emit_both(emitter, inside, emit_less_than_size(emitter, position, window->count));
    if (window->stride == 1) return inside;
    uint32_t rest[] = {emit_affine(emitter, place), draft_integer(draft, DTYPE_I64, window->stride)};
    uint32_t equal[] = {draft_compute(draft, OP_MOD, DTYPE_I64, 2, rest), draft_integer(draft, DTYPE_I64, 0)};
    return emit_both(emitter, inside, draft_compute(draft, OP_EQ, DTYPE_BOOL, 2, equal));
}

/* True for what is 0 where the mask is false, and may be added there: a load, or a product of two of which one is. */
static bool adds_nothing(const Draft *draft, uint32_t value, uint32_t mask)
{
    const DraftValue *product = &draft->values.at[value];
    if (product->kind != KERNEL_COMPUTE || product->op != OP_MUL) return is_masked_load(draft, value, mask);
    uint32_t a = product->args[0], b = product->args[1];
    if (!is_walked_load(draft, a) || !is_walked_load(draft, b)) return false;
    return is_masked_load(draft, a, mask) || is_masked_load(draft, b, mask);
}

/* Element t is the sum over the taps u of g[(t + padding - dilation * u) / stride, u]. */
uint32_t emit_unwindow(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask)
{
    const Scheduler *scheduler = emitter->scheduler;
    const Window window = window_of(scheduler->graph, node);
    Node g = node_arg(scheduler->graph, node, 0);
    uint32_t rank = node_type(scheduler->graph, g)->rank;
    Affine at[MAX_RANK], tap = summed_axis(emitter, window.taps), place = tap;
    Affine numerator = index[window.axis];
    bool good =
        affine_scale(scheduler, &place, -window.dilation, window.padding) && affine_add(scheduler, &numerator, &place);
    Affine position = numerator;
    if (!good || !affine_divide(scheduler, &position, window.stride)) return emit_blocked(emitter, node);
    for (uint32_t i = 0; i < rank; i++) at[i] = index[i > window.axis ? i - 1 : i];
    at[window.axis] = position;
    at[window.axis + 1] = tap;
    uint32_t inside = is_position(emitter, &numerator, &position, &window);
    at[window.axis].inside = inside;
    mask = emit_both(emitter, mask, inside);
    uint32_t value = emit_beneath(emitter, g, at, mask);
    if (value == NO_VALUE || (mask != NO_VALUE && adds_nothing(emitter->draft, value, mask))) return value;
    return emit_select(emitter, inside, value,
                       draft_constant(emitter->draft, emitter->draft->values.at[value].dtype, 0));
}
