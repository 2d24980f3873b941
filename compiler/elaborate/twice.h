/* What is applied twice and was meant once: a softmax before a loss that takes logits. */
#ifndef NNC_ELABORATE_TWICE_H
#define NNC_ELABORATE_TWICE_H

#include "elaborate/elaborator.h"

/* A warning for each such place that a loss or metric of the function needs. */
void twice_warn(Elaborator *el, const Function *function);

#endif
