/* Parameters from and to safetensors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/safetensors.h"

/* ---- Loading ---- */

static const nn_stored *find_stored(const nn_archive *archive, const char *name)
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

/* Everything that could fail, before anything is changed. */
static int check_archive(const nn_params *params, const char *where, const nn_archive *archive, unsigned flags)
{
    const nn_image *image = params->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        if (!is_wanted(params, i, flags)) continue;
        const nn_stored *stored = find_stored(archive, image->tensors[i].name);
        if (!stored && image->tensors[i].role == NN_OPTIMIZER_STATE) continue;
        if (!stored) return nn_fail(NN_ERROR_FORMAT, "%s: %s is missing", where, image->tensors[i].name);
        int status = check_stored(where, &image->tensors[i], &params->values[i], stored);
        if (status) return status;
    }
    for (size_t i = 0; i < archive->count; i++) {
        const char *name = archive->tensors[i].name;
        if (flags & NN_LOAD_WEIGHTS && !strncmp(name, "optimizer/", 10)) continue;
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

static void take_values(nn_params *params, const nn_archive *archive, unsigned flags)
{
    const nn_image *image = params->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_stored *stored = is_wanted(params, i, flags) ? find_stored(archive, image->tensors[i].name) : NULL;
        if (!stored) continue;
        /* A value in the file may stand at any address; one element at a time goes through an aligned one. */
        size_t from_size = nn_dtype_size(stored->dtype), to_size = nn_dtype_size(image->tensors[i].dtype);
        if (from_size == to_size) {
            memcpy(params->values[i].at, stored->data, stored->end - stored->begin);
            continue;
        }
        for (int64_t k = 0; k < params->values[i].elements; k++) {
            double element;
            memcpy(&element, (const char *)stored->data + (size_t)k * from_size, from_size);
            nn_convert(image->tensors[i].dtype, (char *)params->values[i].at + (size_t)k * to_size, stored->dtype,
                       &element, 1);
        }
    }
}

static int load(nn_params *params, const char *where, const void *bytes, size_t size, unsigned flags)
{
    nn_archive archive;
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

/* ---- Saving ---- */

typedef struct {
    char *text;
    size_t length, capacity;
    bool failed;
} Header;

static void add_bytes(Header *header, const char *bytes, size_t count)
{
    if (header->failed) return;
    if (header->length + count > header->capacity) {
        size_t capacity = 2 * (header->length + count);
        char *text = realloc(header->text, capacity);
        if (!text) {
            header->failed = true;
            return;
        }
        header->text = text;
        header->capacity = capacity;
    }
    memcpy(header->text + header->length, bytes, count);
    header->length += count;
}

static void add_text(Header *header, const char *text)
{
    add_bytes(header, text, strlen(text));
}

static void add_number(Header *header, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    add_text(header, text);
}

static void add_string(Header *header, const char *string)
{
    add_bytes(header, "\"", 1);
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        char escape[8] = {'\\', *string};
        if (c < 0x20) {
            snprintf(escape, sizeof escape, "\\u%04x", c);
            add_bytes(header, escape, 6);
        } else {
            bool special = c == '"' || c == '\\';
            add_bytes(header, special ? escape : string, special ? 2 : 1);
        }
    }
    add_bytes(header, "\"", 1);
}

static void add_notes(Header *header, const nn_params *params)
{
    add_text(header, "{\"__metadata__\":{\"format\":\"nn\",\"step\":\"");
    add_number(header, params->step);
    add_text(header, "\",\"seed\":\"");
    add_number(header, params->seed);
    add_text(header, "\"");
    for (const nn_note *note = params->notes; note; note = note->next) {
        add_text(header, ",");
        add_string(header, note->key);
        add_text(header, ":");
        add_string(header, note->value);
    }
    add_text(header, "}");
}

static void add_tensor(Header *header, const nn_tensor_info *tensor, const nn_value *value, uint64_t begin,
                       uint64_t end)
{
    add_text(header, ",");
    add_string(header, tensor->name);
    add_text(header, ":{\"dtype\":\"");
    add_text(header, nn_stored_types[tensor->dtype]);
    add_text(header, "\",\"shape\":[");
    for (int i = 0; i < tensor->rank; i++) {
        if (i) add_text(header, ",");
        add_number(header, (uint64_t)value->dims[i]);
    }
    add_text(header, "],\"data_offsets\":[");
    add_number(header, begin);
    add_text(header, ",");
    add_number(header, end);
    add_text(header, "]}");
}

static size_t value_size(const nn_params *params, uint32_t tensor)
{
    return (size_t)params->values[tensor].elements * nn_dtype_size(params->model->image->tensors[tensor].dtype);
}

/* Wide types come first, so that every tensor is aligned to its elements in the file. */
static bool comes_now(const nn_params *params, uint32_t tensor, size_t width)
{
    return params->values[tensor].at && nn_dtype_size(params->model->image->tensors[tensor].dtype) == width;
}

static bool make_header(const nn_params *params, Header *header)
{
    uint64_t begin = 0;
    add_notes(header, params);
    for (size_t width = 8; width; width /= 2) {
        for (uint32_t i = 0; i < params->model->image->n_tensors; i++) {
            if (!comes_now(params, i, width)) continue;
            uint64_t end = begin + value_size(params, i);
            add_tensor(header, &params->model->image->tensors[i], &params->values[i], begin, end);
            begin = end;
        }
    }
    add_text(header, "}");
    while (!header->failed && header->length % 8) add_text(header, " ");
    return !header->failed;
}

int nn_params_save(const nn_params *params, const char *path)
{
    if (!params || !path) return nn_fail(NN_ERROR_ARGUMENT, "the parameters or the path are NULL");
    Header header = {0};
    nn_new_file file;
    int status = make_header(params, &header) ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory to write %s", path);
    if (!status) status = nn_new_file_open(path, &file);
    if (!status) {
        unsigned char length[8];
        for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)header.length >> (8 * i));
        nn_new_file_write(&file, length, sizeof length);
        nn_new_file_write(&file, header.text, header.length);
        for (size_t width = 8; width; width /= 2)
            for (uint32_t i = 0; i < params->model->image->n_tensors; i++)
                if (comes_now(params, i, width)) nn_new_file_write(&file, params->values[i].at, value_size(params, i));
        status = nn_new_file_close(&file, true);
    }
    free(header.text);
    return status;
}
