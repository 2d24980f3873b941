/* nnc.h over graphs: the two forms, streams, optimiser states, the clock, movement, options. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models.h"

static nnc_compiler *compiler;
static nnc_graph *graph;

static void begin(void)
{
    compiler = nnc_new();
    graph = nnc_graph_new(compiler, "m");
}

static void end(void)
{
    nnc_graph_free(graph);
    nnc_free(compiler);
}

TestSuite(forms, .init = begin, .fini = end);

static nn_session *compile(const nnc_options *options)
{
    nn_model *model;
    nn_params *params;
    nn_session *session;
    int status = nnc_graph_compile(graph, options, &model);
    cr_assert_eq(status, 0, "%s", nnc_diagnostics(compiler));
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    nn_params_free(params);
    nn_model_free(model);
    return session;
}

static const float numbers[] = {1, 2, 3, 4, 5, 6};
static const int64_t six[] = {6};
static const void *const feed[] = {numbers};

static void gives(nn_session *session, const char *name, const float *wanted, size_t count)
{
    float got[16];
    cr_assert_eq(nn_session_get(session, name, NN_TYPE_F32, got, count), 0, "%s", nn_message());
    for (size_t i = 0; i < count; i++) cr_assert_eq(got[i], wanted[i], "%s[%zu] is %g", name, i, got[i]);
}

/* Dropout, as a layer that draws would do it: the inference form knows nothing of it. */
Test(forms, training_is_another_form)
{
    nnc_value x = nnc_input(graph, "x", "f32[n]"), half = nnc_constant(graph, "f32", 0.5);
    nnc_value keep = nnc_binary(graph, "lt", nnc_random(graph, "drop", "f32[n]"), half);
    nnc_value kept = nnc_binary(graph, "mul", nnc_cast(graph, keep, "f32"), nnc_binary(graph, "div", x, half));
    nnc_output(graph, "y", nnc_apply(graph, "select", (nnc_value[]){nnc_training(graph), kept, x}, 3));
    nnc_output(graph, "z", nnc_unary(graph, "neg", x)); /* another output */
    nn_session *session = compile(NULL);
    float y[6];
    int dropped = 0;
    cr_assert_eq(nn_session_forward(session, six, 1, feed, 1, 0), 0, "%s", nn_message());
    gives(session, "y", numbers, 6);
    gives(session, "z", (const float[]){-1, -2, -3, -4, -5, -6}, 6);
    for (int i = 0; i < 10; i++) {
        nn_params_set_seed(nn_session_params(session), (uint64_t)i);
        cr_assert_eq(nn_session_forward(session, six, 1, feed, 1, 1), 0, "%s", nn_message());
        cr_assert_eq(nn_session_get(session, "y", NN_TYPE_F32, y, 6), 0);
        for (int k = 0; k < 6; k++) {
            cr_assert(y[k] == 0 || y[k] == 2 * numbers[k], "%g", y[k]);
            dropped += y[k] == 0;
        }
    }
    cr_assert(dropped > 10 && dropped < 50, "%d of 60", dropped);
    nn_session_free(session);
}

/* A state that each forward changes: the memory of a stream, which belongs to the session. */
Test(forms, states_advance)
{
    nnc_value x = nnc_input(graph, "x", "f32[n]"), s = nnc_state(graph, "sum", "f32[n]", nnc_constant(graph, "f32", 1));
    nnc_value calls = nnc_state(graph, "calls", "f32", NNC_NONE);
    nnc_advance(graph, s, nnc_binary(graph, "add", s, x));
    nnc_advance(graph, calls, nnc_binary(graph, "add", calls, nnc_constant(graph, "f32", 1)));
    nnc_output(graph, "before", s);
    nn_session *session = compile(NULL);
    const float first[] = {1, 1, 1, 1, 1, 1}, after[] = {2, 3, 4, 5, 6, 7};
    float count;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(nn_session_forward(session, six, 1, feed, 1, 0), 0, "%s", nn_message());
        gives(session, "before", first, 6);
        gives(session, "sum", after, 6);
        cr_assert_eq(nn_session_forward(session, six, 1, feed, 1, 0), 0, "%s", nn_message());
        gives(session, "before", after, 6);
        cr_assert_eq(nn_session_reset(session), 0);
    }
    cr_assert_eq(nn_params_get(nn_session_params(session), "calls", NN_TYPE_F32, &count, 1), 0);
    cr_assert_eq(count, 4); /* without a free size it belongs to the parameters */
    nn_session_free(session);
}

