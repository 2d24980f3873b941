/* Parameters and states are known by paths that weight files rely on. */
#include "support.h"

TestSuite(paths, .timeout = 60);

typedef struct {
    const char *body, *params, *states;
} Row;

static const char items[] = "layer pair(x: [..., n]) -> [..., n] { return x |> dense(n) |> dense(n) }\n"
                            "layer named(x: [..., n]) -> [..., n] { return x |> dense(n) as key |> dense(n) as key }\n"
                            "layer deep(x: [..., n]) -> [..., n] {\n repeat 2 { local = x |> dense(n, bias = false) \n "
                            "x = local }\n return x }\n"
                            "layer owner(x: [..., n]) -> [..., n] {\n param g: [n] = 1\n state seen: [n] = 0\n"
                            " if training { seen := seen + 1 }\n return x * g + seen }\n";

static const Row rows[] = {
    {"output y = x |> dense(3)", "y.dense.W y.dense.b", ""},
    {"h = x |> dense(3) |> dense(3)\n output h", "h.dense.W h.dense.b h.dense_2.W h.dense_2.b", ""},
    {"h = x |> dense(3)\n h = h |> dense(3)\n output h", "h.dense.W h.dense.b h.dense_2.W h.dense_2.b", ""},
    {"h = x |> dense(3) as hidden\n output h", "hidden.W hidden.b", ""},
    {"h = x |> { dense(3) |> relu } as net\n output h", "net.dense.W net.dense.b", ""},
    {"h = x |> pair\n output h", "h.pair.dense.W h.pair.dense.b h.pair.dense_2.W h.pair.dense_2.b", ""},
    {"h = x |> named\n output h", "h.named.key.W h.named.key.b h.named.key_2.W h.named.key_2.b", ""},
    {"h = x |> deep\n output h", "h.deep[0].dense.W h.deep[1].dense.W", ""},
    {"h = x |> mlp([4, 3])\n output h", "h.mlp[0].dense.W h.mlp[0].dense.b h.mlp[1].dense.W h.mlp[1].dense.b", ""},
    {"h = x\n repeat 2 { h = h |> dense(3, bias = false) }\n output h", "h[0].dense.W h[1].dense.W", ""},
    {"h = x\n repeat 2 { h = h |> dense(3, bias = false) as hidden }\n output h", "hidden[0].W hidden[1].W", ""},
    {"h = x\n repeat 2 { repeat 2 { h = h |> dense(3, bias = false) } }\n output h",
     "h[0][0].dense.W h[0][1].dense.W h[1][0].dense.W h[1][1].dense.W", ""},
    {"h = x |> repeat 2 { dense(3, bias = false) |> tanh }\n output h", "h[0].dense.W h[1].dense.W", ""},
    {"a, b = split(x |> dense(4, bias = false), 2)\n output a", "a.dense.W", ""},
    {"loss = mean(x |> dense(1, bias = false))", "loss.dense.W", ""},
    {"loss kl = mean(x |> dense(1, bias = false))", "kl.dense.W", ""},
    {"layer e = dense(3)\n output y = e(x) + e(x)", "e.W e.b", ""},
    {"layer e = { dense(3, bias = false) |> relu |> dense(3, bias = false) }\n output y = (x |> e) + (x |> e)",
     "e.dense.W e.dense_2.W", ""},
    {"layer e = dense(3, bias = false)\n output y = e(x) @ e.W.T", "e.W", ""},
    {"repeat k in [1, 2] { loss aux = k * mean(x |> dense(1, bias = false)) }", "aux[0].dense.W aux[1].dense.W", ""},
    {"param w, v: [3] = 1\n output y = x * w * v", "w v", ""},
    {"output y = x |> owner |> owner", "y.owner.g y.owner_2.g", "y.owner.seen y.owner_2.seen"},
    {"layer o = owner\n output y = x |> o |> o", "o.g", "o.seen"},
    {"output y = x |> residual(body = { dense(3, bias = false) |> relu })", "y.residual.dense.W", ""},
    {"output y = x |> batch_norm", "y.batch_norm.gain y.batch_norm.bias",
     "y.batch_norm.running_mean y.batch_norm.running_variance"},
};

static void expect_names(const Module *module, const Declared *declared, uint32_t count, const char *expected,
                         const char *body)
{
    Text names = {0};
    for (uint32_t i = 0; i < count; i++)
        text_format(&names, "%s%s", i ? " " : "", graph_node(module->graph, declared[i].node)->attr.name);
    cr_expect_str_eq(text_get(&names), expected, "%s\nhas %s", body, text_get(&names));
    text_free(&names);
}

Test(paths, of_parameters_and_states)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1600];
        snprintf(text, sizeof text, "%smodel m {\n input x: f32[batch, 3]\n %s\n}\n", items, rows[i].body);
        Compiled compiled = compile(text);
        const Module *module = compiled.program->module;
        expect_names(module, module->params, module->n_params, rows[i].params, rows[i].body);
        expect_names(module, module->states, module->n_states, rows[i].states, rows[i].body);
        compiled_free(&compiled);
    }
}

/* Two uses of an instance share its weights but draw anew, and a state updated by the first is seen by the second. */
Test(paths, instances_share)
{
    Compiled compiled =
        compile("layer noisy(x: [...]) -> [...] {\n draw e: [...] ~ normal\n state n: f32 = 0\n"
                " n := n + 1\n return x + e + n\n}\n"
                "model m {\n input x: f32[batch]\n layer a = noisy\n output y = a(x)\n output z = a(x)\n}\n");
    const Module *module = compiled.program->module;
    const Function *inference = module_function(module, "inference");
    cr_expect_eq(module->n_states, 1);
    cr_expect(!node_same(inference->results[0].value, inference->results[1].value));
    const Result *update = function_result(inference, RESULT_UPDATE, intern(compiled.context->names, "a.n"));
    cr_assert_not_null(update);
    Eval *eval = eval_new(module->graph, NULL);
    const Tensor *tensor;
    cr_assert(eval_bind(eval, update->old, (double[]){5}, 1));
    cr_assert(eval_run(eval, &update->value, 1, &tensor));
    cr_expect_eq(tensor->data[0], 7);
    eval_free(eval);
    compiled_free(&compiled);
}

Test(paths, one_path_is_one_parameter)
{
    Compiled compiled = compile_with("test.nn", NULL,
                                     "model m {\n input x: f32[batch, 3]\n layer net = { dense(3) }\n"
                                     " y = x |> net\n net = y |> dense(3)\n output net\n}\n",
                                     (ProgramOptions){0});
    cr_expect(strstr(text_get(&compiled.diagnostics), "duplicate-parameter") || compiled.program);
    if (compiled.program) cr_expect_eq(compiled.program->n_params, 4);
    compiled_free(&compiled);
}
