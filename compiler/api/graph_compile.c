/* nnc.h: graphs to models, files and formulas. */
#include <string.h>

#include "api/deploy.h"
#include "api/graph.h"
#include "api/outputs.h"
#include "ir/build.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

static Function function_of(const nnc_graph *graph, const char *name, const Result *results, size_t count)
{
    Arena *arena = graph->context->arena;
    return (Function){.name = intern(graph->context->names, name),
                      .results = ARENA_COPY(arena, Result, results, count),
                      .n_results = (uint32_t)count};
}

static Node total_loss(const nnc_graph *graph)
{
    Node total = NODE_NONE;
    for (size_t i = 0; i < graph->gives.count; i++) {
        const Result *result = &graph->gives.at[i];
        if (result->role != RESULT_LOSS) continue;
        total = node_is_none(total) ? result->value : build_binary(graph->graph, OP_ADD, total, result->value);
    }
    return total;
}

typedef struct {
    const nnc_graph *graph;
    bool training;
} Form;

static Node choose_form(void *data, Node old, Node rebuilt)
{
    const Form *form = data;
    if (!node_same(old, form->graph->training)) return rebuilt;
    return build_constant(form->graph->graph, type_scalar(DTYPE_BOOL), form->training);
}

/* The nodes as they are in one of the two forms. */
static void in_form(const nnc_graph *graph, bool training, Node *nodes, uint32_t count)
{
    Form form = {graph, training};
    if (!node_is_none(graph->training)) graph_rewrite(graph->graph, nodes, count, choose_form, &form);
}

/* "inference": what the model gives, and the states that each forward changes. "training": the same in its own form,
 * the gradients of the loss, and the updates. */
static Function form_of(const nnc_graph *graph, bool training)
{
    Vec(Result) results = {0};
    Node loss = total_loss(graph);
    for (size_t i = 0; i < graph->gives.count; i++) vec_push(&results, graph->gives.at[i]);
    for (size_t i = 0; i < graph->advances.count; i++) vec_push(&results, graph->advances.at[i]);
    for (size_t i = 0; i < graph->params.count && training && !node_is_none(loss); i++) {
        Node param = graph->params.at[i].node;
        Name path = graph_node(graph->graph, param)->attr.name;
        Node gradient = build_gradient(graph->graph, loss, param);
        vec_push(&results, (Result){RESULT_GRADIENT, path, gradient, NODE_NONE});
    }
    for (size_t i = 0; i < graph->updates.count && training; i++) vec_push(&results, graph->updates.at[i]);
    Node *nodes = ARENA_ARRAY(graph->context->arena, Node, results.count + 1);
    uint32_t count = 0;
    for (size_t i = 0; i < results.count; i++) nodes[count++] = results.at[i].value;
    if (!node_is_none(loss)) nodes[count++] = loss;
    in_form(graph, training, nodes, count);
    for (size_t i = 0; i < results.count; i++) results.at[i].value = nodes[i];
    Function function = function_of(graph, training ? "training" : "inference", results.at, results.count);
    function.loss = node_is_none(loss) ? NODE_NONE : nodes[count - 1];
    vec_free(&results);
    return function;
}

/* The settings; `steps` is among them where there is a `progress` that follows from it. */
static void add_settings(const nnc_graph *graph, Module *module)
{
    bool progress = false, steps = false;
    module->n_settings = (uint32_t)graph->settings.count;
    module->settings = ARENA_ARRAY(graph->context->arena, Declared, graph->settings.count + 1);
    for (uint32_t i = 0; i < module->n_settings; i++) {
        Name name = graph_node(graph->graph, graph->settings.at[i].node)->attr.name;
        progress = progress || !strcmp(name, "progress");
        steps = steps || !strcmp(name, "steps");
        module->settings[i] = graph->settings.at[i];
    }
    if (!progress || steps) return;
    Node node = build_setting(graph->graph, intern(graph->context->names, "steps"), DTYPE_I64, 0);
    module->settings[module->n_settings++] = (Declared){.node = node};
}

/* The module of the graph as it is now; passes may change it without changing the graph's own lists. */
static Module *module_of(const nnc_graph *graph)
{
    Arena *arena = graph->context->arena;
    Module *module = ARENA_NEW(arena, Module);
    *module = (Module){.name = graph->name, .graph = graph->graph, .n_functions = 3};
    module->n_inputs = (uint32_t)graph->inputs.count;
    module->inputs = ARENA_COPY(arena, Declared, graph->inputs.at, graph->inputs.count);
    module->n_params = (uint32_t)graph->params.count;
    module->params = ARENA_COPY(arena, Declared, graph->params.at, graph->params.count);
    module->n_states = (uint32_t)graph->states.count;
    module->states = ARENA_COPY(arena, Declared, graph->states.at, graph->states.count);
    add_settings(graph, module);
    module_list_dims(module);
    module->functions = ARENA_ARRAY(arena, Function, 3);
    module->functions[0] = function_of(graph, "initialise", graph->first.at, graph->first.count);
    module->functions[1] = form_of(graph, false);
    module->functions[2] = form_of(graph, true);
    return module;
}

