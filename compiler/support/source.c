#include "support/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static int code_points(const char *from, const char *to)
{
    int count = 0;
    for (; from < to; from++) count += ((unsigned char)*from & 0xC0) != 0x80;
    return count;
}

bool source_place(const SourceMap *map, uint32_t position, Place *place)
{
    for (size_t i = map->sources.count; position && i-- > 0;) {
        const Source *source = map->sources.at[i];
        if (position < source->start) continue;
        size_t offset = position - source->start;
        if (offset > source->size) offset = source->size;
        const char *at = source->text + offset, *line = source->text;
        int number = source->line;
        for (const char *p = source->text; p < at; p++)
            if (*p == '\n') {
                line = p + 1;
                number++;
            }
        *place = (Place){source, number, code_points(line, at) + 1, line, (int)strcspn(line, "\n")};
        return true;
    }
    return map->base && source_place(map->base, position, place);
}

char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    Vec(char) bytes = {0};
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        for (size_t i = 0; i < got; i++) vec_push(&bytes, chunk[i]);
    int error = ferror(file) ? (errno ? errno : EIO) : 0;
    fclose(file);
    vec_push(&bytes, 0);
    *size = bytes.count - 1;
    if (error) {
        vec_free(&bytes);
        errno = error;
    }
    return bytes.at;
}
