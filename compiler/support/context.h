/* Context: what every stage of one compilation shares. No globals: two contexts may work in two threads. */
#ifndef NNC_SUPPORT_CONTEXT_H
#define NNC_SUPPORT_CONTEXT_H

#include <signal.h>
#include <stdint.h>

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
    int depth;                         /* of what is being worked on, in levels */
    uint64_t budget, spent;            /* units of work (context_spend) */
    Span place;                        /* of the last work that had one */
    bool exhausted;                    /* a limit was passed, which was said: what works on it is to end */
} Context;

/* How deep the syntax tree and what it calls may be followed together. Every recursion over a user's text is bounded by
 * this or by the tree's own depth (syntax.h), for both of which STACK_SIZE (stack.h) suffices. */
enum { DEEPEST_LEVEL = 4000 };

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

/* One level deeper; false beyond the deepest one. context_ascend comes back either way. */
bool context_descend(Context *context);
void context_ascend(Context *context);
/* Work is counted before it is done: an expression that is evaluated, a node of the graph and a step of the arithmetic
 * of a kernel that is compiled are a unit or a few, so that a unit is worth some ten microseconds at most. Beyond the
 * budget this is false, after a diagnostic at the place, or at the last one where this one is none, and the context is
 * exhausted. */
enum { DEFAULT_BUDGET = 1000000 };
bool context_spend(Context *context, uint64_t units, Span at);
/* A limit was passed, which the caller says: context_stopped is true until context_refresh. */
void context_exhaust(Context *context);
/* Begins something new, with a whole budget. */
void context_refresh(Context *context);

/* True if work on the context must end: the user asked for it, which then is a diagnostic, or a limit was exceeded.
 * Callers ask between pieces of work and then give up, as after any other error. */
bool context_stopped(Context *context);
/* The same without the diagnostic: for threads beside the context's own. */
bool context_stop_asked(const Context *context);

#endif
