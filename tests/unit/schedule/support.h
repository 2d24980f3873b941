/* What the scheduler's tests share: modules built by hand, and plans run slowly against the graph interpreter. */
#ifndef NNC_TESTS_SCHEDULE_SUPPORT_H
#define NNC_TESTS_SCHEDULE_SUPPORT_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/build.h"
#include "ir/eval.h"
#include "ir/module.h"
#include "passes/passes.h"
#include "schedule/schedule.h"
#include "support/vector.h"

enum { MAX_DECLARED = 3000, MAX_RESULTS = 6000, MAX_SYMBOLS = 8, SEED = 7, STEP = 3 };

/* A module while it is built, and the sizes with which it is tried. */
typedef struct {
    Context *context;
    Graph *graph;
    DimTable *dims;
    Module module;
    Function functions[4];
    Declared inputs[16], params[MAX_DECLARED], states[MAX_DECLARED], settings[8];
    Name symbols[MAX_SYMBOLS];
    int64_t sizes[MAX_SYMBOLS];
    uint32_t n_symbols;
    double tolerance; /* of results, relative to the largest element */
} Model;

static inline Model *model_new(void)
{
    Model *model = calloc(1, sizeof *model);
    model->tolerance = 2e-6;
    model->context = context_new();
    model->graph = graph_new(model->context);
    model->dims = graph_dims(model->graph);
    model->module = (Module){.name = intern(model->context->names, "test"),
                             .graph = model->graph,
                             .inputs = model->inputs,
                             .params = model->params,
                             .states = model->states,
                             .settings = model->settings,
                             .functions = model->functions,
                             .dims = model->symbols};
    return model;
}

static inline void model_free(Model *model)
{
    graph_free(model->graph);
    context_free(model->context);
    free(model);
}

static inline Name name_of(Model *model, const char *text)
{
    return intern(model->context->names, text);
}

static inline Dim size_free(Model *model, const char *name, int64_t value)
{
    model->symbols[model->n_symbols] = name_of(model, name);
    model->sizes[model->n_symbols] = value;
    model->module.n_dims = model->n_symbols + 1;
    return dim_symbol(model->dims, model->symbols[model->n_symbols++]);
}

static inline Dim size_of(Model *model, int64_t value)
{
    return dim_constant(model->dims, value);
}

static inline Type type_of(DType dtype, uint32_t rank, Dim a, Dim b, Dim c, Dim d)
{
    Dim dims[] = {a, b, c, d};
    return type_make(dtype, rank, dims);
}

#define VECTOR(a) type_of(DTYPE_F32, 1, (a), DIM_NONE, DIM_NONE, DIM_NONE)
#define MATRIX(a, b) type_of(DTYPE_F32, 2, (a), (b), DIM_NONE, DIM_NONE)
#define CUBE(a, b, c) type_of(DTYPE_F32, 3, (a), (b), (c), DIM_NONE)

static inline Node declare(Model *model, Op op, const char *name, Type type)
{
    Node node = build_source(model->graph, op, name_of(model, name), type);
    Module *module = &model->module;
    if (op == OP_PARAM) model->params[module->n_params++].node = node;
    if (op == OP_STATE) model->states[module->n_states++].node = node;
    if (op == OP_INPUT || op == OP_TARGET) model->inputs[module->n_inputs++].node = node;
    return node;
}

static inline Node declare_ids(Model *model, const char *name, Dim count, Dim range)
{
    Type type = type_of(DTYPE_I32, 1, count, DIM_NONE, DIM_NONE, DIM_NONE);
    type.range = range;
    return declare(model, OP_TARGET, name, type);
}

static inline Node declare_setting(Model *model, const char *name, double value)
{
    Node node = build_setting(model->graph, name_of(model, name), DTYPE_F32, value);
    model->settings[model->module.n_settings++].node = node;
    return node;
}

static inline Function *add_function(Model *model, const char *name)
{
    Function *function = &model->functions[model->module.n_functions++];
    function->name = name_of(model, name);
    function->results = ARENA_ARRAY(model->context->arena, Result, MAX_RESULTS);
    return function;
}

static inline void add_result(Model *model, Function *function, ResultRole role, const char *name, Node value, Node old)
{
    Result *result = &function->results[function->n_results++];
    *result = (Result){.role = role, .name = name_of(model, name), .value = value, .old = old};
    if (role == RESULT_LOSS) function->loss = value;
}

/* The passes move results; their arrays are the module's own afterwards, or still these. */
static inline void finish_model(Model *model)
{
    cr_assert(passes_run(RECIPE_COMPILE, &model->module, NULL));
    const char *wrong = module_verify(&model->module);
    cr_assert_null(wrong, "%s", wrong);
}

static inline Plan *plan_model(Model *model, bool unfused)
{
    ScheduleOptions options = {.unfused = unfused};
    Plan *plan = schedule(model->context, &model->module, &options);
    const char *wrong = plan_verify(model->context, plan);
    if (wrong) {
        Text text = {0};
        plan_print(plan, &text);
        cr_assert(false, "%s\n%s", wrong, text_get(&text));
    }
    return plan;
}

