/* Eliminating differential nodes: gradients from the innermost out, then what guided them. */
#include "autodiff/autodiff.h"

#include <assert.h>
#include <stdlib.h>

#include "ir/build.h"
#include "support/vector.h"

typedef struct {
    Graph *graph;
    const RuleSet *partials;
    const Node *order; /* the nodes beneath the roots, operands first */
    uint32_t count;
    Node *now;           /* by the id of an old node: what stands for it */
    Node *next_gradient; /* by the id of a GRADIENT: the next GRADIENT of the same scalar */
    Node *gradients_of;  /* by the id of a scalar: its first GRADIENT */
    bool ok;
} Elimination;

static Node remade(const Elimination *e, Node old)
{
    const NodeInfo info = *graph_node(e->graph, old);
    if (!info.n_args) return old;
    Node *args = malloc(info.n_args * sizeof *args);
    if (!args) abort();
    bool changed = false;
    for (uint32_t i = 0; i < info.n_args; i++) {
        args[i] = e->now[info.args[i].id];
        changed |= !node_same(args[i], info.args[i]);
    }
    Node result = changed ? graph_remake(e->graph, old, args) : old;
    if (changed) graph_inherit(e->graph, result, old);
    free(args);
    return result;
}

/* One sweep for all the gradients of y. A gradient by a node that is not beneath y is zero; it may not be known yet. */
static void sweep_scalar(Elimination *e, Node y)
{
    Vec(Node) xs = {0}, gradients = {0};
    for (Node g = e->gradients_of[y.id]; !node_is_none(g); g = e->next_gradient[g.id]) {
        Node x = node_arg(e->graph, g, 1);
        if (x.id <= y.id) vec_push(&xs, e->now[x.id]);
        vec_push(&gradients, g);
    }
    Node top = e->now[y.id], *results = calloc(xs.count + 1, sizeof *results);
    if (!results) abort();
    Node one = build_constant_like(e->graph, top, 1);
    if (!autodiff_reverse(e->graph, e->partials, top, one, xs.at, (uint32_t)xs.count, results)) e->ok = false;
    size_t at = 0;
    for (size_t i = 0; i < gradients.count; i++) {
        Node g = gradients.at[i], x = node_arg(e->graph, g, 1);
        e->now[g.id] = x.id <= y.id ? results[at++] : build_constant(e->graph, *node_type(e->graph, g), 0);
        graph_inherit(e->graph, e->now[g.id], g);
    }
    free(results);
    vec_free(&xs);
    vec_free(&gradients);
}

static void eliminate_gradients(Elimination *e)
{
    for (uint32_t i = e->count; i-- > 0;) {
        const NodeInfo *info = graph_node(e->graph, e->order[i]);
        if (info->op != OP_GRADIENT) continue;
        e->next_gradient[e->order[i].id] = e->gradients_of[info->args[0].id];
        e->gradients_of[info->args[0].id] = e->order[i];
    }
    for (uint32_t i = 0; i < e->count && e->ok; i++) {
        Node old = e->order[i];
        if (node_op(e->graph, old) != OP_GRADIENT)
            e->now[old.id] = remade(e, old);
        else if (node_is_none(e->now[old.id]))
            sweep_scalar(e, node_arg(e->graph, old, 0));
    }
}

static Node unguide(void *data, Node old, Node rebuilt)
{
    Graph *graph = data;
    (void)old;
    Op op = node_op(graph, rebuilt);
    if (op != OP_STOP_GRADIENT && op != OP_CUSTOM_GRADIENT) return rebuilt;
    Node value = node_arg(graph, rebuilt, 0);
    graph_inherit(graph, value, rebuilt);
    return value;
}

bool autodiff_expand(Graph *graph, const RuleSet *partials, Node *roots, uint32_t count)
{
    Elimination e = {.graph = graph, .partials = partials, .ok = true};
    Node *order = graph_reachable(graph, roots, count, &e.count);
    uint32_t size = graph_count(graph) + 1;
    e.order = order;
    e.now = calloc(size, sizeof *e.now);
    e.next_gradient = calloc(size, sizeof *e.next_gradient);
    e.gradients_of = calloc(size, sizeof *e.gradients_of);
    if (!e.now || !e.next_gradient || !e.gradients_of) abort();

    eliminate_gradients(&e);
    for (uint32_t i = 0; i < count && e.ok; i++) roots[i] = e.now[roots[i].id];
    free(order);
    free(e.now);
    free(e.next_gradient);
    free(e.gradients_of);
    return e.ok;
}

bool autodiff_eliminate(Graph *graph, const RuleSet *partials, Node *roots, uint32_t count)
{
    if (!autodiff_expand(graph, partials, roots, count)) return false;
    graph_rewrite(graph, roots, count, unguide, graph);
    return true;
}

/* Every root of a module in one array: read from it with `roots`, written to it without. */
static uint32_t module_roots(Module *module, Node *roots, bool write)
{
    uint32_t n = 0;
#define ROOT(place)                                                                                                    \
    do {                                                                                                               \
        if (node_is_none(place)) break;                                                                                \
        if (write)                                                                                                     \
            (place) = roots[n];                                                                                        \
        else if (roots)                                                                                                \
            roots[n] = (place);                                                                                        \
        n++;                                                                                                           \
    } while (0)
    for (uint32_t i = 0; i < module->n_functions; i++) {
        Function *function = &module->functions[i];
        ROOT(function->loss);
        for (uint32_t k = 0; k < function->n_results; k++) ROOT(function->results[k].value);
    }
    for (uint32_t i = 0; i < module->n_checks; i++) ROOT(module->checks[i].condition);
#undef ROOT
    return n;
}

bool autodiff_run(Module *module, Context *context)
{
    const RuleSet *partials = rules_load_builtin(context, "partials.nn");
    if (!partials) return false;
    uint32_t count = module_roots(module, NULL, false);
    Node *roots = calloc(count + 1, sizeof *roots);
    if (!roots) abort();
    module_roots(module, roots, false);
    bool ok = autodiff_eliminate(module->graph, partials, roots, count);
    if (ok) module_roots(module, roots, true);
    free(roots);
    return ok;
}
