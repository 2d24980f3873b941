#include <assert.h>
#include <math.h>

#include "autodiff/autodiff_internal.h"
#include "ir/build.h"
#include "ir/window.h"

/* A gate is worth its nodes only where some partial behind it can be infinite. NEAR: one is reached without passing an
 * operator that mixes elements beyond repair (a contraction, a gather). FAR: one is reached at all. */
enum { RISK_NEAR = 1, RISK_FAR = 2 };

/* Provably at least 0, by its form. */
static bool nonnegative(const Graph *graph, Node node, int depth)
{
    const NodeInfo *info = graph_node(graph, node);
    double number;
    if (depth == 0) return false;
    switch (info->op) {
    case OP_CONST:
        return info->attr.number >= 0;
    case OP_ABS:
    case OP_EXP:
    case OP_SQRT:
    case OP_SIGMOID:
    case OP_SIZE:
        return true;
    case OP_POW:
        return node_is_constant(graph, info->args[1], &number) && number == 2;
    case OP_MUL:
        if (node_same(info->args[0], info->args[1])) return true;
        return nonnegative(graph, info->args[0], depth - 1) && nonnegative(graph, info->args[1], depth - 1);
    case OP_ADD:
    case OP_DIV:
        return nonnegative(graph, info->args[0], depth - 1) && nonnegative(graph, info->args[1], depth - 1);
    case OP_SUM:
    case OP_BROADCAST:
    case OP_RESHAPE:
    case OP_CAST:
        return nonnegative(graph, info->args[0], depth - 1);
    default:
        return false;
    }
}

/* Provably bounded away from 0: a variance plus epsilon, a number of elements. */
static bool positive(const Graph *graph, Node node)
{
    const NodeInfo *info = graph_node(graph, node);
    double number;
    if (info->op == OP_BROADCAST || info->op == OP_RESHAPE || info->op == OP_CAST || info->op == OP_SQRT)
        return positive(graph, info->args[0]);
    if (info->op == OP_SIZE) return true;
    if (info->op == OP_CONST) return info->attr.number > 0;
    if (info->op != OP_ADD) return false;
    for (int i = 0; i < 2; i++)
        if (node_is_constant(graph, info->args[i], &number) && number > 0 && nonnegative(graph, info->args[1 - i], 8))
            return true;
    return false;
}

/* True if the rest of dividing by `node`, and what it divides, may be infinite or NaN. */
static bool may_be_zero(const Graph *graph, Node node)
{
    double number;
    return !positive(graph, node) && !(node_is_constant(graph, node, &number) && number != 0);
}

/* True if x ^ y, or the partial of it by x, may be infinite or NaN. */
static bool power_is_singular(const Graph *graph, Node x, Node y)
{
    double exponent;
    if (!node_is_constant(graph, y, &exponent) || exponent < 1) return true;
    return exponent != floor(exponent) && !nonnegative(graph, x, 8);
}

/* True if a partial of the node may be infinite or NaN where its operands are finite. */
static bool is_singular(const Graph *graph, const NodeInfo *info)
{
    if (!(op_info(info->op)->flags & SINGULAR)) return false;
    switch (info->op) {
    case OP_SQRT:
    case OP_RSQRT:
    case OP_LOG:
        return !positive(graph, info->args[0]);
    case OP_DIV:
    case OP_MOD:
        return may_be_zero(graph, info->args[1]);
    case OP_POW:
        return power_is_singular(graph, info->args[0], info->args[1]);
    default:
        return true;
    }
}

enum { LOOKS = 8 }; /* how far up `may_be_nonfinite` goes */

/* True if a value may be infinite or NaN where inputs and parameters are finite, products and sums that overflow aside.
 */
static bool may_be_nonfinite(const Graph *graph, Node node, int depth)
{
    const NodeInfo *info = graph_node(graph, node);
    bool own = op_info(info->op)->flags & NONFINITE;
    if (depth == 0) return false;
    switch (info->op) {
    case OP_CONST:
        return !isfinite(info->attr.number);
    case OP_SQRT:
        own = !nonnegative(graph, info->args[0], LOOKS);
        break;
    case OP_FLOOR_DIV:
        own = may_be_zero(graph, info->args[1]);
        break;
    default:
        own = own && (is_singular(graph, info) || !(op_info(info->op)->flags & SINGULAR));
    }
    if (own) return true;
    for (uint32_t i = info->op == OP_SELECT; i < info->n_args; i++)
        if (may_be_nonfinite(graph, info->args[i], depth - 1)) return true;
    return false;
}

