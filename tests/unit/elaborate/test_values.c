/* Expressions against numbers worked out by hand: x is [[1, 2, 3], [4, 5, 6]], v is [1, 10, 100], s is 2, ids is [2, 0]
 * (below 3), n counts the rows and is free. */
#include <math.h>

#include "support.h"

TestSuite(values, .timeout = 60);

enum { MOST = 12 };

typedef struct {
    const char *text; /* statements that end in the output y */
    const char *type; /* of y */
    int count;
    double numbers[MOST];
} Row;

static const Row rows[] = {
    /* operators, promotion, exact numbers */
    {"output y = s + 1", "f32", 1, {3}},
    {"output y = 7 // 2 + 7 % 2 + s", "f32", 1, {6}},
    {"output y = 1e9 % 7 + s", "f32", 1, {8}},
    {"output y = 1.0 // 0.1 + s", "f32", 1, {11}},
    {"output y = v * 1e8 % 7", "f32[3]", 3, {2, 6, 4}},
    {"output y = -v // 0.1", "f32[3]", 3, {-10, -100, -1000}},
    {"output y = s * (1 / 3)", "f32", 1, {2.0 / 3}},
    {"output y = -s^2", "f32", 1, {-4}},
    {"output y = 2^-1 * s", "f32", 1, {1}},
    {"output y = ids + 1", "i32[n]", 2, {3, 1}},
    {"output y = ids / 2", "f32[n]", 2, {1, 0}},
    {"output y = ids^2", "i32[n]", 2, {4, 0}},
    {"output y = ids * 0.5", "f32[n]", 2, {1, 0}},
    {"output y = (x > 3) * 2", "i32[n, 3]", 6, {0, 0, 0, 2, 2, 2}},
    {"output y = ids == 2 and not (ids > 5)", "bool[n]", 2, {1, 0}},
    {"output y = i32(x[0] / 2)", "i32[3]", 3, {0, 1, 1}},
    {"output y = if x > 3 then x else 0", "f32[n, 3]", 6, {0, 0, 0, 4, 5, 6}},
    {"output y = if n == n then s else 1 / 0", "f32", 1, {2}},
    {"output y = s * n", "f32", 1, {4}},
    {"output y = x[0] % 2", "f32[3]", 3, {1, 0, 1}},
    {"output y = max(x[1], 5) + min(s, 1)", "f32[3]", 3, {6, 6, 7}},
    {"output y = atan2(s, 2)", "f32", 1, {0.78539816339744831}},
    /* one-sided stretching */
    {"output y = x * v", "f32[n, 3]", 6, {1, 20, 300, 4, 50, 600}},
    {"output y = x - mean(x, axis = 1, keep = true)", "f32[n, 3]", 6, {-1, 0, 1, -1, 0, 1}},
    {"output y = x + s", "f32[n, 3]", 6, {3, 4, 5, 6, 7, 8}},
    /* products */
    {"output y = x @ v", "f32[n]", 2, {321, 654}},
    {"output y = v @ x.T", "f32[n]", 2, {321, 654}},
    {"output y = v @ v", "f32", 1, {10101}},
    {"output y = x[:, :2].T @ x", "f32[2, 3]", 6, {17, 22, 27, 22, 29, 36}},
    {"output y = reshape(x, [n, 1, 3]) @ reshape(v, [3, 1])", "f32[n, 1, 1]", 2, {321, 654}},
    {"output y = reshape(x, [n, 1, 3]) @ reshape(x, [n, 3, 1])", "f32[n, 1, 1]", 2, {14, 77}},
    /* reductions */
    {"output y = sum(x)", "f32", 1, {21}},
    {"output y = if is_integer([1, 2]) and is_integer([[1], [n]]) and is_integer(n + 1) then s else 0", "f32", 1, {2}},
    {"output y = if is_integer([1, 2.0]) or is_integer([n, n / 2]) or is_integer([true]) then s else 0", "i32", 1, {0}},
    {"output y = if is_integer(ids) and is_integer([ids[0], 1]) and not is_integer([s, 1]) then s else 0",
     "f32",
     1,
     {2}},
    {"output y = cross_entropy([[1.0, 2, 3], [4, 5, 6]], [2, 2])", "f32", 1, {0.40760596444438}},
    {"output y = mean(x, axis = 0)", "f32[3]", 3, {2.5, 3.5, 4.5}},
    {"output y = sum(x, axis = [-1, 0])", "f32", 1, {21}},
    {"output y = max(x, axis = -1)", "f32[n]", 2, {3, 6}},
    {"output y = min(x) + prod(v)", "f32", 1, {1001}},
    {"output y = variance(x, axis = 1)", "f32[n]", 2, {2.0 / 3, 2.0 / 3}},
    {"output y = argmax(x * v)", "i32[n] in 3", 2, {2, 2}},
    {"output y = argmin(x, axis = 0)", "i32[3] in n", 3, {0, 0, 0}},
    {"output y = any(x > 5, axis = 1)", "bool[n]", 2, {0, 1}},
    {"output y = mean(ids == 2)", "f32", 1, {0.5}},
    {"output y = sum(softmax(x), axis = 1)", "f32[n]", 2, {1, 1}},
    {"output y = cumsum(x)", "f32[n, 3]", 6, {1, 3, 6, 4, 9, 15}},
    {"output y = logsumexp(0 * x, axis = 1)", "f32[n]", 2, {1.0986122886681098, 1.0986122886681098}},
    {"output y = s * prod(shape(x)[1:]) + sum([1, 2, 3])", "f32", 1, {12}},
    /* places, slices, gathers */
    {"output y = x[1]", "f32[3]", 3, {4, 5, 6}},
    {"output y = x[:, -1]", "f32[n]", 2, {3, 6}},
    {"output y = x[..., 1:]", "f32[n, 2]", 4, {2, 3, 5, 6}},
    {"output y = x[:, :-1]", "f32[n, 2]", 4, {1, 2, 4, 5}},
    {"output y = x[1:n]", "f32[n - 1, 3]", 3, {4, 5, 6}},
    {"output y = v[ids]", "f32[n]", 2, {100, 1}},
    {"output y = x[:, ids]", "f32[n, n]", 4, {3, 1, 6, 4}},
    {"output y = x.T[ids]", "f32[n, n]", 4, {3, 6, 1, 4}},
    {"output y = x[0, [2, 0]]", "f32[2]", 2, {3, 1}},
    /* structure */
    {"output y = reshape(x, [3, _])", "f32[3, n]", 6, {1, 2, 3, 4, 5, 6}},
    {"output y = transpose(x)", "f32[3, n]", 6, {1, 4, 2, 5, 3, 6}},
    {"output y = concat(x, x[:, :1])", "f32[n, 4]", 8, {1, 2, 3, 1, 4, 5, 6, 4}},
    {"output y = concat(v, [7])", "f32[4]", 4, {1, 10, 100, 7}},
    {"output y = stack(v, 2 * v)", "f32[2, 3]", 6, {1, 10, 100, 2, 20, 200}},
    {"output y = stack(ids, ids, axis = -1)", "i32[n, 2] in 3", 4, {2, 2, 0, 0}},
    {"a, b, c = split(x, 3)\n output y = c - a", "f32[n, 1]", 2, {2, 2}},
    {"output y = reverse(v)", "f32[3]", 3, {100, 10, 1}},
    {"output y = reverse(x, axis = 0)[0]", "f32[3]", 3, {4, 5, 6}},
    {"output y = reverse(x, axis = [1, 0])[0]", "f32[3]", 3, {6, 5, 4}},
    {"output y = pad(v, [[1, 2]])", "f32[6]", 6, {0, 1, 10, 100, 0, 0}},
    {"output y = tile(v, [2])", "f32[6]", 6, {1, 10, 100, 1, 10, 100}},
    {"output y = roll(v, 1)", "f32[3]", 3, {100, 1, 10}},
    {"output y = broadcast(s, [2, 2])", "f32[2, 2]", 4, {2, 2, 2, 2}},
    {"output y = one_hot(ids, 3)", "f32[n, 3]", 6, {0, 0, 1, 1, 0, 0}},
    {"output y = pick(x, ids)", "f32[n]", 2, {3, 4}},
    {"output y = accuracy(x, ids)", "f32", 1, {0.5}},
    {"output y = binary_accuracy(x[0], [0, 1, 1], threshold = 1.5)", "f32", 1, {1}},
    {"output y = binary_accuracy(v / 20, [1, 0, 1])", "f32", 1, {2.0 / 3}},
    {"output y = binary_accuracy(x - 4, x > 4, threshold = 0)", "f32", 1, {1}},
    {"output y = [1, 2.5] * s", "f32[2]", 2, {2, 5}},
    /* index notation */
    {"y[i, j] = x[j, i]\n output y", "f32[3, n]", 6, {1, 4, 2, 5, 3, 6}},
    {"y[i] = sum[j](x[i, j] * v[j])\n output y", "f32[n]", 2, {321, 654}},
    {"y[i, j] = v[i] - v[j]\n output y", "f32[3, 3]", 9, {0, -9, -99, 9, 0, -90, 99, 90, 0}},
    {"y[i, j] = sum[k](x[k, i] * x[k, j])\n output y", "f32[3, 3]", 9, {17, 22, 27, 22, 29, 36, 27, 36, 45}},
    {"y[...] = 2 * x[...]\n output y", "f32[n, 3]", 6, {2, 4, 6, 8, 10, 12}},
    {"y[c] = mean[...](x[..., c])\n output y", "f32[3]", 3, {2.5, 3.5, 4.5}},
    {"y[...] = x[..., ids[...]]\n output y", "f32[n]", 2, {3, 4}},
    {"y[k in 4] = k^2 + s\n output y", "f32[4]", 4, {2, 3, 6, 11}},
    {"y[a, b, c, d, e, f, g, h, i, j, k, l] = x[a, b] + x[c, d] + x[e, f] + x[g, h] + x[i, j] + x[k, l]\n"
     " output y = mean(y)",
     "f32",
     1,
     {21}},
    {"y[i] = argmax[j](-x[i, j])\n output y", "i32[n] in 3", 2, {0, 0}},
    {"y[i, j] = softmax[i](0 * x[i, j])\n output y", "f32[n, 3]", 6, {0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
    {"y[i] = max[j](if j == ids[i] then 0 else x[i, j])\n output y", "f32[n]", 2, {2, 6}},
    {"y[i] = x[i, ids[i]] + v[ids[i]]\n output y", "f32[n]", 2, {103, 5}},
    {"y[i] = sum[j in 3](s)\n output y\n", NULL, 0, {0}},
    {"y[i in 2] = sum[j in 3](j * s)\n output y", "f32[2]", 2, {6, 6}},
    {"y[i] = relu(x[i, 0] - 2)\n output y", "f32[n]", 2, {0, 2}},
    {"y[i, j] = v[j] * prod[k](x[i, k])\n output y", "f32[n, 3]", 6, {6, 60, 600, 120, 1200, 12000}},
    {"y[i] = logsumexp[j](0 * x[i, j])\n output y", "f32[n]", 2, {1.0986122886681098, 1.0986122886681098}},
    /* blocks, several values, closures */
    {"a = s\n if 2 > 1 { a = 3 * s\n b = 1 }\n output y = a", "f32", 1, {6}},
    {"a = s\n repeat 3 { a = 2 * a }\n output y = a", "f32", 1, {16}},
    {"a = s\n repeat k in [1, 10] { a = a + k }\n output y = a", "f32", 1, {13}},
    {"output y = v |> { leaky_relu(slope = 0.5) |> sqrt } |> repeat 2 { clamp(0, 5) }",
     "f32[3]",
     3,
     {1, 3.1622776601683795, 5}},
    {"output y = (x |> softmax(axis = 0))[:, 0] |> sum", "f32", 1, {1}},
};

static double given_x[] = {1, 2, 3, 4, 5, 6}, given_v[] = {1, 10, 100}, given_s[] = {2}, given_ids[] = {2, 0};

static void bind_input(Eval *eval, const Module *module, const char *name, const double *data, int64_t count)
{
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        const NodeInfo *info = graph_node(module->graph, module->inputs[i].node);
        if (!strcmp(info->attr.name, name)) cr_assert(eval_bind(eval, module->inputs[i].node, data, count));
    }
}

static void check_row(const Row *row)
{
    char text[600];
    snprintf(text, sizeof text,
             "model m {\n input x: f32[n, 3]\n input v: f32[3]\n input s: f32\n"
             " input ids: i32[n] in 3\n %s\n output used = s + sum(x) + sum(v) + sum(ids)\n}\n",
             row->text);
    if (!row->type) {
        Compiled refused = compile_with("test.nn", NULL, text, (ProgramOptions){0});
        cr_expect_null(refused.program, "%s", row->text);
        compiled_free(&refused);
        return;
    }
    Compiled compiled = compile(text);
    const Module *module = compiled.program->module;
    Node y = NODE_NONE;
    const Function *function = module_function(module, "inference");
    for (uint32_t i = 0; i < function->n_results; i++)
        if (!strcmp(function->results[i].name, "y")) y = function->results[i].value;
    Text type = {0};
    type_print(graph_dims(module->graph), node_type(module->graph, y), &type);
    cr_expect_str_eq(text_get(&type), row->type, "%s is %s", row->text, text_get(&type));
    Eval *eval = eval_new(module->graph, &(EvalOptions){.f64 = true});
    eval_bind_size(eval, intern(compiled.context->names, "n"), 2);
    bind_input(eval, module, "x", given_x, 6);
    bind_input(eval, module, "v", given_v, 3);
    bind_input(eval, module, "s", given_s, 1);
    bind_input(eval, module, "ids", given_ids, 2);
    const Tensor *tensor;
    cr_assert(eval_run(eval, &y, 1, &tensor), "%s: %s", row->text, eval_message(eval));
    cr_expect_eq(tensor->count, row->count, "%s", row->text);
    for (int i = 0; i < row->count && i < tensor->count; i++)
        cr_expect(fabs(tensor->data[i] - row->numbers[i]) <= 1e-12 * fabs(row->numbers[i]),
                  "%s: [%d] is %.17g, not %.17g", row->text, i, tensor->data[i], row->numbers[i]);
    text_free(&type);
    eval_free(eval);
    compiled_free(&compiled);
}

Test(values, expressions)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_row(&rows[i]);
}
