/* Which axes of a graph's values are the same one: an image's columns in all the layers that pass them on, the channels
 * of a value in what is computed of it element by element. Classes of a union-find structure over (node, dimension). */
#include "ir/window.h"
#include "schedule/schedule_internal.h"

static uint32_t number_of(const AxisClasses *classes, Node node, uint32_t dim)
{
    return classes->first[node.id] + dim;
}

uint32_t axis_class(AxisClasses *classes, Node node, uint32_t dim)
{
    uint32_t at = number_of(classes, node, dim);
    while (classes->parent[at] != at) at = classes->parent[at] = classes->parent[classes->parent[at]];
    return at;
}

static void join(AxisClasses *classes, Node a, uint32_t in_a, Node b, uint32_t in_b)
{
    uint32_t first = axis_class(classes, a, in_a), second = axis_class(classes, b, in_b);
    classes->parent[first > second ? first : second] = first < second ? first : second;
}

/* True for what is the same node for all values of a shape, whatever their axes mean. */
static bool is_anonymous(const Graph *graph, Node node)
{
    Op op = node_op(graph, node);
    return op == OP_CONST || op == OP_IOTA ||
           (op == OP_BROADCAST && node_type(graph, node_arg(graph, node, 0))->rank == 0);
}

static void join_all(AxisClasses *classes, const Graph *graph, const NodeInfo *info, Node node)
{
    for (uint32_t i = 0; i < info->n_args; i++)
        for (uint32_t d = 0; d < info->type.rank && !is_anonymous(graph, info->args[i]); d++)
            join(classes, info->args[i], d, node, d);
}

static void join_labels(AxisClasses *classes, const Graph *graph, const NodeInfo *info, Node node)
{
    uint32_t rank = info->attr.n_ints, n_a = node_type(graph, info->args[0])->rank, result = rank - info->type.rank;
    for (uint32_t i = 0; i < rank; i++)
        for (uint32_t j = 0; j < i; j++) {
            if (info->attr.ints[i] != info->attr.ints[j]) continue;
            Node a = j < n_a ? info->args[0] : j < result ? info->args[1] : node;
            Node b = i < n_a ? info->args[0] : i < result ? info->args[1] : node;
            join(classes, a,
                 j < n_a      ? j
                 : j < result ? j - n_a
                              : j - result,
                 b,
                 i < n_a      ? i
                 : i < result ? i - n_a
                              : i - result);
            break;
        }
}

static void join_kept(AxisClasses *classes, const Graph *graph, const NodeInfo *info, Node node)
{
    uint32_t kept = 0, next = 0, rank = node_type(graph, info->args[0])->rank;
    for (uint32_t d = 0; d < rank; d++) {
        bool reduced = next < info->attr.n_ints && info->attr.ints[next] == (int32_t)d;
        next += reduced;
        if (!reduced) join(classes, info->args[0], d, node, kept++);
    }
}

/* An axis and its positions; `windows` is the node of more axes. */
static void join_windows(AxisClasses *classes, const Graph *graph, Node node, Node windows, Node whole)
{
    uint32_t axis = window_of(graph, node).axis, rank = node_type(graph, whole)->rank;
    for (uint32_t d = 0; d < rank; d++) join(classes, whole, d, windows, d > axis ? d + 1 : d);
}

/* Axes that a reshape leaves as they are; what it cuts or merges is another axis. */
static void join_stretches(AxisClasses *classes, const Scheduler *scheduler, const NodeInfo *info, Node node)
{
    const Type *from = node_type(scheduler->graph, info->args[0]);
    Shape shapes[2] = {{from->rank, from->dims}, {info->type.rank, info->type.dims}};
    for (Stretch s = {0}; stretch_next(scheduler, shapes, &s);)
        if (s.to[0] - s.from[0] == 1 && s.to[1] - s.from[1] == 1)
            join(classes, info->args[0], s.from[0], node, s.from[1]);
}

