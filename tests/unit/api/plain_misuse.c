/* Misuse of nn.h: every function with every argument that can be wrong. Each such call gives its status and a message,
 * and what goes on afterwards works. A plain program, so that it runs under any sanitizer. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "embedding.h"

#define ARGUMENT(call) REFUSED(NN_ERROR_ARGUMENT, call)

static float values[64];
static int64_t dims[12];

static void *allocate(void *data, size_t size)
{
    (void)data;
    return malloc(size);
}

/* ---- Models ---- */

static void misuse_options(void)
{
    nn_memory half = {NULL, allocate, NULL, 0};
    nn_options options = NN_OPTIONS_INIT;
    nn_model *model = (nn_model *)&options;
    options.memory = &half; /* what is taken could not be given back */
    ARGUMENT(nn_model_from_image(NULL, &options, &model));
    CHECK(!model);
    options.size = 0;
    ARGUMENT(nn_model_from_image((const struct nn_image *)values, &options, &model));
    CHECK(strstr(nn_message(), "size"));
    options.size = sizeof options;
    ARGUMENT(nn_model_from_image((const struct nn_image *)values, &options, &model));
    CHECK(strstr(nn_message(), "release"));
    REFUSED(NN_ERROR_FORMAT, nn_model_from_image((const struct nn_image *)values, NULL, &model));
}

static void ignore(void *data)
{
    (void)data;
}

static void misuse_models(nn_model *model)
{
    nn_tensor info = {.size = sizeof info}, sizeless = {0};
    char text[8];
    nn_model *none;
    ARGUMENT(nn_model_open(NULL, NULL, &none));
    ARGUMENT(nn_model_open("m.so", NULL, NULL));
    REFUSED(NN_ERROR_FILE, nn_model_open("no-such.so", NULL, &none));
    REFUSED(NN_ERROR_FILE, nn_model_open("/dev/null", NULL, &none));
    REFUSED(NN_ERROR_FILE, nn_model_open("", NULL, &none));
    CHECK(!none);
    ARGUMENT(nn_model_from_image(NULL, NULL, &none));
    ARGUMENT(nn_model_from_image(NULL, NULL, NULL));
    ARGUMENT(nn_model_on_release(NULL, ignore, NULL));
    ARGUMENT(nn_model_on_release(model, NULL, NULL));
    REFUSED(NN_ERROR_STATE, nn_model_on_release(model, ignore, NULL)); /* the compiler is called already */
    ARGUMENT(nn_model_tensor(NULL, 0, &info));
    ARGUMENT(nn_model_tensor(model, 0, NULL));
    ARGUMENT(nn_model_tensor(model, nn_model_tensors(model), &info));
    ARGUMENT(nn_model_tensor(model, SIZE_MAX, &info));
    ARGUMENT(nn_model_tensor(model, 0, &sizeless));
    CHECK(!sizeless.name);
    ARGUMENT(nn_model_dim_text(NULL, 0, 0, text, sizeof text));
    ARGUMENT(nn_model_dim_text(model, SIZE_MAX, 0, text, sizeof text));
    ARGUMENT(nn_model_dim_text(model, 0, 99, text, sizeof text));
    ARGUMENT(nn_model_dim_text(model, 0, -1, text, sizeof text));
    ARGUMENT(nn_model_dim_text(model, 0, 0, NULL, sizeof text));
    ARGUMENT(nn_model_dim_text(model, 0, 0, text, 0));
    CHECK(!nn_model_dim_text(model, 0, 0, text, 3) && !strcmp(text, "ba")); /* as much as fits */
    CHECK(!nn_model_dim_name(model, 7) && !nn_model_dim_of_params(model, 7));
    CHECK(nn_model_input(model, 7) >= nn_model_tensors(model));
    CHECK(!nn_model_has_program(NULL, "step") && !nn_model_has_program(model, NULL) &&
          !nn_model_has_program(model, "no"));
    CHECK(!nn_model_program_input(model, "no", 0) && !nn_model_program_input(model, NULL, 0));
    CHECK(!nn_model_program_input(model, "step", 999));
}

