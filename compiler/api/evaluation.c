#include "api/evaluation.h"

#include <string.h>

bool evaluation_add(Context *context, Program *program, MetricPart **parts, size_t *n_parts)
{
    Module *module = program->module;
    MetricSplit split;
    if (!program->n_splits || !module->n_dims) return true;
    if (!metrics_split(module, module_function(module, "inference"), module->dims[0], &split)) return false;
    Function *functions = ARENA_ARRAY(context->arena, Function, module->n_functions + 2);
    memcpy(functions, module->functions, module->n_functions * sizeof *functions);
    functions[module->n_functions++] = split.accumulate;
    functions[module->n_functions++] = split.finish;
    module->functions = functions;
    *parts = split.parts;
    *n_parts = split.n_parts;
    return true;
}

void evaluation_follow(Program *program, MetricPart **parts, size_t *n_parts)
{
    Module *module = program->module;
    uint32_t count;
    *n_parts = 0;
    if (module->n_dims && metrics_run(module, module->dims[0], parts, &count)) *n_parts = count;
}
