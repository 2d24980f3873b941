/* Reduction of an angle by a multiple of pi/2. */
#include <math.h>

#include "codegen/math_internal.h"

/* ---- Any finite angle (M. Payne, R. Hanek, "Radian reduction for trigonometric functions", SIGNUM 18, 1983) ---- */

/* The bits of 2/pi after the point, behind a word of zeros. */
static const uint64_t two_over_pi[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
};
enum { N_WORDS = sizeof two_over_pi / sizeof *two_over_pi };

static LLVMValueRef table(const Math *m)
{
    LLVMValueRef items[N_WORDS], found = LLVMGetNamedGlobal(m->v->module, "two_over_pi");
    if (found) return found;
    for (int i = 0; i < N_WORDS; i++) items[i] = m_bits(m, two_over_pi[i]);
    LLVMValueRef made = LLVMAddGlobal(m->v->module, LLVMArrayType2(m->bits, N_WORDS), "two_over_pi");
    LLVMSetInitializer(made, LLVMConstArray2(m->bits, items, N_WORDS));
    LLVMSetGlobalConstant(made, true);
    LLVMSetLinkage(made, LLVMInternalLinkage);
    return made;
}

/* 64 bits of the table from bit `at` + 64 `skip` on. */
static LLVMValueRef window(const Math *m, LLVMValueRef at, uint64_t skip)
{
    LLVMValueRef args[3] = {NULL, NULL, LLVMBuildAnd(m->b, at, m_bits(m, 63), "")};
    LLVMValueRef first = LLVMBuildLShr(m->b, at, m_bits(m, 6), "");
    for (uint64_t i = 0; i < 2; i++) {
        LLVMValueRef index = LLVMBuildAdd(m->b, first, m_bits(m, skip + i), "");
        args[i] = LLVMBuildLoad2(m->b, m->bits, LLVMBuildGEP2(m->b, m->bits, table(m), &index, 1, ""), "");
    }
    return vector_intrinsic(m->v, "llvm.fshl", args, 3);
}

static LLVMValueRef to_i128(const Math *m, LLVMValueRef x)
{
    return LLVMBuildZExt(m->b, x, LLVMIntTypeInContext(m->v->context, 128), "");
}

static LLVMValueRef shift_left(const Math *m, LLVMValueRef x, uint64_t bits)
{
    return LLVMBuildShl(m->b, x, vector_integer_like(x, bits), "");
}

static LLVMValueRef shift_right(const Math *m, LLVMValueRef x, uint64_t bits)
{
    return LLVMBuildLShr(m->b, x, vector_integer_like(x, bits), "");
}

static LLVMValueRef upper_word(const Math *m, LLVMValueRef x)
{
    return LLVMBuildTrunc(m->b, shift_right(m, x, 64), m->bits, "");
}

static LLVMValueRef multiply(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildMul(m->b, to_i128(m, x), to_i128(m, y), "");
}

/* |x| 2/pi modulo 4, in units of 2^-126, too small by less than 2 of them: the mantissa times the bits of 2/pi, of
 * which those are left out that only add multiples of 4. `exponent` is the biased one, from 1022 to 2046. */
static LLVMValueRef quarters(const Math *m, LLVMValueRef bits, LLVMValueRef exponent)
{
    uint64_t one = (uint64_t)1 << 52;
    LLVMValueRef fraction = LLVMBuildAnd(m->b, bits, m_bits(m, one - 1), "");
    LLVMValueRef mantissa = LLVMBuildOr(m->b, fraction, m_bits(m, one), "");
    /* The mantissa's last bit weighs 2^(exponent - 1075), the table's bit 64 weighs 1/2. */
    LLVMValueRef at = LLVMBuildSub(m->b, exponent, m_bits(m, 1075 + 2 - 64), "");
    LLVMValueRef high = LLVMBuildMul(m->b, window(m, at, 0), mantissa, "");
    LLVMValueRef sum =
        LLVMBuildAdd(m->b, shift_left(m, to_i128(m, high), 64), multiply(m, window(m, at, 1), mantissa), "");
    return LLVMBuildAdd(m->b, sum, to_i128(m, upper_word(m, multiply(m, window(m, at, 2), mantissa))), "");
}

/* f 2^-128 pi/2 as r + low, for 0 < f <= 2^127; its relative error is below 2^-61. */
static LLVMValueRef angle_of(const Math *m, LLVMValueRef f, LLVMValueRef *low)
{
    const uint64_t half_pi = 0xc90fdaa22168c234; /* in units of 2^-63 */
    LLVMValueRef args[] = {f, LLVMConstNull(LLVMInt1TypeInContext(m->v->context))};
    LLVMValueRef zeros = vector_intrinsic(m->v, "llvm.ctlz", args, 2);
    LLVMValueRef mantissa = upper_word(m, LLVMBuildShl(m->b, f, zeros, ""));
    LLVMValueRef product = upper_word(m, multiply(m, mantissa, m_bits(m, half_pi))); /* in units of 2^(-63 - zeros) */
    LLVMValueRef exponent = LLVMBuildSub(m->b, m_bits(m, 1023 - 63), LLVMBuildTrunc(m->b, zeros, m->bits, ""), "");
    LLVMValueRef unit = m_from_bits(m, shift_left(m, exponent, 52));
    LLVMValueRef top = LLVMBuildAnd(m->b, product, m_bits(m, ~(uint64_t)0x7ff), "");
    LLVMValueRef rest = LLVMBuildAnd(m->b, product, m_bits(m, 0x7ff), "");
    *low = m_mul(m, LLVMBuildSIToFP(m->b, rest, m->type, ""), unit);
    return m_mul(m, LLVMBuildUIToFP(m->b, top, m->type, ""), unit);
}

