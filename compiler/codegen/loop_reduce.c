#include <assert.h>
#include <math.h>

#include "codegen/loop_internal.h"

bool reduce_keeps_index(const KernelValue *reduce)
{
    return reduce->op == OP_ARGMAX || reduce->op == OP_ARGMIN;
}

Op reduce_step(const KernelValue *reduce)
{
    switch (reduce->op) {
    case OP_SUM:
        return OP_ADD;
    case OP_PROD:
        return OP_MUL;
    case OP_REDUCE_MAX:
    case OP_ARGMAX:
        return OP_MAX;
    case OP_REDUCE_MIN:
    case OP_ARGMIN:
        return OP_MIN;
    case OP_ANY:
        return OP_OR;
    case OP_ALL:
        return OP_AND;
    default:
        assert(!"not a reduction");
        return OP_ADD;
    }
}

static DType element_dtype(const LoopEmitter *e, const KernelValue *reduce)
{
    return e->kernel->values[reduce->args[0]].dtype;
}

bool reduce_is_ordered(const LoopEmitter *e, uint32_t reduce)
{
    const KernelValue *value = &e->kernel->values[reduce];
    if (value->kind != KERNEL_REDUCE) return false; /* a scan carries what it has from element to element */
    return (value->op == OP_SUM || value->op == OP_PROD) && dtype_is_float(element_dtype(e, value));
}

/* The largest (or smallest) value of an element type, as a scalar constant. */
static LLVMValueRef extreme(const LoopEmitter *e, DType dtype, bool largest)
{
    LLVMTypeRef type = vector_type(e->vector, dtype, 1);
    switch (dtype) {
    case DTYPE_I64:
        return LLVMConstInt(type, (unsigned long long)(largest ? INT64_MAX : INT64_MIN), true);
    case DTYPE_I32:
        return LLVMConstInt(type, (unsigned long long)(largest ? INT32_MAX : INT32_MIN), true);
    case DTYPE_U8:
        return LLVMConstInt(type, largest ? UINT8_MAX : 0, false);
    case DTYPE_BOOL:
        return LLVMConstInt(type, largest, false);
    default:
        return LLVMConstReal(type, largest ? (double)INFINITY : -(double)INFINITY);
    }
}

static LLVMValueRef identity(const LoopEmitter *e, const KernelValue *reduce, uint32_t lanes)
{
    DType dtype = element_dtype(e, reduce);
    Op step = reduce_step(reduce);
    LLVMValueRef scalar = step == OP_MAX || step == OP_MIN
                              ? extreme(e, dtype, step == OP_MIN)
                              : vector_number(e->vector, dtype, 1, step == OP_MUL || step == OP_AND);
    return vector_splat(e->vector, scalar, lanes);
}

void reduce_begin(LoopEmitter *e, uint32_t reduce, uint32_t lanes)
{
    const KernelValue *value = &e->kernel->values[reduce];
    LoopValue *bound = &e->bound[reduce];
    if (!reduce_keeps_index(value)) {
        bound->sum = identity(e, value, lanes);
        return;
    }
    /* No element yet: an index beyond every other one, so that the first element wins even against its equal. */
    bound->best = identity(e, value, lanes);
    bound->sum = vector_number(e->vector, DTYPE_I32, lanes, INT32_MAX);
}

static LLVMValueRef is_nan(LoopEmitter *e, DType dtype, LLVMValueRef x)
{
    if (!dtype_is_float(dtype))
        return LLVMConstNull(LLVMTypeOf(LLVMBuildICmp(e->vector->builder, LLVMIntEQ, x, x, "")));
    return LLVMBuildFCmp(e->vector->builder, LLVMRealUNO, x, x, "");
}

/* x comes before y in the order of the reduction: larger, or equal and with a smaller index; NaN is larger than all. */
static LLVMValueRef wins(LoopEmitter *e, const KernelValue *reduce, LLVMValueRef x, LLVMValueRef x_at, LLVMValueRef y,
                         LLVMValueRef y_at)
{
    LLVMBuilderRef builder = e->vector->builder;
    DType dtype = element_dtype(e, reduce);
    bool most = reduce->op == OP_ARGMAX;
    LLVMValueRef ahead = math_emit(e->vector, OP_LT, dtype, most ? y : x, most ? x : y, NULL);
    LLVMValueRef x_nan = is_nan(e, dtype, x), y_nan = is_nan(e, dtype, y);
    LLVMValueRef equal = math_emit(e->vector, OP_EQ, dtype, x, y, NULL);
    equal = LLVMBuildOr(builder, equal, LLVMBuildAnd(builder, x_nan, y_nan, ""), "");
    ahead = LLVMBuildOr(builder, ahead, LLVMBuildAnd(builder, x_nan, LLVMBuildNot(builder, y_nan, ""), ""), "");
    LLVMValueRef earlier = LLVMBuildICmp(builder, LLVMIntSLT, x_at, y_at, "");
    return LLVMBuildOr(builder, ahead, LLVMBuildAnd(builder, equal, earlier, ""), "");
}

