#include <string.h>

#include "schedule/schedule_internal.h"

/* A loop of more stores than this of one value is slow to compile and no faster to run. */
enum { MAX_STORES = 16 };

static uint32_t add_buffer(Program *program, BufferRole role, Name name, const Type *type)
{
    PlanBuffer buffer = {.role = role, .name = name, .dtype = type->dtype, .rank = type->rank};
    memcpy(buffer.dims, type->dims, sizeof buffer.dims);
    vec_push(&program->buffers, buffer);
    return (uint32_t)program->buffers.count - 1;
}

uint32_t program_memory(Program *program, Node node)
{
    Facts *facts = facts_of(program, node);
    if (facts->buffer != NO_BUFFER) return facts->buffer;
    const NodeInfo *info = graph_node(program->graph, node);
    BufferRole role = BUFFER_INPUT;
    if (info->op == OP_PARAM) role = BUFFER_PARAM;
    if (info->op == OP_STATE) role = BUFFER_STATE;
    if (info->op == OP_SETTING) role = BUFFER_SETTING;
    if (info->op == OP_LITERAL) role = BUFFER_LITERAL;
    facts->buffer = add_buffer(program, role, info->attr.name, &info->type);
    PlanBuffer *buffer = &program->buffers.at[facts->buffer];
    if (role == BUFFER_LITERAL) {
        buffer->data = info->attr.data;
        buffer->data_size = info->attr.data_size;
    }
    return facts->buffer;
}

static void set_target_buffer(Program *program, Target *target)
{
    const Type *type = node_type(program->graph, target->value);
    if (target->role == RESULT_UPDATE) {
        target->buffer = program_memory(program, target->old);
    } else if (target->role == RESULT_INIT) {
        target->old = module_declared(program->names, target->name);
        target->buffer = node_is_none(target->old) ? add_buffer(program, BUFFER_STATE, target->name, type)
                                                   : program_memory(program, target->old);
    } else {
        target->buffer = add_buffer(program, BUFFER_RESULT, target->name, type);
        program->buffers.at[target->buffer].result = target->role;
    }
}

static uint32_t member_index(const Group *group, Node node)
{
    uint32_t i = 0;
    while (!node_same(group->members.at[i].node, node)) i++;
    return i;
}

/* True when a load reads its memory exactly at the point where the member would overwrite it. */
static bool reads_own_point(const Program *program, const Member *member, const DraftValue *load)
{
    const Type *type = node_type(program->graph, member->node);
    uint32_t next = 0, axis;
    for (uint32_t i = 0; i < type->rank; i++) {
        if (member->axes[i] == NO_AXIS) continue;
        if (next == load->n_index || !dim_same(load->shape.dims[next], type->dims[i]) ||
            !affine_plain(program, &load->index[next], &axis) || axis != member->axes[i])
            return false;
        next++;
    }
    return next == load->n_index && !load->n_args;
}

/* Writing in place must not take an old value from anybody who still needs it. */
static bool may_overwrite(Program *program, const Group *group, const Target *target)
{
    const Member *member = &group->members.at[member_index(group, target->base)];
    if (group->scatter) return false;
    if (node_is_none(target->old)) return true;
    for (size_t i = 0; i < group->draft.values.count; i++) {
        const DraftValue *value = &group->draft.values.at[i];
        if (value->kind == KERNEL_LOAD && node_same(value->node, target->old) &&
            !reads_own_point(program, member, value))
            return false;
    }
    for (const Reader *reader = facts_of(program, target->old)->readers; reader; reader = reader->next)
        if (reader->group != group->id && group_depends(program, reader->group, group->id)) return false;
    return true;
}

static void write_after_readers(Program *program, Group *group, Node old)
{
    if (node_is_none(old)) return;
    for (const Reader *reader = facts_of(program, old)->readers; reader; reader = reader->next)
        if (reader->group != group->id) group_depend(program, group, reader->group);
}

static void copy_to(Program *program, const Target *target)
{
    Piece piece;
    piece_copy(program, target->base, &piece);
    Group *group = group_new(program, &piece, need_of(target->role));
    vec_push(&group->stores, (Store){0, target->buffer});
    group_note_reads(program, group, &group->draft);
    write_after_readers(program, group, target->old);
}

/* What starts from the same constant (the biases of a thousand layers) is filled by several kernels, which then are the
 * same code: the group that stores a value as often as it may hands over to another one that computes it again. False
 * when the value is made of memory, or stands in memory already. */
static bool compute_again(Program *program, Node node)
{
    Facts *facts = facts_of(program, node);
    Piece piece;
    Node blocked;
    if (facts->read_outside || facts->buffer != NO_BUFFER || !piece_make(program, node, &piece, &blocked)) return false;
    for (size_t i = 0; i < piece.draft.values.count; i++)
        if (piece.draft.values.at[i].kind == KERNEL_LOAD) {
            draft_free(&piece.draft);
            return false;
        }
    facts->group = group_new(program, &piece, (Need)facts->need)->id;
    facts->stores = 0;
    return true;
}

/* Where the value of a target comes to stand: in its own memory straight from where it is computed, or by a copy. */
static void place_target(Program *program, Target *target)
{
    Facts *facts = facts_of(program, target->base);
    bool replaces = target->role == RESULT_UPDATE || target->role == RESULT_INIT;
    if (is_memory(program->graph, target->base)) {
        copy_to(program, target);
        return;
    }
    Group *group = program->groups.at[facts->group];
    /* A phase may not change what the next call of an earlier one would read. */
    bool early = target->role == RESULT_UPDATE && program->phased && group->need != NEED_UPDATE;
    if (replaces && (early || !may_overwrite(program, group, target))) {
        facts->read_outside = true;
        copy_to(program, target);
        return;
    }
    bool first = !replaces && facts->buffer == NO_BUFFER;
    bool full = !first && facts->stores == MAX_STORES && !compute_again(program, target->base);
    if (first) {
        facts->buffer = target->buffer;
    } else if (group->scatter || full) {
        facts->read_outside = true;
        copy_to(program, target);
        return;
    }
    group = program->groups.at[facts->group];
    facts->stores++;
    vec_push(&group->stores, (Store){member_index(group, target->base), target->buffer});
    if (replaces) write_after_readers(program, group, target->old);
}

/* Memory for what other groups read and no result holds. */
static void place_temporaries(Program *program)
{
    for (size_t i = 0; i < program->groups.count; i++) {
        Group *group = program->groups.at[i];
        for (uint32_t j = 0; j < group->members.count; j++) {
            Node node = group->members.at[j].node;
            Facts *facts = facts_of(program, node);
            bool needed = facts->group == group->id && (facts->read_outside || group->scatter);
            if (!needed || facts->buffer != NO_BUFFER) continue;
            facts->buffer = add_buffer(program, BUFFER_TEMPORARY, graph_name(program->graph, node),
                                       node_type(program->graph, node));
            vec_push(&group->stores, (Store){j, facts->buffer});
        }
    }
}

void program_place(Program *program)
{
    for (size_t i = 0; i < program->targets.count; i++) set_target_buffer(program, &program->targets.at[i]);
    /* Results first, so that what reads a value finds it there; then what is overwritten. */
    for (uint32_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < program->targets.count; i++) {
            Target *target = &program->targets.at[i];
            bool replaces = target->role == RESULT_UPDATE || target->role == RESULT_INIT;
            if (replaces == (pass == 1)) place_target(program, target);
        }
    place_temporaries(program);
}
