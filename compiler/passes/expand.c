/* Named operators become what the machine computes. Runs after differentiation: a derivative is taken of the name. */
#include "passes/passes_internal.h"

bool pass_expand(Module *module, const PassOptions *options)
{
    return apply_rules(module, options, "expand", "expand.nn");
}
