#include "codegen/loop.h"

#include <stddef.h>

#include "codegen/loop_internal.h"

static LLVMValueRef load_field(const LoopEmitter *e, LLVMValueRef structure, LLVMTypeRef type, unsigned byte)
{
    LLVMBuilderRef builder = e->vector->builder;
    if (!byte) return LLVMBuildLoad2(builder, type, structure, "");
    LLVMTypeRef i8 = LLVMInt8TypeInContext(e->vector->context);
    LLVMValueRef offset = const_i64(e, byte);
    return LLVMBuildLoad2(builder, type, LLVMBuildGEP2(builder, i8, structure, &offset, 1, ""), "");
}

/* What a kernel's function uses; the rest is not read. */
typedef struct {
    bool random, error, zero, spill, nowhere;
} Uses;

static Uses kernel_uses(const Kernel *kernel)
{
    Uses uses = {0};
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        const KernelValue *value = &kernel->values[v];
        uses.random |= value->kind == KERNEL_RANDOM;
        uses.zero |= value->kind == KERNEL_LOAD && value->n_args;
        uses.spill |= is_sink(value);
        for (uint32_t i = 0; i < value->n_index; i++) {
            uses.error |= value->index[i].checked;
            uses.nowhere |= is_access(value) && !index_is_walked(&value->index[i]);
        }
    }
    return uses;
}

static void read_sizes(LoopEmitter *e, LLVMValueRef from)
{
    const Kernel *kernel = e->kernel;
    e->sizes = ARENA_ARRAY(e->arena, LLVMValueRef, kernel->n_sizes);
    for (uint32_t i = 0; i < kernel->n_sizes; i++) {
        if (kernel->sizes[i].known)
            e->sizes[i] = const_i64(e, kernel->sizes[i].value);
        else
            e->sizes[i] = load_field(e, from, type_i64(e), i * 8);
        if (!kernel->sizes[i].known) LLVMSetValueName2(e->sizes[i], "size", 4);
    }
}

static void read_buffers(LoopEmitter *e, LLVMValueRef from)
{
    LLVMTypeRef pointer = LLVMPointerTypeInContext(e->vector->context, 0);
    for (uint32_t i = 0; i < e->kernel->n_buffers; i++) {
        e->buffers[i].pointer = load_field(e, from, pointer, i * 8);
        LLVMSetValueName2(e->buffers[i].pointer, "buffer", 6);
    }
}

static void read_strides(LoopEmitter *e)
{
    const Kernel *kernel = e->kernel;
    e->buffers = ARENA_ARRAY(e->arena, MemoryWalk, kernel->n_buffers);
    for (uint32_t i = 0; i < kernel->n_buffers; i++) {
        walk_strides(e, &e->buffers[i], kernel->buffers[i].rank, kernel->buffers[i].dims);
    }
}

/* The fields of nn_kernel_args beside sizes. */
static void read_args(LoopEmitter *e, LLVMValueRef args)
{
    LLVMBuilderRef builder = e->vector->builder;
    LLVMTypeRef pointer = LLVMPointerTypeInContext(e->vector->context, 0);
    Uses uses = kernel_uses(e->kernel);
    read_buffers(e, load_field(e, args, pointer, offsetof(nn_kernel_args, buffers)));
    if (uses.random) {
        e->seed = load_field(e, args, type_i64(e), offsetof(nn_kernel_args, seed));
        e->step = load_field(e, args, type_i64(e), offsetof(nn_kernel_args, step));
    }
    if (uses.error) e->error = load_field(e, args, pointer, offsetof(nn_kernel_args, error));
    if (uses.error || uses.spill) e->spill = LLVMBuildAlloca(builder, type_i64(e), "spill");
    if (uses.nowhere) {
        LLVMTypeRef room = LLVMArrayType2(type_i64(e), MAX_LANES);
        e->nowhere = LLVMBuildAlloca(builder, room, "nowhere");
        LLVMSetAlignment(e->nowhere, 64);
        LLVMBuildStore(builder, LLVMConstNull(room), e->nowhere);
    }
    if (!uses.zero) return;
    e->zero = LLVMBuildAlloca(builder, type_i64(e), "zero");
    LLVMBuildStore(builder, const_i64(e, 0), e->zero);
}

