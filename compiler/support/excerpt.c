#include "support/excerpt.h"

#include <stdbool.h>
#include <string.h>

static bool is_tail(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
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
    if (end > begin && end[-1] == '\r') end--; /* a line of CR LF */
    Window window = {begin, end, false, false};
    if (behind(begin, end, EXCERPT_WIDTH) == end) return window;
    window.begin = before(caret, begin, EXCERPT_WIDTH / 2);
    window.end = behind(window.begin, end, EXCERPT_WIDTH);
    if (window.end == end) window.begin = before(end, begin, EXCERPT_WIDTH);
    window.cut_before = window.begin > begin;
    window.cut_behind = window.end < end;
    return window;
}

/* The text as it is shown, but for tabs, which stay. */
static void put_shown(Text *to, const char *from, const char *end)
{
    for (const char *tab; from < end; from = tab + 1) {
        tab = memchr(from, '\t', (size_t)(end - from));
        if (!tab) tab = end;
        text_shown(to, from, (size_t)(tab - from));
        if (tab < end) text_string(to, "\t");
    }
}

/* One `mark` for each column that the text takes when it is shown; tabs stay where `tabs` is. */
static void put_marks(Text *to, const char *from, const char *end, const char *mark, bool tabs)
{
    Text shown = {0};
    put_shown(&shown, from, end);
    const char *text = text_get(&shown);
    for (size_t i = 0; i < shown.count; i++)
        if (!is_tail(text[i])) text_string(to, tabs && text[i] == '\t' ? "\t" : mark);
    text_free(&shown);
}

void excerpt_print(const Place *place, Span at, Text *to)
{
    const char *caret = place->source->text + (at.start - place->source->start);
    const char *last = at.end > at.start ? caret + (at.end - at.start) : caret;
    Window window = window_of(place, caret);
    int width = 1;
    for (int n = place->line; n >= 10; n /= 10) width++;
    text_format(to, "  %d | %s", place->line, window.cut_before ? "…" : "");
    put_shown(to, window.begin, window.end);
    text_format(to, "%s\n  ", window.cut_behind ? "…" : "");
    text_spaces(to, width);
    text_format(to, " | %s", window.cut_before ? " " : "");
    put_marks(to, window.begin, caret < window.end ? caret : window.end, " ", true);
    size_t before_carets = to->count;
    put_marks(to, caret, last < window.end ? last : window.end, "^", false);
    if (to->count == before_carets) text_string(to, "^"); /* the line's end */
    text_string(to, "\n");
}
