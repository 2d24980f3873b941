/* A table from names to numbers or pointers: what is declared, stored or read under a name is found without a search.
 */
#ifndef NNC_SUPPORT_NAME_MAP_H
#define NNC_SUPPORT_NAME_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "support/arena.h"

/* Interned names are compared by address. `owner`, `kind` and `part` tell things of one name apart; NULL and 0 where
 * they need not be. */
typedef struct {
    const void *name, *owner;
    uint32_t kind, part;
} NameKey;

typedef struct {
    struct NameEntry *entries; /* linear probing */
    size_t count, capacity;
} NameMap;

#define NAME_MAP_NONE UINTPTR_MAX

/* Puts a number under a key that has none yet; a key that has one keeps it. The table lies in the arena. */
void name_map_put(Arena *arena, NameMap *map, NameKey key, uintptr_t value);
/* The number under the key; NAME_MAP_NONE when there is none. */
uintptr_t name_map_get(const NameMap *map, NameKey key);

#endif
