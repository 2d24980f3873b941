/* The graph: pure, interned when built (equal nodes have equal handles), identified by what it computes. Spans and
 * names are side tables that never take part in equality. */
#ifndef NNC_IR_GRAPH_H
#define NNC_IR_GRAPH_H

#include "ir/type.h"
#include "support/context.h"

typedef enum {
#define OP(id, spelling, arity, class, attributes, rule, flags, work, value, whole) OP_##id,
#include "ir/ops.def"
#undef OP
    OP_COUNT
} Op;

typedef enum {
    OP_CLASS_SOURCE,
    OP_CLASS_ELEMENTWISE,
    OP_CLASS_MOVEMENT,
    OP_CLASS_REDUCTION,
    OP_CLASS_CUMULATIVE,
    OP_CLASS_CONTRACTION,
    OP_CLASS_GATHER,
    OP_CLASS_DIFFERENTIAL
} OpClass;

typedef enum {
    TYPE_RULE_GIVEN,
    TYPE_RULE_SAME,
    TYPE_RULE_FLOAT,
    TYPE_RULE_COMPARE,
    TYPE_RULE_LOGIC,
    TYPE_RULE_SELECT,
    TYPE_RULE_SHAPED
} TypeRule;

enum {
    ATTR_NUMBER = 1,
    ATTR_INTEGER = 2,
    ATTR_NAME = 4,
    ATTR_INTS = 8,
    ATTR_SIZES = 16,
    ATTR_DATA = 32,
    ATTR_ELEMENT =
        64 /* a number of the node's type: `number`; of an integer type `integer`, which it is the nearest of */
};
enum { COMMUTATIVE = 1, PURE_SHAPE = 2, SINGULAR = 4, NONFINITE = 8, EXACT = 16, PICKS = 32 };

/* One row of ops.def as a value. */
typedef struct {
    const char *spelling;
    int arity;
    OpClass class;
    unsigned attributes;
    TypeRule rule;
    unsigned flags;
    uint32_t work; /* of one element, in additions; an elementary function's is at least ELEMENTARY_WORK */
} OpInfo;

enum { ELEMENTARY_WORK = 10 };

const OpInfo *op_info(Op op);
/* OP_COUNT when no operator is spelt so. */
Op op_parse(const char *text, size_t length);
/* The value column of elementwise operators; unused operands are ignored. */
double op_evaluate(Op op, double x, double y, double z);

/* A node; {0} is none. Operands always have smaller ids than what uses them. */
typedef struct {
    uint32_t id;
} Node;

#define NODE_NONE ((Node){0})

static inline bool node_same(Node a, Node b)
{
    return a.id == b.id;
}
static inline bool node_is_none(Node a)
{
    return a.id == 0;
}

/* What an operator needs beside its operands; see ops.def. Fields that the operator does not use are zero. */
typedef struct {
    double number;
    int64_t integer;
    Name name;
    const int32_t *ints;
    const Dim *sizes;
    const void *data;
    uint32_t n_ints, n_sizes;
    size_t data_size;
} Attr;

typedef struct {
    Op op;
    Type type;
    Attr attr;
    uint32_t n_args;
    const Node *args;
} NodeInfo;

typedef struct Graph Graph;

Graph *graph_new(Context *context);
/* Frees the hash tables; nodes live in the context's arena. */
void graph_free(Graph *graph);
Context *graph_context(const Graph *graph);
DimTable *graph_dims(const Graph *graph);
/* Nodes have ids 1 … count. */
uint32_t graph_count(const Graph *graph);
/* Valid until the next node is made (it may move): copy what must last. Its args and attr arrays last for ever. */
const NodeInfo *graph_node(const Graph *graph, Node node);

/* Sets who is told, in words, of a node that does not fit, and returns who was. Whoever builds from a text or for a
 * caller listens: graph_make then gives NODE_NONE instead of ending the program, and in silence for every node that has
 * it as an operand; NODE_NONE may be looked at like any other node. {NULL} is nobody. */
typedef struct {
    void (*refuse)(void *data, const char *what);
    void *data;
} GraphListener;
GraphListener graph_listen(Graph *graph, GraphListener listener);
/* Tells the listener, who must be there. */
void graph_refuse_node(const Graph *graph, const char *what);

/* The one way to make a node. The type is inferred unless the operator's rule is GIVEN (then `type` is it). Attr may be
 * NULL; arrays in it are copied. Operands of commutative operators are sorted. A node that does not fit is a bug of
 * ours unless someone listens. */
Node graph_make(Graph *graph, Op op, const Node *args, uint32_t n_args, const Attr *attr, const Type *type);
/* The same operator and attributes over other operands (a rewrite's rebuild); given types are kept. */
Node graph_remake(Graph *graph, Node node, const Node *args);

/* Side tables. A node gathers the places it came from, of many the first ones in the text; a name is what the user
 * calls it (the last given); a layer is the path of the layer, or the model's binding, that it was first made for
 * (`h[3].step.dense`). */
enum { GRAPH_MOST_PLACES = 64 };
void graph_set_place(Graph *graph, Span place); /* nodes made or met from now on gain this place; NO_SPAN stops */
void graph_set_layer(Graph *graph, Name path);  /* nodes made from now on belong to it; NULL stops */
void graph_add_place(Graph *graph, Node node, Span place);
/* Copies all of `from`'s places (and its name and layer, when `to` has none). */
void graph_inherit(Graph *graph, Node to, Node from);
/* Only the places and the layer. */
void graph_inherit_places(Graph *graph, Node to, Node from);
uint32_t graph_places(const Graph *graph, Node node, const Span **places);
void graph_set_name(Graph *graph, Node node, Name name);
Name graph_name(const Graph *graph, Node node);
/* NULL for what belongs to none, like the optimizer's nodes. */
Name graph_layer(const Graph *graph, Node node);

static inline Op node_op(const Graph *graph, Node node)
{
    return graph_node(graph, node)->op;
}
static inline const Type *node_type(const Graph *graph, Node node)
{
    return &graph_node(graph, node)->type;
}
static inline Node node_arg(const Graph *graph, Node node, uint32_t i)
{
    return graph_node(graph, node)->args[i];
}
/* True for a CONST; its number, of an integer type the nearest double. */
bool node_is_constant(const Graph *graph, Node node, double *number);
/* True for a CONST of an integer type; its number. */
bool node_is_integer(const Graph *graph, Node node, int64_t *integer);

/* The nodes that the roots need, operands before users, each once, the caller's to free (memory.h). *count
 * receives how many. */
Node *graph_reachable(const Graph *graph, const Node *roots, uint32_t n_roots, uint32_t *count);
/* Where a node stands among these, which are in such an order and hold it. */
uint32_t graph_position(const Node *nodes, uint32_t count, Node node);
/* Rebuilds `roots` bottom-up: replace(data, old, rebuilt) gives what stands for a node whose operands were replaced
 * already (return `rebuilt` to keep it). In place. */
void graph_rewrite(Graph *graph, Node *roots, uint32_t n_roots, Node (*replace)(void *data, Node old, Node rebuilt),
                   void *data);
/* Copies what `roots` need into another graph, whose context shares this one's names and sources. In place. */
void graph_copy(Graph *to, const Graph *from, Node *roots, uint32_t n_roots);
/* A size of one table in another with the same names; DIM_NONE stays itself. */
Dim dim_copy(DimTable *to, const DimTable *from, Dim dim);

#endif
