/* One batch: rows of sources on their way to the inputs of a model. */
#ifndef NN_HOST_FEED_H
#define NN_HOST_FEED_H

#include "core/internal.h"
#include "host/loader.h"

typedef struct nn_feeder nn_feeder;

/* Holds one batch of at most `rows` rows at a time. The options outlive it. */
int nn_feeder_new(const nn_loader_options *options, int64_t rows, nn_feeder **feeder);
/* Makes the batch of these rows of the sources; *batch is valid until the next call. */
int nn_feeder_fill(nn_feeder *feeder, const int64_t *rows, int64_t count, nn_batch *batch);
void nn_feeder_free(nn_feeder *feeder);

/* Sets every free dimension that is the first axis of an input, a target or an input of the program to `rows`. */
void nn_set_rows(const nn_model *model, const nn_program *program, int64_t rows, int64_t *dims);

#endif
