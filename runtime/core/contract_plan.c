#include "contract_internal.h"

/* Multiply-adds below which a task is not worth its dispatch, and from which on tasks grow instead of their number. */
static const int64_t LEAST_WORK = (int64_t)1 << 19;
static const int64_t MORE_WORK = (int64_t)1 << 26;
enum {
    FEW_TASKS = 16,
    MANY_TASKS = 64,
    MOST_BLOCK = 512,
    MOST_K = 256,
    FEW_ROWS = 4,
    LARGE = 512,
    LEAST_TERMS = 64,
    STRIP = 48,       /* rows */
    LEAST_LEAVES = 4, /* that are worth being cut into parts, … */
    FEW_PARTS = 4,    /* … fewer of which leave threads idle */
    PARTS_BYTES = 600 * 1024,
    FINISH = 4096,           /* elements that are finished at a time */
    NEAR_BYTES = 320 * 1024, /* of B that stays in the second cache beside what a tile function streams */
    ROW_PIECES = 4,          /* of a row that is streamed, for threads to own … */
    LEAST_PIECE = 64         /* … and the fewest elements that are still worth a stream */
};

/* Strips of B that the row kernels walk: so many rows of it at a time stay in the nearest cache. */
enum { ROW_K = 128 };

static int64_t panels_of(const nn_contract_plan *p, int32_t vectors)
{
    return nn_ceil_div(nn_ceil_div(p->n, p->shapes->lanes), vectors);
}

/* The widest panels that need at most an eighth more tiles than the best width. Widths and heights are cut evenly, so
 * tiles are never padded and their number measures how full they are; wide panels read A less often. */
int32_t nn_choose_vectors(const nn_contract_plan *p)
{
    int64_t tiles[NN_MICRO_WIDTHS], fewest = INT64_MAX;
    for (int32_t i = 0; i < NN_MICRO_WIDTHS; i++) {
        tiles[i] = nn_ceil_div(p->m, p->shapes->heights[i]) * panels_of(p, i + 1);
        fewest = nn_least(fewest, tiles[i]);
    }
    int32_t vectors = NN_MICRO_WIDTHS;
    while (vectors > 1 && tiles[vectors - 1] > fewest + fewest / 8) vectors--;
    return vectors;
}

/* How many rows of A (of_a), or columns of B, there are in all: those of batch axes that only one operand has, which
 * might have been merged with its own, included. */
static int64_t extent_alone(const nn_contraction *c, bool of_a)
{
    int64_t extent = of_a ? c->m : c->n;
    for (int32_t i = 0; i < c->n_batch; i++)
        if ((of_a ? c->batch_b[i] : c->batch_a[i]) == 0) extent *= c->batch_extent[i];
    return extent;
}

/* Decides the order of the sums, so it looks at what every form of the same contraction has: sizes and the operands'
 * strides. */
static void choose_form(nn_contract_plan *p, const nn_contraction *c)
{
    bool dots = extent_alone(c, true) <= FEW_ROWS && c->b_k == 1 && c->b_n != 1;
    bool dots_swapped = extent_alone(c, false) == 1 && c->a_k == 1 && c->a_m != 1;
    bool stores = c->c >= 0;
    p->swapped = c->n == 1 && c->m > 1 && !dots && (!stores || c->c_m == 1);
    if (dots_swapped && (c->m > 1 || !dots)) p->swapped = true;
    p->spreads = p->swapped && stores && c->c_m != 1;
    p->stores = stores && !p->spreads;
    if (p->swapped) {
        p->m = 1;
        p->n = c->m;
        p->a_m = c->b_n, p->a_k = c->b_k;
        p->b_k = c->a_k, p->b_n = c->a_m;
        p->c_m = p->spreads ? c->c_m : c->m;
    } else {
        p->m = c->m, p->n = c->n;
        p->a_m = c->a_m, p->a_k = c->a_k;
        p->b_k = c->b_k, p->b_n = c->b_n;
        p->c_m = c->c_m;
    }
    p->k = c->k;
    if (p->n == 1 && p->b_k != 1) p->b_n = 1;
    p->form = NN_FORM_TILES;
    if (p->m == 1 && p->b_n == 1 && !p->shapes->reads_whole) p->form = NN_FORM_ROWS;
    if (dots || dots_swapped) p->form = NN_FORM_DOTS;
}

