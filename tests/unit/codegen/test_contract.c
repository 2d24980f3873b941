/* Contractions against a plain triple loop: shapes at every edge of the tiling, orders of A and B, batch axes, sums
 * that are stored or only handed on, every CPU variant this machine runs. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codegen/micro.h"
#include "floats.h"

/* How a matrix lies in memory. */
typedef enum { ROWS, COLUMNS, SPREAD, LAYOUTS } Layout;

typedef struct {
    int64_t m, n, k;
    Layout a, b;
    int64_t batch[2];
    bool stores, has_tile;
} Case;

typedef struct {
    Case c;
    uint8_t dtype;
    const nn_micro_kernels *micro;
    nn_contraction contraction;
    void *a, *b, *to, *tiles;
    int64_t *visits;
    size_t n_a, n_b, n_c;
} Run;

static double next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*state >> 33) / 0x1p30 - 1;
}

/* Strides of a rows x columns matrix; its elements. */
static int64_t lay_out(Layout layout, int64_t rows, int64_t columns, int64_t *row, int64_t *column)
{
    *row = layout == ROWS ? columns : layout == COLUMNS ? 1 : 2 * columns + 3;
    *column = layout == ROWS ? 1 : layout == COLUMNS ? rows : 2;
    return (rows > 0 ? rows - 1 : 0) * *row + (columns > 0 ? columns - 1 : 0) * *column + 1;
}

/* The tile function under test: notes the sums and how often each was handed on. */
static void note_tile(const nn_kernel_args *args, const int64_t *batch, int64_t m0, int64_t m1, int64_t n0, int64_t n1,
                      const void *acc, int64_t acc_stride)
{
    Run *r = args->buffers[3];
    for (int64_t m = m0; m < m1; m++)
        for (int64_t n = n0; n < n1; n++) {
            int64_t at = ((batch[0] * r->c.batch[1] + batch[1]) * r->c.m + m) * r->c.n + n;
            float_set(r->dtype, r->tiles, at, float_get(r->dtype, acc, (m - m0) * acc_stride + (n - n0)));
            r->visits[at]++;
        }
}

/* Memory that ends where a page begins that may not be touched: sanitizers do not see into generated code. */
static void *guarded(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
    char *at = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(at != MAP_FAILED && !mprotect(at + whole, page, PROT_NONE));
    return at + whole - size;
}

static void guarded_free(void *memory, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
    munmap((char *)memory + size - whole, whole + page);
}

static void *fill(const Run *r, size_t n, uint64_t seed)
{
    void *values = guarded(n * float_size(r->dtype));
    for (size_t i = 0; i < n; i++) float_set(r->dtype, values, (int64_t)i, next_random(&seed));
    return values;
}

/* C's rows lie `apart` times their length apart. */
static Run run_make(Case c, uint8_t dtype, const nn_micro_kernels *micro, int64_t apart)
{
    Run r = {.c = c, .dtype = dtype, .micro = micro};
    nn_contraction *t = &r.contraction;
    *t = (nn_contraction){
        .m = c.m, .n = c.n, .k = c.k, .c_m = c.n * apart, .n_batch = 2, .b = 1, .c = c.stores ? 2 : -1};
    t->has_tile = c.has_tile || !c.stores;
    int64_t a = lay_out(c.a, c.m, c.k, &t->a_m, &t->a_k), b = lay_out(c.b, c.k, c.n, &t->b_k, &t->b_n);
    t->batch_extent[0] = c.batch[0], t->batch_extent[1] = c.batch[1];
    t->batch_a[0] = a * c.batch[1], t->batch_a[1] = a;
    t->batch_b[0] = 0, t->batch_b[1] = b; /* B is shared along the first batch axis */
    t->batch_c[0] = c.m * t->c_m * c.batch[1], t->batch_c[1] = c.m * t->c_m;
    r.n_a = (size_t)(a * c.batch[0] * c.batch[1]), r.n_b = (size_t)(b * c.batch[1]);
    r.n_c = (size_t)(c.m * t->c_m * c.batch[0] * c.batch[1]);
    r.a = fill(&r, r.n_a, 1), r.b = fill(&r, r.n_b, 2);
    r.to = fill(&r, r.n_c, 3), r.tiles = fill(&r, r.n_c, 4);
    r.visits = calloc(r.n_c + 1, sizeof *r.visits);
    return r;
}

