/* Syntax: the tree of a .nn source. One type of node for all; syntax.def says which kids and fields each kind has.
 * Nodes live in the arena of the Context and are not changed once the parser has returned them. */
#ifndef NNC_SYNTAX_SYNTAX_H
#define NNC_SYNTAX_SYNTAX_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "support/arena.h"
#include "support/intern.h"
#include "support/source.h"
#include "support/text.h"
#include "support/vector.h"

typedef enum {
#define KIND(id, phrase, kids) SYNTAX_##id,
#include "syntax/syntax.def"
    SYNTAX_KINDS
} SyntaxKind;

typedef enum {
#define ROLE(name) KID_##name,
#include "syntax/syntax.def"
    KID_ROLES
} KidRole;

typedef enum {
    OPERATOR_NONE,
#define OPERATOR(id, spelling, level, op, swaps) OPERATOR_##id,
#include "syntax/syntax.def"
    OPERATORS
} Operator;

enum {
    SYNTAX_EQUALS = 1,        /* FN: the body is an expression after `=`; RULE: `=`, not `=>` */
    SYNTAX_DRAWN = 2,         /* PARAM, STATE: the start stands after `~`, not `=` */
    SYNTAX_INTEGER = 4,       /* NUMBER: written without point and exponent, and it fits `integer` */
    SYNTAX_INLINE = 8,        /* BLOCK: written on one line (layout only) */
    SYNTAX_BLANK_BEFORE = 16, /* an entry or statement after an empty line (layout only) */
    SYNTAX_BROKEN = 32        /* FILE, or an item in it: there was a syntax error, and something may be left out */
};

/* No tree is deeper, so that a walk by recursion is safe; the parser refuses what would be. A chain of operators, such
 * as a sum of ten thousand terms, is a tree as deep along its left operands: a walk goes along them by a loop
 * (syntax_chain), and they count as one level. */
enum { SYNTAX_MAX_DEPTH = 1000 };

typedef enum {
    COMMENT_BEFORE, /* on lines of its own above the node */
    COMMENT_AFTER,  /* at the end of the node's last line */
    COMMENT_LAST    /* in a FILE or BLOCK, after its last entry */
} CommentPlace;

typedef struct Comment Comment;
struct Comment {
    const Comment *next;
    Span span;
    const char *text; /* from `#`, without trailing blanks */
    CommentPlace place;
    bool blank_before; /* an empty line stands above it */
};

typedef struct Syntax Syntax;
struct Syntax {
    uint8_t kind; /* SyntaxKind */
    uint8_t op;   /* Operator */
    uint16_t flags;
    uint16_t depth; /* 1 for a leaf, else one more than that of the deepest kid; a BINARY's left BINARY is no level */
    uint32_t n_kids;
    Syntax **kids;
    Span span; /* of the whole node, without parentheses around it */
    Span name_span;
    Name name;
    double number;
    int64_t integer;
    const char *text;        /* NUMBER: as written; STRING: its value */
    const char *doc;         /* items and statements: the comment lines right above, without `#`, or NULL */
    const Comment *comments; /* entries, statements, FILE, BLOCK: in source order */
};

/* 1 + the place of a role among the kids of a kind; 0: the kind has no such kid. */
extern const uint8_t syntax_places[SYNTAX_KINDS][KID_ROLES];

static inline Syntax *syntax_kid(const Syntax *node, KidRole role)
{
    uint8_t place = syntax_places[node->kind][role];
    assert(place && place <= node->n_kids);
    return node->kids[place - 1];
}

/* The kids of a role that has MANY. */
static inline uint32_t syntax_kid_count(const Syntax *node, KidRole role)
{
    assert(syntax_places[node->kind][role]);
    return node->n_kids + 1 - syntax_places[node->kind][role];
}
static inline Syntax *syntax_kid_at(const Syntax *node, KidRole role, uint32_t index)
{
    assert(index < syntax_kid_count(node, role));
    return node->kids[syntax_places[node->kind][role] - 1 + index];
}

