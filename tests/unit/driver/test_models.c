/* Whole models (golden/models), compiled, give what the graph interpreter gives: outputs, losses, metrics, gradients,
 * updates, in both forms, fused and unfused, in f32 and f64, for batches of any size, for older processors too. And the
 * same bits for any number of threads, as `step` or in three phases, compiled in the process or into a library. */
#include <criterion/parameterized.h>
#include <glob.h>
#include <unistd.h>

#include "models.h"

TestSuite(models, .timeout = 300);

/* What f32 may be off by, relative to the largest element of a tensor; f64: 1e-10. A model whose formulas amplify
 * rounding says so in its first lines: `# tolerance 1e-4`. */
static double tolerance_of(const char *path, const Module *module, bool f64)
{
    size_t size;
    char *text = read_file(path, &size);
    const char *at = strstr(text, "# tolerance ");
    double tolerance = at ? strtod(at + strlen("# tolerance "), NULL) : 2e-5;
    free(text);
    return fmax(f64 ? 1e-10 : tolerance, half_tolerance(module));
}

/* ---- Results of the compiled model ---- */

static void expect_result(const char *label, const Run *run, const Reference *reference, const Result *result,
                          double tolerance)
{
    const Tensor *expected = reference_value(reference, result->value, result->name);
    const char *name = result->name;
    char text[256];
    snprintf(text, sizeof text, "%s%s", result->role == RESULT_GRADIENT ? "grad." : "", name);
    double *found;
    if (result->role == RESULT_UPDATE) {
        int64_t count;
        found = kept_value(run, name, &count);
        cr_assert(found && count == expected->count, "%s: %s", label, name);
    } else {
        found = malloc(((size_t)expected->count + 1) * sizeof *found);
        CHECKED(nn_session_get(run->session, text, NN_TYPE_F64, found, (size_t)expected->count));
    }
    expect_close(label, text, found, expected, tolerance);
    free(found);
}

static void expect_results(const char *label, const Run *run, const Reference *reference, const char *function,
                           unsigned roles, double tolerance)
{
    const Function *wanted = module_function(reference->text.module, function);
    for (uint32_t i = 0; i < wanted->n_results; i++)
        if (roles >> wanted->results[i].role & 1) expect_result(label, run, reference, &wanted->results[i], tolerance);
}

enum { VALUES = 1 << RESULT_OUTPUT | 1 << RESULT_LOSS | 1 << RESULT_METRIC };

static void expect_inference(const char *path, const char *label, Run *run, const Call *call, double tolerance)
{
    Reference reference = reference_new(path, run, call, nn_params_step(run->params));
    CHECKED(nn_session_forward(run->session, call->dims, call->n_dims, call_inputs(call), call->n_inputs, 0));
    expect_results(label, run, &reference, "inference", VALUES | 1 << RESULT_UPDATE, tolerance);
    reference_free(&reference);
}

static void expect_training(const char *path, const char *label, Run *run, const Call *call, double tolerance)
{
    Reference reference = reference_new(path, run, call, nn_params_step(run->params) + 1);
    CHECKED(nn_session_forward(run->session, call->dims, call->n_dims, call_inputs(call), call->n_inputs, 1));
    expect_results(label, run, &reference, "training", VALUES, tolerance);
    CHECKED(nn_session_backward(run->session));
    expect_results(label, run, &reference, "training", VALUES | 1 << RESULT_GRADIENT, tolerance);
    CHECKED(nn_session_update(run->session));
    expect_results(label, run, &reference, "training", 1 << RESULT_UPDATE, tolerance);
    reference_free(&reference);
}

/* What a fresh model starts from. */
static void expect_start(const char *path, const char *label, const Run *run, const Call *call, double tolerance)
{
    Reference reference = reference_new(path, run, call, 0);
    const Function *start = module_function(reference.text.module, "initialise");
    for (uint32_t i = 0; i < start->n_results; i++) {
        int64_t count;
        double *found = kept_value(run, start->results[i].name, &count);
        if (!found) continue;
        expect_close(label, start->results[i].name, found,
                     reference_value(&reference, start->results[i].value, start->results[i].name), tolerance);
        free(found);
    }
    reference_free(&reference);
}

/* ---- Results of a plan, interpreted ---- */

typedef struct {
    const Compiled *compiled;
    const Run *run;
    const Call *call;
    uint64_t step;
} Given;

