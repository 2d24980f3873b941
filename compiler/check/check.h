/* Check: what can be said about items without knowing a shape, whether they are used or not. */
#ifndef NNC_CHECK_CHECK_H
#define NNC_CHECK_CHECK_H

#include "check/items.h"

/* The user's items: names, argument names and counts of known functions, recursion, where statements may stand, left
 * sides. */
void check_items(const Items *items);
/* One item alone, however it is called by others. */
void check_one(const Items *items, const Item *item);
/* The same for the prelude, which programs trust: a test calls it. */
void check_prelude(const Items *items);

/* Says what may stand left of `=` instead of `left`. */
void check_hint_left(Diag *diag, const Syntax *left);

#endif
