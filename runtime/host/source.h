/* How the kinds of data sources present themselves: columns whose rows lie in memory or in a file. */
#ifndef NN_HOST_SOURCE_H
#define NN_HOST_SOURCE_H

#include <stdbool.h>

#include "core/internal.h"
#include "host/bytes.h"
#include "host/data.h"

typedef struct {
    nn_column column;
    char *name;         /* owned; column.name */
    const void *values; /* NULL: in the source's bytes, from `start` */
    size_t start;
    void *owned;       /* the values when they are the source's own */
    size_t row_size;   /* bytes */
    char **categories; /* column.range of them, owned */
    char *text;        /* column.text, owned */
    char *problem;     /* why it cannot be read, owned; NULL when it can */
    int failure;       /* of which kind that is */
} nn_source_column_data;

struct nn_source {
    int64_t rows;
    size_t n_columns;
    nn_source_column_data *columns;
    nn_bytes bytes; /* the file when columns lie in it */
};

/* With room for so many columns, all zero; NULL with a message when there is no memory. */
nn_source *nn_source_new(size_t columns);
/* Fills in a column. Takes `owned`, copies the name. False when there is no memory. */
bool nn_source_set_column(nn_source *source, size_t column, const char *name, nn_type type, int rank,
                          const int64_t *dims, const char *doc, const void *values, void *owned);

/* What an opener gets. */
typedef struct {
    const char *kind, *path;
    const nn_argument *args;
    size_t n_args;
    const nn_source *like;
    const volatile sig_atomic_t *stop; /* may be NULL */
} nn_source_request;

/* One sentence of error unless every argument has one of these names (NULL ends them). */
int nn_request_check(const nn_source_request *request, const char *const *names);
/* The argument's value, or the default. */
double nn_request_number(const nn_source_request *request, const char *name, double otherwise);
const char *nn_request_text(const nn_source_request *request, const char *name, const char *otherwise);
/* A whole number from least to most. */
int nn_request_count(const nn_source_request *request, const char *name, int64_t otherwise, int64_t least, int64_t most,
                     int64_t *value);

int nn_idx_open(const nn_source_request *request, nn_source **source);
int nn_csv_open(const nn_source_request *request, nn_source **source);
int nn_npy_open(const nn_source_request *request, nn_source **source);
int nn_npz_open(const nn_source_request *request, nn_source **source);
int nn_blobs_open(const nn_source_request *request, nn_source **source);
int nn_spirals_open(const nn_source_request *request, nn_source **source);
int nn_moons_open(const nn_source_request *request, nn_source **source);

#endif
