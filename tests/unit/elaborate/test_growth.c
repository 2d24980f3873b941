/* The time that a file takes grows with its length, whatever it is made of. */
#include "../growth.h"
#include "support.h"

TestSuite(growth, .timeout = 300);

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
    {"largest of two sizes", MODEL, " a% = max(batch, %)\n", END, 40000},
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

/* The fields of a data block are a second list. */
static Text make_text(const Family *family, size_t count)
{
    Text text = growth_text(family, count);
    if (strcmp(family->name, "data") != 0) return text;
    text_string(&text, "data train {\n");
    growth_repeat(&text, " x% = [1, 2]\n", count);
    text_string(&text, "}\n");
    return text;
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
    double before = growth_seconds();
    Program *program = program_compile(context, NULL, source, &options);
    diagnostics_print(context->diagnostics, &said);
    double seconds = growth_seconds() - before;
    text_free(&said);
    if (program) graph_free(program->module->graph);
    context_free(context);
    return seconds;
}

Test(growth, time_is_linear)
{
    growth_keep_memory();
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        growth_expect_linear(&families[i], make_text, time_text);
}