static void run_free(Run *r)
{
    guarded_free(r->a, r->n_a * float_size(r->dtype)), guarded_free(r->b, r->n_b * float_size(r->dtype));
    guarded_free(r->to, r->n_c * float_size(r->dtype)), guarded_free(r->tiles, r->n_c * float_size(r->dtype));
    free(r->visits);
}

typedef enum { FORWARDS, BACKWARDS, TOGETHER } TaskOrder;

/* Runs the tasks one by one, each with scratch of its own, or all together. */
static void run_tasks(Run *r, TaskOrder order)
{
    void *buffers[] = {r->a, r->b, r->to, r};
    nn_kernel_args args = {.buffers = buffers};
    nn_contract_plan plan = nn_contract_prepare(&r->contraction, r->dtype, r->micro);
    int64_t n = plan.tasks;
    size_t size = (plan.scratch_size + 63) / 64 * 64;
    nn_tile_function *tile = r->c.has_tile || !r->c.stores ? note_tile : NULL;
    int64_t each = order == TOGETHER && n ? n : 1;
    size_t shared = (plan.shared_size + 63) / 64 * 64;
    nn_contract_call call = {.args = &args, .tile = tile, .shared = guarded(shared)};
    memset(call.shared, 0xff, shared);
    for (int64_t i = 0; i < n; i += each) {
        int64_t task = order == BACKWARDS ? n - 1 - i : i;
        void *scratch = guarded(size);
        memset(scratch, 0xff, size); /* NaNs: reading what was not written shows */
        nn_contract_run(&plan, &call, task, task + each, scratch);
        guarded_free(scratch, size);
    }
    for (int64_t i = 0; i < plan.finish_tasks; i++) {
        int64_t task = order == BACKWARDS ? plan.finish_tasks - 1 - i : i;
        nn_contract_finish(&plan, &call, task, task + 1);
    }
    guarded_free(call.shared, shared);
}

/* Where C has its i-th element. */
static int64_t at_c(const Run *r, size_t i)
{
    return (int64_t)i / r->c.n * r->contraction.c_m + (int64_t)i % r->c.n;
}

static double expected(const Run *r, int64_t i, double *magnitude)
{
    const nn_contraction *t = &r->contraction;
    int64_t n = i % r->c.n, m = i / r->c.n % r->c.m, batch = i / r->c.n / r->c.m;
    int64_t b0 = batch / r->c.batch[1], b1 = batch % r->c.batch[1];
    double sum = 0, most = 0;
    for (int64_t k = 0; k < r->c.k; k++) {
        double a = float_get(r->dtype, r->a, b0 * t->batch_a[0] + b1 * t->batch_a[1] + m * t->a_m + k * t->a_k);
        double b = float_get(r->dtype, r->b, b0 * t->batch_b[0] + b1 * t->batch_b[1] + k * t->b_k + n * t->b_n);
        sum += a * b;
        most += fabs(a * b);
    }
    *magnitude = most;
    return sum;
}

