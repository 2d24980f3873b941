/* Walks over sizes: their symbols, their values, other sizes in the symbols' places, and postfix code. */
#include "ir/dim_internal.h"

void dim_symbols(const DimTable *table, Dim dim, void (*visit)(void *data, Name symbol), void *data)
{
    if (dim_is_none(dim)) return;
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    for (size_t i = 0; i < n; i++) {
        const DimFactor *factors = dim_factors(table, terms[i].monomial, &m);
        for (size_t k = 0; k < m; k++) {
            const DimAtom *atom = dim_atom(table, factors[k].atom);
            if (atom->symbol) {
                visit(data, atom->symbol);
            } else {
                dim_symbols(table, atom->left, visit, data);
                dim_symbols(table, atom->right, visit, data);
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

/* Rounds down. False when 64 bits do not hold the quotient. */
static bool divide(int64_t a, int64_t b, int64_t *quotient)
{
    if (!b || (b == -1 && a == INT64_MIN)) return false;
    *quotient = dim_floor_quotient(a, b);
    return true;
}

static bool give(int64_t value, int64_t *to)
{
    *to = value;
    return true;
}

static bool apply(DimStep op, int64_t a, int64_t b, int64_t *x)
{
    switch (op) {
#define DIM_OP(id, spelling, prefix, function, whole)                                                                  \
    case DIM_OP_##id:                                                                                                  \
        return whole;
#include "ir/dim_ops.def"
#undef DIM_OP
    default:
        return false;
    }
}

static bool evaluate_atom(const DimTable *table, const DimAtom *atom, bool (*value)(void *, Name, int64_t *),
                          void *data, int64_t *result)
{
    int64_t a, b;
    if (atom->symbol) return value(data, atom->symbol, result);
    return dim_evaluate(table, atom->left, value, data, &a) && dim_evaluate(table, atom->right, value, data, &b) &&
           apply(atom->op, a, b, result);
}

bool dim_evaluate(const DimTable *table, Dim dim, bool (*value)(void *data, Name symbol, int64_t *out), void *data,
                  int64_t *result)
{
    if (dim_is_none(dim)) return false;
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t product = terms[i].coefficient, factor;
        const DimFactor *factors = dim_factors(table, terms[i].monomial, &m);
        for (size_t k = 0; k < m; k++) {
            if (!evaluate_atom(table, dim_atom(table, factors[k].atom), value, data, &factor)) return false;
            for (uint32_t p = 0; p < factors[k].power; p++)
                if (__builtin_mul_overflow(product, factor, &product)) return false;
        }
        if (__builtin_add_overflow(sum, product, &sum)) return false;
    }
    *result = sum;
    return true;
}

void dim_postfix(const DimTable *table, Dim dim, void (*emit)(void *data, DimStep step, int64_t constant, Name symbol),
                 void *data)
{
    size_t n, m;
    const DimTerm *terms = dim_terms(table, dim, &n);
    if (!n) emit(data, DIM_PUSH_CONSTANT, 0, NULL);
    for (size_t i = 0; i < n; i++) {
        const DimFactor *factors = dim_factors(table, terms[i].monomial, &m);
        bool started = terms[i].coefficient != 1 || !m;
        if (started) emit(data, DIM_PUSH_CONSTANT, terms[i].coefficient, NULL);
        for (size_t k = 0; k < m; k++) {
            const DimAtom *atom = dim_atom(table, factors[k].atom);
            for (uint32_t p = 0; p < factors[k].power; p++, started = true) {
                if (atom->symbol) {
                    emit(data, DIM_PUSH_SYMBOL, 0, atom->symbol);
                } else {
                    dim_postfix(table, atom->left, emit, data);
                    dim_postfix(table, atom->right, emit, data);
                    emit(data, atom->op, 0, NULL);
                }
                if (started) emit(data, DIM_OP_MUL, 0, NULL);
            }
        }
        if (i) emit(data, DIM_OP_ADD, 0, NULL);
    }
}

typedef struct {
    Dim (*map)(void *data, Name symbol);
    void *data;
} Substitution;

static Dim substitute_atom(DimTable *table, uint32_t number, void *data)
{
    const Substitution *in = data;
    const DimAtom *atom = dim_atom(table, number);
    if (atom->symbol) {
        Dim value = in->map(in->data, atom->symbol);
        return dim_is_none(value) ? dim_symbol(table, atom->symbol) : value;
    }
    Dim a = dim_substitute(table, atom->left, in->map, in->data);
    Dim b = dim_substitute(table, atom->right, in->map, in->data);
    int64_t zero;
    bool undefined = atom->op == DIM_OP_FLOOR_DIV && dim_is_constant(table, b, &zero) && !zero;
    return undefined ? dim_make_atom(table, atom->op, a, b) : dim_apply(table, atom->op, a, b);
}

Dim dim_substitute(DimTable *table, Dim dim, Dim (*map)(void *data, Name symbol), void *data)
{
    return dim_map_atoms(table, dim, substitute_atom, &(Substitution){map, data});
}

Dim dim_apply(DimTable *table, DimStep op, Dim a, Dim b)
{
    switch (op) {
#define DIM_OP(id, spelling, prefix, function, whole)                                                                  \
    case DIM_OP_##id:                                                                                                  \
        return function(table, a, b);
#include "ir/dim_ops.def"
#undef DIM_OP
    default:
        return DIM_NONE;
    }
}
