/* What is certain about a size whatever numbers its symbols are: they are at least 0, and X - c + 1 <= c * (X // c) <=
 * X for a constant c > 0. */
#include "ir/dim_internal.h"

enum { MOST_BOUNDS = 8 }; /* quotients that one proof replaces by a bound */

static bool is_natural(DimTable *table, Dim dim, int bounds);

/* True if the product of the factors is surely at least 0. */
static bool monomial_is_natural(DimTable *table, uint32_t monomial, int bounds)
{
    size_t n;
    int64_t divisor;
    const Factor *factors = dim_factors(table, monomial, &n);
    for (size_t i = 0; i < n; i++) {
        const Atom *atom = dim_atom(table, factors[i].atom);
        if (atom->symbol || factors[i].power % 2 == 0) continue;
        if (!dim_is_constant(table, atom->divisor, &divisor) || divisor <= 0) return false;
        if (!bounds || !is_natural(table, atom->numerator, bounds - 1)) return false;
        factors = dim_factors(table, monomial, &n);
    }
    return true;
}

/* The quotient by a constant that the term is a multiple of; NULL if it is something else. */
static const Atom *lone_quotient(const DimTable *table, const DimTerm *term, int64_t *divisor)
{
    size_t n;
    const Factor *factors = dim_factors(table, term->monomial, &n);
    if (n != 1 || factors[0].power != 1) return NULL;
    const Atom *atom = dim_atom(table, factors[0].atom);
    return !atom->symbol && dim_is_constant(table, atom->divisor, divisor) && *divisor > 0 ? atom : NULL;
}

/* divisor * dim with the quotient of `term` replaced by its bound: at least 0 only if dim is. */
static Dim replace_quotient(DimTable *table, Dim dim, DimTerm term, const Atom *atom, int64_t divisor)
{
    Dim numerator = atom->numerator, quotient = dim_floor_div(table, numerator, dim_constant(table, divisor));
    Dim factor = dim_constant(table, term.coefficient);
    Dim rest = dim_sub(table, dim, dim_mul(table, factor, quotient));
    if (term.coefficient > 0) numerator = dim_sub(table, numerator, dim_constant(table, divisor - 1));
    return dim_add(table, dim_mul(table, rest, dim_constant(table, divisor)), dim_mul(table, factor, numerator));
}

/* True if the size is surely at least 0. */
static bool is_natural(DimTable *table, Dim dim, int bounds)
{
    size_t n;
    if (dim_is_none(dim)) return false;
    bool natural = true;
    dim_terms(table, dim, &n);
    for (size_t i = 0; i < n && natural; i++) {
        const DimTerm term = dim_terms(table, dim, &n)[i];
        natural = term.coefficient > 0 && monomial_is_natural(table, term.monomial, bounds);
    }
    if (natural || !bounds) return natural;
    for (int sign = -1; sign <= 1; sign += 2)
        for (size_t i = 0; i < n; i++) {
            const DimTerm term = dim_terms(table, dim, &n)[i];
            int64_t divisor;
            const Atom *atom = (term.coefficient > 0) == (sign > 0) ? lone_quotient(table, &term, &divisor) : NULL;
            if (atom) return is_natural(table, replace_quotient(table, dim, term, atom, divisor), bounds - 1);
        }
    return false;
}

bool dim_at_least(DimTable *table, Dim a, Dim b)
{
    return is_natural(table, dim_sub(table, a, b), MOST_BOUNDS);
}
