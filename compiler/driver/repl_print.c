/* What the session says of a value. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "driver/repl_session.h"

static void put(Text *text)
{
    fputs(text_get(text), stdout);
    putchar('\n');
    text_free(text);
}

/* Behind `=`: on the same line, or on lines of its own. */
static void put_array(const Array *array, bool first, Text *to)
{
    if (!first)
        text_string(to, array->rank < 2 ? " = " : " =\n");
    else if (array->rank > 1)
        text_string(to, "\n");
    array_print(array, to);
}

static bool print_node(Session *session, const char *name, Node node)
{
    Outcome outcome;
    Text text = {0};
    bool good = session_evaluate(session, node, EVALUATE_VALUE, &outcome);
    if (good) {
        bool lines = outcome.formula && strchr(text_get(&outcome.text), '\n');
        if (name) {
            text_format(&text, "%s : ", name);
            type_print(session->el->dims, node_type(session->el->graph, node), &text);
            text_string(&text, outcome.formula && !lines ? " = " : outcome.formula ? " =\n" : "");
        }
        if (outcome.formula) text_string(&text, text_get(&outcome.text));
        if (outcome.known) {
            bool first = !name && !outcome.formula;
            if (first && outcome.value.rank > 1)
                array_print(&outcome.value, &text);
            else
                put_array(&outcome.value, first, &text);
        }
        put(&text);
        settled_note(session, node, &outcome);
    }
    outcome_free(&outcome);
    return good;
}

bool session_as_text(Session *session, Value value, Text *to)
{
    int64_t a, b;
    switch (value.kind) {
    case VALUE_SIZE:
        if (!dim_is_constant(session->el->dims, value.size, &a) ||
            !dim_is_constant(session->el->dims, value.divisor, &b))
            return false;
        dim_print_quotient(session->el->dims, value.size, value.divisor, to);
        return true;
    case VALUE_REAL: {
        if (!isfinite(value.number)) return false;
        Text number = {0};
        text_number(&number, value.number);
        bool whole = !strpbrk(text_get(&number), ".e");
        text_format(to, "%s%s", text_get(&number), whole ? ".0" : "");
        text_free(&number);
        return true;
    }
    case VALUE_BOOL:
        text_string(to, value.truth ? "true" : "false");
        return true;
    case VALUE_TENSOR: {
        Outcome outcome;
        bool good = !value.count && session_evaluate(session, value.node, EVALUATE_FORMULA, &outcome);
        bool closed = good && !outcome.formula;
        if (!value.count) outcome_free(&outcome);
        closed = closed && session_evaluate(session, value.node, EVALUATE_VALUE, &outcome);
        good = closed && outcome.known && array_as_text(&outcome.value, to);
        if (closed) outcome_free(&outcome);
        return good;
    }
    default:
        return false;
    }
}

static void print_known(Session *session, Value value, Text *to)
{
    switch (value.kind) {
    case VALUE_SIZE:
        dim_print_quotient(session->el->dims, value.size, value.divisor, to);
        return;
    case VALUE_REAL:
        text_number(to, value.number);
        return;
    case VALUE_BOOL:
        text_string(to, value.truth ? "true" : "false");
        return;
    case VALUE_TEXT:
        text_format(to, "\"%s\"", value.text);
        return;
    case VALUE_LIST:
        text_string(to, "[");
        for (uint32_t i = 0; i < value.count; i++) {
            if (i) text_string(to, ", ");
            print_known(session, value.items[i], to);
        }
        text_string(to, "]");
        return;
    case VALUE_TENSOR:
        type_print(session->el->dims, node_type(session->el->graph, value.node), to);
        return;
    default:
        text_string(to, value_describe(session->el, value));
        return;
    }
}

/* A list of numbers is a tensor as soon as it is computed with, and shown as one. */
static bool is_array(Value value)
{
    if (value.kind == VALUE_TENSOR) return true;
    if (value.kind != VALUE_LIST || !value.count) return false;
    for (uint32_t i = 0; i < value.count; i++)
        if (!value_is_number(value.items[i]) && !is_array(value.items[i])) return false;
    return true;
}

bool session_print(Session *session, const char *name, Value value)
{
    if (value_is_error(value)) return false;
    bool nested = value.kind == VALUE_LIST && value.count && value.items[0].kind == VALUE_LIST;
    if (nested && is_array(value)) value = value_as_tensor(session->el, value, DTYPE_COUNT, NO_SPAN);
    if (value_is_error(value)) return false;
    if (value.kind == VALUE_TENSOR) return print_node(session, name, value.node);
    Text text = {0};
    if (name) text_format(&text, "%s = ", name);
    print_known(session, value, &text);
    put(&text);
    return true;
}

void session_describe(Session *session, Value value, Text *to)
{
    switch (value.kind) {
    case VALUE_TENSOR:
        type_print(session->el->dims, node_type(session->el->graph, value.node), to);
        return;
    case VALUE_SIZE:
        text_string(to, "an integer or exact quotient, known now");
        return;
    case VALUE_REAL:
        text_string(to, "a real number, known now");
        return;
    case VALUE_BOOL:
        text_string(to, "a truth value, known now");
        return;
    default:
        text_string(to, value_describe(session->el, value));
    }
}

static bool is_models(const Session *session, Name name)
{
    bool found = names_model_of(session, name) != NULL;
    for (size_t i = 0; i < session->names.count; i++) found |= session->names.at[i].name == name;
    return found;
}

/* `param w : f32 = 0.5`: a source and what it has, in one line, a matrix on lines of its own. */
static void print_source(Session *session, Name name, Node node)
{
    Text text = {0};
    Outcome outcome;
    text_format(&text, "%s %s : ", op_info(node_op(session->el->graph, node))->spelling, name);
    type_print(session->el->dims, node_type(session->el->graph, node), &text);
    if (session_evaluate(session, node, EVALUATE_VALUE, &outcome) && outcome.known)
        put_array(&outcome.value, false, &text);
    outcome_free(&outcome);
    put(&text);
    session_report(session);
}

static void print_stored(Session *session, const Stored *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!names_model_of(session, all[i].path)) print_source(session, all[i].path, all[i].node);
}

void session_print_own(Session *session)
{
    const Elaborator *el = session->el;
    Vec(const Binding *) bindings = {0};
    for (const Binding *b = session->scope->first; b; b = b->next) vec_push(&bindings, b);
    while (bindings.count) {
        const Binding *b = vec_pop(&bindings);
        if (b->function || b->value.kind != VALUE_TENSOR) continue;
        const NodeInfo *info = graph_node(el->graph, b->value.node);
        bool stored = info->op == OP_PARAM || info->op == OP_STATE;
        if (stored || info->attr.name != b->name || !session_takes_value(info->op)) continue;
        if (!is_models(session, b->name) || session_given(session, b->name))
            print_source(session, b->name, b->value.node);
    }
    vec_free(&bindings);
    print_stored(session, el->params.at, el->params.count);
    print_stored(session, el->states.at, el->states.count);
}
