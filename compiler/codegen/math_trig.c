/* Trigonometric functions and their inverses. */
#include <math.h>

#include "codegen/math_internal.h"

/* sin(r + low) = r + (r z S(z) + low (1 - z/2)). */
static LLVMValueRef sin_kernel(const Math *m, Angle a)
{
    LLVMValueRef z = m_mul(m, a.r, a.r), cube = m_mul(m, z, a.r), s = m_polynomial(m, z, &m->format->sin);
    if (!a.low) return m_fma(m, s, cube, a.r);
    LLVMValueRef tail = m_fma(m, m_mul(m, z, m_num(m, -0.5)), a.low, a.low);
    return m_add(m, a.r, m_fma(m, s, cube, tail));
}

/* cos(r + low) = 1 - z/2 + (z^2 C(z) - r low), with what 1 - z/2 rounds away put back. */
static LLVMValueRef cos_kernel(const Math *m, Angle a)
{
    LLVMValueRef z = m_mul(m, a.r, a.r), half = m_mul(m, z, m_num(m, 0.5)), one = m_num(m, 1);
    LLVMValueRef w = m_sub(m, one, half), lost = m_sub(m, m_sub(m, one, w), half);
    LLVMValueRef tail = m_mul(m, m_mul(m, z, z), m_polynomial(m, z, &m->format->cos));
    if (a.low) tail = m_sub(m, tail, m_mul(m, a.r, a.low));
    return m_add(m, w, m_add(m, lost, tail));
}

static LLVMValueRef bit_is_set(const Math *m, LLVMValueRef bits, uint64_t bit)
{
    return LLVMBuildICmp(m->b, LLVMIntNE, LLVMBuildAnd(m->b, bits, m_bits(m, bit), ""), m_bits(m, 0), "");
}

/* sin(x + turns pi/2). */
static LLVMValueRef sin_shifted(const Math *m, LLVMValueRef x, uint64_t turns)
{
    Angle a = m_reduce_angle(m, x);
    LLVMValueRef n = LLVMBuildAdd(m->b, a.n, m_bits(m, turns), "");
    LLVMValueRef y = m_select(m, bit_is_set(m, n, 1), cos_kernel(m, a), sin_kernel(m, a));
    return m_select(m, bit_is_set(m, n, 2), m_neg(m, y), y);
}

LLVMValueRef m_sin(const Math *m, LLVMValueRef x)
{
    return m_select(m, m_eq(m, x, m_num(m, 0)), x, sin_shifted(m, x, 0));
}

LLVMValueRef m_cos(const Math *m, LLVMValueRef x)
{
    return sin_shifted(m, x, 1);
}

LLVMValueRef m_tan(const Math *m, LLVMValueRef x)
{
    Angle a = m_reduce_angle(m, x);
    LLVMValueRef s = sin_kernel(m, a), c = cos_kernel(m, a), odd = bit_is_set(m, a.n, 1);
    LLVMValueRef y = m_div(m, m_select(m, odd, m_neg(m, c), s), m_select(m, odd, s, c));
    return m_select(m, m_eq(m, x, m_num(m, 0)), x, y);
}

/* asin(t) = t + t P(t^2) for t <= 1/2; P: f32 Cephes asinf, f64 fdlibm e_asin.c. */
static LLVMValueRef asin_tail(const Math *m, LLVMValueRef z)
{
    static const Polynomial single = {
        5, {4.2163199048e-2, 2.4181311049e-2, 4.5470025998e-2, 7.4953002686e-2, 1.6666752422e-1}};
    static const Polynomial top = {6,
                                   {3.47933107596021167570e-05, 7.91534994289814532176e-04, -4.00555345006794114027e-02,
                                    2.01212532134862925881e-01, -3.25565818622400915405e-01,
                                    1.66666666666666657415e-01}};
    static const Polynomial bottom = {5,
                                      {7.70381505559019352791e-02, -6.88283971605453293030e-01,
                                       2.02094576023350569471e+00, -2.40339491173441421878e+00, 1}};
    if (m->dtype == DTYPE_F32) return m_mul(m, z, m_polynomial(m, z, &single));
    return m_mul(m, z, m_div(m, m_polynomial(m, z, &top), m_polynomial(m, z, &bottom)));
}

/* pi/2 and pi in two parts of the format. */
static LLVMValueRef half_pi(const Math *m, double factor, LLVMValueRef *low)
{
    double high = m->dtype == DTYPE_F64 ? M_PI_2 : (double)(float)M_PI_2;
    *low = m_num(m, factor * (m->dtype == DTYPE_F64 ? 6.12323399573676603587e-17 : M_PI_2 - high));
    return m_num(m, factor * high);
}

/* For |x| <= 1/2 the series at |x|; beyond, asin x = pi/2 - 2 asin sqrt((1 - x)/2). */
static LLVMValueRef asin_reduced(const Math *m, LLVMValueRef x, LLVMValueRef *t, LLVMValueRef *big)
{
    LLVMValueRef a = m_abs(m, x), half = m_num(m, 0.5);
    *big = m_gt(m, a, half);
    LLVMValueRef z = m_select(m, *big, m_mul(m, m_sub(m, m_num(m, 1), a), half), m_mul(m, a, a));
    *t = m_select(m, *big, m_call(m, "llvm.sqrt", z), a);
    return m_mul(m, *t, asin_tail(m, z));
}

