/* What a session asks of its current model. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/derivative.h"
#include "display/display.h"
#include "driver/repl_session.h"
#include "driver/report.h"
#include "driver/sizes.h"
#include "driver/splits.h"
#include "host/stop.h"
#include "nn_shown.h"

enum { MOST_SCORES = 256 };

/* Prints what went wrong with the model, and counts it. */
static void finish(Session *session, Loaded *model, bool good)
{
    fflush(stdout);
    report(model->pipeline.context);
    session->errors += !good;
}

static bool require(Loaded *model, const char *const *programs)
{
    for (; *programs; programs++)
        if (!jit_require(model->pipeline.jit, *programs)) return false;
    return true;
}

static bool mistake(Loaded *model, const char *format, const char *what)
{
    diag_new(model->pipeline.context->diagnostics, DIAG_bad_value, NO_SPAN, format, what);
    return false;
}

/* ---- Training ---- */

static bool read_count(Loaded *model, const char *text, uint64_t *count)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (*end || errno || number < 1) return mistake(model, "a number of steps is wanted, not `%s`", text);
    *count = (uint64_t)number;
    return true;
}

static bool train(Session *session, Loaded *model, const char *argument)
{
    Pipeline *pipeline = &model->pipeline;
    const TrainSettings *settings = &pipeline->program->train;
    bool terminal = session->stop && isatty(STDERR_FILENO);
    bool validates = terminal && program_split(pipeline->program, "valid");
    /* Metrics are for those who look on; without them the list ends early. */
    const char *const programs[] = {settings->accumulate.given ? "training" : "step",
                                    "data.train",
                                    terminal ? "running" : NULL,
                                    "accumulate",
                                    "finish",
                                    validates ? "data.valid" : NULL,
                                    NULL};
    uint64_t count = 0, gather = settings->accumulate.given ? (uint64_t)settings->accumulate.value : 1;
    nn_split split, valid;
    if (!settings->present) {
        diag_hint(diag_new(pipeline->context->diagnostics, DIAG_no_train_block, NO_SPAN,
                           "the model %s has no train block", model->name),
                  "add one: `train %s { optimizer = adam(lr = 1e-3); batch = 32; epochs = 10 }`", model->name);
        return false;
    }
    if ((*argument && !read_count(model, argument, &count)) || !split_open(pipeline, "train", &split) ||
        (validates && !split_open(pipeline, "valid", &valid)) || !require(model, programs))
        return false;
    int64_t batch = sizes_batch(pipeline);
    if (!count) count = ((uint64_t)((split.rows + batch - 1) / batch) + gather - 1) / gather;
    if (context_stopped(pipeline->context)) return false;
    nn_training training = {.params = model->params,
                            .pool = model->pool,
                            .train = &split,
                            .valid = validates ? &valid : NULL,
                            .dims = pipeline->dims,
                            .n_dims = pipeline->n_dims,
                            .batch = batch,
                            .accumulate = gather,
                            .steps = nn_params_step(model->params) + count,
                            .progress = terminal ? stderr : NULL,
                            .terminal = terminal,
                            .stop = session->stop};
    training.partials = split_partials(pipeline, &training.n_partials);
    if (terminal) training.followed = split_followed(pipeline, &training.n_followed);
    nn_training_result result;
    if (nn_train(&training, &result)) return pipeline_failed(pipeline, "training");
    if (result.stopped && !result.steps && context_stopped(pipeline->context)) return false;
    printf("%s after step %" PRIu64 ": loss %.4g\n", result.stopped ? "stopped" : "trained",
           nn_params_step(model->params), nn_shown_number(result.loss));
    return true;
}

void model_train(Session *session, const char *argument)
{
    Loaded *model = session_model_ready(session, NULL);
    if (model) finish(session, model, train(session, model, argument));
}

static bool evaluate_split(const Session *session, Loaded *model, const char *name)
{
    Pipeline *pipeline = &model->pipeline;
    static const char *const preferred[] = {"test", "valid", "train"};
    for (size_t i = 0; i < 3 && !*name; i++)
        if (i == 2 || program_split(pipeline->program, preferred[i])) name = preferred[i];
    nn_split split;
    if (!split_open(pipeline, name, &split)) return false;
    const char *programs[] = {split.program, "accumulate", "finish", NULL};
    if (!require(model, programs)) return false;
    nn_evaluation evaluation = {.params = model->params,
                                .pool = model->pool,
                                .split = &split,
                                .dims = pipeline->dims,
                                .n_dims = pipeline->n_dims,
                                .stop = session->stop};
    evaluation.partials = split_partials(pipeline, &evaluation.n_partials);
    nn_score scores[MOST_SCORES];
    size_t count = MOST_SCORES;
    if (nn_evaluate(&evaluation, scores, &count)) return pipeline_failed(pipeline, "evaluating");
    printf("on %s:", name);
    for (size_t i = 0; i < count; i++) printf("  %s %.4g", scores[i].name, nn_shown_number(scores[i].value));
    putchar('\n');
    return true;
}

