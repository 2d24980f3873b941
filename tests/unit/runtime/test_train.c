/* From rows to trained parameters: shuffling, batches, the training loop, metrics over a split. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "host/train.h"

/* ---- A hundred rows of t = x @ (1, -2, 3) / 10, x in bytes ---- */

enum { DATA_ROWS = 101 };

static uint8_t pixels[DATA_ROWS][3];
static float targets[DATA_ROWS];
static int64_t picks[DATA_ROWS];
static nn_source *pixel_source, *target_source, *pick_source;
static nn_feed feeds[3];
static nn_split split;
static nn_params *params;

static void make_data(void)
{
    const int64_t three[] = {3};
    for (int i = 0; i < DATA_ROWS; i++) {
        for (int k = 0; k < 3; k++) pixels[i][k] = (uint8_t)((i * (k + 3) * 7 + k) % 10);
        targets[i] = (float)(pixels[i][0] - 2 * pixels[i][1] + 3 * pixels[i][2]) / 10;
        picks[i] = i % 3;
    }
    cr_assert_eq(nn_source_literal(NN_TYPE_U8, DATA_ROWS, 1, three, pixels, &pixel_source), 0);
    cr_assert_eq(nn_source_literal(NN_TYPE_F32, DATA_ROWS, 0, NULL, targets, &target_source), 0);
    cr_assert_eq(nn_source_literal(NN_TYPE_I64, DATA_ROWS, 0, NULL, picks, &pick_source), 0);
    feeds[0] = (nn_feed){"x", pixel_source, 0};
    feeds[1] = (nn_feed){"t", target_source, 0};
    feeds[2] = (nn_feed){"k", pick_source, 0};
    split = (nn_split){NULL, feeds, 3, 0, DATA_ROWS};
    cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, 7, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_params_set_setting(params, "lr", 0.002), 0);
}

static void free_data(void)
{
    nn_params_free(params);
    nn_source_free(pixel_source);
    nn_source_free(target_source);
    nn_source_free(pick_source);
}

TestSuite(train, .init = make_data, .fini = free_data, .timeout = 60);

/* ---- Order ---- */

Test(train, shuffling_is_a_permutation_that_the_seed_decides)
{
    int64_t a[1000], b[1000];
    int seen[1000] = {0}, moved = 0;
    nn_shuffle(a, 1000, 1, 0);
    for (int i = 0; i < 1000; i++) {
        seen[a[i]]++;
        moved += a[i] != i;
    }
    for (int i = 0; i < 1000; i++) cr_assert_eq(seen[i], 1);
    cr_assert_gt(moved, 950);
    nn_shuffle(b, 1000, 1, 0);
    cr_assert(!memcmp(a, b, sizeof a));
    nn_shuffle(b, 1000, 1, 1);
    cr_assert(memcmp(a, b, sizeof a));
    nn_shuffle(b, 1000, 2, 0);
    cr_assert(memcmp(a, b, sizeof a));
}

Test(train, shuffling_is_as_documented)
{
    /* The formula of loader.h, written out once more. */
    int64_t order[50], expected[50];
    nn_shuffle(order, 50, 0x123456789abcdefu, 3);
    for (int i = 0; i < 50; i++) expected[i] = i;
    for (uint32_t i = 49; i > 0; i--) {
        nn_philox words = nn_philox_make((nn_philox){{i, 0, nn_random_stream("epoch", 0), 3}}, 0x89abcdefu, 0x1234567u);
        /* (high * 2^32 + low) * (i + 1) / 2^64, in two halves */
        uint64_t low = (uint64_t)words.word[1] * (i + 1), high = (uint64_t)words.word[0] * (i + 1) + (low >> 32);
        int64_t j = (int64_t)(high >> 32), kept = expected[i];
        expected[i] = expected[j];
        expected[j] = kept;
    }
    cr_assert(!memcmp(order, expected, sizeof order));
}

