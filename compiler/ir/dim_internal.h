/* How sizes are stored: a sum of terms over products of atoms, each kind interned in a pool of byte strings. Shared by
 * dim.c (algebra) and dim_text.c (text and evaluation). */
#ifndef NNC_IR_DIM_INTERNAL_H
#define NNC_IR_DIM_INTERNAL_H

#include <stddef.h>

#include "ir/dim.h"

/* A symbol, or numerator // divisor when `symbol` is NULL. */
typedef struct {
    Name symbol;
    Dim numerator, divisor;
    uint32_t depth, weight; /* of quotients in one another; of symbols when it is written out. 0 and 1 of a symbol */
} Atom;

typedef struct {
    uint32_t atom, power;
} Factor;

/* coefficient * monomial; monomial 0 is the empty product. */
typedef struct {
    int64_t coefficient;
    uint32_t monomial, unused;
} DimTerm;

/* Byte strings with ids from 1 in order of first appearance. */
typedef struct {
    struct PoolItem {
        const void *bytes;
        size_t size;
        unsigned long long hash;
    } * at;
    size_t count, capacity;
    uint32_t *slots;
    size_t n_slots;
} Pool;

struct DimTable {
    Arena *arena;
    Interner *names;
    uint64_t merged; /* terms, since dim_take_work was asked */
    Pool atoms, monomials, sums;
};

/* Terms in falling graded order; the constant is last. */
static inline const DimTerm *dim_terms(const DimTable *table, Dim dim, size_t *count)
{
    *count = table->sums.at[dim.id - 1].size / sizeof(DimTerm);
    return table->sums.at[dim.id - 1].bytes;
}

/* Factors by rising atom. */
static inline const Factor *dim_factors(const DimTable *table, uint32_t monomial, size_t *count)
{
    *count = 0;
    if (!monomial) return NULL;
    *count = table->monomials.at[monomial - 1].size / sizeof(Factor);
    return table->monomials.at[monomial - 1].bytes;
}

static inline const Atom *dim_atom(const DimTable *table, uint32_t atom)
{
    return table->atoms.at[atom - 1].bytes;
}

#endif
