/* Assertions: decided now where all is known, else asked of sizes and settings when they are given. */

#include "elaborate/elaborator.h"
#include "ir/condition.h"
#include "support/memory.h"

/* ` (rate is 30)`: what the names in a condition stand for, as far as it is a number. */
static const char *given_numbers(Elaborator *el, const Scope *scope, const Syntax *condition)
{
    Text text = {0};
    for (; scope; scope = scope->outer)
        for (const Binding *binding = scope->first; binding; binding = binding->next) {
            double number;
            bool tensor = binding->value.kind == VALUE_TENSOR;
            bool setting = tensor && node_op(el->graph, binding->value.node) == OP_SETTING;
            if (setting) number = graph_node(el->graph, binding->value.node)->attr.number;
            if (binding->function || !syntax_mentions(condition, binding->name)) continue;
            if (!setting && !value_is_constant(el, binding->value, &number)) continue;
            text_format(&text, "%s%s is %s", text.count ? ", " : " (", binding->name, number_text(el, number));
        }
    const char *kept = text.count ? arena_format(el->arena, "%s)", text_get(&text)) : "";
    text_free(&text);
    return kept;
}

static Flow fails(Elaborator *el, const Scope *scope, const Syntax *statement, const char *message)
{
    complain(el, DIAG_failed_assertion, statement->span, "this does not hold: %s%s", message,
             given_numbers(el, scope, kid_condition(statement)));
    return FLOW_STOP;
}

/* What the training loop counts is given to every step: nothing can be asked of it before. */
static Name clock_of(const Elaborator *el, Node condition)
{
    uint32_t count;
    Name found = NULL;
    Node *nodes = graph_reachable(el->graph, &condition, 1, &count);
    for (uint32_t i = 0; i < count && !found; i++) {
        const NodeInfo *info = graph_node(el->graph, nodes[i]);
        Name name = info->op == OP_SETTING ? info->attr.name : NULL;
        if (name && (name == el->name_step || name == el->name_steps || name == el->name_progress)) found = name;
    }
    memory_free(nodes);
    return found;
}

static void cannot_be_asked(Elaborator *el, Node obstacle, Name clock, Span at)
{
    Name data = clock ? clock : graph_node(el->graph, obstacle)->attr.name;
    if (data)
        diag_hint(complain(el, DIAG_assertion_on_data, at,
                           "an assertion is about sizes and settings, this one depends on %s", data),
                  "what depends on data can be watched as an output or a metric");
    else
        diag_hint(
            complain(el, DIAG_assertion_not_whole, at, "an assertion about free sizes is decided in whole numbers"),
            "multiply it out: `2 * batch > 5` says what `batch > 2.5` says");
}

/* A condition on free sizes and settings, each of which has its default now. `optional`: where it depends on anything
 * else, nothing is asked. */
static Flow assert_later(Elaborator *el, const Scope *scope, Node condition, const char *message, bool optional,
                         const Syntax *statement)
{
    bool truth;
    Name clock = clock_of(el, condition);
    Node obstacle = condition_obstacle(el->graph, condition);
    if (clock || !node_is_none(obstacle)) {
        if (!optional) cannot_be_asked(el, obstacle, clock, kid_condition(statement)->span);
        return FLOW_NEXT;
    }
    if (!condition_fits(el->graph, condition)) {
        diag_hint(complain(el, DIAG_size_too_complex, kid_condition(statement)->span,
                           "this condition is a formula of too many steps"),
                  "assert something simpler: is a loop wrong?");
        return FLOW_STOP;
    }
    if (condition_decide(el->graph, condition, &truth) && !truth) return fails(el, scope, statement, message);
    Span at = el->body.prelude_call.end ? el->body.prelude_call : statement->span;
    check_add(el, (Check){DIM_NONE, DIM_NONE, condition, message, at});
    return FLOW_NEXT;
}

Flow run_assert(Elaborator *el, Scope *scope, const Syntax *statement)
{
    /* The library asserts what it can of numbers, and takes tensors in their place; so do optimizers of schedules. */
    bool optional = scope->inside_prelude || el->body.kind == SYNTAX_OPTIMIZER;
    Value value = evaluate(el, scope, kid_condition(statement));
    const char *message =
        kid_string(statement) ? kid_string(statement)->text : syntax_text(el, kid_condition(statement));
    bool condition = value.kind == VALUE_TENSOR && !node_type(el->graph, value.node)->rank &&
                     node_type(el->graph, value.node)->dtype == DTYPE_BOOL;
    if (condition) return assert_later(el, scope, value.node, message, optional, statement);
    if (value.kind == VALUE_BOOL && !value.truth) return fails(el, scope, statement, message);
    if (value.kind == VALUE_BOOL || value_is_error(value) || (optional && value.kind == VALUE_TENSOR)) return FLOW_NEXT;
    complain(el, DIAG_not_a_truth_value, kid_condition(statement)->span,
             "an assertion wants a truth value about sizes and settings, not %s", value_describe(el, value));
    return FLOW_NEXT;
}
