/* From an operator to its recipe. */
#include <assert.h>

#include "codegen/math_internal.h"

static LLVMValueRef float_max(const Math *m, LLVMRealPredicate wins, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef z = m_select(m, m_compare(m, wins, x, y), x, y);
    return m_select(m, m_compare(m, LLVMRealUNO, x, x), x, z);
}

static LLVMValueRef float_sign(const Math *m, LLVMValueRef x)
{
    LLVMValueRef zero = m_num(m, 0), one = m_num(m, 1);
    LLVMValueRef y = m_select(m, m_gt(m, x, zero), one, m_select(m, m_lt(m, x, zero), m_num(m, -1), zero));
    return m_select(m, m_compare(m, LLVMRealUNO, x, x), x, y);
}

/* Operators of one operand that are not a plain instruction. */
static LLVMValueRef float_function(const Math *m, Op op, LLVMValueRef x)
{
    switch (op) {
    case OP_EXP:
        return m_exp(m, x);
    case OP_EXPM1:
        return m_expm1(m, x);
    case OP_LOG:
        return m_log(m, x);
    case OP_LOG1P:
        return m_log1p(m, x);
    case OP_SIN:
        return m_sin(m, x);
    case OP_COS:
        return m_cos(m, x);
    case OP_TAN:
        return m_tan(m, x);
    case OP_ASIN:
        return m_asin(m, x);
    case OP_ACOS:
        return m_acos(m, x);
    case OP_ATAN:
        return m_atan(m, x);
    case OP_SINH:
        return m_sinh(m, x);
    case OP_COSH:
        return m_cosh(m, x);
    case OP_TANH:
        return m_tanh(m, x);
    case OP_ERF:
        return m_erf(m, x);
    case OP_ERFC:
        return m_erfc(m, x);
    case OP_SIGMOID:
        return m_sigmoid(m, x);
    case OP_SOFTPLUS:
        return m_softplus(m, x);
    default:
        assert(!"an elementwise operator on floating-point numbers");
        return NULL;
    }
}

static LLVMValueRef float_emit(const Math *m, Op op, LLVMValueRef x, LLVMValueRef y)
{
    switch (op) {
    case OP_NEG:
        return m_neg(m, x);
    case OP_ABS:
        return m_abs(m, x);
    case OP_SIGN:
        return float_sign(m, x);
    case OP_SQRT:
        return m_call(m, "llvm.sqrt", x);
    case OP_RSQRT:
        return m_div(m, m_num(m, 1), m_call(m, "llvm.sqrt", x));
    case OP_FLOOR:
        return m_call(m, "llvm.floor", x);
    case OP_CEIL:
        return m_call(m, "llvm.ceil", x);
    case OP_ROUND:
        return m_round(m, x);
    case OP_ADD:
        return m_add(m, x, y);
    case OP_SUB:
        return m_sub(m, x, y);
    case OP_MUL:
        return m_mul(m, x, y);
    case OP_DIV:
        return m_div(m, x, y);
    case OP_FLOOR_DIV:
        return m_floor_div(m, x, y);
    case OP_MOD:
        return m_mod(m, x, y);
    case OP_POW:
        return m_pow(m, x, y);
    case OP_MAX:
        return float_max(m, LLVMRealOGT, x, y);
    case OP_MIN:
        return float_max(m, LLVMRealOLT, x, y);
    case OP_ATAN2:
        return m_atan2(m, x, y);
    case OP_EQ:
        return m_compare(m, LLVMRealOEQ, x, y);
    case OP_NE:
        return m_compare(m, LLVMRealUNE, x, y);
    case OP_LT:
        return m_compare(m, LLVMRealOLT, x, y);
    case OP_LE:
        return m_compare(m, LLVMRealOLE, x, y);
    default:
        return float_function(m, op, x);
    }
}

LLVMValueRef math_emit(Vector *v, Op op, DType dtype, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z)
{
    if (op == OP_SELECT) return LLVMBuildSelect(v->builder, x, y, z, "");
    switch (dtype) {
    case DTYPE_F64:
    case DTYPE_F32:
    case DTYPE_BF16:
    case DTYPE_F16: {
        Math m = math_make(v, dtype == DTYPE_F64 ? DTYPE_F64 : DTYPE_F32, x);
        return float_emit(&m, op, x, y);
    }
    default:
        return math_integer(v, op, dtype, x, y);
    }
}

LLVMValueRef random_emit(Vector *v, LLVMValueRef seed, LLVMValueRef stream, LLVMValueRef step, LLVMValueRef index)
{
    LLVMBuilderRef b = v->builder;
    uint32_t lanes = vector_lanes(index);
    LLVMTypeRef i32 = LLVMInt32TypeInContext(v->context), word = vector_type(v, DTYPE_I32, lanes);
    LLVMValueRef half = LLVMConstInt(LLVMInt64TypeInContext(v->context), 32, false),
                 wide_half = vector_integer_like(index, 32);
    LLVMValueRef key0 = vector_splat(v, LLVMBuildTrunc(b, seed, i32, ""), lanes);
    LLVMValueRef key1 = vector_splat(v, LLVMBuildTrunc(b, LLVMBuildLShr(b, seed, half, ""), i32, ""), lanes);
    LLVMValueRef c[4] = {LLVMBuildTrunc(b, index, word, ""),
                         LLVMBuildTrunc(b, LLVMBuildLShr(b, index, wide_half, ""), word, ""),
                         vector_splat(v, stream, lanes), vector_splat(v, step, lanes)};
    LLVMTypeRef wide = vector_type(v, DTYPE_I64, lanes);
    for (int round = 0; round < 10; round++) {
        LLVMValueRef p0 =
            LLVMBuildMul(b, LLVMBuildZExt(b, c[0], wide, ""), vector_integer_like(index, 0xD2511F53u), "");
        LLVMValueRef p1 =
            LLVMBuildMul(b, LLVMBuildZExt(b, c[2], wide, ""), vector_integer_like(index, 0xCD9E8D57u), "");
        LLVMValueRef high0 = LLVMBuildTrunc(b, LLVMBuildLShr(b, p0, wide_half, ""), word, "");
        LLVMValueRef high1 = LLVMBuildTrunc(b, LLVMBuildLShr(b, p1, wide_half, ""), word, "");
        c[0] = LLVMBuildXor(b, LLVMBuildXor(b, high1, c[1], ""), key0, "");
        c[2] = LLVMBuildXor(b, LLVMBuildXor(b, high0, c[3], ""), key1, "");
        c[1] = LLVMBuildTrunc(b, p1, word, "");
        c[3] = LLVMBuildTrunc(b, p0, word, "");
        key0 = LLVMBuildAdd(b, key0, vector_integer_like(key0, 0x9E3779B9u), "");
        key1 = LLVMBuildAdd(b, key1, vector_integer_like(key1, 0xBB67AE85u), "");
    }
    LLVMValueRef top = LLVMBuildLShr(b, c[0], vector_integer_like(c[0], 9), "");
    LLVMValueRef number = LLVMBuildSIToFP(b, top, vector_type(v, DTYPE_F32, lanes), "");
    number = LLVMBuildFMul(b, number, vector_number(v, DTYPE_F32, lanes, 0x1p-23), "");
    return LLVMBuildFAdd(b, number, vector_number(v, DTYPE_F32, lanes, 0x1p-24), "");
}