void reduce_join(LoopEmitter *e, uint32_t reduce, LLVMValueRef sum, LLVMValueRef best)
{
    const KernelValue *value = &e->kernel->values[reduce];
    LoopValue *bound = &e->bound[reduce];
    if (!reduce_keeps_index(value)) {
        bound->sum = math_emit(e->vector, reduce_step(value), element_dtype(e, value), bound->sum, sum, NULL);
        return;
    }
    LLVMValueRef better = wins(e, value, best, sum, bound->best, bound->sum);
    bound->best = vector_select(e->vector, better, best, bound->best);
    bound->sum = vector_select(e->vector, better, sum, bound->sum);
}

/* The position of an element of an ARGMAX as i32 where the emitter stands: what it is given, or its one axis. */
static LLVMValueRef point_index(LoopEmitter *e, const KernelValue *reduce, uint32_t lanes)
{
    if (reduce->n_args == 2) return math_cast(e->vector, DTYPE_I64, DTYPE_I32, value_wide(e, reduce->args[1], lanes));
    uint32_t axis = (uint32_t)__builtin_ctz(reduce->reduced);
    LLVMTypeRef i32 = LLVMInt32TypeInContext(e->vector->context);
    LLVMValueRef at = LLVMBuildTrunc(e->vector->builder, e->at[axis], i32, "");
    at = vector_splat(e->vector, at, lanes);
    if (axis != e->vector_axis) return at;
    return LLVMBuildAdd(e->vector->builder, at, vector_iota(e->vector, DTYPE_I32, lanes), "");
}

void reduce_point(LoopEmitter *e, uint32_t reduce)
{
    const KernelValue *value = &e->kernel->values[reduce];
    uint32_t lanes = stage_axes(value) & axis_bit(e->vector_axis) ? e->lanes : 1;
    LLVMValueRef element = value_wide(e, value->args[0], lanes), index = NULL;
    bool masked = e->mask && lanes > 1;
    if (masked) element = vector_select(e->vector, e->mask, element, identity(e, value, lanes));
    if (reduce_keeps_index(value)) {
        index = point_index(e, value, lanes);
        if (masked) {
            LLVMValueRef none = vector_number(e->vector, DTYPE_I32, lanes, INT32_MAX);
            index = vector_select(e->vector, e->mask, index, none);
        }
        reduce_join(e, reduce, index, element);
    } else {
        reduce_join(e, reduce, element, NULL);
    }
}

/* `count` lanes from the first on; one lane is a scalar. */
static LLVMValueRef part(LoopEmitter *e, LLVMValueRef value, uint32_t first, uint32_t count)
{
    LLVMValueRef lanes[MAX_LANES];
    LLVMTypeRef i32 = LLVMInt32TypeInContext(e->vector->context);
    for (uint32_t i = 0; i < count; i++) lanes[i] = LLVMConstInt(i32, first + i, false);
    if (count == 1) return LLVMBuildExtractElement(e->vector->builder, value, lanes[0], "");
    return LLVMBuildShuffleVector(e->vector->builder, value, value, LLVMConstVector(lanes, count), "");
}

void reduce_fold(LoopEmitter *e, uint32_t reduce, uint32_t lanes)
{
    LoopValue *bound = &e->bound[reduce];
    while (vector_lanes(bound->sum) > lanes) {
        uint32_t half = vector_lanes(bound->sum) / 2;
        LoopValue whole = *bound;
        bound->sum = part(e, whole.sum, 0, half);
        bound->best = whole.best ? part(e, whole.best, 0, half) : NULL;
        reduce_join(e, reduce, part(e, whole.sum, half, half), whole.best ? part(e, whole.best, half, half) : NULL);
    }
}
