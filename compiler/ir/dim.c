#include "ir/dim.h"

#include <string.h>

#include "ir/dim_internal.h"
#include "support/memory.h"
#include "support/vector.h"

/* Sizes of real models are tiny; what passes these limits comes from a mistake or an attack and becomes DIM_NONE. */
enum { MAX_TERMS = 1024, MAX_POWER = 64, MAX_DEPTH = 32, MAX_WEIGHT = 4096 };

/* pools */

static void pool_rehash(Pool *pool)
{
    pool->n_slots = pool->n_slots ? pool->n_slots * 2 : 64;
    memory_free(pool->slots);
    pool->slots = memory_calloc(pool->n_slots, sizeof *pool->slots);
    for (size_t i = 0; i < pool->count; i++) {
        size_t slot = pool->at[i].hash & (pool->n_slots - 1);
        while (pool->slots[slot]) slot = (slot + 1) & (pool->n_slots - 1);
        pool->slots[slot] = (uint32_t)i + 1;
    }
}

static uint32_t pool_intern(Pool *pool, Arena *arena, const void *bytes, size_t size)
{
    if (pool->count * 2 >= pool->n_slots) pool_rehash(pool);
    unsigned long long hash = hash_bytes(HASH_START, bytes, size);
    hash ^= hash >> 32;
    size_t slot = hash & (pool->n_slots - 1);
    for (; pool->slots[slot]; slot = (slot + 1) & (pool->n_slots - 1)) {
        const struct PoolItem *item = &pool->at[pool->slots[slot] - 1];
        if (item->hash == hash && item->size == size && !memcmp(item->bytes, bytes, size)) return pool->slots[slot];
    }
    struct PoolItem item = {arena_copy(arena, bytes, size), size, hash};
    vec_push(pool, item);
    return pool->slots[slot] = (uint32_t)pool->count;
}

static void pool_free(Pool *pool)
{
    vec_free(pool);
    memory_free(pool->slots);
    pool->slots = NULL;
    pool->n_slots = 0;
}

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
    pool_free(&table->atoms);
    pool_free(&table->monomials);
    pool_free(&table->sums);
}

uint64_t dim_take_work(DimTable *table)
{
    enum { MERGED_IN_A_UNIT = 16 };
    uint64_t units = table->merged / MERGED_IN_A_UNIT;
    table->merged %= MERGED_IN_A_UNIT;
    return units;
}

/* order: structural, so that a size prints alike whatever was made before it */

static int compare_dims(const DimTable *table, Dim a, Dim b);

static int compare_atoms(const DimTable *table, uint32_t a, uint32_t b)
{
    if (a == b) return 0;
    const Atom *x = dim_atom(table, a), *y = dim_atom(table, b);
    if (x->symbol && y->symbol) return strcmp(x->symbol, y->symbol);
    if (x->symbol || y->symbol) return x->symbol ? -1 : 1;
    int order = compare_dims(table, x->numerator, y->numerator);
    return order ? order : compare_dims(table, x->divisor, y->divisor);
}

static uint32_t degree(const DimTable *table, uint32_t monomial)
{
    size_t n;
    const Factor *factors = dim_factors(table, monomial, &n);
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += factors[i].power;
    return sum;
}

/* Graded lexicographic, which multiplication keeps: long division relies on it. Negative when a comes first. */
static int compare_monomials(const DimTable *table, uint32_t a, uint32_t b)
{
    if (a == b) return 0;
    uint32_t da = degree(table, a), db = degree(table, b);
    if (da != db) return da > db ? -1 : 1;
    size_t n, m;
    const Factor *x = dim_factors(table, a, &n), *y = dim_factors(table, b, &m);
    for (size_t i = 0; i < n && i < m; i++) {
        int order = compare_atoms(table, x[i].atom, y[i].atom);
        if (order) return order;
        if (x[i].power != y[i].power) return x[i].power > y[i].power ? -1 : 1;
    }
    return n > m ? -1 : n < m;
}

