#include <assert.h>
#include <string.h>

#include "codegen/loop_internal.h"

enum { WIDE = 4 };

/* One loop over an axis for a group of stages. */
typedef struct {
    uint32_t axis;
    bool vectorised;
    const uint32_t *group;
    uint32_t n_group;
    uint32_t *reduces; /* of the group: those that the axis is reduced by */
    uint32_t n_reduces;
} Loop;

/* The accumulator of one of a loop's reductions. */
typedef struct {
    LLVMValueRef sum, best;
} Accumulator;

static Binding *scope_enter(Emitter *e)
{
    return arena_copy(e->arena, e->bound, e->kernel->n_values * sizeof *e->bound);
}

/* Forgets what was evaluated since, but for accumulators. */
static void scope_leave(Emitter *e, const Binding *outer)
{
    for (uint32_t v = 0; v < e->kernel->n_values; v++) {
        Binding now = e->bound[v];
        e->bound[v] = outer[v];
        e->bound[v].sum = now.sum;
        e->bound[v].best = now.best;
    }
}

/* Evaluates, before a loop begins, all that the group needs and that the loop does not change. */
static void hoist(Emitter *e, const uint32_t *group, uint32_t n_group)
{
    uint32_t n_values = e->kernel->n_values;
    bool *needed = ARENA_ARRAY(e->arena, bool, n_values);
    for (uint32_t i = 0; i < n_group; i++) mark_needed(e, group[i], needed);
    for (uint32_t v = 0; v < n_values; v++) {
        const KernelValue *value = &e->kernel->values[v];
        if (!needed[v]) continue;
        if (is_access(value)) access_extend(e, v);
        if (e->kept[v].store != UINT32_MAX) access_extend(e, e->kept[v].store);
        bool still = !(value->domain & ~e->open) && !is_sink(value);
        bool reduce = value->kind == KERNEL_REDUCE || v == e->given;
        if (still && !reduce && value->kind != KERNEL_CONSTANT && !blocked_axes(e, v)) value_emit(e, v);
    }
}

static void emit_stage(Emitter *e, uint32_t stage)
{
    switch (e->kernel->values[stage].kind) {
    case KERNEL_STORE:
        emit_store(e, stage);
        break;
    case KERNEL_SCATTER:
        emit_scatter(e, stage);
        break;
    default:
        reduce_point(e, stage);
        break;
    }
}

/* ---- Accumulators between blocks ---- */

static void take(const Emitter *e, const Loop *loop, Accumulator *to)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        const Binding *bound = &e->bound[loop->reduces[i]];
        to[i] = (Accumulator){bound->sum, bound->best};
    }
}

static void give(Emitter *e, const Loop *loop, const Accumulator *from)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        Binding *bound = &e->bound[loop->reduces[i]];
        bound->sum = from[i].sum;
        bound->best = from[i].best;
    }
}

static Accumulator *take_copy(const Emitter *e, const Loop *loop, const Accumulator *sums)
{
    return ARENA_COPY(e->arena, Accumulator, sums, loop->n_reduces);
}

static LLVMValueRef phi_like(const Emitter *e, LLVMValueRef value)
{
    return value ? LLVMBuildPhi(e->vector->builder, LLVMTypeOf(value), "") : NULL;
}

static void add_incoming(LLVMValueRef phi, LLVMValueRef value, LLVMBasicBlockRef from)
{
    if (phi) LLVMAddIncoming(phi, &value, &from, 1);
}

static LLVMBasicBlockRef new_block(const Emitter *e, const char *name)
{
    return LLVMAppendBasicBlockInContext(e->vector->context, e->function, name);
}

/* ---- One pass over part of an axis ---- */

/* The loop's body for the point or vector `at`; sums are replaced. */
static void emit_body(Emitter *e, const Loop *loop, LLVMValueRef at, Accumulator *sums)
{
    Binding *outer = scope_enter(e);
    e->at[loop->axis] = at;
    give(e, loop, sums);
    block_emit(e, loop->group, loop->n_group);
    take(e, loop, sums);
    scope_leave(e, outer);
}

