#include <string.h>

#include "codegen/loop_internal.h"

static LLVMBuilderRef builder(const LoopEmitter *e)
{
    return e->vector->builder;
}

LLVMValueRef size_value(const LoopEmitter *e, uint32_t size)
{
    return e->sizes[size];
}

static bool is_constant_int(LLVMValueRef value, int64_t number)
{
    return LLVMIsAConstantInt(value) && LLVMConstIntGetSExtValue(value) == number;
}

static LLVMValueRef multiply(const LoopEmitter *e, LLVMValueRef a, LLVMValueRef b)
{
    if (is_constant_int(a, 1)) return b;
    if (is_constant_int(b, 1)) return a;
    return LLVMBuildNSWMul(builder(e), a, b, "");
}

/* NULL is 0. */
static LLVMValueRef add(const LoopEmitter *e, LLVMValueRef a, LLVMValueRef b)
{
    if (!a || is_constant_int(a, 0)) return b;
    if (!b || is_constant_int(b, 0)) return a;
    return LLVMBuildNSWAdd(builder(e), a, b, "");
}

static LLVMValueRef scale(const LoopEmitter *e, LLVMValueRef value, int64_t factor)
{
    return multiply(e, value, const_i64(e, factor));
}

void walk_strides(LoopEmitter *e, MemoryWalk *walk, uint32_t rank, const uint32_t *dims)
{
    LLVMValueRef stride = const_i64(e, 1);
    for (uint32_t d = rank; d-- > 0;) {
        walk->stride[d] = stride;
        if (d) stride = multiply(e, stride, size_value(e, dims[d]));
    }
}

LLVMValueRef subscript_offset(const LoopEmitter *e, const KernelIndex *index)
{
    LLVMValueRef offset = size_value(e, index->offset);
    if (!index->negative || is_constant_int(offset, 0)) return offset;
    return LLVMBuildNSWNeg(builder(e), offset, "");
}

bool index_is_walked(const KernelIndex *index)
{
    return index->value < 0 && !index->checked && index->div == 1;
}

static LLVMTypeRef element_type(const LoopEmitter *e, DType dtype)
{
    return vector_memory_type(e->vector, dtype, 1);
}

static LLVMValueRef advance(const LoopEmitter *e, DType dtype, LLVMValueRef pointer, LLVMValueRef elements)
{
    if (!elements || is_constant_int(elements, 0)) return pointer;
    return LLVMBuildGEP2(builder(e), element_type(e, dtype), pointer, &elements, 1, "");
}

LLVMValueRef access_stride_without(const LoopEmitter *e, uint32_t access, uint32_t axis, uint32_t without)
{
    const KernelValue *value = &e->kernel->values[access];
    LLVMValueRef stride = NULL;
    for (uint32_t d = 0; d < value->n_index; d++) {
        const KernelIndex *index = &value->index[d];
        if (!index_is_walked(index) || without >> d & 1) continue;
        for (uint32_t t = 0; t < index->n_terms; t++) {
            if (index->terms[t].axis != axis) continue;
            stride = add(e, stride, scale(e, e->buffers[value->buffer].stride[d], index->terms[t].factor));
        }
    }
    return stride;
}

LLVMValueRef access_stride(const LoopEmitter *e, uint32_t access, uint32_t axis)
{
    return access_stride_without(e, access, axis, 0);
}

LLVMValueRef access_offset_without(const LoopEmitter *e, uint32_t access, uint32_t without)
{
    const KernelValue *value = &e->kernel->values[access];
    LLVMValueRef elements = const_i64(e, 0);
    for (uint32_t d = 0; d < value->n_index; d++) {
        if (!index_is_walked(&value->index[d]) || without >> d & 1) continue;
        LLVMValueRef offset = subscript_offset(e, &value->index[d]);
        if (is_constant_int(offset, 0)) continue;
        elements = add(e, elements, multiply(e, offset, e->buffers[value->buffer].stride[d]));
    }
    return elements;
}

