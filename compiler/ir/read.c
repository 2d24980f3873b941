/* Reads what print.c writes. Everything is checked before a node is made: a text from outside never meets an assert. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph_internal.h"
#include "ir/integer.h"
#include "ir/module_text.h"
#include "ir/read_cursor.h"

typedef struct {
    Cursor cursor;
    Module *module;
    Vec(Node) nodes; /* by number - 1 */
    Vec(Name) dims;
    Vec(Declared) declared[N_LISTS];
    Vec(Check) checks;
    Vec(Function) functions;
    Vec(Node) args; /* scratch */
    bool whole;     /* the constant read last is written as an integer of 64 bits */
    Vec(int32_t) ints;
    Vec(Dim) sizes;
} Reader;

static DimTable *dims_of(const Reader *reader)
{
    return graph_dims(reader->module->graph);
}

static bool read_node(Reader *reader, Node *node)
{
    Cursor *cursor = &reader->cursor;
    int64_t number;
    cursor_blanks(cursor);
    const char *start = cursor->at;
    if (!cursor_expect(cursor, "%") || !cursor_integer(cursor, 0, UINT32_MAX, &number)) return false;
    if (number < 1 || (uint64_t)number > reader->nodes.count)
        return cursor_fail(cursor, start, "%%%lld is not defined above", (long long)number);
    *node = reader->nodes.at[number - 1];
    return true;
}

/* node lines */

static bool read_args(Reader *reader)
{
    Cursor *cursor = &reader->cursor;
    reader->args.count = 0;
    if (!cursor_take(cursor, "(")) return true;
    do {
        Node arg;
        if (!read_node(reader, &arg)) return false;
        vec_push(&reader->args, arg);
    } while (cursor_take(cursor, ","));
    return cursor_expect(cursor, ")");
}

static bool read_ints(Reader *reader, Attr *attr)
{
    Cursor *cursor = &reader->cursor;
    reader->ints.count = 0;
    if (!cursor_expect(cursor, "ints=[")) return false;
    while (!cursor_take(cursor, "]")) {
        int64_t integer;
        if (reader->ints.count && !cursor_expect(cursor, ",")) return false;
        if (!cursor_integer(cursor, INT32_MIN, INT32_MAX, &integer)) return false;
        vec_push(&reader->ints, (int32_t)integer);
    }
    attr->ints = reader->ints.at;
    attr->n_ints = (uint32_t)reader->ints.count;
    return true;
}

static bool read_sizes(Reader *reader, Attr *attr)
{
    Cursor *cursor = &reader->cursor;
    reader->sizes.count = 0;
    if (!cursor_expect(cursor, "sizes=[")) return false;
    while (!cursor_take(cursor, "]")) {
        Dim size;
        if (reader->sizes.count && !cursor_expect(cursor, ",")) return false;
        if (!cursor_size(cursor, dims_of(reader), &size)) return false;
        vec_push(&reader->sizes, size);
    }
    attr->sizes = reader->sizes.at;
    attr->n_sizes = (uint32_t)reader->sizes.count;
    return true;
}

/* The text of a number, and where it is one the integer: which of them is meant, the type says. */
static bool read_element(Reader *reader, Attr *attr)
{
    Cursor *cursor = &reader->cursor;
    if (!cursor_expect(cursor, "number=")) return false;
    cursor_blanks(cursor);
    const char *start = cursor->at;
    char *end;
    errno = 0;
    attr->integer = strtoll(start, &end, 10);
    if (!cursor_number(cursor, &attr->number)) return false;
    reader->whole = end == cursor->at && !errno;
    return true;
}

static bool read_attributes(Reader *reader, unsigned uses, Attr *attr)
{
    Cursor *cursor = &reader->cursor;
    if ((uses & ATTR_NAME) && (!cursor_expect(cursor, "name=") || !cursor_name(cursor, &attr->name))) return false;
    if ((uses & ATTR_NUMBER) && (!cursor_expect(cursor, "number=") || !cursor_number(cursor, &attr->number)))
        return false;
    if ((uses & ATTR_ELEMENT) && !read_element(reader, attr)) return false;
    if ((uses & ATTR_INTEGER) &&
        (!cursor_expect(cursor, "integer=") || !cursor_integer(cursor, INT64_MIN, INT64_MAX, &attr->integer)))
        return false;
    if ((uses & ATTR_INTS) && !read_ints(reader, attr)) return false;
    if ((uses & ATTR_SIZES) && !read_sizes(reader, attr)) return false;
    if (!(uses & ATTR_DATA)) return true;
    return cursor_expect(cursor, "data=x") && cursor_bytes(cursor, &attr->data, &attr->data_size);
}

