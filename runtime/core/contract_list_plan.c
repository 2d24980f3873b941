#include "contract_internal.h"

/* B is packed as a whole while that is worth a little scratch memory. */
static const int64_t MOST_WHOLE = (int64_t)16 << 20;
enum {
    MUCH_USED = 16,           /* a copy that is read so often costs little */
    PART = 512,               /* terms of a leaf whose operands stay near while rows and points pass */
    GROUP_BYTES = 512 * 1024, /* of sums */
    GROUP_BLOCKS = 8192,      /* in their lists */
    LEAST_ROWS = 256          /* of A that pass one B, so that bringing it near is little work */
};

static int64_t more_stride(const nn_contraction *c, int8_t operand)
{
    int64_t stride = 0;
    for (int32_t i = 0; i < c->n_windows; i++)
        if (c->windows[i].inner == NN_INNER_AXIS && c->windows[i].operand == operand)
            stride += c->windows[i].f_inner * c->windows[i].stride;
    return stride;
}

/* True if B is the same at all points of the batch, and at a place of its own for each point of the lists. */
static bool b_is_fixed(const nn_contraction *c)
{
    bool fixed = true;
    for (int32_t i = 0; i < c->n_batch; i++) fixed = fixed && (c->batch_b[i] == 0 || c->batch_extent[i] == 1);
    for (int32_t i = 0; i < c->n_windows; i++) fixed = fixed && c->windows[i].operand == 0;
    return fixed;
}

/* Every task packs B, or brings it near, for itself. */
static int64_t most_batch_tasks(const nn_contract_plan *p, const nn_contraction *c)
{
    int64_t rows = p->m;
    for (int32_t i = 0; i < c->n_batch; i++) rows *= c->batch_extent[i];
    return b_is_fixed(c) && rows > LEAST_ROWS ? rows / LEAST_ROWS : b_is_fixed(c) ? 1 : INT64_MAX;
}

static void choose_leaves(nn_contract_plan *p, const nn_contraction *c)
{
    nn_lists *lists = &p->lists;
    lists->runs = 1;
    for (int32_t i = 0; i < c->n_list; i++) lists->runs *= c->list_extent[i];
    lists->leaf_runs = p->k > 0 && p->k <= NN_LEAF ? NN_LEAF / p->k : 1;
    lists->pieces = p->k > NN_LEAF ? nn_ceil_div(p->k, NN_LEAF) : 1;
    p->leaves = p->k > 0 ? nn_ceil_div(lists->runs, lists->leaf_runs) * lists->pieces : 0;
    lists->most_blocks = nn_least(lists->runs, lists->leaf_runs);
}

/* Rows of A far apart fall into few sets of the caches. */
static bool stride_is_bad(const nn_contract_plan *p, int64_t stride)
{
    return stride * p->shapes->size >= 1024;
}

/* The panels' width for which tiles take least: per term two multiply-adds a cycle, vectors of B from the second cache
 * and one element of A for each row. Where the sum is one leaf A is near, and tall tiles are better than wide ones. */
static int32_t choose_vectors(const nn_contract_plan *p)
{
    if (p->leaves > 1) return nn_choose_vectors(p);
    int64_t all = nn_ceil_div(p->n, p->shapes->lanes), least = INT64_MAX;
    int32_t best = 1;
    for (int32_t v = NN_MICRO_WIDTHS; v >= 1; v--) {
        int64_t tiles = nn_ceil_div(p->m, p->shapes->heights[v - 1]), panels = nn_ceil_div(all, v);
        int64_t cost = 2 * p->m * all + 4 * tiles * all + p->m * panels;
        if (cost >= least) continue;
        least = cost;
        best = v;
    }
    return best;
}

static void choose_packing(nn_contract_plan *p)
{
    int64_t lanes = p->shapes->lanes;
    p->along_k = p->a_k == 1;
    if (!p->along_k && p->a_m != 1 && p->m > 1) {
        p->pack_a = NN_PACK_GATHER;
        p->along_k = true;
    } else if (!p->along_k && p->leaves > 1 && p->n >= MUCH_USED && stride_is_bad(p, p->a_k)) {
        p->pack_a = NN_PACK_COPY;
    }
    bool panels = p->lists.width < p->block_n && p->m * p->batches >= MUCH_USED;
    if (p->b_n != 1)
        p->pack_b = p->b_k == 1 ? NN_PACK_TRANSPOSE : NN_PACK_GATHER;
    else if ((p->shapes->reads_whole && p->n % lanes) || panels)
        p->pack_b = NN_PACK_COPY;
}

