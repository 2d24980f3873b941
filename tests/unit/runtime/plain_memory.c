/* Memory that runs out: everything that nn.h does, with the n-th allocation refused, for every n. Refused are once
 * those of the caller's own functions, once those of the C library (the linker puts the functions below in their
 * place). Each call then fails with NN_ERROR_MEMORY and a message, has changed nothing (repeated, it works, and all
 * results are as if nothing had been), and nothing is lost. A plain program, since Criterion allocates too. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"

/* ---- Who allocates ---- */

typedef struct {
    long calls, refused_at; /* 0: none */
    int for_good;           /* after that one there is none either */
    long living;
} Heap;

static Heap own, library;

static int refuses(Heap *heap)
{
    heap->calls++;
    if (!heap->refused_at || heap->calls < heap->refused_at) return 0;
    return heap->calls == heap->refused_at || heap->for_good;
}

static void *count(Heap *heap, void *made)
{
    heap->living += made != NULL;
    return made;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
    return refuses(&library) ? NULL : count(&library, __real_malloc(size));
}

void *__wrap_calloc(size_t elements, size_t size)
{
    return refuses(&library) ? NULL : count(&library, __real_calloc(elements, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (refuses(&library)) return NULL;
    void *made = __real_realloc(old, size);
    return old ? made : count(&library, made);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return refuses(&library) ? NULL : count(&library, __real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *text)
{
    return refuses(&library) ? NULL : count(&library, __real_strdup(text));
}

void __wrap_free(void *block)
{
    library.living -= block != NULL;
    __real_free(block);
}

static void *take(void *data, size_t size)
{
    Heap *heap = data;
    return refuses(heap) ? NULL : count(heap, __real_aligned_alloc(64, (size + 63) / 64 * 64));
}

static void give_back(void *data, void *memory, size_t size)
{
    (void)size;
    ((Heap *)data)->living -= memory != NULL;
    __real_free(memory);
}

/* ---- What a program does ---- */

typedef struct {
    const nn_options *options;
    char path[64];
    nn_model *model;
    nn_pool *pool;
    nn_params *params, *loaded;
    nn_session *session;
    char bytes[4096];
    float losses[4], w[3], y[ROWS], memory[4], scaled[6];
} Life;

static int failures;
static int refused; /* in this life */

/* 0 to go on, after a repetition where something was refused; else the life is at its end. */
#define CALL(call)                                                                                                     \
    do {                                                                                                               \
        int status = (call);                                                                                           \
        if (!status) break;                                                                                            \
        if (status != NN_ERROR_MEMORY || !*nn_message()) {                                                             \
            fprintf(stderr, "%s:%d: %s gave %d \"%s\"\n", __FILE__, __LINE__, #call, status, nn_message());            \
            failures++;                                                                                                \
        }                                                                                                              \
        refused++;                                                                                                     \
        if (own.for_good || library.for_good) return;                                                                  \
        if ((status = (call)) == 0) break;                                                                             \
        fprintf(stderr, "%s:%d: %s again gave %d \"%s\"\n", __FILE__, __LINE__, #call, status, nn_message());          \
        failures++;                                                                                                    \
        return;                                                                                                        \
    } while (0)

static void live(Life *life)
{
    static const int64_t all[] = {ROWS}, four[] = {4}, two[] = {2};
    static const void *const inputs[] = {rows_x, rows_t, rows_k};
    static const uint8_t pixels[6] = {10, 20, 30, 40, 50, 60};
    static const nn_named columns[] = {{"pixels", pixels}};
    size_t size;
    CALL(nn_model_from_image(&fixture_image, life->options, &life->model));
    CALL(nn_pool_new(2, &life->pool));
    CALL(nn_params_new(life->model, NULL, 0, 7, &life->params));
    CALL(nn_session_new(life->params, life->pool, &life->session));
    CALL(nn_session_step(life->session, all, 1, inputs, 3, &life->losses[0]));
    CALL(nn_session_forward(life->session, four, 1, inputs, 3, 1));
    CALL(nn_session_backward(life->session));
    CALL(nn_session_update(life->session));
    CALL(nn_session_forward(life->session, all, 1, inputs, 3, 0));
    CALL(nn_session_get(life->session, "y", NN_TYPE_F32, life->y, ROWS));
    CALL(nn_session_get(life->session, "loss", NN_TYPE_F32, &life->losses[1], 1));
    CALL(nn_session_reset(life->session));
    CALL(nn_session_forward(life->session, four, 1, inputs, 3, 0));
    CALL(nn_session_forward(life->session, four, 1, inputs, 3, 0));
    CALL(nn_session_get(life->session, "memory", NN_TYPE_F32, life->memory, 4));
    CALL(nn_session_run(life->session, "data.train", two, 1, columns, 1));
    CALL(nn_session_get(life->session, "x", NN_TYPE_F32, life->scaled, 6));
    CALL(nn_params_set_metadata(life->params, "note", "kept"));
    CALL(nn_params_set_metadata(life->params, "note", "changed"));
    CALL(nn_params_save_memory(life->params, life->bytes, sizeof life->bytes, &size));
    CALL(nn_params_save(life->params, life->path));
    CALL(nn_params_new(life->model, NULL, 0, 1, &life->loaded));
    CALL(nn_params_load_memory(life->loaded, life->bytes, size, NN_LOAD_WEIGHTS));
    CALL(nn_params_load(life->loaded, life->path, NN_LOAD_ALL));
    nn_session_free(life->session);
    life->session = NULL;
    CALL(nn_session_new(life->loaded, NULL, &life->session));
    CALL(nn_session_step(life->session, all, 1, inputs, 3, &life->losses[2]));
    CALL(nn_session_step(life->session, all, 1, inputs, 3, &life->losses[3]));
    CALL(nn_params_get(life->loaded, "w", NN_TYPE_F32, life->w, 3));
}

static void end(Life *life)
{
    nn_session_free(life->session);
    nn_params_free(life->params);
    nn_params_free(life->loaded);
    nn_model_free(life->model);
    nn_pool_free(life->pool);
    unlink(life->path);
}

/* A life in which the n-th allocation of the heap is refused, and for good those behind it. False when there is no such
 * allocation. */
static bool try_life(Heap *heap, long n, int for_good, const nn_options *options, const Life *wanted)
{
    static Life life;
    memset(&life, 0, sizeof life);
    life.options = options;
    snprintf(life.path, sizeof life.path, "/tmp/nn-memory-%ld", (long)getpid());
    own = (Heap){0};
    library = (Heap){0};
    refused = 0;
    heap->refused_at = n;
    heap->for_good = for_good;
    live(&life);
    end(&life);
    bool same = !memcmp(life.losses, wanted->losses, sizeof life.losses) && !memcmp(life.w, wanted->w, sizeof life.w) &&
                !memcmp(life.y, wanted->y, sizeof life.y) && !memcmp(life.memory, wanted->memory, sizeof life.memory) &&
                !memcmp(life.scaled, wanted->scaled, sizeof life.scaled);
    bool lost = own.living || library.living;
    if (lost || (!for_good && !same) || (heap->calls >= n && !refused)) {
        fprintf(stderr, "allocation %ld of %s refused: %s\n", n, heap == &own ? "the caller" : "the C library",
                lost    ? "some memory is lost"
                : !same ? "other results"
                        : "no call said so");
        failures++;
    }
    return heap->calls >= n;
}

int main(void)
{
    static Life wanted;
    const nn_memory memory = {&own, take, give_back, 0}, apart = {&own, take, give_back, 1};
    nn_options options[] = {NN_OPTIONS_INIT, NN_OPTIONS_INIT};
    options[0].memory = &memory;
    options[1].memory = &apart;
    snprintf(wanted.path, sizeof wanted.path, "/tmp/nn-memory-%ld", (long)getpid());
    live(&wanted);
    end(&wanted);
    if (failures || refused || wanted.w[0] == 0 || own.calls) return 1;
    long tries = 0;
    for (int for_good = 0; for_good < 2 && !failures; for_good++)
        for (int i = 0; i < 2; i++) {
            for (long n = 1; !failures && try_life(&own, n, for_good, &options[i], &wanted); n++) tries++;
            for (long n = 1; !failures && try_life(&library, n, for_good, &options[i], &wanted); n++) tries++;
        }
    printf("%ld allocations refused\n", tries);
    return failures != 0 || tries < 500;
}
