/* Matching: a pattern against the graph, with backtracking over the order of commutative operands.
 *
 * Axes are counted in one whole shape, the frame. It is the root's shape, unless a reduction of the pattern is reached
 * without a broadcast above it (`log(sum[a](exp(x)))`): then it is the shape beneath that reduction, and what was
 * bound above lacks the reduced axes. */
#include <assert.h>

#include "ir/eval.h"
#include "rules/rules_internal.h"

/* What is still to match, as a list on the stack. */
typedef struct Goal Goal;
struct Goal {
    const RuleTerm *term;
    Node node;
    uint32_t missing; /* of the frame: the axes that a broadcast above has brought back */
    bool inner;       /* beneath the reduction that set the frame */
    const Goal *next;
};

typedef struct {
    Match *match;
    bool inner_values[RULE_VARIABLES], inner_axes[RULE_AXES], axes_bound[RULE_AXES];
    bool crossed; /* a reduction has set the frame; match->root_missing are its axes, match->full its operand's shape */
} Search;

static uint32_t axes_mask(const int32_t *axes, uint32_t count)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < count; i++) mask |= 1u << axes[i];
    return mask;
}

static bool match_goals(Search *search, const Goal *goal);

static bool bind_axes(Search *search, int axes, uint32_t mask, bool inner)
{
    if (search->axes_bound[axes]) return search->match->axes[axes] == mask && search->inner_axes[axes] == inner;
    search->axes_bound[axes] = true;
    search->inner_axes[axes] = inner;
    search->match->axes[axes] = mask;
    return true;
}

static bool match_variable(Search *search, const Goal *goal)
{
    RuleValue *value = &search->match->values[goal->term->variable];
    bool *inner = &search->inner_values[goal->term->variable];
    if (value->bound)
        return node_same(value->node, goal->node) && value->missing == goal->missing && *inner == goal->inner;
    *value = (RuleValue){.node = goal->node, .missing = goal->missing, .bound = true};
    *inner = goal->inner;
    return true;
}

static bool match_reduction(Search *search, const Goal *goal, const NodeInfo *info)
{
    Match *match = search->match;
    uint32_t mask = axes_mask(info->attr.ints, info->attr.n_ints);
    const Type *operand = node_type(match->graph, info->args[0]);
    bool inner = goal->inner;
    if (goal->missing) {
        /* Beneath a broadcast: it must bring back just what is reduced here. */
        if (mask != goal->missing || !type_same_shape(operand, &match->full)) return false;
    } else if (search->crossed) {
        if (inner || mask != match->root_missing || !type_same_shape(operand, &match->full)) return false;
        inner = true;
    } else {
        search->crossed = inner = true;
        match->root_missing = mask;
        match->full = *operand;
    }
    if (!bind_axes(search, goal->term->axes, mask, inner)) return false;
    return match_goals(search, &(Goal){goal->term->args[0], info->args[0], 0, inner, goal->next});
}

static bool match_operands(Search *search, const Goal *goal, const NodeInfo *info)
{
    const RuleTerm *term = goal->term;
    if (term->n_args == 1)
        return match_goals(search, &(Goal){term->args[0], info->args[0], goal->missing, goal->inner, goal->next});
    const Goal *next = goal->next;
    Goal third, second, first;
    if (term->n_args == 3) {
        third = (Goal){term->args[2], info->args[2], goal->missing, goal->inner, next};
        next = &third;
    }
    Search saved = *search;
    Match saved_match = *search->match;
    second = (Goal){term->args[1], info->args[1], goal->missing, goal->inner, next};
    first = (Goal){term->args[0], info->args[0], goal->missing, goal->inner, &second};
    if (match_goals(search, &first)) return true;
    if (!(op_info(info->op)->flags & COMMUTATIVE)) return false;

    *search = saved;
    *search->match = saved_match;
    if (term == search->match->rule->pattern) search->match->swapped = true;
    second.node = info->args[0];
    first.node = info->args[1];
    return match_goals(search, &first);
}

static bool match_apply(Search *search, const Goal *goal)
{
    Graph *graph = search->match->graph;
    const RuleTerm *term = goal->term;
    NodeInfo info = *graph_node(graph, goal->node);
    if (info.op == OP_BROADCAST && term->reduces && !goal->missing && term != search->match->rule->pattern) {
        uint32_t missing = ((1u << info.type.rank) - 1) & ~axes_mask(info.attr.ints, info.attr.n_ints);
        if (search->crossed && !goal->inner) return false; /* its axes would be counted in another shape */
        for (uint32_t i = 1; i < info.attr.n_ints; i++)
            if (info.attr.ints[i - 1] > info.attr.ints[i]) return false;
        return missing && match_goals(search, &(Goal){term, info.args[0], missing, goal->inner, goal->next});
    }
    if (info.op != term->op || info.n_args != term->n_args) return false;
    OpClass class = op_info(info.op)->class;
    if (class == OP_CLASS_REDUCTION) return match_reduction(search, goal, &info);
    if (class == OP_CLASS_CUMULATIVE) {
        if (goal->missing || !bind_axes(search, term->axes, 1u << info.attr.integer, goal->inner)) return false;
        return match_goals(search, &(Goal){term->args[0], info.args[0], 0, goal->inner, goal->next});
    }
    return match_operands(search, goal, &info);
}

static bool match_goals(Search *search, const Goal *goal)
{
    if (!goal) return true;
    const Graph *graph = search->match->graph;
    double number;
    switch (goal->term->kind) {
    case TERM_VARIABLE:
        return match_variable(search, goal) && match_goals(search, goal->next);
    case TERM_NUMBER:
        return rule_constant(graph, goal->node, &number) &&
               number == dtype_round(node_type(graph, goal->node)->dtype, goal->term->number) &&
               match_goals(search, goal->next);
    case TERM_APPLY:
        return match_apply(search, goal);
    case TERM_OUT:
    case TERM_REASON:
        break;
    }
    return false;
}

/* Axes counted in the root's shape, counted in the frame: the frame's further axes lie between. */
static uint32_t spread(uint32_t mask, uint32_t added)
{
    uint32_t result = 0;
    for (uint32_t axis = 0, root_axis = 0; axis < MAX_RANK; axis++)
        if (!(added >> axis & 1) && mask >> root_axis++ & 1) result |= 1u << axis;
    return result;
}

bool rule_match(const Rule *rule, Graph *graph, Node root, Match *match)
{
    *match = (Match){.rule = rule, .graph = graph, .root = root, .full = *node_type(graph, root)};
    Search search = {.match = match};
    if (!match_goals(&search, &(Goal){.term = rule->pattern, .node = root})) return false;
    for (uint32_t i = 0; i < rule->n_variables; i++) {
        RuleValue *value = &match->values[i];
        if (search.crossed && !search.inner_values[i])
            value->missing = spread(value->missing, match->root_missing) | match->root_missing;
        /* A constant has any shape, and arithmetic on it is done at once. */
        value->is_number = rule_constant(graph, value->node, &value->number);
    }
    for (uint32_t i = 0; i < rule->n_axes; i++)
        if (search.crossed && !search.inner_axes[i]) match->axes[i] = spread(match->axes[i], match->root_missing);
    return rule_condition(match);
}
