/* A reduction of a compile-time list means what the reduction of a tensor of its numbers means: every reducer over
 * every kind of list, beside the same text over a tensor. n is 2 and k is 5, both free. */
#include <math.h>

#include "support.h"

TestSuite(lists, .timeout = 120);

static const char *const reducers[] = {"sum", "mean",      "prod",     "max",    "min",   "any",
                                       "all", "logsumexp", "variance", "argmax", "argmin"};

enum { REDUCERS = sizeof reducers / sizeof *reducers };

static const struct {
    const char *list, *tensor;
    bool truths; /* `any` and `all` are of these */
} lists[] = {
    {"[1.0, 3.0, 4.0]", "f32([1.0, 3.0, 4.0])", false},
    {"[4, 3, 1, 4]", "i32([4, 3, 1, 4])", false},
    {"[-2, 7]", "i32([-2, 7])", false},
    {"[5]", "i32([5])", false},
    {"[0.5, 0.0 / 0.0, 9.0, 0.0 / 0.0]", "f32([0.5, 0.0 / 0.0, 9.0, 0.0 / 0.0])", false},
    {"[1e300, -1e300 * 1e300]", "f32([1e300, -1e300 * 1e300])", false},
    {"[true, false, true]", "bool([1, 0, 1])", true},
    {"[false, false]", "bool([0, 0])", true},
    {"[true]", "bool([1])", true},
    {"[n, 3, k]", "i64([2, 3, 5])", false},
    {"[k, n, n + 4, 2 * n]", "i64([5, 2, 6, 4])", false},
    {"[n, n + 1, n - 1]", "i64([2, 3, 1])", false},
    {"[n / 3, k / 2, 1]", "f32([2 / 3, 5 / 2, 1])", false},
    {"[n, 0.5]", "f32([2, 0.5])", false},
    {"shape(x)", "i64([2, 5])", false},
    {"shape(x)[1:]", "i64([5])", false},
    {"[[1, 2, 3], [6, 5, 4]]", "i32([[1, 2, 3], [6, 5, 4]])", false},
    {"[[n, 3], [1, k]]", "i64([[2, 3], [1, 5]])", false},
    {"[[true, false], [true, true]]", "bool([[1, 0], [1, 1]])", true},
};

enum { LISTS = sizeof lists / sizeof *lists };

static const char *const forms[] = {"%s(%s)", "%s(%s, axis = 0)", "%s(%s, axis = [-1])", "%s(%s, keep = true)",
                                    "%s(%s, axis = -1, keep = true)"};

enum { FORMS = sizeof forms / sizeof *forms };

static Node output(const Module *module, const char *name)
{
    const Function *function = module_function(module, "inference");
    for (uint32_t i = 0; i < function->n_results; i++)
        if (!strcmp(function->results[i].name, name)) return function->results[i].value;
    return NODE_NONE;
}

/* The outputs y and z of the statements are the same numbers. */
static void expect_same(const char *statements)
{
    char text[900];
    snprintf(text, sizeof text, "model m {\n input x: f32[n, k]\n output used = sum(x)\n%s}\n", statements);
    Compiled compiled = compile_with("test.nn", NULL, text, (ProgramOptions){.f64 = true});
    cr_assert_not_null(compiled.program, "%s\n%s", text, text_get(&compiled.diagnostics));
    const Module *module = compiled.program->module;
    Node nodes[] = {output(module, "y"), output(module, "z")};
    Eval *eval = eval_new(module->graph, &(EvalOptions){.f64 = true});
    const Tensor *values[2];
    eval_bind_size(eval, intern(compiled.context->names, "n"), 2);
    eval_bind_size(eval, intern(compiled.context->names, "k"), 5);
    cr_assert(eval_run(eval, nodes, 2, values), "%s: %s", statements, eval_message(eval));
    cr_assert_eq(values[0]->rank, values[1]->rank, "%s", statements);
    cr_assert_eq(values[0]->count, values[1]->count, "%s", statements);
    for (int64_t i = 0; i < values[0]->count; i++) {
        double y = values[0]->data[i], z = values[1]->data[i];
        bool same = y == z || fabs(y - z) <= 1e-12 * fabs(z) || (isnan(y) && isnan(z));
        cr_expect(same, "%s is %.17g, of a tensor %.17g", statements, y, z);
    }
    eval_free(eval);
    compiled_free(&compiled);
}

