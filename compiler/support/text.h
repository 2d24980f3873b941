/* Text: a string that grows while it is written. */
#ifndef NNC_SUPPORT_TEXT_H
#define NNC_SUPPORT_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *at; /* NUL-terminated once anything was written; NULL before */
    size_t count, capacity;
} Text;

void text_put(Text *text, const char *bytes, size_t count);
void text_string(Text *text, const char *string);
void text_format(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_format_list(Text *text, const char *format, va_list args);
/* What a stranger wrote, as it may be shown: see nn_shown.h. Newlines are escaped too. */
void text_shown(Text *text, const char *bytes, size_t count);
/* `count` spaces. */
void text_spaces(Text *text, int count);
/* The shortest decimal that reads back to the same double (`0.5`, `1e-3`, `3`, `inf`, `nan`). */
void text_number(Text *text, double value);
/* The written string, never NULL. */
const char *text_get(const Text *text);
void text_free(Text *text);

#endif
