/* What people see of a training: a line an epoch (or a tenth of the steps), for long ones an epoch in so many that
 * there are about ten lines in all, and on a terminal a bar that moves in between. Then a table of how it ended. */
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
    uint64_t first;                      /* steps done before */
    uint64_t parts;                      /* of the whole training */
    double started, shown, part_started; /* seconds */
    uint64_t part_rows, rows;            /* since part_started; since started */
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
/* Whether part `part` (from 1) gets a line; the first and the last always do. */
bool nn_progress_shows(const nn_progress *progress, uint64_t part);
/* Ends a part with a line; `valid` are the scores on the validation data. */
void nn_progress_part(nn_progress *progress, const nn_standing *standing, const nn_score *valid, size_t n_valid);
/* Says that the loss became infinite or NaN. */
void nn_progress_lost(nn_progress *progress, uint64_t step, double loss);
/* Says that a training ended before its time. */
void nn_progress_stop(nn_progress *progress, uint64_t step);

/* How a training ended. */
typedef struct {
    const nn_standing *last;
    const nn_score *valid;
    size_t n_valid;
    uint64_t steps;      /* of this run */
    uint64_t best, part; /* with patience: the step that was best, counted in steps a part */
    bool early;          /* patience ended it */
    const char *weights; /* where they are, or NULL */
} nn_ending;

void nn_progress_end(nn_progress *progress, const nn_ending *ending);

#endif
