/* Identities of elementwise operators that hold for every element, bit by bit.
 *
 * Laws, for floating point:  x * 1, x / 1, x - 0, x + -0, x ^ 1 are x;  x * -1 is -x;  x ^ 0 is 1 (for NaN too).
 * x + 0 is x unless x is -0: folded only where x cannot be (an exponential, a sum over an axis, …).  x * 0 is not
 * folded: it is NaN for infinities.  x == x is not folded: it is false for NaN.  Integers know neither, so more folds
 * for them. Signs move freely: x + -y is x - y, -x * -y is x * y, -(x - y) stays (it differs in the sign of zero). */
#include <math.h>

#include "ir/build.h"
#include "ir/integer.h"
#include "passes/passes_internal.h"

typedef struct {
    Graph *graph;
    Node node, x, y, z;
    NodeInfo info;
    bool x_constant, y_constant;
    double a, b; /* their numbers */
    bool floating;
} Fold;

enum { SEARCH_DEPTH = 4 };

static Op op_of(const Fold *f, Node node)
{
    return node_op(f->graph, node);
}

static Node first_of(const Fold *f, Node node)
{
    return node_arg(f->graph, node, 0);
}

static bool y_is(const Fold *f, double number)
{
    return f->y_constant && f->b == number && (number != 0 || !f->floating || signbit(f->b) == signbit(number));
}

/* A sum is -0 only when both sides are, a difference only when the left side is; sums over an axis start from 0. */
static bool never_negative_zero(const Fold *f, Node x, int depth)
{
    const NodeInfo *info = graph_node(f->graph, x);
    if (depth == 0) return false;
    switch (info->op) {
    case OP_CONST:
        return info->attr.number != 0 || !signbit(info->attr.number);
    case OP_EXP:
    case OP_LOG:
    case OP_SIGMOID:
    case OP_SOFTPLUS:
    case OP_COSH:
    case OP_ERFC:
    case OP_ABS:
    case OP_SUM:
    case OP_CONTRACT:
    case OP_SCATTER_ADD:
    case OP_UNWINDOW:
    case OP_LOGSUMEXP:
    case OP_SOFTMAX:
    case OP_LOG_SOFTMAX:
        return true;
    case OP_MUL:
        return node_same(info->args[0], info->args[1]);
    case OP_ADD:
        return never_negative_zero(f, info->args[0], depth - 1) || never_negative_zero(f, info->args[1], depth - 1);
    case OP_SELECT:
        return never_negative_zero(f, info->args[1], depth - 1) && never_negative_zero(f, info->args[2], depth - 1);
    case OP_SUB:
    case OP_GATHER:
        return never_negative_zero(f, info->args[0], depth - 1);
    default:
        return (op_info(info->op)->flags & PURE_SHAPE) && info->n_args == 1 &&
               never_negative_zero(f, info->args[0], depth - 1);
    }
}

static Node fold_add(const Fold *f)
{
    if (y_is(f, -0.0) && f->floating) return f->x;
    if (y_is(f, 0.0) && (!f->floating || never_negative_zero(f, f->x, SEARCH_DEPTH))) return f->x;
    if (op_of(f, f->y) == OP_NEG) return build_binary(f->graph, OP_SUB, f->x, first_of(f, f->y));
    if (op_of(f, f->x) == OP_NEG) return build_binary(f->graph, OP_SUB, f->y, first_of(f, f->x));
    return NODE_NONE;
}

static Node fold_sub(const Fold *f)
{
    if (y_is(f, 0.0)) return f->x;
    if (y_is(f, -0.0) && never_negative_zero(f, f->x, SEARCH_DEPTH)) return f->x;
    if (op_of(f, f->y) == OP_NEG) return build_binary(f->graph, OP_ADD, f->x, first_of(f, f->y));
    if (!f->floating && node_same(f->x, f->y)) return build_constant(f->graph, f->info.type, 0);
    return NODE_NONE;
}

/* The constant with the other sign, of the node's type. */
static Node negated(const Fold *f, Node constant)
{
    int64_t integer;
    if (!node_is_integer(f->graph, constant, &integer)) return build_constant(f->graph, f->info.type, -f->b);
    return build_integer(f->graph, f->info.type, op_evaluate_integer(OP_NEG, integer, 0));
}

static Node fold_mul(const Fold *f)
{
    if (y_is(f, 1)) return f->x;
    if (y_is(f, -1)) return build_unary(f->graph, OP_NEG, f->x);
    if (y_is(f, 0) && !f->floating) return f->y;
    if (op_of(f, f->x) != OP_NEG) return NODE_NONE;
    if (op_of(f, f->y) == OP_NEG) return build_binary(f->graph, OP_MUL, first_of(f, f->x), first_of(f, f->y));
    if (f->y_constant) return build_binary(f->graph, OP_MUL, first_of(f, f->x), negated(f, f->y));
    return NODE_NONE;
}

