/* Reductions over named axes, and operations along one axis. */
#include <stdlib.h>

#include "elaborate/data.h"

bool axis_of(Elaborator *el, Value axis, uint32_t rank, Span at, uint32_t *result)
{
    int64_t number;
    if (!number_as_integer(el, axis, "an axis", at, &number)) return false;
    if (number < 0) number += rank;
    if (number >= 0 && number < rank) {
        *result = (uint32_t)number;
        return true;
    }
    Diag *diag =
        complain(el, DIAG_bad_axis, at, "there is no axis %lld", (long long)(number < 0 ? number - rank : number));
    diag_hint(diag, rank ? "the tensor has %u axes, counted from 0, or from -1 at the end" : "the tensor has %u axes",
              rank);
    return false;
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

bool axes_of(Elaborator *el, Value axis, bool given, uint32_t rank, Span at, int32_t *axes, uint32_t *count)
{
    *count = 0;
    if (!given)
        for (uint32_t i = 0; i < rank; i++) axes[(*count)++] = (int32_t)i;
    uint32_t one;
    uint32_t n = !given ? 0 : axis.kind == VALUE_LIST ? axis.count : 1;
    for (uint32_t i = 0; i < n; i++) {
        if (!axis_of(el, axis.kind == VALUE_LIST ? axis.items[i] : axis, rank, at, &one)) return false;
        for (uint32_t k = 0; k < *count; k++)
            if (axes[k] == (int32_t)one) {
                complain(el, DIAG_repeated_axis, at, "axis %u is named twice", one);
                return false;
            }
        axes[(*count)++] = (int32_t)one;
    }
    qsort(axes, *count, sizeof *axes, ascending);
    return true;
}

static Op reduction_op(BuiltinId id)
{
    switch (id) {
    case BUILTIN_ID_prod:
        return OP_PROD;
    case BUILTIN_ID_max:
        return OP_REDUCE_MAX;
    case BUILTIN_ID_min:
        return OP_REDUCE_MIN;
    case BUILTIN_ID_any:
        return OP_ANY;
    case BUILTIN_ID_all:
        return OP_ALL;
    case BUILTIN_ID_argmax:
        return OP_ARGMAX;
    case BUILTIN_ID_argmin:
        return OP_ARGMIN;
    case BUILTIN_ID_logsumexp:
        return OP_LOGSUMEXP;
    default:
        return OP_SUM;
    }
}

static Node mean_node(Elaborator *el, Node x, const int32_t *axes, uint32_t n_axes)
{
    Type type = *node_type(el->graph, x);
    Dim count = dim_constant(el->dims, 1);
    for (uint32_t i = 0; i < n_axes; i++) count = dim_mul(el->dims, count, type.dims[axes[i]]);
    Node sum = build_reduce(el->graph, OP_SUM, x, axes, n_axes);
    int64_t known;
    if (dim_is_constant(el->dims, count, &known))
        return build_binary(el->graph, OP_DIV, sum, build_constant_like(el->graph, sum, (double)known));
    Node size = build_size(el->graph, count, type.dtype);
    return build_binary(el->graph, OP_DIV, sum, build_splat(el->graph, size, node_type(el->graph, sum)));
}

/* mean((x - mean(x))^2) */
static Node variance_node(Elaborator *el, Node x, const int32_t *axes, uint32_t n_axes)
{
    Type type = *node_type(el->graph, x);
    Node mean = build_unreduce(el->graph, mean_node(el, x, axes, n_axes), &type, axes, n_axes);
    Node off = build_binary(el->graph, OP_SUB, x, mean);
    return mean_node(el, build_binary(el->graph, OP_MUL, off, off), axes, n_axes);
}

/* A mean, a variance or the like, of bf16 and f16 in f32 and rounded once. */
static Node real_node(Elaborator *el, BuiltinId id, Node x, const int32_t *axes, uint32_t n_axes)
{
    DType dtype = node_type(el->graph, x)->dtype;
    if (!dtype_is_float(dtype)) dtype = el->real;
    x = build_cast(el->graph, x, dtype_accumulator(dtype));
    Node result = id == BUILTIN_ID_mean       ? mean_node(el, x, axes, n_axes)
                  : id == BUILTIN_ID_variance ? variance_node(el, x, axes, n_axes)
                                              : build_reduce(el->graph, reduction_op(id), x, axes, n_axes);
    return build_cast(el->graph, result, dtype);
}

Node reduce_node(Elaborator *el, BuiltinId id, Node x, const int32_t *axes, uint32_t n_axes)
{
    DType dtype = node_type(el->graph, x)->dtype;
    bool logic = id == BUILTIN_ID_any || id == BUILTIN_ID_all;
    if (id == BUILTIN_ID_mean || id == BUILTIN_ID_variance || id == BUILTIN_ID_logsumexp)
        return real_node(el, id, x, axes, n_axes);
    bool position = id == BUILTIN_ID_argmax || id == BUILTIN_ID_argmin;
    if (!logic && (dtype == DTYPE_BOOL || (dtype == DTYPE_U8 && !position)))
        x = build_cast(el->graph, x, DTYPE_I32); /* a u8 is stored as such and computed with as an i32 */
    return build_reduce(el->graph, reduction_op(id), x, axes, n_axes);
}

/* max(a, b) and min(a, b), elementwise. */
static Value extreme(Elaborator *el, const Builtin *builtin, Value a, Value b, Span at)
{
    const Syntax place = {.span = at};
    bool larger = builtin->id == BUILTIN_ID_max;
    Value both[] = {a, b};
    if (value_is_number(a) && value_is_number(b)) return extreme_of(el, larger, value_list(el, both, 2), &place);
    return elementwise(el, larger ? OP_MAX : OP_MIN, a, b, &place);
}

/* Reduced axes come back with size 1. */
static Node keep_axes(Elaborator *el, Node reduced, Type type, const int32_t *axes, uint32_t n_axes)
{
    for (uint32_t i = 0; i < n_axes; i++) type.dims[axes[i]] = dim_constant(el->dims, 1);
    return build_reshape(el->graph, reduced, type.rank, type.dims);
}

Value reduction_operand(Elaborator *el, const Builtin *builtin, Value x, Span at)
{
    x = value_as_tensor(el, x, DTYPE_COUNT, at);
    if (value_is_error(x)) return x;
    bool logic = builtin->id == BUILTIN_ID_any || builtin->id == BUILTIN_ID_all;
    if (logic && node_type(el->graph, x.node)->dtype != DTYPE_BOOL) {
        complain(el, DIAG_not_a_truth_value, at, "`%s` wants truth values, but this is %s", builtin->name,
                 value_describe(el, x));
        return value_error();
    }
    return x;
}

/* max(1, 2, 3): two values have no axis. */
static Value surplus(Elaborator *el, const Builtin *builtin, Span at)
{
    Diag *diag = complain(el, DIAG_too_many_arguments, at, "`%s` takes two values, or one with `axis` and `keep`",
                          builtin->name);
    diag_hint(diag, "of more values: `%s(a, %s(b, c))`; of numbers known now: `%s([1, 2, 3])`", builtin->name,
              builtin->name, builtin->name);
    return value_error();
}

static bool keep_of(Elaborator *el, const Builtin *builtin, Value keep, bool given, Span at, bool *result)
{
    *result = given && keep.truth;
    if (!given || keep.kind == VALUE_BOOL) return true;
    complain(el, DIAG_not_a_truth_value, at, "the argument `keep` of `%s` is `true` or `false`, not %s", builtin->name,
             value_describe(el, keep));
    return false;
}

Value reduce(Elaborator *el, const Builtin *builtin, const Value *args, const bool *given, Span at)
{
    bool extremes = builtin->id == BUILTIN_ID_max || builtin->id == BUILTIN_ID_min, keep;
    uint32_t axis_slot = extremes ? 2 : 1;
    if (extremes && given[1] && (given[2] || given[3])) return surplus(el, builtin, at);
    if (extremes && given[1]) return extreme(el, builtin, args[0], args[1], at);
    if (!keep_of(el, builtin, args[axis_slot + 1], given[axis_slot + 1], at, &keep)) return value_error();
    Value known;
    bool whole = args[0].kind == VALUE_LIST && !given[axis_slot] && !keep;
    if (whole && reduce_list(el, builtin, args[0], at, &known)) return known;
    Value x = reduction_operand(el, builtin, args[0], at);
    if (value_is_error(x)) return x;
    Type type = *node_type(el->graph, x.node);
    bool arg = builtin->id == BUILTIN_ID_argmax || builtin->id == BUILTIN_ID_argmin;
    int32_t axes[MAX_RANK];
    uint32_t n_axes;
    Value axis = arg && !given[axis_slot] ? value_integer(el, -1) : args[axis_slot];
    if (!axes_of(el, axis, arg || given[axis_slot], type.rank - x.count, at, axes, &n_axes)) return value_error();
    if (arg && n_axes != 1) {
        complain(el, DIAG_bad_axis, at, "`%s` takes one axis, not %u", builtin->name, n_axes);
        return value_error();
    }
    for (uint32_t i = 0; i < n_axes; i++) axes[i] += (int32_t)x.count;
    Node node = x.node;
    if (reduces_rows(el, x.node, axes, n_axes)) {
        Value rows = data_reduce(el, builtin->id, x.node, axes, n_axes, at);
        if (value_is_error(rows)) return rows;
        node = rows.node;
    } else if (n_axes) {
        node = reduce_node(el, builtin->id, x.node, axes, n_axes);
    }
    if (keep) node = keep_axes(el, node, type, axes, n_axes);
    Value result = value_labelled(el, node, x.labels, x.count);
    result.open = x.open && !arg && dtype_class(node_type(el->graph, node)->dtype) == DTYPE_CLASS_INTEGER;
    return result;
}

Value along(Elaborator *el, const Builtin *builtin, const Value *args, const bool *given, Span at)
{
    Value x = value_as_tensor(el, args[0], DTYPE_COUNT, at);
    if (value_is_error(x)) return x;
    Type type = value_type(el, x);
    bool sums = builtin->id == BUILTIN_ID_cumsum;
    uint32_t axis;
    if (!axis_of(el, given[1] ? args[1] : value_integer(el, -1), type.rank, at, &axis)) return value_error();
    Node node = x.node;
    if (!dtype_is_float(type.dtype) && !sums) node = build_cast(el->graph, node, el->real);
    if ((type.dtype == DTYPE_BOOL || type.dtype == DTYPE_U8) && sums) node = build_cast(el->graph, node, DTYPE_I32);
    Op op = sums ? OP_CUMSUM : builtin->id == BUILTIN_ID_softmax ? OP_SOFTMAX : OP_LOG_SOFTMAX;
    return value_labelled(el, build_along(el->graph, op, node, axis + x.count), x.labels, x.count);
}
