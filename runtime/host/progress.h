/* What people see of a training: a line an epoch (or a tenth of the steps), for long ones an epoch in so many that
 * there are about ten lines in all, and on a terminal a bar that moves in between. Their loss is the mean over the rows
 * seen since the line before, and their metrics are those rows' as if they were one batch, each batch as the weights of
 * its step saw it. Then a table of how it ended: the scores of the whole training data, as an evaluation gives them. */
#ifndef NN_HOST_PROGRESS_H
#define NN_HOST_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "host/train.h"

enum { NN_MOST_SCORES = 256 };

typedef struct {
    FILE *to; /* NULL: silent */
    bool terminal;
    uint64_t epochs; /* 0: counted in steps */
    uint64_t steps, steps_per_epoch;
    uint64_t first;                             /* steps done before */
    uint64_t parts;                             /* of the whole training */
    double started, shown, part_started, ended; /* seconds; `ended` is set by whoever ends */
    uint64_t part_rows, rows;                   /* since part_started; since started */
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
/* Counts the rows of a step. True when it is time to show how things stand. */
bool nn_progress_count(nn_progress *progress, int64_t rows);
void nn_progress_step(nn_progress *progress, const nn_standing *standing);
/* True if part `part` (from 1) gets a line; the first and the last always do. */
bool nn_progress_shows(const nn_progress *progress, uint64_t part);
/* Ends a part with a line; `valid` are the scores on the validation data. */
void nn_progress_part(nn_progress *progress, const nn_standing *standing, const nn_score *valid, size_t n_valid);
/* Says that the loss became infinite or NaN. */
void nn_progress_lost(nn_progress *progress, uint64_t step, double loss);
/* Says that the log ends here. */
void nn_progress_log_lost(nn_progress *progress, const char *path, const char *why);
/* How a training was stopped before its time. */
typedef struct {
    uint64_t step;
    const char *from;    /* a file to go on from, or NULL */
    const char *weights; /* where they are, or NULL */
} nn_stop;

void nn_progress_stop(nn_progress *progress, const nn_stop *stop);

/* How a training ended. */
typedef struct {
    bool whole; /* `train` are the scores of all the training data, otherwise of the rows of the last part */
    const nn_score *train, *valid;
    size_t n_train, n_valid;
    uint64_t steps;      /* of this run */
    uint64_t best, part; /* with patience: the step that was best, counted in steps a part */
    bool early;          /* patience ended it */
    const char *weights; /* where they are, or NULL */
} nn_ending;

void nn_progress_end(nn_progress *progress, const nn_ending *ending);

#endif
