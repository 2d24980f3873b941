/* Names in sight, and what functions they stand for. */
#include <string.h>

#include "check/check_internal.h"
#include "check/foreign.h"
#include "support/memory.h"

Diag *mistake(Walk *walk, DiagId id, Span at, const char *format, ...)
{
    Diagnostics *to = walk->context->diagnostics;
    if (walk->mistakes == MAX_MISTAKES) return diag_unshown(to);
    Text text = {0};
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    size_t before = diagnostics_errors(to);
    Diag *diag = diag_new(to, id, at, "%s", text_get(&text));
    text_free(&text);
    if (diagnostics_errors(to) > before && ++walk->mistakes == MAX_MISTAKES)
        diag_hint(diag, "the check ends here, after %d mistakes: there may be more", MAX_MISTAKES);
    return diag;
}

/* The list that a name is in; there is one. */
static size_t *list_of(const Walk *walk, Name name)
{
    return &walk->lists[(size_t)hash_bytes(HASH_START, &name, sizeof name) & (walk->n_lists - 1)];
}

static void enter(Walk *walk, size_t index)
{
    Known *known = &walk->known.at[index];
    size_t *list = list_of(walk, known->name);
    known->before = *list;
    *list = index + 1;
}

static void push(Walk *walk, Known known)
{
    vec_push(&walk->known, known);
    if (walk->known.count <= walk->n_lists) {
        enter(walk, walk->known.count - 1);
        return;
    }
    walk->n_lists = walk->n_lists ? 2 * walk->n_lists : 64;
    memory_free(walk->lists);
    walk->lists = memory_calloc(walk->n_lists, sizeof *walk->lists);
    for (size_t i = 0; i < walk->known.count; i++) enter(walk, i);
}

/* The innermost entry of a name, counted from 1, among those before `before`; 0: there is none. */
static size_t known_before(const Walk *walk, size_t before, Name name, bool function)
{
    size_t at = before;
    while (at && (walk->known.at[at - 1].name != name || walk->known.at[at - 1].function != function))
        at = walk->known.at[at - 1].before;
    return at;
}

static size_t known_last(const Walk *walk, Name name, bool function)
{
    return walk->n_lists ? known_before(walk, *list_of(walk, name), name, function) : 0;
}

void forget(Walk *walk, size_t count)
{
    while (walk->known.count > count) {
        const Known *last = &walk->known.at[--walk->known.count];
        *list_of(walk, last->name) = last->before;
    }
}

void walk_free(Walk *walk)
{
    vec_free(&walk->known);
    vec_free(&walk->mentions);
    vec_free(&walk->blamed);
    vec_free(&walk->left);
    memory_free(walk->lists);
}

void know(Walk *walk, Name name, bool function, Span place)
{
    if (name) push(walk, (Known){name, function, false, place, 0});
}

void declare(Walk *walk, Name name, bool function, Span place)
{
    for (size_t at = known_last(walk, name, function); at > walk->block;) {
        const Known *other = &walk->known.at[at - 1];
        if (!other->declared) {
            at = known_before(walk, other->before, name, function);
            continue;
        }
        Diag *diag = mistake(walk, DIAG_duplicate_name, place, "`%s` is declared already", name);
        diag_note(diag, other->place, "the first declaration is here");
        return;
    }
    push(walk, (Known){name, function, true, place, 0});
}

bool is_known(const Walk *walk, Name name, bool function)
{
    return known_last(walk, name, function) != 0;
}

static bool is_training(const Walk *walk, Name name)
{
    bool place = walk->body == SYNTAX_MODEL || walk->body == SYNTAX_LAYER || walk->body == SYNTAX_FN;
    return place && !strcmp(name, "training");
}

static const char *nearest_value(const Walk *walk, Name name)
{
    Vec(const char *) names = {0};
    for (size_t i = 0; i < walk->known.count; i++)
        if (!walk->known.at[i].function) vec_push(&names, walk->known.at[i].name);
    for (size_t i = 0; i < walk->items->n_slots; i++) {
        const Item *item = walk->items->slots[i];
        if (item && item->space == SPACE_CONST) vec_push(&names, item->name);
    }
    const char *near = nearest_spelling(name, names.at, names.count);
    vec_free(&names);
    return near;
}

