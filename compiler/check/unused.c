/* What a data block gives and no model takes. */
#include <string.h>

#include "check/check_internal.h"
#include "support/name_map.h"

enum { TAKEN, READ, MOST_HINTS = 100 };

/* Names that count: inputs and targets of all models of the file, and what the statements of the block read. */
typedef struct {
    Arena *arena;
    NameMap map;
    Vec(const char *) taken;
} Names;

static void add(Names *names, uint32_t kind, Name name)
{
    name_map_put(names->arena, &names->map, (NameKey){.name = name, .kind = kind}, 1);
}

static bool has(const Names *names, uint32_t kind, Name name)
{
    return name_map_get(&names->map, (NameKey){.name = name, .kind = kind}) != NAME_MAP_NONE;
}

static void collect_taken(const Items *items, Names *names)
{
    for (const Item *item = items_first(items); item; item = item->next) {
        if (item->space != SPACE_MODEL) continue;
        const Syntax *block = kid_body(item->syntax);
        for (uint32_t i = 0; i < block->n_kids; i++) {
            const Syntax *statement = block->kids[i];
            if (!statement || (statement->kind != SYNTAX_INPUT && statement->kind != SYNTAX_TARGET)) continue;
            for (uint32_t k = 0; k < kid_names(statement)->n_kids; k++) {
                add(names, TAKEN, kid_names(statement)->kids[k]->name);
                vec_push(&names->taken, kid_names(statement)->kids[k]->name);
            }
        }
    }
}

static void collect_read(const Syntax *node, Names *names)
{
    for (; node && node->kind == SYNTAX_BINARY; node = kid_left(node)) collect_read(kid_right(node), names);
    if (!node) return;
    if (node->kind == SYNTAX_NAME) add(names, READ, node->name);
    for (uint32_t i = 0; i < node->n_kids; i++) collect_read(node->kids[i], names);
}

void warn_unused_data(Walk *walk, const Syntax *block)
{
    Names names = {.arena = walk->context->arena};
    collect_taken(walk->items, &names);
    for (uint32_t i = 0; i < block->n_kids; i++)
        if (block->kids[i] && block->kids[i]->kind == SYNTAX_BIND) collect_read(kid_value(block->kids[i]), &names);
    uint32_t n_hints = 0;
    for (uint32_t i = 0; names.taken.count && i < block->n_kids; i++) {
        const Syntax *statement = block->kids[i];
        const Syntax *left = statement && statement->kind == SYNTAX_BIND ? kid_expr(kid_exprs(statement)) : NULL;
        bool named = left && left->kind == SYNTAX_NAME && strcmp(left->name, "split") != 0;
        if (!named || has(&names, TAKEN, left->name) || has(&names, READ, left->name)) continue;
        Diag *diag = mistake(walk, DIAG_unused_data, left->span, "no model has an input or target `%s`", left->name);
        const char *near = NULL; /* each looks at all names */
        if (n_hints++ < MOST_HINTS) near = nearest_spelling(left->name, names.taken.at, names.taken.count);
        if (near) diag_hint(diag, "did you mean `%s`?", near);
    }
    vec_free(&names.taken);
}