static void check(Case c, uint8_t dtype, const nn_micro_kernels *micro)
{
    Run r = run_make(c, dtype, micro, 1);
    run_tasks(&r, FORWARDS);
    double epsilon = dtype == NN_F64 ? 0x1p-52 : 0x1p-23;
    bool tile = c.has_tile || !c.stores;
    size_t step = r.n_c > 20000 ? 37 : 1; /* the plain loop is slow */
    for (size_t i = 0; i < r.n_c; i += step) {
        double magnitude, want = expected(&r, (int64_t)i, &magnitude),
                          got = float_get(r.dtype, c.stores ? r.to : r.tiles, (int64_t)i);
        /* Partial sums in many lanes: the error grows with the root of k in practice; k bounds it. */
        bool good = fabs(got - want) <= epsilon * magnitude * (4 + sqrt((double)c.k));
        bool once = !tile || (r.visits[i] == 1 && (!c.stores || float_get(r.dtype, r.tiles, (int64_t)i) == got));
        cr_assert(good && once,
                  "%s f%zu %ldx%ldx%ld layouts %d %d batch %ldx%ld stores %d tile %d: [%zu] is %g, not %g (%ld visits)",
                  micro->cpu, 8 * float_size(r.dtype), (long)c.m, (long)c.n, (long)c.k, c.a, c.b, (long)c.batch[0],
                  (long)c.batch[1], c.stores, c.has_tile, i, got, want, (long)r.visits[i]);
    }
    void *first = malloc(r.n_c * float_size(r.dtype) + 1);
    memcpy(first, c.stores ? r.to : r.tiles, r.n_c * float_size(r.dtype));
    for (TaskOrder order = BACKWARDS; order <= TOGETHER; order++) {
        run_tasks(&r, order);
        cr_assert(!memcmp(first, c.stores ? r.to : r.tiles, r.n_c * float_size(r.dtype)), "the order of tasks shows");
    }
    free(first);
    run_free(&r);
}

static void check_layouts(int64_t m, int64_t n, int64_t k, const nn_micro_kernels *micro)
{
    for (int i = 0; i < LAYOUTS * LAYOUTS; i++) {
        Case c = {m, n, k, (Layout)(i % LAYOUTS), (Layout)(i / LAYOUTS), {1, 1}, true, false};
        check(c, NN_F32, micro);
        check(c, NN_F64, micro);
        c.has_tile = true;
        check(c, NN_F32, micro);
        c.stores = false;
        check(c, i % 2 ? NN_F32 : NN_F64, micro);
    }
}

static void check_variant(CpuVariant cpu)
{
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    const nn_micro_kernels *micro = micro_kernels(cpu);
    cr_assert_str_eq(micro->cpu, cpu_name(cpu));
    static const int64_t shapes[][3] = {
        {1, 1, 1},     {1, 1, 33},   {2, 1, 7},     {1, 2, 7},       {3, 5, 1},     {4, 40, 19},   {5, 16, 3},
        {1, 300, 130}, {1, 401, 17}, {300, 1, 20},  {17, 17, 17},    {31, 33, 65},  {64, 10, 128}, {65, 63, 9},
        {10, 784, 16}, {97, 64, 33}, {20, 49, 391}, {127, 129, 255}, {6, 65, 1030}, {200, 7, 40},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_layouts(shapes[i][0], shapes[i][1], shapes[i][2], micro);
}

Test(contract, v2, .timeout = 120)
{
    check_variant(CPU_X86_64_V2);
}

Test(contract, v3, .timeout = 120)
{
    check_variant(CPU_X86_64_V3);
}

Test(contract, v4, .timeout = 120)
{
    check_variant(CPU_X86_64_V4);
}

Test(contract, every_tile)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    for (int64_t m = 1; m <= 18; m++)
        for (int64_t n = 1; n <= 70; n += n < 20 ? 3 : 9) {
            check((Case){m, n, 5, ROWS, ROWS, {1, 1}, true, false}, NN_F32, micro);
            check((Case){m, n, 6, COLUMNS, ROWS, {1, 1}, true, false}, NN_F64, micro);
        }
}

Test(contract, batches)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    for (int i = 0; i < LAYOUTS * LAYOUTS; i++)
        for (int kind = 0; kind < 3; kind++) {
            Case c = {33, 20, 40, (Layout)(i % LAYOUTS), (Layout)(i / LAYOUTS), {3, 5}, kind<2, kind> 0};
            check(c, NN_F32, micro);
            c.m = 1;
            check(c, NN_F32, micro);
            c.m = 40, c.n = 1;
            check(c, NN_F64, micro);
        }
}

/* ---- The law of the order of sums, to the last bit ---- */

enum { MOST_LANES = 16, MOST_LEVELS = 40 };

/* A sum as a binary counter adds: level[i] is that of 2^i leaves where `leaves` has the bit. */
typedef struct {
    double level[MOST_LEVELS];
    uint64_t leaves;
} Counter;

static double round_to(uint8_t dtype, double x)
{
    return dtype == NN_F64 ? x : (double)(float)x;
}