/* True where finished rows go to a tile function while they are near. */
static bool finishes(const nn_contract_plan *p)
{
    return !p->stores || p->contraction.has_tile;
}

/* Of a leaf at a time. One block lets rows be finished at once; where A's rows are contiguous, not its k, each term is
 * another place of A, and few of them are near. */
static int64_t most_terms(const nn_contract_plan *p)
{
    if (p->form == NN_FORM_DOTS) return p->leaf;
    if (p->form == NN_FORM_ROWS) return ROW_K;
    return finishes(p) && p->along_k ? NN_LEAF : MOST_K;
}

/* Leaves of the sums, and blocks of them that are near while they are used: a matter of speed alone. */
static void choose_leaves(nn_contract_plan *p)
{
    p->leaf = p->form == NN_FORM_DOTS ? (int64_t)NN_LEAF * p->shapes->lanes : NN_LEAF;
    p->leaves = p->k > 0 ? nn_ceil_div(p->k, p->leaf) : 0;
    int64_t longest = nn_least(p->k, p->leaf), most = most_terms(p);
    p->k_block = longest > 0 ? nn_ceil_div(longest, nn_ceil_div(longest, most)) : 0;
}

/* Rows a multiple of 1 KiB apart fall into few sets of the caches, rows a page apart each cost a translation. */
static bool stride_is_bad(const nn_contract_plan *p, int64_t stride)
{
    int64_t bytes = stride * p->shapes->size;
    return bytes >= 4096 || (bytes >= 1024 && bytes % 1024 == 0);
}

/* A copy pays only where it is used often and reading in place is slow: for B when many rows pass by, for A when each
 * step of k lands on another page. (A's rows along k are read in place at any size: the copy costs more than it saves.)
 */
static void choose_packing(nn_contract_plan *p)
{
    bool large = p->m > LARGE && p->n > LARGE / 2, along_m = p->a_m == 1 || p->m == 1;
    p->along_k = p->a_k == 1;
    if (!p->along_k && (!along_m || p->form == NN_FORM_DOTS)) {
        p->pack_a = NN_PACK_GATHER;
        p->along_k = true;
    } else if (p->form == NN_FORM_TILES && large && !p->along_k && stride_is_bad(p, p->a_k)) {
        p->pack_a = NN_PACK_COPY;
    }
    if (p->form != NN_FORM_TILES) return;
    if (p->b_n == 1) {
        bool tail = p->shapes->reads_whole && p->n % p->shapes->lanes;
        if (tail || (large && stride_is_bad(p, p->b_k))) p->pack_b = NN_PACK_COPY;
    } else {
        p->pack_b = p->b_k == 1 ? NN_PACK_TRANSPOSE : NN_PACK_GATHER;
    }
}

/* Rows outside, panels inside: a tile function that reads and writes whole rows streams them. Each strip of rows reads
 * all of a task's B again, so that must be near; packing it at once pays where there are several panels of it, and
 * terms enough. Strips are tall where B was packed, so that a panel serves many rows, else one tile. */
static void choose_order(nn_contract_plan *p)
{
    int64_t bytes = nn_least(nn_round_up(p->n, p->shapes->lanes), MOST_BLOCK) * p->k * p->shapes->size;
    bool pays = !p->pack_b || (panels_of(p, p->vectors) > 1 && p->k >= LEAST_TERMS);
    p->by_rows = p->form == NN_FORM_TILES && finishes(p) && !p->swapped && p->k > 0 && p->k == p->k_block &&
                 bytes <= NEAR_BYTES && pays;
    p->panel_rows = nn_round_up(p->k, p->shapes->lanes);
    p->strip_tiles = p->pack_b ? nn_ceil_div(STRIP, p->shapes->heights[p->vectors - 1]) : 1;
}