static inline const PlanProgram *program_of(const Plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->n_programs; i++)
        if (!strcmp(plan->programs[i].name, name)) return &plan->programs[i];
    cr_assert(false, "no program %s", name);
    return NULL;
}

static inline bool symbol_value(void *data, Name symbol, int64_t *value)
{
    const Model *model = data;
    for (uint32_t i = 0; i < model->n_symbols; i++) {
        if (model->symbols[i] != symbol) continue;
        *value = model->sizes[i];
        return true;
    }
    return false;
}

static inline int64_t count_elements(Model *model, uint32_t rank, const Dim *dims)
{
    int64_t count = 1, size;
    for (uint32_t i = 0; i < rank; i++) {
        cr_assert(dim_evaluate(model->dims, dims[i], symbol_value, model, &size));
        count *= size;
    }
    return count;
}

/* Reproducible values for a source: of its name, within its range. */
static inline double *source_values(Model *model, Node node, int64_t *count)
{
    const NodeInfo *info = graph_node(model->graph, node);
    *count = count_elements(model, info->type.rank, info->type.dims);
    double *values = malloc((size_t)(*count + 1) * sizeof *values);
    int64_t range = 5;
    if (!dim_is_none(info->type.range)) dim_evaluate(model->dims, info->type.range, symbol_value, model, &range);
    uint64_t state = hash_bytes(HASH_START, info->attr.name, strlen(info->attr.name));
    for (int64_t i = 0; i < *count; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        double uniform = (double)(state >> 11) * 0x1p-53;
        values[i] = dtype_is_float(info->type.dtype) ? 2 * uniform - 1 : floor(uniform * (double)range);
        if (info->op == OP_SETTING) values[i] = info->attr.number;
        if (info->op == OP_STATE) values[i] = uniform;
        values[i] = dtype_round(info->type.dtype, values[i]);
    }
    return values;
}

static inline Node source_named(Model *model, const PlanBuffer *buffer)
{
    const Module *module = &model->module;
    const Declared *lists[] = {module->inputs, module->params, module->states, module->settings};
    uint32_t counts[] = {module->n_inputs, module->n_params, module->n_states, module->n_settings};
    const Declared *items = lists[buffer->role];
    for (uint32_t i = 0; i < counts[buffer->role]; i++)
        if (graph_node(model->graph, items[i].node)->attr.name == buffer->name) return items[i].node;
    return NODE_NONE;
}

/* The program's memory after a run; free with buffers_free. */
static inline void **run_program(Model *model, const Plan *plan, const PlanProgram *program)
{
    void **memory = calloc(program->n_buffers + 1, sizeof *memory);
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const PlanBuffer *buffer = &program->buffers[i];
        int64_t count = count_elements(model, buffer->rank, buffer->dims);
        size_t size = (size_t)count * dtype_size(buffer->dtype);
        memory[i] = malloc(size + 1);
        memset(memory[i], 0xff, size);
        if (buffer->role == BUFFER_LITERAL) memcpy(memory[i], buffer->data, buffer->data_size);
        if (buffer->role > BUFFER_SETTING) continue;
        Node source = source_named(model, buffer);
        if (node_is_none(source)) continue;
        int64_t given;
        double *values = source_values(model, source, &given);
        cr_assert_eq(given, count);
        dtype_store(buffer->dtype, memory[i], values, count);
        free(values);
    }
    const char *error = "";
    cr_assert(plan_evaluate(model->context, plan, program, memory, symbol_value, model, SEED, STEP, &error), "%s",
              error);
    return memory;
}

static inline void buffers_free(const PlanProgram *program, void **memory)
{
    for (uint32_t i = 0; i < program->n_buffers; i++) free(memory[i]);
    free(memory);
}

/* Where a program leaves a result, or UINT32_MAX. */
static inline uint32_t buffer_of(Model *model, const PlanProgram *program, const Result *result)
{
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const PlanBuffer *buffer = &program->buffers[i];
        if (result->role == RESULT_UPDATE) {
            BufferRole role = node_op(model->graph, result->old) == OP_PARAM ? BUFFER_PARAM : BUFFER_STATE;
            if (buffer->role == role && buffer->name == graph_node(model->graph, result->old)->attr.name) return i;
        } else if (result->role == RESULT_INIT) {
            if ((buffer->role == BUFFER_PARAM || buffer->role == BUFFER_STATE) && buffer->name == result->name)
                return i;
        } else if (buffer->role == BUFFER_RESULT && buffer->result == result->role && buffer->name == result->name) {
            return i;
        }
    }
    return UINT32_MAX;
}

