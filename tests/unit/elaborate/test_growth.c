/* The time that a file takes grows with its length, whatever it is made of. */
#include <limits.h>
#include <malloc.h>
#include <time.h>

#include "support.h"

TestSuite(growth, .timeout = 300);

/* `count` times `piece` between `head` and `tail`; each `%` of the piece is the number of its turn. */
typedef struct {
    const char *name, *head, *piece, *tail;
    size_t count;
} Family;

#define MODEL "model m {\n input x: f32[batch, 4]\n"
#define END " output y = x\n}\n"

static const Family families[] = {
    {"constants", "", "const c% = 3\n", MODEL END, 20000},
    {"constants in use", "const c = 1\n", "const c% = 3\nfn f%() = c% + c\n", MODEL END, 10000},
    {"equal constants", MODEL, " a% = x * 3.25\n", END, 40000},
    {"bindings", MODEL, " a% = x + %\n", END, 40000},
    {"one long line", MODEL, " a% = x + % ;", "\n" END, 40000},
    {"inputs", "model m {\n", " input x%: f32[batch, 4]\n a% = x% + 1\n", " output y = x0\n}\n", 40000},
    {"sizes", "model m {\n", " input x%: f32[b%, 4]\n", " output y = x0\n}\n", 20000},
    {"parameters", MODEL " s = x\n", " param w%: f32[4] = 0\n s = s + w%\n", " output y = s\n}\n", 40000},
    {"states", MODEL, " state s%: f32[4] = 0\n s% := s% + 1\n", END, 40000},
    {"layers", MODEL, " h% = x |> dense(4)\n", END, 8000},
    {"own layers", "", "layer l%(x: f32[b, n]) {\n return x * %\n}\n", MODEL " output y = x |> l7() |> l8()\n}\n",
     20000},
    {"outputs", MODEL, " output y% = x + %\n", "}\n", 40000},
    {"equal outputs", MODEL, " output y = x + %\n", "}\n", 20000},
    {"metrics", MODEL, " metric m% = sum(x) + %\n", END, 40000},
    {"losses", MODEL " param w: f32[4] = 0\n", " loss l% = sum(x * w) + %\n", END, 20000},
    {"assertions", MODEL, " assert batch > %\n", END, 20000},
    {"gradients", MODEL " param w: f32[4] = 0\n", " g% = grad(sum(x * w) * %, w)\n", END, 20000},
    {"data", "model m {\n", " input x%: f32[batch]\n", " output y = x0\n}\n", 10000},
    {"equal items", "", "const c = 1\n", MODEL END, 20000},
    {"unknown names", MODEL, " a% = q%\n", END, 20000},
    {"bytes that are no text", MODEL, "\xff\xfe", "\n" END, 200000},
    {"letters that are none", MODEL, "ab\u20ac", "\n" END, 100000},
    {"one long name", MODEL " ", "\u00e9", " = 1\n" END, 400000},
    {"a long comment", "#", " a word and \xc3\xa9", "\n" MODEL END, 200000},
    {"direction marks", "#", "\xe2\x80\xae", "\n" MODEL END, 20000},
    {"comments", MODEL, " # a comment\n\n", END, 200000},
    {"deep `then`", MODEL " y0 = ", "if batch > % then x else\n ", "x\n" END, 40000},
};

enum { SHARE = 4, ATTEMPTS = 8 };

/* Four times the work in linear time, sixteen times in quadratic time: half of that is far from both. */
static const double NOISE = 0.002, MOST_RATIO = 8;

static void put_piece(Text *text, const char *piece, size_t turn)
{
    for (const char *hole; (hole = strchr(piece, '%')); piece = hole + 1) {
        text_put(text, piece, (size_t)(hole - piece));
        text_format(text, "%zu", turn);
    }
    text_string(text, piece);
}

static Text make_text(const Family *family, size_t count)
{
    Text text = {0};
    text_string(&text, family->head);
    for (size_t i = 0; i < count; i++) put_piece(&text, family->piece, i);
    text_string(&text, family->tail);
    if (strcmp(family->name, "data") != 0) return text;
    text_string(&text, "data train {\n");
    for (size_t i = 0; i < count; i++) put_piece(&text, " x% = [1, 2]\n", i);
    text_string(&text, "}\n");
    return text;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The processor time of compiling and of printing what is wrong, without that of the prelude. */
static double time_text(const Text *text)
{
    Context *context = context_new();
    items_prelude(context);
    const Source *source = source_add(context->sources, "growth.nn", text_get(text), text->count);
    int used = 0;
    DataProvider provider = {.host = &used, .open = test_open, .read = test_read};
    ProgramOptions options = {.provider = strstr(text_get(text), "\ndata ") ? &provider : NULL};
    Text said = {0};
    double before = cpu_seconds();
    Program *program = program_compile(context, NULL, source, &options);
    diagnostics_print(context->diagnostics, &said);
    double seconds = cpu_seconds() - before;
    text_free(&said);
    if (program) graph_free(program->module->graph);
    context_free(context);
    return seconds;
}

/* Four times as much takes four times as long, and sixteen times as long where anything is searched from end to end.
 * What disturbs a measurement only lengthens it: the shortest of several counts, and more are taken only where needed.
 */
Test(growth, time_is_linear)
{
    const char *shown = getenv("NNC_SHOW_GROWTH");
    mallopt(M_MMAP_THRESHOLD, 1 << 30); /* memory that is kept costs the large text no more pages than the small one */
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const Family *family = &families[i];
        Text few = make_text(family, family->count / SHARE), many = make_text(family, family->count);
        double least = 1e9, most = 1e9, ratio = 1e9;
        for (int attempt = 0; attempt < ATTEMPTS && ratio > MOST_RATIO; attempt++) {
            double one = time_text(&few), four = time_text(&many);
            if (one < least) least = one;
            if (four < most) most = four;
            ratio = most / (least + NOISE);
        }
        if (shown) fprintf(stderr, "%-24s %7.3f %7.3f %5.2f\n", family->name, least, most, ratio);
        cr_expect_leq(ratio, MOST_RATIO, "%s: %zu take %g s, %zu take %g s", family->name, family->count / SHARE, least,
                      family->count, most);
        text_free(&few);
        text_free(&many);
    }
}
