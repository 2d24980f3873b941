/* Gradients become graphs. Runs on a simplified module: a derivative is never taken of an unstable form. */
#include "autodiff/autodiff.h"
#include "passes/passes_internal.h"

bool pass_differentiate(Module *module, const PassOptions *options)
{
    (void)options;
    return autodiff_run(module, graph_context(module->graph));
}
