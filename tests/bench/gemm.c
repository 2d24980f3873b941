/* Contractions beside OpenBLAS on one thread, in one process, turn by turn, and as a share of this machine's own
 * multiply-add peak, which is measured in the same minute.
 *
 *     bench_gemm [--cpu x86-64-v3] [--rounds N] [--blas FILE] [--only NN|TN|NT|TT] [--m ROWS] [--shape AB,m,n,k]
 * [--tile 1]
 *
 * With --tile, C is written by a tile function (a maximum with 0, as an epilogue would) instead of by the contraction,
 * and differs from OpenBLAS by as much.
 *
 * Best of all rounds for both. Without the library the column stays empty. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/micro.h"
#include "peak.h"

typedef void SgemmFunction(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *,
                           int);

typedef struct {
    char a, b; /* 'N' or 'T' */
    int m, n, k;
} Shape;

static const Shape shapes[] = {
    {'N', 'N', 32, 64, 64},       {'N', 'N', 64, 128, 784},     {'N', 'N', 128, 512, 512}, {'N', 'N', 256, 256, 256},
    {'N', 'N', 1, 512, 512},      {'N', 'N', 64, 10, 128},      {'N', 'N', 127, 129, 255}, {'N', 'N', 512, 512, 512},
    {'N', 'N', 1024, 1024, 1024}, {'T', 'N', 784, 128, 64},     {'T', 'N', 512, 512, 128}, {'T', 'N', 128, 10, 64},
    {'T', 'N', 64, 64, 32},       {'T', 'N', 1024, 1024, 1024}, {'N', 'T', 64, 784, 128},  {'N', 'T', 128, 512, 512},
    {'N', 'T', 64, 128, 10},      {'N', 'T', 32, 64, 64},       {'N', 'T', 1, 512, 512},   {'N', 'T', 512, 512, 512},
    {'N', 'T', 1024, 1024, 1024}, {'T', 'T', 256, 256, 256},    {'N', 'N', 256, 512, 1},   {'N', 'N', 512, 1, 512},
};

typedef struct {
    const nn_micro_kernels *micro;
    SgemmFunction *blas;
    Shape shape;
    float *a, *b, *c, *d;
    nn_contract_plan plan; /* made once, as when a session's sizes are bound */
    void *scratch, *shared;
} Problem;

static float *random_matrix(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
    for (size_t i = 0; i < n; i++) x[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return x;
}

/* max(sum, 0) into C, whose row length stands where a kernel's sizes do. */
static void store_tile(const nn_kernel_args *args, const int64_t *batch, int64_t m0, int64_t m1, int64_t n0, int64_t n1,
                       const void *acc, int64_t acc_stride)
{
    (void)batch;
    for (int64_t m = m0; m < m1; m++) {
        const float *from = (const float *)acc + (m - m0) * acc_stride;
        float *to = (float *)args->buffers[2] + m * args->sizes[0] + n0;
        for (int64_t n = 0; n < n1 - n0; n++) to[n] = from[n] > 0 ? from[n] : 0;
    }
}

static void run_ours(const Problem *p)
{
    void *buffers[] = {p->a, p->b, p->c};
    int64_t sizes[] = {p->shape.n};
    nn_kernel_args args = {.buffers = buffers, .sizes = sizes};
    nn_contract_call call = {.args = &args, .tile = p->plan.contraction.c < 0 ? store_tile : NULL, .shared = p->shared};
    nn_contract_run(&p->plan, &call, 0, p->plan.tasks, p->scratch);
    nn_contract_finish(&p->plan, &call, 0, p->plan.finish_tasks);
}

static void run_blas(const Problem *p)
{
    Shape s = p->shape;
    p->blas(101, s.a == 'T' ? 112 : 111, s.b == 'T' ? 112 : 111, s.m, s.n, s.k, 1, p->a, s.a == 'T' ? s.m : s.k, p->b,
            s.b == 'T' ? s.k : s.n, 0, p->d, s.n);
}

static Problem problem_make(const nn_micro_kernels *micro, SgemmFunction *blas, Shape s, bool tile)
{
    Problem p = {.micro = micro, .blas = blas, .shape = s};
    p.a = random_matrix((size_t)s.m * (size_t)s.k);
    p.b = random_matrix((size_t)s.k * (size_t)s.n);
    p.c = random_matrix((size_t)s.m * (size_t)s.n);
    p.d = random_matrix((size_t)s.m * (size_t)s.n);
    nn_contraction t = {.m = s.m, .n = s.n, .k = s.k, .c_m = s.n, .a = 0, .b = 1, .c = tile ? -1 : 2, .has_tile = tile};
    t.a_m = s.a == 'T' ? 1 : s.k;
    t.a_k = s.a == 'T' ? s.m : 1;
    t.b_k = s.b == 'T' ? 1 : s.n;
    t.b_n = s.b == 'T' ? s.k : 1;
    p.plan = nn_contract_prepare(&t, NN_F32, micro);
    p.scratch = aligned_alloc(64, (p.plan.scratch_size + 64) / 64 * 64);
    p.shared = aligned_alloc(64, (p.plan.shared_size + 64) / 64 * 64);
    return p;
}

static void problem_free(Problem *p)
{
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->d);
    free(p->scratch);
    free(p->shared);
}

