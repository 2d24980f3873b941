/* What the tests of whole models share: a `.nn` text through the whole pipe, reproducible inputs, the values of a model
 * as doubles by name, and the same text as a differentiated graph that the interpreter evaluates. */
#ifndef TESTS_DRIVER_MODELS_H
#define TESTS_DRIVER_MODELS_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/codegen.h"
#include "elaborate/program.h"
#include "ir/eval.h"
#include "nn.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

enum { SEED = 5, MAX_DIMS = 4, MAX_INPUTS = 8 };

#define CHECKED(call) cr_assert(!(call), "%s: %s", #call, nn_message())

/* ---- Texts to programs ---- */

typedef struct {
    Context *context;
    Program *program;
    Module *module;
} Text_program;

static inline void expect_no_errors(Context *context, const char *path)
{
    Text text = {0};
    diagnostics_print(context->diagnostics, &text);
    cr_assert(diagnostics_errors(context->diagnostics) == 0, "%s: %s", path, text_get(&text));
    text_free(&text);
}

static inline Text_program program_of_text(const char *path, const char *text, size_t size, bool f64)
{
    Text_program made = {.context = context_new()};
    const Source *source = source_add(made.context->sources, path, text, size);
    ProgramOptions options = {.f64 = f64};
    made.program = program_compile(made.context, path, source, &options);
    expect_no_errors(made.context, path);
    made.module = made.program->module;
    return made;
}

static inline Text_program text_program(const char *path, bool f64)
{
    size_t size;
    char *text = read_file(path, &size);
    cr_assert(text, "%s", path);
    Text_program made = program_of_text(path, text, size, f64);
    free(text);
    return made;
}

static inline void text_program_free(Text_program *made)
{
    graph_free(made->module->graph);
    context_free(made->context);
}

/* ---- Programs to models ---- */

typedef struct {
    Text_program text;
    Plan *plan, *unfused;
    Jit *jit;
    nn_model *model;
} Compiled;

static inline Compiled compile_program(const char *path, Text_program text, const char *cpu)
{
    Compiled made = {.text = text};
    Context *context = made.text.context;
    cr_assert(passes_run(RECIPE_COMPILE, made.text.module, NULL), "%s", path);
    ScheduleOptions apart = {.unfused = true};
    made.plan = schedule(context, made.text.module, NULL);
    made.unfused = schedule(context, made.text.module, &apart);
    const char *wrong = plan_verify(context, made.plan);
    cr_assert_null(wrong, "%s: %s", path, wrong);
    wrong = plan_verify(context, made.unfused);
    cr_assert_null(wrong, "%s: %s", path, wrong);
    CodegenOptions how = {.level = 1, .cpu = cpu, .threads = 1};
    made.jit = jit_compile(context, made.plan, &how);
    expect_no_errors(context, path);
    CHECKED(nn_model_from_image(jit_image(made.jit), NULL, &made.model));
    return made;
}

static inline Compiled compile_model(const char *path, bool f64, const char *cpu)
{
    return compile_program(path, text_program(path, f64), cpu);
}

static inline void compiled_free(Compiled *made)
{
    nn_model_free(made->model);
    jit_free(made->jit);
    text_program_free(&made->text);
}

/* ---- A call: sizes and inputs ---- */

typedef struct {
    int64_t dims[MAX_DIMS];
    size_t n_dims, n_inputs;
    double *numbers[MAX_INPUTS]; /* of each input, and the same in its own type */
    void *inputs[MAX_INPUTS];
    int64_t counts[MAX_INPUTS];
} Call;

static inline bool call_size(void *data, Name symbol, int64_t *value)
{
    const void *const *pair = data;
    const Module *module = pair[0];
    const Call *call = pair[1];
    for (uint32_t i = 0; i < module->n_dims; i++) {
        if (module->dims[i] != symbol) continue;
        *value = call->dims[i];
        return true;
    }
    return false;
}

static inline int64_t size_of(const Module *module, const Call *call, Dim dim)
{
    const void *pair[] = {module, call};
    int64_t value;
    cr_assert(dim_evaluate(graph_dims(module->graph), dim, call_size, pair, &value));
    return value;
}

static inline int64_t elements_of(const Module *module, const Call *call, uint32_t rank, const Dim *dims)
{
    int64_t count = 1;
    for (uint32_t i = 0; i < rank; i++) count *= size_of(module, call, dims[i]);
    return count;
}

/* Reals evenly between -1 and 1; integers within their range, else -9 … 9 (bytes: any). */
static inline double random_element(const Type *type, int64_t range, uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    double uniform = (double)(*state >> 11) * 0x1p-53;
    if (dtype_is_float(type->dtype)) return dtype_round(DTYPE_F32, 2 * uniform - 1);
    if (type->dtype == DTYPE_BOOL) return uniform < 0.5;
    if (type->dtype == DTYPE_U8) return floor(256 * uniform);
    return range > 0 ? floor(uniform * (double)range) : floor(19 * uniform) - 9;
}

