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
    nn_block *t;
    int64_t index[NN_MAX_BATCH_AXES];
    nn_stretch stretches[NN_MAX_LIST_AXES + 1];
    bool seen; /* something is, there */
    Cursor cursor;
    int64_t leaf, blocks, k0, kc; /* k0 … k0 + kc of each run */
    int64_t a, b;                 /* where the operands' blocks begin, in elements from t->a and t->b, for k = 0 */
    int64_t *offsets;             /* of A and B in each block, from there */
    int64_t *packed;              /* the same as tiles find them, where A is packed */
    int64_t *runs;                /* of each block */
    bool packed_whole;            /* all of B is in scratch */
    const char *tiles_b;
    int64_t tiles_b_stride, panel_step; /* bytes from panel to panel */
} Lists;

static const nn_stretch *inner_of(const Lists *l)
{
    return &l->stretches[l->t->p->contraction.n_list];
}

static int64_t weight_of(const nn_contraction *c, int32_t axis)
{
    int64_t weight = 1;
    for (int32_t i = axis + 1; i < c->n_list; i++) weight *= c->list_extent[i];
    return weight;
}

static void cursor_begin(Lists *l)
{
    const nn_contraction *c = &l->t->p->contraction;
    Cursor *cursor = &l->cursor;
    *cursor = (Cursor){.ends = !l->seen};
    for (int32_t i = 0; i < c->n_list; i++) {
        const nn_stretch *s = &l->stretches[i];
        cursor->run += s->first * weight_of(c, i);
        cursor->a += s->a;
        cursor->b += s->b;
    }
}

