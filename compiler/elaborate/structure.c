/* Functions that move values: reshape, transpose, pad, concat, stack, split, reverse, broadcast, tile, roll. */
#include "elaborate/elaborator.h"

static bool is_negative(const Elaborator *el, Dim size)
{
    int64_t value;
    return dim_is_constant(el->dims, size, &value) && value < 0;
}

static bool sizes_of(Elaborator *el, Value list, Span at, Dim *dims, uint32_t *count, int *blank)
{
    *blank = -1;
    *count = 0;
    if (list.kind != VALUE_LIST || list.count > MAX_RANK) {
        complain(el, DIAG_not_a_shape, at, "a shape is a list of sizes, but this is %s", value_describe(el, list));
        return false;
    }
    for (uint32_t i = 0; i < list.count; i++) {
        dims[i] = dim_constant(el->dims, 1);
        if (list.items[i].kind == VALUE_TEXT && *blank < 0)
            *blank = (int)i;
        else if (!number_as_size(el, list.items[i], "a size", at, &dims[i]))
            return false;
        if (is_negative(el, dims[i])) {
            Diag *diag =
                complain(el, DIAG_negative_size, at, "a size must be at least 0, not %s", dim_text(el, dims[i]));
            diag_hint(diag, "the size that `reshape` is to find is `_`");
            return false;
        }
        ++*count;
    }
    return true;
}

/* True if two numbers of elements differ for every size of the free dimensions that is not 0. */
static bool never_same(Elaborator *el, const Type *type, Dim have, Dim want)
{
    int64_t a, b, difference;
    Dim free = dim_constant(el->dims, 1), of_have, of_want;
    if (dim_same(have, want)) return false;
    if (dim_is_constant(el->dims, dim_sub(el->dims, have, want), &difference)) return true;
    for (uint32_t i = 0; i < type->rank; i++)
        if (!dim_is_constant(el->dims, type->dims[i], &a)) free = dim_mul(el->dims, free, type->dims[i]);
    return dim_divides(el->dims, have, free, &of_have) && dim_divides(el->dims, want, free, &of_want) &&
           dim_is_constant(el->dims, of_have, &a) && dim_is_constant(el->dims, of_want, &b) && a != b;
}

static Value reshape(Elaborator *el, Value x, Value shape, Span at)
{
    Dim dims[MAX_RANK], quotient;
    uint32_t rank;
    int blank;
    if (!sizes_of(el, shape, at, dims, &rank, &blank)) return value_error();
    Type type = value_type(el, x);
    Dim have = type_elements(el->dims, &type), want = dim_product(el->dims, dims, rank);
    if (blank >= 0) {
        int64_t zero;
        bool empty = dim_is_constant(el->dims, want, &zero) && zero == 0;
        if (!empty && dim_divides(el->dims, have, want, &quotient)) {
            dims[blank] = quotient;
            want = have;
        } else if (!empty && !dim_is_constant(el->dims, have, &zero)) {
            dims[blank] = dim_floor_div(el->dims, have, want);
            want = dim_product(el->dims, dims, rank);
        }
    }
    if (never_same(el, &type, have, want)) {
        Type to = type_make(type.dtype, rank, dims);
        Diag *diag =
            complain(el, DIAG_reshape_mismatch, at, "`%s` cannot be given the shape `%s`: %s elements are not %s",
                     type_text(el, &type), type_text(el, &to), dim_text(el, have), dim_text(el, want));
        note_dim(el, diag, have);
        return value_error();
    }
    if (!require_same(el, have, want, at, "the number of elements")) return value_error();
    return value_tensor(build_reshape(el->graph, x.node, rank, dims));
}

