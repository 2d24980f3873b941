/* Any free size may be 0 or 1: every operator along every axis, and whole models, compiled in the process and into a
 * library, with one thread and several, in guarded memory, give what the interpreter gives. A call without rows leaves
 * what is learned as it was. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <unistd.h>

#include "host/guard.h"
#include "models.h"

TestSuite(empty, .timeout = 300);

/* ---- One compiled text, in several ways ---- */

enum { WAYS = 4 };

static const char *const way_names[WAYS] = {"1 thread", "4 threads", "4 threads, guarded", "library, guarded"};
static const int way_threads[WAYS] = {0, 4, 4, 0};

typedef struct {
    Compiled compiled;
    nn_model *ways[WAYS];
} Ways;

static Ways ways_new(const char *label, Text_program text)
{
    Ways made = {.compiled = compile_program(label, text, NULL)};
    Context *context = made.compiled.text.context;
    nn_memory guard = nn_guard_memory();
    nn_options guarded = NN_OPTIONS_INIT;
    guarded.memory = &guard;
    char path[64];
    snprintf(path, sizeof path, "/tmp/nnc-empty-%d.so", (int)getpid());
    CodegenOptions how = {.level = 1, .threads = 1};
    cr_assert(codegen_write(context, made.compiled.plan, &how, CODEGEN_LIBRARY, path), "%s", label);
    made.ways[0] = made.ways[1] = made.compiled.model;
    CHECKED(nn_model_from_image(jit_image(made.compiled.jit), &guarded, &made.ways[2]));
    CHECKED(nn_model_open(path, &guarded, &made.ways[3]));
    remove(path);
    return made;
}

static void ways_free(Ways *made)
{
    nn_model_free(made->ways[2]);
    nn_model_free(made->ways[3]);
    compiled_free(&made->compiled);
}

/* The next assignment of 0, 1 and `most` to the free sizes; false after the last. */
static bool next_sizes(int64_t *sizes, uint32_t count, int64_t most)
{
    for (uint32_t i = 0; i < count; i++) {
        sizes[i] = sizes[i] == most ? 0 : sizes[i] ? most : 1;
        if (sizes[i]) return true;
    }
    return false;
}

static const char *sizes_text(const Module *module, const int64_t *sizes, char *to, size_t size)
{
    size_t at = 0;
    for (uint32_t i = 0; i < module->n_dims; i++)
        at += (size_t)snprintf(to + at, size - at, " %s = %lld", module->dims[i], (long long)sizes[i]);
    return to;
}

/* NaN and infinities included. */
static void expect_alike(const char *label, const char *name, const double *found, const Tensor *expected,
                         double tolerance)
{
    double scale = 1e-2;
    for (int64_t i = 0; i < expected->count; i++)
        if (isfinite(expected->data[i])) scale = fmax(scale, fabs(expected->data[i]));
    for (int64_t i = 0; i < expected->count; i++) {
        double x = expected->data[i], y = found[i];
        bool alike = x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= tolerance * scale;
        cr_assert(alike, "%s: %s[%lld] is %.9g, not %.9g", label, name, (long long)i, y, x);
    }
}

/* ---- Every operator ---- */

/* Statements over x and u, f32[a, b, c], and ids i, i32[k] in b. `refused`: the sizes that must not be 0. */
typedef struct {
    const char *what, *text, *refused;
} Row;

#define EACH_AXIS(f, close)                                                                                            \
    "y0 = " f "(x, axis = 0)" close "\ny1 = " f "(x, axis = 1)" close "\ny2 = " f "(x, axis = 2)" close "\n"           \
    "output y0\noutput y1\noutput y2\n"
#define GRADIENTS                                                                                                      \
    "first = grad(sum(y0^2) + sum(y1^2) + sum(y2^2), x)\noutput first\noutput second = grad(sum(first * u), x)\n"
#define REDUCTION(f)                                                                                                   \
    {                                                                                                                  \
        f, EACH_AXIS(f, "") GRADIENTS "output all = " f "(x)\n", ""                                                    \
    }
