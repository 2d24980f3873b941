/* Checkpoints: weight files with, beside the parameters, states and optimizer states, tensors of the training's own:
 *
 *     training/counts, training/sums   how far it is and what it has summed up, below
 *     training/running/NAME            what metrics that are followed have accumulated
 *     training/best/NAME               with patience: the best values of the parameters and states
 *     training/sizes                   sizes of the session when it has states of its own, and then
 *     training/session/NAME            these states
 *
 * A file takes its place only when it is complete and on the disk, so that one is always there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/safetensors.h"
#include "host/train_internal.h"

#define BEST NN_TRAINING_PREFIX "best/"
#define SESSION NN_TRAINING_PREFIX "session/"

#define RUNNING NN_TRAINING_PREFIX "running/"

enum { FORM = 2 };

/* Numbers by place; a new one goes to the end. */
typedef enum {
    COUNT_FORM,
    COUNT_BATCH,
    COUNT_GATHER,
    COUNT_ROWS,
    COUNT_NO_SHUFFLE,
    COUNT_ENDED,
    COUNT_LOG_SIZE,
    COUNT_BEST_STEP,
    COUNT_WAITED,
    COUNT_FOLLOWED, /* rows in training/running */
    COUNTS
} Count;

typedef struct {
    int64_t counts[COUNTS];
    double best_loss;
    nn_sums sums;
    double valid[NN_MOST_SCORES];
} Numbers;

enum { SUMS = (sizeof(Numbers) - offsetof(Numbers, best_loss)) / sizeof(double) };

static Numbers collect_numbers(const nn_trainer *trainer, uint64_t log_size)
{
    const nn_training *training = trainer->training;
    Numbers numbers = {.best_loss = trainer->best.loss, .sums = trainer->sums};
    numbers.counts[COUNT_FORM] = FORM;
    numbers.counts[COUNT_BATCH] = training->batch;
    numbers.counts[COUNT_GATHER] = (int64_t)trainer->gather;
    numbers.counts[COUNT_ROWS] = training->train->rows;
    numbers.counts[COUNT_NO_SHUFFLE] = training->no_shuffle;
    numbers.counts[COUNT_ENDED] = trainer->ended;
    numbers.counts[COUNT_LOG_SIZE] = (int64_t)log_size;
    numbers.counts[COUNT_BEST_STEP] = (int64_t)trainer->best.step;
    numbers.counts[COUNT_WAITED] = (int64_t)trainer->best.waited;
    numbers.counts[COUNT_FOLLOWED] = trainer->totals.rows;
    for (size_t i = 0; i < trainer->n_valid; i++) numbers.valid[i] = trainer->valid[i].value;
    return numbers;
}

/* ---- Saving ---- */

/* Tensors on their way into the file; names are owned. */
typedef struct {
    nn_entry *entries;
    char **names;
    int64_t (*dims)[NN_MAX_RANK];
    size_t count;
} Extras;

static bool extras_new(Extras *extras, size_t room)
{
    extras->entries = calloc(room, sizeof *extras->entries);
    extras->names = calloc(room, sizeof *extras->names);
    extras->dims = calloc(room, sizeof *extras->dims);
    return extras->entries && extras->names && extras->dims;
}

static void extras_free(Extras *extras)
{
    for (size_t i = 0; i < extras->count; i++) free(extras->names[i]);
    free(extras->entries);
    free(extras->names);
    free(extras->dims);
}

static char *join(const char *before, const char *name)
{
    size_t size = strlen(before) + strlen(name) + 1;
    char *joined = malloc(size);
    if (joined) snprintf(joined, size, "%s%s", before, name);
    return joined;
}

static bool add(Extras *extras, const char *before, const char *name, uint8_t dtype, int rank, const int64_t *dims,
                const void *at)
{
    size_t i = extras->count;
    extras->names[i] = join(before, name);
    if (!extras->names[i]) return false;
    memcpy(extras->dims[i], dims, (size_t)rank * sizeof *dims);
    extras->entries[i] = (nn_entry){extras->names[i], dtype, rank, extras->dims[i], at};
    extras->count++;
    return true;
}

static bool is_session_state(const nn_session *session, uint32_t tensor)
{
    return session->model->image->tensors[tensor].role == NN_STATE && !session->params->values[tensor].at;
}

static bool add_tensors(const nn_trainer *trainer, Extras *extras)
{
    const nn_session *session = trainer->session;
    const nn_image *image = session->model->image;
    bool good = true, has_states = session->has_states && image->n_symbols && session->state_symbols[0] >= NN_FREE;
    const int64_t n_symbols = image->n_symbols;
    if (has_states) good = add(extras, NN_TRAINING_PREFIX, "sizes", NN_I64, 1, &n_symbols, session->state_symbols);
    for (uint32_t i = 0; good && i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        int64_t dims[NN_MAX_RANK], elements, unbound;
        if (trainer->best.values && trainer->best.values[i] && trainer->best.step)
            good = add(extras, BEST, tensor->name, tensor->dtype, tensor->rank, session->params->values[i].dims,
                       trainer->best.values[i]);
        if (good && has_states && is_session_state(session, i) &&
            !nn_tensor_sizes(image, tensor, session->state_symbols, dims, &elements, &unbound))
            good = add(extras, SESSION, tensor->name, tensor->dtype, tensor->rank, dims, session->blocks[i].at);
    }
    return good;
}

