#include <string.h>

#include "schedule/schedule_internal.h"

/* A loop of more stores than this of one value is slow to compile and no faster to run. */
enum { MAX_STORES = 16 };

static uint32_t add_buffer(Scheduler *scheduler, BufferRole role, Name name, const Type *type)
{
    PlanBuffer buffer = {.role = role, .name = name, .dtype = type->dtype, .rank = type->rank, .last_axis = NO_AXIS};
    memcpy(buffer.dims, type->dims, sizeof buffer.dims);
    vec_push(&scheduler->buffers, buffer);
    return (uint32_t)scheduler->buffers.count - 1;
}

uint32_t scheduler_memory(Scheduler *scheduler, Node node)
{
    Facts *facts = facts_of(scheduler, node);
    if (facts->buffer != NO_BUFFER) return facts->buffer;
    const NodeInfo *info = graph_node(scheduler->graph, node);
    BufferRole role = BUFFER_INPUT;
    if (info->op == OP_PARAM) role = BUFFER_PARAM;
    if (info->op == OP_STATE) role = BUFFER_STATE;
    if (info->op == OP_SETTING) role = BUFFER_SETTING;
    if (info->op == OP_LITERAL) role = BUFFER_LITERAL;
    facts->buffer = add_buffer(scheduler, role, info->attr.name, &info->type);
    PlanBuffer *buffer = &scheduler->buffers.at[facts->buffer];
    if (role == BUFFER_LITERAL) {
        buffer->data = info->attr.data;
        buffer->data_size = info->attr.data_size;
    }
    return facts->buffer;
}

static void set_target_buffer(Scheduler *scheduler, Target *target)
{
    const Type *type = node_type(scheduler->graph, target->value);
    if (target->role == RESULT_UPDATE) {
        target->buffer = scheduler_memory(scheduler, target->old);
    } else if (target->role == RESULT_INIT) {
        target->old = module_declared(scheduler->names, target->name);
        target->buffer = node_is_none(target->old) ? add_buffer(scheduler, BUFFER_STATE, target->name, type)
                                                   : scheduler_memory(scheduler, target->old);
    } else {
        target->buffer = add_buffer(scheduler, BUFFER_RESULT, target->name, type);
        scheduler->buffers.at[target->buffer].result = target->role;
    }
}

static uint32_t member_index(const Group *group, Node node)
{
    uint32_t i = 0;
    while (!node_same(group->members.at[i].node, node)) i++;
    return i;
}

/* True when a load reads its memory exactly at the point where the member would overwrite it. */
static bool reads_own_point(const Scheduler *scheduler, const Member *member, const DraftValue *load)
{
    const Type *type = node_type(scheduler->graph, member->node);
    uint32_t next = 0, axis;
    for (uint32_t i = 0; i < type->rank; i++) {
        if (member->axes[i] == NO_AXIS) continue;
        if (next == load->n_index || !dim_same(load->shape.dims[next], type->dims[i]) ||
            !affine_plain(scheduler, &load->index[next], &axis) || axis != member->axes[i])
            return false;
        next++;
    }
    return next == load->n_index && !load->n_args;
}

/* Writing in place must not take an old value from anybody who still needs it. */
static bool may_overwrite(Scheduler *scheduler, const Group *group, const Target *target)
{
    const Member *member = &group->members.at[member_index(group, target->base)];
    if (group->scatter) return false;
    if (node_is_none(target->old)) return true;
    for (size_t i = 0; i < group->draft.values.count; i++) {
        const DraftValue *value = &group->draft.values.at[i];
        if (value->kind == KERNEL_LOAD && node_same(value->node, target->old) &&
            !reads_own_point(scheduler, member, value))
            return false;
    }
    for (const Reader *reader = facts_of(scheduler, target->old)->readers; reader; reader = reader->next)
        if (reader->group != group->id && group_depends(scheduler, reader->group, group->id, UINT32_MAX)) return false;
    return true;
}

static void write_after_readers(Scheduler *scheduler, Group *group, Node old)
{
    if (node_is_none(old)) return;
    for (const Reader *reader = facts_of(scheduler, old)->readers; reader; reader = reader->next)
        if (reader->group != group->id) group_depend(scheduler, group, reader->group);
}

