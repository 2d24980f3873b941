/* Splitting metrics: batch by batch and finished equals the whole split at once, whatever the batches. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/eval.h"
#include "passes/metrics.h"
#include "passes/passes.h"

enum { ROWS = 11, MAX_VALUES = 64 };

static const char text[] = "module \"m\"\n"
                           "dims batch, time\n"
                           "%1 = input name=\"x\" : f64[batch, 3]\n"
                           "%2 = target name=\"label\" : i32[batch] in 3\n"
                           "%3 = size sizes=[batch] : i64\n"
                           "%4 = cast(%3) : f64\n"
                           "%5 = mul(%1, %1) : f64[batch, 3]\n"
                           "%6 = sum(%5) ints=[0, 1] : f64\n"
                           "%7 = div(%6, %4) : f64\n"
                           "%8 = sqrt(%7) : f64\n"
                           "%9 = reduce_max(%1) ints=[0] : f64[3]\n"
                           "%10 = reduce_min(%1) ints=[0] : f64[3]\n"
                           "%11 = sub(%9, %10) : f64[3]\n"
                           "%12 = sum(%11) ints=[0] : f64\n"
                           "%13 = contract(%1, %1) ints=[0, 1, 0, 2, 1, 2] : f64[3, 3]\n"
                           "%14 = sum(%13) ints=[0, 1] : f64\n"
                           "%15 = argmax(%1) ints=[1] : i32[batch] in 3\n"
                           "%16 = eq(%15, %2) : bool[batch]\n"
                           "%17 = cast(%16) : f64[batch]\n"
                           "%18 = sum(%17) ints=[0] : f64\n"
                           "%19 = div(%18, %4) : f64\n"
                           "%20 = all(%16) ints=[0] : bool\n"
                           "%21 = any(%16) ints=[0] : bool\n"
                           "%22 = const number=1 : f64[batch]\n"
                           "%23 = scatter_add(%2, %22) ints=[0, 0] : f64[3]\n"
                           "%24 = reduce_max(%23) ints=[0] : f64\n"
                           "%25 = reshape(%1) : f64[3*batch]\n"
                           "%26 = abs(%25) : f64[3*batch]\n"
                           "%27 = prod(%26) ints=[0] : f64\n"
                           "%28 = log_softmax(%1) integer=1 : f64[batch, 3]\n"
                           "%29 = gather(%28, %2) ints=[1, 1] : f64[batch]\n"
                           "%30 = sum(%29) ints=[0] : f64\n"
                           "%31 = div(%30, %4) : f64\n"
                           "%32 = sum(%1) ints=[0] : f64[3]\n"
                           "%33 = broadcast(%4) ints=[] : f64[3]\n"
                           "%34 = div(%32, %33) : f64[3]\n"
                           "%35 = mul(%34, %34) : f64[3]\n"
                           "%36 = sum(%35) ints=[0] : f64\n"
                           "%37 = sub(%7, %36) : f64\n"
                           "declare input %1\n"
                           "declare input %2\n"
                           "function \"evaluation\" {\n"
                           "    total %31\n"
                           "    loss \"loss\" = %31\n"
                           "    metric \"rms\" = %8\n"
                           "    metric \"spread\" = %12\n"
                           "    metric \"gram\" = %14\n"
                           "    metric \"accuracy\" = %19\n"
                           "    metric \"all\" = %20\n"
                           "    metric \"any\" = %21\n"
                           "    metric \"commonest\" = %24\n"
                           "    metric \"product\" = %27\n"
                           "    metric \"variance\" = %37\n"
                           "}\n";

static double combine(Combine how, double a, double b)
{
    switch (how) {
    case COMBINE_SUM:
        return a + b;
    case COMBINE_PRODUCT:
        return a * b;
    case COMBINE_MAX:
        return fmax(a, b);
    case COMBINE_MIN:
        return fmin(a, b);
    case COMBINE_ANY:
        return a != 0 || b != 0;
    case COMBINE_ALL:
        return a != 0 && b != 0;
    }
    return NAN;
}

typedef struct {
    Context *context;
    Module *module;
    double x[ROWS * 3], label[ROWS];
} World;

static World world_new(void)
{
    World w = {.context = context_new()};
    w.module = module_read(w.context, source_add(w.context->sources, "m.nng", text, strlen(text)));
    if (!w.module) {
        Text report = {0};
        diagnostics_print(w.context->diagnostics, &report);
        cr_assert_fail("%s", text_get(&report));
    }
    for (int i = 0; i < ROWS * 3; i++) w.x[i] = sin(3.7 * i * i + 1) * 2;
    for (int i = 0; i < ROWS; i++) w.label[i] = (i * i) % 3;
    return w;
}

static Eval *eval_rows(World *w, int64_t first, int64_t count, bool bind)
{
    Eval *eval = eval_new(w->module->graph, NULL);
    eval_bind_size(eval, intern(w->context->names, "batch"), count);
    if (!bind) return eval;
    cr_assert(eval_bind(eval, w->module->inputs[0].node, w->x + 3 * first, 3 * count));
    cr_assert(eval_bind(eval, w->module->inputs[1].node, w->label + first, count));
    return eval;
}

static void run_function(Eval *eval, const Function *function, const Tensor **results)
{
    Node values[MAX_VALUES];
    for (uint32_t i = 0; i < function->n_results; i++) values[i] = function->results[i].value;
    cr_assert(eval_run(eval, values, function->n_results, results), "%s", eval_message(eval));
}

static void accumulate(World *w, const MetricSplit *split, int batch, double (*totals)[MAX_VALUES])
{
    for (int64_t first = 0; first < ROWS; first += batch) {
        const Tensor *partials[MAX_VALUES];
        Eval *eval = eval_rows(w, first, first + batch > ROWS ? ROWS - first : batch, true);
        run_function(eval, &split->accumulate, partials);
        for (uint32_t p = 0; p < split->n_parts; p++)
            for (int64_t k = 0; k < partials[p]->count; k++) {
                double value = partials[p]->data[k];
                totals[p][k] = first ? combine(split->parts[p].combine, totals[p][k], value) : value;
            }
        eval_free(eval);
    }
}

Test(metrics, batches_put_together_equal_the_whole)
{
    World w = world_new();
    const Function *evaluation = module_function(w.module, "evaluation");
    MetricSplit split;
    cr_assert(metrics_split(w.module, evaluation, intern(w.context->names, "batch"), &split));
    cr_assert_eq(split.finish.n_results, evaluation->n_results);
    const Tensor *whole[MAX_VALUES], *finished[MAX_VALUES];
    Eval *once = eval_rows(&w, 0, ROWS, true);
    run_function(once, evaluation, whole);
    for (int batch = 1; batch <= ROWS; batch++) {
        double totals[MAX_VALUES][MAX_VALUES];
        accumulate(&w, &split, batch, totals);
        Eval *end = eval_rows(&w, 0, ROWS, false); /* no rows are bound: nothing may read them */
        for (uint32_t p = 0; p < split.n_parts; p++) {
            int64_t dims[MAX_RANK], count;
            cr_assert(eval_sizes(end, node_type(w.module->graph, split.parts[p].total), dims, &count));
            cr_assert(eval_bind(end, split.parts[p].total, totals[p], count));
        }
        run_function(end, &split.finish, finished);
        for (uint32_t i = 0; i < evaluation->n_results; i++)
            cr_expect_float_eq(finished[i]->data[0], whole[i]->data[0], 1e-12 * (1 + fabs(whole[i]->data[0])),
                               "%s in batches of %d: %g, not %g", evaluation->results[i].name, batch,
                               finished[i]->data[0], whole[i]->data[0]);
        eval_free(end);
    }
    eval_free(once);
    graph_free(w.module->graph);
    context_free(w.context);
}

Test(metrics, the_split_is_a_valid_module)
{
    World w = world_new();
    cr_assert(pass_run("metrics", w.module, NULL));
    cr_assert_null(module_verify(w.module));
    cr_assert_not_null(module_function(w.module, "accumulate"));
    const Function *finish = module_function(w.module, "finish");
    cr_assert_not_null(finish);
    cr_assert_not_null(function_result(finish, RESULT_METRIC, intern(w.context->names, "accuracy")));
    graph_free(w.module->graph);
    context_free(w.context);
}
