/* Casts, integers, bools, random numbers, masks and folds of emitted vector code, against plain C. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/eval.h"
#include "ir/integer.h"
#include "nn_random.h"
#include "vector_harness.h"

enum { N = 64 * 16 };

/* Room for N elements of any type. */
typedef union {
    double f64[N];
    float f32[N];
    uint16_t half[N];
    int64_t i64[N];
    int32_t i32[N];
    uint8_t u8[N];
} Values;

static void put(DType dtype, Values *v, size_t i, double x)
{
    switch (dtype) {
    case DTYPE_F64:
        v->f64[i] = x;
        break;
    case DTYPE_F32:
        v->f32[i] = (float)x;
        break;
    case DTYPE_I64:
        v->i64[i] = (int64_t)x;
        break;
    case DTYPE_I32:
        v->i32[i] = (int32_t)x;
        break;
    case DTYPE_U8:
        v->u8[i] = (uint8_t)x;
        break;
    default:
        v->u8[i] = x != 0;
        break;
    }
}

static double take(DType dtype, const Values *v, size_t i)
{
    switch (dtype) {
    case DTYPE_F64:
        return v->f64[i];
    case DTYPE_F32:
        return v->f32[i];
    case DTYPE_I64:
        return (double)v->i64[i];
    case DTYPE_I32:
        return v->i32[i];
    default:
        return v->u8[i];
    }
}

static LLVMValueRef emit_cast(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)op;
    (void)y;
    return math_cast(v, from, to, x);
}

static LLVMValueRef emit_operator(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)to;
    return math_emit(v, op, from, x, y, NULL);
}

static double saturate(double x, double low, double high)
{
    return isnan(x) ? 0 : trunc(fmin(fmax(x, low), high));
}

/* What CAST means, for values that `from` holds exactly. */
static double cast_reference(DType from, DType to, double x)
{
    bool is_float = from == DTYPE_F64 || from == DTYPE_F32;
    switch (to) {
    case DTYPE_F32:
        return (float)x;
    case DTYPE_I64:
        return is_float ? saturate(x, -0x1p63, 0x1p63) : x;
    case DTYPE_I32:
        return is_float ? saturate(x, -0x1p31, 0x1p31 - 1) : (double)(int32_t)(int64_t)x;
    case DTYPE_U8:
        return is_float ? saturate(x, 0, 255) : (double)(uint8_t)(int64_t)x;
    case DTYPE_BOOL:
        return x != 0;
    default:
        return x;
    }
}

static void check_casts(CpuVariant cpu)
{
    static const DType types[] = {DTYPE_F64, DTYPE_F32, DTYPE_I64, DTYPE_I32, DTYPE_U8, DTYPE_BOOL};
    static const double numbers[] = {0,    1,   -1,   2.5,   -2.5,   255, 256,      300.75,    -0.9,   65536, 1e9,
                                     -1e9, 3e9, -3e9, 1e300, -1e300, NAN, INFINITY, -INFINITY, 0x1p62, 1e-300};
    enum { TYPES = sizeof types / sizeof *types, NUMBERS = sizeof numbers / sizeof *numbers };
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    HarnessCase cases[TYPES * TYPES];
    for (uint32_t i = 0; i < TYPES * TYPES; i++) cases[i] = (HarnessCase){OP_CAST, types[i / TYPES], types[i % TYPES]};
    Harness harness = harness_make(cpu, 0, cases, TYPES * TYPES, emit_cast);
    Values x, to;
    for (uint32_t f = 0; f < TYPES * TYPES; f++) {
        DType from = cases[f].from;
        for (size_t i = 0; i < N; i++) {
            double number = numbers[i % NUMBERS];
            bool fits = from == DTYPE_F64 || from == DTYPE_F32 || fabs(number) < (from == DTYPE_I64 ? 0x1p63 : 0x1p31);
            put(from, &x, i, fits ? number : (double)i);
        }
        harness_find(&harness, f)(&x, &x, &to, N);
        for (size_t i = 0; i < N; i++) {
            double in = take(from, &x, i), got = take(cases[f].to, &to, i),
                   want = cast_reference(from, cases[f].to, in);
            cr_expect(got == want || (isnan(got) && isnan(want)), "%s %s(%g) to %s is %g, not %g", cpu_name(cpu),
                      dtype_name(from), in, dtype_name(cases[f].to), got, want);
        }
    }
    harness_free(&harness);
}