static bool add_totals(const nn_trainer *trainer, Extras *extras)
{
    const nn_totals *totals = &trainer->totals;
    bool good = true;
    for (size_t i = 0; good && totals->rows && i < totals->count; i++) {
        const int64_t elements = (int64_t)totals->totals[i].elements;
        good = add(extras, RUNNING, totals->partials[i].name, NN_F64, 1, &elements, totals->totals[i].values);
    }
    return good;
}

/* FILE.2 becomes FILE.3 and so on; FILE stays in its place and is FILE.1 too. */
static void shift(const char *path, uint64_t keep)
{
    size_t size = strlen(path) + 24;
    char *from = malloc(size), *to = malloc(size);
    for (uint64_t i = keep - 1; from && to && i >= 1; i--) {
        snprintf(to, size, "%s.%llu", path, (unsigned long long)i);
        snprintf(from, size, "%s.%llu", path, (unsigned long long)i - 1);
        if (i > 1)
            rename(from, to);
        else if (!unlink(to) || errno == ENOENT)
            /* When the file system knows no links, there are fewer to fall back on. */
            (void)!link(path, to);
    }
    free(from);
    free(to);
}

int nn_checkpoint_save(nn_trainer *trainer, uint64_t step)
{
    const nn_training *training = trainer->training;
    uint64_t log_size;
    int status = nn_log_flush(trainer, &log_size);
    if (status) return status;
    Numbers numbers = collect_numbers(trainer, log_size);
    Extras extras = {0};
    const int64_t counts = COUNTS, sums = SUMS;
    if (!extras_new(&extras, 2 * (size_t)training->params->model->image->n_tensors + trainer->totals.count + 3) ||
        !add(&extras, NN_TRAINING_PREFIX, "counts", NN_I64, 1, &counts, numbers.counts) ||
        !add(&extras, NN_TRAINING_PREFIX, "sums", NN_F64, 1, &sums, &numbers.best_loss) ||
        !add_totals(trainer, &extras) || !add_tensors(trainer, &extras))
        status = nn_fail(NN_ERROR_MEMORY, "no memory for %s", training->checkpoint);
    if (!status && training->keep > 1) shift(training->checkpoint, training->keep);
    if (!status) status = nn_params_write(training->params, training->checkpoint, extras.entries, extras.count);
    if (!status) trainer->saved = step;
    extras_free(&extras);
    return status;
}

/* ---- Going on ---- */

int nn_checkpoint_load_params(const nn_training *training)
{
    int status = nn_params_load(training->params, training->resume, NN_LOAD_ALL);
    if (!status && !nn_params_step(training->params))
        status = nn_fail(NN_ERROR_FORMAT, "%s holds no training: it has had no step", training->resume);
    return status;
}

static const nn_stored *find(const nn_archive *archive, const char *before, const char *name)
{
    char *joined = join(before, name);
    const nn_stored *stored = joined ? nn_archive_find(archive, joined) : NULL;
    free(joined);
    return stored;
}

static bool take(const nn_archive *archive, const char *before, const char *name, uint8_t dtype, int64_t elements,
                 void *to)
{
    const nn_stored *stored = find(archive, before, name);
    if (!stored || stored->dtype != dtype || stored->end - stored->begin != (uint64_t)elements * nn_dtype_size(dtype))
        return false;
    memcpy(to, stored->data, stored->end - stored->begin);
    return true;
}

static int check(const char *path, const char *what, int64_t then, int64_t now)
{
    if (then == now) return NN_OK;
    return nn_fail(NN_ERROR_STATE, "%s was made with %s %lld, this training has %lld", path, what, (long long)then,
                   (long long)now);
}

static int check_counts(const nn_trainer *trainer, const int64_t *counts)
{
    const char *path = trainer->training->resume;
    const Numbers now = collect_numbers(trainer, 0);
    int status = check(path, "the form", counts[COUNT_FORM], FORM);
    if (!status) status = check(path, "batch", counts[COUNT_BATCH], now.counts[COUNT_BATCH]);
    if (!status) status = check(path, "accumulate", counts[COUNT_GATHER], now.counts[COUNT_GATHER]);
    if (!status) status = check(path, "rows", counts[COUNT_ROWS], now.counts[COUNT_ROWS]);
    if (!status) status = check(path, "no-shuffle", counts[COUNT_NO_SHUFFLE], now.counts[COUNT_NO_SHUFFLE]);
    return status;
}

