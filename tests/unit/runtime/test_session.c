/* Sessions: the order of calls, what is computed, and that every misuse is an error with a message. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

static nn_model *model;
static nn_params *params;
static nn_session *session;
static const int64_t batch[] = {ROWS};
static const void *const inputs[] = {rows_x, rows_t, rows_k};

static void open_model(void)
{
    cr_assert_eq(nn_model_from_image(&fixture_image, NULL, &model), 0, "%s", nn_message());
    cr_assert_eq(nn_params_new(model, NULL, 0, 7, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0, "%s", nn_message());
}

static void close_model(void)
{
    /* In the order that would be wrong if objects did not keep each other. */
    nn_model_free(model);
    nn_params_free(params);
    nn_session_free(session);
}

TestSuite(session, .init = open_model, .fini = close_model);

static void says(int status, int expected, const char *part)
{
    cr_assert_eq(status, expected, "status %d, %s", status, nn_message());
    cr_assert(strstr(nn_message(), part), "`%s` lacks `%s`", nn_message(), part);
}

static float get(const char *name)
{
    float value = NAN;
    cr_assert_eq(nn_session_get(session, name, NN_TYPE_F32, &value, 1), 0, "%s", nn_message());
    return value;
}

Test(session, initialises_from_the_seed)
{
    float w[3];
    cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, w, 3), 0);
    for (uint64_t i = 0; i < 3; i++) cr_assert_eq(w[i], nn_random_uniform(7, nn_random_stream("w", 0), 0, i));
}

Test(session, forward_gives_outputs_loss_and_metrics)
{
    const float w[] = {1, 2, 3};
    float y[ROWS], picked[ROWS];
    cr_assert_eq(nn_params_set(params, "w", NN_TYPE_F32, w, 3), 0);
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_get(session, "y", NN_TYPE_F32, y, ROWS), 0);
    cr_assert_eq(nn_session_get(session, "picked", NN_TYPE_F32, picked, ROWS), 0);
    cr_assert_eq(y[3], 6.0f);
    cr_assert_eq(y[4], 1.5f);
    cr_assert_eq(picked[2], 3.0f);
    cr_assert_eq(get("loss"), 0.0f);
    cr_assert_eq(get("mae"), 0.0f);
}

Test(session, leaves_out_what_a_missing_target_feeds)
{
    const void *const some[] = {rows_x, NULL, rows_k};
    float y[ROWS];
    cr_assert_eq(nn_session_forward(session, batch, 1, some, 3, 1), 0, "%s", nn_message());
    cr_assert_eq(nn_session_get(session, "y", NN_TYPE_F32, y, ROWS), 0);
    says(nn_session_get(session, "loss", NN_TYPE_F32, y, 1), NN_ERROR_STATE, "not computed");
    says(nn_session_backward(session), NN_ERROR_STATE, "t was not given");
    float loss;
    says(nn_session_step(session, batch, 1, some, 3, &loss), NN_ERROR_STATE, "t was not given");
    cr_assert_eq(nn_params_step(params), 0);
}

Test(session, step_equals_forward_backward_update)
{
    nn_params *other;
    nn_session *parts;
    cr_assert_eq(nn_params_new(model, NULL, 0, 7, &other), 0);
    cr_assert_eq(nn_session_new(other, NULL, &parts), 0);
    for (int i = 0; i < 20; i++) {
        float loss, same;
        cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, &loss), 0, "%s", nn_message());
        cr_assert_eq(nn_session_forward(parts, batch, 1, inputs, 3, 1), 0);
        cr_assert_eq(nn_session_get(parts, "loss", NN_TYPE_F32, &same, 1), 0);
        cr_assert_eq(nn_session_backward(parts), 0, "%s", nn_message());
        cr_assert_eq(nn_session_update(parts), 0, "%s", nn_message());
        cr_assert_eq(loss, same);
    }
    float a[3], b[3], count;
    cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, a, 3), 0);
    cr_assert_eq(nn_params_get(other, "w", NN_TYPE_F32, b, 3), 0);
    cr_assert(!memcmp(a, b, sizeof a));
    cr_assert_eq(nn_params_get(params, "count", NN_TYPE_F32, &count, 1), 0);
    cr_assert_eq(count, 20.0f);
    cr_assert_eq(nn_params_step(params), 20);
    nn_session_free(parts);
    nn_params_free(other);
}

Test(session, learns)
{
    float first, loss = NAN;
    cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, &first), 0);
    for (int i = 0; i < 300; i++) cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, &loss), 0);
    cr_assert(loss < first * 1e-3f, "%g after %g", (double)loss, (double)first);
}

