/* Applies rules/numeric.nn: bottom-up over everything that the module computes, folding between, until nothing fits. */
#include <stdlib.h>

#include "passes/passes_internal.h"
#include "rules/rules.h"

enum { MAX_AT_ONE_NODE = 64, MAX_ROUNDS = 64 };

typedef struct {
    Module *module;
    const PassOptions *options;
    const RuleSet *rules;
    const Rule *last; /* applied in this round */
    bool endless;
} Driver;

Span node_place(const Graph *graph, Node node)
{
    const Span *places;
    for (;;) {
        if (graph_places(graph, node, &places)) return places[0];
        if (!graph_node(graph, node)->n_args) return NO_SPAN;
        node = node_arg(graph, node, 0);
    }
}

static void explain(Driver *driver, const Rule *rule, Node old, Node before, Node after)
{
    if (!driver->options->explain) return;
    Rewrite rewrite = {"simplify", rule_text(rule), before, after, node_place(driver->module->graph, old)};
    driver->options->explain(driver->options->data, driver->module, &rewrite);
}

static Node simplify_node(void *data, Node old, Node rebuilt)
{
    Driver *driver = data;
    Graph *graph = driver->module->graph;
    for (int i = 0; i < MAX_AT_ONE_NODE; i++) {
        const Rule *rule = NULL;
        Node next = fold_node(graph, rebuilt);
        if (node_same(next, rebuilt)) next = rules_apply(driver->rules, graph, rebuilt, &rule);
        if (node_is_none(next) || node_same(next, rebuilt)) return rebuilt;
        if (rule) {
            driver->last = rule;
            explain(driver, rule, old, rebuilt, next);
        }
        rebuilt = next;
    }
    driver->endless = true;
    return rebuilt;
}

bool pass_simplify(Module *module, const PassOptions *options)
{
    Context *context = graph_context(module->graph);
    Driver driver = {.module = module, .options = options};
    driver.rules = rules_load_builtin(context, "numeric.nn");
    if (!driver.rules) return false;
    for (int round = 0; round < MAX_ROUNDS && !driver.endless; round++)
        if (!rewrite_module(module, simplify_node, &driver)) return true;
    diag_new(context->diagnostics, DIAG_bad_rule, driver.last ? rule_place(driver.last) : NO_SPAN,
             "this rule is applied without end: `%s`", driver.last ? rule_text(driver.last) : "folding");
    return false;
}