Test(vector, casts_v2)
{
    check_casts(CPU_X86_64_V2);
}

Test(vector, casts_native)
{
    check_casts(CPU_NATIVE);
}

/* f32 to a half and back by integers alone: rounds to nearest, ties to even. */
static double half_reference(DType dtype, double x)
{
    int exponent, digits = dtype == DTYPE_BF16 ? 8 : 11, least = dtype == DTYPE_BF16 ? -133 : -24;
    double most = dtype == DTYPE_BF16 ? 0x1.fep127 : 65504;
    if (x == 0 || !isfinite(x)) return x;
    frexp(x, &exponent);
    int ulp = exponent - digits > least ? exponent - digits : least;
    double y = ldexp(nearbyint(ldexp(x, -ulp)), ulp);
    return fabs(y) > most ? copysign(INFINITY, x) : y;
}

static LLVMValueRef emit_half(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)to;
    (void)y;
    DType half = op == OP_NEG ? DTYPE_BF16 : DTYPE_F16; /* the operator only says which */
    return math_cast(v, half, DTYPE_F32, math_cast(v, from, half, x));
}

static void check_halves(CpuVariant cpu)
{
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    HarnessCase cases[] = {{OP_NEG, DTYPE_F32, DTYPE_F32}, {OP_ABS, DTYPE_F32, DTYPE_F32}};
    Harness harness = harness_make(cpu, 0, cases, 2, emit_half);
    Values x, to;
    uint64_t state = 7;
    for (int round = 0; round < 400; round++)
        for (uint32_t f = 0; f < 2; f++) {
            DType dtype = f ? DTYPE_F16 : DTYPE_BF16;
            for (size_t i = 0; i < N; i++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                uint32_t bits = (uint32_t)(state >> 32);
                if (f && i % 2) bits = (bits & 0x8fffffffu) | 0x30000000u; /* near the ends of f16's range */
                if (i % 8 == 1) bits &= 0xffff8000u;                       /* ties */
                if (i % 8 == 3) bits &= 0xfffff000u;
                memcpy(&x.f32[i], &bits, 4);
            }
            harness_find(&harness, f)(&x, &x, &to, N);
            for (size_t i = 0; i < N; i++) {
                double want = half_reference(dtype, x.f32[i]), got = to.f32[i];
                bool same = (got == want && !signbit(got) == !signbit(want)) || (isnan(got) && isnan(want));
                cr_assert(same, "%s %s of %a is %a, not %a", cpu_name(cpu), dtype_name(dtype), x.f32[i], got, want);
            }
        }
    harness_free(&harness);
}

Test(vector, halves_v2)
{
    check_halves(CPU_X86_64_V2);
}

Test(vector, halves_native)
{
    check_halves(CPU_NATIVE);
}

/* Doubles and integers close to the ties of halves, closer than an f32 shows. */
static void put_near_tie(DType from, DType half, Values *x, size_t i, uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    int digits = half == DTYPE_BF16 ? 8 : 11, least = from == DTYPE_F64 ? -30 : digits + 1;
    int most = half == DTYPE_F16 ? 15 : from == DTYPE_F64 ? 120 : from == DTYPE_I64 ? 61 : 29;
    int exponent = least + (int)(*state >> 40) % (most - least + 1);
    double tie = ldexp((double)(2 * ((*state >> 33 & 127) + (1 << (digits - 1))) + 1), exponent - digits);
    double off = (double)((int)(*state >> 20 & 3) - 1), sign = *state >> 25 & 1 ? -1 : 1;
    if (from == DTYPE_F64) {
        x->f64[i] = sign * (tie + off * ldexp(1, exponent - 45));
        return;
    }
    int64_t whole = (int64_t)sign * ((int64_t)tie + (int64_t)off);
    if (from == DTYPE_I64)
        x->i64[i] = whole;
    else
        x->i32[i] = (int32_t)whole;
}

/* Of integers beyond 2^53, too. */
static double near_tie_reference(DType from, DType half, const Values *x, size_t i)
{
    if (from == DTYPE_F64) return half_reference(half, x->f64[i]);
    int64_t whole = from == DTYPE_I64 ? x->i64[i] : x->i32[i];
    int64_t high = whole / 4096 * 4096; /* no tie of a half is nearer to the rest than 2^12, or all is exact */
    double nudge = whole - high > 0 ? 0.5 : whole - high < 0 ? -0.5 : 0;
    return half_reference(half, fabs((double)whole) < 0x1p52 ? (double)whole : (double)high + nudge * 2048);
}

