#include "driver/dump.h"

#include <string.h>

/* Every step, in order: those around the passes, and the passes of a compilation. One that runs twice occurs twice.
 * NULL past the last. */
static const char *step_name(unsigned index)
{
    static const char *const before[] = {"parse", "elaborate"}, *const after[] = {"schedule", "codegen"};
    enum { BEFORE = sizeof before / sizeof *before, AFTER = sizeof after / sizeof *after };
    if (index < BEFORE) return before[index];
    unsigned n_passes = 0;
    while (recipe_pass(RECIPE_COMPILE, n_passes)) n_passes++;
    index -= BEFORE;
    if (index < n_passes) return recipe_pass(RECIPE_COMPILE, index);
    return index - n_passes < AFTER ? after[index - n_passes] : NULL;
}

/* The index of a step where it first occurs, or -1. */
static int find_step(const char *wanted)
{
    const char *name;
    for (unsigned i = 0; (name = step_name(i)); i++)
        if (!strcmp(name, wanted)) return (int)i;
    return -1;
}

bool dump_step_exists(Pipeline *pipeline)
{
    const char *wanted = pipeline->options->dump_after, *name;
    if (!wanted || find_step(wanted) >= 0) return true;
    Text names = {0};
    for (unsigned i = 0; (name = step_name(i)); i++)
        if (find_step(name) == (int)i) text_format(&names, "%s%s", i ? ", " : "", name);
    diag_hint(diag_new(pipeline->context->diagnostics, DIAG_unknown_step, NO_SPAN,
                       "--dump-after: no step is called `%s`", wanted),
              "the steps are %s", text_get(&names));
    text_free(&names);
    return false;
}

bool dump_wants(Pipeline *pipeline, const char *step)
{
    if (!pipeline->options->dump_after || strcmp(pipeline->options->dump_after, step)) return false;
    pipeline->dumped = true;
    return true;
}

void dump_module(Pipeline *pipeline, const char *step, const Module *module)
{
    if (!dump_wants(pipeline, step)) return;
    Text text = {0};
    module_print(module, &text);
    fputs(text_get(&text), stdout);
    text_free(&text);
}

void dump_warn_missed(Pipeline *pipeline)
{
    const char *wanted = pipeline->options->dump_after;
    if (!wanted || pipeline->dumped || diagnostics_errors(pipeline->context->diagnostics)) return;
    diag_new(pipeline->context->diagnostics, DIAG_missed_step, NO_SPAN,
             "--dump-after: `nnc %s` ends before it comes to the step `%s`", command_name(pipeline->options->command),
             wanted);
}
