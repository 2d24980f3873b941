/* Contractions: the description that the run time's driver works from, and the epilogue on finished tiles. */
#include <stddef.h>
#include <string.h>

#include "codegen/loop.h"
#include "codegen/loop_internal.h"

bool contraction_find(const Kernel *kernel, KernelContraction *form)
{
    if (!kernel_contraction(kernel, form)) return false;
    const KernelValue *sum = &kernel->values[form->reduce];
    const KernelValue *a = &kernel->values[form->a], *b = &kernel->values[form->b];
    bool plain = sum->dtype == DTYPE_F32 || sum->dtype == DTYPE_F64;
    plain &= kernel->buffers[a->buffer].dtype == sum->dtype && kernel->buffers[b->buffer].dtype == sum->dtype;
    for (uint32_t i = 0; i < a->n_index; i++) plain &= !a->index[i].checked;
    for (uint32_t i = 0; i < b->n_index; i++) plain &= !b->index[i].checked;
    bool fits = form->n_windows <= NN_MAX_WINDOWS && __builtin_popcount(form->lists) <= NN_MAX_LIST_AXES;
    return plain && fits && __builtin_popcount(form->batch) <= NN_MAX_BATCH_AXES;
}

/* A store of the sums as they are, rows contiguous, to memory that nothing else reads or writes. */
static bool is_plain_store(const Kernel *kernel, const KernelContraction *form, uint32_t value)
{
    const KernelValue *store = &kernel->values[value];
    if (store->kind != KERNEL_STORE || store->args[0] != form->reduce) return false;
    const KernelBuffer *buffer = &kernel->buffers[store->buffer];
    if (buffer->read || buffer->dtype != kernel->values[form->reduce].dtype) return false;
    bool contiguous = true;
    for (uint32_t d = store->n_index; d-- > 0;) {
        const KernelIndex *index = &store->index[d];
        if (index->value >= 0 || index->checked) return false;
        for (uint32_t t = 0; t < index->n_terms; t++) {
            if (index->terms[t].axis == form->n && (!contiguous || index->terms[t].factor != 1)) return false;
        }
        const KernelSize *size = &kernel->sizes[buffer->dims[d]];
        contiguous &= size->known && size->value == 1;
    }
    return true;
}

/* The store that the driver can do itself; UINT32_MAX when there is none. */
static uint32_t plain_store(const Kernel *kernel, const KernelContraction *form)
{
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        if (is_plain_store(kernel, form, v)) return v;
    }
    return UINT32_MAX;
}

bool contraction_has_tile(const Kernel *kernel, const KernelContraction *form)
{
    uint32_t plain = plain_store(kernel, form);
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        if (is_sink(&kernel->values[v]) && v != plain) return true;
    }
    return false;
}

/* ---- The description ---- */

static LLVMTypeRef pointer_type(const Vector *vector)
{
    return LLVMPointerTypeInContext(vector->context, 0);
}

/* The description being written: what is constant is copied from a template, the rest computed from sizes. */
typedef struct {
    LoopEmitter *e;
    char template[sizeof(nn_contraction)];
} Description;

static void set_field(Description *to, unsigned byte, LLVMValueRef value)
{
    LoopEmitter *e = to->e;
    if (LLVMIsAConstantInt(value)) {
        int64_t number = LLVMConstIntGetSExtValue(value);
        memcpy(to->template + byte, &number, LLVMGetIntTypeWidth(LLVMTypeOf(value)) / 8);
        return;
    }
    LLVMBuilderRef builder = e->vector->builder;
    LLVMValueRef offset = const_i64(e, byte);
    LLVMTypeRef i8 = LLVMInt8TypeInContext(e->vector->context);
    LLVMBuildStore(builder, value, LLVMBuildGEP2(builder, i8, LLVMGetParam(e->function, 1), &offset, 1, ""));
}

/* Begins with a copy of the template; its bytes are known at the end. */
static LLVMValueRef copy_template(LoopEmitter *e)
{
    LLVMTypeRef bytes = LLVMArrayType2(LLVMInt8TypeInContext(e->vector->context), sizeof(nn_contraction));
    LLVMValueRef global = LLVMAddGlobal(e->vector->module, bytes, "template");
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetGlobalConstant(global, true);
    LLVMSetAlignment(global, 8);
    LLVMBuildMemCpy(e->vector->builder, LLVMGetParam(e->function, 1), 8, global, 8,
                    const_i64(e, sizeof(nn_contraction)));
    return global;
}