static inline Call call_of_sizes(const Module *module, const int64_t *sizes, uint64_t seed)
{
    Call call = {.n_dims = module->n_dims, .n_inputs = module->n_inputs};
    uint64_t state = seed * 977 + 13;
    cr_assert(module->n_dims <= MAX_DIMS && module->n_inputs <= MAX_INPUTS);
    memcpy(call.dims, sizes, module->n_dims * sizeof *sizes);
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        Type type = *node_type(module->graph, module->inputs[i].node);
        int64_t count = elements_of(module, &call, type.rank, type.dims);
        int64_t range = dim_is_none(type.range) ? 0 : size_of(module, &call, type.range);
        call.counts[i] = count;
        call.numbers[i] = malloc(((size_t)count + 1) * sizeof(double));
        call.inputs[i] = malloc(((size_t)count + 1) * dtype_size(type.dtype));
        for (int64_t k = 0; k < count; k++) call.numbers[i][k] = random_element(&type, range, &state);
        dtype_store(type.dtype, call.inputs[i], call.numbers[i], count);
    }
    return call;
}

/* The first free size is `batch`, the others are 3, 4, … */
static inline Call call_new(const Module *module, int64_t batch, uint64_t seed)
{
    int64_t sizes[MAX_DIMS];
    for (int i = 0; i < MAX_DIMS; i++) sizes[i] = i == 0 ? batch : 2 + i;
    return call_of_sizes(module, sizes, seed);
}

static inline void call_free(Call *call)
{
    for (size_t i = 0; i < call->n_inputs; i++) {
        free(call->numbers[i]);
        free(call->inputs[i]);
    }
}

static inline const void *const *call_inputs(const Call *call)
{
    return (const void *const *)call->inputs;
}

/* ---- Parameters and a session ---- */

typedef struct {
    nn_params *params;
    nn_session *session;
    nn_pool *pool;
} Run;

static inline Run run_new(nn_model *model, const Call *call, int threads)
{
    Run run = {0};
    int64_t dims[MAX_DIMS];
    for (size_t i = 0; i < call->n_dims; i++) dims[i] = nn_model_dim_of_params(model, i) ? call->dims[i] : -1;
    CHECKED(nn_params_new(model, dims, call->n_dims, SEED, &run.params));
    if (threads > 0) CHECKED(nn_pool_new(threads, &run.pool));
    CHECKED(nn_session_new(run.params, run.pool, &run.session));
    return run;
}

static inline void run_free(Run *run)
{
    nn_session_free(run->session);
    nn_params_free(run->params);
    nn_pool_free(run->pool);
}

static inline void run_steps(Run *run, const Call *call, int steps)
{
    for (int i = 0; i < steps; i++)
        CHECKED(nn_session_step(run->session, call->dims, call->n_dims, call_inputs(call), call->n_inputs, NULL));
}

static inline int64_t shape_elements(int rank, const int64_t *dims)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++) count *= dims[i];
    return count;
}

/* The value of a parameter or state (the session's, if it is not the parameters'); NULL when it has none yet. malloc'd.
 */
static inline double *kept_value(const Run *run, const char *name, int64_t *count)
{
    int rank;
    int64_t dims[12];
    bool kept = !nn_params_shape(run->params, name, &rank, dims);
    if (!kept && nn_session_shape(run->session, name, &rank, dims)) return NULL;
    *count = shape_elements(rank, dims);
    double *values = malloc(((size_t)*count + 1) * sizeof *values);
    if (kept)
        CHECKED(nn_params_get(run->params, name, NN_TYPE_F64, values, (size_t)*count));
    else
        CHECKED(nn_session_get(run->session, name, NN_TYPE_F64, values, (size_t)*count));
    return values;
}

/* ---- The reference ---- */

typedef struct {
    Text_program text; /* in f64, differentiated and nothing else */
    Eval *eval;
} Reference;

static inline double setting_value(const Run *run, const char *name, uint64_t step)
{
    double value, steps = 0;
    if (!strcmp(name, "step")) return (double)step;
    if (!strcmp(name, "progress")) {
        (void)nn_params_setting(run->params, "steps", &steps);
        return steps > 0 && step > 0 ? fmin((double)(step - 1) / steps, 1) : 0;
    }
    CHECKED(nn_params_setting(run->params, name, &value));
    return value;
}

static inline void bind_node(Eval *eval, const Module *module, Node node, const double *values, int64_t count)
{
    cr_assert(eval_bind(eval, node, values, count), "%s", graph_node(module->graph, node)->attr.name);
}

/* A first line `# stable` of a text says that its formulas, taken literally, overflow: then the reference is the graph
 * in its stable form. */
static inline bool wants_stable(const char *path)
{
    size_t size;
    char *text = read_file(path, &size);
    bool stable = !strncmp(text, "# stable", strlen("# stable"));
    free(text);
    return stable;
}

