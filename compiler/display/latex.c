/* Terms as LaTeX mathematics. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "display/term.h"

typedef enum { LEVEL_ANY, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_ATOM } Level;

static void print(const Term *term, Level level, Text *to);

/* w12 -> w_{12}, x -> x, longer names upright, what LaTeX reserves escaped. */
static void print_name(const char *name, Text *to)
{
    static const char *const greek[] = {"alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "lambda",
                                        "mu",    "nu",   "rho",   "sigma", "tau",     "phi", "psi",   "omega"};
    for (size_t i = 0; i < sizeof greek / sizeof *greek; i++)
        if (!strcmp(name, greek[i])) {
            text_format(to, "\\%s", name);
            return;
        }
    size_t length = strlen(name), digits = length;
    while (digits > 1 && isdigit((unsigned char)name[digits - 1])) digits--;
    bool single = digits == 1;
    if (!single) text_string(to, "\\mathit{");
    for (size_t i = 0; i < digits; i++) {
        if (strchr("_#$%&{}", name[i])) text_string(to, "\\");
        text_put(to, name + i, 1);
    }
    if (!single) text_string(to, "}");
    if (digits < length) text_format(to, "_{%s}", name + digits);
}

static void print_number(double value, Text *to)
{
    Text digits = {0};
    double above, below;
    term_fraction(value, &above, &below);
    if (below != 1) {
        text_format(to, "%s\\frac{%.0f}{%.0f}", above < 0 ? "-" : "", fabs(above), below);
        return;
    }
    text_number(&digits, value);
    const char *text = text_get(&digits), *exponent = strchr(text, 'e');
    if (!strcmp(text, "inf") || !strcmp(text, "-inf"))
        text_string(to, text[0] == '-' ? "-\\infty" : "\\infty");
    else if (exponent)
        text_format(to, "%.*s \\cdot 10^{%s}", (int)(exponent - text), text, exponent + 1);
    else
        text_string(to, text);
    text_free(&digits);
}

static void print_power(const Term *base, double power, Text *to)
{
    if (power == 1) {
        print(base, LEVEL_PRODUCT, to);
    } else if (power == 0.5) {
        text_string(to, "\\sqrt{");
        print(base, LEVEL_ANY, to);
        text_string(to, "}");
    } else {
        print(base, LEVEL_ATOM, to);
        text_string(to, "^{");
        print_number(power, to);
        text_string(to, "}");
    }
}

static void print_factors(const Term *product, int sign, double factor, Text *to)
{
    bool any = factor != 1;
    if (any) print_number(factor, to);
    for (uint32_t i = 0; i < product->n_kids; i++) {
        if ((product->powers[i] < 0) != (sign < 0)) continue;
        if (any) text_string(to, " \\, ");
        print_power(product->kids[i], fabs(product->powers[i]), to);
        any = true;
    }
    if (!any) text_string(to, "1");
}

static void print_product(const Term *product, double factor, Text *to)
{
    bool fraction = false;
    for (uint32_t i = 0; i < product->n_kids; i++) fraction |= product->powers[i] < 0;
    if (!fraction) {
        print_factors(product, 1, factor, to);
        return;
    }
    text_string(to, "\\frac{");
    print_factors(product, 1, factor, to);
    text_string(to, "}{");
    print_factors(product, -1, 1, to);
    text_string(to, "}");
}

static void print_sum(const Term *sum, Text *to)
{
    bool any = sum->number > 0 || !sum->n_kids;
    if (any) print_number(sum->number, to);
    for (uint32_t i = 0; i < sum->n_kids; i++) {
        const Term *kid = sum->kids[i];
        bool product = kid->kind == TERM_PRODUCT && !kid->label;
        double factor = sum->powers[i] * (product ? kid->number : 1);
        text_string(to, factor < 0 ? any ? " - " : "-" : any ? " + " : "");
        any = true;
        if (product) {
            print_product(kid, fabs(factor), to);
        } else {
            if (fabs(factor) != 1) print_number(fabs(factor), to);
            print(kid, LEVEL_PRODUCT, to);
        }
    }
    if (sum->number < 0) print_number(sum->number, to);
}

