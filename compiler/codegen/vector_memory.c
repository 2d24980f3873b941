/* Between registers and memory. */
#include <assert.h>
#include <string.h>

#include "codegen/math.h"

static uint32_t memory_bytes(DType dtype)
{
    static const uint8_t bytes[DTYPE_COUNT] = {
#define DTYPE(id, spelling, size, class) [DTYPE_##id] = size,
#include "ir/dtypes.def"
#undef DTYPE
    };
    return bytes[dtype];
}

static LLVMValueRef register_from_memory(const Vector *v, DType dtype, LLVMValueRef value)
{
    if (dtype == DTYPE_BOOL) return LLVMBuildICmp(v->builder, LLVMIntNE, value, vector_integer_like(value, 0), "");
    if (dtype == DTYPE_BF16 || dtype == DTYPE_F16) return math_unpack_half((Vector *)v, dtype, value);
    return value;
}

static LLVMValueRef memory_from_register(const Vector *v, DType dtype, LLVMValueRef value)
{
    LLVMTypeRef type = vector_memory_type(v, dtype, vector_lanes(value));
    if (dtype == DTYPE_BOOL) return LLVMBuildZExt(v->builder, value, type, "");
    if (dtype == DTYPE_BF16 || dtype == DTYPE_F16) return math_pack_half((Vector *)v, dtype, value);
    return value;
}

static LLVMValueRef call_memory(const Vector *v, const char *name, LLVMTypeRef *types, LLVMValueRef *args,
                                uint32_t n_args)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(v->module, id, types, 2);
    return LLVMBuildCall2(v->builder, LLVMIntrinsicGetType(v->context, id, types, 2), function, args, n_args, "");
}

static LLVMValueRef constant_i32(const Vector *v, uint32_t number)
{
    return LLVMConstInt(LLVMInt32TypeInContext(v->context), number, false);
}

LLVMValueRef vector_load(const Vector *v, DType dtype, LLVMValueRef pointer, uint32_t lanes, LLVMValueRef mask)
{
    LLVMTypeRef type = vector_memory_type(v, dtype, lanes);
    LLVMValueRef value;
    if (mask && lanes > 1) {
        LLVMTypeRef types[] = {type, LLVMTypeOf(pointer)};
        LLVMValueRef args[] = {pointer, constant_i32(v, memory_bytes(dtype)), mask, LLVMConstNull(type)};
        value = call_memory(v, "llvm.masked.load", types, args, 4);
    } else {
        assert(!mask && "a scalar load is not masked");
        value = LLVMBuildLoad2(v->builder, type, pointer, "");
        LLVMSetAlignment(value, memory_bytes(dtype));
    }
    return register_from_memory(v, dtype, value);
}

void vector_store(const Vector *v, DType dtype, LLVMValueRef value, LLVMValueRef pointer, LLVMValueRef mask)
{
    value = memory_from_register(v, dtype, value);
    if (mask && vector_lanes(value) > 1) {
        LLVMTypeRef types[] = {LLVMTypeOf(value), LLVMTypeOf(pointer)};
        LLVMValueRef args[] = {value, pointer, constant_i32(v, memory_bytes(dtype)), mask};
        call_memory(v, "llvm.masked.store", types, args, 4);
        return;
    }
    assert(!mask && "a scalar store is not masked");
    LLVMSetAlignment(LLVMBuildStore(v->builder, value, pointer), memory_bytes(dtype));
}

LLVMValueRef vector_gather(const Vector *v, DType dtype, LLVMValueRef base, LLVMValueRef index, LLVMValueRef mask)
{
    uint32_t lanes = vector_lanes(index);
    LLVMTypeRef element = vector_memory_type(v, dtype, 1), type = vector_memory_type(v, dtype, lanes);
    LLVMValueRef pointers = LLVMBuildGEP2(v->builder, element, base, &index, 1, "");
    if (lanes == 1) return vector_load(v, dtype, pointers, 1, NULL);
    if (!mask) mask = LLVMConstAllOnes(LLVMVectorType(LLVMInt1TypeInContext(v->context), lanes));
    LLVMTypeRef types[] = {type, LLVMTypeOf(pointers)};
    LLVMValueRef args[] = {pointers, constant_i32(v, memory_bytes(dtype)), mask, LLVMConstNull(type)};
    return register_from_memory(v, dtype, call_memory(v, "llvm.masked.gather", types, args, 4));
}

LLVMValueRef vector_fold(Vector *v, Op op, DType dtype, LLVMValueRef value)
{
    enum { MOST = 64 };
    LLVMValueRef lanes[MOST];
    for (uint32_t n = vector_lanes(value); n > 1; n /= 2) {
        assert(n % 2 == 0 && n <= MOST);
        if (n == 2) {
            LLVMValueRef first = LLVMBuildExtractElement(v->builder, value, constant_i32(v, 0), "");
            LLVMValueRef second = LLVMBuildExtractElement(v->builder, value, constant_i32(v, 1), "");
            return math_emit(v, op, dtype, first, second, NULL);
        }
        for (uint32_t i = 0; i < n; i++) lanes[i] = constant_i32(v, i);
        LLVMValueRef none = LLVMGetPoison(LLVMTypeOf(value));
        LLVMValueRef low = LLVMBuildShuffleVector(v->builder, value, none, LLVMConstVector(lanes, n / 2), "");
        LLVMValueRef high = LLVMBuildShuffleVector(v->builder, value, none, LLVMConstVector(lanes + n / 2, n / 2), "");
        value = math_emit(v, op, dtype, low, high, NULL);
    }
    return value;
}
