#include "driver/flops.h"

#include <stdlib.h>

#include "driver/sizes.h"
#include "support/vector.h"

static double contraction_flops(const Pipeline *pipeline, Node node)
{
    const Graph *graph = pipeline->program->module->graph;
    const NodeInfo *info = graph_node(graph, node);
    const Type *a = node_type(graph, info->args[0]), *b = node_type(graph, info->args[1]);
    double flops = 2;
    for (uint32_t i = 0; i < a->rank + b->rank; i++) {
        bool seen = false;
        for (uint32_t j = 0; j < i; j++) seen |= info->attr.ints[j] == info->attr.ints[i];
        int64_t size;
        if (!seen && sizes_value(pipeline, i < a->rank ? a->dims[i] : b->dims[i - a->rank], &size))
            flops *= (double)size;
    }
    return flops;
}

double flops_count(const Pipeline *pipeline)
{
    const Module *module = pipeline->program->module;
    const Function *training = module_function(module, "training");
    Vec(Node) roots = {0};
    uint32_t count;
    for (uint32_t i = 0; i < training->n_results; i++)
        if (training->results[i].role != RESULT_METRIC) vec_push(&roots, training->results[i].value);
    Node *nodes = graph_reachable(module->graph, roots.at, (uint32_t)roots.count, &count);
    double flops = 0;
    for (uint32_t i = 0; i < count; i++)
        if (node_op(module->graph, nodes[i]) == OP_CONTRACT) flops += contraction_flops(pipeline, nodes[i]);
    free(nodes);
    vec_free(&roots);
    return flops;
}
