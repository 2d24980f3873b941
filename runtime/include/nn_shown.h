/* How text of unknown origin is shown to a person: what would move the cursor, colour the screen or reorder the line is
 * written as an escape. Shared by the compiler's diagnostics, the generated header and the run time's messages.
 *
 *     control characters (C0, DEL, C1)          \x1b
 *     marks that change the direction of text   \u202e
 *     bytes that are not UTF-8                  \xff */
#ifndef NN_SHOWN_H
#define NN_SHOWN_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the code point at `text`, UTF-8 as Unicode 15, table 3-7, has it; its length in bytes, or 0 if it is none. */
static inline int nn_utf8_decode(const char *text, size_t size, uint32_t *code_point)
{
    const unsigned char *s = (const unsigned char *)text;
    if (!size) return 0;
    int length = s[0] < 0x80                   ? 1
                 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
                 : (s[0] & 0xF0) == 0xE0       ? 3
                 : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                               : 0;
    if (!length || (size_t)length > size) return 0;
    uint32_t value = length == 1 ? s[0] : s[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (s[i] & 0x3Fu);
    }
    /* overlong forms, surrogates, and what is above the last code point */
    if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000)) return 0;
    if ((value >= 0xD800 && value < 0xE000) || value > 0x10FFFF) return 0;
    *code_point = value;
    return length;
}

/* True if the code point changes the direction of the text around it (Unicode's Bidi_Control), so that a line reads
 * otherwise than it is (N. Boucher, R. Anderson: Trojan Source, 2021). */
static inline int nn_is_direction_mark(uint32_t c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

enum { NN_SHOWN_MOST = 8 }; /* bytes of the longest escape, with its end */

/* What stands at `text`, of which `size` > 0 bytes are left: returns how many bytes it is. `escape` becomes how they
 * are shown, or empty where they are shown as they are. */
static inline int nn_shown(const char *text, size_t size, char escape[NN_SHOWN_MOST])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t c = (unsigned char)*text;
    int length = nn_utf8_decode(text, size, &c);
    escape[0] = 0;
    if (length > 1 && c >= 0xA0 && !nn_is_direction_mark(c)) return length;
    if (length == 1 && c >= 0x20 && c != 0x7F) return length;
    int wide = c > 0xFF, at = 0;
    escape[at++] = '\\';
    escape[at++] = wide ? 'u' : 'x';
    for (int shift = wide ? 12 : 4; shift >= 0; shift -= 4) escape[at++] = digits[c >> shift & 15];
    escape[at] = 0;
    return length ? length : 1;
}

/* A number as it is printed: the sign of a NaN, which processors choose, says nothing. */
static inline double nn_shown_number(double number)
{
    return isnan(number) ? (double)NAN : number;
}

#endif