static int compare_dims(const DimTable *table, Dim a, Dim b)
{
    if (a.id == b.id) return 0;
    size_t n, m;
    const DimTerm *x = dim_terms(table, a, &n), *y = dim_terms(table, b, &m);
    for (size_t i = 0; i < n && i < m; i++) {
        int order = compare_monomials(table, x[i].monomial, y[i].monomial);
        if (order) return order;
        if (x[i].coefficient != y[i].coefficient) return x[i].coefficient < y[i].coefficient ? -1 : 1;
    }
    return n < m ? -1 : n > m;
}

/* making canonical sums */

typedef Vec(DimTerm) Terms;

/* How deep quotients lie in one another in the terms, and how many symbols they have when they are written out:
 * whatever walks a size goes that deep and takes that long. */
static void measure(const DimTable *table, const DimTerm *terms, size_t count, uint32_t *depth, uint64_t *weight)
{
    size_t n;
    for (size_t i = 0; i < count; i++) {
        const Factor *factors = dim_factors(table, terms[i].monomial, &n);
        for (size_t k = 0; k < n; k++) {
            const Atom *atom = dim_atom(table, factors[k].atom);
            if (atom->depth > *depth) *depth = atom->depth;
            *weight += atom->weight;
        }
    }
}

static Dim intern_terms(DimTable *table, const Terms *terms)
{
    uint32_t depth = 0;
    uint64_t weight = 0;
    if (terms->count > MAX_TERMS) return DIM_NONE;
    measure(table, terms->at, terms->count, &depth, &weight);
    if (weight > MAX_WEIGHT) return DIM_NONE;
    return (Dim){pool_intern(&table->sums, table->arena, terms->count ? terms->at : (const DimTerm *)"",
                             terms->count * sizeof(DimTerm))};
}

static Dim intern_one(DimTable *table, int64_t coefficient, uint32_t monomial)
{
    DimTerm term = {coefficient, monomial, 0};
    return (Dim){pool_intern(&table->sums, table->arena, &term, coefficient ? sizeof term : 0)};
}

Dim dim_constant(DimTable *table, int64_t value)
{
    return intern_one(table, value, 0);
}

static Dim dim_of_atom(DimTable *table, Atom atom)
{
    Factor factor = {pool_intern(&table->atoms, table->arena, &atom, sizeof atom), 1};
    return intern_one(table, 1, pool_intern(&table->monomials, table->arena, &factor, sizeof factor));
}

Dim dim_symbol(DimTable *table, Name name)
{
    return dim_of_atom(table, (Atom){.symbol = name, .weight = 1});
}

/* a + scale * monomial * b, by merging; the product of a sum by a monomial stays in order. */
static uint32_t monomial_product(DimTable *table, uint32_t a, uint32_t b);

static Dim add_scaled(DimTable *table, Dim a, Dim b, int64_t scale, uint32_t monomial)
{
    if (dim_is_none(a) || dim_is_none(b)) return DIM_NONE;
    size_t n, m, i = 0, j = 0;
    const DimTerm *x = dim_terms(table, a, &n), *y = dim_terms(table, b, &m);
    Terms sum = {0};
    bool fits = true;
    table->merged += n + m;
    while (fits && (i < n || j < m)) {
        DimTerm term = {0};
        if (j < m) {
            term.monomial = monomial_product(table, y[j].monomial, monomial);
            fits = term.monomial != UINT32_MAX && !__builtin_mul_overflow(y[j].coefficient, scale, &term.coefficient);
            if (!fits) break;
        }
        int order = i == n ? 1 : j == m ? -1 : compare_monomials(table, x[i].monomial, term.monomial);
        if (order < 0) {
            term = x[i++];
        } else {
            j++;
            if (!order) fits = !__builtin_add_overflow(term.coefficient, x[i++].coefficient, &term.coefficient);
        }
        if (term.coefficient) vec_push(&sum, term);
    }
    Dim result = fits ? intern_terms(table, &sum) : DIM_NONE;
    vec_free(&sum);
    return result;
}

Dim dim_add(DimTable *table, Dim a, Dim b)
{
    return add_scaled(table, a, b, 1, 0);
}

Dim dim_sub(DimTable *table, Dim a, Dim b)
{
    return add_scaled(table, a, b, -1, 0);
}

