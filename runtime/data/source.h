/* How the kinds of data sources present themselves: columns whose rows lie in memory or in a file. */
#ifndef NN_HOST_SOURCE_H
#define NN_HOST_SOURCE_H

#include <stdbool.h>

#include "core/internal.h"
#include "data/bytes.h"
#include "data/data.h"

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

/* An error unless sources of the kind take such an argument. */
int nn_argument_check(const char *kind, const nn_argument *argument);
/* The value of one of the source's own arguments: as given, or the default of sources.def. A flag is 0 or 1. */
double nn_request_number(const nn_source_request *request, const char *name);
const char *nn_request_text(const nn_source_request *request, const char *name);
/* A whole number from least to most. */
int nn_request_count(const nn_source_request *request, const char *name, int64_t least, int64_t most, int64_t *value);

/* One of each kind; the arguments are those of its row already. */
#define SOURCE(kind, place, columns, arguments)                                                                        \
    int nn_##kind##_open(const nn_source_request *request, nn_source **source);
#include "data/sources.def"

#endif
