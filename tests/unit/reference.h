/* Elementwise operators by MPFR, in the precision of the result. */
#ifndef NNC_TESTS_REFERENCE_H
#define NNC_TESTS_REFERENCE_H

#include <criterion/criterion.h>
#include <mpfr.h>

#include "ir/graph.h"

/* Bits beyond the result's for what MPFR has no function of its own for. */
enum { REFERENCE_GUARD = 64 };

static inline void reference_logistic(mpfr_t to, mpfr_t x)
{
    mpfr_t t;
    mpfr_init2(t, mpfr_get_prec(to) + REFERENCE_GUARD);
    mpfr_neg(t, x, MPFR_RNDN);
    mpfr_exp(t, t, MPFR_RNDN);
    mpfr_add_ui(t, t, 1, MPFR_RNDN);
    mpfr_ui_div(to, 1, t, MPFR_RNDN);
    mpfr_clear(t);
}

static inline void reference_softplus(mpfr_t to, mpfr_t x)
{
    mpfr_t t;
    mpfr_init2(t, mpfr_get_prec(to) + REFERENCE_GUARD);
    mpfr_exp(t, x, MPFR_RNDN);
    mpfr_log1p(to, t, MPFR_RNDN);
    mpfr_clear(t);
}

/* to = op(x) or op(x, y); a failed assertion where an operator has no reference. */
static inline void reference_elementwise(Op op, mpfr_t to, mpfr_t x, mpfr_t y)
{
    static int (*const unary[OP_COUNT])(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t) = {
        [OP_NEG] = mpfr_neg,   [OP_ABS] = mpfr_abs,     [OP_SQRT] = mpfr_sqrt, [OP_RSQRT] = mpfr_rec_sqrt,
        [OP_EXP] = mpfr_exp,   [OP_EXPM1] = mpfr_expm1, [OP_LOG] = mpfr_log,   [OP_LOG1P] = mpfr_log1p,
        [OP_SIN] = mpfr_sin,   [OP_COS] = mpfr_cos,     [OP_TAN] = mpfr_tan,   [OP_ASIN] = mpfr_asin,
        [OP_ACOS] = mpfr_acos, [OP_ATAN] = mpfr_atan,   [OP_SINH] = mpfr_sinh, [OP_COSH] = mpfr_cosh,
        [OP_TANH] = mpfr_tanh, [OP_ERF] = mpfr_erf,     [OP_ERFC] = mpfr_erfc,
    };
    static int (*const binary[OP_COUNT])(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t) = {
        [OP_ADD] = mpfr_add, [OP_SUB] = mpfr_sub, [OP_MUL] = mpfr_mul,
        [OP_DIV] = mpfr_div, [OP_POW] = mpfr_pow, [OP_ATAN2] = mpfr_atan2,
    };
    if (op == OP_SIGMOID)
        reference_logistic(to, x);
    else if (op == OP_SOFTPLUS)
        reference_softplus(to, x);
    else if (unary[op])
        unary[op](to, x, MPFR_RNDN);
    else if (binary[op])
        binary[op](to, x, y, MPFR_RNDN);
    else
        cr_assert_fail("no reference for %s", op_info(op)->spelling);
}

#endif
