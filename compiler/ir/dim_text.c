/* Sizes as values, as postfix code and as text. */
#include <stdlib.h>
#include <string.h>

#include "ir/dim_internal.h"

static bool atom_evaluate(const DimTable *table, const Atom *atom, bool (*value)(void *, Name, int64_t *), void *data,
                          int64_t *result)
{
    int64_t a, b;
    if (atom->symbol) return value(data, atom->symbol, result);
    if (!dim_evaluate(table, atom->numerator, value, data, &a) || !dim_evaluate(table, atom->divisor, value, data, &b))
        return false;
    if (!b || (b == -1 && a == INT64_MIN)) return false;
    *result = a / b - (a % b && (a < 0) != (b < 0));
    return true;
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
        const Factor *factors = dim_factors(table, terms[i].monomial, &m);
        for (size_t k = 0; k < m; k++) {
            if (!atom_evaluate(table, dim_atom(table, factors[k].atom), value, data, &factor)) return false;
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
        const Factor *factors = dim_factors(table, terms[i].monomial, &m);
        bool started = terms[i].coefficient != 1 || !m;
        if (started) emit(data, DIM_PUSH_CONSTANT, terms[i].coefficient, NULL);
        for (size_t k = 0; k < m; k++) {
            const Atom *atom = dim_atom(table, factors[k].atom);
            for (uint32_t p = 0; p < factors[k].power; p++, started = true) {
                if (atom->symbol) {
                    emit(data, DIM_PUSH_SYMBOL, 0, atom->symbol);
                } else {
                    dim_postfix(table, atom->numerator, emit, data);
                    dim_postfix(table, atom->divisor, emit, data);
                    emit(data, DIM_OP_FLOOR_DIV, 0, NULL);
                }
                if (started) emit(data, DIM_OP_MUL, 0, NULL);
            }
        }
        if (i) emit(data, DIM_OP_ADD, 0, NULL);
    }
}

/* text */

/* A side of `//`: bare when it is one symbol or a constant that is not negative. */
static void print_side(const DimTable *table, Dim dim, Text *to)
{
    int64_t constant;
    bool bare = dim_is_symbol(table, dim, NULL) || (dim_is_constant(table, dim, &constant) && constant >= 0);
    if (!bare) text_string(to, "(");
    dim_print(table, dim, to);
    if (!bare) text_string(to, ")");
}

static void print_atom(const DimTable *table, const Atom *atom, bool alone, Text *to)
{
    if (atom->symbol) {
        text_string(to, atom->symbol);
        return;
    }
    if (!alone) text_string(to, "(");
    print_side(table, atom->numerator, to);
    text_string(to, " // ");
    print_side(table, atom->divisor, to);
    if (!alone) text_string(to, ")");
}

/* The term without its sign. */
static void print_term(const DimTable *table, const DimTerm *term, bool positive, Text *to)
{
    size_t n;
    const Factor *factors = dim_factors(table, term->monomial, &n);
    uint64_t size = term->coefficient < 0 ? 0 - (uint64_t)term->coefficient : (uint64_t)term->coefficient;
    if (size != 1 || !n) text_format(to, "%llu%s", (unsigned long long)size, n ? "*" : "");
    bool alone = positive && size == 1 && n == 1 && factors[0].power == 1;
    for (size_t k = 0; k < n; k++)
        for (uint32_t p = 0; p < factors[k].power; p++) {
            if (k || p) text_string(to, "*");
            print_atom(table, dim_atom(table, factors[k].atom), alone, to);
        }
}

void dim_print(const DimTable *table, Dim dim, Text *to)
{
    if (dim_is_none(dim)) {
        text_string(to, "?");
        return;
    }
    size_t n;
    const DimTerm *terms = dim_terms(table, dim, &n);
    if (!n) text_string(to, "0");
    for (size_t i = 0; i < n; i++) {
        bool negative = terms[i].coefficient < 0;
        if (i)
            text_string(to, negative ? " - " : " + ");
        else if (negative)
            text_string(to, "-");
        print_term(table, &terms[i], !negative, to);
    }
}

void dim_print_quotient(const DimTable *table, Dim dim, Dim divisor, Text *to)
{
    size_t terms = 0;
    int64_t constant;
    bool whole = dim_is_constant(table, divisor, &constant) && constant == 1;
    if (!dim_is_none(dim)) (void)dim_terms(table, dim, &terms);
    bool bare = whole || terms <= 1;
    if (!bare) text_string(to, "(");
    dim_print(table, dim, to);
    if (!bare) text_string(to, ")");
    if (whole) return;
    text_string(to, " / ");
    print_side(table, divisor, to);
}

/* reading: sum = product { (+|-) product }; product = factor { (*|//) factor }; factor = -factor | number | name |
 * (sum) */

typedef struct {
    DimTable *table;
    const char *at;
    int depth;
} Reader;

enum { MAX_NESTING = 100 };

static Dim read_sum(Reader *reader);

static void skip_spaces(Reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t') reader->at++;
}

static bool name_byte(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
    return letter || (!first && ((c >= '0' && c <= '9') || c == '.'));
}

static Dim read_number(Reader *reader)
{
    int64_t value = 0;
    for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *reader->at - '0', &value))
            return DIM_NONE;
    return dim_constant(reader->table, value);
}

static Dim read_factor(Reader *reader)
{
    skip_spaces(reader);
    const char *start = reader->at;
    if (*start >= '0' && *start <= '9') return read_number(reader);
    if (name_byte(*start, true)) {
        while (name_byte(*reader->at, false)) reader->at++;
        return dim_symbol(reader->table, intern_length(reader->table->names, start, (size_t)(reader->at - start)));
    }
    if ((*start != '(' && *start != '-') || reader->depth >= MAX_NESTING) return DIM_NONE;
    reader->at++;
    reader->depth++;
    Dim inner = *start == '(' ? read_sum(reader) : read_factor(reader);
    reader->depth--;
    if (*start == '-') return dim_sub(reader->table, dim_constant(reader->table, 0), inner);
    skip_spaces(reader);
    if (*reader->at != ')') return DIM_NONE;
    reader->at++;
    return inner;
}

static Dim read_product(Reader *reader)
{
    Dim product = read_factor(reader);
    for (;;) {
        skip_spaces(reader);
        bool divide = reader->at[0] == '/' && reader->at[1] == '/';
        if (dim_is_none(product) || (!divide && *reader->at != '*')) return product;
        reader->at += divide ? 2 : 1;
        Dim factor = read_factor(reader);
        int64_t zero;
        if (divide && dim_is_constant(reader->table, factor, &zero) && !zero) return DIM_NONE;
        product = divide ? dim_floor_div(reader->table, product, factor) : dim_mul(reader->table, product, factor);
    }
}

static Dim read_sum(Reader *reader)
{
    Dim sum = read_product(reader);
    for (;;) {
        skip_spaces(reader);
        char sign = *reader->at;
        if (dim_is_none(sum) || (sign != '+' && sign != '-')) return sum;
        reader->at++;
        Dim term = read_product(reader);
        sum = sign == '+' ? dim_add(reader->table, sum, term) : dim_sub(reader->table, sum, term);
    }
}

Dim dim_parse(DimTable *table, const char **at)
{
    Reader reader = {table, *at, 0};
    Dim dim = read_sum(&reader);
    if (!dim_is_none(dim)) *at = reader.at;
    return dim;
}
