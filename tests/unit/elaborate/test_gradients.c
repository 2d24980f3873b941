/* Derivatives inside of a model: by name, of any order, the user's own. */
#include <math.h>

#include "autodiff/autodiff.h"
#include "support.h"

TestSuite(gradients, .timeout = 60);

typedef struct {
    const char *text; /* x is [2, 3] as f32[n], s is 5 */
    double values[2];
} Row;

static const Row rows[] = {
    {"output y = grad(sum(x^3), x)", {12, 27}},
    {"g = grad(sum(x^3), x)\n output y = grad(sum(g), x)", {12, 18}},
    /* b equals a, but is another value */
    {"a = 2 * x\n b = 2 * x\n output y = grad(sum(a * b), a)", {4, 6}},
    {"a = x\n output y = grad(sum(a * x), a)", {2, 3}},
    {"a = 2 * x\n output y = grad(sum(a * a), a)", {8, 12}},
    {"a = 2 * x\n output y = grad(sum(a * a), x)", {16, 24}},
    /* both parameters are x */
    {"output y = slope(x, x)", {4, 6}},
    {"output y = slope(x, 1.0 * x)", {4, 6}},
    {"output y = grad(s, x)", {0, 0}},
    /* a name that is passed stays the name, through calls, pipelines, defaults and layers */
    {"output y = through(x^2, x)", {4, 6}},
    {"output y = through(by = x, s = x^2)", {4, 6}},
    {"output y = twice(x^2, x)", {4, 6}},
    {"output y = x |> behind(x^2)", {4, 6}},
    {"output y = x |> { behind(x^2) }", {4, 6}},
    {"output y = itself(x^2, x)", {4, 6}},
    {"output y = x |> sloped(x^2)", {4, 6}},
    {"h = 3 * x\n output y = through(h^2, h)", {12, 18}},
    {"h = 3 * x\n output y = twice(h^2, h)", {12, 18}},
    {"h = 3 * x\n k = 3 * x\n output y = through(h * k, h)", {6, 9}},
    {"h = 3 * x\n k = 3 * x\n output y = twice(h * k, by = h)", {6, 9}},
    {"h = 3 * x\n k = 3 * x\n output y = h |> behind(h * k)", {6, 9}},
    {"h[i] = 3 * x[i]\n k[i] = 3 * x[i]\n output y = grad(sum(h * k), h)", {6, 9}},
    {"g = through(x^3, x)\n output y = through(g, x)", {12, 18}},
    /* an expression is another value than what it was made of */
    {"output y = through(x^2, 1.0 * x)", {0, 0}},
    {"output y = through(x^2, through(x^2, x))", {0, 0}},
    {"output y = grad(sum(x * stop_gradient(x)), x)", {2, 3}},
    {"output y = grad(sum(own(x, 7)), x)", {100 + 2, 100 + 3}},
    {"output y = grad(sum(grad(s * sum(x^2), x)), x)", {10, 10}},
};

static const char items[] = "fn through(s, by) = grad(sum(s), by)\n"
                            "fn twice(s, by) = through(s, by)\n"
                            "fn behind(by, s) = through(s, by = by)\n"
                            "fn itself(s, x, by = x) = grad(sum(s), by)\n"
                            "layer sloped(x: [...], s: [...]) -> [...] { return twice(s, x) }\n"
                            "fn slope(u, v) = grad(sum(u * v), u)\n"
                            "fn own(u, k) = k * u\nderivative own(u, k) = dy * (100 + u), 0\n";

static void check_row(const Row *row)
{
    char text[800];
    snprintf(text, sizeof text, "%smodel m {\n input x: f32[n]\n input s: f32\n %s\n output z = s + sum(x)\n}\n", items,
             row->text);
    Compiled compiled = compile_with("test.nn", NULL, text, (ProgramOptions){0});
    const char *said = text_get(&compiled.diagnostics);
    bool zero = !row->values[0];
    cr_assert_not_null(compiled.program, "%s\n%s", row->text, said);
    cr_expect_eq(strstr(said, "[zero-derivative]") != NULL, zero, "%s\n%s", row->text, said);
    Module *module = compiled.program->module;
    Function *function = module_function(module, "inference");
    Node y = function_result(function, RESULT_OUTPUT, intern(compiled.context->names, "y"))->value;
    const RuleSet *rules = rules_load_builtin(compiled.context, "partials.nn");
    cr_assert_not_null(rules);
    autodiff_eliminate(module->graph, rules, &y, 1);
    Eval *eval = eval_new(module->graph, &(EvalOptions){.smooth = true});
    eval_bind_size(eval, intern(compiled.context->names, "n"), 2);
    for (uint32_t i = 0; i < module->n_inputs; i++)
        cr_assert(eval_bind(eval, module->inputs[i].node, i ? (double[]){5} : (double[]){2, 3}, i ? 1 : 2));
    const Tensor *tensor;
    cr_assert(eval_run(eval, &y, 1, &tensor), "%s: %s", row->text, eval_message(eval));
    for (int i = 0; i < 2; i++) cr_expect_float_eq(tensor->data[i], row->values[i], 1e-9, "%s", row->text);
    eval_free(eval);
    compiled_free(&compiled);
}

Test(gradients, by_name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_row(&rows[i]);
}
