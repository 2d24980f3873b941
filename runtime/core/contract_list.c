/* Contractions over several axes: k lies in equal stretches, one for each point of the list axes that windows leave to
 * be seen, over which a tile of C stays in registers.
 *
 * Positions are counted as if nothing were outside: point i of the list axes, in row-major order, is run i, and a leaf
 * is as many whole runs as have at most NN_LEAF terms, or a piece of a longer run. */
#include <string.h>

#include "contract_internal.h"

/* The points of the list axes that are seen, one after the other. */
typedef struct {
    int64_t at[NN_MAX_LIST_AXES]; /* within their stretches */
    int64_t run, a, b;
    bool ends;
} Cursor;

/* A point of the batch, and the blocks of one leaf there. */
typedef struct {
    int64_t batch; /* -1: nowhere yet */
    int64_t index[NN_MAX_BATCH_AXES];
    const char *a, *b; /* the operands */
    char *c;
    nn_stretch stretches[NN_MAX_LIST_AXES + 1]; /* of the list axes, and of k behind them */
    nn_stretch fixed[NN_MAX_WINDOWS];           /* what windows without such an axis say */
    bool seen;                                  /* something is, there */
    Cursor cursor;
    int64_t leaf, blocks, k0, kc; /* k0 … k0 + kc of each run */
    int64_t a_first, b_first;     /* where the blocks begin, in elements from a and b, for k = 0 */
    int64_t *offsets;             /* of A and B in each block, from there, as tiles find them */
    int64_t *runs;                /* of each block */
} Point;

/* A group of neighbouring points, which pass through a panel of B together. */
typedef struct {
    nn_contract_task *t;
    Point *points;
    int64_t count;
    int64_t *packed;   /* offsets of A's gathered blocks */
    bool packed_whole; /* all of B is in scratch */
    char *scratch_c, *scratch_sums;
} Lists;

static int64_t weight_of(const nn_contraction *c, int32_t axis)
{
    int64_t weight = 1;
    for (int32_t i = axis + 1; i < c->n_list; i++) weight *= c->list_extent[i];
    return weight;
}

static void cursor_begin(const nn_contraction *c, Point *point)
{
    Cursor *cursor = &point->cursor;
    *cursor = (Cursor){.ends = !point->seen};
    for (int32_t i = 0; i < c->n_list; i++) cursor->run += point->stretches[i].first * weight_of(c, i);
}

static void cursor_next(const nn_contraction *c, Point *point)
{
    Cursor *cursor = &point->cursor;
    int64_t weight = 1;
    for (int32_t i = c->n_list; i-- > 0; weight *= c->list_extent[i]) {
        const nn_stretch *s = &point->stretches[i];
        cursor->run += s->step * weight;
        cursor->a += s->a_step;
        cursor->b += s->b_step;
        if (++cursor->at[i] < s->count) return;
        cursor->at[i] = 0;
        cursor->run -= s->count * s->step * weight;
        cursor->a -= s->count * s->a_step;
        cursor->b -= s->count * s->b_step;
    }
    cursor->ends = true;
}

/* Before anything is known of where it is. */
static Point point_nowhere(const nn_contraction *c)
{
    Point point = {.batch = -1, .leaf = -1};
    for (int32_t i = 0; i < c->n_list; i++) nn_stretch_all(c, i, &point.stretches[i]);
    nn_stretch_all(c, NN_INNER_AXIS, &point.stretches[c->n_list]);
    return point;
}

/* Sets the index of a point of the batch; returns the first axis whose index is new. */
static int32_t move_index(const nn_contraction *c, Point *point, int64_t batch)
{
    int32_t axis = c->n_batch;
    bool next = point->batch >= 0 && batch == point->batch + 1;
    point->batch = batch;
    while (next && axis-- > 0) {
        if (++point->index[axis] < c->batch_extent[axis]) return axis;
        point->index[axis] = 0;
    }
    for (axis = c->n_batch; !next && axis-- > 0; batch /= c->batch_extent[axis])
        point->index[axis] = batch % c->batch_extent[axis];
    return 0;
}

