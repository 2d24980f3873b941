/* What the parts of a training share. */
#ifndef NN_HOST_TRAIN_INTERNAL_H
#define NN_HOST_TRAIN_INTERNAL_H

#include "core/internal.h"
#include "host/progress.h"
#include "host/totals.h"

/* Sums over the rows of the part of the training that runs. */
typedef struct {
    double loss, rows;
} nn_sums;

/* What patience watches. */
typedef struct {
    double loss;     /* the least on the validation data */
    uint64_t step;   /* when that was; 0: never */
    uint64_t waited; /* parts since then */
    void **values;   /* per tensor of the image: a copy of a parameter or state, or NULL */
} nn_best;

/* Gradients of several batches. */
typedef struct {
    double **sums; /* per tensor of the image; NULL where it is no gradient */
    double rows, loss;
} nn_gathering;

typedef struct {
    const nn_training *training;
    nn_session *session;
    nn_loader *loader;
    FILE *log;
    bool json;
    int log_error; /* why it could not be written, as errno has it; 0: it could */
    nn_progress progress;
    nn_sums sums;
    nn_totals totals; /* of the metrics in that part, where anybody sees them */
    nn_score scores[NN_MOST_SCORES];
    nn_score valid[NN_MOST_SCORES]; /* the last ones, or with patience those of the best part */
    size_t n_valid;
    uint64_t gather;      /* batches an update */
    uint64_t batches;     /* an epoch */
    uint64_t first, last; /* steps done before and in the end */
    uint64_t per_epoch;   /* steps */
    uint64_t part;        /* steps of what gets a line */
    nn_best best;
    nn_gathering gathering;
    bool resumed;
    bool ended;        /* a part has just ended */
    bool lost;         /* the loss was not finite once */
    uint64_t log_size; /* of the log when the checkpoint was made */
    uint64_t saved;    /* the step of the last checkpoint */
} nn_trainer;

/* ---- train_log.c ---- */

/* Begins the log, or goes on where the checkpoint saw it. */
int nn_log_open(nn_trainer *trainer);
/* The row of a step; the scores on the validation data where there are any. */
void nn_log_step(nn_trainer *trainer, uint64_t step, double loss, const nn_score *valid, size_t n_valid);
/* How many bytes were written, all of them handed to the system. */
int nn_log_flush(nn_trainer *trainer, uint64_t *size);
int nn_log_close(nn_trainer *trainer, int status);

/* ---- train_gather.c ---- */

/* Adds the metrics of the session's last batch to those of the part, if it gave them. */
int nn_trainer_follow(nn_trainer *trainer, int64_t rows);
/* One update from the gradients of as many batches as the training wants, the first of them given. They are averaged
 * over the rows; the loss is. *batch becomes the last of them. */
int nn_gather_step(nn_trainer *trainer, const nn_batch **batch, uint64_t step, double *loss, double *rows);
void nn_gather_free(nn_trainer *trainer);

/* ---- train_best.c ---- */

/* Exchanges each parameter with its running mean. */
void nn_swap_averages(nn_params *params);
/* Makes the running means the parameters. */
void nn_take_averages(nn_params *params);
/* Room for the values of the best part. */
int nn_best_new(nn_trainer *trainer);
/* Looks at the scores of a part that has ended, with the parameters that they belong to. */
int nn_best_see(nn_trainer *trainer, uint64_t step, const nn_score *valid, size_t n_valid);
/* Gives the parameters and states their best values. */
void nn_best_restore(nn_trainer *trainer);
bool nn_best_is_over(const nn_trainer *trainer);
void nn_best_free(nn_trainer *trainer);

/* ---- checkpoint.c ---- */

/* Everything that a training needs to go on after the step as if it had not been interrupted. */
int nn_checkpoint_save(nn_trainer *trainer, uint64_t step);
/* The parameters of a checkpoint and their step. */
int nn_checkpoint_load_params(const nn_training *training);
/* The rest, once the trainer knows how it trains. */
int nn_checkpoint_load(nn_trainer *trainer);

#endif
