/* Train blocks: settings and their overrides, schedules, clipping, which loss reaches which parameter. */
#include <math.h>

#include "support.h"

TestSuite(train, .timeout = 60);

static const char model[] = "model m {\n input x: f32[batch]\n param w: f32 = 1\n param v: f32 = 2\n"
                            " loss = mean(w * v * x)\n}\n";

static Compiled compile_train(const char *block, ProgramOptions options)
{
    char text[1000];
    snprintf(text, sizeof text, "%strain m { %s }\n", model, block);
    Compiled compiled = compile_with("test.nn", NULL, text, options);
    cr_assert_str_eq(text_get(&compiled.diagnostics), "");
    return compiled;
}

static double setting(const Compiled *compiled, const char *name)
{
    const Module *module = compiled->program->module;
    for (uint32_t i = 0; i < module->n_settings; i++) {
        const NodeInfo *info = graph_node(module->graph, module->settings[i].node);
        if (!strcmp(info->attr.name, name)) return info->attr.number;
    }
    return NAN;
}

Test(train, numbers_and_settings)
{
    Compiled c =
        compile_train("optimizer = adam(lr = 1e-2, beta1 = 0.5); batch = 2 * 16; epochs = 3; seed = 0; clip_norm = 0.5",
                      (ProgramOptions){0});
    const TrainSettings *train = &c.program->train;
    cr_expect(train->present && train->batch.given && train->batch.value == 32);
    cr_expect(train->epochs.given && train->epochs.value == 3 && train->seed.given && train->seed.value == 0);
    cr_expect(!train->steps.given && !train->patience.given);
    cr_expect_eq(setting(&c, "lr"), 1e-2);
    cr_expect_eq(setting(&c, "beta1"), 0.5);
    cr_expect_eq(setting(&c, "beta2"), 0.999);
    cr_expect_eq(setting(&c, "clip_norm"), 0.5);
    cr_expect_str_eq(c.program->params[0].optimizer, "adam");
    compiled_free(&c);
}

Test(train, overrides_by_path_inherit)
{
    Compiled c = compile_train(
        "optimizer = adam(lr = 0.1, beta1 = 0.5); optimizer w = adam(lr = 0.2); optimizer \"v*\" = frozen",
        (ProgramOptions){0});
    cr_expect_eq(setting(&c, "lr"), 0.1);
    cr_expect_eq(setting(&c, "w.lr"), 0.2);
    cr_expect(isnan(setting(&c, "w.beta1")));
    cr_expect_str_eq(c.program->params[0].optimizer, "adam");
    cr_expect_str_eq(c.program->params[1].optimizer, "frozen");
    const Function *training = module_function(c.program->module, "training");
    cr_expect_not_null(function_result(training, RESULT_UPDATE, intern(c.context->names, "w")));
    cr_expect_not_null(function_result(training, RESULT_UPDATE, intern(c.context->names, "optimizer/w/m")));
    cr_expect_null(function_result(training, RESULT_UPDATE, intern(c.context->names, "v")));
    cr_expect_not_null(function_result(training, RESULT_GRADIENT, intern(c.context->names, "v")));
    compiled_free(&c);
}

Test(train, settings_from_outside)
{
    SetOption sets[] = {{"lr", 0.25}, {"w.lr", 0.5}};
    Compiled c = compile_train("optimizer = sgd(lr = 0.1 * cosine_decay(progress)); optimizer w = sgd(lr = 1.0)",
                               (ProgramOptions){.sets = sets, .n_sets = 2});
    cr_expect_eq(setting(&c, "lr"), 0.25);
    cr_expect_eq(setting(&c, "w.lr"), 0.5);
    compiled_free(&c);
}

