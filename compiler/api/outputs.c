#include "api/outputs.h"

#include <string.h>

#include "api/files.h"
#include "api/picture.h"

struct Output {
    const char *extension;
    enum { WRITE_CODE, WRITE_GRAPH, WRITE_KERNELS, WRITE_PICTURE } kind;
    CodegenOutput code;
};

static const Output outputs[] = {
    {".so", WRITE_CODE, CODEGEN_LIBRARY},
    {".o", WRITE_CODE, CODEGEN_OBJECT},
    {".a", WRITE_CODE, CODEGEN_ARCHIVE},
    {".h", WRITE_CODE, CODEGEN_HEADER},
    {".ll", WRITE_CODE, CODEGEN_LLVM},
    {".s", WRITE_CODE, CODEGEN_ASSEMBLY},
    {".nng", WRITE_GRAPH, 0},
    {".nnk", WRITE_KERNELS, 0},
    {".dot", WRITE_PICTURE, 0},
};

enum { N_OUTPUTS = sizeof outputs / sizeof *outputs };

const Output *output_find(Context *context, const char *option, const char *path)
{
    const char *name = strrchr(path, '/'), *extension = strrchr(name ? name : path, '.');
    for (int i = 0; i < N_OUTPUTS; i++)
        if (extension && !strcmp(extension, outputs[i].extension)) return &outputs[i];
    Text known = {0};
    for (int i = 0; i < N_OUTPUTS; i++) text_format(&known, "%s%s", i ? " " : "", outputs[i].extension);
    diag_new(context->diagnostics, DIAG_bad_extension, NO_SPAN, "%s%s: the extension says what to write: one of %s",
             option, path, text_get(&known));
    text_free(&known);
    return NULL;
}

bool output_needs_plan(const Output *output)
{
    return output->kind == WRITE_CODE || output->kind == WRITE_KERNELS;
}

static bool write_text(Context *context, const char *path, Text *text)
{
    bool good = write_file(context, path, text_get(text), text->count);
    text_free(text);
    return good;
}

/* `model.so` comes with `model.h` beside it. */
static bool write_header_beside(Context *context, const Module *module, const char *path)
{
    Text text = {0};
    header_print(module, &text);
    const char *extension = strrchr(path, '.');
    return write_text(context, arena_format(context->arena, "%.*s.h", (int)(extension - path), path), &text);
}

bool output_write(Context *context, const Output *output, const Module *module, const Plan *plan,
                  const CodegenOptions *options, const char *path)
{
    Text text = {0};
    switch (output->kind) {
    case WRITE_CODE:
        if (!codegen_write(context, plan, options, output->code, path)) return false;
        return output->code != CODEGEN_LIBRARY || write_header_beside(context, module, path);
    case WRITE_GRAPH:
        module_print(module, &text);
        break;
    case WRITE_KERNELS:
        plan_print(plan, &text);
        break;
    case WRITE_PICTURE:
        picture_print(module, &text);
        break;
    }
    return write_text(context, path, &text);
}