LoopEmitter *emitter_begin(Arena *arena, Vector *vector, const Kernel *kernel, const char *symbol, LLVMTypeRef type,
                           EmitWhat what)
{
    LoopEmitter *e = ARENA_NEW(arena, LoopEmitter);
    e->arena = arena;
    e->vector = vector;
    e->kernel = kernel;
    e->vector_axis = NO_AXIS;
    e->given = UINT32_MAX;
    e->bound = ARENA_ARRAY(arena, LoopValue, kernel->n_values);
    e->function = LLVMAddFunction(vector->module, symbol, type);
    vector_attributes(vector, e->function);
    LLVMPositionBuilderAtEnd(vector->builder, LLVMAppendBasicBlockInContext(vector->context, e->function, "entry"));
    LLVMTypeRef pointer = LLVMPointerTypeInContext(vector->context, 0);
    LLVMValueRef first = LLVMGetParam(e->function, 0);
    bool kernel_args = what == EMIT_KERNEL;
    read_sizes(e, kernel_args ? load_field(e, first, pointer, offsetof(nn_kernel_args, sizes)) : first);
    read_strides(e);
    if (kernel_args) read_args(e, first);
    return e;
}

void emitter_finish(LoopEmitter *e, uint32_t skip)
{
    uint32_t *sinks = ARENA_ARRAY(e->arena, uint32_t, e->kernel->n_values), count = 0;
    find_kept(e);
    for (uint32_t v = 0; v < e->kernel->n_values; v++) {
        if (is_sink(&e->kernel->values[v]) && v != skip) sinks[count++] = v;
    }
    block_emit(e, sinks, count);
    LLVMBuildRetVoid(e->vector->builder);
}

/* ---- Splitting among threads ---- */

/* True when tasks may each take a part of the axis: every store depends on it (and no two points meet), and no
 * reduction or scan crosses it. */
static bool can_split(const Kernel *kernel, uint32_t axis)
{
    bool stores = false;
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        const KernelValue *value = &kernel->values[v];
        if (value->reduced & axis_bit(axis)) return false;
        if (!is_sink(value)) continue;
        stores = true;
        if (!(value->domain & axis_bit(axis))) return false;
        if (value->kind == KERNEL_SCATTER && !scatter_separates(value, axis)) return false;
    }
    const KernelSize *extent = &kernel->sizes[kernel->axes[axis].extent];
    return stores && !(extent->known && extent->value == 1);
}

static uint32_t split_axis(const Kernel *kernel)
{
    for (uint32_t axis = 0; axis < kernel->n_axes; axis++) {
        if (can_split(kernel, axis)) return axis;
    }
    return NO_AXIS;
}

enum { WIDEST = 16 };

/* A task takes single points of an axis, unless neighbours are read along it: then tasks of fewer of them than fill the
 * registers would each bring in the same lines. Whole vectors of the widest variant where there is no other axis. */
static uint32_t task_align(const Kernel *kernel, uint32_t axis, bool alone)
{
    uint32_t align = alone ? WIDEST : 1;
    for (uint32_t v = 0; v < kernel->n_values && !alone; v++) {
        const KernelValue *load = &kernel->values[v];
        bool other = load->domain & ~axis_bit(axis);
        if (load->kind == KERNEL_LOAD && other && walks_next(kernel, load, axis)) align = LANE_REGISTERS * WIDEST;
    }
    return align;
}

void kernel_describe(const Kernel *kernel, nn_kernel *out)
{
    KernelContraction form;
    *out = (nn_kernel){.kind = NN_KERNEL_LOOP, .align = 1, .split = -1};
    if (contraction_find(kernel, &form)) {
        out->kind = NN_KERNEL_CONTRACTION;
        out->dtype = (uint8_t)kernel->values[form.reduce].dtype;
        return;
    }
    uint32_t axis = split_axis(kernel);
    AxisMask work = 0;
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        AxisMask axes = stage_axes(&kernel->values[v]);
        if (__builtin_popcount(axes) > __builtin_popcount(work)) work = axes;
    }
    for (uint32_t a = 0; a < kernel->n_axes && out->n_work < sizeof out->work; a++) {
        if (a != axis && work & axis_bit(a)) out->work[out->n_work++] = (uint8_t)kernel->axes[a].extent;
    }
    if (axis == NO_AXIS) return;
    out->split = (int32_t)kernel->axes[axis].extent;
    out->align = task_align(kernel, axis, out->n_work == 0);
}

void loop_emit(Arena *arena, Vector *vector, const Kernel *kernel, const char *symbol)
{
    LLVMTypeRef i64 = LLVMInt64TypeInContext(vector->context);
    LLVMTypeRef parameters[] = {LLVMPointerTypeInContext(vector->context, 0), i64, i64};
    LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(vector->context), parameters, 3, false);
    LoopEmitter *e = emitter_begin(arena, vector, kernel, symbol, type, EMIT_KERNEL);
    uint32_t axis = split_axis(kernel);
    if (axis != NO_AXIS) {
        e->from[axis] = LLVMGetParam(e->function, 1);
        e->to[axis] = LLVMGetParam(e->function, 2);
    }
    emitter_finish(e, UINT32_MAX);
}
