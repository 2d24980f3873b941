#include <string.h>

#include "contract_internal.h"

/* A's rows of the block for k0 <= k < k0 + kc, packed where the plan says so. */
static void place_a(nn_contract_task *t, int64_t k0, int64_t kc)
{
    const nn_contract_plan *p = t->p;
    int32_t size = p->shapes->size;
    int64_t rows = t->m1 - t->m0;
    const char *a = t->a + (t->m0 * p->a_m + k0 * p->a_k) * size;
    t->tiles_a = p->pack_a ? t->scratch_a : a;
    t->tiles_a_stride = p->along_k ? p->a_m : p->a_k;
    /* Odd multiples of a cache line apart, so that rows do not fall into the same sets. */
    if (p->pack_a) t->tiles_a_stride = nn_round_up(p->along_k ? kc : rows, 16);
    if (p->pack_a == NN_PACK_GATHER) nn_gather(t->scratch_a, t->tiles_a_stride, 1, a, p->a_m, p->a_k, rows, kc, size);
    if (p->pack_a != NN_PACK_COPY) return;
    if (p->along_k)
        p->shapes->copy(rows, kc, a, p->a_m, t->scratch_a, t->tiles_a_stride);
    else
        p->shapes->copy(kc, rows, a, p->a_k, t->scratch_a, t->tiles_a_stride);
}

/* B's columns n0 … n0 + columns for one block of k; returns where, *stride from k to k + 1. */
static const char *place_b(nn_contract_task *t, int64_t n0, int64_t columns, int64_t k0, int64_t kc, int64_t *stride)
{
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    const char *b = t->b + (k0 * p->b_k + n0 * p->b_n) * shapes->size;
    if (!p->pack_b) {
        *stride = p->b_k;
        return b;
    }
    int64_t width = nn_round_up(columns, shapes->lanes);
    *stride = width;
    if (p->pack_b != NN_PACK_TRANSPOSE && width != columns)
        memset(t->scratch_b, 0, (size_t)(width * kc) * (size_t)shapes->size);
    if (p->pack_b == NN_PACK_GATHER) nn_gather(t->scratch_b, width, 1, b, p->b_k, p->b_n, kc, columns, shapes->size);
    if (p->pack_b == NN_PACK_COPY) shapes->copy(kc, columns, b, p->b_k, t->scratch_b, width);
    for (int64_t j = 0; p->pack_b == NN_PACK_TRANSPOSE && j < columns; j += shapes->lanes)
        shapes->transpose(kc, nn_least(columns - j, shapes->lanes), b + j * p->b_n * shapes->size, p->b_n,
                          t->scratch_b + j * shapes->size, width);
    return t->scratch_b;
}

/* One panel of columns for one block of k: all row tiles, handing finished rows on in strips. */
static void run_panel(nn_contract_task *t, int64_t n0, int64_t n1, int64_t k0, int64_t kc)
{
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    bool last = p->leaves == 1 && k0 + kc == p->k, strips = nn_in_strips(p);
    int64_t b_stride, rows = t->m1 - t->m0, vectors = nn_ceil_div(n1 - n0, shapes->lanes);
    int64_t tail = n1 - n0 - (vectors - 1) * shapes->lanes;
    const char *b = place_b(t, n0, n1 - n0, k0, kc, &b_stride);
    int64_t tiles = nn_ceil_div(rows, shapes->heights[vectors - 1]), done = t->m0;
    nn_parts heights = nn_cut(rows, tiles);
    nn_micro_tile *const *kernels = p->along_k ? shapes->along_k[vectors - 1] : shapes->along_m[vectors - 1];
    int64_t a_step = (p->along_k ? t->tiles_a_stride : 1) * shapes->size;
    if (strips) t->c_base = t->scratch_c, t->c_m0 = t->m0, t->c_n0 = n0, t->c_stride = vectors * shapes->lanes;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t m0 = t->m0 + nn_first(heights, i), m1 = t->m0 + nn_first(heights, i + 1);
        kernels[m1 - m0 - 1](kc, t->tiles_a + (m0 - t->m0) * a_step, t->tiles_a_stride, b, b_stride, nn_c_at(t, m0, n0),
                             t->c_stride, tail, k0 % p->leaf, 1, nn_one_block);
        if (!last || (m1 - done < NN_STRIP_ROWS && i + 1 < tiles)) continue;
        nn_finish_tile(t, done, m1, n0, n1);
        done = m1;
        if (strips) t->c_m0 = m1;
    }
}

