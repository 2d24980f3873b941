#include "host/progress.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { BAR = 24 };

static const double refresh = 0.1; /* seconds */

double nn_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void nn_progress_begin(nn_progress *progress)
{
    progress->started = progress->part_started = nn_seconds();
    progress->shown = 0;
    progress->part_rows = 0;
}

static void print_where(const nn_progress *progress, const nn_standing *standing, bool done)
{
    if (progress->epochs)
        fprintf(progress->to, "epoch %llu/%llu", (unsigned long long)standing->epoch + 1,
                (unsigned long long)progress->epochs);
    else
        fprintf(progress->to, "step %llu/%llu", (unsigned long long)standing->step,
                (unsigned long long)progress->steps);
    if (done) return;
    uint64_t within = progress->epochs ? standing->step - standing->epoch * progress->steps_per_epoch : standing->step;
    uint64_t all = progress->epochs ? progress->steps_per_epoch : progress->steps;
    int filled = all ? (int)(within * BAR / all) : 0;
    char bar[BAR + 1];
    memset(bar, '-', BAR);
    memset(bar, '=', (size_t)(filled < BAR ? filled : BAR));
    bar[BAR] = 0;
    fprintf(progress->to, " [%s]", bar);
}

static void print_scores(FILE *to, const char *before, const nn_score *scores, size_t count)
{
    for (size_t i = 0; i < count; i++) fprintf(to, "  %s%s %.4f", before, scores[i].name, scores[i].value);
}

static void print_speed(const nn_progress *progress, double now)
{
    double seconds = now - progress->part_started;
    if (seconds > 0) fprintf(progress->to, "  %.0f samples/s", (double)progress->part_rows / seconds);
}

static void print_left(const nn_progress *progress, const nn_standing *standing, double now)
{
    if (!standing->step) return;
    double left = (now - progress->started) * (double)(progress->steps - standing->step) / (double)standing->step;
    unsigned long long seconds = (unsigned long long)(left + 0.5);
    if (seconds >= 3600)
        fprintf(progress->to, "  %llu:%02llu:%02llu left", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        fprintf(progress->to, "  %llu:%02llu left", seconds / 60, seconds % 60);
}

static void erase_line(const nn_progress *progress)
{
    if (progress->terminal) fputs("\r\033[K", progress->to);
}

void nn_progress_step(nn_progress *progress, const nn_standing *standing, int64_t rows)
{
    progress->part_rows += (uint64_t)rows;
    if (!progress->to || !progress->terminal) return;
    double now = nn_seconds();
    if (now - progress->shown < refresh) return;
    progress->shown = now;
    erase_line(progress);
    print_where(progress, standing, false);
    fprintf(progress->to, "  loss %.4f", standing->loss);
    print_scores(progress->to, "", standing->scores, standing->n_scores);
    print_speed(progress, now);
    print_left(progress, standing, now);
    fflush(progress->to);
}

void nn_progress_lost(nn_progress *progress, uint64_t step, double loss)
{
    if (!progress->to) return;
    erase_line(progress);
    fprintf(progress->to, "the loss of step %llu is %s: is there such a value in the data, or is the learning rate too high?\n",
            (unsigned long long)step, isnan(loss) ? "not a number" : "infinite");
}

void nn_progress_stop(nn_progress *progress, uint64_t step)
{
    if (progress->to) fprintf(progress->to, "stopped after step %llu\n", (unsigned long long)step);
}

void nn_progress_part(nn_progress *progress, const nn_standing *standing, const nn_score *valid, size_t n_valid)
{
    double now = nn_seconds();
    if (progress->to) {
        erase_line(progress);
        print_where(progress, standing, true);
        fprintf(progress->to, "  loss %.4f", standing->loss);
        print_scores(progress->to, "", standing->scores, standing->n_scores);
        print_scores(progress->to, "valid ", valid, n_valid);
        print_speed(progress, now);
        fputc('\n', progress->to);
        fflush(progress->to);
    }
    progress->part_started = nn_seconds();
    progress->part_rows = 0;
}