static void fill_buffer(const Given *given, const PlanBuffer *buffer, void *to, int64_t count)
{
    const Module *module = given->compiled->text.module;
    double *values = NULL, setting;
    if (buffer->role == BUFFER_LITERAL) memcpy(to, buffer->data, buffer->data_size);
    if (buffer->role == BUFFER_INPUT)
        for (uint32_t i = 0; i < module->n_inputs; i++)
            if (graph_node(module->graph, module->inputs[i].node)->attr.name == buffer->name)
                memcpy(to, given->call->inputs[i], (size_t)count * dtype_size(buffer->dtype));
    if (buffer->role == BUFFER_SETTING) {
        setting = setting_value(given->run, buffer->name, given->step);
        dtype_store(buffer->dtype, to, &setting, 1);
    }
    if (buffer->role == BUFFER_PARAM || buffer->role == BUFFER_STATE)
        values = kept_value(given->run, buffer->name, &count);
    if (values) dtype_store(buffer->dtype, to, values, count);
    free(values);
}

static int64_t buffer_elements(const Given *given, const PlanBuffer *buffer)
{
    return elements_of(given->compiled->text.module, given->call, buffer->rank, buffer->dims);
}

static void **run_plan(const Given *given, const Plan *plan, const PlanProgram *program)
{
    void **memory = calloc(program->n_buffers + 1, sizeof *memory);
    const void *pair[] = {plan->module, given->call};
    const char *error = "";
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const PlanBuffer *buffer = &program->buffers[i];
        int64_t count = buffer_elements(given, buffer);
        size_t size = (size_t)count * dtype_size(buffer->dtype);
        memory[i] = malloc(size + 8);
        memset(memory[i], 0xff, size);
        fill_buffer(given, buffer, memory[i], count);
    }
    cr_assert(
        plan_evaluate(given->compiled->text.context, plan, program, memory, call_size, pair, SEED, given->step, &error),
        "%s: %s", program->name, error);
    return memory;
}

static bool holds(const PlanBuffer *buffer, const Result *result)
{
    if (strcmp(buffer->name ? buffer->name : "", result->name)) return false;
    if (result->role == RESULT_UPDATE) return buffer->role == BUFFER_PARAM || buffer->role == BUFFER_STATE;
    return buffer->role == BUFFER_RESULT && buffer->result == result->role;
}

static uint32_t expect_program(const char *label, const Given *given, const Plan *plan, const PlanProgram *program,
                               const Reference *reference, const Function *function, double tolerance)
{
    void **memory = run_plan(given, plan, program);
    uint32_t compared = 0;
    for (uint32_t r = 0; r < function->n_results; r++) {
        const Result *result = &function->results[r];
        for (uint32_t i = 0; i < program->n_buffers; i++) {
            const PlanBuffer *buffer = &program->buffers[i];
            if (!holds(buffer, result)) continue;
            int64_t count = buffer_elements(given, buffer);
            double *found = malloc(((size_t)count + 1) * sizeof *found);
            dtype_load(buffer->dtype, found, memory[i], count);
            expect_close(label, result->name, found, reference_value(reference, result->value, result->name),
                         tolerance);
            free(found);
            compared++;
        }
    }
    for (uint32_t i = 0; i < program->n_buffers; i++) free(memory[i]);
    free(memory);
    return compared;
}

/* The scheduler alone: both plans of each program, kernel by kernel. */
static void expect_plans(const char *path, const char *label, const Compiled *compiled, const Run *run,
                         const Call *call, double tolerance)
{
    static const char *const names[] = {"inference", "training", "step"};
    const Plan *plans[] = {compiled->plan, compiled->unfused};
    for (int n = 0; n < 3; n++) {
        Given given = {compiled, run, call, nn_params_step(run->params) + (n > 0)};
        Reference reference = reference_new(path, run, call, given.step);
        const Function *function = module_function(reference.text.module, n ? "training" : "inference");
        for (int p = 0; p < 2; p++) {
            uint32_t compared = 0;
            char text[700];
            snprintf(text, sizeof text, "%s, %s, %s", label, p ? "unfused" : "fused", names[n]);
            for (uint32_t i = 0; i < plans[p]->n_programs; i++)
                if (!strcmp(plans[p]->programs[i].name, names[n]))
                    compared +=
                        expect_program(text, &given, plans[p], &plans[p]->programs[i], &reference, function, tolerance);
            cr_assert(compared > 0, "%s has no results", text);
        }
        reference_free(&reference);
    }
}

/* ---- Bits ---- */

