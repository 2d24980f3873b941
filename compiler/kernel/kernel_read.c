/* Reads what kernel_print writes. A line a declaration; a token is read with the punctuation that must follow it. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/integer.h"
#include "kernel/kernel.h"
#include "support/vector.h"

typedef struct {
    Context *context;
    const char *at;
    const char *error;
    Kernel *kernel;
    uint32_t zero; /* the size that is known to be 0, made when a subscript needs it; UINT32_MAX: none yet */
    Vec(KernelSize) sizes;
    Vec(KernelAxis) axes;
    Vec(KernelBuffer) buffers;
    Vec(KernelValue) values;
} Reader;

static bool fail(Reader *reader, const char *what)
{
    if (!reader->error)
        reader->error = arena_format(reader->context->arena, "expected %s at `%.20s`", what, reader->at);
    return false;
}

static void skip_spaces(Reader *reader)
{
    while (isspace((unsigned char)*reader->at)) reader->at++;
}

/* Reads the text when it is next. */
static bool accept(Reader *reader, const char *text)
{
    skip_spaces(reader);
    size_t length = strlen(text);
    if (strncmp(reader->at, text, length) != 0) return false;
    char last = text[length - 1], next = reader->at[length];
    if (isalpha((unsigned char)last) && (isalnum((unsigned char)next) || next == '_')) return false;
    reader->at += length;
    return true;
}

static bool expect(Reader *reader, const char *text)
{
    return !reader->error && (accept(reader, text) || fail(reader, text));
}

/* A letter and a number: `a3`. One that is too large becomes the largest: there is no such thing, as the verifier says.
 */
static bool accept_numbered(Reader *reader, char letter, uint32_t *number)
{
    skip_spaces(reader);
    if (reader->at[0] != letter || !isdigit((unsigned char)reader->at[1])) return false;
    char *end;
    unsigned long value = strtoul(reader->at + 1, &end, 10);
    *number = value < INT32_MAX ? (uint32_t)value : INT32_MAX;
    reader->at = end;
    return true;
}

static bool expect_numbered(Reader *reader, char letter, uint32_t *number)
{
    char what[] = {letter, '0', 0};
    return !reader->error && (accept_numbered(reader, letter, number) || fail(reader, what));
}

static bool read_dtype(Reader *reader, DType *dtype)
{
    skip_spaces(reader);
    size_t length = 0;
    while (isalnum((unsigned char)reader->at[length])) length++;
    if (!dtype_parse(reader->at, length, dtype)) return fail(reader, "an element type");
    reader->at += length;
    return true;
}

static bool read_axes(Reader *reader, AxisMask *mask)
{
    *mask = 0;
    if (!expect(reader, "{")) return false;
    for (uint32_t axis; accept_numbered(reader, 'a', &axis);) {
        if (axis >= KERNEL_MAX_AXES) return fail(reader, "an axis");
        *mask |= (AxisMask)1 << axis;
    }
    return expect(reader, "}");
}

static bool read_dims(Reader *reader, uint32_t *dims, uint32_t *rank)
{
    *rank = 0;
    if (!expect(reader, "[")) return false;
    while (!accept(reader, "]")) {
        if (*rank && !expect(reader, ",")) return false;
        if (*rank == MAX_RANK) return fail(reader, "fewer dimensions");
        if (!expect_numbered(reader, 's', &dims[(*rank)++])) return false;
    }
    return true;
}

static uint32_t zero_size(Reader *reader)
{
    if (reader->zero != UINT32_MAX) return reader->zero;
    for (size_t i = 0; i < reader->sizes.count; i++)
        if (reader->sizes.at[i].known && reader->sizes.at[i].value == 0) return reader->zero = (uint32_t)i;
    vec_push(&reader->sizes, (KernelSize){.known = true});
    return reader->zero = (uint32_t)reader->sizes.count - 1;
}

/* `2*a0 - a1 + v3! - s2` */
static bool read_sum(Reader *reader, KernelIndex *index)
{
    KernelTerm terms[KERNEL_MAX_AXES];
    *index = (KernelIndex){.value = -1, .div = 1};
    bool offset = false, negative = accept(reader, "-");
    do {
        uint32_t number;
        int64_t factor = 1;
        skip_spaces(reader);
        if (isdigit((unsigned char)*reader->at)) {
            char *end;
            factor = strtoll(reader->at, &end, 10);
            reader->at = end;
            if (!expect(reader, "*")) return false;
        }
        if (accept_numbered(reader, 'a', &number)) {
            if (index->n_terms == KERNEL_MAX_AXES) return fail(reader, "fewer terms");
            terms[index->n_terms++] = (KernelTerm){number, negative ? -factor : factor};
        } else if (!negative && factor == 1 && index->value < 0 && accept_numbered(reader, 'v', &number)) {
            index->value = (int32_t)number;
            index->checked = accept(reader, "!");
        } else if (factor != 1 || offset) {
            return fail(reader, offset ? "one size" : "an axis");
        } else if (expect_numbered(reader, 's', &number)) {
            index->offset = number;
            index->negative = negative;
            offset = true;
        } else {
            return false;
        }
        negative = accept(reader, "-");
    } while (negative || accept(reader, "+"));
    if (!offset) index->offset = zero_size(reader);
    if (index->n_terms) index->terms = ARENA_COPY(reader->context->arena, KernelTerm, terms, index->n_terms);
    return true;
}

