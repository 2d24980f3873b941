/* Parameters: the values that outlive a call. */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

static bool values_belong_here(const nn_params *params, const nn_tensor_info *tensor, nn_value *value, int *status)
{
    const nn_image *image = params->model->image;
    int64_t unbound;
    if (!nn_role_is_param(tensor->role)) return false;
    *status = nn_tensor_sizes(image, tensor, params->symbols, value->dims, &value->elements, &unbound);
    /* A state whose size changes with each call belongs to the session. */
    if (*status == NN_ERROR_ARGUMENT && tensor->role == NN_STATE)
        *status = NN_OK;
    else if (*status)
        nn_size_fail(params->model, *status, unbound, tensor->name);
    else
        return true;
    return false;
}

static int allocate_values(nn_params *params)
{
    const nn_image *image = params->model->image;
    const nn_memory *memory = &params->model->memory;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        nn_value *value = &params->values[i];
        int status = NN_OK;
        if (!values_belong_here(params, tensor, value, &status)) {
            if (status) return status;
            continue;
        }
        value->at = nn_memory_new(memory, (size_t)value->elements * nn_dtype_size(tensor->dtype));
        if (!value->at) return nn_fail(NN_ERROR_MEMORY, "no memory for %s", tensor->name);
    }
    return NN_OK;
}

/* Draws the first values: the program `initialise`, run by a session of its own. */
static int initialise(nn_params *params)
{
    const nn_program *program = nn_model_program(params->model, "initialise");
    if (!program) return NN_OK;
    nn_session *session = NULL;
    nn_binding *binding = NULL;
    int status = nn_session_new(params, NULL, &session);
    if (status) return status;
    memcpy(session->symbols, params->symbols, params->model->image->n_symbols * sizeof *params->symbols);
    status = nn_session_bind(session, program, false, true, &binding);
    if (!status) status = nn_binding_run(session, binding, NN_FORWARD, NN_UPDATE, 0);
    nn_session_free(session);
    return status;
}

/* The weights that came with the code take the place of drawn ones. */
static int start_from_weights(nn_params *params)
{
    const nn_image *image = params->model->image;
    if (image->image_size < sizeof *image || !image->weights) return NN_OK;
    return nn_params_load_memory(params, image->weights, (size_t)image->weights_size, NN_LOAD_WEIGHTS);
}

int nn_params_draw(nn_model *model, const int64_t *dims, size_t n_dims, uint64_t seed, nn_params **out)
{
    const nn_image *image = model->image;
    nn_params *params = calloc(1, sizeof *params);
    if (!params) return nn_fail(NN_ERROR_MEMORY, "no memory for parameters");
    atomic_init(&params->references, 1);
    params->model = nn_model_keep(model);
    params->seed = seed;
    params->symbols = malloc((image->n_symbols + 1) * sizeof *params->symbols);
    params->values = calloc(image->n_tensors + 1, sizeof *params->values);
    params->settings = calloc(image->n_tensors + 1, sizeof *params->settings);
    int status = NN_OK;
    if (!params->symbols || !params->values || !params->settings) {
        status = nn_fail(NN_ERROR_MEMORY, "no memory for parameters");
    } else {
        for (uint32_t i = 0; i < image->n_symbols; i++) params->symbols[i] = NN_FREE;
        status = nn_bind_symbols(model, dims, n_dims, params->symbols);
    }
    for (uint32_t i = 0; !status && i < image->n_tensors; i++)
        if (image->tensors[i].role == NN_SETTING) params->settings[i] = image->tensors[i].value;
    if (!status) status = nn_check_symbols(model, params->symbols, params->settings);
    if (!status) status = allocate_values(params);
    if (!status) status = initialise(params);
    if (status) {
        nn_params_free(params);
        return status;
    }
    *out = params;
    return NN_OK;
}

