#include "support/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "support/memory.h"

/* Small texts stay small. */
enum { FIRST_BLOCK = 64 * 1024, NEXT_BLOCK = 256 * 1024, LARGEST_BLOCK = 16 * 1024 * 1024, ALIGN = 16 };

typedef struct Block {
    struct Block *next;
    size_t used, size;
    _Alignas(ALIGN) unsigned char bytes[];
} Block;

struct Arena {
    Block *head;
    size_t used;
};

Arena *arena_new(void)
{
    return memory_calloc(1, sizeof(Arena));
}

static void free_blocks(Block *block)
{
    for (Block *next; block; block = next) {
        next = block->next;
        memory_free(block);
    }
}

void arena_free(Arena *arena)
{
    if (!arena) return;
    free_blocks(arena->head);
    memory_free(arena);
}

void arena_reset(Arena *arena)
{
    Block *block = arena->head;
    if (!block) return;
    free_blocks(block->next);
    block->next = NULL;
    block->used = 0;
    arena->used = 0;
}

/* Blocks grow with what the arena holds, so that they are few and the last one wastes little. */
static size_t block_size(const Arena *arena)
{
    size_t size = arena->used / 4;
    if (!arena->used) return FIRST_BLOCK;
    return size < NEXT_BLOCK ? NEXT_BLOCK : size > LARGEST_BLOCK ? LARGEST_BLOCK : size;
}

/* Only what is handed out is zeroed: while it is in the cache. */
static void *take(Arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2) memory_exhausted();
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    Block *block = arena->head;
    if (!block || block->size - block->used < size) {
        size_t room = block_size(arena);
        if (room < size) room = size;
        block = memory_alloc(sizeof(Block) + room);
        block->size = room;
        block->used = 0;
        block->next = arena->head;
        arena->head = block;
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    arena->used += size;
    return memory;
}

void *arena_alloc(Arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

void *arena_copy(Arena *arena, const void *bytes, size_t size)
{
    void *memory = take(arena, size);
    if (size) memcpy(memory, bytes, size);
    return memory;
}

char *arena_text(Arena *arena, const char *text, size_t length)
{
    char *copy = take(arena, length + 1);
    if (length) memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

char *arena_format(Arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = take(arena, (size_t)(length < 0 ? 0 : length) + 1);
    *text = 0;
    if (length > 0) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_used(const Arena *arena)
{
    return arena->used;
}
