/* Convolutions and their gradients as one product each, as a share of this machine's own multiply-add peak, which is
 * measured in the same minute; one thread. More than 100 % is possible: the peak counts as if nothing were padding.
 *
 *     bench_conv [--rounds N] [--only NAME]
 *
 * Best of all rounds, in processor time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/codegen/convolution.h"
#include "codegen/micro.h"
#include "peak.h"

static const struct {
    const char *name;
    Convolution shape;
} cases[] = {
    {"conv1 1->32 @28", {FORWARD, 32, 28, 28, 1, 32, 3, 1, 1, 1, false}},
    {"conv2 32->64 @28", {FORWARD, 32, 28, 28, 32, 64, 3, 1, 1, 1, false}},
    {"64->64 @56", {FORWARD, 8, 56, 56, 64, 64, 3, 1, 1, 1, false}},
    {"128->128 @28", {FORWARD, 8, 28, 28, 128, 128, 3, 1, 1, 1, false}},
    {"256->256 @14", {FORWARD, 8, 14, 14, 256, 256, 3, 1, 1, 1, false}},
    {"512->512 @7", {FORWARD, 8, 7, 7, 512, 512, 3, 1, 1, 1, false}},
    {"1x1 64->256 @56", {FORWARD, 8, 56, 56, 64, 256, 1, 1, 1, 0, false}},
    {"stride 2 128 @56", {FORWARD, 8, 56, 56, 128, 128, 3, 2, 1, 1, false}},
};

static float *random_values(int64_t n)
{
    float *x = aligned_alloc(64, ((size_t)n * sizeof *x + 63) / 64 * 64);
    for (int64_t i = 0; i < n; i++) x[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return x;
}

/* With one tap and stride 1 a window is the image itself, and the compiler merges all places to one axis of rows. */
static Product pointwise_product(const Convolution *v)
{
    int64_t places = v->images * v->height * v->width, c = v->channels, f = v->filters;
    Product r = {.contraction = {.b = 1, .c = 2}, .n_a = places * c, .n_b = c * f, .n_c = places * f};
    nn_contraction *t = &r.contraction;
    if (v->pass == FORWARD) {
        t->m = places, t->n = f, t->k = c, t->a_m = c, t->a_k = 1, t->b_k = f, t->b_n = 1;
    } else if (v->pass == INPUT_GRADIENT) {
        t->m = places, t->n = c, t->k = f, t->a_m = f, t->a_k = 1, t->b_k = 1, t->b_n = f;
        r.n_a = places * f, r.n_c = places * c;
    } else {
        t->m = c, t->n = f, t->k = places, t->a_m = 1, t->a_k = c, t->b_k = f, t->b_n = 1;
        r.n_b = places * f, r.n_c = c * f;
    }
    t->c_m = t->n;
    return r;
}

static void measure(const char *name, Convolution shape, int rounds)
{
    const nn_micro_kernels *micro = micro_kernels(CPU_NATIVE);
    int64_t taps = shape.taps * shape.taps * shape.channels * shape.filters;
    double work = 2.0 * (double)(shape.images * taps) * (double)convolution_extent(&shape, shape.height) *
                  (double)convolution_extent(&shape, shape.width);
    printf("%-18s", name);
    for (int pass = FORWARD; pass <= FILTER_GRADIENT; pass++) {
        shape.pass = (Pass)pass;
        bool pointwise = shape.taps == 1 && shape.stride == 1;
        Product product = pointwise ? pointwise_product(&shape) : convolution_product(&shape);
        void *buffers[] = {random_values(product.n_a), random_values(product.n_b), random_values(product.n_c)};
        nn_kernel_args args = {.buffers = buffers};
        nn_contract_plan plan = nn_contract_prepare(&product.contraction, NN_F32, micro);
        void *scratch = aligned_alloc(64, (plan.scratch_size + 64) / 64 * 64);
        nn_contract_call call = {.args = &args, .shared = aligned_alloc(64, (plan.shared_size + 64) / 64 * 64)};
        double best = INFINITY, peak = 0;
        for (int i = 0; i < rounds; i++) {
            double start = now();
            nn_contract_run(&plan, &call, 0, plan.tasks, scratch);
            nn_contract_finish(&plan, &call, 0, plan.finish_tasks);
            best = fmin(best, now() - start);
            peak = fmax(peak, peak_measure());
        }
        printf("  %8.1f us %6.1f%%", best * 1e6, 100 * work / best / peak);
        fflush(stdout);
        for (int i = 0; i < 3; i++) free(buffers[i]);
        free(scratch);
        free(call.shared);
    }
    printf("\n");
}

int main(int n_args, char **args)
{
    int rounds = 10;
    const char *only = "";
    for (int i = 1; i + 1 < n_args; i += 2) {
        if (!strcmp(args[i], "--rounds")) rounds = atoi(args[i + 1]);
        if (!strcmp(args[i], "--only")) only = args[i + 1];
    }
    printf("%s, peak %.1f GFLOP/s\n%-18s  forward              input gradient       filter gradient\n",
           micro_kernels(CPU_NATIVE)->cpu, peak_measure() * 1e-9, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strstr(cases[i].name, only)) measure(cases[i].name, cases[i].shape, rounds);
    return 0;
}
