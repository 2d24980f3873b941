/* What is certain about a size whatever numbers its symbols are: they are at least 0, X - c + 1 <= c * (X // c) <= X
 * for a constant c > 0, and a maximum or minimum is one of its two sizes. */
#include "ir/dim_internal.h"

enum { MOST_STEPS = 64 }; /* sizes that one proof looks at */

typedef struct {
    DimTable *table;
    int left; /* steps */
} Proof;

static bool is_natural(Proof *proof, Dim dim);

/* True if the atom is surely at least 0. */
static bool atom_is_natural(Proof *proof, const DimAtom *atom)
{
    int64_t divisor;
    if (atom->symbol) return true;
    if (atom->op == DIM_OP_MAX) return is_natural(proof, atom->left) || is_natural(proof, atom->right);
    if (atom->op == DIM_OP_MIN) return is_natural(proof, atom->left) && is_natural(proof, atom->right);
    return dim_is_constant(proof->table, atom->right, &divisor) && divisor > 0 && is_natural(proof, atom->left);
}

/* True if the product of the factors, one `except` apart, is surely at least 0. */
static bool monomial_is_natural(Proof *proof, uint32_t monomial, uint32_t except)
{
    size_t n;
    const DimFactor *factors = dim_factors(proof->table, monomial, &n);
    for (size_t i = 0; i < n; i++) {
        bool open = factors[i].power % 2 && factors[i].atom != except;
        if (open && !atom_is_natural(proof, dim_atom(proof->table, factors[i].atom))) return false;
    }
    return true;
}

static bool terms_are_natural(Proof *proof, Dim dim)
{
    size_t n;
    const DimTerm *terms = dim_terms(proof->table, dim, &n);
    for (size_t i = 0; i < n; i++)
        if (terms[i].coefficient <= 0 || !monomial_is_natural(proof, terms[i].monomial, 0)) return false;
    return true;
}

/* ---- Maxima and minima ---- */

static bool is_extreme(const DimAtom *atom)
{
    return !atom->symbol && (atom->op == DIM_OP_MAX || atom->op == DIM_OP_MIN);
}

/* The first maximum or minimum among the factors, or 0. */
static uint32_t find_extreme(const DimTable *table, Dim dim)
{
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    for (size_t i = 0; i < n; i++) {
        const DimFactor *factors = dim_factors(table, terms[i].monomial, &m);
        for (size_t k = 0; k < m; k++)
            if (is_extreme(dim_atom(table, factors[k].atom))) return factors[k].atom;
    }
    return 0;
}

/* 1 or -1: the size surely rises or falls with the atom; 0: that is not known. */
static int direction(Proof *proof, Dim dim, uint32_t atom)
{
    size_t n, m;
    const DimTerm *terms = dim_terms(proof->table, dim, &n);
    int sign = 0;
    for (size_t i = 0; i < n; i++) {
        const DimFactor *factors = dim_factors(proof->table, terms[i].monomial, &m);
        for (size_t k = 0; k < m; k++) {
            int here = terms[i].coefficient > 0 ? 1 : -1;
            if (factors[k].atom != atom) continue;
            if (factors[k].power > 1 || sign == -here) return 0;
            if (!monomial_is_natural(proof, terms[i].monomial, atom)) return 0;
            sign = here;
        }
    }
    return sign;
}

typedef struct {
    uint32_t atom;
    Dim by;
} Replacement;

static Dim replace_atom(DimTable *table, uint32_t atom, void *data)
{
    const Replacement *replacement = data;
    return atom == replacement->atom ? replacement->by : dim_of_atom(table, *dim_atom(table, atom));
}

/* With one side in the place of the maximum or minimum. A maximum is at least either side: where the size rises with
 * it, one of the two is enough. */
