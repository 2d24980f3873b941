/* Movement as subscripts: what moves a value is found again in where it is read. */
#include <assert.h>

#include "ir/window.h"
#include "schedule/schedule_internal.h"

uint32_t emit_blocked(KernelEmitter *emitter, Node node)
{
    emitter->blocked = node;
    return NO_VALUE;
}

uint32_t emit_both(KernelEmitter *emitter, uint32_t a, uint32_t b)
{
    if (a == NO_VALUE) return b;
    if (b == NO_VALUE) return a;
    uint32_t args[] = {a, b};
    return draft_compute(emitter->draft, OP_AND, DTYPE_BOOL, 2, args);
}

/* a < b as a bool value. */
static uint32_t less(KernelEmitter *emitter, const Affine *a, const Affine *b)
{
    uint32_t args[] = {emit_affine(emitter, a), emit_affine(emitter, b)};
    return draft_compute(emitter->draft, OP_LT, DTYPE_BOOL, 2, args);
}

uint32_t emit_less_than_size(KernelEmitter *emitter, const Affine *a, Dim size)
{
    Affine limit = affine_none(emitter->scheduler);
    limit.offset = size;
    return less(emitter, a, &limit);
}

uint32_t emit_not_negative(KernelEmitter *emitter, const Affine *a)
{
    Affine limit = affine_none(emitter->scheduler), numerator = *a;
    limit.offset = dim_constant(emitter->scheduler->dims, -1);
    numerator.div = 1;
    return less(emitter, &limit, &numerator);
}

static bool implies(const Draft *draft, uint32_t mask, uint32_t other)
{
    const DraftValue *value = &draft->values.at[mask];
    if (mask == other) return true;
    return value->op == OP_AND && (implies(draft, value->args[0], other) || implies(draft, value->args[1], other));
}

bool is_walked_load(const Draft *draft, uint32_t value)
{
    const DraftValue *load = &draft->values.at[value];
    for (uint32_t i = 0; i < load->n_index; i++)
        if (load->index[i].value >= 0) return false;
    return load->kind == KERNEL_LOAD;
}

bool is_masked_load(const Draft *draft, uint32_t value, uint32_t mask)
{
    const DraftValue *load = &draft->values.at[value];
    return load->kind == KERNEL_LOAD && load->n_args && implies(draft, load->args[0], mask);
}

uint32_t emit_select(KernelEmitter *emitter, uint32_t condition, uint32_t yes, uint32_t no)
{
    if (yes == NO_VALUE || no == NO_VALUE) return NO_VALUE;
    if (condition == NO_VALUE) return yes;
    uint32_t args[] = {condition, yes, no};
    return draft_compute(emitter->draft, OP_SELECT, emitter->draft->values.at[yes].dtype, 3, args);
}

/* The element of x where `inside` holds and 0 elsewhere. */
static uint32_t emit_inside(KernelEmitter *emitter, Node x, const Affine *index, uint32_t mask, uint32_t inside)
{
    uint32_t both = emit_both(emitter, mask, inside);
    uint32_t value = emit(emitter, x, shape_of(emitter->scheduler, x), index, both);
    if (value == NO_VALUE || (both != NO_VALUE && is_masked_load(emitter->draft, value, both))) return value;
    DType dtype = emitter->draft->values.at[value].dtype;
    return emit_select(emitter, inside, value, draft_constant(emitter->draft, dtype, 0));
}

static uint32_t emit_pad(KernelEmitter *emitter, Node node, Affine *index, uint32_t mask)
{
    const Scheduler *scheduler = emitter->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    Node x = info->args[0];
    const Type *type = node_type(scheduler->graph, x);
    uint32_t inside = NO_VALUE;
    for (uint32_t i = 0; i < type->rank; i++) {
        if (dim_same(type->dims[i], info->type.dims[i])) continue;
        Dim zero = dim_constant(scheduler->dims, 0);
        affine_scale(scheduler, &index[i], 1, dim_sub(scheduler->dims, zero, info->attr.sizes[i]));
        if (!entry_at_least(scheduler, zero, info->attr.sizes[i]))
            inside = emit_both(emitter, inside, emit_not_negative(emitter, &index[i]));
        Dim end = dim_add(scheduler->dims, info->attr.sizes[i], type->dims[i]);
        if (!entry_at_least(scheduler, end, info->type.dims[i]))
            inside = emit_both(emitter, inside, emit_less_than_size(emitter, &index[i], type->dims[i]));
    }
    return emit_inside(emitter, x, index, mask, inside);
}

