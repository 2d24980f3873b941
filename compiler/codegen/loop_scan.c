/* Scans: a loop over the axis carries what was accumulated, as it does for a reduction, and each point takes its value
 * from there. Along the vector axis the lanes of a vector are scanned in a tree (W. Hillis, G. Steele: Data Parallel
 * Algorithms, CACM 1986): after the step of distance d a lane holds the 2d lanes up to itself. */
#include <assert.h>

#include "codegen/loop_internal.h"

uint32_t accumulator_lanes(const Emitter *e, const KernelValue *value)
{
    AxisMask vector = axis_bit(e->vector_axis);
    if (value->kind == KERNEL_SCAN && value->reduced == vector) return 1;
    return stage_axes(value) & vector ? e->lanes : 1;
}

/* a and then b. */
static LLVMValueRef combine(Emitter *e, uint32_t scan, LLVMValueRef a, LLVMValueRef b)
{
    Binding *bound = &e->bound[scan];
    LLVMValueRef kept = bound->sum;
    bound->sum = a;
    reduce_join(e, scan, b, NULL);
    LLVMValueRef both = bound->sum;
    bound->sum = kept;
    return both;
}

static LLVMValueRef identity(Emitter *e, uint32_t scan, uint32_t lanes)
{
    Binding *bound = &e->bound[scan];
    LLVMValueRef kept = bound->sum;
    reduce_begin(e, scan, lanes);
    LLVMValueRef nothing = bound->sum;
    bound->sum = kept;
    return nothing;
}

/* Lane i is lane i - distance of x; the first ones are the identity's. */
static LLVMValueRef shift_lanes(const Emitter *e, LLVMValueRef x, LLVMValueRef nothing, uint32_t distance)
{
    LLVMTypeRef i32 = LLVMInt32TypeInContext(e->vector->context);
    uint32_t lanes = vector_lanes(x);
    LLVMValueRef order[MAX_LANES];
    for (uint32_t i = 0; i < lanes; i++) order[i] = LLVMConstInt(i32, i < distance ? lanes : i - distance, false);
    return LLVMBuildShuffleVector(e->vector->builder, x, nothing, LLVMConstVector(order, lanes), "");
}

LLVMValueRef scan_point(Emitter *e, uint32_t scan)
{
    const KernelValue *value = &e->kernel->values[scan];
    Binding *bound = &e->bound[scan];
    uint32_t lanes = value_lanes(e, scan);
    LLVMValueRef x = value_wide(e, value->args[0], lanes), before = bound->sum;
    assert(before && "a scan is evaluated inside of the loop that accumulates it");
    if (value->reduced != axis_bit(e->vector_axis)) return bound->sum = combine(e, scan, before, x);
    LLVMValueRef nothing = identity(e, scan, lanes);
    if (e->mask) x = vector_select(e->vector, e->mask, x, nothing);
    for (uint32_t distance = 1; distance < lanes; distance *= 2)
        x = combine(e, scan, shift_lanes(e, x, nothing, distance), x);
    LLVMValueRef last = LLVMConstInt(LLVMInt32TypeInContext(e->vector->context), lanes - 1, false);
    LLVMValueRef total = LLVMBuildExtractElement(e->vector->builder, x, last, "");
    bound->sum = combine(e, scan, before, total);
    return combine(e, scan, vector_splat(e->vector, before, lanes), x);
}
