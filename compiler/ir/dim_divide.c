/* Exact and floored quotients of sizes. */
#include "ir/dim_internal.h"
#include "support/vector.h"

/* a / b as monomials; false when b does not divide a. */
static bool monomial_quotient(DimTable *table, uint32_t a, uint32_t b, uint32_t *quotient)
{
    size_t n, m, j = 0, count = 0;
    const DimFactor *x = dim_factors(table, a, &n), *y = dim_factors(table, b, &m);
    DimFactor left[DIM_MAX_POWER];
    for (size_t i = 0; i < n; i++) {
        DimFactor factor = x[i];
        if (j < m && y[j].atom == factor.atom) {
            if (y[j].power > factor.power) return false;
            factor.power -= y[j++].power;
        }
        if (factor.power) left[count++] = factor;
    }
    if (j < m) return false;
    *quotient = count ? dim_pool_intern(&table->monomials, table->arena, left, count * sizeof *left) : 0;
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
        rest = dim_add_scaled(table, rest, b, -q.coefficient, q.monomial);
        result = dim_add(table, result, dim_of_term(table, q.coefficient, q.monomial));
        if (dim_is_none(rest) || dim_is_none(result)) return false;
    }
    if (quotient) *quotient = result;
    return true;
}

int64_t dim_common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

/* a // c for c > 1, all of whose coefficients are in [0, c): floor((g*A + r) / (g*C)) = floor((A + r//g) / C), and
 * floor((x//d + k) / c) = floor((x + k*d) / (d*c)) for constants c, d > 0. */
static Dim reduced_quotient(DimTable *table, Dim a, int64_t c)
{
    size_t n;
    const DimTerm *terms = dim_terms(table, a, &n);
    int64_t g = c, shift = 0;
    for (size_t i = 0; i < n; i++)
        if (terms[i].monomial) g = dim_common_divisor(g, terms[i].coefficient);
    DimTerms divided = {0};
    for (size_t i = 0; i < n; i++) {
        DimTerm term = {terms[i].coefficient / g, terms[i].monomial, 0};
        if (!term.monomial) shift = term.coefficient;
        if (term.coefficient) vec_push(&divided, term);
    }
    a = dim_of_terms(table, &divided);
    vec_free(&divided);
    c /= g;
    if (c == 1 || dim_is_none(a)) return a;
    const DimAtom *inner = dim_lone_atom(table, dim_sub(table, a, dim_constant(table, shift)));
    int64_t d, both;
    if (!inner || inner->symbol || inner->op != DIM_OP_FLOOR_DIV || !dim_is_constant(table, inner->right, &d) ||
        __builtin_mul_overflow(c, d, &both))
        return dim_make_atom(table, DIM_OP_FLOOR_DIV, a, dim_constant(table, c));
    Dim moved = dim_mul(table, dim_constant(table, shift), dim_constant(table, d));
    moved = dim_add(table, inner->left, moved);
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
    DimTerms whole = {0}, rest = {0};
    for (size_t i = 0; i < n; i++) {
        int64_t q = dim_floor_quotient(terms[i].coefficient, c);
        /* q * c may lie below all integers, the rest does not. */
        int64_t r = (int64_t)((uint64_t)terms[i].coefficient - (uint64_t)q * (uint64_t)c);
        if (q) vec_push(&whole, (DimTerm){q, terms[i].monomial, 0});
        if (r) vec_push(&rest, (DimTerm){r, terms[i].monomial, 0});
    }
    Dim quotient = dim_of_terms(table, &whole), left = dim_of_terms(table, &rest);
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
    if (m > 1) return dim_make_atom(table, DIM_OP_FLOOR_DIV, a, b);
    DimTerms whole = {0}, rest = {0}; /* what the lone term b divides comes out of the floor */
    DimTerm divisor = y[0], q;
    for (size_t i = 0; i < n; i++) {
        if (term_quotient(table, x[i], divisor, &q))
            vec_push(&whole, q);
        else
            vec_push(&rest, x[i]);
    }
    quotient = dim_of_terms(table, &whole);
    Dim left = dim_make_atom(table, DIM_OP_FLOOR_DIV, dim_of_terms(table, &rest), b);
    vec_free(&whole);
    vec_free(&rest);
    return dim_add(table, quotient, left);
}

Dim dim_modulo(DimTable *table, Dim a, Dim b)
{
    return dim_sub(table, a, dim_mul(table, b, dim_floor_div(table, a, b)));
}
