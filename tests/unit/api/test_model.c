/* nn.h over compiled texts: schedules, streams, weights in memory, what a caller may get wrong about structures. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models.h"

static nn_model *compile(const char *text, const nnc_options *options)
{
    nn_model *model;
    nnc_compiler *compiler = nnc_new();
    int status = nnc_compile(compiler, NULL, text, options, &model);
    cr_assert_eq(status, 0, "%s", nnc_diagnostics(compiler));
    nnc_free(compiler);
    return model;
}

static nn_session *session_of(nn_model *model)
{
    nn_params *params;
    nn_session *session;
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    nn_params_free(params);
    nn_model_free(model);
    return session;
}

static void says(int status, int expected, const char *part)
{
    cr_assert_eq(status, expected, "status %d, %s", status, nn_message());
    cr_assert(strstr(nn_message(), part), "`%s` lacks `%s`", nn_message(), part);
}

/* ---- Schedules ---- */

/* The gradient of w is always 1, so that each step subtracts the learning rate of that step. */
#define DESCENT(train)                                                                                                 \
    "model descent { input x: f32[batch]; param w: f32 = 0; output y = w * x; loss = mean(y) }\n"                      \
    "train descent { " train " }\n"

static const float one[] = {1};
static const int64_t once[] = {1};
static const void *const ones[] = {one};

static float weight(nn_session *session)
{
    float w;
    cr_assert_eq(nn_params_get(nn_session_params(session), "w", NN_TYPE_F32, &w, 1), 0);
    return w;
}

static void descends(nn_session *session, const float *rates, int count)
{
    for (int i = 0; i < count; i++) {
        float before = weight(session);
        cr_assert_eq(nn_session_step(session, once, 1, ones, 1, NULL), 0, "%s", nn_message());
        cr_assert_float_eq(before - weight(session), rates[i], 1e-6, "step %d: %g", i + 1, before - weight(session));
    }
}

