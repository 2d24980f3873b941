/* Values that were taken apart. */
#ifndef NNC_DISPLAY_ASSEMBLE_H
#define NNC_DISPLAY_ASSEMBLE_H

#include "ir/graph.h"

/* True if the node is its operand, reshaped to have an axis of one element more. */
bool display_is_widened(const Graph *graph, Node node, uint32_t axis);
/* What gradients by single elements leave. A sum of paddings that tile an axis is their concatenation; factors that
 * its parts share stand outside; of all the elements of a value in their order it is that value:
 * `pad(w[0] * t, …) + pad(w[1] * t, …)` is `w * t`. NODE_NONE when the node is nothing of that. */
Node display_assemble(Graph *graph, Node node);

#endif
