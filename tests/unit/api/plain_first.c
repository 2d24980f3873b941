/* A program as it was compiled against the first headers, first/nn.h and first/nnc/nnc.h, which are kept as they were
 * then: its structures are smaller and it knows fewer functions and options. Linked with today's library it compiles,
 * trains, predicts, saves and loads as on its first day. */
#include <nnc/nnc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if NN_VERSION != 1 || NNC_VERSION != 1
#error "these are not the first headers"
#endif
/* Nothing of this may change in the copies, whatever becomes of their layout. */
_Static_assert(sizeof(nn_options) == 16 && sizeof(nn_tensor) == 152 && sizeof(nn_memory) == 32, "the first structures");
_Static_assert(sizeof(nnc_options) == 88 && sizeof(nnc_diagnostic) == 80, "the first structures of the compiler");
_Static_assert(NN_ERROR_VERSION == 7 && NN_TYPE_BOOL == 7 && NN_ROLE_SOURCE == 11 && NN_LOAD_WEIGHTS == 1, "numbers");

#define LINE                                                                                                           \
    "model line {\n"                                                                                                   \
    "    ## what is known\n"                                                                                           \
    "    input x: f32[batch, 2]\n"                                                                                     \
    "    target y: f32[batch]\n"                                                                                       \
    "    param w: f32[2] = 0\n"                                                                                        \
    "    p = x @ w\n"                                                                                                  \
    "    output p\n"                                                                                                   \
    "    loss = mse(p, y)\n"                                                                                           \
    "}\n"                                                                                                              \
    "train line { optimizer = sgd(lr = 0.2) }\n"

static const float x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y[4] = {0, 2, 3, 5};
static const int64_t dims[] = {4};
static const void *const inputs[] = {x, y};

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (condition) break;                                                                                          \
        fprintf(stderr, "%s:%d: %s (message: %s)\n", __FILE__, __LINE__, #condition, nn_message());                    \
        exit(1);                                                                                                       \
    } while (0)

static size_t taken;

static void *allocate(void *data, size_t size)
{
    (void)data;
    taken += size;
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void release(void *data, void *memory, size_t size)
{
    (void)data;
    taken -= size;
    free(memory);
}

/* What describes itself into a structure of then leaves alone what lies behind it. */
static void describe(nn_model *model)
{
    struct {
        nn_tensor info;
        unsigned char behind[64];
    } place;
    memset(&place, 0x5a, sizeof place);
    place.info.size = sizeof place.info;
    CHECK(!nn_model_tensor(model, nn_model_input(model, 0), &place.info));
    CHECK(!strcmp(place.info.name, "x") && !strcmp(place.info.doc, "what is known"));
    CHECK(place.info.role == NN_ROLE_INPUT && place.info.type == NN_TYPE_F32 && place.info.rank == 2);
    CHECK(place.info.dims[0] == -1 && place.info.dims[1] == 2 && place.info.range == 0);
    for (size_t i = 0; i < sizeof place.behind; i++) CHECK(place.behind[i] == 0x5a);
    CHECK(place.info.size == sizeof place.info);
}

static float train(nn_model *model, const char *path)
{
    nn_params *params, *loaded;
    nn_session *session;
    nn_pool *pool;
    float first, loss, p[4], w[2], again[2];
    double lr;
    CHECK(!nn_pool_new(2, &pool) && nn_pool_threads(pool) == 2);
    CHECK(!nn_params_new(model, NULL, 0, 1, &params) && nn_params_model(params) == model);
    CHECK(!nn_session_new(params, pool, &session) && nn_session_params(session) == params);
    CHECK(!nn_params_setting(params, "lr", &lr) && lr == 0.2 && !nn_params_set_setting(params, "lr", 0.3));
    CHECK(!nn_session_step(session, dims, 1, inputs, 2, &first));
    for (int i = 0; i < 200; i++) {
        CHECK(!nn_session_forward(session, dims, 1, inputs, 2, 1) && !nn_session_backward(session));
        CHECK(!nn_session_get(session, "grad.w", NN_TYPE_F32, w, 2));
        CHECK(!nn_session_set(session, "grad.w", NN_TYPE_F32, w, 2) && !nn_session_update(session));
    }
    CHECK(nn_params_step(params) == 201);
    CHECK(!nn_session_step(session, dims, 1, inputs, 2, &loss) && loss < 1e-6f && first > 1);
    CHECK(!nn_session_forward(session, dims, 1, inputs, 2, 0) && !nn_session_get(session, "p", NN_TYPE_F32, p, 4));
    CHECK(!nn_params_set_metadata(params, "note", "kept") && !nn_params_save(params, path));
    CHECK(!nn_params_new(model, NULL, 0, 2, &loaded) && !nn_params_load(loaded, path, NN_LOAD_ALL));
    CHECK(!strcmp(nn_params_metadata(loaded, "note"), "kept") && nn_params_step(loaded) == 202);
    CHECK(!nn_params_get(params, "w", NN_TYPE_F32, w, 2) && !nn_params_get(loaded, "w", NN_TYPE_F32, again, 2));
    CHECK(!memcmp(w, again, sizeof w));
    CHECK(nn_session_get(session, "q", NN_TYPE_F32, p, 4) == NN_ERROR_ARGUMENT && strstr(nn_message(), "q"));
    CHECK(nn_session_backward(session) == NN_ERROR_STATE);
    nn_session_free(session);
    nn_params_free(params);
    nn_params_free(loaded);
    nn_pool_free(pool);
    return p[3];
}

static void hear(void *data, const nnc_diagnostic *diagnostic)
{
    if (diagnostic->severity == NNC_ERROR && !strcmp(diagnostic->id, "unknown-name") && diagnostic->place.line == 1)
        ++*(int *)data;
}

int main(void)
{
    int heard = 0;
    char folder[] = "/tmp/nn-first-XXXXXX", library[64], header[64], weights[64];
    CHECK(mkdtemp(folder));
    snprintf(library, sizeof library, "%s/line.so", folder);
    snprintf(header, sizeof header, "%s/line.h", folder);
    snprintf(weights, sizeof weights, "%s/w", folder);
    CHECK(nn_version() > NN_VERSION && nnc_version() > NNC_VERSION); /* newer than what this was compiled against */
    const nn_memory memory = {NULL, allocate, release, 0};
    /* What would be read of options that were not there then lies in what surrounds them. */
    struct {
        nnc_options options;
        unsigned char behind[64];
    } how = {NNC_OPTIONS_INIT, {0}};
    memset(how.behind, 0x5a, sizeof how.behind);
    const nnc_preset lr = {"lr", 0.2};
    how.options.presets = &lr;
    how.options.n_presets = 1;
    how.options.memory = &memory;
    nnc_compiler *compiler = nnc_new();
    nn_model *model;
    nnc_listen(compiler, hear, &heard);
    CHECK(nnc_compile(compiler, NULL, "model m { output z }", NULL, &model) == 1 && heard == 1);
    CHECK(!nnc_compile(compiler, NULL, LINE, &how.options, &model));
    describe(model);
    float compiled = train(model, weights);
    nn_model_free(model);
    CHECK(taken == 0);
    how.options.memory = NULL;
    CHECK(!nnc_write(compiler, NULL, LINE, &how.options, library));
    nnc_free(compiler);
    nn_options options = NN_OPTIONS_INIT;
    options.memory = &memory;
    CHECK(!nn_model_open(library, &options, &model));
    CHECK(train(model, weights) == compiled);
    nn_model_free(model);
    CHECK(taken == 0);
    unlink(library);
    unlink(header);
    unlink(weights);
    CHECK(!rmdir(folder));
    return 0;
}
