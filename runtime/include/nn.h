/* nn: run and train a compiled model from C, everything by name. Plain C99 and C++.
 *
 *     nn_model *model;  nn_params *params;  nn_session *session;
 *     nn_model_open("fashion.so", NULL, &model);
 *     nn_params_new(model, NULL, 0, 1, &params);            draws the weights from seed 1
 *     nn_session_new(params, NULL, &session);
 *     const int64_t dims[] = {64};                          batch
 *     const void *inputs[] = {images, labels};              as the model declares them
 *     nn_session_step(session, dims, 1, inputs, 2, &loss);
 *
 * Every function that can fail returns 0 or an nn_status; nn_message() says what was wrong, per thread. Nothing prints,
 * exits or keeps global state.
 *
 * Objects. A model is immutable: code and description. Parameters are values: weights, states, optimizer states, step,
 * seed, settings. A session has the buffers of one caller: activations and gradients. A session keeps its parameters
 * alive and parameters their model, so they may be freed in any order. One object is used by one thread at a time,
 * except that any number of sessions may run forward(training = 0) over the same parameters at once, and a model may
 * be shared freely. A pool may serve any number of sessions at once.
 *
 * Memory. Names and texts returned belong to the object they came from. Values go in and out by copy. Inputs are read
 * during the call; only forward with training = 1 keeps them (a copy), since backward reads them again.
 *
 * Versions. Functions, numbers and structures are only ever added to. A structure that may grow begins with its size,
 * which the caller fills in, so that a program that was compiled against an older header goes on working.
 *
 * Threads change no bit of any result, nor does step against forward + backward + update. */
#ifndef NN_H
#define NN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef NN_API
#define NN_API
#endif

#define NN_VERSION 2

typedef enum {
    NN_OK,
    NN_ERROR_ARGUMENT, /* NULL, unknown name, wrong count or size */
    NN_ERROR_STATE,    /* not now: backward before forward */
    NN_ERROR_RANGE,    /* a value out of the range that was declared for it */
    NN_ERROR_MEMORY,
    NN_ERROR_FILE,   /* cannot be opened, read or written */
    NN_ERROR_FORMAT, /* a file or image that is not what it should be */
    NN_ERROR_VERSION /* made for another version */
} nn_status;

typedef enum {
    NN_TYPE_F64,
    NN_TYPE_F32,
    NN_TYPE_BF16,
    NN_TYPE_F16,
    NN_TYPE_I64,
    NN_TYPE_I32,
    NN_TYPE_U8,
    NN_TYPE_BOOL
} nn_type;

typedef enum {
    NN_ROLE_INPUT,
    NN_ROLE_TARGET,
    NN_ROLE_PARAM,
    NN_ROLE_STATE,
    NN_ROLE_OPTIMIZER_STATE,
    NN_ROLE_SETTING,
    NN_ROLE_OUTPUT,
    NN_ROLE_LOSS,
    NN_ROLE_METRIC,
    NN_ROLE_GRADIENT,
    NN_ROLE_VALUE,
    NN_ROLE_SOURCE /* an input of nn_session_run alone */
} nn_role;

typedef struct nn_model nn_model;
typedef struct nn_params nn_params;
typedef struct nn_session nn_session;
typedef struct nn_pool nn_pool;
struct nn_image; /* nn_image.h */

/* NN_VERSION of the library that runs. 2 has nn_params_save_memory. */
NN_API int nn_version(void);
/* What went wrong in this thread's last failing call; "" when nothing did. Valid until the next call. */
NN_API const char *nn_message(void);
NN_API size_t nn_type_size(nn_type type);
/* `f32`, `input`. */
NN_API const char *nn_type_name(nn_type type);
NN_API const char *nn_role_name(nn_role role);

/* ---- Models ---- */

/* Where memory for values comes from: weights, activations, gradients, scratch. Both functions must be given and may
 * be called by any thread that uses the model. What allocate refuses is NN_ERROR_MEMORY. This structure never grows. */
typedef struct {
    void *data;
    /* At least `size` bytes, aligned to 64; NULL when there is none. */
    void *(*allocate)(void *data, size_t size);
    void (*release)(void *data, void *memory, size_t size);
    /* Nonzero: every buffer gets an allocation of its own and is filled with NaN when it dies (then an alignment to
     * the element is enough). For finding errors; see the guard mode of the command line. */
    int separate;
} nn_memory;

typedef struct {
    size_t size;             /* sizeof(nn_options) */
    const nn_memory *memory; /* copied; NULL: the C library's */
} nn_options;

#define NN_OPTIONS_INIT                                                                                                \
    {                                                                                                                  \
        sizeof(nn_options), NULL                                                                                       \
    }