Test(train, parts_share_borders_and_no_row)
{
    nn_split a = {0}, b = {0};
    for (int64_t rows = 1; rows < 50; rows++) {
        nn_split_part(&a, rows, 0, 0.8);
        nn_split_part(&b, rows, 0.8, 1);
        cr_assert_eq(a.first, 0);
        cr_assert_eq(a.first + a.rows, b.first);
        cr_assert_eq(b.first + b.rows, rows);
    }
}

/* ---- Batches ---- */

static nn_loader *open_loader(int64_t batch, bool shuffle, uint64_t first, uint64_t batches)
{
    nn_loader *loader;
    nn_loader_options options = {.params = params,
                                 .split = &split,
                                 .batch = batch,
                                 .shuffle = shuffle,
                                 .seed = 5,
                                 .first_step = first,
                                 .batches = batches};
    cr_assert_eq(nn_loader_new(&options, &loader), 0, "%s", nn_message());
    return loader;
}

Test(train, an_epoch_takes_each_row_once_and_the_last_batch_is_short)
{
    int seen[DATA_ROWS] = {0}, batches = 0;
    const nn_batch *batch;
    nn_loader *loader = open_loader(8, true, 0, 0);
    while (!nn_loader_next(loader, &batch) && batch) {
        batches++;
        cr_assert_eq(batch->rows, batches < 13 ? 8 : 5);
        cr_assert_eq(batch->last, batches == 13);
        cr_assert_eq(batch->dims[0], batch->rows);
        for (int64_t i = 0; i < batch->rows; i++) {
            const float *x = (const float *)batch->inputs[0] + 3 * i;
            for (int row = 0; row < DATA_ROWS; row++)
                if (x[0] == pixels[row][0] && x[1] == pixels[row][1] && x[2] == pixels[row][2] &&
                    ((const float *)batch->inputs[1])[i] == targets[row] &&
                    ((const int32_t *)batch->inputs[2])[i] == picks[row])
                    seen[row]++;
        }
    }
    cr_assert_eq(batches, 13);
    int total = 0;
    for (int row = 0; row < DATA_ROWS; row++) {
        cr_assert_geq(seen[row], 1, "row %d", row);
        total += seen[row];
    }
    cr_assert_geq(total, DATA_ROWS);
    nn_loader_free(loader);
}

Test(train, without_shuffling_rows_come_in_order_and_begin_again)
{
    const nn_batch *batch;
    nn_loader *loader = open_loader(50, false, 0, 5);
    static const int64_t starts[] = {0, 50, 100, 0, 50}, rows[] = {50, 50, 1, 50, 50};
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(nn_loader_next(loader, &batch), 0);
        cr_assert_eq(batch->rows, rows[i]);
        cr_assert_eq(batch->epoch, (uint64_t)i / 3);
        for (int64_t k = 0; k < rows[i]; k++)
            cr_assert_eq(((const float *)batch->inputs[1])[k], targets[starts[i] + k]);
    }
    cr_assert_eq(nn_loader_next(loader, &batch), 0);
    cr_assert_null(batch);
    cr_assert_eq(nn_loader_next(loader, &batch), 0);
    cr_assert_null(batch);
    nn_loader_free(loader);
}

Test(train, a_loader_goes_on_where_another_stopped)
{
    const nn_batch *a, *b;
    nn_loader *whole = open_loader(8, true, 0, 40), *later = open_loader(8, true, 20, 20);
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(nn_loader_next(whole, &a), 0);
        if (i < 20) continue;
        cr_assert_eq(nn_loader_next(later, &b), 0);
        cr_assert_eq(a->rows, b->rows);
        cr_assert(!memcmp(a->inputs[1], b->inputs[1], (size_t)a->rows * sizeof(float)));
    }
    nn_loader_free(whole);
    nn_loader_free(later);
}

