#include "ir/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph_internal.h"
#include "ir/infer.h"
#include "support/memory.h"

Graph *graph_new(Context *context)
{
    Graph *graph = ARENA_NEW(context->arena, Graph);
    graph->context = context;
    graph->dims = dim_table_new(context->arena, context->names);
    vec_push(&graph->sides, (Side){0});
    return graph;
}

void graph_free(Graph *graph)
{
    if (!graph) return;
    dim_table_free(graph->dims);
    vec_free(&graph->nodes);
    vec_free(&graph->hashes);
    vec_free(&graph->sides);
    memory_free(graph->slots);
    graph->slots = NULL;
    graph->n_slots = 0;
}

Context *graph_context(const Graph *graph)
{
    return graph->context;
}

DimTable *graph_dims(const Graph *graph)
{
    return graph->dims;
}

uint32_t graph_count(const Graph *graph)
{
    return (uint32_t)graph->nodes.count;
}

GraphListener graph_listen(Graph *graph, GraphListener listener)
{
    GraphListener before = graph->listener;
    graph->listener = listener;
    return before;
}

void graph_refuse_node(const Graph *graph, const char *what)
{
    graph->listener.refuse(graph->listener.data, what);
}

/* What NODE_NONE is while someone listens. */
static const NodeInfo nothing = {.op = OP_COTANGENT, .type = {.dtype = DTYPE_F32}};

const NodeInfo *graph_node(const Graph *graph, Node node)
{
    if (node_is_none(node) && graph->listener.refuse) return &nothing;
    assert(node.id && node.id <= graph->nodes.count);
    return &graph->nodes.at[node.id - 1];
}

bool node_is_constant(const Graph *graph, Node node, double *number)
{
    const NodeInfo *info = graph_node(graph, node);
    if (info->op != OP_CONST) return false;
    if (number) *number = info->attr.number;
    return true;
}

bool node_is_integer(const Graph *graph, Node node, int64_t *integer)
{
    const NodeInfo *info = graph_node(graph, node);
    if (info->op != OP_CONST || dtype_class(info->type.dtype) != DTYPE_CLASS_INTEGER) return false;
    *integer = info->attr.integer;
    return true;
}

/* interning */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    return hash ^ hash >> 32;
}

