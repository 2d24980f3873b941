/* NumPy's .npy: a magic, a version, the length of a header, a header that is a Python dictionary, the elements
 * (numpy.lib.format, versions 1.0 to 3.0). */
#include "data/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/safetensors.h"
#include "data/npy_internal.h"

static const struct {
    char kind, size;
    nn_type type;
} npy_types[] = {{'f', 8, NN_TYPE_F64}, {'f', 4, NN_TYPE_F32}, {'f', 2, NN_TYPE_F16}, {'i', 8, NN_TYPE_I64},
                 {'i', 4, NN_TYPE_I32}, {'i', 2, NN_TYPE_I64}, {'i', 1, NN_TYPE_I64}, {'u', 8, NN_TYPE_I64},
                 {'u', 4, NN_TYPE_I64}, {'u', 2, NN_TYPE_I64}, {'u', 1, NN_TYPE_U8},  {'b', 1, NN_TYPE_BOOL}};

typedef struct {
    const char *where;
    const char *at, *end;
    nn_npy_header *header;
} Reader;

static int refuse(const Reader *reader, const char *what)
{
    return nn_fail(NN_ERROR_FORMAT, "%s is not a whole .npy file: %s", reader->where, what);
}

static void skip_space(Reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n')) reader->at++;
}

static bool next_is(Reader *reader, const char *text)
{
    skip_space(reader);
    size_t length = strlen(text);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, text, length)) return false;
    reader->at += length;
    return true;
}

/* '<f4' */
static int read_type(Reader *reader)
{
    skip_space(reader);
    if (reader->end - reader->at < 5 || (*reader->at != '\'' && *reader->at != '"'))
        return refuse(reader, "no element type");
    char quote = reader->at[0], order = reader->at[1], kind = reader->at[2];
    int size = reader->at[3] - '0';
    if (reader->at[4] != quote) return nn_fail(NN_ERROR_FORMAT, "%s: its element type is not supported", reader->where);
    for (size_t i = 0; i < sizeof npy_types / sizeof *npy_types; i++) {
        if (npy_types[i].kind != kind || npy_types[i].size != size) continue;
        reader->header->swapped = order == '>' && size > 1;
        reader->header->type = npy_types[i].type;
        reader->header->stored_kind = kind;
        reader->header->stored_size = (size_t)size;
        reader->at += 5;
        return NN_OK;
    }
    return nn_fail(NN_ERROR_FORMAT, "%s: the element type %.3s is not supported", reader->where, reader->at + 1);
}

static int read_order(Reader *reader)
{
    reader->header->fortran = next_is(reader, "True");
    return reader->header->fortran || next_is(reader, "False") ? NN_OK : refuse(reader, "no order");
}

/* (), (3,) or (3, 4) */
static int read_shape(Reader *reader)
{
    nn_npy_header *header = reader->header;
    header->rank = 0;
    header->elements = 1;
    if (!next_is(reader, "(")) return refuse(reader, "no shape");
    while (!next_is(reader, ")")) {
        int64_t size = 0;
        const char *start = reader->at;
        for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++)
            if (__builtin_mul_overflow(size, 10, &size) || __builtin_add_overflow(size, *reader->at - '0', &size))
                return refuse(reader, "a size is too large");
        if (reader->at == start) return refuse(reader, "a size is missing");
        if (header->rank == NN_MAX_RANK) return refuse(reader, "too many axes");
        if (!nn_multiply(header->elements, size, &header->elements)) return refuse(reader, "its sizes are too large");
        header->dims[header->rank++] = size;
        if (!next_is(reader, ",")) {
            if (!next_is(reader, ")")) return refuse(reader, "the shape does not end");
            break;
        }
    }
    return NN_OK;
}

static int read_dictionary(Reader *reader)
{
    unsigned seen = 0;
    if (!next_is(reader, "{")) return refuse(reader, "no header");
    while (!next_is(reader, "}")) {
        static int (*const fields[])(Reader *) = {read_type, read_order, read_shape};
        static const char *const keys[] = {"'descr':", "'fortran_order':", "'shape':"};
        unsigned key = 0;
        while (key < 3 && !next_is(reader, keys[key])) key++;
        if (key == 3) return refuse(reader, "an unknown key in its header");
        if (seen & 1u << key) return refuse(reader, "a key of its header stands there twice");
        seen |= 1u << key;
        int status = fields[key](reader);
        if (status) return status;
        if (!next_is(reader, ",") && (reader->at == reader->end || *reader->at != '}'))
            return refuse(reader, "its header does not end");
    }
    return seen == 7 ? NN_OK : refuse(reader, "its header lacks a key");
}

