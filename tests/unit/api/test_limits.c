/* What a short text may cost: calls that repeat are evaluated once, and what takes too many steps ends with a
 * diagnostic at its place. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heard.h"
#include "models.h"
#include "support/text.h"

/* The id of the first diagnostic, "" when there is none; `options` may be NULL. */
static Heard compile(const char *text, const nnc_options *options, nn_model **model)
{
    Heard heard = {0};
    nnc_compiler *compiler = nnc_new();
    nnc_listen(compiler, hear, &heard);
    int status = nnc_compile(compiler, NULL, text, options, model);
    cr_assert_eq(status != 0, *heard.id != 0, "%s", nnc_diagnostics(compiler));
    nnc_free(compiler);
    return heard;
}

static void compiles(const char *text, uint64_t budget)
{
    nn_model *model;
    nnc_options options = NNC_OPTIONS_INIT;
    options.budget = budget;
    Heard heard = compile(text, &options, &model);
    cr_expect_str_eq(heard.id, "", "%.300s", text);
    nn_model_free(model);
}

static void is_refused(const char *text, const char *id)
{
    nn_model *model;
    Heard heard = compile(text, NULL, &model);
    cr_expect_str_eq(heard.id, id, "%.300s", text);
    cr_expect_gt(heard.line, 0, "no place: %.300s", text);
}

/* `levels` functions, each the text of `level` with its number and that of the one below; then the model. */
static char *tower(int levels, const char *base, const char *level, const char *model)
{
    Text text = {0};
    text_string(&text, base);
    for (int i = 1; i <= levels; i++) {
        for (const char *at = level; *at; at++) {
            if (*at == '#')
                text_format(&text, "%d", i);
            else if (*at == '<')
                text_format(&text, "%d", i - 1);
            else
                text_put(&text, at, 1);
        }
    }
    for (const char *at = model; *at; at++) {
        if (*at == '#')
            text_format(&text, "%d", levels);
        else
            text_put(&text, at, 1);
    }
    return text.at;
}

static char *repeated(const char *before, int times, const char *what, const char *after)
{
    Text text = {0};
    text_string(&text, before);
    for (int i = 0; i < times; i++) text_string(&text, what);
    text_string(&text, after);
    return text.at;
}

/* Forty levels of two calls each would be 2^40 evaluations. */
Test(limits, equal_calls_are_evaluated_once)
{
    static const char *const towers[][3] = {
        {"fn f0(x) = tanh(x)\n", "fn f#(x) = f<(x) + f<(x)\n", "model m { input x: f32; output y = f#(x) }"},
        {"fn f0(x, p) = tanh(x) + p\n", "fn f#(x, p) {\n a = f<(x, p)\n b = f<(x, p = p)\n return a - 2 * b }\n",
         "model m { input x: f32[batch]; output y = f#(x, 2) }"},
        {"fn f0(l, act: fn) = sum(l)\n", "fn f#(l, act: fn) = f<(l, act) + f<(l, act)\n",
         "model m { input x: f32; l = [1, 2]; output y = x * f#(l, tanh) }"},
        {"fn f0(x: [n]) { y[i] = x[i] * i\n return sum(y) }\n", "fn f#(x) = f<(x) * f<(x)\n",
         "layer l(x: [...]) { param w: f32 = 2; return f#(w * x) }\n"
         "model m { input x: f32[batch]; loss = x |> l }\n"},
    };
    for (size_t i = 0; i < sizeof towers / sizeof *towers; i++) {
        char *text = tower(40, towers[i][0], towers[i][1], towers[i][2]);
        compiles(text, 10000);
        free(text);
    }
}

/* What a call leaves besides its value is left by each of them. */
Test(limits, what_has_effects_is_evaluated_each_time)
{
    nn_model *model;
    char *text = tower(3, "layer f0(x: [...]) -> [...] { param w: f32 = 2; return w * x }\n",
                       "layer f#(x: [...]) -> [...] { return f<(x) + f<(x) }\n",
                       "model m { input x: f32[batch]; output y = f#(x) }");
    Heard heard = compile(text, NULL, &model);
    cr_assert_str_eq(heard.id, "");
    size_t params = 0;
    for (size_t i = 0; i < nn_model_tensors(model); i++) {
        nn_tensor tensor = {.size = sizeof tensor};
        params += !nn_model_tensor(model, i, &tensor) && tensor.role == NN_ROLE_PARAM;
    }
    cr_expect_eq(params, 8);
    nn_model_free(model);
    free(text);
}