static uint32_t emit_window(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask)
{
    const Scheduler *scheduler = emitter->scheduler;
    const Window window = window_of(scheduler->graph, node);
    Node x = node_arg(scheduler->graph, node, 0);
    uint32_t rank = node_type(scheduler->graph, x)->rank, inside = NO_VALUE;
    Affine to[MAX_RANK], place = index[window.axis], tap = index[window.axis + 1];
    Dim zero = dim_constant(scheduler->dims, 0), before = dim_sub(scheduler->dims, zero, window.padding);
    if (!affine_scale(scheduler, &place, window.stride, before) ||
        !affine_scale(scheduler, &tap, window.dilation, zero) || !affine_add(scheduler, &place, &tap))
        return emit_blocked(emitter, node);
    for (uint32_t i = 0; i < rank; i++) to[i] = index[i > window.axis ? i + 1 : i];
    to[window.axis] = place;
    if (!entry_at_least(scheduler, zero, window.padding)) inside = emit_not_negative(emitter, &place);
    Dim end = dim_sub(scheduler->dims, window.size, dim_constant(scheduler->dims, 1));
    if (!entry_at_least(scheduler, end, window_last_index(scheduler->graph, &window)))
        inside = emit_both(emitter, inside, emit_less_than_size(emitter, &place, window.size));
    to[window.axis].inside = inside;
    return emit_inside(emitter, x, to, mask, inside);
}

static uint32_t emit_concat(KernelEmitter *emitter, Node node, Affine *index, uint32_t mask)
{
    const Scheduler *scheduler = emitter->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    uint32_t axis = (uint32_t)info->attr.integer, result = NO_VALUE;
    Affine whole = index[axis];
    Dim end = info->type.dims[axis];
    for (uint32_t i = info->n_args; i-- > 0;) {
        Node part = info->args[i];
        Dim size = node_type(scheduler->graph, part)->dims[axis], start = dim_sub(scheduler->dims, end, size);
        uint32_t above = NO_VALUE, below = NO_VALUE;
        index[axis] = whole;
        affine_scale(scheduler, &index[axis], 1, dim_sub(scheduler->dims, dim_constant(scheduler->dims, 0), start));
        if (i > 0) above = emit_not_negative(emitter, &index[axis]);
        if (i + 1 < info->n_args) below = emit_less_than_size(emitter, &whole, end);
        uint32_t inside = emit_both(emitter, above, below);
        uint32_t value = emit(emitter, part, shape_of(scheduler, part), index, emit_both(emitter, mask, inside));
        if (value == NO_VALUE) return NO_VALUE;
        result = i + 1 == info->n_args ? value : emit_select(emitter, below, value, result);
        end = start;
    }
    return result;
}

bool moved_index(const Scheduler *scheduler, const NodeInfo *info, Shape shape, const Affine *index, Affine *to)
{
    for (uint32_t i = 0; i < info->type.rank; i++) to[i] = index[i];
    switch (info->op) {
    case OP_BROADCAST:
        for (uint32_t i = 0; i < shape.rank; i++) to[i] = index[info->attr.ints[i]];
        return true;
    case OP_TRANSPOSE:
        for (uint32_t i = 0; i < shape.rank; i++) to[info->attr.ints[i]] = index[i];
        return true;
    case OP_SLICE:
        for (uint32_t i = 0; i < shape.rank; i++) {
            if (!affine_scale(scheduler, &to[i], info->attr.ints[i], info->attr.sizes[i])) return false;
            /* Inside of what was cut is less than inside of the whole. */
            if (!dim_same(shape.dims[i], info->type.dims[i])) to[i].inside = NO_VALUE;
        }
        return true;
    default:
        assert(info->op == OP_REVERSE && "operators must be expanded before they are scheduled");
        for (uint32_t i = 0; i < info->attr.n_ints; i++) {
            uint32_t axis = (uint32_t)info->attr.ints[i];
            Dim last = dim_sub(scheduler->dims, shape.dims[axis], dim_constant(scheduler->dims, 1));
            if (!affine_scale(scheduler, &to[axis], -1, last)) return false;
        }
        return true;
    }
}