Test(schedule, without_an_end_is_told)
{
    nn_session *session = session_of(compile(DESCENT("optimizer = sgd(lr = 1 - progress)"), NULL));
    nn_params *params = nn_session_params(session);
    double steps;
    cr_assert_eq(nn_params_setting(params, "steps", &steps), 0);
    cr_assert_eq(steps, 0);
    says(nn_session_step(session, once, 1, ones, 1, NULL), NN_ERROR_STATE, "`steps`");
    cr_assert_eq(nn_params_step(params), 0);
    cr_assert_eq(weight(session), 0);
    /* Predictions and gradients do not look at it. */
    cr_assert_eq(nn_session_forward(session, once, 1, ones, 1, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_forward(session, once, 1, ones, 1, 1), 0, "%s", nn_message());
    cr_assert_eq(nn_session_backward(session), 0, "%s", nn_message());
    says(nn_session_update(session), NN_ERROR_STATE, "`steps`");
    says(nn_params_set_setting(params, "steps", 0), NN_ERROR_RANGE, "0");
    says(nn_params_set_setting(params, "steps", -3), NN_ERROR_RANGE, "-3");
    says(nn_params_set_setting(params, "steps", NAN), NN_ERROR_RANGE, "nan");
    cr_assert_eq(nn_params_set_setting(params, "steps", 4), 0, "%s", nn_message());
    descends(session, (const float[]){1, 0.75f, 0.5f, 0.25f, 0}, 5); /* at the end it stays there */
    nn_session_free(session);
}

Test(schedule, ends_where_the_block_says)
{
    /* Wherever the key stands. */
    nn_session *session = session_of(compile(DESCENT("optimizer = sgd(lr = 1 - progress); steps = 2"), NULL));
    descends(session, (const float[]){1, 0.5f, 0}, 3);
    nn_session_free(session);
    session = session_of(compile(DESCENT("steps = 2; optimizer = sgd(lr = 1 / steps)"), NULL));
    descends(session, (const float[]){0.5f, 0.5f}, 2);
    nn_session_free(session);
    const nnc_preset steps = {"steps", 10};
    nnc_options options = NNC_OPTIONS_INIT;
    options.presets = &steps;
    options.n_presets = 1;
    session = session_of(compile(DESCENT("optimizer = sgd(lr = 1 - progress); steps = 2"), &options));
    descends(session, (const float[]){1, 0.9f}, 2);
    nn_session_free(session);
}

Test(schedule, is_nothing_to_others)
{
    nn_session *session = session_of(compile(DESCENT("optimizer = sgd(lr = 1 / step)"), NULL));
    descends(session, (const float[]){1, 0.5f, 1 / 3.0f}, 3);
    nn_session_free(session);
}

Test(schedule, the_clock_is_nobodys_to_set)
{
    static const char *const names[] = {"step", "progress"};
    for (int i = 0; i < 2; i++) {
        nn_model *model;
        const nnc_preset preset = {names[i], 1};
        nnc_options options = NNC_OPTIONS_INIT;
        nnc_compiler *compiler = nnc_new();
        options.presets = &preset;
        options.n_presets = 1;
        cr_assert_eq(nnc_compile(compiler, NULL, DESCENT("optimizer = sgd(lr = 1 - progress)"), &options, &model), 1);
        cr_assert(strstr(nnc_diagnostics(compiler), "unknown-option"), "%s", nnc_diagnostics(compiler));
        nnc_free(compiler);
    }
}

/* ---- Streams ---- */

/* The memory of a row goes on from piece to piece, of whatever length; `gain` is only there to be stored. */
#define STREAM                                                                                                         \
    "model stream {\n"                                                                                                 \
    "    input x: f32[batch, time]\n"                                                                                  \
    "    param gain: f32 = 2\n"                                                                                        \
    "    state total: f32[batch] = 100\n"                                                                              \
    "    total := total + gain * sum(x, axis = 1)\n"                                                                   \
    "    output now = total\n"                                                                                         \
    "}\n"

static void feed(nn_session *session, int64_t batch, int64_t time, const float *x, const float *wanted)
{
    float now[4], total[4];
    const int64_t dims[] = {batch, time};
    const void *const inputs[] = {x};
    cr_assert_eq(nn_session_forward(session, dims, 2, inputs, 1, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_get(session, "now", NN_TYPE_F32, now, (size_t)batch), 0, "%s", nn_message());
    cr_assert_eq(nn_session_get(session, "total", NN_TYPE_F32, total, (size_t)batch), 0, "%s", nn_message());
    for (int i = 0; i < batch; i++) cr_assert(now[i] == wanted[i] && total[i] == wanted[i], "%g", now[i]);
}

static void follow(nn_model *model)
{
    static const float x[] = {1, 2, 3, 4, 5, 6};
    nn_session *session = session_of(model), *other;
    cr_assert_eq(nn_session_new(nn_session_params(session), NULL, &other), 0);
    feed(session, 2, 1, x, (const float[]){102, 104});
    feed(session, 2, 3, x, (const float[]){114, 134}); /* a longer piece */
    feed(other, 2, 1, x, (const float[]){102, 104});   /* another stream over the same parameters */
    feed(session, 2, 0, x, (const float[]){114, 134}); /* nothing new */
    feed(session, 2, 2, x, (const float[]){120, 148});
    const float seven[] = {7, 8};
    cr_assert_eq(nn_session_set(session, "total", NN_TYPE_F32, seven, 2), 0, "%s", nn_message());
    feed(session, 2, 1, x, (const float[]){9, 12});
    cr_assert_eq(nn_session_reset(session), 0);
    feed(session, 2, 1, x, (const float[]){102, 104});
    feed(session, 3, 1, x, (const float[]){102, 104, 106}); /* other rows are another stream */
    feed(session, 1, 1, x, (const float[]){102});
    feed(session, 0, 2, x, NULL);
    nn_session_free(session);
    nn_session_free(other);
}

Test(stream, goes_on_from_piece_to_piece)
{
    follow(compile(STREAM, NULL));
}

/* The states of a session are no weights: a library that carries weights begins them all the same. */
Test(stream, goes_on_over_weights_that_came_with_the_code)
{
    char folder[] = "/tmp/nn-stream-XXXXXX", weights[64], path[64];
    cr_assert(mkdtemp(folder));
    snprintf(weights, sizeof weights, "%s/w", folder);
    snprintf(path, sizeof path, "%s/stream.so", folder);
    nn_session *session = session_of(compile(STREAM, NULL));
    cr_assert_eq(nn_params_save(nn_session_params(session), weights), 0);
    nn_session_free(session);
    nnc_compiler *compiler = nnc_new();
    nnc_options options = NNC_OPTIONS_INIT;
    nn_model *model;
    options.weights = weights;
    cr_assert_eq(nnc_write(compiler, NULL, STREAM, &options, path), 0, "%s", nnc_diagnostics(compiler));
    nnc_free(compiler);
    cr_assert_eq(nn_model_open(path, NULL, &model), 0, "%s", nn_message());
    follow(model);
    unlink(weights);
    unlink(path);
    snprintf(path, sizeof path, "%s/stream.h", folder);
    unlink(path);
    cr_assert_eq(rmdir(folder), 0);
}

/* ---- Weights in memory ---- */

Test(weights, travel_in_memory)
{
    static const float points[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, either[4] = {0, 1, 1, 1};
    static const int64_t four[] = {4};
    static const void *const feed_both[] = {points, either};
    nn_session *session = session_of(compile(LOGISTIC, NULL)), *other = session_of(compile(LOGISTIC, NULL));
    nn_params *params = nn_session_params(session);
    size_t size = 0, again = 0;
    float a, b;
    for (int i = 0; i < 9; i++) cr_assert_eq(nn_session_step(session, four, 1, feed_both, 2, NULL), 0);
    cr_assert_eq(nn_params_set_metadata(params, "who", "me"), 0);
    cr_assert_eq(nn_params_save_memory(params, NULL, 0, &size), 0, "%s", nn_message());
    cr_assert_gt(size, 0);
    char *bytes = malloc(size + 1);
    bytes[size] = 'x';
    says(nn_params_save_memory(params, bytes, size - 1, &again), NN_ERROR_ARGUMENT, "room for");
    cr_assert_eq(again, size);
    cr_assert_eq(nn_params_save_memory(params, bytes, size, &again), 0, "%s", nn_message());
    cr_assert(again == size && bytes[size] == 'x');
    cr_assert_eq(nn_params_load_memory(nn_session_params(other), bytes, size, NN_LOAD_ALL), 0, "%s", nn_message());
    cr_assert_eq(nn_params_step(nn_session_params(other)), 9);
    cr_assert_str_eq(nn_params_metadata(nn_session_params(other), "who"), "me");
    for (int i = 0; i < 9; i++) {
        cr_assert_eq(nn_session_step(session, four, 1, feed_both, 2, &a), 0);
        cr_assert_eq(nn_session_step(other, four, 1, feed_both, 2, &b), 0);
        cr_assert_eq(a, b);
    }
    free(bytes);
    nn_session_free(session);
    nn_session_free(other);
}

/* A file in memory is the file. */
Test(weights, are_the_same_in_memory_and_in_files)
{
    char path[] = "/tmp/nn-memory-XXXXXX";
    close(mkstemp(path));
    nn_session *session = session_of(compile(LOGISTIC, NULL));
    static char bytes[4096], read[4096];
    size_t size;
    cr_assert_eq(nn_params_save_memory(nn_session_params(session), bytes, sizeof bytes, &size), 0, "%s", nn_message());
    cr_assert_eq(nn_params_save(nn_session_params(session), path), 0);
    FILE *file = fopen(path, "rb");
    cr_assert_eq(fread(read, 1, sizeof read, file), size);
    fclose(file);
    cr_assert(!memcmp(bytes, read, size));
    unlink(path);
    nn_session_free(session);
}

/* ---- Batches ---- */

/* No rows are none: no output, and no gradient that would spoil the weights. */
Test(batch, of_no_and_of_one_row)
{
    static const float points[1][2] = {{1, 2}}, either[1] = {1};
    static const int64_t none[] = {0};
    static const void *const row[] = {points, either};
    nn_session *session = session_of(compile(LOGISTIC, NULL));
    float p, loss, w[2], after[2];
    cr_assert_eq(nn_session_forward(session, none, 1, row, 2, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_get(session, "p", NN_TYPE_F32, &p, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_step(session, once, 1, row, 2, &loss), 0, "%s", nn_message());
    cr_assert(loss > 0 && isfinite(loss));
    cr_assert_eq(nn_session_forward(session, once, 1, row, 2, 0), 0);
    cr_assert_eq(nn_session_get(session, "p", NN_TYPE_F32, &p, 1), 0);
    cr_assert(p > 0.5f && p < 1);
    cr_assert_eq(nn_params_get(nn_session_params(session), "w", NN_TYPE_F32, w, 2), 0);
    int status = nn_session_step(session, none, 1, row, 2, &loss);
    cr_assert_eq(nn_params_get(nn_session_params(session), "w", NN_TYPE_F32, after, 2), 0);
    cr_assert(!memcmp(w, after, sizeof w), "a step over nothing (%d, loss %g) made %g %g of %g %g", status, loss,
              after[0], after[1], w[0], w[1]);
    nn_session_free(session);
}
