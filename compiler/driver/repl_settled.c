/* Settled names: bound to values that hold no unknown. Each is a node of its own, so that derivatives are taken by the
 * name and not by what happens to be equal to it. Its value is kept beside it: what is computed from the name begins
 * there and not at how the name was computed, a thousand statements of a counter ago; only where a derivative goes
 * through the name does that matter. */
#include <stdlib.h>
#include <string.h>

#include "driver/repl_session.h"
#include "ir/build.h"

static Settled *find(const Session *session, Node node)
{
    for (size_t i = session->settled.count; i-- > 0;)
        if (node_same(session->settled.at[i].node, node)) return &session->settled.at[i];
    return NULL;
}

static bool has_free_size(const Graph *graph, const NodeInfo *info)
{
    int64_t size;
    bool found = false;
    for (uint32_t i = 0; i < info->type.rank; i++)
        found |= !dim_is_constant(graph_dims(graph), info->type.dims[i], &size);
    for (uint32_t i = 0; i < info->attr.n_sizes; i++)
        found |= !dim_is_constant(graph_dims(graph), info->attr.sizes[i], &size);
    return found;
}

static bool is_unknown(const Graph *graph, Node node)
{
    const NodeInfo *info = graph_node(graph, node);
    return session_takes_value(info->op) || info->op == OP_RANDOM || has_free_size(graph, info);
}

/* True if nothing unknown is reached from the node; settled ones are not looked into. */
static bool holds_no_unknown(const Session *session, Node root)
{
    const Graph *graph = session->el->graph;
    Vec(Node) stack = {0};
    bool *seen = calloc((size_t)root.id + 1, sizeof *seen), good = true;
    if (!seen) abort();
    vec_push(&stack, root);
    while (stack.count && good) {
        Node node = vec_pop(&stack);
        if (seen[node.id]) continue;
        seen[node.id] = true;
        good = !is_unknown(graph, node);
        const NodeInfo *info = graph_node(graph, node);
        for (uint32_t i = 0; !find(session, node) && i < info->n_args; i++)
            if (node_op(graph, info->args[i]) != OP_COTANGENT) vec_push(&stack, info->args[i]);
    }
    free(seen);
    vec_free(&stack);
    return good;
}

void settled_bind(Session *session, Binding *binding)
{
    Graph *graph = session->el->graph;
    if (binding->value.kind != VALUE_TENSOR || binding->value.count) return;
    Node node = binding->value.node;
    if (!dtype_is_float(node_type(graph, node)->dtype) || !holds_no_unknown(session, node)) return;
    node = identify_node(session->el, binding->name, node);
    graph_set_name(graph, node, binding->name);
    binding->value = value_tensor(node);
    vec_push(&session->settled, (Settled){node, NODE_NONE});
}

void settled_note(Session *session, Node node, const Outcome *outcome)
{
    enum { MOST_ELEMENTS = 4096 };
    const Array *value = &outcome->value;
    Settled *settled = find(session, node);
    if (!settled || outcome->formula || !outcome->known || value->count > MOST_ELEMENTS) return;
    Graph *graph = session->el->graph;
    Type type = *node_type(graph, node);
    double number;
    int64_t integer;
    if (node_is_integer(outcome->graph, outcome->node, &integer))
        settled->value = build_integer(graph, type, integer);
    else if (node_is_constant(outcome->graph, outcome->node, &number))
        settled->value = build_constant(graph, type, number);
    else
        settled->value = build_literal(graph, type, value->data, (size_t)value->count * dtype_size(value->dtype));
}

/* ---- A node to be evaluated */

typedef struct {
    Session *session;
    const Settled **settled; /* by node id */
    bool *by, *open;         /* derivatives are taken by it; its history is needed for one */
} Opening;

/* Marks what the root reaches without looking into settled values, and by what it takes derivatives. */
static void mark_region(const Opening *o, Node root, bool *region)
{
    const Graph *graph = o->session->el->graph;
    Vec(Node) stack = {0};
    vec_push(&stack, root);
    while (stack.count) {
        Node node = vec_pop(&stack);
        if (region[node.id]) continue;
        region[node.id] = true;
        const NodeInfo *info = graph_node(graph, node);
        if (info->op == OP_GRADIENT) o->by[info->args[1].id] = true;
        const Settled *settled = o->settled[node.id];
        if (settled && !node_is_none(settled->value) && !o->open[node.id]) continue;
        for (uint32_t i = 0; i < info->n_args; i++) vec_push(&stack, info->args[i]);
    }
    vec_free(&stack);
}

/* Opens the settled values of the region that depend on what derivatives are taken by. True when there were any. */
static bool open_more(const Opening *o, Node root, const bool *region, bool *depends)
{
    const Graph *graph = o->session->el->graph;
    bool more = false;
    for (uint32_t id = 1; id <= root.id; id++) {
        const NodeInfo *info = graph_node(graph, (Node){id});
        bool above = false;
        for (uint32_t i = 0; i < info->n_args; i++) above |= depends[info->args[i].id];
        depends[id] = above || o->by[id];
        if (!region[id] || !o->settled[id] || !above || o->open[id]) continue;
        o->open[id] = more = true;
    }
    return more;
}

static Node begin_at_value(void *data, Node old, Node rebuilt)
{
    const Opening *o = data;
    const Settled *settled = o->settled[old.id];
    Graph *graph = o->session->el->graph;
    if (!settled || node_is_none(settled->value) || o->open[old.id]) return rebuilt;
    Name name = graph_name(graph, old);
    if (node_op(graph, settled->value) == OP_CONST && !o->by[old.id]) return settled->value;
    Node node = identify_node(o->session->el, name ? name : "value", settled->value);
    if (name) graph_set_name(graph, node, name);
    return node;
}

Node settled_begin(Session *session, Node root)
{
    size_t n = (size_t)root.id + 1;
    if (!session->settled.count) return root;
    Opening o = {session, calloc(n, sizeof *o.settled), calloc(n, sizeof *o.by), calloc(n, sizeof *o.open)};
    bool *region = calloc(n, sizeof *region), *depends = calloc(n, sizeof *depends);
    if (!o.settled || !o.by || !o.open || !region || !depends) abort();
    for (size_t i = 0; i < session->settled.count; i++)
        if (session->settled.at[i].node.id < n) o.settled[session->settled.at[i].node.id] = &session->settled.at[i];
    do {
        memset(region, 0, n * sizeof *region);
        mark_region(&o, root, region);
    } while (open_more(&o, root, region, depends));
    graph_rewrite(session->el->graph, &root, 1, begin_at_value, &o);
    free(o.settled);
    free(o.by);
    free(o.open);
    free(region);
    free(depends);
    return root;
}
