/* Distinct texts and their numbers. */
#ifndef NN_HOST_CATEGORIES_H
#define NN_HOST_CATEGORIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char **texts; /* in the order in which they were added */
    size_t count, capacity;
    int32_t *table; /* open addressing; -1 is free */
    size_t slots;   /* a power of two, or 0 */
} nn_categories;

/* The number of the text, added when it is new; -1 when there is no memory or there are more than 2^31 - 1. */
int32_t nn_categories_add(nn_categories *categories, const char *text);
/* -1 when it is not there. */
int32_t nn_categories_find(const nn_categories *categories, const char *text);
/* Sorts the texts by bytes and says where each number went: renumbered[old] = new (free it; NULL: no memory). What find
 * gives afterwards has no meaning. */
int32_t *nn_categories_sort(nn_categories *categories);
void nn_categories_free(nn_categories *categories);

#endif