void access_extend(LoopEmitter *e, uint32_t access)
{
    const KernelValue *value = &e->kernel->values[access];
    LoopValue *bound = &e->bound[access];
    LLVMValueRef elements = NULL;
    if (!bound->base) {
        bound->base = e->buffers[value->buffer].pointer;
        bound->base_axes = 0;
        elements = access_offset_without(e, access, 0);
    }
    for (uint32_t axis = 0; axis < e->kernel->n_axes; axis++) {
        if (!(e->open & ~bound->base_axes & axis_bit(axis))) continue;
        LLVMValueRef stride = access_stride(e, access, axis);
        if (stride && !is_constant_int(e->at[axis], 0)) elements = add(e, elements, multiply(e, e->at[axis], stride));
    }
    bound->base_axes = e->open;
    bound->base = advance(e, e->kernel->buffers[value->buffer].dtype, bound->base, elements);
}

/* ---- Subscripts as numbers ---- */

static bool index_is_vector(const LoopEmitter *e, const KernelIndex *index)
{
    if (e->vector_axis == NO_AXIS) return false;
    if (index->value >= 0 && value_lanes(e, (uint32_t)index->value) > 1) return true;
    for (uint32_t t = 0; t < index->n_terms; t++) {
        if (index->terms[t].axis == e->vector_axis) return true;
    }
    return false;
}

/* An exact quotient, or any number where nothing is read. */
static LLVMValueRef divide(const LoopEmitter *e, LLVMValueRef number, int64_t divisor)
{
    LLVMValueRef by = vector_splat(e->vector, const_i64(e, divisor), vector_lanes(number));
    if (divisor & (divisor - 1)) return LLVMBuildSDiv(builder(e), number, by, "");
    by = vector_splat(e->vector, const_i64(e, __builtin_ctzll((uint64_t)divisor)), vector_lanes(number));
    return LLVMBuildAShr(builder(e), number, by, "");
}

/* One subscript as i64, a vector when `lanes` > 1. */
static LLVMValueRef index_number(LoopEmitter *e, const KernelIndex *index, uint32_t lanes)
{
    LLVMValueRef scalar = subscript_offset(e, index), vector = NULL;
    for (uint32_t t = 0; t < index->n_terms; t++) {
        const KernelTerm *term = &index->terms[t];
        scalar = add(e, scalar, scale(e, e->at[term->axis], term->factor));
        if (lanes == 1 || term->axis != e->vector_axis) continue;
        LLVMValueRef step = vector_splat(e->vector, const_i64(e, term->factor), lanes);
        vector = add(e, vector, LLVMBuildMul(builder(e), vector_iota(e->vector, DTYPE_I64, lanes), step, ""));
    }
    LLVMValueRef number = vector_splat(e->vector, scalar ? scalar : const_i64(e, 0), lanes);
    if (vector) number = LLVMBuildAdd(builder(e), number, vector, "");
    if (index->div > 1) number = divide(e, number, index->div);
    if (index->value < 0) return number;
    uint32_t value = (uint32_t)index->value;
    LLVMValueRef data = value_wide(e, value, lanes);
    DType dtype = e->kernel->values[value].dtype;
    if (dtype != DTYPE_I64) data = math_cast(e->vector, dtype, DTYPE_I64, data);
    return LLVMBuildAdd(builder(e), number, data, "");
}

/* Lanes that take part: those of the mask for which `taken` (NULL: always) holds. NULL: all. */
static LLVMValueRef lanes_taken(const LoopEmitter *e, LLVMValueRef taken, uint32_t lanes)
{
    LLVMValueRef mask = lanes > 1 ? e->mask : NULL;
    if (!taken || !mask) return taken ? taken : mask;
    return LLVMBuildAnd(builder(e), mask, taken, "");
}

