#include "support/diag.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/excerpt.h"
#include "support/name_map.h"
#include "support/vector.h"

struct Diag {
    Diagnostics *owner;
    DiagId id;
    Span at;
    size_t order;
    const char *message;
    Vec(DiagNote) notes;
    Vec(const char *) hints;
};

struct Diagnostics {
    Arena *arena;
    SourceMap *sources;
    Vec(Diag *) all;
    NameMap placed; /* those with a place: by the id, and both ends */
    Vec(Diag *) dropped;
    size_t errors;
};

static const struct {
    const char *name;
    Severity severity;
} rows[] = {
#define DIAG(id, severity, about) {#id, severity},
#include "support/diag.def"
#undef DIAG
};

const char *diag_id_name(DiagId id)
{
    static _Thread_local char name[64];
    size_t i = 0;
    for (; rows[id].name[i] && i + 1 < sizeof name; i++) name[i] = rows[id].name[i] == '_' ? '-' : rows[id].name[i];
    name[i] = 0;
    return name;
}

Diagnostics *diagnostics_new(Arena *arena, SourceMap *sources)
{
    Diagnostics *diagnostics = ARENA_NEW(arena, Diagnostics);
    diagnostics->arena = arena;
    diagnostics->sources = sources;
    return diagnostics;
}

static void free_all(Diag **at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        vec_free(&at[i]->notes);
        vec_free(&at[i]->hints);
    }
}

void diagnostics_clear(Diagnostics *diagnostics)
{
    free_all(diagnostics->all.at, diagnostics->all.count);
    free_all(diagnostics->dropped.at, diagnostics->dropped.count);
    diagnostics->all.count = diagnostics->dropped.count = diagnostics->errors = 0;
    diagnostics->placed = (NameMap){0};
}

void diagnostics_free(Diagnostics *diagnostics)
{
    if (!diagnostics) return;
    diagnostics_clear(diagnostics);
    vec_free(&diagnostics->all);
    vec_free(&diagnostics->dropped);
}

static const char *format_message(Diagnostics *to, const char *format, va_list args)
{
    Text text = {0}, shown = {0};
    text_format_list(&text, format, args);
    text_shown(&shown, text_get(&text), text.count);
    const char *message = arena_text(to->arena, text_get(&shown), shown.count);
    text_free(&text);
    text_free(&shown);
    return message;
}

static NameKey key_of(const Diag *diag)
{
    return (NameKey){.name = rows[diag->id].name, .kind = diag->at.start, .part = diag->at.end};
}

/* One mistake in one place is told once; without a place, once in the same words. */
static bool is_repeated(const Diagnostics *in, const Diag *diag)
{
    if (diag->at.end) return name_map_get(&in->placed, key_of(diag)) != NAME_MAP_NONE;
    for (size_t i = 0; i < in->all.count; i++) {
        const Diag *other = in->all.at[i];
        if (other->id == diag->id && !other->at.end && !strcmp(other->message, diag->message)) return true;
    }
    return false;
}

Diag *diag_new(Diagnostics *to, DiagId id, Span at, const char *format, ...)
{
    Diag *diag = ARENA_NEW(to->arena, Diag);
    va_list args;
    va_start(args, format);
    *diag = (Diag){.owner = to, .id = id, .at = at, .order = to->all.count};
    diag->message = format_message(to, format, args);
    va_end(args);
    if (is_repeated(to, diag)) {
        vec_push(&to->dropped, diag);
        return diag;
    }
    if (at.end) name_map_put(to->arena, &to->placed, key_of(diag), to->all.count);
    vec_push(&to->all, diag);
    if (rows[id].severity == SEVERITY_ERROR) to->errors++;
    return diag;
}

Diag *diag_unshown(Diagnostics *to)
{
    Diag *diag = ARENA_NEW(to->arena, Diag);
    *diag = (Diag){.owner = to};
    vec_push(&to->dropped, diag);
    return diag;
}

void diag_note(Diag *diag, Span at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vec_push(&diag->notes, (DiagNote){at, format_message(diag->owner, format, args)});
    va_end(args);
}

void diag_hint(Diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vec_push(&diag->hints, format_message(diag->owner, format, args));
    va_end(args);
}