/* The caller's options; false after a diagnostic for those that say something of sources. */
static bool read_options(nnc_graph *graph, const nnc_options *given, nnc_options *options)
{
    if (!options_read(graph->context, given, options)) return false;
    const char *wrong = options->model        ? "a model to choose"
                        : options->n_bindings ? "sizes to bind"
                        : options->n_presets  ? "defaults of settings"
                        : options->n_data     ? "data files"
                        : options->f64        ? "other types"
                                              : NULL;
    if (wrong) diag_new(graph->context->diagnostics, DIAG_bad_option, NO_SPAN, "a graph has no %s", wrong);
    return !wrong;
}

/* The rewritten module; NULL after a diagnostic. */
static Module *rewrite(nnc_graph *graph, const nnc_options *options)
{
    Context *context = graph->context;
    if (graph->failed || !(graph->gives.count || graph->advances.count)) {
        if (!diagnostics_errors(context->diagnostics))
            diag_new(context->diagnostics, DIAG_bad_graph, NO_SPAN,
                     graph->failed ? "a call that built the graph failed"
                                   : "the model gives nothing: no output, no loss");
        return NULL;
    }
    Program program = {.module = module_of(graph)};
    if (graph->failed) return NULL; /* losses that cannot be added */
    const char *wrong = module_verify(program.module);
    if (wrong) {
        diag_new(context->diagnostics, DIAG_bad_graph, NO_SPAN, "%s", wrong);
        return NULL;
    }
    if (options->name && !deploy_rename(context, &program, options->name)) return NULL;
    if (options->inference) deploy_without_training(context, &program);
    GraphListener listener = graph_listen(graph->graph, (GraphListener){0}); /* what passes make fits */
    bool good = passes_run(RECIPE_COMPILE, program.module, NULL);
    graph_listen(graph->graph, listener);
    return good ? program.module : NULL;
}

/* What one call makes of a graph. */
typedef struct {
    nnc_graph *graph;
    const nnc_options *given;
    nn_model **model;
    const char *output;
    nnc_value of, wrt;
    nnc_form form;
} Job;

static int run(Job *job, bool (*work)(void *job))
{
    compiler_begin(job->graph->compiler);
    Context *context = job->graph->context;
    context->budget = DEFAULT_BUDGET;
    context_refresh(context);
    bool good = workspace_run(job->graph->workspace, work, job);
    context_refresh(context);
    context->budget = UINT64_MAX;
    good = compiler_report(job->graph->compiler, job->graph->workspace) && good;
    return good ? 0 : 1;
}

static bool make_model(void *data)
{
    Job *job = data;
    nnc_graph *graph = job->graph;
    nnc_options options;
    Module *module = read_options(graph, job->given, &options) ? rewrite(graph, &options) : NULL;
    Plan *plan = module ? schedule(graph->context, module, NULL) : NULL;
    return plan && model_make(graph->workspace, plan, &options, job->model);
}

int nnc_graph_compile(nnc_graph *graph, const nnc_options *given, nn_model **model)
{
    if (!graph || !model) return 1;
    *model = NULL;
    int status = run(&(Job){.graph = graph, .given = given, .model = model}, make_model);
    return status ? drop_model(model) : 0;
}

static bool write_output(void *data)
{
    Job *job = data;
    nnc_graph *graph = job->graph;
    nnc_options options;
    if (!read_options(graph, job->given, &options)) return false;
    const Output *output = output_find(graph->context, "", job->output);
    Module *module = output ? rewrite(graph, &options) : NULL;
    Plan *plan = module && output_needs_plan(output) ? schedule(graph->context, module, NULL) : NULL;
    return module && (plan || !output_needs_plan(output)) &&
           model_write(graph->context, output, module, plan, &options, job->output);
}

int nnc_graph_write(nnc_graph *graph, const nnc_options *given, const char *path)
{
    if (!graph || !path) return 1;
    return run(&(Job){.graph = graph, .given = given, .output = path}, write_output);
}

static bool make_formula(void *data)
{
    Job *job = data;
    nnc_graph *graph = job->graph;
    Node nodes[2];
    if (!graph_values(graph, (nnc_value[]){job->of, job->wrt}, 2, nodes)) return false;
    in_form(graph, false, nodes, 2);
    return formula_make(graph->compiler, module_of(graph), nodes[0], nodes[1], job->form);
}

int nnc_graph_gradient(nnc_graph *graph, nnc_value of, nnc_value wrt, nnc_form form, const char **formula)
{
    if (!graph || !formula) return 1;
    *formula = NULL;
    Job job = {.graph = graph, .of = of, .wrt = wrt, .form = form};
    int status = run(&job, make_formula);
    if (!status) *formula = graph->compiler->formula ? graph->compiler->formula : "";
    return status;
}
