/* Contractions brought to a form that the tiled code can walk, by transpositions that the scheduler then turns into
 * strides, or into copies where strides do not do: labels that are summed stand together and in one order in both
 * operands, and the result's last label is not one that both operands have. */
#include <string.h>

#include "ir/build.h"
#include "schedule/schedule_internal.h"
#include "support/memory.h"

/* A contraction by its labels. */
typedef struct {
    const int32_t *a, *b, *result;
    uint32_t n_a, n_b, n_result;
} LabelLists;

static LabelLists labels_of(const Graph *graph, Node node)
{
    const NodeInfo *info = graph_node(graph, node);
    LabelLists lists = {.n_a = node_type(graph, info->args[0])->rank, .n_b = node_type(graph, info->args[1])->rank};
    lists.n_result = info->type.rank;
    lists.a = info->attr.ints;
    lists.b = lists.a + lists.n_a;
    lists.result = lists.b + lists.n_b;
    return lists;
}

static bool has(const int32_t *labels, uint32_t count, int32_t label)
{
    for (uint32_t i = 0; i < count; i++)
        if (labels[i] == label) return true;
    return false;
}

/* The labels that are summed and longer than 1, in a's order. */
static uint32_t summed_labels(const Scheduler *scheduler, Node node, const LabelLists *lists, int32_t *summed)
{
    const Type *type = node_type(scheduler->graph, node_arg(scheduler->graph, node, 0));
    uint32_t count = 0;
    for (uint32_t i = 0; i < lists->n_a; i++)
        if (!is_unit(scheduler, type->dims[i]) && has(lists->b, lists->n_b, lists->a[i]) &&
            !has(lists->result, lists->n_result, lists->a[i]))
            summed[count++] = lists->a[i];
    return count;
}

static bool stand_together(const int32_t *labels, uint32_t count, const int32_t *summed, uint32_t n_summed)
{
    for (uint32_t i = 0; i + n_summed <= count; i++)
        if (!memcmp(labels + i, summed, n_summed * sizeof *summed)) return true;
    return n_summed == 0;
}

static bool last_is_shared(const Scheduler *scheduler, Node node, const LabelLists *lists)
{
    const Type *type = node_type(scheduler->graph, node);
    uint32_t last = lists->n_result;
    while (last > 0 && is_unit(scheduler, type->dims[last - 1])) last--;
    return last > 0 && has(lists->a, lists->n_a, lists->result[last - 1]) &&
           has(lists->b, lists->n_b, lists->result[last - 1]);
}

/* The operand with its summed axes last; `labels` receives the new order. */
static Node move_summed_last(Graph *graph, Node x, const int32_t *old, uint32_t rank, const int32_t *summed,
                             uint32_t n_summed, int32_t *labels)
{
    int32_t permutation[MAX_RANK];
    uint32_t count = 0;
    for (uint32_t i = 0; i < rank; i++)
        if (!has(summed, n_summed, old[i])) permutation[count++] = (int32_t)i;
    for (uint32_t i = 0; i < n_summed; i++)
        for (uint32_t j = 0; j < rank; j++)
            if (old[j] == summed[i]) permutation[count++] = (int32_t)j;
    for (uint32_t i = 0; i < rank; i++) labels[i] = old[permutation[i]];
    return build_transpose(graph, x, permutation);
}

static Node canonical(const Scheduler *scheduler, Node node)
{
    Graph *graph = scheduler->graph;
    LabelLists lists = labels_of(graph, node);
    int32_t labels[3 * MAX_RANK], summed[MAX_RANK], permutation[MAX_RANK];
    int32_t *result = labels + lists.n_a + lists.n_b;
    Node a = node_arg(graph, node, 0), b = node_arg(graph, node, 1);
    uint32_t n_summed = summed_labels(scheduler, node, &lists, summed), count = 0;
    memcpy(labels, lists.a, lists.n_a * sizeof *labels);
    memcpy(labels + lists.n_a, lists.b, lists.n_b * sizeof *labels);
    if (!stand_together(lists.a, lists.n_a, summed, n_summed))
        a = move_summed_last(graph, a, lists.a, lists.n_a, summed, n_summed, labels);
    if (!stand_together(lists.b, lists.n_b, summed, n_summed))
        b = move_summed_last(graph, b, lists.b, lists.n_b, summed, n_summed, labels + lists.n_a);
    memcpy(result, lists.result, lists.n_result * sizeof *labels);
    if (!last_is_shared(scheduler, node, &lists)) return build_contract(graph, a, b, labels, lists.n_result);
    /* Shared labels first, then the others; transposed back. */
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < lists.n_result; i++) {
            int32_t label = lists.result[i];
            bool shared = has(lists.a, lists.n_a, label) && has(lists.b, lists.n_b, label);
            if (shared != (pass == 0)) continue;
            permutation[i] = (int32_t)count;
            result[count++] = label;
        }
    return build_transpose(graph, build_contract(graph, a, b, labels, lists.n_result), permutation);
}

static bool is_canonical(const Scheduler *scheduler, Node node)
{
    if (is_long_scan(scheduler->graph, node)) return false;
    if (node_op(scheduler->graph, node) != OP_CONTRACT || !is_tiled(scheduler, node)) return true;
    LabelLists lists = labels_of(scheduler->graph, node);
    int32_t summed[MAX_RANK];
    uint32_t n_summed = summed_labels(scheduler, node, &lists, summed);
    return stand_together(lists.a, lists.n_a, summed, n_summed) &&
           stand_together(lists.b, lists.n_b, summed, n_summed) && !last_is_shared(scheduler, node, &lists);
}

static Node replace(void *data, Node old, Node rebuilt)
{
    (void)old;
    Graph *graph = ((Scheduler *)data)->graph;
    if (is_long_scan(graph, rebuilt)) return cut_scan(graph, rebuilt);
    return is_canonical(data, rebuilt) ? rebuilt : canonical(data, rebuilt);
}

Function *canonical_functions(Context *context, const Module *module, bool unfused)
{
    Graph *graph = module->graph;
    Scheduler scheduler = {.context = context, .graph = graph, .dims = graph_dims(graph)};
    Function *functions = ARENA_COPY(context->arena, Function, module->functions, module->n_functions);
    Vec(Node) roots = {0};
    for (uint32_t i = 0; i < module->n_functions; i++) {
        Function *function = &functions[i];
        function->results = ARENA_COPY(context->arena, Result, function->results, function->n_results);
        for (uint32_t j = 0; j < function->n_results; j++) vec_push(&roots, function->results[j].value);
        if (!node_is_none(function->loss)) vec_push(&roots, function->loss);
    }
    uint32_t count, wrong = 0;
    Node *nodes = graph_reachable(graph, roots.at, (uint32_t)roots.count, &count);
    for (uint32_t i = 0; i < count; i++) wrong += !is_canonical(&scheduler, nodes[i]);
    memory_free(nodes);
    if (wrong) graph_rewrite(graph, roots.at, (uint32_t)roots.count, replace, &scheduler);
    if (!unfused) reuse_rectified(graph, roots.at, (uint32_t)roots.count);
    size_t next = 0;
    for (uint32_t i = 0; i < module->n_functions; i++) {
        Function *function = &functions[i];
        for (uint32_t j = 0; j < function->n_results; j++) function->results[j].value = roots.at[next++];
        if (!node_is_none(function->loss)) function->loss = roots.at[next++];
    }
    vec_free(&roots);
    return functions;
}