static uint64_t number_bits(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static uint64_t hash_node(const NodeInfo *node)
{
    const Attr *attr = &node->attr;
    const Type *type = &node->type;
    uint64_t hash =
        mix((uint64_t)node->op, (uint64_t)type->dtype | (uint64_t)type->rank << 8 | (uint64_t)type->range.id << 16);
    for (uint32_t i = 0; i < type->rank; i++) hash = mix(hash, type->dims[i].id);
    for (uint32_t i = 0; i < node->n_args; i++) hash = mix(hash, node->args[i].id);
    for (uint32_t i = 0; i < attr->n_ints; i++) hash = mix(hash, (uint64_t)attr->ints[i]);
    for (uint32_t i = 0; i < attr->n_sizes; i++) hash = mix(hash, attr->sizes[i].id);
    hash = mix(hash, number_bits(attr->number));
    hash = mix(hash, (uint64_t)attr->integer);
    hash = mix(hash, (uint64_t)(uintptr_t)attr->name);
    if (attr->data_size) hash = mix(hash, hash_bytes(HASH_START, attr->data, attr->data_size));
    return hash;
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return !size || !memcmp(a, b, size);
}

static bool same_node(const NodeInfo *a, const NodeInfo *b)
{
    const Attr *x = &a->attr, *y = &b->attr;
    return a->op == b->op && a->n_args == b->n_args && x->n_ints == y->n_ints && x->n_sizes == y->n_sizes &&
           x->data_size == y->data_size && number_bits(x->number) == number_bits(y->number) &&
           x->integer == y->integer && x->name == y->name && type_equal(&a->type, &b->type) &&
           same_bytes(a->args, b->args, a->n_args * sizeof *a->args) &&
           same_bytes(x->ints, y->ints, x->n_ints * sizeof *x->ints) &&
           same_bytes(x->sizes, y->sizes, x->n_sizes * sizeof *x->sizes) && same_bytes(x->data, y->data, x->data_size);
}

static void rehash(Graph *graph)
{
    graph->n_slots = graph->n_slots ? graph->n_slots * 2 : 1024;
    memory_free(graph->slots);
    graph->slots = memory_calloc(graph->n_slots, sizeof *graph->slots);
    for (size_t i = 0; i < graph->hashes.count; i++) {
        size_t slot = graph->hashes.at[i] & (graph->n_slots - 1);
        while (graph->slots[slot]) slot = (slot + 1) & (graph->n_slots - 1);
        graph->slots[slot] = (uint32_t)i + 1;
    }
}

static void copy_arrays(Graph *graph, NodeInfo *node)
{
    Arena *arena = graph->context->arena;
    Attr *attr = &node->attr;
    if (node->n_args) node->args = ARENA_COPY(arena, Node, node->args, node->n_args);
    if (attr->n_ints) attr->ints = ARENA_COPY(arena, int32_t, attr->ints, attr->n_ints);
    if (attr->n_sizes) attr->sizes = ARENA_COPY(arena, Dim, attr->sizes, attr->n_sizes);
    if (attr->data_size) attr->data = arena_copy(arena, attr->data, attr->data_size);
}

/* A new node takes work in every pass to come, and its sizes have taken some. */
static void spend_node(Graph *graph, Node node)
{
    const Span *places;
    Span at = graph->place.end ? graph->place : graph_places(graph, node, &places) ? places[0] : NO_SPAN;
    context_spend(graph->context, 1 + dim_take_work(graph->dims), at);
}

static Node intern_node(Graph *graph, NodeInfo *node)
{
    if (graph->nodes.count * 2 >= graph->n_slots) rehash(graph);
    uint64_t hash = hash_node(node);
    size_t slot = hash & (graph->n_slots - 1);
    Node found = NODE_NONE;
    for (; graph->slots[slot]; slot = (slot + 1) & (graph->n_slots - 1)) {
        uint32_t id = graph->slots[slot];
        if (graph->hashes.at[id - 1] != hash || !same_node(&graph->nodes.at[id - 1], node)) continue;
        found = (Node){id};
        break;
    }
    if (node_is_none(found)) {
        copy_arrays(graph, node);
        vec_push(&graph->nodes, *node);
        vec_push(&graph->hashes, hash);
        vec_push(&graph->sides, (Side){.layer = graph->layer});
        found = (Node){(uint32_t)graph->nodes.count};
        graph->slots[slot] = found.id;
        if (!node_is_none(graph->origin)) graph_inherit_places(graph, found, graph->origin);
        spend_node(graph, found);
    }
    if (graph->place.end) graph_add_place(graph, found, graph->place);
    return found;
}

/* making */

/* Constants last, else by id: a canonical order, so that x + y and y + x are one node. */
static bool in_order(const Graph *graph, Node a, Node b)
{
    bool x = node_is_constant(graph, a, NULL), y = node_is_constant(graph, b, NULL);
    return x == y ? a.id <= b.id : y;
}

/* Only what the operator reads takes part in its identity. */
static Attr used_fields(unsigned uses, const Attr *attr, bool integer)
{
    Attr used = {0};
    if (!attr) return used;
    if (uses & (ATTR_NUMBER | ATTR_ELEMENT)) used.number = attr->number;
    if ((uses & ATTR_ELEMENT) && integer) used.number = (double)(used.integer = attr->integer);
    if (uses & ATTR_INTEGER) used.integer = attr->integer;
    if (uses & ATTR_NAME) used.name = attr->name;
    if ((uses & ATTR_INTS) && attr->n_ints) used.ints = attr->ints, used.n_ints = attr->n_ints;
    if ((uses & ATTR_SIZES) && attr->n_sizes) used.sizes = attr->sizes, used.n_sizes = attr->n_sizes;
    if ((uses & ATTR_DATA) && attr->data_size) used.data = attr->data, used.data_size = attr->data_size;
    return used;
}

/* A node that does not fit: the listener's, or a bug. */
static void refuse(const Graph *graph, Op op, const Node *args, uint32_t n_args, const Type *type, const char *wrong)
{
    enum { SHOWN = 4 };
    Text text = {0};
    text_format(&text, "%s(", op_info(op)->spelling);
    for (uint32_t i = 0; i < n_args && i < SHOWN; i++) {
        if (i) text_string(&text, ", ");
        type_print(graph->dims, node_type(graph, args[i]), &text);
    }
    text_string(&text, n_args > SHOWN ? ", ...)" : ")");
    if (type && type_is_whole(type)) {
        text_string(&text, " to ");
        type_print(graph->dims, type, &text);
    }
    text_format(&text, ": %s", wrong);
    if (!graph->listener.refuse) {
        fprintf(stderr, "nnc: internal error: invalid node: %s\n", text_get(&text));
        abort();
    }
    graph_refuse_node(graph, text_get(&text));
    text_free(&text);
}

bool graph_try_make(Graph *graph, Op op, const Node *args, uint32_t n_args, const Attr *attr, const Type *type,
                    Node *made, const char **wrong)
{
    const OpInfo *info = op_info(op);
    Node sorted[2];
    NodeInfo node = {.op = op, .n_args = n_args, .args = args};
    node.type = type ? *type : type_scalar(DTYPE_F64);
    node.attr = used_fields(info->attributes, attr, dtype_class(node.type.dtype) == DTYPE_CLASS_INTEGER);
    if ((info->flags & COMMUTATIVE) && n_args == 2 && !in_order(graph, args[0], args[1])) {
        sorted[0] = args[1];
        sorted[1] = args[0];
        node.args = sorted;
    }
    *wrong = infer_type(graph, &node, &node.type);
    if (*wrong) {
        *made = NODE_NONE;
        return false;
    }
    *made = intern_node(graph, &node);
    return true;
}

Node graph_make(Graph *graph, Op op, const Node *args, uint32_t n_args, const Attr *attr, const Type *type)
{
    Node node;
    const char *wrong;
    assert(type || op_info(op)->rule != TYPE_RULE_GIVEN);
    for (uint32_t i = 0; graph->listener.refuse && i < n_args; i++)
        if (node_is_none(args[i])) return NODE_NONE;
    if (!graph_try_make(graph, op, args, n_args, attr, type, &node, &wrong))
        refuse(graph, op, args, n_args, type, wrong);
    return node;
}

Node graph_remake(Graph *graph, Node node, const Node *args)
{
    const NodeInfo *old = graph_node(graph, node);
    if (same_bytes(args, old->args, old->n_args * sizeof *args)) return node;
    const NodeInfo info = *old; /* which may move */
    return graph_make(graph, info.op, args, info.n_args, &info.attr, &info.type);
}
