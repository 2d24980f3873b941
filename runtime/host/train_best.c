/* Weights other than the last: running means, and those that did best on the validation data. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/train_internal.h"

static size_t value_size(const nn_params *params, uint32_t tensor)
{
    return (size_t)params->values[tensor].elements * nn_dtype_size(params->model->image->tensors[tensor].dtype);
}

/* ---- Running means ---- */

/* The mean of the parameter, or -1 when it has none. */
static int64_t find_average(const nn_params *params, uint32_t tensor)
{
    static const char before[] = "optimizer/", behind[] = "/average";
    const nn_image *image = params->model->image;
    const char *path = image->tensors[tensor].name;
    size_t length = strlen(path);
    if (image->tensors[tensor].role != NN_PARAM || !params->values[tensor].at) return -1;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const char *name = image->tensors[i].name;
        if (params->values[i].at && !strncmp(name, before, sizeof before - 1) &&
            !strncmp(name + sizeof before - 1, path, length) && !strcmp(name + sizeof before - 1 + length, behind))
            return i;
    }
    return -1;
}

void nn_swap_averages(nn_params *params)
{
    for (uint32_t i = 0; i < params->model->image->n_tensors; i++) {
        int64_t average = find_average(params, i);
        if (average < 0) continue;
        unsigned char *a = params->values[i].at, *b = params->values[average].at;
        for (size_t k = value_size(params, i); k--;) {
            unsigned char byte = a[k];
            a[k] = b[k];
            b[k] = byte;
        }
    }
}

void nn_take_averages(nn_params *params)
{
    for (uint32_t i = 0; i < params->model->image->n_tensors; i++) {
        int64_t average = find_average(params, i);
        if (average >= 0) memcpy(params->values[i].at, params->values[average].at, value_size(params, i));
    }
}

/* ---- The best ---- */

static bool is_kept(const nn_params *params, uint32_t tensor)
{
    uint8_t role = params->model->image->tensors[tensor].role;
    return params->values[tensor].at && (role == NN_PARAM || role == NN_STATE);
}

int nn_best_new(nn_trainer *trainer)
{
    const nn_params *params = trainer->training->params;
    uint32_t count = params->model->image->n_tensors;
    nn_best *best = &trainer->best;
    if (!trainer->training->patience) return NN_OK;
    if (!trainer->training->valid)
        return nn_fail(NN_ERROR_ARGUMENT, "patience looks at the loss of validation data, and there is none");
    best->values = calloc(count + 1, sizeof *best->values);
    bool good = best->values != NULL;
    for (uint32_t i = 0; good && i < count; i++)
        if (is_kept(params, i)) good = (best->values[i] = malloc(value_size(params, i) + 1)) != NULL;
    return good ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory to keep the best weights");
}

void nn_best_free(nn_trainer *trainer)
{
    if (!trainer->best.values) return;
    for (uint32_t i = 0; i < trainer->training->params->model->image->n_tensors; i++) free(trainer->best.values[i]);
    free(trainer->best.values);
}

static void keep_values(nn_trainer *trainer)
{
    const nn_params *params = trainer->training->params;
    for (uint32_t i = 0; i < params->model->image->n_tensors; i++)
        if (trainer->best.values[i]) memcpy(trainer->best.values[i], params->values[i].at, value_size(params, i));
}

int nn_best_see(nn_trainer *trainer, uint64_t step, const nn_score *valid, size_t n_valid)
{
    nn_best *best = &trainer->best;
    bool better = true;
    if (best->values) {
        if (!n_valid || strcmp(valid[0].name, "loss"))
            return nn_fail(NN_ERROR_ARGUMENT, "patience looks at the loss of the validation data, which has none");
        /* A loss that is NaN is never better. */
        better = best->step ? valid[0].value < best->loss : !isnan(valid[0].value);
        best->waited = better ? 0 : best->waited + 1;
        if (better) {
            best->loss = valid[0].value;
            best->step = step;
            keep_values(trainer);
        }
    }
    if (!better) return NN_OK;
    memcpy(trainer->valid, valid, n_valid * sizeof *valid);
    trainer->n_valid = n_valid;
    return NN_OK;
}

void nn_best_restore(nn_trainer *trainer)
{
    nn_params *params = trainer->training->params;
    if (!trainer->best.values || !trainer->best.step) return;
    for (uint32_t i = 0; i < params->model->image->n_tensors; i++)
        if (trainer->best.values[i]) memcpy(params->values[i].at, trainer->best.values[i], value_size(params, i));
}

bool nn_best_is_over(const nn_trainer *trainer)
{
    return trainer->best.values && trainer->best.waited >= trainer->training->patience;
}