/* `(2*a0 - a1) / 3`; a `?` behind it says that it is clipped. */
static bool read_subscript(Reader *reader, KernelIndex *index)
{
    if (!accept(reader, "(")) return read_sum(reader, index);
    if (!read_sum(reader, index) || !expect(reader, ")") || !expect(reader, "/")) return false;
    skip_spaces(reader);
    char *end;
    index->div = strtoll(reader->at, &end, 10);
    if (end == reader->at || index->div < 2) return fail(reader, "a divisor of at least 2");
    reader->at = end;
    return true;
}

static bool read_index(Reader *reader, KernelValue *value)
{
    KernelIndex index[MAX_RANK];
    if (!expect(reader, "[")) return false;
    while (!accept(reader, "]")) {
        if (value->n_index && !expect(reader, ",")) return false;
        if (value->n_index == MAX_RANK) return fail(reader, "fewer subscripts");
        if (!read_subscript(reader, &index[value->n_index])) return false;
        if (accept(reader, "?")) value->clipped |= 1u << value->n_index;
        value->n_index++;
    }
    if (value->n_index) value->index = ARENA_COPY(reader->context->arena, KernelIndex, index, value->n_index);
    return true;
}

/* The operands, up to the next value's `vN:`. */
static bool read_args(Reader *reader, KernelValue *value)
{
    for (;;) {
        const char *start = reader->at;
        uint32_t number;
        if (!accept_numbered(reader, 'v', &number)) return true;
        if (*reader->at == ':') {
            reader->at = start;
            return true;
        }
        if (value->n_args == 3) return fail(reader, "at most three operands");
        value->args[value->n_args++] = number;
    }
}

static bool read_op(Reader *reader, Op *op)
{
    skip_spaces(reader);
    size_t length = 0;
    while (isalnum((unsigned char)reader->at[length]) || reader->at[length] == '_') length++;
    *op = op_parse(reader->at, length);
    if (*op == OP_COUNT) return fail(reader, "an operator");
    reader->at += length;
    return true;
}

static bool read_number(Reader *reader, double *number)
{
    skip_spaces(reader);
    char *end;
    *number = strtod(reader->at, &end);
    if (end == reader->at) return fail(reader, "a number");
    reader->at = end;
    return true;
}

static bool read_constant(Reader *reader, KernelValue *value)
{
    if (dtype_class(value->dtype) != DTYPE_CLASS_INTEGER) return read_number(reader, &value->number);
    skip_spaces(reader);
    char *end;
    errno = 0;
    value->integer = strtoll(reader->at, &end, 10);
    if (end == reader->at || errno || !integer_fits(value->dtype, value->integer))
        return fail(reader, "an integer of the value's type");
    reader->at = end;
    value->number = (double)value->integer;
    return true;
}

static bool read_random(Reader *reader, KernelValue *value)
{
    uint32_t rank;
    return expect_numbered(reader, 's', &value->stream) && read_index(reader, value) && expect(reader, "of") &&
           read_dims(reader, value->dims, &rank) && (rank == value->n_index || fail(reader, "a size per subscript"));
}

static bool read_access(Reader *reader, KernelValue *value, KernelValueKind kind)
{
    value->kind = kind;
    return expect_numbered(reader, 'b', &value->buffer) && read_index(reader, value) && read_args(reader, value);
}

static bool read_reduction(Reader *reader, KernelValue *value, KernelValueKind kind)
{
    value->kind = kind;
    return read_op(reader, &value->op) && read_axes(reader, &value->reduced) && read_args(reader, value);
}

