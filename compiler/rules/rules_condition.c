/* Conditions: what stands behind the `where` of a rule, over the values of a match. */
#include <math.h>
#include <string.h>

#include "rules/rules_internal.h"

Op rule_op(Operator operator, bool * swaps)
{
    static const struct {
        Op op;
        bool swaps;
    } ops[OPERATORS] = {
#define OPERATOR(id, spelling, level, op, swaps) [OPERATOR_##id] = {OP_##op, swaps},
#include "syntax/syntax.def"
    };
    *swaps = ops[operator].swaps;
    return ops[operator].op;
}

bool rule_constant(const Graph *graph, Node node, double *number)
{
    if (node_op(graph, node) == OP_BROADCAST) node = node_arg(graph, node, 0);
    return node_is_constant(graph, node, number);
}

/* A number of the condition; NaN when it is not known. */
static double condition_value(const Match *match, const Syntax *syntax);

static const RuleValue *condition_variable(const Match *match, const Syntax *name)
{
    for (uint32_t i = 0; i < match->rule->n_variables; i++)
        if (name->kind == SYNTAX_NAME && match->rule->variables[i] == name->name) return &match->values[i];
    return NULL;
}

static double condition_call(const Match *match, const Syntax *syntax)
{
    const RuleValue *value = syntax->n_kids == 2 ? condition_variable(match, kid_arg(syntax)) : NULL;
    const char *name = kid_callee(syntax)->kind == SYNTAX_NAME ? kid_callee(syntax)->name : "";
    if (!value) return NAN;
    if (!strcmp(name, "constant")) return value->is_number;
    if (!strcmp(name, "integer")) return value->is_number && value->number == floor(value->number);
    if (!strcmp(name, "floating")) return dtype_is_float(node_type(match->graph, value->node)->dtype);
    return NAN;
}

/* What is not known is NaN, and no comparison with it holds. */
static double condition_binary(const Match *match, const Syntax *syntax)
{
    double x = condition_value(match, kid_left(syntax)), y = condition_value(match, kid_right(syntax));
    bool swaps, unknown = isnan(x) || isnan(y);
    Operator operator=(Operator) syntax->op;
    if (operator== OPERATOR_OR) return x > 0 || y > 0;
    if (operator== OPERATOR_AND) return x > 0 && y > 0;
    if (operator_level(operator) == operator_level(OPERATOR_EQUAL) && unknown) return false;
    Op op = rule_op(operator, & swaps);
    return swaps ? op_evaluate(op, y, x, 0) : op_evaluate(op, x, y, 0);
}

static double condition_value(const Match *match, const Syntax *syntax)
{
    const RuleValue *value;
    switch (syntax->kind) {
    case SYNTAX_NUMBER:
        return syntax->number;
    case SYNTAX_NAME:
        value = condition_variable(match, syntax);
        return value && value->is_number ? value->number : NAN;
    case SYNTAX_CALL:
        return condition_call(match, syntax);
    case SYNTAX_BINARY:
        return condition_binary(match, syntax);
    case SYNTAX_UNARY:
        if (syntax->op == OPERATOR_NEGATE) return -condition_value(match, kid_operand(syntax));
        return condition_value(match, kid_operand(syntax)) == 0;
    default:
        return NAN;
    }
}

bool rule_condition(const Match *match)
{
    return !match->rule->condition || condition_value(match, match->rule->condition) > 0;
}
