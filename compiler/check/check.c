/* The check of whole items, and of how they call each other. */
#include "check/check.h"

#include <stdlib.h>
#include <string.h>

#include "check/check_internal.h"

static void know_text(Walk *walk, const char *name)
{
    know(walk, intern(walk->context->names, name), false, NO_SPAN);
}

/* Calls keep the arguments of an item in arrays of this size. */
static void limit_formals(Walk *walk, const Syntax *formals)
{
    if (formals->n_kids <= MOST_ARGUMENTS) return;
    Diag *diag =
        mistake(walk, DIAG_too_many_parameters, formals->kids[MOST_ARGUMENTS]->span,
                "`%s` has %u parameters, but %d are the most", walk->item->name, formals->n_kids, MOST_ARGUMENTS);
    diag_hint(diag, "a list or a tensor can hold many numbers as one parameter");
}

static void walk_formals(Walk *walk, const Syntax *formals)
{
    limit_formals(walk, formals);
    for (uint32_t i = 0; i < formals->n_kids; i++) {
        const Syntax *formal = formals->kids[i];
        bool function = wants_function(formal);
        walk_type(walk, kid_type(formal), true);
        if (kid_default(formal) && function)
            walk_stage(walk, kid_default(formal));
        else
            walk_expression(walk, kid_default(formal));
        declare(walk, formal->name, function, formal->name_span);
    }
    for (uint32_t i = 0; i < formals->n_kids; i++)
        if (!wants_function(formals->kids[i])) walk_type_sizes(walk, kid_type(formals->kids[i]));
}

static bool returns(const Syntax *block)
{
    const Syntax *last = block->n_kids ? block->kids[block->n_kids - 1] : NULL;
    if (!last) return false;
    if (last->kind == SYNTAX_RETURN) return true;
    if (last->kind != SYNTAX_IF || !kid_else(last)) return false;
    bool other = kid_else(last)->kind == SYNTAX_BLOCK ? returns(kid_else(last)) : kid_else(kid_else(last)) != NULL;
    return returns(kid_then(last)) && other;
}

static void check_function(Walk *walk, const Syntax *syntax)
{
    walk_formals(walk, kid_formals(syntax));
    const Syntax *types = kid_types(syntax), *body = kid_body(syntax);
    for (uint32_t i = 0; types && i < types->n_kids; i++) walk_type_sizes(walk, types->kids[i]);
    if (syntax->flags & SYNTAX_EQUALS) {
        walk_expression(walk, body);
        return;
    }
    walk_block(walk, body);
    if (returns(body)) return;
    Diag *diag = mistake(walk, DIAG_missing_return, syntax->name_span, "`%s` does not end in a `return`", syntax->name);
    diag_hint(diag, "a function says what it gives back: `return y`");
}

static void check_derivative(Walk *walk, const Item *item)
{
    const Syntax *names = kid_names(item->derivative), *exprs = kid_exprs(item->derivative);
    const Syntax *formals = kid_formals(item->syntax);
    if (names->n_kids != formals->n_kids || exprs->n_kids != names->n_kids) {
        Diag *diag = mistake(walk, DIAG_derivative_arguments, item->derivative->span,
                             "`%s` has %u arguments; its derivative names %u and has %u expressions", item->name,
                             formals->n_kids, names->n_kids, exprs->n_kids);
        diag_hint(diag, "there is one expression for each argument, separated by commas");
        return;
    }
    forget(walk, 0);
    for (uint32_t i = 0; i < names->n_kids; i++) declare(walk, names->kids[i]->name, false, names->kids[i]->span);
    know_text(walk, "dy");
    know_text(walk, "out");
    for (uint32_t i = 0; i < exprs->n_kids; i++) walk_expression(walk, exprs->kids[i]);
}

static void check_optimizer(Walk *walk, const Syntax *syntax)
{
    static const char *const words[] = {"w", "g", "step", "steps", "progress"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) know_text(walk, words[i]);
    walk_formals(walk, kid_formals(syntax));
    walk_block(walk, kid_body(syntax));
    const Syntax *block = kid_body(syntax);
    bool head = true;
    for (uint32_t i = 0; i < block->n_kids; i++) {
        bool assertion = block->kids[i] && block->kids[i]->kind == SYNTAX_ASSERT;
        if (assertion && !head)
            diag_hint(mistake(walk, DIAG_misplaced_statement, block->kids[i]->span,
                              "an assertion stands first in an optimizer"),
                      "it is about the numbers that the optimizer is given");
        head &= assertion;
    }
}

static void check_train(Walk *walk, const Item *item)
{
    walk_block(walk, kid_body(item->syntax));
    if (items_find(walk->items, SPACE_MODEL, item->name, false)) return;
    if (unread_any(walk->items->unread)) return;
    Diag *diag = mistake(walk, DIAG_unknown_model, item->place, "there is no model called `%s`", item->name);
    const char *near = items_nearest(walk->items, SPACE_MODEL, item->name);
    if (near) diag_hint(diag, "did you mean `%s`?", near);
    for (const Item *model = items_first(walk->items); model && !near; model = model->next)
        if (model->space == SPACE_MODEL) diag_note(diag, model->place, "this model is called `%s`", model->name);
}

