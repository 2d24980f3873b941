/* nnc.h over graphs that are built by calls. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "models.h"

static const float points[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, either[4] = {0, 1, 1, 1};

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

static nn_model *compile_graph(nnc_compiler *compiler, nnc_graph *graph)
{
    nn_model *model;
    int status = nnc_graph_compile(graph, NULL, &model);
    cr_assert_eq(status, 0, "%s", nnc_diagnostics(compiler));
    return model;
}

static nn_model *compile_text(nnc_compiler *compiler, const char *text)
{
    nn_model *model;
    cr_assert_eq(nnc_compile(compiler, NULL, text, NULL, &model), 0, "%s", nnc_diagnostics(compiler));
    return model;
}

Test(graph, logistic_regression_learns_as_its_text)
{
    const int64_t dims[] = {4};
    const void *const feed[] = {points, either};
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "logistic");
    build_logistic(graph);
    nn_session *built = session_of(compile_graph(compiler, graph)),
               *written = session_of(compile_text(compiler, LOGISTIC));
    nnc_graph_free(graph);
    nnc_free(compiler);
    float a = 0, b = 0;
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(nn_session_step(built, dims, 1, feed, 2, &a), 0, "%s", nn_message());
        cr_assert_eq(nn_session_step(written, dims, 1, feed, 2, &b), 0, "%s", nn_message());
        cr_assert_float_eq(a, b, 1e-5, "step %d: %g and %g", i, a, b);
    }
    cr_assert(a < 0.15);
    nn_session_free(built);
    nn_session_free(written);
}

#define PERCEPTRON                                                                                                     \
    "model perceptron {\n"                                                                                             \
    "    input x: f32[batch, 3]\n"                                                                                     \
    "    target label: i32[batch] in 4\n"                                                                              \
    "    param W1: f32[3, 8] = 0; param b1: f32[8] = 0; param W2: f32[8, 4] = 0; param b2: f32[4] = 0\n"               \
    "    h = tanh(x @ W1 + b1)\n"                                                                                      \
    "    z = h @ W2 + b2\n"                                                                                            \
    "    output p = softmax(z)\n"                                                                                      \
    "    loss = cross_entropy(z, label)\n"                                                                             \
    "}\n"

static void build_perceptron(nnc_graph *graph)
{
    const int last = 1;
    nnc_value x = nnc_input(graph, "x", "f32[batch, 3]"), label = nnc_target(graph, "label", "i32[batch] in 4");
    nnc_value W1 = nnc_param(graph, "W1", "f32[3, 8]", nnc_random(graph, "W1", "f32[3, 8]"));
    nnc_value b1 = nnc_param(graph, "b1", "f32[8]", NNC_NONE), b2 = nnc_param(graph, "b2", "f32[4]", NNC_NONE);
    nnc_value W2 = nnc_param(graph, "W2", "f32[8, 4]", nnc_random(graph, "W2", "f32[8, 4]"));
    nnc_value sum = nnc_binary(graph, "add", nnc_contract(graph, "bi,ih->bh", x, W1), b1);
    nnc_value h = nnc_unary(graph, "tanh", sum);
    nnc_value z = nnc_binary(graph, "add", nnc_contract(graph, "bh,ho->bo", h, W2), b2);
    nnc_value picked = nnc_gather(graph, nnc_along(graph, "log_softmax", z, 1), label, 1, 1);
    nnc_loss(graph, "loss", nnc_unary(graph, "neg", nnc_reduce(graph, "mean", picked, NULL, 0)));
    nnc_output(graph, "p", nnc_along(graph, "softmax", z, 1));
    nnc_value right = nnc_binary(graph, "eq", nnc_reduce(graph, "argmax", z, &last, 1), label);
    nnc_metric(graph, "accuracy", nnc_reduce(graph, "mean", nnc_cast(graph, right, "f32"), NULL, 0));
}

/* Every gradient of two layers: by calls and by text, over the same weights. */
Test(graph, perceptron_has_the_gradients_of_its_text)
{
    enum { ROWS = 5 };
    const int64_t dims[] = {ROWS};
    float x[ROWS][3];
    const int32_t label[ROWS] = {0, 3, 1, 2, 3};
    const void *const feed[] = {x, label};
    for (int i = 0; i < ROWS * 3; i++) x[i / 3][i % 3] = sinf((float)i);
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "perceptron");
    build_perceptron(graph);
    nn_session *built = session_of(compile_graph(compiler, graph)),
               *written = session_of(compile_text(compiler, PERCEPTRON));
    static const struct {
        const char *name;
        size_t count;
    } params[] = {{"W1", 24}, {"b1", 8}, {"W2", 32}, {"b2", 4}};
    float a[32], b[32];
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(nn_params_get(nn_session_params(built), params[i].name, NN_TYPE_F32, a, params[i].count), 0);
        for (size_t k = 0; params[i].name[0] == 'W' && k < params[i].count; k++) cr_assert(a[k] > 0 && a[k] < 1);
        cr_assert_eq(nn_params_set(nn_session_params(written), params[i].name, NN_TYPE_F32, a, params[i].count), 0);
    }
    nn_session *both[] = {built, written};
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(nn_session_forward(both[i], dims, 1, feed, 2, 1), 0, "%s", nn_message());
        cr_assert_eq(nn_session_backward(both[i]), 0, "%s", nn_message());
    }
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "grad.%s", params[i].name);
        cr_assert_eq(nn_session_get(built, name, NN_TYPE_F32, a, params[i].count), 0, "%s", nn_message());
        cr_assert_eq(nn_session_get(written, name, NN_TYPE_F32, b, params[i].count), 0, "%s", nn_message());
        for (size_t k = 0; k < params[i].count; k++) cr_assert_float_eq(a[k], b[k], 1e-6, "%s[%zu]", name, k);
    }
    float accuracy;
    cr_assert_eq(nn_session_get(built, "accuracy", NN_TYPE_F32, &accuracy, 1), 0, "%s", nn_message());
    cr_assert(accuracy >= 0 && accuracy <= 1);
    nn_session_free(built);
    nn_session_free(written);
    nnc_graph_free(graph);
    nnc_free(compiler);
}

