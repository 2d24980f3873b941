#include <assert.h>
#include <string.h>

#include "nn_random.h"
#include "schedule/schedule_internal.h"
#include "support/memory.h"

Shape shape_of(const Scheduler *scheduler, Node node)
{
    /* Types are copied: nodes move when the graph grows, dims of a shape must not. */
    const Type *type = node_type(scheduler->graph, node);
    return (Shape){type->rank, type->rank ? ARENA_COPY(scheduler->arena, Dim, type->dims, type->rank) : NULL};
}

const Type *memory_type(const Scheduler *scheduler, Node node)
{
    bool copied = scheduler->facts && facts_of(scheduler, node)->copied;
    return node_type(scheduler->graph, copied ? base_of(scheduler->graph, node) : node);
}

void emitter_free(KernelEmitter *emitter)
{
    vec_free(&emitter->memos);
    memory_free(emitter->table);
    arena_reset(emitter->scheduler->scratch);
}

/* ---- what was emitted before */

static uint64_t memo_hash(const Memo *memo)
{
    uint64_t hash = memo->node.id * 0x9e3779b97f4a7c15ULL ^ memo->mask;
    for (uint32_t i = 0; i < memo->view.rank; i++) {
        const Affine *index = &memo->index[i];
        hash = (hash ^ memo->view.dims[i].id) * 0x9e3779b97f4a7c15ULL;
        hash = (hash ^ index->offset.id ^ (uint64_t)(uint32_t)index->value << 32) * 0x9e3779b97f4a7c15ULL;
        hash = (hash ^ (uint64_t)index->div) * 0x9e3779b97f4a7c15ULL;
        for (uint32_t j = 0; j < index->n_terms; j++)
            hash = (hash ^ index->terms[j].axis ^ (uint64_t)index->terms[j].factor << 8) * 0x9e3779b97f4a7c15ULL;
    }
    return hash ^ hash >> 31;
}

static bool memo_same(const Memo *a, const Memo *b)
{
    if (!node_same(a->node, b->node) || a->mask != b->mask || a->view.rank != b->view.rank) return false;
    for (uint32_t i = 0; i < a->view.rank; i++)
        if (!dim_same(a->view.dims[i], b->view.dims[i]) || !affine_same(&a->index[i], &b->index[i])) return false;
    return true;
}

/* The table's slot of the memo or of its free place. Slots hold 1 + position. */
static uint32_t *memo_slot(KernelEmitter *emitter, const Memo *memo)
{
    uint32_t at = (uint32_t)memo_hash(memo) & (emitter->capacity - 1);
    while (emitter->table[at] && !memo_same(&emitter->memos.at[emitter->table[at] - 1], memo))
        at = (at + 1) & (emitter->capacity - 1);
    return &emitter->table[at];
}

static void memo_add(KernelEmitter *emitter, Memo memo)
{
    if (2 * (emitter->memos.count + 1) > emitter->capacity) {
        emitter->capacity = emitter->capacity ? 2 * emitter->capacity : 32;
        memory_free(emitter->table);
        emitter->table = memory_calloc(emitter->capacity, sizeof *emitter->table);
        for (size_t i = 0; i < emitter->memos.count; i++) *memo_slot(emitter, &emitter->memos.at[i]) = (uint32_t)i + 1;
    }
    if (memo.view.rank) memo.index = ARENA_COPY(emitter->scheduler->scratch, Affine, memo.index, memo.view.rank);
    uint32_t *slot = memo_slot(emitter, &memo);
    vec_push(&emitter->memos, memo);
    *slot = (uint32_t)emitter->memos.count;
}

/* ---- sources */

/* True if the conjunction `mask` has the condition as a part. */
static bool has_part(const Draft *draft, uint32_t mask, uint32_t condition)
{
    if (mask == NO_VALUE) return false;
    const DraftValue *value = &draft->values.at[mask];
    if (mask == condition) return true;
    return value->kind == KERNEL_COMPUTE && value->op == OP_AND &&
           (has_part(draft, value->args[0], condition) || has_part(draft, value->args[1], condition));
}

