#include "passes/rows.h"

#include "support/memory.h"
#include "support/vector.h"

/* finding */

static signed char axis_of_rows(const Rows *rows, Node node)
{
    const NodeInfo *info = graph_node(rows->graph, node);
    const DimTable *dims = graph_dims(rows->graph);
    signed char axis = ROW_FREE;
    for (uint32_t i = 0; i < info->type.rank && rows->batch; i++) {
        if (!dim_mentions(dims, info->type.dims[i], rows->batch)) continue;
        if (axis != ROW_FREE) return ROW_MANY;
        axis = (signed char)i;
    }
    for (uint32_t i = 0; i < info->n_args && axis == ROW_FREE; i++)
        if (rows->axis[info->args[i].id] != ROW_FREE) axis = ROW_REDUCED;
    return axis;
}

void rows_find(Rows *rows, const Graph *graph, Name batch)
{
    *rows = (Rows){.graph = graph, .batch = batch, .count = graph_count(graph)};
    rows->axis = memory_alloc((size_t)rows->count + 1);
    rows->checked = memory_calloc((size_t)rows->count + 1, 1);
    rows->axis[0] = ROW_FREE;
    for (uint32_t id = 1; id <= rows->count; id++) rows->axis[id] = axis_of_rows(rows, (Node){id});
}

void rows_free(Rows *rows)
{
    memory_free(rows->axis);
    memory_free(rows->checked);
    rows->axis = NULL;
    rows->checked = NULL;
}

static int axis_of(const Rows *rows, Node node)
{
    return rows->axis[node.id];
}

bool rows_dependent(const Rows *rows, Node node)
{
    return axis_of(rows, node) != ROW_FREE;
}

bool rows_has_axis(const Rows *rows, Node node)
{
    return axis_of(rows, node) >= 0 || axis_of(rows, node) == ROW_MANY;
}

bool rows_reduced_here(const Rows *rows, Node node)
{
    const NodeInfo *info = graph_node(rows->graph, node);
    for (uint32_t i = 0; i < info->n_args; i++)
        if (rows_has_axis(rows, info->args[i])) return !rows_has_axis(rows, node);
    return false;
}

/* row by row: where the rows are on an axis of the operand and of the result, they are the same axis of the same rows
 */

static bool mentions(const Rows *rows, Dim dim)
{
    return dim_mentions(graph_dims(rows->graph), dim, rows->batch);
}

static bool is_zero(const Rows *rows, Dim dim)
{
    int64_t value;
    return dim_is_constant(graph_dims(rows->graph), dim, &value) && value == 0;
}

static bool in_list(const int32_t *list, uint32_t count, int32_t item)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == item) return true;
    return false;
}

/* Row-major order keeps the rows apart when nothing before their axis changes. */
static bool reshape_by_rows(const Rows *rows, const NodeInfo *info, int from, int to)
{
    const Type *x = node_type(rows->graph, info->args[0]);
    if (from != to) return false;
    for (int i = 0; i < to; i++)
        if (!dim_same(x->dims[i], info->type.dims[i])) return false;
    return true;
}

/* x and ids share their first b axes; rows may be among those, or elsewhere in one of both but on the gathered axis. */
static bool gather_by_rows(const Rows *rows, Node x, Node ids, int32_t a, int32_t b)
{
    int in_x = axis_of(rows, x), in_ids = axis_of(rows, ids);
    if (in_x == a) return false;
    if (in_x >= 0 && in_ids >= 0) return in_x == in_ids && in_x < b;
    return true;
}

/* The rows of both operands have one label. */
static bool contract_by_rows(const Rows *rows, const NodeInfo *info)
{
    int in_a = axis_of(rows, info->args[0]), in_b = axis_of(rows, info->args[1]);
    const int32_t *b_labels = info->attr.ints + node_type(rows->graph, info->args[0])->rank;
    return in_a < 0 || in_b < 0 || info->attr.ints[in_a] == b_labels[in_b];
}

