/* Data sources: tables of rows. Every column has one element type and, per row, one shape. Reading is by row numbers,
 * in any order, from any thread; what is larger than memory stays in its file (see each kind).
 *
 * idx       MNIST's format, gzip or plain: one column `value` of the file's type. Gzip is unpacked once, in
 *           the file's own element type
 * npy       NumPy's array: one column `value`; the first axis counts rows. Large files stay on the disk where
 *           the type is one of ours
 * npz       arrays by name, each a column; all need as many rows
 * csv       a table of numbers and categories, see csv.h
 * literal   rows in memory: one column `value`
 * blobs, spirals, moons     generated, see generate.h: columns `point` and `label`
 *
 * Functions return 0 or an nn_status, or one of the kinds below; nn_message() says what was wrong. */
#ifndef NN_HOST_DATA_H
#define NN_HOST_DATA_H

#include <signal.h>
#include <stdbool.h>

#include "nn.h"

/* Kinds of failure beside those of nn_status. */
enum {
    NN_DATA_MISSING = 64, /* a value is missing in a table */
    NN_DATA_MIXED,        /* a column holds numbers and text */
    NN_DATA_CATEGORY,     /* a text that is none of the categories of the training data */
    NN_DATA_FIELDS,       /* a line has more or fewer fields than there are columns */
    NN_DATA_EXTENSION     /* the extension says nothing that can be written */
};

/* The status that came with nn_message(), in this thread: an nn_status, or one of the kinds above. */
int nn_data_failure(void);

typedef struct {
    const char *name;
    nn_type type;
    int rank; /* of one row */
    int64_t dims[12];
    int64_t range;   /* categories: 0 <= value < range; 0 when there is none */
    const char *doc; /* one line */
    /* Of categories: the first text that is not a number, and its line in the file; NULL when all look like numbers. */
    const char *text;
    int64_t text_line;
} nn_column;

/* An argument of a source: `delimiter = ";"`, `samples = 1500`. */
typedef struct {
    const char *name;
    const char *text; /* NULL when it is a number, or true or false */
    double number;
    bool flag; /* true or false: 1 or 0 */
} nn_argument;

typedef struct nn_source nn_source;

/* `path` is NULL for generated kinds. `like`, when not NULL, is the source whose categories this one shares (a test set
 * takes those of the training set; a text that is none of them is an error). An unknown kind or argument, and an
 * argument of another kind than sources.def says, is an error. While *stop is nonzero the reading of a table ends with
 * NN_ERROR_STATE; NULL: never. */
int nn_source_open(const char *kind, const char *path, const nn_argument *args, size_t n_args, const nn_source *like,
                   const volatile sig_atomic_t *stop, nn_source **source);
/* A source of one column over the caller's memory, which must outlive it: `rows` rows of rank `rank`, row-major. */
int nn_source_literal(nn_type type, int64_t rows, int rank, const int64_t *dims, const void *values,
                      nn_source **source);
void nn_source_free(nn_source *source);

int64_t nn_source_rows(const nn_source *source);
size_t nn_source_columns(const nn_source *source);
const nn_column *nn_source_column(const nn_source *source, size_t column);
/* The text of a category; NULL when the column has none of that number. */
const char *nn_source_category(const nn_source *source, size_t column, int64_t category);
/* Bytes of one row of a column. */
size_t nn_source_row_size(const nn_source *source, size_t column);

/* Copies rows, in the column's type, one after the other. */
int nn_source_read(const nn_source *source, size_t column, const int64_t *rows, size_t count, void *out);
int nn_source_read_range(const nn_source *source, size_t column, int64_t first, int64_t count, void *out);

#endif
