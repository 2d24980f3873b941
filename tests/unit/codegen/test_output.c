/* What is compiled ahead of time: libraries that run and give the bits of the JIT, objects, texts, headers. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "harness.h"
#include "kernels.h"

/* Gives the harness' plan what a model has: declared inputs and free sizes, and its kernel as program "inference". */
static void declare_inputs(Harness *h)
{
    Arena *arena = h->context->arena;
    Module *module = h->plan->module;
    module->inputs = ARENA_ARRAY(arena, Declared, MAX_BUFFERS);
    module->dims = ARENA_ARRAY(arena, Name, 2);
    module->n_dims = 2;
    module->dims[0] = intern(h->context->names, "s0");
    module->dims[1] = intern(h->context->names, "s1");
    for (uint32_t b = 0; b < h->kernel->n_buffers; b++) {
        const PlanBuffer *buffer = &h->plan->programs->buffers[b];
        if (buffer->role != BUFFER_INPUT) continue;
        Attr attr = {.name = buffer->name};
        Type type = type_make(buffer->dtype, buffer->rank, buffer->dims);
        Node node = graph_make(module->graph, OP_INPUT, NULL, 0, &attr, &type);
        module->inputs[module->n_inputs++] = (Declared){.node = node, .doc = "an input, what?\?/ is it */ ?\?= not"};
    }
    h->plan->programs->name = intern(h->context->names, "inference");
}

static Harness model(const char *name)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        if (strcmp(samples[i].name, name)) continue;
        Harness h = harness_new(samples[i].text, "native");
        declare_inputs(&h);
        return h;
    }
    cr_assert(false, "no sample %s", name);
    return (Harness){0};
}

static char *temporary(const char *suffix)
{
    static char path[128];
    snprintf(path, sizeof path, "/tmp/nnc-test-%ld%s", (long)getpid(), suffix);
    return path;
}

static void write_file(Harness *h, CodegenOutput output, const char *path)
{
    CodegenOptions options = {.cpu = "native", .level = 2};
    if (codegen_write(h->context, h->plan, &options, output, path)) return;
    Text shown = {0};
    diagnostics_print(h->context->diagnostics, &shown);
    cr_assert(false, "%s", text_get(&shown));
}

Test(output, a_library_gives_the_bits_of_the_jit)
{
    static const char *const names[] = {"row_softmax", "cross_entropy_gradient", "adam", "dropout", "column_sum"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        Harness h = model(names[n]);
        char *path = temporary(".so");
        write_file(&h, CODEGEN_LIBRARY, path);
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        cr_assert(library, "%s", dlerror());
        nn_image_entry *entry = (nn_image_entry *)(uintptr_t)dlsym(library, NN_IMAGE_ENTRY);
        cr_assert(entry);
        const nn_kernel *ahead = &entry()->kernels[0];
        int64_t sizes[] = {37, 53, 0};
        char *memory[2][MAX_BUFFERS];
        for (int way = 0; way < 2; way++) {
            for (uint32_t b = 0; b < h.kernel->n_buffers; b++) {
                memory[way][b] = harness_fill(&h, b, harness_count(&h, b, sizes), (Range){0, 1}, b + 1);
            }
            if (way) h.code = ahead;
            harness_loop(&h, sizes, memory[way], 0);
        }
        for (uint32_t b = 0; b < h.kernel->n_buffers; b++) {
            size_t bytes = (size_t)harness_count(&h, b, sizes) * dtype_size(h.kernel->buffers[b].dtype);
            cr_assert(!memcmp(memory[0][b], memory[1][b], bytes), "%s: buffer %u differs", names[n], b);
            free(memory[0][b]);
            free(memory[1][b]);
        }
        dlclose(library);
        unlink(path);
        harness_free(&h);
    }
}

