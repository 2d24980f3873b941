#include "ir/build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ir/integer.h"

/* sources */

Node build_literal(Graph *graph, Type type, const void *data, size_t size)
{
    return graph_make(graph, OP_LITERAL, NULL, 0, &(Attr){.data = data, .data_size = size}, &type);
}

Node build_source(Graph *graph, Op op, Name name, Type type)
{
    assert(op == OP_INPUT || op == OP_TARGET || op == OP_PARAM || op == OP_STATE || op == OP_COTANGENT);
    return graph_make(graph, op, NULL, 0, &(Attr){.name = name}, &type);
}

Node build_setting(Graph *graph, Name name, DType dtype, double value)
{
    Type type = type_scalar(dtype);
    return graph_make(graph, OP_SETTING, NULL, 0, &(Attr){.name = name, .number = value}, &type);
}

Node build_random(Graph *graph, Name path, int64_t stream, Type type)
{
    return graph_make(graph, OP_RANDOM, NULL, 0, &(Attr){.name = path, .integer = stream}, &type);
}

Node build_iota(Graph *graph, Type type, uint32_t axis)
{
    return graph_make(graph, OP_IOTA, NULL, 0, &(Attr){.integer = axis}, &type);
}

Node build_size(Graph *graph, Dim size, DType dtype)
{
    int64_t value;
    Type type = type_scalar(DTYPE_I64);
    if (dim_is_constant(graph_dims(graph), size, &value))
        return dtype_class(dtype) == DTYPE_CLASS_INTEGER ? build_integer(graph, type_scalar(dtype), value)
                                                         : build_constant(graph, type_scalar(dtype), (double)value);
    Node node = graph_make(graph, OP_SIZE, NULL, 0, &(Attr){.sizes = &size, .n_sizes = 1}, &type);
    return build_cast(graph, node, dtype);
}

/* elementwise */

Node build_unary(Graph *graph, Op op, Node x)
{
    return graph_make(graph, op, &x, 1, NULL, NULL);
}

Node build_binary(Graph *graph, Op op, Node x, Node y)
{
    return graph_make(graph, op, (Node[]){x, y}, 2, NULL, NULL);
}

Node build_select(Graph *graph, Node condition, Node yes, Node no)
{
    if (node_same(yes, no)) return yes;
    return graph_make(graph, OP_SELECT, (Node[]){condition, yes, no}, 3, NULL, NULL);
}

/* True if every value below the range survives in the type. A free one is the size of some axis. */
static bool range_holds(Graph *graph, DType dtype, Dim range)
{
    int64_t size;
    if (dim_is_none(range) || dtype_class(dtype) != DTYPE_CLASS_INTEGER) return false;
    if (!dim_is_constant(graph_dims(graph), range, &size)) return dtype != DTYPE_U8;
    return size <= 0 || integer_fits(dtype, size - 1);
}

Node build_cast(Graph *graph, Node x, DType dtype)
{
    Type type = *node_type(graph, x);
    if (type.dtype == dtype) return x;
    Dim range = range_holds(graph, dtype, type.range) ? type.range : DIM_NONE;
    type = type_with(type, dtype);
    type.range = range;
    return graph_make(graph, OP_CAST, &x, 1, NULL, &type);
}

/* reductions, contraction, gathers */

Node build_reduce(Graph *graph, Op op, Node x, const int32_t *axes, uint32_t n_axes)
{
    if (!n_axes) return x;
    return graph_make(graph, op, &x, 1, &(Attr){.ints = axes, .n_ints = n_axes}, NULL);
}

Node build_reduce_all(Graph *graph, Op op, Node x)
{
    int32_t axes[MAX_RANK];
    uint32_t rank = node_type(graph, x)->rank;
    for (uint32_t i = 0; i < rank; i++) axes[i] = (int32_t)i;
    return build_reduce(graph, op, x, axes, rank);
}

Node build_unreduce(Graph *graph, Node y, const Type *shape, const int32_t *axes, uint32_t n_axes)
{
    int32_t kept[MAX_RANK];
    uint32_t n_kept = 0;
    for (uint32_t i = 0, k = 0; i < shape->rank; i++) {
        if (k < n_axes && axes[k] == (int32_t)i)
            k++;
        else
            kept[n_kept++] = (int32_t)i;
    }
    return build_broadcast(graph, y, shape, kept);
}

Node build_along(Graph *graph, Op op, Node x, uint32_t axis)
{
    return graph_make(graph, op, &x, 1, &(Attr){.integer = axis}, NULL);
}

/* Labels are numbered by first appearance, so that contractions that differ in names alone are one node. */
Node build_contract(Graph *graph, Node a, Node b, const int32_t *labels, uint32_t n_result)
{
    uint32_t n = node_type(graph, a)->rank + node_type(graph, b)->rank + n_result;
    int32_t numbered[3 * MAX_RANK], next = 0;
    assert(n <= 3 * MAX_RANK);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t first = 0;
        while (labels[first] != labels[i]) first++;
        numbered[i] = first < i ? numbered[first] : next++;
    }
    return graph_make(graph, OP_CONTRACT, (Node[]){a, b}, 2, &(Attr){.ints = numbered, .n_ints = n}, NULL);
}

Node build_matmul(Graph *graph, Node x, Node y)
{
    int32_t labels[3 * MAX_RANK], n = 0;
    int32_t a = (int32_t)node_type(graph, x)->rank, b = (int32_t)node_type(graph, y)->rank;
    assert(a >= 2 && (b == a || b == 2));
    /* labels: 0 … a-2 are x's leading axes and m, a-1 is k, a is n */
    for (int32_t i = 0; i < a; i++) labels[n++] = i;
    for (int32_t i = 0; i < b - 2; i++) labels[n++] = i;
    labels[n++] = a - 1;
    labels[n++] = a;
    for (int32_t i = 0; i < a - 1; i++) labels[n++] = i;
    labels[n++] = a;
    return build_contract(graph, x, y, labels, (uint32_t)a);
}

Node build_gather(Graph *graph, Node x, Node ids, uint32_t axis, uint32_t batch_axes)
{
    const int32_t ints[] = {(int32_t)axis, (int32_t)batch_axes};
    return graph_make(graph, OP_GATHER, (Node[]){x, ids}, 2, &(Attr){.ints = ints, .n_ints = 2}, NULL);
}

Node build_scatter_add(Graph *graph, Node ids, Node g, uint32_t axis, uint32_t batch_axes, const Type *type)
{
    const int32_t ints[] = {(int32_t)axis, (int32_t)batch_axes};
    return graph_make(graph, OP_SCATTER_ADD, (Node[]){ids, g}, 2, &(Attr){.ints = ints, .n_ints = 2}, type);
}

/* differentiation */

Node build_gradient(Graph *graph, Node y, Node x)
{
    Type type = *node_type(graph, x);
    return graph_make(graph, OP_GRADIENT, (Node[]){y, x}, 2, NULL, &type);
}

Node build_stop_gradient(Graph *graph, Node x)
{
    return graph_make(graph, OP_STOP_GRADIENT, &x, 1, NULL, NULL);
}

Node build_distinct(Graph *graph, Node x, Name name)
{
    const Type type = *node_type(graph, x);
    Node cotangent = build_source(graph, OP_COTANGENT, name, type);
    return graph_make(graph, OP_CUSTOM_GRADIENT, (Node[]){x, cotangent, x, cotangent}, 4, &(Attr){.integer = 1}, NULL);
}
