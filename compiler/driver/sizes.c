#include "driver/sizes.h"

bool sizes_choose(Pipeline *pipeline, int64_t batch)
{
    for (size_t i = 0; i < pipeline->n_dims; i++) {
        if (pipeline->dims[i] >= 0) continue;
        if (i > 0) {
            Name name = pipeline->program->module->dims[i];
            diag_hint(diag_new(pipeline->context->diagnostics, DIAG_free_size, NO_SPAN, "the size `%s` is free", name),
                      "--bind %s=N says what it is", name);
            return false;
        }
        pipeline->dims[i] = batch;
    }
    return true;
}

static bool value_of(void *data, Name symbol, int64_t *out)
{
    const Pipeline *pipeline = data;
    for (size_t i = 0; i < pipeline->n_dims; i++)
        if (pipeline->program->module->dims[i] == symbol) return (*out = pipeline->dims[i]) >= 0;
    return false;
}

bool sizes_value(const Pipeline *pipeline, Dim dim, int64_t *value)
{
    const DimTable *dims = graph_dims(pipeline->program->module->graph);
    return dim_evaluate(dims, dim, value_of, (void *)pipeline, value) && *value >= 0;
}

bool sizes_elements(const Pipeline *pipeline, const Type *type, int64_t *count)
{
    *count = 1;
    for (uint32_t i = 0; i < type->rank; i++) {
        int64_t size;
        if (!sizes_value(pipeline, type->dims[i], &size) || __builtin_mul_overflow(*count, size, count)) return false;
    }
    return true;
}

int64_t sizes_batch(const Pipeline *pipeline)
{
    if (pipeline->options->batch > 0) return pipeline->options->batch;
    OptionalNumber batch = pipeline->program->train.batch;
    return batch.given ? (int64_t)batch.value : 32;
}
