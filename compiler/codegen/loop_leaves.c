/* The order of sums. A sum (or product) of floats over one axis is cut into leaves of LEAF steps. A leaf is a chain for
 * each accumulator, which begins at the identity, and leaves are added as a binary counter counts: two single ones to a
 * pair, two pairs to a four … So the error grows with the logarithm of the length, and the order is the same whatever
 * else the loop does:
 *
 *   - along the vector axis there are LANE_REGISTERS registers of accumulators; where the code is narrower than that,
 *     they wait in memory (Slots). The elements that do not fill them all are added to one register, made by halves.
 *   - a sum over several axes is, for each outer point, the whole sum over the inner one.
 */
#include "codegen/loop_internal.h"

enum { LEAF = 128, LEVELS = 40 /* more leaves than that would take days */ };

bool loop_is_ordered(const LoopEmitter *e, const Loop *loop)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++)
        if (reduce_is_ordered(e, loop->reduces[i])) return true;
    return false;
}

/* What an accumulator of the reduction is in memory: as in registers, where bf16 and f16 are f32. */
static DType sum_dtype(const LoopEmitter *e, uint32_t reduce)
{
    return e->kernel->values[e->kernel->values[reduce].args[0]].dtype == DTYPE_F64 ? DTYPE_F64 : DTYPE_F32;
}

/* Memory of the function for `count` elements. */
static LLVMValueRef allocate(const LoopEmitter *e, DType dtype, uint32_t count)
{
    enum { LINE = 64 };
    LLVMBuilderRef builder = e->vector->builder;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(builder), entry = LLVMGetEntryBasicBlock(e->function);
    LLVMValueRef first = LLVMGetFirstInstruction(entry);
    if (first)
        LLVMPositionBuilderBefore(builder, first);
    else
        LLVMPositionBuilderAtEnd(builder, entry);
    LLVMTypeRef type = LLVMArrayType2(vector_memory_type(e->vector, dtype, 1), count);
    LLVMValueRef memory = LLVMBuildAlloca(builder, type, "sums");
    LLVMSetAlignment(memory, LINE);
    LLVMPositionBuilderAtEnd(builder, here);
    return memory;
}

/* ---- Accumulators in memory ---- */

static LLVMValueRef slot(const LoopEmitter *e, uint32_t reduce, LLVMValueRef memory, LLVMValueRef at)
{
    LLVMTypeRef element = vector_memory_type(e->vector, sum_dtype(e, reduce), 1);
    return LLVMBuildGEP2(e->vector->builder, element, memory, &at, 1, "");
}

static LLVMValueRef slot_index(const LoopEmitter *e, LLVMValueRef at)
{
    return LLVMBuildAnd(e->vector->builder, at, const_i64(e, (int64_t)LANE_REGISTERS * e->lanes - 1), "");
}

void slots_read(LoopEmitter *e, const Loop *loop, const Slots *slots, LLVMValueRef at, Accumulator *sums)
{
    LLVMValueRef index = slot_index(e, at);
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        if (!slots->at[i]) continue;
        LLVMValueRef from = slot(e, reduce, slots->at[i], index);
        sums[i].sum = vector_load(e->vector, sum_dtype(e, reduce), from, e->lanes, NULL);
    }
}

void slots_write(LoopEmitter *e, const Loop *loop, const Slots *slots, LLVMValueRef at, const Accumulator *sums)
{
    LLVMValueRef index = slot_index(e, at);
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        if (!slots->at[i]) continue;
        vector_store(e->vector, sum_dtype(e, reduce), sums[i].sum, slot(e, reduce, slots->at[i], index), NULL);
    }
}

/* The strip of one leaf; where there are slots, its accumulators are wide before and behind it. */
static void emit_leaf(LoopEmitter *e, const Loop *loop, LLVMValueRef from, LLVMValueRef to, const Slots *slots,
                      Accumulator *sums)
{
    for (uint32_t i = 0; slots && i < loop->n_reduces; i++)
        if (slots->at[i]) vector_store(e->vector, sum_dtype(e, loop->reduces[i]), sums[i].sum, slots->at[i], NULL);
    if (slots) slots_read(e, loop, slots, const_i64(e, 0), sums); /* only for their width: each turn reads its own */
    strip_emit(e, loop, &(Strip){.from = from, .limit = to, .slots = slots, .some = true}, sums);
    uint32_t all = LANE_REGISTERS * e->lanes;
    for (uint32_t i = 0; slots && i < loop->n_reduces; i++)
        if (slots->at[i]) sums[i].sum = vector_load(e->vector, sum_dtype(e, loop->reduces[i]), slots->at[i], all, NULL);
}

/* ---- Leaves ---- */

enum { JOIN_WAITING, JOIN_LEAF, JOIN_LAST, JOIN_SUM, JOIN_PARAMETERS };

