/* Rewriting a whole module, with what gradients are taken by kept apart.
 *
 * gradient(y, x) means the derivative by the value x that the user named, not by every expression that happens to
 * equal it; and a rule must not swallow x inside y (log(x) with x = softmax(z)). So y is rewritten with a source in
 * the place of x, and x is put back afterwards. Sources need no such care. */
#include <assert.h>

#include "ir/build.h"
#include "ir/condition.h"
#include "passes/passes_internal.h"
#include "support/memory.h"
#include "support/vector.h"

typedef struct {
    Node source, x; /* x is a root of the rewrite while the source stands for it */
} Guard;

typedef struct {
    Graph *graph;
    Vec(Node) roots;
    Vec(Node *) fields; /* where the roots came from */
    Vec(Guard) guards;
} Roots;

static void add_field(Roots *roots, Node *field)
{
    if (node_is_none(*field)) return;
    vec_push(&roots->fields, field);
    vec_push(&roots->roots, *field);
}

static void collect_fields(Module *module, Roots *roots)
{
    for (uint32_t i = 0; i < module->n_checks; i++) {
        Node *condition = &module->checks[i].condition;
        /* Over settings it stays as it was written: the run time decides it, which has few operators. */
        if (!node_is_none(*condition) && !condition_has_settings(module->graph, *condition))
            add_field(roots, condition);
    }
    for (uint32_t f = 0; f < module->n_functions; f++) {
        Function *function = &module->functions[f];
        add_field(roots, &function->loss);
        for (uint32_t i = 0; i < function->n_results; i++) add_field(roots, &function->results[i].value);
    }
}

struct Substitution {
    Node from, to;
};

static Node substitute(void *data, Node old, Node rebuilt)
{
    const struct Substitution *substitution = data;
    return node_same(old, substitution->from) ? substitution->to : rebuilt;
}

static Node replace_in(Graph *graph, Node root, Node from, Node to)
{
    struct Substitution substitution = {from, to};
    graph_rewrite(graph, &root, 1, substitute, &substitution);
    return root;
}

static Node new_guard(Roots *roots, Node x)
{
    Graph *graph = roots->graph;
    Name name = intern_format(graph_context(graph)->names, "guard.%zu", roots->guards.count);
    Guard guard = {build_source(graph, OP_COTANGENT, name, *node_type(graph, x)), x};
    vec_push(&roots->guards, guard);
    return guard.source;
}

/* Puts a source in the place of x inside y, innermost gradients first as a bottom-up rewrite meets them. An inner guard
 * whose own x is made of this x gets a twin for use inside this y. */
static Node guard_gradient(void *data, Node old, Node rebuilt)
{
    (void)old;
    Roots *roots = data;
    Graph *graph = roots->graph;
    if (node_op(graph, rebuilt) != OP_GRADIENT || context_stopped(graph_context(graph))) return rebuilt;
    Node y = node_arg(graph, rebuilt, 0), x = node_arg(graph, rebuilt, 1);
    if (op_info(node_op(graph, x))->class == OP_CLASS_SOURCE) return rebuilt;
    size_t n_inner = roots->guards.count;
    Node source = new_guard(roots, x);
    y = replace_in(graph, y, x, source);
    for (size_t i = 0; i < n_inner; i++) {
        Guard inner = roots->guards.at[i];
        Node within = replace_in(graph, inner.x, x, source);
        if (node_same(within, inner.x)) continue;
        y = replace_in(graph, y, inner.source, new_guard(roots, within));
    }
    return build_gradient(graph, y, source);
}

/* True for a gradient with respect to a computed value. */
static bool is_guarded(const Graph *graph, Node node)
{
    return node_op(graph, node) == OP_GRADIENT &&
           op_info(node_op(graph, node_arg(graph, node, 1)))->class != OP_CLASS_SOURCE;
}

static bool has_gradients(const Roots *roots)
{
    uint32_t count = graph_count(roots->graph), id = 1;
    while (id <= count && !is_guarded(roots->graph, (Node){id})) id++;
    if (id > count) return false; /* in the whole graph */
    Node *nodes = graph_reachable(roots->graph, roots->roots.at, (uint32_t)roots->roots.count, &count);
    bool found = false;
    for (uint32_t i = 0; i < count && !found; i++) found = is_guarded(roots->graph, nodes[i]);
    memory_free(nodes);
    return found;
}

/* A later guard may stand in what an earlier one hides only through its twin, and what a later one hides may hold
 * earlier sources: so the last guard goes first, everywhere at once. */
static void release_guards(Roots *roots)
{
    uint32_t n_fields = (uint32_t)roots->fields.count;
    (void)n_fields; /* asserted */
    while (roots->guards.count) {
        struct Substitution substitution = {vec_pop(&roots->guards).source, vec_pop(&roots->roots)};
        graph_rewrite(roots->graph, roots->roots.at, (uint32_t)roots->roots.count, substitute, &substitution);
    }
    assert(roots->roots.count == n_fields);
}

typedef struct {
    Context *context;
    Node (*replace)(void *data, Node old, Node rebuilt);
    void *data;
} Replacement;

/* Once it is stopped nothing fits any more, which ends rewriting without end, too. */
static Node replace_unless_stopped(void *data, Node old, Node rebuilt)
{
    const Replacement *replacement = data;
    if (context_stopped(replacement->context)) return rebuilt;
    return replacement->replace(replacement->data, old, rebuilt);
}

bool rewrite_module(Module *module, Node (*replace)(void *data, Node old, Node rebuilt), void *data)
{
    Roots roots = {.graph = module->graph};
    Replacement replacement = {graph_context(module->graph), replace, data};
    collect_fields(module, &roots);
    if (has_gradients(&roots)) {
        graph_rewrite(roots.graph, roots.roots.at, (uint32_t)roots.roots.count, guard_gradient, &roots);
        for (size_t i = 0; i < roots.guards.count; i++) vec_push(&roots.roots, roots.guards.at[i].x);
    }
    graph_rewrite(roots.graph, roots.roots.at, (uint32_t)roots.roots.count, replace_unless_stopped, &replacement);
    release_guards(&roots);
    bool changed = false;
    for (size_t i = 0; i < roots.fields.count; i++) {
        changed |= !node_same(*roots.fields.at[i], roots.roots.at[i]);
        *roots.fields.at[i] = roots.roots.at[i];
    }
    vec_free(&roots.roots);
    vec_free(&roots.fields);
    vec_free(&roots.guards);
    return changed;
}
