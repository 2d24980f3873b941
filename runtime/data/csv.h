/* Tables as text, RFC 4180: fields between delimiters, optionally in quotes ("" is a quote inside; quoted fields may
 * hold delimiters and newlines), lines ended by LF, CRLF or CR, empty lines skipped, a byte-order mark ignored; plain
 * or gzip.
 *
 *     header = true      the first line names the columns; without one they are c0, c1, …
 *     delimiter = ","    one character
 *     text = ""          names of columns, between commas, that are categories even where they look like numbers
 *
 * A column whose fields are whole numbers is i64, of other numbers f64: what is read of it is what stands there, and
 * who wants another type converts it. Anything else is a category: i32, numbered in the order of the sorted distinct
 * texts (by bytes), range: how many there are; the first text that is not a number is kept with its line. A field that
 * is empty or ?, NA, N/A, NaN, nan, null is missing. A column with a missing field, or with text among numbers, can be
 * opened but not read: then the message names the line and the column. The whole table is kept in memory, a number in
 * 8 bytes. */
#ifndef NN_HOST_CSV_H
#define NN_HOST_CSV_H

#include "data/source.h"

/* One line of fields. */
typedef struct {
    char **fields; /* NUL-terminated, quotes removed; they live until the next line */
    size_t count;
    int64_t line; /* of the file, from 1: where it begins */
} nn_csv_row;

/* A reader of lines. */
typedef struct nn_csv_reader nn_csv_reader;

nn_csv_reader *nn_csv_reader_new(const char *path, const nn_bytes *bytes, char delimiter);
/* *more is false after the last line. */
int nn_csv_reader_next(nn_csv_reader *reader, nn_csv_row *row, bool *more);
void nn_csv_reader_free(nn_csv_reader *reader);

#endif