/* True if the name was reported before in this item; from now on it was. */
static bool is_blamed(Walk *walk, Name name)
{
    for (size_t i = 0; i < walk->blamed.count; i++)
        if (walk->blamed.at[i] == name) return true;
    vec_push(&walk->blamed, name);
    return false;
}

/* True if a block that has ended had such a name. */
static bool note_left(const Walk *walk, Diag *diag, Name name)
{
    for (size_t i = walk->left.count; i-- > 0;) {
        if (walk->left.at[i].name != name) continue;
        diag_note(diag, walk->left.at[i].place, "this one stays inside of its block");
        diag_hint(diag, "give it a value before the block, which then gives it another one");
        return true;
    }
    return false;
}

void leave_block(Walk *walk, size_t count)
{
    for (size_t i = count; i < walk->known.count; i++)
        if (!walk->known.at[i].function && walk->known.at[i].place.end) vec_push(&walk->left, walk->known.at[i]);
    forget(walk, count);
}

void need_value(Walk *walk, const Syntax *name)
{
    Builtin builtin;
    const Item *item = items_find(walk->items, SPACE_CONST, name->name, walk->item->prelude);
    if (is_known(walk, name->name, false) || is_training(walk, name->name)) return;
    if (item) {
        vec_push(&walk->mentions, (Mention){walk->item, item, name->span});
        return;
    }
    if (unread_has(walk->items->unread, name->name) || is_blamed(walk, name->name)) return;
    Diag *diag = mistake(walk, DIAG_unknown_name, name->span, "there is no value called `%s`", name->name);
    const char *near = nearest_value(walk, name->name);
    if (note_left(walk, diag, name->name)) return;
    bool function = is_known(walk, name->name, true) || builtin_find(name->name, &builtin) ||
                    items_find(walk->items, SPACE_FUNCTION, name->name, walk->item->prelude);
    if (function)
        diag_hint(diag, "`%s` is a function: call it, as `%s(…)`", name->name, name->name);
    else if (near)
        diag_hint(diag, "did you mean `%s`?", near);
}

static bool is_source(const char *name)
{
    static const char *const kinds[] = {
#define SOURCE(kind, place, columns, arguments) #kind,
#include "data/sources.def"
        "columns"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i], name)) return true;
    return false;
}

bool need_function(Walk *walk, const Syntax *name, Callable *callable)
{
    *callable = (Callable){0};
    if (is_known(walk, name->name, true)) return true;
    if (unread_has(walk->items->unread, name->name)) return false; /* it may hide a function that is known */
    callable->item = items_find(walk->items, SPACE_FUNCTION, name->name, walk->item->prelude);
    if (callable->item) {
        vec_push(&walk->mentions, (Mention){walk->item, callable->item, name->span});
        bool layer = callable->item->syntax->kind == SYNTAX_LAYER;
        if (layer && walk->body == SYNTAX_FN) {
            Diag *diag = mistake(walk, DIAG_layer_in_function, name->span,
                                 "a function cannot use a layer, which owns parameters");
            diag_hint(diag, "make `%s` a layer: `layer %s(…) { … }`", walk->item->name, walk->item->name);
        }
        return true;
    }
    callable->is_builtin = builtin_find(name->name, &callable->builtin);
    if (callable->is_builtin || (walk->body == SYNTAX_DATA && is_source(name->name))) return true;
    if (is_blamed(walk, name->name)) return false;
    Diag *diag =
        mistake(walk, DIAG_unknown_function, name->span, "there is no function or layer called `%s`", name->name);
    const char *near = items_nearest(walk->items, SPACE_FUNCTION, name->name);
    if (near)
        diag_hint(diag, "did you mean `%s`?", near);
    else if (is_known(walk, name->name, false))
        diag_hint(diag, "`%s` is a value, which cannot be called", name->name);
    else if (foreign_function(name->name))
        diag_hint(diag, "%s", foreign_function(name->name));
    return false;
}

bool wants_function(const Syntax *formal)
{
    const Syntax *type = kid_type(formal);
    return type && type->name && !kid_subs(type) && !strcmp(type->name, "fn");
}

