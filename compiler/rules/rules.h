/* Rules: identities of the graph written as text in the expression syntax of .nn, one a line.
 *
 *     partial  tanh(x)              = 1 - out^2
 *     numeric  log(sum[a](exp(x))) => logsumexp[a](x)
 *     display  x^m * x^n           => x^(m + n) where constant(m) and constant(n)
 *
 * In a pattern a name stands for any value (the same name twice: the same node), a name in brackets for axes, a number
 * for a constant of any shape. `max[a](x)` reduces, `max(x, y)` is elementwise. Where a reduced value stands beside a
 * full one, the graph's broadcast over the reduced axes is understood: matched on the left, inserted on the right.
 * Conditions know comparisons, arithmetic on constants, `and or not`, and constant(x), integer(x), floating(x).
 * `out` on the right is the matched node, `pi` and `inf` are numbers. A value computed by `where constant(n)` from
 * constants alone (`m + n`) becomes a constant. */
#ifndef NNC_RULES_RULES_H
#define NNC_RULES_RULES_H

#include "ir/graph.h"

typedef struct Rule Rule;
typedef struct RuleSet RuleSet;

/* Parses a text of rules. NULL after diagnostics. Lives in the context's arena. */
RuleSet *rules_load(Context *context, const char *name, const char *text);
/* A file of this folder, which is part of the program: "partials.nn"; loaded once a context. NULL when there is none of
 * that name. */
const RuleSet *rules_load_builtin(Context *context, const char *file);

/* The right side of the first rule (in the order of the file) that matches the node; NODE_NONE when none does.
 * *applied (may be NULL) receives the rule. The result has the node's type. */
Node rules_apply(const RuleSet *set, Graph *graph, Node node, const Rule **applied);

typedef enum {
    PARTIAL_MISSING, /* no rule for this operator */
    PARTIAL_NONE,    /* declared to have no derivative; the rule's reason says why */
    PARTIAL_ZERO,    /* zero everywhere it is defined */
    PARTIAL_VALUE
} PartialKind;

/* The partial derivative of a node by one operand, as a node of the operand's shape. `reason` may be NULL. */
PartialKind rules_partial(const RuleSet *set, Graph *graph, Node node, uint32_t operand, Node *partial,
                          const char **reason);

/* For whoever reports or proves rules. */
uint32_t rules_count(const RuleSet *set);
const Rule *rules_at(const RuleSet *set, uint32_t index);
/* As written, on one line. */
const char *rule_text(const Rule *rule);
/* "partial", "numeric", "expand" or "display". */
const char *rule_kind(const Rule *rule);
/* The operator at the root of the pattern. */
Op rule_root(const Rule *rule);
Span rule_place(const Rule *rule);
/* The names that the pattern binds to values, in order of first appearance. */
uint32_t rule_variables(const Rule *rule, const Name **names);
/* The pattern itself as a node, for given values of its variables; every axis name stands for `axes`. NODE_NONE when
 * the condition does not hold. */
Node rule_left(const Rule *rule, Graph *graph, const Node *values, const int32_t *axes, uint32_t n_axes);

#endif
