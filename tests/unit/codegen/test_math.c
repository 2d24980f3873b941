/* Elementwise functions against libm one precision up: bounds in units in the last place, and C's special cases. */
#include <math.h>
#include <stdlib.h>

#include "math_bounds.h"
#include "vector_harness.h"

typedef long double Real;

enum { N = 1 << 17 };

static Real reference(Op op, Real x, Real y)
{
    switch (op) {
    case OP_EXP:
        return expl(x);
    case OP_EXPM1:
        return expm1l(x);
    case OP_LOG:
        return logl(x);
    case OP_LOG1P:
        return log1pl(x);
    case OP_SIN:
        return sinl(x);
    case OP_COS:
        return cosl(x);
    case OP_TAN:
        return tanl(x);
    case OP_ASIN:
        return asinl(x);
    case OP_ACOS:
        return acosl(x);
    case OP_ATAN:
        return atanl(x);
    case OP_SINH:
        return sinhl(x);
    case OP_COSH:
        return coshl(x);
    case OP_TANH:
        return tanhl(x);
    case OP_ERF:
        return erfl(x);
    case OP_ERFC:
        return erfcl(x);
    case OP_SIGMOID:
        return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
    case OP_SOFTPLUS:
        return fmaxl(x, 0) + log1pl(expl(-fabsl(x)));
    case OP_SQRT:
        return sqrtl(x);
    case OP_RSQRT:
        return 1 / sqrtl(x);
    case OP_POW:
        return powl(x, y);
    case OP_ATAN2:
        return atan2l(x, y);
    case OP_DIV:
        return x / y;
    default:
        cr_assert_fail("no reference for %s", op_info(op)->spelling);
        return 0;
    }
}

static LLVMValueRef emit(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)to;
    return math_emit(v, op, from, x, y, NULL);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 20;
}

static double unit_random(uint64_t *state)
{
    return (double)next_random(state) / 0x1p44;
}

/* Any number that is finite, each as likely: every exponent, denormal numbers too. */
static double any_number(DType dtype, uint64_t *state)
{
    for (;;) {
        uint64_t bits = next_random(state) << 32 ^ next_random(state);
        double wide;
        float narrow;
        memcpy(&wide, &bits, sizeof wide);
        memcpy(&narrow, &bits, sizeof narrow);
        double x = dtype == DTYPE_F64 ? wide : (double)narrow;
        if (isfinite(x)) return x;
    }
}

/* Half of them any number, half below 2^high: these half even in their logarithm, half even in themselves. */
static double sample(int high, DType dtype, uint64_t *state)
{
    if (next_random(state) & 1) return any_number(dtype, state);
    double power = high - 30 * unit_random(state);
    double x = next_random(state) & 1 ? exp2(power) : ldexp(unit_random(state), high);
    if (dtype == DTYPE_F32) x = (float)x;
    return next_random(state) & 1 ? -x : x;
}

typedef struct {
    double x[N], y[N], to[N]; /* of f64 or f32 */
} Samples;

static double worst(const Row *row, DType dtype, HarnessFunction *function, Samples *s, double *at)
{
    uint64_t state = 1234567 + (uint64_t)row->op;
    int high = dtype == DTYPE_F64 && row->high64 ? row->high64 : row->high, second = row->op == OP_POW ? 3 : high;
    for (size_t i = 0; i < N; i++) {
        number_set(dtype, s->x, i, sample(high, dtype, &state));
        number_set(dtype, s->y, i, sample(second, dtype, &state));
    }
    function(s->x, s->y, s->to, N);
    double most = 0;
    for (size_t i = 0; i < N; i++) {
        double x = number_get(dtype, s->x, i), y = number_get(dtype, s->y, i);
        double error = ulps(dtype, number_get(dtype, s->to, i), reference(row->op, x, y));
        if (error <= most) continue;
        most = error;
        *at = x;
    }
    return most;
}

