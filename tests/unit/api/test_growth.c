/* The time from a text to the tables of its image grows with what it declares: all but the machine code, which takes
 * what its kernels take. */
#include "../growth.h"
#include "codegen/image.h"
#include "elaborate/program.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

TestSuite(growth, .timeout = 300);

#define MODEL "model m {\n input x: f32[batch, 4]\n param w: f32[4] = 0\n"
#define LOSS " loss = sum(x * w)\n"
#define TRAIN "}\ntrain m { optimizer = adam(lr = 0.1); batch = 4; steps = 1 }\n"

static const Family families[] = {
    {"inputs", MODEL " s = x\n", " input x%: f32[batch, 4]\n s = s + x%\n", " loss = sum(s * w)\n" TRAIN, 4000},
    {"sizes", MODEL " s = 0\n", " input x%: f32[b%, 4]\n s = s + sum(x% * w)\n", " loss = s\n" TRAIN, 2000},
    {"outputs", MODEL LOSS, " output y% = x * w + %\n", TRAIN, 4000},
    {"sums", MODEL LOSS, " output y% = sum(x * w, axis = 0) + %\n", TRAIN, 4000},
    {"losses", MODEL, " loss l% = sum(x * w) + %\n", TRAIN, 4000},
    {"metrics", MODEL LOSS, " metric l% = sum(x * w) + %\n", TRAIN, 4000},
    {"parameters", MODEL " s = x\n", " param w%: f32[4] = 0\n s = s + w%\n", " loss = sum(s * w)\n" TRAIN, 2000},
    {"states", MODEL LOSS, " state s%: f32[4] = 0\n s% := s% + 1\n", TRAIN, 4000},
    {"layers", MODEL " h = x\n", " h = h |> dense(4) |> tanh\n", " loss = sum(h)\n" TRAIN, 1000},
    {"widths", MODEL " h = x\n", " h = h |> dense(1%) |> tanh\n", " loss = sum(h)\n" TRAIN, 1000},
    {"blocks", MODEL " h = x\n", " h = h + (h |> layer_norm |> dense(4))\n", " loss = sum(h)\n" TRAIN, 1000},
    {"heads", MODEL LOSS, " output h% = x |> dense(4)\n", TRAIN, 1000},
    {"gradients", MODEL LOSS, " output g% = grad(sum(x * w) * %, w)\n", TRAIN, 2000},
};

static double time_text(const Text *text)
{
    double before = growth_seconds();
    Context *context = context_new();
    context->budget = UINT64_MAX;
    const Source *source = source_add(context->sources, "growth.nn", text_get(text), text->count);
    Program *program = program_compile(context, NULL, source, &(ProgramOptions){0});
    cr_assert(program && passes_run(RECIPE_COMPILE, program->module, NULL));
    Plan *plan = schedule(context, program->module, NULL);
    cr_assert(plan);
    const ImageTables *tables = image_build(context, plan, CPU_NATIVE);
    cr_expect_eq(tables->image.n_programs, plan->n_programs);
    graph_free(program->module->graph);
    context_free(context);
    return growth_seconds() - before;
}

Test(growth, compiling_is_linear)
{
    growth_keep_memory();
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        growth_expect_linear(&families[i], growth_text, time_text);
}
