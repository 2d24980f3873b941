/* One screen about a model that is about to be trained. */
#ifndef NNC_DRIVER_SUMMARY_H
#define NNC_DRIVER_SUMMARY_H

#include "driver/pipeline.h"
#include "host/train.h"

/* Its layers with their parameters, memory, arithmetic, data. False after a diagnostic. */
bool summary_print(Pipeline *pipeline, nn_params *params, const nn_training *training, FILE *to);

#endif
