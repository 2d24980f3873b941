#include <stdlib.h>
#include <string.h>

#include "data/csv.h"

struct nn_csv_reader {
    const char *path;
    const nn_bytes *bytes;
    size_t next;          /* the first byte after those from `at` to `end` */
    const char *at, *end; /* what is read already */
    void *buffer;         /* in which it lies, unless all bytes are in memory */
    int status;           /* why no more could be read */
    char delimiter;
    int64_t line;
    char *text; /* the fields of the line, one after the other */
    size_t length, capacity;
    size_t *starts; /* of the fields in text */
    char **fields;
    size_t count, field_capacity;
};

nn_csv_reader *nn_csv_reader_new(const char *path, const nn_bytes *bytes, char delimiter)
{
    nn_csv_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        nn_fail(NN_ERROR_MEMORY, "no memory to read %s", path);
        return NULL;
    }
    reader->path = path;
    reader->bytes = bytes;
    reader->at = (const char *)bytes->at;
    reader->end = reader->at + bytes->have;
    reader->next = bytes->have;
    reader->delimiter = delimiter;
    reader->line = 1;
    if (bytes->size >= 3 && !memcmp(reader->at, "\xef\xbb\xbf", 3)) reader->at += 3;
    return reader;
}

void nn_csv_reader_free(nn_csv_reader *reader)
{
    if (!reader) return;
    free(reader->buffer);
    free(reader->text);
    free(reader->starts);
    free(reader->fields);
    free(reader);
}

/* Reads the next piece of a file that is not in memory. */
static bool read_more(nn_csv_reader *reader)
{
    enum { PIECE = 1 << 16 };
    size_t left = reader->bytes->size - reader->next, now = left < PIECE ? left : PIECE;
    if (!left || reader->status) return false;
    if (!reader->buffer) reader->buffer = malloc(PIECE);
    reader->status = reader->buffer ? nn_bytes_get(reader->bytes, reader->next, reader->buffer, now)
                                    : nn_fail(NN_ERROR_MEMORY, "no memory to read %s", reader->path);
    if (reader->status) return false;
    reader->next += now;
    reader->at = reader->buffer;
    reader->end = reader->at + now;
    return true;
}

/* True if a character stands at `at`. */
static bool has_more(nn_csv_reader *reader)
{
    return reader->at < reader->end || read_more(reader);
}

static bool put(nn_csv_reader *reader, char c)
{
    if (reader->length == reader->capacity) {
        size_t capacity = reader->capacity ? 2 * reader->capacity : 256;
        char *text = realloc(reader->text, capacity);
        if (!text) return false;
        reader->text = text;
        reader->capacity = capacity;
    }
    reader->text[reader->length++] = c;
    return true;
}

static bool begin_field(nn_csv_reader *reader)
{
    if (reader->count == reader->field_capacity) {
        size_t capacity = reader->field_capacity ? 2 * reader->field_capacity : 16;
        size_t *starts = realloc(reader->starts, capacity * sizeof *starts);
        if (starts) reader->starts = starts;
        char **fields = realloc(reader->fields, capacity * sizeof *fields);
        if (fields) reader->fields = fields;
        if (!starts || !fields) return false;
        reader->field_capacity = capacity;
    }
    reader->starts[reader->count++] = reader->length;
    return true;
}

static bool at_line_end(nn_csv_reader *reader)
{
    return !has_more(reader) || *reader->at == '\n' || *reader->at == '\r';
}

static void skip_line_end(nn_csv_reader *reader)
{
    if (has_more(reader) && *reader->at == '\r') reader->at++;
    if (has_more(reader) && *reader->at == '\n') reader->at++;
    reader->line++;
}

/* From the opening quote past the closing one. */
static int read_quoted(nn_csv_reader *reader)
{
    int64_t line = reader->line;
    for (reader->at++; has_more(reader); reader->at++) {
        if (*reader->at == '"') {
            reader->at++;
            if (!has_more(reader) || *reader->at != '"') return reader->status;
        } else if (*reader->at == '\n') {
            reader->line++;
        }
        if (!put(reader, *reader->at)) return nn_fail(NN_ERROR_MEMORY, "no memory to read %s", reader->path);
    }
    if (reader->status) return reader->status;
    return nn_fail(NN_ERROR_FORMAT, "%s:%lld: a quoted field does not end", reader->path, (long long)line);
}

static int read_field(nn_csv_reader *reader)
{
    bool room = begin_field(reader);
    if (has_more(reader) && *reader->at == '"') {
        int status = read_quoted(reader);
        if (status) return status;
        if (!at_line_end(reader) && *reader->at != reader->delimiter)
            return nn_fail(NN_ERROR_FORMAT, "%s:%lld: something follows a closing quote", reader->path,
                           (long long)reader->line);
    } else {
        while (room && !at_line_end(reader) && *reader->at != reader->delimiter) room = put(reader, *reader->at++);
    }
    room = room && put(reader, 0);
    if (reader->status) return reader->status;
    return room ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory to read %s", reader->path);
}

int nn_csv_reader_next(nn_csv_reader *reader, nn_csv_row *row, bool *more)
{
    while (has_more(reader) && at_line_end(reader)) skip_line_end(reader);
    *more = has_more(reader);
    if (!*more) return reader->status;
    reader->length = reader->count = 0;
    row->line = reader->line;
    for (;;) {
        int status = read_field(reader);
        if (status) return status;
        if (at_line_end(reader)) break;
        reader->at++; /* the delimiter */
    }
    skip_line_end(reader);
    if (reader->status) return reader->status;
    /* Only now, since the text may have moved while it grew. */
    for (size_t i = 0; i < reader->count; i++) reader->fields[i] = reader->text + reader->starts[i];
    row->fields = reader->fields;
    row->count = reader->count;
    return NN_OK;
}
