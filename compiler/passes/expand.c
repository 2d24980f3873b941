/* Named operators become what the machine computes. Runs after differentiation: a derivative is taken of the name.
 *
 *     softmax(x)     = exp(x - m) / sum(exp(x - m))       m = max(x) along the axis
 *     log_softmax(x) = (x - m) - log(sum(exp(x - m)))
 *     logsumexp(x)   = m + log(sum(exp(x - m)))           m = max(x) where that is finite, else 0
 *     scatter_add(ids, g)    = g where iota = ids, else 0  when each position has one index
 *     sum(x)                 = f16(sum(f32(x)))            of bf16 and f16, and so every operator that accumulates
 *
 * The one before the last makes the gradient of an indexed loss elementwise: nothing is written twice, so it fuses with
 * what follows. Laws: the value is that of the interpreter, for infinities too: where the maximum is infinite,
 * subtracting it would give inf - inf. No intermediate overflows where the result does not. Equal parts are one node.
 */
#include <math.h>

#include "ir/build.h"
#include "passes/passes_internal.h"

/* exp(x - m) with m lacking the axes. */
static Node shifted(Graph *graph, Node x, Node m, const int32_t *axes, uint32_t n_axes)
{
    Type type = *node_type(graph, x);
    return build_binary(graph, OP_SUB, x, build_unreduce(graph, m, &type, axes, n_axes));
}

static Node expand_softmax(Graph *graph, const NodeInfo *info)
{
    const int32_t axis = (int32_t)info->attr.integer;
    Node x = info->args[0], m = build_reduce(graph, OP_REDUCE_MAX, x, &axis, 1);
    Node difference = shifted(graph, x, m, &axis, 1), exponential = build_unary(graph, OP_EXP, difference);
    Node sum = build_reduce(graph, OP_SUM, exponential, &axis, 1);
    if (info->op == OP_SOFTMAX)
        return build_binary(graph, OP_DIV, exponential, build_unreduce(graph, sum, &info->type, &axis, 1));
    return build_binary(graph, OP_SUB, difference,
                        build_unreduce(graph, build_unary(graph, OP_LOG, sum), &info->type, &axis, 1));
}

static Node expand_logsumexp(Graph *graph, const NodeInfo *info)
{
    const int32_t *axes = info->attr.ints;
    uint32_t n_axes = info->attr.n_ints;
    Node x = info->args[0], m = build_reduce(graph, OP_REDUCE_MAX, x, axes, n_axes);
    Node infinity = build_constant_like(graph, m, INFINITY), zero = build_constant_like(graph, m, 0);
    Node finite = build_binary(graph, OP_LT, build_unary(graph, OP_ABS, m), infinity);
    m = build_select(graph, finite, m, zero);
    Node exponential = build_unary(graph, OP_EXP, shifted(graph, x, m, axes, n_axes));
    Node sum = build_reduce(graph, OP_SUM, exponential, axes, n_axes);
    return build_binary(graph, OP_ADD, m, build_unary(graph, OP_LOG, sum));
}

static Node expand_scatter(Graph *graph, Node node, const NodeInfo *info)
{
    Node ids = info->args[0], g = info->args[1];
    int32_t axis = info->attr.ints[0], axes[MAX_RANK];
    const Type ids_type = *node_type(graph, ids);
    if (ids_type.rank != (uint32_t)info->attr.ints[1]) return node;
    Type shape = type_with(info->type, ids_type.dtype);
    for (int32_t i = 0; i < (int32_t)ids_type.rank; i++) axes[i] = i;
    Node equal =
        build_binary(graph, OP_EQ, build_broadcast(graph, ids, &shape, axes), build_iota(graph, shape, (uint32_t)axis));
    Node values = build_unreduce(graph, g, &info->type, &axis, 1);
    return build_select(graph, equal, values, build_constant(graph, info->type, 0));
}

static Node expand_named(Graph *graph, Node node, const NodeInfo *info)
{
    switch (info->op) {
    case OP_SOFTMAX:
    case OP_LOG_SOFTMAX:
        return expand_softmax(graph, info);
    case OP_LOGSUMEXP:
        return expand_logsumexp(graph, info);
    case OP_SCATTER_ADD:
        return expand_scatter(graph, node, info);
    default:
        return node;
    }
}

/* True if a result has many addends or factors. */
static bool accumulates(Op op)
{
    switch (op) {
    case OP_SUM:
    case OP_PROD:
    case OP_CUMSUM:
    case OP_CONTRACT:
    case OP_SCATTER_ADD:
    case OP_UNWINDOW:
        return true;
    default:
        return false;
    }
}

bool needs_expansion(const Graph *graph, Node node)
{
    Op op = node_op(graph, node);
    DType dtype = node_type(graph, node)->dtype;
    if (op == OP_SOFTMAX || op == OP_LOG_SOFTMAX || op == OP_LOGSUMEXP) return true;
    return accumulates(op) && dtype_accumulator(dtype) != dtype;
}

/* x of the wider type. Of a sum that windows add up it is the sum before it was rounded: both are one. */
static Node widen(Graph *graph, Op op, Node x, DType wide)
{
    const NodeInfo *info = graph_node(graph, x);
    Node sum = info->op == OP_CAST && op == OP_UNWINDOW ? info->args[0] : NODE_NONE;
    Op inner = node_is_none(sum) ? OP_COUNT : node_op(graph, sum);
    bool one = (inner == OP_CONTRACT || inner == OP_UNWINDOW) && node_type(graph, sum)->dtype == wide;
    return one ? sum : build_cast(graph, x, wide);
}

/* The same node over operands of the wider type. */
static Node remake_wide(Graph *graph, const NodeInfo *info, DType wide)
{
    Node args[2];
    for (uint32_t i = 0; i < info->n_args; i++) {
        bool narrow = node_type(graph, info->args[i])->dtype == info->type.dtype;
        args[i] = narrow ? widen(graph, info->op, info->args[i], wide) : info->args[i];
    }
    Type type = type_with(info->type, wide);
    return graph_make(graph, info->op, args, info->n_args, &info->attr, &type);
}

static Node expand_node(void *data, Node old, Node rebuilt)
{
    Graph *graph = ((Module *)data)->graph;
    NodeInfo info = *graph_node(graph, rebuilt);
    DType dtype = info.type.dtype, wide = dtype_accumulator(dtype);
    (void)old;
    if (!needs_expansion(graph, rebuilt) && info.op != OP_SCATTER_ADD) return rebuilt;
    if (wide != dtype) rebuilt = remake_wide(graph, &info, wide);
    info = *graph_node(graph, rebuilt);
    return build_cast(graph, expand_named(graph, rebuilt, &info), dtype);
}

bool pass_expand(Module *module, const PassOptions *options)
{
    (void)options;
    rewrite_module(module, expand_node, module);
    return true;
}
