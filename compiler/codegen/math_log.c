/* Logarithms and powers. */
#include <math.h>

#include "codegen/math_internal.h"

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)), for finite x > 0; e as a floating-point number. */
static LLVMValueRef split(const Math *m, LLVMValueRef x, LLVMValueRef *e)
{
    const MathFormat *f = m->format;
    LLVMValueRef tiny = m_lt(m, x, m_num(m, f->smallest_normal)), mantissa = m_bits(m, f->mantissa);
    x = m_select(m, tiny, m_mul(m, x, m_num(m, f->denormal_scale)), x);
    LLVMValueRef bits = m_to_bits(m, x);
    /* The exponent counted so that it steps at sqrt(1/2), still biased and hence positive. */
    LLVMValueRef stepped = LLVMBuildAdd(m->b, bits, m_bits(m, (f->bias << f->mantissa) - f->sqrt_half), "");
    LLVMValueRef biased = LLVMBuildLShr(m->b, stepped, mantissa, "");
    LLVMValueRef shift = LLVMBuildShl(m->b, LLVMBuildSub(m->b, biased, m_bits(m, f->bias), ""), mantissa, "");
    /* 2^mantissa + biased, whose low bits are the integer: exact, and cheaper than converting an i64. */
    LLVMValueRef above = LLVMBuildOr(m->b, biased, m_bits(m, (f->bias + f->mantissa) << f->mantissa), "");
    double offset = ldexp(1, (int)f->mantissa) + (double)f->bias;
    LLVMValueRef drop = m_select(m, tiny, m_num(m, offset + f->denormal_exponent), m_num(m, offset));
    *e = m_sub(m, m_from_bits(m, above), drop);
    return m_from_bits(m, LLVMBuildSub(m->b, bits, shift, ""));
}

/* log(0) = -inf, log(inf) = inf, NaN below 0. */
static LLVMValueRef log_specials(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef zero = m_num(m, 0);
    y = m_select(m, m_compare(m, LLVMRealULT, x, zero), m_num(m, NAN), y);
    y = m_select(m, m_eq(m, x, zero), m_num(m, -INFINITY), y);
    return m_select(m, m_eq(m, x, m_num(m, INFINITY)), x, y);
}

/* Cephes logf. */
static LLVMValueRef log_f32(const Math *m, LLVMValueRef f, LLVMValueRef e)
{
    static const Polynomial p = {9,
                                 {7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
                                  -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1}};
    LLVMValueRef z = m_mul(m, f, f);
    LLVMValueRef y = m_mul(m, m_mul(m, m_polynomial(m, f, &p), f), z);
    y = m_fma(m, e, m_num(m, m->format->ln2_low), y);
    y = m_fma(m, z, m_num(m, -0.5), y);
    return m_fma(m, e, m_num(m, m->format->ln2_high), m_add(m, f, y));
}

/* fdlibm e_log.c. */
static LLVMValueRef log_f64(const Math *m, LLVMValueRef f, LLVMValueRef e)
{
    static const Polynomial p = {7,
                                 {1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                                  2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                                  6.666666666666735130e-01}};
    LLVMValueRef s = m_div(m, f, m_add(m, f, m_num(m, 2))), z = m_mul(m, s, s);
    LLVMValueRef r = m_mul(m, m_polynomial(m, z, &p), z);
    LLVMValueRef half = m_mul(m, m_mul(m, f, f), m_num(m, 0.5));
    LLVMValueRef low = m_fma(m, e, m_num(m, m->format->ln2_low), m_mul(m, s, m_add(m, half, r)));
    LLVMValueRef rest = m_sub(m, m_sub(m, half, low), f);
    return m_sub(m, m_mul(m, e, m_num(m, m->format->ln2_high)), rest);
}

LLVMValueRef m_log(const Math *m, LLVMValueRef x)
{
    LLVMValueRef e, f = m_sub(m, split(m, x, &e), m_num(m, 1));
    return log_specials(m, x, m->dtype == DTYPE_F64 ? log_f64(m, f, e) : log_f32(m, f, e));
}

/* log(u) with u = 1 + x rounded, and what the rounding took (x - (u - 1)) by the first term of the series at u. */
LLVMValueRef m_log1p(const Math *m, LLVMValueRef x)
{
    LLVMValueRef one = m_num(m, 1), zero = m_num(m, 0), u = m_add(m, one, x);
    LLVMValueRef lost = m_div(m, m_sub(m, x, m_sub(m, u, one)), u);
    /* Beyond 2^24 (2^53) nothing of x is lost but the 1, and at the poles the quotient has no meaning. */
    LLVMValueRef near = LLVMBuildAnd(m->b, m_gt(m, u, zero), m_lt(m, x, m_num(m, INFINITY)), "");
    LLVMValueRef y = m_add(m, m_log(m, u), m_select(m, near, lost, zero));
    return m_select(m, m_eq(m, x, zero), x, y);
}

LLVMValueRef m_softplus(const Math *m, LLVMValueRef x)
{
    LLVMValueRef tail = m_log1p(m, m_exp(m, m_neg(m, m_abs(m, x))));
    return m_add(m, m_at_least(m, x, m_num(m, 0)), tail);
}

/* A number as the unevaluated sum of two. */
typedef struct {
    LLVMValueRef high, low;
} Pair;

static Pair pair_fast_sum(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef sum = m_add(m, x, y);
    return (Pair){sum, m_sub(m, y, m_sub(m, sum, x))};
}

