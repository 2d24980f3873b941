/* Memory that runs out in the compiler: allocations all over a call are refused, each by itself or with all that
 * follow. The call fails with an error, leaves no memory, file or descriptor behind, and the next one works. What LLVM
 * allocates is not refused: it lies in a library of its own. A plain program: it stands in for malloc (see
 * CMakeLists.txt). */
#include <dirent.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nnc/nnc.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *string);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *string);
void __wrap_free(void *block);

static atomic_long allowed = -1; /* allocations from now on; below 0: any number */
static bool once;                /* only one is refused */
static atomic_long made_blocks, live;

static bool refused(void)
{
    long left = atomic_load(&allowed);
    atomic_fetch_add(&made_blocks, 1);
    while ((left > 0 || (left == 0 && once)) && !atomic_compare_exchange_weak(&allowed, &left, left - 1)) continue;
    return left == 0;
}

static void *counted(void *block)
{
    if (block) atomic_fetch_add(&live, 1);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (refused()) return NULL;
    return block ? __real_realloc(block, size) : counted(__real_realloc(NULL, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return refused() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *string)
{
    return refused() ? NULL : counted(__real_strdup(string));
}

void __wrap_free(void *block)
{
    if (block) atomic_fetch_sub(&live, 1);
    __real_free(block);
}

static void expect(bool good, const char *what, long n)
{
    if (good) return;
    fprintf(stderr, "%s, after %ld allocations: %s\n", what, n, nn_message());
    abort();
}

typedef struct {
    size_t errors;
} Heard;

static void hear(void *data, const nnc_diagnostic *diagnostic)
{
    ((Heard *)data)->errors += diagnostic->severity == NNC_ERROR;
}

/* ---- Files ---- */

static char folder[] = "/tmp/nnc-memory-XXXXXX", temporary[64], made[64], weights[64], importing[64];

static long count_entries(const char *path)
{
    long n = 0;
    DIR *open = opendir(path);
    while (open && readdir(open)) n++;
    if (open) closedir(open);
    return n;
}

static void put(const char *name, const char *text)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    expect(file && fputs(text, file) >= 0 && !fclose(file), path, 0);
}

/* What the trials need lies in one folder, and what the compiler keeps for a while in another. */
static void make_files(void)
{
    expect(mkdtemp(folder), "no folder", 0);
    snprintf(temporary, sizeof temporary, "%s/temporary", folder);
    snprintf(made, sizeof made, "%s/made", folder);
    snprintf(weights, sizeof weights, "%s/weights", folder);
    snprintf(importing, sizeof importing, "%s/importing.nn", folder);
    expect(!mkdir(temporary, 0700) && !mkdir(made, 0700) && !setenv("TMPDIR", temporary, 1), "no folder", 0);
    put("scale.nn", "layer scale(x) { param k: f32 = 0.5; return k * x }\n");
    put("table.csv", "a,b,kind\n1,2,red\n3,4,green\n5,6,blue\n7,8,red\n");
    put("importing.nn", "import \"scale.nn\"\n"
                        "data train { table = csv(\"table.csv\"); x = table.a / max(table.a); y = 2 * table.b }\n"
                        "model m {\n"
                        "    input x: f32[batch]\n"
                        "    target y: f32[batch]\n"
                        "    output p = scale(x)\n"
                        "    loss = mse(p, y)\n"
                        "}\n"
                        "train m { optimizer = sgd(lr = 0.1); steps = 4 }\n");
}

/* Removes a folder without folders in it. */
static void empty(const char *path)
{
    char name[400];
    DIR *open = opendir(path);
    for (const struct dirent *entry; open && (entry = readdir(open));) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        unlink(name);
    }
    if (open) closedir(open);
}

/* ---- What is compiled ---- */

static const char text[] = "layer block(x: [..., inputs], units) { return x |> dense(units) |> layer_norm |> gelu }\n"
                           "model m {\n"
                           "    input x: f32[batch, 4]\n"
                           "    target y: i32[batch] in 3\n"
                           "    logits = x |> block(8) |> dense(3)\n"
                           "    output p = softmax(logits)\n"
                           "    loss = cross_entropy(logits, y)\n"
                           "    metric accuracy = accuracy(logits, y)\n"
                           "}\n"
                           "train m { optimizer = adam(lr = 0.01); steps = 10 }\n";
static const char wrong[] = "model m {\n    input x: f32[batch, 4]\n    output y = z + unknown(x)\n}\n";