/* Metrics that were not followed before are not shown for the part that goes on. */
static int take_totals(nn_trainer *trainer, const nn_archive *archive, int64_t rows)
{
    nn_totals *totals = &trainer->totals;
    for (size_t i = 0; rows && i < totals->count; i++) {
        const nn_stored *stored = find(archive, RUNNING, totals->partials[i].name);
        if (!stored || stored->dtype != NN_F64) return NN_OK;
        size_t size = stored->end - stored->begin;
        if (!nn_totals_reserve(totals, i, size / sizeof(double)))
            return nn_fail(NN_ERROR_MEMORY, "no memory for %s", totals->partials[i].name);
        memcpy(totals->totals[i].values, stored->data, size);
    }
    totals->rows = rows;
    totals->begun = rows > 0;
    return NN_OK;
}

static int take_best(nn_trainer *trainer, const nn_archive *archive)
{
    const nn_params *params = trainer->training->params;
    const nn_image *image = params->model->image;
    for (uint32_t i = 0; trainer->best.values && trainer->best.step && i < image->n_tensors; i++)
        if (trainer->best.values[i] && !take(archive, BEST, image->tensors[i].name, image->tensors[i].dtype,
                                             params->values[i].elements, trainer->best.values[i]))
            return nn_fail(NN_ERROR_FORMAT, "%s: the best %s is missing", trainer->training->resume,
                           image->tensors[i].name);
    return NN_OK;
}

static int take_session(nn_trainer *trainer, const nn_archive *archive)
{
    nn_session *session = trainer->session;
    const nn_image *image = session->model->image;
    if (!session->has_states || !nn_archive_find(archive, NN_TRAINING_PREFIX "sizes")) return NN_OK;
    bool good = take(archive, NN_TRAINING_PREFIX, "sizes", NN_I64, image->n_symbols, session->state_symbols);
    for (uint32_t i = 0; good && i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        int64_t elements, unbound;
        bool moved;
        if (!is_session_state(session, i)) continue;
        if (nn_tensor_sizes(image, tensor, session->state_symbols, NULL, &elements, &unbound)) continue;
        void *to = nn_session_tensor(session, i, elements, &moved);
        good = to && take(archive, SESSION, tensor->name, tensor->dtype, elements, to);
    }
    return good ? NN_OK : nn_fail(NN_ERROR_FORMAT, "%s: states are missing", trainer->training->resume);
}

/* Weights that were saved after a training have none of its sums; only a training that needs none goes on from them. */
static int go_on_without(const nn_trainer *trainer)
{
    if (!trainer->training->patience && !trainer->training->average) return NN_OK;
    return nn_fail(NN_ERROR_FORMAT, "%s is no checkpoint: it lacks what %s needs", trainer->training->resume,
                   trainer->training->patience ? "patience" : "average");
}

/* Reading weights may do without optimizer states, going on may not. */
static int check_optimizer(const nn_trainer *trainer, const nn_archive *archive)
{
    const nn_params *params = trainer->training->params;
    const nn_image *image = params->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++)
        if (image->tensors[i].role == NN_OPTIMIZER_STATE && params->values[i].at &&
            !nn_archive_find(archive, image->tensors[i].name))
            return nn_fail(NN_ERROR_FORMAT, "%s: %s is missing", trainer->training->resume, image->tensors[i].name);
    return NN_OK;
}

static int take_archive(nn_trainer *trainer, const nn_archive *archive)
{
    Numbers numbers;
    bool there = nn_archive_find(archive, NN_TRAINING_PREFIX "counts");
    trainer->ended = !(nn_params_step(trainer->training->params) % trainer->part);
    int status = check_optimizer(trainer, archive);
    if (status || !there) return status ? status : go_on_without(trainer);
    if (!take(archive, NN_TRAINING_PREFIX, "counts", NN_I64, COUNTS, numbers.counts) ||
        !take(archive, NN_TRAINING_PREFIX, "sums", NN_F64, SUMS, &numbers.best_loss))
        return nn_fail(NN_ERROR_FORMAT, "%s was made by another version", trainer->training->resume);
    status = check_counts(trainer, numbers.counts);
    if (status) return status;
    trainer->ended = numbers.counts[COUNT_ENDED] != 0;
    trainer->log_size = (uint64_t)numbers.counts[COUNT_LOG_SIZE];
    trainer->best.step = (uint64_t)numbers.counts[COUNT_BEST_STEP];
    trainer->best.waited = (uint64_t)numbers.counts[COUNT_WAITED];
    trainer->best.loss = numbers.best_loss;
    trainer->sums = numbers.sums;
    for (size_t i = 0; i < trainer->n_valid; i++) trainer->valid[i].value = numbers.valid[i];
    status = take_totals(trainer, archive, numbers.counts[COUNT_FOLLOWED]);
    if (!status) status = take_best(trainer, archive);
    return status ? status : take_session(trainer, archive);
}

int nn_checkpoint_load(nn_trainer *trainer)
{
    void *bytes = NULL;
    size_t size = 0;
    nn_archive archive;
    int status = nn_file_read(trainer->training->resume, &bytes, &size);
    if (status) return status;
    status = nn_archive_read(trainer->training->resume, bytes, size, &archive);
    if (!status) {
        status = take_archive(trainer, &archive);
        nn_archive_free(&archive);
    }
    free(bytes);
    return status;
}
