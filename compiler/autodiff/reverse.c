/* The reverse sweep: one walk up to find what matters, one walk down with cotangents. */
#include <assert.h>
#include <stdlib.h>

#include "autodiff/autodiff_internal.h"
#include "ir/build.h"

/* The operands through which a node can be differentiated. */
static bool flows(const NodeInfo *info, uint32_t operand)
{
    switch (info->op) {
    case OP_GATHER:
        return operand == 0;
    case OP_SCATTER_ADD:
        return operand == 1;
    case OP_SELECT:
        return operand > 0;
    case OP_STOP_GRADIENT:
        return false;
    case OP_CUSTOM_GRADIENT:
        return operand >= 2 && operand < 2 + (uint64_t)info->attr.integer;
    default:
        return true;
    }
}

/* A node is active when it depends on an x through floating-point values. */
static void mark_active(Sweep *sweep, const bool *needed, const Node *xs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (xs[i].id <= sweep->limit) sweep->active[xs[i].id] = true;
    for (uint32_t id = 1; id <= sweep->limit; id++) {
        if (!needed[id]) {
            sweep->active[id] = false;
            continue;
        }
        const NodeInfo *info = graph_node(sweep->graph, (Node){id});
        if (!dtype_is_float(info->type.dtype)) {
            sweep->active[id] = false;
            continue;
        }
        for (uint32_t i = 0; i < info->n_args && !sweep->active[id]; i++)
            sweep->active[id] = flows(info, i) && sweep->active[info->args[i].id];
        if (sweep->active[id]) gate_note_risk(sweep, (Node){id});
    }
}

/* The nodes beneath y, by id. */
static void mark_needed(const Graph *graph, Node y, bool *needed)
{
    needed[y.id] = true;
    for (uint32_t id = y.id; id > 0; id--) {
        if (!needed[id]) continue;
        const NodeInfo *info = graph_node(graph, (Node){id});
        for (uint32_t i = 0; i < info->n_args; i++) needed[info->args[i].id] = true;
    }
}

static void inherit_places(Graph *graph, uint32_t first, Node from)
{
    for (uint32_t id = first + 1; id <= graph_count(graph); id++) graph_inherit_places(graph, (Node){id}, from);
}

static void sweep_node(Sweep *sweep, Node node, Cotangent g)
{
    uint32_t before = graph_count(sweep->graph);
    if (op_info(node_op(sweep->graph, node))->class == OP_CLASS_ELEMENTWISE)
        reverse_elementwise(sweep, node, g);
    else
        reverse_structural(sweep, node, g);
    inherit_places(sweep->graph, before, node);
}

/* Indices into xs by node id: head[id] is 1 + the first, next[i] 1 + the following one of the same node. */
typedef struct {
    uint32_t *head, *next;
} Wanted;

static void sweep_down(Sweep *sweep, Wanted wanted, Node *gradients)
{
    for (uint32_t id = sweep->limit; id > 0 && sweep->ok; id--) {
        if (context_stopped(graph_context(sweep->graph))) sweep->ok = false;
        if (!sweep->incoming[id]) continue;
        Node node = {id};
        uint32_t before = graph_count(sweep->graph);
        Cotangent g = gate_merge(sweep, node, sweep->incoming[id]);
        if (wanted.head[id]) {
            Node value = g.clean ? g.value : gate_apply(sweep->graph, g.gate, g.value);
            for (uint32_t i = wanted.head[id]; i; i = wanted.next[i - 1]) gradients[i - 1] = value;
        }
        inherit_places(sweep->graph, before, node);
        sweep_node(sweep, node, g);
    }
}

