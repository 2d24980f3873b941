/* Context: what every stage of one compilation shares. No globals: two contexts may work in two threads. */
#ifndef NNC_SUPPORT_CONTEXT_H
#define NNC_SUPPORT_CONTEXT_H

#include "support/arena.h"
#include "support/diag.h"
#include "support/intern.h"
#include "support/source.h"

typedef struct Context {
    Arena *arena;
    Interner *names;
    SourceMap *sources;
    Diagnostics *diagnostics;
} Context;

Context *context_new(void);
/* Frees all that was made from it. NULL is allowed. */
void context_free(Context *context);

#endif
