/* A caller with a stack of 512 KiB: whatever it compiles, the compiler's own stack suffices, up to the deepest nesting
 * that it follows, and one level more is a diagnostic. A plain program: Criterion runs tests on the main thread. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heard.h"
#include "models.h"
#include "support/text.h"

enum { CALLER_STACK = 512 * 1024, STEPS = 20 };

/* sin(sin(… inner …)) */
static void nest(Text *to, int depth, const char *inner)
{
    for (int i = 0; i < depth; i++) text_string(to, "sin(");
    text_string(to, inner);
    for (int i = 0; i < depth; i++) text_string(to, ")");
}

/* Functions of so many nested calls each, of which every one calls the one before; the last line is the model. */
static char *nested_calls(int functions, int depth)
{
    Text text = {0};
    text_string(&text, "fn f0(x) = x\n");
    for (int i = 1; i <= functions; i++) {
        char inner[32];
        snprintf(inner, sizeof inner, "f%d(x)", i - 1);
        text_format(&text, "fn f%d(x) = ", i);
        nest(&text, depth, inner);
        text_string(&text, "\n");
    }
    text_format(&text, "model m { input x: f32; param w: f32 = 1; output y = f%d(w * x); loss = y }\n", functions);
    return text.at;
}

/* Functions of so many nested blocks each. */
static char *nested_blocks(int functions, int depth)
{
    Text text = {0};
    text_string(&text, "fn f0(x) = x\n");
    for (int i = 1; i <= functions; i++) {
        text_format(&text, "fn f%d(x) {", i);
        for (int k = 0; k < depth; k++) text_string(&text, k % 2 ? " repeat 1 {" : " if true {");
        text_format(&text, " x = x |> { { f%d |> tanh } }", i - 1);
        for (int k = 0; k < depth; k++) text_string(&text, " }");
        text_string(&text, "\n return x }\n");
    }
    text_format(&text, "model m { input x: f32; output y = f%d(x) }\n", functions);
    return text.at;
}

static const char *compiles(nnc_compiler *compiler, const char *text)
{
    nn_model *model;
    if (nnc_compile(compiler, NULL, text, NULL, &model)) return nnc_diagnostics(compiler);
    nn_model_free(model);
    return NULL;
}

/* A limit is said where it was passed. */
static const char *is_too_deep(nnc_compiler *compiler, const char *text)
{
    nn_model *model;
    Heard heard = {0};
    nnc_listen(compiler, hear, &heard);
    const char *wrong = NULL;
    if (!nnc_compile(compiler, NULL, text, NULL, &model))
        wrong = "what is too deep compiles";
    else if (strcmp(heard.id, "nested-too-deep") || !heard.line)
        wrong = nnc_diagnostics(compiler);
    nnc_listen(compiler, NULL, NULL);
    return wrong;
}

static const char *trains(nnc_compiler *compiler)
{
    static const float points[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, either[4] = {0, 1, 1, 1};
    const void *const feed[] = {points, either};
    const int64_t dims[] = {4};
    nn_model *model;
    nn_params *params = NULL;
    nn_session *session = NULL;
    float first = 0, loss = 0;
    if (nnc_compile(compiler, NULL, LOGISTIC, NULL, &model)) return nnc_diagnostics(compiler);
    bool good = !nn_params_new(model, NULL, 0, 1, &params) && !nn_session_new(params, NULL, &session);
    for (int i = 0; i < STEPS && good; i++) {
        good = !nn_session_step(session, dims, 1, feed, 2, &loss);
        if (!i) first = loss;
    }
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    return !good ? nn_message() : loss < first ? NULL : "the loss does not fall";
}

static const char *shows(nnc_compiler *compiler, int turns)
{
    const char *formula;
    Text text = {0};
    text_format(&text, "model m { input x: f32; h = x; repeat %d { h = 1.5 * sin(h) + 1 }; output h }", turns);
    bool good = !nnc_gradient(compiler, NULL, text_get(&text), NULL, "h", "x", NNC_TEXT, &formula) && *formula;
    text_free(&text);
    return good ? NULL : "no formula";
}

static const char *builds(nnc_compiler *compiler)
{
    nn_model *model = NULL;
    nnc_graph *graph = nnc_graph_new(compiler, "chain");
    nnc_value x = nnc_input(graph, "x", "f32[batch]"), y = x;
    for (int i = 0; i < 2000; i++) y = nnc_binary(graph, "add", nnc_unary(graph, "neg", y), x);
    nnc_output(graph, "y", y);
    const char *wrong = nnc_graph_compile(graph, NULL, &model) ? "the graph" : NULL;
    nn_model_free(model);
    nnc_graph_free(graph);
    return wrong;
}

static void *work(void *data)
{
    const char **wrong = data;
    nnc_compiler *compiler = nnc_new();
    char *four = nested_calls(4, 240), *calls = nested_calls(30, 240), *blocks = nested_blocks(60, 200);
    *wrong = trains(compiler);
    if (!*wrong) *wrong = compiles(compiler, four);
    if (!*wrong) *wrong = is_too_deep(compiler, calls);
    if (!*wrong) *wrong = is_too_deep(compiler, blocks);
    if (!*wrong) *wrong = shows(compiler, 5000);
    if (!*wrong) *wrong = builds(compiler);
    if (*wrong) fprintf(stderr, "%s\n", *wrong);
    free(four);
    free(calls);
    free(blocks);
    nnc_free(compiler);
    return NULL;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    const char *wrong = "it did not run";
    if (pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, CALLER_STACK)) return 1;
    if (pthread_create(&thread, &attributes, work, &wrong)) return 1;
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return wrong != NULL;
}
