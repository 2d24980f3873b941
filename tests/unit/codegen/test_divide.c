/* `//` and `%` of floating-point numbers: what Python gives, and the exact quotient and remainder of any operands, in
 * compiled code and in the interpreter. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <mpfr.h>
#include <stdlib.h>

#include "math_bounds.h"
#include "vector_harness.h"

static LLVMValueRef emit(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)to;
    return math_emit(v, op, from, x, y, NULL);
}

static const HarnessCase cases[] = {{OP_FLOOR_DIV, DTYPE_F64, DTYPE_F64},
                                    {OP_FLOOR_DIV, DTYPE_F32, DTYPE_F32},
                                    {OP_MOD, DTYPE_F64, DTYPE_F64},
                                    {OP_MOD, DTYPE_F32, DTYPE_F32}};
enum { N_CASES = sizeof cases / sizeof *cases, BLOCK = 1 << 10 };

/* Equal bits, but for those of a NaN. */
static bool is_same(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && !signbit(a) == !signbit(b));
}

static void expect(const HarnessCase *c, const char *where, double x, double y, double got, double want)
{
    cr_assert(is_same(got, want), "%s %s(%a, %a) in %s is %a, not %a", op_info(c->op)->spelling, dtype_name(c->from), x,
              y, where, got, want);
}

/* ---- What Python 3 prints, where its quotient is exact (-1e16 // 3 is one too low there) ---- */

static const struct {
    double x, y, quotient, remainder;
} python[] = {
    {0x1.dcd6500000000p+29, 7, 0x1.107a76c000000p+27, 6},
    {1, 0.1, 9, 0x1.9999999999996p-4},
    {-1, 0.1, -10, 0x1.0000000000000p-54},
    {1, -0.1, -10, -0x1.0000000000000p-54},
    {-1, -0.1, 9, -0x1.9999999999996p-4},
    {-3, INFINITY, -1, INFINITY},
    {3, INFINITY, 0, 3},
    {3, -INFINITY, -1, -INFINITY},
    {-3, -INFINITY, 0, -3},
    {0, INFINITY, 0, 0},
    {-0.0, INFINITY, -0.0, 0},
    {0, -INFINITY, -0.0, -0.0},
    {INFINITY, 2, NAN, NAN},
    {-INFINITY, 2, NAN, NAN},
    {INFINITY, INFINITY, NAN, NAN},
    {7, 2, 3, 1},
    {-7, 2, -4, 1},
    {7, -2, -4, -1},
    {-7, -2, 3, -1},
    {6, 2, 3, 0},
    {-6, 2, -3, 0},
    {6, -2, -3, -0.0},
    {0, 5, 0, 0},
    {-0.0, 5, -0.0, 0},
    {0, -5, -0.0, -0.0},
    {-0.0, -5, 0, -0.0},
    {5.5, 0.1, 54, 0x1.9999999999984p-4},
    {0.3, 0.1, 2, 0x1.9999999999998p-4},
    {0.6, 0.2, 2, 0x1.9999999999998p-3},
    {0.7, 0.1, 6, 0x1.9999999999994p-4},
    {4, 0.1, 39, 0x1.999999999998ap-4},
    {1e-20, 1, 0, 1e-20},
    {-1e-20, 1, -1, 1},
    {1e-20, -1, -1, -1},
    {-5e-324, 1, -1, 1},
    {5e-324, 2, 0, 5e-324},
    {1, 5e-324, INFINITY, 0},
    {1e+300, 3, 0x1.fdafb60009cd0p+994, 0},
    {1e+308, 7e-308, INFINITY, 0x1.698294077e640p-1022},
    {0x1.c6bf526340000p+49, 0.3, 0x1.7af4c4a80aaaap+51, 0x1.18975a8802222p-3},
    {0x1.0000000000000p+53, 3, 0x1.5555555555554p+51, 2},
    {0x1.fffffffffffffp+52, 1, 0x1.fffffffffffffp+52, 0},
    {0x1.0000000000000p+60, 7, 0x1.2492492492492p+57, 1},
    {0x1.fffffffffffffp+1023, 5e-324, INFINITY, 0},
    {0x1.fffffffffffffp+1023, -3, -0x1.5555555555555p+1022, -1},
    {0x1.0000000000000p-1022, 5e-324, 0x1.0000000000000p+52, 0},
    {5e-324, -0x1.fffffffffffffp+1023, -1, -0x1.fffffffffffffp+1023},
    {NAN, 1, NAN, NAN},
    {1, NAN, NAN, NAN},
    {1e+22, 0.001, 0x1.08b2a2c280290p+83, 0x1.ced5262c42af0p-11},
    {0x1.d6f3454000000p+26, 0.0001, 0x1.1f71fb044f000p+40, 0x1.a367d471b911dp-14},
};
enum { N_PYTHON = sizeof python / sizeof *python };

static void check_python(CpuVariant cpu, uint32_t lanes)
{
    double x[BLOCK] = {0}, y[BLOCK] = {0}, to[BLOCK];
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    Harness harness = harness_make(cpu, lanes, cases, N_CASES, emit);
    for (size_t i = 0; i < N_PYTHON; i++) {
        x[i] = python[i].x;
        y[i] = python[i].y;
    }
    for (uint32_t k = 0; k < N_CASES; k++) {
        if (cases[k].from != DTYPE_F64) continue;
        harness_find(&harness, k)(x, y, to, BLOCK);
        for (size_t i = 0; i < N_PYTHON; i++)
            expect(&cases[k], cpu_name(cpu), x[i], y[i], to[i],
                   cases[k].op == OP_MOD ? python[i].remainder : python[i].quotient);
    }
    harness_free(&harness);
}

Test(divide, python_v2)
{
    check_python(CPU_X86_64_V2, 0);
}

