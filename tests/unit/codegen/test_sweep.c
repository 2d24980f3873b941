/* Elementwise functions in f32 against MPFR, over floats that lie evenly among all there are: every exponent, both
 * signs, denormal numbers too. And what docs/numbers.md says of their errors is what is tested. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>

#include "math_bounds.h"
#include "support/source.h"
#include "tests/unit/reference.h"
#include "vector_harness.h"

#ifdef NNC_SLOW_TESTS
enum { STEP = 1 << 9 };
#else
enum { STEP = 1 << 16 };
#endif

/* 64 bits, correctly rounded, hold the errors of f32 to 2^-40 ulps. */
enum { BITS = 64, BLOCK = 1 << 12 };

static LLVMValueRef emit(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)to;
    return math_emit(v, op, from, x, y, NULL);
}

typedef struct {
    Harness harness;
    HarnessFunction *function;
    const char *name;
    double most;
    float x, y; /* where */
} Variant;

typedef struct {
    Variant variants[3];
    size_t n_variants, n;
    mpfr_t a, b, value;
    float x[BLOCK], y[BLOCK], to[BLOCK];
} Sweep;

static void make_variants(Sweep *sweep, Op op)
{
    static const CpuVariant all[] = {CPU_X86_64_V2, CPU_X86_64_V3, CPU_X86_64_V4};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!cpu_runs(all[i])) continue;
        HarnessCase only = {op, DTYPE_F32, DTYPE_F32};
        Variant *variant = &sweep->variants[sweep->n_variants++];
        variant->name = cpu_name(all[i]);
        variant->harness = harness_make(all[i], 0, &only, 1, emit);
        variant->function = harness_find(&variant->harness, 0);
    }
}

/* Measures what has gathered. */
static void measure(Sweep *sweep, Op op)
{
    long double want[BLOCK];
    for (size_t i = sweep->n; i < BLOCK; i++) sweep->x[i] = sweep->y[i] = 1;
    for (size_t i = 0; i < sweep->n; i++) {
        mpfr_set_flt(sweep->a, sweep->x[i], MPFR_RNDN);
        mpfr_set_flt(sweep->b, sweep->y[i], MPFR_RNDN);
        reference_elementwise(op, sweep->value, sweep->a, sweep->b);
        want[i] = mpfr_get_ld(sweep->value, MPFR_RNDN);
    }
    for (size_t v = 0; v < sweep->n_variants; v++) {
        Variant *variant = &sweep->variants[v];
        variant->function(sweep->x, sweep->y, sweep->to, BLOCK);
        for (size_t i = 0; i < sweep->n; i++) {
            double error = ulps(DTYPE_F32, (double)sweep->to[i], want[i]);
            if (error <= variant->most) continue;
            variant->most = error;
            variant->x = sweep->x[i];
            variant->y = sweep->y[i];
        }
    }
    sweep->n = 0;
}

/* The other operand: of a random sign and size within the bounds of test_math.c. */
static float second_operand(const Row *row, uint64_t *state)
{
    int low = row->op == OP_POW ? -6 : row->low, high = row->op == OP_POW ? 3 : row->high;
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    double unit = (double)(*state >> 11) * 0x1p-53;
    float size = (float)exp2(low + (high - low) * unit);
    return *state >> 10 & 1 ? -size : size;
}

static bool lies_within(const Row *row, float x)
{
    if (!isfinite(x) || (row->positive && signbit(x))) return false;
    return x == 0 || (fabs((double)x) <= ldexp(1, row->high) && fabs((double)x) >= ldexp(1, row->low));
}

ParameterizedTestParameters(sweep, f32_against_mpfr)
{
    return cr_make_param_array(const Row, (Row *)rows, N_ROWS);
}

ParameterizedTest(const Row *row, sweep, f32_against_mpfr)
{
    Sweep *sweep = calloc(1, sizeof *sweep);
    uint64_t state = 20240607;
    make_variants(sweep, row->op);
    mpfr_inits2(BITS, sweep->a, sweep->b, sweep->value, (mpfr_ptr)NULL);
    for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += STEP) {
        /* Every step begins elsewhere, lest the low bits be always zero. */
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint32_t pattern = (uint32_t)bits + (uint32_t)(state >> 33) % STEP;
        float x;
        memcpy(&x, &pattern, sizeof x);
        if (!lies_within(row, x)) continue;
        sweep->x[sweep->n] = x;
        sweep->y[sweep->n++] = second_operand(row, &state);
        if (sweep->n == BLOCK) measure(sweep, row->op);
    }
    measure(sweep, row->op);
    const char *name = op_info(row->op)->spelling;
    for (size_t v = 0; v < sweep->n_variants; v++) {
        Variant *variant = &sweep->variants[v];
        char where[64];
        snprintf(where, sizeof where, op_info(row->op)->arity == 2 ? "%a, %a" : "%a", (double)variant->x,
                 (double)variant->y);
        cr_log_info("%s %s: %.3f ulp at %s\n", variant->name, name, variant->most, where);
        cr_expect(variant->most <= row->f32, "%s %s: %.3f ulp at %s", variant->name, name, variant->most, where);
        harness_free(&variant->harness);
    }
    mpfr_clears(sweep->a, sweep->b, sweep->value, (mpfr_ptr)NULL);
    free(sweep);
}

/* ---- The page */

/* The row of the page's table that names the function in backquotes; NULL when there is none. */
static const char *documented(const char *table, const char *name)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "`%s`", name);
    const char *at = strstr(table, quoted), *end = strstr(table, "\n\n");
    if (!at || at > end) return NULL;
    cr_expect(!strstr(at + 1, quoted) || strstr(at + 1, quoted) > end, "%s stands in two rows", name);
    return at;
}

Test(sweep, the_page_states_these_bounds)
{
    size_t size, named = 0;
    char *page = read_file(TESTS_FOLDER "/../docs/numbers.md", &size);
    cr_assert_not_null(page);
    const char *table = strstr(page, "| functions | f32 | f64 |\n");
    cr_assert_not_null(table);
    for (int i = 0; i < N_ROWS; i++) {
        const char *name = op_info(rows[i].op)->spelling, *at = documented(table, name);
        double f32 = 0, f64 = 0;
        cr_expect(at, "%s is not in the table", name);
        if (!at) continue;
        cr_expect_eq(sscanf(at + strcspn(at, "|"), "| %lf | %lf |", &f32, &f64), 2, "%s", name);
        cr_expect(f32 == rows[i].f32 && f64 == rows[i].f64, "%s: the page says %g and %g, tested is %g and %g", name,
                  f32, f64, rows[i].f32, rows[i].f64);
    }
    for (const char *at = table; at < strstr(table, "\n\n"); at++) named += *at == '`';
    cr_expect_eq(named, 2 * (size_t)N_ROWS, "the page names a function that is not tested");
    free(page);
}
