#include "api/outputs.h"

#include <string.h>

#include "api/files.h"
#include "api/picture.h"
#include "core/new_file.h"
#include "nn.h"
#include "support/memory.h"

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

static void drop_file(void *file)
{
    nn_new_file_close(file, false);
}

/* `model.so` comes with `model.h` beside it: both or neither. The header waits under another name until the library is
 * there. */
static bool write_library(Context *context, const Module *module, const Plan *plan, const CodegenOptions *options,
                          const char *path)
{
    nn_new_file header;
    Text text = {0};
    const char *extension = strrchr(path, '.');
    const char *beside = arena_format(context->arena, "%.*s.h", (int)(extension - path), path);
    header_print(module, &text);
    bool opened = !nn_new_file_open(beside, &header);
    if (opened) {
        memory_on_failure(drop_file, &header);
        nn_new_file_write(&header, text_get(&text), text.count);
        nn_new_file_sync(&header);
    }
    text_free(&text);
    bool prepared = opened && !header.status;
    bool good = prepared && codegen_write(context, plan, options, CODEGEN_LIBRARY, path);
    if (opened) memory_settle(&header);
    bool written = opened && !nn_new_file_close(&header, good);
    if (!prepared || (good && !written))
        diag_new(context->diagnostics, DIAG_unwritable_file, NO_SPAN, "cannot write %s", nn_message());
    return good && written;
}

bool output_write(Context *context, const Output *output, const Module *module, const Plan *plan,
                  const CodegenOptions *options, const char *path)
{
    Text text = {0};
    switch (output->kind) {
    case WRITE_CODE:
        return output->code == CODEGEN_LIBRARY ? write_library(context, module, plan, options, path)
                                               : codegen_write(context, plan, options, output->code, path);
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
