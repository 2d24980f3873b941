/* The line that a diagnostic shows: whole when it is short, the part around the place when it is long. */
#include <criterion/criterion.h>
#include <string.h>

#include "support/diag.h"
#include "support/excerpt.h"

TestSuite(excerpt, .timeout = 10);

/* The second of three lines: `x` between `before` and `after`, each of them so often. */
typedef struct {
    const char *before, *x, *after;
    size_t n_before, n_after;
} Line;

static void repeat(Text *to, const char *what, size_t count)
{
    for (size_t i = 0; i < count; i++) text_string(to, what);
}

static void expect_shown(Line line, const char *expected)
{
    Arena *arena = arena_new();
    SourceMap *sources = source_map_new(arena, NULL);
    Text text = {0}, shown = {0};
    text_string(&text, "first\n");
    repeat(&text, line.before, line.n_before);
    uint32_t at = (uint32_t)text.count;
    text_string(&text, line.x);
    repeat(&text, line.after, line.n_after);
    text_string(&text, "\nlast\n");
    const Source *source = source_add(sources, "long.nn", text_get(&text), text.count);
    Span span = {source->start + at, source->start + at + (uint32_t)strlen(line.x)};
    Place place;
    cr_assert(source_place(sources, span.start, &place));
    cr_expect_eq(place.line, 2);
    excerpt_print(&place, span, &shown);
    cr_expect_str_eq(text_get(&shown), expected, "shows:\n%sand not\n%s", text_get(&shown), expected);
    text_free(&text);
    text_free(&shown);
    source_map_free(sources);
    arena_free(arena);
}

/* Two lines, made of parts and how often each stands there. */
typedef struct {
    const char *text;
    size_t count;
} Part;

static void expect(Line line, const Part *parts)
{
    Text expected = {0};
    for (; parts->text; parts++) repeat(&expected, parts->text, parts->count);
    expect_shown(line, text_get(&expected));
    text_free(&expected);
}

#define PARTS(...) ((const Part[]){__VA_ARGS__, {NULL, 0}})

Test(excerpt, short_lines)
{
    expect_shown((Line){"a", "xyz", "b", 2, 2}, "  2 | aaxyzbb\n    |   ^^^\n");
    expect_shown((Line){"\t", "é", "ü", 1, 1}, "  2 | \téü\n    | \t^\n");
    expect(
        (Line){"a", "x", "b", 60, EXCERPT_WIDTH - 61},
        PARTS({"  2 | ", 1}, {"a", 60}, {"x", 1}, {"b", EXCERPT_WIDTH - 61}, {"\n    | ", 1}, {" ", 60}, {"^\n", 1}));
}

Test(excerpt, long_lines)
{
    enum { HALF = EXCERPT_WIDTH / 2, MANY = 3000000 };
    expect((Line){"a", "xy", "b", 3, MANY},
           PARTS({"  2 | aaaxy", 1}, {"b", EXCERPT_WIDTH - 5}, {"…\n    |    ^^\n", 1}));
    expect((Line){"a", "xy", "b", MANY, MANY},
           PARTS({"  2 | …", 1}, {"a", HALF}, {"xy", 1}, {"b", HALF - 2}, {"…\n    |  ", 1}, {" ", HALF}, {"^^\n", 1}));
    expect((Line){"a", "xy", "b", MANY, 3}, PARTS({"  2 | …", 1}, {"a", EXCERPT_WIDTH - 5}, {"xybbb\n    |  ", 1},
                                                  {" ", EXCERPT_WIDTH - 5}, {"^^\n", 1}));
    /* Characters of two and four bytes are whole and take one column; a tab stays one. */
    expect((Line){"é", "xy", "𝛼", MANY, MANY},
           PARTS({"  2 | …", 1}, {"é", HALF}, {"xy", 1}, {"𝛼", HALF - 2}, {"…\n    |  ", 1}, {" ", HALF}, {"^^\n", 1}));
    expect((Line){"\t", "x", "b", MANY, MANY},
           PARTS({"  2 | …", 1}, {"\t", HALF}, {"x", 1}, {"b", HALF - 1}, {"…\n    |  ", 1}, {"\t", HALF}, {"^\n", 1}));
}

/* What is meant may be longer than what is shown: the carets end with it. */
Test(excerpt, long_spans)
{
    Text x = {0};
    repeat(&x, "x", 1000);
    expect((Line){"a", text_get(&x), "b", 500, 500},
           PARTS({"  2 | …", 1}, {"a", EXCERPT_WIDTH / 2}, {"x", EXCERPT_WIDTH / 2}, {"…\n    |  ", 1},
                 {" ", EXCERPT_WIDTH / 2}, {"^", EXCERPT_WIDTH / 2}, {"\n", 1}));
    text_free(&x);
}

/* Bytes that are no characters are not gathered into one without end. */
Test(excerpt, not_utf8)
{
    Arena *arena = arena_new();
    SourceMap *sources = source_map_new(arena, NULL);
    Text text = {0}, shown = {0};
    repeat(&text, "\x80", 1000000);
    const Source *source = source_add(sources, "bytes.nn", text_get(&text), text.count);
    Diagnostics *diagnostics = diagnostics_new(arena, sources);
    diag_new(diagnostics, DIAG_bad_encoding, (Span){source->start + 500000, source->start + 500001}, "no text");
    diagnostics_print(diagnostics, &shown);
    cr_expect_lt(shown.count, (size_t)4000); /* a byte is shown as four */
    diagnostics_free(diagnostics);
    text_free(&text);
    text_free(&shown);
    source_map_free(sources);
    arena_free(arena);
}

/* What would act on a terminal or reorder the line is shown as an escape, and the carets stand under it. */
Test(excerpt, hidden_characters)
{
    expect_shown((Line){"a", "\x1b[31m", "b", 1, 1}, "  2 | a\\x1b[31mb\n    |  ^^^^^^^^\n");
    expect_shown((Line){"\u202e", "x", "\x7f", 2, 1}, "  2 | \\u202e\\u202ex\\x7f\n    |             ^\n");
    expect_shown((Line){"\xc2\x9b", "\xff", "é", 1, 1}, "  2 | \\x9b\\xffé\n    |     ^^^^\n");
    expect_shown((Line){"a", "x", "\r", 1, 1}, "  2 | ax\n    |  ^\n");
}

/* Messages hold names of strangers. */
Test(excerpt, messages)
{
    Arena *arena = arena_new();
    SourceMap *sources = source_map_new(arena, NULL);
    Diagnostics *diagnostics = diagnostics_new(arena, sources);
    Text shown = {0};
    diag_hint(diag_new(diagnostics, DIAG_unreadable_file, NO_SPAN, "no `%s`", "a\nerror: \x1b[2J\u2066é"), "not %s",
              "\b");
    diagnostics_print(diagnostics, &shown);
    cr_expect_str_eq(text_get(&shown), "error[unreadable-file]: no `a\\x0aerror: \\x1b[2J\\u2066é`\nhint: not \\x08\n");
    diagnostics_free(diagnostics);
    text_free(&shown);
    source_map_free(sources);
    arena_free(arena);
}
