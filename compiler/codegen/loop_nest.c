#include <assert.h>
#include <string.h>

#include "codegen/loop_internal.h"

/* Evaluates, before a loop begins, all that the group needs and that the loop does not change. */
static void hoist(LoopEmitter *e, const uint32_t *group, uint32_t n_group)
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

static void emit_stage(LoopEmitter *e, uint32_t stage)
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

/* ---- A whole loop ---- */

static bool is_scan(const LoopEmitter *e, uint32_t value)
{
    return e->kernel->values[value].kind == KERNEL_SCAN;
}

/* Sets the accumulators to begin with: the identity, or what outer loops over the same reduction have so far where the
 * order does not matter. */
static void begin_sums(LoopEmitter *e, const Loop *loop, const Accumulator *outside, Accumulator *sums)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        uint32_t lanes = accumulator_lanes(e, &e->kernel->values[reduce]);
        if (loop->vectorised || !outside[i].sum || reduce_is_ordered(e, reduce)) reduce_begin(e, reduce, lanes);
    }
    sums_take(e, loop, sums);
}

static void fold_sums(LoopEmitter *e, const Loop *loop, uint32_t lanes, Accumulator *sums)
{
    sums_give(e, loop, sums);
    for (uint32_t i = 0; i < loop->n_reduces; i++)
        if (!is_scan(e, loop->reduces[i])) reduce_fold(e, loop->reduces[i], lanes);
    sums_take(e, loop, sums);
}

/* The part of an axis that fills all accumulators of ordered sums, whatever the width of the code: skipped at once
 * where the axis is shorter. Gives where the rest begins. */
static LLVMValueRef emit_filled(LoopEmitter *e, const Loop *loop, LLVMValueRef from, LLVMValueRef to, bool wide,
                                Accumulator *sums)
{
    LLVMBuilderRef builder = e->vector->builder;
    uint32_t lanes = e->lanes, filled = LANE_REGISTERS * lanes;
    LLVMValueRef end = LLVMBuildAnd(builder, to, const_i64(e, -(int64_t)filled), "");
    LLVMBasicBlockRef before = LLVMGetInsertBlock(builder);
    LLVMBasicBlockRef body = emitter_block(e, "filled"), rest = emitter_block(e, "rest");
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSLT, from, end, ""), body, rest);
    Accumulator *first = sums_copy(e, loop, sums);

    LLVMPositionBuilderAtEnd(builder, body);
    e->lanes = wide ? filled : lanes;
    begin_sums(e, loop, sums, sums);
    leaves_emit(e, loop, &(Strip){.from = from, .limit = end, .some = true}, sums);
    e->lanes = lanes;
    fold_sums(e, loop, lanes, sums);
    body = LLVMGetInsertBlock(builder);
    LLVMBuildBr(builder, rest);

    LLVMPositionBuilderAtEnd(builder, rest);
    LLVMValueRef at = LLVMBuildPhi(builder, type_i64(e), "");
    Accumulator *phis = sums_phis(e, loop, first);
    phi_incoming(at, from, before);
    phi_incoming(at, end, body);
    sums_incoming(loop, phis, first, before);
    sums_incoming(loop, phis, sums, body);
    for (uint32_t i = 0; i < loop->n_reduces; i++) sums[i] = phis[i];
    return at;
}

/* Where masks are not free, whole vectors come first without one. */
static void emit_vector_strips(LoopEmitter *e, const Loop *loop, LLVMValueRef from, LLVMValueRef to,
                               const Accumulator *outside, Accumulator *sums)
{
    uint32_t lanes = e->vector->lanes;
    bool wide = stages_go_wide(e, loop->group, loop->n_group), ordered = loop_is_ordered(e, loop);
    e->open |= axis_bit(loop->axis);
    e->vector_axis = loop->axis;
    e->lanes = wide && !ordered ? LANE_REGISTERS * lanes : lanes;
    begin_sums(e, loop, outside, sums);
    if (ordered) from = emit_filled(e, loop, from, to, wide, sums);
    /* A mask in each turn would cost elementary functions an eighth. */
    bool apart = stages_are_elementary(e, loop->group, loop->n_group);
    if (ordered ? !wide && !e->vector->has_masks : wide || apart || !e->vector->has_masks) {
        LLVMValueRef limit = LLVMBuildNSWSub(e->vector->builder, to, const_i64(e, (int64_t)e->lanes - 1), "");
        from = strip_emit(e, loop, &(Strip){.from = from, .limit = limit}, sums);
    }
    e->lanes = lanes;
    fold_sums(e, loop, lanes, sums);
    strip_emit(e, loop, &(Strip){.from = from, .limit = to, .masked_to = to}, sums);
    fold_sums(e, loop, 1, sums);
    e->vector_axis = NO_AXIS;
}

