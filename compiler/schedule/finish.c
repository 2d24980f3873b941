#include <ctype.h>
#include <string.h>

#include "schedule/schedule_internal.h"
#include "support/memory.h"

/* A Kernel while it is filled. */
typedef struct {
    Scheduler *scheduler;
    const Group *group;
    Arena *arena;
    Vec(KernelSize) sizes;
    Vec(Dim) dims;
    Vec(KernelBuffer) buffers;
    Vec(uint32_t) memory; /* per kernel buffer: the program's */
    Vec(KernelValue) values;
    uint32_t *map; /* from the draft's values */
    bool draws;    /* a value of it is random */
} Finisher;

static uint32_t local_size(Finisher *finisher, Dim dim)
{
    for (size_t i = 0; i < finisher->dims.count; i++)
        if (dim_same(finisher->dims.at[i], dim)) return (uint32_t)i;
    int64_t value;
    KernelSize size = {0};
    if (dim_is_constant(finisher->scheduler->dims, dim, &value) && (value == 0 || value == 1))
        size = (KernelSize){true, value};
    vec_push(&finisher->sizes, size);
    vec_push(&finisher->dims, dim);
    return (uint32_t)finisher->dims.count - 1;
}

static uint32_t local_buffer(Finisher *finisher, uint32_t memory, DType dtype, uint32_t rank, const Dim *dims)
{
    KernelBuffer buffer = {.dtype = dtype, .rank = rank};
    for (uint32_t i = 0; i < rank; i++) buffer.dims[i] = local_size(finisher, dims[i]);
    for (size_t i = 0; i < finisher->buffers.count; i++) {
        const KernelBuffer *other = &finisher->buffers.at[i];
        if (finisher->memory.at[i] == memory && other->rank == rank &&
            !memcmp(other->dims, buffer.dims, sizeof buffer.dims))
            return (uint32_t)i;
    }
    vec_push(&finisher->buffers, buffer);
    vec_push(&finisher->memory, memory);
    return (uint32_t)finisher->buffers.count - 1;
}

static KernelIndex finish_subscript(Finisher *finisher, const Affine *affine)
{
    const Scheduler *scheduler = finisher->scheduler;
    KernelIndex index = {
        .n_terms = affine->n_terms, .value = affine->value, .checked = affine->checked, .div = affine->div};
    if (affine->n_terms) index.terms = ARENA_COPY(finisher->arena, KernelTerm, affine->terms, affine->n_terms);
    if (affine->value >= 0) index.value = (int32_t)finisher->map[affine->value];
    int64_t offset;
    index.negative = dim_is_constant(scheduler->dims, affine->offset, &offset) && offset < 0;
    Dim size = index.negative ? dim_constant(scheduler->dims, -offset) : affine->offset;
    index.offset = local_size(finisher, size);
    return index;
}

static const KernelIndex *finish_index(Finisher *finisher, const Affine *affine, uint32_t count)
{
    KernelIndex *index = ARENA_ARRAY(finisher->arena, KernelIndex, count ? count : 1);
    for (uint32_t i = 0; i < count; i++) index[i] = finish_subscript(finisher, &affine[i]);
    return index;
}

static uint32_t memory_of(Finisher *finisher, Node node)
{
    Scheduler *scheduler = finisher->scheduler;
    if (is_memory(scheduler->graph, node)) return scheduler_memory(scheduler, node);
    return facts_of(scheduler, node)->buffer;
}

/* The bounds of a draw follow from the sizes of what is drawn: as numbers of the launch they leave layers of different
 * widths one kernel. Beside a draw itself a number that is read before the loop costs nothing. */
static bool becomes_number(const DraftValue *value)
{
    return value->kind == KERNEL_CONSTANT && (value->dtype == DTYPE_F32 || value->dtype == DTYPE_F64) &&
           value->number != 0;
}

static int64_t bits_of(const DraftValue *value)
{
    float narrow = (float)value->number;
    uint32_t narrow_bits;
    int64_t bits;
    memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
    memcpy(&bits, &value->number, sizeof bits);
    return value->dtype == DTYPE_F32 ? (int64_t)narrow_bits : bits;
}

static bool draws(const Draft *draft)
{
    for (size_t i = 0; i < draft->values.count; i++)
        if (draft->values.at[i].kind == KERNEL_RANDOM) return true;
    return false;
}

