/* What evaluating a split asks of a program. */
#ifndef NNC_API_EVALUATION_H
#define NNC_API_EVALUATION_H

#include "elaborate/program.h"
#include "passes/metrics.h"

/* Adds the functions "accumulate" and "finish" to a rewritten program that has splits: losses and metrics as if a split
 * were one batch. What accumulates is left in *parts. True too when there is nothing to add; false after diagnostics.
 */
bool evaluation_add(Program *program, MetricPart **parts, size_t *n_parts);
/* Lets a training follow its metrics: what accumulates are results of "training", and "running" finishes them. Nothing
 * is added, and *n_parts is 0, where that cannot be. */
void evaluation_follow(Program *program, MetricPart **parts, size_t *n_parts);

#endif