/* Opens a compiled library. The path is used as dlopen uses it, but a bare name means the working folder. */
NN_API int nn_model_open(const char *path, const nn_options *options, nn_model **model);
/* The model of an image in this process; the image must outlive it. */
NN_API int nn_model_from_image(const struct nn_image *image, const nn_options *options, nn_model **model);
NN_API void nn_model_free(nn_model *model);
/* Calls release(data) once the model is freed and nothing is left over it: for whoever made its image. NN_ERROR_STATE
 * when somebody is called already, as for a model of nn_model_open. */
NN_API int nn_model_on_release(nn_model *model, void (*release)(void *data), void *data);

NN_API const char *nn_model_name(const nn_model *model);
/* What it was compiled for, `x86-64-v4`, and by what. */
NN_API const char *nn_model_cpu(const nn_model *model);
NN_API const char *nn_model_description(const nn_model *model);

/* Free dimensions, in the order in which calls take them. */
NN_API size_t nn_model_dims(const nn_model *model);
NN_API const char *nn_model_dim_name(const nn_model *model, size_t dim);
/* 1 when the dimension stands in a parameter's shape: bound by nn_params_new instead of by each call. */
NN_API int nn_model_dim_of_params(const nn_model *model, size_t dim);
/* How many inputs and targets a call takes. */
NN_API size_t nn_model_inputs(const nn_model *model);
/* The tensor that is the i-th of them. */
NN_API size_t nn_model_input(const nn_model *model, size_t input);

/* Everything that has a name. */
typedef struct {
    size_t size; /* in: sizeof(nn_tensor); fields beyond it are left alone */
    const char *name;
    const char *doc; /* or NULL */
    nn_role role;
    nn_type type;
    int rank;
    int64_t dims[12]; /* -1 where free */
    int64_t range;    /* 0 <= value < range; 0: no range; -1: free */
    double value;     /* of a setting: its default; 0 for `steps`: the caller has to say it */
} nn_tensor;

NN_API size_t nn_model_tensors(const nn_model *model);
NN_API int nn_model_tensor(const nn_model *model, size_t tensor, nn_tensor *info);
/* The size of one axis as text, `2*batch`; as many characters as fit into `size`. */
NN_API int nn_model_dim_text(const nn_model *model, size_t tensor, int axis, char *text, size_t size);

/* ---- Parameters ---- */

/* New parameters, drawn from the seed. `dims`: one size per free dimension, -1 where it is bound by calls; `dims` may
 * be NULL when no parameter has a free dimension. */
NN_API int nn_params_new(nn_model *model, const int64_t *dims, size_t n_dims, uint64_t seed, nn_params **params);
/* The same, of a new model of the image. */
NN_API int nn_params_from_image(const struct nn_image *image, const int64_t *dims, size_t n_dims, uint64_t seed,
                                nn_params **params);
NN_API void nn_params_free(nn_params *params);
NN_API nn_model *nn_params_model(nn_params *params);

/* Values of a parameter, state or optimizer state by name (`logits.dense.W`, `optimizer/logits.dense.W/m`), converted
 * from and to `type`; `count` elements, row-major, exactly as many as it has. */
NN_API int nn_params_get(nn_params *params, const char *name, nn_type type, void *values, size_t count);
NN_API int nn_params_set(nn_params *params, const char *name, nn_type type, const void *values, size_t count);
/* dims[0 … rank - 1]; room for 12. */
NN_API int nn_params_shape(const nn_params *params, const char *name, int *rank, int64_t *dims);

/* Settings: `lr`, an input with a default. `step` and `progress` follow by themselves and cannot be set. `steps` is the
 * number of updates that the whole training will have. Its default is what the train block says; where that says
 * nothing it is 0, and an update of a model whose schedule looks at `steps` or `progress` is NN_ERROR_STATE until it
 * is set. A value that an `assert` of the model or the library refuses is NN_ERROR_ARGUMENT, with the assert's text;
 * the setting keeps what it had. */
NN_API int nn_params_set_setting(nn_params *params, const char *name, double value);
NN_API int nn_params_setting(const nn_params *params, const char *name, double *value);

/* The number of updates so far. In the next update the setting `step` is one more, and `progress` is this number
 * divided by `steps`, at most 1. */
NN_API uint64_t nn_params_step(const nn_params *params);
NN_API void nn_params_set_step(nn_params *params, uint64_t step);
/* The seed of draws (dropout); at first the one given to nn_params_new. */
NN_API uint64_t nn_params_seed(const nn_params *params);
NN_API void nn_params_set_seed(nn_params *params, uint64_t seed);

