/* What is equal to the last bit: a step and its three calls, and any number of threads, with batches around every size
 * at which sums and products are cut. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "codegen/vector.h"
#include "models.h"

/* Around the leaves of sums and of products, and the blocks of those. */
static const int64_t batches[] = {0, 1, 2, 127, 128, 129, 255, 256, 257, 512, 1023, 1024, 1025, 2049};
enum { N_BATCHES = sizeof batches / sizeof *batches };

static void expect_one_order(const char *name, bool f64, const char *cpu)
{
    char path[512];
    snprintf(path, sizeof path, "%s/golden/models/%s.nn", TESTS_FOLDER, name);
    Compiled compiled = compile_model(path, f64, cpu);
    for (int i = 0; i < N_BATCHES; i++) {
        char label[200];
        Call call = call_new(compiled.text.module, batches[i], 3);
        Run whole = run_new(compiled.model, &call, 0), phases = run_new(compiled.model, &call, 0);
        Run threads = run_new(compiled.model, &call, 2 + i % 3);
        run_steps(&whole, &call, 2);
        run_phases(&phases, &call, 2);
        run_steps(&threads, &call, 2);
        snprintf(label, sizeof label, "%s, %s, %s, a batch of %lld, phases", name, f64 ? "f64" : "f32",
                 cpu ? cpu : "native", (long long)batches[i]);
        expect_same_bits(label, compiled.text.module, &whole, &phases);
        snprintf(label, sizeof label, "%s, %s, %s, a batch of %lld, threads", name, f64 ? "f64" : "f32",
                 cpu ? cpu : "native", (long long)batches[i]);
        expect_same_bits(label, compiled.text.module, &whole, &threads);
        run_free(&whole);
        run_free(&phases);
        run_free(&threads);
        call_free(&call);
    }
    compiled_free(&compiled);
}

static const char *const models[] = {"sums",   "broad",    "norms", "losses", "written_out",
                                     "shared", "logistic", "f16",   "bf16"};

ParameterizedTestParameters(bits, one_order)
{
    static size_t numbers[2 * sizeof models / sizeof *models];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) numbers[i] = i;
    return cr_make_param_array(size_t, numbers, sizeof numbers / sizeof *numbers);
}

ParameterizedTest(size_t *number, bits, one_order)
{
    expect_one_order(models[*number / 2], *number % 2, NULL);
}

Test(bits, one_order_on_older_processors)
{
    static const char *const names[] = {"sums", "f16", "bf16"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        expect_one_order(names[i], false, "x86-64-v2");
        if (cpu_runs(CPU_X86_64_V3)) expect_one_order(names[i], false, "x86-64-v3");
    }
}

/* A bf16 or f16 is rounded where it is computed: with every node stored, a model gives what it gives fused. */
static void expect_stored_alike(const char *name, const char *cpu)
{
    char path[512];
    snprintf(path, sizeof path, "%s/golden/models/%s.nn", TESTS_FOLDER, name);
    Compiled compiled = compile_model(path, false, cpu);
    CodegenOptions how = {.level = 1, .cpu = cpu, .threads = 1};
    Jit *jit = jit_compile(compiled.text.context, compiled.unfused, &how);
    nn_model *stored;
    expect_no_errors(compiled.text.context, path);
    CHECKED(nn_model_from_image(jit_image(jit), NULL, &stored));
    for (int i = 0; i < N_BATCHES; i++) {
        char label[200];
        Call call = call_new(compiled.text.module, batches[i], 3);
        Run fused = run_new(compiled.model, &call, 0), apart = run_new(stored, &call, 0);
        run_steps(&fused, &call, 2);
        run_steps(&apart, &call, 2);
        snprintf(label, sizeof label, "%s, %s, a batch of %lld, stored", name, cpu ? cpu : "native",
                 (long long)batches[i]);
        expect_same_bits(label, compiled.text.module, &fused, &apart);
        run_free(&fused);
        run_free(&apart);
        call_free(&call);
    }
    nn_model_free(stored);
    jit_free(jit);
    compiled_free(&compiled);
}

Test(bits, of_short_floats_fused_or_stored)
{
    static const char *const names[] = {"f16", "bf16"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        expect_stored_alike(names[i], NULL);
        expect_stored_alike(names[i], "x86-64-v2");
        if (cpu_runs(CPU_X86_64_V3)) expect_stored_alike(names[i], "x86-64-v3");
    }
}
