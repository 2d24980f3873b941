#include "host/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"
#include "core/safetensors.h"
#include "host/progress.h"

/* Metrics of the training are a sample: of so many steps an epoch. */
enum { SAMPLES = 32 };

/* Means over the rows of the part of the training that runs. */
typedef struct {
    double loss, rows;
    double scores[NN_MOST_SCORES], score_rows;
} Means;

typedef struct {
    const nn_training *training;
    nn_session *session;
    nn_loader *loader;
    FILE *log;
    bool json;
    nn_progress progress;
    Means means;
    nn_score scores[NN_MOST_SCORES];
    uint32_t metrics[NN_MOST_SCORES]; /* tensors */
    size_t n_metrics;
    uint64_t first, last; /* steps done before and in the end */
    uint64_t per_epoch;   /* steps */
    uint64_t part;        /* steps of what gets a line */
    uint64_t sampling;    /* metrics in every so many steps */
    bool lost;            /* the loss was not finite once */
} Trainer;

/* ---- The log ---- */

static int open_log(Trainer *trainer)
{
    const char *path = trainer->training->log;
    if (!path) return NN_OK;
    const char *dot = strrchr(path, '.');
    trainer->json = dot && !strcmp(dot, ".jsonl");
    if (!trainer->json && !(dot && !strcmp(dot, ".csv")))
        return nn_fail(NN_ERROR_ARGUMENT, "%s: a log is a .csv or a .jsonl", path);
    trainer->log = fopen(path, "we");
    if (!trainer->log) return nn_fail_errno(path);
    if (trainer->json) return NN_OK;
    fputs("step,loss", trainer->log);
    for (size_t i = 0; i < trainer->training->n_observers; i++) {
        const nn_observer *observer = trainer->training->observers[i];
        for (size_t c = 0; c < observer->n_columns; c++) fprintf(trainer->log, ",%s", observer->columns[c]);
    }
    fputc('\n', trainer->log);
    return NN_OK;
}

/* JSON knows no NaN. */
static void log_number(FILE *log, const char *name, double value)
{
    if (isfinite(value))
        fprintf(log, ", \"%s\": %.9g", name, value);
    else
        fprintf(log, ", \"%s\": null", name);
}

/* What nobody has measured is an empty field, and none at all in JSON. */
static void log_observer(Trainer *trainer, nn_observer *observer)
{
    for (size_t i = 0; i < observer->n_columns; i++) {
        if (trainer->json && observer->has_values)
            log_number(trainer->log, observer->columns[i], observer->values[i]);
        else if (!trainer->json && observer->has_values)
            fprintf(trainer->log, ",%.9g", observer->values[i]);
        else if (!trainer->json)
            fputc(',', trainer->log);
    }
    observer->has_values = false;
}

static void log_step(Trainer *trainer, uint64_t step, double loss)
{
    const nn_training *training = trainer->training;
    if (!trainer->log) return;
    if (trainer->json) {
        fprintf(trainer->log, "{\"step\": %" PRIu64, step);
        log_number(trainer->log, "loss", loss);
    } else {
        fprintf(trainer->log, "%" PRIu64 ",%.9g", step, loss);
    }
    for (size_t i = 0; i < training->n_observers; i++) log_observer(trainer, training->observers[i]);
    fputs(trainer->json ? "}\n" : "\n", trainer->log);
}

static void log_valid(Trainer *trainer, uint64_t step, const nn_score *scores, size_t count)
{
    if (!trainer->log || !trainer->json || !count) return;
    char name[80];
    fprintf(trainer->log, "{\"step\": %" PRIu64, step);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "valid.%.63s", scores[i].name);
        log_number(trainer->log, name, scores[i].value);
    }
    fputs("}\n", trainer->log);
}

static int close_log(Trainer *trainer, int status)
{
    if (!trainer->log) return status;
    bool failed = ferror(trainer->log);
    if (fclose(trainer->log) || failed)
        return status ? status : nn_fail(NN_ERROR_FILE, "%s: cannot be written", trainer->training->log);
    return status;
}

/* ---- Setting up ---- */

