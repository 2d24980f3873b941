/* What flows back through movement, which only takes elements elsewhere. */
#include <assert.h>

#include "autodiff/autodiff_internal.h"
#include "ir/build.h"
#include "ir/window.h"

static Node transpose_transpose(Graph *graph, const NodeInfo *info, Node g)
{
    int32_t inverse[MAX_RANK];
    for (uint32_t i = 0; i < info->type.rank; i++) inverse[info->attr.ints[i]] = (int32_t)i;
    return build_transpose(graph, g, inverse);
}

/* Puts the elements of an axis at start, start + step, … of an axis of `size` zeros: windows of one tap, transposed.
 * The tap needs an axis of its own; where there are as many as a value may have, the others are merged meanwhile. */
static Node spread(Graph *graph, Node g, uint32_t axis, Dim start, Dim size, int32_t step)
{
    DimTable *table = graph_dims(graph);
    Type type = *node_type(graph, g);
    bool flat = type.rank == MAX_RANK;
    Dim one = dim_constant(table, 1), dims[MAX_RANK];
    uint32_t before = flat ? 1 : axis, rank = before;
    for (uint32_t i = 0; i < axis; i++) dims[i] = type.dims[i];
    if (flat) dims[0] = dim_product(table, type.dims, axis);
    dims[rank++] = type.dims[axis];
    dims[rank++] = one;
    for (uint32_t i = axis + 1; i < type.rank && !flat; i++) dims[rank++] = type.dims[i];
    if (flat) dims[rank++] = dim_product(table, type.dims + axis + 1, type.rank - axis - 1);
    Window window = {.axis = before, .stride = step, .dilation = 1, .size = size};
    window.padding = dim_sub(table, dim_constant(table, 0), start);
    type.dims[axis] = size;
    return build_reshape(graph, build_unwindow(graph, build_reshape(graph, g, rank, dims), window), type.rank,
                         type.dims);
}

static Node transpose_slice(Graph *graph, const NodeInfo *info, Node g)
{
    const Type to = *node_type(graph, info->args[0]);
    Dim start[MAX_RANK];
    for (uint32_t i = 0; i < to.rank; i++) {
        start[i] = info->attr.sizes[i];
        if (info->attr.ints[i] == 1) continue;
        g = spread(graph, g, i, start[i], to.dims[i], info->attr.ints[i]);
        start[i] = dim_constant(graph_dims(graph), 0);
    }
    return build_pad(graph, g, start, to.dims);
}

static Node transpose_pad(Graph *graph, const NodeInfo *info, Node g)
{
    const Type to = *node_type(graph, info->args[0]);
    int32_t steps[MAX_RANK];
    for (uint32_t i = 0; i < to.rank; i++) steps[i] = 1;
    return build_slice(graph, g, info->attr.sizes, to.dims, steps);
}

static Node transpose_concat(Graph *graph, const NodeInfo *info, uint32_t operand, Node g)
{
    DimTable *table = graph_dims(graph);
    Type to = *node_type(graph, info->args[operand]);
    Dim start[MAX_RANK];
    int32_t steps[MAX_RANK];
    for (uint32_t i = 0; i < to.rank; i++) start[i] = dim_constant(table, 0), steps[i] = 1;
    uint32_t axis = (uint32_t)info->attr.integer;
    for (uint32_t i = 0; i < operand; i++)
        start[axis] = dim_add(table, start[axis], node_type(graph, info->args[i])->dims[axis]);
    return build_slice(graph, g, start, to.dims, steps);
}

Node transpose_movement(Graph *graph, Node node, uint32_t operand, Node g)
{
    const NodeInfo info = *graph_node(graph, node);
    const Type to = *node_type(graph, info.args[operand]);
    switch (info.op) {
    case OP_RESHAPE:
        return build_reshape(graph, g, to.rank, to.dims);
    case OP_TRANSPOSE:
        return transpose_transpose(graph, &info, g);
    case OP_SLICE:
        return transpose_slice(graph, &info, g);
    case OP_PAD:
        return transpose_pad(graph, &info, g);
    case OP_CONCAT:
        return transpose_concat(graph, &info, operand, g);
    case OP_WINDOW:
        return build_unwindow(graph, g, window_of(graph, node));
    case OP_UNWINDOW:
        return build_window(graph, g, window_of(graph, node));
    default:
        assert(info.op == OP_REVERSE);
        return build_reverse(graph, g, info.attr.ints, info.attr.n_ints);
    }
}
