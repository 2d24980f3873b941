#include "driver/repl_snapshot.h"

#define SAVE(to, from)                                                                                                 \
    for (size_t save_i = 0; save_i < (from).count; save_i++) vec_push(&(to), (from).at[save_i])

Snapshot snapshot_take(Session *session)
{
    Elaborator *el = session->el;
    Snapshot s = {.first = session->scope->first};
    for (Binding *b = s.first; b; b = b->next) {
        vec_push(&s.bindings, b);
        vec_push(&s.values, *b);
    }
    SAVE(s.params, el->params);
    SAVE(s.states, el->states);
    SAVE(s.counters, el->body.frame->counters);
    SAVE(s.streams, el->streams);
    SAVE(s.cells, el->cells);
    for (size_t i = 0; i < el->cells.count; i++) vec_push(&s.cell_values, *el->cells.at[i]);
    SAVE(s.names, session->names);
    SAVE(s.learned, session->learned);
    s.n_inputs = el->inputs.count;
    s.n_settings = el->settings.count;
    s.n_checks = el->checks.count;
    s.n_starts = session->starts.count;
    return s;
}

void snapshot_restore(Session *session, const Snapshot *s)
{
    Elaborator *el = session->el;
    session->scope->first = s->first;
    scope_shrunk(session->scope);
    for (size_t i = 0; i < s->bindings.count; i++) *s->bindings.at[i] = s->values.at[i];
    el->params.count = el->states.count = el->body.frame->counters.count = el->streams.count = 0;
    el->cells.count = session->names.count = session->learned.count = 0;
    SAVE(el->params, s->params);
    SAVE(el->states, s->states);
    SAVE(el->body.frame->counters, s->counters);
    SAVE(el->streams, s->streams);
    for (size_t i = 0; i < s->cells.count; i++) *s->cells.at[i] = s->cell_values.at[i];
    SAVE(el->cells, s->cells);
    SAVE(session->names, s->names);
    SAVE(session->learned, s->learned);
    el->inputs.count = s->n_inputs;
    el->settings.count = s->n_settings;
    el->checks.count = s->n_checks;
    session->starts.count = s->n_starts;
    el->body.frame->base = NULL;
    named_forget(el);
    frame_recount(el);
    for (size_t i = 0; i < s->unnamed.count; i++)
        graph_set_name(el->graph, s->unnamed.at[i].node, s->unnamed.at[i].name);
}

void snapshot_free(Snapshot *s)
{
    vec_free(&s->bindings);
    vec_free(&s->values);
    vec_free(&s->params);
    vec_free(&s->states);
    vec_free(&s->counters);
    vec_free(&s->streams);
    vec_free(&s->cells);
    vec_free(&s->cell_values);
    vec_free(&s->names);
    vec_free(&s->learned);
    vec_free(&s->unnamed);
}
