/* nn.h as programs use it, over models that are compiled here: misuse of every function, a training loop of one's own,
 * settings, several models, sessions in threads. A plain program, so that it runs under the thread sanitizer too. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- Misuse ---- */

static void nothing_given(nn_model *model, nn_params *params, nn_session *session)
{
    nn_tensor info = {.size = sizeof info};
    char text[8];
    double number;
    int rank;
    const void *values;
    nn_type type;
    int64_t dims[12];
    nn_model *no_model;
    REFUSED(NN_ERROR_ARGUMENT, nn_model_open(NULL, NULL, &no_model));
    REFUSED(NN_ERROR_ARGUMENT, nn_model_open("m.so", NULL, NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_model_from_image(NULL, NULL, &no_model));
    REFUSED(NN_ERROR_ARGUMENT, nn_model_on_release(NULL, NULL, NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_model_tensor(NULL, 0, &info));
    REFUSED(NN_ERROR_ARGUMENT, nn_model_tensor(model, 0, NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_model_tensor(model, 1000, &info));
    REFUSED(NN_ERROR_ARGUMENT, nn_model_dim_text(NULL, 0, 0, text, sizeof text));
    REFUSED(NN_ERROR_ARGUMENT, nn_model_dim_text(model, 0, 99, text, sizeof text));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_new(model, NULL, 0, 1, NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_from_image(NULL, NULL, 0, 1, &params));
    nn_params *made = NULL;
    REFUSED(NN_ERROR_ARGUMENT, nn_params_new(NULL, NULL, 0, 1, &made));
    params = nn_session_params(session);
    REFUSED(NN_ERROR_ARGUMENT, nn_params_get(NULL, "w", NN_TYPE_F32, text, 2));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_set(params, "w", NN_TYPE_F32, NULL, 2));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_set(params, NULL, NN_TYPE_F32, text, 2));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_shape(params, "no", &rank, dims));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_shape(NULL, "w", &rank, dims));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_set_setting(params, "no", 1));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_set_setting(NULL, "lr", 1));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_setting(params, "no", &number));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_setting(params, "lr", NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_set_metadata(NULL, "key", "value"));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_set_metadata(params, NULL, "value"));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_load(params, NULL, 0));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_load_memory(params, NULL, 8, 0));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_save(params, NULL));
    REFUSED(NN_ERROR_FILE, nn_params_load(params, "/no/such/file", 0));
    REFUSED(NN_ERROR_FORMAT, nn_params_load_memory(params, "short", 5, 0));
    REFUSED(NN_ERROR_ARGUMENT, nn_pool_new(1, NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_new(params, NULL, NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_step(NULL, all_rows, 1, logistic_feed, 2, NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_get(NULL, "p", NN_TYPE_F32, text, 1));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_set(session, "grad.w", NN_TYPE_F32, NULL, 2));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_shape(NULL, "p", &rank, dims));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_reset(NULL));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_run(session, "no", NULL, 0, NULL, 0));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_run(session, NULL, NULL, 0, NULL, 0));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_result(session, "no", &values, &type, &rank, dims));
    CHECK(!nn_model_has_program(NULL, "step") && !nn_model_has_program(model, NULL));
}

/* What gives no status gives nothing, and does not crash. */
static void nothing_asked(void)
{
    nn_model_free(NULL);
    nn_params_free(NULL);
    nn_session_free(NULL);
    nn_pool_free(NULL);
    CHECK(!nn_model_name(NULL) || !*nn_model_name(NULL));
    CHECK(!nn_model_cpu(NULL) || !*nn_model_cpu(NULL));
    CHECK(!nn_model_description(NULL) || !*nn_model_description(NULL));
    CHECK(nn_model_dims(NULL) == 0 && !nn_model_dim_name(NULL, 0) && !nn_model_dim_of_params(NULL, 0));
    CHECK(nn_model_inputs(NULL) == 0 && nn_model_tensors(NULL) == 0);
    (void)nn_model_input(NULL, 0);
    CHECK(!nn_params_model(NULL) && !nn_session_params(NULL) && nn_params_step(NULL) == 0 && nn_params_seed(NULL) == 0);
    nn_params_set_step(NULL, 1);
    nn_params_set_seed(NULL, 1);
    nn_session_set_metrics(NULL, 1);
    CHECK(!nn_params_metadata(NULL, "key") && nn_pool_threads(NULL) <= 1);
    CHECK(!nn_model_program_input(NULL, "step", 0));
    CHECK(nn_type_size((nn_type)99) == 0 && nn_type_name((nn_type)99) && nn_role_name((nn_role)99));
}

static void misuse(void)
{
    nn_model *model = compile(LOGISTIC), *classifier = compile(CLASSIFIER);
    nn_session *session = start(model), *labelled = start(classifier);
    float values[16];
    CHECK(!nn_model_dim_name(model, 7) && !nn_model_dim_of_params(model, 7));
    nothing_given(model, nn_session_params(session), session);
    nothing_asked();
    REFUSED(NN_ERROR_STATE, nn_session_backward(session));
    REFUSED(NN_ERROR_STATE, nn_session_update(session));
    REFUSED(NN_ERROR_STATE, nn_session_get(session, "p", NN_TYPE_F32, values, ROWS));
    CHECK(!nn_session_forward(session, all_rows, 1, logistic_feed, 2, 1));
    REFUSED(NN_ERROR_STATE, nn_session_update(session));
    CHECK(!nn_session_backward(session));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_get(session, "grad.w", NN_TYPE_F32, values, 3));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_get(session, "grad.no", NN_TYPE_F32, values, 2));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_set(session, "grad.w", NN_TYPE_F32, values, 1));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_get(nn_session_params(session), "w", NN_TYPE_F32, values, 3));
    REFUSED(NN_ERROR_ARGUMENT, nn_params_set(nn_session_params(session), "v", NN_TYPE_F32, values, 2));
    REFUSED(NN_ERROR_ARGUMENT, nn_session_forward(session, all_rows, 1, logistic_feed, 5, 0));
    const void *const no_target[] = {points, NULL}, *const no_input[] = {NULL, either};
    CHECK(!nn_session_forward(session, all_rows, 1, no_target, 2, 1));
    REFUSED(NN_ERROR_STATE, nn_session_backward(session)); /* without a target there is no loss */
    CHECK(!nn_session_forward(session, all_rows, 1, no_input, 2, 0));
    REFUSED(NN_ERROR_STATE, nn_session_get(session, "p", NN_TYPE_F32, values, ROWS));
    int32_t wrong[ROWS] = {0, 1, 2, 0, 1, 3, 0, 1};
    const void *const bad_label[] = {points, wrong};
    REFUSED(NN_ERROR_RANGE, nn_session_step(labelled, all_rows, 1, bad_label, 2, NULL));
    CHECK(strstr(nn_message(), "label") && strstr(nn_message(), "row 5"));
    wrong[5] = -1;
    REFUSED(NN_ERROR_RANGE, nn_session_forward(labelled, all_rows, 1, bad_label, 2, 1));
    CHECK(!nn_session_step(labelled, all_rows, 1, classifier_feed, 2, NULL)); /* and it goes on */
    nn_session_free(session);
    nn_session_free(labelled);
    nn_model_free(model);
    nn_model_free(classifier);
}

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
    misuse();
    hook_and_settings(logistic);
    accumulation(logistic);
    shared_parameters(logistic);
    nn_model_free(logistic);
    return failures != 0;
}
