#include "contract_internal.h"

/* B is packed as a whole while that is worth a little scratch memory. */
static const int64_t MOST_WHOLE = (int64_t)16 << 20;
/* More terms than this are not copied to have panels closer together. */
enum { MOST_COPIED = 8 * NN_LEAF };

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

static void choose_packing(nn_contract_plan *p, const nn_contraction *c)
{
    nn_lists *lists = &p->lists;
    int64_t lanes = p->shapes->lanes, vectors = nn_ceil_div(p->block_n, lanes);
    int64_t panels = nn_ceil_div(vectors, p->vectors), terms = lists->runs * p->k;
    lists->width = nn_ceil_div(vectors, panels) * lanes;
    panels = nn_ceil_div(vectors * lanes, lists->width);
    p->along_k = p->a_k == 1;
    if (!p->along_k && p->a_m != 1 && p->m > 1) {
        p->pack_a = NN_PACK_GATHER;
        p->along_k = true;
    }
    if (p->b_n != 1)
        p->pack_b = p->b_k == 1 ? NN_PACK_TRANSPOSE : NN_PACK_GATHER;
    else if ((p->shapes->reads_whole && p->n % lanes) || (panels > 1 && terms <= MOST_COPIED))
        p->pack_b = NN_PACK_COPY;
    int64_t rows = nn_round_up(p->k, lanes), bytes = lists->width * p->shapes->size;
    lists->packs_whole = p->batches > 1 && b_is_fixed(c) && panels * lists->runs * rows * bytes <= MOST_WHOLE;
    lists->k_stride = lists->packs_whole ? rows : nn_round_up(nn_least(p->k, NN_LEAF), lanes);
    lists->panel_bytes = (lists->packs_whole ? lists->runs : lists->most_blocks) * lists->k_stride * bytes;
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
    int64_t size = p->shapes->size, terms = lists->leaf_runs * nn_least(p->k, NN_LEAF);
    int64_t rows = p->leaves > 1 ? p->block_m : NN_MICRO_HEIGHTS;
    size_t end = 0;
    p->sums_size = (size_t)nn_round_up(p->block_m * p->block_n * size, 64);
    take(&end, p->pack_a ? NN_MICRO_HEIGHTS * nn_round_up(terms, 16) * size : 0);
    p->scratch_b = take(&end, p->pack_b ? nn_ceil_div(p->block_n, lists->width) * lists->panel_bytes : 0);
    p->scratch_c = take(&end, p->stores ? 0 : rows * p->block_n * size);
    p->scratch_sums = take(&end, nn_waiting_blocks(p) * (int64_t)p->sums_size);
    p->lists.scratch = take(&end, 5 * lists->most_blocks * (int64_t)sizeof(int64_t));
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
    p->vectors = nn_choose_vectors(p);
    choose_leaves(p, c);
    nn_choose_tasks(p, p->k * p->lists.runs);
    choose_packing(p, c);
    choose_scratch(p);
}