/* UINT32_MAX when a power would pass the limit. */
static uint32_t monomial_product(DimTable *table, uint32_t a, uint32_t b)
{
    if (!a || !b) return a ? a : b;
    if (degree(table, a) + degree(table, b) > MAX_POWER) return UINT32_MAX;
    size_t n, m, i = 0, j = 0, count = 0;
    const Factor *x = dim_factors(table, a, &n), *y = dim_factors(table, b, &m);
    Factor product[2 * MAX_POWER];
    while (i < n || j < m) {
        int order = i == n ? 1 : j == m ? -1 : compare_atoms(table, x[i].atom, y[j].atom);
        Factor factor = order <= 0 ? x[i++] : y[j++];
        if (!order) factor.power += y[j++].power;
        product[count++] = factor;
    }
    return pool_intern(&table->monomials, table->arena, product, count * sizeof *product);
}

Dim dim_mul(DimTable *table, Dim a, Dim b)
{
    if (dim_is_none(a) || dim_is_none(b)) return DIM_NONE;
    Dim product = dim_constant(table, 0);
    size_t n;
    const DimTerm *x = dim_terms(table, a, &n);
    for (size_t i = 0; i < n && product.id; i++)
        product = add_scaled(table, product, b, x[i].coefficient, x[i].monomial);
    return product;
}

Dim dim_product(DimTable *table, const Dim *dims, uint32_t count)
{
    Dim product = dim_constant(table, 1);
    for (uint32_t i = 0; i < count; i++) product = dim_mul(table, product, dims[i]);
    return product;
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
            power += degree(table, terms[0].monomial);
            n_terms *= (int64_t)n;
        }
        if (__builtin_mul_overflow(weight, sum > 1 ? sum : 1, &weight) || weight > most) return false;
        if (n_terms > MAX_TERMS || power > MAX_POWER) return false;
    }
    return true;
}

/* questions */

bool dim_is_constant(const DimTable *table, Dim dim, int64_t *value)
{
    if (dim_is_none(dim)) return false;
    size_t n;
    const DimTerm *terms = dim_terms(table, dim, &n);
    if (n > 1 || (n && terms[0].monomial)) return false;
    if (value) *value = n ? terms[0].coefficient : 0;
    return true;
}

/* The atom when the size is exactly one, else NULL. */
static const Atom *lone_atom(const DimTable *table, Dim dim)
{
    if (dim_is_none(dim)) return NULL;
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    if (n != 1 || terms[0].coefficient != 1) return NULL;
    const Factor *factors = dim_factors(table, terms[0].monomial, &m);
    return m == 1 && factors[0].power == 1 ? dim_atom(table, factors[0].atom) : NULL;
}

bool dim_is_symbol(const DimTable *table, Dim dim, Name *name)
{
    const Atom *atom = lone_atom(table, dim);
    if (!atom || !atom->symbol) return false;
    if (name) *name = atom->symbol;
    return true;
}

void dim_symbols(const DimTable *table, Dim dim, void (*visit)(void *data, Name symbol), void *data)
{
    if (dim_is_none(dim)) return;
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    for (size_t i = 0; i < n; i++) {
        const Factor *factors = dim_factors(table, terms[i].monomial, &m);
        for (size_t k = 0; k < m; k++) {
            const Atom *atom = dim_atom(table, factors[k].atom);
            if (atom->symbol) {
                visit(data, atom->symbol);
            } else {
                dim_symbols(table, atom->numerator, visit, data);
                dim_symbols(table, atom->divisor, visit, data);
            }
        }
    }
}

struct Mention {
    Name symbol;
    bool found;
};

static void note_mention(void *data, Name symbol)
{
    struct Mention *mention = data;
    mention->found |= mention->symbol == symbol;
}

bool dim_mentions(const DimTable *table, Dim dim, Name symbol)
{
    struct Mention mention = {symbol, false};
    dim_symbols(table, dim, note_mention, &mention);
    return mention.found;
}

/* division */

static int64_t floor_quotient(int64_t a, int64_t b)
{
    return a / b - (a % b && (a < 0) != (b < 0));
}

