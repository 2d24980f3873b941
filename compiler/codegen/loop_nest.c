#include <assert.h>
#include <string.h>

#include "codegen/loop_internal.h"

enum { UNROLL = 4, CHEAP = 12 };

/* One loop over an axis for a group of stages. */
typedef struct {
    uint32_t axis;
    bool vectorised;
    const uint32_t *group;
    uint32_t n_group;
    uint32_t *reduces; /* of the group: those that the axis is reduced by */
    uint32_t n_reduces;
} Loop;

/* The accumulators of a loop's reductions: [copy][reduce]. */
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

/* The body for `copies` points (or vectors) from `at` on; accumulators [copy][reduce] are replaced. */
static void emit_copies(Emitter *e, const Loop *loop, LLVMValueRef at, uint32_t copies, Accumulator *sums)
{
    uint32_t step = loop->vectorised ? e->vector->lanes : 1;
    for (uint32_t c = 0; c < copies; c++) {
        Binding *outer = scope_enter(e);
        e->at[loop->axis] = c ? LLVMBuildNSWAdd(e->vector->builder, at, const_i64(e, c * step), "") : at;
        give(e, loop, sums + c * loop->n_reduces);
        block_emit(e, loop->group, loop->n_group);
        take(e, loop, sums + c * loop->n_reduces);
        scope_leave(e, outer);
    }
}

/* for (i = from; i + (copies * step) <= to; …) when `masked` is false, else for (i = from; i < to; i += step) with the
 * lanes beyond `to` masked out. Gives where it ended; sums go in and out. */
static LLVMValueRef emit_strip(Emitter *e, const Loop *loop, LLVMValueRef from, LLVMValueRef to, uint32_t copies,
                               bool masked, Accumulator *sums)
{
    LLVMBuilderRef builder = e->vector->builder;
    uint32_t step = copies * (loop->vectorised ? e->vector->lanes : 1), n_sums = copies * loop->n_reduces;
    LLVMValueRef width = const_i64(e, step);
    LLVMValueRef limit = masked || step == 1 ? to : LLVMBuildNSWSub(builder, to, const_i64(e, step - 1), "");
    LLVMBasicBlockRef before = LLVMGetInsertBlock(builder), body = new_block(e, "loop"), after = new_block(e, "after");
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSLT, from, limit, ""), body, after);

    Accumulator *phis = ARENA_ARRAY(e->arena, Accumulator, n_sums + 1),
                *first = ARENA_COPY(e->arena, Accumulator, sums, n_sums + 1);
    LLVMPositionBuilderAtEnd(builder, body);
    LLVMValueRef at = LLVMBuildPhi(builder, type_i64(e), "i");
    for (uint32_t i = 0; i < n_sums; i++) {
        sums[i] = phis[i] = (Accumulator){phi_like(e, first[i].sum), phi_like(e, first[i].best)};
    }
    LLVMValueRef outer_mask = e->mask;
    if (masked) e->mask = vector_mask(e->vector, LLVMBuildNSWSub(builder, to, at, ""), e->vector->lanes);
    emit_copies(e, loop, at, copies, sums);
    e->mask = outer_mask;
    LLVMValueRef next = LLVMBuildNSWAdd(builder, at, width, "");
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(builder);
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSLT, next, limit, ""), body, after);
    add_incoming(at, from, before);
    add_incoming(at, next, latch);

    LLVMPositionBuilderAtEnd(builder, after);
    LLVMValueRef end = LLVMBuildPhi(builder, type_i64(e), "");
    add_incoming(end, from, before);
    add_incoming(end, next, latch);
    for (uint32_t i = 0; i < n_sums; i++) {
        add_incoming(phis[i].sum, first[i].sum, before);
        add_incoming(phis[i].sum, sums[i].sum, latch);
        add_incoming(phis[i].best, first[i].best, before);
        add_incoming(phis[i].best, sums[i].best, latch);
        Accumulator last = {phi_like(e, first[i].sum), phi_like(e, first[i].best)};
        add_incoming(last.sum, first[i].sum, before);
        add_incoming(last.sum, sums[i].sum, latch);
        add_incoming(last.best, first[i].best, before);
        add_incoming(last.best, sums[i].best, latch);
        sums[i] = last;
    }
    return end;
}

/* ---- A whole loop ---- */

static uint32_t accumulator_lanes(const Emitter *e, const Loop *loop, uint32_t reduce)
{
    AxisMask vectors = axis_bit(e->vector_axis) | (loop->vectorised ? axis_bit(loop->axis) : 0);
    return stage_axes(&e->kernel->values[reduce]) & vectors ? e->vector->lanes : 1;
}

/* How many copies of the body run side by side: several accumulators hide an addition's latency, where the body is
 * small and nothing but reductions waits for it. */
