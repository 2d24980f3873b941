/* Three small networks, trained by every optimiser in f64 through compiled code, give PyTorch's losses step by step;
 * the golden files and the script that makes them are in golden/curves. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/codegen.h"
#include "elaborate/program.h"
#include "nn.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

typedef struct {
    Context *context;
    Program *program;
    Jit *jit;
    nn_model *model;
    nn_params *params;
    nn_session *session;
} Net;

static void expect_no_errors(Context *context)
{
    Text text = {0};
    diagnostics_print(context->diagnostics, &text);
    cr_assert(diagnostics_errors(context->diagnostics) == 0, "%s", text_get(&text));
    text_free(&text);
}

/* The network of a file with a train block behind it. */
static Net net_new(const char *name, const char *optimizer, long long rows)
{
    Net net = {.context = context_new()};
    size_t size;
    char path[512];
    snprintf(path, sizeof path, "%s/golden/curves/%s.nn", TESTS_FOLDER, name);
    char *file = read_file(path, &size);
    cr_assert(file, "%s", path);
    char *text =
        arena_format(net.context->arena, "%s\ntrain net { optimizer = %s; batch = %lld; steps = 25; seed = 1 }\n", file,
                     optimizer, rows);
    free(file);
    const Source *source = source_add(net.context->sources, name, text, strlen(text));
    ProgramOptions options = {.f64 = true};
    net.program = program_compile(net.context, NULL, source, &options);
    expect_no_errors(net.context);
    bool rewritten = passes_run(RECIPE_COMPILE, net.program->module, NULL);
    expect_no_errors(net.context);
    cr_assert(rewritten);
    Plan *plan = schedule(net.context, net.program->module, NULL);
    CodegenOptions how = {.level = 1};
    net.jit = jit_compile(net.context, plan, &how);
    expect_no_errors(net.context);
    cr_assert(!nn_model_from_image(jit_image(net.jit), NULL, &net.model), "%s", nn_message());
    cr_assert(!nn_params_new(net.model, NULL, 0, 1, &net.params), "%s", nn_message());
    cr_assert(!nn_session_new(net.params, NULL, &net.session), "%s", nn_message());
    return net;
}

static void net_free(Net *net)
{
    nn_session_free(net->session);
    nn_params_free(net->params);
    nn_model_free(net->model);
    jit_free(net->jit);
    graph_free(net->program->module->graph);
    context_free(net->context);
}

static double *numbers(const json_t *array, size_t *count)
{
    *count = json_array_size(array);
    double *values = malloc((*count + 1) * sizeof *values);
    for (size_t i = 0; i < *count; i++) values[i] = json_number_value(json_array_get(array, i));
    return values;
}

static void set_start(Net *net, const json_t *start)
{
    const char *path;
    json_t *values;
    json_object_foreach((json_t *)start, path, values)
    {
        size_t count;
        double *at = numbers(values, &count);
        cr_assert(!nn_params_set(net->params, path, NN_TYPE_F64, at, count), "%s", nn_message());
        free(at);
    }
}

static void expect_curve(Net *net, const char *label, const json_t *golden, const json_t *curve)
{
    size_t n_x, n_t;
    double *x = numbers(json_object_get(golden, "x"), &n_x), *t = numbers(json_object_get(golden, "t"), &n_t);
    int32_t ids[64];
    bool integers = node_type(net->program->module->graph, net->program->module->inputs[1].node)->dtype == DTYPE_I32;
    for (size_t i = 0; i < n_t && integers; i++) ids[i] = (int32_t)t[i];
    const int64_t dims[] = {json_integer_value(json_object_get(golden, "rows"))};
    const void *inputs[] = {x, integers ? (const void *)ids : t};
    set_start(net, json_object_get(golden, "start"));
    for (size_t step = 0; step < json_array_size(curve); step++) {
        double wanted = json_number_value(json_array_get(curve, step)), loss = NAN;
        cr_assert(!nn_session_step(net->session, dims, 1, inputs, 2, NULL), "%s", nn_message());
        cr_assert(!nn_session_get(net->session, "loss", NN_TYPE_F64, &loss, 1), "%s", nn_message());
        cr_assert(fabs(loss - wanted) <= 1e-11 * fabs(wanted), "%s, step %zu: %.17g instead of %.17g", label, step + 1,
                  loss, wanted);
    }
    free(x);
    free(t);
}

static void expect_golden(const char *name)
{
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/golden/curves/%s.json", TESTS_FOLDER, name);
    json_t *golden = json_load_file(path, 0, &error);
    cr_assert(golden, "%s: %s", path, error.text);
    const char *optimizer;
    json_t *curve;
    json_object_foreach(json_object_get(golden, "curves"), optimizer, curve)
    {
        Net net = net_new(name, optimizer, json_integer_value(json_object_get(golden, "rows")));
        char label[256];
        snprintf(label, sizeof label, "%s with %s", name, optimizer);
        expect_curve(&net, label, golden, curve);
        net_free(&net);
    }
    json_decref(golden);
}

Test(curves, logistic)
{
    expect_golden("logistic");
}

Test(curves, classifier)
{
    expect_golden("classifier");
}

Test(curves, regression)
{
    expect_golden("regression");
}
