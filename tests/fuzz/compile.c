/* The compiler as a library: whatever the text, nnc_compile gives a model, or at least one error, each with a place. It
 * is called from a thread with a small stack. A model that is made runs. */
#include "compile.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "fuzz.h"
#include "nnc/nnc.h"

enum { STACK = 512 * 1024, SIZE = 3, MOST = 1 << 16, MOST_INPUTS = 256, MOST_DIMS = 16 };

typedef struct {
    char *text;
    bool run;
} Job;

/* ---- Diagnostics ---- */

typedef struct {
    size_t errors;
} Heard;

static void hear(void *data, const nnc_diagnostic *diagnostic)
{
    Heard *heard = data;
    LAW(diagnostic->place.file && diagnostic->place.line > 0, "%s without a place: %s", diagnostic->id,
        diagnostic->message);
    heard->errors += diagnostic->severity == NNC_ERROR;
}

/* ---- Running ---- */

/* How many elements a tensor has with every free size at SIZE; -1: too many. */
static int64_t elements(const nn_tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++) {
        int64_t size = tensor->dims[i] < 0 ? SIZE : tensor->dims[i];
        if (size > MOST || count * size > MOST) return -1;
        count *= size;
    }
    return count;
}

/* Zeros, or ones where numbers are real: inside of every range. */
static void *make_input(const nn_tensor *tensor, int64_t count)
{
    void *values = calloc((size_t)count + 1, nn_type_size(tensor->type));
    LAW(values, "no memory");
    for (int64_t i = 0; i < count; i++) {
        if (tensor->type == NN_TYPE_F32) ((float *)values)[i] = 1;
        if (tensor->type == NN_TYPE_F64) ((double *)values)[i] = 1;
    }
    return values;
}

/* Every input of the model; false when one would be too large. */
static bool make_inputs(const nn_model *model, void **inputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        nn_tensor tensor = {.size = sizeof tensor};
        LAW(!nn_model_tensor(model, nn_model_input(model, i), &tensor), "%s", nn_message());
        int64_t n = elements(&tensor);
        if (n < 0 || i == MOST_INPUTS) return false;
        inputs[i] = make_input(&tensor, n);
    }
    return true;
}

static void run_session(nn_model *model, nn_params *params, const int64_t *dims, size_t n_dims, void **inputs,
                        size_t n_inputs)
{
    nn_session *session;
    float loss;
    if (nn_session_new(params, NULL, &session)) return;
    const void *const *given = (const void *const *)inputs;
    if (nn_session_forward(session, dims, n_dims, given, n_inputs, 0)) LAW(*nn_message(), "refused without a reason");
    if (nn_model_has_program(model, "training") && nn_session_step(session, dims, n_dims, given, n_inputs, &loss))
        LAW(*nn_message(), "refused without a reason");
    nn_session_free(session);
}

static void run_model(nn_model *model)
{
    int64_t dims[MOST_DIMS];
    void *inputs[MOST_INPUTS + 1] = {0};
    nn_params *params;
    size_t n_dims = nn_model_dims(model), n_inputs = nn_model_inputs(model);
    if (n_dims > MOST_DIMS) return;
    for (size_t i = 0; i < n_dims; i++) dims[i] = SIZE;
    if (make_inputs(model, inputs, n_inputs) && !nn_params_new(model, dims, n_dims, 1, &params)) {
        run_session(model, params, dims, n_dims, inputs, n_inputs);
        nn_params_free(params);
    }
    for (size_t i = 0; i < n_inputs && i < MOST_INPUTS; i++) free(inputs[i]);
}

static void *work(void *data)
{
    const Job *job = data;
    Heard heard = {0};
    nn_model *model = NULL;
    nnc_compiler *compiler = nnc_new();
    nnc_listen(compiler, hear, &heard);
    int status = nnc_compile(compiler, "input.nn", job->text, NULL, &model);
    LAW(!status == !heard.errors && !status == !!model, "a model and an error, or neither");
    if (model && job->run) run_model(model);
    nn_model_free(model);
    nnc_free(compiler);
    return NULL;
}

void compile_text(const char *text, size_t size, bool run)
{
    pthread_t thread;
    pthread_attr_t attributes;
    Job job = {calloc(size + 1, 1), run};
    LAW(job.text, "no memory");
    memcpy(job.text, text, size);
    pthread_attr_init(&attributes);
    LAW(!pthread_attr_setstacksize(&attributes, STACK), "no thread of this size");
    LAW(!pthread_create(&thread, &attributes, work, &job), "no thread");
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    free(job.text);
}
