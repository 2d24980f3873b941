/* Statements. One that fails leaves the session as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/repl_session.h"
#include "ir/build.h"

/* What a statement may change, to put it back. */
typedef struct {
    Binding *first;
    Vec(Binding *) bindings;
    Vec(Binding) values;
    Vec(Stored) params, states;
    Vec(Counter) counters, streams;
    Vec(StateCell) cells;
    size_t n_inputs, n_settings, n_checks, n_starts;
    struct {
        Node node;
        Name name;
    } unnamed[8];
    size_t n_unnamed;
} Snapshot;

#define SAVE(to, from)                                                                                                 \
    for (size_t save_i = 0; save_i < (from).count; save_i++) vec_push(&(to), (from).at[save_i])

static Snapshot snapshot_take(Session *session)
{
    Elaborator *el = session->el;
    Snapshot s = {.first = session->scope->first};
    for (Binding *b = s.first; b; b = b->next) {
        vec_push(&s.bindings, b);
        vec_push(&s.values, *b);
    }
    SAVE(s.params, el->params);
    SAVE(s.states, el->states);
    SAVE(s.counters, el->frame->counters);
    SAVE(s.streams, el->streams);
    for (size_t i = 0; i < el->cells.count; i++) vec_push(&s.cells, *el->cells.at[i]);
    s.n_inputs = el->inputs.count;
    s.n_settings = el->settings.count;
    s.n_checks = el->checks.count;
    s.n_starts = session->starts.count;
    return s;
}

static void snapshot_restore(Session *session, const Snapshot *s)
{
    Elaborator *el = session->el;
    session->scope->first = s->first;
    for (size_t i = 0; i < s->bindings.count; i++) *s->bindings.at[i] = s->values.at[i];
    el->params.count = el->states.count = el->frame->counters.count = el->streams.count = 0;
    SAVE(el->params, s->params);
    SAVE(el->states, s->states);
    SAVE(el->frame->counters, s->counters);
    SAVE(el->streams, s->streams);
    el->cells.count = s->cells.count;
    for (size_t i = 0; i < s->cells.count; i++) *el->cells.at[i] = s->cells.at[i];
    el->inputs.count = s->n_inputs;
    el->settings.count = s->n_settings;
    el->checks.count = s->n_checks;
    session->starts.count = s->n_starts;
    el->frame->base = NULL;
    for (size_t i = 0; i < s->n_unnamed; i++) graph_set_name(el->graph, s->unnamed[i].node, s->unnamed[i].name);
}

static void snapshot_free(Snapshot *s)
{
    vec_free(&s->bindings);
    vec_free(&s->values);
    vec_free(&s->params);
    vec_free(&s->states);
    vec_free(&s->counters);
    vec_free(&s->streams);
    vec_free(&s->cells);
}

const Array *session_given(const Session *session, const char *name)
{
    for (size_t i = 0; i < session->given.count; i++)
        if (!strcmp(session->given.at[i].name, name)) return &session->given.at[i].value;
    return NULL;
}

void session_forget(Session *session, const char *name)
{
    for (size_t i = 0; i < session->given.count; i++) {
        if (strcmp(session->given.at[i].name, name)) continue;
        free(session->given.at[i].name);
        array_free(&session->given.at[i].value);
        session->given.at[i] = vec_pop(&session->given);
        return;
    }
}

void session_give(Session *session, const char *name, Array value)
{
    session_forget(session, name);
    char *copy = strdup(name);
    if (!copy) abort();
    vec_push(&session->given, (Given){copy, value});
}

/* Whether a path is `name` or what a layer bound to it owns. */
static bool is_under(Name path, const char *name)
{
    size_t length = strlen(name);
    return !strncmp(path, name, length) && (!path[length] || path[length] == '.' || path[length] == '[');
}

#define DROP_UNDER(list, field, under)                                                                                 \
    do {                                                                                                               \
        size_t kept = 0;                                                                                               \
        for (size_t drop_i = 0; drop_i < (list)->count; drop_i++)                                                      \
            if (!is_under((list)->at[drop_i].field, under)) (list)->at[kept++] = (list)->at[drop_i];                   \
        (list)->count = kept;                                                                                          \
    } while (0)

/* A name that is bound again begins anew: its parameters, their numbering, the formulas' use of the name. */
static void begin_name(Session *session, const char *name, Snapshot *snapshot)
{
    Elaborator *el = session->el;
    DROP_UNDER(&el->params, path, name);
    DROP_UNDER(&el->states, path, name);
    DROP_UNDER(&el->frame->counters, name, name);
    DROP_UNDER(&el->streams, name, name);
    size_t kept = 0;
    for (size_t i = 0; i < el->cells.count; i++)
        if (!is_under(el->cells.at[i]->path, name)) el->cells.at[kept++] = el->cells.at[i];
    el->cells.count = kept;
    Name interned = intern(session->context->names, name);
    const Binding *binding = scope_find(session->scope, interned, false);
    bool named =
        binding && binding->value.kind == VALUE_TENSOR && graph_name(el->graph, binding->value.node) == interned;
    if (!named || snapshot->n_unnamed == sizeof snapshot->unnamed / sizeof *snapshot->unnamed) return;
    snapshot->unnamed[snapshot->n_unnamed].node = binding->value.node;
    snapshot->unnamed[snapshot->n_unnamed++].name = interned;
    graph_set_name(el->graph, binding->value.node, NULL);
}