static void count_leaf(Counter *counter, uint8_t dtype, double sum)
{
    int level = 0;
    for (; counter->leaves >> level & 1; level++) sum = round_to(dtype, counter->level[level] + sum);
    counter->level[level] = sum;
    counter->leaves++;
}

static double count_total(const Counter *counter, uint8_t dtype)
{
    double sum = 0;
    bool first = true;
    for (int level = 0; level < MOST_LEVELS; level++) {
        if (!(counter->leaves >> level & 1)) continue;
        sum = first ? counter->level[level] : round_to(dtype, counter->level[level] + sum);
        first = false;
    }
    return sum;
}

/* v2 has no fused multiply-add. */
static double multiply_add(const Run *r, double a, double b, double c)
{
    bool fused = strcmp(r->micro->cpu, "x86-64-v2") != 0;
    if (r->dtype == NN_F64) return fused ? fma(a, b, c) : a * b + c;
    return fused ? (double)fmaf((float)a, (float)b, (float)c) : (double)((float)((float)a * (float)b) + (float)c);
}

static bool in_lanes(const Run *r)
{
    const nn_contraction *t = &r->contraction;
    bool few_rows = r->c.m * r->c.batch[0] <= 4; /* B is the same along the first batch axis */
    return (few_rows && t->b_k == 1 && t->b_n != 1) || (r->c.n == 1 && t->a_k == 1 && t->a_m != 1);
}

static double lawful(const Run *r, int64_t i)
{
    const nn_contraction *t = &r->contraction;
    int64_t n = i % r->c.n, m = i / r->c.n % r->c.m, batch = i / r->c.n / r->c.m;
    int64_t b0 = batch / r->c.batch[1], b1 = batch % r->c.batch[1];
    int lanes = in_lanes(r) ? (r->dtype == NN_F64 ? r->micro->f64 : r->micro->f32)->lanes : 1;
    Counter counter = {0};
    for (int64_t leaf = 0; leaf < r->c.k; leaf += (int64_t)NN_LEAF * lanes) {
        double sums[MOST_LANES] = {0};
        for (int64_t k = leaf; k < r->c.k && k < leaf + (int64_t)NN_LEAF * lanes; k++) {
            double a = float_get(r->dtype, r->a, b0 * t->batch_a[0] + b1 * t->batch_a[1] + m * t->a_m + k * t->a_k);
            double b = float_get(r->dtype, r->b, b0 * t->batch_b[0] + b1 * t->batch_b[1] + k * t->b_k + n * t->b_n);
            sums[k % lanes] = multiply_add(r, a, b, sums[k % lanes]);
        }
        for (int half = lanes / 2; half; half /= 2)
            for (int j = 0; j < half; j++) sums[j] = round_to(r->dtype, sums[j] + sums[j + half]);
        count_leaf(&counter, r->dtype, sums[0]);
    }
    return count_total(&counter, r->dtype);
}

/* Stored, handed on, or both, with C's rows together or apart: the bits that the law says. */
static void check_law(Case c, uint8_t dtype, const nn_micro_kernels *micro)
{
    for (int kind = 0; kind < 4; kind++) {
        c.stores = kind != 1, c.has_tile = kind == 1 || kind == 2;
        Run r = run_make(c, dtype, micro, kind == 3 ? 3 : 1);
        run_tasks(&r, (TaskOrder)(kind % 3));
        size_t outputs = (size_t)(c.m * c.n * c.batch[0] * c.batch[1]), step = outputs > 64 ? 1 + outputs / 24 : 1;
        for (size_t i = 0; i < outputs; i += step) {
            double want = lawful(&r, (int64_t)i),
                   got = float_get(r.dtype, c.stores ? r.to : r.tiles, c.stores ? at_c(&r, i) : (int64_t)i);
            cr_assert(got == want, "%s f%zu %ldx%ldx%ld layouts %d %d batch %ldx%ld kind %d: [%zu] is %.17g, not %.17g",
                      micro->cpu, 8 * float_size(r.dtype), (long)c.m, (long)c.n, (long)c.k, c.a, c.b, (long)c.batch[0],
                      (long)c.batch[1], kind, i, got, want);
        }
        run_free(&r);
    }
}

