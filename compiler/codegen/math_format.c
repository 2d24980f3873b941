/* The constants of f32 and f64, and the smallest building blocks. */
#include <string.h>

#include "codegen/math_internal.h"

/* exp: e^r = 1 + r + r^2 p(r) for |r| <= ln(2)/2; f32: Cephes expf, f64: Taylor's series.
 * sin, cos: in z = r^2, |r| <= pi/4: sin = r + r z p(z), cos = 1 - z/2 + z^2 p(z); f32: Cephes, f64: fdlibm.
 * erf: erf(x)/x - 1 in x^2 on [0, 1]. erfc: (1 + 2a) e^(a^2) erfc(a) - 1 in q = (a - 4)/(a + 4) (after N. Shepherd and
 * J. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", Math. Comp. 36, 1981);
 * both interpolated at Chebyshev's points in 60 digits. */
const MathFormat math_f32 = {
    .mantissa = 23,
    .bias = 127,
    .magic = 0x1.8p23,
    .exp_low = -104.5,
    .exp_high = 89.5,
    .expm1_low = -40,
    .tanh_high = 10,
    .ln2_high = 0.693359375,
    .ln2_low = -2.12194440e-4,
    .erfc_high = 10.1,
    .smallest_normal = 0x1p-126,
    .denormal_scale = 0x1p23,
    .denormal_exponent = 23,
    .sqrt_half = 0x3f3504f3,
    .exp = {6, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}},
    .sin = {3, {-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1}},
    .cos = {3, {2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2}},
    .erf = {7,
            {7.875875063e-5, -8.016864287e-4, 5.189087423e-3, -2.685421201e-2, 1.128359472e-1, -3.761262667e-1,
             1.283791658e-1}},
    .erfc = {11,
             {8.362785159e-4, 6.885646753e-3, -1.601044398e-2, 3.642128005e-2, -6.659673142e-2, 9.382866882e-2,
              -1.009948337e-1, 6.809237518e-2, 1.537751052e-2, -1.396210388e-1, 2.329951342e-1}},
};

const MathFormat math_f64 = {
    .mantissa = 52,
    .bias = 1023,
    .magic = 0x1.8p52,
    .exp_low = -746,
    .exp_high = 710.5,
    .expm1_low = -60,
    .tanh_high = 22,
    .ln2_high = 6.93147180369123816490e-01,
    .ln2_low = 1.90821492927058770002e-10,
    .erfc_high = 27.3,
    .smallest_normal = 0x1p-1022,
    .denormal_scale = 0x1p52,
    .denormal_exponent = 52,
    .sqrt_half = 0x3fe6a09e667f3bcd,
    .exp = {12,
            {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
             1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2}},
    .sin = {6,
            {1.58969099521155010221e-10, -2.50507602534068634195e-08, 2.75573137070700676789e-06,
             -1.98412698298579493134e-04, 8.33333333332248946124e-03, -1.66666666666666324348e-01}},
    .cos = {6,
            {-1.13596475577881948265e-11, 2.08757232129817482790e-09, -2.75573143513906633035e-07,
             2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02}},
    .erf = {13,
            {5.9571761477489114e-11, -1.1372848856791674e-9, 1.4659775274047436e-8, -1.6350312701054695e-7,
             1.6461000484121368e-6, -1.4925595266831182e-5, 1.2055331111642711e-4, -8.5483269808337899e-4,
             5.2239776248180145e-3, -2.6866170645076793e-2, 1.1283791670954879e-1, -3.7612638903183748e-1,
             1.2837916709551257e-1}},
    .erfc = {24, {1.2637828580421369e-9,  1.8684873854735191e-9,  -1.4091982822555755e-8, -1.7999475459031421e-8,
                  1.1005996198640058e-7,  7.471952780500971e-8,   -8.2546997448711614e-7, 2.9377854943443787e-7,
                  5.7097847609665056e-6,  -1.1222046316669004e-5, -2.4399244283129877e-5, 1.5062169704678354e-4,
                  -1.9925668432389152e-4, -7.5777329736691464e-4, 5.0319699757531763e-3,  -1.6197734055994488e-2,
                  3.7167515537770254e-2,  -6.6330365812409509e-2, 9.3732834998330223e-2,  -1.0103906603629459e-1,
                  6.8097054254693236e-2,  1.5379652102619558e-2,  -1.3962111684056252e-1, 2.3299511862555251e-1}},
};

