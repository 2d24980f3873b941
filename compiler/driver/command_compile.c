/* nnc MODEL.nn -o OUT: the extension selects what is written. */
#include "driver/commands.h"

#include <stdlib.h>
#include <string.h>

#include "driver/output.h"
#include "driver/pipeline.h"
#include "driver/picture.h"

typedef enum { WRITE_CODE, WRITE_GRAPH, WRITE_KERNELS, WRITE_PICTURE } OutputKind;

static const struct {
    const char *extension;
    OutputKind kind;
    CodegenOutput code;
} outputs[] = {
    {".so", WRITE_CODE, CODEGEN_LIBRARY}, {".o", WRITE_CODE, CODEGEN_OBJECT},   {".h", WRITE_CODE, CODEGEN_HEADER},
    {".a", WRITE_CODE, CODEGEN_ARCHIVE},
    {".ll", WRITE_CODE, CODEGEN_LLVM},    {".s", WRITE_CODE, CODEGEN_ASSEMBLY}, {".nng", WRITE_GRAPH, 0},
    {".nnk", WRITE_KERNELS, 0},           {".dot", WRITE_PICTURE, 0},
};

enum { N_OUTPUTS = sizeof outputs / sizeof *outputs };

static int find_output(Pipeline *pipeline, const char *path)
{
    const char *name = strrchr(path, '/'), *extension = strrchr(name ? name : path, '.');
    for (int i = 0; i < N_OUTPUTS; i++)
        if (extension && !strcmp(extension, outputs[i].extension)) return i;
    Text known = {0};
    for (int i = 0; i < N_OUTPUTS; i++) text_format(&known, "%s%s", i ? " " : "", outputs[i].extension);
    diag_new(pipeline->context->diagnostics, DIAG_bad_option, NO_SPAN,
             "-o %s: the extension says what to write: one of %s", path, text_get(&known));
    text_free(&known);
    return -1;
}

static bool write_text(Pipeline *pipeline, const char *path, Text *text)
{
    bool good = write_file(pipeline->context, path, text_get(text), text->count);
    text_free(text);
    return good;
}

/* `model.so` comes with `model.h` beside it. */
static bool write_header_beside(Pipeline *pipeline, const char *path)
{
    Text text = {0};
    header_print(pipeline->program->module, &text);
    const char *extension = strrchr(path, '.');
    return write_text(pipeline, arena_format(pipeline->context->arena, "%.*s.h", (int)(extension - path), path), &text);
}

static bool write_output(Pipeline *pipeline, int output, const char *path)
{
    Text text = {0};
    CodegenOptions how = pipeline_codegen_options(pipeline, 2);
    switch (outputs[output].kind) {
    case WRITE_CODE:
        if (!pipeline_plan(pipeline) ||
            !codegen_write(pipeline->context, pipeline->plan, &how, outputs[output].code, path))
            return false;
        return outputs[output].code != CODEGEN_LIBRARY || write_header_beside(pipeline, path);
    case WRITE_GRAPH:
        if (!pipeline_passes(pipeline)) return false;
        module_print(pipeline->program->module, &text);
        return write_text(pipeline, path, &text);
    case WRITE_KERNELS:
        if (!pipeline_plan(pipeline)) return false;
        plan_print(pipeline->plan, &text);
        return write_text(pipeline, path, &text);
    case WRITE_PICTURE:
        if (!pipeline_passes(pipeline)) return false;
        picture_print(pipeline->program->module, &text);
        return write_text(pipeline, path, &text);
    }
    return false;
}

int command_COMPILE(const Options *options)
{
    if (!options->output) return usage_error(options, "where to? -o OUT");
    Pipeline pipeline = pipeline_start(options);
    int output = find_output(&pipeline, options->output);
    bool good = output >= 0 && write_output(&pipeline, output, options->output);
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
