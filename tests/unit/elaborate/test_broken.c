/* A text without mistakes in which one place is broken: if that is a mistake of reading, nothing else is called one. */
#include <ctype.h>
#include <glob.h>

#include "support.h"

TestSuite(broken, .timeout = 120);

static const Context *library(void)
{
    static Context *context;
    if (context) return context;
    context = context_new();
    items_prelude(context);
    return context;
}

typedef struct {
    bool reading, others;
} Found;

static void sort_out(void *data, const DiagView *view)
{
    Found *found = data;
    if (view->severity != SEVERITY_ERROR) return;
    bool either =
        view->id == DIAG_missing_type || view->id == DIAG_unnamed_output; /* the parser or the check says it */
    found->reading |= view->id <= DIAG_import_cycle;
    found->others |= view->id > DIAG_import_cycle && !either;
}

/* Returns whether there was a mistake of reading. */
static bool check_text(const char *name, const Text *text)
{
    Context *context = context_new_on(library());
    const Source *source = source_add(context->sources, name, text_get(text), text->count);
    Found found = {0};
    items_load(context, name, source);
    diagnostics_visit(context->diagnostics, sort_out, &found);
    if (found.reading && found.others) {
        Text shown = {0};
        diagnostics_print(context->diagnostics, &shown);
        cr_expect(false, "%s", text_get(&shown));
        text_free(&shown);
    }
    context_free(context);
    return found.reading;
}

static uint64_t random_state = 20240607;

static size_t random_below(size_t bound)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (size_t)((random_state >> 33) % bound);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Between two words or signs something is put in, or the one that follows is taken out. */
static Text broken_at(const char *text, size_t size, size_t at)
{
    static const char *const wedges[] = {"(",  ")",   "[",  "]",    "{",   "}", ",", "=",
                                         "\"", " 2 ", "\n", " fn ", " = ", "#", "|>"};
    enum { WEDGES = sizeof wedges / sizeof *wedges };
    Text broken = {0};
    size_t how = random_below(WEDGES + 6), gone = how >= WEDGES;
    while (at && is_word(text[at - 1]) && is_word(text[at])) at--;
    while (gone && is_word(text[at]) && is_word(text[at + gone])) gone++;
    text_put(&broken, text, at);
    if (how < WEDGES) text_string(&broken, wedges[how]);
    if (gone) text_string(&broken, " ");
    text_put(&broken, text + at + gone, size - at - gone);
    return broken;
}

static size_t check_file(const char *path)
{
    enum { MUTANTS = 200 };
    size_t size, reading = 0;
    char *text = read_file(path, &size);
    cr_assert_not_null(text);
    for (int i = 0; i < MUTANTS; i++) {
        Text broken = broken_at(text, size, random_below(size));
        reading += check_text(strrchr(path, '/') + 1, &broken);
        text_free(&broken);
    }
    free(text);
    return reading;
}

Test(broken, one_mistake_is_one)
{
    static const char *const folders[] = {"/../compiler/prelude/*.nn", "/../examples/*.nn", "/golden/models/*.nn"};
    size_t reading = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        glob_t files;
        char pattern[512];
        snprintf(pattern, sizeof pattern, "%s%s", TESTS_FOLDER, folders[i]);
        cr_assert_eq(glob(pattern, 0, NULL, &files), 0);
        for (size_t k = 0; k < files.gl_pathc; k++) reading += check_file(files.gl_pathv[k]);
        globfree(&files);
    }
    cr_expect_gt(reading, (size_t)500);
}
