/* The forms that a term of any node may have: a call, an infix, a wrap. */
#include "display/term_internal.h"

Term *term_call(TermBuilder *b, Node node, const char *called, const char *note)
{
    const NodeInfo *info = graph_node(b->graph, node);
    Term *term = term_make(b->arena, TERM_CALL, RANK_CALL, info->n_args);
    term->name = called;
    term->note = note;
    for (uint32_t i = 0; i < info->n_args; i++) term->kids[i] = term_kid(b, node, i);
    return term;
}

Term *term_infix(TermBuilder *b, Node node, const char *sign)
{
    Term *term = term_call(b, node, sign, NULL);
    term->kind = TERM_INFIX;
    return term;
}

Term *term_wrap(TermBuilder *b, TermKind kind, Term *x, Term *y)
{
    Term *term = term_make(b->arena, kind, kind == TERM_MATMUL ? RANK_MATRIX : RANK_CALL, y ? 2 : 1);
    term->kids[0] = x;
    if (y) term->kids[1] = y;
    return term;
}