/* True if all parts of the condition are parts of the mask. */
static bool parts_are_in(const Draft *draft, uint32_t condition, uint32_t mask)
{
    const DraftValue *value = &draft->values.at[condition];
    if (value->kind == KERNEL_COMPUTE && value->op == OP_AND)
        return parts_are_in(draft, value->args[0], mask) && parts_are_in(draft, value->args[1], mask);
    return has_part(draft, mask, condition);
}

/* True if each part of the mask says of a subscript that it lies inside. */
static bool parts_say_inside(const Draft *draft, uint32_t mask, const Affine *index, uint32_t rank)
{
    const DraftValue *value = &draft->values.at[mask];
    if (value->kind == KERNEL_COMPUTE && value->op == OP_AND)
        return parts_say_inside(draft, value->args[0], index, rank) &&
               parts_say_inside(draft, value->args[1], index, rank);
    for (uint32_t i = 0; i < rank; i++)
        if (has_part(draft, index[i].inside, mask)) return true;
    return false;
}

/* True if the mask says that the subscripts with a condition lie inside, all of them, and nothing else. */
static bool says_inside(const Draft *draft, uint32_t mask, const Affine *index, uint32_t rank)
{
    if (mask == NO_VALUE || !parts_say_inside(draft, mask, index, rank)) return false;
    for (uint32_t i = 0; i < rank; i++)
        if (index[i].inside != NO_VALUE && !parts_are_in(draft, index[i].inside, mask)) return false;
    return true;
}

uint32_t emit_memory(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask)
{
    Scheduler *scheduler = emitter->scheduler;
    Dim dims[MAX_RANK];
    Affine subscripts[MAX_RANK], moved[MAX_RANK];
    if (layout_last(scheduler, node) != NO_AXIS) {
        Dim moved_dims[MAX_RANK];
        emitter->unviewed = !layout_view(scheduler, node, view, index, moved_dims, moved);
        if (emitter->unviewed) return NO_VALUE;
        view.dims = ARENA_COPY(scheduler->arena, Dim, moved_dims, view.rank);
        index = moved;
    }
    DraftValue load = {.kind = KERNEL_LOAD, .dtype = node_type(scheduler->graph, node)->dtype, .node = node};
    for (uint32_t i = 0; i < view.rank; i++) {
        if (is_unit(scheduler, view.dims[i]) && affine_zero(scheduler, &index[i])) continue;
        load.domain |= affine_axes(emitter->draft, &index[i]);
        if (index[i].inside != NO_VALUE) load.clipped |= 1u << load.n_index;
        subscripts[load.n_index] = index[i];
        dims[load.n_index++] = view.dims[i];
    }
    load.shape.rank = load.n_index;
    if (load.n_index) {
        load.shape.dims = ARENA_COPY(scheduler->arena, Dim, dims, load.n_index);
    }
    if (!says_inside(emitter->draft, mask, index, view.rank)) load.clipped = 0;
    for (uint32_t i = 0; i < load.n_index; i++) subscripts[i].inside = NO_VALUE;
    if (load.n_index) load.index = ARENA_COPY(scheduler->arena, Affine, subscripts, load.n_index);
    if (mask != NO_VALUE) {
        load.args[load.n_args++] = mask;
        load.domain |= emitter->draft->values.at[mask].domain;
    }
    return draft_add(emitter->draft, load);
}

static uint32_t emit_cast(KernelEmitter *emitter, uint32_t value, DType dtype)
{
    if (emitter->draft->values.at[value].dtype == dtype) return value;
    return draft_compute(emitter->draft, OP_CAST, dtype, 1, &value);
}

static uint32_t emit_size(KernelEmitter *emitter, Dim size)
{
    int64_t value;
    if (dim_is_constant(emitter->scheduler->dims, size, &value)) return draft_integer(emitter->draft, DTYPE_I64, value);
    return draft_add(emitter->draft, (DraftValue){.kind = KERNEL_SIZE, .dtype = DTYPE_I64, .size = size});
}