/* Brings all of B's columns into panels, one behind the other, for as long as tasks have the same columns. */
static void pack_panels(nn_contract_task *t, nn_parts widths, int64_t panels)
{
    const nn_contract_plan *p = t->p;
    char *scratch_b = t->scratch_b;
    int64_t stride;
    if (t->packed_b == t->b && t->packed_n0 == t->n0) return;
    for (int64_t j = 0; j < panels; j++) {
        int64_t v0 = nn_first(widths, j), v1 = nn_first(widths, j + 1), lanes = p->shapes->lanes;
        t->scratch_b = scratch_b + v0 * lanes * p->panel_rows * p->shapes->size;
        place_b(t, t->n0 + v0 * lanes, nn_least(v1 * lanes, t->n1 - t->n0) - v0 * lanes, 0, p->k, &stride);
    }
    t->scratch_b = scratch_b;
    t->packed_b = t->b, t->packed_n0 = t->n0;
}

/* Strips of rows, panels inside: finished rows are handed on at their whole width. */
static void run_strips(nn_contract_task *t)
{
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    int64_t lanes = shapes->lanes, vectors = nn_ceil_div(t->n1 - t->n0, lanes), rows = t->m1 - t->m0;
    int64_t panels = nn_ceil_div(vectors, p->vectors), tiles = nn_ceil_div(rows, shapes->heights[p->vectors - 1]);
    int64_t strips = nn_ceil_div(tiles, p->strip_tiles);
    nn_parts heights = nn_cut(rows, tiles), widths = nn_cut(vectors, panels), counts = nn_cut(tiles, strips);
    place_a(t, 0, p->k);
    if (p->pack_b) pack_panels(t, widths, panels);
    for (int64_t s = 0; s < strips; s++) {
        int64_t first = nn_first(counts, s), last = nn_first(counts, s + 1);
        int64_t begin = t->m0 + nn_first(heights, first), end = t->m0 + nn_first(heights, last);
        if (!p->stores) t->c_m0 = begin;
        for (int64_t j = 0; j < panels; j++) {
            int64_t v0 = nn_first(widths, j), wide = nn_first(widths, j + 1) - v0;
            int64_t n0 = t->n0 + v0 * lanes, tail = nn_least(lanes, t->n1 - n0 - (wide - 1) * lanes);
            const char *b = t->b + n0 * shapes->size;
            if (p->pack_b) b = t->scratch_b + v0 * lanes * p->panel_rows * shapes->size;
            nn_micro_tile *const *kernels = p->along_k ? shapes->along_k[wide - 1] : shapes->along_m[wide - 1];
            for (int64_t i = first; i < last; i++) {
                int64_t m0 = t->m0 + nn_first(heights, i), m1 = t->m0 + nn_first(heights, i + 1);
                const char *a = t->tiles_a + (m0 - t->m0) * (p->along_k ? t->tiles_a_stride : 1) * shapes->size;
                kernels[m1 - m0 - 1](p->k, a, t->tiles_a_stride, b, p->pack_b ? wide * lanes : p->b_k,
                                     nn_c_at(t, m0, n0), t->c_stride, tail, 0, 1, nn_one_block);
            }
        }
        nn_finish_tile(t, begin, end, t->n0, t->n1);
    }
}

/* The block's sums over one leaf, a block of k after the other. */
static void run_leaf(nn_contract_task *t, int64_t leaf)
{
    const nn_contract_plan *p = t->p;
    int64_t lanes = p->shapes->lanes, vectors = nn_ceil_div(t->n1 - t->n0, lanes);
    int64_t panels = nn_ceil_div(vectors, p->vectors), end = nn_least((leaf + 1) * p->leaf, p->k);
    nn_parts widths = nn_cut(vectors, panels);
    for (int64_t k0 = leaf * p->leaf, kc; k0 < end; k0 += kc) {
        kc = nn_least(p->k_block, end - k0);
        place_a(t, k0, kc);
        for (int64_t i = 0; i < panels; i++) {
            int64_t n0 = t->n0 + nn_first(widths, i) * lanes;
            int64_t n1 = nn_least(t->n0 + nn_first(widths, i + 1) * lanes, t->n1);
            run_panel(t, n0, n1, k0, kc);
        }
    }
}

static void run_tiles(nn_contract_task *t)
{
    for (int64_t leaf = 0; leaf < t->leaves; leaf++) {
        nn_place_sums(t, nn_count_waiting(leaf));
        run_leaf(t, t->leaf0 + leaf);
        nn_join_leaf(t, leaf);
    }
}

