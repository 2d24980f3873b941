/* Diagnostics: what a user did wrong, where, why, and what would help. Built (new, note, hint), collected, sorted by
 * place when taken. Every kind has a row in diag.def and a golden test. Libraries never print: they collect here. */
#ifndef NNC_SUPPORT_DIAG_H
#define NNC_SUPPORT_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "support/source.h"
#include "support/text.h"

typedef enum { SEVERITY_ERROR, SEVERITY_WARNING } Severity;

typedef enum {
#define DIAG(id, severity, about) DIAG_##id,
#include "support/diag.def"
#undef DIAG
    DIAG_COUNT
} DiagId;

typedef struct Diag Diag;
typedef struct Diagnostics Diagnostics;

Diagnostics *diagnostics_new(Arena *arena, SourceMap *sources);
void diagnostics_free(Diagnostics *diagnostics);

/* Adds a diagnostic; the message is one sentence without a final period. A second one of the same id at the same
 * place is dropped: the returned Diag takes notes but is never shown. */
Diag *diag_new(Diagnostics *to, DiagId id, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* One that takes notes and hints and is never shown, for when enough was said. */
Diag *diag_unshown(Diagnostics *to);
/* Points at another place that explains the first. */
void diag_note(Diag *diag, Span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What the user could do. */
void diag_hint(Diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

size_t diagnostics_errors(const Diagnostics *diagnostics);
size_t diagnostics_count(const Diagnostics *diagnostics);
/* All of them sorted by place, as text with the source lines and underlines. */
void diagnostics_print(Diagnostics *diagnostics, Text *to);

/* A diagnostic as data; all of it belongs to the Diagnostics. */
typedef struct {
    Span at;
    const char *message;
} DiagNote;

typedef struct {
    DiagId id;
    Severity severity;
    Span at;
    const char *message;
    const DiagNote *notes;
    const char *const *hints;
    size_t n_notes, n_hints;
} DiagView;

/* Calls visit for all of them, sorted by place. */
void diagnostics_visit(Diagnostics *diagnostics, void (*visit)(void *data, const DiagView *view), void *data);

/* Forgets all (the REPL does after each statement). */
void diagnostics_clear(Diagnostics *diagnostics);
/* The id as written in text: `unknown-name`. */
const char *diag_id_name(DiagId id);

/* Of `count` candidates the one nearest in spelling to `name` (edit distance at most a third of its length), or NULL.
 * Of very many, only the first ones are looked at, for a few milliseconds. */
const char *nearest_spelling(const char *name, const char *const *candidates, size_t count);

#endif
