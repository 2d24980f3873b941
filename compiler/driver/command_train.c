/* nnc train: compiles the training step in the process and runs it over the data. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/failure.h"
#include "driver/commands.h"
#include "driver/splits.h"
#include "driver/summary.h"
#include "driver/trap.h"
#include "driver/watch.h"

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
    if (options->steps > 0)
        training->steps = (uint64_t)options->steps;
    else if (options->epochs > 0)
        training->epochs = (uint64_t)options->epochs;
    else if (settings->steps.given)
        training->steps = (uint64_t)settings->steps.value;
    else
        training->epochs = settings->epochs.given ? (uint64_t)settings->epochs.value : 1;
}

/* With --watch, `-o FILE.svg` is the picture; otherwise -o are the weights. */
static bool draws_output(const Options *options)
{
    const char *dot = options->output ? strrchr(options->output, '.') : NULL;
    return options->watch && dot && !strcmp(dot, ".svg");
}

static bool draw(const Options *options, const Watch *watch)
{
    if (!watch) return true;
    if (draws_output(options) && !watch_draw(watch, options->output)) return false;
    return !options->picture || watch_draw(watch, options->picture);
}

/* What the train block and the options say of how, beside the data. */
static void choose_manner(const Options *options, const TrainSettings *settings, nn_training *training)
{
    choose_length(options, settings, training);
    training->batch = choose(options->batch, settings->batch, 32);
    training->accumulate = (uint64_t)choose(0, settings->accumulate, 1);
    training->patience = (uint64_t)choose(0, settings->patience, 0);
    training->average = settings->average.given;
    training->no_shuffle = options->no_shuffle;
    training->checkpoint = options->checkpoint;
    training->every = options->every > 0 ? (uint64_t)options->every : 0;
    training->keep = options->keep > 0 ? (uint64_t)options->keep : 1;
    training->resume = options->resume;
}

/* With those who look on. */
static bool run(Pipeline *pipeline, nn_training *training, Watch *watch)
{
    const Options *options = pipeline->options;
    nn_observer *observers[2];
    Trap *trap = options->trap_nan ? trap_new(pipeline) : NULL;
    training->observers = observers;
    if (watch) observers[training->n_observers++] = watch_observe(watch, training, options->watch_every);
    if (trap) observers[training->n_observers++] = trap_observe(trap);
    catch_interrupts();
    nn_training_result result;
    bool good = !nn_train(training, &result) || (!trap_sprung(trap) && pipeline_failed(pipeline, "training"));
    trap_free(trap);
    return good;
}

static bool train(Pipeline *pipeline, const SummaryShapes *shapes, nn_params *params, nn_pool *pool, Watch *watch)
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
        .weights = draws_output(options) ? NULL : options->output,
        .log = options->log,
        .progress = options->quiet ? NULL : stderr,
        .terminal = isatty(STDERR_FILENO),
        .stop = &interrupted,
    };
    training.partials = split_partials(pipeline, &training.n_partials);
    if (training.progress) training.followed = split_followed(pipeline, &training.n_followed);
    choose_manner(options, &pipeline->program->train, &training);
    if (training.progress && !summary_print(pipeline, shapes, params, &training, training.progress)) return false;
    return run(pipeline, &training, watch) && draw(options, watch);
}

/* ---- The weights to start from ---- */

enum { MOST_TOLD = 8 };

typedef struct {
    size_t fitting, others;
    Text why;
} Fit;

static void tell_fit(void *data, const char *name, const char *why)
{
    Fit *fit = data;
    if (!why) {
        fit->fitting++;
        return;
    }
    if (fit->others++ < MOST_TOLD) text_format(&fit->why, "  %s is drawn: %s\n", name, why);
}

