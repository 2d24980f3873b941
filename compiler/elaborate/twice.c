#include "elaborate/twice.h"

#include "support/memory.h"

static const struct {
    Op outer, inner;
    const char *said, *hint;
} pairs[] = {
    {OP_LOG_SOFTMAX, OP_SOFTMAX, "a softmax is applied to what is a softmax already",
     "`cross_entropy` takes logits and applies the softmax itself: give it what goes into `softmax`"},
    {OP_SOFTMAX, OP_SOFTMAX, "a softmax is applied to what is a softmax already",
     "probabilities need no second softmax, which makes them nearly equal"},
};

/* The node whose values these are, perhaps in another element type. */
static Node origin(const Graph *graph, Node node)
{
    while (node_op(graph, node) == OP_CAST) node = graph_node(graph, node)->args[0];
    return node;
}

static Span place_of(const Graph *graph, Node node)
{
    const Span *places;
    return graph_places(graph, node, &places) ? places[0] : NO_SPAN;
}

static void warn(Elaborator *el, Node outer)
{
    const NodeInfo *info = graph_node(el->graph, outer);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (info->op != pairs[i].outer) continue;
        Node inner = origin(el->graph, info->args[0]);
        Span at = place_of(el->graph, outer), before = place_of(el->graph, inner);
        if (node_op(el->graph, inner) != pairs[i].inner || !at.end) continue;
        if (graph_node(el->graph, inner)->attr.integer != info->attr.integer) continue; /* along another axis */
        Diag *diag = complain(el, DIAG_repeated_softmax, at, "%s", pairs[i].said);
        if (before.end) diag_note(diag, before, "the first softmax is here");
        diag_hint(diag, "%s", pairs[i].hint);
    }
}

void twice_warn(Elaborator *el, const Function *function)
{
    uint32_t count = 0;
    Vec(Node) roots = {0};
    for (uint32_t i = 0; i < function->n_results; i++) {
        ResultRole role = function->results[i].role;
        if (role == RESULT_LOSS || role == RESULT_METRIC) vec_push(&roots, function->results[i].value);
    }
    Node *nodes = roots.count ? graph_reachable(el->graph, roots.at, (uint32_t)roots.count, &count) : NULL;
    for (uint32_t i = 0; i < count; i++) warn(el, nodes[i]);
    memory_free(nodes);
    vec_free(&roots);
}
