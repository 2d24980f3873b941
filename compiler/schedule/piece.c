#include <assert.h>
#include <string.h>

#include "schedule/schedule_internal.h"

/* What making one piece needs. */
typedef struct {
    Scheduler *scheduler;
    KernelEmitter emitter;
    Piece *piece;
    Node node;
} Maker;

static uint32_t add_axis(Maker *maker, Dim extent)
{
    return emit_axis(&maker->emitter, extent);
}

/* The row-major position of a point among those of the axes, which are in the order of the operand's. */
static uint32_t position_among(Maker *maker, AxisMask axes)
{
    Draft *draft = &maker->piece->draft;
    uint32_t position = NO_VALUE;
    for (uint32_t i = 0; i < draft->axes.count; i++) {
        if (!(axes >> i & 1)) continue;
        DraftValue axis = {.kind = KERNEL_AXIS, .dtype = DTYPE_I64, .axis = i, .domain = axis_bit(i)};
        uint32_t args[] = {position, draft_add(draft, axis)};
        if (position != NO_VALUE) {
            DraftValue size = {.kind = KERNEL_SIZE, .dtype = DTYPE_I64, .size = draft->axes.at[i]};
            args[0] = draft_compute(draft, OP_MUL, DTYPE_I64, 2, (uint32_t[]){position, draft_add(draft, size)});
        }
        position = position == NO_VALUE ? args[1] : draft_compute(draft, OP_ADD, DTYPE_I64, 2, args);
    }
    return position;
}

static uint32_t reduce(Maker *maker, Op op, DType dtype, uint32_t arg, AxisMask axes)
{
    Draft *draft = &maker->piece->draft;
    bool positions = op == OP_ARGMAX || op == OP_ARGMIN;
    if (!axes && positions) return draft_constant(draft, dtype, 0);
    if (!axes) return arg;
    arg = draft_widen(draft, arg, axes);
    DraftValue value = {.kind = KERNEL_REDUCE, .op = op, .dtype = dtype, .n_args = 1, .args = {arg}, .reduced = axes};
    value.domain = draft->values.at[arg].domain & ~axes;
    if (positions && axes & (axes - 1)) value.args[value.n_args++] = position_among(maker, axes);
    maker->piece->reduced = axes;
    return draft_add(draft, value);
}

/* The shape of the node's value as it is stored. */
static Shape memory_shape(const Maker *maker)
{
    const Type *type = memory_type(maker->scheduler, maker->node);
    return (Shape){type->rank, type->rank ? ARENA_COPY(maker->scheduler->arena, Dim, type->dims, type->rank) : NULL};
}

/* Axes for the node's own dimensions, in the order of its memory. */
static void own_axes(Maker *maker, Affine *index)
{
    Shape shape = memory_shape(maker);
    uint8_t order[MAX_RANK];
    layout_order(shape.rank, layout_last(maker->scheduler, maker->node), order);
    for (uint32_t i = 0; i < shape.rank; i++) {
        uint32_t d = order[i];
        maker->piece->member.axes[d] = (uint8_t)add_axis(maker, shape.dims[d]);
        index[d] = affine_axis(maker->scheduler, maker->piece->member.axes[d]);
    }
}

static uint32_t make_pointwise(Maker *maker)
{
    Affine index[MAX_RANK];
    own_axes(maker, index);
    return emit_computed(&maker->emitter, maker->node, memory_shape(maker), index, NO_VALUE);
}

/* True if no axis that is kept stands behind one that is reduced. */
static bool reduces_last(const Maker *maker, Node operand, const Affine *index, AxisMask reduced)
{
    uint8_t order[MAX_RANK];
    bool begun = false;
    uint32_t rank = node_type(maker->scheduler->graph, operand)->rank;
    layout_order(rank, layout_last(maker->scheduler, operand), order);
    for (uint32_t i = 0; i < rank; i++) {
        AxisMask axes = affine_axes(&maker->piece->draft, &index[order[i]]);
        if (axes && begun && !(axes & reduced)) return false;
        begun = begun || axes & reduced;
    }
    return true;
}

static uint32_t make_reduction(Maker *maker)
{
    const NodeInfo *info = graph_node(maker->scheduler->graph, maker->node);
    Shape shape = shape_of(maker->scheduler, info->args[0]);
    Affine index[MAX_RANK];
    AxisMask reduced = 0;
    uint32_t kept = 0, next = 0;
    for (uint32_t i = 0; i < shape.rank; i++) {
        uint32_t axis = add_axis(maker, shape.dims[i]);
        index[i] = affine_axis(maker->scheduler, axis);
        if (next < info->attr.n_ints && info->attr.ints[next] == (int32_t)i) {
            next++;
            if (axis != NO_AXIS) reduced |= axis_bit(axis);
        } else {
            maker->piece->member.axes[kept++] = (uint8_t)axis;
        }
    }
    maker->piece->row = reduces_last(maker, info->args[0], index, reduced);
    uint32_t arg = emit(&maker->emitter, info->args[0], shape, index, NO_VALUE);
    return arg == NO_VALUE ? NO_VALUE : reduce(maker, info->op, info->type.dtype, arg, reduced);
}

