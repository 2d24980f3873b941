/* nnc.h over texts and files: models, outputs, formulas, diagnostics. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models.h"

static const float points[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, either[4] = {0, 1, 1, 1};
static const int64_t four[] = {4};
static const void *const feed[] = {points, either};

static nn_model *compile(nnc_compiler *compiler, const char *text, const nnc_options *options)
{
    nn_model *model;
    int status = nnc_compile(compiler, NULL, text, options, &model);
    cr_assert_eq(status, 0, "%s", nnc_diagnostics(compiler));
    cr_assert_str_eq(nnc_diagnostics(compiler), "");
    return model;
}

Test(source, learns_and_outlives_its_compiler)
{
    nnc_compiler *compiler = nnc_new();
    nn_model *model = compile(compiler, LOGISTIC, NULL);
    nnc_free(compiler);
    nn_params *params;
    nn_session *session;
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    nn_model_free(model); /* the parameters keep it, and the session them */
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    nn_params_free(params);
    float loss = 9, first = 0, p[4];
    for (int i = 0; i < 300; i++) {
        cr_assert_eq(nn_session_step(session, four, 1, feed, 2, &loss), 0, "%s", nn_message());
        if (!i) first = loss;
    }
    cr_assert(first > 0.4 && loss < 0.1, "from %g to %g", first, loss);
    cr_assert_eq(nn_session_forward(session, four, 1, feed, 2, 0), 0);
    cr_assert_eq(nn_session_get(session, "p", NN_TYPE_F32, p, 4), 0);
    cr_assert(p[0] < 0.5f && p[1] > 0.5f && p[2] > 0.5f && p[3] > 0.5f);
    nn_session_free(session);
}

Test(source, options_choose)
{
    static const char two[] = "model a { input x: f32[n]; y = x * 2; output y }\n"
                              "model b { input x: f32[n, k]; input s: f32 = 3; y = x * s; output y }\n";
    const nnc_binding k = {"k", 5};
    const nnc_preset s = {"s", 7};
    nnc_options options = NNC_OPTIONS_INIT;
    options.model = "b";
    options.cpu = "x86-64-v2";
    options.bindings = &k;
    options.n_bindings = 1;
    options.presets = &s;
    options.n_presets = 1;
    options.f64 = 1;
    nnc_compiler *compiler = nnc_new();
    nn_model *model = compile(compiler, two, &options);
    cr_assert_str_eq(nn_model_name(model), "b");
    cr_assert_str_eq(nn_model_cpu(model), "x86-64-v2");
    cr_assert_eq(nn_model_dims(model), 1);
    nn_params *params;
    double value;
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0);
    cr_assert_eq(nn_params_setting(params, "s", &value), 0);
    cr_assert_eq(value, 7);
    nn_params_free(params);
    for (size_t i = 0; i < nn_model_tensors(model); i++) {
        nn_tensor tensor = {.size = sizeof tensor};
        cr_assert_eq(nn_model_tensor(model, i, &tensor), 0);
        if (tensor.role == NN_ROLE_INPUT) cr_assert_eq(tensor.type, NN_TYPE_F64);
    }
    nn_model_free(model);
    nnc_free(compiler);
}

typedef struct {
    int errors, line, column, end_column;
    char id[32], file[32], hint[64];
} Heard;

static void hear(void *data, const nnc_diagnostic *diagnostic)
{
    Heard *heard = data;
    if (diagnostic->severity != NNC_ERROR || heard->errors++) return;
    heard->line = diagnostic->place.line;
    heard->column = diagnostic->place.column;
    heard->end_column = diagnostic->place.end_column;
    strncpy(heard->id, diagnostic->id, sizeof heard->id - 1);
    strncpy(heard->file, diagnostic->place.file ? diagnostic->place.file : "-", sizeof heard->file - 1);
    if (diagnostic->n_hints) strncpy(heard->hint, diagnostic->hints[0], sizeof heard->hint - 1);
}