/* Looks through the windows over batch axes from `axis` on again. True if the same is seen through them. */
static bool look_again(const nn_contraction *c, Point *point, int32_t axis)
{
    bool same = true;
    for (int32_t i = 0; i < c->n_windows; i++) {
        const nn_window *w = &c->windows[i];
        if (w->outer < axis && axis > 0) continue;
        nn_stretch *to = w->inner == NN_INNER_AXIS ? &point->stretches[c->n_list]
                         : w->inner >= 0           ? &point->stretches[w->inner]
                                                   : &point->fixed[i];
        same = nn_see(c, w, point->index, to) && same;
    }
    return same;
}

/* Moves to a point of the batch. What was listed stays when the same is seen there: only where it begins differs. */
static void set_point(const nn_contract_task *t, Point *point, int64_t batch)
{
    const nn_contract_plan *p = t->p;
    const nn_contraction *c = &p->contraction;
    int64_t a = 0, b = 0, batch_a = c->a_offset, batch_b = c->b_offset, batch_c = c->c_offset;
    bool was_seen = point->seen, lasts = p->leaves == 1 && (!p->pack_b || p->lists.packs_whole);
    bool same = look_again(c, point, move_index(c, point, batch));
    point->seen = true;
    for (int32_t i = 0; i <= c->n_list; i++) point->seen = point->seen && point->stretches[i].count > 0;
    for (int32_t i = 0; i < c->n_windows; i++) {
        if (c->windows[i].inner >= 0) continue;
        point->seen = point->seen && point->fixed[i].count;
        a += point->fixed[i].a, b += point->fixed[i].b;
    }
    if (!was_seen || !point->seen || !lasts || !same) point->leaf = -1;
    for (int32_t i = 0; i < c->n_batch; i++) {
        batch_a += point->index[i] * c->batch_a[i];
        batch_b += point->index[i] * c->batch_b[i];
        batch_c += point->index[i] * c->batch_c[i];
    }
    int32_t size = p->shapes->size;
    point->a = (const char *)t->args->buffers[c->a] + batch_a * size;
    point->b = (const char *)t->args->buffers[c->b] + batch_b * size;
    point->c = c->c >= 0 ? (char *)t->args->buffers[c->c] + batch_c * size : NULL;
    const nn_stretch *inner = &point->stretches[c->n_list];
    a += inner->a - inner->first * inner->a_step, b += inner->b - inner->first * inner->b_step;
    for (int32_t i = 0; i < c->n_list; i++) a += point->stretches[i].a, b += point->stretches[i].b;
    point->a_first = a, point->b_first = b;
}

/* Points t to the operands and sums of a point of the group. */
static void enter_point(const Lists *l, int64_t number)
{
    nn_contract_task *t = l->t;
    const Point *point = &l->points[number];
    int64_t block = t->p->block_m * t->p->block_n * t->p->shapes->size;
    t->batch = point->index;
    t->a = point->a, t->b = point->b, t->c = point->c;
    t->sums = nn_part_sums(t->p, t->part, point->batch);
    t->scratch_c = l->scratch_c + number * block;
    t->scratch_sums = l->scratch_sums + number * block;
}

/* Lists the blocks of a leaf; of several leaves in their order. Offsets count from the first point that is seen. */
static void list_leaf(const nn_contract_plan *p, Point *point, int64_t leaf, bool first)
{
    const nn_lists *lists = &p->lists;
    const nn_contraction *c = &p->contraction;
    const nn_stretch *inner = &point->stretches[c->n_list];
    Cursor *cursor = &point->cursor;
    int64_t end = (leaf / lists->pieces + 1) * lists->leaf_runs;
    if (first) cursor_begin(c, point);
    while (!cursor->ends && cursor->run < end - lists->leaf_runs) cursor_next(c, point);
    Cursor begin = *cursor;
    int64_t piece = leaf % lists->pieces * NN_LEAF;
    int64_t k1 = nn_least(inner->first + inner->count, piece + NN_LEAF);
    point->k0 = piece > inner->first ? piece : inner->first;
    point->kc = k1 > point->k0 ? k1 - point->k0 : 0;
    point->leaf = leaf;
    for (point->blocks = 0; !cursor->ends && cursor->run < end; cursor_next(c, point)) {
        point->runs[point->blocks] = cursor->run;
        point->offsets[2 * point->blocks] = cursor->a;
        point->offsets[2 * point->blocks++ + 1] = cursor->b;
    }
    if ((leaf + 1) % lists->pieces) *cursor = begin; /* the same run's next piece */
}

