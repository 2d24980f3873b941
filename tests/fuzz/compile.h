/* What holds for every text that the library compiles; see compile.c. */
#ifndef TESTS_FUZZ_COMPILE_H
#define TESTS_FUZZ_COMPILE_H

#include <stdbool.h>
#include <stddef.h>

/* Aborts when a law is broken. `run`: what is compiled is run once. */
void compile_text(const char *text, size_t size, bool run);

#endif
