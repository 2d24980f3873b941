/* Compiled convolutions of every shape against loops: values, and the gradients by the image and by the filter. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

enum { IMAGES = 3, HEIGHT = 7, WIDTH = 6, CHANNELS = 3, FILTERS = 2, MOST = 4096 };

/* The same along both axes. */
typedef struct {
    int count, taps, stride, dilation, padding;
} Form;

typedef struct {
    Form form;
    double x[IMAGES][HEIGHT][WIDTH][CHANNELS], dx[IMAGES][HEIGHT][WIDTH][CHANNELS];
    double w[MOST], dw[MOST], y[MOST];
} Loops;

/* The image's element that a tap of a position reads; NULL outside. */
static double *at(double (*image)[WIDTH][CHANNELS], const Form *form, int i, int j, int u, int v)
{
    int row = form->stride * i + form->dilation * u - form->padding;
    int column = form->stride * j + form->dilation * v - form->padding;
    bool inside = row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
    return inside ? image[row][column] : NULL;
}

/* y = the convolution; then, with the gradient of sum(y^2) / 2 by y, which is y, what flows to image and filter. */
static void run_loops(Loops *loops, bool backward)
{
    const Form *form = &loops->form;
    int n = form->count, k = form->taps;
    for (int p = 0; p < IMAGES * n * n; p++)
        for (int t = 0; t < k * k; t++) {
            int image = p / n / n, i = p / n % n, j = p % n, u = t / k, v = t % k;
            double *x = at(loops->x[image], form, i, j, u, v), *dx = at(loops->dx[image], form, i, j, u, v);
            for (int e = 0; x && e < CHANNELS * FILTERS; e++) {
                int c = e / FILTERS, f = e % FILTERS, filter = t * CHANNELS * FILTERS + e;
                double *y = &loops->y[p * FILTERS + f];
                if (!backward) *y += x[c] * loops->w[filter];
                if (backward) dx[c] += *y * loops->w[filter], loops->dw[filter] += *y * x[c];
            }
        }
}

static void expect_values(const Form *form, nn_session *session, const char *name, const double *wanted, size_t count)
{
    float *got = malloc((count + 1) * sizeof *got);
    double scale = 1e-3;
    cr_assert_eq(nn_session_get(session, name, NN_TYPE_F32, got, count), 0, "%s", nn_message());
    for (size_t i = 0; i < count; i++) scale = fmax(scale, fabs(wanted[i]));
    for (size_t i = 0; i < count; i++)
        cr_assert(fabs(got[i] - wanted[i]) <= 1e-6 * scale,
                  "%d positions of %d taps, stride %d, dilation %d, padding %d: "
                  "%s[%zu] is %g, not %g",
                  form->count, form->taps, form->stride, form->dilation, form->padding, name, i, got[i], wanted[i]);
    free(got);
}

/* Channels in front of the axes of images and filters, or behind them. */
typedef enum { CHANNELS_LAST, CHANNELS_FIRST } Order;

static nn_session *compile(nnc_compiler *compiler, const Form *form, Order order)
{
    static const char *const labels[] = {"niujvc,uvco->nijo", "nciujv,ocuv->noij"};
    int axis = order == CHANNELS_FIRST ? 2 : 1;
    char text[64], count[16], taps[16], padding[16];
    nn_model *model;
    nn_params *params;
    nn_session *session;
    snprintf(count, sizeof count, "%d", form->count);
    snprintf(taps, sizeof taps, "%d", form->taps);
    snprintf(padding, sizeof padding, "%d", form->padding);
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    if (order == CHANNELS_LAST)
        snprintf(text, sizeof text, "f32[n, %d, %d, %d]", HEIGHT, WIDTH, CHANNELS);
    else
        snprintf(text, sizeof text, "f32[n, %d, %d, %d]", CHANNELS, HEIGHT, WIDTH);
    nnc_value x = nnc_input(graph, "x", text);
    if (order == CHANNELS_LAST)
        snprintf(text, sizeof text, "f32[%d, %d, %d, %d]", form->taps, form->taps, CHANNELS, FILTERS);
    else
        snprintf(text, sizeof text, "f32[%d, %d, %d, %d]", FILTERS, CHANNELS, form->taps, form->taps);
    nnc_value w = nnc_input(graph, "w", text);
    nnc_value rows = nnc_window(graph, x, axis, count, taps, form->stride, form->dilation, padding);
    nnc_value patches = nnc_window(graph, rows, axis + 2, count, taps, form->stride, form->dilation, padding);
    nnc_value y = nnc_contract(graph, labels[order], patches, w);
    nnc_value half = nnc_binary(graph, "mul", nnc_reduce(graph, "sum", nnc_binary(graph, "mul", y, y), NULL, 0),
                                nnc_constant(graph, "f32", 0.5));
    nnc_output(graph, "y", y);
    nnc_output(graph, "dx", nnc_derivative(graph, half, x));
    nnc_output(graph, "dw", nnc_derivative(graph, half, w));
    cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 0, "%s", nnc_diagnostics(compiler));
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    nn_params_free(params);
    nn_model_free(model);
    nnc_graph_free(graph);
    return session;
}

