/* Tests of files beside which golden files lie: one test for each file of a pattern. NNC_UPDATE_GOLDEN=1 writes what is
 * missing or differs. */
#ifndef TESTS_UNIT_GOLDEN_H
#define TESTS_UNIT_GOLDEN_H

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/context.h"
#include "support/source.h"
#include "support/text.h"

static inline glob_t golden_files(const char *pattern)
{
    glob_t found;
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "no files %s", pattern);
    return found;
}

/* The numbers of the files, for ParameterizedTestParameters. */
static inline struct criterion_test_params golden_numbers(const char *pattern)
{
    static size_t numbers[256];
    glob_t found = golden_files(pattern);
    size_t count = found.gl_pathc < 256 ? found.gl_pathc : 256;
    for (size_t i = 0; i < count; i++) numbers[i] = i;
    globfree(&found);
    return cr_make_param_array(size_t, numbers, count);
}

/* Calls `print` with file `number`, and compares what it prints with the file that has `extension` in place of .nng. */
static inline void golden_expect(const char *pattern, size_t number, const char *extension,
                                 void (*print)(Context *context, const Source *source, Text *out))
{
    glob_t found = golden_files(pattern);
    const char *path = found.gl_pathv[number];
    char expected_path[512];
    snprintf(expected_path, sizeof expected_path, "%.*s%s", (int)(strlen(path) - strlen(".nng")), path, extension);
    size_t size;
    char *text = read_file(path, &size), *expected = read_file(expected_path, &size);
    cr_assert_not_null(text, "%s cannot be read", path);
    Context *context = context_new();
    Text out = {0};
    print(context, source_add(context->sources, strrchr(path, '/') + 1, text, strlen(text)), &out);
    if (getenv("NNC_UPDATE_GOLDEN") && (!expected || strcmp(expected, text_get(&out)))) {
        FILE *file = fopen(expected_path, "w");
        cr_assert(file && fputs(text_get(&out), file) >= 0 && fclose(file) == 0);
    } else {
        cr_assert_not_null(expected, "%s is missing", expected_path);
        cr_assert_str_eq(text_get(&out), expected, "%s:\n%s", path, text_get(&out));
    }
    free(text);
    free(expected);
    text_free(&out);
    context_free(context);
    globfree(&found);
}

#endif
