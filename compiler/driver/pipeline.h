/* The pipe, one straight line of named steps:
 *
 *     text → syntax tree → typed program → rewritten and differentiated graph → plan of kernels → code → model
 *
 * A subcommand makes a Pipeline, runs as many steps as it needs, and finishes it. */
#ifndef NNC_DRIVER_PIPELINE_H
#define NNC_DRIVER_PIPELINE_H

#include "api/provider.h"
#include "codegen/codegen.h"
#include "driver/options.h"
#include "driver/times.h"
#include "elaborate/program.h"
#include "nn.h"
#include "passes/metrics.h"
#include "passes/passes.h"

typedef struct {
    Context *context;
    const Options *options;
    Provider *provider;
    Program *program;
    MetricPart *parts; /* what accumulates when a split is evaluated */
    size_t n_parts;
    MetricPart *followed; /* and while it is trained */
    size_t n_followed;
    Plan *plan;
    Jit *jit;
    nn_model *model;
    bool dumped;        /* --dump-after has printed */
    bool no_evaluation; /* the plan needs no "accumulate" and "finish" */
    bool follows;       /* the metrics of a training are shown while it runs */
    int64_t *dims;      /* per free dimension of the model what --bind says, or -1 */
    size_t n_dims;
    Times times; /* of --time-passes */
} Pipeline;

Pipeline pipeline_start(const Options *options);
/* Notes that a step has ended, for --time-passes. */
void pipeline_ended(Pipeline *pipeline, const char *step);
/* Reports the diagnostics and frees everything; returns EXIT_USER if there was an error, else `status`. */
int pipeline_finish(Pipeline *pipeline, int status);
/* Frees everything and says nothing. */
void pipeline_drop(Pipeline *pipeline);

/* Each step runs those before it that have not been run. False after diagnostics. */
bool pipeline_program(Pipeline *pipeline, bool f64);
/* The program of items that were read into the pipeline's context. */
bool pipeline_items(Pipeline *pipeline, const Items *items, bool f64);
/* How passes are run: `--explain` prints the rewrites, `--dump-after` the modules. */
PassOptions pipeline_explaining(Pipeline *pipeline);
bool pipeline_passes(Pipeline *pipeline);
/* Of all programs. */
bool pipeline_plan(Pipeline *pipeline);
/* The model, over native code in this process; `programs`, ended by NULL, are compiled now. Without a plan of all
 * programs these are its only ones. */
bool pipeline_model(Pipeline *pipeline, const char *const *programs);

CodegenOptions pipeline_codegen_options(const Pipeline *pipeline, int level);
/* Parameters drawn from the seed, then read from --weights if given; with --set applied. NULL after a diagnostic. */
nn_params *pipeline_params(Pipeline *pipeline, unsigned load_flags);
/* A pool of --threads. NULL after a diagnostic. */
nn_pool *pipeline_pool(Pipeline *pipeline);
/* --seed, else the train block's, else 0. */
uint64_t pipeline_seed(const Pipeline *pipeline);
/* The run time's message as a diagnostic. Always false. */
bool pipeline_failed(Pipeline *pipeline, const char *doing);

#endif
