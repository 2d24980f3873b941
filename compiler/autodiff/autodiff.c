/* Eliminating differential nodes: gradients from the innermost out, then what guided them. */
#include "autodiff/autodiff.h"

#include <assert.h>

#include "ir/build.h"
#include "support/memory.h"
#include "support/vector.h"

typedef struct {
    Graph *graph;
    const RuleSet *partials;
    const Node *order; /* the nodes beneath the roots, operands first */
    uint32_t count;
    Node *now;           /* by the id of an old node: what stands for it */
    Node *next_gradient; /* by the id of a GRADIENT: the next GRADIENT of the same scalar */
    Node *gradients_of;  /* by the id of a scalar: its first GRADIENT */
    bool *differential;  /* by id: a GRADIENT stands at or beneath it */
    bool innermost;      /* only those gradients */
    bool more;           /* there were others */
    bool ok;
} Elimination;

static Node remade(const Elimination *e, Node old)
{
    const NodeInfo info = *graph_node(e->graph, old);
    if (!info.n_args) return old;
    Node *args = memory_alloc(info.n_args * sizeof *args);
    bool changed = false;
    for (uint32_t i = 0; i < info.n_args; i++) {
        args[i] = e->now[info.args[i].id];
        changed |= !node_same(args[i], info.args[i]);
    }
    Node result = changed ? graph_remake(e->graph, old, args) : old;
    if (changed) graph_inherit(e->graph, result, old);
    memory_free(args);
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
    Node top = e->now[y.id], *results = memory_calloc(xs.count + 1, sizeof *results);
    Node one = build_constant_like(e->graph, top, 1);
    if (!autodiff_reverse(e->graph, e->partials, top, one, xs.at, (uint32_t)xs.count, results)) e->ok = false;
    size_t at = 0;
    for (size_t i = 0; i < gradients.count; i++) {
        Node g = gradients.at[i], x = node_arg(e->graph, g, 1);
        e->now[g.id] = x.id <= y.id ? results[at++] : build_constant(e->graph, *node_type(e->graph, g), 0);
        graph_inherit(e->graph, e->now[g.id], g);
    }
    memory_free(results);
    vec_free(&xs);
    vec_free(&gradients);
}

/* True if the value of a GRADIENT is itself made of one. */
static bool is_nested(const Elimination *e, Node gradient)
{
    return e->differential[node_arg(e->graph, gradient, 0).id];
}

static void note_gradient(Elimination *e, Node node)
{
    const NodeInfo *info = graph_node(e->graph, node);
    e->differential[node.id] = info->op == OP_GRADIENT;
    for (uint32_t i = 0; i < info->n_args; i++) e->differential[node.id] |= e->differential[info->args[i].id];
    if (info->op != OP_GRADIENT) return;
    e->next_gradient[node.id] = e->gradients_of[info->args[0].id];
    e->gradients_of[info->args[0].id] = node;
}

static void eliminate_gradients(Elimination *e)
{
    for (uint32_t i = 0; i < e->count; i++) note_gradient(e, e->order[i]);
    for (uint32_t i = 0; i < e->count && e->ok; i++) {
        Node old = e->order[i];
        bool gradient = node_op(e->graph, old) == OP_GRADIENT;
        if (!gradient || (e->innermost && is_nested(e, old)))
            e->now[old.id] = remade(e, old);
        else if (node_is_none(e->now[old.id]))
            sweep_scalar(e, node_arg(e->graph, old, 0));
        e->more |= gradient && is_nested(e, old);
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

/* *more: whether gradients are left, which can only be with `innermost`. */
static bool expand(Graph *graph, const RuleSet *partials, Node *roots, uint32_t count, bool innermost, bool *more)
{
    Elimination e = {.graph = graph, .partials = partials, .innermost = innermost, .ok = true};
    Node *order = graph_reachable(graph, roots, count, &e.count);
    uint32_t size = graph_count(graph) + 1;
    e.order = order;
    e.now = memory_calloc(size, sizeof *e.now);
    e.next_gradient = memory_calloc(size, sizeof *e.next_gradient);
    e.gradients_of = memory_calloc(size, sizeof *e.gradients_of);
    e.differential = memory_calloc(size, sizeof *e.differential);

    eliminate_gradients(&e);
    for (uint32_t i = 0; i < count && e.ok; i++) roots[i] = e.now[roots[i].id];
    *more = innermost && e.more;
    memory_free(order);
    memory_free(e.now);
    memory_free(e.next_gradient);
    memory_free(e.gradients_of);
    memory_free(e.differential);
    return e.ok;
}

bool autodiff_expand(Graph *graph, const RuleSet *partials, Node *roots, uint32_t count)
{
    bool more;
    return expand(graph, partials, roots, count, false, &more);
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

/* One order of derivative of everything; with the last one, what guided them. */
static bool run_order(Module *module, const RuleSet *partials, bool *more)
{
    uint32_t count = module_roots(module, NULL, false);
    Node *roots = memory_calloc(count + 1, sizeof *roots);
    module_roots(module, roots, false);
    bool ok = expand(module->graph, partials, roots, count, true, more);
    if (ok && !*more) graph_rewrite(module->graph, roots, count, unguide, module->graph);
    if (ok) module_roots(module, roots, true);
    memory_free(roots);
    return ok;
}

bool autodiff_run(Module *module, Context *context, bool (*between)(void *data, Module *module), void *data)
{
    const RuleSet *partials = rules_load_builtin(context, "partials.nn");
    bool more = true;
    if (!partials) return false;
    while (more) {
        if (!run_order(module, partials, &more)) return false;
        if (more && between && !between(data, module)) return false;
    }
    return true;
}