/* Binds everything as it stands before a call of that step. */
static inline Reference reference_of(const char *path, Text_program text, const Run *run, const Call *call,
                                     uint64_t step)
{
    Reference made = {.text = text};
    Module *module = made.text.module;
    cr_assert(pass_run("differentiate", module, NULL), "%s", path);
    EvalOptions how = {.f64 = true, .seed = SEED, .step = (uint32_t)step};
    made.eval = eval_new(module->graph, &how);
    for (uint32_t i = 0; i < module->n_dims; i++) eval_bind_size(made.eval, module->dims[i], call->dims[i]);
    for (uint32_t i = 0; i < module->n_inputs; i++)
        bind_node(made.eval, module, module->inputs[i].node, call->numbers[i], call->counts[i]);
    for (uint32_t i = 0; i < module->n_settings; i++) {
        double value = setting_value(run, graph_node(module->graph, module->settings[i].node)->attr.name, step);
        bind_node(made.eval, module, module->settings[i].node, &value, 1);
    }
    for (uint32_t i = 0; i < module->n_params + module->n_states; i++) {
        Node node = i < module->n_params ? module->params[i].node : module->states[i - module->n_params].node;
        int64_t count;
        double *values = kept_value(run, graph_node(module->graph, node)->attr.name, &count);
        if (!values) continue;
        bind_node(made.eval, module, node, values, count);
        free(values);
    }
    return made;
}

static inline Reference reference_new(const char *path, const Run *run, const Call *call, uint64_t step)
{
    Text_program text = text_program(path, true);
    if (wants_stable(path)) cr_assert(pass_run("simplify", text.module, NULL), "%s", path);
    return reference_of(path, text, run, call, step);
}

static inline void reference_free(Reference *made)
{
    eval_free(made->eval);
    text_program_free(&made->text);
}

static inline const Tensor *reference_value(const Reference *made, Node node, const char *name)
{
    const Tensor *tensor = NULL;
    cr_assert(eval_run(made->eval, &node, 1, &tensor), "%s: %s", name, eval_message(made->eval));
    return tensor;
}

/* What results may be off by where the module computes in bf16 or f16: a few units in the last place, relative to a
 * tensor's largest element, since what lies between two such numbers may be rounded to either. 0 where it does not. */
static inline double half_tolerance(const Module *module)
{
    enum { UNITS = 4 };
    double unit = 0;
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    for (uint32_t i = 0; i < count; i++) {
        DType dtype = node_type(module->graph, nodes[i])->dtype;
        if (dtype_accumulator(dtype) == dtype) continue;
        double next = 1; /* the first number above 1, by halves */
        while (dtype_round(dtype, 1 + next / 2) > 1) next /= 2;
        unit = fmax(unit, next);
    }
    free(nodes);
    return UNITS * unit;
}

/* Every element within `tolerance`, relative to the tensor's largest. */
static inline void expect_close(const char *label, const char *name, const double *found, const Tensor *expected,
                                double tolerance)
{
    double scale = 1e-2;
    for (int64_t i = 0; i < expected->count; i++)
        if (isfinite(expected->data[i])) scale = fmax(scale, fabs(expected->data[i]));
    for (int64_t i = 0; i < expected->count; i++) {
        double x = expected->data[i], y = found[i];
        cr_assert(isfinite(x), "%s: %s[%lld] should be %g", label, name, (long long)i, x);
        cr_assert(fabs(x - y) <= tolerance * scale, "%s: %s[%lld] is %.17g, not %.17g", label, name, (long long)i, y,
                  x);
    }
}

/* ---- Bits ---- */

static inline void expect_same_bits(const char *label, const Module *module, const Run *a, const Run *b)
{
    for (uint32_t i = 0; i < module->n_params + module->n_states; i++) {
        Node node = i < module->n_params ? module->params[i].node : module->states[i - module->n_params].node;
        const char *name = graph_node(module->graph, node)->attr.name;
        int64_t count, again;
        double *x = kept_value(a, name, &count), *y = kept_value(b, name, &again);
        cr_assert(x && y && count == again, "%s: %s", label, name);
        for (int64_t k = 0; k < count; k++)
            cr_assert(!memcmp(&x[k], &y[k], sizeof *x), "%s: %s[%lld] is %.17g and %.17g", label, name, (long long)k,
                      x[k], y[k]);
        free(x);
        free(y);
    }
    cr_assert_eq(nn_params_step(a->params), nn_params_step(b->params), "%s", label);
}

static inline void run_phases(Run *run, const Call *call, int steps)
{
    for (int i = 0; i < steps; i++) {
        CHECKED(nn_session_forward(run->session, call->dims, call->n_dims, call_inputs(call), call->n_inputs, 1));
        CHECKED(nn_session_backward(run->session));
        CHECKED(nn_session_update(run->session));
    }
}

#endif