/* w falls by lr * (1 - progress) * m with m = m / 2 + dw, dw = 1. */
static void build_momentum(void)
{
    nnc_value x = nnc_input(graph, "x", "f32[n]"), w = nnc_param(graph, "w", "f32", NNC_NONE);
    nnc_value m = nnc_state(graph, "optimizer/w/m", "f32", NNC_NONE);
    nnc_value lr = nnc_setting(graph, "lr", "f32", 1), progress = nnc_setting(graph, "progress", "f32", 0);
    nnc_value rate = nnc_binary(graph, "mul", lr, nnc_binary(graph, "sub", nnc_constant(graph, "f32", 1), progress));
    nnc_value loss = nnc_binary(graph, "mul", w, nnc_reduce(graph, "reduce_min", x, NULL, 0));
    nnc_value next = nnc_binary(graph, "add", nnc_binary(graph, "mul", m, nnc_constant(graph, "f32", 0.5)),
                                nnc_derivative(graph, loss, w));
    nnc_update(graph, m, next);
    nnc_update(graph, w, nnc_binary(graph, "sub", w, nnc_binary(graph, "mul", rate, next)));
    nnc_loss(graph, "loss", loss);
    nnc_metric(graph, "largest", nnc_reduce(graph, "reduce_max", x, NULL, 0));
    nnc_output(graph, "y", nnc_binary(graph, "mul", x, w));
    nnc_set_doc(graph, x, "what is known");
    nnc_set_doc(graph, w, "its factor");
}

Test(forms, optimisers_have_states_and_a_clock)
{
    build_momentum();
    nn_session *session = compile(NULL);
    nn_params *params = nn_session_params(session);
    const float wanted[] = {-1, -2.125f, -3, -3.46875f}; /* rates 1, 3/4, 1/2, 1/4 of 1, 3/2, 7/4, 15/8 */
    float w;
    cr_assert_eq(nn_session_step(session, six, 1, feed, 1, NULL), NN_ERROR_STATE);
    cr_assert(strstr(nn_message(), "`steps`"), "%s", nn_message());
    cr_assert_eq(nn_params_set_setting(params, "steps", 4), 0, "%s", nn_message());
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(nn_session_step(session, six, 1, feed, 1, NULL), 0, "%s", nn_message());
        cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, &w, 1), 0);
        cr_assert_float_eq(w, wanted[i], 1e-6, "step %d: %g", i + 1, w);
    }
    cr_assert_eq(nn_session_forward(session, six, 1, feed, 1, 0), 0);
    gives(session, "largest", (const float[]){6}, 1);
    nn_tensor info = {.size = sizeof info};
    const nn_model *model = nn_params_model(params);
    for (size_t i = 0; i < nn_model_tensors(model); i++) {
        cr_assert_eq(nn_model_tensor(model, i, &info), 0);
        if (info.role == NN_ROLE_INPUT) cr_assert_str_eq(info.doc, "what is known");
        if (info.role == NN_ROLE_PARAM) cr_assert_str_eq(info.doc, "its factor");
        if (info.role == NN_ROLE_OPTIMIZER_STATE) cr_assert_str_eq(info.name, "optimizer/w/m");
    }
    nn_session_free(session);
}

