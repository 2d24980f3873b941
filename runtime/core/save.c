/* Parameters to safetensors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/safetensors.h"

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

static size_t entry_size(const nn_entry *entry)
{
    size_t size = nn_dtype_size(entry->dtype);
    for (int i = 0; i < entry->rank; i++) size *= (size_t)entry->dims[i];
    return size;
}

static void add_entry(Header *header, const nn_entry *entry, uint64_t begin)
{
    add_text(header, ",");
    add_string(header, entry->name);
    add_text(header, ":{\"dtype\":\"");
    add_text(header, nn_stored_types[entry->dtype]);
    add_text(header, "\",\"shape\":[");
    for (int i = 0; i < entry->rank; i++) {
        if (i) add_text(header, ",");
        add_number(header, (uint64_t)entry->dims[i]);
    }
    add_text(header, "],\"data_offsets\":[");
    add_number(header, begin);
    add_text(header, ",");
    add_number(header, begin + entry_size(entry));
    add_text(header, "]}");
}

/* Wide types come first, so that every tensor is aligned to its elements in the file. */
static const nn_entry *next_entry(const nn_entry *entries, size_t count, size_t *width, size_t *next)
{
    for (; *width; *width /= 2, *next = 0)
        while (*next < count)
            if (nn_dtype_size(entries[(*next)++].dtype) == *width) return &entries[*next - 1];
    return NULL;
}

static bool make_header(const nn_params *params, const nn_entry *entries, size_t count, Header *header)
{
    uint64_t begin = 0;
    size_t width = 8, next = 0;
    add_notes(header, params);
    for (const nn_entry *entry; (entry = next_entry(entries, count, &width, &next)); begin += entry_size(entry))
        add_entry(header, entry, begin);
    add_text(header, "}");
    while (!header->failed && header->length % 8) add_text(header, " ");
    return !header->failed;
}

/* Where the bytes go: to a file, or behind each other into memory as far as it reaches. */
typedef struct {
    nn_new_file *file; /* or NULL */
    char *bytes;
    size_t capacity, size;
} Sink;

static void put(Sink *sink, const void *bytes, size_t size)
{
    if (sink->file)
        nn_new_file_write(sink->file, bytes, size);
    else if (size && sink->size + size <= sink->capacity)
        memcpy(sink->bytes + sink->size, bytes, size);
    sink->size += size;
}

static void put_all(Sink *sink, const Header *header, const nn_entry *entries, size_t count)
{
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)header->length >> (8 * i));
    put(sink, length, sizeof length);
    put(sink, header->text, header->length);
    size_t width = 8, next = 0;
    for (const nn_entry *entry; (entry = next_entry(entries, count, &width, &next));)
        put(sink, entry->at, entry_size(entry));
}

static int put_into_file(Sink *sink, const char *path, const Header *header, const nn_entry *entries, size_t count)
{
    nn_new_file file;
    int status = nn_new_file_open(path, &file);
    if (status) return status;
    sink->file = &file;
    put_all(sink, header, entries, count);
    return nn_new_file_close(&file, true);
}

/* All values and the notes, to the path or, where that is NULL, into the sink's memory. */
static int write_params(const nn_params *params, const char *path, Sink *sink, const nn_entry *extra, size_t n_extra)
{
    const char *place = path ? path : "the weights";
    const nn_image *image = params->model->image;
    nn_entry *entries = malloc((image->n_tensors + n_extra + 1) * sizeof *entries);
    if (!entries) return nn_fail(NN_ERROR_MEMORY, "no memory to write %s", place);
    size_t count = 0;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        const nn_value *value = &params->values[i];
        if (value->at) entries[count++] = (nn_entry){tensor->name, tensor->dtype, tensor->rank, value->dims, value->at};
    }
    for (size_t i = 0; i < n_extra; i++) entries[count++] = extra[i];
    Header header = {0};
    int status = NN_OK;
    if (!make_header(params, entries, count, &header))
        status = nn_fail(NN_ERROR_MEMORY, "no memory to write %s", place);
    else if (path)
        status = put_into_file(sink, path, &header, entries, count);
    else
        put_all(sink, &header, entries, count);
    free(header.text);
    free(entries);
    return status;
}

int nn_params_write(const nn_params *params, const char *path, const nn_entry *extra, size_t n_extra)
{
    return write_params(params, path, &(Sink){0}, extra, n_extra);
}

int nn_params_save_memory(const nn_params *params, void *bytes, size_t capacity, size_t *size)
{
    if (!params || !size || (capacity && !bytes))
        return nn_fail(NN_ERROR_ARGUMENT, "the parameters or the place for the weights or their size is NULL");
    Sink sink = {NULL, bytes, capacity, 0};
    int status = write_params(params, NULL, &sink, NULL, 0);
    if (status) return status;
    *size = sink.size;
    if (!bytes || sink.size <= capacity) return NN_OK;
    return nn_fail(NN_ERROR_ARGUMENT, "the weights take %zu bytes, there is room for %zu", sink.size, capacity);
}

int nn_params_save(const nn_params *params, const char *path)
{
    if (!params || !path) return nn_fail(NN_ERROR_ARGUMENT, "the parameters or the path are NULL");
    return nn_params_write(params, path, NULL, 0);
}
