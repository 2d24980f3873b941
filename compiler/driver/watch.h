/* nnc train --watch: how gradients and activations look, layer by layer, while a model learns.
 *
 * The module gains a function "watch", whose results are sums over the training form's own nodes. It is differentiated,
 * scheduled and compiled like every other function and runs every N steps on the batch that the step is about to learn
 * from. A model that is not watched has no such function, so it costs nothing.
 *
 * Where a step gathers several batches, it is the first of them that is measured. A layer is what owns parameters, in
 * order of depth. Of each:
 *   gradient    the Euclidean norm of the loss's gradient by its parameters, before any clipping
 *   update      the norm of the step's change divided by the norm of the parameters
 *   mean, deviation   of what the layer gives, behind its activation function, over the whole batch
 *   dead, saturated   the shares of its units (positions on the last axis) where the activation function's slope is 0,
 *                     or else below SATURATED, on every row of the batch */
#ifndef NNC_DRIVER_WATCH_H
#define NNC_DRIVER_WATCH_H

#include "driver/pipeline.h"
#include "host/train.h"

typedef struct Watch Watch;

/* Adds the function to the program's module, before its passes. NULL after a diagnostic. */
Watch *watch_new(Pipeline *pipeline);
/* The training will measure every `every` steps (below 1: a hundredth of all) and print a table after each epoch to its
 * `progress`; the observer belongs to the watch. */
nn_observer *watch_observe(Watch *watch, const nn_training *training, int64_t every);
/* Draws what was measured over depth and time as an .svg. False after a diagnostic. */
bool watch_draw(const Watch *watch, const char *path);
/* NULL is allowed. */
void watch_free(Watch *watch);

#endif