uint32_t emit_movement(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask)
{
    const Scheduler *scheduler = emitter->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    Shape shape = shape_of(scheduler, info->args[0]);
    Affine to[MAX_RANK];
    switch (info->op) {
    case OP_PAD:
    case OP_CONCAT:
        for (uint32_t i = 0; i < info->type.rank; i++) to[i] = index[i];
        return info->op == OP_PAD ? emit_pad(emitter, node, to, mask) : emit_concat(emitter, node, to, mask);
    case OP_WINDOW:
        return emit_window(emitter, node, index, mask);
    case OP_UNWINDOW: /* a sum, which is computed apart */
        return emit_blocked(emitter, node);
    default:
        if (!moved_index(scheduler, info, shape, index, to)) return emit_blocked(emitter, node);
        return emit(emitter, info->args[0], shape, to, mask);
    }
}

bool emit_ids(KernelEmitter *emitter, Node ids, const Affine *index, uint32_t mask, Dim size, Affine *subscript)
{
    Scheduler *scheduler = emitter->scheduler;
    Type type = *node_type(scheduler->graph, ids);
    uint32_t value = emit(emitter, ids, shape_of(scheduler, ids), index, mask);
    if (value == NO_VALUE) return false;
    if (type.dtype != DTYPE_I32 && type.dtype != DTYPE_I64)
        value = draft_compute(emitter->draft, OP_CAST, DTYPE_I64, 1, &value);
    *subscript = affine_none(scheduler);
    subscript->value = (int32_t)value;
    subscript->checked = dim_is_none(type.range) || !dim_same(type.range, size);
    return true;
}

uint32_t emit_gather(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask)
{
    Scheduler *scheduler = emitter->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    Node x = info->args[0], ids = info->args[1];
    Shape table = shape_of(scheduler, x);
    uint32_t axis = (uint32_t)info->attr.ints[0], batch = (uint32_t)info->attr.ints[1];
    uint32_t inner = node_type(scheduler->graph, ids)->rank - batch;
    Affine at[MAX_RANK], to[MAX_RANK];
    for (uint32_t i = 0; i < batch; i++) at[i] = index[i];
    for (uint32_t i = 0; i < inner; i++) at[batch + i] = index[axis + i];
    for (uint32_t i = 0; i < axis; i++) to[i] = index[i];
    for (uint32_t i = axis + 1; i < table.rank; i++) to[i] = index[i + inner - 1];
    if (!emit_ids(emitter, ids, at, mask, table.dims[axis], &to[axis])) return NO_VALUE;
    return emit(emitter, x, table, to, mask);
}

/* scatter_add with one place for each contribution: y[B…, j, C…] = select(ids[B…] == j, g[B…, C…], 0). */
uint32_t emit_one_hot(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask)
{
    Scheduler *scheduler = emitter->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    uint32_t axis = (uint32_t)info->attr.ints[0];
    Affine at[MAX_RANK], subscript;
    uint32_t rank = info->type.rank;
    DType dtype = info->type.dtype;
    Node ids = info->args[0], g = info->args[1];
    if (!emit_ids(emitter, ids, index, mask, info->type.dims[axis], &subscript)) return NO_VALUE;
    uint32_t args[] = {emit_affine(emitter, &index[axis]), emit_affine(emitter, &subscript)};
    uint32_t hit = draft_compute(emitter->draft, OP_EQ, DTYPE_BOOL, 2, args);
    for (uint32_t i = 0; i + 1 < rank; i++) at[i] = index[i < axis ? i : i + 1];
    uint32_t value = emit(emitter, g, shape_of(scheduler, g), at, mask);
    if (value == NO_VALUE) return NO_VALUE;
    return emit_select(emitter, hit, value, draft_constant(emitter->draft, dtype, 0));
}
