/* What is printed is what is meant: the text of a formula, read back as statements, gives the formula's value. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <ctype.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "driver/repl_session.h"

typedef struct {
    const char *statements; /* a line each */
    const char *expression;
} Case;

#define DATA "input x: f32[n, 4]\ninput t: f32[n]\ninput label: i32[n] in 3\n"
#define LINEAR DATA "param w: f32[4] = 0.1\nparam b: f32 = 0.2\ny = x @ w + b\n"
#define NETWORK(act)                                                                                                   \
    DATA "param W: f32[4, 5] ~ normal\nparam c: f32[5] ~ normal\nparam V: f32[5, 3] ~ normal\nparam d: f32[3] = 0\n"   \
         "h = " act "(x @ W + c)\nz = h @ V + d\nC = cross_entropy(z, label)\n"
#define ACTIVATION(act)                                                                                                \
    {                                                                                                                  \
        "input x: f32[n, 4]\ny = " act "(x)\n", "grad(y, x)"                                                           \
    }

static const Case cases[] = {
    {LINEAR "L = mean((y - t)^2)", "grad(L, w)"},
    {LINEAR "L = mean((y - t)^2)", "grad(L, b)"},
    {LINEAR "L = mean((y - t)^2)", "grad(L, x)"},
    {LINEAR "L = huber(y, t)", "grad(L, w)"},
    {LINEAR "L = mae(y, t)", "grad(L, w)"},
    {LINEAR "L = bce_logits(y, t)", "grad(L, w)"},
    {LINEAR "L = bce_logits(y, t)", "grad(L, b)"},
    {LINEAR "p = sigmoid(y)\nL = bce(p, sigmoid(t))", "grad(L, w)"},
    {LINEAR "L = variance(y)", "grad(L, w)"},
    {NETWORK("tanh"), "grad(C, W)"},
    {NETWORK("tanh"), "grad(C, c)"},
    {NETWORK("tanh"), "grad(C, V)"},
    {NETWORK("tanh"), "grad(C, d)"},
    {NETWORK("tanh"), "grad(C, x)"},
    {NETWORK("relu"), "grad(C, W)"},
    {NETWORK("gelu"), "grad(C, W)"},
    {NETWORK("silu"), "grad(C, x)"},
    {NETWORK("tanh") "s = softmax(z)\n", "grad(sum(s^2), z)"},
    {NETWORK("tanh") "s = softmax(z, axis = 0)\n", "grad(sum(s^2), z)"},
    {NETWORK("tanh") "q = logsumexp(z)\n", "grad(q, z)"},
    {DATA "m = max(x, axis = 1)\n", "sum(x * x) / 3 - m @ m"},
    {DATA "u = x[:, 1:3]\n", "grad(sum(u^3), x)"},
    {DATA "u = concat(x, 2 * x, axis = 1)\n", "grad(sum(u^2), x)"},
    {DATA "u = x.T @ x\n", "grad(sum(u), x)"},
    {DATA "u = t * 2\n", "grad(sum(t^2 * u / 7), t)"},
    {DATA "k = mean(x, axis = 1)\n", "grad(variance(k), x)"},
    ACTIVATION("sigmoid"),
    ACTIVATION("tanh"),
    ACTIVATION("relu"),
    ACTIVATION("leaky_relu"),
    ACTIVATION("elu"),
    ACTIVATION("selu"),
    ACTIVATION("celu"),
    ACTIVATION("gelu"),
    ACTIVATION("gelu_tanh"),
    ACTIVATION("silu"),
    ACTIVATION("mish"),
    ACTIVATION("softplus"),
    ACTIVATION("softsign"),
    ACTIVATION("hard_sigmoid"),
    ACTIVATION("hard_swish"),
    ACTIVATION("sin"),
    ACTIVATION("tan"),
    ACTIVATION("atan"),
    ACTIVATION("sinh"),
    ACTIVATION("erf"),
    ACTIVATION("expm1"),
    ACTIVATION("softmax"),
    ACTIVATION("log_softmax"),
    {"input x: f32[n, 4]\nv = sigmoid(x)\ny = sqrt(v) + log(v) + asin(v) + acos(v) + log1p(v)\n", "grad(y, x)"},
};