static Value transpose(Elaborator *el, Value x, Value axes, bool given, Span at)
{
    uint32_t rank = node_type(el->graph, x.node)->rank, axis;
    int32_t permutation[MAX_RANK];
    bool seen[MAX_RANK] = {0}, good = !given || (axes.kind == VALUE_LIST && axes.count == rank);
    for (uint32_t i = 0; good && i < rank; i++) {
        axis = rank - 1 - i;
        if (given && !axis_of(el, axes.items[i], rank, at, &axis)) return value_error();
        good = !seen[axis];
        seen[axis] = true;
        permutation[i] = (int32_t)axis;
    }
    if (!good) {
        Diag *diag = complain(el, DIAG_bad_axis, at, "`transpose` wants each of the %u axes once, but this is %s", rank,
                              value_describe(el, axes));
        diag_hint(diag, "`transpose(x, [0, 2, 1])` says for each axis of the result which one of x it is");
        return value_error();
    }
    return value_tensor(build_transpose(el->graph, x.node, permutation));
}

/* pad(x, [[before, after], …]) with a pair for each axis. */
static Value pad(Elaborator *el, Value x, Value widths, Span at)
{
    Type type = value_type(el, x);
    Dim before[MAX_RANK], size[MAX_RANK], after;
    bool good = widths.kind == VALUE_LIST && widths.count == type.rank;
    for (uint32_t i = 0; good && i < type.rank; i++) {
        Value pair = widths.items[i];
        good = pair.kind == VALUE_LIST && pair.count == 2;
        if (!good) break;
        if (!number_as_size(el, pair.items[0], "a width", at, &before[i]) ||
            !number_as_size(el, pair.items[1], "a width", at, &after))
            return value_error();
        if (is_negative(el, before[i]) || is_negative(el, after)) {
            Diag *diag = complain(el, DIAG_negative_size, at, "`pad` by less than nothing");
            diag_hint(diag, "a part of an axis is `x[1:]`");
            return value_error();
        }
        size[i] = dim_add(el->dims, type.dims[i], dim_add(el->dims, before[i], after));
    }
    if (good) return value_tensor(build_pad(el->graph, x.node, before, size));
    Diag *diag = complain(el, DIAG_width_count, at, "`pad` wants a pair of widths for each of the %u axes", type.rank);
    diag_hint(diag, "`pad(x, [[0, 0], [1, 1]])` puts a zero before and after along the last of two axes");
    return value_error();
}

/* Parts that are joined have one element type and the same sizes, except along `axis` where it is not NO_AXIS. */

static bool fit_parts(Elaborator *el, Value *parts, uint32_t count, uint32_t axis, Span at)
{
    DType dtype = node_type(el->graph, parts[0].node)->dtype;
    for (uint32_t i = 1; i < count; i++) {
        DType own = node_type(el->graph, parts[i].node)->dtype;
        if (dtype_class(own) > dtype_class(dtype) || (dtype_class(own) == dtype_class(dtype) && own < dtype))
            dtype = own;
    }
    Type first = value_type(el, parts[0]);
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = convert(el, parts[i], dtype, at);
        if (value_is_error(parts[i])) return false;
        Type own = value_type(el, parts[i]);
        bool good = own.rank == first.rank;
        for (uint32_t k = 0; good && k < own.rank; k++) good = k == axis || dim_same(own.dims[k], first.dims[k]);
        if (good) continue;
        complain(el, DIAG_join_mismatch, at, "`%s` and `%s` cannot be joined", type_text(el, &first),
                 type_text(el, &own));
        return false;
    }
    return true;
}

static Value concat(Elaborator *el, Value *parts, uint32_t count, Value axis_value, bool given, Span at)
{
    uint32_t axis;
    uint32_t rank = node_type(el->graph, parts[0].node)->rank;
    if (!axis_of(el, given ? axis_value : value_integer(el, -1), rank, at, &axis)) return value_error();
    if (!fit_parts(el, parts, count, axis, at)) return value_error();
    Node *nodes = ARENA_ARRAY(el->arena, Node, count);
    for (uint32_t i = 0; i < count; i++) nodes[i] = parts[i].node;
    return value_tensor(count == 1 ? nodes[0] : build_concat(el->graph, nodes, count, axis));
}

