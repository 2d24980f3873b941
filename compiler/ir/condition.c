#include "ir/condition.h"

#include <math.h>
#include <stdlib.h>

typedef void Emit(void *data, ConditionStep step);

static bool is_expressible(const NodeInfo *info)
{
    if (info->type.rank || dtype_is_float(info->type.dtype)) return false;
    switch (info->op) {
    case OP_CONST:
        return fabs(info->attr.number) <= 0x1p53 && info->attr.number == floor(info->attr.number);
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

/* A source that is known only in a call. */
static bool is_data(const NodeInfo *info)
{
    return op_info(info->op)->class == OP_CLASS_SOURCE && info->attr.name;
}

Node condition_obstacle(const Graph *graph, Node condition)
{
    uint32_t count;
    Node *nodes = graph_reachable(graph, &condition, 1, &count), obstacle = NODE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(graph, nodes[i]);
        if (is_expressible(info) || (!node_is_none(obstacle) && !is_data(info))) continue;
        obstacle = nodes[i];
        if (is_data(info)) break;
    }
    free(nodes);
    return obstacle;
}

static void emit_number(Emit *emit, void *data, int64_t number)
{
    emit(data, (ConditionStep){.op = OP_CONST, .number = number});
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

/* Whole numbers are exact here, whatever their type; a bool is 0 or 1. */
static void emit_cast(const Graph *graph, const NodeInfo *info, Emit *emit, void *data)
{
    condition_postfix(graph, info->args[0], emit, data);
    if (info->type.dtype != DTYPE_BOOL) return;
    emit_number(emit, data, 0);
    emit_op(emit, data, OP_NE);
}

void condition_postfix(const Graph *graph, Node condition, Emit *emit, void *data)
{
    const NodeInfo *info = graph_node(graph, condition);
    switch (info->op) {
    case OP_CONST:
        emit_number(emit, data, (int64_t)info->attr.number);
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
        return;
    case OP_ABS:
        condition_postfix(graph, info->args[0], emit, data);
        emit_negated(graph, info->args[0], emit, data);
        emit_op(emit, data, OP_MAX);
        return;
    default:
        for (uint32_t i = 0; i < info->n_args; i++) condition_postfix(graph, info->args[i], emit, data);
        emit_op(emit, data, info->op);
    }
}