Test(train, data_programs_make_the_inputs)
{
    const nn_batch *batch;
    nn_feed own[] = {{"pixels", pixel_source, 0}};
    nn_loader *loader;
    split = (nn_split){"data.train", own, 1, 10, 20};
    loader = open_loader(7, false, 0, 0);
    cr_assert_eq(nn_loader_next(loader, &batch), 0, "%s", nn_message());
    for (int i = 0; i < 21; i++)
        cr_assert_eq(((const float *)batch->inputs[0])[i], (float)pixels[10 + i / 3][i % 3] / 10);
    cr_assert_null(batch->inputs[1]);
    nn_loader_free(loader);
}

Test(train, what_does_not_fit_is_an_error)
{
    nn_loader *loader;
    const nn_batch *batch;
    nn_loader_options options = {.params = params, .split = &split, .batch = 8};
    split.rows = 102;
    cr_assert_neq(nn_loader_new(&options, &loader), 0);
    cr_assert(strstr(nn_message(), "101 rows, the split needs 102"), "%s", nn_message());
    split.rows = 0;
    cr_assert_neq(nn_loader_new(&options, &loader), 0);
    split.rows = 101;
    feeds[0] = (nn_feed){"x", target_source, 0};
    cr_assert_eq(nn_loader_new(&options, &loader), 0);
    cr_assert_neq(nn_loader_next(loader, &batch), 0);
    cr_assert(strstr(nn_message(), "x takes 24 elements, the data has 8"), "%s", nn_message());
    nn_loader_free(loader);
}

/* ---- Training ---- */

static const nn_partial mae_part = {"mae.0", NN_COMBINE_SUM};

static nn_training make_training(void)
{
    return (nn_training){
        .params = params, .train = &split, .batch = 16, .epochs = 20, .partials = &mae_part, .n_partials = 1};
}

static double mean_error(void)
{
    nn_score scores[4];
    size_t count = 4;
    nn_evaluation evaluation = {.params = params, .split = &split, .batch = 7, .partials = &mae_part, .n_partials = 1};
    cr_assert_eq(nn_evaluate(&evaluation, scores, &count), 0, "%s", nn_message());
    cr_assert_eq(count, 1);
    cr_assert_str_eq(scores[0].name, "mae");
    return scores[0].value;
}

Test(train, learns_and_logs)
{
    char log[] = "/tmp/nn_log_XXXXXX.csv", weights[] = "/tmp/nn_trained_XXXXXX", line[64];
    close(mkstemps(log, 4));
    close(mkstemp(weights));
    nn_training training = make_training();
    training.log = log;
    training.weights = weights;
    training.epochs = 60;
    nn_training_result result;
    double before = mean_error();
    cr_assert_eq(nn_train(&training, &result), 0, "%s", nn_message());
    cr_assert(result.steps == 60 * 7 && result.epochs == 60 && !result.stopped);
    cr_assert_eq(nn_params_step(params), 420);
    cr_assert_lt(mean_error(), before / 20);
    FILE *file = fopen(log, "r");
    cr_assert_not_null(fgets(line, sizeof line, file));
    cr_assert_str_eq(line, "step,loss\n");
    uint64_t rows = 0;
    while (fgets(line, sizeof line, file)) {
        char *comma;
        cr_assert_eq(strtoull(line, &comma, 10), ++rows);
        cr_assert(*comma == ',' && isfinite(strtod(comma + 1, NULL)));
    }
    fclose(file);
    cr_assert_eq(rows, 420);
    nn_params *loaded;
    float a[3], b[3];
    cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, 1, &loaded), 0);
    cr_assert_eq(nn_params_load(loaded, weights, 0), 0, "%s", nn_message());
    nn_params_get(params, "w", NN_TYPE_F32, a, 3);
    nn_params_get(loaded, "w", NN_TYPE_F32, b, 3);
    cr_assert(!memcmp(a, b, sizeof a));
    nn_params_free(loaded);
    unlink(log);
    unlink(weights);
}

