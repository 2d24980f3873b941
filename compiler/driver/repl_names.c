/* The names of a session, and whose they are: its own, or a model's. When a model is defined, what its body binds
 * (inputs, parameters, values, losses, metrics) is bound beside what the user has typed, over the same graph; so its
 * formulas can be computed with like any other. The values of its parameters stay with the model, which trains them. */
#include <string.h>

#include "driver/repl_snapshot.h"
#include "elaborate/train.h"

/* ---- A name that is bound again ---- */

/* True if a path is `name` or what a layer bound to it owns. */
static bool is_under(Name path, const char *name)
{
    size_t length = strlen(name);
    return !strncmp(path, name, length) && (!path[length] || path[length] == '.' || path[length] == '[');
}

#define DROP_UNDER(list, field, under)                                                                                 \
    do {                                                                                                               \
        size_t kept = 0;                                                                                               \
        for (size_t drop_i = 0; drop_i < (list)->count; drop_i++)                                                      \
            if (!is_under((list)->at[drop_i] field, under)) (list)->at[kept++] = (list)->at[drop_i];                   \
        (list)->count = kept;                                                                                          \
    } while (0)

/* Forgets parameters and states under a name, and their numbering. */
static void drop_stored(Elaborator *el, const char *name)
{
    DROP_UNDER(&el->params, .path, name);
    DROP_UNDER(&el->states, .path, name);
    DROP_UNDER(&el->body.frame->counters, .name, name);
    DROP_UNDER(&el->streams, .name, name);
    DROP_UNDER(&el->cells, ->path, name);
    named_forget(el);
    frame_recount(el);
}

/* Formulas no longer call the binding's node by its name. */
static void unname(Session *session, const Binding *binding, Snapshot *snapshot)
{
    Graph *graph = session->el->graph;
    if (!binding || binding->value.kind != VALUE_TENSOR) return;
    if (graph_name(graph, binding->value.node) != binding->name) return;
    if (snapshot) vec_push(&snapshot->unnamed, (Unnamed){binding->value.node, binding->name});
    graph_set_name(graph, binding->value.node, NULL);
}

static void drop_owned(OwnedList *list, Name name)
{
    for (size_t i = list->count; i-- > 0;)
        if (list->at[i].name == name) list->at[i] = vec_pop(list);
}

static const Owned *find_owned(const OwnedList *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->at[i].name, name)) return &list->at[i];
    return NULL;
}

void names_begin(Session *session, const char *name, Snapshot *snapshot)
{
    Name interned = intern(session->context->names, name);
    drop_stored(session->el, name);
    unname(session, scope_find(session->scope, interned, false), snapshot);
    drop_owned(&session->names, interned);
}

static void claim_all(Session *session, const Stored *all, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (is_under(all[i].path, name)) drop_owned(&session->learned, all[i].path);
}

void names_claim(Session *session, const char *name)
{
    claim_all(session, session->el->params.at, session->el->params.count, name);
    claim_all(session, session->el->states.at, session->el->states.count, name);
}

const char *names_model_of(const Session *session, const char *path)
{
    const Owned *owned = find_owned(&session->learned, path);
    return owned ? owned->model : NULL;
}

/* ---- The names of a model ---- */

typedef struct {
    Session *session;
    Name model;
    bool fresh;      /* it was defined now: its names hide those of before */
    Elaborator *own; /* where its body was run */
    Scope *scope;
} Bringing;

static bool is_owned_by(const OwnedList *list, Name name, Name model)
{
    const Owned *owned = find_owned(list, name);
    return owned && owned->model == model;
}

/* What is computed under a name that the language does not bind: metrics, and the sum of all losses. */
static void bind_results(const Bringing *b)
{
    Elaborator *own = b->own;
    for (size_t i = 0; i < own->results.count; i++) {
        const Result *result = &own->results.at[i];
        if (result->role != RESULT_METRIC || scope_find(b->scope, result->name, false)) continue;
        scope_bind(own, b->scope, result->name, false, value_tensor(result->value), NO_SPAN);
    }
    if (own->losses.count && !scope_find(b->scope, own->name_loss, false))
        scope_bind(own, b->scope, own->name_loss, false, value_tensor(total_loss(own)), NO_SPAN);
}