/* One row of C for one block of k, in pieces as wide as the row kernels, then the tiles of one row. */
static void run_row(const nn_contract_task *t, int64_t m, int64_t k0, int64_t kc)
{
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    const char *a = t->tiles_a + (p->along_k ? (m - t->m0) * t->tiles_a_stride : 0) * shapes->size;
    for (int64_t n = t->n0, wide; n < t->n1; n += wide) {
        int64_t vectors = nn_ceil_div(t->n1 - n, shapes->lanes), i = 0;
        while (i < NN_MICRO_ROWS && shapes->row_vectors[i] > vectors) i++;
        /* A's one row reads the same either way: row kernels take its k contiguous, tiles take any stride. */
        bool row = i < NN_MICRO_ROWS && p->along_k;
        int64_t most = row ? shapes->row_vectors[i] : nn_least(vectors, NN_MICRO_WIDTHS);
        nn_micro_tile *kernel = row ? shapes->row[i] : (p->along_k ? shapes->along_k : shapes->along_m)[most - 1][0];
        wide = nn_least(most * shapes->lanes, t->n1 - n);
        int64_t tail = wide - (most - 1) * shapes->lanes;
        kernel(kc, a, t->tiles_a_stride, t->b + (k0 * p->b_k + n) * shapes->size, p->b_k, nn_c_at(t, m, n), t->c_stride,
               tail, k0 % p->leaf, 1, nn_one_block);
    }
}

/* The one row of C, a leaf after the other. */
static void run_row_leaves(nn_contract_task *t)
{
    const nn_contract_plan *p = t->p;
    for (int64_t leaf = 0; leaf < p->leaves; leaf++) {
        int64_t waiting = nn_count_waiting(leaf), joins = nn_count_joins(p->leaves, leaf);
        int64_t end = nn_least((leaf + 1) * p->leaf, p->k);
        nn_place_sums(t, waiting);
        for (int64_t k0 = leaf * p->leaf, kc; k0 < end; k0 += kc) {
            kc = nn_least(p->k_block, end - k0);
            place_a(t, k0, kc);
            run_row(t, t->m0, k0, kc);
        }
        for (int64_t i = 0; i < joins; i++) nn_join_sums(t, waiting - i, t->m0, t->m1);
    }
}

/* Row m of C, as many columns at a time as a vector has lanes. */
static void run_dots(const nn_contract_task *t, int64_t m)
{
    const nn_contract_plan *p = t->p;
    const nn_micro_shapes *shapes = p->shapes;
    const char *a = t->tiles_a + (m - t->m0) * t->tiles_a_stride * shapes->size;
    for (int64_t n = t->n0; n < t->n1; n += shapes->lanes) {
        int64_t count = nn_least(shapes->lanes, t->n1 - n);
        const char *b = t->b + n * p->b_n * shapes->size;
        for (int64_t leaf = 0; leaf < p->leaves; leaf++) {
            int64_t k0 = leaf * p->leaf, waiting = nn_count_waiting(leaf);
            char *last = t->scratch_sums - p->sums_size; /* place 0 is C's */
            char *to = waiting ? last + (size_t)waiting * p->sums_size : nn_c_at(t, m, n);
            shapes->dot(nn_least(p->leaf, p->k - k0), a + k0 * shapes->size, b + k0 * shapes->size, p->b_n, to, count);
            for (int64_t joins = nn_count_joins(p->leaves, leaf); joins--; waiting--) {
                char *before = waiting > 1 ? last + (size_t)(waiting - 1) * p->sums_size : nn_c_at(t, m, n);
                shapes->add(1, count, last + (size_t)waiting * p->sums_size, 0, before, 0);
            }
        }
    }
}

static void run_rows(nn_contract_task *t)
{
    const nn_contract_plan *p = t->p;
    if (p->form == NN_FORM_DOTS) place_a(t, 0, p->k);
    for (int64_t m = t->m0; m < t->m1; m++) {
        if (!p->stores) t->c_m0 = m; /* the scratch holds one row */
        if (p->form == NN_FORM_DOTS) run_dots(t, m);
        if (p->form == NN_FORM_ROWS) run_row_leaves(t);
        nn_finish_tile(t, m, m + 1, t->n0, t->n1);
    }
}

/* k == 0: empty sums. */
static void run_zeros(nn_contract_task *t)
{
    for (int64_t m = t->m0; m < t->m1; m++) {
        if (!t->p->stores) t->c_m0 = m;
        memset(nn_c_at(t, m, t->n0), 0, (size_t)(t->n1 - t->n0) * (size_t)t->p->shapes->size);
        nn_finish_tile(t, m, m + 1, t->n0, t->n1);
    }
}

