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
