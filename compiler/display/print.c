/* Terms as text in a notation. */
#include <math.h>
#include <string.h>

#include "display/notation.h"

typedef struct {
    const Notation *notation;
    Text *to;
    bool stacked;  /* fractions here are */
    bool matrices; /* the formula multiplies some, so that products of elements are told from those */
} Printer;

static void print(const Printer *p, const Term *term, Level level, bool tight);

static void put(const Printer *p, const char *text)
{
    text_string(p->to, text);
}

/* ---- Forms */

static const char *sign_of(const Term *term)
{
    switch (term->kind) {
    case TERM_SELECT:
        return "if";
    case TERM_MATMUL:
        return "@";
    case TERM_T:
        return "T";
    case TERM_INDEX:
        return term->n_kids == 1 && !strchr(term->note, ':') ? "element" : "[]";
    default:
        return term->name;
    }
}

/* NULL for names, numbers, sums, products, and calls without a form of their own. */
static const Form *form_of(const Notation *notation, const Term *term)
{
    if (term->kind <= TERM_SUM) return NULL;
    const char *sign = sign_of(term);
    for (const Form *form = notation->forms; form->sign; form++)
        if (form->arity == term->n_kids && !strcmp(form->sign, sign)) return form;
    return NULL;
}

static bool is_root(const Term *product)
{
    return product->number == 1 && product->n_kids == 1 && product->powers[0] == 0.5;
}

static Level level_of(const Notation *notation, const Term *term)
{
    const Form *form = form_of(notation, term);
    double above, below;
    if (term->label) return LEVEL_POSTFIX;
    if (form) return form->level == LEVEL_OPERAND ? level_of(notation, term->kids[0]) : form->level;
    switch (term->kind) {
    case TERM_NUMBER:
        term_fraction(term->number, &above, &below);
        return below != 1 ? LEVEL_PRODUCT : term->number < 0 ? LEVEL_UNARY : LEVEL_POSTFIX;
    case TERM_PRODUCT:
        if (is_root(term)) return LEVEL_POSTFIX;
        return term->number == 1 && term->n_kids == 1 && term->powers[0] > 0 ? LEVEL_POWER : LEVEL_PRODUCT;
    case TERM_SUM:
        return LEVEL_SUM;
    default:
        return LEVEL_POSTFIX;
    }
}

static void print_all(const Printer *p, const Term *term)
{
    for (uint32_t i = 0; i < term->n_kids; i++) {
        if (i) put(p, ", ");
        print(p, term->kids[i], LEVEL_ANY, false);
    }
}

static void print_code(const Printer *p, const Form *form, const Term *term, char code)
{
    switch (code) {
    case '*':
        print_all(p, term);
        return;
    case 'f':
        p->notation->put_function(term->name, p->to);
        return;
    case 'n':
        if (term->note) p->notation->put_note(term->note, p->to);
        return;
    case '_':
        if (!term->note) return;
        put(p, p->notation->lower[0]);
        p->notation->put_note(term->note, p->to);
        put(p, p->notation->lower[1]);
        return;
    case ',':
        if (term->n_kids && term->note) put(p, ", ");
        return;
    default:
        print(p, term->kids[code - '0'], form->kids[code - '0'], form->level == LEVEL_POWER);
    }
}

/* The same printer in an exponent. */
static Printer on_one_line(const Printer *p)
{
    return (Printer){p->notation, p->to, false, p->matrices};
}

static bool is_tall(const Notation *notation, const char *text)
{
    for (const char *const *word = notation->tall; *word; word++)
        if (strstr(text, *word)) return true;
    return false;
}

/* Brackets about what was printed apart, which is freed. */
static void put_in_brackets(const Printer *p, Text *inside)
{
    bool tall = is_tall(p->notation, text_get(inside));
    put(p, tall ? p->notation->tall_open : p->notation->open);
    put(p, text_get(inside));
    put(p, tall ? p->notation->tall_close : p->notation->close);
    text_free(inside);
}

static void print_form(const Printer *p, const Form *form, const Term *term)
{
    Text inside = {0};
    const Printer apart = {p->notation, &inside, p->stacked, p->matrices}, flat = on_one_line(p), *at_work = p;
    for (const char *at = form->form; *at; at++) {
        bool code = at[0] == '@' && at[1] != ' '; /* the sign of the product of matrices stands between blanks */
        if (!code) {
            text_put(at_work->to, at, 1);
        } else if (*++at == '(') {
            at_work = &apart;
        } else if (*at == ')') {
            at_work = p;
            put_in_brackets(p, &inside);
        } else {
            bool raised = at - form->form > 2 && at[-2] == '{' && at[-3] == '^';
            print_code(raised ? &flat : at_work, form, term, *at);
        }
    }
}

/* ---- Numbers and products */

