/* Differentiation of graphs, symbolically: derivatives are nodes like any others, so they can be differentiated again.
 * Elementwise operators have their partials as data (rules/partials.nn); structural operators their transposes in C. */
#ifndef NNC_AUTODIFF_AUTODIFF_H
#define NNC_AUTODIFF_AUTODIFF_H

#include "ir/module.h"
#include "rules/rules.h"

/* Replaces every GRADIENT, STOP_GRADIENT and CUSTOM_GRADIENT of the module, the innermost gradients first. All the
 * gradients of one scalar share one reverse sweep, whose cost is proportional to the graph beneath the scalar. New
 * nodes keep the places of the nodes they come from. `between` (may be NULL) is called after each order of derivative
 * but the last, to simplify what is differentiated next. False after diagnostics, or when `between` is. */
bool autodiff_run(Module *module, Context *context, bool (*between)(void *data, Module *module), void *data);

/* The same for any nodes, in place. */
bool autodiff_eliminate(Graph *graph, const RuleSet *partials, Node *roots, uint32_t count);
/* Only the GRADIENT nodes: what guides further differentiation stays. */
bool autodiff_expand(Graph *graph, const RuleSet *partials, Node *roots, uint32_t count);

/* Reverse products: gradients[i] = dy/dxs[i] contracted with `dy` (of y's type; a constant 1 for a scalar's gradient),
 * of xs[i]'s type; zeros where y does not depend on it. An x is a node, also inside y: what depends on it is
 * differentiated through it. The sub-graph must not contain GRADIENT nodes. False when an operator on the way has no
 * derivative (a diagnostic says why). */
bool autodiff_reverse(Graph *graph, const RuleSet *partials, Node y, Node dy, const Node *xs, uint32_t count,
                      Node *gradients);

/* Forward products: tangents[i] = the sum over k of dys[i]/dxs[k] · dxs[k], each dx of its x's type. User-written
 * derivatives are not used: it is the true derivative of the value. Stopped gradients are held fixed. */
bool autodiff_forward(Graph *graph, const RuleSet *partials, const Node *ys, uint32_t count, const Node *xs,
                      const Node *dxs, uint32_t n_xs, Node *tangents);

#endif