static uint32_t unroll_factor(const Emitter *e, const Loop *loop)
{
    uint32_t cost = 0;
    for (uint32_t i = 0; i < loop->n_group; i++) {
        const KernelValue *stage = &e->kernel->values[loop->group[i]];
        if (stage->kind != KERNEL_REDUCE || reduce_keeps_index(stage)) return 1;
        if (stage_axes(stage) & ~e->open & ~axis_bit(loop->axis)) return 1;
        cost += stage_cost(e, loop->group[i]);
    }
    return cost <= CHEAP ? UNROLL : 1;
}

/* Pairwise, neighbours first. */
static void join_copies(Emitter *e, const Loop *loop, uint32_t copies, Accumulator *sums)
{
    for (uint32_t stride = 1; stride < copies; stride *= 2) {
        for (uint32_t c = 0; c + stride < copies; c += 2 * stride) {
            Accumulator *left = sums + c * loop->n_reduces, *right = sums + (c + stride) * loop->n_reduces;
            give(e, loop, left);
            for (uint32_t i = 0; i < loop->n_reduces; i++) {
                reduce_join(e, loop->reduces[i], right[i].sum, right[i].best);
            }
            take(e, loop, left);
        }
    }
}

static void emit_strips(Emitter *e, const Loop *loop, Accumulator *sums)
{
    const Kernel *kernel = e->kernel;
    LLVMValueRef from = e->from[loop->axis], to = e->to[loop->axis];
    if (!from) from = const_i64(e, 0);
    if (!to) to = size_value(e, kernel->axes[loop->axis].extent);
    uint32_t copies = unroll_factor(e, loop);
    /* A body without masks in front where masks cost more than a second copy of the code. */
    bool plain = loop->vectorised && (!e->vector->has_masks || copies > 1);
    e->open |= axis_bit(loop->axis);
    if (loop->vectorised) e->vector_axis = loop->axis;
    if (plain || copies > 1) {
        from = emit_strip(e, loop, from, to, copies, false, sums);
        join_copies(e, loop, copies, sums);
    }
    emit_strip(e, loop, from, to, 1, loop->vectorised, sums);
    e->open &= ~axis_bit(loop->axis);
    e->at[loop->axis] = NULL;
}

/* Ends the loop's reductions: a vector's lanes are folded; what the axis was the last of becomes a value. */
static void finish_reduces(Emitter *e, const Loop *loop, const Accumulator *outside, const Accumulator *sums)
{
    give(e, loop, sums);
    for (uint32_t i = 0; i < loop->n_reduces; i++) {
        uint32_t reduce = loop->reduces[i];
        Binding *bound = &e->bound[reduce];
        if (loop->vectorised) {
            reduce_fold(e, reduce);
            if (outside[i].sum) {
                Accumulator inner = {bound->sum, bound->best};
                bound->sum = outside[i].sum;
                bound->best = outside[i].best;
                reduce_join(e, reduce, inner.sum, inner.best);
            }
        }
        if (e->kernel->values[reduce].reduced & e->open) continue;
        bound->value = bound->sum;
        bound->sum = bound->best = NULL;
    }
}

static void loop_emit_group(Emitter *e, uint32_t axis, bool vectorised, const uint32_t *group, uint32_t n_group)
{
    Loop loop = {axis, vectorised, group, n_group, ARENA_ARRAY(e->arena, uint32_t, n_group), 0};
    for (uint32_t i = 0; i < n_group; i++) {
        if (e->kernel->values[group[i]].reduced & axis_bit(axis)) loop.reduces[loop.n_reduces++] = group[i];
    }
    hoist(e, group, n_group);
    uint32_t n_sums = UNROLL * loop.n_reduces;
    Accumulator *outside = ARENA_ARRAY(e->arena, Accumulator, n_sums + 1);
    Accumulator *sums = ARENA_ARRAY(e->arena, Accumulator, n_sums + 1);
    take(e, &loop, outside);
    for (uint32_t copy = 0; copy < UNROLL; copy++) {
        for (uint32_t i = 0; i < loop.n_reduces; i++) {
            bool goes_on = copy == 0 && !vectorised && outside[i].sum;
            if (!goes_on) reduce_begin(e, loop.reduces[i], accumulator_lanes(e, &loop, loop.reduces[i]));
            Binding *bound = &e->bound[loop.reduces[i]];
            sums[copy * loop.n_reduces + i] = goes_on ? outside[i] : (Accumulator){bound->sum, bound->best};
        }
    }
    Binding *outer = scope_enter(e);
    uint32_t outer_vector_axis = e->vector_axis;
    emit_strips(e, &loop, sums);
    e->vector_axis = outer_vector_axis;
    scope_leave(e, outer);
    finish_reduces(e, &loop, outside, sums);
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
            loop_emit_group(e, axis, vectorised, group, n_group);
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
