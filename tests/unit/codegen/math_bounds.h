/* The largest errors that are allowed for the elementwise functions, as docs/numbers.md states them. */
#ifndef TESTS_MATH_BOUNDS_H
#define TESTS_MATH_BOUNDS_H

#include <math.h>
#include <stdbool.h>

#include "ir/graph.h"

/* In ulps for f32 and f64, over |x| in [2^low, 2^high] of both signs (one if positive). */
typedef struct {
    Op op;
    double f32, f64;
    int low, high; /* powers of 2; high for f64 where `high64` is not 0 */
    int high64;
    bool positive;
} Row;

static const Row rows[] = {
    {OP_EXP, 1.5, 1.5, -30, 7, 10, false},    {OP_EXPM1, 2, 2, -30, 7, 10, false},
    {OP_LOG, 1.5, 1.5, -149, 128, 0, true},   {OP_LOG1P, 2, 2, -149, 128, 0, true},
    {OP_SIN, 2, 1.5, -149, 17, 0, false},     {OP_COS, 2, 1.5, -149, 17, 0, false},
    {OP_TAN, 3, 3, -149, 17, 0, false},       {OP_ASIN, 3, 3, -149, 0, 0, false},
    {OP_ACOS, 3, 3, -149, 0, 0, false},       {OP_ATAN, 3, 3, -149, 128, 0, false},
    {OP_SINH, 3, 3, -149, 7, 10, false},      {OP_COSH, 3, 3, -149, 7, 10, false},
    {OP_TANH, 3, 3, -120, 7, 0, false},       {OP_ERF, 3, 3, -149, 4, 0, false},
    {OP_ERFC, 4, 4, -149, 4, 5, false},       {OP_SIGMOID, 3, 3, -149, 7, 10, false},
    {OP_SOFTPLUS, 3, 3, -149, 7, 10, false},  {OP_SQRT, 0.5, 0.5, -149, 128, 0, true},
    {OP_RSQRT, 1.5, 1.5, -149, 128, 0, true}, {OP_POW, 1, 3, -20, 20, 0, true},
    {OP_ATAN2, 3, 3, -60, 60, 0, false},      {OP_DIV, 0.5, 0.5, -60, 60, 0, false},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

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