static void unbind(Session *session, Name name)
{
    for (Binding **at = &session->scope->first; *at;) {
        if ((*at)->name == name)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    scope_shrunk(session->scope);
}

/* What the model gave before, and does not give now, is gone. */
static void forget_names(const Bringing *b, NameList *gone)
{
    Session *session = b->session;
    for (size_t i = session->names.count; i-- > 0;) {
        const Owned owned = session->names.at[i];
        if (owned.model != b->model) continue;
        if (scope_find(b->scope, owned.name, false) || scope_find(b->scope, owned.name, true)) continue;
        unname(session, scope_find(session->scope, owned.name, false), NULL);
        unbind(session, owned.name);
        drop_owned(&session->names, owned.name);
        names_add(gone, 'v', owned.name);
    }
    for (size_t i = session->learned.count; i-- > 0;) {
        if (session->learned.at[i].model != b->model) continue;
        drop_stored(session->el, session->learned.at[i].name);
        session->learned.at[i] = vec_pop(&session->learned);
    }
}

static bool same_value(const Binding *a, const Binding *b)
{
    return a && a->value.kind == VALUE_TENSOR && b->value.kind == VALUE_TENSOR &&
           node_same(a->value.node, b->value.node);
}

/* One binding of the model becomes one of the session. */
static void adopt(const Bringing *b, const Binding *binding, NameList *brought)
{
    Session *session = b->session;
    Elaborator *el = session->el;
    const Binding *before = scope_find(session->scope, binding->name, binding->function);
    bool ours = is_owned_by(&session->names, binding->name, b->model);
    bool same = same_value(before, binding);
    if (value_is_error(binding->value)) return;
    if (before && !ours && !b->fresh) { /* the name is the user's */
        if (!same) unname(session, binding, NULL);
        return;
    }
    if (!same) unname(session, before, NULL);
    if (!session->replaying && !(ours && same)) session_forget(session, binding->name);
    drop_stored(el, binding->name);
    drop_owned(&session->names, binding->name);
    scope_bind(el, session->scope, binding->name, binding->function, binding->value, binding->place)->cell =
        binding->cell;
    bool named = binding->value.kind != VALUE_TENSOR || graph_name(el->graph, binding->value.node);
    if (!named) graph_set_name(el->graph, binding->value.node, binding->name);
    vec_push(&session->names, (Owned){binding->name, b->model});
    names_add(brought, binding->function ? 'f' : 'v', binding->name);
}

/* The user may have bound the name that a path begins with anew: then it is the user's. */
static bool is_reachable(const Bringing *b, Name path)
{
    const Session *session = b->session;
    Name root = intern_length(session->context->names, path, strcspn(path, ".["));
    const Binding *value = scope_find(session->scope, root, false), *function = scope_find(session->scope, root, true);
    return (!value && !function) || is_owned_by(&session->names, root, b->model);
}

/* Paths can be read as in the model. */
static void adopt_stored(const Bringing *b)
{
    Session *session = b->session;
    Elaborator *el = session->el;
    const Elaborator *own = b->own;
    for (size_t i = 0; i < own->params.count + own->states.count; i++) {
        bool state = i >= own->params.count;
        Stored stored = state ? own->states.at[i - own->params.count] : own->params.at[i];
        if (!is_reachable(b, stored.path) || stored_find(el, stored.path)) continue;
        if (state)
            vec_push(&el->states, stored);
        else
            vec_push(&el->params, stored);
        drop_owned(&session->learned, stored.path);
        if (!session->replaying) session_forget(session, stored.path);
        vec_push(&session->learned, (Owned){stored.path, b->model});
    }
    for (size_t i = 0; i < own->cells.count; i++) {
        Name path = own->cells.at[i]->path;
        if (stored_find(el, path) && named_find(el, NAMED_CELL, path) == NAME_MAP_NONE)
            vec_push(&el->cells, own->cells.at[i]);
    }
    for (size_t i = 0; i < own->settings.count; i++) {
        Name name = graph_node(own->graph, own->settings.at[i].node)->attr.name;
        if (is_owned_by(&session->names, name, b->model)) vec_push(&session->learned, (Owned){name, b->model});
    }
    for (size_t i = 0; i < own->body.frame->counters.count; i++) frame_count(el, own->body.frame->counters.at[i]);
    for (size_t i = 0; i < own->checks.count; i++) check_add(el, own->checks.at[i]);
}

static void adopt_all(const Bringing *b, NameList *brought, NameList *gone)
{
    Vec(const Binding *) bindings = {0};
    forget_names(b, gone);
    for (const Binding *binding = b->scope->first; binding; binding = binding->next) vec_push(&bindings, binding);
    while (bindings.count) adopt(b, vec_pop(&bindings), brought);
    vec_free(&bindings);
    adopt_stored(b);
    session_note_starts(b->session);
}

void names_bring(Session *session, const Loaded *model, bool fresh, NameList *brought, NameList *gone)
{
    Bringing b = {.session = session, .model = intern(session->context->names, model->name), .fresh = fresh};
    const Item *item = items_find(session->items, SPACE_MODEL, b.model, false);
    const Program *program = model->pipeline.program;
    const ProgramOptions how = {.binds = program->sizes, .n_binds = program->n_sizes};
    if (!item) return;
    b.own = elaborator_within(session->el, &how);
    b.scope = model_run(b.own, item->syntax, FORM_INFERENCE);
    bind_results(&b);
    if (!session_failed(session)) adopt_all(&b, brought, gone);
    diagnostics_clear(session->context->diagnostics); /* the model's own compilation has said them */
    frame_free(b.own->body.frame);
    elaborator_free(b.own);
}

void names_keep_bound(const Session *session, Node node)
{
    Graph *graph = session->el->graph;
    uint32_t count;
    Node *nodes = graph_reachable(graph, &node, 1, &count);
    for (uint32_t i = 0; i < count; i++) {
        Name name = graph_name(graph, nodes[i]);
        const Binding *binding = name ? scope_find(session->scope, name, false) : NULL;
        bool bound = binding && binding->value.kind == VALUE_TENSOR && node_same(binding->value.node, nodes[i]);
        if (name && !bound) graph_set_name(graph, nodes[i], NULL);
    }
    free(nodes);
}