Test(forms, values_move)
{
    static const int32_t places[] = {2, 0, 2};
    nnc_value x = nnc_input(graph, "x", "f32[n]"), ids = nnc_literal(graph, "i32[3]", places, sizeof places);
    nnc_output(graph, "second", nnc_stride(graph, x, 0, "1", "2", 2));
    nnc_output(graph, "back", nnc_reverse(graph, nnc_slice(graph, x, 0, "0", "3"), 0));
    nnc_output(graph, "padded", nnc_pad(graph, nnc_slice(graph, x, 0, "0", "2"), 0, "1", "2"));
    nnc_output(graph, "added", nnc_scatter_add(graph, ids, nnc_slice(graph, x, 0, "0", "3"), "f32[4]", 0, 0));
    cr_assert_str_eq(nnc_type(graph, nnc_pad(graph, x, 0, "n", "1")), "f32[2*n + 1]");
    nn_session *session = compile(NULL);
    cr_assert_eq(nn_session_forward(session, six, 1, feed, 1, 0), 0, "%s", nn_message());
    gives(session, "second", (const float[]){2, 4}, 2);
    gives(session, "back", (const float[]){3, 2, 1}, 3);
    gives(session, "padded", (const float[]){0, 1, 2, 0, 0}, 5);
    gives(session, "added", (const float[]){2, 0, 4, 0}, 4);
    nn_session_free(session);
}

/* What a library of a graph holds is chosen as for a source. */
Test(forms, are_written_for_prediction_alone)
{
    char folder[] = "/tmp/nnc-forms-XXXXXX", weights[64], path[64];
    nn_params *params;
    nn_model *model;
    float w = 3, got;
    cr_assert(mkdtemp(folder));
    snprintf(weights, sizeof weights, "%s/w", folder);
    snprintf(path, sizeof path, "%s/m.so", folder);
    build_momentum();
    nn_session *session = compile(NULL);
    cr_assert_eq(nn_params_set(nn_session_params(session), "w", NN_TYPE_F32, &w, 1), 0);
    cr_assert_eq(nn_params_save(nn_session_params(session), weights), 0);
    nn_session_free(session);
    nnc_options options = NNC_OPTIONS_INIT;
    options.inference = 1;
    options.name = "carried";
    options.weights = weights;
    cr_assert_eq(nnc_graph_write(graph, &options, path), 0, "%s", nnc_diagnostics(compiler));
    cr_assert_eq(nn_model_open(path, NULL, &model), 0, "%s", nn_message());
    cr_assert_str_eq(nn_model_name(model), "carried");
    cr_assert(!nn_model_has_program(model, "training") && nn_model_has_program(model, "inference"));
    cr_assert_eq(nn_params_new(model, NULL, 0, 9, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, &got, 1), 0);
    cr_assert_eq(got, 3);
    nn_params_free(params);
    nn_model_free(model);
    cr_assert_eq(nnc_graph_compile(graph, &options, &model), 1); /* a model in the process carries none */
    cr_assert(strstr(nnc_diagnostics(compiler), "nn_params_load"));
    unlink(weights);
    unlink(path);
    snprintf(path, sizeof path, "%s/m.h", folder);
    unlink(path);
    cr_assert_eq(rmdir(folder), 0);
}

Test(forms, options_of_sources_are_refused)
{
    const nnc_binding n = {"n", 3};
    const nnc_preset lr = {"lr", 3};
    const nnc_data data = {NULL, "x", "x.csv"};
    nnc_options all[5] = {NNC_OPTIONS_INIT, NNC_OPTIONS_INIT, NNC_OPTIONS_INIT, NNC_OPTIONS_INIT, NNC_OPTIONS_INIT};
    nn_model *model;
    all[0].model = "m";
    all[1].bindings = &n, all[1].n_bindings = 1;
    all[2].presets = &lr, all[2].n_presets = 1;
    all[3].data = &data, all[3].n_data = 1;
    all[4].f64 = 1;
    build_momentum();
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(nnc_graph_compile(graph, &all[i], &model), 1, "option %d", i);
        cr_assert(strstr(nnc_diagnostics(compiler), "a graph has no"), "%s", nnc_diagnostics(compiler));
    }
    nn_session_free(compile(NULL)); /* and it goes on */
}