static LLVMValueRef any_lane(const LoopEmitter *e, LLVMValueRef lanes)
{
    uint32_t count = vector_lanes(lanes);
    if (count == 1) return lanes;
    LLVMTypeRef bits = LLVMIntTypeInContext(e->vector->context, count);
    LLVMValueRef packed = LLVMBuildBitCast(builder(e), lanes, bits, "");
    return LLVMBuildICmp(builder(e), LLVMIntNE, packed, LLVMConstNull(bits), "");
}

/* Out of range: 0 instead, and the launch's error says which buffer. Without a branch: what is not an error is written
 * to a place of no meaning. */
static LLVMValueRef check_index(LoopEmitter *e, uint32_t buffer, uint32_t dim, LLVMValueRef number, LLVMValueRef mask)
{
    uint32_t lanes = vector_lanes(number);
    LLVMValueRef size = size_value(e, e->kernel->buffers[buffer].dims[dim]);
    LLVMValueRef bad =
        LLVMBuildICmp(builder(e), LLVMIntUGE, number, vector_splat(e->vector, size, lanes), "out_of_range");
    if (mask && vector_lanes(mask) > lanes) mask = any_lane(e, mask);
    LLVMValueRef wrong = any_lane(e, mask ? LLVMBuildAnd(builder(e), bad, mask, "") : bad);
    LLVMValueRef to = LLVMBuildSelect(builder(e), wrong, e->error, e->spill, "");
    LLVMBuildStore(builder(e), const_i64(e, 1 + (int64_t)buffer), to);
    return LLVMBuildSelect(builder(e), bad, vector_integer_like(number, 0), number, "");
}

typedef struct {
    LLVMValueRef base;    /* address of lane 0 but for `offsets` */
    LLVMValueRef offsets; /* i64 per lane, in elements; NULL: lanes follow one another */
} Address;

/* True (i1) if a subscript from data points into a dimension of size 0, where no index is right; NULL: never. */
static LLVMValueRef leads_nowhere(const LoopEmitter *e, const KernelValue *access)
{
    LLVMValueRef nowhere = NULL;
    for (uint32_t d = 0; d < access->n_index; d++) {
        if (index_is_walked(&access->index[d])) continue;
        LLVMValueRef size = size_value(e, e->kernel->buffers[access->buffer].dims[d]);
        LLVMValueRef empty = LLVMBuildICmp(builder(e), LLVMIntEQ, size, const_i64(e, 0), "empty");
        if (is_constant_int(empty, 0)) continue;
        nowhere = nowhere ? LLVMBuildOr(builder(e), nowhere, empty, "") : empty;
    }
    return nowhere;
}

/* The error of such an access is reported; what it reads and writes meanwhile has no meaning, but it has a place. */
static void stay_in_memory(LoopEmitter *e, const KernelValue *access, Address *address)
{
    LLVMValueRef nowhere = leads_nowhere(e, access);
    if (!nowhere) return;
    address->base = LLVMBuildSelect(builder(e), nowhere, e->nowhere, address->base, "");
    if (!address->offsets) return;
    LLVMValueRef zeros = LLVMConstNull(LLVMTypeOf(address->offsets));
    address->offsets = LLVMBuildSelect(builder(e), nowhere, zeros, address->offsets, "");
}