/* Brings rows of B, from + i * b_k for i < rows, into panels of lists.width columns. */
static void pack_rows(const nn_contract_task *t, const char *from, int64_t rows, char *to)
{
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    int64_t width = p->lists.width;
    for (int64_t n = t->n0; n < t->n1; n += width, to += p->lists.panel_bytes) {
        int64_t columns = nn_least(width, t->n1 - n);
        const char *b = from + n * p->b_n * shapes->size;
        if (p->pack_b == NN_PACK_GATHER) nn_gather(to, width, 1, b, p->b_k, p->b_n, rows, columns, shapes->size);
        if (p->pack_b == NN_PACK_COPY) shapes->copy(rows, columns, b, p->b_k, to, width);
        for (int64_t j = 0; p->pack_b == NN_PACK_TRANSPOSE && j < columns; j += shapes->lanes)
            shapes->transpose(rows, nn_least(columns - j, shapes->lanes), b + j * p->b_n * shapes->size, p->b_n,
                              to + j * shapes->size, width);
    }
}

/* All of B, for all points of the batch. */
static void pack_whole(Lists *l)
{
    const nn_contract_task *t = l->t;
    const nn_contraction *c = &t->p->contraction;
    int64_t size = t->p->shapes->size, run_bytes = t->p->lists.k_stride * t->p->lists.width * size;
    const char *b = (const char *)t->args->buffers[c->b] + c->b_offset * size;
    int64_t at[NN_MAX_LIST_AXES] = {0};
    for (int64_t run = 0; run < t->p->lists.runs && !l->packed_whole; run++) {
        int64_t offset = 0;
        for (int32_t i = 0; i < c->n_list; i++) offset += at[i] * c->list_b[i];
        pack_rows(t, b + offset * size, c->k, t->scratch_b + run * run_bytes);
        for (int32_t i = c->n_list; i-- > 0 && ++at[i] == c->list_extent[i];) at[i] = 0;
    }
    l->packed_whole = true;
}

/* Packs B's blocks where the plan says so, and notes where they are then. */
static void place_b(Lists *l, Point *point)
{
    nn_contract_task *t = l->t;
    const nn_contract_plan *p = t->p;
    bool whole = p->lists.packs_whole;
    int32_t size = p->shapes->size;
    if (!p->pack_b) return;
    if (whole) pack_whole(l);
    for (int64_t i = 0; i < point->blocks; i++) {
        int64_t place = (whole ? point->runs[i] : i) * p->lists.k_stride * p->lists.width;
        int64_t from = point->b_first + point->offsets[2 * i + 1] + point->k0 * p->b_k;
        if (!whole) pack_rows(t, t->b + from * size, point->kc, t->scratch_b + place * size);
        point->offsets[2 * i + 1] = place;
    }
}

/* Where tiles find A's rows from m0 on: in place or, where the leaf's were copied, in scratch. */
static void place_a(nn_contract_task *t, const Point *point, int64_t m0)
{
    const nn_contract_plan *p = t->p;
    if (p->pack_a == NN_PACK_COPY) {
        t->tiles_a = t->scratch_a + (m0 - t->m0) * p->shapes->size;
        t->tiles_a_stride = nn_round_up(p->block_m, 16);
        return;
    }
    t->tiles_a = t->a + (point->a_first + m0 * p->a_m + point->k0 * p->a_k) * p->shapes->size;
    t->tiles_a_stride = p->along_k ? p->a_m : p->a_k;
}

/* Brings a leaf's rows of A close together: so that k is contiguous where neither it nor the rows are, or else so that
 * the steps of k are near each other. Returns the blocks' offsets. */
