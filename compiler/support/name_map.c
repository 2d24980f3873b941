#include "support/name_map.h"

#include <stdbool.h>

typedef struct NameEntry {
    NameKey key;
    uintptr_t value;
    bool used;
} NameEntry;

enum { LEAST = 8 };

static size_t hash(NameKey key)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)key.name ^ key.kind ^ (uint64_t)key.part << 32) * 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 29) ^ (uint64_t)(uintptr_t)key.owner) * 0xBF58476D1CE4E5B9u;
    return (size_t)(mixed ^ (mixed >> 32));
}

/* The key's entry, or the free one where it belongs. */
static NameEntry *find(const NameMap *map, NameKey key)
{
    for (size_t i = hash(key);; i++) {
        NameEntry *entry = &map->entries[i & (map->capacity - 1)];
        const NameKey *own = &entry->key;
        bool same = own->name == key.name && own->owner == key.owner && own->kind == key.kind && own->part == key.part;
        if (!entry->used || same) return entry;
    }
}

static void grow(Arena *arena, NameMap *map)
{
    NameMap old = *map;
    map->capacity = old.capacity ? 2 * old.capacity : LEAST;
    map->entries = ARENA_ARRAY(arena, NameEntry, map->capacity);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.entries[i].used) *find(map, old.entries[i].key) = old.entries[i];
}

void name_map_put(Arena *arena, NameMap *map, NameKey key, uintptr_t value)
{
    if (2 * (map->count + 1) > map->capacity) grow(arena, map);
    NameEntry *entry = find(map, key);
    if (entry->used) return;
    *entry = (NameEntry){key, value, true};
    map->count++;
}

uintptr_t name_map_get(const NameMap *map, NameKey key)
{
    if (!map->capacity) return NAME_MAP_NONE;
    const NameEntry *entry = find(map, key);
    return entry->used ? entry->value : NAME_MAP_NONE;
}
