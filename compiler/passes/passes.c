#include "passes/passes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passes/passes_internal.h"
#include "support/vector.h"

enum { DIFFERENTIATED = 1, EXPANDED = 2, N_PROPERTIES = 2 };

static const char *const property_words[N_PROPERTIES] = {"differentiated", "expanded"};
static const char *const property_passes[N_PROPERTIES] = {"differentiate", "expand"};

typedef struct {
    const char *name;
    bool (*function)(Module *module, const PassOptions *options);
    unsigned needs, keeps;
    const char *what;
} Pass;

static const Pass passes[] = {
#define PASS(name, function, needs, keeps, what) {#name, function, needs, keeps, what},
#include "passes/passes.def"
#undef PASS
};

enum { N_PASSES = sizeof passes / sizeof *passes };

const char *pass_name(unsigned index, const char **purpose)
{
    if (index >= N_PASSES) return NULL;
    if (purpose) *purpose = passes[index].what;
    return passes[index].name;
}

static unsigned lost_property(Op op)
{
    if (op == OP_GRADIENT || op == OP_STOP_GRADIENT || op == OP_CUSTOM_GRADIENT) return DIFFERENTIATED;
    return op == OP_SOFTMAX || op == OP_LOG_SOFTMAX || op == OP_LOGSUMEXP ? EXPANDED : 0;
}

/* Found by looking, not by bookkeeping: a module read from text has no history. */
static unsigned properties_of(const Module *module)
{
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    unsigned properties = DIFFERENTIATED | EXPANDED;
    for (uint32_t i = 0; i < count; i++) properties &= ~lost_property(node_op(module->graph, nodes[i]));
    free(nodes);
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

bool pass_run(const char *name, Module *module, const PassOptions *options)
{
    static const PassOptions none = {0};
    const Pass *pass = find_pass(module, name);
    if (!options) options = &none;
    Context *context = graph_context(module->graph);
    if (!pass || context_stopped(context) || !needs_are_met(module, pass)) return false;
    if (!pass->function(module, options) || context_stopped(context)) return false;
#ifndef NDEBUG
    const char *wrong = module_verify(module);
    if (wrong) fprintf(stderr, "nnc: internal error: after %s: %s\n", name, wrong), abort();
#endif
    if (options->after) options->after(options->data, name, module);
    return true;
}

bool passes_run(Module *module, const PassOptions *options)
{
    static const char *const order[] = {"require",  "fold",   "simplify", "differentiate",
                                        "simplify", "expand", "fold",     "dead"};
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
        if (!pass_run(order[i], module, options)) return false;
    return true;
}