Test(session, gradients_can_be_read_and_written_before_the_update)
{
    float w[3], after[3], g[3];
    const float zero[3] = {0};
    cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, w, 3), 0);
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 1), 0);
    says(nn_session_get(session, "grad.w", NN_TYPE_F32, g, 3), NN_ERROR_STATE, "not computed");
    cr_assert_eq(nn_session_backward(session), 0);
    cr_assert_eq(nn_session_get(session, "grad.w", NN_TYPE_F32, g, 3), 0);
    cr_assert_neq(g[0], 0.0f);
    cr_assert_eq(nn_session_set(session, "grad.w", NN_TYPE_F32, zero, 3), 0);
    cr_assert_eq(nn_session_update(session), 0);
    cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, after, 3), 0);
    cr_assert(!memcmp(w, after, sizeof w), "an update by a gradient of zero changes nothing");
    says(nn_session_set(session, "y", NN_TYPE_F32, zero, ROWS), NN_ERROR_ARGUMENT, "computed");
}

Test(session, forward_keeps_its_inputs_for_backward)
{
    float changing[ROWS * 3], expected[3], g[3];
    memcpy(changing, rows_x, sizeof changing);
    const void *const own[] = {changing, rows_t, rows_k};
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 1), 0);
    cr_assert_eq(nn_session_backward(session), 0);
    cr_assert_eq(nn_session_get(session, "grad.w", NN_TYPE_F32, expected, 3), 0);
    cr_assert_eq(nn_session_forward(session, batch, 1, own, 3, 1), 0);
    memset(changing, 0, sizeof changing);
    cr_assert_eq(nn_session_backward(session), 0);
    cr_assert_eq(nn_session_get(session, "grad.w", NN_TYPE_F32, g, 3), 0);
    cr_assert(!memcmp(g, expected, sizeof g));
}

Test(session, calls_out_of_order_are_errors)
{
    says(nn_session_backward(session), NN_ERROR_STATE, "forward");
    says(nn_session_update(session), NN_ERROR_STATE, "after backward");
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 0), 0);
    says(nn_session_backward(session), NN_ERROR_STATE, "training = 1");
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 1), 0);
    says(nn_session_update(session), NN_ERROR_STATE, "after backward");
    cr_assert_eq(nn_session_backward(session), 0);
    says(nn_session_backward(session), NN_ERROR_STATE, "already");
    cr_assert_eq(nn_session_update(session), 0);
    says(nn_session_update(session), NN_ERROR_STATE, "after backward");
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 1), 0);
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 0), 0);
    says(nn_session_backward(session), NN_ERROR_STATE, "nothing in between");
}

Test(session, wrong_arguments_are_errors)
{
    float loss, values[8];
    const int64_t negative[] = {-2}, free_size[] = {-1}, two[] = {5, 5}, huge[] = {INT64_MAX / 2};
    says(nn_session_forward(NULL, batch, 1, inputs, 3, 0), NN_ERROR_ARGUMENT, "NULL");
    says(nn_session_forward(session, negative, 1, inputs, 3, 0), NN_ERROR_ARGUMENT, "-2");
    says(nn_session_forward(session, two, 2, inputs, 3, 0), NN_ERROR_ARGUMENT, "1 free dimension");
    says(nn_session_forward(session, free_size, 1, inputs, 3, 0), NN_ERROR_ARGUMENT, "batch");
    says(nn_session_forward(session, NULL, 1, inputs, 3, 0), NN_ERROR_ARGUMENT, "free dimension");
    says(nn_session_forward(session, batch, 1, inputs, 2, 0), NN_ERROR_ARGUMENT, "3 inputs");
    says(nn_session_forward(session, batch, 1, NULL, 3, 0), NN_ERROR_ARGUMENT, "3 inputs");
    const void *const none[] = {rows_x, NULL, NULL};
    says(nn_session_forward(session, huge, 1, none, 3, 0), NN_ERROR_RANGE, "64 bits");
    says(nn_session_step(NULL, batch, 1, inputs, 3, &loss), NN_ERROR_ARGUMENT, "NULL");
    says(nn_session_backward(NULL), NN_ERROR_ARGUMENT, "NULL");
    says(nn_session_update(NULL), NN_ERROR_ARGUMENT, "NULL");
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 0), 0);
    says(nn_session_get(session, "y", NN_TYPE_F32, values, 4), NN_ERROR_ARGUMENT, "5 elements, not 4");
    says(nn_session_get(session, "Y", NN_TYPE_F32, values, 5), NN_ERROR_ARGUMENT, "no result Y");
    says(nn_session_get(session, "y", (nn_type)99, values, 5), NN_ERROR_ARGUMENT, "99");
    says(nn_session_get(session, NULL, NN_TYPE_F32, values, 5), NN_ERROR_ARGUMENT, "NULL");
    says(nn_session_get(session, "y", NN_TYPE_F32, NULL, 5), NN_ERROR_ARGUMENT, "NULL");
    nn_session *no_session;
    says(nn_session_new(NULL, NULL, &no_session), NN_ERROR_ARGUMENT, "NULL");
}

