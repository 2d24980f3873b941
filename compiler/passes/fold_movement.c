/* Movement: constants stay constants, movements of one kind merge, and arithmetic is done before values are repeated.
 * No element's value changes. */
#include <string.h>

#include "ir/build.h"
#include "ir/window.h"
#include "passes/passes_internal.h"

/* The builder merges when it is asked again, now that operands were rewritten. */
static Node build_again(Graph *graph, Node node, const NodeInfo *info)
{
    Node x = info->args[0];
    const Attr *attr = &info->attr;
    switch (info->op) {
    case OP_BROADCAST:
        return build_broadcast(graph, x, &info->type, attr->ints);
    case OP_RESHAPE:
        return build_reshape(graph, x, info->type.rank, info->type.dims);
    case OP_TRANSPOSE:
        return build_transpose(graph, x, attr->ints);
    case OP_SLICE:
        return build_slice(graph, x, attr->sizes, info->type.dims, attr->ints);
    case OP_PAD:
        return build_pad(graph, x, attr->sizes, info->type.dims);
    case OP_REVERSE:
        return build_reverse(graph, x, attr->ints, attr->n_ints);
    case OP_WINDOW:
        return build_window(graph, x, window_of(graph, node));
    case OP_UNWINDOW:
        return build_unwindow(graph, x, window_of(graph, node));
    default:
        return node;
    }
}

/* The operand before it was repeated, when it can be taken along the axes of `like`: a broadcast of the same axes, or a
 * constant. */
static Node before_broadcast(Graph *graph, Node x, const NodeInfo *like)
{
    const NodeInfo info = *graph_node(graph, x);
    if (info.op == OP_CONST) {
        Type type = *node_type(graph, like->args[0]);
        type = type_with(type, info.type.dtype);
        return build_spread_constant(graph, x, &type);
    }
    if (info.op != OP_BROADCAST || info.attr.n_ints != like->attr.n_ints) return NODE_NONE;
    for (uint32_t i = 0; i < info.attr.n_ints; i++)
        if (info.attr.ints[i] != like->attr.ints[i]) return NODE_NONE;
    return info.args[0];
}

/* f(broadcast(x), broadcast(y)) = broadcast(f(x, y)) when both repeat along the same axes. */
static Node hoist_broadcast(Graph *graph, const NodeInfo *info)
{
    Node args[3];
    NodeInfo like = {0};
    for (uint32_t i = 0; i < info->n_args && !like.n_args; i++)
        if (node_op(graph, info->args[i]) == OP_BROADCAST) like = *graph_node(graph, info->args[i]);
    if (!like.n_args || info->n_args > 3) return NODE_NONE;
    for (uint32_t i = 0; i < info->n_args; i++) {
        args[i] = before_broadcast(graph, info->args[i], &like);
        if (node_is_none(args[i])) return NODE_NONE;
    }
    Type inner = type_make(info->type.dtype, node_type(graph, args[0])->rank, node_type(graph, args[0])->dims);
    inner.range = info->type.range;
    Node value = graph_make(graph, info->op, args, info->n_args, &info->attr, &inner);
    return build_broadcast(graph, value, &info->type, like.attr.ints);
}

/* contract(transpose(a), b): the labels move instead of the values. */
static Node contract_transposed(Graph *graph, const NodeInfo *info)
{
    int32_t labels[3 * MAX_RANK];
    Node args[2] = {info->args[0], info->args[1]};
    uint32_t offset = 0, n = info->attr.n_ints;
    bool changed = false;
    if (n) memcpy(labels, info->attr.ints, n * sizeof *labels);
    for (uint32_t i = 0; i < 2; i++) {
        const NodeInfo x = *graph_node(graph, args[i]);
        if (x.op == OP_TRANSPOSE) {
            for (uint32_t k = 0; k < x.type.rank; k++)
                labels[offset + (uint32_t)x.attr.ints[k]] = info->attr.ints[offset + k];
            args[i] = x.args[0];
            changed = true;
        }
        offset += x.type.rank;
    }
    return changed ? build_contract(graph, args[0], args[1], labels, n - offset) : NODE_NONE;
}

/* transpose(contract(a, b)): the result's labels move. */
static Node transpose_contract(Graph *graph, const NodeInfo *info)
{
    int32_t labels[3 * MAX_RANK];
    const NodeInfo x = *graph_node(graph, info->args[0]);
    if (x.op != OP_CONTRACT) return NODE_NONE;
    uint32_t n = x.attr.n_ints, rank = info->type.rank;
    memcpy(labels, x.attr.ints, n * sizeof *labels);
    for (uint32_t i = 0; i < rank; i++) labels[n - rank + i] = x.attr.ints[n - rank + (uint32_t)info->attr.ints[i]];
    return build_contract(graph, x.args[0], x.args[1], labels, rank);
}

/* sum over a of scatter_add(ids, g) along a, each position having one index: what was put in comes out. */
static Node sum_scattered(Graph *graph, const NodeInfo *info)
{
    const NodeInfo x = *graph_node(graph, info->args[0]);
    if (x.op != OP_SCATTER_ADD || node_type(graph, x.args[0])->rank != (uint32_t)x.attr.ints[1]) return NODE_NONE;
    int32_t axes[MAX_RANK];
    uint32_t n_axes = 0;
    for (uint32_t i = 0; i < info->attr.n_ints; i++) {
        int32_t axis = info->attr.ints[i];
        if (axis != x.attr.ints[0]) axes[n_axes++] = axis - (axis > x.attr.ints[0]);
    }
    if (n_axes == info->attr.n_ints) return NODE_NONE;
    return build_reduce(graph, OP_SUM, x.args[1], axes, n_axes);
}

Node fold_movement(Graph *graph, Node node)
{
    const NodeInfo info = *graph_node(graph, node);
    if (info.op == OP_SUM) return sum_scattered(graph, &info);
    if (info.op == OP_CONTRACT) return contract_transposed(graph, &info);
    if (op_info(info.op)->class == OP_CLASS_ELEMENTWISE) return hoist_broadcast(graph, &info);
    if (op_info(info.op)->class != OP_CLASS_MOVEMENT) return NODE_NONE;
    if (info.op == OP_TRANSPOSE) {
        Node contracted = transpose_contract(graph, &info);
        if (!node_is_none(contracted)) return contracted;
    }
    Node again = build_again(graph, node, &info);
    return node_same(again, node) ? NODE_NONE : again;
}