Test(train, stopped_and_resumed_is_uninterrupted)
{
    nn_params *other;
    nn_training_result result;
    nn_training training = make_training(), parts = training;
    float a[3], b[3];
    cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, 7, &other), 0);
    nn_params_set_setting(other, "lr", 0.002);
    cr_assert_eq(nn_train(&training, &result), 0, "%s", nn_message());
    parts.params = other;
    parts.epochs = 0;
    parts.steps = 33;
    cr_assert_eq(nn_train(&parts, &result), 0, "%s", nn_message());
    cr_assert_eq(result.steps, 33);
    parts.steps = 140;
    cr_assert_eq(nn_train(&parts, &result), 0, "%s", nn_message());
    cr_assert_eq(result.steps, 107);
    nn_params_get(params, "w", NN_TYPE_F32, a, 3);
    nn_params_get(other, "w", NN_TYPE_F32, b, 3);
    cr_assert(!memcmp(a, b, sizeof a));
    cr_assert_eq(nn_train(&parts, &result), NN_ERROR_STATE);
    nn_params_free(other);
}

Test(train, a_stop_finishes_cleanly)
{
    static volatile sig_atomic_t stop = 1;
    nn_training training = make_training();
    nn_training_result result;
    training.stop = &stop;
    cr_assert_eq(nn_train(&training, &result), 0);
    cr_assert(result.stopped && result.steps == 0);
}

/* A stop that comes while the first epoch's line is written. */
static volatile sig_atomic_t stop_soon;
static char shown[256];

static ssize_t stop_when_written(void *cookie, const char *text, size_t size)
{
    (void)cookie;
    strncat(shown, text, size < sizeof shown - strlen(shown) - 1 ? size : sizeof shown - strlen(shown) - 1);
    stop_soon = 1;
    return (ssize_t)size;
}

Test(train, a_stop_saves_what_was_learned)
{
    char weights[] = "/tmp/nn_stopped_XXXXXX";
    close(mkstemp(weights));
    nn_training training = make_training();
    nn_training_result result;
    training.progress = fopencookie(NULL, "w", (cookie_io_functions_t){.write = stop_when_written});
    training.stop = &stop_soon;
    training.weights = weights;
    cr_assert_eq(nn_train(&training, &result), 0, "%s", nn_message());
    fclose(training.progress);
    cr_assert(result.stopped && result.steps == 7);
    cr_assert(strstr(shown, "\nstopped after step 7\n"), "%s", shown);
    nn_params *loaded;
    cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, 1, &loaded), 0);
    cr_assert_eq(nn_params_load(loaded, weights, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_params_step(loaded), 7);
    nn_params_free(loaded);
    unlink(weights);
}

/* ---- Checkpoints ---- */

/* Looks at the state of the session after each step, and asks to stop after one of them. */
typedef struct {
    float memory[16];
    uint64_t stop_after;
} Look;

static int look(void *data, nn_session *session, const nn_batch *batch, uint64_t step, double loss)
{
    Look *at = data;
    (void)batch, (void)loss;
    stop_soon = step == at->stop_after;
    return nn_session_get(session, "memory", NN_TYPE_F32, at->memory, 16);
}

static void train_and_look(nn_training training, Look *at, nn_training_result *result)
{
    nn_observer observer = {.data = at, .after = look}, *observers[] = {&observer};
    stop_soon = 0;
    training.observers = observers;
    training.n_observers = 1;
    training.stop = &stop_soon;
    cr_assert_eq(nn_train(&training, result), 0, "%s", nn_message());
}

static void check_same_values(nn_params *a, nn_params *b)
{
    static const struct {
        const char *name;
        size_t count;
    } values[] = {{"w", 3}, {"optimizer/w/m", 3}, {"count", 1}};
    float x[3], y[3];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        cr_assert_eq(nn_params_get(a, values[i].name, NN_TYPE_F32, x, values[i].count), 0, "%s", nn_message());
        cr_assert_eq(nn_params_get(b, values[i].name, NN_TYPE_F32, y, values[i].count), 0, "%s", nn_message());
        cr_assert(!memcmp(x, y, values[i].count * sizeof *x), "%s", values[i].name);
    }
    cr_assert_eq(nn_params_step(a), nn_params_step(b));
}