/* Every multiple of a block or a leaf, and its neighbours. */
static const int64_t terms[] = {0,    1,    127,  128,  129,  255,  256,  257,  511,  512,
                                513,  767,  768,  769,  1023, 1024, 1025, 1279, 1280, 1281,
                                2047, 2048, 2049, 3071, 3072, 3073, 4096, 4097, 5121, 7169};

static void check_laws(CpuVariant cpu)
{
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    const nn_micro_kernels *micro = micro_kernels(cpu);
    static const int64_t shapes[][4] = {{1, 40, 1, 1}, {4, 17, 1, 1},  {5, 17, 1, 1}, {40, 1, 1, 1}, {1, 1, 1, 1},
                                        {7, 70, 1, 1}, {65, 33, 1, 1}, {2, 9, 3, 1},  {3, 1, 2, 1},  {2, 5, 1, 3}};
    enum { N_SHAPES = sizeof shapes / sizeof *shapes, N_TERMS = sizeof terms / sizeof *terms };
    for (int t = 0; t < N_TERMS; t++)
        for (int i = 0; i < N_SHAPES; i++) {
            /* All pairs of layouts come by, two of them at each point. */
            for (int j = 0; j < 2; j++) {
                int layout = (t + i + 4 * j) % (LAYOUTS * LAYOUTS);
                const int64_t *s = shapes[i];
                Case c = {.m = s[0],
                          .n = s[1],
                          .k = terms[t],
                          .a = (Layout)(layout % LAYOUTS),
                          .b = (Layout)(layout / LAYOUTS),
                          .batch = {s[2], s[3]}};
                check_law(c, j % 2 ? NN_F64 : NN_F32, micro);
            }
        }
}

Test(contract, law_v2, .timeout = 120)
{
    check_laws(CPU_X86_64_V2);
}

Test(contract, law_v3, .timeout = 120)
{
    check_laws(CPU_X86_64_V3);
}

Test(contract, law_v4, .timeout = 120)
{
    check_laws(CPU_X86_64_V4);
}

/* Leaves of lanes are long. */
Test(contract, law_of_long_dots, .timeout = 120)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    for (int64_t leaves = 1; leaves <= 7; leaves++)
        for (int64_t more = -1; more <= 1; more++) {
            Case c = {.m = 3,
                      .n = 18,
                      .k = leaves * NN_LEAF * micro->f32->lanes + more,
                      .a = ROWS,
                      .b = COLUMNS,
                      .batch = {1, 1}};
            check_law(c, NN_F32, micro);
            c.m = 18, c.n = 1, c.b = ROWS;
            check_law(c, NN_F32, micro);
        }
}

/* Tiles of every height and width add alike, whatever blocks and tasks the sizes lead to. */
Test(contract, law_of_tiles, .timeout = 120)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    for (int64_t m = 5; m <= 40; m++)
        check_law((Case){.m = m, .n = 13 * m % 71 + 1, .k = 1300, .a = m % 2 ? ROWS : COLUMNS, .batch = {1, 1}}, NN_F32,
                  micro);
    check_law((Case){.m = 700, .n = 1100, .k = 2500, .a = ROWS, .b = ROWS, .batch = {1, 1}}, NN_F32, micro);
    check_law((Case){.m = 700, .n = 1100, .k = 1030, .a = COLUMNS, .b = COLUMNS, .batch = {1, 1}}, NN_F32, micro);
}

/* The error grows with the logarithm of k, not with k: products of one sign, whose rounding errors add up in a chain.
 */