#define SCAN(f)                                                                                                        \
    {                                                                                                                  \
        f, EACH_AXIS(f, "") GRADIENTS, ""                                                                              \
    }
#define MOVEMENT(what, e)                                                                                              \
    {                                                                                                                  \
        what, "y = (" e ") * 1.5\noutput y\noutput first = grad(sum(y^2), x)\n", ""                                    \
    }

static const Row row_list[] = {
    REDUCTION("sum"),
    REDUCTION("prod"),
    REDUCTION("max"),
    REDUCTION("min"),
    REDUCTION("logsumexp"),
    REDUCTION("mean"),
    REDUCTION("variance"),
    {"any", "output y0 = any(x > 0, axis = 0)\noutput y1 = any(x > 0, axis = 1)\noutput y2 = any(x > 0)\n", ""},
    {"all", "output y0 = all(x > 0, axis = 0)\noutput y1 = all(x > 0, axis = 1)\noutput y2 = all(x > 0)\n", ""},
    {"argmax of the first", "output y = argmax(x, axis = 0)\n", "a"},
    {"argmax of the middle", "output y = argmax(x, axis = 1)\n", "b"},
    {"argmin of the last", "output y = argmin(x)\n", "c"},
    {"largest id", "output y = max(i)\n", "k"},
    {"least id", "output y = min(i)\n", "k"},
    {"padded ids", "j = pad(i, [[1, 0]])\noutput y[n] = x[0, j[n], 0]\n", "abc"},
    SCAN("softmax"),
    SCAN("log_softmax"),
    SCAN("cumsum"),
    {"integer cumsum", "output y = cumsum(i)\n", ""},
    MOVEMENT("reshape", "reshape(x, [c, b * a])"),
    MOVEMENT("transpose", "transpose(x, [2, 0, 1])"),
    MOVEMENT("slice", "x[a:, :0]"),
    MOVEMENT("pad", "pad(x, [[0, 1], [2, 0], [1, 1]])"),
    MOVEMENT("concat 0", "concat(x, u, x, axis = 0)"),
    MOVEMENT("concat 1", "concat(u, x, axis = 1)"),
    MOVEMENT("concat 2", "concat(x, u, axis = 2)"),
    MOVEMENT("stack", "stack(x, u, axis = 1)"),
    MOVEMENT("reverse", "reverse(reverse(x, axis = 0), axis = 2)"),
    MOVEMENT("tile", "tile(x, [2, 1, 3])"),
    MOVEMENT("roll", "roll(x, 1, axis = 1)"),
    MOVEMENT("select", "if x < u then x else u * x"),
    {"gather",
     "y[n, j, m] = x[n, i[j], m] * 2\noutput y\noutput first = grad(sum(y^2), x)\n"
     "output second = grad(sum(first * u), x)\n",
     ""},
    {"one_hot", "output y = one_hot(i, b)\n", ""},
    {"contraction of the last",
     "y[n, j, m] = sum[c](x[n, j, c] * u[n, m, c])\noutput y\noutput first = grad(sum(y^2), x)\n", ""},
    {"contraction of the first",
     "y[j, m] = sum[n](sum[l](x[n, j, l] * u[n, m, l]))\noutput y\noutput first = grad(sum(y^2), x)\n", ""},
    {"product", "y = reshape(x, [a * b, c]) @ reshape(u, [c, a * b])\noutput y\noutput first = grad(sum(y^2), x)\n",
     ""},
    {"matrix by vector", "y[n, j] = sum[c](x[n, j, c] * u[0, 0, c])\noutput y\n", "ab"},
    {"dense", "output y = dense(dense(reshape(x, [a * b * c, 1]), 5), 40)\n", ""},
    {"random", "draw r: [a, b, c] ~ uniform\noutput y = x + r\n", ""},
    {"iota", "output y[p in b, q in c] = p + 2 * q\n", ""},
    {"size", "output y = a * b + x[0, 0, 0]\n", "abc"},
};
enum { ROWS = sizeof row_list / sizeof *row_list };