static bool read_value(Reader *reader)
{
    KernelValue value = {0};
    if (!expect(reader, ":") || !read_dtype(reader, &value.dtype) || !read_axes(reader, &value.domain) ||
        !expect(reader, "="))
        return false;
    bool good;
    if (accept(reader, "load")) {
        good = read_access(reader, &value, KERNEL_LOAD);
    } else if (accept(reader, "store")) {
        good = read_access(reader, &value, KERNEL_STORE);
    } else if (accept(reader, "scatter")) {
        good = read_access(reader, &value, KERNEL_SCATTER);
    } else if (accept(reader, "axis")) {
        value.kind = KERNEL_AXIS;
        good = expect_numbered(reader, 'a', &value.axis);
    } else if (accept(reader, "size")) {
        value.kind = KERNEL_SIZE;
        good = expect_numbered(reader, 's', &value.size);
    } else if (accept(reader, "number")) {
        value.kind = KERNEL_NUMBER;
        good = expect_numbered(reader, 's', &value.size);
    } else if (accept(reader, "constant")) {
        value.kind = KERNEL_CONSTANT;
        good = read_constant(reader, &value);
    } else if (accept(reader, "random")) {
        value.kind = KERNEL_RANDOM;
        good = read_random(reader, &value);
    } else if (accept(reader, "reduce")) {
        good = read_reduction(reader, &value, KERNEL_REDUCE);
    } else if (accept(reader, "scan")) {
        good = read_reduction(reader, &value, KERNEL_SCAN);
    } else {
        value.kind = KERNEL_COMPUTE;
        good = read_op(reader, &value.op) && read_args(reader, &value);
    }
    vec_push(&reader->values, value);
    return good;
}

static bool read_size(Reader *reader)
{
    KernelSize size = {0};
    double value;
    if (accept(reader, "=")) {
        if (!read_number(reader, &value)) return false;
        if (!(fabs(value) <= INT32_MAX)) return fail(reader, "a size");
        size = (KernelSize){.known = true, .value = (int64_t)value};
    }
    vec_push(&reader->sizes, size);
    return true;
}

static bool read_buffer(Reader *reader)
{
    KernelBuffer buffer = {0};
    if (!expect(reader, ":") || !read_dtype(reader, &buffer.dtype) || !read_dims(reader, buffer.dims, &buffer.rank))
        return false;
    buffer.read = accept(reader, "read");
    buffer.written = accept(reader, "write");
    vec_push(&reader->buffers, buffer);
    return true;
}

static bool read_line(Reader *reader)
{
    uint32_t number;
    KernelAxis axis;
    size_t expected;
    bool good;
    if (accept_numbered(reader, 's', &number)) {
        expected = reader->sizes.count;
        good = read_size(reader);
    } else if (accept_numbered(reader, 'a', &number)) {
        expected = reader->axes.count;
        good = expect(reader, ":") && expect_numbered(reader, 's', &axis.extent);
        if (good) vec_push(&reader->axes, axis);
    } else if (accept_numbered(reader, 'b', &number)) {
        expected = reader->buffers.count;
        good = read_buffer(reader);
    } else if (accept_numbered(reader, 'v', &number)) {
        expected = reader->values.count;
        good = read_value(reader);
    } else {
        return fail(reader, "a size, axis, buffer, value or `}`");
    }
    return good && (number == expected || fail(reader, "consecutive numbers before"));
}

static Name read_name(Reader *reader)
{
    skip_spaces(reader);
    size_t length = 0;
    while (reader->at[length] && !isspace((unsigned char)reader->at[length])) length++;
    Name name = intern_length(reader->context->names, reader->at, length);
    reader->at += length;
    return name;
}

Kernel *kernel_read(Context *context, const char **at, const char **error)
{
    Reader reader = {.context = context, .at = *at, .zero = UINT32_MAX};
    Arena *arena = context->arena;
    Kernel *kernel = ARENA_NEW(arena, Kernel);
    if (expect(&reader, "kernel")) kernel->name = read_name(&reader);
    expect(&reader, "{");
    while (!reader.error && !accept(&reader, "}")) read_line(&reader);
    kernel->n_sizes = (uint32_t)reader.sizes.count;
    kernel->n_axes = (uint32_t)reader.axes.count;
    kernel->n_buffers = (uint32_t)reader.buffers.count;
    kernel->n_values = (uint32_t)reader.values.count;
    kernel->sizes = ARENA_COPY(arena, KernelSize, reader.sizes.at, kernel->n_sizes);
    kernel->axes = ARENA_COPY(arena, KernelAxis, reader.axes.at, kernel->n_axes);
    kernel->buffers = ARENA_COPY(arena, KernelBuffer, reader.buffers.at, kernel->n_buffers);
    kernel->values = ARENA_COPY(arena, KernelValue, reader.values.at, kernel->n_values);
    vec_free(&reader.sizes);
    vec_free(&reader.axes);
    vec_free(&reader.buffers);
    vec_free(&reader.values);
    *at = reader.at;
    *error = reader.error;
    return reader.error ? NULL : kernel;
}
