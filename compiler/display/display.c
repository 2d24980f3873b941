#include "display/display.h"

#include <stdlib.h>

#include "display/notation.h"
#include "support/vector.h"

typedef Vec(Term *) TermList;

/* Names, short calls and comparisons are read faster where they stand. */
static bool deserves_line(const Term *term)
{
    if (term->kind == TERM_INFIX && term->name[0] != '^') return false;
    return term->n_kids > 1 || (term->n_kids == 1 && term->kids[0]->n_kids);
}

/* Counts uses; whether matrices are multiplied. Only kids of terms that are shown are visited, each once. */
static void count_uses(Term *term, bool *matrices)
{
    if (term->uses++) return;
    *matrices |= term->kind == TERM_MATMUL;
    for (uint32_t i = 0; i < term->n_kids; i++) count_uses(term->kids[i], matrices);
}

/* Numbers shared terms in the order in which they can be read: kids first. */
static void label_terms(Term *term, TermList *lines)
{
    if (term->uses == 0) return;
    uint32_t uses = term->uses;
    term->uses = 0; /* visited */
    for (uint32_t i = 0; i < term->n_kids; i++) label_terms(term->kids[i], lines);
    if (uses > 1 && deserves_line(term)) {
        vec_push(lines, term);
        term->label = (uint32_t)lines->count;
    }
}

void display_formula(Graph *graph, Node node, DisplayForm form, Text *to)
{
    Arena *arena = arena_new();
    Term *root = term_of(graph, arena, node);
    TermList lines = {0};
    bool matrices = false;
    count_uses(root, &matrices);
    label_terms(root, &lines);
    const Notation *notation = form == DISPLAY_LATEX ? &notation_latex : &notation_text;
    if (lines.count) text_string(to, notation->lines[0]);
    for (size_t i = 0; i < lines.count; i++) {
        uint32_t label = lines.at[i]->label;
        lines.at[i]->label = 0;
        text_format(to, "%s%u%s = ", notation->label[0], label, notation->label[1]);
        term_print(lines.at[i], notation, matrices, to);
        text_string(to, notation->lines[1]);
        lines.at[i]->label = label;
    }
    term_print(root, notation, matrices, to);
    if (lines.count) text_string(to, notation->lines[2]);
    vec_free(&lines);
    arena_free(arena);
}