static Text_program row_program(const Row *row, bool f64)
{
    Text text = {0};
    text_format(&text,
                "model m {\ninput x: f32[a, b, c]\ninput u: f32[a, b, c]\ninput i: i32[k] in b\n%soutput seen = i\n}\n",
                row->text);
    Text_program made = program_of_text(row->what, text_get(&text), text.count, f64);
    text_free(&text);
    return made;
}

/* True if the sizes must be refused: a result needs an element that is not there, or no id is in an empty range. */
static bool is_refused(const Row *row, const int64_t *sizes)
{
    bool refused = !sizes[1] && sizes[3];
    for (const char *name = row->refused; *name; name++) {
        static const char order[] = "abck";
        refused = refused || !sizes[strchr(order, *name) - order];
    }
    return refused;
}

static void expect_outputs(const char *label, const Run *run, Eval *eval, const Function *inference)
{
    for (uint32_t i = 0; i < inference->n_results; i++) {
        const Result *result = &inference->results[i];
        if (result->role != RESULT_OUTPUT) continue;
        const Tensor *expected;
        cr_assert(eval_run(eval, &result->value, 1, &expected), "%s: %s", label, eval_message(eval));
        double *found = malloc(((size_t)expected->count + 1) * sizeof *found);
        CHECKED(nn_session_get(run->session, result->name, NN_TYPE_F64, found, (size_t)expected->count));
        expect_alike(label, result->name, found, expected, 2e-5);
        free(found);
    }
}

static void bind_call(Eval *eval, const Module *module, const Run *run, const Call *call)
{
    for (uint32_t i = 0; i < module->n_dims; i++) eval_bind_size(eval, module->dims[i], call->dims[i]);
    for (uint32_t i = 0; i < module->n_inputs; i++)
        bind_node(eval, module, module->inputs[i].node, call->numbers[i], call->counts[i]);
    for (uint32_t i = 0; i < module->n_params; i++) {
        int64_t count = 0;
        double *values = kept_value(run, graph_node(module->graph, module->params[i].node)->attr.name, &count);
        bind_node(eval, module, module->params[i].node, values, count);
        free(values);
    }
}

static void expect_row(const Row *row, const Ways *ways, Eval *eval, const Module *module, const int64_t *sizes)
{
    bool refused = is_refused(row, sizes);
    for (int way = 0; way < WAYS; way++) {
        char label[256], text[128];
        snprintf(label, sizeof label, "%s,%s, %s", row->what, sizes_text(module, sizes, text, sizeof text),
                 way_names[way]);
        Call call = call_of_sizes(ways->compiled.text.module, sizes, 1);
        Run run = run_new(ways->ways[way], &call, way_threads[way]);
        int status = nn_session_forward(run.session, call.dims, call.n_dims, call_inputs(&call), call.n_inputs, 0);
        cr_assert_eq(!!status, refused, "%s: %s", label, status ? nn_message() : "is not refused");
        if (!status) {
            bind_call(eval, module, &run, &call);
            expect_outputs(label, &run, eval, module_function(module, "inference"));
        }
        run_free(&run);
        call_free(&call);
    }
}

ParameterizedTestParameters(empty, operators)
{
    int *indices = cr_malloc(ROWS * sizeof *indices);
    for (int i = 0; i < ROWS; i++) indices[i] = i;
    return cr_make_param_array(int, indices, ROWS);
}

ParameterizedTest(int *index, empty, operators)
{
    const Row *row = &row_list[*index];
    Ways ways = ways_new(row->what, row_program(row, false));
    Text_program literal = row_program(row, true);
    cr_assert(pass_run("differentiate", literal.module, NULL));
    EvalOptions how = {.f64 = true, .seed = SEED};
    Eval *eval = eval_new(literal.module->graph, &how);
    int64_t sizes[MAX_DIMS] = {0};
    cr_assert_eq(literal.module->n_dims, 4);
    do expect_row(row, &ways, eval, literal.module, sizes);
    while (next_sizes(sizes, 4, 3));
    eval_free(eval);
    text_program_free(&literal);
    ways_free(&ways);
}

