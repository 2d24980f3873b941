/* Contractions over several axes with windows: a convolution and its two gradients, written as one product each,
 * against plain loops that follow the description word for word and add as the law of sums says, to the last bit.
 * Strides, dilation, padding on one side or none, both orders of the operands' axes, every CPU variant this machine
 * runs. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codegen/micro.h"
#include "convolution.h"
#include "floats.h"

typedef struct {
    uint8_t dtype;
    const nn_micro_kernels *micro;
    nn_contraction contraction;
    int64_t n_a, n_b, n_c;
    void *a, *b, *to, *tiles;
    int64_t *visits;
} Run;

/* Memory between pages that may not be touched, as close to one of them as can be. */
static void *guarded(int64_t elements, size_t element)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)elements * element;
    size_t whole = (size + page - 1) / page * page;
    char *at = mmap(NULL, whole + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(at != MAP_FAILED && (!whole || !mprotect(at + page, whole, PROT_READ | PROT_WRITE)));
    return at + page + whole - size;
}

static void guarded_free(void *memory, int64_t elements, size_t element)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)elements * element;
    size_t whole = (size + page - 1) / page * page;
    munmap((char *)memory + size - whole - page, whole + 2 * page);
}

static void *fill(const Run *r, int64_t n, uint64_t seed)
{
    void *values = guarded(n, float_size(r->dtype));
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        float_set(r->dtype, values, i, (double)(int64_t)(seed >> 33) / 0x1p30 - 1);
    }
    return values;
}

/* Where the sums of a point of the batch go. */
static int64_t at_c(const nn_contraction *t, const int64_t *batch, int64_t m, int64_t n)
{
    int64_t at = t->c_offset + m * t->c_m + n;
    for (int32_t i = 0; i < t->n_batch; i++) at += batch[i] * t->batch_c[i];
    return at;
}

static void note_tile(const nn_kernel_args *args, const int64_t *batch, int64_t m0, int64_t m1, int64_t n0, int64_t n1,
                      const void *acc, int64_t acc_stride)
{
    Run *r = args->buffers[3];
    for (int64_t m = m0; m < m1; m++)
        for (int64_t n = n0; n < n1; n++) {
            int64_t at = at_c(&r->contraction, batch, m, n);
            float_set(r->dtype, r->tiles, at, float_get(r->dtype, acc, (m - m0) * acc_stride + (n - n0)));
            r->visits[at]++;
        }
}

static void run_tasks(Run *r, bool has_tile, bool backwards)
{
    void *buffers[] = {r->a, r->b, r->to, r};
    nn_kernel_args args = {.buffers = buffers};
    nn_contract_plan plan = nn_contract_prepare(&r->contraction, r->dtype, r->micro);
    int64_t size = (int64_t)(plan.scratch_size + 63) / 64 * 64, shared = (int64_t)(plan.shared_size + 63) / 64 * 64;
    nn_contract_call call = {.args = &args, .tile = has_tile ? note_tile : NULL, .shared = guarded(shared, 1)};
    memset(call.shared, 0xff, (size_t)shared);
    for (int64_t i = 0; i < plan.tasks; i++) {
        int64_t task = backwards ? plan.tasks - 1 - i : i;
        void *scratch = guarded(size, 1);
        memset(scratch, 0xff, (size_t)size); /* NaNs: reading what was not written shows */
        nn_contract_run(&plan, &call, task, task + 1, scratch);
        guarded_free(scratch, size, 1);
    }
    nn_contract_finish(&plan, &call, 0, plan.finish_tasks);
    guarded_free(call.shared, shared, 1);
}

/* ---- What the description says, word for word ---- */

enum { MOST_LEVELS = 40 };

typedef struct {
    double level[MOST_LEVELS]; /* level i: of 2^i leaves, where `leaves` has the bit */
    uint64_t leaves;
} Counter;

static double round_to(const Run *r, double x)
{
    return r->dtype == NN_F64 ? x : (double)(float)x;
}

static void count_leaf(const Run *r, Counter *counter, double sum)
{
    int level = 0;
    for (; counter->leaves >> level & 1; level++) sum = round_to(r, counter->level[level] + sum);
    counter->level[level] = sum;
    counter->leaves++;
}

