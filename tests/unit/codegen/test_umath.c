/* Elementwise functions against the sets that NumPy validates its own with (umath-validation-set-*.csv of Debian's
 * python3-numpy): hard and ordinary arguments in both types, with values of a higher precision rounded once. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "math_bounds.h"
#include "support/source.h"
#include "vector_harness.h"

enum { MOST = 1 << 13 };

/* Where NumPy 1 and 2 have them. */
static const char *const folders[] = {"/usr/lib/python3/dist-packages/numpy/core/tests/data",
                                      "/usr/lib/python3/dist-packages/numpy/_core/tests/data"};

/* The functions that both have. */
static const struct {
    Op op;
    const char *name;
} sets[] = {
    {OP_ACOS, "arccos"}, {OP_ASIN, "arcsin"}, {OP_ATAN, "arctan"}, {OP_COS, "cos"},     {OP_COSH, "cosh"},
    {OP_EXP, "exp"},     {OP_EXPM1, "expm1"}, {OP_LOG, "log"},     {OP_LOG1P, "log1p"}, {OP_SIN, "sin"},
    {OP_SINH, "sinh"},   {OP_TAN, "tan"},     {OP_TANH, "tanh"},
};
enum { N_SETS = sizeof sets / sizeof *sets };

typedef struct {
    double x[MOST], to[MOST], want[MOST]; /* x and to of the type */
    size_t n;
} Samples;

static char *read_set(const char *name)
{
    size_t size;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/umath-validation-set-%s.csv", folders[i], name);
        char *text = read_file(path, &size);
        if (text) return text;
    }
    return NULL;
}

static double number_of(DType dtype, uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float narrow;
    double wide;
    memcpy(&narrow, &low, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return dtype == DTYPE_F64 ? wide : (double)narrow;
}

/* The lines of one type, np.float32,0x3f800000,0x3f576aa5,2; others are comments and the header. */
static void gather(Samples *samples, const char *text, DType dtype)
{
    samples->n = 0;
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        int bits;
        uint64_t from, to;
        if (sscanf(line, "np.float%d,%" SCNx64 ",%" SCNx64, &bits, &from, &to) != 3) continue;
        if ((bits == 64) != (dtype == DTYPE_F64)) continue;
        cr_assert_lt(samples->n, (size_t)MOST);
        number_set(dtype, samples->x, samples->n, number_of(dtype, from));
        samples->want[samples->n++] = number_of(dtype, to);
    }
    /* The rest of a vector. */
    for (size_t i = samples->n; i < MOST && i < samples->n + 16; i++) number_set(dtype, samples->x, i, 0);
}

static LLVMValueRef emit(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y)
{
    (void)to;
    return math_emit(v, op, from, x, y, NULL);
}

/* The wanted values are rounded, which may add half a unit to what is measured. */
static double bound_of(Op op, DType dtype)
{
    for (int i = 0; i < N_ROWS; i++)
        if (rows[i].op == op) return (dtype == DTYPE_F64 ? rows[i].f64 : rows[i].f32) + 0.5;
    cr_assert_fail("%s has no bound", op_info(op)->spelling);
    return 0;
}

static void compare(Samples *samples, HarnessFunction *function, const HarnessCase *tested, const char *cpu)
{
    DType dtype = tested->from;
    double bound = bound_of(tested->op, dtype);
    function(samples->x, samples->x, samples->to, (int64_t)(samples->n + 15) / 16 * 16);
    for (size_t i = 0; i < samples->n; i++) {
        double got = number_get(dtype, samples->to, i), error = ulps(dtype, got, (long double)samples->want[i]);
        bool sign = isnan(got) || signbit(got) == signbit(samples->want[i]);
        cr_expect(error <= bound && sign, "%s %s %s(%a) is %a, not %a: %.2f ulp", cpu, dtype_name(dtype),
                  op_info(tested->op)->spelling, number_get(dtype, samples->x, i), got, samples->want[i], error);
    }
}

static void check_variant(CpuVariant cpu)
{
    HarnessCase cases[2 * N_SETS];
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    char *first = read_set(sets[0].name);
    if (!first) cr_skip_test("python3-numpy is not installed");
    free(first);
    for (int i = 0; i < 2 * N_SETS; i++) {
        DType dtype = i % 2 ? DTYPE_F64 : DTYPE_F32;
        cases[i] = (HarnessCase){sets[i / 2].op, dtype, dtype};
    }
    Harness harness = harness_make(cpu, 0, cases, 2 * N_SETS, emit);
    Samples *samples = malloc(sizeof *samples);
    for (uint32_t i = 0; i < 2 * N_SETS; i++) {
        char *text = read_set(sets[i / 2].name);
        cr_assert_not_null(text, "there is no set for %s", sets[i / 2].name);
        gather(samples, text, cases[i].from);
        cr_expect_gt(samples->n, (size_t)50, "%s has few samples", sets[i / 2].name);
        compare(samples, harness_find(&harness, i), &cases[i], cpu_name(cpu));
        free(text);
    }
    free(samples);
    harness_free(&harness);
}

Test(umath, v2)
{
    check_variant(CPU_X86_64_V2);
}

Test(umath, v3)
{
    check_variant(CPU_X86_64_V3);
}

Test(umath, v4)
{
    check_variant(CPU_X86_64_V4);
}