static void check_item(Walk *walk, const Item *item)
{
    if (item->syntax->flags & SYNTAX_BROKEN) return;
    walk->item = item;
    walk->body = (SyntaxKind)item->syntax->kind;
    forget(walk, 0);
    walk->block = walk->blamed.count = walk->left.count = 0;
    switch (item->syntax->kind) {
    case SYNTAX_CONST:
        walk_expression(walk, kid_value(item->syntax));
        break;
    case SYNTAX_FN:
    case SYNTAX_LAYER:
        check_function(walk, item->syntax);
        if (item->derivative && !(item->derivative->flags & SYNTAX_BROKEN)) check_derivative(walk, item);
        break;
    case SYNTAX_OPTIMIZER:
        check_optimizer(walk, item->syntax);
        break;
    case SYNTAX_MODEL:
        walk_block(walk, kid_body(item->syntax));
        break;
    case SYNTAX_DATA:
        /* A block of several splits is one item for each. */
        if (item->name != kid_name(kid_names(item->syntax))->name) break;
        walk_block(walk, kid_body(item->syntax));
        if (!unread_any(walk->items->unread)) warn_unused_data(walk, kid_body(item->syntax));
        break;
    case SYNTAX_TRAIN:
        check_train(walk, item);
        break;
    default:
        break;
    }
}

/* A walk along mentions that comes back to its start is recursion. It keeps its own stack: a chain of functions may be
 * as long as a file. */
typedef struct {
    const Item *item;
    size_t next, end; /* its mentions that are not followed yet */
    bool seen, open;
} Visit;

typedef struct {
    Walk *walk;
    Visit *visits; /* of the user's items, by address */
    size_t count;
    Vec(Visit *) open; /* from the one where the walk began */
} Search;

static int by_item(const void *a, const void *b)
{
    const Item *x = ((const Visit *)a)->item, *y = ((const Visit *)b)->item;
    return x < y ? -1 : x > y;
}

static Visit *visit_of(const Search *search, const Item *item)
{
    if (!search->count) return NULL;
    return bsearch(&(Visit){.item = item}, search->visits, search->count, sizeof(Visit), by_item);
}

static void list_visits(Search *search)
{
    const Walk *walk = search->walk;
    size_t count = 0;
    for (const Item *item = items_first(walk->items); item; item = item->next) count++;
    search->visits = ARENA_ARRAY(walk->context->arena, Visit, count + 1);
    for (const Item *item = items_first(walk->items); item; item = item->next)
        search->visits[search->count++].item = item;
    if (count) qsort(search->visits, count, sizeof(Visit), by_item);
    for (size_t i = 0, end; i < walk->mentions.count; i = end) {
        const Item *from = walk->mentions.at[i].from;
        for (end = i; end < walk->mentions.count && walk->mentions.at[end].from == from;) end++;
        Visit *visit = visit_of(search, from);
        visit->next = i;
        visit->end = end;
    }
}

static void open_visit(Search *search, Visit *visit)
{
    visit->seen = visit->open = true;
    vec_push(&search->open, visit);
}

static void follow(Search *search, const Visit *from, const Mention *mention)
{
    Visit *to = visit_of(search, mention->to);
    if (!to) return; /* the prelude's, which knows nothing of the user's */
    if (!to->seen)
        open_visit(search, to);
    else if (to->open) {
        Diag *diag = mistake(search->walk, DIAG_recursion, mention->at,
                             to == from ? "`%s` uses itself" : "`%s` is used by what it uses", mention->to->name);
        diag_note(diag, mention->to->place, "`%s` is defined here", mention->to->name);
        diag_hint(diag, "nothing may be recursive: `repeat` makes copies, `scan` walks along an axis");
    }
}

static void find_recursion(Walk *walk)
{
    Search search = {.walk = walk};
    list_visits(&search);
    for (const Item *item = items_first(walk->items); item; item = item->next) {
        Visit *start = visit_of(&search, item);
        if (!start->seen) open_visit(&search, start);
        while (search.open.count) {
            Visit *visit = vec_last(&search.open);
            if (visit->next < visit->end) {
                follow(&search, visit, &walk->mentions.at[visit->next++]);
            } else {
                visit->open = false;
                (void)vec_pop(&search.open);
            }
        }
    }
    vec_free(&search.open);
}

void check_items(const Items *items)
{
    Walk walk = {.items = items, .context = items->context};
    const Item *item = items_first(items);
    for (; item && walk.mistakes < MAX_MISTAKES; item = item->next) check_item(&walk, item);
    find_recursion(&walk);
    walk_free(&walk);
}

void check_one(const Items *items, const Item *item)
{
    Walk walk = {.items = items, .context = items->context};
    check_item(&walk, item);
    walk_free(&walk);
}

void check_prelude(const Items *items)
{
    Walk walk = {.items = items, .context = items->context};
    for (size_t i = 0; i < items->n_slots; i++)
        if (items->slots[i] && items->slots[i]->prelude) check_item(&walk, items->slots[i]);
    walk_free(&walk);
}
