/* Reverse products of the reductions. */
#include <assert.h>
#include <string.h>

#include "autodiff/autodiff_internal.h"
#include "ir/build.h"

Node unreduce_like(Graph *graph, Node reduction, Node value)
{
    const NodeInfo info = *graph_node(graph, reduction);
    const Type shape = *node_type(graph, info.args[0]);
    return build_unreduce(graph, value, &shape, info.attr.ints, info.attr.n_ints);
}

/* A reduction's operand with the reduced axes moved last and merged to one, and the way back. */
typedef struct {
    Node x;
    uint32_t axis; /* the merged one, the last */
    Dim size;      /* its size */
    Type moved;    /* the operand's shape before merging */
    int32_t inverse[MAX_RANK];
} Merged;

static Merged merge_axes(Graph *graph, const NodeInfo *info)
{
    const Type type = *node_type(graph, info->args[0]);
    Merged merged = {.axis = type.rank - info->attr.n_ints};
    int32_t order[MAX_RANK];
    bool reduced[MAX_RANK] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < info->attr.n_ints; i++) reduced[info->attr.ints[i]] = true;
    for (int last = 0; last < 2; last++)
        for (uint32_t i = 0; i < type.rank; i++)
            if (reduced[i] == (last == 1)) order[n++] = (int32_t)i;
    for (uint32_t i = 0; i < type.rank; i++) merged.inverse[order[i]] = (int32_t)i;

    Node x = build_transpose(graph, info->args[0], order);
    merged.moved = *node_type(graph, x);
    Dim dims[MAX_RANK];
    memcpy(dims, merged.moved.dims, sizeof dims);
    merged.size = dim_product(graph_dims(graph), merged.moved.dims + merged.axis, info->attr.n_ints);
    dims[merged.axis] = merged.size;
    merged.x = build_reshape(graph, x, merged.axis + 1, dims);
    return merged;
}

/* A value of the merged shape in the operand's own. */
static Node unmerge(Graph *graph, const Merged *merged, Node value)
{
    return build_transpose(graph, build_reshape(graph, value, merged->moved.rank, merged->moved.dims), merged->inverse);
}

/* The row-major position of each element among those along the axes. */
static Node position_along(Graph *graph, const Type *shape, const int32_t *axes, uint32_t n_axes)
{
    Node position = build_iota(graph, *shape, (uint32_t)axes[0]);
    for (uint32_t i = 1; i < n_axes; i++) {
        Node size = build_splat(graph, build_size(graph, shape->dims[axes[i]], shape->dtype), shape);
        position = build_binary(graph, OP_MUL, position, size);
        position = build_binary(graph, OP_ADD, position, build_iota(graph, *shape, (uint32_t)axes[i]));
    }
    return position;
}

Node extreme_mask(Graph *graph, Node node)
{
    const NodeInfo info = *graph_node(graph, node);
    Node first = build_reduce(graph, info.op == OP_REDUCE_MAX ? OP_ARGMAX : OP_ARGMIN, info.args[0], info.attr.ints,
                              info.attr.n_ints);
    Type shape = type_with(*node_type(graph, info.args[0]), node_type(graph, first)->dtype);
    Node position = position_along(graph, &shape, info.attr.ints, info.attr.n_ints);
    return build_binary(graph, OP_EQ, position, unreduce_like(graph, node, first));
}

/* For every i the product over all j of (1 where i = j, else x[j]): n^2 factors, and exact to every order. */
static Node others_by_pairs(Graph *graph, const Merged *merged)
{
    const Type line = *node_type(graph, merged->x);
    Dim dims[MAX_RANK];
    int32_t axes[MAX_RANK], last = (int32_t)merged->axis + 1;
    memcpy(dims, line.dims, sizeof dims);
    dims[last] = merged->size;
    for (uint32_t i = 0; i < merged->axis; i++) axes[i] = (int32_t)i;
    axes[merged->axis] = last;
    Type pairs = type_make(line.dtype, line.rank + 1, dims), counts = type_with(pairs, DTYPE_I32);
    Node same = build_binary(graph, OP_EQ, build_iota(graph, counts, merged->axis),
                             build_iota(graph, counts, merged->axis + 1));
    Node x = build_broadcast(graph, merged->x, &pairs, axes);
    Node factors = build_select(graph, same, build_constant_like(graph, x, 1), x);
    return unmerge(graph, merged, build_reduce(graph, OP_PROD, factors, &last, 1));
}

/* The product of what is not 0, divided by x; 0 where another factor is 0. Exact with any number of zeros, to the first
 * order only: the zeros themselves do not vary. */
static Node others_by_division(Graph *graph, Node node, const NodeInfo *info)
{
    Node x = info->args[0], zero = build_constant_like(graph, x, 0), one = build_constant_like(graph, x, 1);
    Node is_zero = build_binary(graph, OP_EQ, x, zero), safe = build_select(graph, is_zero, one, x);
    Node zeros = build_select(graph, is_zero, one, zero);
    zeros = unreduce_like(graph, node, build_reduce(graph, OP_SUM, zeros, info->attr.ints, info->attr.n_ints));
    Node product = build_reduce(graph, OP_PROD, safe, info->attr.ints, info->attr.n_ints);
    Node others = build_select(graph, is_zero, build_binary(graph, OP_SUB, zeros, one), zeros);
    Node value = build_binary(graph, OP_DIV, unreduce_like(graph, node, product), safe);
    return build_select(graph, build_binary(graph, OP_EQ, others, zero), value, zero);
}

Node product_of_others(Graph *graph, Node node)
{
    enum { PAIRS = 64 }; /* factors up to which their square is cheap */
    const NodeInfo info = *graph_node(graph, node);
    Merged merged = merge_axes(graph, &info);
    int64_t size;
    bool few = dim_is_constant(graph_dims(graph), merged.size, &size) && size <= PAIRS;
    if (few && merged.axis + 2 <= MAX_RANK) return others_by_pairs(graph, &merged);
    return others_by_division(graph, node, &info);
}

Node reverse_reduction(Graph *graph, Node node, Node g)
{
    const NodeInfo info = *graph_node(graph, node);
    Node x = info.args[0], full = unreduce_like(graph, node, g), shifted;
    switch (info.op) {
    case OP_SUM:
        return full;
    case OP_PROD:
        return reverse_product(graph, full, product_of_others(graph, node));
    case OP_REDUCE_MAX:
    case OP_REDUCE_MIN:
        return build_select(graph, extreme_mask(graph, node), full, build_constant_like(graph, full, 0));
    case OP_LOGSUMEXP:
        shifted = build_binary(graph, OP_SUB, x, unreduce_like(graph, node, node));
        return reverse_product(graph, full, build_unary(graph, OP_EXP, shifted));
    default:
        assert(!"a reduction of numbers");
        return NODE_NONE;
    }
}
