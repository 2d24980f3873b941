/* Which nodes are named values, computed once in one kernel. All others are computed again wherever they are used,
 * which costs no memory; the costs below say where that would repeat too much. */
#include "schedule/schedule_internal.h"

enum {
    WORK_CHEAP = 8,     /* more than this is not repeated for several users, nor for each element of a broadcast */
    WORK_WINDOWED = 60, /* likewise where windows are read, which are larger than what they are made of */
    WORK_SCALAR = 5,    /* the same for scalars, which cost next to nothing to keep */
    WORK_GATHERED = 30, /* a table that costs more to compute by element is computed once */
    LOADS_CHEAP = 3,
    WORK_LIMIT = 200, /* of one piece, whatever uses it */
    LOADS_LIMIT = 20
};

/* True when `label` stands among the labels. */
static bool has_label(const int32_t *labels, uint32_t count, int32_t label)
{
    for (uint32_t i = 0; i < count; i++)
        if (labels[i] == label) return true;
    return false;
}

bool is_tiled(const Scheduler *scheduler, Node contract)
{
    const NodeInfo *info = graph_node(scheduler->graph, contract);
    const Type *a = node_type(scheduler->graph, info->args[0]), *b = node_type(scheduler->graph, info->args[1]);
    const int32_t *in_a = info->attr.ints, *in_b = in_a + a->rank, *result = in_b + b->rank;
    uint32_t rank = info->type.rank;
    bool m = false, n = false, k = false;
    for (uint32_t i = 0; i < a->rank; i++) {
        if (is_unit(scheduler, a->dims[i])) continue;
        bool other = has_label(in_b, b->rank, in_a[i]), kept = has_label(result, rank, in_a[i]);
        m = m || (!other && kept);
        k = k || (other && !kept);
    }
    for (uint32_t i = 0; i < b->rank; i++)
        n = n ||
            (!is_unit(scheduler, b->dims[i]) && !has_label(in_a, a->rank, in_b[i]) && has_label(result, rank, in_b[i]));
    return m && n && k && dtype_is_float(info->type.dtype);
}

bool has_sum(const Scheduler *scheduler, Node contract)
{
    const NodeInfo *info = graph_node(scheduler->graph, contract);
    uint32_t operands = info->attr.n_ints - info->type.rank;
    for (uint32_t i = 0; i < operands; i++)
        if (!has_label(info->attr.ints + operands, info->type.rank, info->attr.ints[i])) return true;
    return false;
}

bool is_one_hot(const Graph *graph, Node scatter)
{
    const NodeInfo *info = graph_node(graph, scatter);
    const Type *ids = node_type(graph, info->args[0]);
    return info->attr.ints[0] == info->attr.ints[1] && ids->rank == (uint32_t)info->attr.ints[1];
}

/* Operators that are loops of their own. */
static bool is_anchor(const Scheduler *scheduler, Node node)
{
    switch (op_info(node_op(scheduler->graph, node))->class) {
    case OP_CLASS_REDUCTION:
    case OP_CLASS_CUMULATIVE:
        return true;
    case OP_CLASS_CONTRACTION:
        return has_sum(scheduler, node);
    case OP_CLASS_MOVEMENT:
        return node_op(scheduler->graph, node) == OP_UNWINDOW;
    case OP_CLASS_GATHER:
        return node_op(scheduler->graph, node) == OP_SCATTER_ADD && !is_one_hot(scheduler->graph, node);
    default:
        return false;
    }
}

static bool is_trivial(const Graph *graph, Node node)
{
    Op op = node_op(graph, node);
    return is_memory(graph, node) || op == OP_CONST || op == OP_SIZE || op == OP_IOTA;
}

bool moves_operand(Op op)
{
    return (op_info(op)->class == OP_CLASS_MOVEMENT && op_info(op)->flags & PICKS) || op == OP_WINDOW;
}

/* A reshape that only cuts dimensions, which an index sees through. */
static bool is_cut(const Scheduler *scheduler, Node node)
{
    if (node_op(scheduler->graph, node) != OP_RESHAPE) return false;
    const Type *type = node_type(scheduler->graph, node);
    return view_cuts(scheduler, node_type(scheduler->graph, node_arg(scheduler->graph, node, 0)),
                     (Shape){type->rank, type->dims});
}

static void mark(Scheduler *scheduler, Node node)
{
    node = base_of(scheduler->graph, node);
    if (!is_memory(scheduler->graph, node)) facts_of(scheduler, node)->materialised = true;
}

/* Users, and whether there are several seen through movement, which is always computed again. */
static void count_users(Scheduler *scheduler)
{
    for (uint32_t i = 0; i < scheduler->n_order; i++) {
        const NodeInfo *info = graph_node(scheduler->graph, scheduler->order[i]);
        for (uint32_t j = 0; j < info->n_args; j++)
            if (j == 0 || !node_same(info->args[j], info->args[0])) facts_of(scheduler, info->args[j])->users++;
    }
    for (size_t i = 0; i < scheduler->targets.count; i++) facts_of(scheduler, scheduler->targets.at[i].value)->users++;
    for (uint32_t i = scheduler->n_order; i-- > 0;) {
        const NodeInfo *info = graph_node(scheduler->graph, scheduler->order[i]);
        Facts *facts = facts_of(scheduler, scheduler->order[i]);
        facts->multiple = facts->multiple || facts->users > 1;
        for (uint32_t j = 0; j < info->n_args; j++)
            if (facts->multiple && moves_operand(info->op)) facts_of(scheduler, info->args[j])->multiple = true;
    }
}