static void note_operators(const Module *module, bool *found)
{
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    for (uint32_t i = 0; i < count; i++) found[node_op(module->graph, nodes[i])] = true;
    free(nodes);
}

/* No text of the language makes these; schedule/test_window has their empty axes. */
static bool has_no_text(int op)
{
    return op == OP_WINDOW || op == OP_UNWINDOW;
}

/* Elementwise operators are all computed by one kind of loop, and sources have no axes of their own. */
Test(empty, every_operator_has_a_row)
{
    bool found[OP_COUNT] = {false};
    for (size_t i = 0; i < ROWS; i++) {
        Text_program text = row_program(&row_list[i], false);
        note_operators(text.module, found);
        cr_assert(pass_run("differentiate", text.module, NULL));
        note_operators(text.module, found);
        text_program_free(&text);
    }
    for (int op = 0; op < OP_COUNT; op++) {
        OpClass class = op_info((Op)op)->class;
        bool needed = class != OP_CLASS_SOURCE && class != OP_CLASS_ELEMENTWISE && class != OP_CLASS_DIFFERENTIAL;
        cr_expect(found[op] || !needed || has_no_text(op), "%s has no row", op_info((Op)op)->spelling);
    }
    cr_expect(found[OP_RANDOM] && found[OP_IOTA] && found[OP_SIZE] && found[OP_SELECT]);
}

/* An index into no elements is an error, and nothing is read or written where it points; nor is there one without
 * anything to look up. */
Test(empty, indices_into_nothing)
{
    static const Row row = {"indices into nothing",
                            "j = i32(sum(x * 0, axis = [1, 2]))\ny[p, n, m] = x[n, j[p], m] * 2\noutput y\n"
                            "output first = grad(sum(y^2), x)\n",
                            ""};
    Ways ways = ways_new(row.what, row_program(&row, false));
    for (int way = 0; way < WAYS; way++) {
        for (int64_t width = 0; width < 200; width += 1 + width) {
            int64_t sizes[MAX_DIMS] = {2, 0, width, 0};
            Call call = call_of_sizes(ways.compiled.text.module, sizes, 1);
            Run run = run_new(ways.ways[way], &call, way_threads[way]);
            int status = nn_session_forward(run.session, call.dims, call.n_dims, call_inputs(&call), call.n_inputs, 0);
            cr_expect_eq(status, width ? NN_ERROR_RANGE : NN_OK, "%s, width %lld: %s", way_names[way], (long long)width,
                         nn_message());
            run_free(&run);
            call_free(&call);
        }
    }
    ways_free(&ways);
}

/* ---- Whole models ---- */

typedef struct {
    size_t size;
    char *bytes;
} Saved;

/* Everything that outlives the call: weights, states, optimizer states, step, and the states of the session. */
static Saved save(const Run *run, const Module *module)
{
    Saved saved = {0};
    CHECKED(nn_params_save_memory(run->params, NULL, 0, &saved.size));
    saved.bytes = malloc(saved.size);
    CHECKED(nn_params_save_memory(run->params, saved.bytes, saved.size, &saved.size));
    for (uint32_t i = 0; i < module->n_states; i++) {
        int64_t count = 0;
        double *values = kept_value(run, graph_node(module->graph, module->states[i].node)->attr.name, &count);
        size_t more = (size_t)count * sizeof *values;
        saved.bytes = realloc(saved.bytes, saved.size + more + 1);
        memcpy(saved.bytes + saved.size, values, more);
        saved.size += more;
        free(values);
    }
    return saved;
}

static void expect_unchanged(const char *label, const char *after, const Run *run, const Module *module,
                             const Saved *before)
{
    Saved now = save(run, module);
    cr_assert(now.size == before->size && !memcmp(now.bytes, before->bytes, now.size), "%s: %s changes what is kept",
              label, after);
    free(now.bytes);
}

