/* Short names for building floating-point expressions, shared by the math_*.c files. A recipe is written once for f32
 * and f64; what differs is the table of constants (MathFormat). */
#ifndef NNC_CODEGEN_MATH_INTERNAL_H
#define NNC_CODEGEN_MATH_INTERNAL_H

#include "codegen/math.h"

typedef struct {
    uint32_t n;
    double c[24]; /* highest power first */
} Polynomial;

typedef struct {
    uint32_t mantissa;           /* explicit bits */
    uint64_t bias;               /* of the exponent */
    double magic;                /* 1.5 * 2^mantissa: adding it leaves an integer in the low bits */
    double exp_low, exp_high;    /* beyond these exp is 0 and infinite */
    double expm1_low, tanh_high; /* beyond these expm1 is -1 and tanh is 1 */
    double ln2_high, ln2_low;    /* ln 2 in two parts; the first times an exponent is exact */
    double erfc_high;            /* beyond this erfc is 0 */
    double smallest_normal, denormal_scale, denormal_exponent;
    uint64_t sqrt_half; /* bits of sqrt(1/2) */
    Polynomial exp, sin, cos, erf, erfc;
} MathFormat;

extern const MathFormat math_f32, math_f64;

/* What a recipe is built with: the emission context, the format and the width. */
typedef struct {
    Vector *v;
    LLVMBuilderRef b;
    const MathFormat *format;
    LLVMTypeRef type, bits; /* float type of this width, integer type of the same size */
    uint32_t lanes;
    DType dtype, integer;
} Math;

/* The context for operands like x, of DTYPE_F32 or DTYPE_F64. */
Math math_make(Vector *vector, DType dtype, LLVMValueRef x);

static inline LLVMValueRef m_num(const Math *m, double number)
{
    return vector_number(m->v, m->dtype, m->lanes, number);
}

static inline LLVMValueRef m_add(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildFAdd(m->b, x, y, "");
}

static inline LLVMValueRef m_sub(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildFSub(m->b, x, y, "");
}

static inline LLVMValueRef m_mul(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildFMul(m->b, x, y, "");
}

static inline LLVMValueRef m_div(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildFDiv(m->b, x, y, "");
}

static inline LLVMValueRef m_fma(const Math *m, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z)
{
    return vector_fma(m->v, x, y, z);
}

static inline LLVMValueRef m_neg(const Math *m, LLVMValueRef x)
{
    return LLVMBuildFNeg(m->b, x, "");
}

static inline LLVMValueRef m_compare(const Math *m, LLVMRealPredicate predicate, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildFCmp(m->b, predicate, x, y, "");
}

static inline LLVMValueRef m_lt(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return m_compare(m, LLVMRealOLT, x, y);
}

static inline LLVMValueRef m_gt(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return m_compare(m, LLVMRealOGT, x, y);
}

static inline LLVMValueRef m_eq(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return m_compare(m, LLVMRealOEQ, x, y);
}

static inline LLVMValueRef m_select(const Math *m, LLVMValueRef condition, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildSelect(m->b, condition, x, y, "");
}

/* The lesser and the greater with a constant-like bound y; a NaN x stays. One min or max instruction each. */
static inline LLVMValueRef m_at_most(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return m_select(m, m_gt(m, x, y), y, x);
}

static inline LLVMValueRef m_at_least(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    return m_select(m, m_lt(m, x, y), y, x);
}

static inline LLVMValueRef m_call(const Math *m, const char *name, LLVMValueRef x)
{
    return vector_intrinsic(m->v, name, &x, 1);
}

static inline LLVMValueRef m_abs(const Math *m, LLVMValueRef x)
{
    return m_call(m, "llvm.fabs", x);
}

static inline LLVMValueRef m_round(const Math *m, LLVMValueRef x)
{
    return m_call(m, "llvm.rint", x);
}

static inline LLVMValueRef m_copysign(const Math *m, LLVMValueRef x, LLVMValueRef sign)
{
    return vector_intrinsic(m->v, "llvm.copysign", (LLVMValueRef[]){x, sign}, 2);
}

static inline LLVMValueRef m_to_bits(const Math *m, LLVMValueRef x)
{
    return LLVMBuildBitCast(m->b, x, m->bits, "");
}

static inline LLVMValueRef m_from_bits(const Math *m, LLVMValueRef x)
{
    return LLVMBuildBitCast(m->b, x, m->type, "");
}

