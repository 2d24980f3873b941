/* Parameters from safetensors; save.c is the way back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/safetensors.h"

const nn_stored *nn_archive_find(const nn_archive *archive, const char *name)
{
    size_t low = 0, high = archive->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(archive->tensors[middle].name, name);
        if (!order) return &archive->tensors[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void write_shape(char *text, size_t size, int rank, const int64_t *dims)
{
    size_t at = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, i ? ", %lld" : "%lld", (long long)dims[i]);
    if (at < size) snprintf(text + at, size - at, "]");
}

/* A float may become a wider one: every value survives. */
static bool type_fits(uint8_t model, uint8_t stored)
{
    if (model == stored) return true;
    return nn_dtype_is_float(model) && nn_dtype_is_float(stored) && nn_dtype_size(model) > nn_dtype_size(stored);
}

static int check_stored(const char *where, const nn_tensor_info *tensor, const nn_value *value, const nn_stored *stored)
{
    bool same = tensor->rank == stored->rank;
    for (int i = 0; same && i < stored->rank; i++) same = value->dims[i] == stored->dims[i];
    if (!same) {
        char needed[128], found[128];
        write_shape(needed, sizeof needed, tensor->rank, value->dims);
        write_shape(found, sizeof found, stored->rank, stored->dims);
        return nn_fail(NN_ERROR_FORMAT, "%s: %s has the shape %s, the model needs %s", where, tensor->name, found,
                       needed);
    }
    if (!type_fits(tensor->dtype, stored->dtype))
        return nn_fail(NN_ERROR_FORMAT, "%s: %s has the type %s, the model needs %s", where, tensor->name,
                       nn_stored_types[stored->dtype], nn_stored_types[tensor->dtype]);
    return NN_OK;
}

static bool is_wanted(const nn_params *params, uint32_t tensor, unsigned flags)
{
    bool optimizer = params->model->image->tensors[tensor].role == NN_OPTIMIZER_STATE;
    return params->values[tensor].at && !(optimizer && flags & NN_LOAD_WEIGHTS);
}

/* A model without an optimizer, made for prediction alone, passes over what others keep for one. */
static bool has_optimizer_states(const nn_image *image)
{
    for (uint32_t i = 0; i < image->n_tensors; i++)
        if (image->tensors[i].role == NN_OPTIMIZER_STATE) return true;
    return false;
}

/* Everything that could fail, before anything is changed. */
static int check_archive(const nn_params *params, const char *where, const nn_archive *archive, unsigned flags)
{
    const nn_image *image = params->model->image;
    bool weights_alone = flags & NN_LOAD_WEIGHTS || !has_optimizer_states(image);
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        if (!is_wanted(params, i, flags)) continue;
        const nn_stored *stored = nn_archive_find(archive, image->tensors[i].name);
        if (!stored && image->tensors[i].role == NN_OPTIMIZER_STATE) continue;
        if (!stored) return nn_fail(NN_ERROR_FORMAT, "%s: %s is missing", where, image->tensors[i].name);
        int status = check_stored(where, &image->tensors[i], &params->values[i], stored);
        if (status) return status;
    }
    for (size_t i = 0; i < archive->count; i++) {
        const char *name = archive->tensors[i].name;
        if (weights_alone && !strncmp(name, "optimizer/", 10)) continue;
        if (!strncmp(name, NN_TRAINING_PREFIX, sizeof NN_TRAINING_PREFIX - 1)) continue;
        if (nn_params_find(params, name) < 0)
            return nn_fail(NN_ERROR_FORMAT, "%s: %s has no parameter or state %s", where, image->name, name);
    }
    return NN_OK;
}

static const char *find_note(const nn_archive *archive, const char *key)
{
    for (size_t i = 0; i < archive->n_notes; i++)
        if (!strcmp(archive->notes[2 * i], key)) return archive->notes[2 * i + 1];
    return NULL;
}

/* A note that is a number; absent ones leave *value alone. */
static int read_number(const char *where, const nn_archive *archive, const char *key, uint64_t *value)
{
    const char *text = find_note(archive, key);
    if (!text) return NN_OK;
    uint64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            break;
    if (at == text || *at)
        return nn_fail(NN_ERROR_FORMAT, "%s: the metadata %s is `%.40s`, which is no number", where, key, text);
    *value = number;
    return NN_OK;
}

