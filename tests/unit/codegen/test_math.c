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

/* Half of the magnitudes even in their logarithm, half even in themselves. */
static double sample(const Row *row, DType dtype, uint64_t *state)
{
    int high = dtype == DTYPE_F64 && row->high64 ? row->high64 : row->high;
    double power = row->low + (high - row->low) * unit_random(state);
    double x = next_random(state) & 1 ? exp2(power) : ldexp(unit_random(state), high < 60 ? high : 10);
    if (high == 128 && dtype == DTYPE_F32) x = fmin(x, 3.4e38);
    if (dtype == DTYPE_F32) x = (float)x;
    return !row->positive && next_random(state) & 1 ? -x : x;
}

static double get(DType dtype, const void *values, size_t i)
{
    return dtype == DTYPE_F64 ? ((const double *)values)[i] : (double)((const float *)values)[i];
}

static void set(DType dtype, void *values, size_t i, double x)
{
    if (dtype == DTYPE_F64)
        ((double *)values)[i] = x;
    else
        ((float *)values)[i] = (float)x;
}

typedef struct {
    double x[N], y[N], to[N]; /* of f64 or f32 */
} Samples;

static double worst(const Row *row, DType dtype, HarnessFunction *function, Samples *s, double *at)
{
    uint64_t state = 1234567 + (uint64_t)row->op;
    Row second = *row;
    if (row->op == OP_POW) second = (Row){.low = -6, .high = 3};
    for (size_t i = 0; i < N; i++) {
        set(dtype, s->x, i, sample(row, dtype, &state));
        set(dtype, s->y, i, sample(&second, dtype, &state));
    }
    function(s->x, s->y, s->to, N);
    double most = 0;
    for (size_t i = 0; i < N; i++) {
        double x = get(dtype, s->x, i), y = get(dtype, s->y, i);
        double error = ulps(dtype, get(dtype, s->to, i), reference(row->op, x, y));
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

static const double specials[] = {0.0,  -0.0, INFINITY, -INFINITY, NAN,    1,     -1,       2,       -2,   3,      -3,
                                  0.5,  -0.5, 1e-40,    -1e-40,    1e30,   -1e30, 0x1p-149, 0x1p127, 1.5,  -1.5,   2.5,
                                  -2.5, 100,  -100,     1e-10,     -1e-10, 88,    -88,      89.2,    -104, 0x1.8p1};
enum { N_SPECIALS = sizeof specials / sizeof *specials };

/* Same class, same sign of zeros and infinities, and near where finite. */
static bool agrees(DType dtype, Op op, double got, Real want)
{
    double bound = op == OP_POW || op == OP_TAN || op == OP_ERFC ? 5 : 4;
    if (want == 0 || got == 0) return ulps(dtype, got, want) <= 1 && !signbit(got) == !signbit(want);
    return ulps(dtype, got, want) <= bound;
}

static void check_specials(CpuVariant cpu, uint32_t lanes)
{
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    HarnessCase cases[2 * N_ROWS];
    for (uint32_t i = 0; i < 2 * N_ROWS; i++)
        cases[i] = (HarnessCase){rows[i / 2].op, i % 2 ? DTYPE_F64 : DTYPE_F32, i % 2 ? DTYPE_F64 : DTYPE_F32};
    Harness harness = harness_make(cpu, lanes, cases, 2 * N_ROWS, emit);
    double x[N_SPECIALS * N_SPECIALS], y[N_SPECIALS * N_SPECIALS], to[N_SPECIALS * N_SPECIALS];
    for (uint32_t f = 0; f < 2 * N_ROWS; f++) {
        DType dtype = cases[f].from;
        Op op = cases[f].op;
        for (size_t i = 0; i < N_SPECIALS * N_SPECIALS; i++) {
            set(dtype, x, i, specials[i / N_SPECIALS]);
            set(dtype, y, i, specials[i % N_SPECIALS]);
        }
        harness_find(&harness, f)(x, y, to, N_SPECIALS * N_SPECIALS);
        bool binary = op_info(op)->arity == 2, angle = op == OP_SIN || op == OP_COS || op == OP_TAN;
        for (size_t i = 0; i < N_SPECIALS * N_SPECIALS; i += binary ? 1 : N_SPECIALS) {
            double a = get(dtype, x, i), b = get(dtype, y, i), got = get(dtype, to, i);
            if (angle && isfinite(a) && fabs(a) > 1e9) continue; /* beyond the bound of the reduction */
            Real want = reference(op, a, b);
            cr_expect(agrees(dtype, op, got, want), "%s %s %s(%g, %g) is %g, not %Lg", cpu_name(cpu), dtype_name(dtype),
                      op_info(op)->spelling, a, b, got, want);
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