static Address find_address(LoopEmitter *e, uint32_t access, uint32_t lanes, LLVMValueRef mask)
{
    const KernelValue *value = &e->kernel->values[access];
    const MemoryWalk *walk = &e->buffers[value->buffer];
    access_extend(e, access);
    LLVMValueRef scalar = NULL, vector = NULL;
    for (uint32_t d = 0; d < value->n_index; d++) {
        const KernelIndex *index = &value->index[d];
        if (index_is_walked(index)) continue;
        uint32_t width = lanes > 1 && index_is_vector(e, index) ? lanes : 1;
        LLVMValueRef number = index_number(e, index, width);
        if (index->checked) number = check_index(e, value->buffer, d, number, mask);
        number = multiply(e, number, vector_splat(e->vector, walk->stride[d], width));
        if (width > 1)
            vector = vector ? LLVMBuildAdd(builder(e), vector, number, "") : number;
        else
            scalar = add(e, scalar, number);
    }
    DType dtype = e->kernel->buffers[value->buffer].dtype;
    Address address = {.base = advance(e, dtype, e->bound[access].base, scalar)};
    if (lanes == 1) return address;
    LLVMValueRef stride = access_stride(e, access, e->vector_axis);
    if (!vector && stride && is_constant_int(stride, 1)) return address;
    LLVMValueRef steps = vector_iota(e->vector, DTYPE_I64, lanes);
    steps = LLVMBuildMul(builder(e), steps, vector_splat(e->vector, stride ? stride : const_i64(e, 0), lanes), "");
    address.offsets = vector ? LLVMBuildAdd(builder(e), vector, steps, "") : steps;
    return address;
}

/* Where an access goes: `lanes` addresses. */
static Address access_address(LoopEmitter *e, uint32_t access, uint32_t lanes, LLVMValueRef mask)
{
    Address address = find_address(e, access, lanes, mask);
    stay_in_memory(e, &e->kernel->values[access], &address);
    return address;
}

static LLVMValueRef load_at(LoopEmitter *e, DType dtype, const Address *address, uint32_t lanes, LLVMValueRef mask)
{
    if (!address->offsets) return vector_load(e->vector, dtype, address->base, lanes, mask);
    if (!mask) mask = LLVMConstAllOnes(LLVMVectorType(LLVMInt1TypeInContext(e->vector->context), lanes));
    return vector_gather(e->vector, dtype, address->base, address->offsets, mask);
}

static LLVMValueRef load_scalar(LoopEmitter *e, DType dtype, LLVMValueRef pointer, LLVMValueRef taken)
{
    if (taken) pointer = LLVMBuildSelect(builder(e), taken, pointer, e->zero, "");
    return vector_load(e->vector, dtype, pointer, 1, NULL);
}

/* A tile function that updates in place (an optimiser) streams through more memory than the caches hold, in bursts
 * between which the sums of the next tile are computed: time enough to fetch what that one will read. Tiles follow one
 * another down the rows. A fetch beyond the end does nothing. */
static void fetch_next_tile(LoopEmitter *e, uint32_t value, DType dtype, const Address *address)
{
    enum { LINE = 64, READ = 0, SECOND_CACHE = 2, DATA = 1 };
    const KernelBuffer *buffer = &e->kernel->buffers[e->kernel->values[value].buffer];
    bool streams = e->given != UINT32_MAX && e->given_row != NO_AXIS && buffer->read && buffer->written;
    LLVMValueRef row = streams && !address->offsets ? access_stride(e, value, e->given_row) : NULL;
    if (!row) return;
    LLVMValueRef rows = LLVMBuildSub(builder(e), e->to[e->given_row], e->from[e->given_row], "rows");
    LLVMValueRef next = advance(e, dtype, address->base, multiply(e, rows, row));
    LLVMTypeRef pointer = LLVMTypeOf(next), i32 = LLVMInt32TypeInContext(e->vector->context);
    unsigned id = LLVMLookupIntrinsicID("llvm.prefetch", strlen("llvm.prefetch"));
    LLVMValueRef fetch = LLVMGetIntrinsicDeclaration(e->vector->module, id, &pointer, 1);
    LLVMTypeRef type = LLVMIntrinsicGetType(e->vector->context, id, &pointer, 1);
    for (uint32_t byte = 0; byte < e->lanes * dtype_size(dtype); byte += LINE) {
        LLVMValueRef offset = const_i64(e, byte / dtype_size(dtype));
        LLVMValueRef args[] = {advance(e, dtype, next, offset), LLVMConstInt(i32, READ, false),
                               LLVMConstInt(i32, SECOND_CACHE, false), LLVMConstInt(i32, DATA, false)};
        LLVMBuildCall2(builder(e), type, fetch, args, 4, "");
    }
}

