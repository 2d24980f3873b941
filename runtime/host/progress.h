/* What people see of a training: a bar that moves on a terminal, a line an epoch (or a tenth of the steps) elsewhere.
 */
#ifndef NN_HOST_PROGRESS_H
#define NN_HOST_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "host/train.h"

enum { NN_MOST_SCORES = 16 };

typedef struct {
    FILE *to; /* NULL: silent */
    bool terminal;
    uint64_t epochs; /* 0: counted in steps */
    uint64_t steps, steps_per_epoch;
    double started, shown, part_started; /* seconds */
    uint64_t part_rows;                  /* since part_started */
} nn_progress;

/* A part is what gets a line: an epoch, or a tenth of the steps. */
typedef struct {
    uint64_t step, epoch; /* done so far; the epoch that runs, from 0 */
    double loss;          /* mean over the rows of the part so far */
    const nn_score *scores;
    size_t n_scores;
} nn_standing;

double nn_seconds(void);
void nn_progress_begin(nn_progress *progress);
/* Shows the standing now and then. */
void nn_progress_step(nn_progress *progress, const nn_standing *standing, int64_t rows);
/* Ends a part with a line; `valid` are the scores on the validation data. */
void nn_progress_part(nn_progress *progress, const nn_standing *standing, const nn_score *valid, size_t n_valid);
/* Says that the loss became infinite or NaN. */
void nn_progress_lost(nn_progress *progress, uint64_t step, double loss);
/* Says that a training ended before its time. */
void nn_progress_stop(nn_progress *progress, uint64_t step);

#endif