static void find_metrics(Trainer *trainer)
{
    const nn_image *image = trainer->training->params->model->image;
    for (uint32_t i = 0; i < image->n_tensors && trainer->n_metrics < NN_MOST_SCORES; i++) {
        if (image->tensors[i].role != NN_METRIC || image->tensors[i].rank) continue;
        nn_score *score = &trainer->scores[trainer->n_metrics];
        snprintf(score->name, sizeof score->name, "%s", image->tensors[i].name);
        trainer->metrics[trainer->n_metrics++] = i;
    }
}

static int count_steps(Trainer *trainer)
{
    const nn_training *training = trainer->training;
    if (training->batch < 1) return nn_fail(NN_ERROR_ARGUMENT, "a batch has at least one row");
    if (!training->epochs == !training->steps)
        return nn_fail(NN_ERROR_ARGUMENT, "a training has epochs or steps, one of them");
    if (training->train->rows < 1) return nn_fail(NN_ERROR_ARGUMENT, "the training data has no rows");
    trainer->per_epoch = ((uint64_t)training->train->rows + (uint64_t)training->batch - 1) / (uint64_t)training->batch;
    trainer->first = nn_params_step(training->params);
    trainer->last = training->steps;
    if (!training->steps && __builtin_mul_overflow(training->epochs, trainer->per_epoch, &trainer->last))
        return nn_fail(NN_ERROR_ARGUMENT, "so many epochs have more steps than can be counted");
    if (trainer->last <= trainer->first)
        return nn_fail(NN_ERROR_STATE, "the parameters have had %llu steps already, the training has %llu",
                       (unsigned long long)trainer->first, (unsigned long long)trainer->last);
    trainer->part = training->epochs ? trainer->per_epoch : (trainer->last + 9) / 10;
    trainer->sampling = (trainer->part + SAMPLES - 1) / SAMPLES;
    return NN_OK;
}

/* Fails before hours of training rather than after them. */
static int try_weights(const char *path)
{
    nn_new_file file;
    int status = path ? nn_new_file_open(path, &file) : NN_OK;
    return status || !path ? status : nn_new_file_close(&file, false);
}

static int open_training(Trainer *trainer)
{
    const nn_training *training = trainer->training;
    int status = count_steps(trainer);
    if (!status) status = try_weights(training->weights);
    if (status) return status;
    /* Models whose schedules need it have this setting. */
    double steps;
    if (!nn_params_setting(training->params, "steps", &steps))
        nn_params_set_setting(training->params, "steps", (double)trainer->last);
    nn_loader_options options = {.params = training->params,
                                 .split = training->train,
                                 .dims = training->dims,
                                 .n_dims = training->n_dims,
                                 .batch = training->batch,
                                 .shuffle = !training->no_shuffle,
                                 .seed = nn_params_seed(training->params),
                                 .first_step = trainer->first,
                                 .batches = trainer->last - trainer->first};
    trainer->progress = (nn_progress){.to = training->progress,
                                      .terminal = training->terminal,
                                      .epochs = training->epochs,
                                      .steps = trainer->last,
                                      .steps_per_epoch = trainer->per_epoch};
    find_metrics(trainer);
    status = nn_session_new(training->params, training->pool, &trainer->session);
    if (!status) status = open_log(trainer);
    if (!status) status = nn_loader_new(&options, &trainer->loader);
    return status;
}

/* ---- Running ---- */

static void add_metrics(Trainer *trainer, double rows)
{
    Means *means = &trainer->means;
    bool all = trainer->n_metrics > 0;
    for (size_t i = 0; i < trainer->n_metrics; i++) all = all && trainer->session->ready[trainer->metrics[i]];
    if (!all) return;
    means->score_rows += rows;
    for (size_t i = 0; i < trainer->n_metrics; i++) {
        double value;
        uint32_t tensor = trainer->metrics[i];
        nn_convert(NN_F64, &value, trainer->session->model->image->tensors[tensor].dtype,
                   trainer->session->blocks[tensor].at, 1);
        means->scores[i] += rows * value;
    }
}

static nn_standing stand(Trainer *trainer, uint64_t step, uint64_t epoch)
{
    const Means *means = &trainer->means;
    bool sampled = means->score_rows > 0;
    for (size_t i = 0; sampled && i < trainer->n_metrics; i++)
        trainer->scores[i].value = means->scores[i] / means->score_rows;
    return (nn_standing){step, epoch, means->rows > 0 ? means->loss / means->rows : 0, trainer->scores,
                         sampled ? trainer->n_metrics : 0};
}

