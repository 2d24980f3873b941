/* Many kernels at once: shared out among threads, started early, asked for program by program. */
#include <criterion/criterion.h>

#include "harness.h"
#include "kernels.h"

/* One plan with every sample as a kernel and a program of its own. */
static Plan *all_samples(Harness *h, Harness *parts)
{
    Arena *arena = h->context->arena;
    Plan *plan = ARENA_NEW(arena, Plan);
    *plan = *h->plan;
    plan->n_kernels = plan->n_programs = N_SAMPLES;
    plan->kernels = ARENA_ARRAY(arena, Kernel *, N_SAMPLES);
    plan->programs = ARENA_ARRAY(arena, PlanProgram, N_SAMPLES);
    for (uint32_t i = 0; i < N_SAMPLES; i++) {
        parts[i] = (Harness){.context = h->context};
        const char *text = samples[i].text, *error;
        parts[i].kernel = plan->kernels[i] = kernel_read(h->context, &text, &error);
        cr_assert(plan->kernels[i], "%s", error);
        parts[i].plan = harness_plan(&parts[i]);
        graph_free(parts[i].plan->module->graph);
        plan->programs[i] = *parts[i].plan->programs;
        plan->programs[i].name = intern(h->context->names, samples[i].name);
        plan->programs[i].launches[0].kernel = i;
    }
    return plan;
}

/* The outputs of every compiled loop for one set of sizes, as one hash. */
static uint64_t hash_results(Harness *parts, const Jit *jit)
{
    uint64_t hash = HASH_START;
    for (uint32_t i = 0; i < N_SAMPLES; i++) {
        Harness *h = &parts[i];
        h->code = &jit_image(jit)->kernels[i];
        int64_t sizes[] = {9, 37, h->kernel->sizes[2].value, h->kernel->n_sizes > 3 ? h->kernel->sizes[3].value : 0};
        char *memory[MAX_BUFFERS];
        for (uint32_t b = 0; b < h->kernel->n_buffers; b++) {
            memory[b] = harness_fill(h, b, harness_count(h, b, sizes), samples[i].ranges[b], b + 1);
        }
        harness_loop(h, sizes, memory, 0);
        for (uint32_t b = 0; b < h->kernel->n_buffers; b++) {
            size_t bytes = (size_t)harness_count(h, b, sizes) * dtype_size(h->kernel->buffers[b].dtype);
            hash = hash_bytes(hash, memory[b] + 64, bytes);
            free(memory[b]);
        }
    }
    return hash;
}

Test(jit, threads_and_level_change_no_bit)
{
    static const CodegenOptions ways[] = {{.threads = 1}, {.threads = 4}, {.threads = 2, .level = 2}};
    static Harness parts[N_SAMPLES];
    uint64_t hashes[3];
    Harness h = harness_new(samples[0].text, "native");
    Plan *plan = all_samples(&h, parts);
    for (size_t w = 0; w < 3; w++) {
        Jit *jit = jit_start(h.context, plan, &ways[w]);
        cr_assert(jit && jit_wait(jit));
        cr_assert_eq(jit_image(jit)->n_programs, N_SAMPLES);
        hashes[w] = hash_results(parts, jit);
        jit_free(jit);
    }
    cr_assert_eq(hashes[0], hashes[1]);
    cr_assert_eq(hashes[0], hashes[2]);
    harness_free(&h);
}

Test(jit, programs_are_added_one_by_one)
{
    static Harness parts[N_SAMPLES];
    Harness h = harness_new(samples[0].text, "native");
    Plan *plan = all_samples(&h, parts);
    const char *const first[] = {"row_softmax", NULL};
    CodegenOptions options = {.programs = first};
    Jit *jit = jit_compile(h.context, plan, &options);
    cr_assert(jit);
    const nn_image *image = jit_image(jit);
    cr_assert_eq(image->n_programs, 1);
    cr_assert_str_eq(image->programs[0].name, "row_softmax");
    cr_assert(jit_require(jit, "adam"));
    cr_assert_eq(image->n_programs, 2);
    cr_assert_str_eq(image->programs[1].name, "adam");
    uint32_t compiled = 0;
    for (uint32_t i = 0; i < image->n_kernels; i++) compiled += image->kernels[i].loop != NULL;
    cr_assert_eq(compiled, 2);
    cr_assert(jit_require(jit, NULL));
    cr_assert_eq(image->n_programs, N_SAMPLES);
    jit_free(jit);
    harness_free(&h);
}

Test(jit, a_compilation_that_nobody_waits_for_can_be_dropped)
{
    static Harness parts[N_SAMPLES];
    Harness h = harness_new(samples[0].text, "native");
    Jit *jit = jit_start(h.context, all_samples(&h, parts), NULL);
    cr_assert(jit);
    jit_free(jit);
    harness_free(&h);
}

/* What is stopped can be asked for again. */
Test(jit, a_compilation_can_be_stopped)
{
    static Harness parts[N_SAMPLES];
    volatile sig_atomic_t stop = 0;
    Harness h = harness_new(samples[0].text, "native");
    Plan *plan = all_samples(&h, parts);
    const char *const first[] = {"row_softmax", NULL};
    CodegenOptions options = {.programs = first};
    h.context->stop = &stop;
    Jit *jit = jit_compile(h.context, plan, &options);
    cr_assert(jit);
    stop = 1;
    cr_expect_null(jit_compile(h.context, plan, NULL));
    cr_expect_eq(diagnostics_errors(h.context->diagnostics), 1);
    cr_expect_not(jit_require(jit, NULL));
    cr_expect_eq(jit_image(jit)->n_programs, 1);
    stop = 0;
    cr_assert(jit_require(jit, NULL));
    cr_assert_eq(jit_image(jit)->n_programs, N_SAMPLES);
    jit_free(jit);
    harness_free(&h);
}
