/* A cursor over the lines of a .nng text: words, numbers, strings; the first mistake is reported and ends the reading.
 */
#ifndef NNC_IR_READ_CURSOR_H
#define NNC_IR_READ_CURSOR_H

#include "ir/graph.h"
#include "support/vector.h"

typedef struct {
    Context *context;
    const Source *source;
    const char *at;
    bool failed;
} Cursor;

/* Reports what was expected at the cursor; always false. */
bool cursor_fail(Cursor *cursor, const char *start, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Moves past blanks within the line. */
void cursor_blanks(Cursor *cursor);
/* Moves past blanks, comments and ends of lines; false at the end of the text. */
bool cursor_next_line(Cursor *cursor);
/* Moves past the literal text if it is next (after blanks). */
bool cursor_take(Cursor *cursor, const char *literal);
/* The same, or reports. */
bool cursor_expect(Cursor *cursor, const char *literal);
/* A word of lower-case letters, digits and underscores; its length, 0 when there is none. */
size_t cursor_word(Cursor *cursor, const char **word);
bool cursor_number(Cursor *cursor, double *number);
bool cursor_integer(Cursor *cursor, int64_t least, int64_t most, int64_t *integer);
/* A string in quotes; in the arena. */
bool cursor_string(Cursor *cursor, const char **string);
bool cursor_name(Cursor *cursor, Name *name);
bool cursor_size(Cursor *cursor, DimTable *dims, Dim *dim);
/* Hexadecimal bytes; in the arena. */
bool cursor_bytes(Cursor *cursor, const void **bytes, size_t *size);
Span cursor_span(const Cursor *cursor, const char *start);

#endif
