#include <string.h>

#include "schedule/schedule_internal.h"
#include "support/memory.h"

bool is_memory(const Graph *graph, Node node)
{
    switch (node_op(graph, node)) {
    case OP_INPUT:
    case OP_TARGET:
    case OP_PARAM:
    case OP_STATE:
    case OP_SETTING:
    case OP_LITERAL:
        return true;
    default:
        return false;
    }
}

Node base_of(const Graph *graph, Node node)
{
    for (;;) {
        Op op = node_op(graph, node);
        if (op != OP_RESHAPE && op != OP_STOP_GRADIENT && op != OP_CUSTOM_GRADIENT) return node;
        node = node_arg(graph, node, 0);
    }
}

Need need_of(ResultRole role)
{
    switch (role) {
    case RESULT_METRIC:
    case RESULT_PARTIAL:
        return NEED_METRIC;
    case RESULT_GRADIENT:
        return NEED_BACKWARD;
    case RESULT_UPDATE:
        return NEED_UPDATE;
    default:
        return NEED_FORWARD;
    }
}

/* What the fused step leaves out. */
static bool is_delivered(ResultRole role, bool step)
{
    return !step || (role != RESULT_OUTPUT && role != RESULT_GRADIENT);
}

static void add_target(Scheduler *scheduler, ResultRole role, Name name, Node value, Node old)
{
    Target target = {.role = role, .name = name, .value = value, .old = old, .buffer = NO_BUFFER};
    target.base = base_of(scheduler->graph, value);
    Facts *facts = facts_of(scheduler, target.base);
    target.next = facts->target;
    facts->target = (uint32_t)scheduler->targets.count;
    vec_push(&scheduler->targets, target);
}

/* True if a loss or metric is called so. */
static bool is_scored(const Function *function, Name name)
{
    for (uint32_t i = 0; i < function->n_results; i++) {
        const Result *result = &function->results[i];
        if ((result->role == RESULT_LOSS || result->role == RESULT_METRIC) && result->name == name) return true;
    }
    return false;
}

/* The sum of several losses has a result of its own: `loss`, or what is still free of `total`, `total_2`, … */
static void add_total(Scheduler *scheduler, const Function *function)
{
    Name name = intern(scheduler->context->names, "loss");
    if (node_is_none(function->loss)) return;
    for (uint32_t i = 0; i < function->n_results; i++)
        if (function->results[i].role == RESULT_LOSS && node_same(function->results[i].value, function->loss)) return;
    if (is_scored(function, name)) name = intern(scheduler->context->names, "total");
    for (int number = 2; is_scored(function, name); number++)
        name = intern_format(scheduler->context->names, "total_%d", number);
    add_target(scheduler, RESULT_LOSS, name, function->loss, NODE_NONE);
}

void scheduler_set_targets(Scheduler *scheduler, const Function *function, bool step)
{
    for (uint32_t i = 0; i < function->n_results; i++) {
        const Result *result = &function->results[i];
        if (!is_delivered(result->role, step)) continue;
        /* What stays as it is needs no update. */
        if (result->role == RESULT_UPDATE && node_same(result->value, result->old)) continue;
        Node old = result->role == RESULT_UPDATE ? result->old : NODE_NONE;
        add_target(scheduler, result->role, result->name, result->value, old);
    }
    add_total(scheduler, function);
}

/* Appends what `root` needs and was not taken before, operands first; a stack, since chains may be long. */
static void take(Scheduler *scheduler, Node root, Need need, const bool *wanted, bool *taken)
{
    Vec(Node) stack = {0};
    vec_push(&stack, root);
    while (stack.count) {
        Node node = vec_last(&stack);
        const NodeInfo *info = graph_node(scheduler->graph, node);
        size_t before = stack.count;
        if (!taken[node.id])
            for (uint32_t i = info->n_args; i-- > 0;)
                if (!taken[info->args[i].id]) vec_push(&stack, info->args[i]);
        if (stack.count > before) continue;
        (void)vec_pop(&stack);
        if (taken[node.id]) continue;
        taken[node.id] = true;
        if (!wanted[node.id]) continue;
        facts_of(scheduler, node)->need = (uint8_t)need;
        scheduler->order[scheduler->n_order++] = node;
    }
    vec_free(&stack);
}

/* What a metric shares with gradients or updates is no metric's: it runs even when metrics are left out. */
static void keep_shared(Scheduler *scheduler)
{
    Vec(Node) roots = {0};
    uint32_t count;
    for (size_t i = 0; i < scheduler->targets.count; i++)
        if (need_of(scheduler->targets.at[i].role) != NEED_METRIC) vec_push(&roots, scheduler->targets.at[i].value);
    Node *nodes = graph_reachable(scheduler->graph, roots.at, (uint32_t)roots.count, &count);
    for (uint32_t i = 0; i < count; i++)
        if (facts_of(scheduler, nodes[i])->need == NEED_METRIC) facts_of(scheduler, nodes[i])->need = NEED_FORWARD;
    memory_free(nodes);
    vec_free(&roots);
}

/* Nodes in the order of needs: forward, metrics, backward, update. In the step, gradients are taken where "training"
 * takes them, before every update, although nothing stores them: so that both fuse alike. */
void scheduler_set_order(Scheduler *scheduler, const Function *function, bool step)
{
    uint32_t count = graph_count(scheduler->graph);
    bool *wanted = memory_calloc(count + 1, sizeof *wanted), *taken = memory_calloc(count + 1, sizeof *taken);
    Vec(Node) roots = {0};
    for (size_t i = 0; i < scheduler->targets.count; i++) vec_push(&roots, scheduler->targets.at[i].value);
    uint32_t reached;
    Node *nodes = graph_reachable(scheduler->graph, roots.at, (uint32_t)roots.count, &reached);
    for (uint32_t i = 0; i < reached; i++) wanted[nodes[i].id] = true;
    scheduler->order = ARENA_ARRAY(scheduler->arena, Node, reached + 1);
    for (Need need = NEED_FORWARD; need < NEED_NONE; need++) {
        for (size_t i = 0; i < scheduler->targets.count; i++)
            if (need_of(scheduler->targets.at[i].role) == need)
                take(scheduler, scheduler->targets.at[i].value, need, wanted, taken);
        for (uint32_t i = 0; step && need == NEED_BACKWARD && i < function->n_results; i++)
            if (function->results[i].role == RESULT_GRADIENT)
                take(scheduler, function->results[i].value, need, wanted, taken);
    }
    keep_shared(scheduler);
    memory_free(nodes);
    memory_free(wanted);
    memory_free(taken);
    vec_free(&roots);
}