Test(graph, moves_and_grows)
{
    const int swap[] = {1, 0}, onto[] = {1}, axis = 0;
    const float table[] = {1, 2, 3, 4, 5, 6};
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "moves");
    nnc_value x = nnc_input(graph, "x", "f32[n, 3]"), t = nnc_literal(graph, "f32[2, 3]", table, sizeof table);
    nnc_value both = nnc_concat(graph, (nnc_value[]){x, t}, 2, 0);
    cr_assert_str_eq(nnc_type(graph, both), "f32[n + 2, 3]");
    nnc_value tail = nnc_slice(graph, both, 0, "n", "2");
    nnc_output(graph, "turned", nnc_transpose(graph, tail, swap));
    nnc_output(graph, "flat", nnc_reshape(graph, tail, "f32[6]"));
    nnc_output(graph, "row", nnc_broadcast(graph, nnc_reduce(graph, "sum", tail, &axis, 1), "f32[2, 3]", onto));
    nnc_output(graph, "n", nnc_size(graph, "n", "f32"));
    nn_session *session = session_of(compile_graph(compiler, graph));
    nnc_output(graph, "count", nnc_cast(graph, nnc_iota(graph, "i32[4]", 0), "f32"));
    nn_session *grown = session_of(compile_graph(compiler, graph));
    nnc_graph_free(graph);
    nnc_free(compiler);

    const int64_t dims[] = {7};
    const float rows[7][3] = {{0}};
    const void *const feed[] = {rows};
    float values[6];
    cr_assert_eq(nn_session_forward(session, dims, 1, feed, 1, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_get(session, "turned", NN_TYPE_F32, values, 6), 0);
    cr_assert(!memcmp(values, (float[]){1, 4, 2, 5, 3, 6}, sizeof values));
    cr_assert_eq(nn_session_get(session, "row", NN_TYPE_F32, values, 6), 0);
    cr_assert(!memcmp(values, (float[]){5, 7, 9, 5, 7, 9}, sizeof values));
    cr_assert_eq(nn_session_get(session, "n", NN_TYPE_F32, values, 1), 0);
    cr_assert_eq(values[0], 7);
    cr_assert_neq(nn_session_get(session, "count", NN_TYPE_F32, values, 4), 0);
    cr_assert_eq(nn_session_forward(grown, dims, 1, feed, 1, 0), 0);
    cr_assert_eq(nn_session_get(grown, "count", NN_TYPE_F32, values, 4), 0);
    cr_assert(!memcmp(values, (float[]){0, 1, 2, 3}, 4 * sizeof *values));
    nn_session_free(session);
    nn_session_free(grown);
}

