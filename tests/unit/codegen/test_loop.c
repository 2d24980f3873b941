/* Loop kernels, compiled and run, against the slow evaluator: every shape of nest, and sizes around the vector width.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "kernels.h"

static void check_sizes(const Harness *h, const Sample *sample)
{
    static const int64_t rows[] = {1, 3, 17};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (int64_t columns = 1; columns <= 40; columns += r == 1 ? 1 : 13) {
            int64_t sizes[] = {
                rows[r] < 3 && strstr("pick_elements embedding_gradient histogram", sample->name) ? 3 : rows[r],
                columns, h->kernel->sizes[2].value, 0};
            if (h->kernel->n_sizes > 3) sizes[3] = h->kernel->sizes[3].value;
            harness_check(h, sizes, sample->ranges, sample->tolerance, 0);
        }
    }
    int64_t big[] = {70, 150, h->kernel->sizes[2].value, h->kernel->n_sizes > 3 ? h->kernel->sizes[3].value : 0};
    harness_check(h, big, sample->ranges, sample->tolerance, 0);
}

ParameterizedTestParameters(loop, agrees_with_the_evaluator)
{
    static size_t numbers[N_SAMPLES];
    for (size_t i = 0; i < N_SAMPLES; i++) numbers[i] = i;
    return cr_make_param_array(size_t, numbers, N_SAMPLES);
}

ParameterizedTest(size_t *number, loop, agrees_with_the_evaluator)
{
    static const char *const variants[] = {"native", "x86-64-v3", "x86-64-v2"};
    const Sample *sample = &samples[*number];
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        Harness h = harness_new(sample->text, variants[v]);
        check_sizes(&h, sample);
        harness_free(&h);
    }
}

static const Sample *find_sample(const char *name)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        if (!strcmp(samples[i].name, name)) return &samples[i];
    }
    cr_assert(false, "no sample %s", name);
    return NULL;
}

Test(loop, an_index_out_of_range_is_reported_and_reads_element_0)
{
    Harness h = harness_new(find_sample("embedding")->text, "native");
    Range ranges[MAX_BUFFERS] = {{5, 6}, {-1, 1}};
    int64_t sizes[] = {5, 20, 0};
    harness_check(&h, sizes, ranges, 0, 1 + 1);
    harness_free(&h);
    h = harness_new(find_sample("pick_elements")->text, "native");
    int64_t pick[] = {3, 20, 0};
    ranges[0] = (Range){-1, 2};
    harness_check(&h, pick, ranges, 0, 1 + 1);
    harness_free(&h);
}

Test(loop, nothing_to_do_does_nothing)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        Harness h = harness_new(samples[i].text, "native");
        int64_t sizes[] = {0, 0, h.kernel->sizes[2].value, h.kernel->n_sizes > 3 ? h.kernel->sizes[3].value : 0};
        if (strcmp(samples[i].name, "mean_of_all")) harness_check(&h, sizes, samples[i].ranges, 1e-6, 0);
        harness_free(&h);
    }
}

static const char extremes[] =
    "kernel extremes {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: i32[s0] write\n"
    " b2: f32[s0] write\n b3: f32[s0] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n v1: i32 {a0} = reduce argmax {a1} "
    "v0\n"
    " v2: i32 {a0} = store b1[a0] v1\n v3: f32 {a0} = reduce reduce_max {a1} v0\n v4: f32 {a0} = store b2[a0] v3\n"
    " v5: f32 {a0} = reduce reduce_min {a1} v0\n v6: f32 {a0} = store b3[a0] v5\n}\n";

/* NaN is the largest and the smallest, and the first one counts; so does the first of equals, infinities included. */
Test(loop, extremes_of_nan_and_infinity)
{
    enum { COLUMNS = 50 };
    Harness h = harness_new(extremes, "native");
    float x[3 * COLUMNS], largest[3], smallest[3];
    int32_t where[3];
    for (int i = 0; i < 3 * COLUMNS; i++) x[i] = i % 7 ? 1 : -1;
    x[31] = x[45] = NAN;
    for (int i = 0; i < COLUMNS; i++) x[COLUMNS + i] = -INFINITY;
    x[2 * COLUMNS + 20] = x[2 * COLUMNS + 40] = INFINITY;
    void *buffers[] = {x, where, largest, smallest};
    int64_t sizes[] = {3, COLUMNS, 0}, error = 0;
    nn_kernel_args args = {buffers, sizes, 0, 0, &error};
    h.code->loop(&args, 0, 3);
    cr_assert(where[0] == 31 && isnan(largest[0]) && isnan(smallest[0]));
    cr_assert(where[1] == 0 && largest[1] == -INFINITY && smallest[1] == -INFINITY);
    cr_assert(where[2] == 20 && largest[2] == INFINITY && smallest[2] == -1);
    harness_free(&h);
}

/* A task sums whole lines of columns, where it reads neighbours; rows are split one by one, a single axis in vectors.
 */
Test(loop, tasks_read_whole_lines)
{
    static const struct {
        const char *name;
        int32_t split;
        int align;
    } cases[] = {{"column_sum", 1, 64}, {"step_by_column_sum", 1, 64}, {"transpose", 0, 64}, {"row_sum", 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Harness h = harness_new(find_sample(cases[i].name)->text, "native");
        cr_expect_eq(h.code->align, cases[i].align, "%s: %d", cases[i].name, h.code->align);
        cr_expect_eq(h.code->split, cases[i].split, "%s: %d", cases[i].name, h.code->split);
        harness_free(&h);
    }
}
