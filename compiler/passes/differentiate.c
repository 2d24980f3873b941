/* Gradients become graphs. Runs on a simplified module, and simplifies between the orders of derivatives: a derivative
 * is never taken of an unstable form. */
#include "autodiff/autodiff.h"
#include "passes/passes_internal.h"

static bool simplify(void *data, Module *module)
{
    const PassOptions *options = data;
    return pass_simplify(module, options);
}

bool pass_differentiate(Module *module, const PassOptions *options)
{
    return autodiff_run(module, graph_context(module->graph), simplify, (void *)options);
}
