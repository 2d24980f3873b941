/* Joining pieces to groups. A group has outer axes, over which all of its members run, and inner axes, which its
 * reductions remove. `fits` is the predicate of what may fuse:
 *
 *   contraction   pointwise pieces over exactly its result
 *   scan          the same
 *   pointwise     pieces over the same axes; a reduction of trailing axes of its members makes it a row group
 *   row group     reductions of trailing axes and what runs over outer (and inner) axes: softmax, normalisation
 *   other         reductions of the same axes of the same memory, and pointwise pieces over their results
 *
 * What should fuse: whatever reads a member, first with the group that runs last; then what shares a whole operand. */
#include <string.h>

#include "schedule/schedule_internal.h"
#include "support/memory.h"

enum { MAX_VALUES = 400, MAX_LOADS = 40, MAX_SIBLINGS = 4, MAX_CANDIDATES = 32, MOST_SEARCHED = 500 };

typedef struct {
    uint8_t to[KERNEL_MAX_AXES]; /* the group's axis for each of the piece's; NO_AXIS: none yet */
} AxisMap;

static bool bind(AxisMap *map, const Piece *piece, const Group *group, uint32_t axis, uint32_t to)
{
    if (map->to[axis] != NO_AXIS) return map->to[axis] == to;
    if (!dim_same(piece->draft.axes.at[axis], group->draft.axes.at[to])) return false;
    for (uint32_t i = 0; i < KERNEL_MAX_AXES; i++)
        if (map->to[i] == to) return false;
    map->to[axis] = (uint8_t)to;
    return true;
}

static const Member *member_of(const Group *group, Node node)
{
    for (size_t i = 0; i < group->members.count; i++)
        if (node_same(group->members.at[i].node, node)) return &group->members.at[i];
    return NULL;
}

/* Binds axes so that the load names exactly the point at which the member is computed. */
static bool bind_member(const Scheduler *scheduler, AxisMap *map, const Piece *piece, const Group *group,
                        const DraftValue *load)
{
    const Member *member = member_of(group, load->node);
    const Type *type = memory_type(scheduler, load->node);
    uint8_t axes[MAX_RANK], dims[MAX_RANK];
    uint32_t axis;
    if (!member || load->n_args || group->scatter) return false;
    if (member_axes(scheduler, member, axes, dims) != load->n_index) return false;
    for (uint32_t i = 0; i < load->n_index; i++) {
        if (!dim_same(load->shape.dims[i], type->dims[dims[i]])) return false;
        if (!affine_plain(scheduler, &load->index[i], &axis)) return false;
        if (!bind(map, piece, group, axis, axes[i])) return false;
    }
    return true;
}

/* Binds the axes of two walks through the same memory, which may begin at different places (gates of one product). */
static bool bind_subscripts(AxisMap *map, const Piece *piece, const Group *group, const DraftValue *load,
                            const DraftValue *other)
{
    for (uint32_t i = 0; i < load->n_index; i++) {
        const Affine *mine = &load->index[i], *theirs = &other->index[i];
        if (!dim_same(load->shape.dims[i], other->shape.dims[i])) return false;
        if (mine->n_terms != theirs->n_terms || mine->n_terms > 1 || mine->value >= 0 || theirs->value >= 0)
            return false;
        if (!mine->n_terms && !affine_same(mine, theirs)) return false;
        if (!mine->n_terms) continue;
        if (mine->terms[0].factor != theirs->terms[0].factor) return false;
        if (!bind(map, piece, group, mine->terms[0].axis, theirs->terms[0].axis)) return false;
    }
    return true;
}

/* Binds axes by memory that both read in the same way; true when some load over all of the piece's axes is shared. */
static bool bind_shared(AxisMap *map, const Piece *piece, const Group *group)
{
    bool whole = false;
    AxisMask all = (AxisMask)(((uint64_t)1 << piece->draft.axes.count) - 1);
    for (size_t i = 0; i < piece->draft.values.count; i++) {
        const DraftValue *load = &piece->draft.values.at[i];
        if (load->kind != KERNEL_LOAD || load->n_args || !load->n_index) continue;
        for (size_t j = 0; j < group->draft.values.count; j++) {
            const DraftValue *other = &group->draft.values.at[j];
            if (other->kind != KERNEL_LOAD || !node_same(other->node, load->node) || other->n_index != load->n_index)
                continue;
            AxisMap trial = *map;
            if (other->n_args || !bind_subscripts(&trial, piece, group, load, other)) continue;
            *map = trial;
            whole = whole || load->domain == all;
            break;
        }
    }
    return whole;
}