int nn_npy_read_header(const char *where, const nn_bytes *bytes, nn_npy_header *header)
{
    const unsigned char *from = bytes->at;
    *header = (nn_npy_header){0};
    Reader reader = {.where = where, .header = header};
    if (bytes->size < 10 || memcmp(from, "\x93NUMPY", 6)) return refuse(&reader, "it does not begin like one");
    if (from[6] < 1 || from[6] > 3) return refuse(&reader, "its version is unknown");
    size_t begin = from[6] == 1 ? 10 : 12;
    if (bytes->size < begin) return refuse(&reader, "it is cut off");
    size_t length = (size_t)from[8] | (size_t)from[9] << 8;
    if (begin == 12) length |= (size_t)from[10] << 16 | (size_t)from[11] << 24;
    if (length > bytes->size - begin) return refuse(&reader, "it is cut off");
    if (length > bytes->have - begin) return refuse(&reader, "its header is too long");
    reader.at = (const char *)from + begin;
    reader.end = reader.at + length;
    int status = read_dictionary(&reader);
    if (status) return status;
    int64_t needed, converted;
    header->start = begin + length;
    if (!nn_multiply(header->elements, (int64_t)header->stored_size, &needed) ||
        !nn_multiply(header->elements, (int64_t)nn_type_size(header->type), &converted))
        return refuse(&reader, "its sizes are too large");
    if ((uint64_t)needed != bytes->size - header->start)
        return nn_fail(NN_ERROR_FORMAT, "%s has %zu bytes of elements, its header says %lld", where,
                       bytes->size - header->start, (long long)needed);
    bool same =
        header->stored_size == nn_type_size(header->type) && (header->stored_kind != 'u' || header->stored_size == 1);
    header->direct = same && !header->fortran && !header->swapped;
    return NN_OK;
}

/* One element as its column's type; false when an unsigned number is too large. */
static bool load_element(const nn_npy_header *header, const unsigned char *from, void *out)
{
    unsigned char turned[sizeof(uint64_t)];
    for (size_t i = 0; header->swapped && i < header->stored_size; i++) turned[i] = from[header->stored_size - 1 - i];
    if (header->swapped) from = turned;
    if (header->stored_size == nn_type_size(header->type) && header->stored_kind != 'u') {
        memcpy(out, from, header->stored_size);
        return true;
    }
    uint64_t bits = 0;
    memcpy(&bits, from, header->stored_size);
    if (header->type == NN_TYPE_U8) {
        *(uint8_t *)out = (uint8_t)bits;
        return true;
    }
    int unused = 64 - 8 * (int)header->stored_size;
    int64_t value = header->stored_kind == 'i' ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
    memcpy(out, &value, sizeof value);
    return header->stored_kind == 'i' || value >= 0;
}

static int fail_element(const char *where, const nn_npy_header *header, int64_t index)
{
    int64_t width = header->rank && header->dims[0] ? header->elements / header->dims[0] : 1;
    return nn_fail(NN_ERROR_RANGE, "%s: column %lld of row %lld (from 0) does not fit in 64 bits with a sign", where,
                   (long long)(index % width), (long long)(index / width));
}

/* Elements in the order of the file. */
static int load_in_order(const char *where, const nn_bytes *bytes, const nn_npy_header *header, char *values)
{
    enum { AT_ONCE = 1 << 13 };
    size_t size = nn_type_size(header->type), stored = header->stored_size;
    unsigned char buffer[AT_ONCE * sizeof(uint64_t)];
    for (int64_t i = 0; i < header->elements; i++) {
        int64_t at = i % AT_ONCE, left = header->elements - i;
        size_t now = (size_t)(left < AT_ONCE ? left : AT_ONCE);
        int status = at ? NN_OK : nn_bytes_get(bytes, header->start + (size_t)i * stored, buffer, now * stored);
        if (status) return status;
        if (!load_element(header, buffer + (size_t)at * stored, values + (size_t)i * size))
            return fail_element(where, header, i);
    }
    return NN_OK;
}

/* The first axis of the file is the innermost one. */
static int load_fortran(const char *where, const unsigned char *from, const nn_npy_header *header, char *values)
{
    size_t size = nn_type_size(header->type);
    int64_t at[NN_MAX_RANK] = {0}, strides[NN_MAX_RANK], stride = 1;
    for (int k = 0; k < header->rank; k++) {
        strides[k] = stride;
        stride *= header->dims[k];
    }
    for (int64_t i = 0; i < header->elements; i++) {
        int64_t index = 0;
        for (int k = 0; k < header->rank; k++) index += at[k] * strides[k];
        if (!load_element(header, from + (size_t)index * header->stored_size, values + (size_t)i * size))
            return fail_element(where, header, i);
        for (int k = header->rank - 1; k >= 0 && ++at[k] == header->dims[k]; k--) at[k] = 0;
    }
    return NN_OK;
}

int nn_npy_load(const char *where, const nn_bytes *bytes, const nn_npy_header *header, void *values)
{
    const unsigned char *piece;
    void *owned;
    if (!header->fortran) return load_in_order(where, bytes, header, values);
    int status = nn_bytes_piece(bytes, header->start, (size_t)header->elements * header->stored_size, &piece, &owned);
    if (!status) status = load_fortran(where, piece, header, values);
    free(owned);
    return status;
}

