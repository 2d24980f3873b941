/* Graph nodes as mathematics, for reading: products and powers gathered, the user's names kept, what is used more than
 * once named on a line of its own. Display is real algebra: it never changes code that runs. */
#ifndef NNC_DISPLAY_DISPLAY_H
#define NNC_DISPLAY_DISPLAY_H

#include "rules/rules.h"

typedef enum { DISPLAY_TEXT, DISPLAY_LATEX } DisplayForm;

/* Writes the value of `node` as a formula without a final newline. Named values within it stay names; shared subterms
 * become lines `t1 = …` before it. The rules of rules/display.nn are applied to nodes of their own in the graph. */
void display_formula(Graph *graph, Node node, DisplayForm form, Text *to);

/* The first step of it alone: the node that stands for `node` after the rules, nodes of their own in the graph.
 * `applied` (may be NULL) hears of each rule. */
Node display_rewrite(Graph *graph, Node node, void (*applied)(void *data, const Rule *rule), void *data);

#endif