/* Inner axes that nothing bound: those of the group with the same extent, in order. */
static void bind_inner(AxisMap *map, const Piece *piece, const Group *group)
{
    for (uint32_t i = 0; i < piece->draft.axes.count; i++)
        for (uint32_t to = 0; to < group->draft.axes.count && map->to[i] == NO_AXIS; to++)
            if (group->inner & axis_bit(to)) bind(map, piece, group, i, to);
}

/* How the group's form changes when the piece joins. */
typedef struct {
    uint32_t n_outer;
    AxisMask inner; /* of the piece's axes: those that become inner */
    bool row, reduces;
} Form;

/* The number of leading result axes that are the group's outer axes in order; *count receives how many there are. */
static uint32_t shared_outer(const Scheduler *scheduler, const AxisMap *map, const Piece *piece, const Group *group,
                             uint32_t *count)
{
    uint8_t axes[MAX_RANK];
    uint32_t shared = 0;
    *count = member_axes(scheduler, &piece->member, axes, NULL);
    while (shared < *count && shared < group->n_outer && map->to[axes[shared]] == group->outer[shared]) shared++;
    return shared;
}

static AxisMask mapped(const AxisMap *map, AxisMask axes)
{
    AxisMask result = 0;
    for (uint32_t i = 0; i < KERNEL_MAX_AXES; i++)
        if ((axes >> i & 1) && map->to[i] != NO_AXIS) result |= axis_bit(map->to[i]);
    return result;
}

static uint32_t bits(AxisMask mask)
{
    uint32_t count = 0;
    for (; mask; mask &= mask - 1) count++;
    return count;
}

static bool fits_reduction(const Piece *piece, const Group *group, const AxisMap *map, uint32_t shared, uint32_t count,
                           Form *form)
{
    AxisMask reduced = mapped(map, piece->reduced);
    bool pointwise = !group->reduces && !group->inner;
    form->reduces = true;
    form->inner = piece->reduced;
    if (shared == count && count == group->n_outer) {
        /* The same results: sums of the same axes, or of rows. */
        if (group->reduces && reduced == group->inner && bits(reduced) == bits(piece->reduced)) return true;
        form->row = true;
        return piece->row && count > 0 && (pointwise || group->row);
    }
    /* A sum over trailing axes of a pointwise group makes rows of it. */
    if (!pointwise || !piece->row || shared != count || !count || count >= group->n_outer) return false;
    form->row = true;
    form->n_outer = count;
    return bits(reduced) == bits(piece->reduced) && count + bits(reduced) == group->n_outer;
}

static bool fits(const Scheduler *scheduler, const Piece *piece, const Group *group, const AxisMap *map, Form *form)
{
    uint32_t count, shared = shared_outer(scheduler, map, piece, group, &count);
    *form = (Form){.n_outer = group->n_outer, .row = group->row, .reduces = group->reduces};
    if (piece->contraction || piece->scatter || piece->scans || group->scatter) return false;
    if (group->contraction || group->scans) return !piece->reduced && shared == count && count == group->n_outer;
    if (piece->reduced) return fits_reduction(piece, group, map, shared, count, form);
    if (shared != group->n_outer) return false;
    if (count == shared) return true;
    if (!shared || (group->reduces && !group->row)) return false;
    for (uint32_t i = 0; i < piece->draft.axes.count; i++) {
        bool outer = false;
        for (uint32_t j = 0; j < shared; j++) outer = outer || map->to[i] == group->outer[j];
        if (!outer) form->inner |= axis_bit(i);
    }
    form->row = true;
    return true;
}

/* True when the group could not run: something that the piece needs runs after it, or reads what the piece overwrites.
 * What is so far apart that finding out takes long is not joined: else a backward pass would be searched for each of
 * its nodes. */
