/* Values for a model's inputs where no data is read: random ones within their ranges, or arrays from files. */
#ifndef NNC_DRIVER_VALUES_H
#define NNC_DRIVER_VALUES_H

#include "driver/sizes.h"

/* Per input and target of the module, in its own element type, row-major; NULL where there is none. */
typedef struct {
    void **at;
    size_t count;
} Values;

/* Reals from a standard normal distribution, integers evenly within their range (or 0 … 9), from the seed. The sizes
 * are chosen. False after a diagnostic. */
bool values_random(Pipeline *pipeline, uint64_t seed, Values *values);
void values_free(Values *values);

#endif
