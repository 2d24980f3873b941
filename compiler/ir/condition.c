#include "ir/condition.h"

#include <math.h>

#include "ir/eval.h"
#include "nn_image.h"
#include "support/memory.h"

typedef void Emit(void *data, ConditionStep step);

/* `real`: in doubles, because a setting takes part. */
static bool is_expressible(const NodeInfo *info, bool real)
{
    if (info->type.rank || (!real && dtype_is_float(info->type.dtype))) return false;
    switch (info->op) {
    case OP_CONST:
        return real || !dtype_is_float(info->type.dtype);
    case OP_SETTING:
    case OP_DIV:
        return real;
    case OP_SIZE:
    case OP_CAST:
    case OP_NEG:
    case OP_ABS:
    case OP_NOT:
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_FLOOR_DIV:
    case OP_MOD:
    case OP_MAX:
    case OP_MIN:
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_AND:
    case OP_OR:
    case OP_SELECT:
        return true;
    default:
        return false;
    }
}

/* A conversion that changes a number would need a step of its own. */
static bool cuts(const Graph *graph, const NodeInfo *info)
{
    if (info->op != OP_CAST || info->type.dtype == DTYPE_BOOL) return false;
    return !dtype_is_float(info->type.dtype) && dtype_is_float(node_type(graph, info->args[0])->dtype);
}

/* A source that is known only in a call. */
static bool is_data(const NodeInfo *info)
{
    return op_info(info->op)->class == OP_CLASS_SOURCE && info->attr.name && info->op != OP_SETTING;
}

bool condition_has_settings(const Graph *graph, Node condition)
{
    uint32_t count;
    bool found = false;
    Node *nodes = graph_reachable(graph, &condition, 1, &count);
    for (uint32_t i = 0; i < count; i++) found |= node_op(graph, nodes[i]) == OP_SETTING;
    memory_free(nodes);
    return found;
}

Node condition_obstacle(const Graph *graph, Node condition)
{
    uint32_t count;
    bool real = condition_has_settings(graph, condition);
    Node *nodes = graph_reachable(graph, &condition, 1, &count), obstacle = NODE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(graph, nodes[i]);
        bool good = is_expressible(info, real) && !cuts(graph, info);
        if (good || (!node_is_none(obstacle) && !is_data(info))) continue;
        obstacle = nodes[i];
        if (is_data(info)) break;
    }
    memory_free(nodes);
    return obstacle;
}

enum { MOST_STEPS = 4096, STEPS_OF_NODE = 4, MOST_WAITING = NN_SIZE_STACK - STEPS_OF_NODE };

bool condition_fits(const Graph *graph, Node condition)
{
    uint32_t count;
    Node *nodes = graph_reachable(graph, &condition, 1, &count); /* operands first */
    uint32_t *steps = memory_calloc(2 * (size_t)count, sizeof *steps), *waiting = steps + count;
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(graph, nodes[i]);
        uint32_t *own = &steps[i], *most = &waiting[i];
        bool twice = info->op == OP_ABS;
        *own = *most = STEPS_OF_NODE;
        uint32_t stack = info->op == OP_SIZE ? dim_stack(graph_dims(graph), info->attr.sizes[0]) : 0;
        if (stack > *most) *most = stack;
        for (uint32_t k = 0; k < info->n_args; k++) {
            uint32_t operand = graph_position(nodes, i, info->args[k]);
            *own += steps[operand] * (twice ? 2 : 1);
            if (waiting[operand] + k + twice > *most) *most = waiting[operand] + k + twice;
        }
        if (*own > MOST_STEPS) *own = MOST_STEPS + 1;
    }
    bool fits = steps[count - 1] <= MOST_STEPS && waiting[count - 1] <= MOST_WAITING;
    memory_free(steps);
    memory_free(nodes);
    return fits;
}

