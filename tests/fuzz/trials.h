/* Texts that are numbered, tried in child processes: what kills one is told, and the next goes on behind. */
#ifndef TESTS_FUZZ_TRIALS_H
#define TESTS_FUZZ_TRIALS_H

#include <stdint.h>

#include "support/text.h"

typedef struct {
    const char *name;                                                     /* for reports */
    void (*make)(const void *data, uint64_t number, Text *to);            /* the number decides all of a text */
    void (*attempt)(const void *data, uint64_t number, const Text *text); /* aborts when a law is broken */
    const void *data;
} Trials;

/* How many of the texts first … end-1 fail; each is printed with its number. */
size_t trials_run(const Trials *trials, uint64_t first, uint64_t end);

#endif
