/* Parser: the text of a .nn source to its syntax tree. What the user wrote wrongly becomes diagnostics of the Context,
 * several a run; the tree then holds what could be read. */
#ifndef NNC_GRAMMAR_PARSER_H
#define NNC_GRAMMAR_PARSER_H

#include "support/context.h"
#include "syntax/syntax.h"

/* Reads a whole file. Returns its FILE, never NULL, also after errors; then what was wrong is left out. */
Syntax *parse_source(Context *context, const Source *source);

/* Reads a file of rewrite rules: a FILE of RULEs, one a line:
 *     partial NAME-OR-EXPRESSION = expression, …      numeric | expand | display PATTERN => expression
 * each optionally with `where CONDITION` behind. */
Syntax *parse_rules(Context *context, const Source *source);

/* A parser that is fed line by line, for the REPL: items and statements stand side by side, a complete line runs at
 * once, open brackets or a token that cannot end a statement ask for more. */
typedef struct Parser Parser;

typedef enum {
    PARSER_COMPLETE,   /* nothing is pending; parser_take has the statements */
    PARSER_INCOMPLETE, /* the statement needs more lines */
    PARSER_ERROR       /* diagnostics were added, the pending statement is forgotten */
} ParserState;

Parser *parser_new(Context *context);
/* NULL is allowed. */
void parser_free(Parser *parser);
/* One line, with or without its newline; it is copied and becomes a source of the Context, shown as `name`. */
ParserState parser_feed(Parser *parser, const char *name, const char *line, size_t size);
/* The number that the next line has for diagnostics; without it the lines fed are counted from 1. */
void parser_at_line(Parser *parser, int line);
/* The statements completed since the last take, as a FILE (perhaps without entries). */
Syntax *parser_take(Parser *parser);
/* At the end of the input: an unfinished statement becomes a diagnostic. */
ParserState parser_finish(Parser *parser);
/* Forgets a pending statement (the user interrupted). */
void parser_reset(Parser *parser);

/* The words that begin a declaration or are reserved, for completion and editors; NULL ends the list. */
const char *const *parser_words(void);

#endif
