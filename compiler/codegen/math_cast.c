/* Conversions between element types. */
#include <assert.h>

#include "codegen/math_internal.h"

static bool is_float(DType dtype)
{
    return dtype == DTYPE_F64 || dtype == DTYPE_F32 || dtype == DTYPE_BF16 || dtype == DTYPE_F16;
}

static LLVMValueRef shift_right(Vector *v, LLVMValueRef x, uint32_t by)
{
    return LLVMBuildLShr(v->builder, x, vector_integer_like(x, by), "");
}

static LLVMValueRef mask_bits(Vector *v, LLVMValueRef x, uint32_t bits)
{
    return LLVMBuildAnd(v->builder, x, vector_integer_like(x, bits), "");
}

static LLVMValueRef add_bits(Vector *v, LLVMValueRef x, uint32_t bits)
{
    return LLVMBuildAdd(v->builder, x, vector_integer_like(x, bits), "");
}

/* The upper 16 bits, rounded to nearest even; a NaN stays one. */
static LLVMValueRef bf16_pack(Vector *v, LLVMValueRef bits, LLVMValueRef is_nan)
{
    LLVMValueRef odd = mask_bits(v, shift_right(v, bits, 16), 1);
    LLVMValueRef rounded = shift_right(v, LLVMBuildAdd(v->builder, add_bits(v, bits, 0x7fff), odd, ""), 16);
    LLVMValueRef nan = LLVMBuildOr(v->builder, shift_right(v, bits, 16), vector_integer_like(bits, 0x40), "");
    return vector_select(v, is_nan, nan, rounded);
}

/* Normal results: drop 13 bits with rounding and move the exponent. Denormal ones: adding 1/2 lets the floating-point
 * adder round at the right bit. (After F. Giesen, "float->half variants".) */
static LLVMValueRef f16_pack(Vector *v, LLVMValueRef bits, LLVMValueRef is_nan)
{
    LLVMBuilderRef b = v->builder;
    LLVMTypeRef real = vector_type_like(LLVMFloatTypeInContext(v->context), bits);
    LLVMValueRef a = mask_bits(v, bits, 0x7fffffff), sign = shift_right(v, mask_bits(v, bits, 0x80000000u), 16);
    LLVMValueRef odd = mask_bits(v, shift_right(v, a, 13), 1);
    LLVMValueRef normal = LLVMBuildAdd(b, add_bits(v, a, 0xc8000fffu), odd, "");
    normal = shift_right(v, normal, 13);
    LLVMValueRef half = LLVMConstReal(LLVMFloatTypeInContext(v->context), 0.5);
    LLVMValueRef sum =
        LLVMBuildFAdd(b, LLVMBuildBitCast(b, a, real, ""), vector_splat(v, half, vector_lanes(bits)), "");
    LLVMValueRef denormal = add_bits(v, LLVMBuildBitCast(b, sum, LLVMTypeOf(bits), ""), (uint32_t)-0x3f000000);
    LLVMValueRef is_denormal = LLVMBuildICmp(b, LLVMIntULT, a, vector_integer_like(bits, 0x38800000), "");
    LLVMValueRef is_infinite = LLVMBuildICmp(b, LLVMIntUGE, a, vector_integer_like(bits, 0x477ff000), "");
    LLVMValueRef y = vector_select(v, is_denormal, denormal, normal);
    y = vector_select(v, is_infinite, vector_integer_like(bits, 0x7c00), y);
    y = vector_select(v, is_nan, vector_integer_like(bits, 0x7e00), y);
    return LLVMBuildOr(b, y, sign, "");
}

LLVMValueRef math_pack_half(Vector *v, DType dtype, LLVMValueRef f32)
{
    LLVMBuilderRef b = v->builder;
    LLVMValueRef bits = LLVMBuildBitCast(b, f32, vector_type_like(LLVMInt32TypeInContext(v->context), f32), "");
    LLVMValueRef is_nan = LLVMBuildFCmp(b, LLVMRealUNO, f32, f32, "");
    LLVMValueRef packed = dtype == DTYPE_BF16 ? bf16_pack(v, bits, is_nan) : f16_pack(v, bits, is_nan);
    return LLVMBuildTrunc(b, packed, vector_type_like(LLVMInt16TypeInContext(v->context), f32), "");
}

