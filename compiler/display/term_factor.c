/* Taking out of sums and products what can stand outside, and putting things together the other way. */
#include <math.h>

#include "display/term_internal.h"

enum { MOST_ADDENDS = 8 };

/* Kids are finished, so their sizes stay: what is shared is counted once for each use, but walked once. */
uint32_t term_size(const Term *term)
{
    uint64_t size = 1;
    if (term->kind == TERM_NAME) return 1;
    for (uint32_t i = 0; i < term->n_kids; i++) {
        Term *kid = term->kids[i];
        if (!kid->size) kid->size = term_size(kid);
        size += kid->size;
    }
    return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

/* The exponent of a factor in a term seen as a product; 0 when it is none. */
static double exponent_of(const Term *term, const Term *factor)
{
    if (!term_compare(term, factor)) return 1;
    if (term->kind != TERM_PRODUCT) return 0;
    for (uint32_t i = 0; i < term->n_kids; i++)
        if (!term_compare(term->kids[i], factor)) return term->powers[i];
    return 0;
}

/* The exponent that all addends have in common, of one sign; 0 when there is none. */
static double common_exponent(const Term *sum, const Term *factor)
{
    double common = 0;
    for (uint32_t i = 0; i < sum->n_kids; i++) {
        double exponent = exponent_of(sum->kids[i], factor);
        if (exponent == 0 || (i && (exponent < 0) != (common < 0))) return 0;
        if (!i || fabs(exponent) < fabs(common)) common = exponent;
    }
    return common;
}

/* Denominators, calls, sums and products of matrices are taken out of a sum; names alone are not, since `w*x + v*x` is
 * what the user wrote, unless one addend is nothing else: `x - 2*x*y` is x * (1 - 2*y). */
static bool is_worth_taking(const Term *sum, const Term *factor, double exponent)
{
    if (exponent < 0 || factor->kind == TERM_MATMUL || (factor->rank >= RANK_CALL && factor->kind != TERM_NAME))
        return true;
    for (uint32_t i = 0; i < sum->n_kids; i++)
        if (!term_compare(sum->kids[i], factor)) return true;
    return false;
}

static void add_factor(Arena *arena, Term **outside, Term *factor, double exponent)
{
    if (!*outside) *outside = term_begin_product(arena, 1);
    term_gather(arena, *outside, factor, exponent);
}

/* What all addends share, or NULL. */
static Term *common_factors(Arena *arena, const Term *sum)
{
    Term *outside = NULL, *first = sum->kids[0];
    if (sum->number != 0 || sum->n_kids < 2) return NULL;
    uint32_t count = first->kind == TERM_PRODUCT ? first->n_kids : 1;
    bool worth = false;
    for (uint32_t i = 0; i < count; i++) {
        Term *factor = first->kind == TERM_PRODUCT ? first->kids[i] : first;
        double exponent = common_exponent(sum, factor);
        if (exponent == 0) continue;
        worth |= is_worth_taking(sum, factor, exponent);
        add_factor(arena, &outside, factor, exponent);
    }
    return worth ? outside : NULL;
}

/* x / outside */
static Term *divide(Arena *arena, Term *x, const Term *outside)
{
    Term *product = term_begin_product(arena, 1);
    term_multiply(arena, product, x, 1);
    for (uint32_t i = 0; i < outside->n_kids; i++) term_gather(arena, product, outside->kids[i], -outside->powers[i]);
    return term_finish_product(arena, product);
}

/* sum += factor * term, where the term's sums are multiplied out. */
static void distribute(Arena *arena, Term *to, Term *term, double factor)
{
    Term *inner = NULL;
    uint32_t at = 0;
    for (uint32_t i = 0; term->kind == TERM_PRODUCT && i < term->n_kids && !inner; i++)
        if (term->kids[i]->kind == TERM_SUM && term->powers[i] == 1) {
            inner = term->kids[i];
            at = i;
        }
    if (!inner || to->n_kids > MOST_ADDENDS) {
        term_accumulate(arena, to, term, factor);
        return;
    }
    Term *rest = term_begin_product(arena, term->number);
    for (uint32_t i = 0; i < term->n_kids; i++)
        if (i != at) term_gather(arena, rest, term->kids[i], term->powers[i]);
    rest = term_finish_product(arena, rest);
    for (uint32_t i = 0; i < inner->n_kids; i++)
        distribute(arena, to, term_product(arena, rest, 1, inner->kids[i], 1, 1), factor * inner->powers[i]);
    if (inner->number != 0) distribute(arena, to, rest, factor * inner->number);
}

/* Multiplied out, where that leaves fewer addends: `p*(1 - t) - t*(1 - p)` is `p - t`. */
static Term *expand_shorter(Arena *arena, Term *sum)
{
    if (sum->kind != TERM_SUM || sum->n_kids > MOST_ADDENDS) return sum;
    Term *expanded = term_begin_sum(arena);
    expanded->number = sum->number;
    for (uint32_t i = 0; i < sum->n_kids; i++) distribute(arena, expanded, sum->kids[i], sum->powers[i]);
    expanded = term_finish_sum(arena, expanded);
    return term_size(expanded) < term_size(sum) ? expanded : sum;
}

/* 2*x - 2*y without the 2, which is returned; 1 when the addends' coefficients differ. */
static double take_coefficient(Term *sum)
{
    double common = sum->n_kids > 1 && sum->number == 0 ? fabs(sum->powers[0]) : 1;
    for (uint32_t i = 1; i < sum->n_kids; i++)
        if (fabs(sum->powers[i]) != common) return 1;
    for (uint32_t i = 0; i < sum->n_kids && common != 1; i++) sum->powers[i] /= common;
    return common;
}

static Term *factor_sum(Arena *arena, Term *sum);

Term *term_factor_sum(Arena *arena, Term *sum)
{
    double common = take_coefficient(sum);
    sum = factor_sum(arena, sum);
    return common == 1 ? sum : term_product(arena, sum, 1, NULL, 0, common);
}

static Term *factor_sum(Arena *arena, Term *sum)
{
    Term *outside = sum->n_kids ? common_factors(arena, sum) : NULL;
    if (!outside) return expand_shorter(arena, term_finish_sum(arena, sum));
    Term *rest = term_begin_sum(arena);
    for (uint32_t i = 0; i < sum->n_kids; i++)
        term_accumulate(arena, rest, divide(arena, sum->kids[i], outside), sum->powers[i]);
    rest = expand_shorter(arena, term_finish_sum(arena, rest));
    term_multiply(arena, outside, rest, 1);
    return term_finish_product(arena, outside);
}

Term *term_take_scalars(Arena *arena, Term *x, Term **scalar)
{
    *scalar = NULL;
    if (x->scalar) {
        *scalar = x;
        return NULL;
    }
    if (x->kind == TERM_SUM && x->n_kids == 1 && x->number == 0) x = term_finish_sum(arena, x);
    if (x->kind != TERM_PRODUCT) return x;
    Term *outside = term_begin_product(arena, x->number), *rest = term_begin_product(arena, 1);
    for (uint32_t i = 0; i < x->n_kids; i++)
        term_gather(arena, x->kids[i]->scalar ? outside : rest, x->kids[i], x->powers[i]);
    *scalar = term_finish_product(arena, outside);
    return term_finish_product(arena, rest);
}

static bool is_zero(const Term *term)
{
    return term->kind == TERM_NUMBER && term->number == 0;
}

void term_take_common(Arena *arena, Term **x, Term **y, Term **outside)
{
    *outside = NULL;
    const Term *from = is_zero(*x) ? *y : *x;
    if (from->kind != TERM_PRODUCT) return;
    for (uint32_t i = 0; i < from->n_kids; i++) {
        if (from->powers[i] >= 0 || !from->kids[i]->scalar) continue;
        double a = is_zero(*x) ? from->powers[i] : exponent_of(*x, from->kids[i]);
        double b = is_zero(*y) ? from->powers[i] : exponent_of(*y, from->kids[i]);
        if (a < 0 && b < 0) add_factor(arena, outside, from->kids[i], a > b ? a : b);
    }
    if (!*outside) return;
    if (!is_zero(*x)) *x = divide(arena, *x, *outside);
    if (!is_zero(*y)) *y = divide(arena, *y, *outside);
}

/* Removes a division by the count from the product; false if there is none. */
static bool undo_division(Arena *arena, Term *product, const Term *count)
{
    double number = count->kind == TERM_NAME ? 1 : count->number;
    uint32_t n = count->kind == TERM_PRODUCT ? count->n_kids : count->kind == TERM_NAME;
    for (uint32_t i = 0; i < n; i++) {
        const Term *factor = count->kind == TERM_PRODUCT ? count->kids[i] : count;
        double power = count->kind == TERM_PRODUCT ? count->powers[i] : 1;
        if (exponent_of(product, factor) > -power) return false;
    }
    double whole = product->number * number;
    bool rounder = fabs(whole - nearbyint(whole)) < 1e-9 && product->number != nearbyint(product->number);
    if (!n && !rounder) return false;
    product->number = rounder ? nearbyint(whole) : whole;
    for (uint32_t i = 0; i < n; i++) {
        Term *factor = (Term *)(count->kind == TERM_PRODUCT ? count->kids[i] : count);
        term_gather(arena, product, factor, count->kind == TERM_PRODUCT ? count->powers[i] : 1);
    }
    return true;
}

void term_recognise_means(Arena *arena, Term *product)
{
    for (uint32_t i = 0; i < product->n_kids; i++) {
        Term *kid = product->kids[i];
        if (kid->kind != TERM_CALL || !kid->count || product->powers[i] != 1) continue;
        if (!undo_division(arena, product, kid->count)) continue;
        Term *mean = ARENA_COPY(arena, Term, kid, 1);
        mean->name = "mean";
        mean->count = NULL;
        for (uint32_t k = 0; k < product->n_kids; k++)
            if (product->kids[k] == kid) product->kids[k] = mean;
    }
}