static double seconds(void (*run)(const Problem *), const Problem *p, int repeats)
{
    double start = now();
    for (int i = 0; i < repeats; i++) run(p);
    return (now() - start) / repeats;
}

static void measure(Problem *p, int rounds)
{
    Shape s = p->shape;
    double work = 2.0 * s.m * s.n * s.k, ours = 1, theirs = 1, peak = 0;
    run_ours(p);
    if (p->blas) run_blas(p);
    int repeats = (int)(2e-3 / fmax(seconds(run_ours, p, 1), 1e-8)) + 1;
    for (int i = 0; i < rounds; i++) {
        ours = fmin(ours, seconds(run_ours, p, repeats));
        if (p->blas) theirs = fmin(theirs, seconds(run_blas, p, repeats));
        if (i % 4 == 0) peak = fmax(peak, peak_measure());
    }
    double apart = 0;
    for (int i = 0; p->blas && i < s.m * s.n; i++) apart = fmax(apart, fabs((double)p->c[i] - (double)p->d[i]));
    printf("%c%c %5d %5d %5d  %8.1f %6.1f%%", s.a, s.b, s.m, s.n, s.k, work / ours * 1e-9, 100 * work / ours / peak);
    if (p->blas)
        printf("  %8.1f %6.1f%%  %5.2f  %.1e", work / theirs * 1e-9, 100 * work / theirs / peak, theirs / ours, apart);
    printf("  %10.2f us\n", ours * 1e6);
    fflush(stdout);
}

int main(int n_args, char **args)
{
    CpuVariant cpu = CPU_NATIVE;
    Shape own = {0};
    bool tile = false;
    int rounds = 20, m = 0;
    const char *library = "/usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas.so.0", *only = NULL;
    for (int i = 1; i + 1 < n_args; i += 2) {
        if (!strcmp(args[i], "--cpu")) cpu = cpu_parse(args[i + 1], strlen(args[i + 1]));
        if (!strcmp(args[i], "--rounds")) rounds = atoi(args[i + 1]);
        if (!strcmp(args[i], "--blas")) library = args[i + 1];
        if (!strcmp(args[i], "--tile")) tile = atoi(args[i + 1]) != 0;
        if (!strcmp(args[i], "--m")) m = atoi(args[i + 1]);
        if (!strcmp(args[i], "--shape")) sscanf(args[i + 1], "%c%c,%d,%d,%d", &own.a, &own.b, &own.m, &own.n, &own.k);
        if (!strcmp(args[i], "--only")) only = args[i + 1];
    }
    if (cpu == CPU_COUNT || !cpu_runs(cpu)) return fprintf(stderr, "bench_gemm: this machine cannot run that\n"), 1;
    unsetenv("OPENBLAS_CORETYPE"); /* one left over from elsewhere halves OpenBLAS */
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *handle = dlopen(library, RTLD_NOW);
    SgemmFunction *blas = NULL;
    if (handle) *(void **)&blas = dlsym(handle, "cblas_sgemm");
    const nn_micro_kernels *micro = micro_kernels(cpu);
    printf("%s, peak %.1f GFLOP/s\n", micro->cpu, peak_measure() * 1e-9);
    printf("AB     m     n     k   GFLOP/s    peak  OpenBLAS    peak  ratio  apart\n");
    size_t n_shapes = own.m ? 1 : sizeof shapes / sizeof *shapes;
    for (size_t i = 0; i < n_shapes; i++) {
        Shape shape = own.m ? own : shapes[i];
        if (only && (only[0] != shape.a || only[1] != shape.b)) continue;
        if (m && shape.m != m) continue;
        Problem p = problem_make(micro, blas, shape, tile);
        measure(&p, rounds);
        problem_free(&p);
    }
    return 0;
}
