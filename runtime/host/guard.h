/* Guard mode: every buffer in a mapping of its own that ends at a page which cannot be touched, and begins after one.
 * Reading or writing past either border stops the process with SIGSEGV; sanitizers cannot see that in generated code.
 * (The border behind is exact to a byte, the one in front to a page.) */
#ifndef NN_HOST_GUARD_H
#define NN_HOST_GUARD_H

#include "nn.h"

/* For nn_options.memory; `separate` is set, so dead buffers are filled with NaN too. */
nn_memory nn_guard_memory(void);

#endif
