/* Contractions: the description against the run time's driver, and epilogues on tiles, against the slow evaluator. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "core/contract.h"
#include "harness.h"

typedef struct {
    const char *name;
    const char *text;
    bool has_tile;
} Sample;

#define HEADER " s0\n s1\n s2\n s3\n s4 = 0\n"

static const Sample samples[] = {
    {"matmul",
     "kernel matmul {\n" HEADER " a0: s0\n a1: s1\n a2: s2\n b0: f32[s0, s2] read\n b1: f32[s2, s1] read\n"
     " b2: f32[s0, s1] write\n v0: f32 {a0 a2} = load b0[a0, a2]\n v1: f32 {a1 a2} = load b1[a2, a1]\n"
     " v2: f32 {a0 a1 a2} = mul v0 v1\n v3: f32 {a0 a1} = reduce sum {a2} v2\n v4: f32 {a0 a1} = store b2[a0, a1] "
     "v3\n}\n",
     false},
    {"dense_relu",
     "kernel dense_relu {\n" HEADER " a0: s0\n a1: s1\n a2: s2\n b0: f32[s0, s2] read\n b1: f32[s2, s1] read\n"
     " b2: f32[s1] read\n b3: f32[s0, s1] write\n v0: f32 {a0 a2} = load b0[a0, a2]\n v1: f32 {a1 a2} = load b1[a2, "
     "a1]\n"
     " v2: f32 {a0 a1 a2} = mul v0 v1\n v3: f32 {a0 a1} = reduce sum {a2} v2\n v4: f32 {a1} = load b2[a1]\n"
     " v5: f32 {a0 a1} = add v3 v4\n v6: f32 {} = constant 0\n v7: f32 {a0 a1} = max v5 v6\n"
     " v8: f32 {a0 a1} = store b3[a0, a1] v7\n}\n",
     true},
    {"weight_update",
     "kernel weight_update {\n" HEADER " a0: s0\n a1: s1\n a2: s2\n b0: f32[s2, s0] read\n b1: f32[s2, s1] read\n"
     " b2: f32[s0, s1] read write\n b3: f32[] read\n b4: f32[s0, s1] write\n v0: f32 {a0 a2} = load b0[a2, a0]\n"
     " v1: f32 {a1 a2} = load b1[a2, a1]\n v2: f32 {a0 a1 a2} = mul v0 v1\n v3: f32 {a0 a1} = reduce sum {a2} v2\n"
     " v4: f32 {} = load b3[]\n v5: f32 {a0 a1} = mul v4 v3\n v6: f32 {a0 a1} = load b2[a0, a1]\n"
     " v7: f32 {a0 a1} = sub v6 v5\n v8: f32 {a0 a1} = store b2[a0, a1] v7\n v9: f32 {a0 a1} = store b4[a0, a1] "
     "v3\n}\n",
     true},
    {"transposed_weights",
     "kernel transposed_weights {\n" HEADER " a0: s0\n a1: s1\n a2: s2\n b0: f64[s0, s2] read\n b1: f64[s1, s2] read\n"
     " b2: f64[s0, s1] write\n v0: f64 {a0 a2} = load b0[a0, a2]\n v1: f64 {a1 a2} = load b1[a1, a2]\n"
     " v2: f64 {a0 a1 a2} = mul v0 v1\n v3: f64 {a0 a1} = reduce sum {a2} v2\n v4: f64 {a0 a1} = tanh v3\n"
     " v5: f64 {a0 a1} = store b2[a0, a1] v4\n}\n",
     true},
    {"attention_scores",
     "kernel attention_scores {\n" HEADER " a0: s3\n a1: s0\n a2: s1\n a3: s2\n b0: f32[s3, s0, s2] read\n"
     " b1: f32[s3, s1, s2] read\n b2: f32[s3, s0, s1] write\n v0: f32 {a0 a1 a3} = load b0[a0, a1, a3]\n"
     " v1: f32 {a0 a2 a3} = load b1[a0, a2, a3]\n v2: f32 {a0 a1 a2 a3} = mul v0 v1\n"
     " v3: f32 {a0 a1 a2} = reduce sum {a3} v2\n v4: f32 {} = constant 0.125\n v5: f32 {a0 a1 a2} = mul v3 v4\n"
     " v6: f32 {a0 a1 a2} = store b2[a0, a1, a2] v5\n}\n",
     true},
    {"matrix_times_vector",
     "kernel matrix_times_vector {\n" HEADER " a0: s0\n a1: s2\n b0: f32[s0, s2] read\n b1: f32[s2] read\n"
     " b2: f32[s0] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a1} = load b1[a1]\n v2: f32 {a0 a1} = mul v0 "
     "v1\n"
     " v3: f32 {a0} = reduce sum {a1} v2\n v4: f32 {a0} = neg v3\n v5: f32 {a0} = store b2[a0] v4\n}\n",
     true},
    {"convolution",
     "kernel convolution {\n" HEADER " s5 = 1\n"
     " a0: s0\n"
     " a1: s1\n"
     " a2: s3\n"
     " a3: s3\n"
     " a4: s2\n"
     " b0: f32[s0, s1, s2] read\n"
     " b1: f32[s3, s2, s3] read\n"
     " b2: f32[s0, s1, s3] write\n"
     " v0: i64 {} = constant -1\n"
     " v1: i64 {a1} = axis a1\n"
     " v2: i64 {a3} = axis a3\n"
     " v3: i64 {a1 a3} = add v1 v2\n"
     " v4: i64 {a1 a3} = add v3 v0\n"
     " v5: bool {a1 a3} = lt v0 v4\n"
     " v6: i64 {} = size s1\n"
     " v7: bool {a1 a3} = lt v4 v6\n"
     " v8: bool {a1 a3} = and v5 v7\n"
     " v9: f32 {a0 a1 a3 a4} = load b0[a0, a1 + a3 - s5?, a4] v8\n"
     " v10: f32 {a2 a3 a4} = load b1[a3, a4, a2]\n"
     " v11: f32 {a0 a1 a2 a3 a4} = mul v9 v10\n"
     " v12: f32 {a0 a1 a2} = reduce sum {a3 a4} v11\n"
     " v13: f32 {a0 a1 a2} = neg v12\n"
     " v14: f32 {a0 a1 a2} = store b2[a0, a1, a2] v13\n"
     "}\n",
     true},
    {"filter_gradient",
     "kernel filter_gradient {\n" HEADER " s5 = 1\n"
     " a0: s3\n"
     " a1: s2\n"
     " a2: s3\n"
     " a3: s0\n"
     " a4: s1\n"
     " b0: f32[s0, s1, s2] read\n"
     " b1: f32[s0, s1, s3] read\n"
     " b2: f32[s3, s2, s3] write\n"
     " v0: i64 {} = constant -1\n"
     " v1: i64 {a4} = axis a4\n"
     " v2: i64 {a0} = axis a0\n"
     " v3: i64 {a0 a4} = add v1 v2\n"
     " v4: i64 {a0 a4} = add v3 v0\n"
     " v5: bool {a0 a4} = lt v0 v4\n"
     " v6: i64 {} = size s1\n"
     " v7: bool {a0 a4} = lt v4 v6\n"
     " v8: bool {a0 a4} = and v5 v7\n"
     " v9: f32 {a0 a1 a3 a4} = load b0[a3, a4 + a0 - s5?, a1] v8\n"
     " v10: f32 {a2 a3 a4} = load b1[a3, a4, a2]\n"
     " v11: f32 {a0 a1 a2 a3 a4} = mul v9 v10\n"
     " v12: f32 {a0 a1 a2} = reduce sum {a3 a4} v11\n"
     " v13: f32 {a0 a1 a2} = store b2[a0, a1, a2] v12\n"
     "}\n",
     false},
    {"strided_input_gradient",
     "kernel strided_input_gradient {\n" HEADER " s5 = 1\n"
     " a0: s0\n"
     " a1: s1\n"
     " a2: s2\n"
     " a3: s3\n"
     " a4: s3\n"
     " b0: f64[s0, s1, s3] read\n"
     " b1: f64[s3, s2, s3] read\n"
     " b2: f64[s0, s1, s2] write\n"
     " v0: i64 {} = constant -1\n"
     " v1: i64 {a1} = axis a1\n"
     " v2: i64 {a3} = axis a3\n"
     " v3: i64 {a1 a3} = sub v1 v2\n"
     " v4: i64 {a1 a3} = sub v3 v0\n"
     " v5: bool {a1 a3} = lt v0 v4\n"
     " v6: i64 {} = size s1\n"
     " v7: i64 {} = constant 2\n"
     " v8: i64 {} = mul v6 v7\n"
     " v9: bool {a1 a3} = lt v4 v8\n"
     " v10: bool {a1 a3} = and v5 v9\n"
     " v11: i64 {a1 a3} = mod v4 v7\n"
     " v12: i64 {} = constant 0\n"
     " v13: bool {a1 a3} = eq v11 v12\n"
     " v14: bool {a1 a3} = and v10 v13\n"
     " v15: f64 {a0 a1 a3 a4} = load b0[a0, (a1 - a3 + s5) / 2?, a4] v14\n"
     " v16: f64 {a2 a3 a4} = load b1[a3, a2, a4]\n"
     " v17: f64 {a0 a1 a2 a3 a4} = mul v15 v16\n"
     " v18: f64 {a0 a1 a2} = reduce sum {a3 a4} v17\n"
     " v19: f64 {a0 a1 a2} = tanh v18\n"
     " v20: f64 {a0 a1 a2} = store b2[a0, a1, a2] v19\n"
     "}\n",
     true},
};

enum { N_SAMPLES = sizeof samples / sizeof *samples };

static const Range ranges[MAX_BUFFERS] = {{-1, 1}, {-1, 1}, {-1, 1}, {0.1, 0.2}, {-1, 1}};

/* Tasks in reverse order, each on its own. */
static void run_contraction(const Harness *h, const int64_t *sizes, char *const *memory)
{
    void *buffers[MAX_BUFFERS];
    int64_t error = 0;
    for (uint32_t b = 0; b < h->kernel->n_buffers; b++) buffers[b] = memory[b] + 64;
    nn_kernel_args args = {buffers, sizes, 42, 7, &error};
    nn_contraction contraction;
    h->code->contraction(sizes, &contraction);
    const nn_micro_kernels *micro = jit_image(h->jit)->micro_kernels;
    nn_contract_plan plan = nn_contract_prepare(&contraction, h->code->dtype, micro);
    void *scratch = aligned_alloc(64, (plan.scratch_size + 127) / 64 * 64);
    nn_contract_call call = {.args = &args, .tile = h->code->tile};
    call.shared = aligned_alloc(64, (plan.shared_size + 127) / 64 * 64);
    for (int64_t task = plan.tasks; task-- > 0;) nn_contract_run(&plan, &call, task, task + 1, scratch);
    nn_contract_finish(&plan, &call, 0, plan.finish_tasks);
    free(call.shared);
    free(scratch);
}