/* ---- Parameters ---- */

static void misuse_making(nn_model *model)
{
    const int64_t negative[] = {-2}, two[] = {1, 1}, huge[] = {INT64_MAX};
    nn_params *params = (nn_params *)values;
    ARGUMENT(nn_params_new(model, NULL, 0, 1, NULL));
    ARGUMENT(nn_params_new(NULL, NULL, 0, 1, &params));
    CHECK(!params);
    ARGUMENT(nn_params_new(model, NULL, 1, 1, &params));
    ARGUMENT(nn_params_new(model, two, 2, 1, &params));
    ARGUMENT(nn_params_new(model, negative, 1, 1, &params));
    ARGUMENT(nn_params_from_image(NULL, NULL, 0, 1, &params));
    ARGUMENT(nn_params_from_image(NULL, NULL, 0, 1, NULL));
    CHECK(!nn_params_new(model, huge, 1, 1, &params)); /* no parameter has that size */
    nn_params_free(params);
}

static void misuse_values(nn_params *params)
{
    int rank;
    const nn_type none = (nn_type)99;
    ARGUMENT(nn_params_get(NULL, "w", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_params_get(params, NULL, NN_TYPE_F32, values, 2));
    ARGUMENT(nn_params_get(params, "no", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_params_get(params, "x", NN_TYPE_F32, values, 2)); /* an input */
    ARGUMENT(nn_params_get(params, "w", none, values, 2));
    ARGUMENT(nn_params_get(params, "w", (nn_type)-1, values, 2));
    ARGUMENT(nn_params_get(params, "w", NN_TYPE_F32, NULL, 2));
    ARGUMENT(nn_params_get(params, "w", NN_TYPE_F32, values, 3));
    ARGUMENT(nn_params_get(params, "w", NN_TYPE_F32, values, SIZE_MAX));
    ARGUMENT(nn_params_set(NULL, "w", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_params_set(params, NULL, NN_TYPE_F32, values, 2));
    ARGUMENT(nn_params_set(params, "no", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_params_set(params, "w", none, values, 2));
    ARGUMENT(nn_params_set(params, "w", NN_TYPE_F32, NULL, 2));
    ARGUMENT(nn_params_set(params, "w", NN_TYPE_F32, values, 1));
    ARGUMENT(nn_params_shape(NULL, "w", &rank, dims));
    ARGUMENT(nn_params_shape(params, NULL, &rank, dims));
    ARGUMENT(nn_params_shape(params, "no", &rank, dims));
    ARGUMENT(nn_params_shape(params, "w", NULL, dims));
    ARGUMENT(nn_params_shape(params, "w", &rank, NULL));
    int32_t whole[2];
    const float half[2] = {0.5f, 1};
    CHECK(!nn_params_set(params, "w", NN_TYPE_F32, half, 2));
    REFUSED(NN_ERROR_RANGE, nn_params_get(params, "w", NN_TYPE_I32, whole, 2)); /* no integer */
}

static void misuse_settings(nn_params *params)
{
    double number;
    ARGUMENT(nn_params_set_setting(NULL, "lr", 1));
    ARGUMENT(nn_params_set_setting(params, NULL, 1));
    ARGUMENT(nn_params_set_setting(params, "no", 1));
    ARGUMENT(nn_params_set_setting(params, "step", 1));
    ARGUMENT(nn_params_set_setting(params, "progress", 1));
    REFUSED(NN_ERROR_RANGE, nn_params_set_setting(params, "steps", 0));
    REFUSED(NN_ERROR_RANGE, nn_params_set_setting(params, "steps", 1.5));
    REFUSED(NN_ERROR_RANGE, nn_params_set_setting(params, "steps", INFINITY));
    ARGUMENT(nn_params_setting(NULL, "lr", &number));
    ARGUMENT(nn_params_setting(params, NULL, &number));
    ARGUMENT(nn_params_setting(params, "no", &number));
    ARGUMENT(nn_params_setting(params, "lr", NULL));
    ARGUMENT(nn_params_set_metadata(NULL, "key", "value"));
    ARGUMENT(nn_params_set_metadata(params, NULL, "value"));
    ARGUMENT(nn_params_set_metadata(params, "key", NULL));
    ARGUMENT(nn_params_set_metadata(params, "step", "7"));
    CHECK(!nn_params_metadata(params, NULL) && !nn_params_metadata(params, "key") && !nn_params_metadata(NULL, "key"));
}

static void misuse_files(nn_params *params)
{
    size_t size;
    ARGUMENT(nn_params_load(NULL, "w", NN_LOAD_ALL));
    ARGUMENT(nn_params_load(params, NULL, NN_LOAD_ALL));
    REFUSED(NN_ERROR_FILE, nn_params_load(params, "/no/such/file", NN_LOAD_ALL));
    REFUSED(NN_ERROR_FILE, nn_params_load(params, "/", NN_LOAD_ALL));
    REFUSED(NN_ERROR_FILE, nn_params_load(params, "", NN_LOAD_ALL));
    ARGUMENT(nn_params_load_memory(NULL, "short", 5, NN_LOAD_ALL));
    ARGUMENT(nn_params_load_memory(params, NULL, 8, NN_LOAD_ALL));
    REFUSED(NN_ERROR_FORMAT, nn_params_load_memory(params, "short", 5, NN_LOAD_ALL));
    REFUSED(NN_ERROR_FORMAT, nn_params_load_memory(params, "", 0, NN_LOAD_ALL));
    ARGUMENT(nn_params_load_memory(params, "short", 5, 2)); /* flags that there are not */
    ARGUMENT(nn_params_save(NULL, "w"));
    ARGUMENT(nn_params_save(params, NULL));
    REFUSED(NN_ERROR_FILE, nn_params_save(params, "/no/such/folder/w"));
    REFUSED(NN_ERROR_FILE, nn_params_save(params, "/"));
    REFUSED(NN_ERROR_FILE, nn_params_save(params, ""));
    ARGUMENT(nn_params_save_memory(NULL, values, sizeof values, &size));
    ARGUMENT(nn_params_save_memory(params, NULL, 8, &size));
    ARGUMENT(nn_params_save_memory(params, values, sizeof values, NULL));
    ARGUMENT(nn_params_save_memory(params, values, 1, &size));
}

/* ---- Sessions ---- */

/* forward and step take the same arguments, wrong in the same ways. */
static int run(nn_session *session, bool step, const int64_t *sizes, size_t n, const void *const *inputs, size_t count)
{
    if (step) return nn_session_step(session, sizes, n, inputs, count, values);
    return nn_session_forward(session, sizes, n, inputs, count, 1);
}

static void misuse_calls(nn_session *session)
{
    const int64_t negative[] = {-2}, unbound[] = {-1}, two[] = {ROWS, ROWS}, huge[] = {INT64_MAX / 2};
    const void *const nothing[] = {NULL, NULL};
    for (int step = 0; step < 2; step++) {
        ARGUMENT(run(NULL, step, all_rows, 1, logistic_feed, 2));
        ARGUMENT(run(session, step, NULL, 1, logistic_feed, 2));
        ARGUMENT(run(session, step, all_rows, 0, logistic_feed, 2)); /* nothing says how large the batch is */
        ARGUMENT(run(session, step, two, 2, logistic_feed, 2));
        ARGUMENT(run(session, step, negative, 1, logistic_feed, 2));
        ARGUMENT(run(session, step, unbound, 1, logistic_feed, 2));
        ARGUMENT(run(session, step, all_rows, 1, NULL, 2));
        ARGUMENT(run(session, step, all_rows, 1, logistic_feed, 1));
        ARGUMENT(run(session, step, all_rows, 1, logistic_feed, 3));
        ARGUMENT(run(session, step, all_rows, 1, NULL, 0));
        REFUSED(NN_ERROR_RANGE, run(session, step, huge, 1, nothing, 2));
    }
    REFUSED(NN_ERROR_STATE, nn_session_step(session, all_rows, 1, nothing, 2, NULL));
    nn_session *none;
    ARGUMENT(nn_session_new(NULL, NULL, &none));
    CHECK(!none);
    ARGUMENT(nn_session_new(nn_session_params(session), NULL, NULL));
    ARGUMENT(nn_session_backward(NULL));
    ARGUMENT(nn_session_update(NULL));
    ARGUMENT(nn_session_reset(NULL));
    nn_pool *pool;
    ARGUMENT(nn_pool_new(1, NULL));
    ARGUMENT(nn_pool_new(-1, &pool));
    ARGUMENT(nn_pool_new(1000000, &pool));
    CHECK(!pool);
}

static void misuse_results(nn_session *session)
{
    int rank;
    const nn_type none = (nn_type)99;
    CHECK(!nn_session_forward(session, all_rows, 1, logistic_feed, 2, 1) && !nn_session_backward(session));
    ARGUMENT(nn_session_get(NULL, "p", NN_TYPE_F32, values, ROWS));
    ARGUMENT(nn_session_get(session, NULL, NN_TYPE_F32, values, ROWS));
    ARGUMENT(nn_session_get(session, "no", NN_TYPE_F32, values, ROWS));
    ARGUMENT(nn_session_get(session, "x", NN_TYPE_F32, values, 2 * ROWS));
    ARGUMENT(nn_session_get(session, "grad.no", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_session_get(session, "grad.", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_session_get(session, "", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_session_get(session, "p", none, values, ROWS));
    ARGUMENT(nn_session_get(session, "p", NN_TYPE_F32, NULL, ROWS));
    ARGUMENT(nn_session_get(session, "p", NN_TYPE_F32, values, ROWS + 1));
    ARGUMENT(nn_session_get(session, "grad.w", NN_TYPE_F32, values, 3));
    ARGUMENT(nn_session_set(NULL, "grad.w", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_session_set(session, NULL, NN_TYPE_F32, values, 2));
    ARGUMENT(nn_session_set(session, "grad.no", NN_TYPE_F32, values, 2));
    ARGUMENT(nn_session_set(session, "p", NN_TYPE_F32, values, ROWS)); /* computed */
    ARGUMENT(nn_session_set(session, "grad.w", none, values, 2));
    ARGUMENT(nn_session_set(session, "grad.w", NN_TYPE_F32, NULL, 2));
    ARGUMENT(nn_session_set(session, "grad.w", NN_TYPE_F32, values, 1));
    ARGUMENT(nn_session_shape(NULL, "p", &rank, dims));
    ARGUMENT(nn_session_shape(session, NULL, &rank, dims));
    ARGUMENT(nn_session_shape(session, "no", &rank, dims));
    ARGUMENT(nn_session_shape(session, "p", NULL, dims));
    ARGUMENT(nn_session_shape(session, "p", &rank, NULL));
    const void *at;
    nn_type type;
    ARGUMENT(nn_session_result(NULL, "p", &at, &type, &rank, dims));
    ARGUMENT(nn_session_result(session, NULL, &at, &type, &rank, dims));
    ARGUMENT(nn_session_result(session, "no", &at, &type, &rank, dims));
    ARGUMENT(nn_session_result(session, "p", NULL, &type, &rank, dims));
    CHECK(!nn_session_result(session, "p", &at, NULL, NULL, NULL)); /* only what is asked for */
    CHECK(!nn_session_update(session));                             /* none of this stood in its way */
}

static void misuse_programs(nn_session *session)
{
    const nn_named x[] = {{"x", points}}, empty[] = {{"x", NULL}}, nameless[] = {{NULL, points}},
                   no[] = {{"no", points}};
    ARGUMENT(nn_session_run(NULL, "inference", all_rows, 1, x, 1));
    ARGUMENT(nn_session_run(session, NULL, all_rows, 1, x, 1));
    ARGUMENT(nn_session_run(session, "no", all_rows, 1, x, 1));
    ARGUMENT(nn_session_run(session, "inference", NULL, 1, x, 1));
    ARGUMENT(nn_session_run(session, "inference", all_rows, 2, x, 1));
    ARGUMENT(nn_session_run(session, "inference", all_rows, 1, NULL, 1));
    ARGUMENT(nn_session_run(session, "inference", all_rows, 1, NULL, 0));
    ARGUMENT(nn_session_run(session, "inference", all_rows, 1, empty, 1));
    ARGUMENT(nn_session_run(session, "inference", all_rows, 1, nameless, 1));
    ARGUMENT(nn_session_run(session, "inference", all_rows, 1, no, 1));
}

/* What comes too early or twice, or after something else. */
static void misuse_order(nn_session *session)
{
    const void *const no_target[] = {points, NULL}, *const no_input[] = {NULL, either};
    REFUSED(NN_ERROR_STATE, nn_session_backward(session));
    REFUSED(NN_ERROR_STATE, nn_session_update(session));
    REFUSED(NN_ERROR_STATE, nn_session_get(session, "p", NN_TYPE_F32, values, ROWS));
    CHECK(!nn_session_forward(session, all_rows, 1, logistic_feed, 2, 1));
    REFUSED(NN_ERROR_STATE, nn_session_update(session));
    REFUSED(NN_ERROR_STATE, nn_session_get(session, "grad.w", NN_TYPE_F32, values, 2));
    REFUSED(NN_ERROR_STATE, nn_session_set(session, "grad.w", NN_TYPE_F32, values, 2));
    CHECK(!nn_session_backward(session));
    REFUSED(NN_ERROR_STATE, nn_session_backward(session));
    CHECK(!nn_session_update(session));
    REFUSED(NN_ERROR_STATE, nn_session_update(session));
    CHECK(!nn_session_forward(session, all_rows, 1, logistic_feed, 2, 1));
    CHECK(!nn_session_reset(session));
    REFUSED(NN_ERROR_STATE, nn_session_backward(session));
    CHECK(!nn_session_forward(session, all_rows, 1, no_target, 2, 1));
    REFUSED(NN_ERROR_STATE, nn_session_get(session, "loss", NN_TYPE_F32, values, 1));
    REFUSED(NN_ERROR_STATE, nn_session_backward(session)); /* without a target there is no loss */
    CHECK(!nn_session_forward(session, all_rows, 1, no_input, 2, 0));
    REFUSED(NN_ERROR_STATE, nn_session_get(session, "p", NN_TYPE_F32, values, ROWS));
}

static void misuse_labels(nn_session *session)
{
    int32_t wrong[ROWS] = {0, 1, 2, 0, 1, 3, 0, 1};
    const void *const bad_label[] = {points, wrong};
    REFUSED(NN_ERROR_RANGE, nn_session_step(session, all_rows, 1, bad_label, 2, NULL));
    CHECK(strstr(nn_message(), "label") && strstr(nn_message(), "row 5"));
    wrong[5] = -1;
    REFUSED(NN_ERROR_RANGE, nn_session_forward(session, all_rows, 1, bad_label, 2, 1));
    CHECK(nn_params_step(nn_session_params(session)) == 0);
    CHECK(!nn_session_step(session, all_rows, 1, classifier_feed, 2, NULL)); /* and it goes on */
}

/* ---- Nothing ---- */

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
    CHECK(nn_pool_threads(NULL) <= 1);
    CHECK(!nn_model_program_input(NULL, "step", 0));
    CHECK(nn_type_size((nn_type)99) == 0 && nn_type_name((nn_type)99) && nn_role_name((nn_role)99));
    CHECK(nn_type_size((nn_type)-1) == 0 && nn_type_name((nn_type)-1) && nn_role_name((nn_role)-1));
}

int main(void)
{
    nn_model *model = compile(LOGISTIC), *classifier = compile(CLASSIFIER);
    nn_session *session = start(model), *labelled = start(classifier);
    nothing_asked();
    misuse_options();
    misuse_models(model);
    misuse_making(model);
    misuse_values(nn_session_params(session));
    misuse_settings(nn_session_params(session));
    misuse_files(nn_session_params(session));
    misuse_order(session);
    misuse_calls(session);
    misuse_results(session);
    misuse_programs(session);
    misuse_labels(labelled);
    nn_session_free(session);
    nn_session_free(labelled);
    nn_model_free(model);
    nn_model_free(classifier);
    return failures != 0;
}
