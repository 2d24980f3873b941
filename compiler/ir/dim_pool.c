/* Pools of byte strings, in which equal ones are one. */
#include <string.h>

#include "ir/dim_internal.h"
#include "support/memory.h"
#include "support/vector.h"

static void pool_rehash(DimPool *pool)
{
    pool->n_slots = pool->n_slots ? pool->n_slots * 2 : 64;
    memory_free(pool->slots);
    pool->slots = memory_calloc(pool->n_slots, sizeof *pool->slots);
    for (size_t i = 0; i < pool->count; i++) {
        size_t slot = pool->at[i].hash & (pool->n_slots - 1);
        while (pool->slots[slot]) slot = (slot + 1) & (pool->n_slots - 1);
        pool->slots[slot] = (uint32_t)i + 1;
    }
}

uint32_t dim_pool_intern(DimPool *pool, Arena *arena, const void *bytes, size_t size)
{
    if (pool->count * 2 >= pool->n_slots) pool_rehash(pool);
    unsigned long long hash = hash_bytes(HASH_START, bytes, size);
    hash ^= hash >> 32;
    size_t slot = hash & (pool->n_slots - 1);
    for (; pool->slots[slot]; slot = (slot + 1) & (pool->n_slots - 1)) {
        const struct DimPoolItem *item = &pool->at[pool->slots[slot] - 1];
        if (item->hash == hash && item->size == size && !memcmp(item->bytes, bytes, size)) return pool->slots[slot];
    }
    struct DimPoolItem item = {arena_copy(arena, bytes, size), size, hash};
    vec_push(pool, item);
    return pool->slots[slot] = (uint32_t)pool->count;
}

void dim_pool_free(DimPool *pool)
{
    vec_free(pool);
    memory_free(pool->slots);
    pool->slots = NULL;
    pool->n_slots = 0;
}
