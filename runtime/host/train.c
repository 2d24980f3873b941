#include "host/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/safetensors.h"
#include "host/train_internal.h"

/* ---- Setting up ---- */

/* An update takes `gather` batches; the last of an epoch takes those that are left. */
static int count_steps(nn_trainer *trainer)
{
    const nn_training *training = trainer->training;
    if (training->batch < 1) return nn_fail(NN_ERROR_ARGUMENT, "a batch has at least one row");
    if (!training->epochs == !training->steps)
        return nn_fail(NN_ERROR_ARGUMENT, "a training has epochs or steps, one of them");
    if (training->train->rows < 1) return nn_fail(NN_ERROR_ARGUMENT, "the training data has no rows");
    trainer->gather = training->accumulate ? training->accumulate : 1;
    trainer->batches = ((uint64_t)training->train->rows + (uint64_t)training->batch - 1) / (uint64_t)training->batch;
    trainer->per_epoch = trainer->batches / trainer->gather + (trainer->batches % trainer->gather != 0);
    trainer->first = nn_params_step(training->params);
    trainer->last = training->steps;
    if (!training->steps && __builtin_mul_overflow(training->epochs, trainer->per_epoch, &trainer->last))
        return nn_fail(NN_ERROR_ARGUMENT, "so many epochs have more steps than can be counted");
    /* A checkpoint may be that of the last step: then only the end is missing. */
    if (trainer->last + trainer->resumed <= trainer->first)
        return nn_fail(NN_ERROR_STATE, "the parameters have had %llu steps already, the training has %llu",
                       (unsigned long long)trainer->first, (unsigned long long)trainer->last);
    trainer->part = training->epochs ? trainer->per_epoch : (trainer->last + 9) / 10;
    return NN_OK;
}

/* How many batches the first steps take. */
static uint64_t batches_before(const nn_trainer *trainer, uint64_t steps)
{
    return steps / trainer->per_epoch * trainer->batches + steps % trainer->per_epoch * trainer->gather;
}

static int open_loader(nn_trainer *trainer)
{
    const nn_training *training = trainer->training;
    uint64_t begin = batches_before(trainer, trainer->first);
    nn_loader_options options = {.params = training->params,
                                 .split = training->train,
                                 .dims = training->dims,
                                 .n_dims = training->n_dims,
                                 .batch = training->batch,
                                 .shuffle = !training->no_shuffle,
                                 .seed = nn_params_seed(training->params),
                                 .first_step = begin,
                                 .batches = batches_before(trainer, trainer->last) - begin};
    return trainer->last > trainer->first ? nn_loader_new(&options, &trainer->loader) : NN_OK;
}

/* Fails before hours of training rather than after them. */
static int try_path(const char *path)
{
    nn_new_file file;
    int status = path ? nn_new_file_open(path, &file) : NN_OK;
    return status || !path ? status : nn_new_file_close(&file, false);
}

static int open_totals(nn_trainer *trainer)
{
    const nn_training *training = trainer->training;
    int status = nn_totals_new(&trainer->totals, training->params, training->pool, training->followed,
                               training->n_followed, "running");
    trainer->totals.dims = training->dims;
    trainer->totals.n_dims = training->n_dims;
    return status;
}

static int open_training(nn_trainer *trainer)
{
    const nn_training *training = trainer->training;
    trainer->resumed = training->resume != NULL;
    trainer->ended = true;
    int status = trainer->resumed ? nn_checkpoint_load_params(training) : NN_OK;
    if (!status) status = count_steps(trainer);
    if (!status) status = try_path(training->weights);
    if (!status) status = try_path(training->checkpoint);
    if (status) return status;
    /* Models whose schedules need it have this setting. */
    double steps;
    if (!nn_params_setting(training->params, "steps", &steps))
        nn_params_set_setting(training->params, "steps", (double)trainer->last);
    trainer->progress = (nn_progress){.to = training->progress,
                                      .terminal = training->terminal,
                                      .epochs = training->epochs,
                                      .steps = trainer->last,
                                      .steps_per_epoch = trainer->per_epoch,
                                      .first = trainer->first,
                                      .parts = (trainer->last + trainer->part - 1) / trainer->part};
    trainer->n_valid = NN_MOST_SCORES;
    nn_score_names(training->params->model, trainer->valid, &trainer->n_valid);
    if (!training->valid) trainer->n_valid = 0;
    status = nn_best_new(trainer);
    if (!status) status = nn_session_new(training->params, training->pool, &trainer->session);
    if (!status && training->progress && training->n_followed) status = open_totals(trainer);
    if (!status && trainer->resumed) status = nn_checkpoint_load(trainer);
    if (!status) status = nn_log_open(trainer);
    if (!status) status = open_loader(trainer);
    return status;
}

