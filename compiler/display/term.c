#include <stdlib.h>
#include <string.h>

#include "display/term_internal.h"
#include "support/vector.h"

int term_compare(const Term *a, const Term *b)
{
    if (a == b) return 0;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->number != b->number) return a->number < b->number ? -1 : 1;
    if (a->name != b->name) {
        int order = strcmp(a->name ? a->name : "", b->name ? b->name : "");
        if (order) return order;
    }
    int notes = strcmp(a->note ? a->note : "", b->note ? b->note : "");
    if (notes) return notes;
    if (a->n_kids != b->n_kids) return a->n_kids < b->n_kids ? -1 : 1;
    uint32_t sizes[2] = {term_size(a), term_size(b)};
    if (sizes[0] != sizes[1]) return sizes[0] < sizes[1] ? -1 : 1;
    for (uint32_t i = 0; i < a->n_kids; i++) {
        int order = term_compare(a->kids[i], b->kids[i]);
        if (order) return order;
        if (a->powers && a->powers[i] != b->powers[i]) return a->powers[i] < b->powers[i] ? -1 : 1;
    }
    return 0;
}

Term *term_make(Arena *arena, TermKind kind, int rank, uint32_t n_kids)
{
    Term *term = ARENA_NEW(arena, Term);
    term->kind = kind;
    term->rank = rank;
    term->n_kids = n_kids;
    term->kids = ARENA_ARRAY(arena, Term *, n_kids);
    if (kind == TERM_PRODUCT || kind == TERM_SUM) term->powers = ARENA_ARRAY(arena, double, n_kids);
    return term;
}

Term *term_number(Arena *arena, double value)
{
    Term *term = term_make(arena, TERM_NUMBER, RANK_NUMBER, 0);
    term->number = value;
    term->scalar = true;
    return term;
}

Term *term_name(Arena *arena, const char *text, int rank)
{
    Term *term = term_make(arena, TERM_NAME, rank, 0);
    term->name = text;
    return term;
}

/* Room for one more kid in a product or sum under construction. */
static void append(Arena *arena, Term *list, Term *kid, double power)
{
    if (list->n_kids >= list->room) {
        list->room = 2 * list->n_kids + 1;
        Term **kids = ARENA_ARRAY(arena, Term *, list->room);
        double *powers = ARENA_ARRAY(arena, double, list->room);
        if (list->n_kids) {
            memcpy(kids, list->kids, list->n_kids * sizeof *kids);
            memcpy(powers, list->powers, list->n_kids * sizeof *powers);
        }
        list->kids = kids;
        list->powers = powers;
    }
    list->kids[list->n_kids] = kid;
    list->powers[list->n_kids] = power;
    list->n_kids++;
}

/* Adds `power` to the entry of an equal kid, or appends it; an entry that becomes 0 goes. */
void term_gather(Arena *arena, Term *list, Term *kid, double power)
{
    for (uint32_t i = 0; i < list->n_kids; i++) {
        if (term_compare(list->kids[i], kid)) continue;
        list->powers[i] += power;
        if (list->powers[i] == 0) {
            memmove(list->kids + i, list->kids + i + 1, (list->n_kids - i - 1) * sizeof *list->kids);
            memmove(list->powers + i, list->powers + i + 1, (list->n_kids - i - 1) * sizeof *list->powers);
            list->n_kids--;
        }
        return;
    }
    append(arena, list, kid, power);
}

static double power_of(double base, double exponent)
{
    if (exponent == 1) return base;
    if (exponent == -1) return 1 / base;
    return exponent == 2 ? base * base : __builtin_pow(base, exponent);
}

/* product *= factor^exponent */
void term_multiply(Arena *arena, Term *product, Term *factor, double exponent)
{
    bool whole = exponent == __builtin_floor(exponent);
    if (factor->kind == TERM_NUMBER && (whole || factor->number >= 0)) {
        product->number *= power_of(factor->number, exponent);
    } else if (factor->kind == TERM_PRODUCT && whole) {
        product->number *= power_of(factor->number, exponent);
        for (uint32_t i = 0; i < factor->n_kids; i++)
            term_gather(arena, product, factor->kids[i], factor->powers[i] * exponent);
    } else {
        term_gather(arena, product, factor, exponent);
    }
}

static int by_rank(const Term *a, double pa, const Term *b, double pb)
{
    if ((pa < 0) != (pb < 0)) return pa < 0 ? 1 : -1;
    return term_compare(a, b);
}

/* Exchanges the kid with the one before it. */
static void swap_kids(Term *term, uint32_t j)
{
    Term *kid = term->kids[j];
    double power = term->powers[j];
    term->kids[j] = term->kids[j - 1];
    term->powers[j] = term->powers[j - 1];
    term->kids[j - 1] = kid;
    term->powers[j - 1] = power;
}