Test(session, a_label_out_of_range_is_named_with_its_row)
{
    const int32_t k[ROWS] = {0, 1, 4, 1, 0}, below[ROWS] = {0, 1, 2, 1, -1}, computed[ROWS] = {0, 1, 2, 3, 0};
    const void *given[] = {rows_x, rows_t, k};
    says(nn_session_forward(session, batch, 1, given, 3, 0), NN_ERROR_RANGE, "k: row 2 holds 4");
    given[2] = below;
    says(nn_session_forward(session, batch, 1, given, 3, 0), NN_ERROR_RANGE, "k: row 4 holds -1");
    /* In the declared range, but the kernel's table has three rows. */
    given[2] = computed;
    says(nn_session_forward(session, batch, 1, given, 3, 1), NN_ERROR_RANGE, "line 8 (kernel_pick): an index into w");
    says(nn_session_backward(session), NN_ERROR_STATE, "forward");
}

Test(session, sizes_may_change_from_call_to_call)
{
    static float x[3 * 1000], t[1000];
    static int32_t k[1000];
    const void *const many[] = {x, t, k};
    for (int i = 0; i < 3000; i++) x[i] = (float)(i % 7);
    float loss, y[1000];
    for (int64_t n = 1; n <= 1000; n += 37) {
        cr_assert_eq(nn_session_step(session, &n, 1, many, 3, &loss), 0, "%s", nn_message());
        cr_assert_eq(nn_session_forward(session, &n, 1, many, 3, 0), 0);
        cr_assert_eq(nn_session_get(session, "y", NN_TYPE_F32, y, (size_t)n), 0);
        cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, &loss), 0);
    }
    int rank;
    int64_t dims[12], empty = 0;
    cr_assert_eq(nn_session_forward(session, &empty, 1, many, 3, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_shape(session, "y", &rank, dims), 0);
    cr_assert(rank == 1 && dims[0] == 0);
}

Test(session, states_of_the_session_persist_and_reset)
{
    float first[ROWS], memory[ROWS];
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 0), 0);
    cr_assert_eq(nn_session_get(session, "memory", NN_TYPE_F32, first, ROWS), 0, "%s", nn_message());
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 0), 0);
    cr_assert_eq(nn_session_get(session, "memory", NN_TYPE_F32, memory, ROWS), 0);
    cr_assert_eq(memory[3], 2 * first[3]);
    cr_assert_eq(nn_session_reset(session), 0);
    cr_assert_eq(nn_session_forward(session, batch, 1, inputs, 3, 0), 0);
    cr_assert_eq(nn_session_get(session, "memory", NN_TYPE_F32, memory, ROWS), 0);
    cr_assert_eq(memory[3], first[3]);
}

Test(session, settings_reach_the_kernels)
{
    float before[3], after[3];
    cr_assert_eq(nn_params_set_setting(params, "lr", 0), 0);
    cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, before, 3), 0);
    cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, NULL), 0);
    cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, after, 3), 0);
    cr_assert(!memcmp(before, after, sizeof before));
    says(nn_params_set_setting(params, "rl", 1), NN_ERROR_ARGUMENT, "no setting rl");
    says(nn_params_set_setting(params, "steps", 1.5), NN_ERROR_RANGE, "i64");
    says(nn_params_set_setting(params, "step", 1), NN_ERROR_ARGUMENT, "follows");
    says(nn_params_set_setting(params, "progress", 1), NN_ERROR_ARGUMENT, "follows");
}