/* for (; last ? leaf : leaf & 1; leaf /= 2, waiting++) if (leaf & 1) sum = *waiting + sum;
 * *waiting = sum; return sum; */
static void emit_join(const LoopEmitter *e, LLVMValueRef function, Op step, DType dtype, DType memory)
{
    Vector *vector = e->vector;
    LLVMBuilderRef b = vector->builder;
    LLVMValueRef waiting = LLVMGetParam(function, JOIN_WAITING), leaf = LLVMGetParam(function, JOIN_LEAF);
    LLVMValueRef last = LLVMGetParam(function, JOIN_LAST), sum = LLVMGetParam(function, JOIN_SUM);
    uint32_t lanes = vector_lanes(sum);
    LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(vector->context, function, "entry");
    LLVMBasicBlockRef head = LLVMAppendBasicBlockInContext(vector->context, function, "head");
    LLVMBasicBlockRef join = LLVMAppendBasicBlockInContext(vector->context, function, "join");
    LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(vector->context, function, "done");
    LLVMPositionBuilderAtEnd(b, entry);
    LLVMBuildBr(b, head);

    LLVMPositionBuilderAtEnd(b, head);
    LLVMValueRef place = LLVMBuildPhi(b, LLVMTypeOf(waiting), ""), left = LLVMBuildPhi(b, type_i64(e), "");
    LLVMValueRef so_far = LLVMBuildPhi(b, LLVMTypeOf(sum), ""), zero = const_i64(e, 0);
    LLVMValueRef odd = LLVMBuildICmp(b, LLVMIntNE, LLVMBuildAnd(b, left, const_i64(e, 1), ""), zero, "");
    LLVMValueRef some = LLVMBuildICmp(b, LLVMIntNE, left, zero, "");
    LLVMBuildCondBr(b, LLVMBuildSelect(b, last, some, odd, ""), join, done);

    LLVMPositionBuilderAtEnd(b, join);
    LLVMValueRef joined = math_emit(vector, step, dtype, vector_load(vector, memory, place, lanes, NULL), so_far, NULL);
    joined = LLVMBuildSelect(b, odd, joined, so_far, "");
    LLVMValueRef less = LLVMBuildLShr(b, left, const_i64(e, 1), ""), width = const_i64(e, lanes);
    LLVMValueRef next = LLVMBuildGEP2(b, vector_memory_type(vector, memory, 1), place, &width, 1, "");
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(b);
    LLVMBuildBr(b, head);
    phi_incoming(place, waiting, entry), phi_incoming(place, next, latch);
    phi_incoming(left, leaf, entry), phi_incoming(left, less, latch);
    phi_incoming(so_far, sum, entry), phi_incoming(so_far, joined, latch);

    LLVMPositionBuilderAtEnd(b, done);
    vector_store(vector, memory, so_far, place, NULL);
    LLVMBuildRet(b, so_far);
}

/* Joins leaf number `leaf` to those that wait in memory; the last one's result is the sum of all. A module has the
 * function once for each operator, type and width. It keeps the caller's registers, so that loops with one leaf, which
 * never call it, save none. */
static LLVMValueRef join_leaf(const LoopEmitter *e, uint32_t reduce, LLVMValueRef waiting, LLVMValueRef leaf,
                              LLVMValueRef last, LLVMValueRef sum)
{
    Vector *vector = e->vector;
    const KernelValue *value = &e->kernel->values[reduce];
    DType dtype = e->kernel->values[value->args[0]].dtype, memory = sum_dtype(e, reduce);
    const char *name =
        arena_format(e->arena, "join_%s_%s_%u", op_info(value->op)->spelling, dtype_name(memory), vector_lanes(sum));
    LLVMTypeRef types[JOIN_PARAMETERS] = {LLVMTypeOf(waiting), type_i64(e), LLVMTypeOf(last), LLVMTypeOf(sum)};
    LLVMTypeRef type = LLVMFunctionType(LLVMTypeOf(sum), types, JOIN_PARAMETERS, false);
    LLVMValueRef function = LLVMGetNamedFunction(vector->module, name);
    if (!function) {
        LLVMBasicBlockRef caller = LLVMGetInsertBlock(vector->builder);
        function = LLVMAddFunction(vector->module, name, type);
        LLVMSetLinkage(function, LLVMInternalLinkage);
        LLVMSetFunctionCallConv(function, LLVMPreserveMostCallConv);
        vector_attributes(vector, function);
        emit_join(e, function, reduce_step(value), dtype, memory);
        LLVMPositionBuilderAtEnd(vector->builder, caller);
    }
    LLVMValueRef args[JOIN_PARAMETERS] = {waiting, leaf, last, sum};
    LLVMValueRef call = LLVMBuildCall2(vector->builder, type, function, args, JOIN_PARAMETERS, "");
    LLVMSetInstructionCallConv(call, LLVMPreserveMostCallConv);
    return call;
}

