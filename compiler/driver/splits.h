/* The splits of a program as the run time reads them, and the metrics over them. */
#ifndef NNC_DRIVER_SPLITS_H
#define NNC_DRIVER_SPLITS_H

#include "driver/pipeline.h"
#include "host/train.h"

/* A split by name. Its feeds live in the context's arena. False after a diagnostic. */
bool split_open(Pipeline *pipeline, const char *name, nn_split *split);
/* The partial results of the program `accumulate` and how they combine. */
const nn_partial *split_partials(Pipeline *pipeline, size_t *count);
/* Those of the training itself. */
const nn_partial *split_followed(Pipeline *pipeline, size_t *count);

#endif