/* scatter_add(ids, g): the axes of ids after the first b stand in g from axis a on. */
static bool scatter_by_rows(const Rows *rows, const NodeInfo *info)
{
    int in_ids = axis_of(rows, info->args[0]), in_g = axis_of(rows, info->args[1]);
    int32_t a = info->attr.ints[0], b = info->attr.ints[1];
    if (in_ids < 0) return true; /* the rows of g stay in the result */
    return in_g == (in_ids < b ? in_ids : a + in_ids - b);
}

static bool movement_by_rows(const Rows *rows, const NodeInfo *info, int to)
{
    Node x = info->args[0];
    int from = axis_of(rows, x);
    const Attr *attr = &info->attr;
    switch (info->op) {
    case OP_RESHAPE:
        return reshape_by_rows(rows, info, from, to);
    case OP_SLICE:
        return is_zero(rows, attr->sizes[to]) && attr->ints[to] == 1 &&
               dim_same(node_type(rows->graph, x)->dims[to], info->type.dims[to]);
    case OP_PAD:
        return dim_same(node_type(rows->graph, x)->dims[to], info->type.dims[to]);
    case OP_CONCAT:
        return attr->integer != to;
    case OP_REVERSE:
        return !in_list(attr->ints, attr->n_ints, to);
    case OP_WINDOW:
        return to < attr->ints[0] || to > attr->ints[0] + 1;
    case OP_UNWINDOW:
        return to != attr->ints[0];
    default:
        return true; /* broadcast and transpose carry the axis along */
    }
}

/* The rows are on axis `to` of the result. */
static bool by_rows(const Rows *rows, const NodeInfo *info, int to)
{
    switch (op_info(info->op)->class) {
    case OP_CLASS_MOVEMENT:
        return movement_by_rows(rows, info, to);
    case OP_CLASS_CUMULATIVE:
        return info->attr.integer != to;
    case OP_CLASS_GATHER:
        if (info->op == OP_GATHER)
            return gather_by_rows(rows, info->args[0], info->args[1], info->attr.ints[0], info->attr.ints[1]);
        return to != info->attr.ints[0] && scatter_by_rows(rows, info);
    case OP_CLASS_CONTRACTION:
        return contract_by_rows(rows, info);
    case OP_CLASS_DIFFERENTIAL:
        return false;
    default:
        return true; /* elementwise; reductions and contractions over other axes */
    }
}

static RowTrouble check_node(const Rows *rows, Node node)
{
    const NodeInfo *info = graph_node(rows->graph, node);
    int axis = axis_of(rows, node);
    if (info->op == OP_SIZE) return mentions(rows, info->attr.sizes[0]) ? ROWS_COUNTED : ROWS_GOOD;
    if (axis == ROW_FREE) return ROWS_GOOD;
    if (axis == ROW_REDUCED) return ROWS_NESTED;
    if (axis == ROW_MANY) return ROWS_MIXED;
    if (info->op == OP_IOTA && info->attr.integer == axis) return ROWS_COUNTED;
    return by_rows(rows, info, axis) ? ROWS_GOOD : ROWS_MIXED;
}

RowTrouble rows_beneath(Rows *rows, Node reduction, Node *culprit)
{
    RowTrouble trouble = ROWS_GOOD;
    Vec(Node) stack = {0};
    const NodeInfo *info = graph_node(rows->graph, reduction);
    bool apart = info->op == OP_CONTRACT ? contract_by_rows(rows, info)
                                         : info->op != OP_SCATTER_ADD || scatter_by_rows(rows, info);
    if (!apart) { /* it pairs every row with every other */
        *culprit = reduction;
        return ROWS_MIXED;
    }
    for (uint32_t i = 0; i < info->n_args; i++) vec_push(&stack, info->args[i]);
    while (stack.count && trouble == ROWS_GOOD) {
        Node node = vec_pop(&stack);
        if (rows->checked[node.id]) continue;
        trouble = check_node(rows, node);
        if (trouble != ROWS_GOOD) {
            *culprit = node;
            break;
        }
        rows->checked[node.id] = 1;
        info = graph_node(rows->graph, node);
        for (uint32_t i = 0; i < info->n_args; i++) vec_push(&stack, info->args[i]);
    }
    vec_free(&stack);
    return trouble;
}
