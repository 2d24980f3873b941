/* The display rules, bottom-up until none fits; and what no rule can say. */
#include "display/assemble.h"
#include "display/display.h"

typedef struct {
    Graph *graph;
    const RuleSet *rules;
    void (*applied)(void *data, const Rule *rule);
    void *data;
} Rewriting;

static Node rewrite(void *data, Node old, Node rebuilt)
{
    enum { MOST = 16 }; /* at one node: rules that undid each other would end here */
    const Rewriting *rewriting = data;
    (void)old;
    if (context_stopped(graph_context(rewriting->graph))) return rebuilt;
    for (int i = 0; i < MOST; i++) {
        const Rule *rule = NULL;
        Node next = rules_apply(rewriting->rules, rewriting->graph, rebuilt, &rule);
        if (node_is_none(next)) next = display_assemble(rewriting->graph, rebuilt);
        if (node_is_none(next)) break;
        if (rewriting->applied && rule) rewriting->applied(rewriting->data, rule);
        Name name = graph_name(rewriting->graph, rebuilt);
        bool source = op_info(node_op(rewriting->graph, next))->class == OP_CLASS_SOURCE;
        if (name && !source && !graph_name(rewriting->graph, next)) graph_set_name(rewriting->graph, next, name);
        rebuilt = next;
    }
    return rebuilt;
}

Node display_rewrite(Graph *graph, Node node, void (*applied)(void *data, const Rule *rule), void *data)
{
    Rewriting rewriting = {graph, rules_load_builtin(graph_context(graph), "display.nn"), applied, data};
    if (rewriting.rules) graph_rewrite(graph, &node, 1, rewrite, &rewriting);
    return node;
}