static int take_notes(nn_params *params, const nn_archive *archive)
{
    for (size_t i = 0; i < archive->n_notes; i++) {
        const char *key = archive->notes[2 * i];
        if (!strcmp(key, "step") || !strcmp(key, "seed") || !strcmp(key, "format")) continue;
        int status = nn_params_set_metadata(params, key, archive->notes[2 * i + 1]);
        if (status) return status;
    }
    return NN_OK;
}

static void take_value(nn_params *params, uint32_t tensor, const nn_stored *stored)
{
    const nn_tensor_info *info = &params->model->image->tensors[tensor];
    const nn_value *value = &params->values[tensor];
    size_t from_size = nn_dtype_size(stored->dtype), to_size = nn_dtype_size(info->dtype);
    if (from_size == to_size) {
        memcpy(value->at, stored->data, stored->end - stored->begin);
        return;
    }
    /* A value in the file may stand at any address; one element at a time goes through an aligned one. */
    for (int64_t k = 0; k < value->elements; k++) {
        double element;
        memcpy(&element, (const char *)stored->data + (size_t)k * from_size, from_size);
        nn_convert(info->dtype, (char *)value->at + (size_t)k * to_size, stored->dtype, &element, 1);
    }
}

static void take_values(nn_params *params, const nn_archive *archive, unsigned flags)
{
    const nn_image *image = params->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_stored *stored = is_wanted(params, i, flags) ? nn_archive_find(archive, image->tensors[i].name) : NULL;
        if (stored) take_value(params, i, stored);
    }
}

static int load(nn_params *params, const char *where, const void *bytes, size_t size, unsigned flags)
{
    nn_archive archive;
    if (flags & ~(unsigned)NN_LOAD_WEIGHTS) return nn_fail(NN_ERROR_ARGUMENT, "%u are no flags of a load", flags);
    int status = nn_archive_read(where, bytes, size, &archive);
    if (status) return status;
    uint64_t step = params->step, seed = params->seed;
    status = check_archive(params, where, &archive, flags);
    if (!status) status = read_number(where, &archive, "step", &step);
    if (!status) status = read_number(where, &archive, "seed", &seed);
    if (!status) status = take_notes(params, &archive);
    if (!status) {
        take_values(params, &archive, flags);
        if (!(flags & NN_LOAD_WEIGHTS)) {
            params->step = step;
            params->seed = seed;
        }
    }
    nn_archive_free(&archive);
    return status;
}

int nn_params_load_memory(nn_params *params, const void *bytes, size_t size, unsigned flags)
{
    if (!params || !bytes) return nn_fail(NN_ERROR_ARGUMENT, "the parameters or the bytes are NULL");
    return load(params, "the weights", bytes, size, flags);
}

int nn_params_load(nn_params *params, const char *path, unsigned flags)
{
    if (!params || !path) return nn_fail(NN_ERROR_ARGUMENT, "the parameters or the path are NULL");
    void *bytes = NULL;
    size_t size = 0;
    int status = nn_file_read(path, &bytes, &size);
    if (!status) status = load(params, path, bytes, size, flags);
    free(bytes);
    return status;
}

/* ---- What fits ---- */

static const char *misfit(const nn_params *params, uint32_t tensor, const char *where, const nn_stored *stored)
{
    if (!stored) return "the file has none";
    if (check_stored(where, &params->model->image->tensors[tensor], &params->values[tensor], stored))
        return nn_message();
    return NULL;
}

static int load_fitting(nn_params *params, const char *where, nn_archive *archive,
                        void (*tell)(void *data, const char *name, const char *why), void *data)
{
    const nn_image *image = params->model->image;
    size_t fitting = 0;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        if (!is_wanted(params, i, NN_LOAD_WEIGHTS)) continue;
        const nn_stored *stored = nn_archive_find(archive, image->tensors[i].name);
        const char *why = misfit(params, i, where, stored);
        if (!why) take_value(params, i, stored);
        fitting += !why;
        tell(data, image->tensors[i].name, why);
    }
    if (fitting) return NN_OK;
    return nn_fail(NN_ERROR_FORMAT, "%s: nothing in it fits %s", where, image->name);
}

int nn_params_load_fitting(nn_params *params, const char *path,
                           void (*tell)(void *data, const char *name, const char *why), void *data)
{
    void *bytes = NULL;
    size_t size = 0;
    nn_archive archive;
    int status = nn_file_read(path, &bytes, &size);
    if (status) return status;
    status = nn_archive_read(path, bytes, size, &archive);
    if (!status) {
        status = load_fitting(params, path, &archive, tell, data);
        nn_archive_free(&archive);
    }
    free(bytes);
    return status;
}