static bool is_logic(const char *reducer)
{
    return !strcmp(reducer, "any") || !strcmp(reducer, "all");
}

static void check_reducer(const char *reducer, int list)
{
    bool nested = lists[list].list[1] == '[';
    for (int form = 0; form < FORMS; form++) {
        char text[600], y[200], z[200];
        snprintf(y, sizeof y, forms[form], reducer, lists[list].list);
        snprintf(z, sizeof z, forms[form], reducer, lists[list].tensor);
        snprintf(text, sizeof text, " output y = %s\n output z = %s\n", y, z);
        expect_same(text);
    }
    if (nested || !strcmp(reducer, "variance")) return;
    char text[600];
    snprintf(text, sizeof text, " w = %s\n t = %s\n output y = %s[i](w[i])\n output z = %s[i](t[i])\n",
             lists[list].list, lists[list].tensor, reducer, reducer);
    expect_same(text);
}

Test(lists, reduce_as_tensors_do)
{
    for (int i = 0; i < REDUCERS; i++)
        for (int k = 0; k < LISTS; k++)
            if (!is_logic(reducers[i]) || lists[k].truths) check_reducer(reducers[i], k);
}

/* What is known when a program is compiled stays known: these are sizes, conditions and places. */
Test(lists, stay_constant)
{
    static const char *const bodies[] = {
        " y = x + zeros([max([2, 3]) - 1, min([7, 5])])",
        " if mean([1.0, 3.0, 4.0]) == 8 / 3 and variance([1, 3]) == 1 { output y = x }",
        " if any([false, true]) and not all([false, true]) { output y = x }",
        " output y = [x[0, 0], 2][1] + argmax([1, 9, 3])",
        " if max(n, n + 2) == n + 2 and min([n, n - 1]) == n - 1 { output y = x }",
        " if prod([]) == 1 and sum([]) == 0 and all([]) and not any([]) { output y = x }",
        " if prod([4000000000, 2]) == 8000000000 { output y = x }",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "model m {\n input x: f32[2, 5]\n input v: f32[n]\n%s\n output all = sum(v) + sum(x)\n}\n", bodies[i]);
        Compiled compiled = compile_with("test.nn", NULL, text, (ProgramOptions){0});
        cr_expect_not_null(compiled.program, "%s\n%s", bodies[i], text_get(&compiled.diagnostics));
        compiled_free(&compiled);
    }
}

Test(lists, refused)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"mean([])", "an empty list has no `mean`"},
        {"argmax([])", "an empty list has no `argmax`"},
        {"max([])", "an empty list has no `max`"},
        {"any([1, 0])", "`any` wants truth values"},
        {"sum([\"a\"])", "a list of numbers cannot hold"},
        {"sum([[1, 2], [3]])", "the lists in this list have different lengths"},
        {"max(1, 2, 3)", "`max` takes two values, or one with `axis` and `keep`"},
        {"min(x, 2, axis = 0)", "`min` takes two values, or one with `axis` and `keep`"},
        {"max(x, x, keep = true)", "`max` takes two values, or one with `axis` and `keep`"},
        {"sum(x, keep = 1)", "the argument `keep` of `sum` is `true` or `false`, not the number 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300];
        snprintf(text, sizeof text, "model m {\n input x: f32[n, k]\n output y = %s\n output used = sum(x)\n}\n",
                 rows[i].text);
        Compiled compiled = compile_with("test.nn", NULL, text, (ProgramOptions){0});
        cr_expect_null(compiled.program, "%s", rows[i].text);
        cr_expect(strstr(text_get(&compiled.diagnostics), rows[i].message), "%s says\n%s", rows[i].text,
                  text_get(&compiled.diagnostics));
        compiled_free(&compiled);
    }
}
