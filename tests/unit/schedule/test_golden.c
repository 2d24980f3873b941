/* golden/schedule/NAME.nng: a module. NAME.nnk is its plan after all passes. NNC_UPDATE_GOLDEN=1 writes what is missing
 * or differs. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/module.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

#define FOLDER TESTS_FOLDER "/golden/schedule/"

static glob_t files(void)
{
    glob_t found;
    cr_assert_eq(glob(FOLDER "*.nng", 0, NULL, &found), 0, "no files in " FOLDER);
    return found;
}

ParameterizedTestParameters(golden, plans)
{
    static size_t indices[256];
    glob_t found = files();
    size_t count = found.gl_pathc < 256 ? found.gl_pathc : 256;
    for (size_t i = 0; i < count; i++) indices[i] = i;
    globfree(&found);
    return cr_make_param_array(size_t, indices, count);
}

static void print_plan(Context *context, const Source *source, Text *out)
{
    Module *module = module_read(context, source);
    if (module && passes_run(RECIPE_COMPILE, module, NULL)) {
        Plan *plan = schedule(context, module, &(ScheduleOptions){0});
        const char *wrong = plan_verify(context, plan);
        cr_assert(!wrong, "%s", wrong);
        plan_print(plan, out);
    }
    diagnostics_print(context->diagnostics, out);
    if (module) graph_free(module->graph);
}

ParameterizedTest(size_t *index, golden, plans)
{
    glob_t found = files();
    const char *path = found.gl_pathv[*index];
    char expected_path[512];
    snprintf(expected_path, sizeof expected_path, "%.*sk", (int)(strlen(path) - 1), path);
    size_t size;
    char *text = read_file(path, &size), *expected = read_file(expected_path, &size);
    Context *context = context_new();
    Text out = {0};
    print_plan(context, source_add(context->sources, strrchr(path, '/') + 1, text, strlen(text)), &out);
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
