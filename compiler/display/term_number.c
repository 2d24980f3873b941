/* Numbers as a person would write them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display/term_internal.h"

/* The shortest decimal that is the same number in single precision. */
static double shorter(double value)
{
    char digits[32];
    for (int count = 1; count <= 9; count++) {
        snprintf(digits, sizeof digits, "%.*g", count, value);
        if ((float)strtod(digits, NULL) == (float)value) return strtod(digits, NULL);
    }
    return value;
}

void term_fraction(double value, double *above, double *below)
{
    enum { MOST_DIVISOR = 12, SHORT = 6 };
    char digits[32];
    snprintf(digits, sizeof digits, "%.9g", fabs(value));
    *above = value;
    *below = 1;
    if (strlen(digits) <= SHORT || !isfinite(value)) return;
    for (int divisor = 3; divisor <= MOST_DIVISOR; divisor++) {
        double whole = nearbyint(value * divisor);
        if (whole == 0 || fabs(whole) > MOST_DIVISOR || (float)(whole / divisor) != (float)value) continue;
        *above = whole;
        *below = divisor;
        return;
    }
}

static bool same_number(double a, double b, bool single)
{
    return single ? (float)a == (float)b : fabs(a - b) <= 4e-16 * fabs(b);
}

/* number = above / below * 2^two * pi^pi with small whole numbers, where it is irrational: 0.3989… is (2 pi)^-1/2. */
static bool find_roots(double number, bool single, double *rational, double *two, double *pi)
{
    static const double powers[][2] = {{-0.5, 0},  {0, -0.5},   {-0.5, -0.5}, {0.5, 0}, {0, 0.5},
                                       {0.5, 0.5}, {0.5, -0.5}, {-0.5, 0.5},  {0, -1},  {0, 1}};
    enum { MOST_SUM = 9, SHORT = 6 };
    char digits[32];
    snprintf(digits, sizeof digits, "%.9g", fabs(number));
    if (!isfinite(number) || strlen(digits) <= SHORT) return false;
    for (int sum = 2; sum <= MOST_SUM; sum++)
        for (int above = 1; above < sum; above++)
            for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
                double factor = (double)above / (sum - above);
                double value = factor * pow(2, powers[i][0]) * pow(3.141592653589793, powers[i][1]);
                if (!same_number(value, fabs(number), single)) continue;
                *rational = number < 0 ? -factor : factor;
                *two = powers[i][0];
                *pi = powers[i][1];
                return true;
            }
    return false;
}

/* sqrt(2), pi, sqrt(2 * pi), sqrt(2 / pi) and their inverses as a factor of a product under construction. */
static void multiply_roots(Arena *arena, Term *product, double two, double pi)
{
    Term *pi_name = term_name(arena, "pi", RANK_PARAM), *base;
    pi_name->scalar = true;
    double power = pi < 0 && two <= 0 ? -fabs(pi) : two < 0 && pi <= 0 ? two : fabs(two != 0 ? two : pi);
    if (two == 0)
        base = pi_name;
    else if (pi == 0)
        base = term_number(arena, 2);
    else
        base = two * pi > 0 ? term_product(arena, pi_name, 1, NULL, 0, 2)
               : two > 0    ? term_product(arena, pi_name, -1, NULL, 0, 2)
                            : term_product(arena, pi_name, 1, NULL, 0, 0.5);
    base->shortened = true;
    term_gather(arena, product, base, power);
    for (uint32_t i = product->n_kids - 1; power > 0 && i > 0; i--) { /* numbers stand in front */
        product->kids[i] = product->kids[i - 1];
        product->powers[i] = product->powers[i - 1];
        product->kids[i - 1] = base;
        product->powers[i - 1] = power;
    }
}

/* The irrational part of a product's number becomes a factor. */
static void take_roots(Arena *arena, Term *product, bool single)
{
    double two, pi;
    if (find_roots(product->number, single, &product->number, &two, &pi)) multiply_roots(arena, product, two, pi);
}

/* The addend with the irrational part of its coefficient. */
static Term *root_addend(Arena *arena, Term *addend, double *coefficient, bool single)
{
    double two, pi;
    if (!find_roots(*coefficient, single, coefficient, &two, &pi)) return addend;
    Term *product = term_begin_product(arena, 1);
    term_multiply(arena, product, addend, 1);
    multiply_roots(arena, product, two, pi);
    product->scalar = addend->scalar;
    return product;
}

void term_shorten(Arena *arena, Term *term, bool single)
{
    if (term->shortened) return;
    term->shortened = true;
    for (uint32_t i = 0; i < term->n_kids; i++) {
        term_shorten(arena, term->kids[i], single);
        if (term->kind == TERM_SUM) term->kids[i] = root_addend(arena, term->kids[i], &term->powers[i], single);
        if (term->powers && single) term->powers[i] = shorter(term->powers[i]);
    }
    if (term->kind == TERM_PRODUCT) take_roots(arena, term, single);
    if (single && isfinite(term->number)) term->number = shorter(term->number);
}