/* above / below, both whole or below 1: of a third in any notation, of a half where it stands over a denominator. */
static void split_number(const Printer *p, double value, bool divided, double *above, double *below)
{
    enum { MOST = 16 };
    term_fraction(value, above, below);
    if (*below != 1 || value == nearbyint(value) || !(divided || p->notation->stacked)) return;
    for (int power = 2; power <= MOST; power *= 2) {
        if (value * power != nearbyint(value * power) || fabs(value * power) > MOST) continue;
        *above = value * power;
        *below = power;
        return;
    }
}

/* What stands around and between numerator and denominator. */
static const char *const *division(const Printer *p, bool tight)
{
    bool line = p->notation->stacked ? !p->stacked : tight;
    return line ? p->notation->tight_divide : p->notation->divide;
}

static void print_number(const Printer *p, double value, bool tight)
{
    const char *const *divide = division(p, tight);
    double above, below;
    split_number(p, fabs(value), false, &above, &below);
    if (value < 0) put(p, "-");
    if (below != 1) put(p, divide[0]);
    p->notation->put_number(above, p->to);
    if (below == 1) return;
    put(p, divide[1]);
    p->notation->put_number(below, p->to);
    put(p, divide[2]);
}

static void print_power(const Printer *p, const Term *base, double power, Level level)
{
    if (power == 1) {
        print(p, base, level, true);
    } else if (power == 0.5) {
        const Term root = {.kind = TERM_CALL, .n_kids = 1, .kids = (Term *[]){(Term *)base}};
        print_form(p, &p->notation->root, &root);
    } else {
        print(p, base, LEVEL_POSTFIX, true);
        put(p, p->notation->raise[0]);
        const Printer flat = on_one_line(p);
        print_number(&flat, power, true);
        put(p, p->notation->raise[1]);
    }
}

/* number * kids[i]^powers[i] / divisor: a product, or an addend of a sum. */
typedef struct {
    double number, divisor;
    uint32_t n;
    Term *const *kids;
    const double *powers;
    bool tight;
} Factors;

static bool atomic(const Term *term)
{
    return term->label || term->kind == TERM_NAME || (term->kind == TERM_NUMBER && term->number >= 0);
}

/* Names, numbers and their whole powers. */
static bool is_short(const Factors *product)
{
    for (uint32_t i = 0; i < product->n; i++)
        if (!atomic(product->kids[i]) || product->powers[i] < 0) return false;
    return true;
}

/* What is set tight inside a sum: the same, or a number and one factor. */
static bool is_simple(const Factors *product)
{
    return (product->n == 1 && product->powers[0] == 1) || is_short(product);
}

typedef enum { SCALARS = 1, OTHERS = 2, ALL = 3 } Chosen;

static bool is_chosen(const Factors *product, uint32_t i, int sign, Chosen which)
{
    if ((product->powers[i] < 0) != (sign < 0)) return false;
    return which & (product->kids[i]->scalar ? SCALARS : OTHERS);
}

static uint32_t count_factors(const Factors *product, int sign, Chosen which)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < product->n; i++) count += is_chosen(product, i, sign, which);
    return count;
}

/* Where the factors of a product are printed. */
typedef struct {
    int sign; /* only those whose power has it */
    Chosen which;
    double number; /* in front, unless it is 1 and something follows */
    bool tight, boxed;
} Part;

static void print_factors(const Printer *p, const Factors *product, Part part)
{
    const Term *last = NULL;
    uint32_t count = count_factors(product, part.sign, part.which);
    bool any = part.number != 1 || !count;
    Level level = part.boxed && !any && count == 1 ? LEVEL_ANY : LEVEL_UNARY;
    if (any) p->notation->put_number(part.number, p->to);
    for (uint32_t i = 0; i < product->n; i++) {
        const Term *kid = product->kids[i];
        if (!is_chosen(product, i, part.sign, part.which)) continue;
        bool entrywise = p->matrices && last && !last->scalar && !kid->scalar;
        if (any)
            put(p, part.tight ? p->notation->tight_times : entrywise ? p->notation->entrywise : p->notation->times);
        if (kid->kind == TERM_MATMUL && product->powers[i] == 1 && !last)
            print(p, kid, LEVEL_PRODUCT, false); /* `2 * x @ y` is 2 * (x @ y) */
        else
            print_power(p, kid, fabs(product->powers[i]), level);
        any = true;
        last = kid;
    }
}

static void print_fraction(const Printer *p, const Factors *product, Chosen above)
{
    const char *const *divide = division(p, product->tight);
    uint32_t below = count_factors(product, -1, ALL) + (product->divisor != 1);
    bool boxed = below && p->stacked, brackets = below > 1 && !boxed;
    if (below) put(p, divide[0]);
    print_factors(p, product, (Part){1, above, product->number, product->tight, boxed});
    if (!below) return;
    put(p, divide[1]);
    if (brackets) put(p, p->notation->open);
    print_factors(p, product, (Part){-1, ALL, product->divisor, below > 1 || product->tight, boxed});
    if (brackets) put(p, p->notation->close);
    put(p, divide[2]);
}

