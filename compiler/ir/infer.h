/* The type rules: what ops.def's column `type rule` means. Used when a node is made, read and verified. */
#ifndef NNC_IR_INFER_H
#define NNC_IR_INFER_H

#include "ir/graph.h"

/* Checks operands and attributes and gives the result's type; for operators whose rule is GIVEN that is node->type,
 * once it fits. NULL when valid, else what is wrong: a constant sentence without a period. The operands exist. */
const char *infer_type(const Graph *graph, const NodeInfo *node, Type *type);

#endif