/* ---- Running ---- */

/* The part that a step (from 1) belongs to, from 1. */
static uint64_t part_of(const nn_trainer *trainer, uint64_t step)
{
    return (step + trainer->part - 1) / trainer->part;
}

/* Nobody sees metrics that are not shown. Patience may end any part, and shows it then. */
static bool is_followed(const nn_trainer *trainer, uint64_t step)
{
    const nn_training *training = trainer->training;
    return trainer->totals.count &&
           (training->terminal || training->patience || nn_progress_shows(&trainer->progress, part_of(trainer, step)));
}

static nn_standing stand(const nn_trainer *trainer, uint64_t step, uint64_t epoch)
{
    const nn_sums *sums = &trainer->sums;
    return (nn_standing){.step = step, .epoch = epoch, .loss = sums->rows > 0 ? sums->loss / sums->rows : 0};
}

/* The metrics of the part so far, unless some of its rows were not followed. */
static int measure(nn_trainer *trainer, nn_standing *standing)
{
    nn_totals *totals = &trainer->totals;
    if (!totals->count || !totals->rows || (double)totals->rows != trainer->sums.rows) return NN_OK;
    int status = nn_totals_finish(totals);
    if (status) return status;
    standing->scores = trainer->scores;
    standing->n_scores = NN_MOST_SCORES;
    nn_scores_read(totals->session, trainer->scores, &standing->n_scores);
    return NN_OK;
}

static bool is_stopped(const nn_trainer *trainer)
{
    return trainer->training->stop && *trainer->training->stop;
}

/* Scores that are only shown need not come to their end; those that decide or are written down must. */
static bool is_only_shown(const nn_training *training)
{
    return !training->log && !training->checkpoint && !training->patience;
}

static int score(const nn_trainer *trainer, const nn_split *split, nn_score *scores, size_t *count)
{
    const nn_training *training = trainer->training;
    nn_evaluation evaluation = {.params = training->params,
                                .pool = training->pool,
                                .split = split,
                                .dims = training->dims,
                                .n_dims = training->n_dims,
                                .partials = training->partials,
                                .n_partials = training->n_partials,
                                .stop = is_only_shown(training) ? training->stop : NULL};
    return nn_evaluate(&evaluation, scores, count);
}

typedef enum { BEFORE, AFTER, PART } Moment;

static int tell(const nn_trainer *trainer, Moment moment, const nn_batch *batch, uint64_t step, double loss)
{
    int status = NN_OK;
    for (size_t i = 0; !status && i < trainer->training->n_observers; i++) {
        const nn_observer *observer = trainer->training->observers[i];
        if (moment == BEFORE && observer->before)
            status = observer->before(observer->data, trainer->session, batch, step);
        if (moment == AFTER && observer->after)
            status = observer->after(observer->data, trainer->session, batch, step, loss);
        if (moment == PART && observer->part) status = observer->part(observer->data, step);
    }
    return status;
}