/* `product->number` is positive. Where fractions are stacked, a fraction of scalars stands in front of what has axes,
 * and one of numbers in front of what is no power of a name. */
static void print_product(const Printer *p, Factors *product)
{
    uint32_t below = count_factors(product, -1, ALL);
    split_number(p, product->number, below > 0, &product->number, &product->divisor);
    product->tight &= is_simple(product);
    bool divided = below || product->divisor != 1, behind = count_factors(product, 1, OTHERS) > 0;
    Factors front = *product;
    Chosen rest = ALL;
    if (p->stacked && divided && behind && !count_factors(product, -1, OTHERS)) {
        rest = OTHERS;
    } else if (p->stacked && !below && divided && product->n && !is_short(product)) {
        front.n = 0;
    } else {
        print_fraction(p, product, ALL);
        return;
    }
    print_fraction(p, &front, SCALARS);
    put(p, p->notation->times);
    print_factors(p, product, (Part){1, rest, 1, false, false});
}

static Factors factors_of(const Term *product, double number, bool tight)
{
    return (Factors){number, 1, product->n_kids, product->kids, product->powers, tight};
}

/* ---- Sums */

static void print_addend(const Printer *p, Term *kid, double factor)
{
    static const double one = 1;
    if (kid->kind == TERM_PRODUCT && !kid->label) {
        Factors product = factors_of(kid, factor * kid->number, true);
        print_product(p, &product);
    } else if (factor == 1) {
        print(p, kid, LEVEL_PRODUCT, true);
    } else {
        Factors product = {factor, 1, 1, &kid, &one, true};
        print_product(p, &product);
    }
}

static bool is_negative(const Term *sum, uint32_t i)
{
    double factor = sum->powers[i] * (sum->kids[i]->kind == TERM_PRODUCT ? sum->kids[i]->number : 1);
    return factor < 0;
}

static double size_of(const Term *sum, uint32_t i)
{
    return is_negative(sum, i) ? -sum->powers[i] : sum->powers[i];
}

/* Begins with something positive if there is anything: `1 - L`, `b - a`. A positive number is first, others last. */
static void print_sum(const Printer *p, const Term *sum)
{
    bool number_first = term_number_first(sum);
    uint32_t first = 0;
    if (!number_first)
        while (first + 1 < sum->n_kids && is_negative(sum, first)) first++;
    if (!number_first && is_negative(sum, first)) first = 0;
    if (number_first) {
        print_number(p, sum->number, true);
    } else {
        if (is_negative(sum, first)) put(p, "-");
        print_addend(p, sum->kids[first], size_of(sum, first));
    }
    for (uint32_t i = 0; i < sum->n_kids; i++) {
        if (!number_first && i == first) continue;
        put(p, is_negative(sum, i) ? " - " : " + ");
        print_addend(p, sum->kids[i], size_of(sum, i));
    }
    if (number_first || sum->number == 0) return;
    put(p, sum->number < 0 ? " - " : " + ");
    print_number(p, fabs(sum->number), true);
}

/* ---- All of them */

static void print_bare(const Printer *p, const Term *term, bool tight)
{
    const Form *form = form_of(p->notation, term);
    if (form) {
        print_form(p, form, term);
        return;
    }
    switch (term->kind) {
    case TERM_NUMBER:
        print_number(p, term->number, tight);
        return;
    case TERM_NAME:
        p->notation->put_name(term->name, p->to);
        return;
    case TERM_PRODUCT: {
        Factors product = factors_of(term, fabs(term->number), tight);
        if (term->number < 0) put(p, "-");
        print_product(p, &product);
        return;
    }
    case TERM_SUM:
        print_sum(p, term);
        return;
    default:
        print_form(p, &p->notation->call, term);
        return;
    }
}

/* Bracketed when it binds less tightly than its place asks. */
static void print(const Printer *p, const Term *term, Level level, bool tight)
{
    if (term->label) {
        text_format(p->to, "%s%u%s", p->notation->label[0], term->label, p->notation->label[1]);
        return;
    }
    if (level_of(p->notation, term) >= level) {
        print_bare(p, term, tight);
        return;
    }
    Text inside = {0};
    print_bare(&(Printer){p->notation, &inside, p->stacked, p->matrices}, term, false);
    put_in_brackets(p, &inside);
}

void term_print(const Term *term, const Notation *notation, bool matrices, Text *to)
{
    Printer p = {notation, to, notation->stacked, matrices};
    print(&p, term, LEVEL_ANY, false);
}
