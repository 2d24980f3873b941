/* Applies rules/numeric.nn: bottom-up over everything that the module computes, folding between, until nothing fits. */
#include <stdlib.h>
#include <string.h>

#include "passes/passes_internal.h"
#include "rules/rules.h"
#include "support/vector.h"

enum { MAX_AT_ONE_NODE = 64, MAX_ROUNDS = 64 };

typedef struct {
    const Rule *rule;
    uint32_t place;
} Explained;

typedef struct {
    Module *module;
    const PassOptions *options;
    const RuleSet *rules;
    const Rule *last; /* applied in this round */
    bool endless;
    Vec(Explained) explained;
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

/* The rule without its kind and without the blanks that line its file up. */
static const char *short_text(const Driver *driver, const Rule *rule)
{
    Text text = {0};
    const char *at = rule_text(rule) + strcspn(rule_text(rule), " ");
    for (; *at; at++) {
        bool blank = *at == ' ' && (at[1] == ' ' || !text.count);
        if (!blank) text_put(&text, at, 1);
    }
    const char *kept = arena_text(graph_context(driver->module->graph)->arena, text_get(&text), text.count);
    text_free(&text);
    return kept;
}

/* Once for each rule and place: a layer that is used a hundred times is one line of the user's. */
static void explain(Driver *driver, const Rule *rule, Node old, Node before, Node after)
{
    if (!driver->options->explain) return;
    Span place = node_place(driver->module->graph, old);
    for (size_t i = 0; i < driver->explained.count; i++)
        if (driver->explained.at[i].rule == rule && driver->explained.at[i].place == place.start) return;
    vec_push(&driver->explained, (Explained){rule, place.start});
    Rewrite rewrite = {"simplify", short_text(driver, rule), before, after, place};
    driver->options->explain(driver->options->data, driver->module, &rewrite);
}

enum { MAX_MOVES = 16 };

/* What underflows or overflows where its logarithm does not. */
static bool has_stable_logarithm(const Graph *graph, Node x)
{
    Op op = node_op(graph, x);
    return op == OP_SOFTMAX || op == OP_SIGMOID || (op == OP_SUM && node_op(graph, node_arg(graph, x, 0)) == OP_EXP);
}

/* The same movement or gather of another value. */
static Node move_alike(Graph *graph, Node move, Node x)
{
    Node args[2] = {x, NODE_NONE};
    if (graph_node(graph, move)->n_args == 2) args[1] = node_arg(graph, move, 1);
    return graph_remake(graph, move, args);
}

/* log(softmax(z)[label]), log(sum(exp(z), keep = true)): the rules need the logarithm next to the softmax or sum, so it
 * is taken before the elements are moved or gathered. */
static Node sink_logarithm(Graph *graph, Node node)
{
    Node moves[MAX_MOVES];
    int n = 0;
    if (node_op(graph, node) != OP_LOG) return NODE_NONE;
    Node x = node_arg(graph, node, 0);
    for (; n < MAX_MOVES; x = node_arg(graph, x, 0)) {
        Op op = node_op(graph, x);
        if (has_stable_logarithm(graph, x)) break;
        if (!(op_info(op)->flags & PICKS)) return NODE_NONE;
        moves[n++] = x;
    }
    if (!n || n == MAX_MOVES) return NODE_NONE;
    Node value = graph_make(graph, OP_LOG, &x, 1, NULL, NULL);
    while (n-- > 0) value = move_alike(graph, moves[n], value);
    return value;
}

static Node simplify_node(void *data, Node old, Node rebuilt)
{
    Driver *driver = data;
    Graph *graph = driver->module->graph;
    for (int i = 0; i < MAX_AT_ONE_NODE; i++) {
        const Rule *rule = NULL;
        Node next = fold_node(graph, rebuilt);
        if (node_same(next, rebuilt)) next = rules_apply(driver->rules, graph, rebuilt, &rule);
        if (node_is_none(next)) next = sink_logarithm(graph, rebuilt);
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
    bool changed = true;
    for (int round = 0; round < MAX_ROUNDS && changed && !driver.endless; round++)
        changed = rewrite_module(module, simplify_node, &driver);
    vec_free(&driver.explained);
    if (!changed) return true;
    diag_new(context->diagnostics, DIAG_bad_rule, driver.last ? rule_place(driver.last) : NO_SPAN,
             "this rule is applied without end: `%s`", driver.last ? rule_text(driver.last) : "folding");
    return false;
}
