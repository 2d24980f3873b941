/* Passes: functions from module to module, each declared once in passes.def. A pass never changes what a module
 * computes beyond the accuracy that its file states. */
#ifndef NNC_PASSES_PASSES_H
#define NNC_PASSES_PASSES_H

#include "ir/module.h"

/* The orders in which passes are run; see recipes.def. */
typedef enum {
#define RECIPE(id, ...) RECIPE_##id,
#include "passes/recipes.def"
#undef RECIPE
    RECIPE_COUNT
} Recipe;

/* One application of a rule: what stood there, what stands there now, and the rule. */
typedef struct {
    const char *pass;
    const char *rule;
    Node before, after; /* of the module's graph */
    Span place;         /* where `before` came from; NO_SPAN when nothing is known */
} Rewrite;

typedef struct {
    /* Called once for each rule and place where it was applied, in order; NULL: nobody asks (`--explain`). */
    void (*explain)(void *data, const Module *module, const Rewrite *rewrite);
    /* Called after each pass of a pipeline; NULL: nobody asks (`--dump-after`). */
    void (*after)(void *data, const char *pass, const Module *module);
    void *data;
    Name batch; /* the free size that counts rows, for `metrics`; NULL: the module's first */
} PassOptions;

/* Runs one pass; options may be NULL. False after diagnostics: unknown name, a need that is not met, or the pass's own.
 */
bool pass_run(const char *name, Module *module, const PassOptions *options);
/* Runs the passes of a recipe, in its order, as long as they succeed. */
bool passes_run(Recipe recipe, Module *module, const PassOptions *options);
/* For listings: the name of the pass at `index` of a recipe; NULL past its last. */
const char *recipe_pass(Recipe recipe, unsigned index);

/* For listings: the name and purpose of pass `index`; NULL past the last. */
const char *pass_name(unsigned index, const char **purpose);

#endif