static Pair pair_multiply(const Math *m, Pair x, Pair y)
{
    LLVMValueRef low, high = m_two_product(m, x.high, y.high, &low);
    low = m_add(m, low, m_add(m, m_mul(m, x.high, y.low), m_mul(m, x.low, y.high)));
    return pair_fast_sum(m, high, low);
}

/* log(x) to about 100 bits: with s = (m - 1)/(m + 1), log m = s (2 + s^2 (2/3 + s^2 (2/5 + 2/7 s^2 + ...))). */
static Pair log_pair(const Math *m, LLVMValueRef x)
{
    static const Polynomial series = {
        9, {2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5}};
    LLVMValueRef e, f = split(m, x, &e), one = m_num(m, 1), top = m_sub(m, f, one), bottom_low;
    LLVMValueRef bottom = m_two_sum(m, f, one, &bottom_low);
    LLVMValueRef quotient = m_div(m, top, bottom), product_low,
                 product = m_two_product(m, quotient, bottom, &product_low);
    LLVMValueRef rest = m_sub(m, m_sub(m, top, product), m_fma(m, quotient, bottom_low, product_low));
    Pair s = pair_fast_sum(m, quotient, m_div(m, rest, bottom)), t = pair_multiply(m, s, s);
    LLVMValueRef u = m_mul(m, t.high, m_polynomial(m, t.high, &series));
    Pair w = pair_fast_sum(m, m_num(m, 2.0 / 3), m_add(m, u, m_num(m, 0x1.5555555555555p-55)));
    w = pair_multiply(m, t, w);
    w = (Pair){m_two_sum(m, m_num(m, 2), w.high, &rest), m_add(m, rest, w.low)};
    w = pair_multiply(m, s, w);
    LLVMValueRef low, high = m_two_sum(m, m_mul(m, e, m_num(m, m->format->ln2_high)), w.high, &low);
    return pair_fast_sum(m, high, m_add(m, low, m_fma(m, e, m_num(m, m->format->ln2_low), w.low)));
}

/* x^y for finite x > 0 and any y. */
static LLVMValueRef pow_positive(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    /* Any |y| beyond 2^65 gives 0, 1 or infinity already. */
    y = m_at_most(m, m_at_least(m, y, m_num(m, -0x1p65)), m_num(m, 0x1p65));
    Pair l = log_pair(m, x);
    LLVMValueRef low, high = m_two_product(m, l.high, y, &low);
    low = m_fma(m, l.low, y, low);
    low = m_at_most(m, m_at_least(m, low, m_num(m, -1)), m_num(m, 1));
    return m_exp_sum(m, high, low);
}

/* Negative, zero and infinite operands (C17 F.10.4.4); `y` is |x|^y where that is ordinary. */
static LLVMValueRef pow_specials(const Math *m, LLVMValueRef x, LLVMValueRef power, LLVMValueRef y)
{
    LLVMValueRef zero = m_num(m, 0), one = m_num(m, 1), inf = m_num(m, INFINITY), a = m_abs(m, x);
    LLVMValueRef half = m_mul(m, power, m_num(m, 0.5)), whole = m_eq(m, m_call(m, "llvm.floor", power), power);
    LLVMValueRef even = m_eq(m, m_call(m, "llvm.floor", half), half);
    LLVMValueRef odd = LLVMBuildAnd(m->b, whole, LLVMBuildNot(m->b, even, ""), "");
    LLVMValueRef is_zero = m_eq(m, a, zero), is_inf = m_eq(m, a, inf), falls = m_lt(m, power, zero);
    LLVMValueRef pole = m_select(m, LLVMBuildXor(m->b, is_zero, falls, ""), zero, inf);
    y = m_select(m, LLVMBuildOr(m->b, is_zero, is_inf, ""), pole, y);
    LLVMValueRef huge = m_eq(m, m_abs(m, power), inf);
    LLVMValueRef grows = LLVMBuildXor(m->b, m_gt(m, a, one), falls, "");
    y = m_select(m, huge, m_select(m, m_eq(m, a, one), one, m_select(m, grows, inf, zero)), y);
    LLVMValueRef negative = m_lt(m, x, zero), finite = LLVMBuildNot(m->b, is_inf, "");
    LLVMValueRef undefined =
        LLVMBuildAnd(m->b, LLVMBuildAnd(m->b, negative, finite, ""), LLVMBuildNot(m->b, whole, ""), "");
    y = m_select(m, undefined, m_num(m, NAN), m_select(m, odd, m_copysign(m, y, x), y));
    y = m_select(m, m_compare(m, LLVMRealUNO, x, power), m_add(m, x, power), y);
    LLVMValueRef certain = LLVMBuildOr(m->b, m_eq(m, x, one), m_eq(m, power, zero), "");
    return m_select(m, certain, one, y);
}

/* f32 goes through f64, where the plain logarithm is precise enough. */
LLVMValueRef m_pow(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef a = m_abs(m, x);
    if (m->dtype == DTYPE_F64) return pow_specials(m, x, y, pow_positive(m, a, y));
    Math wide = math_make(m->v, DTYPE_F64, x);
    LLVMValueRef l = m_log(&wide, LLVMBuildFPExt(m->b, a, wide.type, ""));
    LLVMValueRef e = m_exp(&wide, m_mul(&wide, l, LLVMBuildFPExt(m->b, y, wide.type, "")));
    return pow_specials(m, x, y, LLVMBuildFPTrunc(m->b, e, m->type, ""));
}