LLVMValueRef emit_load(LoopEmitter *e, uint32_t value)
{
    const KernelValue *load = &e->kernel->values[value];
    DType dtype = e->kernel->buffers[load->buffer].dtype;
    uint32_t lanes = value_lanes(e, value);
    LLVMValueRef taken = load->n_args ? value_wide(e, load->args[0], lanes) : NULL;
    LLVMValueRef mask = lanes_taken(e, taken, lanes);
    Address address = access_address(e, value, lanes, mask);
    if (lanes == 1) return load_scalar(e, dtype, address.base, taken);
    fetch_next_tile(e, value, dtype, &address);
    return load_at(e, dtype, &address, lanes, mask);
}

/* One element after the other: for what no vector store reaches. */
static void store_lanes(LoopEmitter *e, DType dtype, LLVMValueRef value, const Address *address)
{
    LLVMTypeRef i32 = LLVMInt32TypeInContext(e->vector->context);
    for (uint32_t lane = 0; lane < vector_lanes(value); lane++) {
        LLVMValueRef at = LLVMConstInt(i32, lane, false);
        LLVMValueRef offset = LLVMBuildExtractElement(builder(e), address->offsets, at, "");
        LLVMValueRef to = advance(e, dtype, address->base, offset);
        if (e->mask) {
            LLVMValueRef used = LLVMBuildExtractElement(builder(e), e->mask, at, "");
            to = LLVMBuildSelect(builder(e), used, to, e->spill, "");
        }
        vector_store(e->vector, dtype, LLVMBuildExtractElement(builder(e), value, at, ""), to, NULL);
    }
}

static void store_at(LoopEmitter *e, DType dtype, LLVMValueRef value, const Address *address, uint32_t lanes)
{
    if (address->offsets)
        store_lanes(e, dtype, value, address);
    else
        vector_store(e->vector, dtype, value, address->base, lanes > 1 ? e->mask : NULL);
}

void emit_store(LoopEmitter *e, uint32_t value)
{
    const KernelValue *store = &e->kernel->values[value];
    uint32_t lanes = value_lanes(e, value);
    LLVMValueRef what = value_wide(e, store->args[0], lanes);
    Address address = access_address(e, value, lanes, lanes_taken(e, NULL, lanes));
    store_at(e, e->kernel->buffers[store->buffer].dtype, what, &address, lanes);
}

void store_early(LoopEmitter *e, uint32_t store, LLVMValueRef value)
{
    uint32_t lanes = value_lanes(e, store);
    Address address = access_address(e, store, lanes, lanes_taken(e, NULL, lanes));
    store_at(e, e->kernel->values[store].dtype, value, &address, lanes);
}

LLVMValueRef load_early(LoopEmitter *e, uint32_t store)
{
    uint32_t lanes = value_lanes(e, store);
    LLVMValueRef mask = lanes_taken(e, NULL, lanes);
    Address address = access_address(e, store, lanes, mask);
    return load_at(e, e->kernel->values[store].dtype, &address, lanes, mask);
}

void emit_scatter(LoopEmitter *e, uint32_t value)
{
    const KernelValue *scatter = &e->kernel->values[value];
    DType dtype = e->kernel->buffers[scatter->buffer].dtype;
    uint32_t lanes = value_lanes(e, value);
    LLVMValueRef what = value_wide(e, scatter->args[0], lanes);
    LLVMValueRef mask = lanes_taken(e, NULL, lanes), old;
    Address address = access_address(e, value, lanes, mask), *at = &address;
    if (at->offsets) {
        LLVMTypeRef bits = LLVMVectorType(LLVMInt1TypeInContext(e->vector->context), lanes);
        old = vector_gather(e->vector, dtype, at->base, at->offsets, mask ? mask : LLVMConstAllOnes(bits));
    } else {
        old = vector_load(e->vector, dtype, at->base, lanes, mask);
    }
    store_at(e, dtype, math_emit(e->vector, OP_ADD, dtype, old, what, NULL), at, lanes);
}