/* Numbers in [-1, 1), as double and as float. */
static void draw(unsigned *state, double *to, float *single, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *state = *state * 1664525u + 1013904223u;
        single[i] = (float)(*state >> 8) / (1 << 23) - 1;
        to[i] = single[i];
    }
}

/* [images, inner, outer] from [images, outer, inner], in place; elements of `size` bytes. */
static void exchange(void *values, int images, int outer, int inner, size_t size)
{
    char *at = values, *copy = malloc((size_t)(images * outer * inner) * size + 1);
    memcpy(copy, values, (size_t)(images * outer * inner) * size);
    for (int n = 0; n < images; n++)
        for (int i = 0; i < outer; i++)
            for (int j = 0; j < inner; j++)
                memcpy(at + (size_t)((n * inner + j) * outer + i) * size,
                       copy + (size_t)((n * outer + i) * inner + j) * size, size);
    free(copy);
}

/* What loops over channels behind have, with the channels in front. */
static void move_channels(Loops *loops, float *x, float *w)
{
    const Form *form = &loops->form;
    int taps = form->taps * form->taps;
    exchange(x, IMAGES, HEIGHT * WIDTH, CHANNELS, sizeof *x);
    exchange(loops->dx, IMAGES, HEIGHT * WIDTH, CHANNELS, sizeof(double));
    exchange(loops->y, IMAGES, form->count * form->count, FILTERS, sizeof(double));
    exchange(w, 1, taps * CHANNELS, FILTERS, sizeof *w);
    exchange(w, FILTERS, taps, CHANNELS, sizeof *w);
    exchange(loops->dw, 1, taps * CHANNELS, FILTERS, sizeof(double));
    exchange(loops->dw, FILTERS, taps, CHANNELS, sizeof(double));
}

static void expect_form(nnc_compiler *compiler, const Form *form, Order order)
{
    static Loops loops;
    static float x[IMAGES * HEIGHT * WIDTH * CHANNELS], w[MOST];
    size_t filter = (size_t)(form->taps * form->taps * CHANNELS * FILTERS), image = sizeof x / sizeof *x;
    unsigned state = 7;
    loops = (Loops){.form = *form};
    draw(&state, &loops.x[0][0][0][0], x, image);
    draw(&state, loops.w, w, filter);
    run_loops(&loops, false);
    run_loops(&loops, true);
    if (order == CHANNELS_FIRST) move_channels(&loops, x, w);
    nn_session *session = compile(compiler, form, order);
    const void *inputs[] = {x, w};
    cr_assert_eq(nn_session_forward(session, (int64_t[]){IMAGES}, 1, inputs, 2, 0), 0, "%s", nn_message());
    expect_values(form, session, "y", loops.y, (size_t)(IMAGES * form->count * form->count * FILTERS));
    expect_values(form, session, "dx", &loops.dx[0][0][0][0], image);
    expect_values(form, session, "dw", loops.dw, filter);
    nn_session_free(session);
}

Test(windows, convolutions, .timeout = 120)
{
    static const Form forms[] = {
        {7, 3, 1, 1, 1},  {5, 3, 1, 1, 0},  {4, 3, 2, 1, 1},  {3, 3, 1, 2, 0}, {7, 3, 1, 2, 2}, {2, 2, 3, 1, 0},
        {1, 7, 1, 1, 1},  {9, 1, 1, 1, 1},  {3, 1, 2, 1, 0},  {2, 5, 2, 3, 4}, {8, 3, 1, 1, 9}, {2, 3, 1, 1, -2},
        {3, 2, 2, 1, -7}, {12, 2, 5, 3, 6}, {1, 12, 4, 1, 2}, {0, 3, 1, 1, 1}, {3, 0, 1, 1, 1}, {4, 2, 7, 9, 10},
    };
    nnc_compiler *compiler = nnc_new();
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        expect_form(compiler, &forms[i], CHANNELS_LAST);
        expect_form(compiler, &forms[i], CHANNELS_FIRST);
    }
    nnc_free(compiler);
}

