#include "elaborate/elaborator.h"

#include <stdlib.h>
#include <string.h>

#define NAMES(name)                                                                                                    \
    name(dots, "...") name(axes, "[...]") name(blank, "_") name(w, "w") name(g, "g") name(out, "out") name(dy, "dy")   \
        name(fn, "fn") name(training, "training") name(step, "step") name(steps, "steps") name(progress, "progress")   \
            name(loss, "loss") name(transpose, "T")

/* A node that does not fit its operands is the text's mistake. */
static void refuse_node(void *data, const char *what)
{
    Elaborator *el = data;
    complain(el, DIAG_impossible_operation, el->here, "this is not possible: %s", what);
}

static void prepare(Elaborator *el, Context *context, const Items *items, const ProgramOptions *options)
{
    el->context = context;
    el->arena = context->arena;
    el->listener = graph_listen(el->graph, (GraphListener){refuse_node, el});
    el->items = items;
    el->options = options;
    el->real = options->f64 ? DTYPE_F64 : DTYPE_F32;
#define NAME(field, text) el->name_##field = intern(context->names, text);
    NAMES(NAME)
#undef NAME
    for (size_t i = 0; i < options->n_binds; i++) {
        Value size = value_integer(el, options->binds[i].size);
        vec_push(&el->bound_dims, (Binding){.name = intern(context->names, options->binds[i].name), .value = size});
    }
}

Elaborator *elaborator_new(Context *context, const Items *items, const ProgramOptions *options, const char *path)
{
    Elaborator *el = ARENA_NEW(context->arena, Elaborator);
    const char *slash = path ? strrchr(path, '/') : NULL;
    el->graph = graph_new(context);
    el->dims = graph_dims(el->graph);
    prepare(el, context, items, options);
    if (slash) el->folder = arena_text(el->arena, path, (size_t)(slash - path));
    return el;
}

Elaborator *elaborator_within(const Elaborator *outer, const ProgramOptions *options)
{
    Elaborator *el = ARENA_NEW(outer->arena, Elaborator);
    el->graph = outer->graph;
    el->dims = outer->dims;
    prepare(el, outer->context, outer->items, options);
    return el;
}

void elaborator_free(Elaborator *el)
{
    derivative_names_free(el);
    graph_listen(el->graph, el->listener);
    vec_free(&el->inputs);
    vec_free(&el->settings);
    vec_free(&el->params);
    vec_free(&el->states);
    vec_free(&el->cells);
    vec_free(&el->streams);
    vec_free(&el->results);
    vec_free(&el->losses);
    vec_free(&el->checks);
    vec_free(&el->dim_places);
    vec_free(&el->dim_names);
    vec_free(&el->bound_dims);
    vec_free(&el->consts);
    memo_free(&el->memo);
}

void mark_place(Elaborator *el, Span at)
{
    const Frame *frame = el->body.frame;
    el->here = at;
    bool turning = frame && frame->base && *frame->turns;
    graph_set_place(el->graph, el->body.prelude_call.end ? el->body.prelude_call : at);
    graph_set_layer(el->graph, turning ? intern_format(el->context->names, "%s%s", frame->base, frame->turns)
                               : frame ? frame->base
                                       : NULL);
}

static bool same_check(const Check *a, const Check *b)
{
    return dim_same(a->left, b->left) && dim_same(a->right, b->right) && node_same(a->condition, b->condition) &&
           a->message == b->message;
}

uint32_t check_part(const Check *check)
{
    return (check->left.id * 0x9E3779B9u + check->right.id) * 0x85EBCA6Bu + check->condition.id;
}

void check_add(Elaborator *el, Check check)
{
    check.message = intern(el->context->names, check.message);
    for (size_t i = named_find_part(el, NAMED_CHECK, check.message, check_part(&check)); i < el->checks.count; i++)
        if (same_check(&el->checks.at[i], &check)) return;
    vec_push(&el->checks, check);
    el->effects++;
}