static void join_moved(AxisClasses *classes, const Scheduler *scheduler, const NodeInfo *info, Node node)
{
    const Graph *graph = scheduler->graph;
    Node x = info->args[0];
    switch (info->op) {
    case OP_BROADCAST:
        for (uint32_t d = 0; d < node_type(graph, x)->rank; d++)
            join(classes, x, d, node, (uint32_t)info->attr.ints[d]);
        break;
    case OP_TRANSPOSE:
        for (uint32_t d = 0; d < info->type.rank; d++) join(classes, x, (uint32_t)info->attr.ints[d], node, d);
        break;
    case OP_WINDOW:
        join_windows(classes, graph, node, node, x);
        break;
    case OP_UNWINDOW:
        join_windows(classes, graph, node, x, node);
        break;
    case OP_RESHAPE:
        join_stretches(classes, scheduler, info, node);
        break;
    default: /* SLICE, PAD, CONCAT, REVERSE */
        join_all(classes, graph, info, node);
    }
}

static void join_node(AxisClasses *classes, const Scheduler *scheduler, Node node)
{
    const NodeInfo *info = graph_node(scheduler->graph, node);
    switch (op_info(info->op)->class) {
    case OP_CLASS_ELEMENTWISE:
    case OP_CLASS_CUMULATIVE:
        join_all(classes, scheduler->graph, info, node);
        break;
    case OP_CLASS_CONTRACTION:
        join_labels(classes, scheduler->graph, info, node);
        break;
    case OP_CLASS_REDUCTION:
        join_kept(classes, scheduler->graph, info, node);
        break;
    case OP_CLASS_MOVEMENT:
        join_moved(classes, scheduler, info, node);
        break;
    default: /* sources; gathered axes have another meaning */
        break;
    }
}

/* A reshape that cuts an axis which windows walk, or puts it together again: side by side windows are written so. Its
 * parts are that axis still, while what a flattened value is cut into has nothing to do with it. */
static void join_cut(AxisClasses *classes, const Scheduler *scheduler, Node node, const bool *windowed)
{
    const NodeInfo *info = graph_node(scheduler->graph, node);
    const Type *from = node_type(scheduler->graph, info->args[0]);
    Node nodes[2] = {info->args[0], node};
    Shape shapes[2] = {{from->rank, from->dims}, {info->type.rank, info->type.dims}};
    for (Stretch s = {0}; stretch_next(scheduler, shapes, &s);)
        for (uint32_t one = 0; one < 2; one++) {
            uint32_t other = 1 - one;
            if (s.to[one] - s.from[one] != 1 || s.to[other] - s.from[other] == 1) continue;
            if (!windowed[axis_class(classes, nodes[one], s.from[one])]) continue;
            for (uint32_t d = s.from[other]; d < s.to[other]; d++)
                join(classes, nodes[other], d, nodes[one], s.from[one]);
        }
}

AxisClasses axis_classes(const Scheduler *scheduler, const Node *nodes, uint32_t count)
{
    const Graph *graph = scheduler->graph;
    AxisClasses classes = {.first = ARENA_ARRAY(scheduler->arena, uint32_t, graph_count(graph) + 1)};
    for (uint32_t i = 0; i < count; i++) {
        classes.first[nodes[i].id] = classes.count;
        classes.count += node_type(graph, nodes[i])->rank;
    }
    classes.parent = ARENA_ARRAY(scheduler->arena, uint32_t, classes.count + 1);
    for (uint32_t i = 0; i < classes.count; i++) classes.parent[i] = i;
    for (uint32_t i = 0; i < count; i++) join_node(&classes, scheduler, nodes[i]);
    bool *windowed = ARENA_ARRAY(scheduler->arena, bool, classes.count + 1);
    for (uint32_t i = 0; i < count; i++) {
        Op op = node_op(graph, nodes[i]);
        if (op != OP_WINDOW && op != OP_UNWINDOW) continue;
        Node whole = op == OP_WINDOW ? node_arg(graph, nodes[i], 0) : nodes[i];
        windowed[axis_class(&classes, whole, window_of(graph, nodes[i]).axis)] = true;
    }
    for (uint32_t i = 0; i < count; i++)
        if (node_op(graph, nodes[i]) == OP_RESHAPE) join_cut(&classes, scheduler, nodes[i], windowed);
    return classes;
}
