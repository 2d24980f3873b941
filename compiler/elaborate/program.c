/* From a source text to a program: the data's shapes, the model in both forms, gradients and updates, the module. */
#include "elaborate/program.h"

#include <stdlib.h>
#include <string.h>

#include "elaborate/data.h"
#include "elaborate/train.h"
#include "elaborate/twice.h"
#include "elaborate/uses.h"

typedef struct {
    Elaborator *el;
    const Item *model, *train;
    Program *program;
    TrainSettings settings;
    UpdateRules rules;
    DataSplits data;
    Vec(Function) functions;
} Compilation;

/* `file` is the place that stands for all of it. */
static const Item *choose_model(Context *context, const Items *items, const char *name, Span file)
{
    Vec(const char *) names = {0};
    const Item *found = NULL, *first = NULL;
    for (const Item *item = items_first(items); item; item = item->next) {
        if (item->space != SPACE_MODEL) continue;
        if (!first) first = item;
        if (name && !strcmp(item->name, name)) found = item;
        vec_push(&names, item->name);
    }
    if (!name) found = first;
    if (!found) {
        Diag *diag =
            diag_new(context->diagnostics, name ? DIAG_unknown_model : DIAG_no_model, file,
                     name ? "there is no model called `%s`" : "there is no model in this file%s", name ? name : "");
        const char *near = name ? nearest_spelling(name, names.at, names.count) : NULL;
        if (near) diag_hint(diag, "did you mean `%s`?", near);
        if (!name) diag_hint(diag, "a file that is compiled has a block `model NAME { … }`");
    }
    vec_free(&names);
    return found;
}

Scope *model_run(Elaborator *el, const Syntax *model, ModelForm form)
{
    Value ignored;
    Scope *scope = scope_new(el, NULL, false);
    el->form = form;
    el->cells.count = el->streams.count = el->results.count = el->losses.count = 0;
    named_forget(el);
    el->body.frame = frame_for_model(el);
    el->body.kind = SYNTAX_MODEL;
    enter_body(el, model);
    el->n_identities = 0;
    run_statements(el, scope, kid_body(model), &ignored);
    el->body.kind = SYNTAX_FILE;
    enter_body(el, NULL);
    graph_set_layer(el->graph, NULL);
    return scope;
}

static void run_form(Compilation *c, ModelForm form)
{
    model_run(c->el, c->model->syntax, form);
    frame_free(c->el->body.frame);
    c->el->body.frame = NULL;
}

/* What a form computed, as a function. */
static void add_function(Compilation *c, const char *name)
{
    Elaborator *el = c->el;
    Function function = {.name = intern(el->context->names, name), .loss = total_loss(el)};
    for (size_t i = 0; i < el->losses.count; i++)
        vec_push(&el->results,
                 (Result){.role = RESULT_LOSS, .name = el->losses.at[i].name, .value = el->losses.at[i].value});
    for (size_t i = 0; i < el->cells.count; i++) {
        const StateCell *cell = el->cells.at[i];
        if (!node_same(cell->old, cell->now))
            vec_push(&el->results, (Result){RESULT_UPDATE, cell->path, cell->now, cell->old});
    }
    function.n_results = (uint32_t)el->results.count;
    function.results = ARENA_COPY(el->arena, Result, el->results.at, el->results.count);
    vec_push(&c->functions, function);
}

static void add_initialise(Compilation *c)
{
    Elaborator *el = c->el;
    el->results.count = 0;
    for (size_t i = 0; i < el->params.count; i++)
        vec_push(&el->results, (Result){RESULT_INIT, el->params.at[i].path, el->params.at[i].start, NODE_NONE});
    for (size_t i = 0; i < el->states.count; i++)
        vec_push(&el->results, (Result){RESULT_INIT, el->states.at[i].path, el->states.at[i].start, NODE_NONE});
    Function function = {.name = intern(el->context->names, "initialise"), .n_results = (uint32_t)el->results.count};
    function.results = ARENA_COPY(el->arena, Result, el->results.at, el->results.count);
    vec_push(&c->functions, function);
}

static Declared *declared_of(Elaborator *el, const Stored *all, size_t count)
{
    Declared *declared = ARENA_ARRAY(el->arena, Declared, count + 1);
    for (size_t i = 0; i < count; i++) declared[i] = (Declared){all[i].node, all[i].doc, all[i].place};
    return declared;
}

/* Sizes that options or the data gave. */
static void list_sizes(Compilation *c)
{
    const Elaborator *el = c->el;
    BindOption *sizes = ARENA_ARRAY(el->arena, BindOption, el->bound_dims.count + 1);
    for (size_t i = 0; i < el->bound_dims.count; i++) {
        const Binding *bound = &el->bound_dims.at[i];
        BindOption *size = &sizes[c->program->n_sizes];
        size->name = bound->name;
        c->program->n_sizes += value_is_integer(el, bound->value, &size->size);
    }
    c->program->sizes = sizes;
}

static void make_module(Compilation *c)
{
    Elaborator *el = c->el;
    Module *module = ARENA_NEW(el->arena, Module);
    module->name = c->model->name;
    module->graph = el->graph;
    module->n_inputs = (uint32_t)el->inputs.count;
    module->inputs = ARENA_COPY(el->arena, Declared, el->inputs.at, el->inputs.count);
    module->n_settings = (uint32_t)el->settings.count;
    module->settings = ARENA_COPY(el->arena, Declared, el->settings.at, el->settings.count);
    module->n_params = (uint32_t)el->params.count;
    module->params = declared_of(el, el->params.at, el->params.count);
    module->n_states = (uint32_t)el->states.count;
    module->states = declared_of(el, el->states.at, el->states.count);
    module_list_dims(module);
    module->n_functions = (uint32_t)c->functions.count;
    module->functions = ARENA_COPY(el->arena, Function, c->functions.at, c->functions.count);
    module->n_checks = (uint32_t)el->checks.count;
    module->checks = module->n_checks ? ARENA_COPY(el->arena, Check, el->checks.at, el->checks.count) : NULL;
    c->program->module = module;
}

