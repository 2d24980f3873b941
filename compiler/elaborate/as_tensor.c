/* Compile-time values as tensors: numbers, lists, sizes, indices. */
#include <math.h>

#include "elaborate/elaborator.h"
#include "ir/eval.h"
#include "ir/integer.h"
#include "support/memory.h"

/* What the items of a list are; its element type follows from it. */
typedef struct {
    bool number, real, free; /* not a truth value; a number that is not an integer; a free size */
} ListItems;

static void meet_item(const Elaborator *el, Value item, ListItems *items)
{
    double number;
    if (item.kind == VALUE_BOOL) return;
    items->number = true;
    bool free = item.kind == VALUE_SIZE && !value_is_constant(el, item, &number);
    int64_t integer;
    items->free |= free;
    items->real |= free ? !dim_same(item.divisor, dim_constant(el->dims, 1)) : !value_is_integer(el, item, &integer);
}

/* The shape of a nested list, which must be rectangular. */
static bool list_shape(Elaborator *el, Value list, uint32_t axis, int64_t *dims, uint32_t *rank, ListItems *items,
                       Span at)
{
    if (!spend(el, 1, at)) return false;
    if (list.kind != VALUE_LIST) {
        if (list.kind != VALUE_BOOL && !value_is_number(list)) {
            complain(el, DIAG_not_constant, at, "a list of numbers cannot hold %s", value_describe(el, list));
            return false;
        }
        meet_item(el, list, items);
        if (*rank == UINT32_MAX) *rank = axis;
        if (*rank == axis) return true;
        complain(el, DIAG_ragged_list, at, "the lists in this list have different depths");
        return false;
    }
    if (axis == MAX_RANK) {
        complain(el, DIAG_too_many_axes, at, "a tensor has at most %d axes", MAX_RANK);
        return false;
    }
    if (*rank <= axis && *rank != UINT32_MAX) {
        complain(el, DIAG_ragged_list, at, "the lists in this list have different depths");
        return false;
    }
    if (dims[axis] < 0) dims[axis] = list.count;
    if (dims[axis] != list.count) {
        complain(el, DIAG_ragged_list, at, "the lists in this list have different lengths: %lld and %u",
                 (long long)dims[axis], list.count);
        return false;
    }
    for (uint32_t i = 0; i < list.count; i++)
        if (!list_shape(el, list.items[i], axis + 1, dims, rank, items, at)) return false;
    return true;
}

bool value_must_fit(Elaborator *el, Value value, DType dtype, Span at)
{
    int64_t integer;
    double number;
    if (dtype_class(dtype) != DTYPE_CLASS_INTEGER) return true;
    if (value.kind == VALUE_LIST) {
        for (uint32_t i = 0; i < value.count; i++)
            if (!value_must_fit(el, value.items[i], dtype, at)) return false;
        return true;
    }
    bool whole = value_is_integer(el, value, &integer);
    if (whole ? integer_fits(dtype, integer) : !value_is_constant(el, value, &number)) return true;
    bool fits = !whole && number == floor(number) && fabs(number) < 0x1p63 && integer_fits(dtype, (int64_t)number);
    if (fits) return true;
    Diag *diag = complain(el, DIAG_number_out_of_range, at, "%s is not a value of `%s`, which holds %lld to %lld",
                          value_describe(el, value), dtype_name(dtype), (long long)integer_least(dtype),
                          (long long)integer_most(dtype));
    const char *wide = whole && !integer_fits(DTYPE_I32, integer) ? "i64" : "i32";
    if (whole) diag_hint(diag, "`%s` holds it: convert what it meets by `%s(…)`, or declare that so", wide, wide);
    return false;
}

/* The nearest double for whatever type follows: an integer that no double holds is rounded to the type at once. */
static double integer_number(DType dtype, int64_t integer)
{
    bool exact = integer >= -(INT64_C(1) << 53) && integer <= INT64_C(1) << 53;
    return exact || !dtype_is_float(dtype) ? (double)integer : integer_to_float(dtype, integer);
}

/* A constant as an integer of the type: integers wrap around, what is real is cut and saturates. */
static int64_t constant_integer(const Elaborator *el, Value value, DType dtype)
{
    int64_t integer;
    double number = value.truth;
    if (value_is_integer(el, value, &integer)) return integer_wrap(dtype, integer);
    value_is_constant(el, value, &number);
    return integer_saturate(dtype, number);
}