size_t diagnostics_errors(const Diagnostics *diagnostics)
{
    return diagnostics->errors;
}

size_t diagnostics_count(const Diagnostics *diagnostics)
{
    return diagnostics->all.count;
}

static int by_place(const void *a, const void *b)
{
    const Diag *x = *(Diag *const *)a, *y = *(Diag *const *)b;
    if (x->at.start != y->at.start) return x->at.start < y->at.start ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void print_at(const SourceMap *sources, Span at, const char *label, const char *message, Text *to)
{
    Place place;
    if (!source_place(sources, at.end ? at.start : 0, &place)) {
        text_format(to, "%s: %s\n", label, message);
        return;
    }
    text_format(to, "%s:%d:%d: %s: %s\n", place.source->name, place.line, place.column, label, message);
    excerpt_print(&place, at, to);
}

static void sort(Diagnostics *diagnostics)
{
    if (diagnostics->all.count) qsort(diagnostics->all.at, diagnostics->all.count, sizeof(Diag *), by_place);
}

void diagnostics_visit(Diagnostics *diagnostics, void (*visit)(void *data, const DiagView *view), void *data)
{
    sort(diagnostics);
    for (size_t i = 0; i < diagnostics->all.count; i++) {
        const Diag *diag = diagnostics->all.at[i];
        DiagView view = {.id = diag->id,
                         .severity = rows[diag->id].severity,
                         .at = diag->at,
                         .message = diag->message,
                         .notes = diag->notes.at,
                         .hints = diag->hints.at,
                         .n_notes = diag->notes.count,
                         .n_hints = diag->hints.count};
        visit(data, &view);
    }
}

void diagnostics_print(Diagnostics *diagnostics, Text *to)
{
    sort(diagnostics);
    for (size_t i = 0; i < diagnostics->all.count; i++) {
        const Diag *diag = diagnostics->all.at[i];
        char label[96];
        snprintf(label, sizeof label, "%s[%s]", rows[diag->id].severity == SEVERITY_ERROR ? "error" : "warning",
                 diag_id_name(diag->id));
        print_at(diagnostics->sources, diag->at, label, diag->message, to);
        for (size_t n = 0; n < diag->notes.count; n++)
            print_at(diagnostics->sources, diag->notes.at[n].at, "note", diag->notes.at[n].message, to);
        for (size_t n = 0; n < diag->hints.count; n++) text_format(to, "hint: %s\n", diag->hints.at[n]);
    }
}

enum { EDIT = 2, OTHER_CASE = 1 }; /* costs: another letter, the same one as a capital */

/* The distance where it is below `limit`, else some number that is not. Takes from *steps what it costs. */
static size_t edit_distance(const char *a, const char *b, size_t limit, size_t *steps)
{
    enum { LONGEST = 64 };
    size_t n = strlen(a), m = strlen(b), row[LONGEST + 1];
    if (n > LONGEST || m > LONGEST || (n > m ? n - m : m - n) * EDIT >= limit) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++) row[j] = j * EDIT;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0], least = i * EDIT;
        row[0] = i * EDIT;
        for (size_t j = 1; j <= m; j++) {
            bool letter = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t best = diagonal + (a[i - 1] == b[j - 1] ? 0 : letter ? OTHER_CASE : EDIT);
            if (row[j] + EDIT < best) best = row[j] + EDIT;
            if (row[j - 1] + EDIT < best) best = row[j - 1] + EDIT;
            diagonal = row[j];
            row[j] = best;
            if (best < least) least = best;
        }
        *steps -= *steps < m ? *steps : m;
        if (least >= limit) return SIZE_MAX;
    }
    return row[m];
}

const char *nearest_spelling(const char *name, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t length = strlen(name), steps = 1 << 21;
    size_t distance = (length / 3 + 1) * EDIT + 1;
    if (distance > length * EDIT) distance = length * EDIT;
    for (size_t i = 0; i < count && steps; i++) {
        size_t d = edit_distance(name, candidates[i], distance, &steps);
        steps -= steps > 0;
        if (d >= distance) continue;
        distance = d;
        best = candidates[i];
    }
    return best;
}
