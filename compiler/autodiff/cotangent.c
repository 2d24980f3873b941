/* Cotangents: multiplied by a partial, and collected at the node that they flow to. */
#include "autodiff/autodiff_internal.h"
#include "ir/build.h"

void sweep_add(Sweep *sweep, Node node, Cotangent cotangent)
{
    if (!sweep->active[node.id]) return;
    Contribution *contribution = ARENA_NEW(sweep->arena, Contribution);
    *contribution = (Contribution){cotangent, sweep->incoming[node.id]};
    sweep->incoming[node.id] = contribution;
}

Node reverse_product(Graph *graph, Node cotangent, Node partial)
{
    const NodeInfo info = *graph_node(graph, partial);
    double number;
    if (node_is_constant(graph, cotangent, &number) && number == 0) return cotangent;
    if (node_is_constant(graph, cotangent, &number) && number == 1) return partial;
    if (node_is_constant(graph, partial, &number)) {
        if (number == 1) return cotangent;
        if (number == 0) return partial;
        if (number == -1) return build_unary(graph, OP_NEG, cotangent);
    }
    if (info.op == OP_NEG) return build_unary(graph, OP_NEG, reverse_product(graph, cotangent, info.args[0]));
    if (info.op == OP_DIV && node_is_constant(graph, info.args[0], &number) && number == 1)
        return build_binary(graph, OP_DIV, cotangent, info.args[1]);
    if (info.op == OP_SELECT) {
        Node yes = reverse_product(graph, cotangent, info.args[1]);
        return build_select(graph, info.args[0], yes, reverse_product(graph, cotangent, info.args[2]));
    }
    return build_binary(graph, OP_MUL, cotangent, partial);
}
