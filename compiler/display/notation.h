/* Notations: how terms are written, as tables. One printer (print.c) reads them. */
#ifndef NNC_DISPLAY_NOTATION_H
#define NNC_DISPLAY_NOTATION_H

#include "display/term.h"

/* How tightly an expression binds, loosest first. */
typedef enum {
    LEVEL_ANY,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_COMPARE,
    LEVEL_SUM,
    LEVEL_PRODUCT,
    LEVEL_MATRIX, /* a product of matrices, where that is told from the one of their elements */
    LEVEL_UNARY,
    LEVEL_POWER,
    LEVEL_POSTFIX,
    LEVEL_OPERAND /* as tightly as its only operand */
} Level;

/* How one kind of term is written: @0, @1, @2 are its operands, @* all of them, @f is its name, @n its note, @_ the
 * note as a subscript if there is one, @, a comma where operands and a note meet; @( and @) are brackets as high as
 * need be. */
typedef struct {
    const char *sign; /* the name of a call or an infix; "if", "@", "T", "[]" */
    const char *form;
    Level level;   /* of the whole */
    Level kids[3]; /* its operands are bracketed when they bind less tightly */
    uint32_t arity;
} Form;

struct Notation {
    const Form *forms;                       /* the last one has no sign */
    Form root, call;                         /* of a square root; of a call that no form describes */
    const char *open, *close;                /* brackets */
    const char *tall_open, *tall_close;      /* the same about what is higher than a line */
    const char *const *tall;                 /* the words that make it so; the last one is NULL */
    const char *times, *tight_times;         /* between factors; tight: within a sum */
    const char *entrywise;                   /* between factors that have axes */
    const char *divide[3], *tight_divide[3]; /* around and between numerator and denominator; the same on one line */
    const char *raise[2], *lower[2];         /* around an exponent, around a subscript */
    const char *label[2];                    /* around the number of a line */
    const char *lines[3];                    /* before, between and behind several lines */
    bool stacked; /* numerators stand above denominators, which then need no brackets; not in exponents */
    void (*put_name)(const char *name, Text *to);
    void (*put_function)(const char *name, Text *to);
    void (*put_number)(double value, Text *to);
    void (*put_note)(const char *note, Text *to);
};

/* The language's own, which can be read back. */
extern const Notation notation_text;
/* LaTeX with amsmath, for math mode. */
extern const Notation notation_latex;

#endif
