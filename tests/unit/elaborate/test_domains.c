/* Every number that the prelude's functions, layers, initialisers and schedules take has a domain: what is outside is
 * refused with the assert's text, its ends are not. x is f32[batch, 4], z f32[batch, 3], u and t f32[batch], c the
 * classes of z. */
#include "support.h"

TestSuite(domains, .timeout = 120);

typedef struct {
    const char *call;    /* with one %s for the number */
    const char *refused; /* numbers, separated by blanks */
    const char *taken;
    const char *text; /* of the assert */
} Row;

static const Row values[] = {
    {"celu(x, alpha = %s)", "0 -1", "0.001 2", "alpha > 0"},
    {"clamp(x, %s, 1)", "1.5 2", "-1 1", "low <= high"},
    {"one_hot(c, %s)", "2 1 0", "3 9", "n >= classes"},
    {"norm(x, eps = %s)", "-1e-9", "0 1e-9", "eps >= 0"},
    {"huber(u, t, delta = %s)", "0 -1", "0.1", "delta > 0"},
    {"cross_entropy(z, c, smoothing = %s)", "-0.1 10 1.01", "0 0.1 1", "smoothing >= 0 and smoothing <= 1"},
    {"bce_logits(u, t, weight = %s)", "-1", "0 3", "weight >= 0"},
    {"cosine(z, z, eps = %s)", "-1e-8", "0", "eps >= 0"},
    {"triplet(z, z, z, margin = %s)", "-1", "0 1", "margin >= 0"},
    {"triplet(z, z, z, eps = %s)", "-1", "0", "eps >= 0"},
    {"top_k(z, c, k = %s)", "0 4 5 -1", "1 3", "k >= 1 and k <= classes"},
    {"auc(u, t, bins = %s)", "0 -3", "1 20", "bins >= 1"},
    {"dropout(x, rate = %s)", "30 -0.1 1.5", "0 0.5 1", "rate >= 0 and rate <= 1"},
    {"batch_norm(x, momentum = %s)", "5 -0.1", "0 1", "momentum >= 0 and momentum <= 1"},
    {"batch_norm(x, eps = %s)", "-1e-5", "0", "eps >= 0"},
    {"layer_norm(x, eps = %s)", "-1", "0 1", "eps >= 0"},
    {"rms_norm(x, eps = %s)", "-1", "0 1", "eps >= 0"},
};

static const Row draws[] = {
    {"uniform(low = %s, high = 1)", "2", "1 -1", "low <= high"},
    {"normal(std = %s)", "-1", "0 2", "std >= 0"},
    {"glorot_normal(gain = %s)", "-1", "0 1", "gain >= 0"},
    {"glorot_uniform(gain = %s)", "-1", "0 1", "gain >= 0"},
    {"orthogonal(gain = %s)", "-1", "0 1", "gain >= 0"},
};

static const Row schedules[] = {
    {"step_decay(step, %s)", "0 -1", "1 10", "every > 0"},
    {"step_decay(step, 2, factor = %s)", "-1", "0 1", "factor >= 0"},
    {"exponential_decay(progress, rate = %s)", "-0.5", "0 1", "rate >= 0"},
    {"cosine_decay(progress, end = %s)", "-0.1 2", "0 1", "end >= 0 and end <= 1"},
    {"polynomial_decay(progress, power = %s)", "-1", "0 2", "power >= 0"},
    {"polynomial_decay(progress, end = %s)", "-1 2", "0 1", "end >= 0 and end <= 1"},
    {"linear_warmup(step, %s)", "-1", "0 5", "length >= 0"},
    {"one_cycle(progress, warm = %s)", "-1 1 2", "0 0.3", "warm >= 0 and warm < 1"},
    {"one_cycle(progress, start = %s)", "-1 2", "0 1", "start >= 0 and start <= 1"},
    {"one_cycle(progress, end = %s)", "-1 2", "0 1", "end >= 0 and end <= 1"},
};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* The model with a value, a draw or a schedule in its place. */
static void write_model(char *text, size_t size, const char *value, const char *draw, const char *schedule)
{
    snprintf(text, size,
             "model m {\n input x: f32[batch, 4]\n target c: i32[batch] in 3\n target t: f32[batch]\n"
             " input r: f32 = 0.5\n z = x |> dense(3)\n u = (x |> dense(1))[:, 0]\n param w: [4, 4] ~ %s\n"
             " v = %s\n metric value = sum(v)\n output y = z\n"
             " loss = cross_entropy(z, c) + mse(u, t) + r * sum(x @ w)\n}\n"
             "train m { optimizer = sgd(lr = 0.1 * %s) }\n",
             draw, value, schedule);
}

