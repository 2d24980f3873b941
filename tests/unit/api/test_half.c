/* bf16 and f16: every result is rounded where it is computed. Where more are counted than they can hold, counts,
 * divisors and sums are f32 at least. */
#include <criterion/criterion.h>
#include <math.h>
#include <nnc/nnc.h>
#include <stdio.h>
#include <stdlib.h>

/* More than f16 holds at all, and 512 times more than bf16 counts one by one. */
enum { ROWS = 70000 };

typedef struct {
    const char *text; /* of h, ROWS ones in the type; of the rows z of 1 2 3 4, and ids 0 1 2 3 0 … */
    double value, slack;
} Formula;

static const Formula formulas[] = {
    {"mean(h)", 1, 0},
    {"mean(h[0:66000])", 1, 0},
    {"mean(z, axis = 0)[2]", 3, 0},
    {"variance(h * f(ids))", 1.25, 0.01},
    {"mean[i](h[i] * h[i])", 1, 0},
    {"sum(h / n)", 1, 0.01},
    {"h[0] / n * n", 1, 0.01},
    {"sum(h / 70000)", 1, 0.01},
    {"h[0] / prod(shape(z)) * (4 * n)", 1, 0.01},
    {"sum(h / sum(ids >= 0))", 1, 0.01},
    {"if h[0] < 2049 and not (2048 * h[0] >= 2049) then 1 else 0", 1, 0},
    {"logsumexp(h)", 1 + 11.15625, 0.05},
    {"log(sum(exp(h)))", 1 + 11.15625, 0.05},
    {"sum(f32(softmax(h)))", 1, 0.02},
    {"log_softmax(h)[0]", -11.15625, 0.05},
    {"cumsum(h[0:4000])[3000]", 3001, 8},
    {"mse(h, 3 * h)", 4, 0},
    {"huber(h, 3 * h)", 1.5, 0},
    {"bce_logits(h, h)", 0.31326, 0.002},
    {"cross_entropy(z, ids)", 1.94019, 0.01},
    {"cross_entropy(z, softmax(z))", 0.9475, 0.02},
    {"rmse(h, 3 * h)", 2, 0},
    {"r2(h * f(ids), h * f(ids) + 1)", 0.2, 0.02},
    {"accuracy(z, ids)", 0.25, 0},
    {"perplexity(z, ids)", 6.96, 0.1},
    /* gradients */
    {"grad(mean(h * w[0]), w)[0]", 1, 0.01},
    {"grad(mean(z * w), w)[3]", 1, 0.01},
    {"sum(grad(mean(h), h))", 1, 0.01},
    {"grad(sum(w[ids]) / 16, w)[1]", 17500.0 / 16, 4},
    {"grad(logsumexp(h * w[0]), w)[0]", 1, 0.01},
    {"grad(cross_entropy(z + w, ids), w)[3]", 0.6439 - 0.25, 0.01},
    {"grad(variance(h * f(ids) * w[0]), w)[0]", 2.5, 0.02},
};
enum { N_FORMULAS = sizeof formulas / sizeof *formulas };

/* To the last bit, of f16 and of bf16: a is 0.1, h are ones. Each number is that of the formula in exact arithmetic
 * with every result rounded. */
static const struct {
    const char *text;
    double f16, bf16;
} rounded[] = {
    {"f32(a * a) * 1024", 10.234375, 10.25},
    {"f32(a * a * a) * 1024", 1.0234375, 1.0234375},
    {"f32(a + 1) - 1", 0.099609375, 0.1015625},
    {"f32(a - 1) + 1", 0.10009765625, 0.1015625},
    {"f32(h[0] / 3 * 3)", 1, 1},
    {"f32(sqrt(a)) * 1024", 323.75, 324},
    {"f32(exp(a)) - 1", 0.10546875, 0.1015625},
    {"f32(exp(a) * a) * 1024", 113.1875, 113},
    {"-f32(-(a * a)) * 1024", 10.234375, 10.25},
    {"f32(max(a * a, a * a * a)) * 1024", 10.234375, 10.25},
    {"f32(if h[0] > 0 then a * a else a) * 1024", 10.234375, 10.25},
    {"f32(sum(h))", INFINITY, 70144},
    {"f32(sum(h[0:2051])) + 1", 2053, 2049},
    {"f32(h[0:2051] @ h[0:2051]) + 1", 2053, 2049},
    {"f32(cumsum(h[0:2051])[2050]) + 1", 2053, 2049},
    {"f32(h[0:2051] @ h[0:2051] * 3)", 6156, 6144},
    {"f32(prod(h[0:3] * 3 * a)) * 1024", 27.59375, 27.875},
    {"f32(softmax(h[0:3])[1]) * 3", 0.999755859375, 1.001953125},
    {"f32(mean(h / 3)) * 3", 0.999755859375, 1.001953125},
    {"f32(a * f(3)) * 1024", 307, 308},
    {"f32(f(0.1) * f(3)) * 1024", 307, 308},
};
enum { N_ROUNDED = sizeof rounded / sizeof *rounded };

