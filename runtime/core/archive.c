/* The header of a safetensors file. It may come from anyone, so nothing in it is believed before it is checked. */
#include <stdlib.h>
#include <string.h>

#include "core/safetensors.h"

const char *const nn_stored_types[] = {"F64", "F32", "BF16", "F16", "I64", "I32", "U8", "BOOL"};

typedef struct {
    const char *at, *end;
    const char *where;
    nn_archive *archive;
    size_t tensor_capacity, note_capacity;
    int status;
} Reader;

static bool refuse(Reader *reader, const char *what)
{
    if (!reader->status)
        reader->status = nn_fail(NN_ERROR_FORMAT, "%s: the header is damaged: %s", reader->where, what);
    return false;
}

static void skip_space(Reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at) reader->at++;
}

static bool next_is(Reader *reader, char c)
{
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at != c) return false;
    reader->at++;
    return true;
}

static bool expect(Reader *reader, char c)
{
    char what[] = "`?` is missing";
    what[1] = c;
    return next_is(reader, c) || refuse(reader, what);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(Reader *reader, uint32_t *code)
{
    *code = 0;
    if (reader->end - reader->at < 4) return refuse(reader, "an escape is cut off");
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*reader->at++);
        if (digit < 0) return refuse(reader, "an escape holds no number");
        *code = *code << 4 | (uint32_t)digit;
    }
    return true;
}

static char *write_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 63));
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    }
    return to;
}

/* What follows `\u`, with the second half of a pair. */
static bool read_unicode(Reader *reader, char **to)
{
    uint32_t code, low;
    if (!read_hex(reader, &code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
            return refuse(reader, "half a character in an escape");
        reader->at += 2;
        if (!read_hex(reader, &low)) return false;
        if (low < 0xdc00 || low > 0xdfff) return refuse(reader, "half a character in an escape");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code == 0 || (code >= 0xdc00 && code < 0xe000)) return refuse(reader, "an escape that is no character");
    *to = write_utf8(*to, code);
    return true;
}

/* A string of its own, or NULL. No escape is shorter than what it stands for, so the text's length is room enough. */
static char *read_string(Reader *reader)
{
    if (!expect(reader, '"')) return NULL;
    const char *close = reader->at;
    while (close < reader->end && *close != '"') close += *close == '\\' ? 2 : 1;
    if (close >= reader->end) {
        refuse(reader, "a string does not end");
        return NULL;
    }
    char *text = malloc((size_t)(close - reader->at) + 1), *to = text;
    if (!text) reader->status = nn_fail(NN_ERROR_MEMORY, "no memory for the header of %s", reader->where);
    while (text && reader->at < close) {
        unsigned char c = (unsigned char)*reader->at++;
        if (c < 0x20) {
            refuse(reader, "a control character in a string");
            break;
        }
        if (c != '\\') {
            *to++ = (char)c;
            continue;
        }
        static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
        char escape = *reader->at++;
        const char *found = escape ? strchr(escapes, escape) : NULL;
        if (found)
            *to++ = meanings[found - escapes];
        else if (escape != 'u')
            refuse(reader, "an unknown escape");
        else
            read_unicode(reader, &to);
        if (reader->status) break;
    }
    if (reader->status) {
        free(text);
        return NULL;
    }
    *to = 0;
    reader->at++;
    return text;
}

/* A whole number that is not negative. */
static bool read_count(Reader *reader, int64_t *value)
{
    skip_space(reader);
    const char *start = reader->at;
    *value = 0;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, *reader->at - '0', value))
            return refuse(reader, "a number is too large");
        reader->at++;
    }
    return reader->at > start || refuse(reader, "a number is missing");
}

/* [a, b, …], at most `room` numbers. */
static bool read_counts(Reader *reader, int64_t *values, int room, int *count)
{
    *count = 0;
    if (!expect(reader, '[')) return false;
    if (next_is(reader, ']')) return true;
    do {
        if (*count == room) return refuse(reader, "a list is too long");
        if (!read_count(reader, &values[(*count)++])) return false;
    } while (next_is(reader, ','));
    return expect(reader, ']');
}