/* A text that is stored with the weights; NULL when there is none. */
NN_API const char *nn_params_metadata(const nn_params *params, const char *key);
NN_API int nn_params_set_metadata(nn_params *params, const char *key, const char *value);

enum {
    NN_LOAD_ALL = 0,
    NN_LOAD_WEIGHTS = 1 /* parameters and states alone; optimizer states, step and seed stay as they are */
};
/* Reads a safetensors file; optimizer states may be missing. On an error nothing is changed. */
NN_API int nn_params_load(nn_params *params, const char *path, unsigned flags);
NN_API int nn_params_load_memory(nn_params *params, const void *bytes, size_t size, unsigned flags);
/* Writes one: beside the path, then renamed. */
NN_API int nn_params_save(const nn_params *params, const char *path);
/* The same bytes into memory: *size is how many they are, and where `bytes` is not NULL they are written if `capacity`
 * holds them. NULL and 0 ask for the size. */
NN_API int nn_params_save_memory(const nn_params *params, void *bytes, size_t capacity, size_t *size);

/* ---- Threads ---- */

/* A pool of `threads`, the caller's among them; 0: as many as the process may use. Several sessions may share it; it is
 * freed after them. */
NN_API int nn_pool_new(int threads, nn_pool **pool);
NN_API void nn_pool_free(nn_pool *pool);
NN_API int nn_pool_threads(const nn_pool *pool);

/* ---- Sessions ---- */

/* `pool` may be NULL: then the calling thread does everything. */
NN_API int nn_session_new(nn_params *params, nn_pool *pool, nn_session **session);
NN_API void nn_session_free(nn_session *session);
NN_API nn_params *nn_session_params(nn_session *session);

/* Runs the model. `dims`: one size per free dimension (-1: as bound by the parameters). `inputs`: one pointer per input
 * and target in the order of nn_model_input, in its own type, row-major; NULL where it is not given: then what needs it
 * is not computed. (An array without elements may be NULL and is given.) `training`: the training form, which backward
 * may follow. A call without rows, whose inputs of a free size all are without elements, changes no parameter and no
 * state; nor does the update after it, or such a step. */
NN_API int nn_session_forward(nn_session *session, const int64_t *dims, size_t n_dims, const void *const *inputs,
                              size_t n_inputs, int training);
/* Gradients of the loss; after forward with training = 1 and all targets. */
NN_API int nn_session_backward(nn_session *session);
/* One update of the parameters by the optimizer; after backward. In between, gradients may be read and written. */
NN_API int nn_session_update(nn_session *session);
/* The three at once, and faster: gradients are kept only where the update needs them whole. `loss` is the loss before
 * the update and may be NULL. */
NN_API int nn_session_step(nn_session *session, const int64_t *dims, size_t n_dims, const void *const *inputs,
                           size_t n_inputs, float *loss);

/* Results by name: an output, `loss`, a metric, `grad.PATH`, a state of the session; converted to `type`. */
NN_API int nn_session_get(nn_session *session, const char *name, nn_type type, void *values, size_t count);
/* Writes a gradient before update, or a state of the session. */
NN_API int nn_session_set(nn_session *session, const char *name, nn_type type, const void *values, size_t count);
NN_API int nn_session_shape(const nn_session *session, const char *name, int *rank, int64_t *dims);
/* Metrics are computed by forward and not by step; this says otherwise for both. */
NN_API void nn_session_set_metrics(nn_session *session, int on);
/* Gives the states that belong to the session their first values again: those whose shape has a dimension that each
 * call binds (a stream's `f32[batch, units]`). They go from call to call as long as the sizes in their shapes stay;
 * other sizes begin anew, too. */
NN_API int nn_session_reset(nn_session *session);

/* ---- Other programs of a model ---- */

/* A model may hold programs beside its own: `data.train` turns columns of a data source into inputs. */
typedef struct {
    const char *name;
    const void *values;
} nn_named;

NN_API int nn_model_has_program(const nn_model *model, const char *program);
/* The inputs that a program reads, by number: NULL when there are no more. */
NN_API const char *nn_model_program_input(const nn_model *model, const char *program, size_t input);
/* Runs a program on inputs by name. Its results are read by nn_session_get or nn_session_result. Ends what forward
 * began. */
NN_API int nn_session_run(nn_session *session, const char *program, const int64_t *dims, size_t n_dims,
                          const nn_named *inputs, size_t n_inputs);
/* A result where it lies, in its own type; valid until the session's next call. */
NN_API int nn_session_result(nn_session *session, const char *name, const void **values, nn_type *type, int *rank,
                             int64_t *dims);

#ifdef __cplusplus
}
#endif
#endif