static Value stack(Elaborator *el, Value *parts, uint32_t count, Value axis_value, bool given, Span at)
{
    uint32_t axis, rank = node_type(el->graph, parts[0].node)->rank;
    if (!axis_of(el, given ? axis_value : value_integer(el, 0), rank + 1, at, &axis)) return value_error();
    if (rank == MAX_RANK) {
        complain(el, DIAG_too_many_axes, at, "a tensor has at most %d axes", MAX_RANK);
        return value_error();
    }
    if (!fit_parts(el, parts, count, NO_AXIS, at)) return value_error();
    for (uint32_t i = 0; i < count; i++) {
        Type type = value_type(el, parts[i]);
        for (uint32_t k = rank; k > axis; k--) type.dims[k] = type.dims[k - 1];
        type.dims[axis] = dim_constant(el->dims, 1);
        parts[i] = value_tensor(build_reshape(el->graph, parts[i].node, rank + 1, type.dims));
    }
    return concat(el, parts, count, value_integer(el, axis), true, at);
}

/* Equal parts along an axis. */
static Value split(Elaborator *el, Value x, Value parts, Value axis_value, bool given, Span at)
{
    Type type = value_type(el, x);
    uint32_t axis;
    int64_t count;
    Dim start[MAX_RANK], size[MAX_RANK];
    int32_t step[MAX_RANK];
    if (!axis_of(el, given ? axis_value : value_integer(el, -1), type.rank, at, &axis)) return value_error();
    if (!number_as_integer(el, parts, "the number of parts", at, &count)) return value_error();
    Value part =
        count > 0 ? number_binary(el, OPERATOR_DIVIDE, value_size(el, type.dims[axis]), parts, at) : value_error();
    enum { MOST_PARTS = 65536 };
    int64_t whole;
    if (count < 1 || count > MOST_PARTS || (dim_is_constant(el->dims, type.dims[axis], &whole) && whole % count)) {
        complain(el, DIAG_uneven_split, at, "an axis of %s cannot be split into %lld equal parts",
                 dim_text(el, type.dims[axis]), (long long)count);
        return value_error();
    }
    for (uint32_t i = 0; i < type.rank; i++) {
        start[i] = dim_constant(el->dims, 0);
        size[i] = type.dims[i];
        step[i] = 1;
    }
    if (!number_as_size(el, part, "a part", at, &size[axis])) return value_error();
    Value *items = ARENA_ARRAY(el->arena, Value, count);
    for (int64_t i = 0; i < count; i++) {
        start[axis] = dim_mul(el->dims, size[axis], dim_constant(el->dims, i));
        items[i] = value_tensor(build_slice(el->graph, x.node, start, size, step));
    }
    return count == 1 ? items[0] : (Value){.kind = VALUE_TUPLE, .items = items, .count = (uint32_t)count};
}

static Value reverse(Elaborator *el, Value x, Value axis, bool given, Span at)
{
    int32_t axes[MAX_RANK];
    uint32_t count;
    if (!given) axis = value_integer(el, -1);
    if (!axes_of(el, axis, true, node_type(el->graph, x.node)->rank, at, axes, &count)) return value_error();
    return count ? value_tensor(build_reverse(el->graph, x.node, axes, count)) : x;
}

/* Copies side by side along an axis: with what is before and behind as one axis each, a new axis of `count` in front of
 * it. */
static Node copies(Elaborator *el, Node x, uint32_t axis, int64_t count)
{
    Type type = *node_type(el->graph, x);
    Dim before = dim_product(el->dims, type.dims, axis);
    Dim behind = dim_product(el->dims, type.dims + axis, type.rank - axis);
    Type repeated = type_make(type.dtype, 3, (Dim[]){before, dim_constant(el->dims, count), behind});
    Node flat = build_reshape(el->graph, x, 2, (Dim[]){before, behind});
    type.dims[axis] = dim_mul(el->dims, type.dims[axis], dim_constant(el->dims, count));
    return build_reshape(el->graph, build_broadcast(el->graph, flat, &repeated, (int32_t[]){0, 2}), type.rank,
                         type.dims);
}

