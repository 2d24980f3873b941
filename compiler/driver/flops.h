/* How much a step computes. */
#ifndef NNC_DRIVER_FLOPS_H
#define NNC_DRIVER_FLOPS_H

#include "driver/pipeline.h"

/* 2 for each multiply-add of the step's contractions, at the sizes that pipeline->dims says. */
double flops_count(const Pipeline *pipeline);

#endif
