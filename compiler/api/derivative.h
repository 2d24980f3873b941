/* The derivative of one named value by another, for reading. */
#ifndef NNC_API_DERIVATIVE_H
#define NNC_API_DERIVATIVE_H

#include "passes/passes.h"

/* A value of the elaborated module's inference form: an input, parameter, state or setting, or what the user bound to a
 * name (the last binding wins). NODE_NONE after a diagnostic that begins with `option`. */
Node derivative_value(const Module *module, const char *option, const char *name);
/* d of / d wrt, rewritten and differentiated; of the sum when `of` is no scalar. The module's functions stay as they
 * are. `how` (may be NULL) is told each rewrite. NODE_NONE after a diagnostic. */
Node derivative_find(const Module *module, Node of, Node wrt, const PassOptions *how);

#endif
