/* The front end: a text is a program or gives an error, and every diagnostic has a place. What is accepted is a valid
 * graph, before the passes and after them. */
#include "elaborate/program.h"
#include "fuzz.h"
#include "passes/passes.h"
#include "rules/rules.h"

static void expect_place(void *data, const DiagView *view)
{
    LAW(view->at.end, "%s without a place: %s", diag_id_name(view->id), view->message);
    (void)data;
}

static void expect_valid(const Module *module)
{
    const char *wrong = module_verify(module);
    LAW(!wrong, "%s", wrong);
}

/* The prelude and the rules are no input: they are read once. */
static const Context *library(void)
{
    static Context *context;
    if (context) return context;
    context = context_new();
    items_prelude(context);
    LAW(rules_load_builtin(context, "numeric.nn") && rules_load_builtin(context, "partials.nn"), "no rules");
    return context;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Context *context = context_new_on(library());
    ProgramOptions options = {0};
    const Source *source = source_add(context->sources, "input.nn", (const char *)bytes, size);
    Program *program = program_compile(context, NULL, source, &options);
    LAW(!program == (diagnostics_errors(context->diagnostics) > 0), "a program and an error, or neither");
    if (program) {
        expect_valid(program->module);
        if (passes_run(RECIPE_COMPILE, program->module, NULL))
            expect_valid(program->module);
        else
            LAW(diagnostics_errors(context->diagnostics), "a pass fails without an error");
    }
    Text shown = {0};
    diagnostics_visit(context->diagnostics, expect_place, NULL);
    diagnostics_print(context->diagnostics, &shown);
    text_free(&shown);
    if (program) graph_free(program->module->graph);
    context_free(context);
    return 0;
}