static bool read_type(Reader *reader, uint8_t *type)
{
    char *name = read_string(reader);
    if (!name) return false;
    bool found = false;
    for (uint8_t i = 0; i <= NN_BOOL && !found; i++)
        if ((found = !strcmp(name, nn_stored_types[i]))) *type = i;
    if (!found && !reader->status)
        reader->status = nn_fail(NN_ERROR_FORMAT, "%s: the element type %s is not supported", reader->where, name);
    free(name);
    return found;
}

/* One of "dtype", "shape", "data_offsets" and its value; each may come once. */
static bool read_field(Reader *reader, nn_stored *tensor, unsigned *seen)
{
    static const char *const names[] = {"dtype", "shape", "data_offsets"};
    char *name = read_string(reader);
    if (!name) return false;
    unsigned field = 0;
    while (field < 3 && strcmp(name, names[field])) field++;
    free(name);
    if (field == 3 || *seen & 1u << field) return refuse(reader, "an unknown or repeated key of a tensor");
    *seen |= 1u << field;
    if (!expect(reader, ':')) return false;
    if (field == 0) return read_type(reader, &tensor->dtype);
    if (field == 1) return read_counts(reader, tensor->dims, NN_MAX_RANK, &tensor->rank);
    int64_t offsets[2];
    int count;
    if (!read_counts(reader, offsets, 2, &count)) return false;
    if (count != 2 || offsets[0] > offsets[1]) return refuse(reader, "data_offsets are no range");
    tensor->begin = (uint64_t)offsets[0];
    tensor->end = (uint64_t)offsets[1];
    return true;
}

static bool grow(Reader *reader, void **array, size_t count, size_t *capacity, size_t element)
{
    if (count < *capacity) return true;
    size_t larger = *capacity ? *capacity * 2 : 32;
    void *moved = realloc(*array, larger * element);
    if (!moved) {
        reader->status = nn_fail(NN_ERROR_MEMORY, "no memory for the header of %s", reader->where);
        return false;
    }
    *array = moved;
    *capacity = larger;
    return true;
}

/* Takes the name. */
static bool read_tensor(Reader *reader, char *name)
{
    nn_archive *archive = reader->archive;
    if (!grow(reader, (void **)&archive->tensors, archive->count, &reader->tensor_capacity, sizeof *archive->tensors)) {
        free(name);
        return false;
    }
    nn_stored *tensor = &archive->tensors[archive->count++];
    *tensor = (nn_stored){.name = name};
    unsigned seen = 0;
    if (!expect(reader, '{')) return false;
    do {
        if (!read_field(reader, tensor, &seen)) return false;
    } while (next_is(reader, ','));
    if (!expect(reader, '}')) return false;
    if (seen != 7) return refuse(reader, "a tensor lacks its type, shape or offsets");
    int64_t bytes = (int64_t)nn_dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        if (!nn_multiply(bytes, tensor->dims[i], &bytes)) return refuse(reader, "a shape is too large");
    if ((uint64_t)bytes == tensor->end - tensor->begin) return true;
    if (!reader->status)
        reader->status = nn_fail(NN_ERROR_FORMAT, "%s: %s has %llu bytes, its shape needs %lld", reader->where,
                                 tensor->name, (unsigned long long)(tensor->end - tensor->begin), (long long)bytes);
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* No key of the metadata may recur. */
static bool check_keys(Reader *reader)
{
    const nn_archive *archive = reader->archive;
    char **keys = malloc((archive->n_notes + 1) * sizeof *keys);
    if (!keys) reader->status = nn_fail(NN_ERROR_MEMORY, "no memory for the header of %s", reader->where);
    for (size_t i = 0; keys && i < archive->n_notes; i++) keys[i] = archive->notes[2 * i];
    if (keys) qsort(keys, archive->n_notes, sizeof *keys, by_text);
    for (size_t i = 1; keys && i < archive->n_notes; i++)
        if (!strcmp(keys[i - 1], keys[i])) refuse(reader, "a key of the metadata stands there twice");
    free(keys);
    return !reader->status;
}

static bool read_notes(Reader *reader)
{
    nn_archive *archive = reader->archive;
    if (!expect(reader, '{')) return false;
    if (next_is(reader, '}')) return true;
    do {
        if (!grow(reader, (void **)&archive->notes, archive->n_notes, &reader->note_capacity,
                  2 * sizeof *archive->notes))
            return false;
        char *key = read_string(reader);
        char *value = key && expect(reader, ':') ? read_string(reader) : NULL;
        if (!value) {
            free(key);
            return false;
        }
        archive->notes[2 * archive->n_notes] = key;
        archive->notes[2 * archive->n_notes++ + 1] = value;
    } while (next_is(reader, ','));
    return expect(reader, '}') && check_keys(reader);
}

static bool read_header(Reader *reader)
{
    bool has_notes = false;
    if (!expect(reader, '{')) return false;
    if (!next_is(reader, '}')) {
        do {
            char *name = read_string(reader);
            if (!name) return false;
            if (!expect(reader, ':')) {
                free(name);
                return false;
            }
            if (strcmp(name, "__metadata__")) {
                if (!read_tensor(reader, name)) return false;
            } else {
                free(name);
                if (has_notes) return refuse(reader, "metadata stands there twice");
                has_notes = true;
                if (!read_notes(reader)) return false;
            }
        } while (next_is(reader, ','));
        if (!expect(reader, '}')) return false;
    }
    skip_space(reader);
    return reader->at == reader->end || refuse(reader, "something follows its end");
}

static int by_offset(const void *a, const void *b)
{
    const nn_stored *left = a, *right = b;
    if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
    return left->end < right->end ? -1 : left->end > right->end;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const nn_stored *)a)->name, ((const nn_stored *)b)->name);
}

