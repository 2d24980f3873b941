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

bool is_tiled(const Program *program, Node contract)
{
    const NodeInfo *info = graph_node(program->graph, contract);
    const Type *a = node_type(program->graph, info->args[0]), *b = node_type(program->graph, info->args[1]);
    const int32_t *in_a = info->attr.ints, *in_b = in_a + a->rank, *result = in_b + b->rank;
    uint32_t rank = info->type.rank;
    bool m = false, n = false, k = false;
    for (uint32_t i = 0; i < a->rank; i++) {
        if (is_unit(program, a->dims[i])) continue;
        bool other = has_label(in_b, b->rank, in_a[i]), kept = has_label(result, rank, in_a[i]);
        m = m || (!other && kept);
        k = k || (other && !kept);
    }
    for (uint32_t i = 0; i < b->rank; i++)
        n = n ||
            (!is_unit(program, b->dims[i]) && !has_label(in_a, a->rank, in_b[i]) && has_label(result, rank, in_b[i]));
    return m && n && k && dtype_is_float(info->type.dtype);
}

bool has_sum(const Program *program, Node contract)
{
    const NodeInfo *info = graph_node(program->graph, contract);
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
static bool is_anchor(const Program *program, Node node)
{
    switch (op_info(node_op(program->graph, node))->class) {
    case OP_CLASS_REDUCTION:
    case OP_CLASS_CUMULATIVE:
        return true;
    case OP_CLASS_CONTRACTION:
        return has_sum(program, node);
    case OP_CLASS_MOVEMENT:
        return node_op(program->graph, node) == OP_UNWINDOW;
    case OP_CLASS_GATHER:
        return node_op(program->graph, node) == OP_SCATTER_ADD && !is_one_hot(program->graph, node);
    default:
        return false;
    }
}

static bool is_trivial(const Graph *graph, Node node)
{
    Op op = node_op(graph, node);
    return is_memory(graph, node) || op == OP_CONST || op == OP_SIZE || op == OP_IOTA;
}

static bool moves(Op op)
{
    return (op_info(op)->class == OP_CLASS_MOVEMENT && op_info(op)->flags & PICKS) || op == OP_WINDOW;
}

static void mark(Program *program, Node node)
{
    node = base_of(program->graph, node);
    if (!is_memory(program->graph, node)) facts_of(program, node)->materialised = true;
}

/* Users, and whether there are several seen through movement, which is always computed again. */
static void count_users(Program *program)
{
    for (uint32_t i = 0; i < program->n_order; i++) {
        const NodeInfo *info = graph_node(program->graph, program->order[i]);
        for (uint32_t j = 0; j < info->n_args; j++)
            if (j == 0 || !node_same(info->args[j], info->args[0])) facts_of(program, info->args[j])->users++;
    }
    for (size_t i = 0; i < program->targets.count; i++) facts_of(program, program->targets.at[i].value)->users++;
    for (uint32_t i = program->n_order; i-- > 0;) {
        const NodeInfo *info = graph_node(program->graph, program->order[i]);
        Facts *facts = facts_of(program, program->order[i]);
        facts->multiple = facts->multiple || facts->users > 1;
        for (uint32_t j = 0; j < info->n_args; j++)
            if (facts->multiple && (moves(info->op) || info->op == OP_RESHAPE))
                facts_of(program, info->args[j])->multiple = true;
    }
}

/* True for operators with a result as large as their operands. */
static bool keeps_size(Op op)
{
    return op_info(op)->class == OP_CLASS_ELEMENTWISE || op == OP_TRANSPOSE || op == OP_RESHAPE || op == OP_REVERSE;
}

/* What is read, and not only taken in by sums above it; and what is as large as the windows that sums add up. */
static void find_loaded(Program *program)
{
    for (size_t i = 0; i < program->targets.count; i++) facts_of(program, program->targets.at[i].value)->loaded = true;
    for (uint32_t i = program->n_order; i-- > 0;) {
        Node node = program->order[i];
        const NodeInfo *info = graph_node(program->graph, node);
        bool passes = !facts_of(program, node)->loaded && moves_elements(program, node);
        bool takes_in = (info->op == OP_UNWINDOW || passes) && sum_is_beneath(program, info->args[0]);
        bool windowed = info->op == OP_UNWINDOW || (facts_of(program, node)->windowed && keeps_size(info->op));
        for (uint32_t j = 0; j < info->n_args; j++) {
            Facts *facts = facts_of(program, info->args[j]);
            facts->loaded = facts->loaded || !takes_in;
            facts->windowed = facts->windowed || windowed;
        }
    }
}

/* What must be in memory, or is a loop of its own, whatever it costs. */
static void mark_required(Program *program)
{
    const Graph *graph = program->graph;
    for (size_t i = 0; i < program->targets.count; i++) mark(program, program->targets.at[i].base);
    for (uint32_t i = 0; i < program->n_order; i++) {
        Node node = program->order[i];
        const NodeInfo *info = graph_node(graph, node);
        if (is_anchor(program, node) && facts_of(program, node)->loaded) mark(program, node);
        if (program->options->unfused && !is_trivial(graph, node) && info->op != OP_RESHAPE) mark(program, node);
        if (info->op != OP_CONTRACT || !is_tiled(program, node)) continue;
        for (uint32_t j = 0; j < 2; j++) {
            Node operand = info->args[j];
            while (moves(node_op(graph, operand))) operand = node_arg(graph, operand, 0);
            mark(program, operand);
        }
    }
}

static bool is_pointwise(const Graph *graph, Node node)
{
    return op_info(node_op(graph, node))->class == OP_CLASS_ELEMENTWISE;
}

/* Adds up what the operands cost and notes whether one of them is a loop that this node could finish. */
static void add_costs(Program *program, const NodeInfo *info, Facts *facts)
{
    const Graph *graph = program->graph;
    uint32_t work = op_info(info->op)->work, loads = 0;
    bool pointwise = op_info(info->op)->class == OP_CLASS_ELEMENTWISE;
    facts->windowed = facts->windowed || info->op == OP_WINDOW;
    for (uint32_t i = 0; i < info->n_args; i++) {
        Node arg = info->args[i];
        const Facts *of = facts_of(program, arg);
        if (is_memory(graph, arg) || of->materialised) {
            loads++;
            if (pointwise && of->users == 1 && is_anchor(program, arg)) facts->epilogue = true;
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
static void mark_repeated(Program *program, const NodeInfo *info)
{
    const Graph *graph = program->graph;
    if (info->op == OP_BROADCAST) {
        Node x = info->args[0];
        const Facts *facts = facts_of(program, x);
        uint32_t limit = node_type(graph, x)->rank ? WORK_CHEAP : WORK_SCALAR;
        if (facts->work > limit) mark(program, x);
    }
    if (info->op == OP_GATHER && facts_of(program, info->args[0])->work > WORK_GATHERED) mark(program, info->args[0]);
}

void program_materialise(Program *program)
{
    const Graph *graph = program->graph;
    count_users(program);
    find_loaded(program);
    mark_required(program);
    for (uint32_t i = 0; i < program->n_order; i++) {
        Node node = program->order[i];
        const NodeInfo *info = graph_node(graph, node);
        Facts *facts = facts_of(program, node);
        mark_repeated(program, info);
        add_costs(program, info, facts);
        bool whole = is_pointwise(graph, node) || info->op == OP_RANDOM || info->op == OP_CONCAT;
        if (!whole || facts->materialised) continue;
        bool costly = facts->work > (facts->windowed ? WORK_WINDOWED : WORK_CHEAP) ||
                      (facts->loads > LOADS_CHEAP && !facts->windowed) || facts->epilogue;
        if ((facts->multiple && costly) || facts->work > WORK_LIMIT || facts->loads > LOADS_LIMIT)
            facts->materialised = true;
    }
}