int nn_params_new(nn_model *model, const int64_t *dims, size_t n_dims, uint64_t seed, nn_params **out)
{
    if (!out) return nn_fail(NN_ERROR_ARGUMENT, "there is no place for the parameters (NULL)");
    *out = NULL;
    if (!model) return nn_fail(NN_ERROR_ARGUMENT, "the model is NULL");
    nn_params *params = NULL;
    int status = nn_params_draw(model, dims, n_dims, seed, &params);
    if (!status) status = start_from_weights(params);
    if (status) {
        nn_params_free(params);
        return status;
    }
    *out = params;
    return NN_OK;
}

int nn_params_from_image(const nn_image *image, const int64_t *dims, size_t n_dims, uint64_t seed, nn_params **params)
{
    nn_model *model = NULL;
    if (params) *params = NULL;
    int status = nn_model_from_image(image, NULL, &model);
    if (!status) status = nn_params_new(model, dims, n_dims, seed, params);
    nn_model_free(model);
    return status;
}

nn_params *nn_params_keep(nn_params *params)
{
    atomic_fetch_add(&params->references, 1);
    return params;
}

void nn_params_free(nn_params *params)
{
    if (!params || atomic_fetch_sub(&params->references, 1) > 1) return;
    const nn_image *image = params->model->image;
    for (uint32_t i = 0; params->values && i < image->n_tensors; i++)
        nn_memory_free(&params->model->memory, params->values[i].at,
                       (size_t)params->values[i].elements * nn_dtype_size(image->tensors[i].dtype));
    for (nn_note *note = params->notes, *next; note; note = next) {
        next = note->next;
        free(note->value);
        free(note);
    }
    nn_model_free(params->model);
    free(params->symbols);
    free(params->values);
    free(params->settings);
    free(params);
}

nn_model *nn_params_model(nn_params *params)
{
    return params ? params->model : NULL;
}

/* The parameter of the name when the arguments make sense. */
static int find_value(const nn_params *params, const char *name, nn_type type, const void *values, size_t count,
                      int64_t *index)
{
    if (!params || !name || !values)
        return nn_fail(NN_ERROR_ARGUMENT, "the parameters, the name or the values are NULL");
    if (!nn_type_size(type)) return nn_fail(NN_ERROR_ARGUMENT, "%d is no element type", (int)type);
    *index = nn_params_find(params, name);
    if (*index < 0)
        return nn_fail(NN_ERROR_ARGUMENT, "%s has no parameter or state %s", params->model->image->name, name);
    if ((uint64_t)params->values[*index].elements != count)
        return nn_fail(NN_ERROR_ARGUMENT, "%s has %lld elements, not %zu", name,
                       (long long)params->values[*index].elements, count);
    return NN_OK;
}

int nn_params_get(nn_params *params, const char *name, nn_type type, void *values, size_t count)
{
    int64_t index = 0;
    int status = find_value(params, name, type, values, count, &index);
    if (status) return status;
    return nn_convert((uint8_t)type, values, params->model->image->tensors[index].dtype, params->values[index].at,
                      count);
}

int nn_params_set(nn_params *params, const char *name, nn_type type, const void *values, size_t count)
{
    int64_t index = 0;
    int status = find_value(params, name, type, values, count, &index);
    if (status) return status;
    return nn_convert_given(params->model->image->tensors[index].dtype, params->values[index].at, (uint8_t)type, values,
                            count);
}

int nn_params_shape(const nn_params *params, const char *name, int *rank, int64_t *dims)
{
    if (!params || !name || !rank || !dims) return nn_fail(NN_ERROR_ARGUMENT, "an argument is NULL");
    int64_t index = nn_params_find(params, name);
    if (index < 0)
        return nn_fail(NN_ERROR_ARGUMENT, "%s has no parameter or state %s", params->model->image->name, name);
    *rank = params->model->image->tensors[index].rank;
    memcpy(dims, params->values[index].dims, (size_t)*rank * sizeof *dims);
    return NN_OK;
}

uint64_t nn_params_step(const nn_params *params)
{
    return params ? params->step : 0;
}

void nn_params_set_step(nn_params *params, uint64_t step)
{
    if (params) params->step = step;
}

uint64_t nn_params_seed(const nn_params *params)
{
    return params ? params->seed : 0;
}

void nn_params_set_seed(nn_params *params, uint64_t seed)
{
    if (params) params->seed = seed;
}
