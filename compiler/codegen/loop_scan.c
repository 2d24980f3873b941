/* Scans: a loop over the axis carries what was accumulated, as it does for a reduction, and each point takes its value
 * from there. Along the vector axis the lanes of a vector are scanned in a tree (W. Hillis, G. Steele: Data Parallel
 * Algorithms, CACM 1986): after the step of distance d a lane holds the 2d lanes up to itself. */
#include <assert.h>

#include "codegen/loop_internal.h"

uint32_t accumulator_lanes(const LoopEmitter *e, const KernelValue *value)
{
    AxisMask vector = axis_bit(e->vector_axis);
    if (value->kind == KERNEL_SCAN && value->reduced == vector) return 1;
    return stage_axes(value) & vector ? e->lanes : 1;
}

/* a and then b. */
static LLVMValueRef combine(LoopEmitter *e, uint32_t scan, LLVMValueRef a, LLVMValueRef b)
{
    LoopValue *bound = &e->bound[scan];
    LLVMValueRef kept = bound->sum;
    bound->sum = a;
    reduce_join(e, scan, b, NULL);
    LLVMValueRef both = bound->sum;
    bound->sum = kept;
    return both;
}

static LLVMValueRef identity(LoopEmitter *e, uint32_t scan, uint32_t lanes)
{
    LoopValue *bound = &e->bound[scan];
    LLVMValueRef kept = bound->sum;
    reduce_begin(e, scan, lanes);
    LLVMValueRef nothing = bound->sum;
    bound->sum = kept;
    return nothing;
}

/* Each lane from `distance` on joined with the one so far before it. The lanes are rotated, not shifted: an operation
 * on some lanes is cheaper than moving zeros in. */
static LLVMValueRef join_lanes(LoopEmitter *e, uint32_t scan, LLVMValueRef x, uint32_t distance)
{
    LLVMTypeRef i32 = LLVMInt32TypeInContext(e->vector->context), i1 = LLVMInt1TypeInContext(e->vector->context);
    LLVMValueRef order[MAX_LANES], joined[MAX_LANES];
    uint32_t lanes = vector_lanes(x);
    for (uint32_t i = 0; i < lanes; i++) {
        order[i] = LLVMConstInt(i32, (lanes + i - distance) % lanes, false);
        joined[i] = LLVMConstInt(i1, i >= distance, false);
    }
    LLVMValueRef before = LLVMBuildShuffleVector(e->vector->builder, x, x, LLVMConstVector(order, lanes), "");
    return vector_select(e->vector, LLVMConstVector(joined, lanes), combine(e, scan, before, x), x);
}

LLVMValueRef scan_point(LoopEmitter *e, uint32_t scan)
{
    const KernelValue *value = &e->kernel->values[scan];
    LoopValue *bound = &e->bound[scan];
    uint32_t lanes = value_lanes(e, scan);
    LLVMValueRef x = value_wide(e, value->args[0], lanes), before = bound->sum;
    assert(before && "a scan is evaluated inside of the loop that accumulates it");
    if (value->reduced != axis_bit(e->vector_axis)) return bound->sum = combine(e, scan, before, x);
    if (e->mask) x = vector_select(e->vector, e->mask, x, identity(e, scan, lanes));
    for (uint32_t distance = 1; distance < lanes; distance *= 2) x = join_lanes(e, scan, x, distance);
    LLVMValueRef last = LLVMConstInt(LLVMInt32TypeInContext(e->vector->context), lanes - 1, false);
    LLVMValueRef total = LLVMBuildExtractElement(e->vector->builder, x, last, "");
    bound->sum = combine(e, scan, before, total);
    return combine(e, scan, vector_splat(e->vector, before, lanes), x);
}
