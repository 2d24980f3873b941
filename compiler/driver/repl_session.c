#include "driver/repl_session.h"

#include <stdlib.h>
#include <string.h>

#include "driver/arguments.h"
#include "driver/report.h"

enum {
    GROWTH = 4,             /* a generation that is so many times as large as at its birth makes room for a new one */
    SLACK = 4 * 1024 * 1024 /* but not before it has grown by so many bytes */
};

static void generation_free(Session *session)
{
    parser_free(session->parser);
    if (session->el) {
        frame_free(session->el->body.frame);
        graph_free(session->el->graph);
        elaborator_free(session->el);
    }
    context_free(session->context);
    vec_free(&session->starts);
    vec_free(&session->settled);
    vec_free(&session->names);
    vec_free(&session->learned);
    session->parser = NULL;
    session->el = NULL;
    session->context = NULL;
}

static void generation_new(Session *session)
{
    session->context = context_new_on(session->library);
    session->context->stop = session->stop;
    session->items = items_prelude(session->context);
    items_replace(session->items, true);
    session->how = (ProgramOptions){0};
    arguments_read(session->context, session->options, &session->how);
    session->how.sets = NULL; /* they are a model's */
    session->how.n_sets = 0;
    session->el = elaborator_new(session->context, session->items, &session->how, NULL);
    session->el->form = FORM_INFERENCE;
    session->el->body.kind = SYNTAX_MODEL;
    session->el->body.frame = frame_for_model(session->el);
    session->el->interactive = true;
    session->scope = scope_new(session->el, NULL, false);
    session->parser = parser_new(session->context);
}

/* What the user has is not lost by an interruption: it is not heard meanwhile. */
static void replay(Session *session)
{
    session->replaying = true;
    session->context->stop = NULL;
    Journal old = session->journal;
    session->journal = (Journal){0};
    for (size_t i = 0; i < old.entries.count; i++) {
        const Entry *entry = &old.entries.at[i];
        if (entry->path) {
            session_take_file(session, entry->path, entry->text);
        } else {
            const Syntax *file = session_parse_at(session, entry->text, entry->line);
            if (file) session_run(session, file);
        }
        diagnostics_clear(session->context->diagnostics);
    }
    journal_clear(&old);
    session->replaying = false;
    session->context->stop = session->stop;
    session->born = arena_used(session->context->arena);
}

/* A name whose value is a number, or an array without unknowns, needs nothing but that value: so a counter that is
 * counted up for ever has no history. */
static void settle(Session *session)
{
    for (size_t i = 0; i < session->journal.entries.count; i++) {
        Entry *entry = &session->journal.entries.at[i];
        if (entry->path || entry->defines.count != 1 || entry->defines.at[0][0] != 'v') continue;
        const char *name = entry->defines.at[0] + 1;
        const Binding *binding = scope_find(session->scope, intern(session->context->names, name), false);
        bool depends = false, last = true;
        for (size_t k = 0; k < session->journal.entries.count; k++) {
            const Entry *other = &session->journal.entries.at[k];
            for (size_t u = 0; u < entry->uses.count; u++)
                for (const char *space = "vfc"; *space; space++)
                    depends |= names_have(&other->defines, *space, entry->uses.at[u] + 1);
            last &= k <= i || !names_have(&other->defines, 'v', name);
        }
        Text text = {0};
        text_format(&text, "%s = ", name);
        if (binding && last && depends && session_as_text(session, binding->value, &text)) {
            free(entry->text);
            entry->text = strdup(text_get(&text));
            if (!entry->text) abort();
            names_free(&entry->uses);
        }
        text_free(&text);
    }
}

void session_renew(Session *session)
{
    journal_prune(&session->journal);
    settle(session);
    journal_prune(&session->journal);
    generation_free(session);
    generation_new(session);
    replay(session);
}

Session *session_new(const Options *options)
{
    Session *session = calloc(1, sizeof *session);
    if (!session) abort();
    session->options = options;
    session->library = context_new();
    if (options->budget > 0) session->library->budget = (uint64_t)options->budget;
    items_prelude(session->library);
    generation_new(session);
    session->born = arena_used(session->context->arena);
    session_report(session);
    return session;
}

void session_stop_at(Session *session, volatile sig_atomic_t *stop)
{
    session->stop = stop;
    session->context->stop = stop;
}

static void forget_all(Session *session)
{
    for (size_t i = 0; i < session->given.count; i++) {
        free(session->given.at[i].name);
        array_free(&session->given.at[i].value);
    }
    vec_free(&session->given);
    for (size_t i = 0; i < session->models.count; i++) loaded_free(session->models.at[i]);
    vec_free(&session->models);
    journal_clear(&session->journal);
    generation_free(session);
}

void session_free(Session *session)
{
    if (!session) return;
    forget_all(session);
    context_free(session->library);
    free(session);
}

void session_reset(Session *session)
{
    forget_all(session);
    generation_new(session);
    session->born = arena_used(session->context->arena);
}

bool session_continues(const Session *session)
{
    return session->unfinished;
}

void session_interrupt(Session *session)
{
    parser_reset(session->parser);
    session->unfinished = false;
}

static void after_lines(Session *session, ParserState state)
{
    session->unfinished = state == PARSER_INCOMPLETE;
    if (state == PARSER_ERROR) session_report(session);
    if (state != PARSER_COMPLETE) return;
    session_run(session, parser_take(session->parser));
    fflush(stdout);
    if (arena_used(session->context->arena) > GROWTH * session->born + SLACK) session_renew(session);
}

static bool is_blank(const char *line)
{
    return !line[strspn(line, " \t\r\n")];
}

bool session_line(Session *session, const char *line)
{
    const char *start = line + strspn(line, " \t");
    session->line++;
    if (!session->unfinished && *start == ':') {
        session_command(session, start + 1);
        return !session->leaving;
    }
    if (!session->unfinished && is_blank(line)) return true;
    parser_at_line(session->parser, session->line);
    after_lines(session, parser_feed(session->parser, session_prompt_name, line, strlen(line)));
    return true;
}

void session_finish(Session *session)
{
    if (session->unfinished) after_lines(session, parser_finish(session->parser));
}

bool session_load(Session *session, const char *path)
{
    const Source *source = read_source(session->context, path);
    bool good = source && session_take_file(session, path, source->text);
    session_report(session);
    return good;
}
