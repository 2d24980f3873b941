/* A module as a Graphviz drawing. */
#ifndef NNC_API_PICTURE_H
#define NNC_API_PICTURE_H

#include "ir/module.h"

/* The function "training" (or "inference", where there is no loss): layers as clusters that open into operators, shapes
 * on the edges, the forward pass from top to bottom and beside it, in a second tone, the backward pass from bottom to
 * top. Turns of a repeat that are alike are drawn once, as `h[0] … h[99]`. What updates compute is left out. */
void picture_print(const Module *module, Text *to);
/* What Graphviz has made of the drawing, with colours for dark paper where that is preferred. */
void picture_paint(const Text *svg, Text *to);

#endif