Test(session, other_programs_run_by_name)
{
    const uint8_t pixels[6] = {10, 20, 30, 40, 50, 60};
    const nn_named columns[] = {{"pixels", pixels}}, wrong[] = {{"pixel", pixels}};
    const int64_t two[] = {2};
    const void *x;
    nn_type type;
    int rank;
    int64_t dims[12];
    cr_assert_str_eq(nn_model_program_input(model, "data.train", 0), "pixels");
    cr_assert_null(nn_model_program_input(model, "data.train", 1));
    cr_assert_eq(nn_session_run(session, "data.train", two, 1, columns, 1), 0, "%s", nn_message());
    cr_assert_eq(nn_session_result(session, "x", &x, &type, &rank, dims), 0, "%s", nn_message());
    cr_assert(type == NN_TYPE_F32 && rank == 2 && dims[0] == 2 && dims[1] == 3);
    cr_assert_eq(((const float *)x)[5], 6.0f);
    says(nn_session_run(session, "data.train", two, 1, wrong, 1), NN_ERROR_ARGUMENT, "no input pixel");
    says(nn_session_run(session, "data.train", two, 1, NULL, 0), NN_ERROR_ARGUMENT, "needs pixels");
    says(nn_session_run(session, "data.test", two, 1, columns, 1), NN_ERROR_ARGUMENT, "no program data.test");
}

Test(session, the_model_describes_itself)
{
    nn_tensor info = {.size = sizeof info};
    char text[16];
    cr_assert_eq(nn_model_inputs(model), 3);
    cr_assert_eq(nn_model_dims(model), 1);
    cr_assert_str_eq(nn_model_dim_name(model, 0), "batch");
    cr_assert(!nn_model_dim_of_params(model, 0));
    cr_assert_eq(nn_model_tensor(model, nn_model_input(model, 2), &info), 0);
    cr_assert(!strcmp(info.name, "k") && info.range == 4 && info.dims[0] == -1 && info.role == NN_ROLE_TARGET);
    cr_assert_eq(nn_model_dim_text(model, T_X, 0, text, sizeof text), 0);
    cr_assert_str_eq(text, "batch");
    says(nn_model_tensor(model, 99, &info), NN_ERROR_ARGUMENT, "99");
    /* An old caller's structure is smaller. */
    memset(&info, 0x55, sizeof info);
    info.size = offsetof(nn_tensor, rank);
    cr_assert_eq(nn_model_tensor(model, T_X, &info), 0);
    cr_assert_eq(info.rank, 0x55555555);
}

/* ---- Memory of the caller's own ---- */

typedef struct {
    size_t bytes, calls;
} Account;

static void *take(void *data, size_t size)
{
    Account *account = data;
    account->bytes += size;
    account->calls++;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void give_back(void *data, void *memory, size_t size)
{
    ((Account *)data)->bytes -= size;
    free(memory);
}

Test(memory, comes_from_the_caller_and_goes_back)
{
    Account account = {0, 0};
    nn_memory memory = {&account, take, give_back, 0};
    nn_options options = NN_OPTIONS_INIT;
    nn_model *own_model;
    nn_params *own;
    nn_session *own_session;
    options.memory = &memory;
    cr_assert_eq(nn_model_from_image(&fixture_image, &options, &own_model), 0);
    cr_assert_eq(nn_params_new(own_model, NULL, 0, 7, &own), 0);
    cr_assert_eq(nn_session_new(own, NULL, &own_session), 0);
    for (int64_t rows = ROWS; rows > 3; rows--)
        cr_assert_eq(nn_session_step(own_session, &rows, 1, inputs, 3, NULL), 0);
    const int64_t same[] = {4};
    size_t calls = account.calls;
    for (int i = 0; i < 20; i++) cr_assert_eq(nn_session_step(own_session, same, 1, inputs, 3, NULL), 0);
    cr_assert_eq(account.calls, calls, "a step of known sizes needs no memory");
    nn_session_free(own_session);
    nn_params_free(own);
    nn_model_free(own_model);
    cr_assert_eq(account.bytes, 0);
    cr_assert_gt(account.calls, 0);
}

Test(image, what_is_no_image_is_refused)
{
    nn_image image = fixture_image;
    nn_model *none;
    image.magic++;
    says(nn_model_from_image(&image, NULL, &none), NN_ERROR_FORMAT, "not the image");
    for (uint32_t i = 0; i < 2; i++) { /* an older one, a newer one */
        char own[40];
        image = fixture_image;
        image.version = NN_IMAGE_VERSION - 1 + 2 * i;
        snprintf(own, sizeof own, "this is version %u", NN_IMAGE_VERSION);
        says(nn_model_from_image(&image, NULL, &none), NN_ERROR_VERSION, own);
    }
    image = fixture_image;
    image.n_kernels = 2;
    says(nn_model_from_image(&image, NULL, &none), NN_ERROR_FORMAT, "launch");
    image = fixture_image;
    image.n_tensors = 3;
    says(nn_model_from_image(&image, NULL, &none), NN_ERROR_FORMAT, "buffer");
    says(nn_model_from_image(NULL, NULL, &none), NN_ERROR_ARGUMENT, "NULL");
}