static double count_total(const Run *r, const Counter *counter)
{
    double sum = 0;
    bool first = true;
    for (int level = 0; level < MOST_LEVELS; level++) {
        if (!(counter->leaves >> level & 1)) continue;
        sum = first ? counter->level[level] : round_to(r, counter->level[level] + sum);
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

static bool windows_at(const nn_contraction *t, const int64_t *batch, const int64_t *list, int64_t k, int64_t *a,
                       int64_t *b)
{
    for (int32_t i = 0; i < t->n_windows; i++) {
        const nn_window *w = &t->windows[i];
        int64_t inner = w->inner == NN_INNER_AXIS ? k : w->inner >= 0 ? list[w->inner] : 0;
        int64_t at = w->f_inner * inner + w->offset + (w->outer >= 0 ? w->f_outer * batch[w->outer] : 0);
        if (at % w->div || at / w->div < 0 || at / w->div >= w->limit) return false;
        *(w->operand ? b : a) += at / w->div * w->stride;
    }
    return true;
}

static double lawful(const Run *r, const int64_t *batch, int64_t m, int64_t n)
{
    const nn_contraction *t = &r->contraction;
    int64_t runs = t->list_extent[0] * t->list_extent[1];
    int64_t leaf = t->k > NN_LEAF || t->k < 1 ? NN_LEAF : NN_LEAF / t->k * t->k;
    Counter counter = {0};
    double sum = 0;
    int64_t filled = 0;
    for (int64_t run = 0; run < runs; run++) {
        int64_t list[] = {run / t->list_extent[1], run % t->list_extent[1]};
        for (int64_t k = 0; k < t->k; k++) {
            int64_t a = t->a_offset + m * t->a_m + k * t->a_k, b = t->b_offset + k * t->b_k + n * t->b_n;
            for (int i = 0; i < 2; i++) {
                a += batch[i] * t->batch_a[i] + list[i] * t->list_a[i];
                b += batch[i] * t->batch_b[i] + list[i] * t->list_b[i];
            }
            if (windows_at(t, batch, list, k, &a, &b))
                sum = multiply_add(r, float_get(r->dtype, r->a, a), float_get(r->dtype, r->b, b), sum);
            if (++filled < leaf && !(t->k > NN_LEAF && k + 1 == t->k)) continue;
            count_leaf(r, &counter, sum);
            sum = 0, filled = 0;
        }
    }
    if (filled) count_leaf(r, &counter, sum);
    return count_total(r, &counter);
}

static void check_values(Run *r, const Convolution *v, bool stores, bool has_tile)
{
    const nn_contraction *t = &r->contraction;
    int64_t total = r->n_c, step = total > 3000 ? total / 1000 | 1 : 1;
    for (int64_t i = 0; i < total; i += step) {
        int64_t n = i % t->n, m = i / t->n % t->m, point = i / t->n / t->m;
        int64_t batch[] = {point / t->batch_extent[1], point % t->batch_extent[1]};
        int64_t at = at_c(t, batch, m, n);
        double want = lawful(r, batch, m, n), got = float_get(r->dtype, stores ? r->to : r->tiles, at);
        bool once = !has_tile || (r->visits[at] == 1 && float_get(r->dtype, r->tiles, at) == got);
        cr_assert(got == want && once,
                  "%s f%zu pass %d images %ld of %ldx%ldx%ld, %ld filters of %ld, stride %ld dilation %ld padding %ld, "
                  "first %d stores %d: [%ld] is %.9g, not %.9g (%ld visits)",
                  r->micro->cpu, 8 * float_size(r->dtype), v->pass, (long)v->images, (long)v->height, (long)v->width,
                  (long)v->channels, (long)v->filters, (long)v->taps, (long)v->stride, (long)v->dilation,
                  (long)v->padding, v->channels_first, stores, (long)i, got, want, (long)r->visits[at]);
    }
}

/* Stored, handed on or both, with tasks in either order. */
static void check(Convolution v, uint8_t dtype, const nn_micro_kernels *micro)
{
    for (int kind = 0; kind < 3; kind++) {
        Product product = convolution_product(&v);
        Run r = {.dtype = dtype,
                 .micro = micro,
                 .contraction = product.contraction,
                 .n_a = product.n_a,
                 .n_b = product.n_b,
                 .n_c = product.n_c};
        r.contraction.c = kind < 2 ? 2 : -1;
        r.a = fill(&r, r.n_a, 1), r.b = fill(&r, r.n_b, 2), r.to = fill(&r, r.n_c, 3), r.tiles = fill(&r, r.n_c, 4);
        r.visits = calloc((size_t)r.n_c + 1, sizeof *r.visits);
        run_tasks(&r, kind > 0, kind == 1);
        check_values(&r, &v, kind<2, kind> 0);
        guarded_free(r.a, r.n_a, float_size(r.dtype)), guarded_free(r.b, r.n_b, float_size(r.dtype));
        guarded_free(r.to, r.n_c, float_size(r.dtype)), guarded_free(r.tiles, r.n_c, float_size(r.dtype));
        free(r.visits);
    }
}

static void check_passes(Convolution v, const nn_micro_kernels *micro)
{
    for (int i = 0; i < 6; i++) {
        v.pass = (Pass)(i % 3);
        v.channels_first = i / 3;
        check(v, NN_F32, micro);
        if (v.images < 8) check(v, NN_F64, micro);
    }
}

static const Convolution shapes[] = {
    /* images height width channels filters taps stride dilation padding */
    {FORWARD, 1, 1, 1, 1, 1, 1, 1, 1, 0, false},    {FORWARD, 2, 5, 4, 3, 2, 3, 1, 1, 1, false},
    {FORWARD, 5, 7, 6, 17, 10, 3, 2, 1, 1, false},  {FORWARD, 3, 9, 8, 8, 33, 3, 1, 2, 2, false},
    {FORWARD, 2, 8, 9, 5, 16, 5, 3, 1, 2, false},   {FORWARD, 33, 4, 4, 20, 70, 3, 1, 1, 1, false},
    {FORWARD, 4, 6, 6, 340, 65, 3, 1, 1, 1, false}, {FORWARD, 2, 3, 3, 1030, 20, 2, 1, 1, 1, false},
    {FORWARD, 40, 8, 40, 3, 4, 3, 1, 1, 1, false},  {FORWARD, 2, 3, 2, 4, 5, 3, 1, 1, 4, false},
    {FORWARD, 3, 2, 2, 6, 7, 3, 1, 1, 0, false},    {FORWARD, 0, 4, 4, 3, 5, 3, 1, 1, 1, false},
    {FORWARD, 3, 4, 4, 0, 5, 3, 1, 1, 1, false},    {FORWARD, 7, 6, 7, 130, 150, 1, 2, 1, 0, false},
    {FORWARD, 3, 7, 7, 4, 18, 3, 4, 3, 3, false},   {FORWARD, 1, 12, 1040, 2, 3, 3, 1, 1, 1, false},
};

static void check_variant(CpuVariant cpu)
{
    if (!cpu_runs(cpu)) cr_skip_test("this machine does not run %s", cpu_name(cpu));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_passes(shapes[i], micro_kernels(cpu));
}

Test(contract_list, v2, .timeout = 240)
{
    check_variant(CPU_X86_64_V2);
}

Test(contract_list, v3, .timeout = 240)
{
    check_variant(CPU_X86_64_V3);
}

Test(contract_list, v4, .timeout = 240)
{
    check_variant(CPU_X86_64_V4);
}

/* A channel count at every neighbour of a leaf's length and of its divisors. */
Test(contract_list, leaves, .timeout = 240)
{
    static const int64_t channels[] = {1,   2,   113, 114, 127, 128,  129,  255,  256,  257,
                                       341, 342, 511, 512, 513, 1023, 1024, 1025, 2048, 2049};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        check_passes((Convolution){FORWARD, 2, 4, 3, channels[i], 5, 3, 1, 1, 1, false}, micro_kernels(CPU_NATIVE));
}
