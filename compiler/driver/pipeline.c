#include "driver/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "api/evaluation.h"
#include "api/failure.h"
#include "data/data.h"
#include "driver/arguments.h"
#include "driver/dump.h"
#include "driver/report.h"
#include "grammar/parser.h"
#include "host/guard.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

Pipeline pipeline_start(const Options *options)
{
    Context *context = context_new();
    if (options->budget > 0) context->budget = (uint64_t)options->budget;
    Pipeline pipeline = {.context = context, .options = options, .provider = provider_new(context)};
    pipeline_ended(&pipeline, "start");
    return pipeline;
}

void pipeline_ended(Pipeline *pipeline, const char *step)
{
    if (pipeline->options->time_passes) times_end(&pipeline->times, step);
}

void pipeline_drop(Pipeline *pipeline)
{
    nn_model_free(pipeline->model);
    jit_free(pipeline->jit);
    if (pipeline->program) graph_free(pipeline->program->module->graph);
    provider_free(pipeline->provider);
    context_free(pipeline->context);
}

int pipeline_finish(Pipeline *pipeline, int status)
{
    if (diagnostics_errors(pipeline->context->diagnostics)) status = EXIT_USER;
    dump_warn_missed(pipeline);
    report(pipeline->context);
    pipeline_ended(pipeline, "the rest");
    if (pipeline->options->time_passes) times_print(&pipeline->times);
    pipeline_drop(pipeline);
    return status;
}

static void print_and_free(Text *text)
{
    fputs(text_get(text), stdout);
    text_free(text);
}

static void dump_tree(Pipeline *pipeline, const Source *source)
{
    if (!dump_wants(pipeline, "parse")) return;
    Text text = {0};
    syntax_print(parse_source(pipeline->context, source), &text);
    print_and_free(&text);
}

/* Sizes that --bind gives, as the run time takes them. */
static void read_dims(Pipeline *pipeline)
{
    const Module *module = pipeline->program->module;
    pipeline->n_dims = module->n_dims;
    pipeline->dims = ARENA_ARRAY(pipeline->context->arena, int64_t, module->n_dims + 1);
    for (uint32_t i = 0; i < module->n_dims; i++)
        pipeline->dims[i] = arguments_bound(pipeline->options, module->dims[i]);
}

bool pipeline_program(Pipeline *pipeline, bool f64)
{
    if (pipeline->program) return true;
    const Source *source = dump_step_exists(pipeline) ? read_source(pipeline->context, pipeline->options->file) : NULL;
    if (!source) return false;
    dump_tree(pipeline, source);
    const Items *items = items_load(pipeline->context, pipeline->options->file, source);
    pipeline_ended(pipeline, "parse");
    return items && pipeline_items(pipeline, items, f64);
}

bool pipeline_items(Pipeline *pipeline, const Items *items, bool f64)
{
    const Options *options = pipeline->options;
    ProgramOptions how = {.model = options->model,
                          .f64 = f64,
                          .will_train = options->command == COMMAND_TRAIN,
                          .provider = provider_callbacks(pipeline->provider)};
    if (!arguments_read(pipeline->context, options, &how)) return false;
    pipeline->program = program_from_items(pipeline->context, options->file, items, &how);
    pipeline_ended(pipeline, "elaborate");
    if (!pipeline->program) return false;
    read_dims(pipeline);
    dump_module(pipeline, "elaborate", pipeline->program->module);
    return true;
}

static void explain(void *data, const Module *module, const Rewrite *rewrite)
{
    const Pipeline *pipeline = data;
    Place place;
    if (!pipeline->options->explain || !source_place(pipeline->context->sources, rewrite->place.start, &place)) return;
    (void)module;
    printf("%s:%d: %s\n", place.source->name, place.line, rewrite->rule);
}

static void after_pass(void *data, const char *pass, const Module *module)
{
    pipeline_ended(data, pass);
    dump_module(data, pass, module);
}

PassOptions pipeline_explaining(Pipeline *pipeline)
{
    return (PassOptions){.explain = explain, .after = after_pass, .data = pipeline};
}

bool pipeline_passes(Pipeline *pipeline)
{
    PassOptions how = pipeline_explaining(pipeline);
    return pipeline_program(pipeline, false) && passes_run(RECIPE_COMPILE, pipeline->program->module, &how);
}

