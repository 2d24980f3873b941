#include "check/items.h"

#include <stdlib.h>
#include <string.h>

#include "check/builtins.h"
#include "check/items_internal.h"
#include "support/vector.h"

static size_t slot_of(const Items *items, Space space, Name name, bool prelude)
{
    struct {
        Name name;
        int space, prelude;
    } key;
    memset(&key, 0, sizeof key);
    key.name = name;
    key.space = space;
    key.prelude = prelude;
    size_t at = (size_t)hash_bytes(HASH_START, &key, sizeof key) & (items->n_slots - 1);
    while (items->slots[at]) {
        const Item *item = items->slots[at];
        if (item->name == name && item->space == space && item->prelude == prelude) break;
        at = (at + 1) & (items->n_slots - 1);
    }
    return at;
}

static void grow(Items *items)
{
    const Item **old = items->slots;
    size_t n_old = items->n_slots;
    items->n_slots = n_old ? 2 * n_old : 512;
    items->slots = ARENA_ARRAY(items->context->arena, const Item *, items->n_slots);
    for (size_t i = 0; i < n_old; i++)
        if (old[i]) items->slots[slot_of(items, old[i]->space, old[i]->name, old[i]->prelude)] = old[i];
}

void items_begin(Items *items)
{
    grow(items);
}

const Item *items_find(const Items *items, Space space, Name name, bool inside_prelude)
{
    const Item *item = inside_prelude ? NULL : items->slots[slot_of(items, space, name, false)];
    return item ? item : items->slots[slot_of(items, space, name, true)];
}

const Item *items_first(const Items *items)
{
    return items->first;
}

static const char *const space_phrases[SPACES] = {"constant", "function or layer", "optimizer",
                                                  "model",    "data split",        "train block"};

/* Takes an item out of the user's list; its slot is the caller's. */
static void unlink_item(Items *items, const Item *gone)
{
    Item *before = NULL;
    for (Item *item = items->first; item; before = item, item = (Item *)item->next) {
        if (item != gone) continue;
        if (before)
            before->next = item->next;
        else
            items->first = (Item *)item->next;
        if (items->last == item) items->last = before;
        return;
    }
}

static void append_item(Items *items, Item *item)
{
    item->next = NULL;
    if (items->last)
        items->last->next = item;
    else
        items->first = item;
    items->last = item;
}

static bool add(Items *items, Space space, Name name, Span place, const Syntax *syntax)
{
    if (2 * items->count >= items->n_slots) grow(items);
    size_t slot = slot_of(items, space, name, items->adding_prelude);
    bool replaces = items->replacing && !items->adding_prelude && items->slots[slot];
    if (items->slots[slot] && !replaces) {
        Diag *diag = diag_new(items->context->diagnostics, DIAG_duplicate_item, place,
                              "there is already a %s called `%s`", space_phrases[space], name);
        diag_note(diag, items->slots[slot]->place, "the first one is here");
        return false;
    }
    Item *item = ARENA_NEW(items->context->arena, Item);
    *item = (Item){space, name, syntax, NULL, items->adding_prelude, place, NULL};
    if (replaces)
        unlink_item(items, items->slots[slot]);
    else
        items->count++;
    items->slots[slot] = item;
    if (!items->adding_prelude) append_item(items, item);
    return true;
}

