/* Folding: constants are computed, operations that change nothing are removed. Every fold keeps the value of each
 * element exactly, the sign of zero and NaN included; see fold_identity.c for the laws. */
#include <math.h>

#include "ir/build.h"
#include "ir/eval.h"
#include "passes/passes_internal.h"

/* The least magnitude at which doubles stop holding every integer. */
#define EXACT 9007199254740992.0

static const struct {
    DType dtype;
    double least, most;
} integer_limits[] = {{DTYPE_I64, -EXACT, EXACT}, {DTYPE_I32, -2147483648.0, 2147483647.0}, {DTYPE_U8, 0, 255}};

/* Whether an integer type holds the value exactly; what does not fit is left for the machine to wrap. */
static bool integer_fits(DType dtype, double value)
{
    for (unsigned i = 0; i < sizeof integer_limits / sizeof *integer_limits; i++)
        if (integer_limits[i].dtype == dtype)
            return value == floor(value) && value >= integer_limits[i].least && value <= integer_limits[i].most;
    return false;
}

/* A number as an element of the type; false when the type cannot hold it. */
static bool as_element(DType dtype, double value, double *element)
{
    *element = isnan(value) ? NAN : dtype_round(dtype, value);
    return dtype_class(dtype) != DTYPE_CLASS_INTEGER || integer_fits(dtype, value);
}

static Node fold_elementwise(Graph *graph, const NodeInfo *node)
{
    double args[3] = {0}, value;
    for (uint32_t i = 0; i < node->n_args; i++) {
        if (!node_is_constant(graph, node->args[i], &args[i])) return NODE_NONE;
        if (!as_element(node_type(graph, node->args[i])->dtype, args[i], &args[i])) return NODE_NONE;
    }
    value = op_evaluate(node->op, args[0], args[1], args[2]);
    if (node->op == OP_CAST && dtype_class(node->type.dtype) == DTYPE_CLASS_INTEGER) value = trunc(value);
    return as_element(node->type.dtype, value, &value) ? build_constant(graph, node->type, value) : NODE_NONE;
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
    int64_t count;
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
        return build_constant(graph, node->type, number);
    case OP_SUM:
        sum = number * (double)count;
        if (fabs(number) > EXACT || !as_element(node->type.dtype, number, &number)) return NODE_NONE;
        if (number != floor(number) || !as_element(node->type.dtype, sum, &sum)) return NODE_NONE;
        return sum == number * (double)count && fabs(sum) < EXACT ? build_constant(graph, node->type, sum) : NODE_NONE;
    default:
        return NODE_NONE;
    }
}

/* Equal elements gathered, joined or framed with the same are equal elements. */
static Node fold_moved(Graph *graph, const NodeInfo *info)
{
    double number, other;
    if (!node_is_constant(graph, info->args[0], &number)) return NODE_NONE;
    if (info->op == OP_PAD && (number != 0 || signbit(number))) return NODE_NONE;
    for (uint32_t i = 1; i < info->n_args && info->op == OP_CONCAT; i++)
        if (!node_is_constant(graph, info->args[i], &other) || other != number || signbit(other) != signbit(number))
            return NODE_NONE;
    return build_constant(graph, info->type, number);
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
