/* Every whole file in the documentation is accepted by the check; what has a model is elaborated too. */
#include "check/items.h"
#include "elaborate/program.h"
#include "tests/unit/grammar/docs.h"

TestSuite(docs, .timeout = 60);

static bool has_model(const char *text)
{
    return !strncmp(text, "model ", 6) || strstr(text, "\nmodel ");
}

static void check_example(const Example *example)
{
    if (example->fragment) return;
    Context *context = context_new();
    const Source *source = source_add(context->sources, example->name, example->text, example->size);
    ProgramOptions options = {0};
    bool model = has_model(example->text);
    Program *program = model ? program_compile(context, NULL, source, &options) : NULL;
    bool good = model ? program != NULL : items_load(context, NULL, source) != NULL;
    Text text = {0};
    diagnostics_print(context->diagnostics, &text);
    cr_expect(good, "%s is refused:\n%s", example->name, text_get(&text));
    text_free(&text);
    if (program) graph_free(program->module->graph);
    context_free(context);
}

Test(docs, every_example_is_accepted)
{
    cr_expect_gt(examples_visit(check_example), 10);
}