static bool read_op(Reader *reader, Op *op)
{
    const char *word;
    size_t length = cursor_word(&reader->cursor, &word);
    *op = op_parse(word, length);
    if (*op != OP_COUNT) return true;
    return cursor_fail(&reader->cursor, word, "`%.*s` is not an operator", (int)(length > 40 ? 40 : length), word);
}

static bool read_type(Reader *reader, Type *type)
{
    Cursor *cursor = &reader->cursor;
    if (!cursor_expect(cursor, ":")) return false;
    cursor_blanks(cursor);
    return type_parse(dims_of(reader), &cursor->at, type) || cursor_fail(cursor, cursor->at, "expected a type");
}

static bool make_node(Reader *reader, const char *start, Op op, const Attr *attr, const Type *type, Node *node)
{
    Graph *graph = reader->module->graph;
    const char *wrong;
    if (!graph_try_make(graph, op, reader->args.at, (uint32_t)reader->args.count, attr, type, node, &wrong))
        return cursor_fail(&reader->cursor, start, "%s: %s", op_info(op)->spelling, wrong);
    if (type_equal(node_type(graph, *node), type)) return true;
    Text text = {0};
    type_print(graph_dims(graph), node_type(graph, *node), &text);
    cursor_fail(&reader->cursor, start, "the type of this node is %s", text_get(&text));
    text_free(&text);
    return false;
}

/* `%3 = mul(%1, %2) … : f32[batch] as "half"` */
static bool read_node_line(Reader *reader)
{
    Cursor *cursor = &reader->cursor;
    const char *start = cursor->at;
    int64_t number, next = (int64_t)reader->nodes.count + 1;
    Op op;
    Attr attr = {0};
    Type type;
    Node node;
    Name name;
    if (!cursor_expect(cursor, "%") || !cursor_integer(cursor, 0, UINT32_MAX, &number)) return false;
    if (number != next)
        return cursor_fail(cursor, start, "expected %%%lld: nodes are numbered in order", (long long)next);
    if (!cursor_expect(cursor, "=") || !read_op(reader, &op) || !read_args(reader)) return false;
    if (!read_attributes(reader, op_info(op)->attributes, &attr) || !read_type(reader, &type)) return false;
    bool integer = op == OP_CONST && dtype_class(type.dtype) == DTYPE_CLASS_INTEGER;
    if (integer && !(reader->whole && integer_fits(type.dtype, attr.integer)))
        return cursor_fail(cursor, start, "the number is not a value of `%s`", dtype_name(type.dtype));
    if (!make_node(reader, start, op, &attr, &type, &node)) return false;
    graph_add_place(reader->module->graph, node, cursor_span(cursor, start));
    vec_push(&reader->nodes, node);
    if (!cursor_take(cursor, "as ")) return true;
    if (!cursor_name(cursor, &name)) return false;
    graph_set_name(reader->module->graph, node, name);
    return true;
}

/* other lines */

static bool read_dims(Reader *reader)
{
    do {
        Dim dim;
        Name name;
        cursor_blanks(&reader->cursor);
        const char *start = reader->cursor.at;
        if (!cursor_size(&reader->cursor, dims_of(reader), &dim)) return false;
        if (!dim_is_symbol(dims_of(reader), dim, &name)) return cursor_fail(&reader->cursor, start, "expected a name");
        vec_push(&reader->dims, name);
    } while (cursor_take(&reader->cursor, ","));
    return true;
}

static bool word_is(const char *word, size_t length, const char *expected)
{
    return strlen(expected) == length && !memcmp(word, expected, length);
}

static int find_word(const char *word, size_t length, const char *const *words, int count)
{
    int i = 0;
    while (i < count && !word_is(word, length, words[i])) i++;
    return i;
}

static bool read_declared(Reader *reader)
{
    Cursor *cursor = &reader->cursor;
    const char *word;
    size_t length = cursor_word(cursor, &word);
    int list = find_word(word, length, list_words, N_LISTS);
    Declared declared = {0};
    if (list == N_LISTS) return cursor_fail(cursor, word, "expected input, param, state or setting");
    if (!read_node(reader, &declared.node)) return false;
    declared.place = cursor_span(cursor, word);
    if (cursor_take(cursor, "doc=") && !cursor_string(cursor, &declared.doc)) return false;
    vec_push(&reader->declared[list], declared);
    return true;
}

static bool read_check(Reader *reader)
{
    Cursor *cursor = &reader->cursor;
    Check check = {0};
    cursor_blanks(cursor);
    const char *start = cursor->at;
    if (*start == '%') {
        if (!read_node(reader, &check.condition)) return false;
    } else {
        if (!cursor_size(cursor, dims_of(reader), &check.left) || !cursor_expect(cursor, "==")) return false;
        if (!cursor_size(cursor, dims_of(reader), &check.right)) return false;
    }
    check.place = cursor_span(cursor, start);
    if (!cursor_expect(cursor, "message=") || !cursor_string(cursor, &check.message)) return false;
    vec_push(&reader->checks, check);
    return true;
}