enum { N_CASES = sizeof cases / sizeof *cases };

static Options options;

static Session *session_start(void)
{
    char *argv[] = {"nnc", "repl", NULL};
    int status;
    cr_assert(options_parse(&options, 2, argv, &status));
    return session_new(&options);
}

static double draw(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / (1 << 23) - 1;
}

/* Reals between low and high, or, where there are classes, one of these each. */
typedef struct {
    double low, high;
    int classes;
} Range;

static void give_random(Session *session, const char *name, uint32_t rank, const int64_t *dims, Range range)
{
    unsigned state = 12345 + 77 * (unsigned char)name[0] + 7 * (unsigned char)name[strlen(name) - 1];
    Array array = array_new(range.classes ? DTYPE_I32 : DTYPE_F32, rank, dims);
    for (int64_t i = 0; i < array.count; i++) {
        double unit = 0.5 + 0.5 * draw(&state);
        if (range.classes)
            ((int32_t *)array.data)[i] = (int32_t)(i % range.classes);
        else
            ((float *)array.data)[i] = (float)(range.low + (range.high - range.low) * unit);
    }
    session_give(session, name, array);
}

typedef struct {
    char *text;
    Array value;
} Found;

static bool find(Session *session, Value value, void *data)
{
    Found *found = data;
    Outcome outcome;
    value = value_as_tensor(session->el, value, DTYPE_F32, NO_SPAN);
    bool good = session_evaluate(session, value.node, EVALUATE_VALUE, &outcome);
    if (good) {
        cr_assert(outcome.known, "%s has no value", outcome.missing);
        found->text = strdup(text_get(&outcome.text));
        found->value = outcome.value;
        outcome.value = (Array){0};
    }
    outcome_free(&outcome);
    return good;
}

/* Runs all lines but the last one, which is returned. */
static const char *run_lines(Session *session, char *text)
{
    for (char *end; (end = strchr(text, '\n')); text = end + 1) {
        *end = '\0';
        session_line(session, text);
    }
    return text;
}

/* The element of b that stands for element i of a where b is stretched to a's shape; -1 when it cannot be. */
static int64_t stretched(const Array *a, const Array *b, int64_t i)
{
    int64_t index = 0, stride = 1;
    for (uint32_t k = 1; k <= a->rank; k++) {
        int64_t size = a->dims[a->rank - k], own = k <= b->rank ? b->dims[b->rank - k] : 1, at = i % size;
        if (own != size && own != 1) return -1;
        if (own != 1) index += at * stride;
        stride *= own;
        i /= size;
    }
    return b->rank > a->rank ? -1 : index;
}

static bool near(const Array *a, const Array *b)
{
    for (int64_t i = 0; i < a->count; i++) {
        int64_t k = stretched(a, b, i);
        if (k < 0) return false;
        double x = array_at(a, i), y = array_at(b, k);
        if (!(fabs(x - y) <= 2e-5 * (1 + fabs(x)))) return false;
    }
    return true;
}

/* The formula of the expression, read back, has its value. */
static void read_back(Session *session, const char *expression)
{
    Found first = {0}, again = {0};
    cr_assert(session_with(session, expression, find, &first), "%s", expression);
    char *text = strdup(*first.text ? first.text : "1"); /* of a value that is known there is no formula */
    const char *last = run_lines(session, text);
    cr_assert(session_with(session, last, find, &again), "%s does not read back", first.text);
    cr_expect(near(&first.value, &again.value), "%s: %s is another value", expression, first.text);
    cr_expect_eq(session->errors, 0);
    free(text);
    free(first.text);
    free(again.text);
    array_free(&first.value);
    array_free(&again.value);
}

ParameterizedTestParameters(repl, formulas_read_back)
{
    static int indices[N_CASES];
    for (int i = 0; i < N_CASES; i++) indices[i] = i;
    return cr_make_param_array(int, indices, N_CASES);
}

