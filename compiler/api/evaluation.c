#include "api/evaluation.h"

bool evaluation_add(Program *program, MetricPart **parts, size_t *n_parts)
{
    Module *module = program->module;
    MetricSplit split;
    if (!program->n_splits || !module->n_dims) return true;
    if (!metrics_split(module, module_function(module, "inference"), module->dims[0], &split)) return false;
    module_add_functions(module, (Function[]){split.accumulate, split.finish}, 2);
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