static void finish_value(Finisher *finisher, uint32_t at)
{
    const DraftValue *draft = &finisher->group->draft.values.at[at];
    KernelValue value = {.kind = draft->kind,
                         .dtype = draft->dtype,
                         .op = draft->op,
                         .domain = draft->domain,
                         .reduced = draft->reduced,
                         .n_args = draft->n_args,
                         .axis = draft->axis,
                         .clipped = draft->clipped,
                         .number = draft->number,
                         .integer = draft->integer};
    for (uint32_t i = 0; i < draft->n_args; i++) value.args[i] = finisher->map[draft->args[i]];
    if (draft->kind == KERNEL_SIZE) value.size = local_size(finisher, draft->size);
    if (finisher->draws && becomes_number(draft)) {
        value = (KernelValue){.kind = KERNEL_NUMBER, .dtype = draft->dtype};
        value.size = local_size(finisher, dim_constant(finisher->scheduler->dims, bits_of(draft)));
    }
    if (draft->kind == KERNEL_RANDOM) value.stream = local_size(finisher, draft->size);
    value.n_index = draft->n_index;
    value.index = finish_index(finisher, draft->index, draft->n_index);
    if (draft->kind == KERNEL_LOAD || draft->kind == KERNEL_SCATTER) {
        value.buffer = local_buffer(finisher, memory_of(finisher, draft->node), draft->dtype, draft->shape.rank,
                                    draft->shape.dims);
        *(draft->kind == KERNEL_LOAD ? &finisher->buffers.at[value.buffer].read
                                     : &finisher->buffers.at[value.buffer].written) = true;
    }
    for (uint32_t i = 0; draft->kind == KERNEL_RANDOM && i < draft->n_index; i++)
        value.dims[i] = local_size(finisher, draft->shape.dims[i]);
    finisher->map[at] = (uint32_t)finisher->values.count;
    vec_push(&finisher->values, value);
}

/* In the order of the value's own memory, or row-major in that of a result. */
static void finish_store(Finisher *finisher, const Member *member, uint32_t value, uint32_t memory)
{
    const Scheduler *scheduler = finisher->scheduler;
    const Type *type = memory_type(scheduler, member->node);
    Dim dims[MAX_RANK];
    Affine index[MAX_RANK];
    uint8_t order[MAX_RANK];
    uint32_t rank = layout_order(type->rank, scheduler->buffers.at[memory].last_axis, order);
    KernelValue store = {.kind = KERNEL_STORE, .dtype = type->dtype, .n_args = 1, .args = {value}};
    for (uint32_t i = 0; i < rank; i++) {
        uint32_t d = order[i];
        if (member->axes[d] == NO_AXIS) continue;
        dims[store.n_index] = type->dims[d];
        index[store.n_index++] = affine_axis(scheduler, member->axes[d]);
        store.domain |= axis_bit(member->axes[d]);
    }
    store.index = finish_index(finisher, index, store.n_index);
    store.buffer = local_buffer(finisher, memory, type->dtype, store.n_index, dims);
    finisher->buffers.at[store.buffer].written = true;
    vec_push(&finisher->values, store);
}

/* Values that stores are made of. */
static bool *find_needed(const Group *group)
{
    const Draft *draft = &group->draft;
    bool *needed = memory_calloc(draft->values.count + 1, sizeof *needed);
    for (size_t i = 0; i < group->stores.count; i++) needed[group->members.at[group->stores.at[i].member].value] = true;
    for (size_t i = draft->values.count; i-- > 0;) {
        if (!needed[i]) continue;
        const DraftValue *value = &draft->values.at[i];
        for (uint32_t j = 0; j < value->n_args; j++) needed[value->args[j]] = true;
        for (uint32_t j = 0; j < value->n_index; j++)
            if (value->index[j].value >= 0) needed[value->index[j].value] = true;
    }
    return needed;
}

/* ---- names */

static void put_name(Text *text, const char *name)
{
    if (text->count) text_string(text, "_");
    for (; *name; name++) text_put(text, isalnum((unsigned char)*name) ? name : "_", 1);
}

static const char *target_name(const Scheduler *scheduler, const Group *group)
{
    const char *name = NULL;
    for (size_t i = 0; i < group->stores.count; i++) {
        const PlanBuffer *buffer = &scheduler->buffers.at[group->stores.at[i].buffer];
        const Member *member = &group->members.at[group->stores.at[i].member];
        if (buffer->role != BUFFER_TEMPORARY && buffer->name) name = buffer->name;
        if (!name) name = graph_name(scheduler->graph, member->node);
    }
    return name;
}

