/* What the passes share. */
#ifndef NNC_PASSES_INTERNAL_H
#define NNC_PASSES_INTERNAL_H

#include "passes/passes.h"

#define PASS(name, function, needs, makes, keeps, what) bool function(Module *module, const PassOptions *options);
#include "passes/passes.def"
#undef PASS

/* Rewrites everything that the module computes: graph_rewrite over the values of all results, the losses and the
 * conditions of checks. What a gradient is taken by stays a node of its own: inside the value that is differentiated
 * it is opaque while the rewrite lasts. True when anything changed. */
bool rewrite_module(Module *module, Node (*replace)(void *data, Node old, Node rebuilt), void *data);

/* The node that computes the same with less, or the node itself. One step: the result may fold again. */
Node fold_node(Graph *graph, Node node);
/* Its parts; NODE_NONE when nothing fits. */
Node fold_constant(Graph *graph, Node node);
Node fold_identity(Graph *graph, Node node);
Node fold_movement(Graph *graph, Node node);

/* True of what `expand` must replace: softmax and the like, and a sum or product that would be formed in bf16 or f16.
 */
bool needs_expansion(const Graph *graph, Node node);

/* The first place of the node, or of the nearest operand that has one. */
Span node_place(const Graph *graph, Node node);

#endif
