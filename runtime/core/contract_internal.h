/* Shared by contract.c and contract_plan.c. */
#ifndef NN_CONTRACT_INTERNAL_H
#define NN_CONTRACT_INTERNAL_H

#include <stdbool.h>

#include "contract.h"

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

/* True where a panel's rows are handed on in strips as soon as they are done: one block is all of k. */
static inline bool nn_in_strips(const nn_contract_plan *p)
{
    return p->form == NN_FORM_TILES && !p->stores && p->k <= p->k_block;
}

#endif