static int compile_text(nnc_compiler *compiler, nn_model **model)
{
    return nnc_compile(compiler, "text.nn", text, NULL, model);
}

static int compile_wrong(nnc_compiler *compiler, nn_model **model)
{
    return nnc_compile(compiler, "wrong.nn", wrong, NULL, model);
}

/* With an import and data. */
static int compile_file(nnc_compiler *compiler, nn_model **model)
{
    return nnc_compile(compiler, importing, NULL, NULL, model);
}

static nnc_graph *build(nnc_compiler *compiler)
{
    nnc_graph *graph = nnc_graph_new(compiler, "built");
    nnc_value x = nnc_input(graph, "x", "f32[batch, 2]"), w = nnc_param(graph, "w", "f32[2]", NNC_NONE);
    nnc_value z = nnc_contract(graph, "bi,i->b", x, w);
    nnc_value loss = nnc_reduce(graph, "mean", nnc_binary(graph, "mul", z, z), NULL, 0);
    nnc_update(graph, w, nnc_binary(graph, "sub", w, nnc_derivative(graph, loss, w)));
    nnc_set_doc(graph, w, *nnc_type(graph, w) ? "a row" : "nothing");
    nnc_output(graph, "z", z);
    nnc_loss(graph, "loss", loss);
    return graph;
}

static int compile_graph(nnc_compiler *compiler, nn_model **model)
{
    *model = NULL;
    nnc_graph *graph = build(compiler);
    int status = nnc_graph_compile(graph, NULL, model);
    nnc_graph_free(graph);
    return status;
}

static int derive(nnc_compiler *compiler, nn_model **model)
{
    const char *formula;
    *model = NULL;
    int status = nnc_gradient(compiler, "text.nn", text, NULL, "loss", "logits", NNC_TEXT, &formula);
    expect(status || *formula, "a formula without text", 0);
    return status;
}

/* What is written is whole or not there: the folder is empty before and after each call. */
static int write_as(nnc_compiler *compiler, const char *name, const nnc_options *options, long files, bool graph)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%s", made, name);
    nnc_graph *built = graph ? build(compiler) : NULL;
    int status = graph ? nnc_graph_write(built, options, path) : nnc_write(compiler, "text.nn", text, options, path);
    nnc_graph_free(built);
    long left = count_entries(made) - 2; /* . and .. */
    expect(status ? left < files : left == files, "half a file", 0);
    empty(made);
    return status;
}

static int write_listing(nnc_compiler *compiler, nn_model **model)
{
    *model = NULL;
    return write_as(compiler, "m.ll", NULL, 1, false);
}

static int write_graph(nnc_compiler *compiler, nn_model **model)
{
    *model = NULL;
    return write_as(compiler, "m.dot", NULL, 1, true);
}

/* With weights, and its header beside it. */
static int write_library(nnc_compiler *compiler, nn_model **model)
{
    nnc_options options = NNC_OPTIONS_INIT;
    options.weights = weights;
    *model = NULL;
    return write_as(compiler, "m.so", &options, 2, false);
}

/* ---- Models still train as before ---- */

/* What is saved after ten steps. */
static size_t train(nn_model *model, const char *save, char *bytes, size_t capacity)
{
    static const float x[2][4] = {{1, 2, 3, 4}, {-1, 0, 1, 2}};
    static const int32_t y[2] = {1, 2};
    static const int64_t two[] = {2};
    const void *const feed[] = {x, y};
    nn_params *params;
    nn_session *session;
    expect(!nn_params_new(model, NULL, 0, 1, &params) && !nn_session_new(params, NULL, &session), "no session", 0);
    for (int i = 0; i < 10; i++) expect(!nn_session_step(session, two, 1, feed, 2, NULL), "a step", i);
    size_t size;
    expect(!nn_params_save_memory(params, bytes, capacity, &size), "no weights", 0);
    expect(!save || !nn_params_save(params, save), "weights are not written", 0);
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    return size;
}

static void try_training(const char *save)
{
    static char first[16384];
    static size_t size;
    char now[sizeof first];
    nnc_compiler *compiler = nnc_new();
    nn_model *model;
    expect(!compile_text(compiler, &model), nnc_diagnostics(compiler), 0);
    size_t got = train(model, save, save ? first : now, sizeof now);
    if (save) size = got;
    expect(save || (got == size && !memcmp(first, now, size)), "it trains otherwise", 0);
    nnc_free(compiler);
}