/* tile(x, [2, 3]): copies side by side along each axis. */
static Value tile(Elaborator *el, Value x, Value times, Span at)
{
    Type type = value_type(el, x);
    if (times.kind != VALUE_LIST || times.count != type.rank) {
        complain(el, DIAG_width_count, at, "`tile` wants a number of copies for each of the %u axes", type.rank);
        return value_error();
    }
    for (uint32_t i = 0; i < type.rank; i++) {
        int64_t count;
        if (!number_as_integer(el, times.items[i], "a number of copies", at, &count)) return value_error();
        if (count < 1) {
            complain(el, DIAG_negative_size, at, "a number of copies must be at least 1");
            return value_error();
        }
        x = value_tensor(copies(el, x.node, i, count));
        if (value_is_error(x)) break; /* it was refused */
    }
    return x;
}

/* roll(x, by): the last `by` elements of the axis come first. */
static Value roll(Elaborator *el, Value x, Value by, Value axis_value, bool given, Span at)
{
    Type type = value_type(el, x);
    uint32_t axis;
    Dim shift, start[MAX_RANK], size[MAX_RANK];
    int32_t step[MAX_RANK];
    if (!axis_of(el, given ? axis_value : value_integer(el, -1), type.rank, at, &axis)) return value_error();
    if (!number_as_size(el, by, "a shift", at, &shift)) return value_error();
    /* Of no elements there is nothing to shift: then n + 1 // (n + 1) is 1. */
    Dim one = dim_constant(el->dims, 1), count = type.dims[axis];
    Dim divisor = dim_add(el->dims, count, dim_floor_div(el->dims, one, dim_add(el->dims, count, one)));
    shift = dim_modulo(el->dims, shift, divisor);
    for (uint32_t i = 0; i < type.rank; i++) {
        start[i] = dim_constant(el->dims, 0);
        size[i] = type.dims[i];
        step[i] = 1;
    }
    Dim rest = dim_sub(el->dims, type.dims[axis], shift);
    start[axis] = rest;
    size[axis] = shift;
    Node parts[2];
    parts[0] = build_slice(el->graph, x.node, start, size, step);
    start[axis] = dim_constant(el->dims, 0);
    size[axis] = rest;
    parts[1] = build_slice(el->graph, x.node, start, size, step);
    return value_tensor(build_concat(el->graph, parts, 2, axis));
}

static Value broadcast(Elaborator *el, Value x, Value shape, Span at)
{
    Dim dims[MAX_RANK];
    uint32_t rank;
    int blank;
    if (!sizes_of(el, shape, at, dims, &rank, &blank)) return value_error();
    return broadcast_to(el, x, rank, dims, at);
}

Value structure(Elaborator *el, const Builtin *builtin, const Value *args, uint32_t n_many, const bool *given, Span at)
{
    Value x = n_many ? args[BUILTIN_FORMALS] : args[0];
    Value *parts = n_many ? ARENA_ARRAY(el->arena, Value, n_many) : NULL;
    for (uint32_t i = 0; i < n_many; i++) {
        parts[i] = value_as_tensor(el, args[BUILTIN_FORMALS + i], DTYPE_COUNT, at);
        if (value_is_error(parts[i])) return value_error();
        if (parts[i].count) return unsupported(el, at, "joining values inside index notation");
    }
    x = value_as_tensor(el, x, DTYPE_COUNT, at);
    if (value_is_error(x)) return x;
    if (x.count && builtin->id != BUILTIN_ID_broadcast) return unsupported(el, at, "moving axes inside index notation");
    switch (builtin->id) {
    case BUILTIN_ID_reshape:
        return reshape(el, x, args[1], at);
    case BUILTIN_ID_transpose:
        return transpose(el, x, args[1], given[1], at);
    case BUILTIN_ID_pad:
        return pad(el, x, args[1], at);
    case BUILTIN_ID_concat:
        return concat(el, parts, n_many, args[1], given[1], at);
    case BUILTIN_ID_stack:
        return stack(el, parts, n_many, args[1], given[1], at);
    case BUILTIN_ID_split:
        return split(el, x, args[1], args[2], given[2], at);
    case BUILTIN_ID_reverse:
        return reverse(el, x, args[1], given[1], at);
    case BUILTIN_ID_tile:
        return tile(el, x, args[1], at);
    case BUILTIN_ID_roll:
        return roll(el, x, args[1], args[2], given[2], at);
    default:
        return broadcast(el, x, args[1], at);
    }
}
