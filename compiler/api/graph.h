/* A graph while a caller of nnc.h builds it. */
#ifndef NNC_API_GRAPH_H
#define NNC_API_GRAPH_H

#include "api/internal.h"
#include "support/vector.h"

/* In its workspace, which models may keep longer. */
struct nnc_graph {
    nnc_compiler *compiler;
    Workspace *workspace;
    Context *context; /* the workspace's, as is the graph */
    Graph *graph;
    Name name;
    bool failed; /* some call did */
    Vec(Declared) inputs, params, states, settings;
    Vec(Result) first, gives, updates; /* RESULT_INIT; outputs, losses, metrics; RESULT_UPDATE */
    Vec(Result) advances;              /* RESULT_UPDATE of both forms */
    Node training;                     /* stands for the form; NODE_NONE until it is asked for */
};

/* Begins every call on a graph, as an attempt in its workspace: without memory it gives `none`. */
#define GRAPH_SCOPE(graph, none)                                                                                       \
    if (!(graph)) return none;                                                                                         \
    HEAP_SCOPE((graph)->workspace->heap, return none)

/* A diagnostic that the next compilation reports. NNC_NONE. */
nnc_value graph_refuse(nnc_graph *graph, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The node behind a value; NODE_NONE for NNC_NONE, and after a diagnostic for what is no value of the graph. */
Node graph_value(nnc_graph *graph, nnc_value value);
/* All of them; false when one is none. */
bool graph_values(nnc_graph *graph, const nnc_value *values, size_t count, Node *nodes);
/* False after a diagnostic. */
bool graph_type(nnc_graph *graph, const char *text, Type *type);
bool graph_size(nnc_graph *graph, const char *text, Dim *size);
/* Makes a node if operands, attributes and type fit. */
nnc_value graph_put(nnc_graph *graph, Op op, const Node *args, uint32_t n_args, const Attr *attr, const Type *type);
/* x repeated along leading axes until it has the shape; x itself when it does not fit. */
Node graph_stretch(nnc_graph *graph, Node x, const Type *shape);

#endif
