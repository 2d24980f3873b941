/* Statements. One that fails leaves the session as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/repl_snapshot.h"

/* The last one of a node counts. */
static void add_start(Session *session, const Stored *stored)
{
    for (size_t i = session->starts.count; i-- > 0;)
        if (node_same(session->starts.at[i].node, stored->node)) {
            if (node_same(session->starts.at[i].start, stored->start)) return;
            break;
        }
    vec_push(&session->starts, (Start){stored->node, stored->start});
}

void session_note_starts(Session *session)
{
    Elaborator *el = session->el;
    for (size_t i = 0; i < el->params.count; i++) add_start(session, &el->params.at[i]);
    for (size_t i = 0; i < el->states.count; i++) add_start(session, &el->states.at[i]);
}

static bool print_names(Session *session, const NameList *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->at[i][0] != 'v') continue;
        Binding *binding = scope_find(session->scope, intern(session->context->names, names->at[i] + 1), false);
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

/* `help` and `exit` are typed by habit. True after the diagnostic. */
static bool is_bare_command(Session *session, const Syntax *statement)
{
    const Syntax *word = statement->n_kids == 1 ? kid_expr(statement) : NULL;
    if (!word || word->kind != SYNTAX_NAME || scope_find(session->scope, word->name, false)) return false;
    const char *command = session_command_meant(word->name);
    if (!command) return false;
    diag_hint(complain(session->el, DIAG_unknown_name, word->span, "there is no value called `%s`", word->name),
              "commands begin with a colon: `:%s`", command);
    return true;
}

static bool run_expressions(Session *session, const Syntax *statement)
{
    if (is_bare_command(session, statement)) return false;
    for (uint32_t i = 0; i < statement->n_kids; i++) {
        Value value = evaluate(session->el, session->scope, statement->kids[i]);
        session_note_starts(session);
        note_sum(session);
        for (uint32_t k = 0; k < (value.kind == VALUE_TUPLE ? value.count : 1); k++)
            if (!session_print(session, NULL, value.kind == VALUE_TUPLE ? value.items[k] : value)) return false;
    }
    return true;
}

static void settle_names(Session *session, const NameList *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->at[i][0] != 'v') continue;
        Binding *binding = scope_find(session->scope, intern(session->context->names, names->at[i] + 1), false);
        if (binding) settled_bind(session, binding);
    }
}

/* Runs what is no expression, and says what was bound. */
static bool run_binding(Session *session, const Syntax *statement, const NameList *names)
{
    Value ignored = value_error();
    Elaborator *el = session->el;
    run_statement(el, session->scope, statement, &ignored);
    el->results.count = el->losses.count = 0;
    named_forget(el);
    if (session_failed(session)) return false;
    session_note_starts(session);
    note_sum(session);
    bool declares = statement->kind == SYNTAX_INPUT || statement->kind == SYNTAX_TARGET ||
                    statement->kind == SYNTAX_PARAM || statement->kind == SYNTAX_STATE;
    for (size_t i = 0; declares && !session->replaying && i < names->count; i++)
        session_forget(session, names->at[i] + 1);
    if (declares) return true;
    settle_names(session, names);
    return session->replaying || print_names(session, names);
}

static void keep(Session *session, const Syntax *entry, NameList defines, NameList uses)
{
    if (!defines.count) {
        names_free(&defines);
        names_free(&uses);
        return;
    }
    Text text = {0};
    int line = statement_text(session->context->sources, entry, &text);
    journal_add(&session->journal, false, text_get(&text), line, NULL, defines, uses);
    text_free(&text);
}

static bool run_plain(Session *session, const Syntax *statement)
{
    Node source = session_source(session, statement);
    if (session_failed(session)) return false;
    if (!node_is_none(source)) return session->replaying || session_assign(session, source, kid_value(statement));
    NameList defines = {0}, uses = {0};
    statement_names(statement, &defines, &uses);
    Snapshot snapshot = snapshot_take(session);
    bool expression = statement_shows(statement);
    for (size_t i = 0; i < defines.count; i++) names_begin(session, defines.at[i] + 1, &snapshot);
    bool good = expression ? run_expressions(session, statement) : run_binding(session, statement, &defines);
    good &= !session_failed(session);
    if (!good || expression) snapshot_restore(session, &snapshot);
    for (size_t i = 0; good && !expression && i < defines.count; i++) names_claim(session, defines.at[i] + 1);
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
        context_refresh(session->context);
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
    const Syntax *statement = file && file->n_kids == 1 ? kid_entry(file) : NULL;
    bool good = statement && statement->kind == SYNTAX_EXPRESSION && statement->n_kids == 1;
    if (!good && !session_failed(session))
        diag_new(session->context->diagnostics, DIAG_bad_value, NO_SPAN, "one expression is wanted here");
    if (good) {
        Snapshot snapshot = snapshot_take(session);
        context_refresh(session->context);
        Value value = evaluate(session->el, session->scope, kid_expr(statement));
        session_note_starts(session);
        good = !value_is_error(value) && use(session, value, data);
        snapshot_restore(session, &snapshot);
        snapshot_free(&snapshot);
    }
    return !session_report(session) && good;
}

bool session_has(const Session *session, const char *name)
{
    Name interned = intern(session->context->names, name);
    return scope_find(session->scope, interned, false) || stored_find(session->el, interned);
}
