/* Initialisers of the prelude as compiled models draw them. */
#include "models.h"

TestSuite(initialisers, .timeout = 120);

static const char path[] = TESTS_FOLDER "/golden/prelude/orthogonal.nn";

/* The largest element of xᵀx - gain² I, or of x xᵀ - gain² I where x has fewer rows. */
static double deviation(const double *x, int64_t rows, int64_t columns, double gain)
{
    bool wide = rows < columns;
    int64_t n = wide ? rows : columns, length = wide ? columns : rows;
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = i == j ? -gain * gain : 0;
            for (int64_t k = 0; k < length; k++)
                sum += wide ? x[i * columns + k] * x[j * columns + k] : x[k * columns + i] * x[k * columns + j];
            most = isfinite(sum) ? fmax(most, fabs(sum)) : INFINITY;
        }
    return most;
}

static void expect_orthogonal(const Run *run, double tolerance)
{
    static const struct {
        const char *name;
        int64_t matrices, rows, columns;
        double gain;
    } rows[] = {
        {"one", 1, 1, 1, 1},     {"square", 1, 64, 64, 1}, {"again", 1, 64, 64, 1}, {"tall", 1, 64, 10, 2},
        {"wide", 1, 7, 40, 0.5}, {"column", 1, 33, 1, 1},  {"row", 1, 1, 33, 1},    {"several", 3, 5, 8, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t count, size = rows[i].rows * rows[i].columns;
        double *values = kept_value(run, rows[i].name, &count);
        cr_assert(values && count == rows[i].matrices * size, "%s", rows[i].name);
        for (int64_t m = 0; m < rows[i].matrices; m++) {
            double most = deviation(values + m * size, rows[i].rows, rows[i].columns, rows[i].gain);
            cr_expect(most <= tolerance, "%s[%lld] is %g from orthogonal", rows[i].name, (long long)m, most);
        }
        free(values);
    }
}

/* Root mean square of the differences: about 1/8 · sqrt(2) between two orthogonal matrices of 64 rows. */
static double distance(const double *a, const double *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum / (double)count);
}

static void check_orthogonal(bool f64, double tolerance)
{
    enum { SEEDS = 20 };
    int64_t none[MAX_DIMS] = {-1}, count = 0;
    Compiled made = compile_model(path, f64, NULL);
    double *before = NULL;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        Run run = {0};
        CHECKED(nn_params_new(made.model, none, 1, seed, &run.params));
        expect_orthogonal(&run, tolerance);
        double *square = kept_value(&run, "square", &count), *again = kept_value(&run, "again", &count);
        cr_expect(distance(square, again, count) > 0.1, "two parameters begin alike");
        cr_expect(!before || distance(square, before, count) > 0.1, "seeds %llu and %llu begin alike",
                  (unsigned long long)seed - 1, (unsigned long long)seed);
        free(before);
        free(again);
        before = square;
        nn_params_free(run.params);
    }
    free(before);
    compiled_free(&made);
}

Test(initialisers, orthogonal_in_f32)
{
    check_orthogonal(false, 1e-5);
}

Test(initialisers, orthogonal_in_f64)
{
    check_orthogonal(true, 1e-12);
}