static void check_near_ties(CpuVariant cpu)
{
    static const DType froms[] = {DTYPE_F64, DTYPE_I64, DTYPE_I32}, halves[] = {DTYPE_BF16, DTYPE_F16};
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    HarnessCase cases[6];
    for (uint32_t f = 0; f < 6; f++) cases[f] = (HarnessCase){f % 2 ? OP_ABS : OP_NEG, froms[f / 2], DTYPE_F32};
    Harness harness = harness_make(cpu, 0, cases, 6, emit_half);
    Values x, to;
    uint64_t state = 11;
    for (int round = 0; round < 200; round++)
        for (uint32_t f = 0; f < 6; f++) {
            DType from = froms[f / 2], half = halves[f % 2];
            for (size_t i = 0; i < N; i++) put_near_tie(from, half, &x, i, &state);
            harness_find(&harness, f)(&x, &x, &to, N);
            for (size_t i = 0; i < N; i++) {
                double want = near_tie_reference(from, half, &x, i), got = to.f32[i];
                cr_assert_eq(got, want, "%s: %s to %s is %a, not %a", cpu_name(cpu), dtype_name(from), dtype_name(half),
                             got, want);
                if (from == DTYPE_F64) {
                    cr_assert_eq(dtype_round(half, x.f64[i]), want);
                    continue;
                }
                int64_t whole = from == DTYPE_I64 ? x.i64[i] : x.i32[i];
                cr_assert_eq(integer_to_float(half, whole), want);
            }
        }
    harness_free(&harness);
}

Test(vector, halves_rounded_once_v2)
{
    check_near_ties(CPU_X86_64_V2);
}

Test(vector, halves_rounded_once_native)
{
    check_near_ties(CPU_NATIVE);
}

/* Integers by floor; 0 for a zero divisor; wrapping is tested where it happens. */
static double integer_reference(Op op, double x, double y)
{
    if ((op == OP_FLOOR_DIV || op == OP_MOD) && y == 0) return 0;
    return op_evaluate(op, x, y, 0);
}

Test(vector, integers)
{
    static const Op ops[] = {OP_NEG, OP_ABS, OP_SIGN, OP_ADD, OP_SUB, OP_MUL, OP_FLOOR_DIV, OP_MOD, OP_MAX, OP_MIN};
    static const Op tests[] = {OP_EQ, OP_NE, OP_LT, OP_LE};
    static const DType types[] = {DTYPE_I32, DTYPE_I64, DTYPE_U8};
    enum { OPS = sizeof ops / sizeof *ops, TESTS = sizeof tests / sizeof *tests, ALL = 3 * (OPS + TESTS) };
    HarnessCase cases[ALL];
    for (uint32_t i = 0; i < ALL; i++) {
        uint32_t op = i / 3;
        cases[i] =
            (HarnessCase){op < OPS ? ops[op] : tests[op - OPS], types[i % 3], op < OPS ? types[i % 3] : DTYPE_BOOL};
    }
    Harness harness = harness_make(CPU_NATIVE, 0, cases, ALL, emit_operator);
    Values x, y, to;
    for (uint32_t f = 0; f < ALL; f++) {
        bool byte = cases[f].from == DTYPE_U8;
        for (size_t i = 0; i < N; i++) {
            put(cases[f].from, &x, i, (double)(i / 32) - (byte ? 0 : 16));
            put(cases[f].from, &y, i, (double)(i % 32) - (byte ? 0 : 16));
        }
        harness_find(&harness, f)(&x, &y, &to, N);
        for (size_t i = 0; i < N; i++) {
            double a = take(cases[f].from, &x, i), b = take(cases[f].from, &y, i), got = take(cases[f].to, &to, i);
            double want = integer_reference(cases[f].op, a, b);
            if (byte && cases[f].to == DTYPE_U8) want = (double)(uint8_t)(int64_t)want;
            cr_expect_eq(got, want, "%s %s(%g, %g) is %g, not %g", dtype_name(cases[f].from),
                         op_info(cases[f].op)->spelling, a, b, got, want);
        }
    }
    harness_free(&harness);
}