void model_eval(Session *session, const char *argument)
{
    Loaded *model = session_model_ready(session, NULL);
    if (model) finish(session, model, evaluate_split(session, model, argument));
}

/* ---- Parameters ---- */

static void print_statistics(const char *name, const Array *array)
{
    double sum = 0, squares = 0;
    Text shape = {0};
    for (int64_t i = 0; i < array->count; i++) sum += array_at(array, i);
    double mean = array->count ? sum / (double)array->count : 0;
    for (int64_t i = 0; i < array->count; i++) squares += pow(array_at(array, i) - mean, 2);
    double deviation = array->count ? sqrt(squares / (double)array->count) : 0;
    text_string(&shape, dtype_name(array->dtype));
    for (uint32_t i = 0; i < array->rank; i++) text_format(&shape, "%s%lld", i ? ", " : "[", (long long)array->dims[i]);
    if (array->rank) text_string(&shape, "]");
    if (array->rank)
        printf("%-24s %-16s mean %.4g, deviation %.4g\n", name, text_get(&shape), nn_shown_number(mean),
               nn_shown_number(deviation));
    else
        printf("%-24s %-16s %.4g\n", name, text_get(&shape), nn_shown_number(array_at(array, 0)));
    text_free(&shape);
}

static bool print_one(Loaded *model, const nn_tensor *tensor)
{
    Array array;
    if (!loaded_value(model, tensor->name, (DType)tensor->type, &array))
        return pipeline_failed(&model->pipeline, tensor->name);
    Text text = {0};
    array_print(&array, &text);
    puts(text_get(&text));
    text_free(&text);
    array_free(&array);
    return true;
}

static bool use_print(Session *session, Value value, void *data)
{
    (void)data;
    return session_print(session, NULL, value);
}

/* Calls `use` for each parameter and state, and with `everything` the optimizer's too. */
static bool print_params(Loaded *model, const char *wanted)
{
    Vec(const char *) names = {0};
    bool found = false, good = true;
    for (size_t i = 0; i < nn_model_tensors(model->pipeline.model); i++) {
        nn_tensor tensor = {.size = sizeof tensor};
        Array array;
        if (nn_model_tensor(model->pipeline.model, i, &tensor)) continue;
        bool learned = tensor.role == NN_ROLE_PARAM || tensor.role == NN_ROLE_STATE;
        if (!learned && tensor.role != NN_ROLE_OPTIMIZER_STATE) continue;
        vec_push(&names, tensor.name);
        if (*wanted && !strcmp(wanted, tensor.name)) {
            found = true;
            good = print_one(model, &tensor);
        } else if (!*wanted && learned && loaded_value(model, tensor.name, (DType)tensor.type, &array)) {
            print_statistics(tensor.name, &array);
            array_free(&array);
        }
    }
    if (*wanted && !found) {
        Diag *diag = diag_new(model->pipeline.context->diagnostics, DIAG_unknown_parameter, NO_SPAN,
                              "the model %s has no parameter `%s`", model->name, wanted);
        const char *near = nearest_spelling(wanted, names.at, names.count);
        if (near) diag_hint(diag, "did you mean `%s`?", near);
        good = false;
    }
    vec_free(&names);
    return good;
}

void model_params(Session *session, const char *argument)
{
    bool own = *argument && session_has(session, argument) && !names_model_of(session, argument);
    if (own || (*argument && !session->models.count)) {
        session_with(session, argument, use_print, NULL);
        return;
    }
    Loaded *model = session->models.count ? session_model_ready(session, NULL) : NULL;
    if (model) finish(session, model, print_params(model, argument));
    if (!*argument) session_print_own(session);
}

/* ---- Gradients ---- */

static double norm(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += values[i] * values[i];
    return sqrt(sum);
}

