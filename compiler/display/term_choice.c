/* Conditions and choices: what varies stands on the left of a comparison, a zero in the other branch. */
#include <string.h>

#include "display/term_internal.h"
#include "ir/build.h"

static bool is_number(const Term *term, double value)
{
    return term->kind == TERM_NUMBER && term->number == value;
}

static const char *const signs[] = {"<", "<=", ">", ">="};

static int sign_index(const char *sign)
{
    for (int i = 0; i < 4; i++)
        if (!strcmp(signs[i], sign)) return i;
    return -1;
}

/* a < b is b > a. */
static const char *mirrored(const char *sign)
{
    return signs[(sign_index(sign) + 2) % 4];
}

/* a < b is not a >= b. */
static const char *opposite(const char *sign)
{
    return signs[3 - sign_index(sign)];
}

/* x = *factor * rest + *offset, where that takes a single addend apart. */
static Term *take_linear(Arena *arena, Term *x, double *factor, double *offset)
{
    *factor = 1;
    *offset = 0;
    if (x->kind == TERM_SUM && x->n_kids == 1) {
        *offset = x->number;
        *factor = x->powers[0];
        x = x->kids[0];
    }
    if (x->kind == TERM_PRODUCT && x->number != 1) {
        *factor *= x->number;
        x = term_product(arena, x, 1, NULL, 0, 1 / x->number);
    }
    return x;
}

Term *term_comparison(TermBuilder *b, Node node, const char *sign)
{
    Term *term = term_infix(b, node, sign), **x = &term->kids[0], **y = &term->kids[1];
    Node varying = node_arg(b->graph, node, 0);
    if ((*x)->kind == TERM_NUMBER && (*y)->kind != TERM_NUMBER) {
        Term *number = *x;
        *x = *y;
        *y = number;
        term->name = mirrored(term->name);
        varying = node_arg(b->graph, node, 1);
    }
    if ((*y)->kind != TERM_NUMBER) return term;
    if (is_number(*y, 0) && b->rectified[varying.id] && strchr("<>", term->name[0])) {
        bool strict = !strcmp(term->name, ">") || !strcmp(term->name, "<=");
        if (strict) *x = term_name(b->arena, b->rectified[varying.id], RANK_NAME);
        return term;
    }
    double factor, offset;
    Term *plain = take_linear(b->arena, *x, &factor, &offset);
    if (plain == *x || factor == 0) return term;
    bool single = node_type(b->graph, varying)->dtype == DTYPE_F32;
    double bound = ((*y)->number - offset) / factor;
    *x = plain;
    *y = term_number(b->arena, single ? (double)(float)bound : bound);
    if (factor < 0) term->name = mirrored(term->name);
    return term;
}

static bool bounds(const Term *term, char first)
{
    return term->kind == TERM_INFIX && term->name[0] == first;
}

/* Of two bounds of one value the lower one comes first. */
Term *term_both(TermBuilder *b, Node node)
{
    Term *term = term_infix(b, node, "and"), *upper = term->kids[0], *lower = term->kids[1];
    if (!bounds(upper, '<') || !bounds(lower, '>') || term_compare(upper->kids[0], lower->kids[0])) return term;
    term->kids[0] = lower;
    term->kids[1] = upper;
    return term;
}

/* The other way round where that puts a zero last, or asks whether something is positive. */
static void turn_round(TermBuilder *b, Term *choice)
{
    Term *condition = choice->kids[0], *yes = choice->kids[1];
    if (condition->kind != TERM_INFIX || sign_index(condition->name) < 0) return;
    bool last = is_number(yes, 0), negative = bounds(condition, '<') && is_number(condition->kids[1], 0);
    if (!last && !negative) return;
    if (is_number(choice->kids[2], 0)) return;
    condition = ARENA_COPY(b->arena, Term, condition, 1);
    condition->name = opposite(condition->name);
    choice->kids[0] = condition;
    choice->kids[1] = choice->kids[2];
    choice->kids[2] = yes;
}

/* if x > 0 then x else 0 */
static bool is_rectifier(const Term *choice)
{
    const Term *condition = choice->kids[0];
    return condition->kind == TERM_INFIX && !strcmp(condition->name, ">") && is_number(condition->kids[1], 0) &&
           is_number(choice->kids[2], 0) && !term_compare(condition->kids[0], choice->kids[1]);
}

/* Both branches without the denominators that they share. */
Term *term_choice(TermBuilder *b, Node node)
{
    Term *term = term_call(b, node, "if", NULL), *outside;
    term->kind = TERM_SELECT;
    turn_round(b, term);
    if (is_rectifier(term)) {
        Term *relu = term_wrap(b, TERM_CALL, term->kids[1], NULL);
        relu->name = "relu";
        return relu;
    }
    term_take_common(b->arena, &term->kids[1], &term->kids[2], &outside);
    return outside ? term_product(b->arena, term_finish_product(b->arena, outside), 1, term, 1, 1) : term;
}

/* if x <= 0 then 0 else x, as the prelude writes it. */
void term_note_rectified(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    double zero, limit;
    if (info->op != OP_SELECT || !b->names[node.id] || node_same(node, b->root)) return;
    const NodeInfo *condition = graph_node(b->graph, info->args[0]);
    if (condition->op != OP_LE || !node_same(condition->args[0], info->args[2])) return;
    bool zeros = node_is_constant(b->graph, info->args[1], &zero) && zero == 0 &&
                 node_is_constant(b->graph, condition->args[1], &limit) && limit == 0;
    if (zeros) b->rectified[info->args[2].id] = b->names[node.id];
}