static void check_variant(CpuVariant cpu)
{
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    HarnessCase cases[2 * N_ROWS];
    for (uint32_t i = 0; i < 2 * N_ROWS; i++) {
        DType dtype = i % 2 ? DTYPE_F64 : DTYPE_F32;
        cases[i] = (HarnessCase){rows[i / 2].op, dtype, dtype};
    }
    Harness harness = harness_make(cpu, 0, cases, 2 * N_ROWS, emit);
    Samples *samples = malloc(sizeof *samples);
    for (uint32_t i = 0; i < 2 * N_ROWS; i++) {
        const Row *row = &rows[i / 2];
        DType dtype = cases[i].from;
        double at = 0, most = worst(row, dtype, harness_find(&harness, i), samples, &at);
        cr_log_info("%s %s %s: %.2f ulp at %a\n", cpu_name(cpu), op_info(row->op)->spelling, dtype_name(dtype), most,
                    at);
        double bound = dtype == DTYPE_F64 ? row->f64 : row->f32;
        cr_expect(most <= bound, "%s %s %s: %.2f ulp at %.17g", cpu_name(cpu), op_info(row->op)->spelling,
                  dtype_name(dtype), most, at);
    }
    free(samples);
    harness_free(&harness);
}

Test(math, accuracy_v2)
{
    check_variant(CPU_X86_64_V2);
}

Test(math, accuracy_v3)
{
    check_variant(CPU_X86_64_V3);
}

Test(math, accuracy_v4)
{
    check_variant(CPU_X86_64_V4);
}

/* Among them the f32 and the f64 that are nearest to a multiple of pi/2, and f64 of few turns that are very near. */
static const double specials[] = {0.0,
                                  -0.0,
                                  INFINITY,
                                  -INFINITY,
                                  NAN,
                                  1,
                                  -1,
                                  2,
                                  -2,
                                  3,
                                  -3,
                                  0.5,
                                  -0.5,
                                  1e-40,
                                  -1e-40,
                                  1e30,
                                  -1e30,
                                  0x1p-149,
                                  0x1p127,
                                  1.5,
                                  -1.5,
                                  2.5,
                                  -2.5,
                                  100,
                                  -100,
                                  1e-10,
                                  -1e-10,
                                  88,
                                  -88,
                                  89.2,
                                  -104,
                                  0x1.8p1,
                                  16367173 * 0x1p72,
                                  -0x1.6ac5b262ca1ffp+849,
                                  0x1.93c05c9ed3cbcp+18,
                                  0x1.39c6fd67805a7p+18};
enum { N_SPECIALS = sizeof specials / sizeof *specials, N_PAIRS = (N_SPECIALS * N_SPECIALS + 15) / 16 * 16 };

/* Same class, same sign of zeros and infinities, and near where finite. */
static bool agrees(const Row *row, DType dtype, double got, Real want)
{
    bool zeros = (want != 0 && got != 0) || !signbit(got) == !signbit(want);
    return zeros && ulps(dtype, got, want) <= (dtype == DTYPE_F64 ? row->f64 : row->f32);
}

static void check_specials(CpuVariant cpu, uint32_t lanes)
{
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    HarnessCase cases[2 * N_ROWS];
    for (uint32_t i = 0; i < 2 * N_ROWS; i++)
        cases[i] = (HarnessCase){rows[i / 2].op, i % 2 ? DTYPE_F64 : DTYPE_F32, i % 2 ? DTYPE_F64 : DTYPE_F32};
    Harness harness = harness_make(cpu, lanes, cases, 2 * N_ROWS, emit);
    double x[N_PAIRS], y[N_PAIRS], to[N_PAIRS];
    for (uint32_t f = 0; f < 2 * N_ROWS; f++) {
        DType dtype = cases[f].from;
        Op op = cases[f].op;
        for (size_t i = 0; i < N_PAIRS; i++) {
            number_set(dtype, x, i, specials[i / N_SPECIALS % N_SPECIALS]);
            number_set(dtype, y, i, specials[i % N_SPECIALS]);
        }
        harness_find(&harness, f)(x, y, to, N_PAIRS);
        bool binary = op_info(op)->arity == 2;
        for (size_t i = 0; i < N_PAIRS; i += binary ? 1 : N_SPECIALS) {
            double a = number_get(dtype, x, i), b = number_get(dtype, y, i), got = number_get(dtype, to, i);
            Real want = reference(op, a, b);
            cr_expect(agrees(&rows[f / 2], dtype, got, want), "%s %s %s(%g, %g) is %g, not %Lg", cpu_name(cpu),
                      dtype_name(dtype), op_info(op)->spelling, a, b, got, want);
        }
    }
    harness_free(&harness);
}

Test(math, specials_v2)
{
    check_specials(CPU_X86_64_V2, 0);
}

Test(math, specials_native)
{
    check_specials(CPU_NATIVE, 0);
}

/* Half vectors and scalars take other instructions. */
Test(math, specials_half)
{
    check_specials(CPU_NATIVE, 8);
}

Test(math, specials_scalar)
{
    check_specials(CPU_NATIVE, 1);
}
