/* nn.h as programs use it, over models that are compiled here: a training loop of one's own, settings, several models,
 * sessions in threads. A plain program, so that it runs under the thread sanitizer too. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "embedding.h"

/* ---- A loop of one's own ---- */

static void get_params(nn_session *session, float *w)
{
    CHECK(!nn_params_get(nn_session_params(session), "w", NN_TYPE_F32, w, 2));
    CHECK(!nn_params_get(nn_session_params(session), "b", NN_TYPE_F32, w + 2, 1));
}

static void get_gradients(nn_session *session, float *g)
{
    CHECK(!nn_session_get(session, "grad.w", NN_TYPE_F32, g, 2));
    CHECK(!nn_session_get(session, "grad.b", NN_TYPE_F32, g + 2, 1));
}

static void set_gradients(nn_session *session, const float *g)
{
    CHECK(!nn_session_set(session, "grad.w", NN_TYPE_F32, g, 2));
    CHECK(!nn_session_set(session, "grad.b", NN_TYPE_F32, g + 2, 1));
}

/* What stands between backward and update sees every gradient, and what it writes is what is subtracted. */
static void hook_and_settings(nn_model *model)
{
    nn_session *session = start(model);
    for (int step = 0; step < 5; step++) {
        float before[3], after[3], g[3];
        double lr = 0.25 * (step + 1), was;
        CHECK(!nn_params_set_setting(nn_session_params(session), "lr", lr));
        CHECK(!nn_params_setting(nn_session_params(session), "lr", &was) && was == lr);
        CHECK(!nn_session_forward(session, all_rows, 1, logistic_feed, 2, 1));
        CHECK(!nn_session_backward(session));
        get_params(session, before);
        get_gradients(session, g);
        float norm = sqrtf(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
        CHECK(norm > 0.01f);
        for (int i = 0; i < 3; i++) g[i] *= 0.01f / norm; /* clipped */
        set_gradients(session, g);
        CHECK(!nn_session_update(session));
        get_params(session, after);
        for (int i = 0; i < 3; i++) CHECK(fabsf(after[i] - (before[i] - (float)lr * g[i])) <= 1e-6f);
    }
    CHECK(nn_params_step(nn_session_params(session)) == 5);
    nn_session_free(session);
}

/* All elements of a gradient, by its name in the model's description. */
static size_t elements_of(nn_session *session, const char *name)
{
    int rank;
    int64_t dims[12];
    size_t count = 1;
    CHECK(!nn_session_shape(session, name, &rank, dims));
    for (int i = 0; i < rank; i++) count *= (size_t)dims[i];
    return count;
}

/* A program that knows nothing of the model finds every gradient in its description. Without them nothing is learned.
 */
static void every_gradient(void)
{
    enum { MOST = 64 };
    static const float none[MOST];
    nn_model *model = compile(CLASSIFIER);
    nn_session *session = start(model), *untouched = start(model);
    nn_params *params = nn_session_params(session);
    nn_tensor info = {.size = sizeof info};
    float g[MOST], w[MOST], before[MOST];
    int gradients = 0, weights = 0;
    CHECK(!nn_session_forward(session, all_rows, 1, classifier_feed, 2, 1) && !nn_session_backward(session));
    for (size_t i = 0; i < nn_model_tensors(model); i++) {
        char name[80];
        float sum = 0;
        CHECK(!nn_model_tensor(model, i, &info));
        weights += info.role == NN_ROLE_PARAM;
        if (info.role != NN_ROLE_GRADIENT) continue;
        snprintf(name, sizeof name, "grad.%s", info.name);
        size_t count = elements_of(session, name);
        CHECK(count <= MOST && !nn_session_get(session, name, NN_TYPE_F32, g, count));
        for (size_t k = 0; k < count; k++) sum += g[k] * g[k];
        CHECK(sum > 0 && !nn_session_set(session, name, NN_TYPE_F32, none, count));
        gradients++;
    }
    CHECK(gradients == 4 && weights == 4 && !nn_session_update(session) && nn_params_step(params) == 1);
    for (size_t i = 0; i < nn_model_tensors(model); i++) {
        int rank;
        int64_t dims[12];
        size_t count = 1;
        CHECK(!nn_model_tensor(model, i, &info));
        if (info.role != NN_ROLE_PARAM) continue;
        CHECK(!nn_params_shape(params, info.name, &rank, dims));
        for (int k = 0; k < rank; k++) count *= (size_t)dims[k];
        CHECK(!nn_params_get(params, info.name, NN_TYPE_F32, w, count));
        CHECK(!nn_params_get(nn_session_params(untouched), info.name, NN_TYPE_F32, before, count));
        CHECK(!memcmp(w, before, count * sizeof *w));
    }
    nn_session_free(session);
    nn_session_free(untouched);
    nn_model_free(model);
}

/* Two halves of a batch, their gradients added by the caller, are the batch. */
static void accumulation(nn_model *model)
{
    nn_session *whole = start(model), *halves = start(model);
    const int64_t half[] = {ROWS / 2};
    for (int step = 0; step < 20; step++) {
        float sum[3] = {0}, g[3];
        CHECK(!nn_session_step(whole, all_rows, 1, logistic_feed, 2, NULL));
        for (int part = 0; part < 2; part++) {
            const void *const feed[] = {points[part * ROWS / 2], either + part * ROWS / 2};
            CHECK(!nn_session_forward(halves, half, 1, feed, 2, 1));
            CHECK(!nn_session_backward(halves));
            get_gradients(halves, g);
            for (int i = 0; i < 3; i++) sum[i] += g[i] / 2;
        }
        set_gradients(halves, sum);
        CHECK(!nn_session_update(halves));
    }
    float a[3], b[3];
    get_params(whole, a);
    get_params(halves, b);
    for (int i = 0; i < 3; i++) CHECK(fabsf(a[i] - b[i]) <= 1e-5f && fabsf(a[i]) > 0.1f);
    nn_session_free(whole);
    nn_session_free(halves);
}

/* ---- Threads ---- */

typedef struct {
    nn_params *params;
    nn_pool *pool;
    float z[ROWS][3];
    int status;
} Caller;

static void *predict(void *data)
{
    Caller *caller = data;
    nn_session *session;
    caller->status = nn_session_new(caller->params, caller->pool, &session);
    for (int i = 0; i < 50 && !caller->status; i++) {
        const int64_t rows[] = {1 + i % ROWS};
        caller->status = nn_session_forward(session, rows, 1, classifier_feed, 2, 0);
    }
    if (!caller->status) caller->status = nn_session_forward(session, all_rows, 1, classifier_feed, 2, 0);
    if (!caller->status) caller->status = nn_session_get(session, "z", NN_TYPE_F32, caller->z, ROWS * 3);
    nn_session_free(session);
    return NULL;
}

/* Two models at once; of one, after some training, sessions in four threads over the same parameters, two of them with
 * one pool, two without. */
static void shared_parameters(nn_model *logistic)
{
    enum { CALLERS = 4 };
    nn_model *model = compile(CLASSIFIER);
    nn_session *trained = start(model), *other = start(logistic);
    nn_pool *pool;
    Caller callers[CALLERS];
    pthread_t threads[CALLERS];
    CHECK(!nn_pool_new(2, &pool));
    for (int i = 0; i < 10; i++) {
        CHECK(!nn_session_step(trained, all_rows, 1, classifier_feed, 2, NULL));
        CHECK(!nn_session_step(other, all_rows, 1, logistic_feed, 2, NULL));
    }
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (Caller){.params = nn_session_params(trained), .pool = i % 2 ? pool : NULL};
        CHECK(!pthread_create(&threads[i], NULL, predict, &callers[i]));
    }
    for (int i = 0; i < 20; i++) CHECK(!nn_session_step(other, all_rows, 1, logistic_feed, 2, NULL)); /* meanwhile */
    for (int i = 0; i < CALLERS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < CALLERS; i++)
        CHECK(!callers[i].status && !memcmp(callers[i].z, callers[0].z, sizeof callers[0].z));
    nn_session_free(trained);
    nn_session_free(other);
    nn_pool_free(pool);
    nn_model_free(model);
}

int main(void)
{
    nn_model *logistic = compile(LOGISTIC);
    hook_and_settings(logistic);
    every_gradient();
    accumulation(logistic);
    shared_parameters(logistic);
    nn_model_free(logistic);
    return failures != 0;
}