Test(graph, derivatives_are_formulas)
{
    const char *formula;
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    nnc_value x = nnc_input(graph, "x", "f32"), w = nnc_param(graph, "w", "f32", NNC_NONE);
    nnc_value y = nnc_binary(graph, "mul", x, nnc_unary(graph, "exp", w));
    cr_assert_eq(nnc_graph_gradient(graph, y, x, NNC_TEXT, &formula), 0, "%s", nnc_diagnostics(compiler));
    cr_assert_str_eq(formula, "exp(w)");
    cr_assert_eq(nnc_graph_gradient(graph, NNC_NONE, x, NNC_TEXT, &formula), 1);
    nnc_graph_free(graph);
    nnc_free(compiler);
}

/* Constants of integer types are exact, and what a type does not hold is refused. */
Test(graph, integers)
{
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    nnc_value x = nnc_input(graph, "x", "i64[2]");
    nnc_value y = nnc_binary(graph, "add", x, nnc_integer(graph, "i64[2]", 9007199254740993));
    nnc_output(graph, "y", y);
    nn_model *model;
    nn_params *params;
    nn_session *session;
    cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 0, "%s", nnc_diagnostics(compiler));
    nnc_graph_free(graph);
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0);
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    const int64_t values[2] = {0, INT64_MAX};
    const void *inputs[] = {values};
    int64_t found[2];
    cr_assert_eq(nn_session_forward(session, NULL, 0, inputs, 1, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_get(session, "y", NN_TYPE_I64, found, 2), 0);
    cr_expect_eq(found[0], 9007199254740993);
    cr_expect_eq(found[1], INT64_MIN + 9007199254740992);
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    static const struct {
        const char *type;
        double number;
        int64_t integer;
    } refused[] = {{"u8", 256, 256},        {"u8", -1, -1},     {"i32", 2147483648.0, 2147483648},
                   {"i32", 0.5, INT64_MIN}, {"i64", 0x1p63, 0}, {"bool", 2, 2}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        graph = nnc_graph_new(compiler, "m");
        cr_expect_eq(nnc_constant(graph, refused[i].type, refused[i].number).id, 0, "%s", refused[i].type);
        bool fits = !strcmp(refused[i].type, "i64");
        cr_expect_eq(nnc_integer(graph, refused[i].type, refused[i].integer).id != 0, fits, "%s", refused[i].type);
        nnc_graph_free(graph);
    }
    nnc_free(compiler);
}

/* What has a range is inside it, whatever the sizes are. */
Test(graph, ranges_of_constants)
{
    static const int32_t elements[] = {0, 2, 3};
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    cr_expect(nnc_integer(graph, "i32 in 3", 2).id && nnc_constant(graph, "i32[2] in n + 1", 0).id);
    cr_expect(nnc_literal(graph, "i32[2] in 3", elements, 8).id && nnc_iota(graph, "i32[n] in n", 0).id);
    for (int which = 0; which < 7; which++) {
        nnc_graph *wrong = nnc_graph_new(compiler, "m");
        nnc_value made = which == 0   ? nnc_integer(wrong, "i32 in 3", 3)
                         : which == 1 ? nnc_integer(wrong, "i32 in 3", -1)
                         : which == 2 ? nnc_constant(wrong, "i32 in 3", 7)
                         : which == 3 ? nnc_integer(wrong, "i64 in n", 0)
                         : which == 4 ? nnc_literal(wrong, "i32[3] in 3", elements, 12)
                         : which == 5 ? nnc_iota(wrong, "i32[4] in 3", 0)
                                      : nnc_iota(wrong, "i32[n + 1] in n", 0);
        cr_expect_eq(made.id, 0, "number %d is accepted", which);
        nnc_graph_free(wrong);
    }
    nnc_graph_free(graph);
    nnc_free(compiler);
}