static double constant_number(const Elaborator *el, Value value, DType dtype)
{
    int64_t integer;
    double number = value.truth;
    if (value_is_integer(el, value, &integer)) return integer_number(dtype, integer);
    value_is_constant(el, value, &number);
    return number;
}

static void store(const Elaborator *el, Value value, DType dtype, void *to)
{
    int64_t integer;
    double number;
    if (dtype_class(dtype) == DTYPE_CLASS_INTEGER) {
        integer = constant_integer(el, value, dtype);
        integer_store(dtype, to, &integer, 1);
        return;
    }
    number = constant_number(el, value, dtype);
    dtype_store(dtype, to, &number, 1);
}

static char *list_store(const Elaborator *el, Value list, DType dtype, char *to)
{
    if (list.kind != VALUE_LIST) {
        store(el, list, dtype, to);
        return to + dtype_size(dtype);
    }
    for (uint32_t i = 0; i < list.count; i++) to = list_store(el, list.items[i], dtype, to);
    return to;
}

/* A list's shape and what its items are; false after a diagnostic. */
static bool list_type(Elaborator *el, Value list, Type *type, ListItems *items, Span at)
{
    int64_t dims[MAX_RANK];
    uint32_t rank = UINT32_MAX;
    *items = (ListItems){0};
    for (int i = 0; i < MAX_RANK; i++) dims[i] = -1;
    if (!list_shape(el, list, 0, dims, &rank, items, at)) return false;
    if (rank == UINT32_MAX) {
        complain(el, DIAG_empty_list, at, "an empty list is no tensor");
        return false;
    }
    Dim sizes[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) sizes[i] = dim_constant(el->dims, dims[i]);
    *type = type_make(DTYPE_I32, rank, sizes);
    return true;
}

static void list_items(Value list, Value *items, uint32_t *count)
{
    if (list.kind != VALUE_LIST) items[(*count)++] = list;
    for (uint32_t i = 0; list.kind == VALUE_LIST && i < list.count; i++) list_items(list.items[i], items, count);
}

/* Free sizes are known in a call: each is a scalar, and they are joined. */
static Value sizes_as_tensor(Elaborator *el, Value list, const Type *type, int64_t count, Span at)
{
    Value *items = ARENA_ARRAY(el->arena, Value, count);
    Node *parts = ARENA_ARRAY(el->arena, Node, count);
    Dim one = dim_constant(el->dims, 1);
    uint32_t n = 0;
    list_items(list, items, &n);
    for (uint32_t i = 0; i < n; i++) {
        Value scalar = convert(el, items[i], type->dtype, at);
        if (value_is_error(scalar)) return scalar;
        parts[i] = build_reshape(el->graph, scalar.node, 1, &one);
    }
    Node flat = n == 1 ? parts[0] : build_concat(el->graph, parts, n, 0);
    return value_tensor(build_reshape(el->graph, flat, type->rank, type->dims));
}

static Value list_literal(Elaborator *el, Value list, Type type, const ListItems *items, Span at)
{
    int64_t count = 1, size;
    for (uint32_t i = 0; i < type.rank; i++) count *= dim_is_constant(el->dims, type.dims[i], &size) ? size : 0;
    if (items->free) return sizes_as_tensor(el, list, &type, count, at);
    char *data = memory_alloc((size_t)count * dtype_size(type.dtype) + 1);
    list_store(el, list, type.dtype, data);
    Node node = build_literal(el->graph, type, data, (size_t)count * dtype_size(type.dtype));
    memory_free(data);
    return value_tensor(node);
}

static bool list_needs_i64(const Elaborator *el, Value list)
{
    int64_t integer;
    bool needs = value_is_integer(el, list, &integer) && !integer_fits(DTYPE_I32, integer);
    for (uint32_t i = 0; list.kind == VALUE_LIST && i < list.count && !needs; i++)
        needs = list_needs_i64(el, list.items[i]);
    return needs;
}

