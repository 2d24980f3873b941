/* A model written by hand, as the code generator would write it: linear regression by gradient descent with momentum.
 *
 *     input x: f32[batch, 3]; target t: f32[batch]; target k: i32[batch] in 4
 *     param w: f32[3] ~ uniform; state count = 0 (of training forwards); state memory: f32[batch] = 0 (of the session)
 *     y = x @ w; loss = mean((y - t)^2); metric mae = mean(abs(y - t)); picked = w[k]  (k = 3 is out of its range)
 */
#ifndef TESTS_RUNTIME_FIXTURE_H
#define TESTS_RUNTIME_FIXTURE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "nn.h"
#include "nn_image.h"
#include "nn_random.h"

/* ---- Kernels; sizes are always {batch, 3} ---- */

#define BUFFER(type, i) ((type *)args->buffers[i])

/* buffers: w, m, count */
static void kernel_initialise(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    for (uint64_t i = 0; i < 3; i++)
        BUFFER(float, 0)[i] = nn_random_uniform(args->seed, nn_random_stream("w", 0), (uint32_t)args->step, i);
    memset(BUFFER(float, 1), 0, 3 * sizeof(float));
    *BUFFER(float, 2) = 0;
}

/* buffers: memory */
static void kernel_clear(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    for (int64_t n = begin; n < end; n++) BUFFER(float, 0)[n] = 0;
}

/* buffers: x, w, y */
static void kernel_predict(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    for (int64_t n = begin; n < end; n++) {
        float sum = 0;
        for (int64_t i = 0; i < args->sizes[1]; i++) sum += BUFFER(float, 0)[n * 3 + i] * BUFFER(float, 1)[i];
        BUFFER(float, 2)[n] = sum;
    }
}

/* buffers: y, t, r */
static void kernel_residual(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    for (int64_t n = begin; n < end; n++) BUFFER(float, 2)[n] = BUFFER(float, 0)[n] - BUFFER(float, 1)[n];
}

/* buffers: r, loss */
static void kernel_loss(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    float sum = 0;
    for (int64_t n = 0; n < args->sizes[0]; n++) sum += BUFFER(float, 0)[n] * BUFFER(float, 0)[n];
    *BUFFER(float, 1) = sum / (float)args->sizes[0];
}

/* buffers: r, sum of |r| */
static void kernel_sum_errors(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    float sum = 0;
    for (int64_t n = 0; n < args->sizes[0]; n++) sum += fabsf(BUFFER(float, 0)[n]);
    *BUFFER(float, 1) = sum;
}

/* buffers: sum, mean */
static void kernel_finish(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    *BUFFER(float, 1) = *BUFFER(float, 0) / (float)args->sizes[0];
}

/* buffers: count */
static void kernel_count(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    *BUFFER(float, 0) += 1;
}

/* buffers: memory, y: memory += y */
static void kernel_remember(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    for (int64_t n = begin; n < end; n++) BUFFER(float, 0)[n] += BUFFER(float, 1)[n];
}

/* buffers: w, k, picked */
static void kernel_pick(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    for (int64_t n = begin; n < end; n++) {
        int32_t k = BUFFER(int32_t, 1)[n];
        bool inside = k >= 0 && k < args->sizes[1];
        if (!inside) *args->error = 1;
        BUFFER(float, 2)[n] = BUFFER(float, 0)[inside ? k : 0];
    }
}

/* buffers: x, r, gradient of w */
static void kernel_gradient(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    for (int64_t i = 0; i < args->sizes[1]; i++) {
        float sum = 0;
        for (int64_t n = 0; n < args->sizes[0]; n++) sum += BUFFER(float, 1)[n] * BUFFER(float, 0)[n * 3 + i];
        BUFFER(float, 2)[i] = 2 * sum / (float)args->sizes[0];
    }
}

/* buffers: gradient, m, w, lr */
static void kernel_update(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    (void)begin, (void)end;
    for (int64_t i = 0; i < args->sizes[1]; i++) {
        BUFFER(float, 1)[i] = 0.9f * BUFFER(float, 1)[i] + BUFFER(float, 0)[i];
        BUFFER(float, 2)[i] -= *BUFFER(float, 3) * BUFFER(float, 1)[i];
    }
}

/* buffers: pixels (u8), x: x = pixels / 10 */
static void kernel_scale(const nn_kernel_args *args, int64_t begin, int64_t end)
{
    for (int64_t n = begin; n < end; n++)
        for (int64_t i = 0; i < 3; i++) BUFFER(float, 1)[n * 3 + i] = (float)BUFFER(uint8_t, 0)[n * 3 + i] / 10;
}

/* ---- Tables ---- */

enum { SIZE_BATCH = 0, SIZE_THREE = 4, SIZE_FOUR = 8, SIZE_ONE = 12, SIZE_BATCH_3 = 16, SIZE_TWO_BATCH = 24 };