static void list_params(Compilation *c)
{
    Elaborator *el = c->el;
    ProgramParam *params = ARENA_ARRAY(el->arena, ProgramParam, el->params.count + 1);
    for (size_t i = 0; i < el->params.count; i++) {
        const Stored *param = &el->params.at[i];
        params[i] = (ProgramParam){param->path, param->node, NULL};
        if (c->train) params[i].optimizer = train_rule(&c->rules, param->path)->item->name;
    }
    c->program->params = params;
    c->program->n_params = (uint32_t)el->params.count;
}

static void unknown_option(Elaborator *el, const char *option, const char *name, const char *const *names, size_t count)
{
    Diag *diag = diag_new(el->context->diagnostics, DIAG_unknown_option, NO_SPAN, "`%s %s`: the model has no such name",
                          option, name);
    const char *near = nearest_spelling(name, names, count);
    if (near) diag_hint(diag, "did you mean `%s`?", near);
}

static void check_options(Compilation *c)
{
    Elaborator *el = c->el;
    const ProgramOptions *options = el->options;
    Vec(const char *) names = {0};
    for (size_t i = 0; i < el->settings.count; i++) {
        Name name = graph_node(el->graph, el->settings.at[i].node)->attr.name;
        /* These two follow from the number of updates and are nobody's to set. */
        if (name != el->name_step && name != el->name_progress) vec_push(&names, name);
    }
    for (size_t i = 0; i < options->n_sets; i++) {
        bool known = false;
        for (size_t k = 0; k < names.count; k++) known |= !strcmp(names.at[k], options->sets[i].name);
        if (!known) unknown_option(el, "--set", options->sets[i].name, names.at, names.count);
    }
    names.count = 0;
    for (size_t i = 0; i < el->dim_names.count; i++) vec_push(&names, el->dim_names.at[i]);
    for (size_t i = 0; i < options->n_binds; i++) {
        bool known = false;
        for (size_t k = 0; k < names.count; k++) known |= !strcmp(names.at[k], options->binds[i].name);
        if (!known) unknown_option(el, "--bind", options->binds[i].name, names.at, names.count);
    }
    vec_free(&names);
}

static bool has_errors(const Compilation *c)
{
    return diagnostics_errors(c->el->context->diagnostics) != 0;
}

static Program *compile(Compilation *c)
{
    Elaborator *el = c->el;
    if (el->options->provider) data_read(el, c->model->syntax, &c->data);
    run_form(c, FORM_INFERENCE);
    if (has_errors(c)) return NULL;
    add_function(c, "inference");
    run_form(c, FORM_TRAINING);
    if (c->train) train_read(el, c->train->syntax, &c->settings, &c->rules);
    if (has_errors(c) || !optimize(el, &c->settings, c->train ? &c->rules : NULL)) return NULL;
    add_function(c, "training");
    add_initialise(c);
    c->program = ARENA_NEW(el->arena, Program);
    for (size_t i = 0; i < c->data.count; i++) {
        Function function;
        if (data_function(el, &c->data, i, &function)) vec_push(&c->functions, function);
    }
    if (c->train && el->options->will_train) data_require(el, &c->data, &c->functions.at[1], &c->settings);
    if (c->train) uses_check_training(el, c->functions.at, c->train);
    uses_warn(el, c->functions.at, (uint32_t)c->functions.count);
    twice_warn(el, &c->functions.at[TRAINING_FUNCTION]);
    check_options(c);
    make_module(c);
    list_params(c);
    list_sizes(c);
    c->program->doc = c->model->syntax->doc;
    c->program->train = c->settings;
    c->program->splits = c->data.splits;
    c->program->n_splits = (uint32_t)c->data.count;
    return has_errors(c) ? NULL : c->program;
}

static Program *make_program(Context *context, const char *path, const Items *items, const ProgramOptions *options,
                             Span file)
{
    static const ProgramOptions none = {0};
    if (!options) options = &none;
    const Item *model = choose_model(context, items, options->model, file);
    if (!model) return NULL;
    Compilation c = {.el = elaborator_new(context, items, options, path), .model = model};
    c.train = items_find(items, SPACE_TRAIN, model->name, false);
    Program *program = compile(&c);
    if (!program) graph_free(c.el->graph);
    data_free(&c.data);
    vec_free(&c.functions);
    vec_free(&c.rules.overrides);
    elaborator_free(c.el);
    return program;
}

Program *program_from_items(Context *context, const char *path, const Items *items, const ProgramOptions *options)
{
    return make_program(context, path, items, options, NO_SPAN);
}

Program *program_compile(Context *context, const char *path, const Source *source, const ProgramOptions *options)
{
    const Items *items = items_load(context, path, source);
    Span first = {source->start, source->start + 1};
    return items ? make_program(context, path, items, options, first) : NULL;
}

const Split *program_split(const Program *program, const char *name)
{
    for (uint32_t i = 0; i < program->n_splits; i++)
        if (!strcmp(program->splits[i].name, name)) return &program->splits[i];
    return NULL;
}
