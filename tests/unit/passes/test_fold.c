/* Passes keep values: random modules before and after, element by element. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../ir/random_module.h"
#include "ir/eval.h"
#include "passes/passes.h"

enum { BATCH = 4 };

/* The same numbers for the same name, in whatever order sources are met. */
static void bind_sources(Eval *eval, const Module *module)
{
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo info = *graph_node(module->graph, nodes[i]);
        if (info.op != OP_INPUT && info.op != OP_PARAM && info.op != OP_STATE && info.op != OP_SETTING) continue;
        int64_t dims[MAX_RANK], size;
        cr_assert(eval_sizes(eval, &info.type, dims, &size));
        double *data = malloc((size_t)size * sizeof *data);
        uint64_t random = hash_bytes(HASH_START, info.attr.name, strlen(info.attr.name)) | 1;
        for (int64_t k = 0; k < size; k++) {
            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            data[k] = dtype_round(info.type.dtype, (double)(random >> 40) / 4e6 - 2);
            if (random >> 33 & 1 && k % 11 == 0) data[k] = k % 2 ? -0.0 : INFINITY;
        }
        cr_assert(eval_bind(eval, nodes[i], data, size));
        free(data);
    }
    free(nodes);
}

static bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

/* Evaluates every result; the caller frees them. */
static double *evaluate(Module *module, int64_t *count)
{
    const Function *function = module->functions;
    Node values[8];
    const Tensor *tensors[8];
    Eval *eval = eval_new(module->graph, &(EvalOptions){.seed = 7, .step = 1});
    eval_bind_size(eval, intern(graph_context(module->graph)->names, "batch"), BATCH);
    bind_sources(eval, module);
    for (uint32_t i = 0; i < function->n_results; i++) values[i] = function->results[i].value;
    cr_assert(eval_run(eval, values, function->n_results, tensors), "%s", eval_message(eval));
    *count = 0;
    for (uint32_t i = 0; i < function->n_results; i++) *count += tensors[i]->count;
    double *all = malloc((size_t)*count * sizeof *all), *at = all;
    for (uint32_t i = 0; i < function->n_results; at += tensors[i++]->count)
        memcpy(at, tensors[i]->data, (size_t)tensors[i]->count * sizeof *all);
    eval_free(eval);
    return all;
}

static void check_values_kept(const char *const *passes, int n_passes, int operations)
{
    int changed = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        Context *context = context_new();
        Module *module = random_module(context, seed, operations);
        int64_t count, again;
        double *before = evaluate(module, &count);
        uint32_t n_before, n_after;
        free(module_nodes(module, &n_before));
        for (int i = 0; i < n_passes; i++) cr_assert(pass_run(passes[i], module, NULL));
        cr_assert_null(module_verify(module));
        free(module_nodes(module, &n_after));
        changed += n_before != n_after;
        double *after = evaluate(module, &again);
        cr_assert_eq(count, again);
        for (int64_t k = 0; k < count; k++)
            cr_assert(same_number(before[k], after[k]), "seed %d, element %d: %.17g became %.17g", (int)seed, (int)k,
                      before[k], after[k]);
        free(before);
        free(after);
        graph_free(module->graph);
        context_free(context);
    }
    cr_assert_gt(changed, 10, "the test must fold something");
}

Test(passes, fold_keeps_every_bit)
{
    check_values_kept((const char *const[]){"fold"}, 1, 60);
}

Test(passes, dead_keeps_results)
{
    check_values_kept((const char *const[]){"fold", "dead"}, 2, 20);
}

Test(passes, folding_again_changes_nothing)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        Context *context = context_new();
        Module *module = random_module(context, seed, 60);
        Text first = {0}, second = {0};
        cr_assert(pass_run("fold", module, NULL));
        module_print(module, &first);
        cr_assert(pass_run("fold", module, NULL));
        module_print(module, &second);
        cr_assert_str_eq(text_get(&first), text_get(&second));
        text_free(&first);
        text_free(&second);
        graph_free(module->graph);
        context_free(context);
    }
}

Test(passes, unknown_and_misplaced_passes_are_refused)
{
    Context *context = context_new();
    Module *module = random_module(context, 1, 3);
    Text report = {0};
    cr_assert_not(pass_run("simplfy", module, NULL));
    Function *function = module->functions;
    function->results[0].value = build_stop_gradient(module->graph, function->results[0].value);
    cr_assert_not(pass_run("expand", module, NULL));
    diagnostics_print(context->diagnostics, &report);
    cr_assert_not_null(strstr(text_get(&report), "did you mean `simplify`?"));
    cr_assert_not_null(strstr(text_get(&report), "run `differentiate` before"));
    text_free(&report);
    graph_free(module->graph);
    context_free(context);
}
