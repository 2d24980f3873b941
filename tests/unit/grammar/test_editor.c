/* The editors' grammar knows the lexer's words, each of them and no other. */
#include "support.h"

TestSuite(editor, .timeout = 10);

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Every word of the alternations `(word|word|…)` of the file; types are no words of the lexer. */
static size_t read_words(const char *text, char words[][16], size_t most)
{
    size_t count = 0;
    for (const char *open = strchr(text, '('); open; open = strchr(open + 1, '(')) {
        const char *end = open + 1;
        while (is_letter(*end) || *end == '|') end++;
        if (*end != ')' || end == open + 1) continue;
        for (const char *word = open + 1; word < end;) {
            size_t length = strcspn(word, "|)");
            cr_assert(length > 0 && length < 16 && count < most);
            snprintf(words[count++], 16, "%.*s", (int)length, word);
            word += length + 1;
        }
    }
    return count;
}

Test(editor, words_are_those_of_the_lexer)
{
    size_t size;
    char *text = golden_read(TESTS_FOLDER "/../grammar/nn.tmLanguage.json", &size), words[64][16];
    size_t count = read_words(text, words, 64), reserved = 0;
    for (const char *const *word = parser_words(); *word; word++, reserved++) {
        size_t found = 0;
        for (size_t i = 0; i < count; i++) found += !strcmp(words[i], *word);
        cr_expect_eq(found, 1, "the editors' grammar has `%s` %zu times", *word, found);
    }
    cr_expect_eq(count, reserved, "the editors' grammar has other words too");
    free(text);
}

/* The list for completion is the table that the lexer uses. */
Test(editor, every_word_is_a_word_of_the_lexer)
{
    for (const char *const *word = parser_words(); *word; word++) {
        char text[64];
        snprintf(text, sizeof text, "fn %s(x) = x\n", *word); /* declaring words may be names, reserved ones may not */
        Parsed as_name = parse_text(text);
        snprintf(text, sizeof text, "model m { %s x y z }\n", *word);
        Parsed at_start = parse_text(text);
        bool known = diagnostics_errors(as_name.context->diagnostics) > 0 ||
                     !strstr(text_get(&at_start.diagnostics), "unknown-word");
        cr_expect(known, "`%s` is an ordinary name", *word);
        parsed_free(&as_name);
        parsed_free(&at_start);
    }
}
