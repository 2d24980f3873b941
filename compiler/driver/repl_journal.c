#include "driver/repl_journal.h"

#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    if (!copy) abort();
    return copy;
}

bool names_have(const NameList *list, char space, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i][0] == space && !strcmp(list->at[i] + 1, name)) return true;
    return false;
}

void names_add(NameList *list, char space, const char *name)
{
    if (names_have(list, space, name)) return;
    size_t size = strlen(name) + 2;
    char *spaced = malloc(size);
    if (!spaced) abort();
    spaced[0] = space;
    memcpy(spaced + 1, name, size - 1);
    vec_push(list, spaced);
}

void names_free(NameList *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->at[i]);
    vec_free(list);
}

void mentioned_names(const Syntax *node, NameList *uses)
{
    for (; node && node->kind == SYNTAX_BINARY; node = kid_left(node)) mentioned_names(kid_right(node), uses);
    if (!node) return;
    if (node->name) names_add(uses, ' ', node->name);
    for (uint32_t i = 0; i < node->n_kids; i++) mentioned_names(node->kids[i], uses);
}

static void left_names(const Syntax *exprs, NameList *defines)
{
    for (uint32_t i = 0; i < exprs->n_kids; i++) {
        const Syntax *left = exprs->kids[i];
        if (left->kind == SYNTAX_SUBSCRIPT) left = kid_base(left);
        if (left->kind == SYNTAX_NAME) names_add(defines, 'v', left->name);
    }
}

/* What the branches of a statement may bind. */
static void inner_names(const Syntax *node, NameList *defines)
{
    for (; node && node->kind == SYNTAX_BINARY; node = kid_left(node)) inner_names(kid_right(node), defines);
    if (!node) return;
    if (node->kind == SYNTAX_BIND) left_names(kid_exprs(node), defines);
    for (uint32_t i = 0; i < node->n_kids; i++) inner_names(node->kids[i], defines);
}

bool statement_shows(const Syntax *statement)
{
    if (statement->kind != SYNTAX_EXPRESSION) return false;
    const Syntax *only = statement->n_kids == 1 ? kid_expr(statement) : NULL;
    return !only || only->kind != SYNTAX_REPEAT;
}

/* What it binds may keep its old value, so it is a use too. */
static void block_names(const Syntax *statement, NameList *defines, NameList *uses)
{
    inner_names(statement, defines);
    mentioned_names(statement, uses);
}

void statement_names(const Syntax *statement, NameList *defines, NameList *uses)
{
    switch (statement->kind) {
    case SYNTAX_INPUT:
    case SYNTAX_TARGET:
    case SYNTAX_PARAM:
    case SYNTAX_STATE:
    case SYNTAX_DRAW:
        left_names(kid_names(statement), defines);
        for (uint32_t i = 1; i < statement->n_kids; i++) mentioned_names(statement->kids[i], uses);
        return;
    case SYNTAX_BIND:
    case SYNTAX_OUTPUT:
        left_names(kid_exprs(statement), defines);
        mentioned_names(kid_value(statement), uses);
        for (uint32_t i = 0; i < kid_exprs(statement)->n_kids; i++)
            if (kid_exprs(statement)->kids[i]->kind == SYNTAX_SUBSCRIPT)
                mentioned_names(kid_subs(kid_exprs(statement)->kids[i]), uses);
        return;
    case SYNTAX_LOSS:
        names_add(defines, 'v', statement->name);
        mentioned_names(kid_value(statement), uses);
        return;
    case SYNTAX_INSTANCE:
        names_add(defines, 'f', statement->name);
        mentioned_names(kid_value(statement), uses);
        return;
    case SYNTAX_EXPRESSION:
        if (!statement_shows(statement)) {
            block_names(statement, defines, uses);
            return;
        }
        mentioned_names(statement, uses);
        return;
    case SYNTAX_ASSERT:
        mentioned_names(statement, uses);
        return;
    default:
        block_names(statement, defines, uses);
    }
}

static void entry_free(Entry *entry)
{
    free(entry->text);
    free(entry->path);
    names_free(&entry->defines);
    names_free(&entry->uses);
    names_free(&entry->ends);
}

int statement_text(const SourceMap *sources, const Syntax *statement, Text *to)
{
    Span span = statement->span;
    Place place;
    const Source *source;
    size_t i = 0;
    if (!source_place(sources, span.start, &place)) return 1;
    text_spaces(to, place.column - 1);
    while (source_at(sources, i) != place.source) i++;
    for (; (source = source_at(sources, i)) && source->start < span.end; i++) {
        uint32_t from = span.start > source->start ? span.start - source->start : 0;
        size_t until = span.end - source->start < source->size ? span.end - source->start : source->size;
        text_put(to, source->text + from, until - from);
    }
    return place.line;
}

void journal_add(Journal *journal, bool item, const char *text, int line, const char *path, NameList defines,
                 NameList uses)
{
    vec_push(&journal->entries,
             (Entry){copy_text(text), line, path ? copy_text(path) : NULL, item, defines, uses, {0}});
}

static void remove_name(NameList *list, const char *spaced)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i], spaced)) continue;
        free(list->at[i]);
        list->at[i] = vec_pop(list);
        return;
    }
}

void journal_prune(Journal *journal)
{
    NameList hidden = {0}; /* bound again later, and not used until then */
    size_t count = journal->entries.count, kept = count;
    for (size_t i = count; i-- > 0;) {
        Entry entry = journal->entries.at[i];
        bool live = false;
        for (size_t k = 0; k < entry.defines.count; k++)
            live |= !names_have(&hidden, entry.defines.at[k][0], entry.defines.at[k] + 1);
        for (size_t k = 0; k < entry.ends.count; k++) names_add(&hidden, entry.ends.at[k][0], entry.ends.at[k] + 1);
        if (!live) {
            entry_free(&entry);
            continue;
        }
        for (size_t k = 0; k < entry.defines.count; k++)
            names_add(&hidden, entry.defines.at[k][0], entry.defines.at[k] + 1);
        for (size_t k = 0; k < entry.uses.count; k++)
            for (const char *space = entry.item ? "fcmodt" : "vfcmodt"; *space; space++) { /* items see no values */
                entry.uses.at[k][0] = *space;
                remove_name(&hidden, entry.uses.at[k]);
                entry.uses.at[k][0] = ' ';
            }
        journal->entries.at[--kept] = entry;
    }
    if (count) memmove(journal->entries.at, journal->entries.at + kept, (count - kept) * sizeof(Entry));
    journal->entries.count = count - kept;
    names_free(&hidden);
}

void journal_drop_last(Journal *journal)
{
    entry_free(&vec_pop(&journal->entries));
}

void journal_clear(Journal *journal)
{
    for (size_t i = 0; i < journal->entries.count; i++) entry_free(&journal->entries.at[i]);
    vec_free(&journal->entries);
}
