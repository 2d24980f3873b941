/* What cannot be decided while sizes are free is checked when they are bound, once; what can be is decided. */
#include "check/check.h"
#include "support.h"

TestSuite(checks, .timeout = 60);

typedef struct {
    const char *body; /* of x: f32[n, 12], z: f32[k, 4] */
    int checks;
    const char *message; /* of the first one */
} Row;

static const Row rows[] = {
    {"output y = reshape(x, [n, 3, 4])", 0, NULL},
    {"output y = reshape(x, [n // 2, 24])", 1, "the number of elements: 12*n must be 24*(n // 2)"},
    {"output y = reshape(x, [n / 2, 24])", 2, "2 must divide n"},
    {"a, b = split(x, 2, axis = 0)\n output y = a + b", 1, "2 must divide n"},
    {"assert n <= 128, \"too many rows\"\n output y = x", 1, "too many rows"},
    {"assert 12 % 4 == 0\n output y = x", 0, NULL},
    {"output y = x[:k]", 1, "the slice's end: k must be at most n"},
    {"output y = x[2]", 1, "there is no place 2 on an axis of n"},
    {"output y = x[0]", 1, "there is no place 0 on an axis of n"},
    {"output y = x[-1]", 1, "there is no place -1 on an axis of n"},
    {"output y = x[-2]", 1, "there is no place -2 on an axis of n"},
    {"output y = x[n - 1]", 1, "there is no place n - 1 on an axis of n"},
    {"output y = x[n - 4]", 1, "there is no place n - 4 on an axis of n"},
    {"output y = x[k]", 1, "there is no place k on an axis of n"},
    {"output y = x[k - 1]", 2, "there is no place k - 1 on an axis of n"},
    {"output y = x[2 * n]", 1, "there is no place 2*n on an axis of n"},
    {"output y = x[max(n, 3)]", 1, "there is no place max(n, 3) on an axis of n"},
    {"output y = x[min(n, k) - 1, 0]", 1, "there is no place min(k, n) - 1 on an axis of n"},
    {"input at: i32 = 2\n output y = x[at]", 1, "there is no place at on an axis of n"},
    {"input at: i32\n output y = x[at]", 0, NULL},
    {"output y = x[n // 2]", 1, "there is no place n // 2 on an axis of n"},
    {"output y = x[:, -12]", 0, NULL},
    {"output y = x[:, 11]", 0, NULL},
    {"output y = x[[0, -3]]", 2, "there is no place 0 on an axis of n"},
    {"output y = x[:, [-12, 11]]", 0, NULL},
    {"output y = x[-3:]", 1, "the slice's start: there is no place -3 on an axis of n"},
    {"output y = x[:-3]", 1, "the slice's end: there is no place -3 on an axis of n"},
    {"output y = x[k - 1:]", 2, "the slice's start: 0 must be at most k - 1"},
    {"output y = x[1:k]", 2, "the slice: 1 must be at most k"},
    {"y[j] = x[-2, j]\n output y", 1, "there is no place -2 on an axis of n"},
    {"output y = sum[j](x[k - 1, j])", 2, "there is no place k - 1 on an axis of n"},
    {"output y = z |> twelve", 1, "the size `2 * n` of `x`: k must be 12"},
    {"output y = z |> twelve(n = k)", 1, "the size `2 * n` of `x`: k must be 2*k"},
};

Test(checks, of_free_sizes)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "layer twelve(x: [2*n, 4], n = 6) { return x }\n"
                 "model m {\n input x: f32[n, 12]\n input z: f32[k, 4]\n %s\n output used = sum(x) + sum(z)\n}\n",
                 rows[i].body);
        Compiled compiled = compile(text);
        const Module *module = compiled.program->module;
        cr_expect_eq(module->n_checks, (uint32_t)rows[i].checks, "%s has %u", rows[i].body, module->n_checks);
        if (rows[i].checks && module->n_checks)
            cr_expect_str_eq(module->checks[0].message, rows[i].message, "%s says %s", rows[i].body,
                             module->checks[0].message);
        compiled_free(&compiled);
    }
}

/* Programs trust the library's text: here it is checked like a user's. */
Test(checks, of_the_prelude)
{
    Context *context = context_new();
    Items *items = items_prelude(context);
    check_prelude(items);
    Text text = {0};
    diagnostics_print(context->diagnostics, &text);
    cr_expect_str_eq(text_get(&text), "");
    text_free(&text);
    context_free(context);
}
