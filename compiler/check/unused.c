/* What a data block gives and no model takes. */
#include <string.h>

#include "check/check_internal.h"

/* Inputs and targets of all models of the file. */
typedef struct {
    Vec(const char *) names;
} Taken;

static void collect(const Items *items, Taken *taken)
{
    for (const Item *item = items_first(items); item; item = item->next) {
        if (item->space != SPACE_MODEL) continue;
        const Syntax *block = item->syntax->kids[0];
        for (uint32_t i = 0; i < block->n_kids; i++) {
            const Syntax *statement = block->kids[i];
            if (!statement || (statement->kind != SYNTAX_INPUT && statement->kind != SYNTAX_TARGET)) continue;
            for (uint32_t k = 0; k < statement->kids[0]->n_kids; k++)
                vec_push(&taken->names, statement->kids[0]->kids[k]->name);
        }
    }
}

static bool is_taken(const Taken *taken, Name name)
{
    for (size_t i = 0; i < taken->names.count; i++)
        if (!strcmp(taken->names.at[i], name)) return true;
    return false;
}

/* Whether another statement of the block reads it, or the same one as its old value. */
static bool is_read(const Syntax *block, Name name)
{
    for (uint32_t i = 0; i < block->n_kids; i++)
        if (block->kids[i] && block->kids[i]->kind == SYNTAX_BIND && syntax_mentions(block->kids[i]->kids[1], name))
            return true;
    return false;
}

void warn_unused_data(Walk *walk, const Syntax *block)
{
    Taken taken = {0};
    collect(walk->items, &taken);
    for (uint32_t i = 0; taken.names.count && i < block->n_kids; i++) {
        const Syntax *statement = block->kids[i];
        const Syntax *left = statement && statement->kind == SYNTAX_BIND ? statement->kids[0]->kids[0] : NULL;
        bool named = left && left->kind == SYNTAX_NAME && strcmp(left->name, "split") != 0;
        if (!named || is_taken(&taken, left->name) || is_read(block, left->name)) continue;
        Diag *diag = mistake(walk, DIAG_unused_data, left->span, "no model has an input or target `%s`", left->name);
        const char *near = nearest_spelling(left->name, taken.names.at, taken.names.count);
        if (near) diag_hint(diag, "did you mean `%s`?", near);
    }
    vec_free(&taken.names);
}
