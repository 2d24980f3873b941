/* Interned strings: within one Interner equal text is the same pointer, so names compare with ==. */
#ifndef NNC_SUPPORT_INTERN_H
#define NNC_SUPPORT_INTERN_H

#include <stddef.h>

#include "support/arena.h"

/* A NUL-terminated, immutable, unique string; NULL is no name. */
typedef const char *Name;

typedef struct Interner Interner;

/* Allocates from `arena`, which must outlive it; interner_free releases only the hash table. A name that `base` (NULL:
 * none) has is the base's, which must outlive it too and take no more names. */
Interner *interner_new(Arena *arena, const Interner *base);
void interner_free(Interner *interner);
Name intern(Interner *interner, const char *text);
Name intern_length(Interner *interner, const char *text, size_t length);
Name intern_format(Interner *interner, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 64-bit FNV-1a, the hash used wherever bytes are hashed; start with HASH_START. */
#define HASH_START 14695981039346656037ULL
unsigned long long hash_bytes(unsigned long long hash, const void *bytes, size_t size);

#endif
