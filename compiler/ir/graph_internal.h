/* What the files of the graph share. */
#ifndef NNC_IR_GRAPH_INTERNAL_H
#define NNC_IR_GRAPH_INTERNAL_H

#include <assert.h>

#include "ir/graph.h"
#include "support/vector.h"

/* What is known of a node beside what it computes. Places are kept sorted. */
typedef struct {
    Span *places;
    uint32_t n_places, capacity;
    Name name, layer;
} Side;

struct Graph {
    Context *context;
    DimTable *dims;
    Vec(NodeInfo) nodes;
    Vec(uint64_t) hashes;
    Vec(Side) sides;
    uint32_t *slots; /* ids by hash, 0 when free; a power of two of them */
    size_t n_slots;
    Span place;  /* of nodes made now */
    Name layer;  /* likewise */
    Node origin; /* nodes made now take its places: what a rewrite replaces */
    GraphListener listener;
};

/* graph_make for what comes from outside: false, and what is wrong, when the node is not valid. `type` may be NULL
 * unless the operator's rule is GIVEN. */
bool graph_try_make(Graph *graph, Op op, const Node *args, uint32_t n_args, const Attr *attr, const Type *type,
                    Node *made, const char **wrong);

#endif
