/* Data blocks: what a split's function computes, shapes that data decide, reductions over rows. */
#include <math.h>

#include "support.h"

TestSuite(data, .timeout = 60);

static const char model[] = "model m {\n input x: f32[batch, features]\n target label: i32[batch] in classes\n"
                            " loss = cross_entropy(x |> dense(classes), label)\n}\n";

static Compiled compile_data(const char *block)
{
    char text[1000];
    snprintf(text, sizeof text, "%s%s", model, block);
    return compile(text);
}

/* Values of a split's result over `count` rows of the test's table from row `first`. */
static double *run_split(const Compiled *c, const char *function, const char *name, int64_t first, int64_t count,
                         int64_t *total)
{
    const Module *module = c->program->module;
    const Result *result =
        function_result(module_function(module, function), RESULT_VALUE, intern(c->context->names, name));
    cr_assert_not_null(result);
    Eval *eval = eval_new(module->graph, &(EvalOptions){.f64 = true});
    eval_bind_size(eval, intern(c->context->names, "batch"), count);
    double *rows = calloc((size_t)count, sizeof *rows);
    uint32_t n;
    Node *reached = graph_reachable(module->graph, &result->value, 1, &n);
    for (uint32_t i = 0; i < n; i++) {
        const NodeInfo *info = graph_node(module->graph, reached[i]);
        if (info->op != OP_INPUT) continue;
        bool label = strstr(info->attr.name, ".label") != NULL;
        for (int64_t k = 0; k < count; k++) rows[k] = (double)(label ? (first + k) % 3 : first + k);
        cr_assert(eval_bind(eval, reached[i], rows, count));
    }
    const Tensor *tensor;
    cr_assert(eval_run(eval, &result->value, 1, &tensor), "%s", eval_message(eval));
    double *copy = malloc((size_t)tensor->count * sizeof *copy);
    memcpy(copy, tensor->data, (size_t)tensor->count * sizeof *copy);
    *total = tensor->count;
    free(reached);
    free(rows);
    eval_free(eval);
    return copy;
}

Test(data, tables_decide_sizes)
{
    Compiled c =
        compile_data("data train {\n t = blobs(samples = 9)\n x = columns(t, \"a\", \"b\") / 2\n label = t.label\n}\n");
    const Split *split = program_split(c.program, "train");
    cr_assert_not_null(split);
    cr_expect_eq(split->rows, 9);
    cr_expect(split->from == 0 && split->to == 1);
    cr_expect_eq(split->n_sources, 1);
    cr_expect_eq(split->n_fields, 3);
    cr_expect_str_eq(split->fields[0].input, "t.a");
    cr_expect_str_eq(split->sources[0].kind, "blobs");
    cr_expect_eq(split->sources[0].n_args, 1);
    cr_expect_eq(c.program->module->n_dims, 1);
    Text type = {0};
    type_print(graph_dims(c.program->module->graph), node_type(c.program->module->graph, c.program->params[0].node),
               &type);
    cr_expect_str_eq(text_get(&type), "f32[2, 3]");
    text_free(&type);
    int64_t count;
    double *x = run_split(&c, "data.train", "x", 4, 2, &count);
    cr_assert_eq(count, 4);
    cr_expect(x[0] == 2 && x[1] == 2 && x[2] == 2.5 && x[3] == 2.5);
    free(x);
    compiled_free(&c);
}

Test(data, reductions_over_rows_are_those_of_train)
{
    Compiled c = compile_data("data train, valid {\n t = blobs(samples = 10)\n raw = columns(t, \"a\", \"b\")\n"
                              " x = (raw - mean(raw, axis = 0)) / sqrt(variance(raw, axis = 0))\n label = t.label\n"
                              " split = [0.5, 0.5]\n}\n");
    const Split *valid = program_split(c.program, "valid");
    cr_expect(valid->from == 0.5 && valid->to == 1);
    int64_t count;
    double *x = run_split(&c, "data.valid", "x", 0, 3, &count);
    cr_assert_eq(count, 6);
    for (int i = 0; i < 6; i++) cr_expect_float_eq(x[i], (i / 2 - 2) / sqrt(2.0), 1e-6);
    free(x);
    compiled_free(&c);
}

Test(data, train_may_be_any_part)
{
    Compiled c = compile_data("data valid, train {\n split = [0.4, 0.6]\n t = blobs(samples = 5)\n"
                              " raw = columns(t, \"a\", \"b\")\n x = raw - max(raw, axis = 0)\n label = t.label\n}\n");
    int64_t count;
    double *x = run_split(&c, "data.valid", "x", 0, 2, &count);
    cr_assert_eq(count, 4);
    cr_expect(x[0] == -4 && x[3] == -3);
    free(x);
    compiled_free(&c);
}