/* The one quotient that overflows must wrap around, not trap. */
Test(vector, least_integer_by_minus_one)
{
    HarnessCase cases[] = {{OP_FLOOR_DIV, DTYPE_I32, DTYPE_I32}, {OP_MOD, DTYPE_I64, DTYPE_I64}};
    Harness harness = harness_make(CPU_NATIVE, 0, cases, 2, emit_operator);
    Values x, y, to;
    for (size_t i = 0; i < N; i++) x.i32[i] = INT32_MIN, y.i32[i] = -1;
    harness_find(&harness, 0)(&x, &y, &to, N);
    for (size_t i = 0; i < N; i++) cr_assert_eq(to.i32[i], INT32_MIN);
    for (size_t i = 0; i < N; i++) x.i64[i] = INT64_MIN, y.i64[i] = -1;
    harness_find(&harness, 1)(&x, &y, &to, N);
    for (size_t i = 0; i < N; i++) cr_assert_eq(to.i64[i], 0);
    harness_free(&harness);
}

/* Plain operators on floating-point numbers and bools agree with the meaning that ops.def gives them. */
Test(vector, plain_operators)
{
    static const Op ops[] = {OP_NEG, OP_ABS, OP_SIGN, OP_FLOOR,     OP_CEIL, OP_ROUND, OP_ADD,
                             OP_SUB, OP_MUL, OP_DIV,  OP_FLOOR_DIV, OP_MOD,  OP_MAX,   OP_MIN,
                             OP_EQ,  OP_NE,  OP_LT,   OP_LE,        OP_NOT,  OP_AND,   OP_OR};
    static const double numbers[] = {0,    -0.0, 1,   -1,       0.5,       -0.5, 1.5, 2.5,
                                     -2.5, 3,    NAN, INFINITY, -INFINITY, 7,    100, -3};
    enum { OPS = sizeof ops / sizeof *ops };
    HarnessCase cases[OPS];
    for (uint32_t i = 0; i < OPS; i++) {
        DType from = op_info(ops[i])->rule == TYPE_RULE_LOGIC ? DTYPE_BOOL : DTYPE_F64;
        cases[i] = (HarnessCase){ops[i], from, op_info(ops[i])->rule == TYPE_RULE_COMPARE ? DTYPE_BOOL : from};
    }
    Harness harness = harness_make(CPU_NATIVE, 0, cases, OPS, emit_operator);
    Values x, y, to;
    for (uint32_t f = 0; f < OPS; f++) {
        for (size_t i = 0; i < N; i++) {
            put(cases[f].from, &x, i, numbers[i / 16 % 16]);
            put(cases[f].from, &y, i, numbers[i % 16]);
        }
        harness_find(&harness, f)(&x, &y, &to, N);
        for (size_t i = 0; i < 256; i++) {
            double a = take(cases[f].from, &x, i), b = take(cases[f].from, &y, i), got = take(cases[f].to, &to, i);
            double want = op_evaluate(cases[f].op, a, b, 0);
            cr_expect(got == want || (isnan(got) && isnan(want)), "%s(%g, %g) is %g, not %g",
                      op_info(cases[f].op)->spelling, a, b, got, want);
        }
    }
    harness_free(&harness);
}

static const uint64_t SEED = 0x123456789abcdef0u;
static const uint32_t STREAM = 0xdeadbeef, STEP = 77;

static LLVMValueRef emit_random(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)op, (void)from, (void)to, (void)y;
    LLVMTypeRef i32 = LLVMInt32TypeInContext(v->context);
    return random_emit(v, LLVMConstInt(LLVMInt64TypeInContext(v->context), SEED, false),
                       LLVMConstInt(i32, STREAM, false), LLVMConstInt(i32, STEP, false), x);
}

Test(vector, random)
{
    HarnessCase cases[] = {{OP_RANDOM, DTYPE_I64, DTYPE_F32}};
    for (uint32_t lanes = 0; lanes < 2; lanes++) { /* whole vectors, then scalars */
        Harness harness = harness_make(CPU_NATIVE, lanes, cases, 1, emit_random);
        Values x, to;
        for (size_t i = 0; i < N; i++) x.i64[i] = (int64_t)(i * 0x123456789abu);
        harness_find(&harness, 0)(&x, &x, &to, N);
        for (size_t i = 0; i < N; i++)
            cr_assert_eq(to.f32[i], nn_random_uniform(SEED, STREAM, STEP, (uint64_t)x.i64[i]));
        harness_free(&harness);
    }
}

