/* ID-something.nn of golden/diagnostics holds mistakes of which the parser, the check or the elaborator says ID. A
 * first line `# --set lr=1 --bind n=2` gives options. What a command line shows has a .cmd of its own:
 * run/diagnostics.sh. */
#include <glob.h>
#include <unistd.h>

#include "support.h"

TestSuite(diagnostics, .timeout = 60);

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
    char shown[80];
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

/* The longest id that the file's name begins with. */
static const char *id_of(const char *file)
{
    static char name[64];
    size_t longest = 0;
    for (int id = 0; id < DIAG_COUNT; id++) {
        size_t size = strlen(diag_id_name((DiagId)id));
        if (size <= longest || strncmp(file, diag_id_name((DiagId)id), size) != 0 || file[size] != '-') continue;
        longest = size;
    }
    cr_assert(longest, "%s begins with no id", file);
    snprintf(name, sizeof name, "%.*s", (int)longest, file);
    return name;
}

Test(diagnostics, golden)
{
    glob_t files;
    cr_assert_eq(glob(TESTS_FOLDER "/golden/diagnostics/*.nn", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *path = files.gl_pathv[i];
        char commands[512];
        snprintf(commands, sizeof commands, "%.*s.cmd", (int)(strlen(path) - strlen(".nn")), path);
        if (access(commands, F_OK) != 0) check_file(path, id_of(strrchr(path, '/') + 1));
    }
    globfree(&files);
}

/* What follows from a mistake is no mistake: each of these texts shows so many errors, and this id. */
static const struct {
    const char *id, *text;
    size_t errors;
} cascades[] = {
    {"unknown-name",
     "model m {\n    input x: f32[batch, 4]\n    a = y + y * y - y\n    b = y |> dense(3)\n    c = sum(y) + mean(y)\n"
     "    output d = y\n}\n",
     1},
    {"unknown-function",
     "model m {\n    input x: f32[batch, 4]\n    a = x |> linear(3) |> relu\n    b = x |> linear(5) |> linear(6)\n"
     "    output d = linear(x, 3)\n}\n",
     1},
    {"unknown-function", /* whose result has no shape that could be wrong */
     "model m {\n    input x: f32[batch, 4]\n    target t: i32[batch] in 3\n    h = x |> dens(8)\n    z = h |> "
     "dense(3)\n"
     "    y[n] = z[n, 7]\n    loss = cross_entropy(z @ x, t)\n}\n",
     1},
    {"product-mismatch", /* the product is used in every way afterwards */
     "model m {\n    input x: f32[batch, 4]\n    param W: [5, 3] ~ normal\n    z = x @ W\n    a, b = split(z, 2)\n"
     "    c = if z then a else b\n    param v: [3] = z\n    output y = z[0, 9, 9] |> dense(z) |> sum(axis = 7)\n"
     "    loss = z\n}\n",
     1},
    {"misplaced-statement",
     "fn scale(x) {\n    param s: f32 = 1\n    return s * x + s\n}\nmodel m {\n    input x: f32[batch, 4]\n"
     "    output y = scale(x)\n}\n",
     1},
    {"missing-operator", /* a broken function is a function all the same */
     "fn twice(x) = 2x\nmodel m {\n    input x: f32[batch, 4]\n    output y = twice(x) + twice(twice(x))\n}\n", 1},
    {"missing-operator", /* a broken statement binds its name all the same */
     "model m {\n    input x: f32[batch, 4]\n    h = 2x\n    output y = h + h\n}\n", 1},
    {"missing-operator", /* and the slips of other items are still said */
     "fn twice(x) = 2x\nmodel m {\n    input x: f32[batch, 4]\n    h = x |> dense(3\n    output y = twice(h) + h\n}\n"
     "const half = 1 2\n",
     3},
    {"empty-parameter",
     "model m {\n    input x: f32[batch, 4]\n    h = x |> dense(0) |> dense(3)\n    loss = mean(h @ h)\n}\n", 1},
    {"missing-file",
     "model m {\n    input x: f32[batch, 4]\n    target t: i32[batch] in 3\n"
     "    loss = cross_entropy(x |> dense(3), t)\n}\n\ndata train {\n    table = csv(\"no.csv\")\n"
     "    x = columns(table, \"a\", \"b\") / 2\n    t = table.t\n}\ntrain m { optimizer = sgd }\n",
     1},
    {"not-an-optimizer",
     "model m {\n    input x: f32[batch, 4]\n    loss = mean(x |> dense(3))\n}\n"
     "train m { optimizer = \"adam\"; optimizer loss = \"sgd\" }\n",
     1},
};

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)); text++) count++;
    return count;
}

Test(diagnostics, cascades)
{
    for (size_t i = 0; i < sizeof cascades / sizeof *cascades; i++) {
        char id[80];
        snprintf(id, sizeof id, "error[%s]", cascades[i].id);
        Compiled compiled = compile_with("test.nn", NULL, cascades[i].text, (ProgramOptions){0});
        const char *found = text_get(&compiled.diagnostics);
        cr_expect(strstr(found, id), "%s shows no %s:\n%s", cascades[i].text, id, found);
        cr_expect_eq(count_of(found, "error["), cascades[i].errors, "%s shows:\n%s", cascades[i].text, found);
        compiled_free(&compiled);
    }
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
        {"model m {\n    input x: f32[batch]\n", "    y%1$zu = z%1$zu + x\n", "    output x\n}\n"},
        {"", "fn f%zu(x) = x + zz\n", "model m {\n    input x: f32[batch]\n    output x\n}\n"},
        {"", "fn f%1$zu(x) = f%1$zu(x)\n", "model m {\n    input x: f32[batch]\n    output x\n}\n"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        check_limit(forms[i].head, forms[i].each, forms[i].tail, 99, 99);
        check_limit(forms[i].head, forms[i].each, forms[i].tail, 100, 100);
        check_limit(forms[i].head, forms[i].each, forms[i].tail, 5000, 100);
    }
}