/* True for operators with a result as large as their operands. */
static bool keeps_size(Op op)
{
    return op_info(op)->class == OP_CLASS_ELEMENTWISE || op == OP_TRANSPOSE || op == OP_RESHAPE || op == OP_REVERSE;
}

/* What is read, and not only taken in by sums above it; and what is as large as the windows that sums add up. */
static void find_loaded(Scheduler *scheduler)
{
    for (size_t i = 0; i < scheduler->targets.count; i++)
        facts_of(scheduler, scheduler->targets.at[i].value)->loaded = true;
    for (uint32_t i = scheduler->n_order; i-- > 0;) {
        Node node = scheduler->order[i];
        const NodeInfo *info = graph_node(scheduler->graph, node);
        bool passes = !facts_of(scheduler, node)->loaded && moves_elements(scheduler, node);
        bool takes_in = (info->op == OP_UNWINDOW || passes) && sum_is_beneath(scheduler, info->args[0]);
        bool windowed = info->op == OP_UNWINDOW || (facts_of(scheduler, node)->windowed && keeps_size(info->op));
        for (uint32_t j = 0; j < info->n_args; j++) {
            Facts *facts = facts_of(scheduler, info->args[j]);
            facts->loaded = facts->loaded || !takes_in;
            facts->windowed = facts->windowed || windowed;
        }
    }
}

/* What must be in memory, or is a loop of its own, whatever it costs. */
static void mark_required(Scheduler *scheduler)
{
    const Graph *graph = scheduler->graph;
    for (size_t i = 0; i < scheduler->targets.count; i++) mark(scheduler, scheduler->targets.at[i].base);
    for (uint32_t i = 0; i < scheduler->n_order; i++) {
        Node node = scheduler->order[i];
        const NodeInfo *info = graph_node(graph, node);
        if (is_anchor(scheduler, node) && facts_of(scheduler, node)->loaded) mark(scheduler, node);
        if (scheduler->options->unfused && !is_trivial(graph, node) && info->op != OP_RESHAPE) mark(scheduler, node);
        if (info->op != OP_CONTRACT || !is_tiled(scheduler, node)) continue;
        for (uint32_t j = 0; j < 2; j++) {
            Node operand = info->args[j];
            while (moves_operand(node_op(graph, operand)) || is_cut(scheduler, operand))
                operand = node_arg(graph, operand, 0);
            mark(scheduler, operand);
        }
    }
}

static bool is_pointwise(const Graph *graph, Node node)
{
    return op_info(node_op(graph, node))->class == OP_CLASS_ELEMENTWISE;
}

/* Adds up what the operands cost and notes whether one of them is a loop that this node could finish. */
static void add_costs(Scheduler *scheduler, const NodeInfo *info, Facts *facts)
{
    const Graph *graph = scheduler->graph;
    uint32_t work = op_info(info->op)->work, loads = 0;
    bool pointwise = op_info(info->op)->class == OP_CLASS_ELEMENTWISE;
    facts->windowed = facts->windowed || info->op == OP_WINDOW;
    for (uint32_t i = 0; i < info->n_args; i++) {
        Node arg = info->args[i];
        const Facts *of = facts_of(scheduler, arg);
        if (is_memory(graph, arg) || of->materialised) {
            loads++;
            if (pointwise && of->users == 1 && is_anchor(scheduler, arg)) facts->epilogue = true;
        } else {
            work += of->work;
            loads += of->loads;
            facts->windowed = facts->windowed || of->windowed;
            if (pointwise && of->users == 1 && of->epilogue) facts->epilogue = true;
        }
    }
    facts->work = (uint16_t)(work < 60000 ? work : 60000);
    facts->loads = (uint16_t)(loads < 60000 ? loads : 60000);
}

/* Operands that this node would compute again and again. */
static void mark_repeated(Scheduler *scheduler, const NodeInfo *info)
{
    const Graph *graph = scheduler->graph;
    if (info->op == OP_BROADCAST) {
        Node x = info->args[0];
        const Facts *facts = facts_of(scheduler, x);
        uint32_t limit = node_type(graph, x)->rank ? WORK_CHEAP : WORK_SCALAR;
        if (facts->work > limit) mark(scheduler, x);
    }
    if (info->op == OP_GATHER && facts_of(scheduler, info->args[0])->work > WORK_GATHERED)
        mark(scheduler, info->args[0]);
}

void scheduler_materialise(Scheduler *scheduler)
{
    const Graph *graph = scheduler->graph;
    count_users(scheduler);
    find_loaded(scheduler);
    mark_required(scheduler);
    for (uint32_t i = 0; i < scheduler->n_order; i++) {
        Node node = scheduler->order[i];
        const NodeInfo *info = graph_node(graph, node);
        Facts *facts = facts_of(scheduler, node);
        mark_repeated(scheduler, info);
        add_costs(scheduler, info, facts);
        bool whole = is_pointwise(graph, node) || info->op == OP_RANDOM || info->op == OP_CONCAT;
        if (!whole || facts->materialised) continue;
        bool costly = facts->work > (facts->windowed ? WORK_WINDOWED : WORK_CHEAP) ||
                      (facts->loads > LOADS_CHEAP && !facts->windowed) || facts->epilogue;
        if ((facts->multiple && costly) || facts->work > WORK_LIMIT || facts->loads > LOADS_LIMIT)
            facts->materialised = true;
    }
}