LLVMValueRef m_asin(const Math *m, LLVMValueRef x)
{
    LLVMValueRef t, big, low, high = half_pi(m, 1, &low), tail = asin_reduced(m, x, &t, &big), s = m_add(m, t, tail);
    LLVMValueRef far = m_sub(m, high, m_sub(m, m_add(m, s, s), low));
    return m_copysign(m, m_select(m, big, far, s), x);
}

LLVMValueRef m_acos(const Math *m, LLVMValueRef x)
{
    LLVMValueRef t, big, low, high = half_pi(m, 1, &low), low2, high2 = half_pi(m, 2, &low2);
    LLVMValueRef tail = asin_reduced(m, x, &t, &big), s = m_add(m, t, tail), twice = m_add(m, s, s);
    LLVMValueRef left = m_sub(m, high2, m_sub(m, twice, low2));
    LLVMValueRef signed_t = m_copysign(m, t, x), signed_tail = m_copysign(m, tail, x);
    LLVMValueRef middle = m_sub(m, high, m_sub(m, signed_t, m_sub(m, low, signed_tail)));
    return m_select(m, big, m_select(m, m_lt(m, x, m_num(m, 0)), left, twice), middle);
}

/* atan(t) - t, |t| <= 0.66; f32: Cephes atanf (|t| <= tan(pi/8)), f64: Cephes atan. */
static LLVMValueRef atan_tail(const Math *m, LLVMValueRef t)
{
    static const Polynomial single = {4, {8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1}};
    static const Polynomial top = {5,
                                   {-8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1,
                                    -1.228866684490136173410e2, -6.485021904942025371773e1}};
    static const Polynomial bottom = {6,
                                      {1, 2.485846490142306297962e1, 1.650270098316988542046e2,
                                       4.328810604912902668951e2, 4.853903996359136964868e2,
                                       1.945506571482613964425e2}};
    LLVMValueRef z = m_mul(m, t, t), cube = m_mul(m, z, t);
    if (m->dtype == DTYPE_F32) return m_mul(m, cube, m_polynomial(m, z, &single));
    return m_mul(m, cube, m_div(m, m_polynomial(m, z, &top), m_polynomial(m, z, &bottom)));
}

/* atan(top/bottom) for top, bottom >= 0, not both 0 or infinite: one quotient, whose form depends on the octant. */
static LLVMValueRef atan_quotient(const Math *m, LLVMValueRef top, LLVMValueRef bottom)
{
    double small = m->dtype == DTYPE_F64 ? 0.66 : 0.4142135623730950;
    double large = m->dtype == DTYPE_F64 ? 2.41421356237309504880 : 2.414213562373095;
    LLVMValueRef zero = m_num(m, 0), low, high = half_pi(m, 1, &low), low4, high4 = half_pi(m, 0.5, &low4);
    LLVMValueRef middle = m_gt(m, top, m_mul(m, bottom, m_num(m, small)));
    LLVMValueRef steep = m_gt(m, top, m_mul(m, bottom, m_num(m, large)));
    LLVMValueRef p = m_select(m, steep, m_neg(m, bottom), m_select(m, middle, m_sub(m, top, bottom), top));
    LLVMValueRef q = m_select(m, steep, top, m_select(m, middle, m_add(m, top, bottom), bottom));
    LLVMValueRef t = m_div(m, p, q);
    LLVMValueRef base = m_select(m, steep, high, m_select(m, middle, high4, zero));
    LLVMValueRef rest = m_select(m, steep, low, m_select(m, middle, low4, zero));
    return m_add(m, base, m_add(m, t, m_add(m, atan_tail(m, t), rest)));
}

LLVMValueRef m_atan(const Math *m, LLVMValueRef x)
{
    return m_copysign(m, atan_quotient(m, m_abs(m, x), m_num(m, 1)), x);
}

LLVMValueRef m_atan2(const Math *m, LLVMValueRef y, LLVMValueRef x)
{
    LLVMValueRef a = m_abs(m, y), b = m_abs(m, x), zero = m_num(m, 0), one = m_num(m, 1), inf = m_num(m, INFINITY);
    LLVMValueRef both = LLVMBuildAnd(m->b, m_eq(m, a, inf), m_eq(m, b, inf), "");
    LLVMValueRef none = LLVMBuildAnd(m->b, m_eq(m, a, zero), m_eq(m, b, zero), "");
    /* Halves keep the sum of the middle octants from overflowing; tiny operands grow so that none of their bits go. */
    LLVMValueRef tiny = LLVMBuildAnd(m->b, m_lt(m, a, one), m_lt(m, b, one), "");
    LLVMValueRef scale = m_select(m, tiny, m_num(m, m->format->denormal_scale), m_num(m, 0.25));
    LLVMValueRef top = m_select(m, both, one, m_mul(m, a, scale));
    LLVMValueRef bottom = m_select(m, LLVMBuildOr(m->b, both, none, ""), one, m_mul(m, b, scale));
    LLVMValueRef angle = atan_quotient(m, top, bottom);
    LLVMValueRef low, high = half_pi(m, 2, &low);
    LLVMValueRef left = LLVMBuildICmp(m->b, LLVMIntSLT, m_to_bits(m, x), m_bits(m, 0), "");
    angle = m_select(m, left, m_sub(m, high, m_sub(m, angle, low)), angle);
    angle = m_copysign(m, angle, y);
    return m_select(m, m_compare(m, LLVMRealUNO, x, y), m_add(m, x, y), angle);
}