/* y[…, j, …] = sum over i <= j of x[…, i, …] */
static uint32_t make_scan(Maker *maker)
{
    const NodeInfo *info = graph_node(maker->scheduler->graph, maker->node);
    assert(info->op == OP_CUMSUM && "operators must be expanded before they are scheduled");
    Draft *draft = &maker->piece->draft;
    Affine index[MAX_RANK];
    own_axes(maker, index);
    uint32_t axis = maker->piece->member.axes[info->attr.integer];
    uint32_t x = emit(&maker->emitter, info->args[0], shape_of(maker->scheduler, maker->node), index, NO_VALUE);
    if (x == NO_VALUE || axis == NO_AXIS) return x;
    x = draft_widen(draft, x, axis_bit(axis));
    DraftValue scan = {.kind = KERNEL_SCAN, .op = OP_SUM, .dtype = info->type.dtype, .n_args = 1, .args = {x}};
    scan.reduced = axis_bit(axis);
    scan.domain = draft->values.at[x].domain;
    maker->piece->scans = true;
    return draft_add(draft, scan);
}

/* True when the axes stand together in the load and in the order of `order` (filled when it is empty), so that they
 * merge to one. */
static bool walks_together(const Scheduler *scheduler, const Draft *draft, const DraftValue *load, AxisMask axes,
                           uint32_t *order)
{
    uint32_t count = 0, axis;
    for (uint32_t i = 0; i < load->n_index; i++) {
        AxisMask here = affine_axes(draft, &load->index[i]) & axes;
        if (!here && count) return false;
        if (!here) continue;
        if (!affine_plain(scheduler, &load->index[i], &axis)) return false;
        if (!dim_same(load->shape.dims[i], draft->axes.at[axis])) return false;
        if (order[count] == NO_AXIS) order[count] = axis;
        if (order[count++] != axis) return false;
        axes &= ~here;
        if (!axes) return true;
    }
    return !axes;
}

/* The operand that has to be copied before the sum walks both of them along one axis; none when it does. */
static Node scattered_operand(Maker *maker, const uint32_t *factors, AxisMask summed)
{
    const Scheduler *scheduler = maker->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, maker->node);
    const Draft *draft = &maker->piece->draft;
    uint32_t order[MAX_RANK];
    if (!(summed & (summed - 1))) return NODE_NONE;
    for (uint32_t i = 0; i < MAX_RANK; i++) order[i] = NO_AXIS;
    for (uint32_t side = 0; side < 2; side++) {
        Node operand = info->args[side];
        if (is_memory(scheduler->graph, operand) || facts_of(scheduler, operand)->materialised) continue;
        if (!walks_together(scheduler, draft, &draft->values.at[factors[side]], summed, order)) return operand;
    }
    return NODE_NONE;
}

/* True for a load at places of windows, which no copy walks better. */
static bool reads_windows(const Scheduler *scheduler, const DraftValue *load)
{
    uint32_t axis;
    bool windows = load->n_args > 0;
    for (uint32_t i = 0; i < load->n_index; i++)
        windows = windows || (load->index[i].n_terms > 1 && !affine_plain(scheduler, &load->index[i], &axis));
    return windows;
}

static uint32_t make_contraction(Maker *maker)
{
    Scheduler *scheduler = maker->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, maker->node);
    Draft *draft = &maker->piece->draft;
    Affine index[MAX_RANK];
    own_axes(maker, index);
    maker->emitter.tiled = is_tiled(scheduler, maker->node);
    uint32_t product = emit_contraction(&maker->emitter, maker->node, index, NO_VALUE);
    if (product == NO_VALUE) return NO_VALUE;
    const uint32_t *factors = draft->values.at[product].args;
    bool windows = false;
    for (uint32_t side = 0; side < 2; side++)
        windows = windows || reads_windows(scheduler, &draft->values.at[factors[side]]);
    maker->piece->contraction = maker->emitter.tiled;
    if (maker->piece->contraction && !windows)
        maker->emitter.blocked = scattered_operand(maker, factors, maker->emitter.summed);
    if (!node_is_none(maker->emitter.blocked)) return NO_VALUE;
    return reduce(maker, OP_SUM, info->type.dtype, product, maker->emitter.summed);
}