/* Cuts m and n into blocks so that about `wanted` tasks arise, as square as possible; a packed B weighs more, since
 * every cut of m packs it again. */
static void choose_blocks(nn_contract_plan *p, int64_t wanted)
{
    int64_t row_tiles = nn_has_tiles(p) ? nn_ceil_div(p->m, p->shapes->heights[p->vectors - 1]) : p->m;
    int64_t panels = panels_of(p, p->vectors), most_m = nn_least(row_tiles, wanted), best = 0;
    int64_t weight_a = p->pack_a ? 3 : 1, weight_b = p->pack_b ? 4 : 1;
    p->m_tasks = p->n_tasks = 1;
    if (p->by_rows) {
        if (!p->pack_b) p->n_tasks = nn_least(wanted, nn_least(ROW_PIECES, nn_ceil_div(p->n, LEAST_PIECE)));
        p->m_tasks = nn_least(row_tiles, nn_ceil_div(wanted, p->n_tasks));
    }
    for (int64_t cuts = 1; !p->by_rows && wanted > 1 && cuts <= most_m; cuts++) {
        int64_t columns = nn_least(nn_ceil_div(wanted, cuts), panels);
        /* Traffic of all blocks: A once for each column of blocks, B once for each row of them; too few tasks double
         * it. */
        int64_t cost = weight_a * p->m * columns + weight_b * p->n * cuts;
        if (cuts * columns < wanted) cost = cost * wanted / (cuts * columns);
        if (best && cost >= best) continue;
        best = cost;
        p->m_tasks = cuts;
        p->n_tasks = columns;
    }
    if (p->m_tasks * MOST_BLOCK < p->m) p->m_tasks = nn_ceil_div(p->m, MOST_BLOCK);
    if (p->n_tasks * MOST_BLOCK < p->n && nn_has_tiles(p)) p->n_tasks = nn_ceil_div(p->n, MOST_BLOCK);
    p->block_m = nn_ceil_div(p->m, p->m_tasks);
    p->block_n = nn_ceil_div(nn_ceil_div(p->n, p->shapes->lanes), p->n_tasks) * p->shapes->lanes;
}

/* Few results of long sums: tasks then are parts of k, so that each operand is brought near once. */
static void choose_parts(nn_contract_plan *p, int64_t wanted)
{
    p->parts = 1;
    p->part_leaves = p->leaves;
    if (wanted < 2 || !nn_has_tiles(p) || p->swapped || p->leaves < LEAST_LEAVES) return;
    p->part_stride = nn_round_up(p->n, p->shapes->lanes);
    int64_t bytes = nn_round_up(p->batches * p->m * p->part_stride * p->shapes->size, 64), most = PARTS_BYTES / bytes;
    if (most < 2) return;
    p->part_leaves = 1;
    while (nn_ceil_div(p->leaves, p->part_leaves) > nn_least(most, wanted)) p->part_leaves *= 2;
    p->parts = nn_ceil_div(p->leaves, p->part_leaves);
    p->part_size = (size_t)bytes;
    p->shared_size = (size_t)(p->parts * bytes);
    p->finish_rows = nn_ceil_div(FINISH, p->part_stride);
    p->finish_tasks = p->batches * nn_ceil_div(p->m, p->finish_rows);
}

