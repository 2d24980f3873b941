/* Sizes as canonical sums, and their ring. */
#include "ir/dim_internal.h"
#include "support/vector.h"

/* Sizes of real models are tiny; what passes these limits comes from a mistake or an attack and becomes DIM_NONE. */
enum { MAX_TERMS = 1024, MAX_WEIGHT = 4096 };

DimTable *dim_table_new(Arena *arena, Interner *names)
{
    DimTable *table = ARENA_NEW(arena, DimTable);
    table->arena = arena;
    table->names = names;
    return table;
}

void dim_table_free(DimTable *table)
{
    if (!table) return;
    dim_pool_free(&table->atoms);
    dim_pool_free(&table->monomials);
    dim_pool_free(&table->sums);
}

uint64_t dim_take_work(DimTable *table)
{
    enum { MERGED_IN_A_UNIT = 16 };
    uint64_t units = table->merged / MERGED_IN_A_UNIT;
    table->merged %= MERGED_IN_A_UNIT;
    return units;
}

/* ---- Canonical sums ---- */

/* What a walk over a size takes. */
typedef struct {
    uint32_t depth, stack;
    uint64_t weight;
} Measure;

static Measure measure(const DimTable *table, const DimTerm *terms, size_t count)
{
    Measure most = {0, 1, 0};
    size_t n;
    for (size_t i = 0; i < count; i++) {
        const DimFactor *factors = dim_factors(table, terms[i].monomial, &n);
        bool lone = terms[i].coefficient == 1 && n == 1 && factors[0].power == 1;
        uint32_t waiting = (i > 0) + !lone; /* the sum so far and the product so far */
        if (waiting > most.stack) most.stack = waiting;
        for (size_t k = 0; k < n; k++) {
            const DimAtom *atom = dim_atom(table, factors[k].atom);
            if (waiting + atom->stack > most.stack) most.stack = waiting + atom->stack;
            if (atom->depth > most.depth) most.depth = atom->depth;
            most.weight += atom->weight;
        }
    }
    return most;
}

static bool is_small(const Measure *size)
{
    return size->depth <= DIM_MAX_DEPTH && size->stack <= DIM_MAX_STACK && size->weight <= MAX_WEIGHT;
}

uint32_t dim_stack(const DimTable *table, Dim dim)
{
    size_t n;
    const DimTerm *terms = dim_terms(table, dim, &n);
    return measure(table, terms, n).stack;
}

Dim dim_of_terms(DimTable *table, const DimTerms *terms)
{
    if (terms->count > MAX_TERMS) return DIM_NONE;
    Measure size = measure(table, terms->at, terms->count);
    if (!is_small(&size)) return DIM_NONE;
    return (Dim){dim_pool_intern(&table->sums, table->arena, terms->count ? terms->at : (const DimTerm *)"",
                                 terms->count * sizeof(DimTerm))};
}

Dim dim_of_term(DimTable *table, int64_t coefficient, uint32_t monomial)
{
    DimTerm term = {coefficient, monomial, 0};
    return (Dim){dim_pool_intern(&table->sums, table->arena, &term, coefficient ? sizeof term : 0)};
}

Dim dim_constant(DimTable *table, int64_t value)
{
    return dim_of_term(table, value, 0);
}

Dim dim_of_atom(DimTable *table, DimAtom atom)
{
    DimFactor factor = {dim_pool_intern(&table->atoms, table->arena, &atom, sizeof atom), 1};
    return dim_of_term(table, 1, dim_pool_intern(&table->monomials, table->arena, &factor, sizeof factor));
}

Dim dim_symbol(DimTable *table, Name name)
{
    return dim_of_atom(table, (DimAtom){.symbol = name, .stack = 1, .weight = 1});
}

Dim dim_make_atom(DimTable *table, DimStep op, Dim a, Dim b)
{
    size_t n, m;
    if (dim_is_none(a) || dim_is_none(b)) return DIM_NONE;
    const DimTerm *x = dim_terms(table, a, &n), *y = dim_terms(table, b, &m);
    Measure left = measure(table, x, n), right = measure(table, y, m);
    Measure both = {1 + (left.depth > right.depth ? left.depth : right.depth),
                    left.stack > right.stack ? left.stack : right.stack + 1, left.weight + right.weight + 1};
    if (!is_small(&both)) return DIM_NONE;
    return dim_of_atom(table, (DimAtom){.left = a,
                                        .right = b,
                                        .op = op,
                                        .depth = both.depth,
                                        .stack = both.stack,
                                        .weight = (uint32_t)both.weight});
}

/* By merging: the product of a sum by a monomial stays in order. */
static uint32_t monomial_product(DimTable *table, uint32_t a, uint32_t b);