/* f16: the exponent is moved by a multiplication, which makes denormals right; infinities and NaNs are patched. */
static LLVMValueRef f16_unpack(Vector *v, LLVMValueRef bits)
{
    LLVMBuilderRef b = v->builder;
    LLVMTypeRef element = LLVMFloatTypeInContext(v->context), real = vector_type_like(element, bits);
    LLVMValueRef a = mask_bits(v, bits, 0x7fff), sign = mask_bits(v, bits, 0x8000);
    LLVMValueRef thirteen = vector_integer_like(bits, 13), sixteen = vector_integer_like(bits, 16);
    LLVMValueRef y = LLVMBuildBitCast(b, LLVMBuildShl(b, a, thirteen, ""), real, "");
    y = LLVMBuildFMul(b, y, vector_splat(v, LLVMConstReal(element, 0x1p112), vector_lanes(bits)), "");
    LLVMValueRef special = LLVMBuildICmp(b, LLVMIntUGE, a, vector_integer_like(bits, 0x7c00), "");
    LLVMValueRef extra = vector_select(v, special, vector_integer_like(bits, 0x7f800000), vector_integer_like(bits, 0));
    LLVMValueRef all = LLVMBuildOr(b, LLVMBuildBitCast(b, y, LLVMTypeOf(bits), ""), extra, "");
    all = LLVMBuildOr(b, all, LLVMBuildShl(b, sign, sixteen, ""), "");
    return LLVMBuildBitCast(b, all, real, "");
}

LLVMValueRef math_unpack_half(Vector *v, DType dtype, LLVMValueRef bits)
{
    LLVMBuilderRef b = v->builder;
    LLVMValueRef wide = LLVMBuildZExt(b, bits, vector_type_like(LLVMInt32TypeInContext(v->context), bits), "");
    if (dtype == DTYPE_F16) return f16_unpack(v, wide);
    wide = LLVMBuildShl(b, wide, vector_integer_like(wide, 16), "");
    return LLVMBuildBitCast(b, wide, vector_type_like(LLVMFloatTypeInContext(v->context), bits), "");
}

LLVMValueRef math_round(Vector *v, DType dtype, LLVMValueRef value)
{
    if (dtype != DTYPE_BF16 && dtype != DTYPE_F16) return value;
    return math_unpack_half(v, dtype, math_pack_half(v, dtype, value));
}

/* f64 as f32, rounded to odd (nn_round.h): what is rounded further then is rounded once. */
static LLVMValueRef narrow_to_odd(Vector *v, LLVMValueRef x, LLVMTypeRef type)
{
    LLVMBuilderRef b = v->builder;
    LLVMTypeRef words = vector_type_like(LLVMInt32TypeInContext(v->context), x);
    LLVMValueRef nearest = LLVMBuildFPTrunc(b, x, type, ""), back = LLVMBuildFPExt(b, nearest, LLVMTypeOf(x), "");
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(x)), is_negative = LLVMBuildFCmp(b, LLVMRealOLT, x, zero, "");
    LLVMValueRef above = LLVMBuildFCmp(b, LLVMRealOGT, back, x, ""), below = LLVMBuildFCmp(b, LLVMRealOLT, back, x, "");
    LLVMValueRef farther = vector_select(v, is_negative, below, above), inexact = LLVMBuildOr(b, above, below, "");
    LLVMValueRef bits = LLVMBuildBitCast(b, nearest, words, "");
    bits = LLVMBuildSub(b, bits, LLVMBuildZExt(b, farther, words, ""), "");
    bits = LLVMBuildOr(b, bits, LLVMBuildZExt(b, inexact, words, ""), "");
    return LLVMBuildBitCast(b, bits, type, "");
}