static void expect_bits(const char *label, const Compiled *compiled, nn_model *library, int64_t batch)
{
    enum { STEPS = 3 };
    const Module *module = compiled->text.module;
    Call call = call_new(module, batch, 3);
    Run first = run_new(compiled->model, &call, 0);
    run_steps(&first, &call, STEPS);
    for (int way = 0; way < 5; way++) {
        static const char *const ways[] = {"phases", "2 threads", "4 threads", "library", "library, phases, 3 threads"};
        static const int threads[] = {0, 2, 4, 0, 3};
        Run run = run_new(way < 3 ? compiled->model : library, &call, threads[way]);
        char text[700];
        snprintf(text, sizeof text, "%s, %s", label, ways[way]);
        if (way == 0 || way == 4)
            run_phases(&run, &call, STEPS);
        else
            run_steps(&run, &call, STEPS);
        expect_same_bits(text, module, &first, &run);
        run_free(&run);
    }
    run_free(&first);
    call_free(&call);
}

/* ---- The tests: one for each text and precision ---- */

static glob_t texts(void)
{
    glob_t files;
    cr_assert_eq(glob(TESTS_FOLDER "/golden/models/*.nn", 0, NULL, &files), 0);
    return files;
}

static struct criterion_test_params each_text(void)
{
    glob_t files = texts();
    size_t count = 2 * files.gl_pathc;
    int *indices = cr_malloc(count * sizeof *indices);
    for (size_t i = 0; i < count; i++) indices[i] = (int)i;
    globfree(&files);
    return cr_make_param_array(int, indices, count);
}

typedef struct {
    char path[512], label[512];
    bool f64;
} Case;

static Case case_of(int index)
{
    glob_t files = texts();
    Case made = {.f64 = index % 2};
    snprintf(made.path, sizeof made.path, "%s", files.gl_pathv[index / 2]);
    snprintf(made.label, sizeof made.label, "%s in %s", strrchr(made.path, '/') + 1, made.f64 ? "f64" : "f32");
    globfree(&files);
    return made;
}

/* A few updates first, so that the optimizer's states and the running ones are not zero. */
static void expect_agreement(const Case *this, const Compiled *compiled, int64_t batch, bool plans)
{
    char label[560];
    double tolerance = tolerance_of(this->path, compiled->text.module, this->f64);
    snprintf(label, sizeof label, "%s, %lld rows", this->label, (long long)batch);
    Call call = call_new(compiled->text.module, batch, (uint64_t)batch);
    Run run = run_new(compiled->model, &call, 0);
    expect_start(this->path, label, &run, &call, tolerance);
    run_steps(&run, &call, 2);
    if (plans) expect_plans(this->path, label, compiled, &run, &call, tolerance);
    expect_training(this->path, label, &run, &call, tolerance);
    expect_inference(this->path, label, &run, &call, tolerance);
    run_free(&run);
    call_free(&call);
}

ParameterizedTestParameters(models, agree_with_the_interpreter)
{
    return each_text();
}

ParameterizedTest(int *index, models, agree_with_the_interpreter)
{
    Case this = case_of(*index);
    Compiled compiled = compile_model(this.path, this.f64, NULL);
    expect_agreement(&this, &compiled, 1, false);
    expect_agreement(&this, &compiled, 7, true);
    if (!this.f64) {
        expect_agreement(&this, &compiled, 2, false);
        expect_agreement(&this, &compiled, 64, false);
    }
    compiled_free(&compiled);
}

ParameterizedTestParameters(models, older_processors)
{
    return each_text();
}

ParameterizedTest(int *index, models, older_processors)
{
    static const char *const cpus[] = {"x86-64-v2", "x86-64-v3"};
    Case this = case_of(*index);
    for (int i = 0; i < 2 && !this.f64; i++) {
        Compiled compiled = compile_model(this.path, this.f64, cpus[i]);
        expect_agreement(&this, &compiled, 7, false);
        compiled_free(&compiled);
    }
}

ParameterizedTestParameters(models, same_bits)
{
    return each_text();
}

ParameterizedTest(int *index, models, same_bits)
{
    Case this = case_of(*index);
    Compiled compiled = compile_model(this.path, this.f64, NULL);
    char path[64];
    snprintf(path, sizeof path, "/tmp/nnc-models-%d.so", (int)getpid());
    CodegenOptions how = {.level = 2, .threads = 1};
    bool written = codegen_write(compiled.text.context, compiled.plan, &how, CODEGEN_LIBRARY, path);
    expect_no_errors(compiled.text.context, this.path);
    cr_assert(written);
    nn_model *library;
    CHECKED(nn_model_open(path, NULL, &library));
    remove(path);
    expect_bits(this.label, &compiled, library, 64);
    expect_bits(this.label, &compiled, library, 7);
    nn_model_free(library);
    compiled_free(&compiled);
}
