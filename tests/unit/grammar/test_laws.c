/* What holds for every source: printing keeps the tree, the comments, and its own text; no text makes the parser fail
 * without a diagnostic that has a place. */
#include "support.h"

TestSuite(laws, .timeout = 120);

/* A comment's text may move, but none may be lost: counted by their `#`, which the corpus has nowhere else. */
static size_t count_of(const char *text, char c)
{
    size_t count = 0;
    for (; *text; text++) count += *text == c;
    return count;
}

static void expect_laws(const char *name, const char *text, size_t size)
{
    Parsed first = parse_bytes(name, text, size, false);
    cr_expect_str_eq(text_get(&first.diagnostics), "", "%s", text_get(&first.diagnostics));
    Text once = {0}, twice = {0};
    syntax_print(first.file, &once);
    Parsed second = parse_bytes(name, text_get(&once), once.count, false);
    syntax_print(second.file, &twice);
    cr_expect_str_eq(text_get(&second.diagnostics), "", "%s does not print to a valid text:\n%s", name,
                     text_get(&once));
    cr_expect(syntax_equal(first.file, second.file), "%s: printing changes the tree", name);
    cr_expect_str_eq(text_get(&once), text_get(&twice), "%s: printing again changes the text", name);
    cr_expect_eq(count_of(text, '#'), count_of(text_get(&once), '#'), "%s: a comment is lost", name);
    text_free(&once);
    text_free(&twice);
    parsed_free(&first);
    parsed_free(&second);
}

static void for_corpus(const char *pattern, void (*visit)(const char *name, const char *text, size_t size))
{
    glob_t files = golden_files(pattern);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        size_t size;
        char *text = golden_read(files.gl_pathv[i], &size);
        visit(file_name(files.gl_pathv[i]), text, size);
        free(text);
    }
    globfree(&files);
}

Test(laws, printing_keeps_the_tree)
{
    for_corpus("golden/parse/*.nn", expect_laws);
    for_corpus("golden/format/*.nn", expect_laws);
}

Test(laws, the_whole_prelude_obeys)
{
    char path[512];
    snprintf(path, sizeof path, "%s/../compiler/prelude/*.nn", TESTS_FOLDER);
    glob_t files;
    if (glob(path, 0, NULL, &files)) cr_skip_test("there is no prelude yet");
    for_corpus("../compiler/prelude/*.nn", expect_laws);
    globfree(&files);
}

static uint64_t random_state;

static size_t random_below(size_t bound)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (size_t)((random_state >> 33) % bound);
}

static void expect_places(const char *text, size_t size)
{
    Parsed parsed = parse_bytes("mutant.nn", text, size, false);
    const char *shown = text_get(&parsed.diagnostics);
    for (const char *at = strstr(shown, "error["); at; at = strstr(at + 1, "error["))
        cr_expect(at - shown > 9 && !strncmp(at - 2, ": ", 2), "a diagnostic without a place:\n%s", shown);
    if (!diagnostics_errors(parsed.context->diagnostics)) { /* it may still be valid; then the laws hold */
        Text once = {0};
        syntax_print(parsed.file, &once);
        Parsed again = parse_bytes("mutant.nn", text_get(&once), once.count, false);
        cr_expect(syntax_equal(parsed.file, again.file), "printing changes the tree of:\n%.*s", (int)size, text);
        parsed_free(&again);
        text_free(&once);
    }
    parsed_free(&parsed);
}

typedef struct {
    size_t start, size;
} Piece;

static size_t split_pieces(const char *text, size_t size, Piece *pieces, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < size && count < most;) {
        size_t start = i++;
        if (memchr("_abcdefghijklmnopqrstuvwxyz0123456789", text[start], 37))
            while (i < size && memchr("_abcdefghijklmnopqrstuvwxyz0123456789", text[i], 37)) i++;
        pieces[count++] = (Piece){start, i - start};
    }
    return count;
}

static void mutate(const char *name, const char *text, size_t size)
{
    enum { MOST = 20000, MUTANTS = 400 };
    (void)name;
    Piece *pieces = calloc(MOST, sizeof *pieces);
    size_t count = split_pieces(text, size, pieces, MOST);
    for (int i = 0; i < MUTANTS; i++) {
        Text mutant = {0};
        size_t at = random_below(count), other = random_below(count), how = random_below(4);
        for (size_t p = 0; p < count; p++) {
            size_t from = p == at && how == 1 ? other : p == other && how == 1 ? at : p;
            if (p == at && how == 0) continue;
            text_put(&mutant, text + pieces[from].start, pieces[from].size);
            if (p == at && how == 2) text_put(&mutant, text + pieces[other].start, pieces[other].size);
            if (p == at && how == 3) text_put(&mutant, (char[]){(char)random_below(256)}, 1);
        }
        expect_places(text_get(&mutant), mutant.count);
        text_free(&mutant);
    }
    free(pieces);
}

Test(laws, mutants_never_crash)
{
    random_state = 20240607;
    for_corpus("golden/parse/*.nn", mutate);
    for_corpus("golden/format/*.nn", mutate);
}

Test(laws, deep_nesting_is_refused)
{
    static const char *const parts[] = {
        "(", "[", "-", "not ", "2^", "f(", "{ ", "if a then b else ", "x[", "if a { } else "};
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        Text text = {0};
        text_string(&text, "model m {\n    y = ");
        for (int i = 0; i < 20000; i++) text_string(&text, parts[p]);
        text_string(&text, "1\n}\n");
        Parsed parsed = parse_bytes("deep.nn", text_get(&text), text.count, false);
        cr_expect(diagnostics_errors(parsed.context->diagnostics) > 0, "20000 times `%s` is accepted", parts[p]);
        parsed_free(&parsed);
        text_free(&text);
    }
}

/* A chain of operators is as long as one likes: it is no nesting. Rules, which are small, refuse it. */
Test(laws, long_chains_are_fine)
{
    enum { TERMS = 100000 };
    static const char *const operators[] = {" + ", " - ", " * ", " @ ", " or ", " + c * d - "};
    for (size_t p = 0; p < sizeof operators / sizeof operators[0]; p++) {
        Text text = {0}, rule = {0};
        text_string(&text, "model m {\n    y = a");
        for (int i = 0; i < TERMS; i++) text_format(&text, "%sb", operators[p]);
        text_string(&text, "\n}\n");
        expect_laws("chain.nn", text_get(&text), text.count);
        text_format(&rule, "numeric a%s => a\n", text_get(&text) + strlen("model m {\n    y = a"));
        Parsed refused = parse_bytes("chain.nn", text_get(&rule), rule.count, true);
        cr_expect(diagnostics_errors(refused.context->diagnostics) > 0);
        parsed_free(&refused);
        text_free(&rule);
        text_free(&text);
    }
}

Test(laws, long_lines_and_many_statements_are_fine)
{
    Text text = {0};
    text_string(&text, "const a = [0");
    for (int i = 0; i < 50000; i++) text_format(&text, ", %d", i);
    text_string(&text, "]\nmodel m {\n");
    for (int i = 0; i < 5000; i++) text_format(&text, "    x%d = %d\n", i, i);
    text_string(&text, "}\n");
    Parsed parsed = parse_bytes("long.nn", text_get(&text), text.count, false);
    cr_expect_str_eq(text_get(&parsed.diagnostics), "");
    cr_assert_eq(parsed.file->n_kids, 2);
    cr_expect_eq(parsed.file->kids[0]->kids[0]->n_kids, 50001);
    cr_expect_eq(parsed.file->kids[1]->kids[0]->n_kids, 5000);
    parsed_free(&parsed);
    text_free(&text);
}