Test(divide, python_native)
{
    check_python(CPU_NATIVE, 0);
}

Test(divide, python_scalar)
{
    check_python(CPU_NATIVE, 1);
}

Test(divide, python_interpreted)
{
    for (size_t i = 0; i < N_PYTHON; i++) {
        double x = python[i].x, y = python[i].y;
        expect(&cases[0], "the interpreter", x, y, op_evaluate(OP_FLOOR_DIV, x, y, 0), python[i].quotient);
        expect(&cases[2], "the interpreter", x, y, op_evaluate(OP_MOD, x, y, 0), python[i].remainder);
    }
}

/* ---- Any operands ---- */

/* floor(x / y) where it is a number of the type, the nearest to x / y where it need not be; C's rules elsewhere. */
static double exact_quotient(DType dtype, double x, double y)
{
    enum { BITS = 120 };
    double most = dtype == DTYPE_F64 ? 0x1p53 : 0x1p24, rounded = dtype == DTYPE_F64 ? x / y : (float)x / (float)y;
    if (isinf(x)) return NAN;
    if (!(fabs(rounded) < most)) return rounded;
    if (isinf(y) || x == 0) return x != 0 && signbit(x) != signbit(y) ? -1 : copysign(0, rounded);
    mpfr_t a, b;
    mpfr_inits2(BITS, a, b, (mpfr_ptr)NULL);
    mpfr_set_d(a, x, MPFR_RNDN);
    mpfr_set_d(b, y, MPFR_RNDN);
    mpfr_div(a, a, b, MPFR_RNDD);
    mpfr_floor(a, a);
    double floored = mpfr_get_d(a, MPFR_RNDN);
    mpfr_clears(a, b, (mpfr_ptr)NULL);
    return floored == 0 ? copysign(0, rounded) : floored;
}

/* Python's float_rem: what fmod leaves, which is exact, and y where the signs differ. */
static double exact_remainder(DType dtype, double x, double y)
{
    double rest = fmod(x, y);
    if (rest != 0 && (y < 0) != (rest < 0)) rest += y;
    if (rest == 0) rest = copysign(0, y);
    return dtype == DTYPE_F64 ? rest : (double)(float)rest;
}

static double wanted(const HarnessCase *c, double x, double y)
{
    return c->op == OP_MOD ? exact_remainder(c->from, x, y) : exact_quotient(c->from, x, y);
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

static double any_number(DType dtype, uint64_t *state)
{
    uint64_t bits = next_random(state);
    uint32_t top = (uint32_t)(bits >> 32);
    double wide;
    float narrow;
    memcpy(&wide, &bits, sizeof wide);
    memcpy(&narrow, &top, sizeof narrow);
    return dtype == DTYPE_F64 ? wide : (double)narrow;
}

static const double corners[] = {0,       -0.0,     1,         -1,         0.1,       3,          7,
                                 1e9,     INFINITY, -INFINITY, NAN,        0x1p-1074, 0x1p-1022,  DBL_MAX,
                                 FLT_MAX, 0x1p-149, 0x1p-126,  0x1p24,     0x1p53,    -0x1p24,    0x1p-24,
                                 -0x1p53, 5,        1.0 / 3,   0x1.8p-149, 1e-300,    -0x1p-1074, -DBL_MAX};
enum { N_CORNERS = sizeof corners / sizeof *corners };

/* Unlike operands; like ones, whose quotients are small; such as are nearly multiples; and all pairs of corners. */
static void draw(DType dtype, uint64_t *state, double *x, double *y)
{
    uint64_t choice = next_random(state);
    *x = any_number(dtype, state);
    *y = any_number(dtype, state);
    if (choice % 8 == 0) {
        *x = corners[(choice >> 8) % N_CORNERS];
        *y = corners[(choice >> 24) % N_CORNERS];
    } else if (choice % 4 == 1) {
        *y = scalbn(*x, -(int)(choice >> 8 & 63)) * (1 + (double)(choice >> 32) * 0x1p-32);
    } else if (choice % 4 == 2) {
        *x = *y * (double)(next_random(state) >> (1 + (choice >> 8) % 63));
    } else if (choice % 4 == 3) {
        *x = *y / (double)(next_random(state) >> (1 + (choice >> 8) % 63) | 1);
    }
    if (dtype == DTYPE_F64) return;
    *x = (float)*x;
    *y = (float)*y;
}

static void check_any(CpuVariant cpu)
{
    enum { BLOCKS = 32 };
    double x[BLOCK], y[BLOCK], to[BLOCK];
    uint64_t state = 5;
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    Harness harness = harness_make(cpu, 0, cases, N_CASES, emit);
    for (uint32_t k = 0; k < N_CASES * BLOCKS; k++) {
        const HarnessCase *c = &cases[k % N_CASES];
        for (size_t i = 0; i < BLOCK; i++) {
            double a, b;
            draw(c->from, &state, &a, &b);
            number_set(c->from, x, i, a);
            number_set(c->from, y, i, b);
        }
        harness_find(&harness, k % N_CASES)(x, y, to, BLOCK);
        for (size_t i = 0; i < BLOCK; i++) {
            double a = number_get(c->from, x, i), b = number_get(c->from, y, i), want = wanted(c, a, b);
            expect(c, cpu_name(cpu), a, b, number_get(c->from, to, i), want);
            if (c->from == DTYPE_F64) expect(c, "the interpreter", a, b, op_evaluate(c->op, a, b, 0), want);
        }
    }
    harness_free(&harness);
}

Test(divide, any_v2)
{
    check_any(CPU_X86_64_V2);
}

Test(divide, any_v3)
{
    check_any(CPU_X86_64_V3);
}

Test(divide, any_v4)
{
    check_any(CPU_X86_64_V4);
}
