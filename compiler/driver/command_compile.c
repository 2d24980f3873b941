/* nnc MODEL.nn -o OUT: the extension selects what is written. */
#include "api/outputs.h"
#include "driver/commands.h"
#include "driver/pipeline.h"

static bool write_output(Pipeline *pipeline, const char *path)
{
    const Output *output = output_find(pipeline->context, "-o ", path);
    if (!output || !(output_needs_plan(output) ? pipeline_plan(pipeline) : pipeline_passes(pipeline))) return false;
    CodegenOptions how = pipeline_codegen_options(pipeline, 2);
    return output_write(pipeline->context, output, pipeline->program->module, pipeline->plan, &how, path);
}

int command_COMPILE(const Options *options)
{
    if (!options->output) return usage_error(options, "where to? -o OUT");
    Pipeline pipeline = pipeline_start(options);
    bool good = write_output(&pipeline, options->output);
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