static int take_array(const char *where, const nn_bytes *bytes, nn_array *array)
{
    nn_npy_header header;
    *array = (nn_array){0};
    int status = nn_npy_read_header(where, bytes, &header);
    if (status) return status;
    size_t size = (size_t)header.elements * nn_type_size(header.type);
    array->type = header.type;
    array->rank = header.rank;
    array->elements = header.elements;
    memcpy(array->dims, header.dims, sizeof array->dims);
    array->values = malloc(size + 1);
    if (!array->values) return nn_fail(NN_ERROR_MEMORY, "no memory for %s", where);
    status = header.direct ? nn_bytes_get(bytes, header.start, array->values, size)
                           : nn_npy_load(where, bytes, &header, array->values);
    if (status) nn_array_free(array);
    return status;
}

int nn_npy_parse(const char *where, const void *bytes, size_t size, nn_array *array)
{
    return take_array(where, &(nn_bytes){.at = bytes, .have = size, .size = size}, array);
}

int nn_npy_read(const char *path, nn_array *array)
{
    nn_bytes bytes;
    *array = (nn_array){0};
    int status = nn_bytes_open(path, &bytes);
    if (status) return status;
    status = take_array(path, &bytes, array);
    nn_bytes_close(&bytes);
    return status;
}

void nn_array_free(nn_array *array)
{
    free(array->name);
    free(array->values);
    *array = (nn_array){0};
}

void nn_array_element(const nn_array *array, int64_t element, char text[NN_ELEMENT_TEXT])
{
    nn_value_text((uint8_t)array->type, array->values, (size_t)element, text);
    size_t length = strlen(text);
    int64_t size = array->elements;
    for (int axis = 0; axis < array->rank; axis++) {
        size /= array->dims[axis];
        length += (size_t)snprintf(text + length, NN_ELEMENT_TEXT - length, "%s%lld%s", axis ? ", " : " at [",
                                   (long long)(element / size), axis == array->rank - 1 ? "]" : "");
        element %= size;
    }
}

int nn_array_convert(const nn_array *array, nn_type type, void **values)
{
    size_t count = (size_t)array->elements;
    char text[NN_ELEMENT_TEXT];
    *values = malloc(count * nn_type_size(type) + 1);
    if (!*values) return nn_fail(NN_ERROR_MEMORY, "no memory for an array of %zu elements", count);
    size_t good = nn_convert_fitting((uint8_t)type, *values, (uint8_t)array->type, array->values, count);
    if (good == count) return NN_OK;
    free(*values);
    *values = NULL;
    nn_array_element(array, (int64_t)good, text);
    return nn_fail(NN_ERROR_RANGE, "%s is not a value of %s", text, nn_type_name(type));
}

int64_t nn_array_rounded(const nn_array *array, nn_type type)
{
    size_t count = (size_t)array->elements;
    size_t at = nn_find_rounded((uint8_t)type, (uint8_t)array->type, array->values, count);
    return at == count ? -1 : (int64_t)at;
}

size_t nn_npy_write_header(const nn_array *array, char *to)
{
    static const char *const names[] = {"<f8", "<f4", "<f4", "<f2", "<i8", "<i4", "|u1", "|b1"};
    size_t at = 10;
    at += (size_t)sprintf(to + at, "{'descr': '%s', 'fortran_order': False, 'shape': (", names[array->type]);
    for (int i = 0; i < array->rank; i++)
        at += (size_t)sprintf(to + at, i ? ", %lld" : "%lld", (long long)array->dims[i]);
    at += (size_t)sprintf(to + at, array->rank == 1 ? ",), }" : "), }");
    while (at % 64 != 63) to[at++] = ' ';
    to[at++] = '\n';
    memcpy(to, "\x93NUMPY\x01", 8); /* version 1.0 */
    to[8] = (char)(at - 10);
    to[9] = (char)((at - 10) >> 8);
    return at;
}

int nn_npy_values(const nn_array *array, void **widened, size_t *size)
{
    *widened = NULL;
    *size = (size_t)array->elements * nn_type_size(array->type);
    if (array->type != NN_TYPE_BF16) return NN_OK;
    *size *= 2;
    *widened = malloc(*size + 1);
    if (!*widened) return nn_fail(NN_ERROR_MEMORY, "no memory to write an array");
    return nn_convert(NN_F32, *widened, NN_BF16, array->values, (size_t)array->elements);
}

int nn_npy_write(const char *path, const nn_array *array)
{
    char header[NPY_HEADER];
    void *widened;
    size_t size;
    nn_new_file file;
    int status = nn_npy_values(array, &widened, &size);
    if (!status) status = nn_new_file_open(path, &file);
    if (!status) {
        nn_new_file_write(&file, header, nn_npy_write_header(array, header));
        nn_new_file_write(&file, widened ? widened : array->values, size);
        status = nn_new_file_close(&file, true);
    }
    free(widened);
    return status;
}
