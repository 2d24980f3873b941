/* Shared by the files of the contraction. */
#ifndef NN_CONTRACT_INTERNAL_H
#define NN_CONTRACT_INTERNAL_H

#include <stdbool.h>

#include "contract.h"

enum { NN_STRIP_ROWS = 64 }; /* about so many finished rows go to the tile function at once */

/* Where a product without lists begins: a and b themselves. */
static const int64_t nn_one_block[2] = {0, 0};

static inline int64_t nn_ceil_div(int64_t x, int64_t y)
{
    return (x + y - 1) / y;
}

static inline int64_t nn_least(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

static inline int64_t nn_round_up(int64_t x, int64_t to)
{
    return nn_ceil_div(x, to) * to;
}

/* n things in nearly equal parts: so many in each, one more in the first few. */
typedef struct {
    int64_t each, more;
} nn_parts;

static inline nn_parts nn_cut(int64_t n, int64_t parts)
{
    if (parts <= 1) return (nn_parts){n, 0}; /* nothing is cut into no parts */
    return (nn_parts){n / parts, n % parts};
}

/* The first thing of part i. */
static inline int64_t nn_first(nn_parts parts, int64_t i)
{
    return i * parts.each + nn_least(i, parts.more);
}

/* True where a panel's rows are handed on in strips as soon as they are done: one block is all of k. */
static inline bool nn_in_strips(const nn_contract_plan *p)
{
    return p->form == NN_FORM_TILES && !p->stores && p->k <= p->k_block;
}

/* One task at one point of the batch. */
typedef struct {
    const nn_contract_plan *p;
    const nn_kernel_args *args;
    nn_tile_function *tile;
    int64_t leaf0, leaves; /* its part of k: so many leaves from leaf0 on */
    char *part;            /* of several parts: where its sums stand, for the whole batch … */
    char *sums;            /* … and for this point */
    const int64_t *batch;
    const char *a, *b;
    char *c; /* where the contraction stores its sums; NULL: nowhere */
    int64_t m0, m1, n0, n1;
    char *scratch_a, *scratch_b, *scratch_c, *scratch_sums;
    /* whose columns from n0 on lie packed in scratch; NULL: none */
    const char *packed_b;
    int64_t packed_n0;
    /* where tiles find A in this block of k */
    const char *tiles_a;
    int64_t tiles_a_stride;
    /* where they put C: element (c_m0, c_n0) is at c_base */
    char *c_base;
    int64_t c_stride, c_m0, c_n0;
} nn_contract_task;

static inline char *nn_c_at(const nn_contract_task *t, int64_t m, int64_t n)
{
    return t->c_base + ((m - t->c_m0) * t->c_stride + (n - t->c_n0)) * t->p->shapes->size;
}

static inline bool nn_has_tiles(const nn_contract_plan *p)
{
    return p->form == NN_FORM_TILES || p->form == NN_FORM_LISTS;
}

/* ---- contract_plan.c ---- */

/* How many vectors wide panels should be. */
int32_t nn_choose_vectors(const nn_contract_plan *p);
/* Cuts the batch (into no more tasks than said), m and n into tasks; a sum has so many terms. */
void nn_choose_tasks(nn_contract_plan *p, int64_t terms, int64_t most_batch_tasks);
/* Sums of leaves that wait at the same time. */
int64_t nn_waiting_blocks(const nn_contract_plan *p);

/* ---- contract_list_plan.c ---- */

/* Everything but the number of tasks, for a contraction with lists or windows. */
void nn_prepare_lists(nn_contract_plan *p);

/* ---- contract_sums.c ---- */

/* Element by element: to[i, j] = from[i, j]. Strides in elements. */
void nn_gather(char *to, int64_t to_row, int64_t to_column, const char *from, int64_t from_row, int64_t from_column,
               int64_t rows, int64_t columns, int32_t size);
/* The sums of one leaf go where all come together (0), or wait for those of the next leaves. */
void nn_place_sums(nn_contract_task *t, int64_t waiting);
/* How many blocks of sums wait before the leaf, as a binary counter has ones, and how many it joins, of `leaves`. */
int64_t nn_count_waiting(int64_t leaf);
int64_t nn_count_joins(int64_t leaves, int64_t leaf);
/* Where a part's sums of a point of the batch stand. */
char *nn_part_sums(const nn_contract_plan *p, char *part, int64_t batch);
/* The block's sums over one leaf stand where nn_place_sums said; adds those that it completes, and hands the rows on
 * after the last. */
void nn_join_leaf(nn_contract_task *t, int64_t leaf);
/* Adds the sums that wait last to those before them, in rows m0 … m1; leaves those as the current ones. */
void nn_join_sums(nn_contract_task *t, int64_t waiting, int64_t m0, int64_t m1);
/* Rows m0 … m1 and columns n0 … n1 of C are done. */
void nn_finish_tile(const nn_contract_task *t, int64_t m0, int64_t m1, int64_t n0, int64_t n1);
/* Decodes a point of the batch into index (NN_MAX_BATCH_AXES) and points t to its operands. */
void nn_set_batch(nn_contract_task *t, int64_t batch, int64_t *index);

/* ---- contract_list.c, contract_window.c ---- */

/* Runs the points first … last of the batch. */
void nn_run_lists(nn_contract_task *t, int64_t first, int64_t last);
/* Bytes of scratch that it needs for its lists. */
size_t nn_lists_scratch(const nn_lists *lists);

/* Where a list axis or k is seen, and what the operands' addresses are there: first, first + step, …; `a` and `b` at
 * the first of them, advancing by a_step and b_step. */
typedef struct {
    int64_t first, step, count;
    int64_t a, a_step, b, b_step; /* a and b apart: a vector of both, just written, would wait for the stores before */
} nn_stretch;

/* All of a list axis, or of k (NN_INNER_AXIS). */
void nn_stretch_all(const nn_contraction *c, int32_t axis, nn_stretch *stretch);
/* What the window leaves of its inner axis at a point of the batch; for a window without one, whether it is inside
 * (count is 1, else 0) and what it adds to the addresses (a, b). True if the same is seen as before. */
bool nn_see(const nn_contraction *c, const nn_window *w, const int64_t *batch, nn_stretch *stretch);

#endif
