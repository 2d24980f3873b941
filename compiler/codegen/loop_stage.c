#include <stdlib.h>
#include <string.h>

#include "codegen/loop_internal.h"

enum { CHEAP = 10 };

bool is_sink(const KernelValue *value)
{
    return value->kind == KERNEL_STORE || value->kind == KERNEL_SCATTER;
}

bool is_access(const KernelValue *value)
{
    return value->kind == KERNEL_LOAD || is_sink(value);
}

void value_operands(const KernelValue *value, void (*visit)(void *data, uint32_t operand), void *data)
{
    for (uint32_t i = 0; i < value->n_args; i++) visit(data, value->args[i]);
    for (uint32_t i = 0; i < value->n_index; i++) {
        if (value->index[i].value >= 0) visit(data, (uint32_t)value->index[i].value);
    }
}

static void mark(void *data, uint32_t operand)
{
    ((bool *)data)[operand] = true;
}

void mark_needed(const LoopEmitter *e, uint32_t value, bool *needed)
{
    needed[value] = true;
    for (uint32_t v = value + 1; v-- > 0;) {
        if (needed[v] && e->bound[v].value) needed[v] = false;
        if (needed[v] && v != e->given && !is_kept(e, v)) value_operands(&e->kernel->values[v], mark, needed);
    }
}

/* What `value` needs beside itself; arena. */
static bool *needed_by(const LoopEmitter *e, uint32_t value)
{
    bool *needed = ARENA_ARRAY(e->arena, bool, e->kernel->n_values);
    mark_needed(e, value, needed);
    return needed;
}

static bool is_open_reduce(const LoopEmitter *e, uint32_t value)
{
    return e->kernel->values[value].kind == KERNEL_REDUCE && value != e->given && !e->bound[value].value;
}

AxisMask blocked_axes(const LoopEmitter *e, uint32_t value)
{
    bool *needed = needed_by(e, value);
    AxisMask blocked = 0;
    for (uint32_t v = 0; v < value; v++) {
        if (needed[v] && is_open_reduce(e, v)) blocked |= e->kernel->values[v].reduced;
    }
    return blocked;
}

uint32_t *pending_stages(const LoopEmitter *e, const uint32_t *sinks, uint32_t n_sinks, uint32_t *count)
{
    uint32_t n_values = e->kernel->n_values;
    bool *needed = ARENA_ARRAY(e->arena, bool, n_values), *wanted = ARENA_ARRAY(e->arena, bool, n_values);
    for (uint32_t i = 0; i < n_sinks; i++) {
        wanted[sinks[i]] = true;
        mark_needed(e, sinks[i], needed);
    }
    uint32_t *stages = ARENA_ARRAY(e->arena, uint32_t, n_values);
    *count = 0;
    for (uint32_t v = 0; v < n_values; v++) {
        bool reduce = needed[v] && is_open_reduce(e, v) && !(e->kernel->values[v].domain & ~e->open);
        if (wanted[v] || reduce) stages[(*count)++] = v;
    }
    return stages;
}

bool is_elementary(const KernelValue *value)
{
    return value->kind == KERNEL_COMPUTE && op_info(value->op)->work >= ELEMENTARY_WORK;
}

bool stages_go_wide(const LoopEmitter *e, const uint32_t *stages, uint32_t n_stages)
{
    bool *needed = ARENA_ARRAY(e->arena, bool, e->kernel->n_values), reduces = false;
    bool *summed = ARENA_ARRAY(e->arena, bool, e->kernel->n_values);
    for (uint32_t i = 0; i < n_stages; i++) mark_needed(e, stages[i], needed);
    uint32_t cost = 0;
    for (uint32_t v = 0; v < e->kernel->n_values; v++) {
        const KernelValue *value = &e->kernel->values[v];
        if (!needed[v] || v == e->given) continue;
        if (value->kind == KERNEL_RANDOM || value->kind == KERNEL_SCATTER || value->kind == KERNEL_SCAN) return false;
        if (is_elementary(value)) return false;
        reduces |= value->kind == KERNEL_REDUCE;
        if (is_open_reduce(e, v)) mark_needed(e, v, summed);
    }
    /* What is done once with a sum costs next to nothing beside its terms. */
    for (uint32_t v = 0; v < e->kernel->n_values; v++) cost += summed[v] && v != e->given;
    return reduces && cost <= CHEAP;
}