/* Phis of the accumulators in the block where the builder stands. */
static Accumulator *make_phis(Emitter *e, const Loop *loop, const Accumulator *like)
{
    Accumulator *phis = ARENA_ARRAY(e->arena, Accumulator, loop->n_reduces + 1);
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        phis[i] = (Accumulator){phi_like(e, like[i].sum), phi_like(e, like[i].best)};
    }
    return phis;
}

static void add_sums(const Loop *loop, const Accumulator *phis, const Accumulator *sums, LLVMBasicBlockRef from)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        add_incoming(phis[i].sum, sums[i].sum, from);
        add_incoming(phis[i].best, sums[i].best, from);
    }
}

/* for (i = from; i < to; i += step) with the lanes beyond `to` masked out, or without a mask while all lanes are in
 * use. Gives where it ended; sums go in and out. */
static LLVMValueRef emit_strip(Emitter *e, const Loop *loop, LLVMValueRef from, LLVMValueRef to, bool masked,
                               Accumulator *sums)
{
    LLVMBuilderRef builder = e->vector->builder;
    uint32_t step = loop->vectorised ? e->lanes : 1;
    LLVMValueRef limit = masked || step == 1 ? to : LLVMBuildNSWSub(builder, to, const_i64(e, step - 1), "");
    LLVMBasicBlockRef before = LLVMGetInsertBlock(builder), body = new_block(e, "loop"), after = new_block(e, "after");
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSLT, from, limit, ""), body, after);

    LLVMPositionBuilderAtEnd(builder, body);
    LLVMValueRef at = LLVMBuildPhi(builder, type_i64(e), "i"), outer_mask = e->mask;
    Accumulator *phis = make_phis(e, loop, sums), *first = take_copy(e, loop, sums);
    for (uint32_t i = 0; i < loop->n_reduces; i++) sums[i] = phis[i];
    if (masked) e->mask = vector_mask(e->vector, LLVMBuildNSWSub(builder, to, at, ""), e->lanes);
    emit_body(e, loop, at, sums);
    e->mask = outer_mask;
    LLVMValueRef next = LLVMBuildNSWAdd(builder, at, const_i64(e, step), "");
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(builder);
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSLT, next, limit, ""), body, after);
    add_incoming(at, from, before);
    add_incoming(at, next, latch);
    add_sums(loop, phis, first, before);
    add_sums(loop, phis, sums, latch);

    LLVMPositionBuilderAtEnd(builder, after);
    LLVMValueRef end = LLVMBuildPhi(builder, type_i64(e), "");
    Accumulator *last = make_phis(e, loop, first);
    add_incoming(end, from, before);
    add_incoming(end, next, latch);
    add_sums(loop, last, first, before);
    add_sums(loop, last, sums, latch);
    for (uint32_t i = 0; i < loop->n_reduces; i++) sums[i] = last[i];
    return end;
}

/* ---- A whole loop ---- */

/* Sets the accumulators to begin with: the identity, or what outer loops over the same sum have so far. */
static void begin_sums(Emitter *e, const Loop *loop, const Accumulator *outside, Accumulator *sums)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        bool vector = stage_axes(&e->kernel->values[reduce]) & axis_bit(e->vector_axis);
        if (loop->vectorised || !outside[i].sum) reduce_begin(e, reduce, vector ? e->lanes : 1);
    }
    take(e, loop, sums);
}

static void fold_sums(Emitter *e, const Loop *loop, uint32_t lanes, Accumulator *sums)
{
    give(e, loop, sums);
    for (uint32_t i = 0; i < loop->n_reduces; i++) reduce_fold(e, loop->reduces[i], lanes);
    take(e, loop, sums);
}

static void emit_vector_strips(Emitter *e, const Loop *loop, LLVMValueRef from, LLVMValueRef to,
                               const Accumulator *outside, Accumulator *sums)
{
    uint32_t lanes = e->vector->lanes;
    bool wide = stages_go_wide(e, loop->group, loop->n_group);
    e->open |= axis_bit(loop->axis);
    e->vector_axis = loop->axis;
    e->lanes = wide ? WIDE * lanes : lanes;
    begin_sums(e, loop, outside, sums);
    /* Where masks are not free, whole vectors come first without one. */
    if (wide || !e->vector->has_masks) from = emit_strip(e, loop, from, to, false, sums);
    e->lanes = lanes;
    fold_sums(e, loop, lanes, sums);
    emit_strip(e, loop, from, to, true, sums);
    fold_sums(e, loop, 1, sums);
    e->vector_axis = NO_AXIS;
}

