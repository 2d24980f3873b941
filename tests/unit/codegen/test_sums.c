/* The order of sums in loops, to the last bit: alone or beside other things, at every multiple of a vector, of all
 * accumulators and of a leaf; and what long sums lose. */
#include "codegen/vector.h"
#include "harness.h"

enum { LEAF = 128, REGISTERS = 4, MOST_LANES = 64, MOST_LEVELS = 40 };

/* Sums as a binary counter adds: level[i] is that of 2^i leaves where `leaves` has the bit. */
typedef struct {
    float level[MOST_LEVELS][MOST_LANES];
    uint64_t leaves;
    int width;
} Counter;

static void add_lanes(float *to, const float *older, const float *newer, int width)
{
    for (int i = 0; i < width; i++) to[i] = older[i] + newer[i];
}

static void count_leaf(Counter *counter, float *sums)
{
    int level = 0;
    for (; counter->leaves >> level & 1; level++) add_lanes(sums, counter->level[level], sums, counter->width);
    memcpy(counter->level[level], sums, sizeof counter->level[level]);
    counter->leaves++;
}

static void count_total(const Counter *counter, float *sums)
{
    bool first = true;
    memset(sums, 0, MOST_LANES * sizeof *sums);
    for (int level = 0; level < MOST_LEVELS; level++) {
        if (!(counter->leaves >> level & 1)) continue;
        if (first) memcpy(sums, counter->level[level], sizeof counter->level[level]);
        if (!first) add_lanes(sums, counter->level[level], sums, counter->width);
        first = false;
    }
}

/* n elements, `width` accumulators wide; what is left over is not added. */
static void sum_wide(const float *x, int64_t n, int64_t stride, int width, float *sums)
{
    Counter counter = {.width = width};
    int64_t step = (int64_t)LEAF * width;
    for (int64_t leaf = 0; leaf + width <= n; leaf += step) {
        float chain[MOST_LANES] = {0};
        for (int64_t i = leaf; i < leaf + step && i < n / width * width; i++) chain[i % width] += x[i * stride];
        count_leaf(&counter, chain);
    }
    count_total(&counter, sums);
}

static void fold(float *sums, int from, int to)
{
    for (int half = from / 2; half >= to && half; half /= 2) add_lanes(sums, sums, sums + half, half);
}

static float sum_row(const float *x, int64_t n, int lanes)
{
    float sums[MOST_LANES];
    int all = REGISTERS * lanes;
    sum_wide(x, n, 1, all, sums);
    fold(sums, all, lanes);
    for (int64_t i = n / all * all; i < n; i++) sums[(i - n / all * all) % lanes] += x[i];
    fold(sums, lanes, 1);
    return sums[0];
}

static float sum_chain(const float *x, int64_t n, int64_t stride)
{
    float sums[MOST_LANES];
    sum_wide(x, n, stride, 1, sums);
    return sums[0];
}

typedef enum { ROWS, COLUMNS, ALL } Over;

typedef struct {
    const char *name;
    Over over;
    const char *text; /* b0: f32[s0, s1], b1: its sums; what follows is beside the matter */
} Sample;

#define HEAD " s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n"
#define ROWS_SUM " v1: f32 {a0} = reduce sum {a1} v0\n v2: f32 {a0} = store b1[a0] v1\n"
#define COLUMNS_SUM " v1: f32 {a1} = reduce sum {a0} v0\n v2: f32 {a1} = store b1[a1] v1\n"

static const Sample samples[] = {
    {"rows", ROWS, "kernel k {\n" HEAD " b1: f32[s0] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n" ROWS_SUM "}\n"},
    {"rows beside a sum of exponentials", ROWS,
     "kernel k {\n" HEAD " b1: f32[s0] write\n b2: f32[s0] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n" ROWS_SUM
     " v3: f32 {a0 a1} = exp v0\n v4: f32 {a0} = reduce sum {a1} v3\n v5: f32 {a0} = store b2[a0] v4\n}\n"},
    {"rows beside a largest one and a store", ROWS,
     "kernel k {\n" HEAD " b1: f32[s0] write\n b2: i32[s0] write\n b3: f32[s0, s1] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n" ROWS_SUM " v3: i32 {a0} = reduce argmax {a1} v0\n"
     " v4: i32 {a0} = store b2[a0] v3\n v5: f32 {a0 a1} = tanh v0\n v6: f32 {a0 a1} = store b3[a0, a1] v5\n}\n"},
    {"columns", COLUMNS,
     "kernel k {\n" HEAD " b1: f32[s1] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n" COLUMNS_SUM "}\n"},
    {"columns beside a sum of exponentials", COLUMNS,
     "kernel k {\n" HEAD " b1: f32[s1] write\n b2: f32[s1] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n" COLUMNS_SUM
     " v3: f32 {a0 a1} = exp v0\n v4: f32 {a1} = reduce sum {a0} v3\n v5: f32 {a1} = store b2[a1] v4\n}\n"},
    {"all", ALL,
     "kernel k {\n" HEAD " b1: f32[] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {} = reduce sum {a0 a1} v0\n"
     " v2: f32 {} = store b1[] v1\n}\n"},
    {"all beside a sum of exponentials", ALL,
     "kernel k {\n" HEAD " b1: f32[] write\n b2: f32[] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n"
     " v1: f32 {} = reduce sum {a0 a1} v0\n v2: f32 {} = store b1[] v1\n v3: f32 {a0 a1} = exp v0\n"
     " v4: f32 {} = reduce sum {a0 a1} v3\n v5: f32 {} = store b2[] v4\n}\n"},
};