bool stages_are_elementary(const LoopEmitter *e, const uint32_t *stages, uint32_t n_stages)
{
    bool *needed = ARENA_ARRAY(e->arena, bool, e->kernel->n_values), found = false;
    for (uint32_t i = 0; i < n_stages; i++) mark_needed(e, stages[i], needed);
    for (uint32_t v = 0; v < e->kernel->n_values; v++)
        found = found || (needed[v] && v != e->given && is_elementary(&e->kernel->values[v]));
    return found;
}

bool scatter_separates(const KernelValue *scatter, uint32_t axis)
{
    for (uint32_t i = 0; i < scatter->n_index; i++) {
        const KernelIndex *index = &scatter->index[i];
        if (index->value < 0 && index->n_terms == 1 && index->terms[0].axis == axis) return true;
    }
    return false;
}

/* How an access walks when `axis` takes one step. */
typedef enum { WALK_STAYS, WALK_NEXT, WALK_FAR } WalkKind;

/* Nothing but dimensions of size 1 follows. */
static bool is_last(const Kernel *kernel, const KernelValue *access, uint32_t dim)
{
    for (uint32_t d = dim + 1; d < access->n_index; d++) {
        const KernelSize *size = &kernel->sizes[kernel->buffers[access->buffer].dims[d]];
        if (!size->known || size->value != 1) return false;
    }
    return true;
}

static WalkKind walk_kind(const Kernel *kernel, const KernelValue *access, uint32_t axis)
{
    WalkKind kind = WALK_STAYS;
    for (uint32_t d = 0; d < access->n_index; d++) {
        const KernelIndex *index = &access->index[d];
        if (index->value >= 0 && kernel->values[index->value].domain & axis_bit(axis)) return WALK_FAR;
        for (uint32_t t = 0; t < index->n_terms; t++) {
            if (index->terms[t].axis != axis) continue;
            bool near = index->terms[t].factor == 1 && index->div == 1;
            bool next = is_last(kernel, access, d) && near && kind == WALK_STAYS;
            kind = next ? WALK_NEXT : WALK_FAR;
        }
    }
    return kind;
}

bool walks_next(const Kernel *kernel, const KernelValue *access, uint32_t axis)
{
    return walk_kind(kernel, access, axis) == WALK_NEXT;
}

/* How well the accesses behind some stages suit `axis` as the vector axis. */
static int vector_score(const LoopEmitter *e, const bool *needed, uint32_t axis)
{
    static const int scores[2][3] = {{0, 2, -2}, {0, 3, -4}}; /* loads, stores; a store's gather is a scatter: slow */
    int score = 0;
    for (uint32_t v = 0; v < e->kernel->n_values; v++) {
        const KernelValue *value = &e->kernel->values[v];
        if (v == e->given && needed[v]) score += axis == e->given_column ? 4 : axis == e->given_row ? -4 : 0;
        if (!needed[v] || !is_access(value)) continue;
        int weight = __builtin_popcount(value->domain);
        score += weight * scores[is_sink(value)][walk_kind(e->kernel, value, axis)];
    }
    return score;
}

static bool is_single(const LoopEmitter *e, uint32_t axis)
{
    const KernelSize *extent = &e->kernel->sizes[e->kernel->axes[axis].extent];
    return extent->known && extent->value == 1;
}

/* The axes that are not open of a stage and of all that it needs. */
static AxisMask closure_axes(const LoopEmitter *e, uint32_t stage)
{
    bool *needed = needed_by(e, stage);
    AxisMask axes = 0;
    for (uint32_t v = 0; v <= stage; v++) {
        if (needed[v]) axes |= stage_axes(&e->kernel->values[v]);
    }
    return axes & ~e->open;
}

/* Where reductions and scans are still to be done, what they read decides alone: the axis that is vectorised settles
 * the order of a sum, which must be the same whatever else a kernel does with it. `needed` becomes what they need,
 * `axes` theirs. */