Dim dim_add_scaled(DimTable *table, Dim a, Dim b, int64_t scale, uint32_t monomial)
{
    if (dim_is_none(a) || dim_is_none(b)) return DIM_NONE;
    size_t n, m, i = 0, j = 0;
    const DimTerm *x = dim_terms(table, a, &n), *y = dim_terms(table, b, &m);
    DimTerms sum = {0};
    bool fits = true;
    table->merged += n + m;
    while (fits && (i < n || j < m)) {
        DimTerm term = {0};
        if (j < m) {
            term.monomial = monomial_product(table, y[j].monomial, monomial);
            fits = term.monomial != UINT32_MAX && !__builtin_mul_overflow(y[j].coefficient, scale, &term.coefficient);
            if (!fits) break;
        }
        int order = i == n ? 1 : j == m ? -1 : dim_compare_monomials(table, x[i].monomial, term.monomial);
        if (order < 0) {
            term = x[i++];
        } else {
            j++;
            if (!order) fits = !__builtin_add_overflow(term.coefficient, x[i++].coefficient, &term.coefficient);
        }
        if (term.coefficient) vec_push(&sum, term);
    }
    Dim result = fits ? dim_of_terms(table, &sum) : DIM_NONE;
    vec_free(&sum);
    return result;
}

Dim dim_add(DimTable *table, Dim a, Dim b)
{
    return dim_add_scaled(table, a, b, 1, 0);
}

Dim dim_sub(DimTable *table, Dim a, Dim b)
{
    return dim_add_scaled(table, a, b, -1, 0);
}

/* UINT32_MAX when a power would pass the limit. */
static uint32_t monomial_product(DimTable *table, uint32_t a, uint32_t b)
{
    if (!a || !b) return a ? a : b;
    if (dim_degree(table, a) + dim_degree(table, b) > DIM_MAX_POWER) return UINT32_MAX;
    size_t n, m, i = 0, j = 0, count = 0;
    const DimFactor *x = dim_factors(table, a, &n), *y = dim_factors(table, b, &m);
    DimFactor product[2 * DIM_MAX_POWER];
    while (i < n || j < m) {
        int order = i == n ? 1 : j == m ? -1 : dim_compare_atoms(table, x[i].atom, y[j].atom);
        DimFactor factor = order <= 0 ? x[i++] : y[j++];
        if (!order) factor.power += y[j++].power;
        product[count++] = factor;
    }
    return dim_pool_intern(&table->monomials, table->arena, product, count * sizeof *product);
}

Dim dim_mul(DimTable *table, Dim a, Dim b)
{
    if (dim_is_none(a) || dim_is_none(b)) return DIM_NONE;
    Dim product = dim_constant(table, 0);
    size_t n;
    const DimTerm *x = dim_terms(table, a, &n);
    for (size_t i = 0; i < n && product.id; i++)
        product = dim_add_scaled(table, product, b, x[i].coefficient, x[i].monomial);
    return product;
}

Dim dim_product(DimTable *table, const Dim *dims, uint32_t count)
{
    Dim product = dim_constant(table, 1);
    for (uint32_t i = 0; i < count; i++) product = dim_mul(table, product, dims[i]);
    return product;
}

Dim dim_map_atoms(DimTable *table, Dim dim, Dim (*map)(DimTable *table, uint32_t atom, void *data), void *data)
{
    if (dim_is_none(dim)) return DIM_NONE;
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    Dim sum = dim_constant(table, 0);
    for (size_t i = 0; i < n; i++) {
        Dim product = dim_constant(table, terms[i].coefficient);
        const DimFactor *factors = dim_factors(table, terms[i].monomial, &m);
        for (size_t k = 0; k < m; k++) {
            Dim value = map(table, factors[k].atom, data);
            for (uint32_t p = 0; p < factors[k].power; p++) product = dim_mul(table, product, value);
        }
        sum = dim_add(table, sum, product);
    }
    return sum;
}

bool dim_product_fits(const DimTable *table, const Dim *dims, uint32_t count, int64_t most)
{
    int64_t weight = 1, n_terms = 1;
    uint32_t power = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t n;
        if (dim_is_none(dims[i])) return false;
        const DimTerm *terms = dim_terms(table, dims[i], &n);
        int64_t sum = 0;
        for (size_t k = 0; k < n; k++) {
            int64_t size = terms[k].coefficient;
            if (size == INT64_MIN || __builtin_add_overflow(sum, size < 0 ? -size : size, &sum)) return false;
        }
        if (n) {
            power += dim_degree(table, terms[0].monomial);
            n_terms *= (int64_t)n;
        }
        if (__builtin_mul_overflow(weight, sum > 1 ? sum : 1, &weight) || weight > most) return false;
        if (n_terms > MAX_TERMS || power > DIM_MAX_POWER) return false;
    }
    return true;
}

/* ---- Questions ---- */

bool dim_is_constant(const DimTable *table, Dim dim, int64_t *value)
{
    if (dim_is_none(dim)) return false;
    size_t n;
    const DimTerm *terms = dim_terms(table, dim, &n);
    if (n > 1 || (n && terms[0].monomial)) return false;
    if (value) *value = n ? terms[0].coefficient : 0;
    return true;
}

const DimAtom *dim_lone_atom(const DimTable *table, Dim dim)
{
    if (dim_is_none(dim)) return NULL;
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    if (n != 1 || terms[0].coefficient != 1) return NULL;
    const DimFactor *factors = dim_factors(table, terms[0].monomial, &m);
    return m == 1 && factors[0].power == 1 ? dim_atom(table, factors[0].atom) : NULL;
}

bool dim_is_symbol(const DimTable *table, Dim dim, Name *name)
{
    const DimAtom *atom = dim_lone_atom(table, dim);
    if (!atom || !atom->symbol) return false;
    if (name) *name = atom->symbol;
    return true;
}