/* Lanes below 5 come from memory and are folded; the others are 0 and not read. */
static LLVMValueRef emit_masked_sum(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)to, (void)y;
    uint32_t lanes = vector_lanes(x);
    LLVMValueRef mask = vector_mask(v, LLVMConstInt(LLVMInt64TypeInContext(v->context), 5, false), lanes);
    LLVMValueRef kept = vector_select(v, mask, x, LLVMConstNull(LLVMTypeOf(x)));
    return vector_splat(v, vector_fold(v, op, from, kept), lanes);
}

Test(vector, folds)
{
    HarnessCase cases[] = {
        {OP_ADD, DTYPE_F32, DTYPE_F32}, {OP_MAX, DTYPE_I32, DTYPE_I32}, {OP_OR, DTYPE_BOOL, DTYPE_BOOL}};
    Harness harness = harness_make(CPU_NATIVE, 8, cases, 3, emit_masked_sum);
    Values x, to;
    for (size_t i = 0; i < N; i++) x.f32[i] = (float)i;
    harness_find(&harness, 0)(&x, &x, &to, N);
    for (size_t i = 0; i < N; i++) cr_assert_eq(to.f32[i], (float)(5 * (i / 8 * 8) + 10));
    for (size_t i = 0; i < N; i++) x.i32[i] = (int32_t)(i % 8);
    harness_find(&harness, 1)(&x, &x, &to, N);
    for (size_t i = 0; i < N; i++) cr_assert_eq(to.i32[i], 4);
    for (size_t i = 0; i < N; i++) x.u8[i] = i % 8 == 6 || i == 8;
    harness_find(&harness, 2)(&x, &x, &to, N);
    for (size_t i = 0; i < N; i++) cr_assert_eq(to.u8[i], i / 8 == 1);
    harness_free(&harness);
}

static LLVMValueRef emit_identity(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)v, (void)op, (void)from, (void)to, (void)y;
    return x;
}

/* Every pattern of 16 bits comes back from a register as it was; NaNs only as NaNs. */
Test(vector, halves_in_memory)
{
    HarnessCase cases[] = {{OP_CAST, DTYPE_F16, DTYPE_F16}, {OP_CAST, DTYPE_BF16, DTYPE_BF16}};
    Harness harness = harness_make(CPU_NATIVE, 0, cases, 2, emit_identity);
    Values x, to;
    for (uint32_t f = 0; f < 2; f++)
        for (uint32_t base = 0; base < 0x10000; base += N) {
            uint32_t infinity = f ? 0x7f80 : 0x7c00;
            for (uint32_t i = 0; i < N; i++) x.half[i] = (uint16_t)(base + i);
            harness_find(&harness, f)(&x, &x, &to, N);
            for (uint32_t i = 0; i < N; i++) {
                bool both_nan = (x.half[i] & 0x7fffu) > infinity && (to.half[i] & 0x7fffu) > infinity;
                cr_assert(to.half[i] == x.half[i] || both_nan, "%x became %x", x.half[i], to.half[i]);
            }
        }
    harness_free(&harness);
}

/* table[x] with 10 elements, where x < 10; else 0 without a read. */
static LLVMValueRef emit_gather(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)op, (void)from, (void)y;
    LLVMValueRef items[10];
    for (unsigned i = 0; i < 10; i++) items[i] = vector_number(v, DTYPE_I32, 1, 100 + i);
    LLVMValueRef table = LLVMConstArray2(LLVMInt32TypeInContext(v->context), items, 10);
    LLVMValueRef global = LLVMAddGlobal(v->module, LLVMTypeOf(table), "table");
    LLVMSetInitializer(global, table);
    LLVMSetLinkage(global, LLVMInternalLinkage);
    LLVMValueRef inside = LLVMBuildICmp(v->builder, LLVMIntULT, x, vector_integer_like(x, 10), "");
    return vector_gather(v, to, global, x, inside);
}

Test(vector, gathers)
{
    HarnessCase cases[] = {{OP_GATHER, DTYPE_I64, DTYPE_I32}};
    static const CpuVariant variants[] = {CPU_X86_64_V2, CPU_NATIVE};
    for (int c = 0; c < 2; c++) {
        Harness harness = harness_make(variants[c], 0, cases, 1, emit_gather);
        Values x, to;
        for (size_t i = 0; i < N; i++) x.i64[i] = i % 3 ? (int64_t)(i % 10) : (int64_t)1 << 60;
        harness_find(&harness, 0)(&x, &x, &to, N);
        for (size_t i = 0; i < N; i++) cr_assert_eq(to.i32[i], i % 3 ? 100 + (int32_t)(i % 10) : 0);
        harness_free(&harness);
    }
}
