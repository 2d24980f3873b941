/* The hint of a name that is spelled nearly so. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/diag.h"

TestSuite(nearest, .timeout = 10);

static const char *nearest_of(const char *name, const char *a, const char *b)
{
    return nearest_spelling(name, (const char *const[]){a, b}, 2);
}

Test(nearest, spelling)
{
    cr_expect_str_eq(nearest_of("lerning", "learning", "leaning"), "learning");
    cr_expect_str_eq(nearest_of("Loss", "loss", "Lost"), "loss");                  /* a capital is half a letter */
    cr_expect_str_eq(nearest_of("accuracy", "accuraci", "accuracys"), "accuraci"); /* the first of two */
    cr_expect_str_eq(nearest_of("batch", "bat", "batches"), "bat");
    cr_expect_null(nearest_of("batch", "width", "height"));
    cr_expect_null(nearest_of("x", "y", "z")); /* nothing is left of the name */
    cr_expect_null(nearest_spelling("x", NULL, 0));
    char longer[80];
    memset(longer, 'a', sizeof longer);
    longer[79] = 0;
    cr_expect_null(nearest_of(longer, longer, longer + 1));
}

/* A file may have as many names as mistakes: each hint looks at a bounded number of them. */
Test(nearest, work_is_bounded)
{
    enum { NAMES = 4000000, HINTS = 100 };
    const char *name = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
    const char *other = "bacdfeghjiklnmopqrtsuvwxyzabcdfeghijklmnopqrtsuvwxzyabdcefghikjl";
    const char **names = malloc(NAMES * sizeof *names);
    for (size_t i = 0; i < NAMES; i++) names[i] = other;
    for (int i = 0; i < HINTS; i++) cr_assert_eq(nearest_spelling(name, names, NAMES), other);
    free(names);
}
