#include "ir/read_cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ir/module_text.h"

Span cursor_span(const Cursor *cursor, const char *start)
{
    uint32_t first = cursor->source->start + (uint32_t)(start - cursor->source->text);
    uint32_t last = cursor->source->start + (uint32_t)(cursor->at - cursor->source->text);
    return (Span){first, last > first ? last : first + 1};
}

bool cursor_fail(Cursor *cursor, const char *start, const char *format, ...)
{
    if (cursor->failed) return false;
    cursor->failed = true;
    Text text = {0};
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    diag_new(cursor->context->diagnostics, DIAG_bad_graph, cursor_span(cursor, start), "%s", text_get(&text));
    text_free(&text);
    return false;
}

void cursor_blanks(Cursor *cursor)
{
    while (*cursor->at == ' ' || *cursor->at == '\t' || *cursor->at == '\r') cursor->at++;
}

bool cursor_next_line(Cursor *cursor)
{
    for (;;) {
        cursor_blanks(cursor);
        if (*cursor->at == '#') cursor->at += strcspn(cursor->at, "\n");
        if (*cursor->at != '\n') break;
        cursor->at++;
    }
    return *cursor->at || cursor->at < cursor->source->text + cursor->source->size;
}

bool cursor_take(Cursor *cursor, const char *literal)
{
    cursor_blanks(cursor);
    size_t length = strlen(literal);
    if (strncmp(cursor->at, literal, length)) return false;
    cursor->at += length;
    return true;
}

bool cursor_expect(Cursor *cursor, const char *literal)
{
    int length = (int)strcspn(literal, " ");
    return cursor_take(cursor, literal) || cursor_fail(cursor, cursor->at, "expected `%.*s`", length, literal);
}

size_t cursor_word(Cursor *cursor, const char **word)
{
    cursor_blanks(cursor);
    *word = cursor->at;
    while ((*cursor->at >= 'a' && *cursor->at <= 'z') || (*cursor->at >= '0' && *cursor->at <= '9') ||
           *cursor->at == '_')
        cursor->at++;
    return (size_t)(cursor->at - *word);
}

bool cursor_number(Cursor *cursor, double *number)
{
    cursor_blanks(cursor);
    const char *start = cursor->at;
    char *end;
    if (!strncmp(start, "nan", 3)) {
        uint64_t bits = PLAIN_NAN;
        cursor->at += 3;
        if (!strncmp(cursor->at, "(0x", 3)) {
            bits = strtoull(cursor->at + 3, &end, 16);
            cursor->at = end;
            if (!cursor_expect(cursor, ")")) return false;
        }
        memcpy(number, &bits, sizeof bits);
        return true;
    }
    *number = strtod(start, &end);
    if (end == start) return cursor_fail(cursor, start, "expected a number");
    cursor->at = end;
    return true;
}

bool cursor_integer(Cursor *cursor, int64_t least, int64_t most, int64_t *integer)
{
    cursor_blanks(cursor);
    const char *start = cursor->at;
    char *end;
    bool digits = (*start >= '0' && *start <= '9') || (*start == '-' && start[1] >= '0' && start[1] <= '9');
    if (!digits) return cursor_fail(cursor, start, "expected an integer");
    errno = 0;
    long long value = strtoll(start, &end, 10);
    cursor->at = end;
    if (errno || value < least || value > most) return cursor_fail(cursor, start, "an integer out of range");
    *integer = value;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After a backslash: a quote, a backslash, or x and two digits. -1 when it is none of them. */
static int read_escape(Cursor *cursor)
{
    char c = *cursor->at;
    if (c == '"' || c == '\\') return (unsigned char)*cursor->at++;
    if (c != 'x' || hex_digit(cursor->at[1]) < 0 || hex_digit(cursor->at[2]) < 0) return -1;
    int byte = hex_digit(cursor->at[1]) * 16 + hex_digit(cursor->at[2]);
    cursor->at += 3;
    return byte ? byte : -1;
}

bool cursor_string(Cursor *cursor, const char **string)
{
    if (!cursor_expect(cursor, "\"")) return false;
    const char *start = cursor->at;
    Text text = {0};
    while (*cursor->at != '"') {
        int byte = (unsigned char)*cursor->at;
        if (!byte || byte == '\n') {
            text_free(&text);
            return cursor_fail(cursor, start, "a string without its end");
        }
        cursor->at++;
        if (byte == '\\' && (byte = read_escape(cursor)) < 0) {
            text_free(&text);
            return cursor_fail(cursor, cursor->at - 1,
                               "an escape that is neither `\\\"`, `\\\\` nor `\\x` and two digits");
        }
        char c = (char)byte;
        text_put(&text, &c, 1);
    }
    cursor->at++;
    *string = arena_text(cursor->context->arena, text_get(&text), text.count);
    text_free(&text);
    return true;
}

bool cursor_name(Cursor *cursor, Name *name)
{
    const char *string;
    if (!cursor_string(cursor, &string)) return false;
    *name = intern(cursor->context->names, string);
    return true;
}

bool cursor_size(Cursor *cursor, DimTable *dims, Dim *dim)
{
    cursor_blanks(cursor);
    *dim = dim_parse(dims, &cursor->at);
    return dim_is_none(*dim) ? cursor_fail(cursor, cursor->at, "expected a size") : true;
}

bool cursor_bytes(Cursor *cursor, const void **bytes, size_t *size)
{
    const char *start = cursor->at;
    while (hex_digit(*cursor->at) >= 0) cursor->at++;
    size_t digits = (size_t)(cursor->at - start);
    if (digits % 2) return cursor_fail(cursor, start, "an odd number of hexadecimal digits");
    unsigned char *read = arena_alloc(cursor->context->arena, digits / 2);
    for (size_t i = 0; i < digits / 2; i++)
        read[i] = (unsigned char)(hex_digit(start[2 * i]) * 16 + hex_digit(start[2 * i + 1]));
    *bytes = read;
    *size = digits / 2;
    return true;
}