/* The kids by their roles: kid_callee(call), kid_body(item). What may be NULL is NULL; of a list it is the first. */
#define ROLE(name)                                                                                                     \
    static inline Syntax *kid_##name(const Syntax *node)                                                               \
    {                                                                                                                  \
        return syntax_kid(node, KID_##name);                                                                           \
    }
#include "syntax/syntax.def"

/* Constructors. `kids` are copied; kids may be NULL where the row says so. */
Syntax *syntax_make(Arena *arena, SyntaxKind kind, Span span, Syntax *const *kids, size_t n_kids);
/* The same with a name. */
Syntax *syntax_make_named(Arena *arena, SyntaxKind kind, Span span, Name name, Span name_span, Syntax *const *kids,
                          size_t n_kids);
/* syntax_node(arena, SYNTAX_PIPE, span, head, stage) and syntax_named(arena, kind, span, name, name_span, kids…). */
#define syntax_node(arena, kind, span, ...)                                                                            \
    syntax_make(arena, kind, span, (Syntax *const[]){__VA_ARGS__},                                                     \
                sizeof((Syntax *const[]){__VA_ARGS__}) / sizeof(Syntax *))
#define syntax_named(arena, kind, span, name, name_span, ...)                                                          \
    syntax_make_named(arena, kind, span, name, name_span, (Syntax *const[]){__VA_ARGS__},                              \
                      sizeof((Syntax *const[]){__VA_ARGS__}) / sizeof(Syntax *))
Syntax *syntax_leaf(Arena *arena, SyntaxKind kind, Span span);
Syntax *syntax_name(Arena *arena, Span span, Name name);
/* `text`: NUL-terminated decimal digits, perhaps with point and exponent. */
Syntax *syntax_number(Arena *arena, Span span, const char *text);
Syntax *syntax_string(Arena *arena, Span span, const char *value);
Syntax *syntax_bool(Arena *arena, Span span, bool value);
Syntax *syntax_unary(Arena *arena, Span span, Operator op, Syntax *operand);
Syntax *syntax_binary(Arena *arena, Span span, Operator op, Syntax *left, Syntax *right);

/* Operations of which each is the left operand of the one before. */
typedef Vec(const Syntax *) SyntaxChain;
/* Appends `node`, while it is a BINARY, and so on with its left operand; returns what is none, the leftmost operand.
 * The last of the chain comes first in evaluation and in the source. */
const Syntax *syntax_chain(const Syntax *node, SyntaxChain *chain);

/* True if it may stand at the top of a file (CONST both there and among statements). */
bool syntax_is_item(const Syntax *node);
/* What a diagnostic calls a node of this kind: "a call". */
const char *syntax_phrase(SyntaxKind kind);
/* The kind's name in capitals, for dumps: "CALL". */
const char *syntax_kind_name(SyntaxKind kind);
const char *operator_spelling(Operator op);
int operator_level(Operator op);

/* Same kinds, names, operators, literals and kids; places, comments and layout do not count. NULL equals NULL. */
bool syntax_equal(const Syntax *a, const Syntax *b);

/* True if a NAME in the tree is this one. */
bool syntax_mentions(const Syntax *node, Name name);

/* The canonical text of a tree, comments included: what `nnc fmt` writes. A FILE ends with a newline; any other node
 * stands without one. Reading the text again gives an equal tree, and printing that gives the same text. */
void syntax_print(const Syntax *node, Text *to);

/* The tree itself, one node a line, for golden files and debugging. */
void syntax_dump(const Syntax *node, Text *to);

/* Distributes `count` comments (in source order, place and blank_before not yet set) over the entries, statements and
 * blocks of `file`, and sets `doc`, SYNTAX_INLINE and SYNTAX_BLANK_BEFORE, which depend on the source's lines too. */
void syntax_attach_comments(Arena *arena, Syntax *file, const Source *source, Comment *const *comments, size_t count);

#endif
