/* Folding: constants are computed, operations that change nothing are removed. Every fold keeps the value of each
 * element exactly, the sign of zero and NaN included; see fold_identity.c for the laws. */
#include <math.h>

#include "ir/build.h"
#include "ir/eval.h"
#include "ir/integer.h"
#include "passes/passes_internal.h"

/* The least magnitude at which doubles stop holding every integer. */
#define EXACT 9007199254740992.0

/* A number of a float or bool as an element of its type. */
static double as_element(DType dtype, double value)
{
    return isnan(value) ? NAN : dtype_round(dtype, value);
}

static Node fold_cast(Graph *graph, const NodeInfo *node)
{
    const NodeInfo from = *graph_node(graph, node->args[0]);
    DType to = node->type.dtype;
    bool integer = dtype_class(from.type.dtype) == DTYPE_CLASS_INTEGER;
    double number = integer ? 0 : as_element(from.type.dtype, from.attr.number);
    if (dtype_class(to) == DTYPE_CLASS_INTEGER)
        return build_integer(graph, node->type, integer ? from.attr.integer : integer_saturate(to, number));
    if (to == DTYPE_BOOL) return build_constant(graph, node->type, integer ? from.attr.integer != 0 : number != 0);
    return build_constant(graph, node->type,
                          integer ? integer_to_float(to, from.attr.integer) : as_element(to, number));
}

static Node fold_elementwise(Graph *graph, const NodeInfo *node)
{
    double numbers[3] = {0};
    int64_t integers[3] = {0};
    for (uint32_t i = 0; i < node->n_args; i++) {
        if (!node_is_constant(graph, node->args[i], &numbers[i])) return NODE_NONE;
        if (node_is_integer(graph, node->args[i], &integers[i])) continue;
        numbers[i] = as_element(node_type(graph, node->args[i])->dtype, numbers[i]);
    }
    if (node->op == OP_CAST) return fold_cast(graph, node);
    if (node->op == OP_SELECT) return build_spread_constant(graph, node->args[numbers[0] != 0 ? 1 : 2], &node->type);
    if (dtype_class(node_type(graph, node->args[0])->dtype) == DTYPE_CLASS_INTEGER) {
        int64_t result = op_evaluate_integer(node->op, integers[0], integers[1]);
        return node->type.dtype == DTYPE_BOOL ? build_constant(graph, node->type, (double)result)
                                              : build_integer(graph, node->type, result);
    }
    double value = op_evaluate(node->op, numbers[0], numbers[1], numbers[2]);
    return build_constant(graph, node->type, as_element(node->type.dtype, value));
}

/* A sum of ones over sizes that are not known yet is their product. */
static Node count_ones(Graph *graph, const NodeInfo *info, double number, Dim count)
{
    if (info->op != OP_SUM || number != 1 || !dtype_is_float(info->type.dtype) || dim_is_none(count)) return NODE_NONE;
    return build_splat(graph, build_size(graph, count, info->type.dtype), &info->type);
}

/* The largest, smallest, any and all of equal elements is the element; a sum only where it is exact. */
static Node fold_reduction(Graph *graph, const NodeInfo *node)
{
    double number, sum;
    int64_t count, integer;
    DimTable *dims = graph_dims(graph);
    if (!node_is_constant(graph, node->args[0], &number)) return NODE_NONE;
    const Type *x = node_type(graph, node->args[0]);
    Dim reduced = dim_constant(dims, 1);
    for (uint32_t i = 0; i < node->attr.n_ints; i++) reduced = dim_mul(dims, reduced, x->dims[node->attr.ints[i]]);
    if (!dim_is_constant(dims, reduced, &count)) return count_ones(graph, node, number, reduced);
    if (count < 1) return NODE_NONE;
    switch (node->op) {
    case OP_REDUCE_MAX:
    case OP_REDUCE_MIN:
    case OP_ANY:
    case OP_ALL:
        return build_spread_constant(graph, node->args[0], &node->type);
    case OP_SUM:
        if (node_is_integer(graph, node->args[0], &integer))
            return build_integer(graph, node->type, op_evaluate_integer(OP_MUL, integer, count));
        if (fabs(number) > EXACT) return NODE_NONE;
        number = as_element(node->type.dtype, number);
        if (number != floor(number)) return NODE_NONE;
        sum = as_element(node->type.dtype, number * (double)count);
        return sum == number * (double)count && fabs(sum) < EXACT ? build_constant(graph, node->type, sum) : NODE_NONE;
    default:
        return NODE_NONE;
    }
}

static bool same_constants(const Graph *graph, Node a, Node b)
{
    const NodeInfo *x = graph_node(graph, a), *y = graph_node(graph, b);
    double p = x->attr.number, q = y->attr.number;
    return y->op == OP_CONST && p == q && signbit(p) == signbit(q) && x->attr.integer == y->attr.integer;
}

/* Equal elements gathered, joined or framed with the same are equal elements. */
static Node fold_moved(Graph *graph, const NodeInfo *info)
{
    double number;
    if (!node_is_constant(graph, info->args[0], &number)) return NODE_NONE;
    if (info->op == OP_WINDOW || info->op == OP_UNWINDOW) return NODE_NONE; /* the builder's */
    if (info->op == OP_PAD && (number != 0 || signbit(number))) return NODE_NONE;
    for (uint32_t i = 1; i < info->n_args && info->op == OP_CONCAT; i++)
        if (!same_constants(graph, info->args[0], info->args[i])) return NODE_NONE;
    return build_spread_constant(graph, info->args[0], &info->type);
}

Node fold_constant(Graph *graph, Node node)
{
    const NodeInfo info = *graph_node(graph, node);
    switch (op_info(info.op)->class) {
    case OP_CLASS_ELEMENTWISE:
        return fold_elementwise(graph, &info);
    case OP_CLASS_REDUCTION:
        return fold_reduction(graph, &info);
    case OP_CLASS_MOVEMENT:
        return fold_moved(graph, &info);
    case OP_CLASS_GATHER:
        return info.op == OP_GATHER ? fold_moved(graph, &info) : NODE_NONE;
    default:
        return NODE_NONE;
    }
}

Node fold_node(Graph *graph, Node node)
{
    Node folded = fold_constant(graph, node);
    if (node_is_none(folded)) folded = fold_identity(graph, node);
    if (node_is_none(folded)) folded = fold_movement(graph, node);
    return node_is_none(folded) ? node : folded;
}

static Node fold_to_end(void *data, Node old, Node rebuilt)
{
    Graph *graph = ((Module *)data)->graph;
    (void)old;
    for (Node next; !node_same(next = fold_node(graph, rebuilt), rebuilt);) rebuilt = next;
    return rebuilt;
}

bool pass_fold(Module *module, const PassOptions *options)
{
    (void)options;
    while (rewrite_module(module, fold_to_end, module)) continue;
    return true;
}