static void heed_reductions(const LoopEmitter *e, bool **needed, AxisMask *axes)
{
    bool *inner = ARENA_ARRAY(e->arena, bool, e->kernel->n_values);
    AxisMask inner_axes = 0;
    for (uint32_t v = 0; v < e->kernel->n_values; v++) {
        const KernelValue *value = &e->kernel->values[v];
        bool scan = value->kind == KERNEL_SCAN && !e->bound[v].value;
        if (!(*needed)[v] || !(scan || is_open_reduce(e, v))) continue;
        inner_axes |= stage_axes(value) & *axes;
        mark_needed(e, v, inner);
    }
    if (!inner_axes) return;
    *needed = inner;
    *axes = inner_axes;
}

/* The axis to vectorise for stages[0] and those that share axes with it, NO_AXIS for none. It may be an axis that only
 * opens further inside. */
static uint32_t choose_vector_axis(const LoopEmitter *e, const uint32_t *stages, uint32_t n_stages)
{
    const KernelValue *first = &e->kernel->values[stages[0]];
    bool *needed = ARENA_ARRAY(e->arena, bool, e->kernel->n_values);
    AxisMask axes = closure_axes(e, stages[0]);
    for (uint32_t i = 0; i < n_stages; i++) {
        AxisMask others = closure_axes(e, stages[i]);
        if (!(others & axes)) continue;
        axes |= others;
        mark_needed(e, stages[i], needed);
    }
    heed_reductions(e, &needed, &axes);
    uint32_t best = NO_AXIS;
    int best_score = 0;
    for (uint32_t axis = 0; axis < e->kernel->n_axes; axis++) {
        if (!(axes & axis_bit(axis)) || is_single(e, axis)) continue;
        if (first->kind == KERNEL_SCATTER && !scatter_separates(first, axis)) continue;
        int score = vector_score(e, needed, axis);
        if (best == NO_AXIS || score >= best_score) best = axis, best_score = score;
    }
    return best;
}

/* True when a stage still to be done, other than those in `group`, reads the buffer that `sink` writes. */
static bool is_read_later(const LoopEmitter *e, uint32_t sink, const uint32_t *stages, uint32_t n_stages,
                          const uint32_t *group, uint32_t n_group)
{
    uint32_t buffer = e->kernel->values[sink].buffer;
    if (!e->kernel->buffers[buffer].read) return false;
    for (uint32_t i = 0; i < n_stages && stages[i] < sink; i++) {
        bool joined = false;
        for (uint32_t g = 0; g < n_group; g++) joined |= group[g] == stages[i];
        if (joined) continue;
        bool *needed = needed_by(e, stages[i]);
        for (uint32_t v = 0; v < e->kernel->n_values; v++) {
            const KernelValue *value = &e->kernel->values[v];
            if (needed[v] && value->kind == KERNEL_LOAD && value->buffer == buffer) return true;
        }
    }
    return false;
}

uint32_t pending_scans(const LoopEmitter *e, uint32_t stage, uint32_t axis, uint32_t *scans)
{
    bool *needed = needed_by(e, stage);
    uint32_t count = 0;
    for (uint32_t v = 0; v < stage; v++) {
        const KernelValue *value = &e->kernel->values[v];
        if (needed[v] && value->kind == KERNEL_SCAN && value->reduced == axis_bit(axis)) scans[count++] = v;
    }
    return count;
}

static bool needs_scan(const LoopEmitter *e, uint32_t stage, uint32_t axis)
{
    return pending_scans(e, stage, axis, ARENA_ARRAY(e->arena, uint32_t, e->kernel->n_values)) > 0;
}

/* One accumulator each: the other axes of the scans along this one must stand still. */
static bool can_scan(const LoopEmitter *e, uint32_t stage, uint32_t axis)
{
    uint32_t *scans = ARENA_ARRAY(e->arena, uint32_t, e->kernel->n_values);
    uint32_t count = pending_scans(e, stage, axis, scans);
    for (uint32_t i = 0; i < count; i++)
        if (e->kernel->values[scans[i]].domain & ~e->open & ~axis_bit(axis)) return false;
    return true;
}