/* Bytes are computed with as i32, and no integer passes through a double. Row k of the column is k, below 200. */
Test(data, integers_stay_integers)
{
    Compiled c =
        compile("model m {\n input x, y, z, w: f32[batch]\n output v = x + y + z + w\n}\n"
                "data train {\n t = blobs(samples = 200)\n bytes = u8(t.a)\n large = i64(t.a) + 9007199254740993\n"
                " x = (bytes - 128) / 128\n y = bytes - max(bytes, axis = 0)\n z = large - max(large, axis = 0)\n"
                " w = if bytes < 300 then 1 else 0\n}\n");
    static const struct {
        const char *name;
        double first, second;
    } expected[] = {{"x", -1, -127.0 / 128}, {"y", -199, -198}, {"z", -199, -198}, {"w", 1, 1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int64_t count;
        double *x = run_split(&c, "data.train", expected[i].name, 0, 2, &count);
        cr_assert_eq(count, 2);
        cr_expect(x[0] == expected[i].first && x[1] == expected[i].second, "%s is %g, %g", expected[i].name, x[0],
                  x[1]);
        free(x);
    }
    compiled_free(&c);
}

/* A sum over the rows has the type of a sum in the model, and is exact while it is made: 70000 rows of 255 are more
 * than a u8 holds, 70000 of 100000 more than an i32. */
Test(data, sums_of_integers_are_integers)
{
    Compiled c = compile("model m {\n input x: f32[batch]\n target a, b, d: i32[batch]\n target e: i64[batch]\n"
                         " output y = x\n loss = mean(x * (a + b + d + e))\n}\n"
                         "data train {\n t = blobs(samples = 300)\n x = t.a / 300\n bytes = u8(t.a * 0 + 255)\n"
                         " flags = t.a >= 100\n a = i32(t.a) * 0 + sum(bytes, axis = 0)\n"
                         " b = i32(t.a) * 0 + sum(flags, axis = 0)\n d = i32(t.a) - sum(i32(t.a), axis = 0)\n"
                         " e = i64(t.a) * 0 + sum(i64(t.a) * 10000000000, axis = 0)\n}\n");
    static const struct {
        const char *name;
        double first;
    } expected[] = {{"a", 300 * 255}, {"b", 200}, {"d", -44850}, {"e", 44850e10}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int64_t count;
        double *x = run_split(&c, "data.train", expected[i].name, 0, 1, &count);
        cr_expect_eq(x[0], expected[i].first, "%s is %g", expected[i].name, x[0]);
        free(x);
    }
    compiled_free(&c);
}

Test(data, literals_are_sources)
{
    Compiled c =
        compile("model m {\n input x: f32[batch, 2]\n target y: f32[batch]\n loss = mse(sum(x, axis = 1), y)\n}\n"
                "data train {\n x = [[0, 1], [2, 3], [4, 5]]\n y = [0, 1, 0]\n}\n"
                "data test {\n x = [[1, 1]]\n y = [1.5]\n}\n");
    const Split *train = program_split(c.program, "train"), *test = program_split(c.program, "test");
    cr_assert(train && test);
    cr_expect_eq(train->rows, 3);
    cr_expect_eq(test->rows, 1);
    cr_expect_eq(train->n_sources, 2);
    cr_expect_str_eq(train->sources[0].kind, "literal");
    cr_expect_eq(((const int64_t *)train->sources[0].literal)[3], 3);
    cr_expect_eq(((const double *)test->sources[1].literal)[0], 1.5);
    compiled_free(&c);
}

Test(data, the_first_axis_is_the_model_s)
{
    Compiled c = compile("model m {\n input x: f32[n]\n output y = 2 * x\n}\ndata train {\n x = [0, 1, 2]\n}\n");
    const Function *function = module_function(c.program->module, "data.train");
    Text type = {0};
    type_print(graph_dims(c.program->module->graph), node_type(c.program->module->graph, function->results[0].value),
               &type);
    cr_expect_str_eq(text_get(&type), "i64[n]");
    text_free(&type);
    compiled_free(&c);
}

Test(data, options_replace_and_make_sources)
{
    const char *text = "model m {\n input x: f32[batch]\n output y = 2 * x\n}\n";
    int used = 0;
    DataProvider provider = {.host = &used, .open = test_open_any, .read = test_read};
    DataOption options[] = {{NULL, "x", "/data/x.csv"}, {"test", "x", "/data/other.csv"}, {NULL, "z", "/data/z.npy"}};
    Compiled c =
        compile_with("test.nn", NULL, text, (ProgramOptions){.data = options, .n_data = 1, .provider = &provider});
    cr_assert_not_null(c.program, "%s", text_get(&c.diagnostics));
    const Split *train = program_split(c.program, "train");
    cr_assert(train && train->n_sources == 1);
    cr_expect_str_eq(train->sources[0].path, "/data/x.csv");
    cr_expect_str_eq(train->fields[0].input, "x.x");
    compiled_free(&c);
    c = compile_with("test.nn", NULL, text, (ProgramOptions){.data = options + 1, .n_data = 1, .provider = &provider});
    cr_assert_not_null(c.program, "%s", text_get(&c.diagnostics));
    cr_expect_not_null(program_split(c.program, "test"));
    cr_expect_null(program_split(c.program, "train"));
    compiled_free(&c);
    c = compile_with("test.nn", NULL, text, (ProgramOptions){.data = options, .n_data = 3, .provider = &provider});
    cr_expect_null(c.program);
    cr_expect(strstr(text_get(&c.diagnostics), "given two files, /data/x.csv and /data/other.csv"));
    compiled_free(&c);
    options[1] = options[2];
    c = compile_with("test.nn", NULL, text, (ProgramOptions){.data = options, .n_data = 2, .provider = &provider});
    cr_expect_null(c.program);
    cr_expect(strstr(text_get(&c.diagnostics), "unknown-option"));
    compiled_free(&c);
}
