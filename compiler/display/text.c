/* Terms in the language's own notation, so that what is printed can be read back. */
#include <math.h>

#include "display/term.h"

/* How tightly an expression binds, loosest first. */
typedef enum {
    LEVEL_ANY,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_COMPARE,
    LEVEL_SUM,
    LEVEL_PRODUCT,
    LEVEL_UNARY,
    LEVEL_POWER,
    LEVEL_POSTFIX
} Level;

static void print(const Term *term, Level level, bool tight, Text *to);

/* Whole numbers of a size that people write out stand without an exponent. */
static void put_number(Text *to, double value)
{
    if (value == nearbyint(value) && fabs(value) < 1e6)
        text_format(to, "%.0f", value);
    else
        text_number(to, value);
}

static void put_fraction(Text *to, double value, bool tight)
{
    double above, below;
    term_fraction(value, &above, &below);
    put_number(to, above);
    if (below == 1) return;
    text_string(to, tight ? "/" : " / ");
    put_number(to, below);
}

static bool atomic(const Term *term)
{
    return term->label || term->kind == TERM_NAME || (term->kind == TERM_NUMBER && term->number >= 0);
}

/* A product of names, numbers and their whole powers is set without spaces inside a sum. */
static bool simple_product(const Term *term)
{
    for (uint32_t i = 0; i < term->n_kids; i++)
        if (!atomic(term->kids[i]) || term->powers[i] < 0) return false;
    return true;
}

static void print_power(const Term *base, double power, Text *to)
{
    if (power == 1) {
        print(base, LEVEL_UNARY, true, to);
    } else if (power == 0.5) {
        text_string(to, "sqrt(");
        print(base, LEVEL_ANY, false, to);
        text_string(to, ")");
    } else {
        print(base, LEVEL_POSTFIX, true, to);
        text_string(to, "^");
        put_number(to, power);
    }
}

/* The factors whose power has the given sign; returns how many there are. */
static uint32_t print_factors(const Term *product, int sign, bool tight, bool first, Text *to)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < product->n_kids; i++) {
        if ((product->powers[i] < 0) != (sign < 0)) continue;
        if (count || !first) text_string(to, tight ? "*" : " * ");
        bool matrices = product->kids[i]->kind == TERM_MATMUL && product->powers[i] == 1 && !count;
        if (matrices)
            print(product->kids[i], LEVEL_PRODUCT, false, to); /* `2 * x @ y` is 2 * (x @ y) */
        else
            print_power(product->kids[i], fabs(product->powers[i]), to);
        count++;
    }
    return count;
}

static uint32_t count_factors(const Term *product, int sign)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < product->n_kids; i++) count += (product->powers[i] < 0) == (sign < 0);
    return count;
}

/* A product times `factor`, which the caller made positive. */
static void print_product(const Term *product, double factor, bool tight, Text *to)
{
    tight = tight && simple_product(product);
    uint32_t above = count_factors(product, 1), below = count_factors(product, -1);
    double divisor;
    term_fraction(factor, &factor, &divisor);
    bool lead = factor != 1 || !above;
    if (lead) put_number(to, factor);
    print_factors(product, 1, tight, !lead, to);
    if (divisor != 1) below++;
    if (!below) return;
    text_string(to, tight ? "/" : " / ");
    if (below > 1) text_string(to, "(");
    if (divisor != 1) put_number(to, divisor);
    print_factors(product, -1, below > 1 || tight, divisor == 1, to);
    if (below > 1) text_string(to, ")");
}

static void print_addend(const Term *kid, double factor, Text *to)
{
    if (kid->kind == TERM_PRODUCT && !kid->label) {
        print_product(kid, factor * kid->number, true, to);
    } else if (factor == 1) {
        print(kid, LEVEL_PRODUCT, true, to);
    } else {
        double divisor;
        term_fraction(factor, &factor, &divisor);
        if (factor != 1) {
            put_number(to, factor);
            text_string(to, "*");
        }
        print(kid, LEVEL_UNARY, true, to);
        if (divisor == 1) return;
        text_string(to, "/");
        put_number(to, divisor);
    }
}

static bool is_negative(const Term *sum, uint32_t i)
{
    double factor = sum->powers[i] * (sum->kids[i]->kind == TERM_PRODUCT ? sum->kids[i]->number : 1);
    return factor < 0;
}

static double sign_of(const Term *sum, uint32_t i)
{
    return is_negative(sum, i) ? -sum->powers[i] : sum->powers[i];
}