/* The part's scores on the validation data, when anybody wants them: people, the log, or patience. */
static int end_part(nn_trainer *trainer, nn_standing *standing, nn_score *valid, size_t *n_valid)
{
    const nn_training *training = trainer->training;
    bool shown = training->progress && nn_progress_shows(&trainer->progress, part_of(trainer, standing->step));
    bool last = standing->step == trainer->last;
    size_t room = *n_valid;
    *n_valid = 0;
    int status = NN_OK;
    if (training->valid && (shown || last || training->log || training->patience)) {
        *n_valid = room;
        if (training->average) nn_swap_averages(training->params);
        status = score(trainer, training->valid, valid, n_valid);
        if (!status) status = nn_best_see(trainer, standing->step, valid, *n_valid);
        if (training->average) nn_swap_averages(training->params);
    }
    if (status && is_stopped(trainer) && is_only_shown(training)) {
        *n_valid = trainer->n_valid = 0;
        return NN_OK;
    }
    if (status) return status;
    if (shown || nn_best_is_over(trainer)) {
        status = measure(trainer, standing);
        if (status) return status;
        nn_progress_part(&trainer->progress, standing, valid, *n_valid);
    }
    return tell(trainer, PART, NULL, standing->step, 0);
}

/* *batch becomes the last one that the step takes. */
static int take_step(nn_trainer *trainer, const nn_batch **batch, uint64_t step, double *loss)
{
    float before;
    const nn_model *model = trainer->session->model;
    double rows = (double)(*batch)->rows;
    int status = tell(trainer, BEFORE, *batch, step, 0);
    if (status) return status;
    bool followed = is_followed(trainer, step);
    nn_session_set_metrics(trainer->session, followed);
    if (trainer->gather > 1) {
        status = nn_gather_step(trainer, batch, step, loss, &rows);
    } else {
        status = nn_session_step(trainer->session, (*batch)->dims, model->image->n_symbols, (*batch)->inputs,
                                 model->n_inputs, &before);
        *loss = (double)before;
        if (!status && followed) status = nn_trainer_follow(trainer, (*batch)->rows);
    }
    if (status) return status;
    if (!isfinite(*loss) && !trainer->lost) {
        trainer->lost = true;
        nn_progress_lost(&trainer->progress, step, *loss);
    }
    trainer->sums.loss += rows * *loss;
    trainer->sums.rows += rows;
    return tell(trainer, AFTER, *batch, step, *loss);
}

static bool is_due(const nn_trainer *trainer, uint64_t step)
{
    const nn_training *training = trainer->training;
    if (!training->checkpoint) return false;
    return training->every ? step % training->every == 0 || step == trainer->last : trainer->ended;
}

/* One step and all that follows from it. */
static int advance(nn_trainer *trainer, uint64_t step, nn_standing *standing, nn_training_result *result)
{
    nn_score valid[NN_MOST_SCORES];
    size_t n_valid = NN_MOST_SCORES;
    const nn_batch *batch;
    double loss;
    int status = nn_loader_next(trainer->loader, &batch);
    if (trainer->ended) {
        trainer->sums = (nn_sums){0};
        nn_totals_clear(&trainer->totals);
    }
    double rows = trainer->sums.rows;
    if (!status) status = take_step(trainer, &batch, step, &loss);
    if (status) return status;
    *standing = stand(trainer, step, batch->epoch);
    if (nn_progress_count(&trainer->progress, (int64_t)(trainer->sums.rows - rows))) {
        status = measure(trainer, standing);
        if (status) return status;
        nn_progress_step(&trainer->progress, standing);
    }
    trainer->ended = trainer->training->epochs ? batch->last : step % trainer->part == 0 || step == trainer->last;
    if (trainer->ended)
        status = end_part(trainer, standing, valid, &n_valid);
    else
        n_valid = 0;
    if (status) return status;
    nn_log_step(trainer, step, loss, valid, n_valid);
    result->steps++;
    result->epochs += batch->last;
    result->loss = standing->loss;
    return is_due(trainer, step) ? nn_checkpoint_save(trainer, step) : NN_OK;
}

/* A training that was stopped has its own last line and its checkpoint. */
static int stop(nn_trainer *trainer, nn_standing *standing)
{
    const nn_training *training = trainer->training;
    int status = NN_OK;
    if (training->checkpoint && trainer->saved != standing->step && standing->step)
        status = nn_checkpoint_save(trainer, standing->step);
    if (!status && !trainer->ended) {
        status = measure(trainer, standing);
        if (!status) nn_progress_part(&trainer->progress, standing, NULL, 0);
    }
    return status;
}