static bool make_plan(Pipeline *pipeline, const char *const *programs)
{
    if (pipeline->plan) return true;
    if (!pipeline_passes(pipeline)) return false;
    if (!pipeline->no_evaluation && !evaluation_add(pipeline->program, &pipeline->parts, &pipeline->n_parts))
        return false;
    if (pipeline->follows) evaluation_follow(pipeline->program, &pipeline->followed, &pipeline->n_followed);
    pipeline_ended(pipeline, "evaluation");
    ScheduleOptions only = {.programs = pipeline->options->dump_after ? NULL : programs};
    pipeline->plan = schedule(pipeline->context, pipeline->program->module, &only);
    pipeline_ended(pipeline, "schedule");
    if (!pipeline->plan) return false;
    Text text = {0};
    if (dump_wants(pipeline, "schedule")) plan_print(pipeline->plan, &text);
    if (dump_wants(pipeline, "codegen")) {
        CodegenOptions how = pipeline_codegen_options(pipeline, 2);
        codegen_print(pipeline->context, pipeline->plan, &how, CODEGEN_LLVM, &text);
    }
    print_and_free(&text);
    return true;
}

bool pipeline_plan(Pipeline *pipeline)
{
    return make_plan(pipeline, NULL);
}

CodegenOptions pipeline_codegen_options(const Pipeline *pipeline, int level)
{
    return (CodegenOptions){.cpu = pipeline->options->cpu, .level = level};
}

/* What the threads of the code generator took of its time; the rest are tables. */
static void split_codegen(Pipeline *pipeline)
{
    CodegenTimes times = jit_times(pipeline->jit);
    if (!pipeline->options->time_passes) return;
    times_split(&pipeline->times, "LLVM IR", times.build);
    times_split(&pipeline->times, "machine code", times.select);
    times_split(&pipeline->times, "load", times.load);
}

bool pipeline_model(Pipeline *pipeline, const char *const *programs)
{
    if (!make_plan(pipeline, programs)) return false;
    CodegenOptions how = pipeline_codegen_options(pipeline, 1);
    how.programs = programs;
    pipeline->jit = jit_compile(pipeline->context, pipeline->plan, &how);
    pipeline_ended(pipeline, "codegen");
    if (!pipeline->jit) return false;
    split_codegen(pipeline);
    nn_options options = NN_OPTIONS_INIT;
    nn_memory guard = nn_guard_memory();
    if (pipeline->options->guard) options.memory = &guard;
    if (nn_model_from_image(jit_image(pipeline->jit), &options, &pipeline->model))
        return pipeline_failed(pipeline, "opening the compiled model");
    return true;
}

uint64_t pipeline_seed(const Pipeline *pipeline)
{
    if (pipeline->options->seed >= 0) return (uint64_t)pipeline->options->seed;
    OptionalNumber seed = pipeline->program->train.seed;
    return seed.given ? (uint64_t)seed.value : 0;
}

/* A column that cannot be read says so again when nothing is read of it. */
static bool says(const SplitSource *source, uint32_t column, const char *message)
{
    char nothing;
    return !source->literal && nn_source_read_range(source->source->handle, column, 0, 0, &nothing) &&
           !strcmp(nn_message(), message);
}

/* Where the data are declared of which the message is; no place when it is of something else. */
static Span declared_at(const Pipeline *pipeline, const char *message)
{
    const Program *program = pipeline->program;
    for (uint32_t i = 0; program && i < program->n_splits; i++)
        for (uint32_t k = 0; k < program->splits[i].n_fields; k++) {
            const SplitField *field = &program->splits[i].fields[k];
            const SplitSource *source = &program->splits[i].sources[field->source];
            if (says(source, field->column, message)) return source->place;
        }
    return NO_SPAN;
}

bool pipeline_failed(Pipeline *pipeline, const char *doing)
{
    if (context_stopped(pipeline->context)) return false;
    Context *context = pipeline->context;
    DiagId id = failure_id();
    const char *message = arena_text(context->arena, nn_message(), strlen(nn_message()));
    Span declared = declared_at(pipeline, message);
    Diag *diag = diag_new(context->diagnostics, id, NO_SPAN, "%s: %s", doing, message);
    if (declared.end) diag_note(diag, declared, "these data are declared here");
    return false;
}

nn_params *pipeline_params(Pipeline *pipeline, unsigned load_flags)
{
    nn_params *params = NULL;
    const char *weights = pipeline->options->weights;
    if (nn_params_new(pipeline->model, pipeline->dims, pipeline->n_dims, pipeline_seed(pipeline), &params)) {
        pipeline_failed(pipeline, "making the parameters");
        return NULL;
    }
    pipeline_ended(pipeline, "parameters");
    if (weights && nn_params_load(params, weights, load_flags)) {
        pipeline_failed(pipeline, "reading the weights");
    } else if (arguments_apply_settings(pipeline->context, pipeline->options, params)) {
        return params;
    }
    nn_params_free(params);
    return NULL;
}

nn_pool *pipeline_pool(Pipeline *pipeline)
{
    nn_pool *pool = NULL;
    int64_t threads = pipeline->options->threads;
    if (nn_pool_new(threads > 0 ? (int)threads : 0, &pool)) pipeline_failed(pipeline, "starting the threads");
    return pool;
}