#define SET(to, field, value) set_field((to), offsetof(nn_contraction, field), (value))
#define SET_I32(to, field, number)                                                                                     \
    set_field((to), offsetof(nn_contraction, field),                                                                   \
              LLVMConstInt(LLVMInt32TypeInContext((to)->e->vector->context), (unsigned long long)(number), true))

/* What the operand's address advances by along an axis (NO_AXIS: nothing), but for its windows. */
static LLVMValueRef operand_stride(const LoopEmitter *e, uint32_t access, uint32_t axis)
{
    uint32_t clipped = e->kernel->values[access].clipped;
    LLVMValueRef stride = axis == NO_AXIS ? NULL : access_stride_without(e, access, axis, clipped);
    return stride ? stride : const_i64(e, 0);
}

/* The numbers of the axes of `axes` in the description, in order. */
static int32_t slot_of(AxisMask axes, uint32_t axis)
{
    return axis == NO_AXIS ? NN_NO_AXIS : __builtin_popcount(axes & (axis_bit(axis) - 1));
}

static LLVMValueRef axis_extent(const LoopEmitter *e, uint32_t axis)
{
    return axis == NO_AXIS ? const_i64(e, 1) : size_value(e, e->kernel->axes[axis].extent);
}

static void set_lists(Description *to, const KernelContraction *form)
{
    LoopEmitter *e = to->e;
    unsigned slot = 0;
    for (uint32_t axis = 0; axis < e->kernel->n_axes; axis++) {
        if (!(form->lists & axis_bit(axis))) continue;
        unsigned byte = 8 * slot++;
        set_field(to, offsetof(nn_contraction, list_extent) + byte, axis_extent(e, axis));
        set_field(to, offsetof(nn_contraction, list_a) + byte, operand_stride(e, form->a, axis));
        set_field(to, offsetof(nn_contraction, list_b) + byte, operand_stride(e, form->b, axis));
    }
    SET_I32(to, n_list, slot);
}

#define SET_WINDOW(to, i, field, value)                                                                                \
    set_field((to),                                                                                                    \
              (unsigned)(offsetof(nn_contraction, windows) + (i) * sizeof(nn_window) + offsetof(nn_window, field)),    \
              (value))

static void set_windows(Description *to, const KernelContraction *form)
{
    LoopEmitter *e = to->e;
    LLVMTypeRef i8 = LLVMInt8TypeInContext(e->vector->context);
    for (uint32_t i = 0; i < form->n_windows; i++) {
        const KernelWindow *window = &form->windows[i];
        const KernelValue *load = &e->kernel->values[window->load];
        const KernelIndex *index = &load->index[window->subscript];
        int32_t inner = window->inner == form->k ? NN_INNER_AXIS : slot_of(form->lists, window->inner);
        int32_t outer = slot_of(form->batch, window->outer);
        SET_WINDOW(to, i, operand, LLVMConstInt(i8, window->load == form->b, false));
        SET_WINDOW(to, i, outer, LLVMConstInt(i8, (unsigned long long)outer, true));
        SET_WINDOW(to, i, inner, LLVMConstInt(i8, (unsigned long long)inner, true));
        SET_WINDOW(to, i, f_outer, const_i64(e, window->f_outer));
        SET_WINDOW(to, i, f_inner, const_i64(e, window->f_inner));
        SET_WINDOW(to, i, offset, subscript_offset(e, index));
        SET_WINDOW(to, i, div, const_i64(e, index->div));
        SET_WINDOW(to, i, limit, size_value(e, e->kernel->buffers[load->buffer].dims[window->subscript]));
        SET_WINDOW(to, i, stride, e->buffers[load->buffer].stride[window->subscript]);
    }
    SET_I32(to, n_windows, form->n_windows);
}

static void set_batch(Description *to, const KernelContraction *form, uint32_t store)
{
    LoopEmitter *e = to->e;
    uint32_t slot = 0;
    for (uint32_t axis = 0; axis < e->kernel->n_axes; axis++) {
        if (!(form->batch & axis_bit(axis))) continue;
        unsigned byte = 8 * slot++;
        set_field(to, offsetof(nn_contraction, batch_extent) + byte, axis_extent(e, axis));
        set_field(to, offsetof(nn_contraction, batch_a) + byte, operand_stride(e, form->a, axis));
        set_field(to, offsetof(nn_contraction, batch_b) + byte, operand_stride(e, form->b, axis));
        if (store == UINT32_MAX) continue;
        set_field(to, offsetof(nn_contraction, batch_c) + byte, operand_stride(e, store, axis));
    }
    SET_I32(to, n_batch, slot);
    for (; slot < NN_MAX_BATCH_AXES; slot++) {
        set_field(to, offsetof(nn_contraction, batch_extent) + 8 * slot, const_i64(e, 1));
    }
}