void nn_choose_tasks(nn_contract_plan *p, int64_t terms, int64_t most_batch_tasks)
{
    const nn_contraction *c = &p->contraction;
    p->batches = 1;
    for (int32_t i = 0; i < c->n_batch; i++) p->batches *= c->batch_extent[i];
    int64_t each = p->m * p->n * (terms > 0 ? terms : 1), work = each * p->batches, wanted = work / LEAST_WORK;
    if (wanted > FEW_TASKS) wanted = work / MORE_WORK > FEW_TASKS ? work / MORE_WORK : FEW_TASKS;
    if (wanted > MANY_TASKS) wanted = MANY_TASKS;
    if (wanted < 1) wanted = 1;
    choose_parts(p, wanted);
    p->batch_tasks = p->parts > 1 ? 1 : nn_least(nn_least(p->batches, wanted), most_batch_tasks);
    choose_blocks(p, p->parts > 1 ? (p->parts < FEW_PARTS ? wanted / p->parts : 1) : wanted / p->batch_tasks);
}

/* Sums of leaves stand in scratch while they wait, as many at once as the number of leaves has binary digits; the first
 * is where all of them come together. */
int64_t nn_waiting_blocks(const nn_contract_plan *p)
{
    int64_t blocks = 0;
    for (int64_t leaves = p->part_leaves; leaves > 1; leaves /= 2) blocks++;
    return blocks;
}

static void choose_scratch(nn_contract_plan *p)
{
    size_t size = (size_t)p->shapes->size;
    bool tiles = p->form == NN_FORM_TILES, strips = nn_in_strips(p) && !p->by_rows;
    int64_t width = (int64_t)p->vectors * p->shapes->lanes, a = 0, b = 0, c = 0;
    if (p->pack_a) a = (p->block_m + 16) * ((p->form == NN_FORM_DOTS ? p->k : p->k_block) + 16);
    if (p->pack_b) b = nn_round_up(p->k_block, p->shapes->lanes) * (p->by_rows ? p->block_n : width);
    if (!p->stores && p->parts == 1) {
        int64_t rows = p->by_rows ? p->strip_tiles * p->shapes->heights[p->vectors - 1]
                       : strips   ? NN_STRIP_ROWS + NN_MICRO_HEIGHTS
                       : tiles    ? p->block_m
                                  : 1;
        c = rows * (strips ? width : p->block_n);
    }
    int64_t sums = p->form == NN_FORM_DOTS ? p->shapes->lanes : (tiles ? p->block_m : 1) * p->block_n;
    p->sums_size = (size_t)nn_round_up(sums * (int64_t)size, 64);
    p->scratch_b = (size_t)nn_round_up(a * (int64_t)size, 64);
    p->scratch_c = p->scratch_b + (size_t)nn_round_up(b * (int64_t)size, 64);
    p->scratch_sums = p->scratch_c + (size_t)nn_round_up(c * (int64_t)size, 64);
    p->scratch_size = p->scratch_sums + (size_t)nn_waiting_blocks(p) * p->sums_size;
}

/* True if C has no elements. Such a contraction has no tasks, and no blocks to choose. */
static bool has_no_result(const nn_contraction *c)
{
    bool empty = c->m <= 0 || c->n <= 0;
    for (int32_t i = 0; i < c->n_batch; i++) empty = empty || c->batch_extent[i] <= 0;
    return empty;
}

nn_contract_plan nn_contract_prepare(const nn_contraction *c, uint8_t dtype, const nn_micro_kernels *micro)
{
    nn_contract_plan p = {.contraction = *c, .shapes = dtype == NN_F64 ? micro->f64 : micro->f32};
    if (has_no_result(c)) return p;
    if (c->n_list || c->n_windows) {
        nn_prepare_lists(&p);
    } else {
        choose_form(&p, c);
        p.vectors = nn_choose_vectors(&p);
        choose_packing(&p);
        choose_leaves(&p);
        choose_order(&p);
        nn_choose_tasks(&p, p.k, INT64_MAX);
        choose_scratch(&p);
    }
    p.tasks = p.parts * p.batch_tasks * p.m_tasks * p.n_tasks;
    return p;
}