bool autodiff_reverse(Graph *graph, const RuleSet *partials, Node y, Node dy, const Node *xs, uint32_t count,
                      Node *gradients)
{
    Arena *scratch = arena_new();
    Sweep sweep = {.graph = graph, .partials = partials, .arena = scratch, .limit = y.id, .ok = true};
    sweep.active = ARENA_ARRAY(scratch, bool, y.id + 1);
    sweep.risk = ARENA_ARRAY(scratch, uint8_t, y.id + 1);
    sweep.incoming = ARENA_ARRAY(scratch, Contribution *, y.id + 1);
    bool *needed = ARENA_ARRAY(scratch, bool, y.id + 1);
    Wanted wanted = {ARENA_ARRAY(scratch, uint32_t, y.id + 1), ARENA_ARRAY(scratch, uint32_t, count ? count : 1)};

    mark_needed(graph, y, needed);
    mark_active(&sweep, needed, xs, count);
    for (uint32_t i = 0; i < count; i++) {
        gradients[i] = NODE_NONE;
        if (xs[i].id > y.id) continue;
        wanted.next[i] = wanted.head[xs[i].id];
        wanted.head[xs[i].id] = i + 1;
    }
    sweep_add(&sweep, y, (Cotangent){.value = dy});
    sweep_down(&sweep, wanted, gradients);
    for (uint32_t i = 0; i < count; i++)
        if (node_is_none(gradients[i])) gradients[i] = build_constant_like(graph, xs[i], 0);
    arena_free(scratch);
    return sweep.ok;
}

/* ---- elementwise */

static void refuse(Sweep *sweep, Node node, const char *reason)
{
    const Span *places;
    Span at = graph_places(sweep->graph, node, &places) ? places[0] : NO_SPAN;
    diag_new(graph_context(sweep->graph)->diagnostics, DIAG_not_differentiable, at, "`%s` cannot be differentiated: %s",
             op_info(node_op(sweep->graph, node))->spelling, reason);
    sweep->ok = false;
}

/* A partial that is 0 by choice, like that of the larger of two, makes a branch of what it does not choose. */
static Node gate_of_partial(Graph *graph, Node *partial)
{
    const NodeInfo info = *graph_node(graph, *partial);
    double number;
    if (info.op != OP_SELECT) return NODE_NONE;
    for (uint32_t zero = 1; zero <= 2; zero++) {
        if (!node_is_constant(graph, info.args[zero], &number) || number != 0) continue;
        *partial = info.args[3 - zero];
        return zero == 1 ? gate_not(graph, info.args[0]) : info.args[0];
    }
    return NODE_NONE;
}

static void reverse_by_partial(Sweep *sweep, Node node, uint32_t operand, Cotangent g)
{
    Graph *graph = sweep->graph;
    Node partial, gate, arg = node_arg(graph, node, operand);
    const char *reason = "it has no rule";
    switch (rules_partial(sweep->partials, graph, node, operand, &partial, &reason)) {
    case PARTIAL_ZERO:
        return;
    case PARTIAL_VALUE:
        gate = gate_of_partial(graph, &partial);
        g.value = reverse_product(graph, g.value, partial);
        g.clean &= node_is_none(gate) && node_is_constant(graph, partial, NULL);
        g.gate = gate_and(graph, g.gate, gate);
        sweep_add(sweep, arg, g);
        return;
    case PARTIAL_NONE:
    case PARTIAL_MISSING:
        refuse(sweep, node, reason);
    }
}

static void reverse_select(Sweep *sweep, const NodeInfo *info, Cotangent g)
{
    Graph *graph = sweep->graph;
    Node taken[] = {info->args[0], gate_not(graph, info->args[0])};
    for (uint32_t i = 0; i < 2; i++) {
        if (!sweep->active[info->args[1 + i].id]) continue;
        sweep_add(sweep, info->args[1 + i], (Cotangent){g.value, gate_and(graph, g.gate, taken[i]), false});
    }
}

void reverse_elementwise(Sweep *sweep, Node node, Cotangent g)
{
    const NodeInfo info = *graph_node(sweep->graph, node);
    if (info.op == OP_SELECT) {
        reverse_select(sweep, &info, g);
        return;
    }
    if (info.op == OP_CAST) {
        if (!sweep->active[info.args[0].id]) return;
        g.value = build_cast(sweep->graph, g.value, node_type(sweep->graph, info.args[0])->dtype);
        sweep_add(sweep, info.args[0], g);
        return;
    }
    for (uint32_t i = 0; i < info.n_args && sweep->ok; i++)
        if (sweep->active[info.args[i].id]) reverse_by_partial(sweep, node, i, g);
}