const Syntax *formal_of(const Syntax *call, uint32_t i, uint32_t piped, const Item *item)
{
    const Syntax *formals = kid_formals(item->syntax), *arg = call->kids[i];
    if (arg->kind == SYNTAX_KEYWORD) {
        for (uint32_t k = 0; k < formals->n_kids; k++)
            if (formals->kids[k]->name == arg->name) return formals->kids[k];
        return NULL;
    }
    uint32_t place = piped;
    for (uint32_t k = 1; k < i; k++) place += call->kids[k]->kind != SYNTAX_KEYWORD;
    return place < formals->n_kids ? formals->kids[place] : NULL;
}

static void list_formals(const Syntax *formals, Text *to)
{
    if (!formals->n_kids) text_string(to, "none");
    for (uint32_t i = 0; i < formals->n_kids; i++) text_format(to, "%s%s", i ? ", " : "", formals->kids[i]->name);
}

static void wrong_argument(Walk *walk, const Syntax *arg, const Item *item)
{
    Text list = {0};
    list_formals(kid_formals(item->syntax), &list);
    Diag *diag =
        arg->kind == SYNTAX_KEYWORD
            ? mistake(walk, DIAG_unknown_argument, arg->name_span, "`%s` has no argument `%s`", item->name, arg->name)
            : mistake(walk, DIAG_too_many_arguments, arg->span, "`%s` is given too many arguments", item->name);
    diag_hint(diag, "its arguments are: %s", text_get(&list));
    text_free(&list);
}

/* Every formal without default must be given. */
static void check_missing(Walk *walk, const Syntax *call, uint32_t piped, const Item *item)
{
    const Syntax *formals = kid_formals(item->syntax);
    for (uint32_t f = 0; f < formals->n_kids; f++) {
        bool given = f < piped || kid_default(formals->kids[f]);
        for (uint32_t i = 1; !given && i < call->n_kids; i++)
            given = formal_of(call, i, piped, item) == formals->kids[f];
        if (given) continue;
        Diag *diag = mistake(walk, DIAG_missing_argument, call->span, "`%s` needs its argument `%s`", item->name,
                             formals->kids[f]->name);
        diag_note(diag, formals->kids[f]->span, "it has no default");
        return;
    }
}

void check_arguments(Walk *walk, const Syntax *call, uint32_t piped, const Callable *callable)
{
    const Item *item = callable->item;
    bool good = true;
    if ((item || callable->is_builtin) && call->n_kids - 1 + piped > MOST_ARGUMENTS) {
        mistake(walk, DIAG_too_many_arguments, call->kids[MOST_ARGUMENTS + 1 - piped]->span,
                "a call takes at most %d arguments", MOST_ARGUMENTS);
        return;
    }
    for (uint32_t i = 1; item && i < call->n_kids; i++)
        if (!formal_of(call, i, piped, item)) {
            wrong_argument(walk, call->kids[i], item);
            good = false;
        }
    for (uint32_t i = 1; item && good && i < call->n_kids; i++)
        for (uint32_t k = 1; good && k < i; k++)
            if (formal_of(call, i, piped, item) == formal_of(call, k, piped, item)) {
                mistake(walk, DIAG_repeated_argument, call->kids[i]->span, "`%s` is given its argument `%s` twice",
                        item->name, formal_of(call, i, piped, item)->name);
                good = false;
            }
    if (item && good) check_missing(walk, call, piped, item);
    for (uint32_t i = 1; callable->is_builtin && i < call->n_kids; i++) {
        const Syntax *arg = call->kids[i];
        BuiltinFormal formal;
        bool found = arg->kind != SYNTAX_KEYWORD;
        for (size_t at = 0; !found && builtin_formal(callable->builtin.formals, &at, &formal);)
            found = !strcmp(formal.name, arg->name);
        if (found) continue;
        Diag *diag = mistake(walk, DIAG_unknown_argument, arg->name_span, "`%s` has no argument `%s`",
                             callable->builtin.name, arg->name);
        diag_hint(diag, "its arguments are: %s (`?` may be left out)", callable->builtin.formals);
    }
}
