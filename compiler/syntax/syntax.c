#include "syntax/syntax.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *phrase;
} kinds[] = {
#define KIND(id, phrase, kids) {#id, phrase},
#include "syntax/syntax.def"
};

static const struct {
    const char *spelling;
    int level;
} operators[] = {
    {"", 0},
#define OPERATOR(id, spelling, level, op, swaps) {spelling, level},
#include "syntax/syntax.def"
};

const uint8_t syntax_places[SYNTAX_KINDS][KID_ROLES] = {
#define KID(place, role) [KID_##role] = (place) + 1,
#define MAYBE KID
#define MANY KID
#define LEAF 0
#define KIND(id, phrase, kids) [SYNTAX_##id] = {kids},
#include "syntax/syntax.def"
#undef KID
#undef MAYBE
#undef MANY
#undef LEAF
};

const char *syntax_phrase(SyntaxKind kind)
{
    return kinds[kind].phrase;
}

const char *syntax_kind_name(SyntaxKind kind)
{
    return kinds[kind].name;
}

const char *operator_spelling(Operator op)
{
    return operators[op].spelling;
}

int operator_level(Operator op)
{
    return operators[op].level;
}

Syntax *syntax_make(Arena *arena, SyntaxKind kind, Span span, Syntax *const *kids, size_t n_kids)
{
    Syntax *node = ARENA_NEW(arena, Syntax);
    node->kind = (uint8_t)kind;
    node->span = span;
    node->n_kids = (uint32_t)n_kids;
    if (n_kids) node->kids = ARENA_COPY(arena, Syntax *, kids, n_kids);
    int depth = 1;
    for (size_t i = 0; i < n_kids; i++) {
        bool chain = !i && kind == SYNTAX_BINARY && kids[i]->kind == SYNTAX_BINARY;
        if (kids[i] && kids[i]->depth + !chain > depth) depth = kids[i]->depth + !chain;
    }
    node->depth = depth < UINT16_MAX ? (uint16_t)depth : UINT16_MAX;
    return node;
}

Syntax *syntax_make_named(Arena *arena, SyntaxKind kind, Span span, Name name, Span name_span, Syntax *const *kids,
                          size_t n_kids)
{
    Syntax *node = syntax_make(arena, kind, span, kids, n_kids);
    node->name = name;
    node->name_span = name_span;
    return node;
}

Syntax *syntax_leaf(Arena *arena, SyntaxKind kind, Span span)
{
    return syntax_make(arena, kind, span, NULL, 0);
}

Syntax *syntax_name(Arena *arena, Span span, Name name)
{
    return syntax_make_named(arena, SYNTAX_NAME, span, name, span, NULL, 0);
}

Syntax *syntax_number(Arena *arena, Span span, const char *text)
{
    Syntax *node = syntax_leaf(arena, SYNTAX_NUMBER, span);
    node->text = arena_text(arena, text, strlen(text));
    node->number = strtod(text, NULL);
    if (!strpbrk(text, ".eE")) {
        errno = 0;
        long long integer = strtoll(text, NULL, 10);
        if (!errno) {
            node->integer = integer;
            node->flags |= SYNTAX_INTEGER;
        }
    }
    return node;
}

Syntax *syntax_string(Arena *arena, Span span, const char *value)
{
    Syntax *node = syntax_leaf(arena, SYNTAX_STRING, span);
    node->text = arena_text(arena, value, strlen(value));
    return node;
}

Syntax *syntax_bool(Arena *arena, Span span, bool value)
{
    Syntax *node = syntax_leaf(arena, SYNTAX_BOOL, span);
    node->integer = value;
    return node;
}

Syntax *syntax_unary(Arena *arena, Span span, Operator op, Syntax *operand)
{
    Syntax *node = syntax_node(arena, SYNTAX_UNARY, span, operand);
    node->op = (uint8_t)op;
    return node;
}

Syntax *syntax_binary(Arena *arena, Span span, Operator op, Syntax *left, Syntax *right)
{
    Syntax *node = syntax_node(arena, SYNTAX_BINARY, span, left, right);
    node->op = (uint8_t)op;
    return node;
}

const Syntax *syntax_chain(const Syntax *node, SyntaxChain *chain)
{
    for (; node && node->kind == SYNTAX_BINARY; node = kid_left(node)) vec_push(chain, node);
    return node;
}

bool syntax_is_item(const Syntax *node)
{
    return node->kind >= SYNTAX_CONST && node->kind <= SYNTAX_RULE;
}

enum { MEANING = SYNTAX_EQUALS | SYNTAX_DRAWN | SYNTAX_INTEGER };

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* Of all but the kids. */
static bool same_node(const Syntax *a, const Syntax *b)
{
    if (a->kind != b->kind || a->op != b->op || (a->flags & MEANING) != (b->flags & MEANING)) return false;
    if (!same_text(a->name, b->name) || a->n_kids != b->n_kids) return false;
    if (a->kind == SYNTAX_STRING && !same_text(a->text, b->text)) return false;
    if (a->kind == SYNTAX_NUMBER && (a->number != b->number || a->integer != b->integer)) return false;
    return a->kind != SYNTAX_BOOL || a->integer == b->integer;
}

bool syntax_equal(const Syntax *a, const Syntax *b)
{
    for (; a && b && a->kind == SYNTAX_BINARY; a = kid_left(a), b = kid_left(b))
        if (!same_node(a, b) || !syntax_equal(kid_right(a), kid_right(b))) return false;
    if (!a || !b) return a == b;
    if (!same_node(a, b)) return false;
    for (uint32_t i = 0; i < a->n_kids; i++)
        if (!syntax_equal(a->kids[i], b->kids[i])) return false;
    return true;
}

static void dump_line(const Syntax *node, int indent, Text *to)
{
    text_spaces(to, indent);
    text_string(to, kinds[node->kind].name);
    if (node->op) text_format(to, " %s", operators[node->op].spelling);
    if (node->name) text_format(to, " %s", node->name);
    if (node->kind == SYNTAX_NUMBER) text_format(to, " %s", node->text);
    if (node->kind == SYNTAX_STRING) text_format(to, " \"%s\"", node->text);
    if (node->kind == SYNTAX_BOOL) text_string(to, node->integer ? " true" : " false");
    if (node->flags & SYNTAX_EQUALS) text_string(to, " =");
    if (node->flags & SYNTAX_DRAWN) text_string(to, " ~");
    text_string(to, "\n");
}

static void dump(const Syntax *node, int indent, Text *to)
{
    SyntaxChain chain = {0};
    for (; node && node->kind == SYNTAX_BINARY; node = kid_left(node), indent += 2) {
        dump_line(node, indent, to);
        vec_push(&chain, node);
    }
    if (node) {
        dump_line(node, indent, to);
        for (uint32_t i = 0; i < node->n_kids; i++) dump(node->kids[i], indent + 2, to);
    } else {
        text_spaces(to, indent);
        text_string(to, "-\n");
    }
    for (; chain.count; indent -= 2) dump(kid_right(vec_pop(&chain)), indent, to);
    vec_free(&chain);
}

void syntax_dump(const Syntax *node, Text *to)
{
    dump(node, 0, to);
}

bool syntax_mentions(const Syntax *node, Name name)
{
    for (; node && node->kind == SYNTAX_BINARY; node = kid_left(node))
        if (syntax_mentions(kid_right(node), name)) return true;
    if (!node) return false;
    bool found = node->kind == SYNTAX_NAME && node->name == name;
    for (uint32_t i = 0; i < node->n_kids && !found; i++) found = syntax_mentions(node->kids[i], name);
    return found;
}
