/* What the files of autodiff share: the reverse sweep and its gates.
 *
 * Gates keep untaken branches out of a gradient. Inside a branch of a select, values may be infinite or NaN where the
 * branch is not taken, and a partial times a cotangent of 0 would be NaN there. The cotangents of a branch therefore
 * carry a gate, a bool node of their shape that is true where the branch is taken, and mean 0 where it is false. The
 * gate travels with them as long as elements stay apart, and is applied, select(gate, g, 0), where the branch's own
 * region meets values that others use, or an operator that mixes elements. */
#ifndef NNC_AUTODIFF_INTERNAL_H
#define NNC_AUTODIFF_INTERNAL_H

#include "autodiff/autodiff.h"

/* What flows back to a node. */
typedef struct {
    Node value;
    Node gate;  /* NODE_NONE: always */
    bool clean; /* value is 0 already where the gate is false */
} Cotangent;

typedef struct Contribution Contribution;
struct Contribution {
    Cotangent cotangent;
    Contribution *next;
};

typedef struct {
    Graph *graph;
    const RuleSet *partials;
    Arena *arena;   /* scratch */
    uint32_t limit; /* nodes of the forward graph have ids up to this */
    bool *active;   /* a cotangent is wanted here */
    uint8_t *risk;  /* see gate.c */
    Contribution **incoming;
    bool ok;
} Sweep;

/* Adds to what flows back to `node`; nothing when it is not active. */
void sweep_add(Sweep *sweep, Node node, Cotangent cotangent);

/* The cotangents of an elementwise node's operands; of any other node's (of which `g` is clean). */
void reverse_elementwise(Sweep *sweep, Node node, Cotangent g);
void reverse_structural(Sweep *sweep, Node node, Cotangent g);
/* cotangent * partial, without needless factors; never touches what a select of the partial does not take. */
Node reverse_product(Graph *graph, Node cotangent, Node partial);
/* What flows to an operand of a movement other than broadcast; of numbers or of truth values. */
Node transpose_movement(Graph *graph, Node node, uint32_t operand, Node g);
/* What flows to the operand of a reduction. */
Node reverse_reduction(Graph *graph, Node node, Node g);
/* The mask of the element that a reduction to the largest or smallest has taken: bool, of the operand's shape. */
Node extreme_mask(Graph *graph, Node node);
/* For every element the product of the others along the reduced axes. */
Node product_of_others(Graph *graph, Node node);
/* Repeats the result of a reduction (or a value of its shape) along what was reduced. */
Node unreduce_like(Graph *graph, Node reduction, Node value);
/* Sums along the axis of a cumulative operator, repeated along it. */
Node sum_along(Graph *graph, Node x, uint32_t axis);

/* Gates, as bool nodes of one shape; NODE_NONE is always true. */
Node gate_not(Graph *graph, Node gate);
Node gate_and(Graph *graph, Node a, Node b);
Node gate_or(Graph *graph, Node a, Node b);
/* select(gate, value, 0) */
Node gate_apply(Graph *graph, Node gate, Node value);
/* All that flows to one node as one cotangent. */
Cotangent gate_merge(Sweep *sweep, Node node, const Contribution *contributions);
/* The gate of an operand, given that of its user; NODE_NONE where it is of no more use, and beyond gathers unless the
 * gate is the same everywhere. An element that a contraction takes in is taken where any of its sums is. `clean`: what
 * flows to the operand is 0 where the user's gate is false. */
Node gate_through(const Sweep *sweep, Node user, uint32_t operand, Node gate, bool clean);
/* An operand of a contraction as the cotangent is multiplied with it: where it may be infinite, 0 in what is in no sum
 * that is taken. */
Node gate_factor(Graph *graph, Node contraction, uint32_t operand, Node gate);
/* Notes what risk lies in and above a node, its operands done. */
void gate_note_risk(Sweep *sweep, Node node);

#endif