/* A derivative by a name inside of a function is by that call's value, kept or not. */
Test(limits, derivatives_by_names_are_kept_apart)
{
    static const char text[] = "fn slope(x) = grad(x ^ 3, x)\n"
                               "fn twice(x) = slope(x) + slope(x)\n"
                               "fn curve(x) { y = 2 * x\n return grad(twice(y) * y, y) }\n"
                               "model m { input x: f32; output a = twice(x); output b = curve(x) }";
    nn_model *model;
    nn_params *params;
    nn_session *session;
    const float x = 1.5f;
    const void *const feed[] = {&x};
    float a, b;
    Heard heard = compile(text, NULL, &model);
    cr_assert_str_eq(heard.id, "");
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0);
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    cr_assert_eq(nn_session_forward(session, NULL, 0, feed, 1, 0), 0, "%s", nn_message());
    cr_assert_eq(nn_session_get(session, "a", NN_TYPE_F32, &a, 1), 0);
    cr_assert_eq(nn_session_get(session, "b", NN_TYPE_F32, &b, 1), 0);
    cr_expect_eq(a, 2 * 3 * x * x);
    cr_expect_eq(b, 18 * (2 * x) * (2 * x)); /* d(6 y^2 * y)/dy */
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
}

Test(limits, a_budget_ends_the_rest, .timeout = 300)
{
    static const char *const texts[] = {
        "model m { input x: f32; h = x; repeat 1000000000 { repeat 1000000000 { h = h } }; output h }",
        "model m { input x: f32; h = x; repeat 1000000000 { repeat 1000000000 { } }; output h }",
        "model m { input x: f32; h = x; repeat 100000000 { h = sin(h) }; output h }",
        "model m { input x: f32[9, 9]; repeat 10000000 { y[i, j] = sum[k](x[i, k] * x[j, k]) }; output x }",
        "model m { input x: f32[a, b, c, d, e, f]; n = shape(x); s = n[0] + n[1] + n[2] + n[3] + n[4] + n[5] + 1\n"
        "repeat 10000000 { t = s * s * s * s }; output x }",
        "model m { input x: f32; l = [1]; k = [1]; repeat 60 { l = [l, l]; k = [k, k] }\n"
        "output y = if l == k then x else 2 * x }",
        "model m { input x: f32; l = [1, 2]; repeat 9 { l = [l, l, l, l, l, l, l, l] }; output y = x + l }",
        "fn f(x) = tanh(x * x)\nmodel m { input x: f32; g = f(x); repeat 20 { h = g; g = grad(h, x) * h }; output g }",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) is_refused(texts[i], "over-budget");
    char *deep = repeated("model m { input x: f32; g = sin(exp(x * x)); ", 60, "g = grad(g, x); ", "output g }");
    is_refused(deep, "over-budget");
    free(deep);
    char *calls =
        tower(40, "fn f0(x) = tanh(x)\n", "fn f#(x) = f<(f<(x))\n", "model m { input x: f32; output y = f#(x) }");
    is_refused(calls, "over-budget");
    free(calls);
}

Test(limits, sizes_and_conditions_stay_small)
{
    is_refused("model m { input x: f32[a]; s = shape(x)[0]; repeat 100 { s = s // 2 + s }\n"
               "output y = broadcast(x[0], [s]) }",
               "size-too-complex");
    is_refused("model m { input x: f32[batch]; n = shape(x)[0]; c = n > 2\n"
               "repeat 60 { c = (c and n > 3) or (c and n < 9) }; assert c; output x }",
               "size-too-complex");
}

/* A derivative of a function's own takes memory by its formula, not by the graph. */
Test(limits, own_derivatives_are_linear)
{
    compiles("fn hard(x) = if x > 0 then 1.0 * x else 0.0 * x\nderivative hard(x) = dy * 2\n"
             "model m { input x: f32[batch]; param w: f32 = 1; h = w * x; repeat 3000 { h = hard(h) + 1 }\n"
             "loss = sum(h) }",
             0);
}

Test(limits, the_budget_is_the_callers)
{
    static const char text[] = "model m { input x: f32; h = x; repeat 100 { h = sin(h) }; output h }";
    nn_model *model;
    nnc_options options = NNC_OPTIONS_INIT;
    options.budget = 200;
    cr_expect_str_eq(compile(text, &options, &model).id, "over-budget");
    compiles(text, 100000);
}