static double update_of(const Compiled *c, const char *path, double step, double gw, double gv)
{
    const Module *module = c->program->module;
    const Function *training = module_function(module, "training");
    const Result *update = function_result(training, RESULT_UPDATE, intern(c->context->names, path));
    cr_assert_not_null(update);
    Eval *eval = eval_new(module->graph, &(EvalOptions){.f64 = true});
    double w = 1, v = 2, rest = 10, progress = (step - 1) / rest;
    for (uint32_t i = 0; i < module->n_params; i++) eval_bind(eval, module->params[i].node, i ? &v : &w, 1);
    double mean = 0.5;
    for (uint32_t i = 0; i < module->n_states; i++) eval_bind(eval, module->states[i].node, &mean, 1);
    for (uint32_t i = 0; i < training->n_results; i++)
        if (training->results[i].role == RESULT_GRADIENT)
            eval_bind(eval, training->results[i].value, strcmp(training->results[i].name, "w") ? &gv : &gw, 1);
    for (uint32_t i = 0; i < module->n_settings; i++) {
        const NodeInfo *info = graph_node(module->graph, module->settings[i].node);
        double number = !strcmp(info->attr.name, "step")       ? step
                        : !strcmp(info->attr.name, "steps")    ? rest
                        : !strcmp(info->attr.name, "progress") ? progress
                                                               : info->attr.number;
        eval_bind(eval, module->settings[i].node, &number, 1);
    }
    const Tensor *tensor;
    cr_assert(eval_run(eval, &update->value, 1, &tensor), "%s", eval_message(eval));
    double value = tensor->data[0];
    eval_free(eval);
    return value;
}

Test(train, schedules_follow_the_clock)
{
    Compiled c = compile_train("optimizer = sgd(lr = 0.1 * cosine_decay(progress) * linear_warmup(step, 4))",
                               (ProgramOptions){0});
    cr_expect_float_eq(update_of(&c, "w", 1, 1, 0), 1 - 0.1 * 0.25, 1e-12);
    cr_expect_float_eq(update_of(&c, "w", 6, 1, 0), 1 - 0.1 * 0.5, 1e-12);
    compiled_free(&c);
    c = compile_train("optimizer = sgd(lr = 0.1 * step_decay(step, 2))", (ProgramOptions){0});
    cr_expect_float_eq(update_of(&c, "w", 2, 1, 0), 1 - 0.1, 1e-12);
    cr_expect_float_eq(update_of(&c, "w", 5, 1, 0), 1 - 0.001, 1e-12);
    compiled_free(&c);
}

Test(train, clipping_is_by_the_norm_of_all)
{
    Compiled c = compile_train("optimizer = sgd(lr = 1.0); clip_norm = 2.5", (ProgramOptions){0});
    cr_expect_float_eq(update_of(&c, "w", 1, 3, 4), 1 - 1.5, 1e-12);
    cr_expect_float_eq(update_of(&c, "v", 1, 3, 4), 2 - 2, 1e-12);
    cr_expect_float_eq(update_of(&c, "w", 1, 0.3, 0.4), 1 - 0.3, 1e-12);
    cr_expect_float_eq(update_of(&c, "w", 1, 0, 0), 1, 0);
    compiled_free(&c);
}

Test(train, clipping_by_value_comes_before_that_by_norm)
{
    Compiled c = compile_train("optimizer = sgd(lr = 1.0); clip_value = 2", (ProgramOptions){0});
    cr_expect_eq(setting(&c, "clip_value"), 2);
    cr_expect_float_eq(update_of(&c, "w", 1, 3, -4), 1 - 2, 1e-12);
    cr_expect_float_eq(update_of(&c, "v", 1, 3, -4), 2 + 2, 1e-12);
    cr_expect_float_eq(update_of(&c, "w", 1, 0.5, 0), 1 - 0.5, 1e-12);
    cr_expect(isnan(update_of(&c, "w", 1, NAN, 0)));
    compiled_free(&c);
    c = compile_train("optimizer = sgd(lr = 1.0); clip_value = 4; clip_norm = 2.5", (ProgramOptions){0});
    cr_expect_float_eq(update_of(&c, "w", 1, 3, 40), 1 - 1.5, 1e-12);
    compiled_free(&c);
}

