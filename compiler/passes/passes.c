#include "passes/passes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passes/passes_internal.h"
#include "support/memory.h"
#include "support/vector.h"

enum { DIFFERENTIATED = 1, EXPANDED = 2, N_PROPERTIES = 2 };

static const char *const property_words[N_PROPERTIES] = {"differentiated", "expanded"};
static const char *const property_passes[N_PROPERTIES] = {"differentiate", "expand"};

typedef struct {
    const char *name;
    bool (*function)(Module *module, const PassOptions *options);
    unsigned needs, makes, keeps;
    const char *what;
} Pass;

static const Pass passes[] = {
#define PASS(name, function, needs, makes, keeps, what) {#name, function, needs, makes, keeps, what},
#include "passes/passes.def"
#undef PASS
};

typedef enum {
#define PASS(name, function, needs, makes, keeps, what) PASS_##name,
#include "passes/passes.def"
#undef PASS
    N_PASSES
} PassId;

enum { MAX_STEPS = 8 };

static const struct {
    unsigned count;
    PassId steps[MAX_STEPS];
} recipes[RECIPE_COUNT] = {
#define RECIPE(id, ...) {sizeof(PassId[]){__VA_ARGS__} / sizeof(PassId), {__VA_ARGS__}},
#include "passes/recipes.def"
#undef RECIPE
};

const char *pass_name(unsigned index, const char **purpose)
{
    if (index >= N_PASSES) return NULL;
    if (purpose) *purpose = passes[index].what;
    return passes[index].name;
}

static unsigned lost_property(const Graph *graph, Node node)
{
    Op op = node_op(graph, node);
    if (op == OP_GRADIENT || op == OP_STOP_GRADIENT || op == OP_CUSTOM_GRADIENT) return DIFFERENTIATED;
    return needs_expansion(graph, node) ? EXPANDED : 0;
}

/* Found by looking, not by bookkeeping: a module read from text has no history. */
static unsigned properties_of(const Module *module)
{
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    unsigned properties = DIFFERENTIATED | EXPANDED;
    for (uint32_t i = 0; i < count; i++) properties &= ~lost_property(module->graph, nodes[i]);
    memory_free(nodes);
    return properties;
}

static const Pass *find_pass(const Module *module, const char *name)
{
    const char *names[N_PASSES];
    for (unsigned i = 0; i < N_PASSES; i++) {
        if (!strcmp(passes[i].name, name)) return &passes[i];
        names[i] = passes[i].name;
    }
    Diag *diag =
        diag_new(graph_context(module->graph)->diagnostics, DIAG_unknown_pass, NO_SPAN, "no pass is called `%s`", name);
    const char *nearest = nearest_spelling(name, names, N_PASSES);
    if (nearest) diag_hint(diag, "did you mean `%s`?", nearest);
    return NULL;
}

static bool needs_are_met(const Module *module, const Pass *pass)
{
    if (!pass->needs) return true;
    unsigned missing = pass->needs & ~properties_of(module);
    for (unsigned i = 0; i < N_PROPERTIES; i++) {
        if (!(missing >> i & 1)) continue;
        Diag *diag = diag_new(graph_context(module->graph)->diagnostics, DIAG_pass_order, NO_SPAN,
                              "the pass `%s` needs a graph that is %s", pass->name, property_words[i]);
        diag_hint(diag, "run `%s` before", property_passes[i]);
    }
    return !missing;
}

#ifndef NDEBUG
/* A pass leaves a valid module that has what its row says. Looking at all of it costs as much as the pass. */
static void check_pass(const Module *module, const Pass *pass, unsigned before)
{
    const char *wrong = module_verify(module);
    unsigned lost = (pass->makes | (pass->keeps & before)) & ~properties_of(module);
    if (wrong) fprintf(stderr, "nnc: internal error: after %s: %s\n", pass->name, wrong), abort();
    if (lost) fprintf(stderr, "nnc: internal error: %s loses what passes.def says it keeps\n", pass->name), abort();
}
#endif

static bool run(const Pass *pass, Module *module, const PassOptions *options)
{
    static const PassOptions none = {0};
    if (!options) options = &none;
    Context *context = graph_context(module->graph);
    if (context_stopped(context) || !needs_are_met(module, pass)) return false;
#ifndef NDEBUG
    unsigned before = properties_of(module);
#endif
    if (!pass->function(module, options) || context_stopped(context)) return false;
#ifndef NDEBUG
    check_pass(module, pass, before);
#endif
    if (options->after) options->after(options->data, pass->name, module);
    return true;
}

bool pass_run(const char *name, Module *module, const PassOptions *options)
{
    const Pass *pass = find_pass(module, name);
    return pass && run(pass, module, options);
}

bool passes_run(Recipe recipe, Module *module, const PassOptions *options)
{
    for (unsigned i = 0; i < recipes[recipe].count; i++)
        if (!run(&passes[recipes[recipe].steps[i]], module, options)) return false;
    return true;
}

const char *recipe_pass(Recipe recipe, unsigned index)
{
    return index < recipes[recipe].count ? passes[recipes[recipe].steps[index]].name : NULL;
}
