/* golden/passes/NAME.nng: a module whose first line says which passes to run (`# passes: fold simplify`). NAME.expected
 * holds the rules that were applied, then the module or the diagnostics. NNC_UPDATE_GOLDEN=1 writes what is missing or
 * differs. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passes/passes.h"
#include "support/context.h"

#define FOLDER TESTS_FOLDER "/golden/passes/"

static void note_rule(void *data, const Module *module, const Rewrite *rewrite)
{
    Place place = {0};
    const Context *context = graph_context(module->graph);
    source_place(context->sources, rewrite->place.start, &place);
    text_format(data, "# line %d: %s\n", place.line, rewrite->rule);
}

static void run_passes(Context *context, const Source *source, Text *out)
{
    PassOptions options = {.explain = note_rule, .data = out};
    Module *module = module_read(context, source);
    bool good = module != NULL;
    const char *at = strstr(source->text, "# passes:");
    cr_assert_not_null(at, "%s does not name its passes", source->name);
    at += strlen("# passes:");
    while (good && *at == ' ') {
        char name[32];
        size_t length = strcspn(++at, " \n");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        good = strcmp(name, "all") ? pass_run(name, module, &options) : passes_run(RECIPE_COMPILE, module, &options);
        at += length;
    }
    if (good) module_print(module, out);
    diagnostics_print(context->diagnostics, out);
    if (module) graph_free(module->graph);
}

static glob_t files(void)
{
    glob_t found;
    cr_assert_eq(glob(FOLDER "*.nng", 0, NULL, &found), 0, "no files in " FOLDER);
    return found;
}

ParameterizedTestParameters(golden, passes)
{
    static size_t indices[256];
    glob_t found = files();
    size_t count = found.gl_pathc < 256 ? found.gl_pathc : 256;
    for (size_t i = 0; i < count; i++) indices[i] = i;
    globfree(&found);
    return cr_make_param_array(size_t, indices, count);
}

ParameterizedTest(size_t *index, golden, passes)
{
    glob_t found = files();
    const char *path = found.gl_pathv[*index];
    char expected_path[512];
    snprintf(expected_path, sizeof expected_path, "%.*s.expected", (int)(strlen(path) - 4), path);
    size_t size;
    char *text = read_file(path, &size), *expected = read_file(expected_path, &size);
    Context *context = context_new();
    Text out = {0};
    run_passes(context, source_add(context->sources, strrchr(path, '/') + 1, text, strlen(text)), &out);
    if (getenv("NNC_UPDATE_GOLDEN") && (!expected || strcmp(expected, text_get(&out)))) {
        FILE *file = fopen(expected_path, "w");
        cr_assert(file && fputs(text_get(&out), file) >= 0 && fclose(file) == 0);
    } else {
        cr_assert_not_null(expected, "%s is missing", expected_path);
        cr_assert_str_eq(text_get(&out), expected, "%s:\n%s", path, text_get(&out));
    }
    free(text);
    free(expected);
    text_free(&out);
    context_free(context);
    globfree(&found);
}