Test(train, a_checkpoint_keeps_the_states_of_the_session_too)
{
    char checkpoint[] = "/tmp/nn_checkpoint_XXXXXX";
    close(mkstemp(checkpoint));
    nn_params *other;
    nn_training_result whole, part, rest;
    Look at_end = {0}, at_stop = {.stop_after = 33}, at_rest = {0};
    split.rows = 96;
    nn_training training = make_training(), parts = training;
    train_and_look(training, &at_end, &whole);
    parts.params = NULL;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, i ? 99 : 7, &other), 0);
        nn_params_set_setting(other, "lr", 0.002);
        parts.params = other;
        parts.checkpoint = i ? NULL : checkpoint;
        parts.resume = i ? checkpoint : NULL;
        train_and_look(parts, i ? &at_rest : &at_stop, i ? &rest : &part);
        if (!i) nn_params_free(other);
    }
    cr_assert(part.stopped && part.steps == 33 && !rest.stopped && rest.steps == whole.steps - 33);
    cr_assert_eq(rest.loss, whole.loss);
    check_same_values(params, other);
    cr_assert(!memcmp(at_end.memory, at_rest.memory, sizeof at_end.memory));
    cr_assert(memcmp(at_end.memory, at_stop.memory, sizeof at_end.memory));
    nn_params_free(other);
    unlink(checkpoint);
}

Test(train, a_finished_checkpoint_only_ends)
{
    char checkpoint[] = "/tmp/nn_checkpoint_XXXXXX";
    close(mkstemp(checkpoint));
    nn_training training = make_training();
    nn_training_result result;
    training.checkpoint = checkpoint;
    cr_assert_eq(nn_train(&training, &result), 0, "%s", nn_message());
    training.checkpoint = NULL;
    training.resume = checkpoint;
    cr_assert_eq(nn_train(&training, &result), 0, "%s", nn_message());
    cr_assert(result.steps == 0 && !result.stopped);
    training.epochs--;
    cr_assert_eq(nn_train(&training, &result), NN_ERROR_STATE);
    training.epochs++;
    training.accumulate = 2;
    cr_assert_neq(nn_train(&training, &result), 0);
    unlink(checkpoint);
}

Test(train, a_bad_label_ends_with_its_row)
{
    nn_training training = make_training();
    nn_training_result result;
    picks[20] = 9;
    cr_assert_eq(nn_train(&training, &result), NN_ERROR_RANGE);
    cr_assert(strstr(nn_message(), "k: row 20 of the data (from 0) holds 9"), "%s", nn_message());
}

static int count_lines(const char *text)
{
    int lines = 0;
    for (; (text = strchr(text, '\n')); text++) lines++;
    return lines;
}

static char *train_and_read(nn_training training)
{
    char *text = NULL;
    size_t size = 0;
    nn_training_result result;
    training.progress = open_memstream(&text, &size);
    cr_assert_eq(nn_train(&training, &result), 0, "%s", nn_message());
    fclose(training.progress);
    return text;
}

Test(train, long_trainings_are_calm)
{
    static const uint64_t lengths[] = {1, 19, 21, 37, 90, 91, 500, 1999};
    nn_training training = make_training();
    training.batch = 101;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char last[32];
        training.epochs = lengths[i];
        nn_params_set_step(params, 0);
        char *text = train_and_read(training);
        cr_expect_leq(count_lines(text), 20 + 5);
        snprintf(last, sizeof last, "epoch %d/%d ", (int)lengths[i], (int)lengths[i]);
        cr_expect(strstr(text, last) && !strncmp(text, "epoch 1/", 8), "%s", text);
        free(text);
    }
    training.epochs = 0;
    training.steps = 5000;
    nn_params_set_step(params, 0);
    char *text = train_and_read(training);
    cr_expect_leq(count_lines(text), 10 + 5);
    cr_expect(strstr(text, "\nstep 5000/5000 "), "%s", text);
    free(text);
}