static void cursor_next(Lists *l)
{
    const nn_contraction *c = &l->t->p->contraction;
    Cursor *cursor = &l->cursor;
    int64_t weight = 1;
    for (int32_t i = c->n_list; i-- > 0; weight *= c->list_extent[i]) {
        const nn_stretch *s = &l->stretches[i];
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

static bool same_stretches(const Lists *l, const nn_stretch *before)
{
    for (int32_t i = 0; i <= l->t->p->contraction.n_list; i++)
        if (before[i].first != l->stretches[i].first || before[i].count != l->stretches[i].count) return false;
    return true;
}

/* Moves to a point of the batch. What was listed stays when the same is seen there: only where it begins differs. */
static void set_point(Lists *l, int64_t batch)
{
    nn_block *t = l->t;
    const nn_contraction *c = &t->p->contraction;
    nn_stretch before[NN_MAX_LIST_AXES + 1];
    memcpy(before, l->stretches, sizeof before);
    bool was_seen = l->seen;
    int64_t a = 0, b = 0;
    nn_set_batch(t, batch, l->index);
    l->seen = nn_stretches(c, l->index, l->stretches, &a, &b);
    bool lasts = t->p->leaves == 1 && (!t->p->pack_b || t->p->lists.packs_whole);
    if (!was_seen || !l->seen || !lasts || !same_stretches(l, before)) l->leaf = -1;
    const nn_stretch *inner = inner_of(l);
    a += inner->a - inner->first * inner->a_step, b += inner->b - inner->first * inner->b_step;
    for (int32_t i = 0; i < c->n_list; i++) a += l->stretches[i].a, b += l->stretches[i].b;
    l->a = a, l->b = b;
}

/* Lists the blocks of a leaf; of several leaves in their order. Offsets count from the first point that is seen. */
static void list_leaf(Lists *l, int64_t leaf)
{
    const nn_contract_plan *p = l->t->p;
    const nn_stretch *inner = inner_of(l);
    if (l->leaf == leaf) return;
    if (leaf == 0) cursor_begin(l);
    Cursor *cursor = &l->cursor, origin = {0};
    for (int32_t i = 0; i < p->contraction.n_list; i++) origin.a += l->stretches[i].a, origin.b += l->stretches[i].b;
    int64_t end = (leaf / p->lists.pieces + 1) * p->lists.leaf_runs, piece = leaf % p->lists.pieces * NN_LEAF;
    int64_t k1 = nn_least(inner->first + inner->count, piece + NN_LEAF);
    l->k0 = piece > inner->first ? piece : inner->first;
    l->kc = k1 > l->k0 ? k1 - l->k0 : 0;
    l->leaf = leaf;
    Cursor begin = *cursor;
    for (l->blocks = 0; !cursor->ends && cursor->run < end; cursor_next(l)) {
        l->runs[l->blocks] = cursor->run;
        l->offsets[2 * l->blocks] = cursor->a - origin.a;
        l->offsets[2 * l->blocks++ + 1] = cursor->b - origin.b;
    }
    if ((leaf + 1) % p->lists.pieces) *cursor = begin; /* the same run's next piece */
}

/* Brings rows of B, from + i * b_k for i < rows, into panels of p->lists.width columns. */
static void pack_rows(const nn_block *t, const char *from, int64_t rows, char *to, int64_t panel_step)
{
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    for (int64_t n = t->n0; n < t->n1; n += p->lists.width, to += panel_step) {
        int64_t columns = nn_least(p->lists.width, t->n1 - n);
        const char *b = from + n * p->b_n * shapes->size;
        if (p->pack_b == NN_PACK_GATHER)
            nn_gather(to, p->lists.width, 1, b, p->b_k, p->b_n, rows, columns, shapes->size);
        if (p->pack_b == NN_PACK_COPY) shapes->copy(rows, columns, b, p->b_k, to, p->lists.width);
        for (int64_t j = 0; p->pack_b == NN_PACK_TRANSPOSE && j < columns; j += shapes->lanes)
            shapes->transpose(rows, nn_least(columns - j, shapes->lanes), b + j * p->b_n * shapes->size, p->b_n,
                              to + j * shapes->size, p->lists.width);
    }
}

/* All of B, for all points of the batch: run r is at r * k rows. */
static void pack_whole(Lists *l)
{
    nn_block *t = l->t;
    const nn_contraction *c = &t->p->contraction;
    const char *b = (const char *)t->args->buffers[c->b] + c->b_offset * t->p->shapes->size;
    int64_t at[NN_MAX_LIST_AXES] = {0}, run_bytes = t->p->lists.k_stride * t->p->lists.width * t->p->shapes->size;
    if (l->packed_whole) return;
    l->packed_whole = true;
    for (int64_t run = 0; run < t->p->lists.runs; run++) {
        int64_t offset = 0;
        for (int32_t i = 0; i < c->n_list; i++) offset += at[i] * c->list_b[i];
        pack_rows(t, b + offset * t->p->shapes->size, c->k, t->scratch_b + run * run_bytes, l->panel_step);
        for (int32_t i = c->n_list; i-- > 0 && ++at[i] == c->list_extent[i];) at[i] = 0;
    }
}

/* Where tiles find B in the leaf that is listed. */
static void place_b(Lists *l)
{
    nn_block *t = l->t;
    const nn_contract_plan *p = t->p;
    int32_t size = p->shapes->size;
    l->tiles_b_stride = p->pack_b ? p->lists.width : p->b_k;
    l->panel_step = p->pack_b ? p->lists.panel_bytes : p->lists.width * size;
    if (!p->pack_b) {
        l->tiles_b = t->b + (l->b + l->k0 * p->b_k + t->n0) * size;
        return;
    }
    if (p->lists.packs_whole) pack_whole(l);
    l->tiles_b = t->scratch_b + (p->lists.packs_whole ? l->k0 * p->lists.width * size : 0);
    for (int64_t i = 0; i < l->blocks; i++) {
        int64_t place = (p->lists.packs_whole ? l->runs[i] : i) * p->lists.k_stride * p->lists.width;
        if (!p->lists.packs_whole)
            pack_rows(t, t->b + (l->b + l->offsets[2 * i + 1] + l->k0 * p->b_k) * size, l->kc,
                      t->scratch_b + place * size, l->panel_step);
        l->offsets[2 * i + 1] = place;
    }
}

/* Rows m0 … m1 of A in the leaf: in place, or gathered block behind block where neither rows nor k are contiguous. */
static const int64_t *place_a(Lists *l, int64_t m0, int64_t m1)
{
    nn_block *t = l->t;
    const nn_contract_plan *p = t->p;
    int32_t size = p->shapes->size;
    int64_t first = l->a + m0 * p->a_m + l->k0 * p->a_k, stride = nn_round_up(l->blocks * l->kc, 16);
    t->tiles_a = p->pack_a ? t->scratch_a : t->a + first * size;
    t->tiles_a_stride = p->pack_a ? stride : p->along_k ? p->a_m : p->a_k;
    if (!p->pack_a) return l->offsets;
    for (int64_t i = 0; i < l->blocks; i++) {
        nn_gather(t->scratch_a + i * l->kc * size, stride, 1, t->a + (first + l->offsets[2 * i]) * size, p->a_m, p->a_k,
                  m1 - m0, l->kc, size);
        l->packed[2 * i] = i * l->kc;
        l->packed[2 * i + 1] = l->offsets[2 * i + 1];
    }
    return l->packed;
}

static void run_tile(const Lists *l, int64_t m0, int64_t m1, int64_t panel, const int64_t *offsets)
{
    nn_block *t = l->t;
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    int64_t n = t->n0 + panel * p->lists.width,
            vectors = nn_ceil_div(nn_least(p->lists.width, t->n1 - n), shapes->lanes);
    int64_t tail = nn_least(shapes->lanes, t->n1 - n - (vectors - 1) * shapes->lanes);
    nn_micro_tile *const *kernels = (p->along_k ? shapes->along_k : shapes->along_m)[vectors - 1];
    kernels[m1 - m0 - 1](l->kc, t->tiles_a, t->tiles_a_stride, l->tiles_b + panel * l->panel_step, l->tiles_b_stride,
                         nn_c_at(t, m0, n), t->c_stride, tail, 0, l->blocks, offsets);
}

/* The sums of one leaf in rows m0 … m1. A panel of B stays near while the rows pass, unless they have to be packed. */
static void run_leaf(Lists *l, int64_t leaf, int64_t m0, int64_t m1)
{
    const nn_contract_plan *p = l->t->p;
    int64_t tiles = nn_ceil_div(m1 - m0, p->shapes->heights[p->vectors - 1]);
    int64_t panels = nn_ceil_div(l->t->n1 - l->t->n0, p->lists.width), outer = p->pack_a ? tiles : panels;
    list_leaf(l, leaf);
    place_b(l);
    const int64_t *offsets = l->offsets;
    for (int64_t i = 0; i < outer; i++)
        for (int64_t j = 0; j < tiles + panels - outer; j++) {
            int64_t tile = p->pack_a ? i : j, panel = p->pack_a ? j : i;
            int64_t from = m0 + nn_part(m1 - m0, tiles, tile), to = m0 + nn_part(m1 - m0, tiles, tile + 1);
            if (!p->pack_a || j == 0) offsets = place_a(l, from, to);
            run_tile(l, from, to, panel, offsets);
        }
}

/* One leaf is all: a row of tiles passes through all points of the batch, since neighbours there read A's elements
 * again, and is handed on as whole rows. */
static void run_single(Lists *l, int64_t first, int64_t last)
{
    nn_block *t = l->t;
    const nn_contract_plan *p = t->p;
    int64_t rows = t->m1 - t->m0, tiles = nn_ceil_div(rows, p->shapes->heights[p->vectors - 1]);
    for (int64_t i = 0; i < tiles; i++) {
        int64_t m0 = t->m0 + nn_part(rows, tiles, i), m1 = t->m0 + nn_part(rows, tiles, i + 1);
        for (int64_t batch = first; batch < last; batch++) {
            set_point(l, batch);
            nn_place_sums(t, 0);
            if (!p->stores) t->c_m0 = m0;
            run_leaf(l, 0, m0, m1);
            nn_finish_tile(t, m0, m1, t->n0, t->n1);
        }
    }
}

void nn_run_lists(nn_block *t, int64_t first, int64_t last)
{
    const nn_contract_plan *p = t->p;
    Lists lists = {.t = t, .leaf = -1}, *l = &lists;
    l->offsets = (int64_t *)(t->scratch_a + p->lists.scratch);
    l->packed = l->offsets + 2 * p->lists.most_blocks;
    l->runs = l->packed + 2 * p->lists.most_blocks;
    if (p->leaves <= 1) {
        run_single(l, first, last);
        return;
    }
    for (int64_t batch = first; batch < last; batch++) {
        set_point(l, batch);
        for (int64_t leaf = 0; leaf < p->leaves; leaf++) {
            nn_place_sums(t, nn_count_waiting(leaf));
            run_leaf(l, leaf, t->m0, t->m1);
            nn_join_leaf(t, leaf);
        }
    }
}