static const int64_t *pack_a(Lists *l, const Point *point, int64_t m0, int64_t m1)
{
    nn_contract_task *t = l->t;
    const nn_contract_plan *p = t->p;
    bool gathers = p->pack_a == NN_PACK_GATHER;
    int64_t size = p->shapes->size, first = point->a_first + m0 * p->a_m + point->k0 * p->a_k;
    int64_t stride = gathers ? nn_round_up(point->blocks * point->kc, 16) : nn_round_up(p->block_m, 16);
    for (int64_t i = 0; i < point->blocks; i++) {
        const char *from = t->a + (first + point->offsets[2 * i]) * size;
        l->packed[2 * i] = i * point->kc * (gathers ? 1 : stride);
        l->packed[2 * i + 1] = point->offsets[2 * i + 1];
        char *to = t->scratch_a + l->packed[2 * i] * size;
        if (gathers)
            nn_gather(to, stride, 1, from, p->a_m, p->a_k, m1 - m0, point->kc, (int32_t)size);
        else
            p->shapes->copy(point->kc, m1 - m0, from, p->a_k, to, stride);
    }
    t->tiles_a = t->scratch_a;
    t->tiles_a_stride = stride;
    return l->packed;
}

/* One tile over the blocks begin … end of its leaf. */
static void run_tile(const nn_contract_task *t, const Point *point, int64_t m0, int64_t m1, int64_t panel,
                     const int64_t *offsets, int64_t begin, int64_t end)
{
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    int64_t width = p->lists.width, n = t->n0 + panel * width, columns = nn_least(width, t->n1 - n),
            size = shapes->size;
    int64_t vectors = nn_ceil_div(columns, shapes->lanes), tail = columns - (vectors - 1) * shapes->lanes;
    const char *b = t->b + (point->b_first + point->k0 * p->b_k + n) * size;
    if (p->pack_b)
        b = t->scratch_b + panel * p->lists.panel_bytes + (p->lists.packs_whole ? point->k0 * width * size : 0);
    nn_micro_tile *const *kernels = (p->along_k ? shapes->along_k : shapes->along_m)[vectors - 1];
    kernels[m1 - m0 - 1](point->kc, t->tiles_a, t->tiles_a_stride, b, p->pack_b ? width : p->b_k, nn_c_at(t, m0, n),
                         t->c_stride, tail, begin > 0, end - begin, offsets + 2 * begin);
}

/* A's rows are gathered for a row of tiles, which then passes over all panels. */
static void run_gathered(Lists *l, int64_t m0, int64_t m1, int64_t panels)
{
    const Point *point = l->points;
    const int64_t *offsets = pack_a(l, point, m0, m1);
    for (int64_t panel = 0; panel < panels; panel++) run_tile(l->t, point, m0, m1, panel, offsets, 0, point->blocks);
}

/* A panel of B stays near while all rows of all points of the group pass, a part of the leaf at a time. */
static void run_panel(Lists *l, int64_t leaf, int64_t m0, int64_t m1, int64_t panel, int64_t begin)
{
    nn_contract_task *t = l->t;
    const nn_contract_plan *p = t->p;
    int64_t tiles = nn_ceil_div(m1 - m0, p->shapes->heights[p->vectors - 1]);
    nn_parts heights = nn_cut(m1 - m0, tiles);
    for (int64_t i = 0; i < l->count; i++) {
        const Point *point = &l->points[i];
        int64_t end = nn_least(begin + p->lists.part_blocks, point->blocks);
        if (begin > 0 && end <= begin) continue;
        enter_point(l, i);
        nn_place_sums(t, nn_count_waiting(leaf));
        if (p->leaves <= 1 && !p->stores) t->c_m0 = m0;
        for (int64_t tile = 0; tile < tiles; tile++) {
            int64_t from = m0 + nn_first(heights, tile), to = m0 + nn_first(heights, tile + 1);
            place_a(t, point, from);
            run_tile(t, point, from, to, panel, p->pack_a ? l->packed : point->offsets, begin, end);
        }
    }
}