/* A derivative belongs to the function of its name, which stands above it in the same namespace. */
static bool add_derivative(Items *items, const Syntax *syntax)
{
    size_t slot = slot_of(items, SPACE_FUNCTION, syntax->name, items->adding_prelude);
    Item *item = (Item *)items->slots[slot];
    Diagnostics *diagnostics = items->context->diagnostics;
    if ((!item || item->syntax->kind != SYNTAX_FN) && unread_has(items->unread, syntax->name)) return true;
    if (!item || item->syntax->kind != SYNTAX_FN) {
        Diag *diag = diag_new(diagnostics, DIAG_unknown_function, syntax->name_span,
                              "there is no function `%s` above this derivative", syntax->name);
        const char *near = items_nearest(items, SPACE_FUNCTION, syntax->name);
        if (near) diag_hint(diag, "did you mean `%s`?", near);
        return false;
    }
    if (item->derivative && !items->replacing) {
        Diag *diag = diag_new(diagnostics, DIAG_duplicate_item, syntax->name_span, "`%s` has a derivative already",
                              syntax->name);
        diag_note(diag, item->derivative->name_span, "the first one is here");
        return false;
    }
    item->derivative = syntax;
    return true;
}

bool items_declare(Items *items, const Syntax *syntax)
{
    bool good = true;
    switch (syntax->kind) {
    case SYNTAX_CONST:
        return add(items, SPACE_CONST, syntax->name, syntax->name_span, syntax);
    case SYNTAX_FN:
    case SYNTAX_LAYER:
        return add(items, SPACE_FUNCTION, syntax->name, syntax->name_span, syntax);
    case SYNTAX_OPTIMIZER:
        return add(items, SPACE_OPTIMIZER, syntax->name, syntax->name_span, syntax);
    case SYNTAX_MODEL:
        return add(items, SPACE_MODEL, syntax->name, syntax->name_span, syntax);
    case SYNTAX_TRAIN:
        return add(items, SPACE_TRAIN, syntax->name, syntax->name_span, syntax);
    case SYNTAX_DATA:
        for (uint32_t i = 0; i < kid_names(syntax)->n_kids; i++) {
            const Syntax *split = kid_names(syntax)->kids[i];
            good &= add(items, SPACE_DATA, split->name, split->span, syntax);
        }
        return good;
    case SYNTAX_DERIVATIVE:
        return add_derivative(items, syntax);
    default:
        diag_new(items->context->diagnostics, DIAG_misplaced_statement, syntax->span,
                 "%s cannot stand at the top of a file", syntax_phrase((SyntaxKind)syntax->kind));
        return false;
    }
}

typedef struct {
    Vec(const char *) names;
} Candidates;

static void collect(void *data, const char *name)
{
    vec_push(&((Candidates *)data)->names, name);
}

void items_names(const Items *items, void (*visit)(void *data, const char *name), void *data)
{
    for (size_t i = 0; i < items->n_slots; i++) {
        const Item *item = items->slots[i];
        if (item && item->space != SPACE_DATA && item->space != SPACE_TRAIN) visit(data, item->name);
    }
}

const char *items_nearest(const Items *items, Space space, Name name)
{
    Candidates candidates = {0};
    for (size_t i = 0; i < items->n_slots; i++)
        if (items->slots[i] && items->slots[i]->space == space) collect(&candidates, items->slots[i]->name);
    if (space == SPACE_FUNCTION) builtin_names(collect, &candidates);
    const char *near = nearest_spelling(name, candidates.names.at, candidates.names.count);
    vec_free(&candidates.names);
    return near;
}

void items_replace(Items *items, bool replace)
{
    items->replacing = replace;
}

void items_restore(Items *items, Space space, Name name, const Item *item)
{
    size_t slot = slot_of(items, space, name, false);
    const Item *now = items->slots[slot];
    if (now == item) return;
    if (now) unlink_item(items, now);
    if (item) {
        append_item(items, (Item *)item);
        items->count += !now;
        items->slots[slot] = item;
        return;
    }
    /* An emptied slot may hide others that were pushed past it: all are put in again. */
    const Item **old = items->slots;
    old[slot] = NULL;
    items->count--;
    items->slots = ARENA_ARRAY(items->context->arena, const Item *, items->n_slots);
    for (size_t i = 0; i < items->n_slots; i++)
        if (old[i]) items->slots[slot_of(items, old[i]->space, old[i]->name, old[i]->prelude)] = old[i];
}
