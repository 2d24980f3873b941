/* nnc check: types and shapes, then the gradients of this very model at random points. */
#include <stdlib.h>
#include <string.h>

#include "autodiff/check.h"
#include "driver/commands.h"
#include "driver/values.h"
#include "nn_shown.h"
#include "passes/passes.h"
#include "support/vector.h"

enum { ROWS = 3 };

typedef struct {
    Pipeline *pipeline;
    Module *module;
    Eval *eval;
    Vec(Node) wanted;
} Checker;

static bool bind_values(Checker *c, Node node, const void *values)
{
    const Type *type = node_type(c->module->graph, node);
    int64_t count;
    if (!sizes_elements(c->pipeline, type, &count)) return false;
    return eval_bind_elements(c->eval, node, type->dtype, values, count);
}

/* Parameters and states start as training would start them. */
static bool bind_start(Checker *c)
{
    const Function *start = module_function(c->module, "initialise");
    for (uint32_t i = 0; i < start->n_results; i++) {
        const Tensor *tensor;
        if (!eval_run(c->eval, &start->results[i].value, 1, &tensor)) return false;
        double *copy = malloc(((size_t)tensor->count + 1) * sizeof *copy);
        int64_t count = tensor->count;
        if (!copy) abort();
        memcpy(copy, tensor->data, (size_t)count * sizeof *copy);
        for (uint32_t j = 0; j < c->module->n_params + c->module->n_states; j++) {
            Node node =
                j < c->module->n_params ? c->module->params[j].node : c->module->states[j - c->module->n_params].node;
            if (graph_node(c->module->graph, node)->attr.name == start->results[i].name)
                eval_bind(c->eval, node, copy, count);
        }
        free(copy);
    }
    return true;
}

static bool bind_all(Checker *c, const Values *values)
{
    const Graph *graph = c->module->graph;
    for (uint32_t i = 0; i < c->module->n_dims; i++) eval_bind_size(c->eval, c->module->dims[i], c->pipeline->dims[i]);
    for (uint32_t i = 0; i < c->module->n_settings; i++) {
        double number = graph_node(graph, c->module->settings[i].node)->attr.number;
        eval_bind(c->eval, c->module->settings[i].node, &number, 1);
    }
    for (uint32_t i = 0; i < c->module->n_inputs; i++)
        if (!bind_values(c, c->module->inputs[i].node, values->at[i])) return false;
    return bind_start(c);
}

static void list_wanted(Checker *c)
{
    for (uint32_t i = 0; i < c->module->n_params; i++) vec_push(&c->wanted, c->module->params[i].node);
    for (uint32_t i = 0; i < c->module->n_inputs; i++)
        if (dtype_is_float(node_type(c->module->graph, c->module->inputs[i].node)->dtype))
            vec_push(&c->wanted, c->module->inputs[i].node);
}

static bool print_results(const Checker *c, const CheckResult *results)
{
    static const char *const verdicts[] = {"right", "right, at a kink", "as declared, which is not the true derivative",
                                           "WRONG"};
    bool good = true;
    printf("%-32s %14s %12s %12s\n", "gradient of the loss by", "slope", "forward", "differences");
    for (size_t i = 0; i < c->wanted.count; i++) {
        const CheckResult *r = &results[i];
        printf("%-32s %14.6g %12.1e %12.1e  %s\n", graph_node(c->module->graph, r->node)->attr.name,
               nn_shown_number(r->slope), nn_shown_number(r->forward_error), nn_shown_number(r->difference_error),
               verdicts[r->verdict]);
        good = good && r->verdict != CHECK_WRONG;
    }
    return good;
}

static bool check(Pipeline *pipeline, const Values *values)
{
    Module *module = pipeline->program->module;
    Function *training = module_function(module, "training");
    EvalOptions how = {.smooth = true, .seed = pipeline_seed(pipeline)};
    Checker c = {.pipeline = pipeline, .module = module, .eval = eval_new(module->graph, &how)};
    const RuleSet *partials = rules_load_builtin(pipeline->context, "partials.nn");
    list_wanted(&c);
    CheckResult *results = ARENA_ARRAY(pipeline->context->arena, CheckResult, c.wanted.count);
    bool good = partials && bind_all(&c, values) &&
                check_gradients(c.eval, module->graph, partials, training->loss, c.wanted.at, (uint32_t)c.wanted.count,
                                CHECK_DEFAULTS, results) &&
                print_results(&c, results);
    vec_free(&c.wanted);
    eval_free(c.eval);
    return good;
}

/* The model in f64, in which differences are taken; mistakes are told of the types as they are written. */
static bool elaborate(Pipeline *pipeline)
{
    if (pipeline_program(pipeline, true)) return true;
    Options quiet = *pipeline->options;
    quiet.dump_after = NULL;
    Pipeline written = pipeline_start(&quiet);
    if (pipeline_program(&written, false)) {
        pipeline_drop(&written);
        return false;
    }
    written.options = pipeline->options;
    pipeline_drop(pipeline);
    *pipeline = written;
    return false;
}

int command_CHECK(const Options *options)
{
    Pipeline pipeline = pipeline_start(options);
    if (!elaborate(&pipeline)) return pipeline_finish(&pipeline, EXIT_USER);
    PassOptions how = pipeline_explaining(&pipeline);
    if (!passes_run(RECIPE_CHECK, pipeline.program->module, &how)) return pipeline_finish(&pipeline, EXIT_USER);
    Values values = {0};
    bool good = true;
    if (node_is_none(module_function(pipeline.program->module, "training")->loss)) {
        printf("types and shapes are right; there is no loss whose gradients could be checked\n");
    } else {
        good = sizes_choose(&pipeline, ROWS) && values_random(&pipeline, pipeline_seed(&pipeline), &values) &&
               check(&pipeline, &values);
    }
    values_free(&values);
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
