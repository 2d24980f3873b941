/* Compilers in several threads at once, as a plain program: Criterion does not start under the thread sanitizer. Each
 * compiles a text and a graph, trains both, and makes mistakes; all must get the same numbers. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "models.h"

enum { THREADS = 4, ROUNDS = 2, STEPS = 20 };

typedef struct {
    int heard;
    float losses[2];
    const char *wrong; /* NULL: nothing */
} Result;

static void hear(void *data, const nnc_diagnostic *diagnostic)
{
    Result *result = data;
    if (!strcmp(diagnostic->id, "unknown-name")) result->heard++;
}

static const char *train(nn_model *model, float *loss)
{
    static const float points[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, either[4] = {0, 1, 1, 1};
    const void *const feed[] = {points, either};
    const int64_t dims[] = {4};
    nn_params *params = NULL;
    nn_session *session = NULL;
    const char *wrong = NULL;
    if (nn_params_new(model, NULL, 0, 1, &params) || nn_session_new(params, NULL, &session)) wrong = "no session";
    for (int i = 0; i < STEPS && !wrong; i++)
        if (nn_session_step(session, dims, 1, feed, 2, loss)) wrong = "a step failed";
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    return wrong;
}

static const char *round_trip(Result *result)
{
    nn_model *model;
    nnc_compiler *compiler = nnc_new();
    nnc_listen(compiler, hear, result);
    const char *wrong = NULL, *bad = "model m { input x: f32; y = xx; output y }";
    if (!nnc_compile(compiler, NULL, bad, NULL, &model)) wrong = "a mistake compiles";
    if (!wrong)
        wrong = nnc_compile(compiler, NULL, LOGISTIC, NULL, &model) ? "the text" : train(model, &result->losses[0]);
    nnc_graph *graph = nnc_graph_new(compiler, "logistic");
    build_logistic(graph);
    if (!wrong) wrong = nnc_graph_compile(graph, NULL, &model) ? "the graph" : train(model, &result->losses[1]);
    nnc_graph_free(graph);
    nnc_free(compiler);
    return wrong;
}

static void *work(void *data)
{
    Result *result = data;
    for (int i = 0; i < ROUNDS && !result->wrong; i++) result->wrong = round_trip(result);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    Result results[THREADS] = {{0}};
    int bad = 0;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &results[i])) return 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        const char *wrong = results[i].wrong;
        if (!wrong && results[i].heard != ROUNDS) wrong = "diagnostics went elsewhere";
        if (!wrong && memcmp(results[i].losses, results[0].losses, sizeof results[i].losses)) wrong = "other numbers";
        if (wrong) fprintf(stderr, "thread %d: %s\n", i, wrong);
        bad |= wrong != NULL;
    }
    return bad;
}