static const int64_t fixture_sizes[] = {NN_SIZE_SYMBOL,   0, NN_SIZE_END,      0, NN_SIZE_CONSTANT, 3, NN_SIZE_END, 0,
                                        NN_SIZE_CONSTANT, 4, NN_SIZE_END,      0, NN_SIZE_CONSTANT, 1, NN_SIZE_END, 0,
                                        NN_SIZE_SYMBOL,   0, NN_SIZE_CONSTANT, 3, NN_SIZE_MUL,      0, NN_SIZE_END, 0,
                                        NN_SIZE_CONSTANT, 2, NN_SIZE_SYMBOL,   0, NN_SIZE_MUL,      0, NN_SIZE_END, 0};

enum {
    T_X,
    T_T,
    T_K,
    T_W,
    T_COUNT,
    T_MEMORY,
    T_M,
    T_LR,
    T_STEP,
    T_STEPS,
    T_PROGRESS,
    T_Y,
    T_PICKED,
    T_LOSS,
    T_MAE,
    T_GRADIENT,
    T_PARTIAL,
    T_PARTIAL_IN,
    T_PIXELS,
    T_READ_X,
    T_TENSORS
};

static const nn_tensor_info fixture_tensors[T_TENSORS] = {
    [T_X] = {"x", "what is known", NN_INPUT, NN_F32, 2, 0, {SIZE_BATCH, SIZE_THREE}, 0, 0},
    [T_T] = {"t", NULL, NN_TARGET, NN_F32, 1, 0, {SIZE_BATCH}, 0, 0},
    [T_K] = {"k", NULL, NN_TARGET, NN_I32, 1, 1, {SIZE_BATCH}, SIZE_FOUR, 0},
    [T_W] = {"w", NULL, NN_PARAM, NN_F32, 1, 0, {SIZE_THREE}, 0, 0},
    [T_COUNT] = {"count", NULL, NN_STATE, NN_F32, 0, 0, {0}, 0, 0},
    [T_MEMORY] = {"memory", NULL, NN_STATE, NN_F32, 1, 0, {SIZE_BATCH}, 0, 0},
    [T_M] = {"optimizer/w/m", NULL, NN_OPTIMIZER_STATE, NN_F32, 1, 0, {SIZE_THREE}, 0, 0},
    [T_LR] = {"lr", NULL, NN_SETTING, NN_F32, 0, 0, {0}, 0, 0.05},
    [T_STEP] = {"step", NULL, NN_SETTING, NN_I64, 0, 0, {0}, 0, 0},
    [T_STEPS] = {"steps", NULL, NN_SETTING, NN_I64, 0, 0, {0}, 0, 0},
    [T_PROGRESS] = {"progress", NULL, NN_SETTING, NN_F32, 0, 0, {0}, 0, 0},
    [T_Y] = {"y", NULL, NN_OUTPUT, NN_F32, 1, 0, {SIZE_BATCH}, 0, 0},
    [T_PICKED] = {"picked", NULL, NN_OUTPUT, NN_F32, 1, 0, {SIZE_BATCH}, 0, 0},
    [T_LOSS] = {"loss", NULL, NN_LOSS, NN_F32, 0, 0, {0}, 0, 0},
    [T_MAE] = {"mae", NULL, NN_METRIC, NN_F32, 0, 0, {0}, 0, 0},
    [T_GRADIENT] = {"w", NULL, NN_GRADIENT, NN_F32, 1, 0, {SIZE_THREE}, 0, 0},
    [T_PARTIAL] = {"mae.0", NULL, NN_VALUE, NN_F32, 0, 0, {0}, 0, 0},
    [T_PARTIAL_IN] = {"mae.0", NULL, NN_SOURCE, NN_F32, 0, 0, {0}, 0, 0},
    [T_PIXELS] = {"pixels", NULL, NN_SOURCE, NN_U8, 2, 0, {SIZE_BATCH, SIZE_THREE}, 0, 0},
    [T_READ_X] = {"x", NULL, NN_VALUE, NN_F32, 2, 0, {SIZE_BATCH, SIZE_THREE}, 0, 0},
};

enum {
    K_INITIALISE,
    K_CLEAR,
    K_PREDICT,
    K_RESIDUAL,
    K_LOSS,
    K_SUM,
    K_FINISH,
    K_COUNT,
    K_REMEMBER,
    K_PICK,
    K_GRADIENT,
    K_UPDATE,
    K_SCALE,
    K_KERNELS
};

#define WHOLE(f)                                                                                                       \
    {                                                                                                                  \
#f, NN_KERNEL_LOOP, NN_F32, 1, 0, -1, {0 }, f, NULL, NULL                                                      \
    }
