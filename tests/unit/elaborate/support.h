/* What the tests of the elaborator share: compiling a text, and data made of arrays. */
#ifndef TEST_ELABORATE_SUPPORT_H
#define TEST_ELABORATE_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elaborate/program.h"
#include "ir/eval.h"

/* `blobs(samples = n)` as a table: a and b are 0, 1, 2, …, label is row % 3. Every other kind fails to open. */
static inline const DataSource *test_open(void *host, const char *kind, const char *path, const DataArgument *args,
                                          size_t n_args, const DataSource *like, const char **message)
{
    static const DataColumn columns[] = {{.name = "a", .dtype = DTYPE_F32},
                                         {.name = "b", .dtype = DTYPE_F32},
                                         {.name = "label", .dtype = DTYPE_I32, .range = 3}};
    static DataSource sources[8];
    (void)path, (void)like;
    if (strcmp(kind, "blobs") != 0) {
        *message = "the test has no such source";
        return NULL;
    }
    int *used = host;
    DataSource *source = &sources[(*used)++ % 8];
    *source = (DataSource){.rows = 6, .columns = columns, .n_columns = 3};
    for (size_t i = 0; i < n_args; i++)
        if (!strcmp(args[i].name, "samples")) source->rows = (int64_t)args[i].number;
    return source;
}

static inline bool test_read(void *host, const DataSource *source, uint32_t column, int64_t first, int64_t count,
                             void *out, const char **message)
{
    (void)host, (void)message;
    for (int64_t i = 0; i < count; i++) {
        if (source->columns[column].dtype == DTYPE_F32)
            ((float *)out)[i] = (float)(first + i);
        else
            ((int32_t *)out)[i] = (int32_t)((first + i) % 3);
    }
    return true;
}

/* Whatever is asked for: a table with the columns x and y. */
static inline const DataSource *test_open_any(void *host, const char *kind, const char *path, const DataArgument *args,
                                              size_t n_args, const DataSource *like, const char **message)
{
    static const DataColumn columns[] = {{.name = "x", .dtype = DTYPE_F32}, {.name = "y", .dtype = DTYPE_F32}};
    static const DataSource source = {.rows = 6, .columns = columns, .n_columns = 2};
    (void)host, (void)kind, (void)path, (void)args, (void)n_args, (void)like, (void)message;
    return &source;
}

typedef struct {
    Context *context;
    Program *program;
    Text diagnostics;
} Compiled;

static inline Compiled compile_with(const char *name, const char *path, const char *text, ProgramOptions options)
{
    Compiled compiled = {.context = context_new()};
    int used = 0;
    DataProvider provider = {.host = &used, .open = test_open, .read = test_read};
    if (strstr(text, "\ndata ")) options.provider = &provider;
    options.will_train = options.provider && strstr(text, "\ntrain ");
    const Source *source = source_add(compiled.context->sources, name, text, strlen(text));
    compiled.program = program_compile(compiled.context, path, source, &options);
    diagnostics_print(compiled.context->diagnostics, &compiled.diagnostics);
    return compiled;
}

/* A text that must compile without any diagnostic. */
static inline Compiled compile(const char *text)
{
    Compiled compiled = compile_with("test.nn", NULL, text, (ProgramOptions){0});
    cr_assert_str_eq(text_get(&compiled.diagnostics), "", "%s\n%s", text, text_get(&compiled.diagnostics));
    cr_assert_not_null(compiled.program);
    cr_expect_null(module_verify(compiled.program->module), "%s", module_verify(compiled.program->module));
    return compiled;
}

static inline void compiled_free(Compiled *compiled)
{
    text_free(&compiled->diagnostics);
    if (compiled->program) graph_free(compiled->program->module->graph);
    context_free(compiled->context);
}

#endif