/* ---- The trials ---- */

typedef int Compile(nnc_compiler *compiler, nn_model **model);

/* How many allocations the call makes, with its status. */
static long count(Compile *compile, nnc_compiler *compiler, int *status)
{
    nn_model *model;
    long before = atomic_load(&made_blocks);
    *status = compile(compiler, &model);
    long n = atomic_load(&made_blocks) - before;
    nn_model_free(model);
    return n;
}

/* True if there is one thread: those that were joined may take a moment to go. */
static bool is_alone(void)
{
    for (int i = 0; i < 1000; i++) {
        if (count_entries("/proc/self/task") == 3) return true;
        usleep(1000);
    }
    return false;
}

/* All of the first allocations are refused, more of the last ones, where files are written, and some in between. */
static long next_place(long n, long total, long all)
{
    long last = total - 160, step = total / (all + 1) + 1;
    if (n < all) return n + 1;
    if (n >= last) return n + 5;
    return n + step < last ? n + step : last;
}

/* Refuses some of the allocations of the call, which gives the status otherwise. */
static void refuse_each(const char *name, Compile *compile, int status, long all)
{
    Heard heard = {0};
    nnc_compiler *compiler = nnc_new();
    nnc_listen(compiler, hear, &heard);
    int again;
    count(compile, compiler, &again); /* what is made once a process is made now */
    expect(again == status, nnc_diagnostics(compiler), 0);
    long total = count(compile, compiler, &again), descriptors = count_entries("/proc/self/fd");
    long tried = 0;
    for (long n = 0; n < total; n = next_place(n, total, all), tried++) {
        nn_model *model;
        nnc_compile(compiler, NULL, "", NULL, &model); /* an error, whose text is kept until the next call */
        long before = atomic_load(&live);
        heard.errors = 0;
        once = tried & 1;
        atomic_store(&allowed, n);
        again = compile(compiler, &model);
        atomic_store(&allowed, -1);
        expect(count_entries("/proc/self/fd") == descriptors, "a file stays open", n);
        expect(is_alone(), "a thread stays", n);
        expect(count_entries(temporary) == 2, "a temporary file stays", n);
        if (!again) { /* threads share out their work a little differently each time */
            nn_model_free(model);
            continue;
        }
        expect(heard.errors && *nnc_diagnostics(compiler) && !model, "a failure without an error", n);
        expect(atomic_load(&live) <= before, "something is kept", n);
    }
    count(compile, compiler, &again);
    expect(again == status, "it does not work any more", total);
    nnc_free(compiler);
    try_training(NULL);
    fprintf(stderr, "%s: %ld allocations, refused at %ld places\n", name, total, tried);
}

/* A graph that one call had no memory for is told from one that is wrong, and can be freed. */
static void refuse_building(void)
{
    nnc_compiler *compiler = nnc_new();
    nnc_graph *graph = build(compiler);
    nn_model *model;
    static float large[1 << 16];
    atomic_store(&allowed, 0);
    nnc_value none = nnc_literal(graph, "f32[65536]", large, sizeof large);
    atomic_store(&allowed, -1);
    expect(!none.id && !nnc_unary(graph, "exp", none).id && !*nnc_type(graph, none), "a value without memory", 0);
    for (int i = 0; i < 2; i++) {
        expect(nnc_graph_compile(graph, NULL, &model) && !model, "a graph without a part", 0);
        expect(strstr(nnc_diagnostics(compiler), "out-of-memory"), nnc_diagnostics(compiler), 0);
    }
    nnc_graph_free(graph);
    expect(!compile_graph(compiler, &model), nnc_diagnostics(compiler), 0);
    nn_model_free(model);
    nnc_free(compiler);
}

int main(void)
{
    make_files();
    try_training(weights);
    refuse_each("a text", compile_text, 0, 40);
    refuse_each("a wrong text", compile_wrong, 1, 40);
    refuse_each("a file", compile_file, 0, 40);
    refuse_each("a graph", compile_graph, 0, 40);
    refuse_each("a derivative", derive, 0, 40);
    refuse_each("a listing", write_listing, 0, 20);
    refuse_each("a picture", write_graph, 0, 40);
    refuse_each("a library", write_library, 0, 10);
    refuse_building();
    expect(!rmdir(temporary) && !rmdir(made), "the folders are not empty", 0);
    empty(folder);
    return rmdir(folder);
}