/* Each of these spoils the graph that it is made in. */
Test(forms, what_does_not_fit_is_a_diagnostic)
{
    for (int i = 0;; i++) {
        nn_model *model;
        int n = 0;
        nnc_graph_free(graph);
        graph = nnc_graph_new(compiler, "m");
        nnc_value x = nnc_input(graph, "x", "f32[n]"), s = nnc_state(graph, "s", "f32[n]", NNC_NONE);
        nnc_value w = nnc_param(graph, "w", "f32", NNC_NONE), ids = nnc_input(graph, "ids", "i32[n]");
        nnc_output(graph, "y", x);
        if (i == n++) nnc_advance(graph, w, w); /* no state */
        if (i == n++) nnc_advance(graph, s, ids);
        if (i == n++) nnc_advance(graph, s, x), nnc_update(graph, s, x);
        if (i == n++) nnc_advance(graph, x, x);
        if (i == n++) nnc_stride(graph, x, 0, "0", "n", 0);
        if (i == n++) nnc_stride(graph, x, 3, "0", "n", 1);
        if (i == n++) nnc_pad(graph, x, -1, "0", "1");
        if (i == n++) nnc_pad(graph, x, 0, "-1", "0");
        if (i == n++) nnc_pad(graph, x, 0, NULL, "0");
        if (i == n++) nnc_window(graph, x, 1, "n", "3", 1, 1, "1");
        if (i == n++) nnc_window(graph, x, 0, "n", "3", 0, 1, "1");
        if (i == n++) nnc_window(graph, x, 0, "n", "3", 1, -1, "1");
        if (i == n++) nnc_window(graph, x, 0, "n", "-3", 1, 1, "1");
        if (i == n++) nnc_window(graph, x, 0, "n", NULL, 1, 1, "1");
        if (i == n++) nnc_window(graph, x, 0, "4611686018427387904", "3", 1, 1, "1");
        if (i == n++) nnc_unwindow(graph, x, 0, "n", 1, 1, "1"); /* one axis, not two */
        if (i == n++) nnc_unwindow(graph, nnc_window(graph, x, 0, "n", "3", 1, 1, "1"), 0, "n", 0, 1, "1");
        if (i == n++) nnc_reverse(graph, x, 1);
        if (i == n++) nnc_reverse(graph, x, -1);
        if (i == n++) nnc_scatter_add(graph, x, x, "f32[3]", 0, 0);
        if (i == n++) nnc_scatter_add(graph, ids, x, "f32[3]", 4, 0);
        if (i == n++) nnc_scatter_add(graph, ids, x, NULL, 0, 0);
        if (i == n++) nnc_setting(graph, "progress", "i32", 0);
        if (i == n++) nnc_setting(graph, "steps", "bool", 0);
        if (i == n++) nnc_set_doc(graph, nnc_unary(graph, "exp", x), "no");
        if (i == n++) nnc_param(graph, "q", "f32", nnc_cast(graph, nnc_training(graph), "f32"));
        if (i == n) break;
        cr_assert_eq(nnc_graph_compile(graph, NULL, &model), 1, "mistake %d", i);
        cr_assert(strstr(nnc_diagnostics(compiler), "error["), "mistake %d", i);
    }
    cr_assert_eq(nnc_training(NULL).id, 0);
    nnc_set_doc(NULL, NNC_NONE, "no");
    nnc_advance(NULL, NNC_NONE, NNC_NONE);
    cr_assert_eq(nnc_window(NULL, NNC_NONE, 0, "1", "1", 1, 1, "0").id, 0);
    cr_assert_eq(nnc_unwindow(NULL, NNC_NONE, 0, "1", 1, 1, "0").id, 0);
    cr_assert_eq(nnc_pad(NULL, NNC_NONE, 0, "0", "0").id + nnc_reverse(NULL, NNC_NONE, 0).id, 0);
}