Test(train, the_average_is_a_plain_mean_at_first)
{
    /* the mean is 0.5, w becomes 1 - 0.25 * 2 = 0.5 or, from g = 1, 0.75 */
    Compiled c = compile_train("optimizer = sgd(lr = 0.25); optimizer v = frozen; average = 0.9", (ProgramOptions){0});
    cr_expect_eq(setting(&c, "average"), 0.9);
    cr_expect_float_eq(update_of(&c, "optimizer/w/average", 1, 1, 0), 0.75, 1e-12);
    cr_expect_float_eq(update_of(&c, "optimizer/w/average", 5, 1, 0), 0.5 + 0.25 / 5, 1e-12);
    cr_expect_float_eq(update_of(&c, "optimizer/w/average", 10, 1, 0), 0.5 + 0.25 * 0.1, 1e-12);
    cr_expect_float_eq(update_of(&c, "optimizer/w/average", 1000, 1, 0), 0.5 + 0.25 * 0.1, 1e-12);
    const Function *training = module_function(c.program->module, "training");
    cr_expect_null(function_result(training, RESULT_UPDATE, intern(c.context->names, "optimizer/v/average")));
    compiled_free(&c);
}

Test(train, keys_that_the_training_loop_reads)
{
    Compiled c =
        compile_train("optimizer = sgd; accumulate = 4; patience = 3; average = 0.5; weights = \"start.safetensors\"",
                      (ProgramOptions){0});
    const TrainSettings *train = &c.program->train;
    cr_expect(train->accumulate.given && train->accumulate.value == 4);
    cr_expect(train->patience.given && train->patience.value == 3);
    cr_expect_str_eq(train->weights, "start.safetensors");
    compiled_free(&c);
}

Test(train, a_loss_reaches_its_parameters)
{
    Compiled c = compile("model m {\n input x: f32[batch]\n param w: f32 = 1\n param v: f32 = 2\n"
                         " loss a = mean(w * v * x) for w\n loss b = mean(w * v)\n}\n");
    const Module *module = c.program->module;
    const Function *training = module_function(module, "training");
    const Result *a = function_result(training, RESULT_LOSS, intern(c.context->names, "a"));
    const Result *b = function_result(training, RESULT_LOSS, intern(c.context->names, "b"));
    const Result *w = function_result(training, RESULT_GRADIENT, intern(c.context->names, "w"));
    const Result *v = function_result(training, RESULT_GRADIENT, intern(c.context->names, "v"));
    cr_assert(a && b && w && v);
    cr_expect(node_same(node_arg(module->graph, w->value, 0), training->loss));
    cr_expect(node_same(node_arg(module->graph, v->value, 0), b->value));
    cr_expect_eq(node_op(module->graph, training->loss), OP_ADD);
    compiled_free(&c);
}

Test(train, inputs_with_defaults_are_settings)
{
    SetOption sets[] = {{"beta", 3}};
    const char *text = "model m {\n input x: f32[batch]\n input beta: f32 = 0.5\n output y = beta * x\n}\n";
    Compiled c = compile_with("test.nn", NULL, text, (ProgramOptions){.sets = sets, .n_sets = 1, .f64 = true});
    cr_assert_not_null(c.program);
    cr_expect_eq(setting(&c, "beta"), 3);
    cr_expect_eq(c.program->module->n_inputs, 1);
    cr_expect_eq(node_type(c.program->module->graph, c.program->module->inputs[0].node)->dtype, DTYPE_F64);
    compiled_free(&c);
}

Test(train, free_sizes_can_be_bound)
{
    BindOption binds[] = {{"features", 5}};
    const char *text = "model m {\n input x: f32[batch, features]\n output y = x |> dense(features // 2)\n}\n";
    Compiled c = compile_with("test.nn", NULL, text, (ProgramOptions){.binds = binds, .n_binds = 1});
    cr_assert_not_null(c.program, "%s", text_get(&c.diagnostics));
    const Module *module = c.program->module;
    Text type = {0};
    type_print(graph_dims(module->graph), node_type(module->graph, module->params[0].node), &type);
    cr_expect_str_eq(text_get(&type), "f32[5, 2]");
    cr_expect_eq(module->n_dims, 1);
    text_free(&type);
    compiled_free(&c);
}