/* A size that is not written into the code, so that kernels of other sizes share it; but -1, 0 and 1 are. */
static uint32_t emit_limit(KernelEmitter *emitter, Dim size)
{
    int64_t value;
    bool small = dim_is_constant(emitter->scheduler->dims, size, &value) && value >= -1 && value <= 1;
    if (small) return draft_integer(emitter->draft, DTYPE_I64, value);
    return draft_add(emitter->draft, (DraftValue){.kind = KERNEL_SIZE, .dtype = DTYPE_I64, .size = size});
}

static uint32_t add_integers(KernelEmitter *emitter, uint32_t a, uint32_t b)
{
    if (a == NO_VALUE) return b;
    uint32_t args[] = {a, b};
    return draft_compute(emitter->draft, OP_ADD, DTYPE_I64, 2, args);
}

/* sum + offset; what is subtracted is a size, too. */
static uint32_t add_offset(KernelEmitter *emitter, uint32_t sum, Dim offset)
{
    int64_t value;
    DimTable *dims = emitter->scheduler->dims;
    bool subtracts = sum != NO_VALUE && dim_is_constant(dims, offset, &value) && value < -1;
    if (!subtracts) return add_integers(emitter, sum, emit_limit(emitter, offset));
    uint32_t args[] = {sum, emit_limit(emitter, dim_sub(dims, dim_constant(dims, 0), offset))};
    return draft_compute(emitter->draft, OP_SUB, DTYPE_I64, 2, args);
}

/* The subscript as an i64 value. */
uint32_t emit_affine(KernelEmitter *emitter, const Affine *affine)
{
    Draft *draft = emitter->draft;
    uint32_t sum = NO_VALUE;
    for (uint32_t i = 0; i < affine->n_terms; i++) {
        DraftValue axis = {.kind = KERNEL_AXIS, .dtype = DTYPE_I64, .axis = affine->terms[i].axis};
        axis.domain = axis_bit(axis.axis);
        uint32_t term = draft_add(draft, axis);
        if (affine->terms[i].factor != 1) {
            uint32_t args[] = {term, draft_integer(draft, DTYPE_I64, affine->terms[i].factor)};
            term = draft_compute(draft, OP_MUL, DTYPE_I64, 2, args);
        }
        sum = add_integers(emitter, sum, term);
    }
    if (affine->value >= 0) sum = add_integers(emitter, sum, emit_cast(emitter, (uint32_t)affine->value, DTYPE_I64));
    int64_t offset;
    bool zero = dim_is_constant(emitter->scheduler->dims, affine->offset, &offset) && offset == 0;
    if (!zero || sum == NO_VALUE) sum = add_offset(emitter, sum, affine->offset);
    if (affine->div == 1) return sum;
    uint32_t args[] = {sum, draft_integer(draft, DTYPE_I64, affine->div)};
    return draft_compute(draft, OP_FLOOR_DIV, DTYPE_I64, 2, args);
}

static uint32_t emit_random(KernelEmitter *emitter, const NodeInfo *info, Shape view, const Affine *index)
{
    Scheduler *scheduler = emitter->scheduler;
    DraftValue value = {.kind = KERNEL_RANDOM, .dtype = DTYPE_F32, .shape = view, .n_index = view.rank};
    uint32_t stream = nn_random_stream(info->attr.name ? info->attr.name : "", info->attr.integer);
    value.size = dim_constant(scheduler->dims, stream);
    if (view.rank) value.index = ARENA_COPY(scheduler->arena, Affine, index, view.rank);
    for (uint32_t i = 0; i < view.rank; i++) value.domain |= affine_axes(emitter->draft, &index[i]);
    return emit_cast(emitter, draft_add(emitter->draft, value), info->type.dtype);
}

/* ---- shapes */

static bool same_index(const Scheduler *scheduler, const Type *type, Shape view, const Affine *index, Affine *own)
{
    uint32_t from = 0;
    for (uint32_t i = 0; i < type->rank; i++) {
        own[i] = affine_none(scheduler);
        if (from < view.rank && dim_same(view.dims[from], type->dims[i])) {
            own[i] = index[from++];
            continue;
        }
        if (is_unit(scheduler, type->dims[i])) continue;
        while (from < view.rank && is_unit(scheduler, view.dims[from])) from++;
        if (from == view.rank || !dim_same(view.dims[from], type->dims[i])) return false;
        own[i] = index[from++];
    }
    while (from < view.rank && is_unit(scheduler, view.dims[from])) from++;
    return from == view.rank;
}