Test(source, mistakes_are_told)
{
    Heard heard = {0};
    nn_model *model = (nn_model *)&heard;
    nnc_compiler *compiler = nnc_new();
    nnc_listen(compiler, hear, &heard);
    const char *text = "model m {\n    input x: f32[batch]\n    width = 2\n    y = x * widht\n    output y\n}\n";
    cr_assert_eq(nnc_compile(compiler, "mine.nn", text, NULL, &model), 1);
    cr_assert_null(model);
    cr_assert_eq(heard.errors, 1);
    cr_assert_str_eq(heard.id, "unknown-name");
    cr_assert_str_eq(heard.file, "mine.nn");
    cr_assert(heard.line == 4 && heard.column == 13 && heard.end_column == 18, "%d:%d-%d", heard.line, heard.column,
              heard.end_column);
    cr_assert(strstr(heard.hint, "width"));
    cr_assert(strstr(nnc_diagnostics(compiler), "mine.nn:4:13: error[unknown-name]"));
    nn_model_free(compile(compiler, LOGISTIC, NULL)); /* and it goes on */
    nnc_free(compiler);
}

Test(source, bad_arguments_are_diagnostics)
{
    nnc_compiler *compiler = nnc_new();
    nn_model *model;
    const char *formula;
    const nnc_binding nameless = {NULL, 1}, unknown = {"no_such", 1}, negative = {"batch", -1};
    nnc_options options = NNC_OPTIONS_INIT;
    cr_assert_eq(nnc_compile(NULL, NULL, LOGISTIC, NULL, &model), 1);
    cr_assert_eq(nnc_compile(compiler, NULL, LOGISTIC, NULL, NULL), 1);
    cr_assert_eq(nnc_compile(compiler, NULL, NULL, NULL, &model), 1);
    cr_assert(strstr(nnc_diagnostics(compiler), "neither a path nor a text"));
    cr_assert_eq(nnc_compile(compiler, "/no/such/file.nn", NULL, NULL, &model), 1);
    cr_assert(strstr(nnc_diagnostics(compiler), "unreadable-file"));
    options.n_bindings = 1;
    cr_assert_eq(nnc_compile(compiler, NULL, LOGISTIC, &options, &model), 1);
    const nnc_binding *const bad[] = {&nameless, &unknown, &negative};
    for (int i = 0; i < 3; i++) {
        options.bindings = bad[i];
        cr_assert_eq(nnc_compile(compiler, NULL, LOGISTIC, &options, &model), 1);
        cr_assert_str_neq(nnc_diagnostics(compiler), "");
    }
    options.n_bindings = 0;
    options.cpu = "z80";
    cr_assert_eq(nnc_compile(compiler, NULL, LOGISTIC, &options, &model), 1);
    cr_assert(strstr(nnc_diagnostics(compiler), "unknown-cpu"));
    options.size = 1;
    cr_assert_eq(nnc_compile(compiler, NULL, LOGISTIC, &options, &model), 1);
    cr_assert_eq(nnc_write(compiler, NULL, LOGISTIC, NULL, "model.exe"), 1);
    cr_assert_eq(nnc_write(compiler, NULL, LOGISTIC, NULL, NULL), 1);
    cr_assert_eq(nnc_write(compiler, NULL, LOGISTIC, NULL, "/no/such/folder/model.ll"), 1);
    cr_assert_eq(nnc_gradient(compiler, NULL, LOGISTIC, NULL, NULL, NULL, NNC_TEXT, &formula), 1);
    cr_assert_eq(nnc_gradient(compiler, NULL, LOGISTIC, NULL, NULL, "v", NNC_TEXT, &formula), 1);
    cr_assert_eq(nnc_gradient(compiler, NULL, LOGISTIC, NULL, "q", "w", NNC_TEXT, &formula), 1);
    cr_assert_null(formula);
    nnc_free(compiler);
    nnc_free(NULL);
}

Test(source, derivatives_are_formulas)
{
    nnc_compiler *compiler = nnc_new();
    const char *formula;
    const char *text = "model m { input x: f32; param w: f32 = 1; y = tanh(w * x); output y; loss = y^2 }\n";
    cr_assert_eq(nnc_gradient(compiler, NULL, text, NULL, NULL, "y", NNC_TEXT, &formula), 0, "%s",
                 nnc_diagnostics(compiler));
    cr_assert_str_eq(formula, "2 * y");
    cr_assert_eq(nnc_gradient(compiler, NULL, text, NULL, "y", "w", NNC_LATEX, &formula), 0);
    cr_assert(strchr(formula, '\\') || strchr(formula, '^'), "%s", formula);
    nnc_free(compiler);
}

