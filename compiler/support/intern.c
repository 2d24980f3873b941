#include "support/intern.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "support/memory.h"
#include "support/vector.h"

struct Interner {
    Arena *arena;
    const Interner *base;
    Vec(Name) names;
    size_t *slots; /* index + 1 into names, 0 when free; a power of two of them */
    size_t n_slots;
};

unsigned long long hash_bytes(unsigned long long hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ at[i]) * 1099511628211ULL;
    return hash;
}

Interner *interner_new(Arena *arena, const Interner *base)
{
    Interner *interner = ARENA_NEW(arena, Interner);
    interner->arena = arena;
    interner->base = base;
    return interner;
}

void interner_free(Interner *interner)
{
    if (!interner) return;
    vec_free(&interner->names);
    memory_free(interner->slots);
    interner->slots = NULL;
    interner->n_slots = 0;
}

static size_t *find_slot(const Interner *interner, unsigned long long hash, const char *text, size_t length)
{
    size_t mask = interner->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        size_t *slot = &interner->slots[i];
        if (!*slot) return slot;
        Name name = interner->names.at[*slot - 1];
        if (!strncmp(name, text, length) && !name[length]) return slot;
    }
}

static void rehash(Interner *interner)
{
    size_t n_slots = interner->n_slots ? interner->n_slots * 2 : 256;
    memory_free(interner->slots);
    interner->slots = memory_calloc(n_slots, sizeof *interner->slots);
    interner->n_slots = n_slots;
    for (size_t i = 0; i < interner->names.count; i++) {
        size_t length = strlen(interner->names.at[i]);
        *find_slot(interner, hash_bytes(HASH_START, interner->names.at[i], length), interner->names.at[i], length) =
            i + 1;
    }
}

Name intern_length(Interner *interner, const char *text, size_t length)
{
    unsigned long long hash = hash_bytes(HASH_START, text, length);
    for (const Interner *base = interner->base; base; base = base->base) {
        size_t found = base->n_slots ? *find_slot(base, hash, text, length) : 0;
        if (found) return base->names.at[found - 1];
    }
    if (interner->names.count * 2 >= interner->n_slots) rehash(interner);
    size_t *slot = find_slot(interner, hash, text, length);
    if (!*slot) {
        vec_push(&interner->names, arena_text(interner->arena, text, length));
        *slot = interner->names.count;
    }
    return interner->names.at[*slot - 1];
}

Name intern(Interner *interner, const char *text)
{
    return intern_length(interner, text, strlen(text));
}

Name intern_format(Interner *interner, const char *format, ...)
{
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    Name name;
    if (length < (int)sizeof small) {
        name = intern_length(interner, small, length < 0 ? 0 : (size_t)length);
    } else {
        char *text = arena_alloc(interner->arena, (size_t)length + 1);
        vsnprintf(text, (size_t)length + 1, format, again);
        name = intern_length(interner, text, (size_t)length);
    }
    va_end(again);
    return name;
}
