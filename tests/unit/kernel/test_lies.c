/* The text of a kernel, cut off or damaged: refused by the reader with a reason or by the verifier, never more. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "support/source.h"

static const char files[][128] = {TESTS_FOLDER "/fuzz/corpus/nnk/dense_relu.nnk",
                                  TESTS_FOLDER "/fuzz/corpus/nnk/zoo.nnk"};
enum { N_FILES = sizeof files / sizeof *files };

/* True when the text is a valid kernel, and nothing follows. */
static bool accepts(const char *text, size_t size)
{
    Context *context = context_new();
    /* Memory of just this size, so that the sanitizer sees a read past it. */
    char *copy = malloc(size + 1);
    memcpy(copy, text, size);
    copy[size] = 0;
    const char *at = copy, *error = NULL;
    Kernel *kernel = kernel_read(context, &at, &error);
    cr_expect(kernel || error, "refused without a reason:\n%s", copy);
    bool good = kernel && !kernel_verify(context, kernel);
    free(copy);
    context_free(context);
    return good;
}

Test(lies, every_truncation_of_a_kernel_is_refused)
{
    for (size_t i = 0; i < N_FILES; i++) {
        size_t size;
        char *text = read_file(files[i], &size);
        cr_assert(text, "%s", files[i]);
        size_t end = (size_t)(strrchr(text, '}') - text);
        cr_expect(accepts(text, size), "%s", files[i]);
        for (size_t length = 0; length <= end; length++)
            cr_expect_not(accepts(text, length), "%s is accepted when cut off at %zu", files[i], length);
        free(text);
    }
}

/* Each number of a kernel replaced by ones that no kernel has. */
Test(lies, numbers_out_of_range_are_refused)
{
    static const char *const numbers[] = {"99", "2147483648", "4294967296", "99999999999999999999"};
    size_t size;
    char *text = read_file(files[0], &size);
    cr_assert(text);
    for (size_t at = strlen("kernel dense_relu {"); at < size; at++) {
        bool named = strchr("abvs", text[at - 1]) && text[at] >= '0' && text[at] <= '9';
        if (!named) continue;
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            char changed[2048];
            snprintf(changed, sizeof changed, "%.*s%s%s", (int)at, text, numbers[i], text + at + 1);
            cr_expect_not(accepts(changed, strlen(changed)), "accepted:\n%s", changed);
        }
    }
    free(text);
}

/* A subscript has one index value and one offset: what would not be printed again is not read. */
Test(lies, subscripts_say_everything_once)
{
    static const char form[] =
        "kernel k {\n    s0\n    s1 = 0\n    a0: s0\n    b0: f32[s0] read\n    b1: f32[s0] write\n"
        "    v0: i32 {a0} = constant 0\n    v1: f32 {a0} = load b0[%s]\n"
        "    v2: f32 {a0} = store b1[a0] v1\n}\n";
    static const struct {
        const char *subscript;
        bool good;
    } rows[] = {{"a0 + s1", true}, {"v0!", true},      {"a0 + s1 + s1", false}, {"a0 - s1 - s0", false},
                {"2*s1", false},   {"v0 + v0", false}, {"2*v0", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        int size = snprintf(text, sizeof text, form, rows[i].subscript);
        cr_expect_eq(accepts(text, (size_t)size), rows[i].good, "%s", rows[i].subscript);
    }
}