static bool makes_cycle(Scheduler *scheduler, const Piece *piece, const Group *group)
{
    for (size_t i = 0; i < piece->draft.values.count; i++) {
        const DraftValue *value = &piece->draft.values.at[i];
        if (value->kind != KERNEL_LOAD) continue;
        uint32_t source = facts_of(scheduler, value->node)->group;
        if (source != NO_GROUP && source != group->id && group_depends(scheduler, source, group->id, MOST_SEARCHED))
            return true;
    }
    for (uint32_t i = facts_of(scheduler, piece->member.node)->target; i != NO_TARGET;
         i = scheduler->targets.at[i].next) {
        const Target *target = &scheduler->targets.at[i];
        if (node_is_none(target->old)) continue;
        for (const Reader *reader = facts_of(scheduler, target->old)->readers; reader; reader = reader->next)
            if (reader->group != group->id && group_depends(scheduler, reader->group, group->id, MOST_SEARCHED))
                return true;
    }
    return false;
}

static uint32_t count_loads(const Draft *draft)
{
    uint32_t loads = 0;
    for (size_t i = 0; i < draft->values.count; i++) loads += draft->values.at[i].kind == KERNEL_LOAD;
    return loads;
}

static const Affine *map_index(Scheduler *scheduler, const DraftValue *value, const AxisMap *map,
                               const uint32_t *values)
{
    Affine *index = ARENA_COPY(scheduler->arena, Affine, value->index, value->n_index);
    for (uint32_t i = 0; i < value->n_index; i++) {
        for (uint32_t j = 0; j < index[i].n_terms; j++) index[i].terms[j].axis = map->to[index[i].terms[j].axis];
        if (index[i].value >= 0) index[i].value = (int32_t)values[index[i].value];
    }
    return index;
}

/* Adds the piece's values to the group's. */
static void splice(Scheduler *scheduler, Group *group, Piece *piece, AxisMap *map)
{
    for (uint32_t i = 0; i < piece->draft.axes.count; i++) {
        if (map->to[i] != NO_AXIS) continue;
        map->to[i] = (uint8_t)group->draft.axes.count;
        vec_push(&group->draft.axes, piece->draft.axes.at[i]);
    }
    uint32_t *values = memory_alloc((piece->draft.values.count + 1) * sizeof *values);
    for (size_t i = 0; i < piece->draft.values.count; i++) {
        DraftValue value = piece->draft.values.at[i];
        const Member *member = value.kind == KERNEL_LOAD ? member_of(group, value.node) : NULL;
        if (member) {
            values[i] = draft_widen(&group->draft, member->value, mapped(map, value.domain));
            continue;
        }
        for (uint32_t j = 0; j < value.n_args; j++) value.args[j] = values[value.args[j]];
        if (value.n_index) value.index = map_index(scheduler, &value, map, values);
        value.domain = mapped(map, value.domain);
        value.reduced = mapped(map, value.reduced);
        if (value.kind == KERNEL_AXIS) value.axis = map->to[value.axis];
        values[i] = draft_add(&group->draft, value);
    }
    piece->member.value = values[piece->member.value];
    for (uint32_t i = 0; i < MAX_RANK; i++)
        if (piece->member.axes[i] != NO_AXIS) piece->member.axes[i] = map->to[piece->member.axes[i]];
    memory_free(values);
}

static void join(Scheduler *scheduler, Group *group, Piece *piece, AxisMap *map, const Form *form)
{
    splice(scheduler, group, piece, map);
    group->inner |= mapped(map, form->inner);
    group->n_outer = form->n_outer;
    group->row = form->row;
    group->reduces = form->reduces;
    vec_push(&group->members, piece->member);
    facts_of(scheduler, piece->member.node)->group = group->id;
    group_note_reads(scheduler, group, &piece->draft);
    draft_free(&piece->draft);
}

/* Metrics are apart; phases are where they are separate functions. */
static bool same_need(const Scheduler *scheduler, Need a, Need b)
{
    return a == b || (!scheduler->phased && a != NEED_METRIC && b != NEED_METRIC);
}