Test(contract, long_sums_stay_exact)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    for (int form = 0; form < 3; form++) {
        Case c = {.m = form ? 1 : 8,
                  .n = 16,
                  .k = 1 << 18,
                  .a = ROWS,
                  .b = form == 2 ? COLUMNS : ROWS,
                  .batch = {1, 1},
                  .stores = true};
        Run r = run_make(c, NN_F32, micro, 1);
        for (size_t i = 0; i < r.n_a; i++) ((float *)r.a)[i] = fabsf(((float *)r.a)[i]);
        for (size_t i = 0; i < r.n_b; i++) ((float *)r.b)[i] = fabsf(((float *)r.b)[i]);
        run_tasks(&r, FORWARDS);
        for (size_t i = 0; i < r.n_c; i++) {
            double magnitude, want = expected(&r, (int64_t)i, &magnitude),
                              error = fabs(float_get(r.dtype, r.to, (int64_t)i) / want - 1);
            cr_assert_lt(error, 1e-6, "form %d: an error of %g", form, error);
        }
        run_free(&r);
    }
}

/* Large enough for several blocks of k, packing of both, and many tasks. */
Test(contract, blocks, .timeout = 120)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    for (int i = 0; i < 4; i++) {
        check((Case){260, 1030, 800, (Layout)(i % 2), (Layout)(i / 2), {1, 1}, true, i == 1}, NN_F32, micro);
        check((Case){130, 520, 1200, (Layout)(i % 2), (Layout)(i / 2), {1, 1}, false, true}, NN_F32, micro);
        check((Case){600, 256, 512, (Layout)(i % 2), (Layout)(i / 2), {1, 2}, true, false}, NN_F64, micro);
    }
}

/* Sums cut into parts: leaves around the powers of 2, and the results that still allow two parts and do not. */
Test(contract, law_of_parts, .timeout = 120)
{
    static const int64_t leaves[] = {3, 4, 5, 7, 8, 9, 16, 17};
    static const int64_t results[][2] = {{40, 33}, {64, 256}, {200, 384}, {201, 400}};
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
        for (int64_t more = -1; more <= 1; more++) {
            const int64_t *c = results[i % 4];
            int64_t k = leaves[i] * NN_LEAF + more;
            check_law((Case){.m = c[0], .n = c[1], .k = k, .a = COLUMNS, .b = ROWS, .batch = {1, 1}}, NN_F32, micro);
            check_law((Case){.m = 24, .n = 17, .k = k, .a = ROWS, .b = COLUMNS, .batch = {2, 3}}, NN_F64, micro);
        }
}

/* B packed once for all rows, which are handed on whole: rows around a strip's, columns around a task's. */
Test(contract, strips, .timeout = 120)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    static const int64_t rows[] = {1, 5, 47, 48, 49, 97, 600}, columns[] = {31, 511, 512, 513};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++)
            for (int layout = 0; layout < LAYOUTS; layout++) {
                Case c = {rows[i], columns[j], 63 + layout, (Layout)layout, COLUMNS, {2, 2}, i % 2, true};
                check(c, j % 2 ? NN_F32 : NN_F64, micro);
            }
}

Test(contract, empty_sums_are_zero)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    check((Case){7, 9, 0, ROWS, ROWS, {1, 2}, true, true}, NN_F32, micro);
    check((Case){7, 9, 0, ROWS, COLUMNS, {1, 2}, false, true}, NN_F64, micro);
    check((Case){1, 9, 0, ROWS, ROWS, {1, 2}, false, true}, NN_F32, micro);
}

/* Any axis may be empty, beside axes on both sides of every choice that a plan makes. */
Test(contract, empty_axes)
{
    static const int64_t extents[] = {0, 1, 5, 40, 1100};
    enum { EXTENTS = sizeof extents / sizeof *extents, CASES = EXTENTS * EXTENTS * EXTENTS };
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    for (int i = 0; i < CASES; i++) {
        int64_t m = extents[i % EXTENTS], n = extents[i / EXTENTS % EXTENTS], k = extents[i / EXTENTS / EXTENTS];
        if (m && n && k) continue;
        for (int layout = 0; layout < LAYOUTS * LAYOUTS; layout++) {
            Case c = {m, n, k, (Layout)(layout % LAYOUTS), (Layout)(layout / LAYOUTS), {1, 1}, layout & 1, true};
            check(c, i % 2 ? NN_F32 : NN_F64, micro);
        }
    }
    for (int batch = 0; batch < 3; batch++)
        check((Case){40, 20, 5, ROWS, ROWS, {batch == 1, batch == 2}, true, true}, NN_F32, micro);
}
