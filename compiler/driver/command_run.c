/* nnc run: evaluates a model on arrays and writes an .npz. */
#include <stdlib.h>
#include <string.h>

#include "data/npy.h"
#include "driver/arguments.h"
#include "driver/commands.h"
#include "driver/feed.h"
#include "driver/sizes.h"
#include "ir/build.h"
#include "passes/passes.h"
#include "support/vector.h"

typedef struct {
    Pipeline *pipeline;
    Module *module;
    Feed feed;
    Vec(Result) results;
} Run;

/* True when every input and target beneath the node is given. */
static bool is_fed(const Run *run, Node node)
{
    uint32_t count;
    Node *nodes = graph_reachable(run->module->graph, &node, 1, &count);
    bool fed = true;
    for (uint32_t i = 0; i < count && fed; i++) {
        Op op = node_op(run->module->graph, nodes[i]);
        fed = (op != OP_INPUT && op != OP_TARGET) || feed_has(&run->feed, nodes[i]);
    }
    free(nodes);
    return fed;
}

static void add_result(Run *run, const char *prefix, Name name, Node value)
{
    Name full = intern_format(run->pipeline->context->names, "%s%s", prefix, name);
    vec_push(&run->results, (Result){RESULT_VALUE, full, value, NODE_NONE});
}

static Node find_source(const Run *run, const char *name)
{
    const Module *module = run->module;
    for (uint32_t i = 0; i < module->n_inputs + module->n_params; i++) {
        Node node = i < module->n_inputs ? module->inputs[i].node : module->params[i - module->n_inputs].node;
        if (!strcmp(graph_node(module->graph, node)->attr.name, name)) return node;
    }
    diag_new(run->pipeline->context->diagnostics, DIAG_unknown_input, NO_SPAN,
             "--grad %s: the model has no input or parameter of that name", name);
    return NODE_NONE;
}

static bool add_gradients(Run *run, Node loss)
{
    const TextList *wanted = &run->pipeline->options->gradients;
    Context *context = run->pipeline->context;
    if (wanted->count && (node_is_none(loss) || !is_fed(run, loss))) {
        diag_new(context->diagnostics, node_is_none(loss) ? DIAG_no_loss : DIAG_missing_input, NO_SPAN, "--grad: %s",
                 node_is_none(loss) ? "the model has no loss" : "the loss needs every target; --input gives them");
        return false;
    }
    for (size_t i = 0; i < wanted->count; i++) {
        for (const char *at = wanted->at[i]; *at;) {
            size_t length = strcspn(at, ",");
            Name name = intern_length(context->names, at, length);
            Node node = find_source(run, name);
            if (node_is_none(node)) return false;
            add_result(run, "grad.", name, build_gradient(run->module->graph, loss, node));
            at += length + (at[length] == ',');
        }
    }
    return true;
}

/* Names the first input that is missing. */
static bool nothing_to_compute(const Run *run)
{
    const Module *module = run->module;
    Name missing = NULL;
    for (uint32_t i = 0; i < module->n_inputs && !missing; i++)
        if (!feed_has(&run->feed, module->inputs[i].node))
            missing = graph_node(module->graph, module->inputs[i].node)->attr.name;
    Diag *diag = diag_new(run->pipeline->context->diagnostics, missing ? DIAG_missing_input : DIAG_no_loss, NO_SPAN,
                          "nothing can be computed: %s",
                          missing ? "inputs are missing" : "the model has neither outputs nor a loss");
    if (missing) diag_hint(diag, "--input %s=FILE.npy gives one", missing);
    return false;
}

/* The module's functions become "initialise" and "run": what can be computed from what is given. */
static bool choose_results(Run *run)
{
    bool training = run->pipeline->options->training;
    const Function *form = module_function(run->module, training ? "training" : "inference");
    for (uint32_t i = 0; i < form->n_results; i++) {
        const Result *result = &form->results[i];
        if (!is_fed(run, result->value)) continue;
        if (result->role == RESULT_OUTPUT) add_result(run, "", result->name, result->value);
        if (result->role == RESULT_UPDATE && training && node_op(run->module->graph, result->old) == OP_STATE &&
            strncmp(result->name, "optimizer/", 10))
            add_result(run, "state.", result->name, result->value);
    }
    if (!node_is_none(form->loss) && is_fed(run, form->loss))
        add_result(run, "", intern(run->pipeline->context->names, "loss"), form->loss);
    if (!add_gradients(run, form->loss)) return false;
    if (!run->results.count) return nothing_to_compute(run);
    Function *functions = ARENA_ARRAY(run->pipeline->context->arena, Function, 2);
    functions[0] = *module_function(run->module, "initialise");
    functions[1] = (Function){.name = intern(run->pipeline->context->names, "run"),
                              .results = run->results.at,
                              .n_results = (uint32_t)run->results.count};
    run->module->functions = functions;
    run->module->n_functions = 2;
    return true;
}

static bool write_results(Run *run, nn_session *session)
{
    nn_npz *npz;
    if (nn_npz_new(run->pipeline->options->output, &npz)) return pipeline_failed(run->pipeline, "writing the results");
    bool good = true;
    for (size_t i = 0; i < run->results.count && good; i++) {
        nn_array array = {.name = (char *)run->results.at[i].name};
        const void *values;
        good = !nn_session_result(session, array.name, &values, &array.type, &array.rank, array.dims);
        array.values = (void *)values;
        array.elements = 1;
        for (int d = 0; d < array.rank; d++) array.elements *= array.dims[d];
        good = good && !nn_npz_add(npz, &array);
    }
    if (!good) pipeline_failed(run->pipeline, "writing the results");
    if (nn_npz_close(npz, good) && good) good = pipeline_failed(run->pipeline, "writing the results");
    return good;
}

static bool execute(Run *run, nn_params *params, nn_pool *pool)
{
    Pipeline *pipeline = run->pipeline;
    nn_session *session;
    if (nn_session_new(params, pool, &session)) return pipeline_failed(pipeline, "making a session");
    nn_params_set_step(params, 0);
    bool good = !nn_session_run(session, "run", pipeline->dims, pipeline->n_dims, run->feed.values, run->feed.count) ||
                pipeline_failed(pipeline, "running the model");
    good = good && write_results(run, session);
    nn_session_free(session);
    return good;
}

static bool run_model(Run *run)
{
    static const char *const programs[] = {"initialise", "run", NULL};
    Pipeline *pipeline = run->pipeline;
    if (!feed_read(pipeline, &run->feed) || !choose_results(run) || !pipeline_model(pipeline, programs)) return false;
    nn_params *params = pipeline_params(pipeline, NN_LOAD_WEIGHTS);
    nn_pool *pool = params ? pipeline_pool(pipeline) : NULL;
    bool good = pool && execute(run, params, pool);
    nn_params_free(params);
    nn_pool_free(pool);
    return good;
}

int command_RUN(const Options *options)
{
    if (!options->output) return usage_error(options, "where to? -o OUT.npz");
    const char *precision = options->precision ? options->precision : "f32";
    if (strcmp(precision, "f32") && strcmp(precision, "f64"))
        return usage_error(options, "--precision is f32 or f64, not `%s`", precision);
    Pipeline pipeline = pipeline_start(options);
    pipeline.no_evaluation = true;
    bool good = false;
    if (pipeline_program(&pipeline, !strcmp(precision, "f64"))) {
        Run run = {.pipeline = &pipeline, .module = pipeline.program->module};
        good = run_model(&run);
        feed_free(&run.feed);
        vec_free(&run.results);
    }
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
