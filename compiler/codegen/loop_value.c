#include <assert.h>

#include "codegen/loop_internal.h"
#include "ir/eval.h"

uint32_t value_lanes(const LoopEmitter *e, uint32_t value)
{
    return e->kernel->values[value].domain & axis_bit(e->vector_axis) ? e->lanes : 1;
}

static LLVMValueRef emit_axis(LoopEmitter *e, const KernelValue *value, uint32_t lanes)
{
    LLVMValueRef at = vector_splat(e->vector, e->at[value->axis], lanes);
    if (lanes == 1) return at;
    return LLVMBuildAdd(e->vector->builder, at, vector_iota(e->vector, DTYPE_I64, lanes), "");
}

static LLVMValueRef emit_compute(LoopEmitter *e, const KernelValue *value, uint32_t lanes)
{
    LLVMValueRef args[3] = {NULL, NULL, NULL};
    for (uint32_t i = 0; i < value->n_args; i++) args[i] = value_wide(e, value->args[i], lanes);
    DType dtype = e->kernel->values[value->args[value->n_args - 1]].dtype;
    if (value->op == OP_CAST) return math_cast(e->vector, dtype, value->dtype, args[0]);
    LLVMValueRef result = math_emit(e->vector, value->op, dtype, args[0], args[1], args[2]);
    return op_info(value->op)->flags & EXACT ? result : math_round(e->vector, value->dtype, result);
}

/* A sum that a contraction has formed already; its tile is a row-major matrix. */
static LLVMValueRef emit_given(LoopEmitter *e, uint32_t value, uint32_t lanes)
{
    LLVMBuilderRef builder = e->vector->builder;
    DType dtype = e->kernel->values[value].dtype;
    LLVMTypeRef element = vector_memory_type(e->vector, dtype, 1);
    LLVMValueRef offset = const_i64(e, 0);
    if (e->given_row != NO_AXIS) {
        LLVMValueRef row = LLVMBuildSub(builder, e->at[e->given_row], e->from[e->given_row], "");
        offset = LLVMBuildMul(builder, row, e->given_stride, "");
    }
    LLVMValueRef column = LLVMBuildSub(builder, e->at[e->given_column], e->from[e->given_column], "");
    offset = LLVMBuildAdd(builder, offset, column, "");
    LLVMValueRef from = LLVMBuildGEP2(builder, element, e->given_base, &offset, 1, "sums");
    if (lanes == 1 || e->vector_axis == e->given_column) {
        return vector_load(e->vector, dtype, from, lanes, lanes > 1 ? e->mask : NULL);
    }
    LLVMValueRef steps = LLVMBuildMul(builder, vector_iota(e->vector, DTYPE_I64, lanes),
                                      vector_splat(e->vector, e->given_stride, lanes), "");
    LLVMTypeRef bits = LLVMVectorType(LLVMInt1TypeInContext(e->vector->context), lanes);
    return vector_gather(e->vector, dtype, from, steps, e->mask ? e->mask : LLVMConstAllOnes(bits));
}

static LLVMValueRef emit_number(LoopEmitter *e, const KernelValue *value)
{
    LLVMBuilderRef builder = e->vector->builder;
    LLVMValueRef bits = size_value(e, value->size);
    if (value->dtype == DTYPE_F32) bits = LLVMBuildTrunc(builder, bits, LLVMInt32TypeInContext(e->vector->context), "");
    return LLVMBuildBitCast(builder, bits, vector_type(e->vector, value->dtype, 1), "");
}

static LLVMValueRef evaluate(LoopEmitter *e, uint32_t v)
{
    const KernelValue *value = &e->kernel->values[v];
    uint32_t lanes = value_lanes(e, v);
    if (v == e->given) return emit_given(e, v, lanes);
    if (is_kept(e, v)) return load_early(e, e->kept[v].store);
    switch (value->kind) {
    case KERNEL_LOAD:
        return emit_load(e, v);
    case KERNEL_AXIS:
        return emit_axis(e, value, lanes);
    case KERNEL_CONSTANT:
        return dtype_class(value->dtype) == DTYPE_CLASS_INTEGER
                   ? LLVMConstInt(vector_type(e->vector, value->dtype, 1), (uint64_t)value->integer, true)
                   : vector_number(e->vector, value->dtype, 1, dtype_round(value->dtype, value->number));
    case KERNEL_SIZE:
        return size_value(e, value->size);
    case KERNEL_NUMBER:
        return emit_number(e, value);
    case KERNEL_RANDOM:
        return emit_random(e, v);
    case KERNEL_COMPUTE:
        return emit_compute(e, value, lanes);
    case KERNEL_SCAN:
        return math_round(e->vector, value->dtype, scan_point(e, v));
    case KERNEL_REDUCE:
    case KERNEL_STORE:
    case KERNEL_SCATTER:
        break;
    }
    assert(!"a reduction is evaluated by the block that needs it");
    return NULL;
}

LLVMValueRef value_emit(LoopEmitter *e, uint32_t value)
{
    LoopValue *bound = &e->bound[value];
    if (bound->value) return bound->value;
    bool kept = is_kept(e, value);
    bound->value = evaluate(e, value);
    if (!kept) keep_value(e, value, bound->value);
    return bound->value;
}

LLVMValueRef value_wide(LoopEmitter *e, uint32_t value, uint32_t lanes)
{
    LLVMValueRef narrow = value_emit(e, value);
    return vector_lanes(narrow) == lanes ? narrow : vector_splat(e->vector, narrow, lanes);
}