static bool natural_by_sides(Proof *proof, Dim dim, uint32_t number)
{
    const DimAtom *atom = dim_atom(proof->table, number);
    bool either = direction(proof, dim, number) == (atom->op == DIM_OP_MAX ? 1 : -1);
    Dim left = dim_map_atoms(proof->table, dim, replace_atom, &(Replacement){number, atom->left});
    if (is_natural(proof, left) == either) return either;
    Dim right = dim_map_atoms(proof->table, dim, replace_atom, &(Replacement){number, atom->right});
    return is_natural(proof, right);
}

/* ---- Quotients ---- */

/* The quotient by a constant that the term is a multiple of; NULL if it is something else. */
static const DimAtom *lone_quotient(const DimTable *table, const DimTerm *term, int64_t *divisor)
{
    size_t n;
    const DimFactor *factors = dim_factors(table, term->monomial, &n);
    if (n != 1 || factors[0].power != 1) return NULL;
    const DimAtom *atom = dim_atom(table, factors[0].atom);
    bool quotient = !atom->symbol && atom->op == DIM_OP_FLOOR_DIV;
    return quotient && dim_is_constant(table, atom->right, divisor) && *divisor > 0 ? atom : NULL;
}

/* divisor * dim with the quotient of `term` replaced by its bound: at least 0 only if dim is. */
static Dim replace_quotient(DimTable *table, Dim dim, DimTerm term, const DimAtom *atom, int64_t divisor)
{
    Dim numerator = atom->left, quotient = dim_floor_div(table, numerator, dim_constant(table, divisor));
    Dim factor = dim_constant(table, term.coefficient);
    Dim rest = dim_sub(table, dim, dim_mul(table, factor, quotient));
    if (term.coefficient > 0) numerator = dim_sub(table, numerator, dim_constant(table, divisor - 1));
    return dim_add(table, dim_mul(table, rest, dim_constant(table, divisor)), dim_mul(table, factor, numerator));
}

static bool natural_by_quotients(Proof *proof, Dim dim)
{
    size_t n;
    const DimTerm *terms = dim_terms(proof->table, dim, &n);
    for (int sign = -1; sign <= 1; sign += 2)
        for (size_t i = 0; i < n; i++) {
            const DimTerm term = terms[i];
            int64_t divisor;
            if ((term.coefficient > 0) != (sign > 0)) continue;
            const DimAtom *atom = lone_quotient(proof->table, &term, &divisor);
            if (atom) return is_natural(proof, replace_quotient(proof->table, dim, term, atom, divisor));
        }
    return false;
}

/* True if the size is surely at least 0. */
static bool is_natural(Proof *proof, Dim dim)
{
    if (dim_is_none(dim) || proof->left-- <= 0) return false;
    if (terms_are_natural(proof, dim)) return true;
    uint32_t number = find_extreme(proof->table, dim);
    return number ? natural_by_sides(proof, dim, number) : natural_by_quotients(proof, dim);
}

bool dim_at_least(DimTable *table, Dim a, Dim b)
{
    return is_natural(&(Proof){table, MOST_STEPS}, dim_sub(table, a, b));
}

typedef struct {
    const DimTable *table;
    Dim dim;
    bool all;
} Mentions;

static void is_mentioned(void *data, Name symbol)
{
    Mentions *mentions = data;
    mentions->all = mentions->all && dim_mentions(mentions->table, mentions->dim, symbol);
}

bool dim_at_least_given(DimTable *table, Dim a, Dim b, const Dim *natural, uint32_t count)
{
    Dim difference = dim_sub(table, a, b);
    if (is_natural(&(Proof){table, MOST_STEPS}, difference)) return true;
    for (uint32_t i = 0; i < count && !dim_is_none(difference); i++) {
        Mentions mentions = {table, difference, true};
        dim_symbols(table, natural[i], is_mentioned, &mentions);
        if (mentions.all && is_natural(&(Proof){table, MOST_STEPS}, dim_sub(table, difference, natural[i])))
            return true;
    }
    return false;
}
