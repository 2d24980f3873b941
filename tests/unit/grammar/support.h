/* What the tests of the parser share: reading texts and golden files. */
#ifndef TEST_GRAMMAR_SUPPORT_H
#define TEST_GRAMMAR_SUPPORT_H

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/parser.h"

typedef struct {
    Context *context;
    const Source *source;
    Syntax *file;
    Text diagnostics;
} Parsed;

static inline Parsed parse_bytes(const char *name, const char *text, size_t size, bool rules)
{
    Parsed parsed = {.context = context_new()};
    parsed.source = source_add(parsed.context->sources, name, text, size);
    parsed.file = rules ? parse_rules(parsed.context, parsed.source) : parse_source(parsed.context, parsed.source);
    diagnostics_print(parsed.context->diagnostics, &parsed.diagnostics);
    return parsed;
}

static inline Parsed parse_text(const char *text)
{
    return parse_bytes("test.nn", text, strlen(text), false);
}

static inline void parsed_free(Parsed *parsed)
{
    text_free(&parsed->diagnostics);
    context_free(parsed->context);
}

/* All files that match a pattern below tests/; the test fails if there is none. */
static inline glob_t golden_files(const char *pattern)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TESTS_FOLDER, pattern);
    glob_t found;
    cr_assert_eq(glob(path, 0, NULL, &found), 0, "no file matches %s", path);
    return found;
}

static inline char *golden_read(const char *path, size_t *size)
{
    char *text = read_file(path, size);
    cr_assert_not_null(text, "cannot read %s", path);
    return text;
}

static inline const char *file_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* Compares with PATH with its extension replaced; with NNC_UPDATE_GOLDEN set, writes it instead. */
static inline void expect_golden(const char *path, const char *extension, const char *text)
{
    char golden[512];
    const char *dot = strrchr(path, '.');
    snprintf(golden, sizeof golden, "%.*s%s", (int)(dot - path), path, extension);
    if (getenv("NNC_UPDATE_GOLDEN")) {
        FILE *file = fopen(golden, "w");
        cr_assert_not_null(file);
        fputs(text, file);
        fclose(file);
        return;
    }
    size_t size;
    char *expected = golden_read(golden, &size);
    cr_expect_str_eq(text, expected, "%s differs:\n%s", golden, text);
    free(expected);
}

#endif
