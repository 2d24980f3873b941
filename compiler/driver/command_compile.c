/* nnc MODEL.nn -o OUT: the extension selects what is written. */
#include <stdio.h>
#include <stdlib.h>

#include "api/deploy.h"
#include "api/outputs.h"
#include "driver/commands.h"
#include "driver/pipeline.h"

/* `model.so: 401 KiB: x86-64-v4 32, x86-64-v3 28, x86-64-v2 31, weights 9, run time 301` */
static void report_sizes(const char *path, const CodegenSizes *sizes)
{
    enum { KIB = 1024 };
    size_t rest = sizes->file;
    printf("%s: %zu KiB:", path, (sizes->file + KIB / 2) / KIB);
    for (int i = 0; i < 3 && sizes->cpu[i]; i++) {
        printf(" %s %zu,", sizes->cpu[i], (sizes->code[i] + KIB / 2) / KIB);
        rest -= sizes->code[i] < rest ? sizes->code[i] : rest;
    }
    if (sizes->weights) printf(" weights %zu,", (sizes->weights + KIB / 2) / KIB);
    rest -= sizes->weights < rest ? sizes->weights : rest;
    printf(" run time %zu\n", (rest + KIB / 2) / KIB);
}

static bool write_output(Pipeline *pipeline, const char *path)
{
    const Options *options = pipeline->options;
    Context *context = pipeline->context;
    CodegenSizes sizes = {0};
    CodegenOptions how = pipeline_codegen_options(pipeline, 2);
    char *weights = NULL;
    const Output *output = output_find(context, "-o ", path);
    if (!output || !pipeline_program(pipeline, false)) return false;
    if (options->name && !deploy_rename(context, pipeline->program, options->name)) return false;
    if (options->inference) deploy_without_training(context, pipeline->program);
    if (!(output_needs_plan(output) ? pipeline_plan(pipeline) : pipeline_passes(pipeline))) return false;
    if (options->weights && output_needs_plan(output) &&
        !deploy_weights(context, pipeline->plan, pipeline->dims, pipeline->n_dims, options->weights, &weights,
                        &how.weights_size))
        return false;
    how.weights = weights;
    how.sizes = &sizes;
    bool good = output_write(context, output, pipeline->program->module, pipeline->plan, &how, path);
    pipeline_ended(pipeline, "codegen");
    if (good && sizes.file) report_sizes(path, &sizes);
    free(weights);
    return good;
}

int command_COMPILE(const Options *options)
{
    if (!options->output) return usage_error(options, "where to? -o OUT");
    Pipeline pipeline = pipeline_start(options);
    bool good = write_output(&pipeline, options->output);
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