static bool has_rows(const Module *module, const Call *call)
{
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        const Type *type = node_type(module->graph, module->inputs[i].node);
        int64_t known;
        bool fixed = dim_is_constant(graph_dims(module->graph), type_elements(graph_dims(module->graph), type), &known);
        if (!fixed && call->counts[i]) return true;
    }
    return false;
}

static void expect_values(const char *label, const Run *run, const Reference *reference, const char *function)
{
    enum { VALUES = 1 << RESULT_OUTPUT | 1 << RESULT_LOSS | 1 << RESULT_METRIC };
    const Function *wanted = module_function(reference->text.module, function);
    double tolerance = fmax(2e-4, half_tolerance(reference->text.module));
    for (uint32_t i = 0; i < wanted->n_results; i++) {
        const Result *result = &wanted->results[i];
        if (!(VALUES >> result->role & 1)) continue;
        const Tensor *expected = reference_value(reference, result->value, result->name);
        double *found = malloc(((size_t)expected->count + 1) * sizeof *found);
        CHECKED(nn_session_get(run->session, result->name, NN_TYPE_F64, found, (size_t)expected->count));
        expect_alike(label, result->name, found, expected, tolerance);
        free(found);
    }
}

static void forward(const Run *run, const Call *call, int training)
{
    CHECKED(nn_session_forward(run->session, call->dims, call->n_dims, call_inputs(call), call->n_inputs, training));
}

/* One call of each kind gives the right values; without rows none leaves a trace. */
static void expect_calls(const char *path, const char *label, const Run *run, const Call *call, const Module *module)
{
    bool empty = !has_rows(module, call);
    forward(run, call, 0); /* makes the states of the session */
    Saved before = save(run, module);
    Reference inference = reference_new(path, run, call, nn_params_step(run->params));
    forward(run, call, 0);
    expect_values(label, run, &inference, "inference");
    reference_free(&inference);
    if (empty) expect_unchanged(label, "predicting", run, module, &before);
    Reference training = reference_new(path, run, call, nn_params_step(run->params) + 1);
    forward(run, call, 1);
    expect_values(label, run, &training, "training");
    reference_free(&training);
    CHECKED(nn_session_backward(run->session));
    CHECKED(nn_session_update(run->session));
    if (empty) expect_unchanged(label, "training in phases", run, module, &before);
    float loss;
    CHECKED(nn_session_step(run->session, call->dims, call->n_dims, call_inputs(call), call->n_inputs, &loss));
    if (empty) expect_unchanged(label, "a step", run, module, &before);
    free(before.bytes);
}

static glob_t texts(void)
{
    glob_t files;
    cr_assert_eq(glob(TESTS_FOLDER "/golden/models/*.nn", 0, NULL, &files), 0);
    return files;
}

ParameterizedTestParameters(empty, models)
{
    glob_t files = texts();
    int *indices = cr_malloc(files.gl_pathc * sizeof *indices);
    for (size_t i = 0; i < files.gl_pathc; i++) indices[i] = (int)i;
    size_t count = files.gl_pathc;
    globfree(&files);
    return cr_make_param_array(int, indices, count);
}

ParameterizedTest(int *index, empty, models)
{
    glob_t files = texts();
    const char *path = files.gl_pathv[*index], *name = strrchr(path, '/') + 1;
    Ways ways = ways_new(path, text_program(path, false));
    const Module *module = ways.compiled.text.module;
    int64_t sizes[MAX_DIMS] = {0};
    bool without_rows = false;
    do {
        for (int way = 0; way < WAYS; way++) {
            char label[400], text[128];
            snprintf(label, sizeof label, "%s,%s, %s", name, sizes_text(module, sizes, text, sizeof text),
                     way_names[way]);
            Call call = call_of_sizes(ways.compiled.text.module, sizes, 1);
            Run run = run_new(ways.ways[way], &call, way_threads[way]);
            expect_calls(path, label, &run, &call, module);
            without_rows = without_rows || !has_rows(module, &call);
            run_free(&run);
            call_free(&call);
        }
    } while (next_sizes(sizes, module->n_dims, 5));
    cr_expect(without_rows, "%s", name);
    ways_free(&ways);
    globfree(&files);
}