/* ---- Values for inputs and parameters ---- */

static bool is_given_kind(Op op)
{
    return op == OP_INPUT || op == OP_TARGET || op == OP_PARAM || op == OP_STATE || op == OP_SETTING;
}

/* The source that a single name on the left stands for; NODE_NONE when it is an ordinary binding. */
static Node source_on_left(const Session *session, const Syntax *statement)
{
    const Syntax *left = statement->kids[0];
    if (statement->kind == SYNTAX_BIND) {
        if (left->n_kids != 1) return NODE_NONE;
        left = left->kids[0];
    } else if (statement->kind != SYNTAX_UPDATE) {
        return NODE_NONE;
    }
    const Binding *binding = left->kind == SYNTAX_NAME ? scope_find(session->scope, left->name, false) : NULL;
    if (!binding || binding->value.kind != VALUE_TENSOR || binding->value.count) return NODE_NONE;
    const NodeInfo *info = graph_node(session->el->graph, binding->value.node);
    return is_given_kind(info->op) && info->attr.name == left->name ? binding->value.node : NODE_NONE;
}

/* The shape that is wanted, with free sizes from the value's. */
static bool wanted_shape(Session *session, const Type *type, Value value, Span at, Dim *dims)
{
    Elaborator *el = session->el;
    Type have = value_type(el, value);
    Name symbol;
    bool free_size = false;
    for (uint32_t i = 0; i < type->rank; i++) {
        free_size |= dim_is_symbol(el->dims, type->dims[i], &symbol);
        dims[i] = type->dims[i];
    }
    if (!free_size || have.rank == 0) return true;
    for (uint32_t i = 0; i < type->rank && have.rank == type->rank; i++)
        if (dim_is_symbol(el->dims, type->dims[i], &symbol)) dims[i] = have.dims[i];
    if (have.rank == type->rank) return true;
    complain(el, DIAG_shape_mismatch, at, "this should be `%s`, but it is `%s`", type_text(el, type),
             type_text(el, &have));
    return false;
}

static bool within_range(Session *session, const Type *type, const Array *array, const char *name, Span at)
{
    int64_t range;
    if (dim_is_none(type->range) || !dim_is_constant(session->el->dims, type->range, &range)) return true;
    for (int64_t i = 0; i < array->count; i++) {
        double number = array_at(array, i);
        if (number >= 0 && number < (double)range) continue;
        complain(session->el, DIAG_bad_value, at, "`%s` is at least 0 and below %lld, but this holds %g", name,
                 (long long)range, number);
        return false;
    }
    return true;
}

/* `x0 = 1`: computes the right side now and keeps its value. */
static bool give(Session *session, Node source, const Syntax *right)
{
    Elaborator *el = session->el;
    Type type = *node_type(el->graph, source);
    Name name = graph_node(el->graph, source)->attr.name;
    Value value = value_as_tensor(el, evaluate(el, session->scope, right), type.dtype, right->span);
    if (value_is_error(value)) return false;
    DTypeClass have = dtype_class(node_type(el->graph, value.node)->dtype);
    if (have > dtype_class(type.dtype)) {
        complain(el, DIAG_type_mismatch, right->span, "`%s` is `%s`, but this is %s", name, type_text(el, &type),
                 value_describe(el, value));
        return false;
    }
    Dim dims[MAX_RANK];
    if (!wanted_shape(session, &type, value, right->span, dims)) return false;
    value = broadcast_to(el, convert(el, value, type.dtype, right->span), type.rank, dims, right->span);
    if (value_is_error(value)) return false;
    Outcome outcome;
    bool good = session_evaluate(session, value.node, EVALUATE_VALUE, &outcome);
    if (good && !outcome.known) {
        Diag *diag = complain(el, DIAG_not_constant, right->span, "`%s` needs a value, but `%s` has none", name,
                              outcome.missing);
        diag_hint(diag, "give it one first: `%s = …`", outcome.missing);
        good = false;
    }
    if (good && within_range(session, &type, &outcome.value, name, right->span)) {
        session_give(session, name, outcome.value);
        outcome.value = (Array){0};
    }
    outcome_free(&outcome);
    return good;
}

/* ---- Statements ---- */

