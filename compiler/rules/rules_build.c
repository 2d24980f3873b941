/* Building: a term with the values of a match as nodes. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "ir/build.h"
#include "rules/rules_internal.h"

typedef struct {
    const Match *match;
    bool failed;
} Builder;

static RuleValue fail(Builder *builder)
{
    builder->failed = true;
    return (RuleValue){0};
}

/* The frame without some axes, of an element type. */
static Type shape_without(const Builder *builder, uint32_t missing, DType dtype)
{
    const Type *full = &builder->match->full;
    Dim dims[MAX_RANK];
    uint32_t rank = 0;
    for (uint32_t i = 0; i < full->rank; i++)
        if (!(missing >> i & 1)) dims[rank++] = full->dims[i];
    return type_make(dtype, rank, dims);
}

/* The value as a node that lacks only `missing`; the axes that it lacks beyond are broadcast. */
static Node settle(Builder *builder, RuleValue value, uint32_t missing, DType dtype)
{
    Graph *graph = builder->match->graph;
    Type type = shape_without(builder, missing, dtype);
    if (value.is_number) return build_constant(graph, type, value.number);
    if (value.missing == missing) return value.node;
    int32_t axes[MAX_RANK], n_axes = 0, at = 0;
    for (uint32_t i = 0; i < builder->match->full.rank; i++) {
        if (!(value.missing >> i & 1)) axes[n_axes++] = at;
        if (!(missing >> i & 1)) at++;
    }
    return build_broadcast(graph, value.node, &type, axes);
}

static RuleValue build(Builder *builder, const RuleTerm *term, DType dtype);

/* The element type of an operator's operands k, given that of its result; DTYPE_COUNT: found from the operands. */
static DType operand_dtype(Op op, uint32_t k, DType dtype)
{
    TypeRule rule = op_info(op)->rule;
    if (rule == TYPE_RULE_SELECT) return k == 0 ? DTYPE_BOOL : dtype;
    if (rule == TYPE_RULE_LOGIC) return DTYPE_BOOL;
    return rule == TYPE_RULE_COMPARE ? DTYPE_COUNT : dtype;
}

/* True if an operator is defined for elements of this type. */
static bool takes_dtype(Op op, DType dtype)
{
    TypeRule rule = op_info(op)->rule;
    bool logic = rule == TYPE_RULE_LOGIC || op == OP_ANY || op == OP_ALL;
    bool real = rule == TYPE_RULE_FLOAT || op == OP_SOFTMAX || op == OP_LOG_SOFTMAX || op == OP_LOGSUMEXP;
    if (rule == TYPE_RULE_COMPARE || rule == TYPE_RULE_SELECT) return true;
    return real ? dtype_is_float(dtype) : logic == (dtype == DTYPE_BOOL);
}

static RuleValue build_elementwise(Builder *builder, const RuleTerm *term, DType dtype)
{
    Graph *graph = builder->match->graph;
    RuleValue values[3];
    DType common = operand_dtype(term->op, term->n_args - 1, dtype);
    uint32_t missing = ~0u;
    bool numbers = true;
    for (uint32_t i = 0; i < term->n_args; i++) {
        values[i] = build(builder, term->args[i], operand_dtype(term->op, i, dtype));
        if (builder->failed) return values[i];
        if (values[i].is_number) continue;
        DType own = node_type(graph, values[i].node)->dtype;
        numbers = false;
        missing &= values[i].missing;
        if (term->op == OP_SELECT && i == 0) {
            if (own != DTYPE_BOOL) return fail(builder);
            continue;
        }
        if (common != DTYPE_COUNT && common != own) return fail(builder);
        common = own;
    }
    if (numbers) {
        double z = term->n_args > 2 ? values[2].number : 0, y = term->n_args > 1 ? values[1].number : 0;
        return (RuleValue){.is_number = true, .number = op_evaluate(term->op, values[0].number, y, z)};
    }
    if (common == DTYPE_COUNT || !takes_dtype(term->op, common)) return fail(builder);
    Node args[3];
    for (uint32_t i = 0; i < term->n_args; i++) {
        DType own = term->op == OP_SELECT && i == 0 ? DTYPE_BOOL : common;
        args[i] = settle(builder, values[i], missing, own);
    }
    Node node = term->n_args == 1   ? build_unary(graph, term->op, args[0])
                : term->n_args == 2 ? build_binary(graph, term->op, args[0], args[1])
                                    : build_select(graph, args[0], args[1], args[2]);
    return (RuleValue){.node = node, .missing = missing};
}