static int stop_with_epoch(void *data, nn_session *session, const nn_batch *batch, uint64_t step, double loss)
{
    (void)data, (void)session, (void)step, (void)loss;
    stop_soon = batch->last;
    return NN_OK;
}

Test(train, a_stop_does_not_wait_for_scores_that_are_only_shown)
{
    nn_observer observer = {.after = stop_with_epoch}, *observers[] = {&observer};
    for (int end = 0; end <= 1; end++) {
        nn_training training = make_training();
        training.epochs = end ? 1 : 3;
        training.valid = &split;
        training.stop = &stop_soon;
        training.observers = observers;
        training.n_observers = 1;
        nn_params_set_step(params, 0);
        char *text = train_and_read(training);
        cr_expect_null(strstr(text, "valid"), "%s", text);
        free(text);
    }
}

Test(train, progress_is_a_line_an_epoch)
{
    nn_training training = make_training();
    training.epochs = 3;
    training.valid = &split;
    char *text = train_and_read(training);
    cr_assert_eq(count_lines(text), 3 + 6, "%s", text); /* with the table */
    cr_assert(strstr(text, "epoch 3/3  loss ") && strstr(text, "  valid mae "), "%s", text);
    char row[64];
    snprintf(row, sizeof row, "\n  train   %8.4f\n", mean_error());
    cr_assert(strstr(text, row), "the table should have%s%s", row, text);
    cr_assert_null(strchr(text, '\r'));
    free(text);
}

Test(train, options_that_make_no_sense)
{
    nn_training_result result;
    nn_training both = make_training(), neither = both, empty = both, odd = both;
    both.steps = 1;
    neither.epochs = 0;
    empty.batch = 0;
    odd.log = "log.txt";
    cr_assert_eq(nn_train(&both, &result), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_train(&neither, &result), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_train(&empty, &result), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_train(&odd, &result), NN_DATA_EXTENSION);
    cr_assert(strstr(nn_message(), ".csv"));
}

/* ---- Metrics ---- */

Test(train, a_metric_is_that_of_the_whole_split)
{
    float w[] = {0.5f, 1, -1};
    double sum = 0;
    cr_assert_eq(nn_params_set(params, "w", NN_TYPE_F32, w, 3), 0);
    for (int i = 0; i < DATA_ROWS; i++)
        sum += fabs(0.5 * pixels[i][0] + pixels[i][1] - pixels[i][2] - (double)targets[i]);
    cr_assert_float_eq(mean_error(), sum / DATA_ROWS, 1e-5);
    split.first = 40;
    split.rows = 3;
    sum = 0;
    for (int i = 40; i < 43; i++) sum += fabs(0.5 * pixels[i][0] + pixels[i][1] - pixels[i][2] - (double)targets[i]);
    cr_assert_float_eq(mean_error(), sum / 3, 1e-5);
}

Test(train, without_partial_results_the_split_is_one_batch)
{
    nn_image image = fixture_image;
    nn_params *plain;
    nn_score scores[4];
    size_t count = 4;
    float w[] = {0.5f, 1, -1};
    image.n_programs = 4; /* up to step */
    cr_assert_eq(nn_params_from_image(&image, NULL, 0, 7, &plain), 0, "%s", nn_message());
    cr_assert_eq(nn_params_set(plain, "w", NN_TYPE_F32, w, 3), 0);
    cr_assert_eq(nn_params_set(params, "w", NN_TYPE_F32, w, 3), 0);
    nn_evaluation evaluation = {.params = plain, .split = &split};
    cr_assert_eq(nn_evaluate(&evaluation, scores, &count), 0, "%s", nn_message());
    cr_assert_eq(count, 2);
    cr_assert_str_eq(scores[0].name, "loss");
    cr_assert_float_eq(scores[1].value, mean_error(), 1e-5);
    nn_params_free(plain);
}
