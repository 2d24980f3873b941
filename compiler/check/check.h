/* Check: what can be said about items without knowing a shape, whether they are used or not. */
#ifndef NNC_CHECK_CHECK_H
#define NNC_CHECK_CHECK_H

#include "check/items.h"

/* Names, argument names and counts of known functions, recursion, where statements may stand, left sides. */
void check_items(const Items *items);

#endif