Math math_make(Vector *v, DType dtype, LLVMValueRef x)
{
    Math m = {.v = v, .b = v->builder, .lanes = vector_lanes(x), .dtype = dtype};
    m.integer = dtype == DTYPE_F64 ? DTYPE_I64 : DTYPE_I32;
    m.format = dtype == DTYPE_F64 ? &math_f64 : &math_f32;
    m.type = vector_type(v, dtype, m.lanes);
    m.bits = vector_type(v, m.integer, m.lanes);
    return m;
}

LLVMValueRef m_polynomial(const Math *m, LLVMValueRef x, const Polynomial *p)
{
    LLVMValueRef sum = m_num(m, p->c[0]);
    for (uint32_t i = 1; i < p->n; i++) sum = m_fma(m, sum, x, m_num(m, p->c[i]));
    return sum;
}

LLVMValueRef m_exp2_integer(const Math *m, LLVMValueRef n)
{
    LLVMValueRef bits = m_to_bits(m, m_add(m, n, m_num(m, m->format->magic)));
    bits = LLVMBuildAdd(m->b, bits, m_bits(m, m->format->bias), "");
    return m_from_bits(m, LLVMBuildShl(m->b, bits, m_bits(m, m->format->mantissa), ""));
}

/* AVX-512 scales a whole register by 2^n in one instruction, with the same single rounding. */
static LLVMValueRef scale_register(const Math *m, LLVMValueRef x, LLVMValueRef n)
{
    bool f64 = m->dtype == DTYPE_F64;
    const char *name = f64 ? "llvm.x86.avx512.mask.scalef.pd.512" : "llvm.x86.avx512.mask.scalef.ps.512";
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMTypeRef mask = f64 ? LLVMInt8TypeInContext(m->v->context) : LLVMInt16TypeInContext(m->v->context);
    enum { CURRENT_ROUNDING = 4 };
    LLVMValueRef args[] = {x, n, x, LLVMConstAllOnes(mask),
                           LLVMConstInt(LLVMInt32TypeInContext(m->v->context), CURRENT_ROUNDING, false)};
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(m->v->module, id, NULL, 0);
    return LLVMBuildCall2(m->b, LLVMIntrinsicGetType(m->v->context, id, NULL, 0), function, args, 5, "");
}

LLVMValueRef m_scale(const Math *m, LLVMValueRef x, LLVMValueRef n)
{
    if (m->v->lanes == 16 && m->lanes == (m->dtype == DTYPE_F64 ? 8 : 16)) return scale_register(m, x, n);
    LLVMValueRef half = m_round(m, m_mul(m, n, m_num(m, 0.5)));
    x = m_mul(m, x, m_exp2_integer(m, half));
    return m_mul(m, x, m_exp2_integer(m, m_sub(m, n, half)));
}

LLVMValueRef m_two_sum(const Math *m, LLVMValueRef x, LLVMValueRef y, LLVMValueRef *low)
{
    LLVMValueRef sum = m_add(m, x, y), part = m_sub(m, sum, x);
    *low = m_add(m, m_sub(m, x, m_sub(m, sum, part)), m_sub(m, y, part));
    return sum;
}

/* The upper half of the mantissa's bits, by masking: no overflow as in Veltkamp's splitting. */
static LLVMValueRef upper_half(const Math *m, LLVMValueRef x)
{
    uint64_t low = ((uint64_t)1 << (m->format->mantissa / 2 + 1)) - 1;
    return m_from_bits(m, LLVMBuildAnd(m->b, m_to_bits(m, x), m_bits(m, ~low), ""));
}

LLVMValueRef m_two_product(const Math *m, LLVMValueRef x, LLVMValueRef y, LLVMValueRef *low)
{
    LLVMValueRef product = m_mul(m, x, y);
    if (m->v->has_fma) {
        *low = m_fma(m, x, y, m_neg(m, product));
        return product;
    }
    LLVMValueRef xh = upper_half(m, x), xl = m_sub(m, x, xh), yh = upper_half(m, y), yl = m_sub(m, y, yh);
    LLVMValueRef rest = m_sub(m, m_mul(m, xh, yh), product);
    rest = m_add(m, rest, m_mul(m, xh, yl));
    rest = m_add(m, rest, m_mul(m, xl, yh));
    if (m->dtype == DTYPE_F64) { /* the lower halves have 27 bits and their product one too many: the last goes apart */
        LLVMValueRef even = m_from_bits(m, LLVMBuildAnd(m->b, m_to_bits(m, y), m_bits(m, ~(uint64_t)1), ""));
        rest = m_add(m, rest, m_mul(m, xl, m_sub(m, even, yh)));
        yl = m_sub(m, y, even);
    }
    *low = m_add(m, rest, m_mul(m, xl, yl));
    return product;
}