/* Reductions and cumulative operators: the axes are counted in the frame, the operand may lack others. */
static RuleValue build_axes(Builder *builder, const RuleTerm *term, DType dtype)
{
    Graph *graph = builder->match->graph;
    RuleValue value = build(builder, term->args[0], dtype);
    if (builder->failed) return value;
    uint32_t mask = builder->match->axes[term->axes];
    if (value.is_number || value.missing & mask) {
        value.node = settle(builder, value, value.missing & ~mask, dtype);
        value = (RuleValue){.node = value.node, .missing = value.missing & ~mask};
    }
    int32_t axes[MAX_RANK], at = 0;
    uint32_t n_axes = 0;
    for (uint32_t i = 0; i < builder->match->full.rank; i++) {
        if (mask >> i & 1) axes[n_axes++] = at;
        if (!(value.missing >> i & 1)) at++;
    }
    if (!takes_dtype(term->op, node_type(graph, value.node)->dtype)) return fail(builder);
    if (op_info(term->op)->class == OP_CLASS_CUMULATIVE) {
        if (n_axes != 1) return fail(builder);
        return (RuleValue){.node = build_along(graph, term->op, value.node, (uint32_t)axes[0]),
                           .missing = value.missing};
    }
    return (RuleValue){.node = build_reduce(graph, term->op, value.node, axes, n_axes),
                       .missing = value.missing | mask};
}

static RuleValue build(Builder *builder, const RuleTerm *term, DType dtype)
{
    const Match *match = builder->match;
    switch (term->kind) {
    case TERM_NUMBER:
        return (RuleValue){.is_number = true, .number = term->number};
    case TERM_VARIABLE:
        return match->values[term->variable];
    case TERM_OUT:
        return (RuleValue){.node = match->root, .missing = match->root_missing};
    case TERM_APPLY:
        if (term->axes >= 0) return build_axes(builder, term, dtype);
        return build_elementwise(builder, term, dtype);
    case TERM_REASON:
        break;
    }
    return fail(builder);
}

Node rule_build(const Match *match, const RuleTerm *term, DType dtype)
{
    Builder builder = {match, false};
    RuleValue value = build(&builder, term, dtype);
    if (builder.failed || (!value.is_number && match->root_missing & ~value.missing)) return NODE_NONE;
    if (!value.is_number && node_type(match->graph, value.node)->dtype != dtype) return NODE_NONE;
    return settle(&builder, value, match->root_missing, dtype);
}

Node rule_left(const Rule *rule, Graph *graph, const Node *values, const int32_t *axes, uint32_t n_axes)
{
    Match match = {.rule = rule, .graph = graph, .full = *node_type(graph, values[0])};
    DType dtype = match.full.dtype;
    for (uint32_t i = 0; i < rule->n_variables; i++) {
        RuleValue value = {.node = values[i], .bound = true};
        DType own = node_type(graph, values[i])->dtype;
        if (dtype == DTYPE_BOOL) dtype = own; /* a condition stands first */
        value.is_number = rule_constant(graph, values[i], &value.number);
        match.values[i] = value;
    }
    for (uint32_t i = 0; i < rule->n_axes; i++)
        for (uint32_t k = 0; k < n_axes; k++) match.axes[i] |= 1u << axes[k];
    if (!rule_condition(&match)) return NODE_NONE;

    Builder builder = {&match, false};
    if (op_info(rule->pattern->op)->rule == TYPE_RULE_COMPARE) dtype = DTYPE_BOOL;
    RuleValue value = build(&builder, rule->pattern, dtype);
    return builder.failed || value.is_number ? NODE_NONE : value.node;
}
