/* What is printed is what is meant: the text of a formula, read back as statements, gives the formula's value. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
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

static void give_random(Session *session, const char *name, uint32_t rank, int64_t columns, bool label)
{
    unsigned state = 12345;
    const int64_t dims[] = {6, columns};
    Array array = array_new(label ? DTYPE_I32 : DTYPE_F32, rank, dims);
    for (int64_t i = 0; i < array.count; i++) {
        if (label)
            ((int32_t *)array.data)[i] = (int32_t)(i % 3);
        else
            ((float *)array.data)[i] = (float)(2 * draw(&state));
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
    give_random(session, "x", 2, 4, false);
    give_random(session, "t", 1, 1, false);
    give_random(session, "label", 1, 1, true);
    Found first = {0}, again = {0};
    cr_assert(session_with(session, what->expression, find, &first));
    char *text = strdup(first.text);
    const char *last = run_lines(session, text);
    cr_assert(session_with(session, last, find, &again), "%s does not read back", first.text);
    cr_expect(near(&first.value, &again.value), "%s is another value", first.text);
    cr_expect_eq(session->errors, 0);
    free(statements);
    free(text);
    free(first.text);
    free(again.text);
    array_free(&first.value);
    array_free(&again.value);
    session_free(session);
}
