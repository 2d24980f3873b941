/* One screen about a model that is about to be trained. */
#ifndef NNC_DRIVER_SUMMARY_H
#define NNC_DRIVER_SUMMARY_H

#include "driver/pipeline.h"
#include "host/train.h"

typedef struct SummaryShapes SummaryShapes;

/* The shapes that the layers give, looked up before the passes rewrite them; in the pipeline's arena. */
const SummaryShapes *summary_shapes(Pipeline *pipeline);
/* The layers with their parameters and shapes, memory, arithmetic, data. False after a diagnostic. */
bool summary_print(Pipeline *pipeline, const SummaryShapes *shapes, nn_params *params, const nn_training *training,
                   FILE *to);

#endif
