#include "data/categories.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *text)
{
    uint64_t value = 14695981039346656037u; /* 64-bit FNV-1a */
    for (; *text; text++) value = (value ^ (unsigned char)*text) * 1099511628211u;
    return value;
}

/* The slot that holds the text or is free for it. */
static size_t find_slot(const nn_categories *categories, const char *text)
{
    size_t slot = hash(text) & (categories->slots - 1);
    while (categories->table[slot] >= 0 && strcmp(categories->texts[categories->table[slot]], text))
        slot = (slot + 1) & (categories->slots - 1);
    return slot;
}

static bool grow(nn_categories *categories)
{
    size_t capacity = categories->capacity ? 2 * categories->capacity : 16;
    char **texts = realloc(categories->texts, capacity * sizeof *texts);
    if (!texts) return false;
    categories->texts = texts;
    int32_t *table = malloc(2 * capacity * sizeof *table);
    if (!table) return false;
    free(categories->table);
    categories->table = table;
    categories->capacity = capacity;
    categories->slots = 2 * capacity;
    memset(table, 0xff, categories->slots * sizeof *table);
    for (size_t i = 0; i < categories->count; i++) table[find_slot(categories, texts[i])] = (int32_t)i;
    return true;
}

int32_t nn_categories_find(const nn_categories *categories, const char *text)
{
    return categories->slots ? categories->table[find_slot(categories, text)] : -1;
}

int32_t nn_categories_add(nn_categories *categories, const char *text)
{
    int32_t found = nn_categories_find(categories, text);
    if (found >= 0) return found;
    if (categories->count == INT32_MAX || (categories->count == categories->capacity && !grow(categories))) return -1;
    char *copy = strdup(text);
    if (!copy) return -1;
    categories->table[find_slot(categories, text)] = (int32_t)categories->count;
    categories->texts[categories->count] = copy;
    return (int32_t)categories->count++;
}

typedef struct {
    char *text;
    int32_t old;
} Entry;

static int by_text(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->text, ((const Entry *)b)->text);
}

int32_t *nn_categories_sort(nn_categories *categories)
{
    Entry *entries = malloc((categories->count + 1) * sizeof *entries);
    int32_t *renumbered = malloc((categories->count + 1) * sizeof *renumbered);
    if (!entries || !renumbered) {
        free(entries);
        free(renumbered);
        return NULL;
    }
    for (size_t i = 0; i < categories->count; i++) entries[i] = (Entry){categories->texts[i], (int32_t)i};
    if (categories->count) qsort(entries, categories->count, sizeof *entries, by_text);
    for (size_t i = 0; i < categories->count; i++) {
        categories->texts[i] = entries[i].text;
        renumbered[entries[i].old] = (int32_t)i;
    }
    free(entries);
    return renumbered;
}

void nn_categories_free(nn_categories *categories)
{
    for (size_t i = 0; i < categories->count; i++) free(categories->texts[i]);
    free(categories->texts);
    free(categories->table);
    *categories = (nn_categories){0};
}
