/* A typed builder over graph_make: usable without any syntax. Shapes and types must fit (asserted). Each function
 * returns an existing node where the operation is the identity. */
#ifndef NNC_IR_BUILD_H
#define NNC_IR_BUILD_H

#include "ir/graph.h"

/* A value everywhere; bool and integer types hold integral numbers, what an integer type has not becomes its end. */
Node build_constant(Graph *graph, Type type, double number);
/* A constant of the type of `like`. */
Node build_constant_like(Graph *graph, Node like, double number);
/* An integer everywhere, wrapped around to the integer type. */
Node build_integer(Graph *graph, Type type, int64_t integer);
/* The number of a constant everywhere in another shape; its element type, the shape's range. */
Node build_spread_constant(Graph *graph, Node constant, const Type *shape);
/* Row-major elements of a type of constant sizes; copied. */
Node build_literal(Graph *graph, Type type, const void *data, size_t size);
/* op is INPUT, TARGET, PARAM, STATE or COTANGENT. */
Node build_source(Graph *graph, Op op, Name name, Type type);
Node build_setting(Graph *graph, Name name, DType dtype, double value);
Node build_random(Graph *graph, Name path, int64_t stream, Type type);
Node build_iota(Graph *graph, Type type, uint32_t axis);
/* A size as a scalar of the given element type; a constant where it is known. */
Node build_size(Graph *graph, Dim size, DType dtype);

Node build_unary(Graph *graph, Op op, Node x);
/* Operands of one shape and element type. */
Node build_binary(Graph *graph, Op op, Node x, Node y);
Node build_select(Graph *graph, Node condition, Node yes, Node no);
Node build_cast(Graph *graph, Node x, DType dtype);

/* axes[i] is the axis of `shape` that operand axis i becomes; the others are new. The operand's sizes equal the
 * result's there. Element type of x. */
Node build_broadcast(Graph *graph, Node x, const Type *shape, const int32_t *axes);
/* A scalar everywhere in a shape. */
Node build_splat(Graph *graph, Node scalar, const Type *shape);
Node build_reshape(Graph *graph, Node x, uint32_t rank, const Dim *dims);
Node build_transpose(Graph *graph, Node x, const int32_t *permutation);
/* Per axis: first index, number of elements, step. */
Node build_slice(Graph *graph, Node x, const Dim *start, const Dim *size, const int32_t *step);
/* Zeros around: `before[i]` and then as many as the result's size asks. */
Node build_pad(Graph *graph, Node x, const Dim *before, const Dim *size);
Node build_concat(Graph *graph, const Node *parts, uint32_t count, uint32_t axis);
Node build_reverse(Graph *graph, Node x, const int32_t *axes, uint32_t n_axes);
Node build_gather(Graph *graph, Node x, Node ids, uint32_t axis, uint32_t batch_axes);
Node build_scatter_add(Graph *graph, Node ids, Node g, uint32_t axis, uint32_t batch_axes, const Type *type);

/* Axes ascending; none is the identity. */
Node build_reduce(Graph *graph, Op op, Node x, const int32_t *axes, uint32_t n_axes);
/* All axes. */
Node build_reduce_all(Graph *graph, Op op, Node x);
/* Brings reduced axes back: y of x's shape without `axes`, repeated along them to `shape`. */
Node build_unreduce(Graph *graph, Node y, const Type *shape, const int32_t *axes, uint32_t n_axes);
/* SOFTMAX, LOG_SOFTMAX, CUMSUM along an axis. */
Node build_along(Graph *graph, Op op, Node x, uint32_t axis);
/* labels: a's axes, b's axes, the result's axes. */
Node build_contract(Graph *graph, Node a, Node b, const int32_t *labels, uint32_t n_result);
/* x[..., m, k] @ y[..., k, n] with equal leading axes, or y of rank 2. */
Node build_matmul(Graph *graph, Node x, Node y);

Node build_gradient(Graph *graph, Node y, Node x);
Node build_stop_gradient(Graph *graph, Node x);
/* x as a node of its own: a gradient by it leaves other values constant that are equal to x but were not made from this
 * node. `name` tells it from others. An identity for every derivative, gone after differentiation. */
Node build_distinct(Graph *graph, Node x, Name name);

#endif