/* A library for prediction alone: under a name of its own, with trained weights inside. */
Test(source, writes_what_is_carried_elsewhere)
{
    char folder[] = "/tmp/nnc-api-XXXXXX", weights[64], path[64];
    cr_assert(mkdtemp(folder));
    snprintf(weights, sizeof weights, "%s/w", folder);
    snprintf(path, sizeof path, "%s/m.so", folder);
    nnc_compiler *compiler = nnc_new();
    nn_model *model = compile(compiler, LOGISTIC, NULL);
    nn_params *params;
    float w[2] = {3, -4}, got[2];
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0);
    cr_assert_eq(nn_params_set(params, "w", NN_TYPE_F32, w, 2), 0);
    cr_assert_eq(nn_params_save(params, weights), 0);
    nn_params_free(params);
    nn_model_free(model);
    nnc_options options = NNC_OPTIONS_INIT;
    options.inference = 1;
    options.name = "carried";
    options.weights = weights;
    cr_assert_eq(nnc_write(compiler, NULL, LOGISTIC, &options, path), 0, "%s", nnc_diagnostics(compiler));
    cr_assert_eq(nn_model_open(path, NULL, &model), 0, "%s", nn_message());
    cr_assert_str_eq(nn_model_name(model), "carried");
    cr_assert(!nn_model_has_program(model, "training") && !nn_model_has_program(model, "step"));
    cr_assert_eq(nn_params_new(model, NULL, 0, 9, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_params_get(params, "w", NN_TYPE_F32, got, 2), 0);
    cr_assert(got[0] == 3 && got[1] == -4);
    nn_params_free(params);
    nn_model_free(model);
    options.name = "9";
    cr_assert_eq(nnc_write(compiler, NULL, LOGISTIC, &options, path), 1);
    options.name = NULL;
    options.weights = path; /* a library is no weights */
    cr_assert_eq(nnc_write(compiler, NULL, LOGISTIC, &options, path), 1);
    /* A caller that was compiled when there were fewer options. */
    options.size = offsetof(nnc_options, inference);
    model = compile(compiler, LOGISTIC, &options);
    cr_assert(nn_model_has_program(model, "step"));
    nn_model_free(model);
    unlink(weights);
    unlink(path);
    snprintf(path, sizeof path, "%s/m.h", folder);
    unlink(path);
    cr_assert_eq(rmdir(folder), 0);
    nnc_free(compiler);
}

/* What is written opens, and gives what the model in the process gives. */
Test(source, writes_libraries)
{
    char folder[] = "/tmp/nnc-api-XXXXXX", path[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/logistic.so", folder);
    nnc_compiler *compiler = nnc_new();
    cr_assert_eq(nnc_write(compiler, NULL, LOGISTIC, NULL, path), 0, "%s", nnc_diagnostics(compiler));
    nn_model *models[2] = {compile(compiler, LOGISTIC, NULL), NULL};
    cr_assert_eq(nn_model_open(path, NULL, &models[1]), 0, "%s", nn_message());
    float p[2][4];
    for (int i = 0; i < 2; i++) {
        nn_params *params;
        nn_session *session;
        cr_assert_eq(nn_params_new(models[i], NULL, 0, 1, &params), 0);
        cr_assert_eq(nn_session_new(params, NULL, &session), 0);
        for (int step = 0; step < 5; step++) cr_assert_eq(nn_session_step(session, four, 1, feed, 2, NULL), 0);
        cr_assert_eq(nn_session_forward(session, four, 1, feed, 2, 0), 0);
        cr_assert_eq(nn_session_get(session, "p", NN_TYPE_F32, p[i], 4), 0);
        nn_session_free(session);
        nn_params_free(params);
        nn_model_free(models[i]);
    }
    cr_assert(!memcmp(p[0], p[1], sizeof p[0]));
    unlink(path);
    snprintf(path, sizeof path, "%s/logistic.h", folder);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(folder), 0);
    nnc_free(compiler);
}
