/* The prelude against PyTorch: for every case of golden/prelude a small model is elaborated, evaluated by the reference
 * interpreter and differentiated; values and gradients must agree in f64. make.py there writes the cases. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodiff/autodiff.h"
#include "elaborate/program.h"
#include "ir/eval.h"

TestSuite(prelude, .timeout = 120);

/* Both sides round each operation, and 1 - x near x = 1 has an error of one f64 unit whatever its size. */
static const double relative = 1e-12, absolute = 4e-16;

typedef struct {
    json_t *json; /* the case */
    const char *expression;
    Context *context;
    Program *program;
    Eval *eval;
} Case;

/* JSON has neither NaN nor infinities: they stand as texts. */
static double number(const json_t *value)
{
    if (!json_is_string(value)) return json_number_value(value);
    const char *text = json_string_value(value);
    return strcmp(text, "nan") == 0 ? NAN : strcmp(text, "inf") == 0 ? INFINITY : -INFINITY;
}

static bool close_enough(double found, double expected)
{
    if (isnan(expected)) return isnan(found);
    if (isinf(expected)) return found == expected;
    return fabs(found - expected) <= relative * fabs(expected) + absolute;
}

static void print_diagnostics(const Case *test)
{
    Text text = {0};
    diagnostics_print(test->context->diagnostics, &text);
    cr_expect(false, "`%s`:\n%s", test->expression, text_get(&text));
    text_free(&text);
}

static bool compile_case(Case *test)
{
    Text text = {0};
    text_string(&text, "model m {\n");
    const char *name;
    json_t *input;
    json_object_foreach(json_object_get(test->json, "inputs"), name, input)
        text_format(&text, "    input %s: %s\n", name, json_string_value(json_object_get(input, "type")));
    text_format(&text, "    output value = %s\n    loss = sum(value)\n}\n", test->expression);
    test->context = context_new();
    const Source *source = source_add(test->context->sources, "case.nn", text_get(&text), strlen(text_get(&text)));
    ProgramOptions options = {.f64 = true};
    test->program = program_compile(test->context, NULL, source, &options);
    text_free(&text);
    if (!test->program) print_diagnostics(test);
    return test->program != NULL;
}

static Node find_input(const Case *test, const char *name)
{
    const Module *module = test->program->module;
    for (uint32_t i = 0; i < module->n_inputs; i++)
        if (strcmp(graph_node(module->graph, module->inputs[i].node)->attr.name, name) == 0)
            return module->inputs[i].node;
    cr_assert(false, "`%s` has no input %s", test->expression, name);
    return NODE_NONE;
}

/* The dimension `n` is the first size of the inputs that have it. */
static void bind_inputs(Case *test)
{
    Name rows = intern(test->context->names, "n");
    const char *name;
    json_t *input;
    json_object_foreach(json_object_get(test->json, "inputs"), name,
                        input) if (strstr(json_string_value(json_object_get(input, "type")), "[n"))
        eval_bind_size(test->eval, rows, json_integer_value(json_array_get(json_object_get(input, "shape"), 0)));
    json_object_foreach(json_object_get(test->json, "inputs"), name, input)
    {
        json_t *values = json_object_get(input, "values");
        size_t count = json_array_size(values);
        double *data = calloc(count + 1, sizeof *data);
        for (size_t i = 0; i < count; i++) data[i] = number(json_array_get(values, i));
        cr_assert(eval_bind(test->eval, find_input(test, name), data, (int64_t)count), "`%s`: %s does not fit",
                  test->expression, name);
        free(data);
    }
}

static void expect_values(const Case *test, Node node, const char *what, const json_t *expected)
{
    const Tensor *found;
    if (!eval_run(test->eval, &node, 1, &found)) {
        cr_expect(false, "`%s`, %s: %s", test->expression, what, eval_message(test->eval));
        return;
    }
    cr_expect_eq((size_t)found->count, json_array_size(expected), "`%s`, %s: %lld values and not %zu", test->expression,
                 what, (long long)found->count, json_array_size(expected));
    for (size_t i = 0; i < json_array_size(expected) && i < (size_t)found->count; i++) {
        double right = number(json_array_get(expected, i));
        cr_expect(close_enough(found->data[i], right), "`%s`, %s [%zu]: %.17g and not %.17g", test->expression, what, i,
                  found->data[i], right);
    }
}

static void expect_gradients(Case *test, const RuleSet *partials, Node loss, const char *name, const json_t *expected)
{
    Graph *graph = test->program->module->graph;
    Node operands[] = {loss, find_input(test, name)};
    Node gradient = graph_make(graph, OP_GRADIENT, operands, 2, NULL, node_type(graph, operands[1]));
    if (!autodiff_eliminate(graph, partials, &gradient, 1)) {
        print_diagnostics(test);
        return;
    }
    char what[64];
    snprintf(what, sizeof what, "gradient by %s", name);
    expect_values(test, gradient, what, expected);
}

static void run_case(json_t *json)
{
    Case test = {.json = json, .expression = json_string_value(json_object_get(json, "model"))};
    if (compile_case(&test)) {
        Graph *graph = test.program->module->graph;
        EvalOptions options = {.f64 = true};
        test.eval = eval_new(graph, &options);
        bind_inputs(&test);
        const Function *inference = module_function(test.program->module, "inference");
        Result *value = function_result(inference, RESULT_OUTPUT, intern(test.context->names, "value"));
        cr_assert_not_null(value);
        expect_values(&test, value->value, "value", json_object_get(json, "value"));
        const RuleSet *partials = rules_load_builtin(test.context, "partials.nn");
        const char *name;
        json_t *expected;
        json_object_foreach(json_object_get(json, "gradients"), name, expected)
            expect_gradients(&test, partials, inference->loss, name, expected);
        eval_free(test.eval);
        graph_free(graph);
    }
    context_free(test.context);
}

static void run_file(const char *name)
{
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/golden/prelude/%s.json", TESTS_FOLDER, name);
    json_t *file = json_load_file(path, 0, &error);
    cr_assert_not_null(file, "%s:%d: %s", path, error.line, error.text);
    json_t *cases = json_object_get(file, "cases"), *json;
    size_t i;
    cr_assert_gt(json_array_size(cases), 0, "%s has no cases", path);
    json_array_foreach(cases, i, json) run_case(json);
    json_decref(file);
}

Test(prelude, activations)
{
    run_file("activations");
}

Test(prelude, losses)
{
    run_file("losses");
}

Test(prelude, functions)
{
    run_file("functions");
}

Test(prelude, schedules)
{
    run_file("schedules");
}

Test(prelude, metrics)
{
    run_file("metrics");
}