#define SPLIT(f)                                                                                                       \
    {                                                                                                                  \
#f, NN_KERNEL_LOOP, NN_F32, 4, 1, 0, {1 }, f, NULL, NULL                                                       \
    }

static const nn_kernel fixture_kernels[K_KERNELS] = {
    [K_INITIALISE] = WHOLE(kernel_initialise),
    [K_CLEAR] = SPLIT(kernel_clear),
    [K_PREDICT] = SPLIT(kernel_predict),
    [K_RESIDUAL] = SPLIT(kernel_residual),
    [K_LOSS] = WHOLE(kernel_loss),
    [K_SUM] = WHOLE(kernel_sum_errors),
    [K_FINISH] = WHOLE(kernel_finish),
    [K_COUNT] = WHOLE(kernel_count),
    [K_REMEMBER] = SPLIT(kernel_remember),
    [K_PICK] = SPLIT(kernel_pick),
    [K_GRADIENT] = WHOLE(kernel_gradient),
    [K_UPDATE] = WHOLE(kernel_update),
    [K_SCALE] = SPLIT(kernel_scale),
};

#define TENSOR(type, tensor, elements)                                                                                 \
    {                                                                                                                  \
        NN_BUFFER_TENSOR, type, tensor, elements, 0, 0, NULL                                                           \
    }
#define TEMPORARY(elements, first, last)                                                                               \
    {                                                                                                                  \
        NN_BUFFER_TEMPORARY, NN_F32, 0, elements, first, last, NULL                                                    \
    }

/* The buffers of all programs but data.train; each uses the ones that it needs. */
enum { B_X, B_T, B_K, B_W, B_COUNT, B_MEMORY, B_M, B_LR, B_Y, B_PICKED, B_LOSS, B_MAE, B_GRADIENT, B_R, B_BUFFERS };

#define MODEL_BUFFERS(r_first, r_last)                                                                                 \
    {                                                                                                                  \
        [B_X] = TENSOR(NN_F32, T_X, SIZE_BATCH_3), [B_T] = TENSOR(NN_F32, T_T, SIZE_BATCH),                            \
        [B_K] = TENSOR(NN_I32, T_K, SIZE_BATCH), [B_W] = TENSOR(NN_F32, T_W, SIZE_THREE),                              \
        [B_COUNT] = TENSOR(NN_F32, T_COUNT, SIZE_ONE), [B_MEMORY] = TENSOR(NN_F32, T_MEMORY, SIZE_BATCH),              \
        [B_M] = TENSOR(NN_F32, T_M, SIZE_THREE), [B_LR] = TENSOR(NN_F32, T_LR, SIZE_ONE),                              \
        [B_Y] = TENSOR(NN_F32, T_Y, SIZE_BATCH), [B_PICKED] = TENSOR(NN_F32, T_PICKED, SIZE_BATCH),                    \
        [B_LOSS] = TENSOR(NN_F32, T_LOSS, SIZE_ONE), [B_MAE] = TENSOR(NN_F32, T_MAE, SIZE_ONE),                        \
        [B_GRADIENT] = TENSOR(NN_F32, T_GRADIENT, SIZE_THREE), [B_R] = TEMPORARY(SIZE_BATCH, r_first, r_last)          \
    }

static const nn_buffer initialise_buffers[] = MODEL_BUFFERS(0, 0);
static const nn_buffer inference_buffers[] = MODEL_BUFFERS(2, 4);
static const nn_buffer training_buffers[] = MODEL_BUFFERS(2, 8);
static const nn_buffer finish_buffers[] = {TENSOR(NN_F32, T_PARTIAL_IN, SIZE_ONE), TENSOR(NN_F32, T_MAE, SIZE_ONE)};
static const nn_buffer accumulate_buffers[] = {TENSOR(NN_F32, T_X, SIZE_BATCH_3), TENSOR(NN_F32, T_T, SIZE_BATCH),
                                               TENSOR(NN_F32, T_W, SIZE_THREE),   TEMPORARY(SIZE_BATCH, 0, 1),
                                               TEMPORARY(SIZE_BATCH, 1, 2),       TENSOR(NN_F32, T_PARTIAL, SIZE_ONE)};
static const nn_buffer data_buffers[] = {TENSOR(NN_U8, T_PIXELS, SIZE_BATCH_3), TENSOR(NN_F32, T_READ_X, SIZE_BATCH_3)};

