/* Elementwise functions against MPFR, over numbers that lie evenly among all there are: every exponent, both signs,
 * denormal numbers too. And what docs/numbers.md says of their errors is what is tested. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>

#include "math_bounds.h"
#include "support/source.h"
#include "tests/unit/reference.h"
#include "vector_harness.h"

/* How many numbers of each type and function, as a power of 2. */
#ifdef NNC_SLOW_TESTS
enum { F32_POINTS = 23, F64_POINTS = 19 };
#else
enum { F32_POINTS = 16, F64_POINTS = 14 };
#endif

/* 64 bits, correctly rounded, hold the errors of f32 to 2^-40 ulps and those of f64 to 2^-11. */
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
    double most, x, y; /* the largest error, and where */
} Variant;

typedef struct {
    const Row *row;
    DType dtype;
    Variant variants[3];
    size_t n_variants, n;
    mpfr_t a, b, value;
    double x[BLOCK], y[BLOCK], to[BLOCK]; /* of `dtype` */
} Sweep;

static void make_variants(Sweep *sweep)
{
    static const CpuVariant all[] = {CPU_X86_64_V2, CPU_X86_64_V3, CPU_X86_64_V4};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!cpu_runs(all[i])) continue;
        HarnessCase only = {sweep->row->op, sweep->dtype, sweep->dtype};
        Variant *variant = &sweep->variants[sweep->n_variants++];
        variant->name = cpu_name(all[i]);
        variant->harness = harness_make(all[i], 0, &only, 1, emit);
        variant->function = harness_find(&variant->harness, 0);
    }
}

static void measure_variant(Sweep *sweep, Variant *variant, const long double *want)
{
    variant->function(sweep->x, sweep->y, sweep->to, BLOCK);
    for (size_t i = 0; i < sweep->n; i++) {
        double error = ulps(sweep->dtype, number_get(sweep->dtype, sweep->to, i), want[i]);
        if (error <= variant->most) continue;
        variant->most = error;
        variant->x = number_get(sweep->dtype, sweep->x, i);
        variant->y = number_get(sweep->dtype, sweep->y, i);
    }
}

/* Measures what has gathered. */
static void measure(Sweep *sweep)
{
    long double want[BLOCK];
    for (size_t i = sweep->n; i < BLOCK; i++) {
        number_set(sweep->dtype, sweep->x, i, 1);
        number_set(sweep->dtype, sweep->y, i, 1);
    }
    for (size_t i = 0; i < sweep->n; i++) {
        mpfr_set_d(sweep->a, number_get(sweep->dtype, sweep->x, i), MPFR_RNDN);
        mpfr_set_d(sweep->b, number_get(sweep->dtype, sweep->y, i), MPFR_RNDN);
        reference_elementwise(sweep->row->op, sweep->value, sweep->a, sweep->b);
        want[i] = mpfr_get_ld(sweep->value, MPFR_RNDN);
    }
    for (size_t v = 0; v < sweep->n_variants; v++) measure_variant(sweep, &sweep->variants[v], want);
    sweep->n = 0;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t word = 0;
    for (int i = 0; i < 2; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        word = word << 32 | *state >> 32;
    }
    return word;
}

/* The number of the type whose bits are the top ones of `bits`. */
static double number_of(DType dtype, uint64_t bits)
{
    uint32_t top = (uint32_t)(bits >> 32);
    float narrow;
    double wide;
    memcpy(&narrow, &top, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return dtype == DTYPE_F64 ? wide : (double)narrow;
}

/* Where a random number would show little: for an angle next to a multiple of pi/2, of which a reduction leaves few
 * bits. */
static double first_operand(const Row *row, double x, uint64_t *state)
{
    bool angle = row->op == OP_SIN || row->op == OP_COS || row->op == OP_TAN;
    uint64_t choice = next_random(state), turns = next_random(state) >> (1 + choice % 63);
    return angle && choice >> 63 ? (double)((long double)turns * 1.57079632679489661923L) : x;
}

/* Any number, or one for which x^y is likely to be neither 0 nor infinite. */
static double second_operand(const Row *row, DType dtype, double x, uint64_t *state)
{
    uint64_t bits = next_random(state);
    double unit = (double)(next_random(state) >> 11) * 0x1p-53;
    return row->op == OP_POW && bits & 1 ? 745 * (2 * unit - 1) / log(fabs(x)) : number_of(dtype, bits);
}

static void add_point(Sweep *sweep, double x, uint64_t *state)
{
    number_set(sweep->dtype, sweep->x, sweep->n, first_operand(sweep->row, x, state));
    number_set(sweep->dtype, sweep->y, sweep->n++, second_operand(sweep->row, sweep->dtype, x, state));
    if (sweep->n == BLOCK) measure(sweep);
}

static void report(Sweep *sweep)
{
    const OpInfo *info = op_info(sweep->row->op);
    double bound = sweep->dtype == DTYPE_F64 ? sweep->row->f64 : sweep->row->f32;
    for (size_t v = 0; v < sweep->n_variants; v++) {
        Variant *variant = &sweep->variants[v];
        char text[128];
        int size = snprintf(text, sizeof text, "%s %s %s: %.3f ulp at %a", variant->name, info->spelling,
                            dtype_name(sweep->dtype), variant->most, variant->x);
        if (info->arity == 2) snprintf(text + size, sizeof text - (size_t)size, ", %a", variant->y);
        cr_log_info("%s\n", text);
        cr_expect(variant->most <= bound, "%s", text);
        harness_free(&variant->harness);
    }
}

static void sweep_type(const Row *row, DType dtype, int points)
{
    Sweep *sweep = calloc(1, sizeof *sweep);
    uint64_t state = 20240607, step = (uint64_t)1 << (64 - points);
    sweep->row = row;
    sweep->dtype = dtype;
    make_variants(sweep);
    mpfr_inits2(BITS, sweep->a, sweep->b, sweep->value, (mpfr_ptr)NULL);
    for (uint64_t i = 0; i >> points == 0; i++) {
        /* Every step begins elsewhere, lest the low bits be always zero. */
        double x = number_of(dtype, i * step + next_random(&state) % step);
        if (isfinite(x)) add_point(sweep, x, &state);
    }
    measure(sweep);
    report(sweep);
    mpfr_clears(sweep->a, sweep->b, sweep->value, (mpfr_ptr)NULL);
    free(sweep);
}

ParameterizedTestParameters(sweep, against_mpfr)
{
    return cr_make_param_array(const Row, (Row *)rows, N_ROWS);
}

ParameterizedTest(const Row *row, sweep, against_mpfr)
{
    sweep_type(row, DTYPE_F32, F32_POINTS);
    sweep_type(row, DTYPE_F64, F64_POINTS);
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