void contraction_emit(Arena *arena, Vector *vector, const Kernel *kernel, const KernelContraction *form,
                      const char *symbol)
{
    LLVMTypeRef parameters[] = {pointer_type(vector), pointer_type(vector)};
    LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(vector->context), parameters, 2, false);
    LoopEmitter *e = emitter_begin(arena, vector, kernel, symbol, type, EMIT_SIZES);
    Description description = {.e = e}, *to = &description;
    LLVMValueRef template = copy_template(e);
    uint32_t store = plain_store(kernel, form);
    bool stores = store != UINT32_MAX;
    SET(to, m, axis_extent(e, form->m));
    SET(to, n, axis_extent(e, form->n));
    SET(to, k, axis_extent(e, form->k));
    SET(to, a_m, operand_stride(e, form->a, form->m));
    SET(to, a_k, operand_stride(e, form->a, form->k));
    SET(to, b_k, operand_stride(e, form->b, form->k));
    SET(to, b_n, operand_stride(e, form->b, form->n));
    if (stores) SET(to, c_m, operand_stride(e, store, form->m));
    SET(to, a_offset, access_offset_without(e, form->a, e->kernel->values[form->a].clipped));
    SET(to, b_offset, access_offset_without(e, form->b, e->kernel->values[form->b].clipped));
    if (stores) SET(to, c_offset, access_offset_without(e, store, 0));
    set_batch(to, form, store);
    set_lists(to, form);
    set_windows(to, form);
    SET_I32(to, a, kernel->values[form->a].buffer);
    SET_I32(to, b, kernel->values[form->b].buffer);
    SET_I32(to, c, stores ? (int32_t)kernel->values[store].buffer : -1);
    SET_I32(to, has_tile, contraction_has_tile(kernel, form));
    LLVMBuildRetVoid(vector->builder);
    LLVMSetInitializer(template,
                       LLVMConstStringInContext(vector->context, description.template, sizeof(nn_contraction), true));
}

/* ---- The tile ---- */

enum { TILE_ARGS, TILE_BATCH, TILE_M0, TILE_M1, TILE_N0, TILE_N1, TILE_SUMS, TILE_STRIDE, TILE_PARAMETERS };

static void set_bounds(LoopEmitter *e, uint32_t axis, unsigned from, unsigned to)
{
    if (axis == NO_AXIS) return;
    e->from[axis] = LLVMGetParam(e->function, from);
    e->to[axis] = LLVMGetParam(e->function, to);
}

static void open_batch(LoopEmitter *e, AxisMask batch)
{
    LLVMBuilderRef builder = e->vector->builder;
    LLVMValueRef from = LLVMGetParam(e->function, TILE_BATCH);
    int64_t slot = 0;
    for (uint32_t axis = 0; axis < e->kernel->n_axes; axis++) {
        if (!(batch & axis_bit(axis))) continue;
        LLVMValueRef offset = const_i64(e, slot++);
        LLVMValueRef pointer = LLVMBuildGEP2(builder, type_i64(e), from, &offset, 1, "");
        e->at[axis] = LLVMBuildLoad2(builder, type_i64(e), pointer, "batch");
    }
    e->open = batch;
}

void tile_emit(Arena *arena, Vector *vector, const Kernel *kernel, const KernelContraction *form, const char *symbol)
{
    LLVMTypeRef i64 = LLVMInt64TypeInContext(vector->context), pointer = pointer_type(vector);
    LLVMTypeRef parameters[TILE_PARAMETERS] = {pointer, pointer, i64, i64, i64, i64, pointer, i64};
    LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(vector->context), parameters, TILE_PARAMETERS, false);
    LoopEmitter *e = emitter_begin(arena, vector, kernel, symbol, type, EMIT_KERNEL);
    e->given = form->reduce;
    e->given_row = form->m;
    e->given_column = form->n;
    e->given_base = LLVMGetParam(e->function, TILE_SUMS);
    e->given_stride = LLVMGetParam(e->function, TILE_STRIDE);
    set_bounds(e, form->m, TILE_M0, TILE_M1);
    set_bounds(e, form->n, TILE_N0, TILE_N1);
    open_batch(e, form->batch);
    emitter_finish(e, plain_store(kernel, form));
}
