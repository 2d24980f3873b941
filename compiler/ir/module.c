#include "ir/module.h"

#include <string.h>

Function *module_function(const Module *module, const char *name)
{
    for (uint32_t i = 0; i < module->n_functions; i++)
        if (!strcmp(module->functions[i].name, name)) return &module->functions[i];
    return NULL;
}

Result *function_result(const Function *function, ResultRole role, Name name)
{
    for (uint32_t i = 0; i < function->n_results; i++)
        if (function->results[i].role == role && function->results[i].name == name) return &function->results[i];
    return NULL;
}