/* Sets ordered sums to their identity, as wide as all accumulators of a leaf. */
static void begin_leaf(LoopEmitter *e, const Loop *loop, Accumulator *sums)
{
    uint32_t all = e->vector->lanes * LANE_REGISTERS;
    sums_give(e, loop, sums);
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        bool vector = stage_axes(&e->kernel->values[reduce]) & axis_bit(e->vector_axis);
        if (reduce_is_ordered(e, reduce)) reduce_begin(e, reduce, loop->vectorised ? all : vector ? e->lanes : 1);
    }
    sums_take(e, loop, sums);
}

/* Memory for what does not fit the registers of the code; NULL when all of it does. */
static const Slots *make_slots(LoopEmitter *e, const Loop *loop)
{
    uint32_t all = e->vector->lanes * LANE_REGISTERS;
    if (!loop->vectorised || e->lanes == all) return NULL;
    Slots *slots = ARENA_NEW(e->arena, Slots);
    slots->at = ARENA_ARRAY(e->arena, LLVMValueRef, loop->n_reduces);
    for (uint32_t i = 0; i < loop->n_reduces; i++)
        if (reduce_is_ordered(e, loop->reduces[i])) slots->at[i] = allocate(e, sum_dtype(e, loop->reduces[i]), all);
    return slots;
}

/* A loop over leaves around that over steps; where there is one leaf, its sums are those of all. */
static void emit_leaves(LoopEmitter *e, const Loop *loop, const Strip *strip, Accumulator *sums)
{
    LLVMBuilderRef b = e->vector->builder;
    const Slots *slots = make_slots(e, loop);
    LLVMValueRef to = strip->limit;
    LLVMValueRef steps = const_i64(e, (int64_t)LEAF * (loop->vectorised ? e->vector->lanes * LANE_REGISTERS : 1));
    LLVMValueRef length = LLVMBuildNSWSub(b, to, strip->from, "");
    LLVMValueRef several = LLVMBuildICmp(b, LLVMIntSGT, length, steps, "several");
    LLVMBasicBlockRef before = LLVMGetInsertBlock(b), body = emitter_block(e, "leaf"), join = emitter_block(e, "join");
    LLVMBasicBlockRef done = emitter_block(e, "done");
    begin_leaf(e, loop, sums);
    Accumulator *first = sums_copy(e, loop, sums);
    if (strip->some)
        LLVMBuildBr(b, body);
    else
        LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, strip->from, to, ""), body, done);

    LLVMPositionBuilderAtEnd(b, body);
    LLVMValueRef at = LLVMBuildPhi(b, type_i64(e), ""), leaf = LLVMBuildPhi(b, type_i64(e), "leaf");
    Accumulator *phis = sums_phis(e, loop, first);
    for (uint32_t i = 0; i < loop->n_reduces; i++) sums[i] = phis[i];
    begin_leaf(e, loop, sums);
    LLVMValueRef end = LLVMBuildNSWAdd(b, at, steps, ""), last = LLVMBuildICmp(b, LLVMIntSGE, end, to, "");
    emit_leaf(e, loop, at, LLVMBuildSelect(b, last, to, end, ""), slots, sums);
    LLVMBasicBlockRef behind = LLVMGetInsertBlock(b);
    LLVMBuildCondBr(b, several, join, done);

    LLVMPositionBuilderAtEnd(b, join);
    Accumulator *joined = sums_copy(e, loop, sums);
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        if (!reduce_is_ordered(e, reduce)) continue;
        LLVMValueRef waiting = allocate(e, sum_dtype(e, reduce), LEVELS * vector_lanes(sums[i].sum));
        joined[i].sum = join_leaf(e, reduce, waiting, leaf, last, sums[i].sum);
    }
    LLVMValueRef next = LLVMBuildNSWAdd(b, leaf, const_i64(e, 1), "");
    LLVMBuildCondBr(b, last, done, body);
    phi_incoming(at, strip->from, before), phi_incoming(at, end, join);
    phi_incoming(leaf, const_i64(e, 0), before), phi_incoming(leaf, next, join);
    sums_incoming(loop, phis, first, before);
    sums_incoming(loop, phis, joined, join);

    LLVMPositionBuilderAtEnd(b, done);
    Accumulator *total = sums_phis(e, loop, first);
    if (!strip->some) sums_incoming(loop, total, first, before);
    sums_incoming(loop, total, sums, behind);
    sums_incoming(loop, total, joined, join);
    for (uint32_t i = 0; i < loop->n_reduces; i++) sums[i] = total[i];
}

void leaves_emit(LoopEmitter *e, const Loop *loop, const Strip *strip, Accumulator *sums)
{
    if (loop_is_ordered(e, loop))
        emit_leaves(e, loop, strip, sums);
    else
        strip_emit(e, loop, strip, sums);
}