static void note_starts(Session *session)
{
    Elaborator *el = session->el;
    for (size_t i = 0; i < el->params.count; i++)
        vec_push(&session->starts, (Start){el->params.at[i].node, el->params.at[i].start});
    for (size_t i = 0; i < el->states.count; i++)
        vec_push(&session->starts, (Start){el->states.at[i].node, el->states.at[i].start});
}

static bool print_names(Session *session, const NameList *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->at[i][0] != 'v') continue;
        const Binding *binding = scope_find(session->scope, intern(session->context->names, names->at[i] + 1), false);
        if (binding && !session_print(session, binding->name, binding->value)) return false;
    }
    return true;
}

/* The derivative of a tensor is that of the sum of its elements, which is said. */
static void note_sum(Session *session)
{
    if (session->el->summed && !session->replaying) {
        fflush(stdout);
        fputs("note: this differentiates the sum of what is no single number\n", stderr);
    }
    session->el->summed = false;
}

static bool run_expressions(Session *session, const Syntax *statement)
{
    Value ignored;
    for (uint32_t i = 0; i < statement->n_kids; i++) {
        const Syntax *expression = statement->kids[i];
        if (expression->kind == SYNTAX_REPEAT) {
            run_statement(session->el, session->scope, statement, &ignored);
            continue;
        }
        Value value = evaluate(session->el, session->scope, expression);
        note_starts(session);
        note_sum(session);
        for (uint32_t k = 0; k < (value.kind == VALUE_TUPLE ? value.count : 1); k++)
            if (!session_print(session, NULL, value.kind == VALUE_TUPLE ? value.items[k] : value)) return false;
    }
    return true;
}

/* Runs what is no expression, and says what was bound. */
static bool run_binding(Session *session, const Syntax *statement, const NameList *names)
{
    Value ignored = value_error();
    Elaborator *el = session->el;
    run_statement(el, session->scope, statement, &ignored);
    el->results.count = el->losses.count = 0;
    if (session_failed(session)) return false;
    note_starts(session);
    note_sum(session);
    bool declares = statement->kind == SYNTAX_INPUT || statement->kind == SYNTAX_TARGET ||
                    statement->kind == SYNTAX_PARAM || statement->kind == SYNTAX_STATE;
    for (size_t i = 0; declares && !session->replaying && i < names->count; i++)
        session_forget(session, names->at[i] + 1);
    return declares || session->replaying || print_names(session, names);
}

static void keep(Session *session, const Syntax *entry, NameList defines, NameList uses)
{
    if (!defines.count) {
        names_free(&defines);
        names_free(&uses);
        return;
    }
    Text text = {0};
    syntax_print(entry, &text);
    journal_add(&session->journal, false, text_get(&text), NULL, defines, uses);
    text_free(&text);
}

static bool run_plain(Session *session, const Syntax *statement)
{
    Node source = source_on_left(session, statement);
    if (!node_is_none(source)) return session->replaying || give(session, source, statement->kids[1]);
    NameList defines = {0}, uses = {0};
    statement_names(statement, &defines, &uses);
    Snapshot snapshot = snapshot_take(session);
    bool expression = statement->kind == SYNTAX_EXPRESSION;
    for (size_t i = 0; i < defines.count; i++) begin_name(session, defines.at[i] + 1, &snapshot);
    bool good = expression ? run_expressions(session, statement) : run_binding(session, statement, &defines);
    good &= !session_failed(session);
    if (!good || expression) snapshot_restore(session, &snapshot);
    snapshot_free(&snapshot);
    if (good) {
        keep(session, statement, defines, uses);
    } else {
        names_free(&defines);
        names_free(&uses);
    }
    return good;
}

bool session_run(Session *session, const Syntax *file)
{
    bool good = true;
    for (uint32_t i = 0; i < file->n_kids && good; i++) {
        if (!file->kids[i]) continue;
        good =
            syntax_is_item(file->kids[i]) ? session_define(session, file->kids[i]) : run_plain(session, file->kids[i]);
        if (!session->replaying) session_report(session);
    }
    return good;
}

bool session_with(Session *session, const char *text, bool (*use)(Session *session, Value value, void *data),
                  void *data)
{
    const Syntax *file = session_parse(session, text);
    const Syntax *statement = file && file->n_kids == 1 ? file->kids[0] : NULL;
    bool good = statement && statement->kind == SYNTAX_EXPRESSION && statement->n_kids == 1;
    if (!good && !session_failed(session))
        diag_new(session->context->diagnostics, DIAG_bad_value, NO_SPAN, "one expression is wanted here");
    if (good) {
        Snapshot snapshot = snapshot_take(session);
        Value value = evaluate(session->el, session->scope, statement->kids[0]);
        note_starts(session);
        good = !value_is_error(value) && use(session, value, data);
        snapshot_restore(session, &snapshot);
        snapshot_free(&snapshot);
    }
    return !session_report(session) && good;
}