/* The tensors must cover the data exactly once, and no name may recur. Leaves them sorted by name. */
static bool check_cover(Reader *reader, const unsigned char *data, uint64_t data_size)
{
    nn_archive *archive = reader->archive;
    uint64_t end = 0;
    if (archive->count) qsort(archive->tensors, archive->count, sizeof *archive->tensors, by_offset);
    for (size_t i = 0; i < archive->count; i++) {
        nn_stored *tensor = &archive->tensors[i];
        if (tensor->begin == end && tensor->end > data_size) {
            reader->status =
                nn_fail(NN_ERROR_FORMAT, "%s is cut off: %s needs %llu bytes of data, the file has %llu", reader->where,
                        tensor->name, (unsigned long long)tensor->end, (unsigned long long)data_size);
            return false;
        }
        if (tensor->begin != end) {
            reader->status = nn_fail(NN_ERROR_FORMAT, "%s: %s does not lie where the file has its data", reader->where,
                                     tensor->name);
            return false;
        }
        end = tensor->end;
        tensor->data = data + tensor->begin;
    }
    if (end != data_size) {
        reader->status = nn_fail(NN_ERROR_FORMAT, "%s holds %llu bytes of data, its header describes %llu",
                                 reader->where, (unsigned long long)data_size, (unsigned long long)end);
        return false;
    }
    if (archive->count) qsort(archive->tensors, archive->count, sizeof *archive->tensors, by_name);
    for (size_t i = 1; i < archive->count; i++)
        if (!strcmp(archive->tensors[i - 1].name, archive->tensors[i].name))
            return refuse(reader, "a name stands there twice");
    return true;
}

int nn_archive_read(const char *where, const void *bytes, size_t size, nn_archive *archive)
{
    const unsigned char *from = bytes;
    *archive = (nn_archive){0};
    if (size < 8) return nn_fail(NN_ERROR_FORMAT, "%s is no safetensors file: it is too short", where);
    uint64_t length = 0;
    for (int i = 0; i < 8; i++) length |= (uint64_t)from[i] << (8 * i);
    if (length > size - 8)
        return nn_fail(NN_ERROR_FORMAT,
                       "%s is no safetensors file or cut off: the header would need %llu bytes, the file has %zu",
                       where, (unsigned long long)length, size - 8);
    const char *text = (const char *)from + 8;
    Reader reader = {.at = text, .end = text + length, .where = where, .archive = archive};
    if (read_header(&reader) && check_cover(&reader, from + 8 + length, size - 8 - length)) return NN_OK;
    nn_archive_free(archive);
    return reader.status;
}

void nn_archive_free(nn_archive *archive)
{
    for (size_t i = 0; i < archive->count; i++) free(archive->tensors[i].name);
    for (size_t i = 0; i < 2 * archive->n_notes; i++) free(archive->notes[i]);
    free(archive->tensors);
    free(archive->notes);
    *archive = (nn_archive){0};
}