/* A loop that runs once. */
static void emit_single(LoopEmitter *e, const Loop *loop, const Accumulator *outside, Accumulator *sums)
{
    e->open |= axis_bit(loop->axis);
    begin_sums(e, loop, outside, sums);
    loop_body(e, loop, const_i64(e, 0), sums);
}

static void emit_loop(LoopEmitter *e, const Loop *loop, const Accumulator *outside, Accumulator *sums)
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
        leaves_emit(e, loop, &(Strip){.from = from, .limit = to}, sums);
    }
    e->open &= ~axis_bit(loop->axis);
    e->at[loop->axis] = NULL;
}

/* A copy across: squares, then what they leave of the other axis, then what they leave of this one. */
static void emit_across(LoopEmitter *e, const Loop *loop, uint32_t other, Accumulator *sums)
{
    uint32_t axis = loop->axis;
    LLVMValueRef from = e->from[axis], to = e->to[axis], other_from = e->from[other], end, other_end;
    squares_emit(e, loop->group[0], axis, other, &end, &other_end);
    e->to[axis] = end;
    e->from[other] = other_end;
    emit_loop(e, loop, sums, sums);
    e->from[axis] = end;
    e->to[axis] = to;
    e->from[other] = other_from;
    emit_loop(e, loop, sums, sums);
    e->from[axis] = from;
}

/* Ends the loop's reductions: the sums of a loop that began with none of outer loops' join those; what the axis was the
 * last of becomes a value. */
static void finish_reduces(LoopEmitter *e, const Loop *loop, const Accumulator *outside, const Accumulator *sums)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        LoopValue *bound = &e->bound[reduce];
        if (is_scan(e, reduce)) {
            bound->sum = NULL; /* its values were those inside of the loop */
            continue;
        }
        bool joins = outside[i].sum && (loop->vectorised || reduce_is_ordered(e, reduce));
        bound->sum = joins ? outside[i].sum : sums[i].sum;
        bound->best = joins ? outside[i].best : sums[i].best;
        if (joins) reduce_join(e, reduce, sums[i].sum, sums[i].best);
        if (e->kernel->values[reduce].reduced & e->open) continue;
        bound->value = math_round(e->vector, e->kernel->values[reduce].dtype, bound->sum);
        bound->sum = bound->best = NULL;
    }
}

static void add_accumulated(Loop *loop, uint32_t value)
{
    for (uint32_t i = 0; i < loop->n_reduces; i++)
        if (loop->reduces[i] == value) return;
    loop->reduces[loop->n_reduces++] = value;
}

/* What the loop accumulates: the reductions of its group, or the scans that its stages need. */
static void find_accumulated(const LoopEmitter *e, Loop *loop)
{
    uint32_t *scans = ARENA_ARRAY(e->arena, uint32_t, e->kernel->n_values);
    loop->reduces = ARENA_ARRAY(e->arena, uint32_t, e->kernel->n_values);
    for (uint32_t i = 0; i < loop->n_group; i++) {
        uint32_t stage = loop->group[i], count = pending_scans(e, stage, loop->axis, scans);
        if (e->kernel->values[stage].reduced & axis_bit(loop->axis)) add_accumulated(loop, stage);
        for (uint32_t k = 0; k < count; k++) add_accumulated(loop, scans[k]);
    }
}

static void emit_group(LoopEmitter *e, uint32_t axis, bool vectorised, const uint32_t *group, uint32_t n_group)
{
    Loop loop = {axis, vectorised, group, n_group, NULL, 0};
    find_accumulated(e, &loop);
    hoist(e, group, n_group);
    Accumulator *outside = ARENA_ARRAY(e->arena, Accumulator, loop.n_reduces + 1);
    Accumulator *sums = ARENA_ARRAY(e->arena, Accumulator, loop.n_reduces + 1);
    sums_take(e, &loop, outside);
    LoopValue *outer = scope_enter(e);
    uint32_t other;
    if (vectorised && n_group == 1 && copies_across(e, group[0], axis, &other))
        emit_across(e, &loop, other, sums);
    else
        emit_loop(e, &loop, outside, sums);
    scope_leave(e, outer);
    finish_reduces(e, &loop, outside, sums);
    for (uint32_t i = 0; i < n_group; i++) e->bound[group[i]].stored = true;
}

void block_emit(LoopEmitter *e, const uint32_t *sinks, uint32_t n_sinks)
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
