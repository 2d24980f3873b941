#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elaborate/elaborator.h"
#include "ir/eval.h"

Value value_integer(Elaborator *el, int64_t integer)
{
    return value_size(el, dim_constant(el->dims, integer));
}

Value value_size(Elaborator *el, Dim size)
{
    return (Value){.kind = VALUE_SIZE, .size = size, .divisor = dim_constant(el->dims, 1)};
}

Value value_list(Elaborator *el, const Value *items, uint32_t count)
{
    const Value *kept = count ? ARENA_COPY(el->arena, Value, items, count) : NULL;
    return (Value){.kind = VALUE_LIST, .items = kept, .count = count};
}

Value value_labelled(Elaborator *el, Node node, Label *const *labels, uint32_t count)
{
    Value value = value_tensor(node);
    value.count = count;
    if (count) value.labels = ARENA_COPY(el->arena, Label *, labels, count);
    return value;
}

bool value_is_integer(const Elaborator *el, Value value, int64_t *integer)
{
    int64_t divisor;
    return value.kind == VALUE_SIZE && dim_is_constant(el->dims, value.divisor, &divisor) && divisor == 1 &&
           dim_is_constant(el->dims, value.size, integer);
}

bool value_is_constant(const Elaborator *el, Value value, double *number)
{
    int64_t size, divisor;
    if (value.kind == VALUE_REAL) {
        *number = value.number;
        return true;
    }
    if (value.kind != VALUE_SIZE || !dim_is_constant(el->dims, value.size, &size) ||
        !dim_is_constant(el->dims, value.divisor, &divisor))
        return false;
    *number = (double)size / (double)divisor;
    return true;
}

static const char *keep(Elaborator *el, Text *text)
{
    const char *kept = arena_text(el->arena, text_get(text), text->count);
    text_free(text);
    return kept;
}

const char *type_text(Elaborator *el, const Type *type)
{
    Text text = {0};
    type_print(el->dims, type, &text);
    return keep(el, &text);
}

const char *dim_text(Elaborator *el, Dim dim)
{
    Text text = {0};
    dim_print(el->dims, dim, &text);
    return keep(el, &text);
}

const char *syntax_text(Elaborator *el, const Syntax *syntax)
{
    enum { LONGEST = 40 };
    Text text = {0};
    syntax_print(syntax, &text);
    char *line = (char *)keep(el, &text);
    size_t end = strcspn(line, "\n");
    if (end > LONGEST || line[end]) {
        if (end > LONGEST) end = LONGEST;
        while (end && (line[end] & 0xc0) == 0x80) end--;
        return arena_format(el->arena, "%.*s…", (int)end, line);
    }
    return line;
}

const char *value_describe(Elaborator *el, Value value)
{
    Text text = {0};
    Type type;
    switch (value.kind) {
    case VALUE_ERROR:
        return "a mistake";
    case VALUE_TENSOR:
        type = value_type(el, value);
        return arena_format(el->arena, "`%s`", type_text(el, &type));
    case VALUE_SIZE:
        text_string(&text, "the number ");
        dim_print(el->dims, value.size, &text);
        if (!dim_same(value.divisor, dim_constant(el->dims, 1))) {
            text_string(&text, " / ");
            dim_print(el->dims, value.divisor, &text);
        }
        return keep(el, &text);
    case VALUE_REAL:
        text_string(&text, "the number ");
        text_number(&text, value.number);
        return keep(el, &text);
    case VALUE_BOOL:
        return value.truth ? "`true`" : "`false`";
    case VALUE_TEXT:
        return arena_format(el->arena, "the text \"%s\"", value.text);
    case VALUE_LIST:
        return arena_format(el->arena, "a list of %u", value.count);
    case VALUE_TUPLE:
        return arena_format(el->arena, "%u values", value.count);
    case VALUE_FUNCTION:
        return value.callee->name ? arena_format(el->arena, "the function `%s`", value.callee->name) : "a pipeline";
    case VALUE_INDEX:
        return arena_format(el->arena, "the index `%s`", value.label->name);
    case VALUE_AXES:
        return "`...`";
    case VALUE_TABLE:
        return "a table of data";
    }
    return "a value";
}

