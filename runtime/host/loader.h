/* Batches: rows of the sources, gathered in shuffled order and made into the model's inputs by a program of the model,
 * on a thread that works ahead of the training.
 *
 * Epoch e (from 0) of seed s visits the rows of its part in the order of a Fisher-Yates shuffle: for i from rows - 1
 * down to 1, row i changes places with row j = word * (i + 1) / 2^64, where `word` holds words 0 (high) and 1 (low) of
 * Philox 4x32-10 with the key s and the counter {i low, i high, nn_random_stream("epoch", 0), e} (nn_random.h). So
 * the order of any epoch is known without the ones before it. */
#ifndef NN_HOST_LOADER_H
#define NN_HOST_LOADER_H

#include <stdbool.h>

#include "data/data.h"

/* A column of a source that feeds an input of the data program (or, without one, of the model). */
typedef struct {
    const char *input;
    const nn_source *source;
    size_t column;
} nn_feed;

/* Rows [first, first + rows) of all feeds. */
typedef struct {
    const char
        *program; /* `data.train`: its results, by name, are the model's inputs; NULL: the columns are, converted */
    const nn_feed *feeds;
    size_t n_feeds;
    int64_t first, rows;
} nn_split;

/* The part [from, to) of `rows` rows, fractions of 1: neighbouring parts share a border and no row. */
void nn_split_part(nn_split *split, int64_t rows, double from, double to);

typedef struct {
    nn_params *params;
    const nn_split *split;
    const int64_t *dims; /* sizes other than the number of rows, as nn_session_forward wants them; NULL: none is free */
    size_t n_dims;
    int64_t batch; /* 0: all rows at once */
    bool shuffle;
    uint64_t seed;
    uint64_t first_step; /* begins after so many batches, to go on where a run had stopped */
    uint64_t batches;    /* stops after so many more; 0: after one epoch */
} nn_loader_options;

typedef struct {
    const int64_t *dims;       /* all free dimensions of the model */
    const void *const *inputs; /* as nn_session_step takes them; NULL where no feed gives one */
    int64_t rows;
    uint64_t epoch; /* from 0 */
    bool last;      /* of its epoch */
} nn_batch;

typedef struct nn_loader nn_loader;

int nn_loader_new(const nn_loader_options *options, nn_loader **loader);
/* The next batch, valid until the next call; *batch is NULL after the last one. */
int nn_loader_next(nn_loader *loader, const nn_batch **batch);
void nn_loader_free(nn_loader *loader);

/* order[0 … count - 1] = 0 … count - 1, shuffled as above. */
void nn_shuffle(int64_t *order, int64_t count, uint64_t seed, uint64_t epoch);

#endif