static void print_call(const Term *term, Text *to)
{
    static const struct {
        const char *name, *before, *after;
    } special[] = {{"sigmoid", "\\sigma\\left(", "\\right)"},
                   {"exp", "e^{", "}"},
                   {"sqrt", "\\sqrt{", "}"},
                   {"abs", "\\left|", "\\right|"},
                   {"sum", "\\sum ", ""}};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (strcmp(term->name, special[i].name) || term->n_kids != 1) continue;
        text_string(to, special[i].before);
        print(term->kids[0], *special[i].after ? LEVEL_ANY : LEVEL_ATOM, to);
        text_string(to, special[i].after);
        return;
    }
    text_string(to, "\\operatorname{");
    for (const char *c = term->name; *c; c++) text_format(to, *c == '_' ? "\\_" : "%c", *c);
    text_string(to, "}\\left(");
    for (uint32_t i = 0; i < term->n_kids; i++) {
        if (i) text_string(to, ", ");
        print(term->kids[i], LEVEL_ANY, to);
    }
    if (term->note) text_format(to, "; \\text{%s}", term->note);
    text_string(to, "\\right)");
}

static void print_infix(const Term *term, Text *to)
{
    static const char *const signs[][2] = {{"==", "="},     {"!=", "\\neq"}, {"<=", "\\leq"},      {"and", "\\wedge"},
                                           {"or", "\\vee"}, {"%", "\\bmod"}, {"//", "\\backslash"}};
    const char *sign = term->name;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (!strcmp(sign, signs[i][0])) sign = signs[i][1];
    print(term->kids[0], LEVEL_ATOM, to);
    text_format(to, sign[0] == '^' ? "%s{" : " %s ", sign);
    print(term->kids[1], sign[0] == '^' ? LEVEL_ANY : LEVEL_ATOM, to);
    if (sign[0] == '^') text_string(to, "}");
}

static Level level_of(const Term *term)
{
    switch (term->kind) {
    case TERM_NUMBER:
        return term->number < 0 ? LEVEL_SUM : LEVEL_ATOM;
    case TERM_SUM:
        return LEVEL_SUM;
    case TERM_PRODUCT:
        return term->number < 0 ? LEVEL_SUM : LEVEL_PRODUCT;
    case TERM_MATMUL:
    case TERM_INFIX:
        return LEVEL_PRODUCT;
    case TERM_SELECT:
        return LEVEL_ANY;
    default:
        return LEVEL_ATOM;
    }
}

static void print_bare(const Term *term, Text *to)
{
    switch (term->kind) {
    case TERM_NUMBER:
        print_number(term->number, to);
        return;
    case TERM_NAME:
        print_name(term->name, to);
        return;
    case TERM_PRODUCT:
        if (term->number < 0) text_string(to, "-");
        print_product(term, fabs(term->number), to);
        return;
    case TERM_SUM:
        print_sum(term, to);
        return;
    case TERM_CALL:
        print_call(term, to);
        return;
    case TERM_INFIX:
        print_infix(term, to);
        return;
    case TERM_MATMUL:
        print(term->kids[0], LEVEL_PRODUCT, to);
        text_string(to, " \\, ");
        print(term->kids[1], LEVEL_PRODUCT, to);
        return;
    case TERM_T:
        print(term->kids[0], LEVEL_ATOM, to);
        text_string(to, "^{\\top}");
        return;
    case TERM_INDEX:
        print(term->kids[0], LEVEL_ATOM, to);
        text_string(to, "_{[");
        if (term->note)
            text_string(to, term->note);
        else
            print(term->kids[1], LEVEL_ANY, to);
        text_string(to, "]}");
        return;
    case TERM_SELECT:
        text_string(to, "\\begin{cases} ");
        print(term->kids[1], LEVEL_ANY, to);
        text_string(to, " & ");
        print(term->kids[0], LEVEL_ANY, to);
        text_string(to, " \\\\ ");
        print(term->kids[2], LEVEL_ANY, to);
        text_string(to, " & \\text{otherwise} \\end{cases}");
        return;
    }
}

static void print(const Term *term, Level level, Text *to)
{
    if (term->label) {
        text_format(to, "t_{%u}", term->label);
        return;
    }
    bool brackets = level_of(term) < level;
    if (brackets) text_string(to, "\\left(");
    print_bare(term, to);
    if (brackets) text_string(to, "\\right)");
}

void term_print_latex(const Term *term, Text *to)
{
    print(term, LEVEL_ANY, to);
}