static void copy_to(Scheduler *scheduler, const Target *target)
{
    Piece piece;
    piece_copy(scheduler, target->base, &piece);
    Group *group = group_new(scheduler, &piece, need_of(target->role));
    vec_push(&group->stores, (Store){0, target->buffer});
    group_note_reads(scheduler, group, &group->draft);
    write_after_readers(scheduler, group, target->old);
}

/* What starts from the same constant (the biases of a thousand layers) is filled by several kernels, which then are the
 * same code: the group that stores a value as often as it may hands over to another one that computes it again. False
 * when the value is made of memory, or stands in memory already. */
static bool compute_again(Scheduler *scheduler, Node node)
{
    Facts *facts = facts_of(scheduler, node);
    Piece piece;
    Node blocked;
    if (facts->read_outside || facts->buffer != NO_BUFFER || !piece_make(scheduler, node, &piece, &blocked))
        return false;
    for (size_t i = 0; i < piece.draft.values.count; i++)
        if (piece.draft.values.at[i].kind == KERNEL_LOAD) {
            draft_free(&piece.draft);
            return false;
        }
    facts->group = group_new(scheduler, &piece, (Need)facts->need)->id;
    facts->stores = 0;
    return true;
}

/* Where the value of a target comes to stand: in its own memory straight from where it is computed, or by a copy. */
static void place_target(Scheduler *scheduler, Target *target)
{
    Facts *facts = facts_of(scheduler, target->base);
    bool replaces = target->role == RESULT_UPDATE || target->role == RESULT_INIT;
    if (is_memory(scheduler->graph, target->base)) {
        copy_to(scheduler, target);
        return;
    }
    Group *group = scheduler->groups.at[facts->group];
    /* A phase may not change what the next call of an earlier one would read. */
    bool early = target->role == RESULT_UPDATE && scheduler->phased && group->need != NEED_UPDATE;
    if (replaces && (early || !may_overwrite(scheduler, group, target))) {
        facts->read_outside = true;
        copy_to(scheduler, target);
        return;
    }
    /* A result is row-major. Of a value kept in another order, loops store a second, row-major copy themselves; the
     * tiled code cannot. */
    bool moved = layout_last(scheduler, target->base) != NO_AXIS;
    if (moved && group->contraction) {
        facts->read_outside = true;
        copy_to(scheduler, target);
        return;
    }
    bool first = !moved && !replaces && facts->buffer == NO_BUFFER;
    bool full = !first && facts->stores == MAX_STORES && !compute_again(scheduler, target->base);
    if (first) {
        facts->buffer = target->buffer;
    } else if (group->scatter || full) {
        facts->read_outside = true;
        copy_to(scheduler, target);
        return;
    }
    group = scheduler->groups.at[facts->group];
    facts->stores++;
    vec_push(&group->stores, (Store){member_index(group, target->base), target->buffer});
    if (replaces) write_after_readers(scheduler, group, target->old);
}

/* Memory for what other groups read and no result holds. */
static void place_temporaries(Scheduler *scheduler)
{
    for (size_t i = 0; i < scheduler->groups.count; i++) {
        Group *group = scheduler->groups.at[i];
        for (uint32_t j = 0; j < group->members.count; j++) {
            Node node = group->members.at[j].node;
            Facts *facts = facts_of(scheduler, node);
            bool needed = facts->group == group->id && (facts->read_outside || group->scatter);
            if (!needed || facts->buffer != NO_BUFFER) continue;
            facts->buffer = add_buffer(scheduler, BUFFER_TEMPORARY, graph_name(scheduler->graph, node),
                                       memory_type(scheduler, node));
            scheduler->buffers.at[facts->buffer].last_axis = layout_last(scheduler, node);
            vec_push(&group->stores, (Store){j, facts->buffer});
        }
    }
}

void scheduler_place(Scheduler *scheduler)
{
    for (size_t i = 0; i < scheduler->targets.count; i++) set_target_buffer(scheduler, &scheduler->targets.at[i]);
    /* Results first, so that what reads a value finds it there; then what is overwritten. */
    for (uint32_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < scheduler->targets.count; i++) {
            Target *target = &scheduler->targets.at[i];
            bool replaces = target->role == RESULT_UPDATE || target->role == RESULT_INIT;
            if (replaces == (pass == 1)) place_target(scheduler, target);
        }
    place_temporaries(scheduler);
}