/* ---- Misuse ---- */

/* Each makes one call that does not fit, number `which`, and returns how many it knows. */
#define ILL(call)                                                                                                      \
    if (which == n++) call

static int operate(nnc_graph *graph, nnc_value x, nnc_value rows, nnc_value ids, int which)
{
    const int axes[] = {0, 5}, twice[] = {0, 0};
    const nnc_value far = {123456};
    int n = 0;
    ILL(nnc_binary(graph, "add", x, rows));
    ILL(nnc_unary(graph, "add", x));
    ILL(nnc_unary(graph, "tanhh", x));
    ILL(nnc_unary(graph, "exp", ids));
    ILL(nnc_reduce(graph, "sum", x, axes, 2));
    ILL(nnc_reduce(graph, "exp", x, NULL, 0));
    ILL(nnc_along(graph, "softmax", x, -1));
    ILL(nnc_contract(graph, "ab,bc", x, x));
    ILL(nnc_contract(graph, "a,b->ab", x, x));
    ILL(nnc_contract(graph, "ab,bc->ad", x, x));
    ILL(nnc_transpose(graph, x, twice));
    ILL(nnc_transpose(graph, x, NULL));
    ILL(nnc_reshape(graph, x, "f32[4]"));
    ILL(nnc_broadcast(graph, x, "f32[2, 3]", axes));
    ILL(nnc_slice(graph, x, 2, "0", "1"));
    ILL(nnc_slice(graph, x, 1, "0", "9"));
    ILL(nnc_concat(graph, NULL, 1, 0));
    ILL(nnc_concat(graph, &x, 1, 7));
    ILL(nnc_gather(graph, x, x, 0, 0));
    ILL(nnc_gather(graph, x, ids, 9, 0));
    ILL(nnc_cast(graph, x, "f31"));
    ILL(nnc_derivative(graph, x, x));
    ILL(nnc_derivative(graph, nnc_reduce(graph, "sum", x, NULL, 0), ids));
    ILL(nnc_unary(graph, "exp", far));
    ILL(nnc_apply(graph, "add", NULL, 2));
    ILL(nnc_apply(graph, NULL, &x, 1));
    ILL(nnc_contract(graph, NULL, x, x));
    ILL(nnc_reduce(graph, "mean", ids, NULL, 0));
    ILL(nnc_concat(graph, &x, 1, -1));
    ILL(nnc_gather(graph, x, ids, 0, -1));
    return n;
}