/* References: the sizes first, then buffers of launches. */
static const uint32_t fixture_references[] = {
    /* 0 */ SIZE_BATCH,
    SIZE_THREE,
    /* 2: initialise */ B_W,
    B_M,
    B_COUNT,
    /* 5: clear */ B_MEMORY,
    /* 6: predict */ B_X,
    B_W,
    B_Y,
    /* 9: residual */ B_Y,
    B_T,
    B_R,
    /* 12: loss */ B_R,
    B_LOSS,
    /* 14: count */ B_COUNT,
    /* 15: pick */ B_W,
    B_K,
    B_PICKED,
    /* 18: gradient */ B_X,
    B_R,
    B_GRADIENT,
    /* 21: update */ B_GRADIENT,
    B_M,
    B_W,
    B_LR,
    /* 25: sum of errors */ B_R,
    B_MAE,
    /* 27: mean of errors */ B_MAE,
    B_MAE,
    /* 29: finish, scale */ 0,
    1,
    /* 31: accumulate */ 0,
    2,
    3,
    3,
    1,
    4,
    4,
    5,
    /* 39: remember */ B_MEMORY,
    B_Y};

#define LAUNCH(kernel, at, count, phase, metric, line)                                                                 \
    {                                                                                                                  \
        kernel, at, 0, count, 2, phase, metric, line                                                                   \
    }

/* Drawing w needs no size of a call. */
static const nn_launch initialise_launches[] = {{K_INITIALISE, 2, 1, 3, 1, NN_FORWARD, 0, 0},
                                                LAUNCH(K_CLEAR, 5, 1, NN_FORWARD, 0, 0)};
#define FORWARD_LAUNCHES                                                                                               \
    LAUNCH(K_PREDICT, 6, 3, NN_FORWARD, 0, 5), LAUNCH(K_REMEMBER, 39, 2, NN_FORWARD, 0, 0),                            \
        LAUNCH(K_RESIDUAL, 9, 3, NN_FORWARD, 0, 0), LAUNCH(K_LOSS, 12, 2, NN_FORWARD, 0, 6),                           \
        LAUNCH(K_SUM, 25, 2, NN_FORWARD, 1, 7), LAUNCH(K_FINISH, 27, 2, NN_FORWARD, 1, 7),                             \
        LAUNCH(K_PICK, 15, 3, NN_FORWARD, 0, 8)

static const nn_launch inference_launches[] = {FORWARD_LAUNCHES};
static const nn_launch training_launches[] = {FORWARD_LAUNCHES, LAUNCH(K_COUNT, 14, 1, NN_FORWARD, 0, 0),
                                              LAUNCH(K_GRADIENT, 18, 3, NN_BACKWARD, 0, 0),
                                              LAUNCH(K_UPDATE, 21, 4, NN_UPDATE, 0, 0)};
static const nn_launch accumulate_launches[] = {LAUNCH(K_PREDICT, 31, 3, NN_FORWARD, 0, 0),
                                                LAUNCH(K_RESIDUAL, 34, 3, NN_FORWARD, 0, 0),
                                                LAUNCH(K_SUM, 37, 2, NN_FORWARD, 0, 0)};
static const nn_launch finish_launches[] = {LAUNCH(K_FINISH, 29, 2, NN_FORWARD, 0, 0)};
static const nn_launch data_launches[] = {LAUNCH(K_SCALE, 29, 2, NN_FORWARD, 0, 0)};

#define PROGRAM(name, buffers, launches)                                                                               \
    {                                                                                                                  \
        name, buffers, launches, sizeof buffers / sizeof *buffers, sizeof launches / sizeof *launches                  \
    }

static const nn_program fixture_programs[] = {PROGRAM("initialise", initialise_buffers, initialise_launches),
                                              PROGRAM("inference", inference_buffers, inference_launches),
                                              PROGRAM("training", training_buffers, training_launches),
                                              PROGRAM("step", training_buffers, training_launches),
                                              PROGRAM("accumulate", accumulate_buffers, accumulate_launches),
                                              PROGRAM("finish", finish_buffers, finish_launches),
                                              PROGRAM("data.train", data_buffers, data_launches)};

static const char *const fixture_symbols[] = {"batch"};

static const nn_image fixture_image = {.magic = NN_IMAGE_MAGIC,
                                       .version = NN_IMAGE_VERSION,
                                       .image_size = sizeof(nn_image),
                                       .name = "line",
                                       .cpu = "x86-64-v2",
                                       .description = "by hand",
                                       .symbols = fixture_symbols,
                                       .tensors = fixture_tensors,
                                       .size_code = fixture_sizes,
                                       .references = fixture_references,
                                       .kernels = fixture_kernels,
                                       .programs = fixture_programs,
                                       .n_symbols = 1,
                                       .n_tensors = T_TENSORS,
                                       .n_kernels = K_KERNELS,
                                       .n_programs = sizeof fixture_programs / sizeof *fixture_programs};

/* ---- A batch ---- */

enum { ROWS = 5 };

static const float rows_x[ROWS * 3] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 2, -1, 0.5f};
static const float rows_t[ROWS] = {1, 2, 3, 6, 1.5f};
static const int32_t rows_k[ROWS] = {0, 1, 2, 1, 0};

#endif
