/* Arrays from files for a model's inputs: --input NAME=FILE.npy. */
#ifndef NNC_DRIVER_FEED_H
#define NNC_DRIVER_FEED_H

#include "driver/pipeline.h"

typedef struct {
    Pipeline *pipeline;
    nn_named *values; /* in the inputs' own element types */
    Node *nodes;
    size_t count;
} Feed;

/* Reads every --input, converts it to its input's element type where the values survive, and binds the free sizes that
 * the arrays' shapes tell (pipeline->dims). False after a diagnostic. */
bool feed_read(Pipeline *pipeline, Feed *feed);
bool feed_has(const Feed *feed, Node input);
void feed_free(Feed *feed);

#endif