static void check_number(const Row *row, int place, const char *number, bool good)
{
    char call[100], text[900], wanted[120];
    snprintf(call, sizeof call, row->call, number);
    write_model(text, sizeof text, place == 0 ? call : "x", place == 1 ? call : "normal", place == 2 ? call : "1.0");
    snprintf(wanted, sizeof wanted, "this does not hold: %s", row->text);
    Compiled compiled = compile_with("test.nn", NULL, text, (ProgramOptions){0});
    const char *said = text_get(&compiled.diagnostics);
    cr_expect_eq(compiled.program != NULL, good, "%s\n%s", call, said);
    if (!good) cr_expect(strstr(said, wanted), "%s says\n%s", call, said);
    compiled_free(&compiled);
}

static void check_numbers(const Row *row, int place, const char *numbers, bool good)
{
    char copy[100], *rest = copy, *number;
    snprintf(copy, sizeof copy, "%s", numbers);
    while ((number = strsep(&rest, " "))) check_number(row, place, number, good);
}

static void check_rows(const Row *rows, size_t count, int place)
{
    for (size_t i = 0; i < count; i++) {
        check_numbers(&rows[i], place, rows[i].refused, false);
        check_numbers(&rows[i], place, rows[i].taken, true);
    }
}

Test(domains, of_constants)
{
    check_rows(values, COUNT(values), 0);
    check_rows(draws, COUNT(draws), 1);
    check_rows(schedules, COUNT(schedules), 2);
}

/* A setting is asked with what it is set to, and by whoever sets it later. */
Test(domains, of_settings)
{
    for (size_t i = 0; i < COUNT(values); i++) {
        bool whole =
            strstr(values[i].call, "one_hot") || strstr(values[i].call, "top_k") || strstr(values[i].call, "auc");
        if (whole) continue; /* their numbers are sizes */
        char call[100], text[900];
        snprintf(call, sizeof call, values[i].call, "r");
        write_model(text, sizeof text, call, "normal", "1.0");
        for (int bad = 0; bad < 2; bad++) {
            double number = strtod(bad ? values[i].refused : values[i].taken, NULL);
            SetOption set = {"r", number};
            ProgramOptions options = {.sets = &set, .n_sets = 1};
            Compiled compiled = compile_with("test.nn", NULL, text, options);
            const char *said = text_get(&compiled.diagnostics);
            cr_expect_eq(compiled.program == NULL, bad, "%s, r is %g\n%s", call, number, said);
            if (bad) cr_expect(strstr(said, "r is") || strstr(said, " is "), "%s says\n%s", call, said);
            if (!bad) cr_expect_gt(compiled.program->module->n_checks, 0u, "%s asks nothing later", call);
            compiled_free(&compiled);
        }
    }
}

/* Where a tensor stands in the place of a number, nothing is asked. */
Test(domains, of_tensors)
{
    static const char *const calls[] = {"clamp(x, w, x)", "bce_logits(u, t, weight = t)", "huber(u, t, delta = exp(t))",
                                        "celu(x, alpha = exp(w))", "norm(x, eps = t)"};
    for (size_t i = 0; i < COUNT(calls); i++) {
        char text[900];
        write_model(text, sizeof text, calls[i], "normal", "1.0");
        Compiled compiled = compile_with("test.nn", NULL, text, (ProgramOptions){0});
        bool fits = i != 0 && i != 3; /* w is [4, 4], which does not fit x */
        cr_expect_eq(compiled.program != NULL, fits, "%s\n%s", calls[i], text_get(&compiled.diagnostics));
        cr_expect_null(strstr(text_get(&compiled.diagnostics), "assertion"), "%s", calls[i]);
        compiled_free(&compiled);
    }
}
