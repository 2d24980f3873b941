/* Training and evaluating a model on data. */
#ifndef NN_HOST_TRAIN_H
#define NN_HOST_TRAIN_H

#include <signal.h>
#include <stdio.h>

#include "host/loader.h"

/* Metrics over a split. Where a model has the programs `accumulate` and `finish`, each batch gives partial results
 * (results of `accumulate`), which are combined element by element over all batches and then are the inputs, by name,
 * of `finish`, run with the number of all rows as the batch; its results are the metrics and losses. So a metric is
 * what it would be if the whole split were one batch. Without the two programs, the whole split is one batch. */
typedef enum { NN_COMBINE_SUM, NN_COMBINE_PRODUCT, NN_COMBINE_MAX, NN_COMBINE_MIN } nn_combine;

typedef struct {
    const char *name; /* `accuracy.0` */
    nn_combine combine;
} nn_partial;

typedef struct {
    char name[64];
    double value;
} nn_score;

typedef struct {
    nn_params *params;
    nn_pool *pool;
    const nn_split *split;
    const int64_t *dims; /* see nn_loader_options */
    size_t n_dims;
    int64_t batch; /* of the accumulation; 0: a size that suits most */
    const nn_partial *partials;
    size_t n_partials;
    const volatile sig_atomic_t *stop; /* nonzero: end it with NN_ERROR_STATE; may be NULL */
} nn_evaluation;

/* The losses, `loss` first, then the metrics as declared. *count: in, the room; out, how many there are. */
int nn_evaluate(const nn_evaluation *evaluation, nn_score *scores, size_t *count);
/* Their names, in the same order. */
void nn_score_names(const nn_model *model, nn_score *scores, size_t *count);

/* Who looks on. Each function may be NULL; one that fails ends the training with its status. */
typedef struct {
    void *data;
    /* Before step `step` (from 1) learns from the batch: the parameters are those that it will start from. */
    int (*before)(void *data, nn_session *session, const nn_batch *batch, uint64_t step);
    /* After it, with the loss before its update. */
    int (*after)(void *data, nn_session *session, const nn_batch *batch, uint64_t step, double loss);
    /* An epoch (or a tenth of the steps) has ended and its line is shown. */
    int (*part)(void *data, uint64_t step);
    /* Further columns of the log. `values` are written with the step's row when `has_values` is set, which `before`
     * does; then it is cleared. */
    const char *const *columns;
    const double *values;
    size_t n_columns;
    bool has_values;
} nn_observer;

typedef struct {
    nn_params *params;
    nn_pool *pool;
    const nn_split *train;
    const nn_split *valid; /* or NULL: scored after each epoch */
    const int64_t *dims;   /* see nn_loader_options */
    size_t n_dims;
    const nn_partial *partials; /* of evaluations */
    size_t n_partials;
    const nn_partial *followed; /* of the training itself, finished by the program `running`: metrics to show */
    size_t n_followed;
    int64_t batch;          /* at least 1 */
    uint64_t epochs, steps; /* one of them is 0 */
    uint64_t accumulate;    /* batches an update: it takes the mean of their gradients over all rows; 0 is 1 */
    uint64_t patience; /* ends after so many epochs without a smaller loss on `valid` and keeps the best; 0: never */
    bool average;      /* running means (`optimizer/PATH/average`) are what is validated and saved */
    bool no_shuffle;
    const char *weights;               /* where to save at the end, or NULL */
    const char *log;                   /* FILE.csv or FILE.jsonl, or NULL: a row a step */
    const char *checkpoint;            /* where to save what going on needs, or NULL */
    uint64_t every, keep;              /* steps between checkpoints (0: an epoch); how many files stay (0 is 1) */
    const char *resume;                /* a checkpoint to go on from, or NULL */
    FILE *progress;                    /* where people look, or NULL; see host/progress.h */
    bool terminal;                     /* progress is a terminal: there is a bar between the lines */
    const volatile sig_atomic_t *stop; /* nonzero: finish the step, save, return; may be NULL */
    nn_observer *const *observers;
    size_t n_observers;
} nn_training;

typedef struct {
    uint64_t steps, epochs; /* of this run; whole epochs */
    double loss;            /* mean over the rows of the last epoch or part of one */
    double seconds;
    uint64_t best; /* with patience: the step whose weights were kept */
    bool stopped;  /* by `stop` */
    bool early;    /* ended by patience */
} nn_training_result;

/* Trains the parameters, on from their own step: step n + 1 takes the batch that step n + 1 of an uninterrupted run
 * would. The seed of the shuffling is the parameters'. A step is an update; draws of its batch k (from 0) are numbered
 * (step - 1) * accumulate + k + 1. A training that goes on from a checkpoint ends with the same bits, in the weights
 * and in the log, as one that was never interrupted. */
int nn_train(const nn_training *training, nn_training_result *result);

/* Bytes that a step on a whole batch needs beside the parameters and the data: activations, gradients, scratch. */
int nn_training_memory(const nn_training *training, size_t *bytes);

/* Reads those parameters and states of a weight file that have the name, shape and type of the model's, and leaves the
 * rest alone. Calls tell for each: `why` is NULL when it was read, else what hinders it. NN_ERROR_FORMAT when there is
 * none. */
int nn_train_start(nn_params *params, const char *path, void (*tell)(void *data, const char *name, const char *why),
                   void *data);

#endif
