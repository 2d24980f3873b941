/* The values of a model's free sizes on the command line: --bind, --batch, the train block. */
#ifndef NNC_DRIVER_SIZES_H
#define NNC_DRIVER_SIZES_H

#include "driver/pipeline.h"

/* Gives every free dimension of the model that --bind leaves open a size: the first one `batch`. False after a
 * diagnostic when another one is open. For models that were compiled. */
bool sizes_choose(Pipeline *pipeline, int64_t batch);
/* A size under the pipeline's dims. False when it mentions a free one or is negative. */
bool sizes_value(const Pipeline *pipeline, Dim dim, int64_t *value);
/* The number of elements. False likewise. */
bool sizes_elements(const Pipeline *pipeline, const Type *type, int64_t *count);
/* --batch, else the train block's, else 32. */
int64_t sizes_batch(const Pipeline *pipeline);

#endif
