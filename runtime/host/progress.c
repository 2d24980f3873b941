#include "host/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "nn_shown.h"

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
    progress->part_rows = progress->rows = 0;
    if (progress->to && progress->first)
        fprintf(progress->to, "going on after step %llu\n", (unsigned long long)progress->first);
}

/* Short trainings show every part, others one in 2, 5, 10, 20, 50, … */
bool nn_progress_shows(const nn_progress *progress, uint64_t part)
{
    enum { ALL = 20, SOME = 18 };
    static const uint64_t steps[] = {1, 2, 5};
    uint64_t every = 1, power = 1;
    for (int i = 0; progress->parts > ALL && progress->parts / every > SOME; power *= i == 2 ? 10 : 1, i = (i + 1) % 3)
        every = steps[i] * power;
    return part == 1 || part == progress->parts || part % every == 0;
}

static void print_where(FILE *to, const nn_progress *progress, const nn_standing *standing)
{
    if (progress->epochs)
        fprintf(to, "epoch %llu/%llu", (unsigned long long)standing->epoch + 1, (unsigned long long)progress->epochs);
    else
        fprintf(to, "step %llu/%llu", (unsigned long long)standing->step, (unsigned long long)progress->steps);
}

static void print_bar(FILE *to, const nn_progress *progress, const nn_standing *standing)
{
    uint64_t within = progress->epochs ? standing->step - standing->epoch * progress->steps_per_epoch : standing->step;
    uint64_t all = progress->epochs ? progress->steps_per_epoch : progress->steps;
    int filled = all ? (int)(within * BAR / all) : 0;
    char bar[BAR + 1];
    memset(bar, '-', BAR);
    memset(bar, '=', (size_t)(filled < BAR ? filled : BAR));
    bar[BAR] = 0;
    fprintf(to, " [%s]", bar);
}

/* Four decimals, or digits where those would be zeros or too many. */
static void print_number(FILE *to, int width, double value)
{
    double size = fabs(value);
    if (isfinite(value) && size > 0 && (size < 1e-3 || size >= 1e6))
        fprintf(to, "%*.2e", width, value);
    else
        fprintf(to, "%*.4f", width, nn_shown_number(value));
}

static void print_loss(FILE *to, double loss)
{
    fputs("  loss ", to);
    print_number(to, 0, loss);
}

static void print_scores(FILE *to, const char *before, const nn_score *scores, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "  %s%s ", before, scores[i].name);
        print_number(to, 0, scores[i].value);
    }
}

static void print_speed(FILE *to, const nn_progress *progress, double now)
{
    double seconds = now - progress->part_started;
    if (seconds > 0) fprintf(to, "  %.0f samples/s", (double)progress->part_rows / seconds);
}

static void print_left(FILE *to, const nn_progress *progress, const nn_standing *standing, double now)
{
    if (standing->step <= progress->first) return;
    double done = (double)(standing->step - progress->first);
    double left = (now - progress->started) * (double)(progress->steps - standing->step) / done;
    unsigned long long seconds = (unsigned long long)(left + 0.5);
    if (seconds >= 3600)
        fprintf(to, "  %llu:%02llu:%02llu left", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        fprintf(to, "  %llu:%02llu left", seconds / 60, seconds % 60);
}

static void erase_line(const nn_progress *progress)
{
    if (progress->terminal) fputs("\r\033[K", progress->to);
}

bool nn_progress_count(nn_progress *progress, int64_t rows)
{
    progress->part_rows += (uint64_t)rows;
    progress->rows += (uint64_t)rows;
    return progress->to && progress->terminal && nn_seconds() - progress->shown >= refresh;
}

/* Columns of the terminal; any number of them when it does not say. */
static size_t terminal_width(FILE *terminal)
{
    struct winsize size;
    return ioctl(fileno(terminal), TIOCGWINSZ, &size) || !size.ws_col ? SIZE_MAX : size.ws_col;
}

/* Bytes of the text that take at most so many columns. */
static size_t fitting(const char *text, size_t columns)
{
    size_t bytes = 0;
    for (size_t used = 0; text[bytes]; bytes++)
        if (((unsigned char)text[bytes] & 0xc0) != 0x80 && used++ == columns) break;
    return bytes;
}

/* What moves; malloc'd, NULL without memory. */
static char *moving_line(const nn_progress *progress, const nn_standing *standing, double now, bool bar)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to) return NULL;
    print_where(to, progress, standing);
    if (bar) print_bar(to, progress, standing);
    print_loss(to, standing->loss);
    print_scores(to, "", standing->scores, standing->n_scores);
    print_speed(to, progress, now);
    print_left(to, progress, standing, now);
    fclose(to);
    return text;
}

/* A line that is wrapped could not be erased: a narrow terminal has no bar, and then less. */
void nn_progress_step(nn_progress *progress, const nn_standing *standing)
{
    double now = progress->shown = nn_seconds();
    size_t width = terminal_width(progress->to) - 1;
    char *text = moving_line(progress, standing, now, true);
    if (text && text[fitting(text, width)]) {
        free(text);
        text = moving_line(progress, standing, now, false);
    }
    if (!text) return;
    erase_line(progress);
    fwrite(text, 1, fitting(text, width), progress->to);
    fflush(progress->to);
    free(text);
}

