/* A network over images of [n, c, h, w]: a step leaves the same bits as its three calls, on any number of threads. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

enum { EXTENT = 9, MOST_IMAGES = 130, MOST_VALUES = 1 << 16 };

typedef struct {
    nnc_graph *graph;
    nnc_value rate;
    nnc_value params[8];
    int n_params;
} Maker;

static nnc_value parameter(Maker *maker, const char *path, const char *type)
{
    char start[32];
    snprintf(start, sizeof start, "%s", path);
    nnc_value first =
        nnc_binary(maker->graph, "mul", nnc_random(maker->graph, start, type), nnc_constant(maker->graph, type, 0.2));
    return maker->params[maker->n_params++] = nnc_param(maker->graph, path, type, first);
}

static nnc_value convolve(Maker *maker, nnc_value x, nnc_value w, const char *count, int stride)
{
    nnc_value rows = nnc_window(maker->graph, x, 2, count, "3", stride, 1, "1");
    return nnc_contract(maker->graph, "nciujv,fcuv->nfij",
                        nnc_window(maker->graph, rows, 4, count, "3", stride, 1, "1"), w);
}

/* Two convolutions with a normalisation and a largest of windows between them, then a dense layer; momentum. */
static nn_model *make_network(nnc_compiler *compiler)
{
    static const int taps[] = {3, 5}, all[] = {0, 2, 3}, channel[] = {1};
    nn_model *model;
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    Maker maker = {.graph = graph};
    nnc_value x = nnc_input(graph, "x", "f32[n, 3, 9, 9]"), w = parameter(&maker, "first", "f32[20, 3, 3, 3]");
    nnc_value h = convolve(&maker, x, w, "9", 1);
    nnc_value mean = nnc_reduce(graph, "sum", h, all, 3);
    h = nnc_binary(graph, "sub", h,
                   nnc_broadcast(graph, nnc_binary(graph, "mul", mean, nnc_constant(graph, "f32[20]", 1e-3)),
                                 "f32[n, 20, 9, 9]", channel));
    h = nnc_unary(graph, "tanh", h);
    h = nnc_window(graph, nnc_window(graph, h, 2, "4", "3", 2, 1, "0"), 4, "4", "3", 2, 1, "0");
    h = nnc_reduce(graph, "reduce_max", h, taps, 2);
    h = convolve(&maker, h, parameter(&maker, "second", "f32[7, 20, 3, 3]"), "4", 1);
    h = nnc_reshape(graph, nnc_unary(graph, "tanh", h), "f32[n, 112]");
    nnc_value y = nnc_contract(graph, "nk,ko->no", h, parameter(&maker, "dense", "f32[112, 10]"));
    nnc_value loss = nnc_reduce(graph, "sum", nnc_binary(graph, "mul", y, y), NULL, 0);
    nnc_loss(graph, "loss", loss);
    for (int i = 0; i < maker.n_params; i++) {
        char path[32], type[64];
        nnc_value p = maker.params[i];
        snprintf(type, sizeof type, "%s", nnc_type(graph, p));
        snprintf(path, sizeof path, "momentum%d", i);
        nnc_value m = nnc_state(graph, path, type, nnc_constant(graph, type, 0));
        nnc_value next = nnc_binary(graph, "add", nnc_binary(graph, "mul", m, nnc_constant(graph, type, 0.5)),
                                    nnc_derivative(graph, loss, p));
        nnc_advance(graph, m, next);
        nnc_update(graph, p,
                   nnc_binary(graph, "sub", p, nnc_binary(graph, "mul", next, nnc_constant(graph, type, 1e-4))));
    }
    cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 0, "%s", nnc_diagnostics(compiler));
    nnc_graph_free(graph);
    return model;
}

/* All parameters after two steps; gives how many values there are. */
static size_t train(nn_model *model, int images, int threads, bool whole, float *values)
{
    static const char *const paths[] = {"first", "second", "dense"};
    static const size_t counts[] = {20 * 27, 7 * 180, 1120};
    static float x[MOST_IMAGES * 3 * EXTENT * EXTENT];
    nn_params *params;
    nn_session *session;
    nn_pool *pool;
    unsigned state = 5;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / (1 << 23) - 1;
    }
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_pool_new(threads, &pool), 0);
    cr_assert_eq(nn_session_new(params, pool, &session), 0, "%s", nn_message());
    const void *inputs[] = {x};
    const int64_t dims[] = {images};
    for (int i = 0; i < 2; i++) {
        if (whole) {
            cr_assert_eq(nn_session_step(session, dims, 1, inputs, 1, NULL), 0, "%s", nn_message());
            continue;
        }
        cr_assert_eq(nn_session_forward(session, dims, 1, inputs, 1, 1), 0, "%s", nn_message());
        cr_assert_eq(nn_session_backward(session), 0, "%s", nn_message());
        cr_assert_eq(nn_session_update(session), 0, "%s", nn_message());
    }
    size_t total = 0;
    for (size_t i = 0; i < 3; total += counts[i++])
        cr_assert_eq(nn_params_get(params, paths[i], NN_TYPE_F32, values + total, counts[i]), 0, "%s", nn_message());
    nn_session_free(session);
    nn_pool_free(pool);
    nn_params_free(params);
    return total;
}

Test(layout, one_order, .timeout = 120)
{
    static const int batches[] = {1, 2, 3, 4, 5, 13, 31, 64, 65, 129};
    static float wanted[MOST_VALUES], got[MOST_VALUES];
    nnc_compiler *compiler = nnc_new();
    nn_model *model = make_network(compiler);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        size_t count = train(model, batches[i], 1, true, wanted);
        for (int threads = 1; threads <= 4; threads++)
            for (int whole = 0; whole < 2; whole++) {
                cr_assert_eq(train(model, batches[i], threads, whole, got), count);
                cr_expect(!memcmp(wanted, got, count * sizeof *got), "%d images, %d threads, %s", batches[i], threads,
                          whole ? "a step" : "three calls");
            }
    }
    nn_model_free(model);
    nnc_free(compiler);
}
