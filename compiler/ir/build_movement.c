/* Movement: a constant moves to a constant, two movements of one kind merge, and none at all is the operand. */
#include <stdlib.h>
#include <string.h>

#include "ir/build.h"

/* The constant x in another shape; NODE_NONE when x is no constant. */
static Node move_constant(Graph *graph, Node x, const Type *shape)
{
    if (!node_is_constant(graph, x, NULL)) return NODE_NONE;
    Type type = *shape;
    type.range = node_type(graph, x)->range;
    return build_spread_constant(graph, x, &type);
}

/* The shape with the operand's element type and range. */
static Type moved_type(const Graph *graph, Node x, const Type *shape)
{
    Type type = type_make(node_type(graph, x)->dtype, shape->rank, shape->dims);
    type.range = node_type(graph, x)->range;
    return type;
}

static bool is_identity(const int32_t *axes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (axes[i] != (int32_t)i) return false;
    return true;
}

Node build_broadcast(Graph *graph, Node x, const Type *shape, const int32_t *axes)
{
    Type type = moved_type(graph, x, shape);
    Node constant = move_constant(graph, x, &type);
    if (!node_is_none(constant)) return constant;
    const NodeInfo node = *graph_node(graph, x);
    uint32_t rank = node.type.rank;
    if (rank == type.rank && is_identity(axes, rank)) return x;
    if (node.op == OP_BROADCAST) {
        int32_t merged[MAX_RANK];
        uint32_t n = node.attr.n_ints;
        for (uint32_t i = 0; i < n; i++) merged[i] = axes[node.attr.ints[i]];
        return build_broadcast(graph, node.args[0], &type, merged);
    }
    return graph_make(graph, OP_BROADCAST, &x, 1, &(Attr){.ints = axes, .n_ints = rank}, &type);
}

Node build_splat(Graph *graph, Node scalar, const Type *shape)
{
    return build_broadcast(graph, scalar, shape, NULL);
}

Node build_reshape(Graph *graph, Node x, uint32_t rank, const Dim *dims)
{
    Type shape = type_make(node_type(graph, x)->dtype, rank, dims), type = moved_type(graph, x, &shape);
    Node constant = move_constant(graph, x, &type);
    if (!node_is_none(constant)) return constant;
    if (type_same_shape(&type, node_type(graph, x))) return x;
    if (node_op(graph, x) == OP_RESHAPE) return build_reshape(graph, node_arg(graph, x, 0), rank, dims);
    return graph_make(graph, OP_RESHAPE, &x, 1, NULL, &type);
}

Node build_transpose(Graph *graph, Node x, const int32_t *permutation)
{
    const NodeInfo node = *graph_node(graph, x);
    uint32_t rank = node.type.rank;
    if (is_identity(permutation, rank)) return x;
    if (node.op == OP_CONST) {
        Type type = node.type;
        for (uint32_t i = 0; i < rank; i++) type.dims[i] = node.type.dims[permutation[i]];
        return build_spread_constant(graph, x, &type);
    }
    if (node.op == OP_TRANSPOSE) {
        int32_t merged[MAX_RANK];
        for (uint32_t i = 0; i < rank; i++) merged[i] = node.attr.ints[permutation[i]];
        return build_transpose(graph, node.args[0], merged);
    }
    return graph_make(graph, OP_TRANSPOSE, &x, 1, &(Attr){.ints = permutation, .n_ints = rank}, NULL);
}

Node build_slice(Graph *graph, Node x, const Dim *start, const Dim *size, const int32_t *step)
{
    const Type from = *node_type(graph, x);
    Type shape = type_make(from.dtype, from.rank, size), type = moved_type(graph, x, &shape);
    Node constant = move_constant(graph, x, &type);
    if (!node_is_none(constant)) return constant;
    int64_t first;
    bool whole = type_same_shape(&type, &from);
    for (uint32_t i = 0; i < from.rank; i++)
        whole = whole && dim_is_constant(graph_dims(graph), start[i], &first) && first == 0 && step[i] == 1;
    if (whole) return x;
    Attr attr = {.sizes = start, .n_sizes = from.rank, .ints = step, .n_ints = from.rank};
    return graph_make(graph, OP_SLICE, &x, 1, &attr, &type);
}

Node build_pad(Graph *graph, Node x, const Dim *before, const Dim *size)
{
    Type from = *node_type(graph, x);
    Type type = type_make(from.dtype, from.rank, size);
    type.range = from.range; /* 0 is in every range */
    if (type_same_shape(&type, &from)) return x;
    return graph_make(graph, OP_PAD, &x, 1, &(Attr){.sizes = before, .n_sizes = from.rank}, &type);
}

Node build_concat(Graph *graph, const Node *parts, uint32_t count, uint32_t axis)
{
    if (count == 1) return parts[0];
    return graph_make(graph, OP_CONCAT, parts, count, &(Attr){.integer = axis}, NULL);
}

Node build_reverse(Graph *graph, Node x, const int32_t *axes, uint32_t n_axes)
{
    if (!n_axes || node_is_constant(graph, x, NULL)) return x;
    return graph_make(graph, OP_REVERSE, &x, 1, &(Attr){.ints = axes, .n_ints = n_axes}, NULL);
}
