/* nnc train: compiles the training step in the process and runs it over the data. */
#include "driver/commands.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver/splits.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* The first Ctrl-C finishes the step and saves; a second one stops at once. */
static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int64_t choose(int64_t option, OptionalNumber setting, int64_t otherwise)
{
    if (option > 0) return option;
    return setting.given ? (int64_t)setting.value : otherwise;
}

/* --steps hides the model's epochs and --epochs its steps. */
static void choose_length(const Options *options, const TrainSettings *settings, nn_training *training)
{
    if (options->steps > 0) training->steps = (uint64_t)options->steps;
    else if (options->epochs > 0) training->epochs = (uint64_t)options->epochs;
    else if (settings->steps.given) training->steps = (uint64_t)settings->steps.value;
    else training->epochs = settings->epochs.given ? (uint64_t)settings->epochs.value : 1;
}

static bool train(Pipeline *pipeline, nn_params *params, nn_pool *pool)
{
    const Options *options = pipeline->options;
    nn_split split, valid;
    bool has_valid = program_split(pipeline->program, "valid") != NULL;
    if (!split_open(pipeline, "train", &split) || (has_valid && !split_open(pipeline, "valid", &valid))) return false;
    nn_training training = {
        .params = params,
        .pool = pool,
        .train = &split,
        .valid = has_valid ? &valid : NULL,
        .dims = pipeline->dims,
        .n_dims = pipeline->n_dims,
        .batch = choose(options->batch, pipeline->program->train.batch, 32),
        .no_shuffle = options->no_shuffle,
        .weights = options->output,
        .log = options->log,
        .progress = options->quiet ? NULL : stderr,
        .terminal = isatty(STDERR_FILENO),
        .stop = &interrupted,
    };
    training.partials = split_partials(pipeline, &training.n_partials);
    choose_length(options, &pipeline->program->train, &training);
    catch_interrupts();
    nn_training_result result;
    if (nn_train(&training, &result)) return pipeline_failed(pipeline, "training");
    return true;
}

int command_TRAIN(const Options *options)
{
    static const char *const programs[] = {"initialise", "step", "data.train", NULL};
    static const char *const with_valid[] = {"initialise", "step", "data.train", "data.valid", "accumulate", "finish", NULL};
    Pipeline pipeline = pipeline_start(options);
    if (!pipeline_program(&pipeline, false)) return pipeline_finish(&pipeline, EXIT_USER);
    if (!pipeline.program->train.present) {
        diag_hint(diag_new(pipeline.context->diagnostics, DIAG_bad_option, NO_SPAN, "%s has no train block", options->file),
                  "add for example: train %s { optimizer = adam(lr = 1e-3); batch = 32; epochs = 10 }",
                  pipeline.program->module->name);
        return pipeline_finish(&pipeline, EXIT_USER);
    }
    bool good = false;
    bool has_valid = program_split(pipeline.program, "valid") != NULL;
    if (pipeline_model(&pipeline, has_valid ? with_valid : programs)) {
        nn_params *params = pipeline_params(&pipeline, NN_LOAD_WEIGHTS);
        nn_pool *pool = params ? pipeline_pool(&pipeline) : NULL;
        good = pool && train(&pipeline, params, pool);
        nn_params_free(params);
        nn_pool_free(pool);
    }
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