static inline LLVMValueRef m_bits(const Math *m, uint64_t number)
{
    return vector_integer_like(LLVMConstNull(m->bits), number);
}

/* Horner's rule. */
LLVMValueRef m_polynomial(const Math *m, LLVMValueRef x, const Polynomial *p);
/* 2^n for an integral n in the range of normal exponents. */
LLVMValueRef m_exp2_integer(const Math *m, LLVMValueRef n);
/* x * 2^n, for an integral n of up to twice the exponent's range. */
LLVMValueRef m_scale(const Math *m, LLVMValueRef x, LLVMValueRef n);
/* A sum or product of two and what rounding took from it; exact where nothing overflows. */
LLVMValueRef m_two_sum(const Math *m, LLVMValueRef x, LLVMValueRef y, LLVMValueRef *low);
LLVMValueRef m_two_product(const Math *m, LLVMValueRef x, LLVMValueRef y, LLVMValueRef *low);

/* math_lanes.c: what few operands need, out of line and one lane at a time. A recipe makes `results` of `args`, all of
 * them f64; it is not given a lane whose first argument is 0. */
typedef void LaneRecipe(const Math *scalar, const LLVMValueRef *args, LLVMValueRef *results);

typedef struct {
    const char *name; /* of the function in the module */
    uint32_t n_args, n_results;
    LaneRecipe *recipe;
} LaneFunction;

enum { MOST_LANE_VALUES = 3 };

/* Replaces the results in the lanes where `need` is set; where none is, the cost is a branch. The first argument of
 * such a lane is not 0. Arguments and results are as wide as `m` and of its type, to which results are rounded. */
void m_rarely(const Math *m, const LaneFunction *function, LLVMValueRef need, const LLVMValueRef *args,
              LLVMValueRef *results);

/* math_angle.c */
/* An angle reduced by a multiple n of pi/2 to r + low with |r| <= pi/4, and the bits of n; `low` is NULL for f32. */
typedef struct {
    LLVMValueRef r, low, n;
} Angle;

/* Exact to the last bits of r for any finite x; NaN for others. */
Angle m_reduce_angle(const Math *m, LLVMValueRef x);
/* math_exp.c */
LLVMValueRef m_exp(const Math *m, LLVMValueRef x);
LLVMValueRef m_exp_sum(const Math *m, LLVMValueRef high,
                       LLVMValueRef low); /* exp(high + low), |low| far less than |high| */
LLVMValueRef m_expm1(const Math *m, LLVMValueRef x);
LLVMValueRef m_sinh(const Math *m, LLVMValueRef x);
LLVMValueRef m_cosh(const Math *m, LLVMValueRef x);
LLVMValueRef m_tanh(const Math *m, LLVMValueRef x);
LLVMValueRef m_sigmoid(const Math *m, LLVMValueRef x);
LLVMValueRef m_erf(const Math *m, LLVMValueRef x);
LLVMValueRef m_erfc(const Math *m, LLVMValueRef x);
/* math_log.c */
LLVMValueRef m_log(const Math *m, LLVMValueRef x);
LLVMValueRef m_log1p(const Math *m, LLVMValueRef x);
LLVMValueRef m_softplus(const Math *m, LLVMValueRef x);
LLVMValueRef m_pow(const Math *m, LLVMValueRef x, LLVMValueRef y);
/* math_trig.c */
LLVMValueRef m_sin(const Math *m, LLVMValueRef x);
LLVMValueRef m_cos(const Math *m, LLVMValueRef x);
LLVMValueRef m_tan(const Math *m, LLVMValueRef x);
LLVMValueRef m_asin(const Math *m, LLVMValueRef x);
LLVMValueRef m_acos(const Math *m, LLVMValueRef x);
LLVMValueRef m_atan(const Math *m, LLVMValueRef x);
LLVMValueRef m_atan2(const Math *m, LLVMValueRef y, LLVMValueRef x);

/* math_divide.c */
LLVMValueRef m_floor_div(const Math *m, LLVMValueRef x, LLVMValueRef y);
LLVMValueRef m_mod(const Math *m, LLVMValueRef x, LLVMValueRef y);

/* math_integer.c */
LLVMValueRef math_integer(Vector *vector, Op op, DType dtype, LLVMValueRef x, LLVMValueRef y);

#endif
