/* What the gradient tests share: a graph with sources that have values in f64. */
#ifndef TESTS_GRADIENTS_H
#define TESTS_GRADIENTS_H

#include "autodiff/autodiff.h"
#include "autodiff/check.h"
#include "ir/build.h"
#include "ir/eval.h"

typedef struct {
    Context *context;
    Graph *graph;
    const RuleSet *partials;
    Eval *eval;
    uint32_t n_sources;
} Bench;

/* A context, a graph, the partial rules and an interpreter in f64. */
Bench bench_new(void);
void bench_free(Bench *bench);
/* `2, 3` becomes f32[2, 3]. */
Type bench_type(Bench *bench, DType dtype, uint32_t rank, const int64_t *dims);
/* A parameter of a type, bound to `values`, or (NULL) to random values in [low, high]. */
Node bench_source(Bench *bench, Type type, const double *values, double low, double high);
/* A vector parameter of f32. */
Node bench_vector(Bench *bench, uint32_t count, const double *values);
Node bench_scalar(Bench *bench, double value);
Node bench_constant(Bench *bench, Node like, double value);
/* The value of a node; the test fails when it cannot be computed. */
const Tensor *bench_value(Bench *bench, Node node);
double bench_number(Bench *bench, Node node);
/* The gradient of the sum of y by x, guides eliminated. */
Node bench_gradient(Bench *bench, Node y, Node x);
/* Fails unless check_gradients finds the gradients of a random weighting of y right. */
void bench_check(Bench *bench, Node y, const Node *xs, uint32_t count, const char *what);
/* Fails unless every element of the node is as expected, within a relative (or absolute) tolerance; NaN equals NaN. */
void bench_expect(Bench *bench, Node node, const double *expected, double tolerance, const char *what);

#endif
