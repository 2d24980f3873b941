#include "codegen/vector.h"

#include <assert.h>
#include <string.h>

static LLVMTypeRef type_element(const Vector *v, DType dtype, bool memory)
{
    switch (dtype) {
    case DTYPE_F64:
        return LLVMDoubleTypeInContext(v->context);
    case DTYPE_F32:
        return LLVMFloatTypeInContext(v->context);
    case DTYPE_BF16:
    case DTYPE_F16:
        return memory ? LLVMInt16TypeInContext(v->context) : LLVMFloatTypeInContext(v->context);
    case DTYPE_I64:
        return LLVMInt64TypeInContext(v->context);
    case DTYPE_I32:
        return LLVMInt32TypeInContext(v->context);
    case DTYPE_U8:
        return LLVMInt8TypeInContext(v->context);
    case DTYPE_BOOL:
        return memory ? LLVMInt8TypeInContext(v->context) : LLVMInt1TypeInContext(v->context);
    case DTYPE_COUNT:
        break;
    }
    assert(!"an element type");
    return NULL;
}

static LLVMTypeRef type_widen(LLVMTypeRef element, uint32_t lanes)
{
    return lanes == 1 ? element : LLVMVectorType(element, lanes);
}

LLVMTypeRef vector_type(const Vector *v, DType dtype, uint32_t lanes)
{
    return type_widen(type_element(v, dtype, false), lanes);
}

LLVMTypeRef vector_memory_type(const Vector *v, DType dtype, uint32_t lanes)
{
    return type_widen(type_element(v, dtype, true), lanes);
}

uint32_t vector_lanes(LLVMValueRef value)
{
    LLVMTypeRef type = LLVMTypeOf(value);
    return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetVectorSize(type) : 1;
}

LLVMTypeRef vector_type_like(LLVMTypeRef element, LLVMValueRef like)
{
    return type_widen(element, vector_lanes(like));
}

static LLVMValueRef constant_widen(LLVMValueRef scalar, uint32_t lanes)
{
    enum { MOST = 64 };
    assert(lanes <= MOST);
    LLVMValueRef items[MOST];
    for (uint32_t i = 0; i < lanes; i++) items[i] = scalar;
    return lanes == 1 ? scalar : LLVMConstVector(items, lanes);
}

LLVMValueRef vector_number(const Vector *v, DType dtype, uint32_t lanes, double number)
{
    LLVMTypeRef type = type_element(v, dtype, false);
    LLVMTypeKind kind = LLVMGetTypeKind(type);
    bool is_float = kind == LLVMFloatTypeKind || kind == LLVMDoubleTypeKind;
    if (is_float) return constant_widen(LLVMConstReal(type, number), lanes);
    uint64_t bits = dtype == DTYPE_BOOL ? number != 0 : (uint64_t)(int64_t)number;
    return constant_widen(LLVMConstInt(type, bits, false), lanes);
}

LLVMValueRef vector_integer_like(LLVMValueRef like, uint64_t number)
{
    LLVMTypeRef type = LLVMTypeOf(like);
    if (LLVMGetTypeKind(type) != LLVMVectorTypeKind) return LLVMConstInt(type, number, false);
    return constant_widen(LLVMConstInt(LLVMGetElementType(type), number, false), LLVMGetVectorSize(type));
}

LLVMValueRef vector_splat(const Vector *v, LLVMValueRef scalar, uint32_t lanes)
{
    if (lanes == 1) return scalar;
    if (LLVMIsConstant(scalar) && !LLVMIsAGlobalValue(scalar) && !LLVMIsAConstantExpr(scalar))
        return constant_widen(scalar, lanes);
    LLVMTypeRef i32 = LLVMInt32TypeInContext(v->context), type = LLVMVectorType(LLVMTypeOf(scalar), lanes);
    LLVMValueRef first =
        LLVMBuildInsertElement(v->builder, LLVMGetPoison(type), scalar, LLVMConstInt(i32, 0, false), "");
    LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(i32, lanes));
    return LLVMBuildShuffleVector(v->builder, first, LLVMGetPoison(type), zeros, "");
}

LLVMValueRef vector_iota(const Vector *v, DType dtype, uint32_t lanes)
{
    enum { MOST = 64 };
    assert(lanes <= MOST);
    LLVMValueRef items[MOST];
    for (uint32_t i = 0; i < lanes; i++) items[i] = vector_number(v, dtype, 1, i);
    return lanes == 1 ? items[0] : LLVMConstVector(items, lanes);
}

LLVMValueRef vector_mask(const Vector *v, LLVMValueRef count, uint32_t lanes)
{
    /* Compared as i32, since a vector of i64 takes twice the registers; a count beyond the lanes sets them all. */
    LLVMValueRef most = LLVMConstInt(LLVMTypeOf(count), lanes, false);
    LLVMValueRef few = LLVMBuildICmp(v->builder, LLVMIntSLT, count, most, "");
    LLVMValueRef clamped = LLVMBuildSelect(v->builder, few, count, most, "");
    LLVMValueRef narrow = LLVMBuildTrunc(v->builder, clamped, LLVMInt32TypeInContext(v->context), "");
    return LLVMBuildICmp(v->builder, LLVMIntSLT, vector_iota(v, DTYPE_I32, lanes), vector_splat(v, narrow, lanes),
                         "mask");
}

/* An intrinsic that is overloaded on the given types; `args` decide nothing. */
static LLVMValueRef call_overloaded(const Vector *v, const char *name, LLVMTypeRef *types, uint32_t n_types,
                                    LLVMValueRef *args, uint32_t n_args)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    assert(id);
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(v->module, id, types, n_types);
    LLVMTypeRef type = LLVMIntrinsicGetType(v->context, id, types, n_types);
    return LLVMBuildCall2(v->builder, type, function, args, n_args, "");
}

LLVMValueRef vector_intrinsic(const Vector *v, const char *name, LLVMValueRef *args, uint32_t n_args)
{
    LLVMTypeRef type = LLVMTypeOf(args[0]);
    return call_overloaded(v, name, &type, 1, args, n_args);
}

LLVMValueRef vector_fma(const Vector *v, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c)
{
    if (v->has_fma) return vector_intrinsic(v, "llvm.fma", (LLVMValueRef[]){a, b, c}, 3);
    return LLVMBuildFAdd(v->builder, LLVMBuildFMul(v->builder, a, b, ""), c, "");
}

LLVMValueRef vector_select(const Vector *v, LLVMValueRef condition, LLVMValueRef yes, LLVMValueRef no)
{
    return LLVMBuildSelect(v->builder, condition, yes, no, "");
}
