#include "support/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/memory.h"
#include "support/vector.h"

struct SourceMap {
    Arena *arena;
    const SourceMap *base;
    Vec(Source *) sources;
};

SourceMap *source_map_new(Arena *arena, const SourceMap *base)
{
    SourceMap *map = ARENA_NEW(arena, SourceMap);
    map->arena = arena;
    map->base = base;
    return map;
}

void source_map_free(SourceMap *map)
{
    if (map) vec_free(&map->sources);
}

/* The first position behind all sources. */
static uint64_t next_start(const SourceMap *map)
{
    if (!map) return 1;
    if (!map->sources.count) return next_start(map->base);
    const Source *last = vec_last(&map->sources);
    return (uint64_t)last->start + last->size + 1;
}

const Source *source_add(SourceMap *map, const char *name, const char *text, size_t size)
{
    return source_add_part(map, name, 1, text, size);
}

static void find_lines(Arena *arena, Source *source)
{
    const char *end = source->text + source->size;
    source->n_lines = 1;
    for (const char *p = source->text; (p = memchr(p, '\n', (size_t)(end - p))); p++) source->n_lines++;
    uint32_t *lines = ARENA_ARRAY(arena, uint32_t, source->n_lines), n = 1;
    for (const char *p = source->text; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines[n++] = (uint32_t)(p + 1 - source->text);
    source->lines = lines;
}

static uint32_t code_points(const char *from, const char *to)
{
    uint32_t count = 0;
    for (; from < to; from++) count += ((unsigned char)*from & 0xC0) != 0x80;
    return count;
}

static void count_points(Arena *arena, Source *source)
{
    size_t n_blocks = source->size / SOURCE_BLOCK + 1;
    uint32_t *points = ARENA_ARRAY(arena, uint32_t, n_blocks);
    for (size_t i = 1; i < n_blocks; i++) {
        const char *block = source->text + (i - 1) * SOURCE_BLOCK;
        points[i] = points[i - 1] + code_points(block, block + SOURCE_BLOCK);
    }
    source->points = points;
}

static uint32_t points_before(const Source *source, size_t offset)
{
    size_t block = offset / SOURCE_BLOCK;
    return source->points[block] + code_points(source->text + block * SOURCE_BLOCK, source->text + offset);
}

/* The line, counted from 0, that holds the byte. */
static uint32_t line_of(const Source *source, size_t offset)
{
    uint32_t low = 0, high = source->n_lines;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

const Source *source_add_part(SourceMap *map, const char *name, int line, const char *text, size_t size)
{
    uint64_t start = next_start(map);
    if (start + size >= UINT32_MAX) return NULL;
    Source *source = ARENA_NEW(map->arena, Source);
    source->name = arena_text(map->arena, name, strlen(name));
    source->text = arena_text(map->arena, text, size);
    source->size = size;
    source->start = (uint32_t)start;
    source->line = line;
    find_lines(map->arena, source);
    count_points(map->arena, source);
    vec_push(&map->sources, source);
    return source;
}

static size_t source_count(const SourceMap *map)
{
    return map ? source_count(map->base) + map->sources.count : 0;
}

const Source *source_at(const SourceMap *map, size_t index)
{
    size_t before = source_count(map->base);
    if (index < before) return source_at(map->base, index);
    return index - before < map->sources.count ? map->sources.at[index - before] : NULL;
}

bool source_place(const SourceMap *map, uint32_t position, Place *place)
{
    for (size_t i = map->sources.count; position && i-- > 0;) {
        const Source *source = map->sources.at[i];
        if (position < source->start) continue;
        size_t offset = position - source->start;
        if (offset > source->size) offset = source->size;
        uint32_t number = line_of(source, offset), begin = source->lines[number];
        size_t end = number + 1 < source->n_lines ? source->lines[number + 1] - 1 : source->size;
        uint32_t before = points_before(source, offset) - points_before(source, begin);
        *place = (Place){source, source->line + (int)number, (int)before + 1, source->text + begin, (int)(end - begin)};
        return true;
    }
    return map->base && source_place(map->base, position, place);
}

static void close_file(void *file)
{
    fclose(file);
}

char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    memory_on_failure(close_file, file);
    Vec(char) bytes = {0};
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        for (size_t i = 0; i < got; i++) vec_push(&bytes, chunk[i]);
    int error = ferror(file) ? (errno ? errno : EIO) : 0;
    memory_settle(file);
    fclose(file);
    vec_push(&bytes, 0);
    *size = bytes.count - 1;
    if (error) {
        vec_free(&bytes);
        errno = error;
    }
    return bytes.at;
}
