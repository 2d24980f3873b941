/* Partial results of metrics, put together over batches and finished by a program of the model. */
#ifndef NN_HOST_TOTALS_H
#define NN_HOST_TOTALS_H

#include "core/internal.h"
#include "host/train.h"

/* One of them, so far. */
typedef struct {
    uint32_t tensor; /* of the image: the result */
    double *values;
    size_t elements;
} nn_total;

typedef struct {
    const nn_partial *partials;
    size_t count;
    nn_total *totals;
    nn_session *session; /* where the finishing program runs */
    const char *finish;  /* its name */
    double *of_batch;    /* room for the largest */
    size_t room;         /* elements */
    nn_named *named;     /* the finishing program's inputs */
    int64_t rows;        /* so far */
    const int64_t *dims; /* see nn_loader_options */
    size_t n_dims;
    bool begun; /* the values hold something */
} nn_totals;

/* Of `partials`, whose results are tensors of the model; the program `finish` has them as inputs. Nothing outlives what
 * is given; nn_totals_free is due even after a failure. */
int nn_totals_new(nn_totals *totals, nn_params *params, nn_pool *pool, const nn_partial *partials, size_t count,
                  const char *finish);
/* True if the session's last call gave all of them. */
bool nn_totals_ready(const nn_totals *totals, const nn_session *session);
/* Adds what the session's last call gave for so many rows. */
int nn_totals_add(nn_totals *totals, const nn_session *session, int64_t rows);
/* Back to no rows. */
void nn_totals_clear(nn_totals *totals);
/* Makes room for `elements` values of the total, which are to be filled; true when there is memory. */
bool nn_totals_reserve(nn_totals *totals, size_t index, size_t elements);
/* Runs the finishing program; its results are those of `totals->session`. */
int nn_totals_finish(nn_totals *totals);
void nn_totals_free(nn_totals *totals);

/* evaluate.c: the losses and metrics that the session's last call gave, in the order of nn_evaluate. *count: in, the
 * room; out, how many there are. */
void nn_scores_read(const nn_session *session, nn_score *scores, size_t *count);

#endif
