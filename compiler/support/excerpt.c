#include "support/excerpt.h"

#include <stdbool.h>

static bool is_tail(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static int code_points(const char *from, const char *to)
{
    int count = 0;
    for (; from < to; from++) count += !is_tail(*from);
    return count;
}

enum { LONGEST_TAIL = 3 }; /* bytes behind the first of a code point: of what is not UTF-8 no more are taken together */

static const char *before(const char *at, const char *begin, int count)
{
    while (count-- > 0 && at > begin) {
        at--;
        for (int i = 0; i < LONGEST_TAIL && at > begin && is_tail(*at); i++) at--;
    }
    return at;
}

static const char *behind(const char *at, const char *end, int count)
{
    while (count-- > 0 && at < end) {
        at++;
        for (int i = 0; i < LONGEST_TAIL && at < end && is_tail(*at); i++) at++;
    }
    return at;
}

/* The part of a line that is shown. */
typedef struct {
    const char *begin, *end;
    bool cut_before, cut_behind;
} Window;

static Window window_of(const Place *place, const char *caret)
{
    const char *begin = place->line_text, *end = begin + place->line_size;
    Window window = {begin, end, false, false};
    if (behind(begin, end, EXCERPT_WIDTH) == end) return window;
    window.begin = before(caret, begin, EXCERPT_WIDTH / 2);
    window.end = behind(window.begin, end, EXCERPT_WIDTH);
    if (window.end == end) window.begin = before(end, begin, EXCERPT_WIDTH);
    window.cut_before = window.begin > begin;
    window.cut_behind = window.end < end;
    return window;
}

void excerpt_print(const Place *place, Span at, Text *to)
{
    const char *caret = place->source->text + (at.start - place->source->start);
    const char *last = at.end > at.start ? caret + (at.end - at.start) : caret;
    Window window = window_of(place, caret);
    int width = 1;
    for (int n = place->line; n >= 10; n /= 10) width++;
    text_format(to, "  %d | %s%.*s%s\n  ", place->line, window.cut_before ? "…" : "", (int)(window.end - window.begin),
                window.begin, window.cut_behind ? "…" : "");
    text_spaces(to, width);
    text_format(to, " | %s", window.cut_before ? " " : "");
    for (const char *p = window.begin; p < caret && p < window.end; p++)
        if (!is_tail(*p)) text_put(to, *p == '\t' ? "\t" : " ", 1);
    int carets = code_points(caret, last < window.end ? last : window.end);
    if (carets < 1) carets = 1; /* the line's end, or bytes that are not UTF-8 */
    while (carets-- > 0) text_put(to, "^", 1);
    text_put(to, "\n", 1);
}
