/* The choice of code by what the processor has and the operating system keeps. */
#include <criterion/criterion.h>

#include "core/cpu.h"
#include "nn.h"

/* What a machine with everything says. */
static const nn_cpu_registers all = {~0u, ~0u, ~0u, ~(uint64_t)0};

Test(cpu, levels)
{
    static const struct {
        const char *what;
        nn_cpu_registers lacks;
        int level;
    } rows[] = {
        {"nothing", {0}, 4},
        {"popcnt", {1u << 23, 0, 0, 0}, 1},
        {"lahf", {0, 0, 1, 0}, 1},
        {"fma", {1u << 12, 0, 0, 0}, 2},
        {"avx2", {0, 1u << 5, 0, 0}, 2},
        {"lzcnt", {0, 0, 1u << 5, 0}, 2},
        {"an operating system that keeps ymm", {0, 0, 0, 4}, 2},
        {"an operating system that says what it keeps", {1u << 27, 0, 0, ~(uint64_t)0}, 2},
        {"avx512vl", {0, 1u << 31, 0, 0}, 3},
        {"an operating system that keeps zmm", {0, 0, 0, 0xe0}, 3},
        {"an operating system that keeps the masks", {0, 0, 0, 0x20}, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const nn_cpu_registers *lacks = &rows[i].lacks;
        nn_cpu_registers has = {all.ecx1 & ~lacks->ecx1, all.ebx7 & ~lacks->ebx7,
                                all.ecx_extended & ~lacks->ecx_extended, all.kept & ~lacks->kept};
        cr_assert_eq(nn_cpu_level(&has), rows[i].level, "without %s: %d", rows[i].what, nn_cpu_level(&has));
    }
    cr_assert_eq(nn_cpu_level(&(nn_cpu_registers){0}), 1);
}

#if defined __x86_64__
Test(cpu, this_machine_is_what_the_c_compiler_says)
{
    cr_assert_eq(nn_cpu_runs("x86-64-v2"), !!__builtin_cpu_supports("x86-64-v2"));
    cr_assert_eq(nn_cpu_runs("x86-64-v3"), !!__builtin_cpu_supports("x86-64-v3"));
    cr_assert_eq(nn_cpu_runs("x86-64-v4"), !!__builtin_cpu_supports("x86-64-v4"));
    cr_assert(!nn_cpu_runs("x86-64-v9"));
    cr_assert(nn_cpu_runs("native") && nn_cpu_runs("x86-64-v33"));
}
#endif

Test(cpu, the_best_that_runs_is_chosen)
{
    nn_image future = {.cpu = "x86-64-v9"}, plain = {.cpu = "x86-64-v1"}, old = {.cpu = "plain"};
    const nn_image *const images[] = {&future, &plain, &old};
    cr_assert_eq(nn_image_choose(images, 3), &plain);
    cr_assert_eq(nn_image_choose(images, 1), &future); /* which then cannot be opened */
    nn_image image = {.magic = NN_IMAGE_MAGIC,
                      .version = NN_IMAGE_VERSION,
                      .image_size = sizeof image,
                      .name = "m",
                      .cpu = "x86-64-v9"};
    nn_model *model;
    cr_assert_eq(nn_model_from_image(&image, NULL, &model), NN_ERROR_VERSION);
    cr_assert_str_eq(nn_message(),
                     "m was compiled for x86-64-v9, which this processor or its operating system cannot run");
}
