/* Convolutions over images that a graph gives as [n, c, h, w], beside the same over [n, h, w, c]: the time of the whole
 * program, copies between the caller's order and the inner one included; one thread.
 *
 *     bench_layout [--rounds N] [--only NAME]
 *
 * The two run in turns, and of each the best round counts, in processor time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nnc/nnc.h"
#include "peak.h"

typedef enum { FORWARD, INPUT_GRADIENT, FILTER_GRADIENT, PASSES } Pass;

typedef struct {
    int images, extent, channels, filters, stride;
    int layers; /* more convolutions before it, of filters to filters, with relu between */
} Shape;

static const struct {
    const char *name;
    Shape shape;
} cases[] = {
    {"conv2 32->64 @28", {32, 28, 32, 64, 1, 0}}, {"64->64 @56", {8, 56, 64, 64, 1, 0}},
    {"128->128 @28", {8, 28, 128, 128, 1, 0}},    {"stride 2 128 @56", {8, 56, 128, 128, 2, 0}},
    {"four 64->64 @28", {32, 28, 64, 64, 1, 3}},
};

typedef struct {
    nnc_graph *graph;
    bool channels_first;
    const Shape *shape;
} Maker;

static nnc_value windows(const Maker *maker, nnc_value x, int extent, int stride)
{
    char count[16];
    int axis = maker->channels_first ? 2 : 1;
    snprintf(count, sizeof count, "%d", (extent - 1) / stride + 1);
    x = nnc_window(maker->graph, x, axis, count, "3", stride, 1, "1");
    return nnc_window(maker->graph, x, axis + 2, count, "3", stride, 1, "1");
}

static nnc_value convolve(const Maker *maker, nnc_value x, nnc_value w, int stride)
{
    const char *labels = maker->channels_first ? "nciujv,fcuv->nfij" : "niujvc,uvcf->nijf";
    return nnc_contract(maker->graph, labels, windows(maker, x, maker->shape->extent, stride), w);
}

static nnc_value image(const Maker *maker, const char *name, int extent, int channels)
{
    char text[64];
    if (maker->channels_first)
        snprintf(text, sizeof text, "f32[n, %d, %d, %d]", channels, extent, extent);
    else
        snprintf(text, sizeof text, "f32[n, %d, %d, %d]", extent, extent, channels);
    return nnc_input(maker->graph, name, text);
}

static nnc_value filter(const Maker *maker, const char *name, int channels, int filters)
{
    char text[64];
    if (maker->channels_first)
        snprintf(text, sizeof text, "f32[%d, %d, 3, 3]", filters, channels);
    else
        snprintf(text, sizeof text, "f32[3, 3, %d, %d]", channels, filters);
    return nnc_input(maker->graph, name, text);
}

/* The convolution's result, or the gradient of sum(result * g) by image or filter. Inputs: x, w, g, then the others'
 * filters. */
static nnc_graph *make_graph(nnc_compiler *compiler, const Shape *shape, bool channels_first, Pass pass)
{
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    Maker maker = {graph, channels_first, shape};
    nnc_value x = image(&maker, "x", shape->extent, shape->channels);
    nnc_value w = filter(&maker, "w", shape->channels, shape->filters), h = x;
    nnc_value g = image(&maker, "g", (shape->extent - 1) / shape->stride + 1, shape->filters);
    for (int i = 0; i < shape->layers; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        h = nnc_unary(graph, "abs", convolve(&maker, h, filter(&maker, name, shape->channels, shape->filters), 1));
    }
    nnc_value y = convolve(&maker, h, w, shape->stride);
    nnc_value loss = nnc_reduce(graph, "sum", nnc_binary(graph, "mul", y, g), NULL, 0);
    if (pass == FORWARD) nnc_output(graph, "out", y);
    if (pass == INPUT_GRADIENT) nnc_output(graph, "out", nnc_derivative(graph, loss, x));
    if (pass == FILTER_GRADIENT) nnc_output(graph, "out", nnc_derivative(graph, loss, w));
    return graph;
}