Test(output, a_library_exports_the_model_alone_and_runs)
{
    Harness h = model("bias_relu");
    char *path = temporary(".so");
    write_file(&h, CODEGEN_LIBRARY, path);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    cr_assert(library, "%s", dlerror());
    cr_assert(!dlsym(library, "nn_session_new"), "the core is visible");
    int (*params_new)(uint64_t, void **) = (int (*)(uint64_t, void **))(uintptr_t)dlsym(library, "unit_params_new");
    int (*session_new)(void *, void **) = (int (*)(void *, void **))(uintptr_t)dlsym(library, "unit_session_new");
    int (*forward)(void *, int64_t, int64_t, const float *, const float *, int) =
        (int (*)(void *, int64_t, int64_t, const float *, const float *, int))(uintptr_t)dlsym(library, "unit_forward");
    int (*get)(void *, const char *, float *, size_t) =
        (int (*)(void *, const char *, float *, size_t))(uintptr_t)dlsym(library, "unit_get");
    const char *(*message)(void) = (const char *(*)(void))(uintptr_t)dlsym(library, "unit_message");
    void (*params_free)(void *) = (void (*)(void *))(uintptr_t)dlsym(library, "unit_params_free");
    void (*session_free)(void *) = (void (*)(void *))(uintptr_t)dlsym(library, "unit_session_free");
    cr_assert(params_new && session_new && forward && get && message && params_free && session_free);
    void *params, *session;
    cr_assert(!params_new(1, &params), "%s", message());
    cr_assert(!session_new(params, &session), "%s", message());
    const float x[] = {1, -2, 3, -4, 5, -6}, bias[] = {1, 1, -4};
    float y[6];
    cr_assert(!forward(session, 2, 3, x, bias, 0), "%s", message());
    cr_assert(!get(session, "b2", y, 6), "%s", message());
    const float expected[] = {2, 0, 0, 0, 6, 0};
    cr_assert(!memcmp(y, expected, sizeof y));
    session_free(session);
    params_free(params);
    dlclose(library);
    unlink(path);
    harness_free(&h);
}

/* The exit status of a shell command. */
static int run(const char *command)
{
    fflush(NULL);
    return system(command);
}

Test(output, a_library_needs_nothing_but_libc)
{
    Harness h = model("row_softmax");
    char *path = temporary(".so");
    write_file(&h, CODEGEN_LIBRARY, path);
    Text command = {0};
    text_format(&command, "readelf -d %s | grep NEEDED | grep -v libc.so.6", path);
    cr_assert(run(text_get(&command)), "it needs more");
    text_free(&command);
    unlink(path);
    harness_free(&h);
}

Test(output, the_header_is_c99_and_cpp)
{
    Harness h = model("cross_entropy");
    char *path = temporary(".h");
    write_file(&h, CODEGEN_HEADER, path);
    static const char *const compilers[] = {"cc -std=c99 -x c", "c++ -std=c++11 -x c++"};
    for (size_t i = 0; i < 2; i++) {
        Text command = {0};
        text_format(&command, "%s -Wall -Wextra -Wpedantic -Werror -fsyntax-only %s", compilers[i], path);
        cr_assert(!run(text_get(&command)), "%s", text_get(&command));
        text_free(&command);
    }
    size_t size;
    char *text = read_file(path, &size);
    cr_assert(strstr(text, "int unit_forward(unit_session *session, int64_t s0, int64_t s1, const float *b0, "
                           "const int32_t *b1, int training);"));
    free(text);
    unlink(path);
    harness_free(&h);
}

/* A model of another name beside the first: their cores must not meet. */
static void rename_model(Harness *h, const char *name)
{
    h->plan->module->name = intern(h->context->names, name);
}

static void put_call(FILE *file, const char *name)
{
    fprintf(file,
            "static int run_%s(void) {\n %s_params *p; %s_session *s; float x[] = {1, -2}, b[] = {1, 1}, y[2];\n"
            " if (%s_params_new(1, &p) || %s_session_new(p, &s) || %s_forward(s, 1, 2, x, b, 0)) return 1;\n"
            " if (%s_get(s, \"b2\", y, 2)) return 2;\n %s_session_free(s);\n %s_params_free(p);\n"
            " return y[0] != 2 || y[1] != 0; }\n",
            name, name, name, name, name, name, name, name, name);
}