/* Sums of what overlapping windows read, of free sizes. */
Test(windows, overlap_and_add)
{
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    nn_model *model;
    nn_params *params;
    nn_session *session;
    nnc_value g = nnc_input(graph, "g", "f32[n, k]");
    nnc_output(graph, "y", nnc_unwindow(graph, g, 0, "n + k", 1, 1, "0"));
    nnc_output(graph, "apart", nnc_unwindow(graph, g, 0, "4*n + 1", 4, 1, "-1"));
    nnc_output(graph, "again",
               nnc_window(graph, nnc_unwindow(graph, g, 0, "n + k", 1, 1, "0"), 0, "n", "k", 1, 1, "0"));
    cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 0, "%s", nnc_diagnostics(compiler));
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    const float values[] = {1, 2, 3, 4, 5, 6};
    const Form form = {2, 3, 1, 1, 0};
    const void *inputs[] = {values};
    cr_assert_eq(nn_session_forward(session, (int64_t[]){2, 3}, 2, inputs, 1, 0), 0, "%s", nn_message());
    expect_values(&form, session, "y", (const double[]){1, 6, 8, 6, 0}, 5);
    expect_values(&form, session, "apart", (const double[]){0, 1, 2, 3, 0, 4, 5, 6, 0}, 9);
    expect_values(&form, session, "again", (const double[]){1, 6, 8, 6, 8, 6}, 6);
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    nnc_graph_free(graph);
    nnc_free(compiler);
}

/* Positions along two axes, row by row; of equal elements the first. */
Test(windows, positions_along_axes)
{
    enum { N = 5, H = 9, W = 6, C = 19 };
    static const int axes[3][2] = {{1, 2}, {0, 3}, {2, 3}};
    static float x[N][H][W][C];
    static const int64_t sizes[] = {N, H, W, C};
    static const char *const names[] = {"12", "03", "23"};
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    nn_model *model;
    nn_params *params;
    nn_session *session;
    unsigned state = 3;
    float *flat = &x[0][0][0][0];
    for (int i = 0; i < N * H * W * C; i++) flat[i] = (float)((state = state * 1664525u + 1013904223u) >> 28);
    nnc_value in = nnc_input(graph, "x", "f32[n, 9, 6, 19]");
    for (int a = 0; a < 3; a++)
        nnc_output(graph, names[a], nnc_cast(graph, nnc_reduce(graph, "argmax", in, axes[a], 2), "f32"));
    cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 0, "%s", nnc_diagnostics(compiler));
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    const void *inputs[] = {x};
    cr_assert_eq(nn_session_forward(session, (int64_t[]){N}, 1, inputs, 1, 0), 0, "%s", nn_message());
    for (int a = 0; a < 3; a++) {
        double best[N * H * W * C], position[N * H * W * C];
        int kept[2], n_kept = 0, count = 1;
        for (int i = 0; i < 4; i++)
            if (i != axes[a][0] && i != axes[a][1]) kept[n_kept++] = i, count *= (int)sizes[i];
        for (int i = 0; i < count; i++) best[i] = -1;
        for (int i = 0; i < N * H * W * C; i++) {
            const int64_t at[] = {i / (H * W * C), i / (W * C) % H, i / C % W, i % C};
            int64_t to = at[kept[0]] * sizes[kept[1]] + at[kept[1]],
                    place = at[axes[a][0]] * sizes[axes[a][1]] + at[axes[a][1]];
            bool better = flat[i] > best[to] || (flat[i] == best[to] && (double)place < position[to]);
            if (better) best[to] = flat[i], position[to] = (double)place;
        }
        expect_values(&(Form){0}, session, names[a], position, (size_t)count);
    }
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    nnc_graph_free(graph);
    nnc_free(compiler);
}

/* Of short floats, with ones everywhere: what flows back is summed in f32 over taps and filters alike. */
Test(windows, short_floats)
{
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    nn_model *model;
    nn_params *params;
    nn_session *session;
    unsigned short ones[48];
    double y[16], dx[24], dw[18];
    for (int i = 0; i < 48; i++) ones[i] = 0x3f80;
    for (int i = 0; i < 16; i++) y[i] = i < 2 || i >= 14 ? 6 : 9;
    for (int i = 0; i < 24; i++) dx[i] = i < 3 || i >= 21 ? 4 : 6;
    for (int i = 0; i < 18; i++) dw[i] = i < 6 || i >= 12 ? 7 : 8;
    nnc_value x = nnc_input(graph, "x", "bf16[n, 8, 3]"), w = nnc_input(graph, "w", "bf16[3, 3, 2]");
    nnc_value out = nnc_contract(graph, "niuc,uco->nio", nnc_window(graph, x, 1, "8", "3", 1, 1, "1"), w);
    nnc_value sum = nnc_reduce(graph, "sum", nnc_cast(graph, out, "f32"), NULL, 0);
    nnc_output(graph, "y", out);
    nnc_output(graph, "dx", nnc_derivative(graph, sum, x));
    nnc_output(graph, "dw", nnc_derivative(graph, sum, w));
    cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 0, "%s", nnc_diagnostics(compiler));
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    const void *inputs[] = {ones, ones};
    cr_assert_eq(nn_session_forward(session, (int64_t[]){1}, 1, inputs, 2, 0), 0, "%s", nn_message());
    const Form form = {8, 3, 1, 1, 1};
    expect_values(&form, session, "y", y, 16);
    expect_values(&form, session, "dx", dx, 24);
    expect_values(&form, session, "dw", dw, 18);
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    nnc_graph_free(graph);
    nnc_free(compiler);
}