/* What it computes, then the first and the last of how: `logits_contract_add`. */
static Name name_group(const Scheduler *scheduler, const Group *group)
{
    Text text = {0};
    const char *name = target_name(scheduler, group);
    const Graph *graph = scheduler->graph;
    Op first = node_op(graph, group->members.at[0].node), last = node_op(graph, vec_last(&group->members).node);
    const DraftValue *value = &group->draft.values.at[group->members.at[0].value];
    bool copies = value->kind == KERNEL_LOAD && node_same(value->node, group->members.at[0].node);
    if (name) put_name(&text, name);
    put_name(&text, copies ? "copy" : op_info(first)->spelling);
    if (group->members.count > 1) put_name(&text, op_info(last)->spelling);
    Name result = intern(scheduler->context->names, text_get(&text));
    text_free(&text);
    return result;
}

/* ---- the whole */

static Phase phase_of(Need need)
{
    return need == NEED_BACKWARD ? PHASE_BACKWARD : need == NEED_UPDATE ? PHASE_UPDATE : PHASE_FORWARD;
}

static Finished finish(Finisher *finisher, const Draft *draft, Name name)
{
    Scheduler *scheduler = finisher->scheduler;
    const Group *group = finisher->group;
    Arena *arena = finisher->arena;
    Kernel *kernel = ARENA_NEW(arena, Kernel);
    kernel->name = name;
    kernel->n_axes = (uint32_t)draft->axes.count;
    kernel->axes = ARENA_ARRAY(arena, KernelAxis, kernel->n_axes + 1);
    for (uint32_t i = 0; i < kernel->n_axes; i++) kernel->axes[i].extent = local_size(finisher, draft->axes.at[i]);
    kernel->n_sizes = (uint32_t)finisher->sizes.count;
    kernel->n_buffers = (uint32_t)finisher->buffers.count;
    kernel->n_values = (uint32_t)finisher->values.count;
    kernel->sizes = ARENA_COPY(arena, KernelSize, finisher->sizes.at, kernel->n_sizes);
    kernel->buffers = ARENA_COPY(arena, KernelBuffer, finisher->buffers.at, kernel->n_buffers);
    kernel->values = ARENA_COPY(arena, KernelValue, finisher->values.at, kernel->n_values);
    Dim *sizes = ARENA_COPY(arena, Dim, finisher->dims.at, finisher->dims.count);
    kernel_merge_axes(arena, scheduler->dims, kernel, &sizes);
    kernel_compact_sizes(arena, kernel, &sizes);
    Finished finished = {.kernel = kernel};
    Arena *lasting = scheduler->context->arena;
    finished.launch.buffers = ARENA_COPY(lasting, uint32_t, finisher->memory.at, finisher->memory.count);
    finished.launch.sizes = ARENA_COPY(lasting, Dim, sizes, kernel->n_sizes);
    finished.launch.phase = phase_of((Need)group->need);
    finished.launch.metric = group->need == NEED_METRIC;
    finished.launch.node = group->members.at[0].node;
    vec_free(&finisher->sizes);
    vec_free(&finisher->dims);
    vec_free(&finisher->buffers);
    vec_free(&finisher->memory);
    vec_free(&finisher->values);
    memory_free(finisher->map);
    return finished;
}

Finished group_finish(Scheduler *scheduler, Group *group)
{
    Finisher finisher = {.scheduler = scheduler, .group = group, .arena = scheduler->scratch};
    bool *needed = find_needed(group);
    finisher.draws = draws(&group->draft);
    finisher.map = memory_calloc(group->draft.values.count + 1, sizeof *finisher.map);
    for (uint32_t i = 0; i < group->draft.values.count; i++)
        if (needed[i]) finish_value(&finisher, i);
    for (size_t i = 0; i < group->stores.count && !group->scatter; i++) {
        const Member *member = &group->members.at[group->stores.at[i].member];
        finish_store(&finisher, member, finisher.map[member->value], group->stores.at[i].buffer);
    }
    memory_free(needed);
    return finish(&finisher, &group->draft, name_group(scheduler, group));
}

Finished group_finish_zero(Scheduler *scheduler, Group *group)
{
    Finisher finisher = {.scheduler = scheduler, .group = group, .arena = scheduler->scratch};
    Draft draft = {0};
    Member member = {.node = group->members.at[0].node};
    const Type *type = node_type(scheduler->graph, member.node);
    memset(member.axes, NO_AXIS, sizeof member.axes);
    for (uint32_t i = 0; i < type->rank; i++) {
        if (is_unit(scheduler, type->dims[i])) continue;
        member.axes[i] = (uint8_t)draft.axes.count;
        vec_push(&draft.axes, type->dims[i]);
    }
    vec_push(&finisher.values, (KernelValue){.kind = KERNEL_CONSTANT, .dtype = type->dtype});
    finish_store(&finisher, &member, 0, facts_of(scheduler, member.node)->buffer);
    Finished finished = finish(&finisher, &draft, intern(scheduler->context->names, "zero"));
    draft_free(&draft);
    return finished;
}