/* The sums of one leaf in rows m0 … m1. */
static void run_leaf(Lists *l, int64_t leaf, int64_t m0, int64_t m1)
{
    nn_contract_task *t = l->t;
    const nn_contract_plan *p = t->p;
    int64_t panels = nn_ceil_div(t->n1 - t->n0, p->lists.width);
    for (int64_t i = 0; i < l->count; i++) {
        enter_point(l, i);
        if (l->points[i].leaf == t->leaf0 + leaf) continue;
        list_leaf(p, &l->points[i], t->leaf0 + leaf, leaf == 0);
        place_b(l, &l->points[i]);
    }
    if (p->pack_a == NN_PACK_COPY) pack_a(l, l->points, m0, m1);
    if (p->pack_a == NN_PACK_GATHER) {
        int64_t tiles = nn_ceil_div(m1 - m0, p->shapes->heights[p->vectors - 1]);
        nn_parts heights = nn_cut(m1 - m0, tiles);
        nn_place_sums(t, nn_count_waiting(leaf));
        if (p->leaves <= 1 && !p->stores) t->c_m0 = m0;
        for (int64_t i = 0; i < tiles; i++)
            run_gathered(l, m0 + nn_first(heights, i), m0 + nn_first(heights, i + 1), panels);
        return;
    }
    int64_t begin = 0;
    do {
        for (int64_t panel = 0; panel < panels; panel++) run_panel(l, leaf, m0, m1, panel, begin);
        begin += p->lists.part_blocks;
    } while (begin < p->lists.most_blocks);
}

/* One leaf is all: a row of tiles passes through all points of the batch, since neighbours there read A's elements
 * again, and is handed on as whole rows. */
static void run_single(Lists *l, int64_t first, int64_t last)
{
    nn_contract_task *t = l->t;
    int64_t rows = t->m1 - t->m0, tiles = nn_ceil_div(rows, t->p->shapes->heights[t->p->vectors - 1]);
    nn_parts heights = nn_cut(rows, tiles);
    for (int64_t i = 0; i < tiles; i++) {
        int64_t m0 = t->m0 + nn_first(heights, i), m1 = t->m0 + nn_first(heights, i + 1);
        for (int64_t batch = first; batch < last; batch++) {
            set_point(t, l->points, batch);
            run_leaf(l, 0, m0, m1);
            nn_finish_tile(t, m0, m1, t->n0, t->n1);
        }
    }
}

static void run_group(Lists *l, int64_t first)
{
    nn_contract_task *t = l->t;
    for (int64_t i = 0; i < l->count; i++) set_point(t, &l->points[i], first + i);
    for (int64_t leaf = 0; leaf < t->leaves; leaf++) {
        run_leaf(l, leaf, t->m0, t->m1);
        for (int64_t i = 0; i < l->count; i++) {
            enter_point(l, i);
            nn_join_leaf(t, leaf);
        }
    }
}

void nn_run_lists(nn_contract_task *t, int64_t first, int64_t last)
{
    const nn_contract_plan *p = t->p;
    const nn_lists *lists = &p->lists;
    Lists l = {.t = t, .count = 1, .scratch_c = t->scratch_c, .scratch_sums = t->scratch_sums};
    l.points = (Point *)(t->scratch_a + lists->scratch);
    l.packed = (int64_t *)(l.points + lists->group);
    for (int64_t i = 0; i < lists->group; i++) {
        l.points[i] = point_nowhere(&p->contraction);
        l.points[i].offsets = l.packed + (2 + 3 * i) * lists->most_blocks;
        l.points[i].runs = l.points[i].offsets + 2 * lists->most_blocks;
    }
    if (p->leaves <= 1)
        run_single(&l, first, last);
    else
        for (int64_t batch = first; batch < last; batch += l.count) {
            l.count = nn_least(lists->group, last - batch);
            run_group(&l, batch);
        }
    t->scratch_c = l.scratch_c, t->scratch_sums = l.scratch_sums;
}

size_t nn_lists_scratch(const nn_lists *lists)
{
    return (size_t)lists->group * sizeof(Point) +
           (size_t)((2 + 3 * lists->group) * lists->most_blocks) * sizeof(int64_t);
}