static Node fold_div(const Fold *f)
{
    if (y_is(f, 1)) return f->x;
    if (y_is(f, -1)) return build_unary(f->graph, OP_NEG, f->x);
    int exponent; /* the reciprocal of a power of two is exact, and a product is cheaper */
    if (f->y_constant && fabs(frexp(f->b, &exponent)) == 0.5 && exponent > -10 && exponent < 10)
        return build_binary(f->graph, OP_MUL, f->x, build_constant(f->graph, f->info.type, 1 / f->b));
    return NODE_NONE;
}

static Node fold_select(const Fold *f)
{
    if (node_same(f->y, f->z)) return f->y;
    if (f->x_constant) return f->a != 0 ? f->y : f->z;
    if (op_of(f, f->x) == OP_NOT) return build_select(f->graph, first_of(f, f->x), f->z, f->y);
    return NODE_NONE;
}

static Node fold_logic(const Fold *f)
{
    bool both = f->info.op == OP_AND;
    if (node_same(f->x, f->y)) return f->x;
    if (f->y_constant) return (f->b != 0) == both ? f->x : f->y;
    return NODE_NONE;
}

/* True if every value of one type is exactly a value of the other. */
static bool holds_all(DType wide, DType narrow)
{
    if (wide == narrow || narrow == DTYPE_BOOL) return true;
    switch (narrow) {
    case DTYPE_U8:
        return wide != DTYPE_BOOL;
    case DTYPE_I32:
        return wide == DTYPE_I64 || wide == DTYPE_F64;
    case DTYPE_F16:
    case DTYPE_BF16:
        return wide == DTYPE_F32 || wide == DTYPE_F64;
    case DTYPE_F32:
        return wide == DTYPE_F64;
    default:
        return false;
    }
}

static Node fold_cast(const Fold *f)
{
    DType from = node_type(f->graph, f->x)->dtype;
    if (from == f->info.type.dtype) return f->x;
    if (op_of(f, f->x) != OP_CAST) return NODE_NONE;
    Node inner = first_of(f, f->x);
    if (!holds_all(from, node_type(f->graph, inner)->dtype)) return NODE_NONE;
    return build_cast(f->graph, inner, f->info.type.dtype);
}

static Node fold_unary(const Fold *f)
{
    Op op = f->info.op, inner = op_of(f, f->x);
    bool twice = op == inner;
    if (twice && (op == OP_NEG || op == OP_NOT)) return first_of(f, f->x);
    if (twice && (op == OP_ABS || op == OP_STOP_GRADIENT || op == OP_FLOOR || op == OP_CEIL || op == OP_ROUND))
        return f->x;
    if (op == OP_ABS && inner == OP_NEG) return build_unary(f->graph, OP_ABS, first_of(f, f->x));
    if (op == OP_STOP_GRADIENT && f->x_constant) return f->x;
    return NODE_NONE;
}

Node fold_identity(Graph *graph, Node node)
{
    Fold f = {.graph = graph, .node = node, .info = *graph_node(graph, node)};
    if (f.info.n_args == 0 || f.info.n_args > 3) return NODE_NONE;
    f.x = f.info.args[0];
    if (f.info.n_args > 1) f.y = f.info.args[1];
    if (f.info.n_args > 2) f.z = f.info.args[2];
    f.x_constant = node_is_constant(graph, f.x, &f.a);
    f.y_constant = f.y.id && node_is_constant(graph, f.y, &f.b);
    f.floating = dtype_is_float(f.info.type.dtype);
    switch (f.info.op) {
    case OP_ADD:
        return fold_add(&f);
    case OP_SUB:
        return fold_sub(&f);
    case OP_MUL:
        return fold_mul(&f);
    case OP_DIV:
        return fold_div(&f);
    case OP_POW:
        if (y_is(&f, 1)) return f.x;
        return f.y_constant && f.b == 0 ? build_constant(graph, f.info.type, 1) : NODE_NONE;
    case OP_MAX:
    case OP_MIN:
        return node_same(f.x, f.y) ? f.x : NODE_NONE;
    case OP_EQ:
    case OP_LE:
        if (!node_same(f.x, f.y) || dtype_is_float(node_type(graph, f.x)->dtype)) return NODE_NONE;
        return build_constant(graph, f.info.type, 1);
    case OP_SELECT:
        return fold_select(&f);
    case OP_AND:
    case OP_OR:
        return fold_logic(&f);
    case OP_CAST:
        return fold_cast(&f);
    default:
        return f.info.n_args == 1 ? fold_unary(&f) : NODE_NONE;
    }
}
