#include "display/display.h"

#include <stdlib.h>

#include "display/term.h"
#include "support/vector.h"

typedef Vec(Term *) TermList;

/* Names, short calls and comparisons are read faster where they stand. */
static bool deserves_line(const Term *term)
{
    if (term->kind == TERM_INFIX && term->name[0] != '^') return false;
    return term->n_kids > 1 || (term->n_kids == 1 && term->kids[0]->n_kids);
}

/* Counts uses and lists the shared terms that deserve a line, what they need first. Only kids of terms that are shown
 * are visited, each once. */
static void count_uses(Term *term, TermList *shared)
{
    if (term->uses++) {
        if (term->uses == 2 && deserves_line(term)) vec_push(shared, term);
        return;
    }
    for (uint32_t i = 0; i < term->n_kids; i++) count_uses(term->kids[i], shared);
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
    TermList shared = {0}, lines = {0};
    count_uses(root, &shared);
    label_terms(root, &lines);
    void (*print)(const Term *, Text *) = form == DISPLAY_LATEX ? term_print_latex : term_print_text;
    const char *end = form == DISPLAY_LATEX ? " \\\\\n" : "\n";
    for (size_t i = 0; i < lines.count; i++) {
        uint32_t label = lines.at[i]->label;
        lines.at[i]->label = 0;
        text_format(to, form == DISPLAY_LATEX ? "t_{%u} = " : "t%u = ", label);
        print(lines.at[i], to);
        text_string(to, end);
        lines.at[i]->label = label;
    }
    print(root, to);
    vec_free(&shared);
    vec_free(&lines);
    arena_free(arena);
}
