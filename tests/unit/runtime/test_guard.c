/* Guard mode finds what a kernel does outside of its buffers and after their death. */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>

#include "fixture.h"
#include "host/guard.h"

/* Under the address sanitizer the signal must reach the test's runner all the same. */
const char *__asan_default_options(void) __attribute__((visibility("default")));
const char *__asan_default_options(void)
{
    return "handle_segv=0";
}

static const int64_t batch[] = {ROWS};
static const void *const inputs[] = {rows_x, rows_t, rows_k};

/* One training step of the image in guard mode; its status. */
static int run_guarded(const nn_image *image)
{
    nn_memory memory = nn_guard_memory();
    nn_options options = NN_OPTIONS_INIT;
    nn_model *model;
    nn_params *params;
    nn_session *session;
    options.memory = &memory;
    cr_assert_eq(nn_model_from_image(image, &options, &model), 0);
    cr_assert_eq(nn_params_new(model, NULL, 0, 7, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    int status = nn_session_step(session, batch, 1, inputs, 3, NULL);
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    return status;
}

Test(guard, a_right_model_gives_the_same_bits)
{
    nn_memory memory = nn_guard_memory();
    nn_options options = NN_OPTIONS_INIT;
    nn_model *models[2];
    float w[2][3];
    options.memory = &memory;
    cr_assert_eq(nn_model_from_image(&fixture_image, NULL, &models[0]), 0);
    cr_assert_eq(nn_model_from_image(&fixture_image, &options, &models[1]), 0);
    for (int i = 0; i < 2; i++) {
        nn_params *params;
        nn_session *session;
        cr_assert_eq(nn_params_new(models[i], NULL, 0, 7, &params), 0);
        cr_assert_eq(nn_session_new(params, NULL, &session), 0);
        for (int64_t rows = ROWS; rows > 0; rows--) {
            cr_assert_eq(nn_session_step(session, &rows, 1, inputs, 3, NULL), 0, "%s", nn_message());
            cr_assert_eq(nn_session_forward(session, &rows, 1, inputs, 3, 1), 0);
            cr_assert_eq(nn_session_backward(session), 0);
            cr_assert_eq(nn_session_update(session), 0);
        }
        cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, w[i], 3), 0);
        nn_session_free(session);
        nn_params_free(params);
        nn_model_free(models[i]);
    }
    cr_assert(!memcmp(w[0], w[1], sizeof w[0]));
}

/* The image with one kernel of another behaviour. */
static nn_kernel changed_kernels[K_KERNELS];

static nn_image with_kernel(int kernel, nn_loop_function *loop)
{
    nn_image image = fixture_image;
    memcpy(changed_kernels, fixture_kernels, sizeof changed_kernels);
    changed_kernels[kernel].loop = loop;
    image.kernels = changed_kernels;
    return image;
}

/* buffers: y, t, r; writes one element too many */
static void overrun(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    for (int64_t n = begin; n <= end; n++) ((volatile float *)args->buffers[2])[n] = 0;
}

/* buffers: x, w, y; reads one row too many of the caller's input */
static void overread(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    volatile const float *x = args->buffers[0];
    ((float *)args->buffers[2])[begin] = x[3 * end];
}

static void underrun(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    ((volatile float *)args->buffers[2])[-2048] = 0;
}

Test(guard, writing_past_a_temporary_is_caught, .signal = SIGSEGV)
{
    nn_image image = with_kernel(K_RESIDUAL, overrun);
    run_guarded(&image);
}

Test(guard, reading_past_an_input_is_caught, .signal = SIGSEGV)
{
    nn_image image = with_kernel(K_PREDICT, overread);
    run_guarded(&image);
}

Test(guard, writing_before_a_temporary_is_caught, .signal = SIGSEGV)
{
    nn_image image = with_kernel(K_RESIDUAL, underrun);
    run_guarded(&image);
}

static float seen;

/* buffers: r, loss: what a temporary holds before anyone wrote it */
static void peek(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    seen = ((float *)args->buffers[0])[0];
}

static void nothing(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)args, (void)begin, (void)end;
}

Test(guard, what_was_never_written_is_nan)
{
    nn_image image = with_kernel(K_RESIDUAL, nothing);
    changed_kernels[K_LOSS].loop = peek;
    seen = 0;
    cr_assert_eq(run_guarded(&image), 0, "%s", nn_message());
    cr_assert(isnan(seen));
}

Test(guard, what_died_is_nan_in_the_next_step)
{
    nn_memory memory = nn_guard_memory();
    nn_options options = NN_OPTIONS_INIT;
    nn_params *params;
    nn_session *session;
    nn_model *model;
    nn_image image = with_kernel(K_LOSS, kernel_loss);
    options.memory = &memory;
    cr_assert_eq(nn_model_from_image(&image, &options, &model), 0);
    cr_assert_eq(nn_params_new(model, NULL, 0, 7, &params), 0);
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, NULL), 0);
    changed_kernels[K_RESIDUAL].loop = nothing;
    changed_kernels[K_LOSS].loop = peek;
    seen = 0;
    cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, NULL), 0);
    cr_assert(isnan(seen));
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
}
