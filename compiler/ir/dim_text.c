/* Sizes as text. */
#include <string.h>

#include "ir/dim_internal.h"

static const struct {
    const char *spelling;
    bool prefix;
} operators[] = {
#define DIM_OP(id, spelling, prefix, function, whole) [DIM_OP_##id] = {spelling, prefix},
#include "ir/dim_ops.def"
#undef DIM_OP
};
static const unsigned n_operators = sizeof operators / sizeof *operators;

const char *dim_spelling(DimStep op, bool *prefix)
{
    *prefix = operators[op].prefix;
    return operators[op].spelling;
}

/* A side of `//`: bare when it is one symbol or a constant that is not negative. */
static void print_side(const DimTable *table, Dim dim, Text *to)
{
    int64_t constant;
    bool bare = dim_is_symbol(table, dim, NULL) || (dim_is_constant(table, dim, &constant) && constant >= 0);
    if (!bare) text_string(to, "(");
    dim_print(table, dim, to);
    if (!bare) text_string(to, ")");
}

static void print_atom(const DimTable *table, const DimAtom *atom, bool alone, Text *to)
{
    if (atom->symbol) {
        text_string(to, atom->symbol);
        return;
    }
    bool prefix;
    const char *spelling = dim_spelling(atom->op, &prefix);
    if (prefix) text_string(to, spelling);
    if (prefix || !alone) text_string(to, "(");
    (prefix ? dim_print : print_side)(table, atom->left, to);
    text_format(to, prefix ? ", " : " %s ", spelling);
    (prefix ? dim_print : print_side)(table, atom->right, to);
    if (prefix || !alone) text_string(to, ")");
}

/* The term without its sign. */
static void print_term(const DimTable *table, const DimTerm *term, bool positive, Text *to)
{
    size_t n;
    const DimFactor *factors = dim_factors(table, term->monomial, &n);
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
 * (sum) | max(sum, sum) | min(sum, sum) */

typedef struct {
    DimTable *table;
    const char *at;
    int depth;
} DimReader;

enum { MAX_NESTING = 100 };

static Dim read_sum(DimReader *reader);

static void skip_spaces(DimReader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t') reader->at++;
}

static bool name_byte(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
    return letter || (!first && ((c >= '0' && c <= '9') || c == '.'));
}

static Dim read_number(DimReader *reader)
{
    int64_t value = 0;
    for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *reader->at - '0', &value))
            return DIM_NONE;
    return dim_constant(reader->table, value);
}

static bool read_mark(DimReader *reader, char mark)
{
    skip_spaces(reader);
    if (*reader->at != mark) return false;
    reader->at++;
    return true;
}

/* A symbol, or an operator with its two sizes where a bracket follows. */
static Dim read_name(DimReader *reader)
{
    const char *start = reader->at;
    while (name_byte(*reader->at, false)) reader->at++;
    size_t length = (size_t)(reader->at - start);
    unsigned op = DIM_OP_ADD;
    if (*reader->at != '(') return dim_symbol(reader->table, intern_length(reader->table->names, start, length));
    while (op < n_operators && !(operators[op].prefix && strlen(operators[op].spelling) == length &&
                                 !memcmp(operators[op].spelling, start, length)))
        op++;
    if (op == n_operators || reader->depth >= MAX_NESTING) return DIM_NONE;
    reader->at++;
    reader->depth++;
    Dim a = read_sum(reader), b = read_mark(reader, ',') ? read_sum(reader) : DIM_NONE;
    reader->depth--;
    return read_mark(reader, ')') ? dim_apply(reader->table, (DimStep)op, a, b) : DIM_NONE;
}

static Dim read_factor(DimReader *reader)
{
    skip_spaces(reader);
    const char *start = reader->at;
    if (*start >= '0' && *start <= '9') return read_number(reader);
    if (name_byte(*start, true)) return read_name(reader);
    if ((*start != '(' && *start != '-') || reader->depth >= MAX_NESTING) return DIM_NONE;
    reader->at++;
    reader->depth++;
    Dim inner = *start == '(' ? read_sum(reader) : read_factor(reader);
    reader->depth--;
    if (*start == '-') return dim_sub(reader->table, dim_constant(reader->table, 0), inner);
    return read_mark(reader, ')') ? inner : DIM_NONE;
}

static Dim read_product(DimReader *reader)
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

static Dim read_sum(DimReader *reader)
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
    DimReader reader = {table, *at, 0};
    Dim dim = read_sum(&reader);
    if (!dim_is_none(dim)) *at = reader.at;
    return dim;
}
