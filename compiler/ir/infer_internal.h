/* Type rules of single operators, for infer.c. Each returns NULL or what is wrong. */
#ifndef NNC_IR_INFER_INTERNAL_H
#define NNC_IR_INFER_INTERNAL_H

#include "ir/infer.h"

typedef struct {
    const Graph *graph;
    const NodeInfo *node;
} Infer;

static inline const Type *infer_arg(const Infer *in, uint32_t i)
{
    return node_type(in->graph, in->node->args[i]);
}

const char *infer_source(const Infer *in);
/* These check node->type against the operands. */
const char *infer_broadcast(const Infer *in);
const char *infer_reshape(const Infer *in);
const char *infer_slice(const Infer *in);
const char *infer_pad(const Infer *in);
const char *infer_window(const Infer *in);
const char *infer_unwindow(const Infer *in);
const char *infer_scatter(const Infer *in);
/* The ints are axes of the first operand, ascending; one at least unless `may_be_empty`. */
const char *infer_axes(const Infer *in, bool may_be_empty);
/* These give the type. */
const char *infer_transpose(const Infer *in, Type *type);
const char *infer_concat(const Infer *in, Type *type);
const char *infer_gather(const Infer *in, Type *type);
const char *infer_contract(const Infer *in, Type *type);
const char *infer_reduction(const Infer *in, Type *type);

#endif