void gate_note_risk(Sweep *sweep, Node node)
{
    const NodeInfo *info = graph_node(sweep->graph, node);
    OpClass class = op_info(info->op)->class;
    bool mixes = class == OP_CLASS_CONTRACTION || class == OP_CLASS_GATHER;
    uint8_t risk = is_singular(sweep->graph, info) ? RISK_NEAR | RISK_FAR : 0;
    /* the partials of a contraction are its operands */
    for (uint32_t i = 0; class == OP_CLASS_CONTRACTION && i < info->n_args; i++)
        if (may_be_nonfinite(sweep->graph, info->args[i], LOOKS)) risk = RISK_NEAR | RISK_FAR;
    for (uint32_t i = 0; i < info->n_args; i++) {
        if (!sweep->active[info->args[i].id]) continue;
        uint8_t behind = sweep->risk[info->args[i].id];
        risk |= mixes ? behind & RISK_FAR : behind;
    }
    sweep->risk[node.id] = risk;
}

/* ---- algebra */

/* The scalar that a gate repeats, or NODE_NONE. */
static Node uniform(const Graph *graph, Node gate)
{
    const NodeInfo *info = graph_node(graph, gate);
    if (info->type.rank == 0) return gate;
    bool repeats = info->op == OP_BROADCAST && node_type(graph, info->args[0])->rank == 0;
    return repeats ? info->args[0] : NODE_NONE;
}

Node gate_not(Graph *graph, Node gate)
{
    const NodeInfo info = *graph_node(graph, gate);
    if (info.op == OP_NOT) return info.args[0];
    if (info.op != OP_BROADCAST) return build_unary(graph, OP_NOT, gate);
    return build_broadcast(graph, gate_not(graph, info.args[0]), &info.type, info.attr.ints);
}

static Node combine(Graph *graph, Op op, Node a, Node b)
{
    Type type = *node_type(graph, a);
    Node x = uniform(graph, a), y = uniform(graph, b);
    if (!type.rank || node_is_none(x) || node_is_none(y)) return build_binary(graph, op, a, b);
    return build_splat(graph, build_binary(graph, op, x, y), &type);
}

Node gate_and(Graph *graph, Node a, Node b)
{
    if (node_is_none(a) || node_same(a, b)) return b;
    if (node_is_none(b)) return a;
    return combine(graph, OP_AND, a, b);
}

static bool has_operand(const Graph *graph, Node node, Op op, Node operand)
{
    const NodeInfo *info = graph_node(graph, node);
    return info->op == op && (node_same(info->args[0], operand) || node_same(info->args[1], operand));
}

static bool implies(const Graph *graph, Node a, Node b)
{
    return node_same(a, b) || has_operand(graph, a, OP_AND, b) || has_operand(graph, b, OP_OR, a);
}

Node gate_or(Graph *graph, Node a, Node b)
{
    if (node_is_none(a) || node_is_none(b) || node_same(a, gate_not(graph, b))) return NODE_NONE;
    if (implies(graph, a, b)) return b;
    return implies(graph, b, a) ? a : combine(graph, OP_OR, a, b);
}

/* select(gate, yes, no), the condition without a leading `not`. */
static Node choose(Graph *graph, Node gate, Node yes, Node no)
{
    Node opposite = gate_not(graph, gate);
    bool negated = opposite.id < gate.id && node_op(graph, opposite) != OP_NOT;
    return negated ? build_select(graph, opposite, no, yes) : build_select(graph, gate, yes, no);
}

Node gate_apply(Graph *graph, Node gate, Node value)
{
    if (node_is_none(gate)) return value;
    return choose(graph, gate, value, build_constant_like(graph, value, 0));
}

/* ---- merging what flows to a node */

