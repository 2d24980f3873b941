/* The printer's state and its two halves: statements (print.c) and expressions (print_expression.c). */
#ifndef NNC_SYNTAX_PRINT_INTERNAL_H
#define NNC_SYNTAX_PRINT_INTERNAL_H

#include "syntax/syntax.h"

enum { PRINT_WIDTH = 120, PRINT_INDENT = 4 };

typedef struct {
    Text *to;
    int indent;     /* columns before a line begun now */
    bool flat;      /* nothing is broken over lines but blocks */
    bool measuring; /* only the first line counts: what follows a block's `{` is dropped */
    bool cut;
    bool tight; /* inside subscripts: `4*units` */
} Printer;

/* What may stand where a level is asked: operators' levels are those of syntax.def. */
enum { LEVEL_ANY = 0, LEVEL_PIPE = 1, LEVEL_SUM = 7, LEVEL_UNARY = 9, LEVEL_POSTFIX = 11 };

void put(Printer *printer, const char *text);
void put_newline(Printer *printer);
/* An expression on one line if it fits there, else broken at its outermost construct; in parentheses if its operator
 * is weaker than `level`. NULL prints nothing. */
void print_expression(Printer *printer, const Syntax *node, int level);
/* Kids from `first` on, separated by commas, on one line. */
void print_list(Printer *printer, const Syntax *node, uint32_t first);
/* `open` kids `close`, one kid a line if they do not fit. */
void print_bracketed(Printer *printer, const Syntax *node, uint32_t first, const char *open, const char *close);
void print_type(Printer *printer, const Syntax *type);
void print_block(Printer *printer, const Syntax *block);
void print_formal(Printer *printer, const Syntax *formal);

#endif