static void run_block(nn_contract_task *t, int64_t batch)
{
    const nn_contract_plan *p = t->p;
    int64_t index[NN_MAX_BATCH_AXES];
    nn_set_batch(t, batch, index);
    t->sums = nn_part_sums(p, t->part, batch);
    nn_place_sums(t, 0);
    if (p->k <= 0)
        run_zeros(t);
    else if (p->form == NN_FORM_TILES && p->by_rows)
        run_strips(t);
    else if (p->form == NN_FORM_TILES)
        run_tiles(t);
    else
        run_rows(t);
}

void nn_contract_run(const nn_contract_plan *p, const nn_contract_call *call, int64_t begin, int64_t end, void *scratch)
{
    nn_contract_task t = {.p = p, .args = call->args, .tile = call->tile, .scratch_a = scratch};
    t.scratch_b = t.scratch_a + p->scratch_b;
    t.scratch_c = t.scratch_a + p->scratch_c;
    t.scratch_sums = t.scratch_a + p->scratch_sums;
    int64_t lanes = p->shapes->lanes;
    nn_parts heights = nn_cut(p->m, p->m_tasks), widths = nn_cut(nn_ceil_div(p->n, lanes), p->n_tasks);
    nn_parts points = nn_cut(p->batches, p->batch_tasks);
    for (int64_t i = begin; i < end && !(call->stop && *call->stop); i++) {
        /* Rows first: a thread's share of the tasks is a range of columns. The product before, the gradient and the
         * update of a matrix of weights then meet the same columns in the same thread, and its cache keeps them. */
        int64_t row = 0, column = 0, batch = 0, part = 0;
        if (p->tasks > 1) {
            int64_t rest = i / p->m_tasks;
            row = i % p->m_tasks, column = rest % p->n_tasks, rest /= p->n_tasks;
            batch = rest % p->batch_tasks, part = rest / p->batch_tasks;
        }
        t.m0 = nn_first(heights, row);
        t.m1 = nn_first(heights, row + 1);
        t.n0 = nn_first(widths, column) * lanes;
        t.n1 = nn_least(nn_first(widths, column + 1) * lanes, p->n);
        t.leaf0 = part * p->part_leaves;
        t.leaves = nn_least(p->part_leaves, p->leaves - t.leaf0);
        t.part = (char *)call->shared + (size_t)part * p->part_size;
        int64_t first = nn_first(points, batch), last = nn_first(points, batch + 1);
        if (p->form == NN_FORM_LISTS)
            nn_run_lists(&t, first, last);
        else
            for (int64_t at = first; at < last; at++) run_block(&t, at);
    }
}

/* Adds the parts' sums in rows m0 … m1, as a binary counter counts; they come together in the first part's. */
static void add_parts(const nn_contract_task *t, int64_t batch, int64_t m0, int64_t m1)
{
    const nn_contract_plan *p = t->p;
    char *waiting[64];
    int64_t count = 0;
    for (int64_t part = 0; part < p->parts; part++) {
        char *sums = nn_part_sums(p, t->part + (size_t)part * p->part_size, batch);
        waiting[count++] = sums + m0 * p->part_stride * p->shapes->size;
        for (int64_t joins = nn_count_joins(p->parts, part); joins--; count--)
            p->shapes->add(m1 - m0, p->n, waiting[count - 1], p->part_stride, waiting[count - 2], p->part_stride);
    }
}

void nn_contract_finish(const nn_contract_plan *p, const nn_contract_call *call, int64_t begin, int64_t end)
{
    if (p->parts < 2) return;
    nn_contract_task t = {.p = p, .args = call->args, .tile = call->tile, .part = call->shared, .n1 = p->n};
    int64_t strips = nn_ceil_div(p->m, p->finish_rows), index[NN_MAX_BATCH_AXES];
    for (int64_t i = begin; i < end && !(call->stop && *call->stop); i++) {
        int64_t batch = i / strips, m0 = i % strips * p->finish_rows, m1 = nn_least(m0 + p->finish_rows, p->m);
        nn_set_batch(&t, batch, index);
        t.sums = nn_part_sums(p, t.part, batch);
        add_parts(&t, batch, m0, m1);
        nn_place_sums(&t, 0);
        if (p->stores)
            p->shapes->copy(m1 - m0, p->n, nn_c_at(&t, m0, 0), p->part_stride, t.c + m0 * p->c_m * p->shapes->size,
                            p->c_m);
        nn_finish_tile(&t, m0, m1, 0, p->n);
    }
}