static bool end_line(Cursor *cursor)
{
    cursor_blanks(cursor);
    if (*cursor->at == '#' || *cursor->at == '\n' || !*cursor->at) return true;
    return cursor_fail(cursor, cursor->at, "expected the end of the line");
}

static bool read_result(Reader *reader, Function *function, Result *result)
{
    Cursor *cursor = &reader->cursor;
    const char *word;
    size_t length = cursor_word(cursor, &word);
    *result = (Result){0};
    if (word_is(word, length, "total")) return read_node(reader, &function->loss);
    int role = find_word(word, length, role_words, N_ROLES);
    if (role == N_ROLES) return cursor_fail(cursor, word, "expected a kind of result or `}`");
    result->role = (ResultRole)role;
    if (!cursor_name(cursor, &result->name)) return false;
    if (cursor_take(cursor, "of ") && !read_node(reader, &result->old)) return false;
    return cursor_expect(cursor, "=") && read_node(reader, &result->value);
}

static bool read_function(Reader *reader)
{
    Cursor *cursor = &reader->cursor;
    Function function = {0};
    Vec(Result) results = {0};
    bool good = cursor_name(cursor, &function.name) && cursor_expect(cursor, "{") && end_line(cursor);
    while (good && !(cursor_next_line(cursor) && cursor_take(cursor, "}"))) {
        Result result;
        good = *cursor->at ? true : cursor_fail(cursor, cursor->at, "a function without its `}`");
        good = good && read_result(reader, &function, &result) && end_line(cursor);
        if (good && result.name) vec_push(&results, result);
    }
    function.results = ARENA_COPY(cursor->context->arena, Result, results.at, results.count);
    function.n_results = (uint32_t)results.count;
    vec_free(&results);
    if (good) vec_push(&reader->functions, function);
    return good;
}

static bool read_line(Reader *reader)
{
    Cursor *cursor = &reader->cursor;
    if (*cursor->at == '%') return read_node_line(reader);
    const char *word;
    size_t length = cursor_word(cursor, &word);
    if (word_is(word, length, "dims")) return read_dims(reader);
    if (word_is(word, length, "declare")) return read_declared(reader);
    if (word_is(word, length, "check")) return read_check(reader);
    if (word_is(word, length, "function")) return read_function(reader);
    return cursor_fail(cursor, word, "expected a node, dims, declare, check or function");
}

static void take_lists(Reader *reader)
{
    Arena *arena = reader->cursor.context->arena;
    Module *module = reader->module;
    Declared **lists[N_LISTS] = {&module->inputs, &module->params, &module->states, &module->settings};
    uint32_t *counts[N_LISTS] = {&module->n_inputs, &module->n_params, &module->n_states, &module->n_settings};
    for (int i = 0; i < N_LISTS; i++) {
        *lists[i] = ARENA_COPY(arena, Declared, reader->declared[i].at, reader->declared[i].count);
        *counts[i] = (uint32_t)reader->declared[i].count;
        vec_free(&reader->declared[i]);
    }
    module->dims = ARENA_COPY(arena, Name, reader->dims.at, reader->dims.count);
    module->n_dims = (uint32_t)reader->dims.count;
    module->checks = ARENA_COPY(arena, Check, reader->checks.at, reader->checks.count);
    module->n_checks = (uint32_t)reader->checks.count;
    module->functions = ARENA_COPY(arena, Function, reader->functions.at, reader->functions.count);
    module->n_functions = (uint32_t)reader->functions.count;
    vec_free(&reader->dims);
    vec_free(&reader->checks);
    vec_free(&reader->functions);
    vec_free(&reader->nodes);
    vec_free(&reader->args);
    vec_free(&reader->ints);
    vec_free(&reader->sizes);
}

Module *module_read(Context *context, const Source *source)
{
    Reader reader = {.cursor = {context, source, source->text, false}, .module = ARENA_NEW(context->arena, Module)};
    Cursor *cursor = &reader.cursor;
    reader.module->graph = graph_new(context);
    cursor_next_line(cursor);
    bool good = cursor_expect(cursor, "module ") && cursor_name(cursor, &reader.module->name) && end_line(cursor);
    while (good && cursor_next_line(cursor)) good = read_line(&reader) && end_line(cursor);
    take_lists(&reader);
    const char *wrong = good ? module_verify(reader.module) : NULL;
    if (wrong) good = cursor_fail(cursor, source->text, "%s", wrong);
    if (good) return reader.module;
    graph_free(reader.module->graph);
    return NULL;
}