/* Sums all of one gate, taking them from the list; *clean: whether all of them are. */
static Node take_group(Graph *graph, Cotangent *items, uint32_t count, Node gate, bool *clean)
{
    Node sum = NODE_NONE;
    *clean = true;
    for (uint32_t i = 0; i < count; i++) {
        if (node_is_none(items[i].value) || !node_same(items[i].gate, gate)) continue;
        sum = node_is_none(sum) ? items[i].value : build_binary(graph, OP_ADD, sum, items[i].value);
        *clean &= items[i].clean;
        items[i].value = NODE_NONE;
    }
    return sum;
}

static bool all_same_gate(const Contribution *list)
{
    for (const Contribution *c = list->next; c; c = c->next)
        if (!node_same(c->cotangent.gate, list->cotangent.gate)) return false;
    return true;
}

Cotangent gate_merge(Sweep *sweep, Node node, const Contribution *list)
{
    Graph *graph = sweep->graph;
    uint32_t count = 0;
    for (const Contribution *c = list; c; c = c->next) count++;
    Cotangent *items = ARENA_ARRAY(sweep->arena, Cotangent, count), result = {.gate = list->cotangent.gate};
    for (const Contribution *c = list; c; c = c->next) items[--count] = c->cotangent; /* in the order of arrival */
    for (const Contribution *c = list; c; c = c->next) count++;
    if (all_same_gate(list)) {
        result.value = take_group(graph, items, count, result.gate, &result.clean);
    } else {
        result.clean = true;
        bool wanted = sweep->risk[node.id] & RISK_FAR;
        result.gate = wanted ? result.gate : NODE_NONE;
        for (uint32_t i = 0; i < count; i++) {
            if (wanted) result.gate = gate_or(graph, result.gate, items[i].gate);
            if (node_is_none(items[i].value)) continue;
            Node gate = items[i].gate, opposite = node_is_none(gate) ? NODE_NONE : gate_not(graph, gate);
            bool clean, other_clean;
            Node part = take_group(graph, items, count, gate, &clean), other = NODE_NONE;
            if (!node_is_none(gate)) other = take_group(graph, items, count, opposite, &other_clean);
            if (!node_is_none(other))
                part = choose(graph, gate, part, other);
            else if (!clean)
                part = gate_apply(graph, gate, part);
            result.value = node_is_none(result.value) ? part : build_binary(graph, OP_ADD, result.value, part);
        }
    }
    /* Elementwise operators keep elements apart: the gate may wait. All others need the zeros now. */
    if (op_info(node_op(graph, node))->class == OP_CLASS_ELEMENTWISE || node_is_none(result.gate)) return result;
    if (!result.clean) result.value = gate_apply(graph, result.gate, result.value);
    result.clean = true;
    return result;
}

/* ---- movement of gates */

static Node through_broadcast(Graph *graph, Node user, Node operand, Node gate)
{
    const NodeInfo info = *graph_node(graph, user), gate_info = *graph_node(graph, gate);
    const Type type = *node_type(graph, operand);
    int32_t axes[MAX_RANK], at = 0;
    uint32_t n_axes = 0;
    bool kept[MAX_RANK] = {0};
    for (uint32_t i = 0; i < type.rank; i++) kept[info.attr.ints[i]] = true;
    for (uint32_t i = 0; i < info.type.rank; i++)
        if (!kept[i]) axes[n_axes++] = (int32_t)i;
    if (gate_info.op == OP_BROADCAST && gate_info.attr.n_ints == type.rank) {
        bool same = true;
        for (uint32_t i = 0; i < type.rank; i++) same &= gate_info.attr.ints[i] == info.attr.ints[i];
        if (same) return gate_info.args[0];
    }
    /* An element is taken where any of its copies is. */
    Node any = build_reduce(graph, OP_ANY, gate, axes, n_axes);
    int32_t position[MAX_RANK], permutation[MAX_RANK];
    for (uint32_t i = 0; i < info.type.rank; i++) position[i] = kept[i] ? at++ : -1;
    for (uint32_t i = 0; i < type.rank; i++) permutation[i] = position[info.attr.ints[i]];
    return build_transpose(graph, any, permutation);
}

/* An element that several positions of a window read is taken where any of them is. */
static Node through_window(Graph *graph, Node user, Node gate)
{
    Node count = build_unwindow(graph, build_cast(graph, gate, DTYPE_F32), window_of(graph, user));
    return build_binary(graph, OP_LT, build_constant_like(graph, count, 0), count);
}