static int run(nn_trainer *trainer, nn_standing *standing, nn_training_result *result)
{
    const nn_training *training = trainer->training;
    uint64_t step = trainer->first;
    *standing = stand(trainer, step, step ? (step - 1) / trainer->per_epoch : 0);
    nn_progress_begin(&trainer->progress);
    while (step < trainer->last && !is_stopped(trainer) && !nn_best_is_over(trainer)) {
        int status = advance(trainer, ++step, standing, result);
        if (status) return status;
    }
    trainer->progress.ended = nn_seconds();
    result->early = nn_best_is_over(trainer);
    result->stopped = step < trainer->last && !result->early;
    result->best = trainer->best.step;
    if (result->stopped) return stop(trainer, standing);
    return result->early && training->checkpoint && trainer->saved != step ? nn_checkpoint_save(trainer, step) : NN_OK;
}

/* ---- The end ---- */

/* The weights that a training was for. */
static int keep_weights(nn_trainer *trainer)
{
    const nn_training *training = trainer->training;
    if (trainer->best.step)
        nn_best_restore(trainer);
    else if (training->average)
        nn_take_averages(training->params);
    return training->weights ? nn_params_save(training->params, training->weights) : NN_OK;
}

/* The file that a training which was stopped can go on from, or NULL. Weights alone are enough when there is nothing
 * else to know. */
static const char *way_on(const nn_trainer *trainer)
{
    const nn_training *training = trainer->training;
    bool enough = !training->average && !training->patience && !trainer->session->has_states;
    if (training->checkpoint) return training->checkpoint;
    return enough ? training->weights : NULL;
}

static void say_stop(nn_trainer *trainer, uint64_t step)
{
    nn_stop stop = {.step = step, .from = step ? way_on(trainer) : NULL, .weights = trainer->training->weights};
    nn_progress_stop(&trainer->progress, &stop);
}

/* The scores of all the training data take a part of the time that an epoch does: too much to add to less than one. */
static int say_end(nn_trainer *trainer, nn_standing *standing, const nn_training_result *result)
{
    const nn_training *training = trainer->training;
    nn_score train[NN_MOST_SCORES + 1] = {{"loss", standing->loss}};
    nn_ending ending = {.whole = trainer->last >= trainer->per_epoch,
                        .train = train,
                        .n_train = 1,
                        .valid = trainer->valid,
                        .n_valid = trainer->n_valid,
                        .steps = result->steps,
                        .best = trainer->best.step,
                        .part = trainer->part,
                        .early = result->early,
                        .weights = training->weights};
    if (ending.whole) {
        ending.n_train = NN_MOST_SCORES;
        int status = score(trainer, training->train, train, &ending.n_train);
        ending.whole = !status;
        if (status && !(is_stopped(trainer) && is_only_shown(training))) return status;
    }
    if (!ending.whole) {
        ending.n_train = 1;
        for (size_t i = 0; i < standing->n_scores; i++) train[ending.n_train++] = standing->scores[i];
    }
    nn_progress_end(&trainer->progress, &ending);
    return NN_OK;
}

int nn_train(const nn_training *training, nn_training_result *result)
{
    nn_trainer trainer = {.training = training};
    double start = nn_seconds();
    *result = (nn_training_result){0};
    nn_standing standing;
    int status = open_training(&trainer);
    if (!status) status = run(&trainer, &standing, result);
    nn_loader_free(trainer.loader);
    trainer.loader = NULL;
    if (!status) status = keep_weights(&trainer);
    if (!status && training->progress && result->stopped) say_stop(&trainer, standing.step);
    if (!status && training->progress && !result->stopped) status = say_end(&trainer, &standing, result);
    nn_totals_free(&trainer.totals);
    nn_gather_free(&trainer);
    nn_session_free(trainer.session);
    nn_best_free(&trainer);
    status = nn_log_close(&trainer, status);
    result->seconds = nn_seconds() - start;
    return status;
}
