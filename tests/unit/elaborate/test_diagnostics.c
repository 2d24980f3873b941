/* ID-something.nn of golden/diagnostics holds mistakes of which the check or the elaborator says ID. A first line
 * `# --set lr=1 --bind n=2` gives options. */
#include <glob.h>

#include "support.h"

TestSuite(diagnostics, .timeout = 60);

static const char *const ids[] = {
    "unknown-name",    "duplicate-name",    "reserved-name",  "wrong-arguments",    "recursion",        "import-cycle",
    "bare-expression", "bad-left-side",     "missing-return", "unsupported",        "unused-input",     "type-mismatch",
    "shape-mismatch",  "two-sided-stretch", "not-scalar",     "not-constant",       "not-whole",        "bad-axis",
    "bad-subscript",   "bad-index",         "bad-range",      "bad-stage",          "failed-assertion", "no-model",
    "unknown-key",     "bad-setting",       "unknown-option", "input-without-data", "data-source",      "data-shape"};

enum { OPTIONS = 4 };

typedef struct {
    char names[2 * OPTIONS][32];
    SetOption sets[OPTIONS];
    BindOption binds[OPTIONS];
    ProgramOptions options;
} Given;

static void read_options(const char *text, Given *given)
{
    double number;
    char kind[8], name[32];
    int used = 0;
    if (*text++ != '#') return;
    while (sscanf(text, " --%7s %31[^=]=%lf%n", kind, name, &number, &used) == 3) {
        size_t n = given->options.n_sets + given->options.n_binds;
        cr_assert_lt(n, OPTIONS);
        strcpy(given->names[n], name);
        if (!strcmp(kind, "set"))
            given->sets[given->options.n_sets++] = (SetOption){given->names[n], number};
        else
            given->binds[given->options.n_binds++] = (BindOption){given->names[n], (int64_t)number};
        text += used;
    }
    given->options.sets = given->sets;
    given->options.binds = given->binds;
}

static void expect_golden(const char *path, const char *text)
{
    char golden[512];
    snprintf(golden, sizeof golden, "%.*s.expected", (int)(strrchr(path, '.') - path), path);
    if (getenv("NNC_UPDATE_GOLDEN")) {
        FILE *file = fopen(golden, "w");
        cr_assert_not_null(file);
        fputs(text, file);
        fclose(file);
        return;
    }
    size_t size;
    char *expected = read_file(golden, &size);
    cr_assert_not_null(expected, "there is no %s", golden);
    cr_expect_str_eq(text, expected, "%s differs:\n%s", golden, text);
    free(expected);
}

static void check_file(const char *path, const char *id)
{
    size_t size;
    char shown[64];
    char *text = read_file(path, &size);
    Given given = {0};
    read_options(text, &given);
    Compiled compiled = compile_with(strrchr(path, '/') + 1, path, text, given.options);
    const char *found = text_get(&compiled.diagnostics);
    snprintf(shown, sizeof shown, "[%s]", id);
    cr_expect(strstr(found, shown), "%s shows no %s", path, shown);
    cr_expect(!compiled.program == (strstr(found, "error[") != NULL), "%s", path);
    expect_golden(path, found);
    compiled_free(&compiled);
    free(text);
}

Test(diagnostics, golden)
{
    for (size_t id = 0; id < sizeof ids / sizeof *ids; id++) {
        char pattern[512];
        glob_t files;
        snprintf(pattern, sizeof pattern, "%s/golden/diagnostics/%s-*.nn", TESTS_FOLDER, ids[id]);
        cr_assert_eq(glob(pattern, 0, NULL, &files), 0, "no file matches %s", pattern);
        for (size_t i = 0; i < files.gl_pathc; i++) check_file(files.gl_pathv[i], ids[id]);
        globfree(&files);
    }
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)); text += strlen(what)) count++;
    return count;
}

/* The check ends after a hundred mistakes and says so once, whether they stand in one statement, in many, or in many
 * items; a mistake less and it sees the end. */
static void check_limit(const char *head, const char *each, const char *tail, size_t count, size_t shown)
{
    Text text = {0};
    text_string(&text, head);
    for (size_t i = 0; i < count; i++) text_format(&text, each, i);
    text_string(&text, tail);
    Compiled compiled = compile_with("many.nn", NULL, text_get(&text), (ProgramOptions){0});
    const char *found = text_get(&compiled.diagnostics);
    cr_expect_null(compiled.program);
    cr_expect_eq(count_of(found, "error["), shown, "%zu of %zu mistakes like %s", count_of(found, "error["), count,
                 each);
    cr_expect_eq(count_of(found, "hint: the check ends here, after 100 mistakes: there may be more\n"), shown == 100);
    compiled_free(&compiled);
    text_free(&text);
}

Test(diagnostics, hundred)
{
    static const struct {
        const char *head, *each, *tail;
    } forms[] = {
        {"model m {\n    input x: f32[batch]\n    y = [", "n%zu, ", "x]\n    output y\n}\n"},
        {"model m {\n    input x: f32[batch]\n", "    y%zu = zz + x\n", "    output x\n}\n"},
        {"", "fn f%zu(x) = x + zz\n", "model m {\n    input x: f32[batch]\n    output x\n}\n"},
        {"", "fn f%1$zu(x) = f%1$zu(x)\n", "model m {\n    input x: f32[batch]\n    output x\n}\n"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        check_limit(forms[i].head, forms[i].each, forms[i].tail, 99, 99);
        check_limit(forms[i].head, forms[i].each, forms[i].tail, 100, 100);
        check_limit(forms[i].head, forms[i].each, forms[i].tail, 5000, 100);
    }
}