/* The sums beneath it are part of its own. */
static uint32_t make_unwindow(Maker *maker)
{
    const Scheduler *scheduler = maker->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, maker->node);
    Affine index[MAX_RANK];
    own_axes(maker, index);
    maker->emitter.tiled = true;
    uint32_t value = emit_unwindow(&maker->emitter, maker->node, index, NO_VALUE);
    if (value == NO_VALUE) return NO_VALUE;
    maker->piece->contraction = true;
    return reduce(maker, OP_SUM, info->type.dtype, value, maker->emitter.summed);
}

static uint32_t make_scatter(Maker *maker)
{
    Scheduler *scheduler = maker->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, maker->node);
    Draft *draft = &maker->piece->draft;
    uint32_t axis = (uint32_t)info->attr.ints[0], batch = (uint32_t)info->attr.ints[1];
    Shape shape = shape_of(scheduler, info->args[1]), own = shape_of(scheduler, maker->node);
    uint32_t inner = node_type(scheduler->graph, info->args[0])->rank - batch;
    Affine index[MAX_RANK], at[MAX_RANK], to[MAX_RANK];
    for (uint32_t i = 0; i < shape.rank; i++) index[i] = affine_axis(scheduler, add_axis(maker, shape.dims[i]));
    for (uint32_t i = 0; i < batch; i++) at[i] = index[i];
    for (uint32_t i = 0; i < inner; i++) at[batch + i] = index[axis + i];
    for (uint32_t i = 0; i < axis; i++) to[i] = index[i];
    for (uint32_t i = axis + 1; i < own.rank; i++) to[i] = index[i + inner - 1];
    if (!emit_ids(&maker->emitter, info->args[0], at, NO_VALUE, own.dims[axis], &to[axis])) return NO_VALUE;
    uint32_t value = emit(&maker->emitter, info->args[1], shape, index, NO_VALUE);
    if (value == NO_VALUE) return NO_VALUE;
    DraftValue scatter = {.kind = KERNEL_SCATTER,
                          .dtype = info->type.dtype,
                          .node = maker->node,
                          .n_args = 1,
                          .args = {value},
                          .shape = own,
                          .n_index = own.rank};
    scatter.index = ARENA_COPY(scheduler->arena, Affine, to, own.rank ? own.rank : 1);
    scatter.domain = (AxisMask)(((uint64_t)1 << draft->axes.count) - 1);
    maker->piece->scatter = true;
    return draft_add(draft, scatter);
}

static uint32_t make_value(Maker *maker)
{
    const Scheduler *scheduler = maker->scheduler;
    Op op = node_op(scheduler->graph, maker->node);
    switch (op_info(op)->class) {
    case OP_CLASS_REDUCTION:
        return make_reduction(maker);
    case OP_CLASS_CUMULATIVE:
        return make_scan(maker);
    case OP_CLASS_CONTRACTION:
        return make_contraction(maker);
    case OP_CLASS_MOVEMENT:
        return op == OP_UNWINDOW ? make_unwindow(maker) : make_pointwise(maker);
    case OP_CLASS_GATHER:
        if (op == OP_SCATTER_ADD && !is_one_hot(scheduler->graph, maker->node)) return make_scatter(maker);
        return make_pointwise(maker);
    default:
        return make_pointwise(maker);
    }
}

bool piece_make(Scheduler *scheduler, Node node, Piece *piece, Node *blocked)
{
    *piece = (Piece){.member.node = node};
    memset(piece->member.axes, NO_AXIS, sizeof piece->member.axes);
    Maker maker = {.scheduler = scheduler, .piece = piece, .node = node};
    maker.emitter = (KernelEmitter){.scheduler = scheduler, .draft = &piece->draft};
    piece->member.value = make_value(&maker);
    emitter_free(&maker.emitter);
    if (piece->member.value != NO_VALUE) return true;
    *blocked = maker.emitter.blocked;
    draft_free(&piece->draft);
    return false;
}

void piece_copy(Scheduler *scheduler, Node node, Piece *piece)
{
    *piece = (Piece){.member.node = node};
    memset(piece->member.axes, NO_AXIS, sizeof piece->member.axes);
    Maker maker = {.scheduler = scheduler, .piece = piece, .node = node};
    maker.emitter = (KernelEmitter){.scheduler = scheduler, .draft = &piece->draft};
    Affine index[MAX_RANK];
    own_axes(&maker, index);
    piece->member.value = emit_memory(&maker.emitter, node, shape_of(scheduler, node), index, NO_VALUE);
    emitter_free(&maker.emitter);
}
