/* The examples in docs/ and README.md: blocks between lines ```nn and ```. A block marked ```nn fragment holds
 * statements for the inside of a block, any other one a whole file. */
#ifndef TEST_GRAMMAR_DOCS_H
#define TEST_GRAMMAR_DOCS_H

#include "tests/unit/grammar/support.h"

typedef struct {
    char name[512]; /* page:line of its first line */
    char *text;
    size_t size;
    bool fragment;
} Example;

/* Finds the next example at or after *at, which moves behind it; *line counts along. False when there is none. */
static inline bool example_next(const char *page, const char **at, int *line, Example *example)
{
    const char *start = NULL;
    while (**at) {
        const char *end = strchr(*at, '\n');
        size_t length = end ? (size_t)(end - *at) : strlen(*at);
        const char *here = *at;
        *at = end ? end + 1 : here + length;
        ++*line;
        bool fence = length >= 3 && !strncmp(here, "```", 3);
        if (start && fence) {
            example->size = (size_t)(here - start);
            example->text = strndup(start, example->size);
            return true;
        }
        bool whole = length == 5 && !strncmp(here, "```nn", 5);
        bool fragment = length == 14 && !strncmp(here, "```nn fragment", 14);
        if (!start && (whole || fragment)) {
            start = *at;
            example->fragment = fragment;
            snprintf(example->name, sizeof example->name, "%s:%d", file_name(page), *line + 1);
        }
    }
    cr_expect_null(start, "%s: an example without its end", page);
    return false;
}

/* Calls `visit` for every example of the documentation; returns how many there are. */
static inline int examples_visit(void (*visit)(const Example *example))
{
    int count = 0;
    static const char *const pages[] = {"../docs/*.md", "../README.md"};
    for (size_t p = 0; p < sizeof pages / sizeof *pages; p++) {
        glob_t files = golden_files(pages[p]);
        for (size_t i = 0; i < files.gl_pathc; i++) {
            size_t size;
            char *text = golden_read(files.gl_pathv[i], &size);
            const char *at = text;
            int line = 0;
            Example example;
            for (; example_next(files.gl_pathv[i], &at, &line, &example); count++) {
                visit(&example);
                free(example.text);
            }
            free(text);
        }
        globfree(&files);
    }
    return count;
}

#endif
