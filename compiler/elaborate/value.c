#include <assert.h>
#include <math.h>
#include <string.h>

#include "elaborate/elaborator.h"

Value value_integer(Elaborator *el, int64_t integer)
{
    return value_size(el, dim_constant(el->dims, integer));
}

Value size_refused(Elaborator *el, Span at)
{
    Diag *diag = complain(el, DIAG_size_too_complex, at,
                          "this size is more than 64 bits hold, or a formula of too many terms, divisions or maxima");
    diag_hint(diag, "sizes are computed from few others: is a loop wrong?");
    return value_error();
}

Value value_size(Elaborator *el, Dim size)
{
    if (dim_is_none(size)) return size_refused(el, el->here);
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
    if (value_is_error(value)) return value;
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

const char *number_text(Elaborator *el, double number)
{
    return isnan(number) ? "nan" : arena_format(el->arena, "%.9g", number); /* the sign of a NaN says nothing */
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
        dim_print_quotient(el->dims, value.size, value.divisor, &text);
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

Type value_type(const Elaborator *el, Value tensor)
{
    assert(tensor.kind == VALUE_TENSOR);
    Type type = *node_type(el->graph, tensor.node);
    type.rank -= tensor.count;
    for (uint32_t i = 0; i < type.rank; i++) type.dims[i] = type.dims[i + tensor.count];
    memset(type.dims + type.rank, 0, sizeof *type.dims * (MAX_RANK - type.rank));
    return type;
}
