/* How a rule is kept: its sides as terms, and what a match has found. Sets of axes are bit masks. */
#ifndef NNC_RULES_INTERNAL_H
#define NNC_RULES_INTERNAL_H

#include "rules/rules.h"
#include "syntax/syntax.h"

enum { RULE_VARIABLES = 8, RULE_AXES = 4, RULE_RESULTS = 3 };

typedef enum { TERM_NUMBER, TERM_VARIABLE, TERM_OUT, TERM_REASON, TERM_APPLY } TermKind;

typedef struct RuleTerm RuleTerm;
struct RuleTerm {
    TermKind kind;
    double number;
    const char *reason;
    uint32_t variable;
    Op op;
    int axes;     /* APPLY of a reduction or cumulative operator: which axes name; else -1 */
    bool reduces; /* a reduction stands in it */
    uint32_t n_args;
    const RuleTerm *args[3];
};

struct Rule {
    Name kind;
    const char *text;
    Span place;
    const RuleTerm *pattern;
    const Syntax *condition; /* NULL: none */
    const RuleTerm *results[RULE_RESULTS];
    uint32_t n_results, n_variables, n_axes;
    Name variables[RULE_VARIABLES], axes[RULE_AXES];
    const Rule *next; /* with the same root, further down in the file */
};

struct RuleSet {
    Rule *rules;
    uint32_t count;
    const Rule *first[OP_COUNT];
};

/* A value under a rule: a node that lacks the axes `missing` of the whole shape, or a number of any shape. */
typedef struct {
    Node node;
    uint32_t missing;
    bool is_number, bound;
    double number;
} RuleValue;

typedef struct {
    const Rule *rule;
    Graph *graph;
    Node root;
    Type full;             /* the shape in which axes are counted: the root's, or that beneath the root's reduction */
    uint32_t root_missing; /* what the root lacks of it */
    RuleValue values[RULE_VARIABLES];
    uint32_t axes[RULE_AXES];
    bool swapped; /* the root's operands were matched the other way round */
} Match;

/* The operator of the graph that one of the syntax is, and whether its operands are the other way round. */
Op rule_op(Operator operator, bool * swaps);
/* Fills the match; false when the pattern does not fit or the condition does not hold. */
bool rule_match(const Rule *rule, Graph *graph, Node root, Match *match);
/* True if the condition holds for the values of the match. */
bool rule_condition(const Match *match);
/* A term with the match's values, of the root's shape and the given element type; NODE_NONE when it cannot be typed. */
Node rule_build(const Match *match, const RuleTerm *term, DType dtype);
/* The constant that a node is everywhere, broadcast or not. */
bool rule_constant(const Graph *graph, Node node, double *number);

#endif