/* The key `weights` of the train block, which --weights and --resume hide. */
static bool start_from(Pipeline *pipeline, nn_params *params)
{
    const Options *options = pipeline->options;
    const TrainSettings *settings = &pipeline->program->train;
    if (!settings->weights || options->weights || options->resume) return true;
    Fit fit = {0};
    bool good = !nn_train_start(params, settings->weights, tell_fit, &fit);
    if (!good)
        diag_new(pipeline->context->diagnostics, failure_id(), settings->weights_place, "%s", nn_message());
    else if (!options->quiet)
        fprintf(stderr, "%s: %zu of %zu parameters and states fit\n%s%s", settings->weights, fit.fitting,
                fit.fitting + fit.others, text_get(&fit.why), fit.others > MOST_TOLD ? "  …\n" : "");
    text_free(&fit.why);
    return good;
}

enum { MOST_PROGRAMS = 9 };

/* Those that this training runs, ended by NULL. Metrics are of validation data and, where somebody looks, of the
 * training's own. */
static void list_programs(const char **programs, bool accumulates, bool has_valid, const Options *options)
{
    const char *const wanted[] = {"initialise",
                                  accumulates ? "training" : "step",
                                  "data.train",
                                  has_valid ? "data.valid" : NULL,
                                  has_valid || !options->quiet ? "accumulate" : NULL,
                                  has_valid || !options->quiet ? "finish" : NULL,
                                  options->quiet ? NULL : "running",
                                  options->watch ? "watch" : NULL};
    size_t count = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (wanted[i]) programs[count++] = wanted[i];
    programs[count] = NULL;
}

int command_TRAIN(const Options *options)
{
    const char *programs[MOST_PROGRAMS];
    if (options->steps > 0 && options->epochs > 0) return usage_error(options, "--epochs or --steps, not both");
    if (options->picture && !options->watch) return usage_error(options, "--picture is drawn by --watch");
    if (options->watch_every > 0 && !options->watch) return usage_error(options, "--watch-every goes with --watch");
    if ((options->every > 0 || options->keep > 0) && !options->checkpoint)
        return usage_error(options, "--every and --keep go with --checkpoint");
    if (options->resume && options->weights) return usage_error(options, "--resume or --weights, not both");
    Pipeline pipeline = pipeline_start(options);
    if (!pipeline_program(&pipeline, false)) return pipeline_finish(&pipeline, EXIT_USER);
    if (!pipeline.program->train.present) {
        diag_hint(diag_new(pipeline.context->diagnostics, DIAG_no_train_block, NO_SPAN, "%s has no train block",
                           options->file),
                  "add for example: train %s { optimizer = adam(lr = 1e-3); batch = 32; epochs = 10 }",
                  pipeline.program->module->name);
        return pipeline_finish(&pipeline, EXIT_USER);
    }
    bool good = false;
    bool has_valid = program_split(pipeline.program, "valid") != NULL;
    if (pipeline.program->train.patience.given && !has_valid) {
        diag_hint(diag_new(pipeline.context->diagnostics, DIAG_patience_without_valid, pipeline.program->train.place,
                           "`patience` looks at the loss on validation data, but there is no data block `valid`"),
                  "write for example `data train, valid { … split = [0.9, 0.1] }`");
        return pipeline_finish(&pipeline, EXIT_USER);
    }
    pipeline.follows = !options->quiet;
    const SummaryShapes *shapes = options->quiet ? NULL : summary_shapes(&pipeline);
    Watch *watch = options->watch ? watch_new(&pipeline) : NULL;
    if (options->watch && !watch) return pipeline_finish(&pipeline, EXIT_USER);
    list_programs(programs, pipeline.program->train.accumulate.given, has_valid, options);
    if (pipeline_model(&pipeline, programs)) {
        nn_params *params = pipeline_params(&pipeline, NN_LOAD_WEIGHTS);
        nn_pool *pool = params ? pipeline_pool(&pipeline) : NULL;
        good = pool && start_from(&pipeline, params) && train(&pipeline, shapes, params, pool, watch);
        nn_params_free(params);
        nn_pool_free(pool);
    }
    watch_free(watch);
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
