/* One pass over part of an axis, and the accumulators of the reductions that run along. */
#include "codegen/loop_internal.h"

LoopValue *scope_enter(LoopEmitter *e)
{
    return arena_copy(e->arena, e->bound, e->kernel->n_values * sizeof *e->bound);
}

void scope_leave(LoopEmitter *e, const LoopValue *outer)
{
    for (uint32_t v = 0; v < e->kernel->n_values; v++) {
        LoopValue now = e->bound[v];
        e->bound[v] = outer[v];
        e->bound[v].sum = now.sum;
        e->bound[v].best = now.best;
    }
}

void sums_take(const LoopEmitter *e, const Loop *loop, Accumulator *to)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        const LoopValue *bound = &e->bound[loop->reduces[i]];
        to[i] = (Accumulator){bound->sum, bound->best};
    }
}

void sums_give(LoopEmitter *e, const Loop *loop, const Accumulator *from)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        LoopValue *bound = &e->bound[loop->reduces[i]];
        bound->sum = from[i].sum;
        bound->best = from[i].best;
    }
}

Accumulator *sums_copy(const LoopEmitter *e, const Loop *loop, const Accumulator *sums)
{
    return ARENA_COPY(e->arena, Accumulator, sums, loop->n_reduces);
}

static LLVMValueRef phi_like(const LoopEmitter *e, LLVMValueRef value)
{
    return value ? LLVMBuildPhi(e->vector->builder, LLVMTypeOf(value), "") : NULL;
}

void phi_incoming(LLVMValueRef phi, LLVMValueRef value, LLVMBasicBlockRef from)
{
    if (phi) LLVMAddIncoming(phi, &value, &from, 1);
}

LLVMBasicBlockRef emitter_block(const LoopEmitter *e, const char *name)
{
    return LLVMAppendBasicBlockInContext(e->vector->context, e->function, name);
}

/* The loop's body for the point or vector `at`; sums are replaced. */
void loop_body(LoopEmitter *e, const Loop *loop, LLVMValueRef at, Accumulator *sums)
{
    LoopValue *outer = scope_enter(e);
    e->at[loop->axis] = at;
    sums_give(e, loop, sums);
    block_emit(e, loop->group, loop->n_group);
    sums_take(e, loop, sums);
    scope_leave(e, outer);
}

Accumulator *sums_phis(LoopEmitter *e, const Loop *loop, const Accumulator *like)
{
    Accumulator *phis = ARENA_ARRAY(e->arena, Accumulator, loop->n_reduces + 1);
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        phis[i] = (Accumulator){phi_like(e, like[i].sum), phi_like(e, like[i].best)};
    }
    return phis;
}

void sums_incoming(const Loop *loop, const Accumulator *phis, const Accumulator *sums, LLVMBasicBlockRef from)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        phi_incoming(phis[i].sum, sums[i].sum, from);
        phi_incoming(phis[i].best, sums[i].best, from);
    }
}

LLVMValueRef strip_emit(LoopEmitter *e, const Loop *loop, const Strip *strip, Accumulator *sums)
{
    LLVMBuilderRef builder = e->vector->builder;
    uint32_t step = loop->vectorised ? e->lanes : 1;
    LLVMBasicBlockRef before = LLVMGetInsertBlock(builder), body = emitter_block(e, "loop");
    LLVMBasicBlockRef after = emitter_block(e, "after");
    if (strip->some)
        LLVMBuildBr(builder, body);
    else
        LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSLT, strip->from, strip->limit, ""), body, after);

    LLVMPositionBuilderAtEnd(builder, body);
    LLVMValueRef at = LLVMBuildPhi(builder, type_i64(e), "i"), outer_mask = e->mask, to = strip->masked_to;
    Accumulator *phis = sums_phis(e, loop, sums), *first = sums_copy(e, loop, sums);
    for (uint32_t i = 0; i < loop->n_reduces; i++) sums[i] = phis[i];
    if (to) e->mask = vector_mask(e->vector, LLVMBuildNSWSub(builder, to, at, ""), e->lanes);
    if (strip->slots) slots_read(e, loop, strip->slots, at, sums);
    loop_body(e, loop, at, sums);
    if (strip->slots) slots_write(e, loop, strip->slots, at, sums);
    e->mask = outer_mask;
    LLVMValueRef next = LLVMBuildNSWAdd(builder, at, const_i64(e, step), "");
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(builder);
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSLT, next, strip->limit, ""), body, after);
    phi_incoming(at, strip->from, before);
    phi_incoming(at, next, latch);
    sums_incoming(loop, phis, first, before);
    sums_incoming(loop, phis, sums, latch);

    LLVMPositionBuilderAtEnd(builder, after);
    LLVMValueRef end = LLVMBuildPhi(builder, type_i64(e), "");
    Accumulator *last = sums_phis(e, loop, first);
    if (!strip->some) {
        phi_incoming(end, strip->from, before);
        sums_incoming(loop, last, first, before);
    }
    phi_incoming(end, next, latch);
    sums_incoming(loop, last, sums, latch);
    for (uint32_t i = 0; i < loop->n_reduces; i++) sums[i] = last[i];
    return end;
}