/* x to r, low and the bits of n, for |x| >= 1/2; NaN for an infinite x. */
static void reduce_any(const Math *m, const LLVMValueRef *args, LLVMValueRef *results)
{
    LLVMValueRef bits = m_to_bits(m, args[0]), most = m_bits(m, 0x7ff), zero = m_bits(m, 0);
    LLVMValueRef exponent = LLVMBuildAnd(m->b, shift_right(m, bits, 52), most, "");
    LLVMValueRef is_finite = LLVMBuildICmp(m->b, LLVMIntNE, exponent, most, "");
    LLVMValueRef sum = quarters(m, bits, m_select(m, is_finite, exponent, m_bits(m, 1023)));
    LLVMValueRef half = shift_left(m, vector_integer_like(sum, 1), 125);
    LLVMValueRef n = LLVMBuildTrunc(m->b, shift_right(m, LLVMBuildAdd(m->b, sum, half, ""), 126), m->bits, "");
    LLVMValueRef f = shift_left(m, sum, 2); /* signed, from -1/2 to 1/2 in units of 2^-128 */
    LLVMValueRef below = LLVMBuildICmp(m->b, LLVMIntSLT, f, LLVMConstNull(LLVMTypeOf(f)), "");
    LLVMValueRef low, r = angle_of(m, m_select(m, below, LLVMBuildNeg(m->b, f, ""), f), &low);
    r = m_select(m, is_finite, r, m_num(m, NAN));
    LLVMValueRef left = LLVMBuildICmp(m->b, LLVMIntSLT, bits, zero, ""), negated = LLVMBuildXor(m->b, below, left, "");
    results[0] = m_select(m, negated, m_neg(m, r), r);
    results[1] = m_select(m, negated, m_neg(m, low), low);
    results[2] = m_from_bits(m, m_select(m, left, LLVMBuildNeg(m->b, n, ""), n));
}

/* ---- Angles of few turns ---- */

/* n = round(x 2/pi), whose low bits appear in *bits. */
static LLVMValueRef quarter_turns(const Math *m, LLVMValueRef x, LLVMValueRef *bits)
{
    LLVMValueRef n = m_round(m, m_mul(m, x, m_num(m, 6.36619772367581382433e-01)));
    *bits = m_to_bits(m, m_add(m, n, m_num(m, m->format->magic)));
    return n;
}

/* Reduces anew where |x| is beyond the bound, in f64. */
static Angle reduce_rest(const Math *m, LLVMValueRef x, double bound, Angle few)
{
    static const LaneFunction function = {"reduce_angle", 1, 3, reduce_any};
    LLVMValueRef results[] = {few.r, few.low, m_from_bits(m, few.n)};
    m_rarely(m, &function, m_gt(m, m_abs(m, x), m_num(m, bound)), &x, results);
    return (Angle){results[0], results[1], m_to_bits(m, results[2])};
}

/* Cody and Waite with pi/2 in parts of 33, 33 and 53 bits (fdlibm e_rem_pio2.c). Its absolute error grows with n; next
 * to the multiples of pi/2, all of them tried, it is 1.1 units of r at most, and far less elsewhere. */
static Angle reduce_f64(const Math *m, LLVMValueRef x)
{
    Angle few;
    LLVMValueRef n = quarter_turns(m, x, &few.n);
    LLVMValueRef t = m_sub(m, x, m_mul(m, n, m_num(m, 1.57079632673412561417e+00)));
    LLVMValueRef w = m_mul(m, n, m_num(m, 6.07710050630396597660e-11));
    LLVMValueRef r = m_sub(m, t, w);
    w = m_sub(m, m_mul(m, n, m_num(m, 2.02226624879595063154e-21)), m_sub(m, m_sub(m, t, r), w));
    few.r = m_sub(m, r, w);
    few.low = m_sub(m, m_sub(m, r, few.r), w);
    return reduce_rest(m, x, 0x1p20, few);
}

/* In f64 with pi/2 in parts of 33 and 53 bits. Products with the first are exact for n of 20 bits, and where they are
 * fused with the difference for any that is taken here; r is rounded to f32 once. */
static Angle reduce_f32(const Math *m, LLVMValueRef x)
{
    Math wide = math_make(m->v, DTYPE_F64, x);
    LLVMValueRef y = LLVMBuildFPExt(m->b, x, wide.type, "");
    Angle few = {.low = m_num(&wide, 0)};
    LLVMValueRef n = quarter_turns(&wide, y, &few.n);
    few.r = m_fma(&wide, n, m_num(&wide, -1.57079632673412561417e+00), y);
    few.r = m_fma(&wide, n, m_num(&wide, -6.07710050650619224932e-11), few.r);
    Angle a = reduce_rest(&wide, y, m->v->has_fma ? 0x1p29 : 0x1p20, few);
    return (Angle){LLVMBuildFPTrunc(m->b, a.r, m->type, ""), NULL, LLVMBuildTrunc(m->b, a.n, m->bits, "")};
}

Angle m_reduce_angle(const Math *m, LLVMValueRef x)
{
    return m->dtype == DTYPE_F64 ? reduce_f64(m, x) : reduce_f32(m, x);
}