static bool try_join(Scheduler *scheduler, Piece *piece, uint32_t id, bool sibling)
{
    Group *group = scheduler->groups.at[id];
    AxisMap map;
    Form form;
    memset(&map, NO_AXIS, sizeof map);
    if (!same_need(scheduler, (Need)group->need, (Need)facts_of(scheduler, piece->member.node)->need)) return false;
    if (group->draft.values.count + piece->draft.values.count > MAX_VALUES) return false;
    if (count_loads(&group->draft) + count_loads(&piece->draft) > MAX_LOADS) return false;
    for (size_t i = 0; i < piece->draft.values.count; i++) {
        const DraftValue *load = &piece->draft.values.at[i];
        if (load->kind == KERNEL_LOAD && facts_of(scheduler, load->node)->group == id &&
            !bind_member(scheduler, &map, piece, group, load))
            return false;
    }
    if (sibling && (group->contraction || group->scans || !bind_shared(&map, piece, group))) return false;
    if (!sibling) bind_shared(&map, piece, group);
    if (group->n_outer) bind_inner(&map, piece, group);
    if (!fits(scheduler, piece, group, &map, &form) || makes_cycle(scheduler, piece, group)) return false;
    join(scheduler, group, piece, &map, &form);
    return true;
}

/* Groups that might take the piece, each once. */
typedef struct {
    uint32_t ids[MAX_CANDIDATES];
    uint32_t count;
} Candidates;

static void add_candidate(Candidates *candidates, uint32_t id)
{
    for (uint32_t i = 0; i < candidates->count; i++)
        if (candidates->ids[i] == id) return;
    if (candidates->count < MAX_CANDIDATES) candidates->ids[candidates->count++] = id;
}

static bool join_reader(Scheduler *scheduler, Piece *piece)
{
    Candidates candidates = {0};
    for (size_t i = 0; i < piece->draft.values.count; i++) {
        const DraftValue *load = &piece->draft.values.at[i];
        if (load->kind != KERNEL_LOAD) continue;
        uint32_t id = facts_of(scheduler, load->node)->group;
        if (id != NO_GROUP) add_candidate(&candidates, id);
    }
    while (candidates.count) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < candidates.count; i++)
            if (scheduler->groups.at[candidates.ids[i]]->level > scheduler->groups.at[candidates.ids[best]]->level)
                best = i;
        if (try_join(scheduler, piece, candidates.ids[best], false)) return true;
        candidates.ids[best] = candidates.ids[--candidates.count];
    }
    return false;
}

static bool join_sibling(Scheduler *scheduler, Piece *piece)
{
    Candidates candidates = {0};
    for (size_t i = 0; i < piece->draft.values.count; i++) {
        const DraftValue *load = &piece->draft.values.at[i];
        if (load->kind != KERNEL_LOAD || !load->n_index) continue;
        const Reader *reader = facts_of(scheduler, load->node)->readers;
        for (uint32_t j = 0; reader && j < MAX_SIBLINGS; j++, reader = reader->next)
            add_candidate(&candidates, reader->group);
    }
    for (uint32_t i = 0; i < candidates.count; i++)
        if (try_join(scheduler, piece, candidates.ids[i], true)) return true;
    return false;
}

/* Scalars that no reduction yields are computed together, once. */
static bool join_scalars(Scheduler *scheduler, Piece *piece)
{
    uint32_t *group = &scheduler->scalars[facts_of(scheduler, piece->member.node)->need];
    if (piece->draft.axes.count) return false;
    if (*group != NO_GROUP && try_join(scheduler, piece, *group, false)) return true;
    *group = (uint32_t)scheduler->groups.count;
    return false;
}

static void add_node(Scheduler *scheduler, Node node)
{
    Piece piece;
    Node blocked;
    if (facts_of(scheduler, node)->group != NO_GROUP) return;
    while (!piece_make(scheduler, node, &piece, &blocked)) {
        facts_of(scheduler, blocked)->materialised = true;
        facts_of(scheduler, blocked)->apart = true;
        add_node(scheduler, blocked);
    }
    bool joined = !scheduler->options->unfused && (join_reader(scheduler, &piece) || join_sibling(scheduler, &piece) ||
                                                   join_scalars(scheduler, &piece));
    if (joined) return;
    Group *group = group_new(scheduler, &piece, (Need)facts_of(scheduler, node)->need);
    facts_of(scheduler, node)->group = group->id;
    group_note_reads(scheduler, group, &group->draft);
}

bool scheduler_fuse(Scheduler *scheduler)
{
    for (uint32_t i = 0; i < scheduler->n_order; i++) {
        if (context_stopped(scheduler->context)) return false;
        if (facts_of(scheduler, scheduler->order[i])->materialised) add_node(scheduler, scheduler->order[i]);
    }
    return true;
}
