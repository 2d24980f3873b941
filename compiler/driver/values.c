#include "driver/values.h"

#include <math.h>
#include <stdlib.h>

#include "ir/eval.h"
#include "nn_random.h"

static double draw(const Type *type, int64_t range, uint64_t seed, uint32_t stream, uint64_t index)
{
    double a = nn_random_uniform(seed, stream, 0, index);
    if (!dtype_is_float(type->dtype)) return floor(a * (double)range);
    double b = nn_random_uniform(seed, stream + 1, 0, index);
    return sqrt(-2 * log(a)) * cos(2 * 3.141592653589793 * b);
}

static int64_t range_of(const Pipeline *pipeline, const Type *type)
{
    int64_t range;
    if (type->dtype == DTYPE_BOOL) return 2;
    return !dim_is_none(type->range) && sizes_value(pipeline, type->range, &range) && range > 0 ? range : 10;
}

bool values_random(Pipeline *pipeline, uint64_t seed, Values *values)
{
    const Module *module = pipeline->program->module;
    *values = (Values){calloc(module->n_inputs + 1, sizeof(void *)), module->n_inputs};
    if (!values->at) abort();
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        const Type *type = node_type(module->graph, module->inputs[i].node);
        int64_t count, range = range_of(pipeline, type);
        if (!sizes_elements(pipeline, type, &count) ||
            !(values->at[i] = calloc((size_t)count + 1, dtype_size(type->dtype)))) {
            diag_new(pipeline->context->diagnostics, DIAG_out_of_memory, module->inputs[i].place,
                     "this input is too large");
            values_free(values);
            return false;
        }
        for (int64_t j = 0; j < count; j++) {
            double value = draw(type, range, seed, 2 * i, (uint64_t)j);
            dtype_store(type->dtype, (char *)values->at[i] + (size_t)j * dtype_size(type->dtype), &value, 1);
        }
    }
    return true;
}

void values_free(Values *values)
{
    for (size_t i = 0; i < values->count; i++) free(values->at[i]);
    free(values->at);
    *values = (Values){0};
}
