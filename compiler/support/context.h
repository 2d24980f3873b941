/* Context: what every stage of one compilation shares. No globals: two contexts may work in two threads. */
#ifndef NNC_SUPPORT_CONTEXT_H
#define NNC_SUPPORT_CONTEXT_H

#include <signal.h>

#include "support/arena.h"
#include "support/diag.h"
#include "support/intern.h"
#include "support/source.h"
#include "support/vector.h"

typedef struct {
    const char *name;
    const void *thing;
} KeptThing;

typedef struct Context {
    Arena *arena;
    Interner *names;
    SourceMap *sources;
    Diagnostics *diagnostics;
    const struct Context *base;
    Vec(KeptThing) kept;
    const volatile sig_atomic_t *stop; /* nonzero: what works on it is to end; NULL: nobody can say so */
} Context;

Context *context_new(void);
/* A context that has what `base` has: its names, its sources, and what it keeps. The base may carry any number of
 * contexts, in several threads too, must outlive them, and is not written to any more. */
Context *context_new_on(const Context *base);
/* Frees all that was made from it. NULL is allowed. */
void context_free(Context *context);

/* What is made once a context because making it takes time, and is never changed: the prelude, sets of rules. `name`
 * must live as long as the context. */
void context_keep(Context *context, const char *name, const void *thing);
/* NULL when neither the context nor its base keeps it. */
const void *context_kept(const Context *context, const char *name);

/* Whether the user wants an end of what works on the context, which is a diagnostic then. It is asked between pieces of
 * work; who is told so gives up, as after any other mistake. */
bool context_stopped(Context *context);
/* The same without the diagnostic: for threads beside the context's own. */
bool context_stop_asked(const Context *context);

#endif