bool value_same(const Elaborator *el, Value a, Value b, Span at)
{
    double x, y;
    if (!context_spend(el->context, 1, at)) return false;
    if (value_is_constant(el, a, &x) && value_is_constant(el, b, &y)) return x == y;
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case VALUE_SIZE:
        return dim_same(a.size, b.size) && dim_same(a.divisor, b.divisor);
    case VALUE_BOOL:
        return a.truth == b.truth;
    case VALUE_TEXT:
        return !strcmp(a.text, b.text);
    case VALUE_TENSOR:
        return node_same(a.node, b.node);
    case VALUE_LIST:
        if (a.count != b.count) return false;
        for (uint32_t i = 0; i < a.count; i++)
            if (!value_same(el, a.items[i], b.items[i], at)) return false;
        return true;
    default:
        return false;
    }
}

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

/* Stores the numbers of a nested list one after the other. */
static void list_store(const Elaborator *el, Value list, DType dtype, void *to, size_t *at)
{
    if (list.kind == VALUE_LIST) {
        for (uint32_t i = 0; i < list.count; i++) list_store(el, list.items[i], dtype, to, at);
        return;
    }
    double number = list.truth;
    int64_t integer = list.truth;
    value_is_constant(el, list, &number);
    value_is_integer(el, list, &integer);
    switch (dtype) {
    case DTYPE_F64:
        ((double *)to)[*at] = number;
        break;
    case DTYPE_F32:
        ((float *)to)[*at] = (float)number;
        break;
    case DTYPE_I64:
        ((int64_t *)to)[*at] = integer;
        break;
    case DTYPE_I32:
        ((int32_t *)to)[*at] = (int32_t)integer;
        break;
    default:
        ((uint8_t *)to)[*at] = list.truth;
        break;
    }
    ++*at;
}

static Value list_literal(Elaborator *el, Value list, const Type *type, int64_t count)
{
    size_t size = (size_t)count * dtype_size(type->dtype), at = 0;
    void *data = malloc(size + 1);
    list_store(el, list, type->dtype, data, &at);
    Node node = build_literal(el->graph, *type, data, size);
    free(data);
    return value_tensor(node);
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

/* The shape of a list with what it holds; the element type is the caller's choice. */
static bool list_type(Elaborator *el, Value list, Type *type, int64_t *count, ListItems *items, Span at)
{
    int64_t dims[MAX_RANK];
    uint32_t rank = UINT32_MAX;
    Dim sizes[MAX_RANK];
    *items = (ListItems){0};
    *count = 1;
    for (int i = 0; i < MAX_RANK; i++) dims[i] = -1;
    if (!list_shape(el, list, 0, dims, &rank, items, at)) return false;
    if (rank == UINT32_MAX) {
        complain(el, DIAG_empty_list, at, "an empty list is no tensor");
        return false;
    }
    for (uint32_t i = 0; i < rank; i++) {
        sizes[i] = dim_constant(el->dims, dims[i]);
        *count *= dims[i];
    }
    *type = type_make(DTYPE_BOOL, rank, sizes);
    return true;
}

static Value list_as_tensor(Elaborator *el, Value list, DType like, Span at)
{
    Type type;
    ListItems items;
    int64_t count;
    if (!list_type(el, list, &type, &count, &items, at)) return value_error();
    bool real = items.real || (like != DTYPE_COUNT && dtype_is_float(like));
    type.dtype = real ? el->real : items.free ? DTYPE_I64 : items.number ? DTYPE_I32 : DTYPE_BOOL;
    return items.free ? sizes_as_tensor(el, list, &type, count, at) : list_literal(el, list, &type, count);
}

Value value_as_rows(Elaborator *el, Value list, Span at)
{
    Type type;
    ListItems items;
    int64_t count;
    if (!list_type(el, list, &type, &count, &items, at)) return value_error();
    if (items.free) {
        complain(el, DIAG_free_size, at, "rows of data must be known when the program is compiled");
        return value_error();
    }
    type.dtype = items.real ? DTYPE_F64 : items.number ? DTYPE_I64 : DTYPE_BOOL;
    return list_literal(el, list, &type, count);
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
        if (value_is_constant(el, value, &number)) {
            bool whole = number == floor(number);
            DType dtype = known && (whole || dtype_is_float(like)) && like != DTYPE_BOOL ? like
                          : !whole                                                       ? el->real
                          : fabs(number) > 2147483647.0                                  ? DTYPE_I64
                                                                                         : DTYPE_I32;
            return value_tensor(build_constant(el->graph, type_scalar(dtype), number));
        }
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

Type value_type(const Elaborator *el, Value tensor)
{
    assert(tensor.kind == VALUE_TENSOR);
    Type type = *node_type(el->graph, tensor.node);
    type.rank -= tensor.count;
    memmove(type.dims, type.dims + tensor.count, sizeof *type.dims * type.rank);
    memset(type.dims + type.rank, 0, sizeof *type.dims * (MAX_RANK - type.rank));
    return type;
}