ParameterizedTest(int *index, repl, formulas_read_back, .timeout = 60)
{
    const Case *what = &cases[*index];
    Session *session = session_start();
    char *statements = strdup(what->statements);
    session_line(session, run_lines(session, statements));
    const Range reals = {-2, 2, 0};
    give_random(session, "x", 2, (int64_t[]){6, 4}, reals);
    give_random(session, "t", 1, (int64_t[]){6}, reals);
    give_random(session, "label", 1, (int64_t[]){6}, (Range){.classes = 3});
    read_back(session, what->expression);
    free(statements);
    session_free(session);
}

/* ---- All golden formulas: the statements of their models run here */

/* `x, y: f32[n, 4]` and `label: i32[n] in 3` get values; every free size is 6. */
static void give_declared(Session *session, char *declared, Range range)
{
    enum { FREE = 6 };
    char *type = strchr(declared, ':'), *shape = type ? strchr(type, '[') : NULL, *classes = strstr(declared, " in ");
    int64_t dims[MAX_RANK];
    uint32_t rank = 0;
    cr_assert(type);
    for (char *at = shape; at && *at != ']'; at = strpbrk(at, ",]")) {
        at += 1 + strspn(at + 1, " ");
        dims[rank++] = isdigit((unsigned char)*at) ? strtol(at, NULL, 10) : FREE;
    }
    if (classes) range.classes = atoi(classes + 4);
    *type = '\0';
    for (char *name = strtok(declared, ", "); name; name = strtok(NULL, ", "))
        give_random(session, name, rank, dims, range);
}

/* One statement of a model; the outputs of values that have a name already are left out. */
static void take_statement(Session *session, const char *line, Range range)
{
    static const char *const sources[] = {"input ", "target ", "param "};
    const char *at = line + strspn(line, " ");
    if (!strncmp(at, "output ", 7) && !strstr(at, " = ")) return;
    session_line(session, strncmp(at, "output ", 7) ? at : at + 7);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (strncmp(at, sources[i], strlen(sources[i]))) continue;
        char *declared = strdup(at + strlen(sources[i]));
        give_declared(session, declared, range);
        free(declared);
    }
}

/* The model of the name, or the only one. */
static void run_model(Session *session, const char *text, const char *name, Range range)
{
    char *copy = strdup(text), *next, head[64];
    bool inside = false;
    snprintf(head, sizeof head, "model %s%s", name, *name ? " {" : "");
    for (char *line = copy; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        if (!strcmp(line, "}")) inside = false;
        if (inside) take_statement(session, line, range);
        if (!strncmp(line, head, strlen(head))) inside = true;
    }
    free(copy);
}

/* Every line `# grad: OF WRT [MODEL]` of a file; `# domain: LOW HIGH` says where its formulas are smooth. */
static size_t read_back_file(const char *path)
{
    size_t size, count = 0;
    char *text = read_file(path, &size);
    const char *domain = strstr(text, "# domain: ");
    Range range = {-2, 2, 0};
    if (domain) cr_assert_eq(sscanf(domain, "# domain: %lf %lf", &range.low, &range.high), 2);
    for (const char *at = text; (at = strstr(at, "# grad: ")); at++, count++) {
        char line[160], of[64], wrt[64], name[64] = "", expression[160];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        cr_assert_geq(sscanf(line, "# grad: %63s %63s %63s", of, wrt, name), 2, "%s", line);
        snprintf(expression, sizeof expression, "grad(%s, %s)", of, wrt);
        Session *session = session_start();
        run_model(session, text, name, range);
        read_back(session, expression);
        session_free(session);
    }
    free(text);
    return count;
}

static glob_t golden_files(void)
{
    glob_t files;
    cr_assert_eq(glob(TESTS_FOLDER "/golden/grad/*.nn", 0, NULL, &files), 0);
    return files;
}

ParameterizedTestParameters(repl, golden_formulas_read_back)
{
    static size_t indices[64];
    glob_t files = golden_files();
    size_t count = files.gl_pathc < 64 ? files.gl_pathc : 64;
    for (size_t i = 0; i < count; i++) indices[i] = i;
    globfree(&files);
    return cr_make_param_array(size_t, indices, count);
}

ParameterizedTest(size_t *index, repl, golden_formulas_read_back, .timeout = 240)
{
    glob_t files = golden_files();
    cr_expect_gt(read_back_file(files.gl_pathv[*index]), 0u, "%s", files.gl_pathv[*index]);
    globfree(&files);
}
