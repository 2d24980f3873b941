/* A model: an image that was checked, and what can be known of it without sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

bool nn_role_is_param(uint8_t role)
{
    return role == NN_PARAM || role == NN_STATE || role == NN_OPTIMIZER_STATE;
}

bool nn_role_is_input(uint8_t role)
{
    return role == NN_INPUT || role == NN_TARGET || role == NN_SOURCE;
}

const nn_program *nn_model_program(const nn_model *model, const char *name)
{
    for (uint32_t i = 0; i < model->image->n_programs; i++)
        if (!strcmp(model->image->programs[i].name, name)) return &model->image->programs[i];
    return NULL;
}

static void mark_dim(void *data, int64_t symbol)
{
    ((uint8_t *)data)[symbol] = 1;
}

static bool fill_tables(nn_model *model)
{
    const nn_image *image = model->image;
    model->inputs = malloc((image->n_tensors + 1) * sizeof *model->inputs);
    model->settings = malloc((image->n_tensors + 1) * sizeof *model->settings);
    model->dim_of_params = calloc(image->n_symbols + 1, 1);
    model->dim_of_states = calloc(image->n_symbols + 1, 1);
    if (!model->inputs || !model->settings || !model->dim_of_params || !model->dim_of_states) return false;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        if (tensor->role == NN_INPUT || tensor->role == NN_TARGET) model->inputs[model->n_inputs++] = i;
        if (tensor->role == NN_SETTING) model->settings[model->n_settings++] = i;
        uint8_t *dims = tensor->role == NN_PARAM   ? model->dim_of_params
                        : tensor->role == NN_STATE ? model->dim_of_states
                                                   : NULL;
        for (int k = 0; dims && k < tensor->rank; k++)
            nn_size_symbols(image->size_code + tensor->dims[k], mark_dim, dims);
    }
    return true;
}

/* What every call would else look up by name. */
static void find_known(nn_model *model)
{
    model->inference = nn_model_program(model, "inference");
    model->training = nn_model_program(model, "training");
    model->step = nn_model_program(model, "step");
    model->step_setting = model->steps_setting = model->progress_setting = -1;
    for (uint32_t i = 0; i < model->n_settings; i++) {
        const char *name = model->image->tensors[model->settings[i]].name;
        if (!strcmp(name, "step")) model->step_setting = model->settings[i];
        if (!strcmp(name, "steps")) model->steps_setting = model->settings[i];
        if (!strcmp(name, "progress")) model->progress_setting = model->settings[i];
    }
}

/* The options as this version knows them: a caller that was compiled when there were fewer gives fewer. */
static int read_options(const nn_options *given, nn_options *options)
{
    *options = (nn_options)NN_OPTIONS_INIT;
    if (!given) return NN_OK;
    if (given->size < offsetof(nn_options, memory) + sizeof given->memory)
        return nn_fail(NN_ERROR_ARGUMENT,
                       "the options begin with their size, %zu cannot be right; NN_OPTIONS_INIT sets it", given->size);
    memcpy(options, given, given->size < sizeof *options ? given->size : sizeof *options);
    const nn_memory *memory = options->memory;
    if (memory && (!memory->allocate || !memory->release))
        return nn_fail(NN_ERROR_ARGUMENT, "memory of the caller's own needs both functions, allocate and release");
    return NN_OK;
}

int nn_model_from_image(const nn_image *image, const nn_options *options, nn_model **out)
{
    if (!out) return nn_fail(NN_ERROR_ARGUMENT, "there is no place for the model (NULL)");
    *out = NULL;
    if (!image) return nn_fail(NN_ERROR_ARGUMENT, "the image is NULL");
    nn_options how;
    int status = read_options(options, &how);
    if (!status) status = nn_image_check(image);
    if (status) return status;
    nn_model *model = calloc(1, sizeof *model);
    if (!model) return nn_fail(NN_ERROR_MEMORY, "no memory for a model");
    atomic_init(&model->references, 1);
    model->image = image;
    model->memory = how.memory ? *how.memory : nn_memory_default;
    if (!nn_names_make(&model->names, image) || !fill_tables(model)) {
        nn_model_free(model);
        return nn_fail(NN_ERROR_MEMORY, "no memory for a model");
    }
    find_known(model);
    *out = model;
    return NN_OK;
}

int nn_model_on_release(nn_model *model, void (*release)(void *data), void *data)
{
    if (!model || !release) return nn_fail(NN_ERROR_ARGUMENT, "the model or the function is NULL");
    if (model->close_library) return nn_fail(NN_ERROR_STATE, "the model %s has an owner already", model->image->name);
    model->library = data;
    model->close_library = release;
    return NN_OK;
}

nn_model *nn_model_keep(nn_model *model)
{
    atomic_fetch_add(&model->references, 1);
    return model;
}

void nn_model_free(nn_model *model)
{
    if (!model || atomic_fetch_sub(&model->references, 1) > 1) return;
    if (model->close_library) model->close_library(model->library);
    nn_names_free(&model->names);
    free(model->inputs);
    free(model->settings);
    free(model->dim_of_params);
    free(model->dim_of_states);
    free(model);
}

int nn_bind_symbols(const nn_model *model, const int64_t *dims, size_t n_dims, int64_t *symbols)
{
    const nn_image *image = model->image;
    if (n_dims > image->n_symbols || (n_dims && !dims))
        return nn_fail(NN_ERROR_ARGUMENT, "%s has %u free dimensions, %zu sizes are given", image->name,
                       image->n_symbols, dims ? n_dims : (size_t)0);
    for (size_t i = 0; i < n_dims; i++) {
        if (dims[i] < NN_FREE)
            return nn_fail(NN_ERROR_ARGUMENT, "%s is %lld, which is no size", image->symbols[i], (long long)dims[i]);
        if (dims[i] < 0 || symbols[i] == dims[i]) continue;
        if (symbols[i] >= 0)
            return nn_fail(NN_ERROR_ARGUMENT, "%s is %lld, but the parameters were made for %lld", image->symbols[i],
                           (long long)dims[i], (long long)symbols[i]);
        symbols[i] = dims[i];
    }
    return NN_OK;
}

int nn_size_fail(const nn_model *model, int status, int64_t unbound, const char *what)
{
    if (status == NN_ERROR_ARGUMENT)
        return nn_fail(NN_ERROR_ARGUMENT, "%s needs the size of %s, which is not given", what,
                       model->image->symbols[unbound]);
    return nn_fail(NN_ERROR_RANGE, "the size of %s does not fit in 64 bits or divides by 0", what);
}
