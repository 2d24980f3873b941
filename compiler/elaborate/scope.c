#include <stdlib.h>

#include "elaborate/elaborator.h"

Scope *scope_new(Elaborator *el, Scope *outer, bool inside_prelude)
{
    Scope *scope = ARENA_NEW(el->arena, Scope);
    scope->outer = outer;
    scope->inside_prelude = inside_prelude;
    return scope;
}

enum { FEW_BINDINGS = 16 };

static NameKey key_of(Name name, bool function)
{
    return (NameKey){.name = name, .kind = function};
}

static void put(Elaborator *el, Scope *scope, Binding *binding)
{
    name_map_put(el->arena, &scope->table, key_of(binding->name, binding->function), (uintptr_t)binding);
}

/* The first of the list was added. */
static void note_binding(Elaborator *el, Scope *scope)
{
    if (scope->table.count)
        put(el, scope, scope->first);
    else if (++scope->count > FEW_BINDINGS)
        for (Binding *binding = scope->first; binding; binding = binding->next) put(el, scope, binding);
}

void scope_shrunk(Scope *scope)
{
    scope->table = (NameMap){0};
    scope->count = 0;
    for (const Binding *binding = scope->first; binding; binding = binding->next) scope->count++;
}

static Binding *find_here(const Scope *scope, Name name, bool function)
{
    if (scope->table.count) {
        uintptr_t found = name_map_get(&scope->table, key_of(name, function));
        return found == NAME_MAP_NONE ? NULL : (Binding *)found;
    }
    for (Binding *binding = scope->first; binding; binding = binding->next)
        if (binding->name == name && binding->function == function) return binding;
    return NULL;
}

Binding *scope_find(const Scope *scope, Name name, bool function)
{
    for (; scope; scope = scope->outer) {
        Binding *binding = find_here(scope, name, function);
        if (binding) return binding;
    }
    return NULL;
}

static Binding *new_binding(Elaborator *el)
{
    Binding *binding = el->spare;
    if (!binding) return ARENA_NEW(el->arena, Binding);
    el->spare = binding->next;
    return binding;
}

void scope_end(Elaborator *el, Scope *scope)
{
    for (Binding *binding; (binding = scope->first);) {
        scope->first = binding->next;
        binding->next = el->spare;
        el->spare = binding;
    }
    scope_shrunk(scope);
}

Binding *scope_bind(Elaborator *el, Scope *scope, Name name, bool function, Value value, Span place)
{
    Binding *binding = find_here(scope, name, function);
    if (!binding) {
        binding = new_binding(el);
        *binding = (Binding){.name = name, .function = function, .next = scope->first};
        scope->first = binding;
        note_binding(el, scope);
    }
    *binding = (Binding){name, function, value, NULL, place, binding->next};
    return binding;
}

void scope_assign(Elaborator *el, Scope *scope, Name name, Value value, Span place)
{
    Binding *binding = scope_find(scope, name, false);
    if (!binding) {
        scope_bind(el, scope, name, false, value, place);
        return;
    }
    binding->value = value;
    binding->cell = NULL;
    binding->place = place;
}

/* A constant's expression is evaluated when it is first used. */
static Value constant(Elaborator *el, const Item *item, Span at)
{
    size_t slot = named_find(el, NAMED_CONSTANT, item);
    if (slot != NAME_MAP_NONE) {
        if (!el->consts.at[slot].open) return el->consts.at[slot].value;
        complain(el, DIAG_recursion, at, "the constant `%s` is defined by itself", item->name);
        return value_error();
    }
    slot = el->consts.count;
    vec_push(&el->consts, (Constant){.item = item, .open = true});
    Span call = el->body.prelude_call;
    if (!item->prelude) el->body.prelude_call = NO_SPAN;
    Value value = evaluate(el, scope_new(el, NULL, item->prelude), kid_value(item->syntax));
    el->body.prelude_call = call;
    el->consts.at[slot] = (Constant){.item = item, .value = value};
    return value;
}

typedef struct {
    Vec(const char *) names;
} Candidates;

static void unknown(Elaborator *el, const Scope *scope, const Syntax *name)
{
    Candidates near = {0};
    for (const Scope *s = scope; s; s = s->outer)
        for (const Binding *b = s->first; b; b = b->next)
            if (!b->function) vec_push(&near.names, b->name);
    for (const Item *item = items_first(el->items); item; item = item->next)
        if (item->space == SPACE_CONST) vec_push(&near.names, item->name);
    Diag *diag = complain(el, DIAG_unknown_name, name->span, "there is no value called `%s`", name->name);
    const char *best = nearest_spelling(name->name, near.names.at, near.names.count);
    Callee callee;
    if (best)
        diag_hint(diag, "did you mean `%s`?", best);
    else if (scope_function(el, (Scope *)scope, name->name, &callee))
        diag_hint(diag, "`%s` is a function: call it, as `%s(…)`", name->name, name->name);
    vec_free(&near.names);
}

Value scope_value(Elaborator *el, Scope *scope, const Syntax *name)
{
    Binding *binding = scope_find(scope, name->name, false);
    if (binding) return binding->cell ? value_tensor(binding->cell->now) : binding->value;
    const Item *item = items_find(el->items, SPACE_CONST, name->name, scope->inside_prelude);
    if (item) return constant(el, item, name->span);
    if (name->name == el->name_training && el->form != FORM_NONE) return value_bool(el->form == FORM_TRAINING);
    unknown(el, scope, name);
    return value_error();
}

bool scope_function(Elaborator *el, Scope *scope, Name name, Callee *callee)
{
    const Binding *binding = scope_find(scope, name, true);
    if (binding) {
        if (binding->value.kind == VALUE_FUNCTION)
            *callee = *binding->value.callee;
        else
            *callee = (Callee){.kind = CALLEE_STAGE}; /* of a mistake that was reported */
        return true;
    }
    const Item *item = items_find(el->items, SPACE_FUNCTION, name, scope->inside_prelude);
    if (item) {
        *callee = (Callee){.kind = CALLEE_ITEM, .name = name, .item = item};
        return true;
    }
    *callee = (Callee){.kind = CALLEE_BUILTIN, .name = name};
    return builtin_find(name, &callee->builtin);
}
