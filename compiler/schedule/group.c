#include "schedule/schedule_internal.h"

uint32_t member_axes(const Scheduler *scheduler, const Member *member, uint8_t *axes, uint8_t *dims)
{
    uint8_t order[MAX_RANK];
    uint32_t rank =
        layout_order(memory_type(scheduler, member->node)->rank, layout_last(scheduler, member->node), order);
    uint32_t count = 0;
    for (uint32_t i = 0; i < rank; i++) {
        if (member->axes[order[i]] == NO_AXIS) continue;
        if (dims) dims[count] = order[i];
        axes[count++] = member->axes[order[i]];
    }
    return count;
}

Group *group_new(Scheduler *scheduler, Piece *piece, Need need)
{
    Group *group = ARENA_NEW(scheduler->arena, Group);
    group->id = (uint32_t)scheduler->groups.count;
    group->need = (uint8_t)need;
    group->contraction = piece->contraction;
    group->scatter = piece->scatter;
    group->scans = piece->scans;
    group->row = piece->row && piece->reduced;
    group->reduces = piece->reduced != 0;
    group->inner = piece->reduced;
    group->draft = piece->draft;
    group->n_outer = member_axes(scheduler, &piece->member, group->outer, NULL);
    vec_push(&group->members, piece->member);
    vec_push(&scheduler->groups, group);
    return group;
}

void group_free(Group *group)
{
    draft_free(&group->draft);
    vec_free(&group->members);
    vec_free(&group->deps);
    vec_free(&group->users);
    vec_free(&group->stores);
}

/* Restores the law of levels above a group whose level rose. */
static void raise_users(Scheduler *scheduler, uint32_t start)
{
    Vec(uint32_t) rising = {0};
    vec_push(&rising, start);
    while (rising.count) {
        const Group *group = scheduler->groups.at[vec_pop(&rising)];
        for (size_t i = 0; i < group->users.count; i++) {
            Group *user = scheduler->groups.at[group->users.at[i]];
            if (user->level > group->level) continue;
            user->level = group->level + 1;
            vec_push(&rising, user->id);
        }
    }
    vec_free(&rising);
}

void group_depend(Scheduler *scheduler, Group *group, uint32_t on)
{
    for (size_t i = 0; i < group->deps.count; i++)
        if (group->deps.at[i] == on) return;
    Group *source = scheduler->groups.at[on];
    vec_push(&group->deps, on);
    vec_push(&source->users, group->id);
    if (group->level > source->level) return;
    group->level = source->level + 1;
    raise_users(scheduler, group->id);
}

/* A search along dependencies that never goes below the level of what it looks for. */
bool group_depends(Scheduler *scheduler, uint32_t group, uint32_t on, uint32_t most)
{
    uint32_t floor = scheduler->groups.at[on]->level, mark = ++scheduler->mark, searched = 0;
    bool found = group == on;
    Vec(uint32_t) open = {0};
    vec_push(&open, group);
    while (open.count && !found) {
        const Group *at = scheduler->groups.at[vec_pop(&open)];
        if (at->level <= floor) continue;
        if (searched++ == most) found = true;
        for (size_t i = 0; i < at->deps.count && !found; i++) {
            Group *dep = scheduler->groups.at[at->deps.at[i]];
            found = dep->id == on;
            if (dep->mark == mark) continue;
            dep->mark = mark;
            vec_push(&open, dep->id);
        }
    }
    vec_free(&open);
    return found;
}

static size_t reader_slot(const ReaderSet *set, uint64_t pair)
{
    size_t slot = (size_t)((pair * 0x9E3779B97F4A7C15u) >> 20) & (set->capacity - 1);
    while (set->pairs[slot] && set->pairs[slot] != pair) slot = (slot + 1) & (set->capacity - 1);
    return slot;
}

/* True when the pair is new. */
static bool reader_set_add(Scheduler *scheduler, Node node, uint32_t group)
{
    ReaderSet *set = &scheduler->readers;
    if (2 * set->count >= set->capacity) {
        ReaderSet old = *set;
        set->capacity = old.capacity ? 2 * old.capacity : 1024;
        set->pairs = arena_alloc(scheduler->arena, set->capacity * sizeof *set->pairs);
        for (size_t i = 0; i < old.capacity; i++)
            if (old.pairs[i]) set->pairs[reader_slot(set, old.pairs[i])] = old.pairs[i];
    }
    uint64_t pair = ((uint64_t)node.id << 32 | group) + 1;
    uint64_t *slot = &set->pairs[reader_slot(set, pair)];
    if (*slot) return false;
    *slot = pair;
    set->count++;
    return true;
}

/* A scalar may be read by every group: they are not searched. */
static void add_reader(Scheduler *scheduler, Node node, uint32_t group)
{
    Facts *facts = facts_of(scheduler, node);
    if (!reader_set_add(scheduler, node, group)) return;
    Reader *reader = ARENA_NEW(scheduler->arena, Reader);
    *reader = (Reader){group, facts->readers};
    facts->readers = reader;
}

void group_note_reads(Scheduler *scheduler, Group *group, const Draft *draft)
{
    for (size_t i = 0; i < draft->values.count; i++) {
        const DraftValue *value = &draft->values.at[i];
        if (value->kind != KERNEL_LOAD) continue;
        Facts *facts = facts_of(scheduler, value->node);
        if (facts->group == group->id) continue;
        add_reader(scheduler, value->node, group->id);
        if (facts->group == NO_GROUP) continue;
        facts->read_outside = true;
        group_depend(scheduler, group, facts->group);
    }
}
