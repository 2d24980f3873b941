/* The gradient of h = relu(x) asks for the sign of x, which would keep x in memory beside h. The sign of h answers as
 * well: with h = select(x <= 0, 0, x), h <= 0 exactly where x <= 0, and NaN is NaN in both. Where nothing but h and its
 * condition reads x, all other users of the condition take that of h. */
#include "schedule/schedule_internal.h"
#include "support/memory.h"

typedef struct {
    Graph *graph;
    uint32_t *users; /* by node */
    Node *rectified; /* by condition: the h that it makes, or none */
} Rectifier;

static bool is_zero(const Graph *graph, Node node)
{
    double number;
    return node_is_constant(graph, node, &number) && number == 0;
}

/* The x of `x <= 0` or `0 < x`; none for another node. */
static Node tested_value(const Graph *graph, Node condition)
{
    const NodeInfo *info = graph_node(graph, condition);
    if (info->op == OP_LE && is_zero(graph, info->args[1])) return info->args[0];
    if (info->op == OP_LT && is_zero(graph, info->args[0])) return info->args[1];
    return NODE_NONE;
}

/* The condition of which the node is select(x <= 0, 0, x) or select(0 < x, x, 0); none for another node. */
static Node rectifying_condition(const Graph *graph, Node node)
{
    const NodeInfo *info = graph_node(graph, node);
    if (info->op != OP_SELECT) return NODE_NONE;
    Node x = tested_value(graph, info->args[0]);
    if (node_is_none(x)) return NODE_NONE;
    bool below = node_op(graph, info->args[0]) == OP_LE;
    Node zero = info->args[below ? 1 : 2], kept = info->args[below ? 2 : 1];
    return node_same(kept, x) && is_zero(graph, zero) ? info->args[0] : NODE_NONE;
}

static Node replace(void *data, Node old, Node rebuilt)
{
    const Rectifier *rectifier = data;
    Graph *graph = rectifier->graph;
    NodeInfo before = *graph_node(graph, old), info = *graph_node(graph, rebuilt);
    Node args[3];
    bool changed = false;
    if (info.n_args > 3 || info.n_args != before.n_args) return rebuilt;
    for (uint32_t i = 0; i < info.n_args; i++) {
        Node h = rectifier->rectified[before.args[i].id];
        args[i] = info.args[i];
        if (node_is_none(h) || node_same(h, old)) continue;
        /* h over what its condition has become, then the condition over h. */
        Node condition = info.args[i], x = tested_value(graph, condition);
        bool below = node_op(graph, condition) == OP_LE;
        Node zero = node_arg(graph, condition, below ? 1 : 0);
        Node parts[] = {condition, below ? zero : x, below ? x : zero};
        Node again = graph_remake(graph, h, parts);
        Node tested[] = {below ? again : zero, below ? zero : again};
        args[i] = graph_remake(graph, condition, tested);
        changed = true;
    }
    if (!changed) return rebuilt;
    Node result = graph_remake(graph, rebuilt, args);
    graph_inherit(graph, result, rebuilt);
    return result;
}

static void count_users(Rectifier *rectifier, const Node *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(rectifier->graph, nodes[i]);
        for (uint32_t j = 0; j < info->n_args; j++) {
            bool counted = false;
            for (uint32_t k = 0; k < j; k++) counted = counted || node_same(info->args[k], info->args[j]);
            rectifier->users[info->args[j].id] += !counted;
        }
    }
}

void reuse_rectified(Graph *graph, Node *roots, uint32_t n_roots)
{
    uint32_t count, found = 0, ids = graph_count(graph) + 1;
    Node *nodes = graph_reachable(graph, roots, n_roots, &count);
    Rectifier rectifier = {.graph = graph};
    rectifier.users = memory_calloc(ids, sizeof *rectifier.users);
    rectifier.rectified = memory_calloc(ids, sizeof *rectifier.rectified);
    count_users(&rectifier, nodes, count);
    for (uint32_t i = 0; i < n_roots; i++) rectifier.users[roots[i].id]++;
    for (uint32_t i = 0; i < count; i++) {
        Node condition = rectifying_condition(graph, nodes[i]);
        if (node_is_none(condition) || rectifier.users[condition.id] < 2) continue;
        if (rectifier.users[tested_value(graph, condition).id] != 2) continue;
        rectifier.rectified[condition.id] = nodes[i];
        found++;
    }
    if (found) graph_rewrite(graph, roots, n_roots, replace, &rectifier);
    memory_free(nodes);
    memory_free(rectifier.users);
    memory_free(rectifier.rectified);
}