static Value list_as_tensor(Elaborator *el, Value list, DType like, Span at)
{
    Type type;
    ListItems items;
    bool known = like != DTYPE_COUNT && like != DTYPE_BOOL;
    if (!list_type(el, list, &type, &items, at)) return value_error();
    if (known && dtype_is_float(like))
        type.dtype = like;
    else if (items.real)
        type.dtype = el->real;
    else if (!items.number)
        type.dtype = DTYPE_BOOL;
    else if (items.free)
        type.dtype = DTYPE_I64;
    else
        type.dtype = known ? like : list_needs_i64(el, list) ? DTYPE_I64 : DTYPE_I32;
    return value_must_fit(el, list, type.dtype, at) ? list_literal(el, list, type, &items, at) : value_error();
}

static Value integer_as_tensor(Elaborator *el, Value value, int64_t integer, DType like, Span at)
{
    DType dtype = like != DTYPE_COUNT && like != DTYPE_BOOL ? like
                  : integer_fits(DTYPE_I32, integer)        ? DTYPE_I32
                                                            : DTYPE_I64;
    if (!value_must_fit(el, value, dtype, at)) return value_error();
    if (dtype_is_float(dtype))
        return value_tensor(build_constant(el->graph, type_scalar(dtype), integer_number(dtype, integer)));
    return value_tensor(build_integer(el->graph, type_scalar(dtype), integer));
}

Value value_converted(Elaborator *el, Value value, DType dtype, Span at)
{
    Type type;
    ListItems items;
    if (value.kind == VALUE_LIST) {
        if (!list_type(el, value, &type, &items, at)) return value_error();
        return list_literal(el, value, type_with(type, dtype), &items, at);
    }
    type = type_scalar(dtype);
    if (dtype_class(dtype) == DTYPE_CLASS_INTEGER)
        return value_tensor(build_integer(el->graph, type, constant_integer(el, value, dtype)));
    double number = constant_number(el, value, dtype);
    return value_tensor(build_constant(el->graph, type, dtype == DTYPE_BOOL ? number != 0 : number));
}

Value value_as_rows(Elaborator *el, Value list, Span at)
{
    Type type;
    ListItems items;
    if (!list_type(el, list, &type, &items, at)) return value_error();
    if (items.free) {
        complain(el, DIAG_free_size, at, "rows of data must be known when the program is compiled");
        return value_error();
    }
    type.dtype = items.real ? DTYPE_F64 : items.number ? DTYPE_I64 : DTYPE_BOOL;
    return list_literal(el, list, type, &items, at);
}

static Value index_as_tensor(Elaborator *el, Label *label, Span at)
{
    if (dim_is_none(label->extent)) {
        Diag *diag = complain(el, DIAG_index_without_extent, at, "how far does the index `%s` run?", label->name);
        diag_hint(diag, "state it: `%s in 10`", label->name);
        return value_error();
    }
    Type type = type_make(DTYPE_I32, 1, &label->extent);
    type.range = label->extent;
    return value_labelled(el, build_iota(el->graph, type, 0), &label, 1);
}

Value value_as_tensor(Elaborator *el, Value value, DType like, Span at)
{
    double number;
    int64_t integer;
    bool known = like != DTYPE_COUNT;
    switch (value.kind) {
    case VALUE_ERROR:
    case VALUE_TENSOR:
        return value;
    case VALUE_BOOL:
        return value_tensor(build_constant(el->graph, type_scalar(known ? like : DTYPE_BOOL), value.truth));
    case VALUE_REAL:
        return value_tensor(
            build_constant(el->graph, type_scalar(known && dtype_is_float(like) ? like : el->real), value.number));
    case VALUE_SIZE:
        if (value_is_integer(el, value, &integer)) return integer_as_tensor(el, value, integer, like, at);
        if (value_is_constant(el, value, &number))
            return value_tensor(
                build_constant(el->graph, type_scalar(known && dtype_is_float(like) ? like : el->real), number));
        if (dim_same(value.divisor, dim_constant(el->dims, 1)))
            return value_tensor(build_size(el->graph, value.size, known && like != DTYPE_BOOL ? like : DTYPE_I64));
        DType real = known && dtype_is_float(like) ? like : el->real;
        return value_tensor(build_binary(el->graph, OP_DIV, build_size(el->graph, value.size, real),
                                         build_size(el->graph, value.divisor, real)));
    case VALUE_LIST:
        return list_as_tensor(el, value, like, at);
    case VALUE_INDEX:
        return index_as_tensor(el, value.label, at);
    default:
        complain(el, DIAG_not_a_number, at, "a tensor or number should stand here, but this is %s",
                 value_describe(el, value));
        return value_error();
    }
}
