/* golden/schedule/NAME.nng: a module. NAME.nnk is its plan after all passes. NNC_UPDATE_GOLDEN=1 writes what is missing
 * or differs. */

#include "../golden.h"
#include "ir/module.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

#define FILES TESTS_FOLDER "/golden/schedule/*.nng"

ParameterizedTestParameters(golden, plans)
{
    return golden_numbers(FILES);
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

ParameterizedTest(size_t *number, golden, plans)
{
    golden_expect(FILES, *number, ".nnk", print_plan);
}
