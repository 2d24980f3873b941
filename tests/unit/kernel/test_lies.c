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
