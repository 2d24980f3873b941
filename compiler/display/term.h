/* Terms: what a node is shown as. Sums and products are flat and gathered; broadcasts have vanished. Internal. */
#ifndef NNC_DISPLAY_TERM_H
#define NNC_DISPLAY_TERM_H

#include "display/display.h"

typedef enum {
    TERM_NUMBER,  /* number */
    TERM_NAME,    /* name; rank orders the names of a product */
    TERM_PRODUCT, /* number * kids[i]^powers[i]; at least one kid */
    TERM_SUM,     /* number + powers[i] * kids[i] */
    TERM_CALL,    /* name(kids…, note) */
    TERM_INFIX,   /* kids[0] name kids[1] */
    TERM_SELECT,  /* if kids[0] then kids[1] else kids[2] */
    TERM_MATMUL,  /* kids[0] @ kids[1] */
    TERM_T,       /* kids[0].T */
    TERM_INDEX    /* kids[0][note] */
} TermKind;

typedef struct Term Term;
struct Term {
    TermKind kind;
    int rank; /* how early it stands in a product */
    double number;
    Name name;
    const char *note; /* text of what is not a term: axes, sizes, slices; or NULL */
    uint32_t n_kids;
    Term **kids;
    double *powers; /* of a product the exponents, of a sum the coefficients */
    uint32_t room;  /* of both, under construction: for so many kids; 0: for those that there are */
    Term *count;    /* of the call `sum`: how many are summed, or NULL */
    bool scalar;    /* one number, wherever it stands */
    bool shortened; /* its numbers have been rounded for reading */
    uint32_t size;  /* as term_size counts it, once somebody has asked */
    uint32_t uses;  /* how many terms hold it */
    uint32_t label; /* number of its line, 0 when it has none */
};

/* The term of a node; the root's own name is not used for it. */
Term *term_of(Graph *graph, Arena *arena, Node root);
/* A total order that sees structure only; 0 when equal. */
int term_compare(const Term *a, const Term *b);

/* A number as a fraction where its decimals would say less: 0.1666… is 1 / 6. `below` is 1 where they do not. */
void term_fraction(double value, double *above, double *below);
/* True if the sum's number reads better in front: `1 + exp(x)`, but `x^2 + 1`. */
bool term_number_first(const Term *sum);

/* print.c; matrices: the formula multiplies some. */
typedef struct Notation Notation;
void term_print(const Term *term, const Notation *notation, bool matrices, Text *to);

#endif