enum { N_SAMPLES = sizeof samples / sizeof *samples };

static void run(const Harness *h, int64_t rows, int64_t columns, const float *x, float *sums)
{
    void *buffers[MAX_BUFFERS] = {(void *)(uintptr_t)x, sums};
    int64_t sizes[] = {rows, columns, 0}, error = 0;
    for (uint32_t b = 2; b < h->kernel->n_buffers; b++)
        buffers[b] = malloc((size_t)harness_count(h, b, sizes) * sizeof(float) + 1);
    nn_kernel_args args = {buffers, sizes, 0, 0, &error};
    h->code->loop(&args, 0, h->code->split < 0 ? 1 : sizes[h->code->split]);
    for (uint32_t b = 2; b < h->kernel->n_buffers; b++) free(buffers[b]);
}

static float *random_values(int64_t n)
{
    float *x = malloc((size_t)n * sizeof *x + 1);
    uint64_t state = 1;
    for (int64_t i = 0; i < n; i++) x[i] = (float)harness_random(&state) / 2147483648.0f - 0.5f;
    return x;
}

static void check(const Harness *h, const Sample *sample, int64_t rows, int64_t columns, int lanes)
{
    float *x = random_values(rows * columns), *partial = malloc((size_t)rows * sizeof *partial + 1);
    int64_t n = sample->over == ROWS ? rows : sample->over == COLUMNS ? columns : 1;
    float *got = malloc((size_t)n * sizeof *got + 1);
    run(h, rows, columns, x, got);
    for (int64_t i = 0; i < rows; i++) partial[i] = sum_row(x + i * columns, columns, lanes);
    for (int64_t i = 0; i < n; i++) {
        float want = sample->over == ROWS      ? partial[i]
                     : sample->over == COLUMNS ? sum_chain(x + i, rows, columns)
                                               : sum_chain(partial, rows, 1);
        cr_assert(got[i] == want, "%s, %lldx%lld, %d lanes: sum %lld is %.9g, not %.9g", sample->name, (long long)rows,
                  (long long)columns, lanes, (long long)i, got[i], want);
    }
    free(x);
    free(partial);
    free(got);
}

/* Every multiple of the vectors, of all accumulators and of a leaf, for each variant, and its neighbours. */
static int64_t lengths(int64_t *to)
{
    static const int64_t marks[] = {0, 8, 16, 32, 64, 128, 256, 384, 512, 1024, 2048, 4096, 6144, 8192, 16384, 24576};
    int64_t count = 0;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        for (int64_t d = -1; d <= 1; d++)
            if (marks[i] + d >= 0) to[count++] = marks[i] + d;
    return count;
}

static void check_law(const char *cpu, int lanes)
{
    int64_t all[64], n = lengths(all);
    for (size_t s = 0; s < N_SAMPLES; s++) {
        Harness h = harness_new(samples[s].text, cpu);
        for (int64_t i = 0; i < n; i++) {
            if (samples[s].over != COLUMNS) check(&h, &samples[s], 3, all[i], lanes);
            if (samples[s].over != ROWS && all[i] < 9000) check(&h, &samples[s], all[i], i % 70 + 1, lanes);
        }
        harness_free(&h);
    }
}

Test(sums, law_v2, .timeout = 120)
{
    check_law("x86-64-v2", 4);
}

Test(sums, law_v3, .timeout = 120)
{
    if (!cpu_runs(CPU_X86_64_V3)) cr_skip_test("this machine does not run v3");
    check_law("x86-64-v3", 8);
}

Test(sums, law_v4, .timeout = 120)
{
    if (!cpu_runs(CPU_X86_64_V4)) cr_skip_test("this machine does not run v4");
    check_law("x86-64-v4", 16);
}

static void check_error(const Harness *h, int64_t rows, int64_t columns, int64_t n, const float *x, double most)
{
    float *got = malloc((size_t)n * sizeof *got);
    double *want = calloc((size_t)n, sizeof *want);
    run(h, rows, columns, x, got);
    for (int64_t i = 0; i < rows * columns; i++) want[i % n] += (double)x[i];
    for (int64_t i = 0; i < n; i++)
        cr_assert_lt(fabs((double)got[i] / want[i] - 1), most, "%lldx%lld: %.9g, not %.9g", (long long)rows,
                     (long long)columns, got[i], want[i]);
    free(got);
    free(want);
}

/* Ten million times 0.1, where each rounding errs alike, and positive numbers at random. */
Test(sums, long_ones_stay_exact, .timeout = 120)
{
    enum { MANY = 10000000, BATCH = 131072, CHANNELS = 33 };
    static const double most[] = {1e-6, 1e-6, 3e-7};
    Harness all = harness_new(samples[5].text, "native"), columns = harness_new(samples[3].text, "native");
    float *x = random_values((int64_t)MANY);
    for (int kind = 0; kind < 2; kind++) {
        for (int64_t i = 0; i < MANY; i++) x[i] = kind ? 0.1f : fabsf(x[i]);
        check_error(&all, 1, MANY, 1, x, most[kind]);
        check_error(&all, MANY, 1, 1, x, most[kind] * (kind ? 10 : 1));
        check_error(&columns, BATCH, CHANNELS, CHANNELS, x, kind ? 5e-6 : most[2]);
    }
    free(x);
    harness_free(&all);
    harness_free(&columns);
}
