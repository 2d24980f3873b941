/* Tests that time grows with the length of a text: families of texts, and how they are measured. */
#ifndef TESTS_UNIT_GROWTH_H
#define TESTS_UNIT_GROWTH_H

#include <criterion/criterion.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/text.h"

/* `count` times `piece` between `head` and `tail`; each `%` of the piece is the number of its turn. */
typedef struct {
    const char *name, *head, *piece, *tail;
    size_t count;
} Family;

enum { GROWTH_SHARE = 4, GROWTH_ATTEMPTS = 8 };

/* Four times the work takes linear time a good four times as long, as caches hold less of it, and quadratic time
 * sixteen times. */
static const double GROWTH_NOISE = 0.002, GROWTH_MOST = 6;

static inline void growth_repeat(Text *text, const char *piece, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *rest = piece;
        for (const char *hole; (hole = strchr(rest, '%')); rest = hole + 1) {
            text_put(text, rest, (size_t)(hole - rest));
            text_format(text, "%zu", i);
        }
        text_string(text, rest);
    }
}

static inline Text growth_text(const Family *family, size_t count)
{
    Text text = {0};
    text_string(&text, family->head);
    growth_repeat(&text, family->piece, count);
    text_string(&text, family->tail);
    return text;
}

static inline double growth_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Memory that is kept costs the large text no more pages than the small one. */
static inline void growth_keep_memory(void)
{
    enum { MOST = 32 * 1024 * 1024 }; /* that malloc takes for the first */
    cr_assert(mallopt(M_MMAP_THRESHOLD, MOST) && mallopt(M_TRIM_THRESHOLD, INT_MAX));
}

/* Both are measured one right after the other, so that a machine that is slow for a while is so for both; the least
 * ratio of several counts, and more are taken only where needed. */
static inline void growth_expect_linear(const Family *family, Text (*make)(const Family *family, size_t count),
                                        double (*time)(const Text *text))
{
    Text few = make(family, family->count / GROWTH_SHARE), many = make(family, family->count);
    double least = 0, most = 0, ratio = 1e9;
    for (int attempt = 0; attempt < GROWTH_ATTEMPTS && ratio > GROWTH_MOST; attempt++) {
        double one = time(&few), four = time(&many);
        if (four / (one + GROWTH_NOISE) > ratio) continue;
        least = one;
        most = four;
        ratio = four / (one + GROWTH_NOISE);
    }
    if (getenv("NNC_SHOW_GROWTH")) fprintf(stderr, "%-24s %7.3f %7.3f %5.2f\n", family->name, least, most, ratio);
    cr_expect_leq(ratio, GROWTH_MOST, "%s: %zu take %g s, %zu take %g s", family->name, family->count / GROWTH_SHARE,
                  least, family->count, most);
    text_free(&few);
    text_free(&many);
}

#endif