static inline Eval *reference(Model *model)
{
    EvalOptions options = {.seed = SEED, .step = STEP};
    Eval *eval = eval_new(model->graph, &options);
    const Module *module = &model->module;
    for (uint32_t i = 0; i < model->n_symbols; i++) eval_bind_size(eval, model->symbols[i], model->sizes[i]);
    const Declared *lists[] = {module->inputs, module->params, module->states, module->settings};
    uint32_t counts[] = {module->n_inputs, module->n_params, module->n_states, module->n_settings};
    for (uint32_t l = 0; l < 4; l++)
        for (uint32_t i = 0; i < counts[l]; i++) {
            int64_t count;
            double *values = source_values(model, lists[l][i].node, &count);
            cr_assert(eval_bind(eval, lists[l][i].node, values, count));
            free(values);
        }
    return eval;
}

/* True when a program has to leave it somewhere. */
static inline bool is_delivered(const Result *result, bool step)
{
    if (result->role == RESULT_UPDATE && node_same(result->value, result->old)) return false;
    return !step || (result->role != RESULT_OUTPUT && result->role != RESULT_GRADIENT);
}

/* Every result of the function that the program delivers is the interpreter's; returns how many. */
static inline uint32_t expect_results(Model *model, const Plan *plan, const Function *function, const char *name)
{
    const PlanProgram *program = program_of(plan, name);
    void **memory = run_program(model, plan, program);
    Eval *eval = reference(model);
    uint32_t compared = 0;
    for (uint32_t i = 0; i < function->n_results; i++) {
        const Result *result = &function->results[i];
        uint32_t at = is_delivered(result, false) ? buffer_of(model, program, result) : UINT32_MAX;
        if (at == UINT32_MAX) continue;
        const Tensor *expected;
        cr_assert(eval_run(eval, &result->value, 1, &expected), "%s", eval_message(eval));
        const PlanBuffer *buffer = &program->buffers[at];
        double *found = malloc((size_t)(expected->count + 1) * sizeof *found);
        dtype_load(buffer->dtype, found, memory[at], expected->count);
        double scale = 1e-3;
        for (int64_t j = 0; j < expected->count; j++)
            if (isfinite(expected->data[j])) scale = fmax(scale, fabs(expected->data[j]));
        for (int64_t j = 0; j < expected->count; j++) {
            double x = expected->data[j], y = found[j];
            bool same = x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= model->tolerance * scale;
            cr_assert(same, "%s: %s[%lld] is %.9g, not %.9g", name, result->name, (long long)j, y, x);
        }
        free(found);
        compared++;
    }
    eval_free(eval);
    buffers_free(program, memory);
    return compared;
}

static inline void expect_program(Model *model, const Plan *plan, const Function *function, bool step)
{
    const char *name = step ? "step" : function->name;
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < function->n_results; i++) wanted += is_delivered(&function->results[i], step);
    uint32_t delivered = expect_results(model, plan, function, name);
    cr_assert_eq(delivered, wanted, "%s: %u of %u results", name, delivered, wanted);
}

/* Fused and unfused, all programs of the model give what the interpreter gives. */
static inline void expect_model(Model *model)
{
    for (int unfused = 0; unfused < 2; unfused++) {
        Plan *plan = plan_model(model, unfused);
        for (uint32_t i = 0; i < model->module.n_functions; i++) {
            const Function *function = &model->module.functions[i];
            expect_program(model, plan, function, false);
            if (!strcmp(function->name, "training")) expect_program(model, plan, function, true);
        }
    }
}

/* The step leaves the same bits as the three phases. */
static inline void expect_step_equals_training(Model *model)
{
    Plan *plan = plan_model(model, false);
    const PlanProgram *training = program_of(plan, "training"), *step = program_of(plan, "step");
    void **a = run_program(model, plan, training), **b = run_program(model, plan, step);
    const Function *function = module_function(&model->module, "training");
    for (uint32_t i = 0; i < function->n_results; i++) {
        if (!is_delivered(&function->results[i], true)) continue;
        uint32_t in_step = buffer_of(model, step, &function->results[i]);
        uint32_t in_training = buffer_of(model, training, &function->results[i]);
        const PlanBuffer *buffer = &step->buffers[in_step];
        size_t size = (size_t)count_elements(model, buffer->rank, buffer->dims) * dtype_size(buffer->dtype);
        cr_expect(!memcmp(a[in_training], b[in_step], size), "%s differs", function->results[i].name);
    }
    buffers_free(training, a);
    buffers_free(step, b);
}

/* The names of a program's kernels in order, blanks between. */
static inline const char *kernel_names(Model *model, const Plan *plan, const char *name)
{
    const PlanProgram *program = program_of(plan, name);
    Text text = {0};
    for (uint32_t i = 0; i < program->n_launches; i++)
        text_format(&text, "%s%s", i ? " " : "", plan->kernels[program->launches[i].kernel]->name);
    const char *result = arena_text(model->context->arena, text_get(&text), text.count);
    text_free(&text);
    return result;
}

#endif
