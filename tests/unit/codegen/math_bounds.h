/* The largest errors that are allowed for the elementwise functions, as docs/numbers.md states them. */
#ifndef TESTS_MATH_BOUNDS_H
#define TESTS_MATH_BOUNDS_H

#include <math.h>
#include <stdbool.h>

#include "ir/graph.h"

/* In ulps for f32 and f64, whatever the operands. Beyond |x| = 2^high there is nothing new to see: half of the random
 * tests lie below it. */
typedef struct {
    Op op;
    double f32, f64;
    int high;
    int high64; /* for f64, where it is not 0 */
} Row;

static const Row rows[] = {
    {OP_EXP, 1.5, 1.5, 7, 10},  {OP_EXPM1, 2, 2, 7, 10},    {OP_LOG, 1.5, 1.5, 10, 0},   {OP_LOG1P, 2, 2, 10, 0},
    {OP_SIN, 2, 1.5, 17, 0},    {OP_COS, 2, 1.5, 17, 0},    {OP_TAN, 3, 3, 17, 0},       {OP_ASIN, 3, 3, 0, 0},
    {OP_ACOS, 3, 3, 0, 0},      {OP_ATAN, 3, 3, 10, 0},     {OP_SINH, 3, 3, 7, 10},      {OP_COSH, 3, 3, 7, 10},
    {OP_TANH, 3, 3, 4, 5},      {OP_ERF, 3, 3, 3, 3},       {OP_ERFC, 4, 4, 4, 5},       {OP_SIGMOID, 3, 3, 7, 10},
    {OP_SOFTPLUS, 3, 3, 7, 10}, {OP_SQRT, 0.5, 0.5, 10, 0}, {OP_RSQRT, 1.5, 1.5, 10, 0}, {OP_POW, 1, 3, 20, 0},
    {OP_ATAN2, 3, 3, 10, 0},    {OP_DIV, 0.5, 0.5, 10, 0},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static inline double number_get(DType dtype, const void *values, size_t i)
{
    return dtype == DTYPE_F64 ? ((const double *)values)[i] : (double)((const float *)values)[i];
}

static inline void number_set(DType dtype, void *values, size_t i, double x)
{
    if (dtype == DTYPE_F64)
        ((double *)values)[i] = x;
    else
        ((float *)values)[i] = (float)x;
}

/* |got - want| in units of the last place of `want` in f32 or f64. */
static inline double ulps(DType dtype, double got, long double want)
{
    int digits = dtype == DTYPE_F64 ? 53 : 24, least = dtype == DTYPE_F64 ? -1074 : -149, exponent;
    long double most = dtype == DTYPE_F64 ? 0x1p1024L : 0x1p128L, ulp;
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : INFINITY;
    if (isinf(got) || isinf(want))
        return fabsl(want) >= most * (1 - ldexpl(1, -digits)) && !signbit(got) == !signbit(want) ? 0 : INFINITY;
    frexpl(want, &exponent);
    ulp = ldexpl(1, exponent - digits > least ? exponent - digits : least);
    return (double)(fabsl(got - want) / ulp);
}

#endif
