/* A module as a Graphviz drawing. */
#ifndef NNC_API_PICTURE_H
#define NNC_API_PICTURE_H

#include "ir/module.h"

/* The functions "inference" and "training": operators as boxes, shapes on the edges; what only gradients and updates
 * need is in the second tone. */
void picture_print(const Module *module, Text *to);

#endif