void nn_progress_lost(nn_progress *progress, uint64_t step, double loss)
{
    if (!progress->to) return;
    erase_line(progress);
    fprintf(progress->to,
            "the loss of step %llu is %s: is there such a value in the data, or is the learning rate too high?\n",
            (unsigned long long)step, isnan(loss) ? "not a number" : "infinite");
}

void nn_progress_log_lost(nn_progress *progress, const char *path, const char *why)
{
    if (!progress->to) return;
    erase_line(progress);
    fprintf(progress->to, "%s: %s; the training goes on without it\n", path, why);
}

void nn_progress_stop(nn_progress *progress, const nn_stop *stop)
{
    FILE *to = progress->to;
    if (!to) return;
    fprintf(to, "stopped after step %llu\n", (unsigned long long)stop->step);
    if (stop->weights) fprintf(to, "the weights so far are in %s\n", stop->weights);
    if (stop->from)
        fprintf(to, "the same command with --resume %s goes on\n", stop->from);
    else if (stop->step)
        fprintf(to, "%s; with --checkpoint FILE a training can be resumed\n",
                stop->weights ? "they do not hold all that going on needs" : "nothing was saved");
}

void nn_progress_part(nn_progress *progress, const nn_standing *standing, const nn_score *valid, size_t n_valid)
{
    double now = nn_seconds();
    if (progress->to) {
        erase_line(progress);
        print_where(progress->to, progress, standing);
        print_loss(progress->to, standing->loss);
        print_scores(progress->to, "", standing->scores, standing->n_scores);
        print_scores(progress->to, "valid ", valid, n_valid);
        print_speed(progress->to, progress, now);
        fputc('\n', progress->to);
        fflush(progress->to);
    }
    progress->part_started = nn_seconds();
    progress->part_rows = 0;
}

static bool has_score(const nn_score *scores, size_t count, const char *name, double *value)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(scores[i].name, name)) {
            *value = scores[i].value;
            return true;
        }
    return false;
}

/* The width of a column of the table. */
static int column_width(const char *name)
{
    int width = (int)strlen(name);
    return width < 8 ? 8 : width;
}

static void print_row(FILE *to, const char *title, const nn_score *columns, size_t n_columns, const nn_score *scores,
                      size_t count)
{
    double value;
    fprintf(to, "  %-6s", title);
    for (size_t i = 0; i < n_columns; i++) {
        int width = column_width(columns[i].name);
        fputs("  ", to);
        if (has_score(scores, count, columns[i].name, &value))
            print_number(to, width, value);
        else
            fprintf(to, "%*s", width, "");
    }
    fputc('\n', to);
}

static void print_time(FILE *to, double seconds)
{
    if (seconds < 60)
        fprintf(to, "%.*f s", seconds < 10 ? 2 : 0, seconds);
    else
        fprintf(to, "%.0f:%02.0f min", floor(seconds / 60), floor(fmod(seconds, 60)));
}

/* The columns are the scores of both rows, the loss first. */
static size_t list_columns(const nn_ending *ending, nn_score *columns)
{
    size_t count = 0;
    double known;
    for (size_t i = 0; i < ending->n_train; i++) columns[count++] = ending->train[i];
    for (size_t i = 0; i < ending->n_valid; i++)
        if (!has_score(columns, count, ending->valid[i].name, &known)) columns[count++] = ending->valid[i];
    return count;
}

static void print_work(const nn_progress *progress, const nn_ending *ending)
{
    double seconds = progress->ended - progress->started;
    if (!ending->steps) {
        fputs("\nnothing was left to do", progress->to);
        return;
    }
    fprintf(progress->to, "\n%llu step%s in ", (unsigned long long)ending->steps, ending->steps > 1 ? "s" : "");
    print_time(progress->to, seconds);
    if (seconds > 0) fprintf(progress->to, ", %.0f samples/s", (double)progress->rows / seconds);
}

void nn_progress_end(nn_progress *progress, const nn_ending *ending)
{
    nn_score columns[2 * NN_MOST_SCORES];
    if (!progress->to) return;
    size_t count = list_columns(ending, columns);
    fprintf(progress->to, "\n  %-6s", "");
    for (size_t i = 0; i < count; i++) fprintf(progress->to, "  %*s", column_width(columns[i].name), columns[i].name);
    fputc('\n', progress->to);
    print_row(progress->to, ending->whole ? "train" : "seen", columns, count, ending->train, ending->n_train);
    if (ending->n_valid) print_row(progress->to, "valid", columns, count, ending->valid, ending->n_valid);
    print_work(progress, ending);
    if (ending->best && progress->epochs)
        fprintf(progress->to, "%s; the best of epoch %llu are kept", ending->early ? "; ended by patience" : "",
                (unsigned long long)(ending->best / ending->part));
    else if (ending->best)
        fprintf(progress->to, "%s; the best of step %llu are kept", ending->early ? "; ended by patience" : "",
                (unsigned long long)ending->best);
    if (ending->weights) fprintf(progress->to, "; weights in %s", ending->weights);
    fputc('\n', progress->to);
    fflush(progress->to);
}