/* Begins with something positive if there is anything: `1 - L`, `b - a`. A positive number is first, others last. */
static void print_sum(const Term *sum, Text *to)
{
    bool number_first = term_number_first(sum);
    uint32_t first = 0;
    if (!number_first)
        while (first + 1 < sum->n_kids && is_negative(sum, first)) first++;
    if (!number_first && is_negative(sum, first)) first = 0;
    if (number_first) {
        put_fraction(to, sum->number, true);
    } else {
        if (is_negative(sum, first)) text_string(to, "-");
        print_addend(sum->kids[first], sign_of(sum, first), to);
    }
    for (uint32_t i = 0; i < sum->n_kids; i++) {
        if (!number_first && i == first) continue;
        text_string(to, is_negative(sum, i) ? " - " : " + ");
        print_addend(sum->kids[i], sign_of(sum, i), to);
    }
    if (number_first || sum->number == 0) return;
    text_string(to, sum->number < 0 ? " - " : " + ");
    put_fraction(to, fabs(sum->number), true);
}

static void print_call(const Term *term, Text *to)
{
    text_format(to, "%s(", term->name);
    for (uint32_t i = 0; i < term->n_kids; i++) {
        if (i) text_string(to, ", ");
        print(term->kids[i], LEVEL_ANY, false, to);
    }
    if (term->note) text_format(to, "%s%s", term->n_kids ? ", " : "", term->note);
    text_string(to, ")");
}

static Level level_of(const Term *term)
{
    switch (term->kind) {
    case TERM_NUMBER: {
        double above, below;
        term_fraction(term->number, &above, &below);
        return below != 1 ? LEVEL_PRODUCT : term->number < 0 ? LEVEL_UNARY : LEVEL_POSTFIX;
    }
    case TERM_PRODUCT:
        if (term->number < 0) return LEVEL_PRODUCT;
        return term->number == 1 && term->n_kids == 1 && term->powers[0] == 0.5 ? LEVEL_POSTFIX
               : term->number == 1 && term->n_kids == 1 && term->powers[0] > 0  ? LEVEL_POWER
                                                                                : LEVEL_PRODUCT;
    case TERM_SUM:
        return LEVEL_SUM;
    case TERM_MATMUL:
        return LEVEL_PRODUCT;
    case TERM_INFIX:
        switch (term->name[0]) {
        case '^':
            return LEVEL_POWER;
        case '%':
        case '/':
            return LEVEL_PRODUCT;
        case 'a':
            return LEVEL_AND;
        case 'o':
            return LEVEL_OR;
        default:
            return LEVEL_COMPARE;
        }
    case TERM_SELECT:
        return LEVEL_ANY;
    default:
        return LEVEL_POSTFIX;
    }
}

static void print_kids(const Term *term, Text *to)
{
    switch (term->kind) {
    case TERM_MATMUL:
        print(term->kids[0], LEVEL_PRODUCT, false, to);
        text_string(to, " @ ");
        print(term->kids[1], LEVEL_UNARY, false, to);
        return;
    case TERM_T:
        print(term->kids[0], LEVEL_POSTFIX, false, to);
        text_string(to, ".T");
        return;
    case TERM_INDEX:
        print(term->kids[0], LEVEL_POSTFIX, false, to);
        if (term->note) {
            text_format(to, "[%s]", term->note);
        } else {
            text_string(to, "[");
            print(term->kids[1], LEVEL_ANY, false, to);
            text_string(to, "]");
        }
        return;
    case TERM_SELECT:
        text_string(to, "if ");
        print(term->kids[0], LEVEL_OR, false, to);
        text_string(to, " then ");
        print(term->kids[1], LEVEL_OR, false, to);
        text_string(to, " else ");
        print(term->kids[2], LEVEL_ANY, false, to);
        return;
    default: {
        Level level = level_of(term);
        bool power = level == LEVEL_POWER;
        print(term->kids[0], (Level)(level + 1), power, to);
        text_format(to, power ? "%s" : " %s ", term->name);
        print(term->kids[1], (Level)(level + 1), power, to);
    }
    }
}

static void print_bare(const Term *term, bool tight, Text *to)
{
    switch (term->kind) {
    case TERM_NUMBER:
        put_fraction(to, term->number, tight);
        return;
    case TERM_NAME:
        text_string(to, term->name);
        return;
    case TERM_PRODUCT:
        if (term->number < 0) text_string(to, "-");
        print_product(term, fabs(term->number), tight, to);
        return;
    case TERM_SUM:
        print_sum(term, to);
        return;
    case TERM_CALL:
        print_call(term, to);
        return;
    default:
        print_kids(term, to);
        return;
    }
}

/* Parenthesised when it binds less tightly than its place asks. */
static void print(const Term *term, Level level, bool tight, Text *to)
{
    if (term->label) {
        text_format(to, "t%u", term->label);
        return;
    }
    bool brackets = level_of(term) < level;
    if (brackets) text_string(to, "(");
    print_bare(term, tight && !brackets, to);
    if (brackets) text_string(to, ")");
}

void term_print_text(const Term *term, Text *to)
{
    print(term, LEVEL_ANY, false, to);
}