/* How the packed B lies. */
static void choose_panels(nn_contract_plan *p, const nn_contraction *c)
{
    nn_lists *lists = &p->lists;
    int64_t rows = nn_round_up(p->k, p->shapes->lanes), bytes = lists->width * p->shapes->size;
    int64_t panels = nn_ceil_div(p->block_n, lists->width);
    lists->packs_whole = p->batches > 1 && b_is_fixed(c) && panels * lists->runs * rows * bytes <= MOST_WHOLE;
    lists->k_stride = lists->packs_whole ? rows : nn_round_up(nn_least(p->k, NN_LEAF), p->shapes->lanes);
    lists->panel_bytes = (lists->packs_whole ? lists->runs : lists->most_blocks) * lists->k_stride * bytes;
}

/* Points that go together need sums, and packed operands, at the same time. */
static void choose_group(nn_contract_plan *p)
{
    nn_lists *lists = &p->lists;
    int64_t sums = p->block_m * p->block_n * p->shapes->size, batches = nn_ceil_div(p->batches, p->batch_tasks);
    lists->group = 1;
    lists->part_blocks = lists->most_blocks > 0 ? lists->most_blocks : 1;
    if (p->leaves <= 1) return;
    if (p->k > 0 && p->k < PART) lists->part_blocks = PART / p->k;
    if (p->pack_a || (p->pack_b && !lists->packs_whole)) return;
    lists->group = nn_least(batches, nn_least(GROUP_BYTES / sums, GROUP_BLOCKS / lists->part_blocks));
    if (lists->group < 1) lists->group = 1;
}

static size_t take(size_t *end, int64_t bytes)
{
    size_t begin = *end;
    *end += (size_t)nn_round_up(bytes, 64);
    return begin;
}

static void choose_scratch(nn_contract_plan *p)
{
    const nn_lists *lists = &p->lists;
    int64_t size = p->shapes->size, terms = lists->leaf_runs * nn_least(p->k, NN_LEAF), a = 0;
    int64_t rows = p->leaves > 1 ? p->block_m * lists->group : NN_MICRO_HEIGHTS;
    size_t end = 0;
    if (p->pack_a == NN_PACK_GATHER) a = NN_MICRO_HEIGHTS * nn_round_up(terms, 16) * size;
    if (p->pack_a == NN_PACK_COPY) a = terms * nn_round_up(p->block_m, 16) * size;
    p->sums_size = (size_t)nn_round_up(lists->group * p->block_m * p->block_n * size, 64);
    take(&end, a);
    p->scratch_b = take(&end, p->pack_b ? nn_ceil_div(p->block_n, lists->width) * lists->panel_bytes : 0);
    p->scratch_c = take(&end, p->stores || p->parts > 1 ? 0 : rows * p->block_n * size);
    p->scratch_sums = take(&end, nn_waiting_blocks(p) * (int64_t)p->sums_size);
    p->lists.scratch = take(&end, (int64_t)nn_lists_scratch(lists));
    p->scratch_size = end;
}

void nn_prepare_lists(nn_contract_plan *p)
{
    const nn_contraction *c = &p->contraction;
    p->form = NN_FORM_LISTS;
    p->stores = c->c >= 0;
    p->m = c->m, p->n = c->n, p->k = c->k, p->c_m = c->c_m;
    p->a_m = c->a_m, p->a_k = c->a_k + more_stride(c, 0);
    p->b_k = c->b_k + more_stride(c, 1), p->b_n = p->n == 1 && p->b_k != 1 ? 1 : c->b_n;
    choose_leaves(p, c);
    p->vectors = choose_vectors(p);
    nn_choose_tasks(p, p->k * p->lists.runs, most_batch_tasks(p, c));
    int64_t vectors = nn_ceil_div(p->block_n, p->shapes->lanes);
    p->lists.width = nn_ceil_div(vectors, nn_ceil_div(vectors, p->vectors)) * p->shapes->lanes;
    choose_packing(p);
    choose_panels(p, c);
    choose_group(p);
    choose_scratch(p);
}