Test(output, a_program_links_with_two_models)
{
    static const char *const names[] = {"first", "second"};
    static const char *const suffixes[] = {".o", ".a"};
    Harness h = model("bias_relu");
    char *path = temporary("");
    Text command = {0}, source = {0};
    text_format(&source, "%s.c", path);
    FILE *file = fopen(text_get(&source), "w");
    text_format(&command, "cc %s.c ", path);
    for (int m = 0; m < 2; m++) {
        Text header = {0}, object = {0};
        rename_model(&h, names[m]);
        text_format(&header, "%s%s.h", path, names[m]);
        text_format(&object, "%s%s%s", path, names[m], suffixes[m]);
        write_file(&h, CODEGEN_HEADER, text_get(&header));
        write_file(&h, m ? CODEGEN_ARCHIVE : CODEGEN_OBJECT, text_get(&object));
        fprintf(file, "#include \"%s\"\n", text_get(&header));
        put_call(file, names[m]);
        text_format(&command, "%s ", text_get(&object));
        text_free(&header);
        text_free(&object);
    }
    fprintf(file, "int main(void) { return run_first() || run_second(); }\n");
    fclose(file);
    text_format(&command, "-o %s && %s", path, path);
    int status = run(text_get(&command));
    text_free(&command);
    text_format(&command, "rm -f %s %s.c %sfirst.* %ssecond.*", path, path, path, path);
    cr_assert(!run(text_get(&command)));
    cr_assert(!status);
    text_free(&command);
    text_free(&source);
    harness_free(&h);
}

Test(output, texts)
{
    Harness h = model("map_1d");
    Text llvm = {0}, assembly = {0};
    cr_assert(codegen_print(h.context, h.plan, NULL, CODEGEN_LLVM, &llvm));
    cr_assert(strstr(text_get(&llvm), "define internal void @loop_0_map_1d"));
    cr_assert(codegen_print(h.context, h.plan, NULL, CODEGEN_ASSEMBLY, &assembly));
    cr_assert(strstr(text_get(&assembly), "loop_0_map_1d:"));
    text_free(&llvm);
    text_free(&assembly);
    harness_free(&h);
}

Test(output, mistakes_are_diagnostics)
{
    Harness h = model("map_1d");
    CodegenOptions options = {.cpu = "z80"};
    cr_assert(!jit_compile(h.context, h.plan, &options));
    cr_assert(!codegen_write(h.context, h.plan, &options, CODEGEN_OBJECT, temporary(".o")));
    cr_assert(!codegen_write(h.context, h.plan, NULL, CODEGEN_LLVM, "/nowhere/at/all.ll"));
    setenv("PATH", "/nowhere", 1);
    cr_assert(!codegen_write(h.context, h.plan, NULL, CODEGEN_LIBRARY, temporary(".so")));
    Text shown = {0};
    diagnostics_print(h.context->diagnostics, &shown);
    cr_assert(strstr(text_get(&shown), "no CPU variant z80"));
    cr_assert(strstr(text_get(&shown), "/nowhere/at/all.ll"));
    cr_assert(strstr(text_get(&shown), "no ld.lld"));
    text_free(&shown);
    harness_free(&h);
}

Test(output, programs_are_compiled_when_asked_for)
{
    Harness h = model("map_1d");
    static const char *const none[] = {NULL};
    CodegenOptions options = {.programs = none};
    Jit *jit = jit_compile(h.context, h.plan, &options);
    cr_assert(jit && jit_image(jit)->n_programs == 0);
    cr_assert(jit_require(jit, "inference") && jit_image(jit)->n_programs == 1 && jit_image(jit)->kernels[0].loop);
    nn_loop_function *loop = jit_image(jit)->kernels[0].loop;
    cr_assert(jit_require(jit, NULL) && jit_image(jit)->n_programs == 1 && jit_image(jit)->kernels[0].loop == loop);
    jit_free(jit);
    harness_free(&h);
}
