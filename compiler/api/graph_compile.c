/* nnc.h: graphs to models, files and formulas. */
#include <string.h>

#include "api/graph.h"
#include "api/outputs.h"
#include "ir/build.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

typedef struct {
    Vec(Name) names;
} Symbols;

static void add_symbol(void *data, Name symbol)
{
    Symbols *symbols = data;
    for (size_t i = 0; i < symbols->names.count; i++)
        if (symbols->names.at[i] == symbol) return;
    vec_push(&symbols->names, symbol);
}

static void add_symbols(const Graph *graph, const Declared *declared, size_t count, Symbols *symbols)
{
    for (size_t i = 0; i < count; i++) {
        const Type *type = node_type(graph, declared[i].node);
        for (uint32_t k = 0; k < type->rank; k++) dim_symbols(graph_dims(graph), type->dims[k], add_symbol, symbols);
        if (!dim_is_none(type->range)) dim_symbols(graph_dims(graph), type->range, add_symbol, symbols);
    }
}

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

/* "training": what "inference" gives, the gradients of the loss, and the updates. */
static Function training_of(const nnc_graph *graph, Node loss)
{
    Vec(Result) results = {0};
    for (size_t i = 0; i < graph->gives.count; i++) vec_push(&results, graph->gives.at[i]);
    for (size_t i = 0; i < graph->params.count && !node_is_none(loss); i++) {
        Node param = graph->params.at[i].node;
        Name path = graph_node(graph->graph, param)->attr.name;
        Node gradient = build_gradient(graph->graph, loss, param);
        vec_push(&results, (Result){RESULT_GRADIENT, path, gradient, NODE_NONE});
    }
    for (size_t i = 0; i < graph->updates.count; i++) vec_push(&results, graph->updates.at[i]);
    Function function = function_of(graph, "training", results.at, results.count);
    vec_free(&results);
    return function;
}

/* The module of the graph as it is now; passes may change it without changing the graph's own lists. */
static Module *module_of(const nnc_graph *graph)
{
    Arena *arena = graph->context->arena;
    Module *module = ARENA_NEW(arena, Module);
    Symbols symbols = {0};
    add_symbols(graph->graph, graph->inputs.at, graph->inputs.count, &symbols);
    add_symbols(graph->graph, graph->params.at, graph->params.count, &symbols);
    add_symbols(graph->graph, graph->states.at, graph->states.count, &symbols);
    *module = (Module){.name = graph->name, .graph = graph->graph, .n_functions = 3};
    module->n_dims = (uint32_t)symbols.names.count;
    module->dims = ARENA_COPY(arena, Name, symbols.names.at, symbols.names.count);
    module->n_inputs = (uint32_t)graph->inputs.count;
    module->inputs = ARENA_COPY(arena, Declared, graph->inputs.at, graph->inputs.count);
    module->n_params = (uint32_t)graph->params.count;
    module->params = ARENA_COPY(arena, Declared, graph->params.at, graph->params.count);
    module->n_states = (uint32_t)graph->states.count;
    module->states = ARENA_COPY(arena, Declared, graph->states.at, graph->states.count);
    module->n_settings = (uint32_t)graph->settings.count;
    module->settings = ARENA_COPY(arena, Declared, graph->settings.at, graph->settings.count);
    vec_free(&symbols.names);
    Node loss = total_loss(graph);
    module->functions = ARENA_ARRAY(arena, Function, 3);
    module->functions[0] = function_of(graph, "initialise", graph->first.at, graph->first.count);
    module->functions[1] = function_of(graph, "inference", graph->gives.at, graph->gives.count);
    module->functions[2] = training_of(graph, loss);
    module->functions[1].loss = module->functions[2].loss = loss;
    return module;
}

/* The rewritten module; NULL after a diagnostic. */
static Module *rewrite(nnc_graph *graph)
{
    Context *context = graph->context;
    if (graph->failed || !graph->gives.count) {
        if (!diagnostics_errors(context->diagnostics))
            diag_new(context->diagnostics, DIAG_bad_graph, NO_SPAN,
                     graph->failed ? "a call that built the graph failed"
                                   : "the model gives nothing: no output, no loss");
        return NULL;
    }
    Module *module = module_of(graph);
    const char *wrong = module_verify(module);
    if (wrong) {
        diag_new(context->diagnostics, DIAG_bad_graph, NO_SPAN, "%s", wrong);
        return NULL;
    }
    return passes_run(module, NULL) ? module : NULL;
}

static int finish(nnc_graph *graph, bool good)
{
    compiler_report(graph->compiler, graph->workspace);
    return good ? 0 : 1;
}

int nnc_graph_compile(nnc_graph *graph, const nnc_options *given, nn_model **model)
{
    nnc_options options;
    if (!graph || !model) return 1;
    *model = NULL;
    compiler_begin(graph->compiler);
    Module *module = options_read(graph->context, given, &options) ? rewrite(graph) : NULL;
    Plan *plan = module ? schedule(graph->context, module, NULL) : NULL;
    return finish(graph, plan && model_make(graph->workspace, plan, &options, model));
}

int nnc_graph_write(nnc_graph *graph, const nnc_options *given, const char *path)
{
    nnc_options options;
    if (!graph || !path) return 1;
    compiler_begin(graph->compiler);
    if (!options_read(graph->context, given, &options)) return finish(graph, false);
    const Output *output = output_find(graph->context, "", path);
    Module *module = output ? rewrite(graph) : NULL;
    Plan *plan = module && output_needs_plan(output) ? schedule(graph->context, module, NULL) : NULL;
    CodegenOptions how = {.cpu = options.cpu, .level = 2};
    bool good = module && (plan || !output_needs_plan(output)) &&
                output_write(graph->context, output, module, plan, &how, path);
    return finish(graph, good);
}

int nnc_graph_gradient(nnc_graph *graph, nnc_value of, nnc_value wrt, nnc_form form, const char **formula)
{
    Node nodes[2];
    if (!graph || !formula) return 1;
    *formula = NULL;
    compiler_begin(graph->compiler);
    bool good = graph_values(graph, (nnc_value[]){of, wrt}, 2, nodes) &&
                formula_make(graph->compiler, module_of(graph), nodes[0], nodes[1], form);
    if (good) *formula = text_get(&graph->compiler->formula);
    return finish(graph, good);
}