/* a / b as monomials; false when b does not divide a. */
static bool monomial_quotient(DimTable *table, uint32_t a, uint32_t b, uint32_t *quotient)
{
    size_t n, m, j = 0, count = 0;
    const Factor *x = dim_factors(table, a, &n), *y = dim_factors(table, b, &m);
    Factor left[MAX_POWER];
    for (size_t i = 0; i < n; i++) {
        Factor factor = x[i];
        if (j < m && y[j].atom == factor.atom) {
            if (y[j].power > factor.power) return false;
            factor.power -= y[j++].power;
        }
        if (factor.power) left[count++] = factor;
    }
    if (j < m) return false;
    *quotient = count ? pool_intern(&table->monomials, table->arena, left, count * sizeof *left) : 0;
    return true;
}

/* a / b as terms; false when not exact over the integers. */
static bool term_quotient(DimTable *table, DimTerm a, DimTerm b, DimTerm *quotient)
{
    if (b.coefficient == -1 && a.coefficient == INT64_MIN) return false;
    if (a.coefficient % b.coefficient) return false;
    quotient->coefficient = a.coefficient / b.coefficient;
    quotient->unused = 0;
    return monomial_quotient(table, a.monomial, b.monomial, &quotient->monomial);
}

bool dim_divides(DimTable *table, Dim a, Dim b, Dim *quotient)
{
    size_t n, m;
    if (dim_is_none(a) || dim_is_none(b)) return false;
    const DimTerm *y = dim_terms(table, b, &m);
    if (!m) return false;
    Dim rest = a, result = dim_constant(table, 0);
    for (;;) { /* each turn removes the leading term of the rest */
        const DimTerm *x = dim_terms(table, rest, &n);
        if (!n) break;
        DimTerm q;
        if (!term_quotient(table, x[0], y[0], &q) || q.coefficient == INT64_MIN) return false;
        rest = add_scaled(table, rest, b, -q.coefficient, q.monomial);
        result = dim_add(table, result, intern_one(table, q.coefficient, q.monomial));
        if (dim_is_none(rest) || dim_is_none(result)) return false;
    }
    if (quotient) *quotient = result;
    return true;
}