static void check(const Harness *h, const int64_t *sizes)
{
    char *got[MAX_BUFFERS], *want[MAX_BUFFERS];
    void *reference[MAX_BUFFERS];
    uint32_t n = h->kernel->n_buffers;
    for (uint32_t b = 0; b < n; b++) {
        int64_t count = harness_count(h, b, sizes);
        got[b] = harness_fill(h, b, count, ranges[b], b + 1);
        want[b] = harness_fill(h, b, count, ranges[b], b + 1);
        reference[b] = want[b] + 64;
    }
    run_contraction(h, sizes, got);
    const char *message = NULL;
    SizeLookup lookup = {h, sizes};
    cr_assert(plan_evaluate(h->context, h->plan, h->plan->programs, reference, harness_size, &lookup, 42, 7, &message));
    for (uint32_t b = 0; b < n; b++) {
        int64_t count = harness_count(h, b, sizes);
        harness_red_zone(h, b, count, got[b]);
        harness_compare(h, b, count, got[b], want[b], 1e-4);
        free(got[b]);
        free(want[b]);
    }
}

ParameterizedTestParameters(contraction, agrees_with_the_evaluator)
{
    static size_t numbers[N_SAMPLES];
    for (size_t i = 0; i < N_SAMPLES; i++) numbers[i] = i;
    return cr_make_param_array(size_t, numbers, N_SAMPLES);
}

ParameterizedTest(size_t *number, contraction, agrees_with_the_evaluator)
{
    static const int64_t shapes[][6] = {{1, 1, 1, 1, 0, 1},    {7, 10, 13, 2, 0, 1},  {33, 47, 20, 3, 0, 1},
                                        {64, 16, 70, 1, 0, 1}, {1, 100, 50, 2, 0, 1}, {50, 1, 31, 2, 0, 1}};
    static const char *const variants[] = {"native", "x86-64-v3", "x86-64-v2"};
    const Sample *sample = &samples[*number];
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        Harness h = harness_new(sample->text, variants[v]);
        cr_assert_eq(h.code->kind, NN_KERNEL_CONTRACTION, "%s is no contraction", sample->name);
        cr_assert_eq(h.code->tile != NULL, sample->has_tile);
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) check(&h, shapes[s]);
        harness_free(&h);
    }
}
