/* Losses and metrics of a whole split, computed batch by batch: each reduction over the rows is computed per batch and
 * combined, and what follows it is computed once at the end. So a metric means what it would give if the whole split
 * were one batch. */
#ifndef NNC_PASSES_METRICS_H
#define NNC_PASSES_METRICS_H

#include "ir/module.h"

typedef enum { COMBINE_SUM, COMBINE_PRODUCT, COMBINE_MAX, COMBINE_MIN, COMBINE_ANY, COMBINE_ALL } Combine;

/* What accumulates over the batches. */
typedef struct {
    Name name;       /* `accuracy.0`: the result's name in `accumulate` and the INPUT's in `finish` */
    Combine combine; /* elementwise: how two batches' values become one */
    Node partial;    /* the value of one batch, without a batch axis */
    Node total;      /* an INPUT node of its type: the combination over all batches */
} MetricPart;

typedef struct {
    Function accumulate; /* RESULT_VALUE for each part */
    Function finish; /* the losses and metrics again, over the totals; sizes of `batch` mean the rows of the split */
    MetricPart *parts;
    uint32_t n_parts;
} MetricSplit;

/* Splits the losses and metrics of a function (`evaluation`) whose rows are counted by the free size `batch`. The
 * module's functions are not changed. False after diagnostics: a loss or metric that is not reduced over the batch, or
 * whose value depends on how the rows are cut into batches. */
bool metrics_split(const Module *module, const Function *evaluation, Name batch, MetricSplit *split);

/* The same of the function that trains, whose metrics are followed while it does: what a batch gave is added up as it
 * was computed then, from weights that change, and normalised or dropped out by its batch. So there is nothing to
 * refuse beneath a reduction. The parts, `running.accuracy.0`, become results of "training" and "running" finishes
 * them. False, with nothing changed, when a metric is not reduced over the batch. */
bool metrics_run(Module *module, Name batch, MetricPart **parts, uint32_t *n_parts);

/* How the batches' values of a reduction combine; false when the node is none that can be cut. */
bool metrics_combine(const Graph *graph, Node reduction, Combine *combine);

#endif
