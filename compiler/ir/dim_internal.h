/* How sizes are stored: a sum of terms over products of atoms, each kind interned in a pool of byte strings. Shared by
 * the files dim*.c. */
#ifndef NNC_IR_DIM_INTERNAL_H
#define NNC_IR_DIM_INTERNAL_H

#include <stddef.h>

#include "ir/dim.h"
#include "nn_image.h"
#include "support/vector.h"

/* The limits of one formula: how deep operations lie in one another, the values that its postfix code holds at once
 * (the rest of the run time's stack is for the condition around it), and the power of a product. */
enum { DIM_MAX_DEPTH = 32, DIM_MAX_STACK = NN_SIZE_STACK - 16, DIM_MAX_POWER = 64 };

/* A symbol, or when `symbol` is NULL what an operator makes of two sizes: FLOOR_DIV, MAX or MIN. */
typedef struct {
    Name symbol;
    Dim left, right;
    DimStep op;
    uint32_t depth, stack, weight; /* of operations in one another; of postfix code; of symbols, written out */
} DimAtom;

typedef struct {
    uint32_t atom, power;
} DimFactor;

/* coefficient * monomial; monomial 0 is the empty product. */
typedef struct {
    int64_t coefficient;
    uint32_t monomial, unused;
} DimTerm;

typedef Vec(DimTerm) DimTerms;

/* Byte strings with ids from 1 in order of first appearance. */
typedef struct {
    struct DimPoolItem {
        const void *bytes;
        size_t size;
        unsigned long long hash;
    } * at;
    size_t count, capacity;
    uint32_t *slots;
    size_t n_slots;
} DimPool;

uint32_t dim_pool_intern(DimPool *pool, Arena *arena, const void *bytes, size_t size);
void dim_pool_free(DimPool *pool);

struct DimTable {
    Arena *arena;
    Interner *names;
    uint64_t merged; /* terms, since dim_take_work was asked */
    DimPool atoms, monomials, sums;
};

/* Terms in falling graded order; the constant is last. */
static inline const DimTerm *dim_terms(const DimTable *table, Dim dim, size_t *count)
{
    *count = table->sums.at[dim.id - 1].size / sizeof(DimTerm);
    return table->sums.at[dim.id - 1].bytes;
}

/* Factors by rising atom. */
static inline const DimFactor *dim_factors(const DimTable *table, uint32_t monomial, size_t *count)
{
    *count = 0;
    if (!monomial) return NULL;
    *count = table->monomials.at[monomial - 1].size / sizeof(DimFactor);
    return table->monomials.at[monomial - 1].bytes;
}

static inline const DimAtom *dim_atom(const DimTable *table, uint32_t atom)
{
    return table->atoms.at[atom - 1].bytes;
}

/* a / b rounded down. */
static inline int64_t dim_floor_quotient(int64_t a, int64_t b)
{
    return a / b - (a % b && (a < 0) != (b < 0));
}

/* ---- dim_order.c: negative when a comes first ---- */

int dim_compare_atoms(const DimTable *table, uint32_t a, uint32_t b);
/* Graded lexicographic, which multiplication keeps: long division relies on it. */
int dim_compare_monomials(const DimTable *table, uint32_t a, uint32_t b);
int dim_compare(const DimTable *table, Dim a, Dim b);
uint32_t dim_degree(const DimTable *table, uint32_t monomial);

/* ---- dim.c ---- */

/* The sum of terms that are in order; DIM_NONE where it is too long. */
Dim dim_of_terms(DimTable *table, const DimTerms *terms);
Dim dim_of_term(DimTable *table, int64_t coefficient, uint32_t monomial);
Dim dim_of_atom(DimTable *table, DimAtom atom);
/* The atom of an operation as it stands; DIM_NONE where it is too deep or too long. */
Dim dim_make_atom(DimTable *table, DimStep op, Dim a, Dim b);
/* The atom when the size is exactly one, else NULL. */
const DimAtom *dim_lone_atom(const DimTable *table, Dim dim);
/* a + scale * monomial * b */
Dim dim_add_scaled(DimTable *table, Dim a, Dim b, int64_t scale, uint32_t monomial);
/* The same polynomial of what `map` gives for each atom. */
Dim dim_map_atoms(DimTable *table, Dim dim, Dim (*map)(DimTable *table, uint32_t atom, void *data), void *data);

#endif
