/* The log of a training: a row for each step, as csv or as JSON, an object a line. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "host/train_internal.h"
#include "nn_shown.h"

static const char *score_name(const nn_score *score, char *name, size_t size)
{
    snprintf(name, size, "valid.%s", score->name);
    return name;
}

static void write_header(nn_trainer *trainer)
{
    const nn_training *training = trainer->training;
    char name[96];
    fputs("step,loss", trainer->log);
    for (size_t i = 0; i < training->n_observers; i++)
        for (size_t c = 0; c < training->observers[i]->n_columns; c++)
            fprintf(trainer->log, ",%s", training->observers[i]->columns[c]);
    for (size_t i = 0; i < trainer->n_valid; i++)
        fprintf(trainer->log, ",%s", score_name(&trainer->valid[i], name, sizeof name));
    fputc('\n', trainer->log);
}

static int continue_log(nn_trainer *trainer)
{
    const char *path = trainer->training->log;
    trainer->log = fopen(path, "r+e");
    if (!trainer->log) return nn_fail_errno(path);
    if (fseeko(trainer->log, 0, SEEK_END)) return nn_fail_errno(path);
    if ((uint64_t)ftello(trainer->log) < trainer->log_size)
        return nn_fail(NN_ERROR_FILE, "%s is shorter than when the checkpoint was made", path);
    if (ftruncate(fileno(trainer->log), (off_t)trainer->log_size) ||
        fseeko(trainer->log, (off_t)trainer->log_size, SEEK_SET))
        return nn_fail_errno(path);
    return NN_OK;
}

int nn_log_open(nn_trainer *trainer)
{
    const char *path = trainer->training->log;
    if (!path) return NN_OK;
    const char *dot = strrchr(path, '.');
    trainer->json = dot && !strcmp(dot, ".jsonl");
    if (!trainer->json && !(dot && !strcmp(dot, ".csv")))
        return nn_fail((nn_status)NN_DATA_EXTENSION, "%s: a log is a .csv or a .jsonl", path);
    if (trainer->resumed && trainer->log_size) return continue_log(trainer);
    trainer->log = fopen(path, "we");
    if (!trainer->log) return nn_fail_errno(path);
    if (!trainer->json) write_header(trainer);
    return NN_OK;
}

/* JSON knows no NaN. */
static void write_member(FILE *log, const char *name, double value)
{
    if (isfinite(value))
        fprintf(log, ", \"%s\": %.9g", name, value);
    else
        fprintf(log, ", \"%s\": null", name);
}

/* What nobody has measured is an empty field, and none at all in JSON. */
static void write_observer(nn_trainer *trainer, nn_observer *observer)
{
    for (size_t i = 0; i < observer->n_columns; i++) {
        if (trainer->json && observer->has_values)
            write_member(trainer->log, observer->columns[i], observer->values[i]);
        else if (!trainer->json && observer->has_values)
            fprintf(trainer->log, ",%.9g", nn_shown_number(observer->values[i]));
        else if (!trainer->json)
            fputc(',', trainer->log);
    }
    observer->has_values = false;
}

static const nn_score *find_score(const char *name, const nn_score *scores, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(scores[i].name, name)) return &scores[i];
    return NULL;
}

static void write_valid(nn_trainer *trainer, const nn_score *valid, size_t n_valid)
{
    char name[96];
    for (size_t i = 0; i < trainer->n_valid; i++) {
        const nn_score *score = find_score(trainer->valid[i].name, valid, n_valid);
        if (!trainer->json)
            score ? fprintf(trainer->log, ",%.9g", nn_shown_number(score->value)) : fputc(',', trainer->log);
        else if (score)
            write_member(trainer->log, score_name(score, name, sizeof name), score->value);
    }
}

void nn_log_step(nn_trainer *trainer, uint64_t step, double loss, const nn_score *valid, size_t n_valid)
{
    const nn_training *training = trainer->training;
    if (!trainer->log) return;
    if (trainer->json) {
        fprintf(trainer->log, "{\"step\": %" PRIu64, step);
        write_member(trainer->log, "loss", loss);
    } else {
        fprintf(trainer->log, "%" PRIu64 ",%.9g", step, nn_shown_number(loss));
    }
    for (size_t i = 0; i < training->n_observers; i++) write_observer(trainer, training->observers[i]);
    write_valid(trainer, valid, n_valid);
    fputs(trainer->json ? "}\n" : "\n", trainer->log);
    if (!ferror(trainer->log) || trainer->log_error) return;
    trainer->log_error = errno;
    nn_progress_log_lost(&trainer->progress, training->log, strerror(trainer->log_error));
}

int nn_log_flush(nn_trainer *trainer, uint64_t *size)
{
    *size = 0;
    if (!trainer->log) return NN_OK;
    if (fflush(trainer->log)) return nn_fail_errno(trainer->training->log);
    *size = (uint64_t)ftello(trainer->log);
    return NN_OK;
}

int nn_log_close(nn_trainer *trainer, int status)
{
    if (!trainer->log) return status;
    bool failed = ferror(trainer->log);
    if (!fclose(trainer->log) && !failed) return status;
    if (!trainer->log_error) trainer->log_error = errno;
    return status ? status : nn_fail(NN_ERROR_FILE, "%s: %s", trainer->training->log, strerror(trainer->log_error));
}
