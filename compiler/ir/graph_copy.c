/* Copying parts of one graph into another. */

#include "ir/graph_internal.h"
#include "support/memory.h"

typedef struct {
    DimTable *to;
    Vec(Dim) stack;
} DimCopy;

static void copy_step(void *data, DimStep step, int64_t constant, Name symbol)
{
    DimCopy *copy = data;
    if (step == DIM_PUSH_CONSTANT) {
        vec_push(&copy->stack, dim_constant(copy->to, constant));
    } else if (step == DIM_PUSH_SYMBOL) {
        vec_push(&copy->stack, dim_symbol(copy->to, symbol));
    } else {
        Dim right = vec_pop(&copy->stack), left = vec_pop(&copy->stack);
        vec_push(&copy->stack, dim_apply(copy->to, step, left, right));
    }
}

Dim dim_copy(DimTable *to, const DimTable *from, Dim dim)
{
    if (dim_is_none(dim)) return dim;
    DimCopy copy = {.to = to};
    dim_postfix(from, dim, copy_step, &copy);
    Dim result = vec_pop(&copy.stack);
    vec_free(&copy.stack);
    return result;
}

static Type copy_type(Graph *to, const Graph *from, Type type)
{
    for (uint32_t i = 0; i < type.rank; i++) type.dims[i] = dim_copy(to->dims, from->dims, type.dims[i]);
    type.range = dim_copy(to->dims, from->dims, type.range);
    return type;
}

static Node copy_node(Graph *to, const Graph *from, Node old, const Node *copies)
{
    const NodeInfo *info = graph_node(from, old);
    Attr attr = info->attr;
    Type type = copy_type(to, from, info->type);
    Node *args = memory_calloc(info->n_args + 1, sizeof *args);
    Dim *sizes = memory_calloc(attr.n_sizes + 1, sizeof *sizes);
    for (uint32_t i = 0; i < info->n_args; i++) args[i] = copies[info->args[i].id];
    for (uint32_t i = 0; i < attr.n_sizes; i++) sizes[i] = dim_copy(to->dims, from->dims, attr.sizes[i]);
    attr.sizes = sizes;
    Node node = graph_make(to, info->op, args, info->n_args, &attr, &type);
    memory_free(args);
    memory_free(sizes);
    const Span *places;
    uint32_t n_places = graph_places(from, old, &places);
    for (uint32_t i = 0; i < n_places; i++) graph_add_place(to, node, places[i]);
    if (!graph_name(to, node)) graph_set_name(to, node, graph_name(from, old));
    return node;
}

void graph_copy(Graph *to, const Graph *from, Node *roots, uint32_t n_roots)
{
    uint32_t count;
    Node *nodes = graph_reachable(from, roots, n_roots, &count);
    Node *copies = memory_calloc(count ? nodes[count - 1].id + 1 : 1, sizeof *copies);
    for (uint32_t i = 0; i < count; i++) copies[nodes[i].id] = copy_node(to, from, nodes[i], copies);
    for (uint32_t i = 0; i < n_roots; i++) roots[i] = copies[roots[i].id];
    memory_free(copies);
    memory_free(nodes);
}
