/* What the files of the picture share: the nodes that are drawn, and which of them stand for others. */
#ifndef NNC_API_PICTURE_INTERNAL_H
#define NNC_API_PICTURE_INTERNAL_H

#include "api/picture.h"
#include "support/vector.h"

/* Turns [first, last] of a repeat that look the same: drawn once. */
typedef struct {
    Name prefix; /* what stands before the `[`: `h`, `x.mlp` */
    int64_t first, last;
} Fold;

typedef struct {
    const Module *module;
    const Graph *graph;
    Node *nodes; /* ascending */
    uint32_t count;
    bool *forward; /* by node id, like the following */
    bool *drawn;
    Node *stands; /* the node that is drawn for it: itself, or that of the first turn */
    Name *layer;  /* the path; NULL for none */
    Vec(Fold) folds;
} Picture;

/* Constants are written into the boxes that use them. */
static inline bool picture_is_inline(const Picture *p, Node node)
{
    return node_op(p->graph, node) == OP_CONST;
}
/* picture_fold.c: finds repeats and fills `stands` and `folds`. */
void picture_fold(Picture *p);
/* The fold whose first turn this path is (`h[0]` and nothing behind it), or NULL. */
const Fold *picture_fold_of(const Picture *p, const char *path, size_t length);

#endif
