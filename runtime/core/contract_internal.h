/* How one contraction is carried out: decided from its sizes and strides alone. */
#ifndef NN_CONTRACT_INTERNAL_H
#define NN_CONTRACT_INTERNAL_H

#include <stdbool.h>

#include "contract.h"

typedef enum {
    NN_FORM_TILES, /* tiles of C in registers */
    NN_FORM_ROWS,  /* row after row: few rows, B's columns contiguous */
    NN_FORM_DOTS   /* row after row: few rows, B's k contiguous */
} nn_form;

typedef enum {
    NN_PACK_NONE,
    NN_PACK_COPY,      /* the same order, close together */
    NN_PACK_TRANSPOSE, /* by the transposing micro kernel */
    NN_PACK_GATHER     /* element by element */
} nn_pack;

typedef struct {
    const nn_micro_shapes *shapes;
    nn_form form;
    bool swapped; /* computes the transpose: n was 1 */
    bool along_k; /* which tiles read A */
    nn_pack pack_a, pack_b;
    int64_t m, n, k, a_m, a_k, b_k, b_n, c_m; /* after the swap */
    int32_t vectors;                          /* most vectors of a panel of B */
    int64_t k_block, k_blocks;
    int64_t batches, batch_tasks, m_tasks, n_tasks;
    int64_t block_m, block_n;                  /* the largest block of a task */
    size_t scratch_b, scratch_c, scratch_size; /* offsets; A's part is first */
} nn_contract_plan;

enum { NN_STRIP_ROWS = 64 }; /* about so many finished rows go to the tile function at once */

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

/* The first index of part `i` of `parts` nearly equal parts of `n`. */
static inline int64_t nn_part(int64_t n, int64_t parts, int64_t i)
{
    int64_t low = n / parts, more = n % parts;
    return i * low + nn_least(i, more);
}

nn_contract_plan nn_contract_plan_make(const nn_contraction *contraction, uint8_t dtype, const nn_micro_kernels *micro);

#endif
