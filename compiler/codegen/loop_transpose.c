/* Copies that read along one axis and write along another, in squares that are transposed in registers. */
#include "codegen/loop_internal.h"

enum { MOST_ROWS = 16 };

static LLVMBuilderRef builder(const LoopEmitter *e)
{
    return e->vector->builder;
}

bool copies_across(const LoopEmitter *e, uint32_t stage, uint32_t axis, uint32_t *other)
{
    const KernelValue *store = &e->kernel->values[stage];
    if (store->kind != KERNEL_STORE || e->given != UINT32_MAX || e->mask) return false;
    uint32_t read = store->args[0];
    const KernelValue *load = &e->kernel->values[read];
    AxisMask axes = store->domain & ~e->open, rest = axes & ~axis_bit(axis);
    bool plain = load->kind == KERNEL_LOAD && !load->n_args && load->dtype == DTYPE_F32 && !e->bound[read].value;
    plain &=
        e->kernel->buffers[load->buffer].dtype == DTYPE_F32 && e->kernel->buffers[store->buffer].dtype == DTYPE_F32;
    for (uint32_t i = 0; plain && i < load->n_index; i++) plain &= index_is_walked(&load->index[i]);
    for (uint32_t i = 0; plain && i < store->n_index; i++) plain &= index_is_walked(&store->index[i]);
    if (!plain || !rest || rest & (rest - 1) || !(axes & axis_bit(axis)) || (load->domain & axes) != axes) return false;
    for (*other = 0; rest != axis_bit(*other);) ++*other;
    return walks_next(e->kernel, store, axis) && walks_next(e->kernel, load, *other) &&
           !walks_next(e->kernel, load, axis) && !walks_next(e->kernel, store, *other);
}

/* Row i of the square that begins at (`along`, `across`): contiguous elements from row `across` + i. */
static LLVMValueRef row_at(const LoopEmitter *e, uint32_t access, LLVMValueRef along, LLVMValueRef across,
                           LLVMValueRef stride, uint32_t i)
{
    LLVMValueRef row = LLVMBuildNSWAdd(builder(e), across, const_i64(e, i), "");
    LLVMValueRef offset = LLVMBuildNSWAdd(builder(e), LLVMBuildNSWMul(builder(e), row, stride, ""), along, "");
    LLVMTypeRef element = vector_memory_type(e->vector, DTYPE_F32, 1);
    return LLVMBuildGEP2(builder(e), element, e->bound[access].base, &offset, 1, "");
}

/* Exchanges element j of row i with element i of row j: one bit of i and j after the other. */
static void exchange(const LoopEmitter *e, LLVMValueRef *rows, uint32_t count)
{
    LLVMTypeRef i32 = LLVMInt32TypeInContext(e->vector->context);
    for (uint32_t bit = 1; bit < count; bit *= 2) {
        LLVMValueRef low[MOST_ROWS], high[MOST_ROWS];
        for (uint32_t j = 0; j < count; j++) {
            low[j] = LLVMConstInt(i32, j & bit ? count + j - bit : j, false);
            high[j] = LLVMConstInt(i32, j & bit ? count + j : j + bit, false);
        }
        LLVMValueRef first = LLVMConstVector(low, count), second = LLVMConstVector(high, count);
        for (uint32_t i = 0; i < count; i++) {
            if (i & bit) continue;
            LLVMValueRef a = rows[i], b = rows[i + bit];
            rows[i] = LLVMBuildShuffleVector(builder(e), a, b, first, "");
            rows[i + bit] = LLVMBuildShuffleVector(builder(e), a, b, second, "");
        }
    }
}

/* The square whose corner is at `at` of the axis that is written along, and at `inner` of the other one. */
static void emit_square(LoopEmitter *e, uint32_t stage, uint32_t axis, uint32_t other, LLVMValueRef at,
                        LLVMValueRef inner)
{
    uint32_t count = e->vector->lanes, read = e->kernel->values[stage].args[0];
    LLVMValueRef rows[MOST_ROWS], from = access_stride(e, read, axis), to = access_stride(e, stage, other);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = vector_load(e->vector, DTYPE_F32, row_at(e, read, inner, at, from, i), count, NULL);
    exchange(e, rows, count);
    for (uint32_t i = 0; i < count; i++)
        vector_store(e->vector, DTYPE_F32, rows[i], row_at(e, stage, at, inner, to, i), NULL);
}

/* for (i = from; i < end; i += lanes): leaves the builder in the body; *next is where the loop goes on. */
typedef struct {
    LLVMValueRef at, end;
    LLVMBasicBlockRef body, after;
} Squares;

static Squares squares_begin(const LoopEmitter *e, LLVMValueRef from, LLVMValueRef end)
{
    LLVMBasicBlockRef before = LLVMGetInsertBlock(builder(e));
    Squares loop = {.end = end, .body = emitter_block(e, "squares"), .after = emitter_block(e, "after")};
    LLVMBuildCondBr(builder(e), LLVMBuildICmp(builder(e), LLVMIntSLT, from, end, ""), loop.body, loop.after);
    LLVMPositionBuilderAtEnd(builder(e), loop.body);
    loop.at = LLVMBuildPhi(builder(e), type_i64(e), "i");
    phi_incoming(loop.at, from, before);
    return loop;
}

static void squares_end(const LoopEmitter *e, const Squares *loop)
{
    LLVMValueRef next = LLVMBuildNSWAdd(builder(e), loop->at, const_i64(e, e->vector->lanes), "");
    phi_incoming(loop->at, next, LLVMGetInsertBlock(builder(e)));
    LLVMBuildCondBr(builder(e), LLVMBuildICmp(builder(e), LLVMIntSLT, next, loop->end, ""), loop->body, loop->after);
    LLVMPositionBuilderAtEnd(builder(e), loop->after);
}

/* Where the axis begins, and (*end) how far whole squares reach. */
static LLVMValueRef whole_squares(const LoopEmitter *e, uint32_t axis, LLVMValueRef *end)
{
    LLVMValueRef from = e->from[axis] ? e->from[axis] : const_i64(e, 0);
    LLVMValueRef to = e->to[axis] ? e->to[axis] : size_value(e, e->kernel->axes[axis].extent);
    LLVMValueRef length = LLVMBuildNSWSub(builder(e), to, from, "");
    length = LLVMBuildAnd(builder(e), length, const_i64(e, -(int64_t)e->vector->lanes), "");
    *end = LLVMBuildNSWAdd(builder(e), from, length, "");
    return from;
}

void squares_emit(LoopEmitter *e, uint32_t stage, uint32_t axis, uint32_t other, LLVMValueRef *end,
                  LLVMValueRef *other_end)
{
    LLVMValueRef from = whole_squares(e, axis, end), other_from = whole_squares(e, other, other_end);
    Squares outer = squares_begin(e, from, *end), inner = squares_begin(e, other_from, *other_end);
    emit_square(e, stage, axis, other, outer.at, inner.at);
    squares_end(e, &inner);
    squares_end(e, &outer);
}