static void check(int status, const char *what)
{
    if (!status) return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static nn_session *open_session(nnc_compiler *compiler, nnc_graph *graph)
{
    nn_model *model;
    nn_params *params;
    nn_session *session;
    nn_pool *pool;
    check(nnc_graph_compile(graph, NULL, &model), nnc_diagnostics(compiler));
    check(nn_params_new(model, NULL, 0, 1, &params), nn_message());
    check(nn_pool_new(1, &pool), nn_message());
    check(nn_session_new(params, pool, &session), nn_message());
    return session;
}

static float *random_values(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    for (size_t i = 0; i < n; i++) x[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return x;
}

static void measure(nnc_compiler *compiler, const char *name, const Shape *shape, int rounds)
{
    int result = (shape->extent - 1) / shape->stride + 1;
    size_t pixels = (size_t)shape->images * (size_t)shape->extent * (size_t)shape->extent;
    size_t results = (size_t)shape->images * (size_t)result * (size_t)result;
    size_t n_w = 9 * (size_t)shape->channels * (size_t)shape->filters;
    const void *inputs[8] = {random_values(pixels * (size_t)shape->channels), random_values(n_w),
                             random_values(results * (size_t)shape->filters)};
    for (int i = 0; i < shape->layers; i++) inputs[3 + i] = random_values(n_w);
    printf("%-18s", name);
    for (int pass = 0; pass < PASSES; pass++) {
        nn_session *sessions[2];
        double best[2] = {INFINITY, INFINITY};
        for (int first = 0; first < 2; first++)
            sessions[first] = open_session(compiler, make_graph(compiler, shape, first, (Pass)pass));
        for (int i = 0; i < 2 * rounds; i++) {
            double start = now();
            check(nn_session_forward(sessions[i % 2], (int64_t[]){shape->images}, 1, inputs, 3 + shape->layers, 0),
                  nn_message());
            if (i > 1) best[i % 2] = fmin(best[i % 2], now() - start);
        }
        printf("  %8.1f us %8.1f us %5.2f", best[0] * 1e6, best[1] * 1e6, best[1] / best[0]);
        fflush(stdout);
    }
    printf("\n");
}

/* ---- a step of a network: two convolutions, the largest of 2 x 2 or of overlapping 3 x 3 windows, a dense layer */

static nnc_value parameter(const Maker *maker, const char *path, const char *type, nnc_value *all, int *count)
{
    nnc_value first =
        nnc_binary(maker->graph, "mul", nnc_random(maker->graph, path, type), nnc_constant(maker->graph, type, 0.05));
    return all[(*count)++] = nnc_param(maker->graph, path, type, first);
}

static nnc_value rectified_layer(const Maker *maker, nnc_value x, nnc_value w, nnc_value bias, int channels)
{
    char text[64];
    int axis = maker->channels_first ? 1 : 3;
    nnc_value y = convolve(maker, x, w, 1);
    snprintf(text, sizeof text, maker->channels_first ? "f32[n, %d, 28, 28]" : "f32[n, 28, 28, %d]", channels);
    y = nnc_binary(maker->graph, "add", y, nnc_broadcast(maker->graph, bias, text, &axis));
    return nnc_binary(maker->graph, "max", y, nnc_constant(maker->graph, text, 0));
}

static nnc_value largest(const Maker *maker, nnc_value x, const char *size)
{
    int axis = maker->channels_first ? 2 : 1, taps[] = {axis + 1, axis + 3};
    const char *padding = *size == '3' ? "1" : "0";
    x = nnc_window(maker->graph, x, axis, "14", size, 2, 1, padding);
    x = nnc_window(maker->graph, x, axis + 2, "14", size, 2, 1, padding);
    return nnc_reduce(maker->graph, "reduce_max", x, taps, 2);
}

static nnc_graph *make_network(nnc_compiler *compiler, bool channels_first, const char *pool)
{
    static const Shape shape = {.extent = 28};
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    Maker maker = {graph, channels_first, &shape};
    nnc_value params[8], x = image(&maker, "x", 28, 1);
    int count = 0;
    nnc_value w = parameter(&maker, "w1", channels_first ? "f32[32, 1, 3, 3]" : "f32[3, 3, 1, 32]", params, &count);
    nnc_value h = rectified_layer(&maker, x, w, parameter(&maker, "b1", "f32[32]", params, &count), 32);
    w = parameter(&maker, "w2", channels_first ? "f32[64, 32, 3, 3]" : "f32[3, 3, 32, 64]", params, &count);
    h = rectified_layer(&maker, h, w, parameter(&maker, "b2", "f32[64]", params, &count), 64);
    h = nnc_reshape(graph, largest(&maker, h, pool), "f32[n, 12544]");
    nnc_value y = nnc_contract(graph, "nk,ko->no", h, parameter(&maker, "dense", "f32[12544, 10]", params, &count));
    nnc_value loss = nnc_reduce(graph, "sum", nnc_binary(graph, "mul", y, y), NULL, 0);
    nnc_loss(graph, "loss", loss);
    for (int i = 0; i < count; i++) {
        char type[64];
        snprintf(type, sizeof type, "%s", nnc_type(graph, params[i]));
        nnc_value change =
            nnc_binary(graph, "mul", nnc_derivative(graph, loss, params[i]), nnc_constant(graph, type, 1e-6));
        nnc_update(graph, params[i], nnc_binary(graph, "sub", params[i], change));
    }
    return graph;
}

static void measure_network(nnc_compiler *compiler, const char *name, const char *pool, int rounds)
{
    enum { IMAGES = 32 };
    const void *inputs[] = {random_values(IMAGES * 28 * 28)};
    nn_session *sessions[2];
    double best[2] = {INFINITY, INFINITY};
    for (int first = 0; first < 2; first++)
        sessions[first] = open_session(compiler, make_network(compiler, first, pool));
    for (int i = 0; i < 2 * rounds; i++) {
        double start = now();
        check(nn_session_step(sessions[i % 2], (int64_t[]){IMAGES}, 1, inputs, 1, NULL), nn_message());
        if (i > 1) best[i % 2] = fmin(best[i % 2], now() - start);
    }
    printf("%-18s  %8.1f us %8.1f us %5.2f\n", name, best[0] * 1e6, best[1] * 1e6, best[1] / best[0]);
}

int main(int n_args, char **args)
{
    int rounds = 10;
    const char *only = "";
    for (int i = 1; i + 1 < n_args; i += 2) {
        if (!strcmp(args[i], "--rounds")) rounds = atoi(args[i + 1]);
        if (!strcmp(args[i], "--only")) only = args[i + 1];
    }
    nnc_compiler *compiler = nnc_new();
    printf("peak %.1f GFLOP/s\n%-18s  forward: nhwc, nchw, ratio    input gradient                filter gradient\n",
           peak_measure() * 1e-9, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strstr(cases[i].name, only)) measure(compiler, cases[i].name, &cases[i].shape, rounds);
    if (strstr("step, 2x2 pool", only)) measure_network(compiler, "step, 2x2 pool", "2", rounds);
    if (strstr("step, 3x3 pool", only)) measure_network(compiler, "step, 3x3 pool", "3", rounds);
    nnc_free(compiler);
    return 0;
}