static Dim quotient_atom(DimTable *table, Dim a, Dim b)
{
    uint32_t depth = 0;
    uint64_t weight = 1;
    size_t n, m;
    if (dim_is_none(a) || dim_is_none(b)) return DIM_NONE;
    const DimTerm *x = dim_terms(table, a, &n), *y = dim_terms(table, b, &m);
    measure(table, x, n, &depth, &weight);
    measure(table, y, m, &depth, &weight);
    if (depth >= MAX_DEPTH || weight > MAX_WEIGHT) return DIM_NONE;
    return dim_of_atom(table, (Atom){.numerator = a, .divisor = b, .depth = depth + 1, .weight = (uint32_t)weight});
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* a // c for c > 1, all of whose coefficients are in [0, c): floor((g*A + r) / (g*C)) = floor((A + r//g) / C), and
 * floor((x//d + k) / c) = floor((x + k*d) / (d*c)) for constants c, d > 0. */
static Dim reduced_quotient(DimTable *table, Dim a, int64_t c)
{
    size_t n;
    const DimTerm *terms = dim_terms(table, a, &n);
    int64_t g = c, shift = 0;
    for (size_t i = 0; i < n; i++)
        if (terms[i].monomial) g = common_divisor(g, terms[i].coefficient);
    Terms divided = {0};
    for (size_t i = 0; i < n; i++) {
        DimTerm term = {terms[i].coefficient / g, terms[i].monomial, 0};
        if (!term.monomial) shift = term.coefficient;
        if (term.coefficient) vec_push(&divided, term);
    }
    a = intern_terms(table, &divided);
    vec_free(&divided);
    c /= g;
    if (c == 1 || dim_is_none(a)) return a;
    const Atom *inner = lone_atom(table, dim_sub(table, a, dim_constant(table, shift)));
    int64_t d, both;
    if (!inner || inner->symbol || !dim_is_constant(table, inner->divisor, &d) || __builtin_mul_overflow(c, d, &both))
        return quotient_atom(table, a, dim_constant(table, c));
    Dim moved = dim_mul(table, dim_constant(table, shift), dim_constant(table, d));
    moved = dim_add(table, inner->numerator, moved);
    return dim_is_none(moved) ? DIM_NONE : dim_floor_div(table, moved, dim_constant(table, both));
}

/* a = c * whole + rest with the coefficients of rest in [0, c); so a // c = whole + rest // c. */
static Dim quotient_by_constant(DimTable *table, Dim a, int64_t c)
{
    if (c < 0) {
        if (c == INT64_MIN) return DIM_NONE;
        return dim_floor_div(table, dim_sub(table, dim_constant(table, 0), a), dim_constant(table, -c));
    }
    size_t n;
    const DimTerm *terms = dim_terms(table, a, &n);
    Terms whole = {0}, rest = {0};
    for (size_t i = 0; i < n; i++) {
        int64_t q = floor_quotient(terms[i].coefficient, c);
        /* q * c may lie below all integers, the rest does not. */
        int64_t r = (int64_t)((uint64_t)terms[i].coefficient - (uint64_t)q * (uint64_t)c);
        if (q) vec_push(&whole, (DimTerm){q, terms[i].monomial, 0});
        if (r) vec_push(&rest, (DimTerm){r, terms[i].monomial, 0});
    }
    Dim quotient = intern_terms(table, &whole), left = intern_terms(table, &rest);
    vec_free(&whole);
    vec_free(&rest);
    if (dim_is_constant(table, left, NULL)) return quotient; /* 0 <= left < c */
    return dim_add(table, quotient, reduced_quotient(table, left, c));
}

Dim dim_floor_div(DimTable *table, Dim a, Dim b)
{
    if (dim_is_none(a) || dim_is_none(b)) return DIM_NONE;
    int64_t c;
    Dim quotient;
    if (dim_is_constant(table, b, &c)) {
        return c ? quotient_by_constant(table, a, c) : DIM_NONE;
    }
    if (dim_divides(table, a, b, &quotient)) return quotient;
    size_t n, m;
    const DimTerm *y = dim_terms(table, b, &m), *x = dim_terms(table, a, &n);
    if (m > 1) return quotient_atom(table, a, b);
    Terms whole = {0}, rest = {0}; /* what the lone term b divides comes out of the floor */
    DimTerm divisor = y[0], q;
    for (size_t i = 0; i < n; i++) {
        if (term_quotient(table, x[i], divisor, &q))
            vec_push(&whole, q);
        else
            vec_push(&rest, x[i]);
    }
    quotient = intern_terms(table, &whole);
    Dim left = quotient_atom(table, intern_terms(table, &rest), b);
    vec_free(&whole);
    vec_free(&rest);
    return dim_add(table, quotient, left);
}

Dim dim_modulo(DimTable *table, Dim a, Dim b)
{
    return dim_sub(table, a, dim_mul(table, b, dim_floor_div(table, a, b)));
}

Dim dim_substitute(DimTable *table, Dim dim, Dim (*map)(void *data, Name symbol), void *data)
{
    if (dim_is_none(dim)) return DIM_NONE;
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    Dim sum = dim_constant(table, 0);
    for (size_t i = 0; i < n; i++) {
        Dim product = dim_constant(table, terms[i].coefficient);
        const Factor *factors = dim_factors(table, terms[i].monomial, &m);
        for (size_t k = 0; k < m; k++) {
            const Atom *atom = dim_atom(table, factors[k].atom);
            Dim value;
            if (atom->symbol) {
                value = map(data, atom->symbol);
                if (dim_is_none(value)) value = dim_symbol(table, atom->symbol);
            } else {
                Dim a = dim_substitute(table, atom->numerator, map, data);
                Dim b = dim_substitute(table, atom->divisor, map, data);
                int64_t zero;
                bool undefined = dim_is_constant(table, b, &zero) && !zero;
                value = undefined ? quotient_atom(table, a, b) : dim_floor_div(table, a, b);
            }
            for (uint32_t p = 0; p < factors[k].power; p++) product = dim_mul(table, product, value);
        }
        sum = dim_add(table, sum, product);
    }
    return sum;
}
