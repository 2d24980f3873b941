/* Transposes of the structural operators, and the reverse products of those that are not linear. Each function gives
 * what flows to one operand. */
#include <assert.h>
#include <string.h>

#include "autodiff/autodiff_internal.h"
#include "ir/build.h"
#include "support/memory.h"

/* ---- movement */

static Node transpose_broadcast(Graph *graph, const NodeInfo *info, Node g)
{
    uint32_t rank = info->attr.n_ints, n_new = 0;
    bool kept[MAX_RANK] = {0};
    int32_t added[MAX_RANK], position[MAX_RANK] = {0}, permutation[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) kept[info->attr.ints[i]] = true;
    for (uint32_t i = 0, at = 0; i < info->type.rank; i++) {
        if (kept[i])
            position[i] = (int32_t)at++;
        else
            added[n_new++] = (int32_t)i;
    }
    for (uint32_t i = 0; i < rank; i++) permutation[i] = position[info->attr.ints[i]];
    return build_transpose(graph, build_reduce(graph, OP_SUM, g, added, n_new), permutation);
}

/* ---- along an axis */

Node sum_along(Graph *graph, Node x, uint32_t axis)
{
    Type type = *node_type(graph, x);
    int32_t axes[] = {(int32_t)axis};
    return build_unreduce(graph, build_reduce(graph, OP_SUM, x, axes, 1), &type, axes, 1);
}

static Node reverse_along(Graph *graph, Node node, Node g)
{
    const NodeInfo info = *graph_node(graph, node);
    uint32_t axis = (uint32_t)info.attr.integer;
    int32_t axes[] = {(int32_t)axis};
    Node total;
    switch (info.op) {
    case OP_CUMSUM:
        g = build_along(graph, OP_CUMSUM, build_reverse(graph, g, axes, 1), axis);
        return build_reverse(graph, g, axes, 1);
    case OP_SOFTMAX:
        total = sum_along(graph, build_binary(graph, OP_MUL, g, node), axis);
        return build_binary(graph, OP_MUL, node, build_binary(graph, OP_SUB, g, total));
    case OP_LOG_SOFTMAX:
        total = sum_along(graph, g, axis);
        return build_binary(graph, OP_SUB, g, build_binary(graph, OP_MUL, build_unary(graph, OP_EXP, node), total));
    default:
        assert(!"an operator along an axis");
        return NODE_NONE;
    }
}

/* ---- contraction */

static bool contains(const int32_t *labels, uint32_t count, int32_t label)
{
    for (uint32_t i = 0; i < count; i++)
        if (labels[i] == label) return true;
    return false;
}

/* g contracted with the other operand (`factor`) to this one's axes; an axis that was summed alone is repeated. */
static Node transpose_contract(Graph *graph, const NodeInfo *info, uint32_t operand, Node factor, Node g)
{
    const Type to = *node_type(graph, info->args[operand]);
    uint32_t rank[] = {node_type(graph, info->args[0])->rank, node_type(graph, info->args[1])->rank};
    const int32_t *of[] = {info->attr.ints, info->attr.ints + rank[0]}, *result = of[1] + rank[1];
    uint32_t other = 1 - operand, n = 0, n_result = 0;
    int32_t labels[3 * MAX_RANK], axes[MAX_RANK];
    for (uint32_t i = 0; i < info->type.rank; i++) labels[n++] = result[i];
    for (uint32_t i = 0; i < rank[other]; i++) labels[n++] = of[other][i];
    for (uint32_t i = 0; i < rank[operand]; i++) {
        int32_t label = of[operand][i];
        if (!contains(result, info->type.rank, label) && !contains(of[other], rank[other], label)) continue;
        labels[n++] = label;
        axes[n_result++] = (int32_t)i;
    }
    Node product = build_contract(graph, g, factor, labels, n_result);
    return build_broadcast(graph, product, &to, axes);
}

/* ---- a user's own derivative */

/* The cotangent of a formula, what takes its place, and where the formula ends: at the value and its arguments. */
typedef struct {
    Node from, to;
    const Node *stops;
    uint32_t n_stops;
} Substitution;

static bool stops_at(const Substitution *s, Node node)
{
    for (uint32_t i = 0; i < s->n_stops; i++)
        if (node_same(node, s->stops[i])) return true;
    return false;
}

/* `at` with its operands replaced by what `made` has for them; it has nothing for what is older than the cotangent and
 * cannot mention it. */
