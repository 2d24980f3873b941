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

/* One operator beside one constant, on either side, for every special value. */
static void check_identity(Op op, DType dtype, double constant, bool left, bool negated)
{
    static const double specials[] = {0.0, -0.0, 1, -1, 2, 7, -3, INFINITY, -INFINITY, NAN, 0.1, -1e-40, 3e38};
    enum { SPECIALS = sizeof specials / sizeof *specials };
    double data[SPECIALS], before[SPECIALS];
    Context *context = context_new();
    Graph *graph = graph_new(context);
    Dim size = dim_constant(graph_dims(graph), SPECIALS);
    Type type = type_make(dtype, 1, &size);
    Node x = build_source(graph, OP_INPUT, intern(context->names, "x"), type),
         c = build_constant(graph, type, constant);
    Node operand = negated ? build_unary(graph, OP_NEG, x) : x;
    Result result = {.role = RESULT_OUTPUT, .name = intern(context->names, "y")};
    result.value = left ? build_binary(graph, op, c, operand) : build_binary(graph, op, operand, c);
    Function function = {.name = result.name, .results = &result, .n_results = 1};
    Module module = {.name = result.name, .graph = graph, .functions = &function, .n_functions = 1};
    const Tensor *tensor;
    Eval *eval = eval_new(graph, NULL);
    for (int i = 0; i < SPECIALS; i++)
        data[i] = dtype_is_float(dtype) ? dtype_round(dtype, specials[i])
                                        : (isfinite(specials[i]) ? (int)(fmod(specials[i], 50)) : 9);
    cr_assert(eval_bind(eval, x, data, SPECIALS));
    cr_assert(eval_run(eval, &result.value, 1, &tensor));
    memcpy(before, tensor->data, sizeof before);
    cr_assert(pass_run("fold", &module, NULL));
    cr_assert(eval_run(eval, &result.value, 1, &tensor));
    for (int i = 0; i < SPECIALS; i++)
        cr_expect(same_number(before[i], tensor->data[i]), "%s %g, x = %g: %g became %g", op_info(op)->spelling,
                  constant, data[i], before[i], tensor->data[i]);
    eval_free(eval);
    graph_free(graph);
    context_free(context);
}

Test(passes, folding_beside_constants_keeps_every_bit)
{
    static const double constants[] = {0.0, -0.0, 1, -1, 2, -2, 0.5, 3, 0x1p-140, INFINITY, NAN};
    static const Op floating[] = {OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_POW, OP_MAX, OP_MIN, OP_EQ, OP_NE, OP_LT, OP_LE};
    static const Op whole[] = {OP_ADD, OP_SUB, OP_MUL, OP_MAX, OP_MIN, OP_EQ, OP_NE, OP_LT, OP_LE};
    for (size_t k = 0; k < sizeof constants / sizeof *constants; k++)
        for (int form = 0; form < 4; form++) {
            for (size_t i = 0; i < sizeof floating / sizeof *floating; i++)
                check_identity(floating[i], DTYPE_F32, constants[k], form & 1, form & 2);
            for (size_t i = 0; i < sizeof whole / sizeof *whole && isfinite(constants[k]); i++)
                check_identity(whole[i], DTYPE_I32, trunc(constants[k]), form & 1, form & 2);
        }
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

Test(passes, they_can_be_stopped)
{
    const char *name;
    for (unsigned i = 0; (name = pass_name(i, NULL)); i++) {
        static const volatile sig_atomic_t stop = 1;
        Context *context = context_new();
        Module *module = random_module(context, 1, 3);
        context->stop = &stop;
        cr_expect_not(pass_run(name, module, NULL));
        cr_expect_eq(diagnostics_errors(context->diagnostics), 1);
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