/* A softmax mixes a whole line: it is taken where any of its elements is. Element j of a cumulative sum's operand is
 * taken where any element k >= j of the sum is. */
static Node through_along(Graph *graph, const NodeInfo *info, Node gate)
{
    int32_t axis = (int32_t)info->attr.integer;
    Type type = *node_type(graph, gate);
    if (info->op != OP_CUMSUM)
        return build_unreduce(graph, build_reduce(graph, OP_ANY, gate, &axis, 1), &type, &axis, 1);
    Node count = build_reverse(graph, build_cast(graph, gate, DTYPE_F32), &axis, 1);
    count = build_reverse(graph, build_along(graph, OP_CUMSUM, count, (uint32_t)axis), &axis, 1);
    return build_binary(graph, OP_LT, build_constant_like(graph, count, 0), count);
}

/* Where an element of a contraction's operand is in a sum that is taken: any of those along the result's other axes. */
static Node of_operand(Graph *graph, const NodeInfo *info, uint32_t operand, Node gate)
{
    const Type type = *node_type(graph, info->args[operand]);
    uint32_t first = node_type(graph, info->args[0])->rank, second = node_type(graph, info->args[1])->rank, n = 0;
    const int32_t *labels = info->attr.ints + (operand ? first : 0), *result = info->attr.ints + first + second;
    int32_t others[MAX_RANK], permutation[MAX_RANK], axes[MAX_RANK], position = 0;
    int32_t from[MAX_RANK]; /* for each axis of the operand the one of `any`, or -1 */
    uint32_t n_others = 0;
    for (uint32_t k = 0; k < type.rank; k++) from[k] = -1;
    for (uint32_t i = 0; i < info->type.rank; i++) {
        uint32_t k = 0;
        while (k < type.rank && labels[k] != result[i]) k++;
        if (k < type.rank)
            from[k] = position++;
        else
            others[n_others++] = (int32_t)i;
    }
    Node any = build_reduce(graph, OP_ANY, gate, others, n_others);
    for (uint32_t k = 0; k < type.rank; k++) {
        if (from[k] < 0) continue;
        permutation[n] = from[k];
        axes[n++] = (int32_t)k;
    }
    Type truth = type_with(type, DTYPE_BOOL);
    return build_broadcast(graph, build_transpose(graph, any, permutation), &truth, axes);
}

Node gate_through(const Sweep *sweep, Node user, uint32_t operand, Node gate, bool clean)
{
    Graph *graph = sweep->graph;
    const NodeInfo info = *graph_node(graph, user);
    if (node_is_none(gate) || !sweep->active[info.args[operand].id]) return NODE_NONE;
    const Type type = *node_type(graph, info.args[operand]);
    uint8_t risk = sweep->risk[info.args[operand].id];
    Node scalar = uniform(graph, gate);
    if (!node_is_none(scalar)) return risk & RISK_FAR || !clean ? build_splat(graph, scalar, &type) : NODE_NONE;
    if (!(risk & RISK_NEAR) && clean) return NODE_NONE;
    switch (op_info(info.op)->class) {
    case OP_CLASS_MOVEMENT:
        if (info.op == OP_BROADCAST) return through_broadcast(graph, user, info.args[operand], gate);
        if (info.op == OP_WINDOW) return through_window(graph, user, gate);
        return transpose_movement(graph, user, operand, gate);
    case OP_CLASS_REDUCTION:
        return build_unreduce(graph, gate, &type, info.attr.ints, info.attr.n_ints);
    case OP_CLASS_CUMULATIVE:
        return through_along(graph, &info, gate);
    case OP_CLASS_CONTRACTION:
        return risk & RISK_NEAR ? of_operand(graph, &info, operand, gate) : NODE_NONE;
    default:
        return NODE_NONE;
    }
}

Node gate_factor(Graph *graph, Node contraction, uint32_t operand, Node gate)
{
    const NodeInfo info = *graph_node(graph, contraction);
    Node factor = info.args[operand];
    if (node_is_none(gate) || !node_is_none(uniform(graph, gate)) || !may_be_nonfinite(graph, factor, LOOKS))
        return factor;
    return gate_apply(graph, of_operand(graph, &info, operand, gate), factor);
}
