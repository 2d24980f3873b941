/* nnc grad: a derivative as a formula. */
#include "driver/commands.h"

#include <stdlib.h>
#include <string.h>

#include "display/display.h"
#include "driver/pipeline.h"
#include "ir/build.h"
#include "passes/passes.h"
#include "support/vector.h"

typedef struct {
    const Graph *graph;
    Vec(const char *) names;
} NameSearch;

/* A named value of the inference form: an input, parameter, state or setting, or what the user bound to a name. The last
 * binding of a name wins. */
static Node find_value(const Module *module, const char *name, NameSearch *seen)
{
    const Function *function = module_function(module, "inference");
    Vec(Node) roots = {0};
    uint32_t count;
    for (uint32_t i = 0; i < function->n_results; i++) vec_push(&roots, function->results[i].value);
    if (!node_is_none(function->loss)) vec_push(&roots, function->loss);
    Node *nodes = graph_reachable(module->graph, roots.at, (uint32_t)roots.count, &count);
    Node found = NODE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        Name own = graph_node(module->graph, nodes[i])->attr.name, called = graph_name(module->graph, nodes[i]);
        if ((own && !strcmp(own, name)) || (called && !strcmp(called, name))) found = nodes[i];
        if (own) vec_push(&seen->names, own);
        if (called && called != own) vec_push(&seen->names, called);
    }
    free(nodes);
    vec_free(&roots);
    return found;
}

static Node need_value(Pipeline *pipeline, const char *option, const char *name)
{
    NameSearch seen = {.graph = pipeline->program->module->graph};
    Node node = find_value(pipeline->program->module, name, &seen);
    if (node_is_none(node)) {
        Diag *diag = diag_new(pipeline->context->diagnostics, DIAG_bad_option, NO_SPAN,
                              "%s %s: the model has no value of that name", option, name);
        const char *nearest = nearest_spelling(name, seen.names.at, seen.names.count);
        if (nearest) diag_hint(diag, "did you mean `%s`?", nearest);
    }
    vec_free(&seen.names);
    return node;
}

/* The function "gradient" alone: what is asked for, rewritten and differentiated. */
static bool differentiate(Pipeline *pipeline, Node of, Node wrt, Node *gradient)
{
    Context *context = pipeline->context;
    Module *module = pipeline->program->module;
    if (node_type(module->graph, of)->rank > 0) {
        fprintf(stderr, "note: %s is no scalar; this differentiates its sum\n",
                pipeline->options->of ? pipeline->options->of : "the loss");
        of = build_reduce_all(module->graph, OP_SUM, of);
    }
    Result *result = ARENA_NEW(context->arena, Result);
    *result = (Result){RESULT_VALUE, intern(context->names, "gradient"), build_gradient(module->graph, of, wrt), NODE_NONE};
    Function *function = ARENA_NEW(context->arena, Function);
    *function = (Function){.name = result->name, .results = result, .n_results = 1};
    Module only = *module;
    only.functions = function;
    only.n_functions = 1;
    only.n_checks = 0;
    static const char *const order[] = {"fold", "simplify", "differentiate", "simplify", "fold"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (!pass_run(order[i], &only, NULL)) return false;
    *gradient = only.functions[0].results[0].value;
    return true;
}

int command_GRAD(const Options *options)
{
    if (!options->wrt) return usage_error(options, "by what? --wrt NAME");
    Pipeline pipeline = pipeline_start(options);
    if (!pipeline_program(&pipeline, false)) return pipeline_finish(&pipeline, EXIT_USER);
    Node loss = module_function(pipeline.program->module, "inference")->loss;
    Node of = options->of ? need_value(&pipeline, "--of", options->of) : loss, gradient;
    if (node_is_none(of) && !options->of)
        diag_new(pipeline.context->diagnostics, DIAG_bad_option, NO_SPAN,
                 "the model has no loss; --of NAME says what is differentiated");
    Node wrt = node_is_none(of) ? NODE_NONE : need_value(&pipeline, "--wrt", options->wrt);
    if (node_is_none(wrt) || !differentiate(&pipeline, of, wrt, &gradient)) return pipeline_finish(&pipeline, EXIT_USER);
    Text text = {0};
    display_formula(pipeline.program->module->graph, gradient, options->latex ? DISPLAY_LATEX : DISPLAY_TEXT, &text);
    puts(text_get(&text));
    text_free(&text);
    return pipeline_finish(&pipeline, EXIT_OK);
}