static Dim product_of(const Scheduler *scheduler, const Dim *dims, uint32_t from, uint32_t to)
{
    Dim product = dim_constant(scheduler->dims, 1);
    for (uint32_t d = from; d < to; d++) product = dim_mul(scheduler->dims, product, dims[d]);
    return product;
}

bool view_cuts(const Scheduler *scheduler, const Type *type, Shape view)
{
    Shape shapes[2] = {{type->rank, type->dims}, view};
    int64_t size;
    for (Stretch s = {0}; stretch_next(scheduler, shapes, &s);) {
        if (s.from[0] == s.to[0] || s.from[1] == s.to[1]) return false;
        for (uint32_t d = s.from[0] + 1; d < s.to[0]; d++)
            if (!is_unit(scheduler, type->dims[d])) return false;
        for (uint32_t d = s.from[1] + 1; d < s.to[1]; d++)
            if (!dim_is_constant(scheduler->dims, view.dims[d], &size)) return false;
        if (!dim_same(type->dims[s.from[0]], product_of(scheduler, view.dims, s.from[1], s.to[1]))) return false;
    }
    return true;
}

/* Where the view cuts dimensions: the row-major position among the pieces of each. */
static bool cut_index(const Scheduler *scheduler, const Type *type, Shape view, const Affine *index, Affine *own)
{
    Shape shapes[2] = {{type->rank, type->dims}, view};
    uint32_t seen = 0;
    if (!view_cuts(scheduler, type, view)) return false;
    for (uint32_t i = 0; i < type->rank; i++) own[i] = affine_none(scheduler);
    for (Stretch s = {0}; stretch_next(scheduler, shapes, &s); seen = s.to[1]) {
        Affine *at = &own[s.from[0]];
        int64_t stride = 1, size = 1;
        for (; seen < s.from[1]; seen++)
            if (!affine_zero(scheduler, &index[seen])) return false;
        for (uint32_t d = s.to[1]; d-- > s.from[1]; stride *= size) {
            Affine term = index[d];
            if (!affine_scale(scheduler, &term, stride, dim_constant(scheduler->dims, 0))) return false;
            if (!affine_add(scheduler, at, &term)) return false;
            if (d > s.from[1]) dim_is_constant(scheduler->dims, view.dims[d], &size);
        }
    }
    return true;
}

bool own_index(const Scheduler *scheduler, const Type *type, Shape view, const Affine *index, Affine *own)
{
    return same_index(scheduler, type, view, index, own) || cut_index(scheduler, type, view, index, own);
}

/* The graph sorts operands that commute by age, which differs from layer to layer; by operator they are alike, and
 * equal layers get equal kernels. (The larger of 0 and -0 depends on their order: max and min stay as they are.) */
static bool swaps(const Graph *graph, const NodeInfo *info)
{
    if (!(op_info(info->op)->flags & COMMUTATIVE) || info->op == OP_MAX || info->op == OP_MIN) return false;
    return node_op(graph, info->args[0]) > node_op(graph, info->args[1]);
}

static uint32_t emit_elementwise(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask)
{
    const Graph *graph = emitter->scheduler->graph;
    const NodeInfo *info = graph_node(graph, node);
    uint32_t args[3];
    bool swapped = swaps(graph, info);
    for (uint32_t i = 0; i < info->n_args; i++) {
        args[i] = emit(emitter, info->args[swapped ? 1 - i : i], view, index, mask);
        if (args[i] == NO_VALUE) return NO_VALUE;
    }
    return draft_compute(emitter->draft, info->op, info->type.dtype, info->n_args, args);
}