static Node remake(Graph *graph, const Substitution *s, Node at, const Node *made)
{
    const NodeInfo info = *graph_node(graph, at);
    Node *args = memory_alloc((info.n_args + 1) * sizeof *args);
    for (uint32_t i = 0; i < info.n_args; i++)
        args[i] = info.args[i].id < s->from.id ? info.args[i] : made[info.args[i].id - s->from.id];
    Node result = graph_remake(graph, at, args);
    memory_free(args);
    return result;
}

/* The formula with the cotangent replaced, by ascending ids and without recursion: loops make formulas deep. */
static Node substitute(Graph *graph, const Substitution *s, Node formula)
{
    if (formula.id <= s->from.id) return node_same(formula, s->from) ? s->to : formula;
    uint32_t first = s->from.id, last = formula.id;
    Node *made =
        memory_calloc((size_t)last - first + 1, sizeof *made); /* by id - first; none: not part of the formula */
    made[last - first] = formula;
    for (uint32_t id = last; id > first; id--) {
        Node at = {id};
        if (node_is_none(made[id - first]) || stops_at(s, at)) continue;
        const NodeInfo *info = graph_node(graph, at);
        for (uint32_t i = 0; i < info->n_args; i++)
            if (info->args[i].id > first) made[info->args[i].id - first] = info->args[i];
    }
    made[0] = s->to;
    for (uint32_t id = first + 1; id <= last; id++) {
        Node at = {id};
        if (!node_is_none(made[id - first]) && !stops_at(s, at)) made[id - first] = remake(graph, s, at, made);
    }
    Node result = made[last - first];
    memory_free(made);
    return result;
}

static void reverse_custom(Sweep *sweep, Node node, const NodeInfo *info, Cotangent g)
{
    uint32_t n = (uint32_t)info->attr.integer;
    Substitution s = {.from = info->args[1], .to = g.value, .stops = info->args, .n_stops = 2 + n};
    for (uint32_t i = 0; i < n; i++) {
        Node x = info->args[2 + i];
        if (!sweep->active[x.id]) continue;
        Node value = substitute(sweep->graph, &s, info->args[2 + n + i]);
        sweep_add(sweep, x, (Cotangent){value, gate_through(sweep, node, 2 + i, g.gate, false), false});
    }
}

/* ---- all of them */

static Node reverse_one(Graph *graph, Node node, const NodeInfo *info, uint32_t operand, Cotangent cotangent)
{
    const Type to = *node_type(graph, info->args[operand]);
    Node g = cotangent.value;
    uint32_t axis, batch;
    switch (op_info(info->op)->class) {
    case OP_CLASS_MOVEMENT:
        if (info->op == OP_BROADCAST) return transpose_broadcast(graph, info, g);
        return transpose_movement(graph, node, operand, g);
    case OP_CLASS_GATHER:
        axis = (uint32_t)info->attr.ints[0], batch = (uint32_t)info->attr.ints[1];
        if (info->op == OP_SCATTER_ADD) return build_gather(graph, g, info->args[0], axis, batch);
        return build_scatter_add(graph, info->args[1], g, axis, batch, &to);
    case OP_CLASS_REDUCTION:
        return reverse_reduction(graph, node, g);
    case OP_CLASS_CUMULATIVE:
        return reverse_along(graph, node, g);
    default:
        assert(info->op == OP_CONTRACT);
        return transpose_contract(graph, info, operand, gate_factor(graph, node, 1 - operand, cotangent.gate), g);
    }
}

/* Operators that only move, pick and add leave zeros where zeros were; others multiply them with values. */
static bool keeps_zeros(Op op)
{
    OpClass class = op_info(op)->class;
    return class == OP_CLASS_MOVEMENT || class == OP_CLASS_GATHER || op == OP_SUM || op == OP_CUMSUM ||
           op == OP_REDUCE_MAX || op == OP_REDUCE_MIN;
}

void reverse_structural(Sweep *sweep, Node node, Cotangent g)
{
    const NodeInfo info = *graph_node(sweep->graph, node);
    if (op_info(info.op)->class == OP_CLASS_SOURCE || info.op == OP_STOP_GRADIENT) return;
    assert(info.op != OP_GRADIENT);
    if (info.op == OP_CUSTOM_GRADIENT) {
        reverse_custom(sweep, node, &info, g);
        return;
    }
    bool clean = keeps_zeros(info.op);
    for (uint32_t i = 0; i < info.n_args; i++) {
        if (!sweep->active[info.args[i].id]) continue;
        if ((info.op == OP_GATHER && i == 1) || (info.op == OP_SCATTER_ADD && i == 0)) continue;
        Node value = reverse_one(sweep->graph, node, &info, i, g);
        sweep_add(sweep, info.args[i], (Cotangent){value, gate_through(sweep, node, i, g.gate, clean), clean});
    }
}
