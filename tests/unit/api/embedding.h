/* What the plain programs over nn.h share: models, samples, checks. Each includes it once. */
#ifndef NNC_TESTS_API_EMBEDDING_H
#define NNC_TESTS_API_EMBEDDING_H

#include <stdio.h>
#include <stdlib.h>

#include "models.h"

#define CLASSIFIER                                                                                                     \
    "model classifier {\n"                                                                                             \
    "    input x: f32[batch, 2]\n"                                                                                     \
    "    target label: i32[batch] in 3\n"                                                                              \
    "    z = x |> dense(16) |> tanh |> dense(3)\n"                                                                     \
    "    output z\n"                                                                                                   \
    "    loss = cross_entropy(z, label)\n"                                                                             \
    "}\n"                                                                                                              \
    "train classifier { optimizer = adam(lr = 0.01) }\n"

enum { ROWS = 8 };

static const float points[ROWS][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 1}, {-1, 0}, {3, 1}, {0.5f, 2}};
static const float either[ROWS] = {0, 1, 1, 1, 1, 0, 1, 1};
static const int32_t labels[ROWS] = {0, 1, 2, 0, 1, 2, 0, 1};
static const int64_t all_rows[] = {ROWS};
static const void *const logistic_feed[] = {points, either}, *const classifier_feed[] = {points, labels};

static int failures;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (condition) break;                                                                                          \
        fprintf(stderr, "%s:%d: %s (message: %s)\n", __FILE__, __LINE__, #condition, nn_message());                    \
        failures++;                                                                                                    \
    } while (0)
/* A call that fails with the status and says something. */
#define REFUSED(status, call)                                                                                          \
    do {                                                                                                               \
        int got = (call);                                                                                              \
        if (got == (status) && *nn_message()) break;                                                                   \
        fprintf(stderr, "%s:%d: %s gave %d \"%s\"\n", __FILE__, __LINE__, #call, got, nn_message());                   \
        failures++;                                                                                                    \
    } while (0)

static nn_model *compile(const char *text)
{
    nn_model *model = NULL;
    nnc_compiler *compiler = nnc_new();
    if (nnc_compile(compiler, NULL, text, NULL, &model)) {
        fputs(nnc_diagnostics(compiler), stderr);
        exit(1);
    }
    nnc_free(compiler);
    return model;
}

/* A session over parameters of its own. */
static nn_session *start(nn_model *model)
{
    nn_params *params = NULL;
    nn_session *session = NULL;
    CHECK(!nn_params_new(model, NULL, 0, 1, &params));
    CHECK(!nn_session_new(params, NULL, &session));
    nn_params_free(params);
    return session;
}

#endif
