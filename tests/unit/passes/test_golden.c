/* golden/passes/NAME.nng: a module whose first line says which passes to run (`# passes: fold simplify`). NAME.expected
 * holds the rules that were applied, then the module or the diagnostics. NNC_UPDATE_GOLDEN=1 writes what is missing or
 * differs. */
#include <string.h>

#include "../golden.h"
#include "passes/passes.h"

#define FILES TESTS_FOLDER "/golden/passes/*.nng"

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

ParameterizedTestParameters(golden, passes)
{
    return golden_numbers(FILES);
}

ParameterizedTest(size_t *number, golden, passes)
{
    golden_expect(FILES, *number, ".expected", run_passes);
}
