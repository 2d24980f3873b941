/* Settings (numbers that a model reads at run time) and notes (texts stored with the weights). */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"
#include "nn_shown.h"

static int find_setting(const nn_params *params, const char *name, uint32_t *tensor)
{
    if (!params || !name) return nn_fail(NN_ERROR_ARGUMENT, "the parameters or the name are NULL");
    const nn_model *model = params->model;
    int64_t found = nn_names_find(&model->names, name);
    while (found >= 0 && model->image->tensors[found].role != NN_SETTING) found = nn_names_next(&model->names, found);
    *tensor = found < 0 ? 0 : (uint32_t)found;
    if (found >= 0) return NN_OK;
    return nn_fail(NN_ERROR_ARGUMENT, "%s has no setting %s", model->image->name, name);
}

int nn_params_set_setting(nn_params *params, const char *name, double value)
{
    uint32_t tensor;
    int status = find_setting(params, name, &tensor);
    if (status) return status;
    if (!strcmp(name, "step") || !strcmp(name, "progress"))
        return nn_fail(NN_ERROR_ARGUMENT, "%s follows from the number of updates (see nn_params_set_step)", name);
    if (!strcmp(name, "steps") && !(value >= 1))
        return nn_fail(NN_ERROR_RANGE, "steps is the number of updates of a training, %g is none",
                       nn_shown_number(value));
    double slot;
    if (nn_convert_given(params->model->image->tensors[tensor].dtype, &slot, NN_F64, &value, 1))
        return nn_fail(NN_ERROR_RANGE, "%s is %s, %g is none", name,
                       nn_type_name((nn_type)params->model->image->tensors[tensor].dtype), nn_shown_number(value));
    double before = params->settings[tensor];
    params->settings[tensor] = value;
    status = nn_check_setting(params->model, params->symbols, params->settings, tensor);
    if (status) params->settings[tensor] = before;
    return status;
}

int nn_params_setting(const nn_params *params, const char *name, double *value)
{
    uint32_t tensor;
    if (!value) return nn_fail(NN_ERROR_ARGUMENT, "there is no place for the value (NULL)");
    int status = find_setting(params, name, &tensor);
    if (!status) *value = params->settings[tensor];
    return status;
}

static nn_note *find_note(const nn_params *params, const char *key)
{
    nn_note *note = params->notes;
    while (note && strcmp(note->key, key)) note = note->next;
    return note;
}

const char *nn_params_metadata(const nn_params *params, const char *key)
{
    const nn_note *note = params && key ? find_note(params, key) : NULL;
    return note ? note->value : NULL;
}

int nn_params_set_metadata(nn_params *params, const char *key, const char *value)
{
    if (!params || !key || !value) return nn_fail(NN_ERROR_ARGUMENT, "the parameters, the key or the value are NULL");
    if (!strcmp(key, "step") || !strcmp(key, "seed") || !strcmp(key, "format"))
        return nn_fail(NN_ERROR_ARGUMENT, "`%s` is written by the library itself", key);
    char *copy = strdup(value);
    nn_note *note = find_note(params, key);
    if (copy && !note) {
        size_t size = strlen(key) + 1;
        if ((note = malloc(sizeof *note + size))) {
            memcpy(note->key, key, size);
            note->value = NULL;
            note->next = params->notes;
            params->notes = note;
        }
    }
    if (!copy || !note) {
        free(copy);
        return nn_fail(NN_ERROR_MEMORY, "no memory for metadata");
    }
    free(note->value);
    note->value = copy;
    return NN_OK;
}