static bool can_open(const LoopEmitter *e, uint32_t stage, uint32_t axis, bool vectorised)
{
    const KernelValue *value = &e->kernel->values[stage];
    AxisMask bit = axis_bit(axis);
    if (!(stage_axes(value) & ~e->open & bit) || blocked_axes(e, stage) & bit) return false;
    if (value->kind == KERNEL_SCATTER && vectorised && !scatter_separates(value, axis)) return false;
    /* One accumulator: what a reduction keeps apart must stand still first. */
    if (value->kind == KERNEL_REDUCE && value->reduced & bit && value->domain & ~e->open) return false;
    return can_scan(e, stage, axis);
}

static uint32_t join_group(const LoopEmitter *e, const uint32_t *stages, uint32_t n_stages, uint32_t axis,
                           bool vectorised, uint32_t *group)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n_stages; i++) {
        if (!can_open(e, stages[i], axis, vectorised)) continue;
        if (count && needs_scan(e, stages[i], axis) != needs_scan(e, group[0], axis)) continue;
        bool sink = is_sink(&e->kernel->values[stages[i]]);
        if (sink && is_read_later(e, stages[i], stages, n_stages, group, count)) continue;
        group[count++] = stages[i];
    }
    return count;
}

/* True where a store's vectors are gathered from memory whose neighbours follow along this axis: a transposition. Then
 * the axis belongs inside, so that the lines that one vector touches are used up by the next ones. */
static bool is_transposed(const LoopEmitter *e, uint32_t stage, uint32_t axis, uint32_t vector_axis)
{
    if (e->kernel->values[stage].kind != KERNEL_STORE || vector_axis == NO_AXIS || axis == vector_axis) return false;
    bool *needed = needed_by(e, stage), found = false;
    for (uint32_t v = 0; v < stage; v++) {
        const KernelValue *value = &e->kernel->values[v];
        if (!needed[v]) continue;
        if (value->kind != KERNEL_LOAD && value->kind != KERNEL_COMPUTE && value->kind != KERNEL_CONSTANT) return false;
        found |= value->kind == KERNEL_LOAD && walk_kind(e->kernel, value, axis) == WALK_NEXT &&
                 walk_kind(e->kernel, value, vector_axis) == WALK_FAR;
    }
    return found;
}

/* Lower is opened earlier: parallel axes, the vector axis, what it transposes, reduced axes; a reduced vector axis
 * innermost. */
static uint32_t opening_rank(const LoopEmitter *e, uint32_t number, uint32_t axis, uint32_t vector_axis)
{
    const KernelValue *stage = &e->kernel->values[number];
    bool reduced = stage->reduced & axis_bit(axis);
    if (is_transposed(e, number, axis, vector_axis)) return 2;
    return (reduced ? 3 : 0) + (axis == vector_axis ? 1 : 0);
}

uint32_t choose_axis(const LoopEmitter *e, const uint32_t *stages, uint32_t n_stages, bool *vectorised, uint32_t *group,
                     uint32_t *n_group)
{
    uint32_t vector_axis = e->vector_axis == NO_AXIS ? choose_vector_axis(e, stages, n_stages) : NO_AXIS;
    uint32_t *candidate = ARENA_ARRAY(e->arena, uint32_t, n_stages);
    uint32_t best = NO_AXIS, best_rank = 0;
    *n_group = 0;
    for (uint32_t axis = 0; axis < e->kernel->n_axes; axis++) {
        if (!can_open(e, stages[0], axis, axis == vector_axis)) continue;
        uint32_t count = join_group(e, stages, n_stages, axis, axis == vector_axis, candidate);
        uint32_t rank = opening_rank(e, stages[0], axis, vector_axis);
        if (best != NO_AXIS && (count < *n_group || (count == *n_group && rank >= best_rank))) continue;
        best = axis, best_rank = rank, *n_group = count;
        memcpy(group, candidate, count * sizeof *group);
    }
    *vectorised = best == vector_axis && best != NO_AXIS;
    return best;
}