static bool print_norms(Loaded *model, nn_session *session)
{
    printf("%-24s %12s %12s\n", "", "|value|", "|gradient|");
    for (size_t i = 0; i < nn_model_tensors(model->pipeline.model); i++) {
        nn_tensor tensor = {.size = sizeof tensor};
        Array array;
        if (nn_model_tensor(model->pipeline.model, i, &tensor) || tensor.role != NN_ROLE_PARAM) continue;
        if (!loaded_value(model, tensor.name, DTYPE_F64, &array)) return false;
        double own = norm(array.data, (size_t)array.count);
        char name[256];
        snprintf(name, sizeof name, "grad.%s", tensor.name);
        bool good = !nn_session_get(session, name, NN_TYPE_F64, array.data, (size_t)array.count);
        if (good)
            printf("%-24s %12.4g %12.4g\n", tensor.name, nn_shown_number(own),
                   nn_shown_number(norm(array.data, (size_t)array.count)));
        array_free(&array);
        if (!good) return pipeline_failed(&model->pipeline, name);
    }
    return true;
}

/* One batch of the training data, in the order of the file, forward and backward. */
static bool print_gradients(const Session *repl, Loaded *model)
{
    static const char *const programs[] = {"training", "data.train", NULL};
    Pipeline *pipeline = &model->pipeline;
    nn_split split;
    if (!split_open(pipeline, "train", &split) || !require(model, programs)) return false;
    nn_loader_options options = {.params = model->params,
                                 .split = &split,
                                 .dims = pipeline->dims,
                                 .n_dims = pipeline->n_dims,
                                 .batch = sizes_batch(pipeline)};
    nn_loader *loader = NULL;
    nn_session *session = NULL;
    const nn_batch *batch = NULL;
    bool good = !nn_loader_new(&options, &loader) && !nn_loader_next(loader, &batch) && batch &&
                !nn_session_new(model->params, model->pool, &session);
    if (good) nn_session_stop_at(session, repl->stop);
    good = good &&
           !nn_session_forward(session, batch->dims, nn_model_dims(pipeline->model), batch->inputs,
                               nn_model_inputs(pipeline->model), 1) &&
           !nn_session_backward(session);
    good = good ? print_norms(model, session) : pipeline_failed(pipeline, "differentiating");
    nn_session_free(session);
    nn_loader_free(loader);
    return good;
}

/* The formula needs the program as it was before the passes: another one is made. */
static bool print_formula(Session *session, Loaded *model, const char *name)
{
    Loaded *fresh = loaded_new(session->options, &session->journal, model->path, model->name, session->stop);
    if (!fresh) return false;
    const Module *module = fresh->pipeline.program->module;
    Node loss = module_function(module, "inference")->loss;
    bool good = !node_is_none(loss) || mistake(fresh, "the model %s has no loss", model->name);
    Node by = good ? derivative_value(module, ":grad", name) : NODE_NONE;
    Node gradient = node_is_none(by) ? NODE_NONE : derivative_find(module, loss, by, NULL);
    good = !node_is_none(gradient);
    if (good) {
        Text text = {0};
        display_formula(module->graph, gradient, DISPLAY_TEXT, &text);
        puts(text_get(&text));
        text_free(&text);
    }
    fflush(stdout);
    report(fresh->pipeline.context);
    loaded_free(fresh);
    return good;
}

void model_grad(Session *session, const char *argument)
{
    Loaded *model = *argument ? session_model(session) : session_model_ready(session, NULL);
    if (model)
        finish(session, model, *argument ? print_formula(session, model, argument) : print_gradients(session, model));
}

/* ---- Settings ---- */

bool model_setting_is_free(const char *name)
{
    return strcmp(name, "step") && strcmp(name, "progress");
}

static void print_settings(const Loaded *model)
{
    for (size_t i = 0; i < nn_model_tensors(model->pipeline.model); i++) {
        nn_tensor tensor = {.size = sizeof tensor};
        double value;
        if (nn_model_tensor(model->pipeline.model, i, &tensor) || tensor.role != NN_ROLE_SETTING) continue;
        if (!model_setting_is_free(tensor.name)) continue;
        if (!nn_params_setting(model->params, tensor.name, &value))
            printf("%-24s %.9g\n", tensor.name, nn_shown_number(value));
    }
}

static bool set(Loaded *model, const char *argument)
{
    size_t length = strcspn(argument, " \t=");
    const char *text = argument + length + strspn(argument + length, " \t=");
    char name[128], *end;
    double value = strtod(text, &end);
    snprintf(name, sizeof name, "%.*s", (int)length, argument);
    if (!*text || *end) return mistake(model, "`:set` wants a name and a number, not `%s`", argument);
    if (nn_params_set_setting(model->params, name, value)) return pipeline_failed(&model->pipeline, ":set");
    return true;
}

void model_set(Session *session, const char *argument)
{
    Loaded *model = session_model_ready(session, NULL);
    if (!model) return;
    if (*argument)
        finish(session, model, set(model, argument));
    else
        print_settings(model);
}
