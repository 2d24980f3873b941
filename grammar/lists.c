/* What the grammar's actions need to collect kids. */
#include "grammar/parser_internal.h"

SyntaxList *list_new(Parser *parser, Syntax *first)
{
    SyntaxList *list = ARENA_NEW(parser->context->arena, SyntaxList);
    return first ? list_add(parser, list, first) : list;
}

SyntaxList *list_add(Parser *parser, SyntaxList *list, Syntax *node)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 4;
        Syntax **at = ARENA_ARRAY(parser->context->arena, Syntax *, capacity);
        for (size_t i = 0; i < list->count; i++) at[i] = list->at[i];
        list->at = at;
        list->capacity = capacity;
    }
    list->at[list->count++] = node;
    return list;
}

Syntax *list_node(Parser *parser, SyntaxKind kind, Span span, const SyntaxList *list)
{
    return syntax_make(parser->context->arena, kind, span, list->at, list->count);
}

Syntax *list_node_after(Parser *parser, SyntaxKind kind, Span span, Syntax *first, const SyntaxList *list)
{
    SyntaxList *all = list_new(parser, NULL);
    list_add(parser, all, first);
    for (size_t i = 0; i < list->count; i++) list_add(parser, all, list->at[i]);
    return list_node(parser, kind, span, all);
}

Span span_of(const Span *parts, int count)
{
    /* An empty part lies at the end of what stands before it; it must not stretch the whole to there. */
    Span whole = {0, 0};
    for (int i = 0; i < count; i++)
        if (parts[i].end > parts[i].start) whole = span_join(whole, parts[i]);
    return whole.end ? whole : parts[0];
}