static int declare(nnc_graph *graph, nnc_value x, nnc_value rows, nnc_value ids, int which)
{
    static const int32_t some[] = {1, 2};
    int n = 0;
    ILL(nnc_input(graph, "x", "f32"));
    ILL(nnc_input(graph, NULL, "f32"));
    ILL(nnc_input(graph, "q", NULL));
    ILL(nnc_input(graph, "q", "f32[2"));
    ILL(nnc_input(graph, "q", "f32[-2]"));
    ILL(nnc_param(graph, "q", "f32[2]", rows));
    ILL(nnc_setting(graph, "q", "f32[2]", 1));
    ILL(nnc_constant(graph, "i32", 0.5));
    ILL(nnc_constant(graph, "bool", 2));
    ILL(nnc_constant(graph, "u8[n]", -1));
    ILL(nnc_size(graph, "2", "bool"));
    ILL((nnc_loss(graph, "a", nnc_constant(graph, "f32", 1)), nnc_loss(graph, "b", nnc_constant(graph, "f64", 1))));
    ILL(nnc_literal(graph, "f32[2]", some, 3));
    ILL(nnc_literal(graph, "f32[2]", NULL, 8));
    ILL(nnc_iota(graph, "i32[2]", 1));
    ILL(nnc_random(graph, "q", "i32[2]"));
    ILL(nnc_size(graph, "2 +", "f32"));
    ILL(nnc_output(graph, NULL, x));
    ILL(nnc_output(graph, "out", x));
    ILL(nnc_loss(graph, "l", x));
    ILL(nnc_loss(graph, "l", ids));
    ILL(nnc_param(graph, "q", "f32[2, 3]", x));
    ILL(nnc_constant(graph, "i64", 1e300));
    ILL(nnc_update(graph, x, x));
    ILL(nnc_random(graph, NULL, "f32"));
    ILL(nnc_input(graph, "q", "i32[2] in -1"));
    ILL(nnc_iota(graph, "i32[2]", -1));
    return n;
}

typedef int Mistakes(nnc_graph *graph, nnc_value x, nnc_value rows, nnc_value ids, int which);

/* A graph with one mistake in it never compiles, and says why each time. False when there is no such mistake. */
static bool try_mistake(nnc_compiler *compiler, Mistakes *mistakes, int which)
{
    nn_model *model;
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    nnc_value x = nnc_input(graph, "x", "f32[2, 3]"), rows = nnc_input(graph, "rows", "f32[n, 2]");
    nnc_value ids = nnc_input(graph, "ids", "i32[2]");
    nnc_output(graph, "out", nnc_unary(graph, "exp", x));
    bool known = which < mistakes(graph, x, rows, ids, which);
    for (int again = 0; known && again < 2; again++) {
        cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 1, "mistake %d", which);
        cr_assert(strstr(nnc_diagnostics(compiler), "error["), "mistake %d", which);
        cr_assert_null(model);
    }
    nnc_graph_free(graph);
    return known;
}

Test(graph, what_does_not_fit_is_a_diagnostic)
{
    Mistakes *const kinds[] = {operate, declare};
    nnc_compiler *compiler = nnc_new();
    for (int kind = 0; kind < 2; kind++) {
        int which = 0;
        while (try_mistake(compiler, kinds[kind], which)) which++;
        cr_assert_geq(which, 20);
    }
    nnc_free(compiler);
}

Test(graph, nothing_is_nothing)
{
    const char *formula;
    nn_model *model;
    nnc_compiler *compiler = nnc_new();
    cr_assert_null(nnc_graph_new(NULL, "m"));
    cr_assert_null(nnc_graph_new(compiler, NULL));
    cr_assert_null(nnc_graph_new(compiler, "two words"));
    cr_assert(strstr(nnc_diagnostics(compiler), "two words"));
    cr_assert_eq(build_logistic(NULL).id, 0);
    nnc_set_name(NULL, NNC_NONE, "x");
    cr_assert_str_eq(nnc_type(NULL, NNC_NONE), "");
    cr_assert_eq(nnc_graph_compile(NULL, NULL, &model), 1);
    cr_assert_eq(nnc_graph_write(NULL, NULL, "m.ll"), 1);
    cr_assert_eq(nnc_graph_gradient(NULL, NNC_NONE, NNC_NONE, NNC_TEXT, &formula), 1);
    nnc_graph *graph = nnc_graph_new(compiler, "m");
    cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 1); /* it gives nothing */
    cr_assert_eq(nnc_graph_compile(graph, NULL, NULL), 1);
    cr_assert_eq(nnc_graph_write(graph, NULL, "m.exe"), 1);
    nnc_graph_free(graph);
    nnc_graph_free(NULL);
    nnc_listen(NULL, NULL, NULL);
    cr_assert_str_eq(nnc_diagnostics(NULL), "");
    cr_assert_eq(nnc_version(), NNC_VERSION);
    nnc_free(compiler);
}
