/* Arena: memory that lives as long as one compilation (or one pass) and is freed at once. */
#ifndef NNC_SUPPORT_ARENA_H
#define NNC_SUPPORT_ARENA_H

#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_new(void);
/* Frees the arena and all that was allocated from it. NULL is allowed. */
void arena_free(Arena *arena);
/* Takes back all that was allocated from the arena; it keeps its newest block for what comes. */
void arena_reset(Arena *arena);
/* Zeroed memory, aligned for any scalar type; never NULL (memory.h). */
void *arena_alloc(Arena *arena, size_t size);
/* A copy of `size` bytes. */
void *arena_copy(Arena *arena, const void *bytes, size_t size);
/* A NUL-terminated copy of the first `length` bytes of `text`. */
char *arena_text(Arena *arena, const char *text, size_t length);
/* A formatted, NUL-terminated string. */
char *arena_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes handed out so far. */
size_t arena_used(const Arena *arena);

#define ARENA_NEW(arena, T) ((T *)arena_alloc((arena), sizeof(T)))
#define ARENA_ARRAY(arena, T, count) ((T *)arena_alloc((arena), sizeof(T) * (size_t)(count)))
#define ARENA_COPY(arena, T, items, count) ((T *)arena_copy((arena), (items), sizeof(T) * (size_t)(count)))

#endif