/* A model whose outputs y0, y1, … are the formulas. */
static nn_model *compile(const char *type)
{
    enum { MOST = 1 << 13 };
    char text[MOST];
    nn_model *model;
    int size = snprintf(text, MOST,
                        "fn f(x) = %s(x)\n"
                        "model m {\n"
                        "    input x: f32[n]\n"
                        "    input zs: f32[n, 4]\n"
                        "    input ids: i32[n] in 4\n"
                        "    param w: %s[4] = 1\n"
                        "    h = f(x)\n"
                        "    z = f(zs)\n"
                        "    a = f(x[0] * 0.1)\n",
                        type, type);
    for (int i = 0; i < N_FORMULAS; i++)
        size += snprintf(text + size, MOST - (size_t)size, "    output y%d = f32(%s)\n", i, formulas[i].text);
    for (int i = 0; i < N_ROUNDED; i++)
        size += snprintf(text + size, MOST - (size_t)size, "    output r%d = %s\n", i, rounded[i].text);
    snprintf(text + size, MOST - (size_t)size, "}\n");
    nnc_compiler *compiler = nnc_new();
    int status = nnc_compile(compiler, NULL, text, NULL, &model);
    cr_assert_eq(status, 0, "%s", nnc_diagnostics(compiler));
    nnc_free(compiler);
    return model;
}

typedef struct {
    float x[ROWS], z[ROWS][4];
    int32_t ids[ROWS];
} Data;

/* Output y0, y1 … or r0, r1 … */
static double result(nn_session *session, char letter, int number)
{
    char name[16];
    double got;
    snprintf(name, sizeof name, "%c%d", letter, number);
    cr_assert_eq(nn_session_get(session, name, NN_TYPE_F64, &got, 1), 0, "%s", nn_message());
    return got;
}

static void check(const char *type, const Data *data)
{
    static const int64_t rows[] = {ROWS};
    const void *inputs[] = {data->x, data->z, data->ids};
    nn_model *model = compile(type);
    nn_params *params;
    nn_session *session;
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0, "%s", nn_message());
    cr_assert_eq(nn_session_new(params, NULL, &session), 0, "%s", nn_message());
    cr_assert_eq(nn_session_forward(session, rows, 1, inputs, 3, 0), 0, "%s", nn_message());
    for (int i = 0; i < N_ROUNDED; i++) {
        double expected = *type == 'b' ? rounded[i].bf16 : rounded[i].f16, got = result(session, 'r', i);
        cr_expect_eq(got, expected, "%s of %s is %.17g, not %.17g", rounded[i].text, type, got, expected);
    }
    for (int i = 0; i < N_FORMULAS; i++) {
        /* f16 has three bits more than bf16. */
        double slack = formulas[i].slack * (*type == 'b' ? 4 : 1), got = result(session, 'y', i);
        cr_expect(fabs(got - formulas[i].value) <= slack, "%s of %s is %g, not %g", formulas[i].text, type, got,
                  formulas[i].value);
    }
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
}

Test(half, rounded_and_counted, .timeout = 120)
{
    Data *data = malloc(sizeof *data);
    for (int i = 0; i < ROWS; i++) {
        data->x[i] = 1;
        data->ids[i] = i % 4;
        for (int k = 0; k < 4; k++) data->z[i][k] = (float)k + 1;
    }
    check("f16", data);
    check("bf16", data);
    free(data);
}