/* A loop that runs once. */
static void emit_single(Emitter *e, const Loop *loop, const Accumulator *outside, Accumulator *sums)
{
    e->open |= axis_bit(loop->axis);
    begin_sums(e, loop, outside, sums);
    emit_body(e, loop, const_i64(e, 0), sums);
}

static void emit_loop(Emitter *e, const Loop *loop, const Accumulator *outside, Accumulator *sums)
{
    uint32_t extent = e->kernel->axes[loop->axis].extent;
    LLVMValueRef from = e->from[loop->axis], to = e->to[loop->axis];
    bool single = !from && e->kernel->sizes[extent].known && e->kernel->sizes[extent].value == 1;
    if (!from) from = const_i64(e, 0);
    if (!to) to = size_value(e, extent);
    if (single) {
        emit_single(e, loop, outside, sums);
    } else if (loop->vectorised) {
        emit_vector_strips(e, loop, from, to, outside, sums);
    } else {
        e->open |= axis_bit(loop->axis);
        begin_sums(e, loop, outside, sums);
        emit_strip(e, loop, from, to, false, sums);
    }
    e->open &= ~axis_bit(loop->axis);
    e->at[loop->axis] = NULL;
}

/* Ends the loop's reductions: a vector loop's sums join those of outer loops; what the axis was the last of becomes a
 * value. */
static void finish_reduces(Emitter *e, const Loop *loop, const Accumulator *outside, const Accumulator *sums)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        Binding *bound = &e->bound[reduce];
        bool joins = loop->vectorised && outside[i].sum;
        bound->sum = joins ? outside[i].sum : sums[i].sum;
        bound->best = joins ? outside[i].best : sums[i].best;
        if (joins) reduce_join(e, reduce, sums[i].sum, sums[i].best);
        if (e->kernel->values[reduce].reduced & e->open) continue;
        bound->value = bound->sum;
        bound->sum = bound->best = NULL;
    }
}

static void emit_group(Emitter *e, uint32_t axis, bool vectorised, const uint32_t *group, uint32_t n_group)
{
    Loop loop = {axis, vectorised, group, n_group, ARENA_ARRAY(e->arena, uint32_t, n_group), 0};
    for (uint32_t i = 0; i < n_group; i++) {
        if (e->kernel->values[group[i]].reduced & axis_bit(axis)) loop.reduces[loop.n_reduces++] = group[i];
    }
    hoist(e, group, n_group);
    Accumulator *outside = ARENA_ARRAY(e->arena, Accumulator, n_group);
    Accumulator *sums = ARENA_ARRAY(e->arena, Accumulator, n_group);
    take(e, &loop, outside);
    Binding *outer = scope_enter(e);
    emit_loop(e, &loop, outside, sums);
    scope_leave(e, outer);
    finish_reduces(e, &loop, outside, sums);
    for (uint32_t i = 0; i < n_group; i++) e->bound[group[i]].stored = true;
}

void block_emit(Emitter *e, const uint32_t *sinks, uint32_t n_sinks)
{
    uint32_t n_stages;
    uint32_t *stages = pending_stages(e, sinks, n_sinks, &n_stages);
    uint32_t *group = ARENA_ARRAY(e->arena, uint32_t, n_stages);
    while (n_stages) {
        uint32_t n_group = 1;
        group[0] = stages[0];
        if (!(stage_axes(&e->kernel->values[stages[0]]) & ~e->open)) {
            emit_stage(e, stages[0]);
        } else {
            bool vectorised;
            uint32_t axis = choose_axis(e, stages, n_stages, &vectorised, group, &n_group);
            assert(axis != NO_AXIS && "stages that wait for each other");
            emit_group(e, axis, vectorised, group, n_group);
        }
        uint32_t left = 0;
        for (uint32_t i = 0, g = 0; i < n_stages; i++) {
            if (g < n_group && stages[i] == group[g])
                g++;
            else
                stages[left++] = stages[i];
        }
        n_stages = left;
    }
}
