/* Forward products: tangents from the leaves up. Linear operators apply to tangents as to values. */
#include <assert.h>

#include "autodiff/autodiff_internal.h"
#include "ir/build.h"
#include "support/memory.h"

typedef struct {
    Graph *graph;
    const RuleSet *partials;
    Node *tangents; /* by id; NODE_NONE: zero */
    bool ok;
} Forward;

static Node add(Graph *graph, Node a, Node b)
{
    return node_is_none(a) ? b : node_is_none(b) ? a : build_binary(graph, OP_ADD, a, b);
}

static Node or_zero(Graph *graph, Node tangent, Node like)
{
    return node_is_none(tangent) ? build_constant_like(graph, like, 0) : tangent;
}

static Node forward_elementwise(Forward *forward, Node node, const NodeInfo *info)
{
    Graph *graph = forward->graph;
    const Node *t = forward->tangents;
    Node sum = NODE_NONE, partial;
    if (info->op == OP_CAST) return build_cast(graph, t[info->args[0].id], info->type.dtype);
    if (info->op == OP_SELECT)
        return build_select(graph, info->args[0], or_zero(graph, t[info->args[1].id], node),
                            or_zero(graph, t[info->args[2].id], node));
    for (uint32_t i = 0; i < info->n_args; i++) {
        Node tangent = t[info->args[i].id];
        if (node_is_none(tangent)) continue;
        PartialKind kind = rules_partial(forward->partials, graph, node, i, &partial, NULL);
        if (kind == PARTIAL_VALUE) sum = add(graph, sum, reverse_product(graph, tangent, partial));
        if (kind == PARTIAL_MISSING || kind == PARTIAL_NONE) forward->ok = false;
    }
    return sum;
}

static Node forward_reduction(Graph *graph, Node node, const NodeInfo *info, Node t)
{
    Node x = info->args[0], shifted;
    switch (info->op) {
    case OP_PROD:
        t = reverse_product(graph, t, product_of_others(graph, node));
        break;
    case OP_REDUCE_MAX:
    case OP_REDUCE_MIN:
        t = build_select(graph, extreme_mask(graph, node), t, build_constant_like(graph, t, 0));
        break;
    case OP_LOGSUMEXP:
        shifted = build_binary(graph, OP_SUB, x, unreduce_like(graph, node, node));
        t = reverse_product(graph, t, build_unary(graph, OP_EXP, shifted));
        break;
    default:
        assert(info->op == OP_SUM);
    }
    return build_reduce(graph, OP_SUM, t, info->attr.ints, info->attr.n_ints);
}

static Node forward_along(Graph *graph, Node node, const NodeInfo *info, Node t)
{
    uint32_t axis = (uint32_t)info->attr.integer;
    if (info->op == OP_CUMSUM) return build_along(graph, OP_CUMSUM, t, axis);
    Node weights = info->op == OP_SOFTMAX ? node : build_unary(graph, OP_EXP, node);
    Node change = build_binary(graph, OP_SUB, t, sum_along(graph, build_binary(graph, OP_MUL, t, weights), axis));
    return info->op == OP_SOFTMAX ? build_binary(graph, OP_MUL, node, change) : change;
}

/* The operator with the operand's tangent in the operand's place. */
static Node remake_with(Graph *graph, Node node, const NodeInfo *info, uint32_t operand, Node tangent)
{
    Node args[] = {info->args[0], info->n_args > 1 ? info->args[1] : NODE_NONE};
    args[operand] = tangent;
    return graph_remake(graph, node, args);
}

static Node forward_concat(Forward *forward, const NodeInfo *info)
{
    Node *parts = memory_alloc(info->n_args * sizeof *parts);
    for (uint32_t i = 0; i < info->n_args; i++)
        parts[i] = or_zero(forward->graph, forward->tangents[info->args[i].id], info->args[i]);
    Node result = build_concat(forward->graph, parts, info->n_args, (uint32_t)info->attr.integer);
    memory_free(parts);
    return result;
}

static Node forward_node(Forward *forward, Node node)
{
    Graph *graph = forward->graph;
    const NodeInfo info = *graph_node(graph, node);
    const Node *t = forward->tangents;
    bool any = false;
    for (uint32_t i = 0; i < info.n_args; i++) any |= !node_is_none(t[info.args[i].id]);
    if (!any || !dtype_is_float(info.type.dtype)) return NODE_NONE;
    Node first = t[info.args[0].id], second = info.n_args > 1 ? t[info.args[1].id] : NODE_NONE, sum = NODE_NONE;
    switch (op_info(info.op)->class) {
    case OP_CLASS_ELEMENTWISE:
        return forward_elementwise(forward, node, &info);
    case OP_CLASS_MOVEMENT:
        return info.op == OP_CONCAT ? forward_concat(forward, &info) : graph_remake(graph, node, &first);
    case OP_CLASS_REDUCTION:
        return forward_reduction(graph, node, &info, first);
    case OP_CLASS_CUMULATIVE:
        return forward_along(graph, node, &info, first);
    case OP_CLASS_GATHER:
        if (info.op == OP_GATHER) return remake_with(graph, node, &info, 0, first);
        return remake_with(graph, node, &info, 1, second);
    case OP_CLASS_CONTRACTION:
        if (!node_is_none(first)) sum = remake_with(graph, node, &info, 0, first);
        if (!node_is_none(second)) sum = add(graph, sum, remake_with(graph, node, &info, 1, second));
        return sum;
    case OP_CLASS_DIFFERENTIAL:
        return info.op == OP_CUSTOM_GRADIENT ? first : NODE_NONE;
    case OP_CLASS_SOURCE:
        break;
    }
    return NODE_NONE;
}

bool autodiff_forward(Graph *graph, const RuleSet *partials, const Node *ys, uint32_t count, const Node *xs,
                      const Node *dxs, uint32_t n_xs, Node *tangents)
{
    uint32_t n, size = graph_count(graph) + 1;
    Node *order = graph_reachable(graph, ys, count, &n);
    Forward forward = {.graph = graph, .partials = partials, .ok = true};
    forward.tangents = memory_calloc(size, sizeof *forward.tangents);
    Node *seeds = memory_calloc(size, sizeof *seeds);
    for (uint32_t i = 0; i < n_xs; i++) seeds[xs[i].id] = dxs[i];
    for (uint32_t i = 0; i < n; i++) {
        Node seed = seeds[order[i].id];
        forward.tangents[order[i].id] = node_is_none(seed) ? forward_node(&forward, order[i]) : seed;
    }
    for (uint32_t i = 0; i < count; i++) tangents[i] = or_zero(graph, forward.tangents[ys[i].id], ys[i]);
    memory_free(forward.tangents);
    memory_free(seeds);
    memory_free(order);
    return forward.ok;
}
