/* The exponential and what follows from it. */
#include "codegen/math_internal.h"

static const double LOG2_E = 1.44269504088896341;

/* x = n ln 2 + r; gives r + low and n. */
static LLVMValueRef reduce(const Math *m, LLVMValueRef x, LLVMValueRef low, LLVMValueRef *n)
{
    *n = m_round(m, m_mul(m, x, m_num(m, LOG2_E)));
    LLVMValueRef r = m_fma(m, *n, m_num(m, -m->format->ln2_high), x);
    if (!low) return m_fma(m, *n, m_num(m, -m->format->ln2_low), r);
    return m_add(m, r, m_fma(m, *n, m_num(m, -m->format->ln2_low), low));
}

static LLVMValueRef clamp(const Math *m, LLVMValueRef x, double low, double high)
{
    return m_at_most(m, m_at_least(m, x, m_num(m, low)), m_num(m, high));
}

LLVMValueRef m_exp_sum(const Math *m, LLVMValueRef high, LLVMValueRef low)
{
    LLVMValueRef n, one = m_num(m, 1), r = reduce(m, clamp(m, high, m->format->exp_low, m->format->exp_high), low, &n);
    LLVMValueRef q = m_polynomial(m, r, &m->format->exp);
    LLVMValueRef e = m_add(m, m_fma(m, m_mul(m, r, r), q, r), one);
    return m_scale(m, e, n);
}

LLVMValueRef m_exp(const Math *m, LLVMValueRef x)
{
    return m_exp_sum(m, x, NULL);
}

/* (e^x - 1)/4, which is finite wherever sinh and cosh are. Not for x below expm1_low. */
static LLVMValueRef quarter_expm1(const Math *m, LLVMValueRef x)
{
    LLVMValueRef n, r = reduce(m, m_at_most(m, x, m_num(m, m->format->exp_high)), NULL, &n);
    LLVMValueRef q = m_polynomial(m, r, &m->format->exp);
    LLVMValueRef p = m_fma(m, m_mul(m, r, r), q, r);
    LLVMValueRef s = m_exp2_integer(m, m_sub(m, n, m_num(m, 2)));
    return m_fma(m, s, p, m_sub(m, s, m_num(m, 0.25)));
}

LLVMValueRef m_expm1(const Math *m, LLVMValueRef x)
{
    LLVMValueRef e = quarter_expm1(m, m_at_least(m, x, m_num(m, m->format->expm1_low)));
    return m_copysign(m, m_mul(m, e, m_num(m, 4)), x);
}

/* With d = e^a - 1, a = |x|: sinh = (d + d/(d + 1))/2. */
LLVMValueRef m_sinh(const Math *m, LLVMValueRef x)
{
    LLVMValueRef q = quarter_expm1(m, m_abs(m, x)), four = m_num(m, 4);
    LLVMValueRef rest = m_div(m, q, m_fma(m, q, four, m_num(m, 1)));
    LLVMValueRef sum = m_mul(m, m_add(m, q, rest), m_num(m, 2));
    return m_copysign(m, sum, x);
}

LLVMValueRef m_cosh(const Math *m, LLVMValueRef x)
{
    LLVMValueRef e = m_add(m, quarter_expm1(m, m_abs(m, x)), m_num(m, 0.25));
    return m_mul(m, m_add(m, e, m_div(m, m_num(m, 0.0625), e)), m_num(m, 2));
}

/* d/(d + 2) with d = e^(2a) - 1. */
LLVMValueRef m_tanh(const Math *m, LLVMValueRef x)
{
    LLVMValueRef a = m_at_most(m, m_abs(m, x), m_num(m, m->format->tanh_high));
    LLVMValueRef q = quarter_expm1(m, m_add(m, a, a));
    return m_copysign(m, m_div(m, q, m_add(m, q, m_num(m, 0.5))), x);
}

/* e^min(x, 0) / (1 + e^-|x|): no overflow, and the left tail keeps its relative precision. */
LLVMValueRef m_sigmoid(const Math *m, LLVMValueRef x)
{
    LLVMValueRef one = m_num(m, 1), e = m_exp(m, m_neg(m, m_abs(m, x)));
    LLVMValueRef top = m_select(m, m_lt(m, x, m_num(m, 0)), e, one);
    return m_div(m, top, m_add(m, one, e));
}

/* erfc(a) for a >= 0. e^(-a^2) takes a^2 in two parts, since its rounding error alone would cost a^2 ulps. */
static LLVMValueRef erfc_positive(const Math *m, LLVMValueRef a)
{
    LLVMValueRef four = m_num(m, 4), one = m_num(m, 1);
    a = m_at_most(m, a, m_num(m, m->format->erfc_high));
    LLVMValueRef q = m_div(m, m_sub(m, a, four), m_add(m, a, four));
    LLVMValueRef p = m_polynomial(m, q, &m->format->erfc);
    LLVMValueRef low, high = m_two_product(m, a, a, &low);
    LLVMValueRef e = m_exp_sum(m, m_neg(m, high), m_neg(m, low));
    LLVMValueRef scale = m_div(m, e, m_add(m, m_add(m, a, a), one));
    return m_fma(m, scale, p, scale);
}

/* erf(x) for |x| <= 1. */
static LLVMValueRef erf_series(const Math *m, LLVMValueRef x)
{
    return m_fma(m, m_polynomial(m, m_mul(m, x, x), &m->format->erf), x, x);
}

LLVMValueRef m_erfc(const Math *m, LLVMValueRef x)
{
    LLVMValueRef a = m_abs(m, x), far = erfc_positive(m, a);
    far = m_select(m, m_lt(m, x, m_num(m, 0)), m_sub(m, m_num(m, 2), far), far);
    LLVMValueRef near = m_sub(m, m_num(m, 1), erf_series(m, x));
    return m_select(m, m_lt(m, a, m_num(m, 0.5)), near, far);
}

LLVMValueRef m_erf(const Math *m, LLVMValueRef x)
{
    LLVMValueRef a = m_abs(m, x), one = m_num(m, 1), tail = m_sub(m, one, erfc_positive(m, a));
    return m_copysign(m, m_select(m, m_lt(m, a, one), erf_series(m, a), tail), x);
}
