#include "api/derivative.h"

#include <string.h>

#include "ir/build.h"
#include "support/memory.h"
#include "support/vector.h"

typedef struct {
    const Graph *graph;
    Vec(const char *) names;
} NameSearch;

static Node find_value(const Module *module, const char *name, NameSearch *seen)
{
    const Function *function = module_function(module, "inference");
    Vec(Node) roots = {0};
    uint32_t count;
    for (uint32_t i = 0; i < function->n_results; i++) {
        vec_push(&roots, function->results[i].value);
        if (function->results[i].name) vec_push(&seen->names, function->results[i].name);
    }
    if (!node_is_none(function->loss)) vec_push(&roots, function->loss);
    Node *nodes = graph_reachable(module->graph, roots.at, (uint32_t)roots.count, &count);
    Node found = NODE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        Name own = graph_node(module->graph, nodes[i])->attr.name, called = graph_name(module->graph, nodes[i]);
        if ((own && !strcmp(own, name)) || (called && !strcmp(called, name))) found = nodes[i];
        if (own) vec_push(&seen->names, own);
        if (called && called != own) vec_push(&seen->names, called);
    }
    /* What an output or loss is called besides: `output y = h` is found as `h` and as `y`. */
    for (uint32_t i = 0; i < function->n_results && node_is_none(found); i++)
        if (function->results[i].name && !strcmp(function->results[i].name, name)) found = function->results[i].value;
    memory_free(nodes);
    vec_free(&roots);
    return found;
}

Node derivative_value(const Module *module, const char *option, const char *name)
{
    NameSearch seen = {.graph = module->graph};
    Node node = find_value(module, name, &seen);
    if (node_is_none(node)) {
        Diag *diag = diag_new(graph_context(module->graph)->diagnostics, DIAG_unknown_value, NO_SPAN,
                              "%s %s: the model has no value of that name", option, name);
        const char *nearest = nearest_spelling(name, seen.names.at, seen.names.count);
        if (nearest) diag_hint(diag, "did you mean `%s`?", nearest);
    }
    vec_free(&seen.names);
    return node;
}

static void warn_zero(const Module *module, Node of, Node wrt)
{
    uint32_t count;
    bool found = false;
    Node *nodes = graph_reachable(module->graph, &of, 1, &count);
    for (uint32_t i = 0; i < count && !found; i++) found = node_same(nodes[i], wrt);
    memory_free(nodes);
    if (found) return;
    Name own = graph_node(module->graph, wrt)->attr.name, name = own ? own : graph_name(module->graph, wrt);
    diag_new(graph_context(module->graph)->diagnostics, DIAG_zero_derivative, NO_SPAN,
             "the derivative is 0: what is differentiated does not depend on %s", name ? name : "it");
}

Node derivative_find(const Module *module, Node of, Node wrt, const PassOptions *how)
{
    Context *context = graph_context(module->graph);
    const Node ends[] = {of, wrt};
    for (int i = 0; i < 2; i++) {
        DType dtype = node_type(module->graph, ends[i])->dtype;
        if (dtype_is_float(dtype)) continue;
        diag_new(context->diagnostics, DIAG_not_differentiable, NO_SPAN,
                 "%s is of type %s, and there are only derivatives %s reals",
                 i ? "what to differentiate by" : "what is differentiated", dtype_name(dtype), i ? "by" : "of");
        return NODE_NONE;
    }
    warn_zero(module, of, wrt);
    if (node_type(module->graph, of)->rank > 0) of = build_reduce_all(module->graph, OP_SUM, of);
    Result *result = ARENA_NEW(context->arena, Result);
    *result =
        (Result){RESULT_VALUE, intern(context->names, "gradient"), build_gradient(module->graph, of, wrt), NODE_NONE};
    Function *function = ARENA_NEW(context->arena, Function);
    *function = (Function){.name = result->name, .results = result, .n_results = 1};
    Module only = *module;
    only.functions = function;
    only.n_functions = 1;
    only.n_checks = 0;
    return passes_run(RECIPE_DERIVATIVE, &only, how) ? only.functions[0].results[0].value : NODE_NONE;
}