/* Operators whose operands are found through the node's own shape. */
static uint32_t emit_shaped(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask)
{
    const Scheduler *scheduler = emitter->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    Affine own[MAX_RANK];
    if (info->op == OP_BROADCAST && node_type(scheduler->graph, info->args[0])->rank == 0)
        return emit(emitter, info->args[0], (Shape){0}, NULL, mask);
    if (!own_index(scheduler, &info->type, view, index, own)) {
        emitter->unviewed = info->op == OP_BROADCAST || info->op == OP_IOTA;
        return emitter->unviewed ? NO_VALUE : emit_blocked(emitter, node);
    }
    switch (info->op) {
    case OP_IOTA:
        return emit_cast(emitter, emit_affine(emitter, &own[info->attr.integer]), info->type.dtype);
    case OP_GATHER:
        return emit_gather(emitter, node, own, mask);
    case OP_SCATTER_ADD:
        return emit_one_hot(emitter, node, own, mask);
    case OP_CONTRACT:
        if (has_sum(scheduler, node)) return emit_blocked(emitter, node);
        return emit_contraction(emitter, node, own, mask);
    default:
        return emit_movement(emitter, node, own, mask);
    }
}

/* Sees the operand's memory through the view; where its order does not allow that, the reshape is copied. */
static uint32_t emit_reshape(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask)
{
    uint32_t value = emit(emitter, node_arg(emitter->scheduler->graph, node, 0), view, index, mask);
    if (value != NO_VALUE || !emitter->unviewed) return value;
    emitter->unviewed = false;
    facts_of(emitter->scheduler, node)->copied = true;
    return emit_blocked(emitter, node);
}

uint32_t emit_computed(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask)
{
    const NodeInfo *info = graph_node(emitter->scheduler->graph, node);
    switch (info->op) {
    case OP_CONST:
        return dtype_class(info->type.dtype) == DTYPE_CLASS_INTEGER
                   ? draft_integer(emitter->draft, info->type.dtype, info->attr.integer)
                   : draft_constant(emitter->draft, info->type.dtype, info->attr.number);
    case OP_SIZE:
        return emit_cast(emitter, emit_size(emitter, info->attr.sizes[0]), info->type.dtype);
    case OP_RANDOM:
        /* Under a mask the index may be no position of the draw. */
        return mask == NO_VALUE ? emit_random(emitter, info, view, index) : emit_blocked(emitter, node);
    case OP_RESHAPE:
        return emit_reshape(emitter, node, view, index, mask);
    case OP_STOP_GRADIENT:
    case OP_CUSTOM_GRADIENT:
        return emit(emitter, info->args[0], view, index, mask);
    default:
        break;
    }
    if (op_info(info->op)->class == OP_CLASS_ELEMENTWISE) return emit_elementwise(emitter, node, view, index, mask);
    return emit_shaped(emitter, node, view, index, mask);
}

/* The element of a node at its own index, read from its transposition. */
static uint32_t emit_copy(KernelEmitter *emitter, Node copy, const Affine *own, uint32_t mask)
{
    Scheduler *scheduler = emitter->scheduler;
    Affine moved[MAX_RANK];
    const NodeInfo *info = graph_node(scheduler->graph, copy);
    if (facts_of(scheduler, copy)->group == NO_GROUP) return emit_blocked(emitter, copy);
    for (uint32_t d = 0; d < info->type.rank; d++) moved[d] = own[info->attr.ints[d]];
    return emit_memory(emitter, copy, shape_of(scheduler, copy), moved, mask);
}

uint32_t emit(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask)
{
    Scheduler *scheduler = emitter->scheduler;
    Node copy = emitter->tiled ? layout_copy(scheduler, node) : NODE_NONE;
    Affine own[MAX_RANK];
    if (!node_is_none(copy) && own_index(scheduler, node_type(scheduler->graph, node), view, index, own))
        return emit_copy(emitter, copy, own, mask);
    if (is_memory(scheduler->graph, node) || facts_of(scheduler, node)->materialised)
        return emit_memory(emitter, node, view, index, mask);
    Memo memo = {.node = node, .view = view, .index = index, .mask = mask};
    if (emitter->capacity) {
        uint32_t *slot = memo_slot(emitter, &memo);
        if (*slot) return emitter->memos.at[*slot - 1].value;
    }
    memo.value = emit_computed(emitter, node, view, index, mask);
    if (memo.value != NO_VALUE) memo_add(emitter, memo);
    return memo.value;
}
