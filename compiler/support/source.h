/* SourceMap: every source text of a compilation, and places in them. */
#ifndef NNC_SUPPORT_SOURCE_H
#define NNC_SUPPORT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/arena.h"

/* A half-open range of bytes in the concatenation of all sources of a SourceMap; {0, 0} is no place. */
typedef struct {
    uint32_t start, end;
} Span;

#define NO_SPAN ((Span){0, 0})

enum { SOURCE_BLOCK = 256 };

typedef struct {
    const char *name; /* as the user gave it; shown in diagnostics */
    const char *text; /* NUL-terminated */
    size_t size;
    uint32_t start;        /* the global position of its first byte; at least 1 */
    int line;              /* the number of its first line: 1, or more for a part of something */
    const uint32_t *lines; /* where each line begins, in bytes from the first one */
    uint32_t n_lines;
    const uint32_t *points; /* code points before each block of SOURCE_BLOCK bytes */
} Source;

typedef struct {
    const Source *source;
    int line, column;      /* from 1; a column counts code points */
    const char *line_text; /* the line's first byte in the source */
    int line_size;         /* its bytes without the newline */
} Place;

typedef struct SourceMap SourceMap;

/* Allocates from `arena`. What is in `base` (NULL: nothing) comes before its own sources; the base must outlive it and
 * take no more of them. */
SourceMap *source_map_new(Arena *arena, const SourceMap *base);
void source_map_free(SourceMap *map);
/* Adds a text (copied). NULL when all sources together would pass 4 GiB. */
const Source *source_add(SourceMap *map, const char *name, const char *text, size_t size);
/* The same of a part of something, whose first line has the number `line` there. */
const Source *source_add_part(SourceMap *map, const char *name, int line, const char *text, size_t size);
/* The sources in the order in which they were added; NULL past the last. */
const Source *source_at(const SourceMap *map, size_t index);
/* Where the global position lies; false for position 0. */
bool source_place(const SourceMap *map, uint32_t position, Place *place);
/* Reads a whole file into NUL-terminated memory, the caller's to free (memory.h); NULL with errno set when it
 * cannot. */
char *read_file(const char *path, size_t *size);

static inline Span span_join(Span a, Span b)
{
    if (!a.end) return b;
    if (!b.end) return a;
    return (Span){a.start < b.start ? a.start : b.start, a.end > b.end ? a.end : b.end};
}

#endif