bool condition_decide(const Graph *graph, Node condition, bool *truth)
{
    uint32_t count;
    Node *nodes = graph_reachable(graph, &condition, 1, &count); /* operands first */
    double *values = memory_calloc(count, sizeof *values);
    bool known = true;
    for (uint32_t i = 0; i < count && known; i++) {
        const NodeInfo *info = graph_node(graph, nodes[i]);
        double x[3] = {0};
        for (uint32_t k = 0; k < info->n_args && k < 3; k++) x[k] = values[graph_position(nodes, i, info->args[k])];
        known = info->op != OP_SIZE;
        bool leaf = info->op == OP_CONST || info->op == OP_SETTING;
        values[i] = dtype_round(info->type.dtype, leaf                  ? info->attr.number
                                                  : info->op == OP_CAST ? x[0]
                                                                        : op_evaluate(info->op, x[0], x[1], x[2]));
    }
    *truth = values[count - 1] != 0;
    memory_free(values);
    memory_free(nodes);
    return known;
}

static void emit_number(Emit *emit, void *data, int64_t number)
{
    emit(data, (ConditionStep){.op = OP_CONST, .number = number});
}

/* As its element type holds it, so that it compares as it does in the model. */
static void emit_constant(const NodeInfo *info, Emit *emit, void *data)
{
    if (dtype_class(info->type.dtype) == DTYPE_CLASS_INTEGER) {
        emit_number(emit, data, info->attr.integer);
        return;
    }
    double number = dtype_round(info->type.dtype, info->attr.number);
    bool whole = fabs(number) <= 0x1p53 && number == floor(number);
    ConditionStep step = {.op = OP_CONST, .fraction = !whole, .real = number};
    if (whole) step.number = (int64_t)number;
    emit(data, step);
}

static void emit_op(Emit *emit, void *data, Op op)
{
    emit(data, (ConditionStep){.op = op});
}

static void emit_negated(const Graph *graph, Node x, Emit *emit, void *data)
{
    emit_number(emit, data, -1);
    condition_postfix(graph, x, emit, data);
    emit_op(emit, data, OP_MUL);
}

/* A result of f64, or of an integer type, is one in doubles. */
static void emit_rounding(DType dtype, Emit *emit, void *data)
{
    if (dtype_is_float(dtype) && dtype != DTYPE_F64) emit(data, (ConditionStep){.op = OP_CAST, .dtype = dtype});
}

/* Integers keep their values here, whatever their type; a bool is 0 or 1. */
static void emit_cast(const Graph *graph, const NodeInfo *info, Emit *emit, void *data)
{
    condition_postfix(graph, info->args[0], emit, data);
    emit_rounding(info->type.dtype, emit, data);
    if (info->type.dtype != DTYPE_BOOL) return;
    emit_number(emit, data, 0);
    emit_op(emit, data, OP_NE);
}

void condition_postfix(const Graph *graph, Node condition, Emit *emit, void *data)
{
    const NodeInfo *info = graph_node(graph, condition);
    switch (info->op) {
    case OP_CONST:
        emit_constant(info, emit, data);
        return;
    case OP_SETTING:
        emit(data, (ConditionStep){.op = OP_SETTING, .setting = info->attr.name});
        return;
    case OP_SIZE:
        emit(data, (ConditionStep){.op = OP_SIZE, .size = info->attr.sizes[0]});
        return;
    case OP_CAST:
        emit_cast(graph, info, emit, data);
        return;
    case OP_NEG:
        emit_negated(graph, info->args[0], emit, data);
        return;
    case OP_SUB:
        condition_postfix(graph, info->args[0], emit, data);
        emit_negated(graph, info->args[1], emit, data);
        emit_op(emit, data, OP_ADD);
        emit_rounding(info->type.dtype, emit, data);
        return;
    case OP_ABS:
        condition_postfix(graph, info->args[0], emit, data);
        emit_negated(graph, info->args[0], emit, data);
        emit_op(emit, data, OP_MAX);
        return;
    default:
        for (uint32_t i = 0; i < info->n_args; i++) condition_postfix(graph, info->args[i], emit, data);
        emit_op(emit, data, info->op);
        if (!(op_info(info->op)->flags & EXACT)) emit_rounding(info->type.dtype, emit, data);
    }
}