/* A product of names alone reads as one thing. */
static bool is_monomial(const Term *product)
{
    for (uint32_t i = 0; i < product->n_kids; i++)
        if (product->kids[i]->kind != TERM_NAME || product->powers[i] < 0) return false;
    return true;
}

/* Sorts the factors; a product of one plain factor is that factor, of none its number. */
Term *term_finish_product(Arena *arena, Term *product)
{
    term_recognise_means(arena, product);
    if (product->number == 0) return term_number(arena, 0);
    for (uint32_t i = 1; i < product->n_kids; i++)
        for (uint32_t j = i;
             j > 0 && by_rank(product->kids[j - 1], product->powers[j - 1], product->kids[j], product->powers[j]) > 0;
             j--)
            swap_kids(product, j);
    if (!product->n_kids) return term_number(arena, product->number);
    if (product->n_kids == 1 && product->powers[0] == 1 && product->number == 1) return product->kids[0];
    product->rank = is_monomial(product) ? RANK_POWER : RANK_CALL;
    product->scalar = true;
    for (uint32_t i = 0; i < product->n_kids; i++) product->scalar &= product->kids[i]->scalar;
    return product;
}

Term *term_begin_product(Arena *arena, double number)
{
    Term *product = term_make(arena, TERM_PRODUCT, RANK_CALL, 0);
    product->number = number;
    return product;
}

Term *term_product(Arena *arena, Term *x, double px, Term *y, double py, double factor)
{
    Term *product = term_begin_product(arena, factor);
    if (x) term_multiply(arena, product, x, px);
    if (y) term_multiply(arena, product, y, py);
    return term_finish_product(arena, product);
}

/* sum += factor * term */
void term_accumulate(Arena *arena, Term *sum, Term *term, double factor)
{
    if (term->kind == TERM_NUMBER) {
        sum->number += factor * term->number;
    } else if (term->kind == TERM_SUM) {
        sum->number += factor * term->number;
        for (uint32_t i = 0; i < term->n_kids; i++) term_gather(arena, sum, term->kids[i], factor * term->powers[i]);
    } else if (term->kind == TERM_PRODUCT && term->number != 1) {
        Term *plain = term_make(arena, TERM_PRODUCT, term->rank, 0);
        plain->number = 1;
        term_multiply(arena, plain, term, 1);
        plain->number = 1;
        term_gather(arena, sum, term_finish_product(arena, plain), factor * term->number);
    } else {
        term_gather(arena, sum, term, factor);
    }
}

/* Addends in reading order: products and matrix products, then names, then the rest as it came. */
static int addend_class(const Term *term)
{
    if (term->kind == TERM_NAME) return 1;
    return term->kind == TERM_MATMUL || (term->kind == TERM_PRODUCT && term->rank == RANK_POWER) ? 0 : 2;
}

static bool addends_in_order(const Term *a, const Term *b)
{
    int x = addend_class(a), y = addend_class(b);
    if (x != y || x == 2) return x <= y;
    return a->kind == TERM_MATMUL || b->kind == TERM_MATMUL || term_compare(a, b) <= 0;
}

bool term_number_first(const Term *sum)
{
    return sum->number > 0 && (sum->powers[0] < 0 || addend_class(sum->kids[0]) == 2);
}

Term *term_finish_sum(Arena *arena, Term *sum)
{
    for (uint32_t i = 1; i < sum->n_kids; i++)
        for (uint32_t j = i; j > 0 && !addends_in_order(sum->kids[j - 1], sum->kids[j]); j--) swap_kids(sum, j);
    uint32_t first = 0; /* what is positive stands in front: `y - x` */
    while (first < sum->n_kids && sum->powers[first] < 0) first++;
    for (uint32_t j = first; sum->number <= 0 && first < sum->n_kids && j > 0; j--) swap_kids(sum, j);
    if (!sum->n_kids) return term_number(arena, sum->number);
    if (sum->n_kids == 1 && sum->number == 0) {
        if (sum->powers[0] == 1) return sum->kids[0];
        Term *product = term_make(arena, TERM_PRODUCT, RANK_CALL, 0);
        product->number = sum->powers[0];
        term_multiply(arena, product, sum->kids[0], 1);
        return term_finish_product(arena, product);
    }
    sum->scalar = true;
    for (uint32_t i = 0; i < sum->n_kids; i++) sum->scalar &= sum->kids[i]->scalar;
    return sum;
}

Term *term_begin_sum(Arena *arena)
{
    return term_make(arena, TERM_SUM, RANK_SUM, 0);
}

Term *term_sum(Arena *arena, Term *x, Term *y, double factor)
{
    Term *sum = term_begin_sum(arena);
    term_accumulate(arena, sum, x, 1);
    term_accumulate(arena, sum, y, factor);
    return term_factor_sum(arena, sum);
}