/* ---- Random draws ---- */

/* The row-major position of a draw, i64; a vector when it depends on the vector axis. */
static LLVMValueRef draw_position(LoopEmitter *e, const KernelValue *draw, uint32_t lanes)
{
    MemoryWalk walk = {0};
    walk_strides(e, &walk, draw->n_index, draw->dims);
    LLVMValueRef scalar = NULL, step = NULL, vector = NULL;
    for (uint32_t d = 0; d < draw->n_index; d++) {
        const KernelIndex *index = &draw->index[d];
        uint32_t width = index->value >= 0 ? lanes : 1;
        LLVMValueRef number = index_number(e, index, width);
        number = multiply(e, number, vector_splat(e->vector, walk.stride[d], width));
        if (width > 1)
            vector = vector ? LLVMBuildAdd(builder(e), vector, number, "") : number;
        else
            scalar = add(e, scalar, number);
        for (uint32_t t = 0; width == 1 && t < index->n_terms; t++) {
            if (index->terms[t].axis != e->vector_axis) continue;
            step = add(e, step, scale(e, walk.stride[d], index->terms[t].factor));
        }
    }
    LLVMValueRef position = vector_splat(e->vector, scalar ? scalar : const_i64(e, 0), lanes);
    if (vector) position = LLVMBuildAdd(builder(e), position, vector, "");
    if (lanes == 1 || !step) return position;
    LLVMValueRef steps = vector_iota(e->vector, DTYPE_I64, lanes);
    if (!is_constant_int(step, 1)) {
        steps = LLVMBuildMul(builder(e), steps, vector_splat(e->vector, step, lanes), "");
    }
    return LLVMBuildAdd(builder(e), position, steps, "");
}

/* The function that draws `lanes` numbers: Philox is long, so a module has it once. */
static LLVMValueRef draw_function(LoopEmitter *e, uint32_t lanes, LLVMTypeRef type)
{
    Vector *vector = e->vector;
    const char *name = arena_format(e->arena, "random_%u", lanes);
    LLVMValueRef function = LLVMGetNamedFunction(vector->module, name);
    if (function) return function;
    LLVMBasicBlockRef caller = LLVMGetInsertBlock(vector->builder);
    function = LLVMAddFunction(vector->module, name, type);
    LLVMSetLinkage(function, LLVMInternalLinkage);
    vector_attributes(vector, function);
    LLVMPositionBuilderAtEnd(vector->builder, LLVMAppendBasicBlockInContext(vector->context, function, "entry"));
    LLVMBuildRet(vector->builder, random_emit(vector, LLVMGetParam(function, 0), LLVMGetParam(function, 1),
                                              LLVMGetParam(function, 2), LLVMGetParam(function, 3)));
    LLVMPositionBuilderAtEnd(vector->builder, caller);
    return function;
}

LLVMValueRef emit_random(LoopEmitter *e, uint32_t value)
{
    const KernelValue *draw = &e->kernel->values[value];
    uint32_t lanes = value_lanes(e, value);
    LLVMTypeRef i32 = LLVMInt32TypeInContext(e->vector->context);
    LLVMValueRef args[] = {e->seed, LLVMBuildTrunc(builder(e), size_value(e, draw->stream), i32, ""),
                           LLVMBuildTrunc(builder(e), e->step, i32, ""), draw_position(e, draw, lanes)};
    LLVMTypeRef types[] = {type_i64(e), i32, i32, LLVMTypeOf(args[3])};
    LLVMTypeRef type = LLVMFunctionType(vector_type(e->vector, DTYPE_F32, lanes), types, 4, false);
    LLVMValueRef uniform = LLVMBuildCall2(builder(e), type, draw_function(e, lanes, type), args, 4, "");
    return draw->dtype == DTYPE_F32 ? uniform : math_cast(e->vector, DTYPE_F32, draw->dtype, uniform);
}
