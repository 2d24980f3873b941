/* What the lexer, the grammar, the messages and the driver of the parser share. */
#ifndef NNC_GRAMMAR_PARSER_INTERNAL_H
#define NNC_GRAMMAR_PARSER_INTERNAL_H

#include "grammar/parser.h"
#include "support/vector.h"

typedef enum { MODE_FILE, MODE_REPL, MODE_RULES } ParserMode;

/* Brackets may be nested so deep; a guard of the stacks here and in every walk over the tree. */
enum { MAX_BRACKETS = 250, MAX_ERRORS = 20 };

typedef struct {
    char open; /* ( [ { */
    Span at;
} Bracket;

typedef struct {
    int kind; /* a token of nn.tab.h */
    Span span;
} Token;

/* A list under construction, in the arena. */
typedef struct {
    Syntax **at;
    size_t count, capacity;
} SyntaxList;

struct Parser {
    Context *context;
    ParserMode mode;
    const Source *source; /* the one being read */
    int line;             /* lines fed so far */
    void *scanner;
    struct nn_pstate *state;
    uint32_t position; /* global, of the lexer's next byte */
    Vec(Bracket) brackets;
    Bracket closed_over;            /* the innermost bracket that the last `}` found open */
    Token now, before, before_that; /* the last three tokens, the newest first */
    bool at_start;                  /* the next token begins a statement */
    bool failed;                    /* reading cannot go on */
    int errors;                     /* since the parser, or the REPL's line, began */
    int errors_before;              /* those before the entry that is being read */
    bool stray_brace;               /* a `}` closed nothing: an item above it ended too early */
    bool bad_statement;             /* a character of this statement meant nothing */
    bool panic;                     /* after a syntax error: tokens are skipped up to the statement's end … */
    size_t panic_level;             /* … where as many brackets are open */
    Span stray_item;                /* the first item word at the start of a line inside a block */
    Vec(Comment *) comments;
    Vec(Syntax *) entries; /* what is complete at the top */
};

/* A new diagnostic, counted; NULL once there were MAX_ERRORS of them. */
Diag *parser_error(Parser *parser, DiagId id, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The source's text at the place; its length is the span's. */
const char *parser_text(const Parser *parser, Span at);
/* True if nothing but blanks stands before it on its line. */
bool parser_begins_line(const Parser *parser, Span at);

/* messages.c */
void report_syntax_error(Parser *parser, const char *const *expected, size_t n_expected);
/* Returns the token that was meant, or 0; then further errors of the statement are not said. */
int report_bad_character(Parser *parser, Span at, uint32_t code_point);
void report_unclosed(Parser *parser);
/* True if the entry may stand at the top and is not too deep; says so if not. */
bool check_entry(Parser *parser, const Syntax *entry);
void check_block(Parser *parser, const Syntax *block);

/* words.c */
/* The token of a reserved word; of a declaring one too if `declares`; NAME's otherwise. */
int word_token(const char *word, size_t length, bool declares);
/* True if the text after a declaring word lets it be one: blanks, then a name (or, for optimizer, a string). */
bool word_declares(const char *word, size_t length, const char *after);
bool word_begins_item(int token);
/* The reserved words and the item words, as candidates for a nearest spelling. */
const char *const *word_items(size_t *count);

/* lists.c: for the actions of the grammar */
SyntaxList *list_new(Parser *parser, Syntax *first);
SyntaxList *list_add(Parser *parser, SyntaxList *list, Syntax *node);
Syntax *list_node(Parser *parser, SyntaxKind kind, Span span, const SyntaxList *list);
/* A node whose kids are `first` (it may be NULL) and then the list's. */
Syntax *list_node_after(Parser *parser, SyntaxKind kind, Span span, Syntax *first, const SyntaxList *list);
/* The place of a rule's right side: from its first to its last part that is not empty. */
Span span_of(const Span *parts, int count);

#endif
