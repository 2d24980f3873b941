/* What the making of terms is made of. */
#ifndef NNC_DISPLAY_TERM_INTERNAL_H
#define NNC_DISPLAY_TERM_INTERNAL_H

#include "display/term.h"

/* Factors of a product in reading order. */
enum { RANK_NUMBER, RANK_PARAM, RANK_SIZE, RANK_MATRIX, RANK_NAME, RANK_POWER, RANK_CALL, RANK_SUM };

/* term.c: terms, products and sums that gather what is equal. */
Term *term_make(Arena *arena, TermKind kind, int rank, uint32_t n_kids);
Term *term_number(Arena *arena, double value);
Term *term_name(Arena *arena, const char *text, int rank);
/* Adds `power` to the entry of an equal kid of a product or sum, or appends it; an entry that becomes 0 goes. */
void term_gather(Arena *arena, Term *list, Term *kid, double power);
/* x^px * y^py * factor; x and y may be NULL. */
Term *term_product(Arena *arena, Term *x, double px, Term *y, double py, double factor);
/* x + factor * y */
Term *term_sum(Arena *arena, Term *x, Term *y, double factor);
/* product *= factor^exponent, for products under construction; term_finish_product ends it. */
Term *term_begin_product(Arena *arena, double number);
void term_multiply(Arena *arena, Term *product, Term *factor, double exponent);
Term *term_finish_product(Arena *arena, Term *product);
/* sum += factor * term, likewise. */
Term *term_begin_sum(Arena *arena);
void term_accumulate(Arena *arena, Term *sum, Term *term, double factor);
Term *term_finish_sum(Arena *arena, Term *sum);

/* term_factor.c: what can be taken out. */
/* A sum without what all its addends share (denominators, calls), times that; expanded where that is shorter. */
Term *term_factor_sum(Arena *arena, Term *sum);
/* x = *scalar * rest: numbers and scalar factors apart from the rest, which is returned; NULL when nothing is left. */
Term *term_take_scalars(Arena *arena, Term *x, Term **scalar);
/* The two without their common denominators, which go to *outside (a product, or NULL when there is none). */
void term_take_common(Arena *arena, Term **x, Term **y, Term **outside);
/* `sum` divided by its count becomes `mean`, in a product under construction. */
void term_recognise_means(Arena *arena, Term *product);
/* A measure of length. */
uint32_t term_size(const Term *term);

/* term_number.c: numbers as a person would write them: roots of 2 and pi, of single precision no digit that means
 * nothing. */
void term_shorten(Arena *arena, Term *term, bool single);

/* A value with a 1 at each axis that was reduced. */
typedef struct {
    uint32_t rank;
    int32_t axes[MAX_RANK]; /* where its own axes lie */
    Term *term;
} KeptAxes;

/* What one formula is made with. */
typedef struct {
    Graph *graph;
    Arena *arena;
    Node root;
    Term **terms;    /* by node id */
    Name *names;     /* likewise: what the formula calls it, or NULL */
    Name *rectified; /* likewise: what it calls max(x, 0) of this x, or NULL */
    KeptAxes *kept;  /* likewise: the last one that was asked for */
    uint32_t *uses;  /* likewise: how many operands it is */
    bool *chained;   /* likewise: it is a step of a long chain and has no term of its own */
} TermBuilder;

/* term_build.c */
static inline Term *term_kid(const TermBuilder *b, Node node, uint32_t i)
{
    return b->terms[graph_node(b->graph, node)->args[i].id];
}

/* term_general.c */
/* name(the node's operands, note) */
Term *term_call(TermBuilder *b, Node node, const char *name, const char *note);
Term *term_infix(TermBuilder *b, Node node, const char *sign);
Term *term_wrap(TermBuilder *b, TermKind kind, Term *x, Term *y);

/* term_elementwise.c */
Term *term_elementwise(TermBuilder *b, Node node);

/* term_chain.c: sums and products of many parts. */
/* Finds the steps of long chains among the nodes, operands before users. */
void term_find_chains(TermBuilder *b, const Node *nodes, uint32_t count);
/* True if the node is the last step of a long chain. */
bool term_ends_chain(const TermBuilder *b, Node node);
/* The sum or product of the whole chain whose last step is the node. */
Term *term_chain(TermBuilder *b, Node node);

/* term_choice.c: conditions and choices. */
/* x < y or x <= y */
Term *term_comparison(TermBuilder *b, Node node, const char *sign);
Term *term_both(TermBuilder *b, Node node);
Term *term_choice(TermBuilder *b, Node node);
/* Notes a name for max(x, 0) by its x. */
void term_note_rectified(TermBuilder *b, Node node);

/* term_reduction.c: sizes and reductions. */
/* Moves a text to the arena. */
const char *term_text(TermBuilder *b, Text *text);
const char *term_dims_note(TermBuilder *b, const Type *type);
Term *term_size_of(TermBuilder *b, Dim dim);
bool term_is_reduced(const NodeInfo *reduction, uint32_t axis);
/* keep: the reduced axes stay as 1. */
Term *term_reduction(TermBuilder *b, Node node, bool keep);
const char *term_axis_note(TermBuilder *b, Node node);

/* term_move.c: subscripts, paddings, transposes, values put together. */
Term *term_movement(TermBuilder *b, Node node);

/* term_matrix.c: what lines axes up. */
Term *term_contraction(TermBuilder *b, Node node);
Term *term_broadcast(TermBuilder *b, Node node);
Term *term_gather_node(TermBuilder *b, Node node);
Term *term_scatter_node(TermBuilder *b, Node node);

#endif