static int validate(Trainer *trainer, nn_score *scores, size_t *count)
{
    const nn_training *training = trainer->training;
    if (!training->valid) {
        *count = 0;
        return NN_OK;
    }
    nn_evaluation evaluation = {.params = training->params,
                                .pool = training->pool,
                                .split = training->valid,
                                .dims = training->dims,
                                .n_dims = training->n_dims,
                                .partials = training->partials,
                                .n_partials = training->n_partials};
    return nn_evaluate(&evaluation, scores, count);
}

typedef enum { BEFORE, AFTER, PART } Moment;

static int tell(const Trainer *trainer, Moment moment, const nn_batch *batch, uint64_t step, double loss)
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

static int end_part(Trainer *trainer, uint64_t step, uint64_t epoch)
{
    nn_score valid[NN_MOST_SCORES];
    size_t n_valid = NN_MOST_SCORES;
    int status = validate(trainer, valid, &n_valid);
    if (status) return status;
    nn_standing standing = stand(trainer, step, epoch);
    log_valid(trainer, step, valid, n_valid);
    nn_progress_part(&trainer->progress, &standing, valid, n_valid);
    return tell(trainer, PART, NULL, step, 0);
}

static int take_step(Trainer *trainer, const nn_batch *batch, uint64_t step)
{
    float loss;
    const nn_model *model = trainer->session->model;
    int status = tell(trainer, BEFORE, batch, step, 0);
    if (status) return status;
    /* Nobody sees metrics that are not shown. */
    bool metrics = trainer->training->progress && step % trainer->sampling == 0;
    nn_session_set_metrics(trainer->session, metrics);
    status =
        nn_session_step(trainer->session, batch->dims, model->image->n_symbols, batch->inputs, model->n_inputs, &loss);
    if (status) return status;
    if (!isfinite(loss) && !trainer->lost) {
        trainer->lost = true;
        nn_progress_lost(&trainer->progress, step, (double)loss);
    }
    trainer->means.loss += (double)batch->rows * (double)loss;
    trainer->means.rows += (double)batch->rows;
    if (metrics) add_metrics(trainer, (double)batch->rows);
    log_step(trainer, step, (double)loss);
    return tell(trainer, AFTER, batch, step, (double)loss);
}

static bool is_stopped(const Trainer *trainer)
{
    return trainer->training->stop && *trainer->training->stop;
}

static int run(Trainer *trainer, nn_training_result *result)
{
    nn_progress_begin(&trainer->progress);
    bool ended = true;
    for (uint64_t step = trainer->first + 1; step <= trainer->last && !is_stopped(trainer); step++) {
        const nn_batch *batch;
        int status = nn_loader_next(trainer->loader, &batch);
        if (ended) trainer->means = (Means){0};
        if (!status) status = take_step(trainer, batch, step);
        if (status) return status;
        nn_standing standing = stand(trainer, step, batch->epoch);
        nn_progress_step(&trainer->progress, &standing, batch->rows);
        ended = trainer->training->epochs ? batch->last : step % trainer->part == 0 || step == trainer->last;
        if (ended && (status = end_part(trainer, step, batch->epoch))) return status;
        result->steps++;
        result->epochs += batch->last;
        result->loss = standing.loss;
    }
    result->stopped = result->steps < trainer->last - trainer->first;
    if (result->stopped) {
        uint64_t step = trainer->first + result->steps;
        nn_standing standing = stand(trainer, step, step ? (step - 1) / trainer->per_epoch : 0);
        if (!ended) nn_progress_part(&trainer->progress, &standing, NULL, 0);
        nn_progress_stop(&trainer->progress, step);
    }
    return NN_OK;
}

int nn_train(const nn_training *training, nn_training_result *result)
{
    Trainer trainer = {.training = training};
    double start = nn_seconds();
    *result = (nn_training_result){0};
    int status = open_training(&trainer);
    if (!status) status = run(&trainer, result);
    nn_loader_free(trainer.loader);
    nn_session_free(trainer.session);
    if (!status && training->weights) status = nn_params_save(training->params, training->weights);
    status = close_log(&trainer, status);
    result->seconds = nn_seconds() - start;
    return status;
}