static LLVMValueRef float_to_float(Vector *v, DType from, DType to, LLVMValueRef x)
{
    LLVMTypeRef type = vector_type(v, to, vector_lanes(x));
    if (from == DTYPE_F64 && to == DTYPE_F32) return LLVMBuildFPTrunc(v->builder, x, type, "");
    if (from == DTYPE_F64 && to != DTYPE_F64) x = narrow_to_odd(v, x, type);
    if (from != DTYPE_F64 && to == DTYPE_F64) return LLVMBuildFPExt(v->builder, x, type, "");
    return math_round(v, to, x);
}

static LLVMValueRef float_to_integer(Vector *v, DType to, LLVMValueRef x)
{
    const char *name = to == DTYPE_U8 ? "llvm.fptoui.sat" : "llvm.fptosi.sat";
    LLVMTypeRef types[] = {vector_type(v, to, vector_lanes(x)), LLVMTypeOf(x)};
    unsigned id = LLVMLookupIntrinsicID(name, 15);
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(v->module, id, types, 2);
    return LLVMBuildCall2(v->builder, LLVMIntrinsicGetType(v->context, id, types, 2), function, &x, 1, "");
}

/* A large i64 as a multiple of 2^16, rounded to odd: an f64 holds it, and more bits than a half has. */
static LLVMValueRef integer_to_odd(Vector *v, LLVMValueRef x)
{
    LLVMBuilderRef b = v->builder;
    LLVMValueRef lost = LLVMBuildAnd(b, x, vector_integer_like(x, 0xffff), ""), zero = LLVMConstNull(LLVMTypeOf(x));
    LLVMValueRef sticky = LLVMBuildICmp(b, LLVMIntNE, lost, zero, "");
    sticky = vector_select(v, sticky, vector_integer_like(x, 0x10000), zero);
    LLVMValueRef odd = LLVMBuildOr(b, LLVMBuildSub(b, x, lost, ""), sticky, "");
    LLVMValueRef moved = LLVMBuildAdd(b, x, vector_integer_like(x, 0x80000000u), "");
    LLVMValueRef is_small = LLVMBuildICmp(b, LLVMIntULT, moved, vector_integer_like(x, UINT64_C(1) << 32), "");
    return vector_select(v, is_small, x, odd);
}

static LLVMValueRef integer_to_float(Vector *v, DType from, DType to, LLVMValueRef x)
{
    bool is_signed = from == DTYPE_I64 || from == DTYPE_I32, is_half = to == DTYPE_BF16 || to == DTYPE_F16;
    DType by = is_half && is_signed ? DTYPE_F64 : to == DTYPE_F64 ? DTYPE_F64 : DTYPE_F32;
    LLVMTypeRef type = vector_type(v, by, vector_lanes(x));
    if (is_half && from == DTYPE_I64) x = integer_to_odd(v, x);
    x = is_signed ? LLVMBuildSIToFP(v->builder, x, type, "") : LLVMBuildUIToFP(v->builder, x, type, "");
    return float_to_float(v, by, to, x);
}

LLVMValueRef math_cast(Vector *v, DType from, DType to, LLVMValueRef x)
{
    LLVMBuilderRef b = v->builder;
    if (from == to) return x;
    if (is_float(from) && is_float(to)) return float_to_float(v, from, to, x);
    if (to == DTYPE_BOOL && is_float(from)) return LLVMBuildFCmp(b, LLVMRealUNE, x, LLVMConstNull(LLVMTypeOf(x)), "");
    if (to == DTYPE_BOOL) return LLVMBuildICmp(b, LLVMIntNE, x, vector_integer_like(x, 0), "");
    if (is_float(from)) return float_to_integer(v, to, x);
    if (is_float(to)) return integer_to_float(v, from, to, x);
    LLVMTypeRef type = vector_type(v, to, vector_lanes(x));
    bool is_signed = from == DTYPE_I64 || from == DTYPE_I32;
    return LLVMBuildIntCast2(b, x, type, is_signed, "");
}
