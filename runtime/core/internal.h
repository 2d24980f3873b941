/* What the files of the core share. Nothing here is visible outside the library. */
#ifndef NN_CORE_INTERNAL_H
#define NN_CORE_INTERNAL_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/contract.h"
#include "nn.h"
#include "nn_image.h"

enum { NN_MAX_RANK = 12, NN_ALIGNMENT = 64, NN_FREE = -1 };

/* ---- error.c ---- */

/* Sets the thread's message and returns the status. */
int nn_fail(nn_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "%s: what errno says". */
int nn_fail_errno(const char *path);
/* The status of the last failure in this thread. */
int nn_last_failure(void);

/* ---- memory.c ---- */

extern const nn_memory nn_memory_default;

/* Memory for values, filled with zeros; NULL without a message when there is none. A size of 0 gives some memory. */
void *nn_memory_new(const nn_memory *memory, size_t size);
void nn_memory_free(const nn_memory *memory, void *block, size_t size);

/* A growing piece of value memory. */
typedef struct {
    void *at;
    size_t size;
} nn_block;

/* Makes the block at least `size` bytes, contents lost when it grows; *moved is set when it did. False: no memory. */
bool nn_block_reserve(const nn_memory *memory, nn_block *block, size_t size, bool *moved);
void nn_block_free(const nn_memory *memory, nn_block *block);

/* ---- postfix.c ---- */

/* The value of a size program; symbols[i] < 0 is not bound. NN_ERROR_ARGUMENT with *unbound set to the symbol when one
 * is missing, else to -1; NN_ERROR_RANGE when 64 bits do not hold it or a divisor is 0. Sets no message. */
int nn_size_evaluate(const int64_t *code, const int64_t *symbols, int64_t *value, int64_t *unbound);
/* Decides a condition in which settings stand (by tensor), in doubles. NN_ERROR_ARGUMENT while a size that it needs is
 * free; NN_ERROR_RANGE when the program is wrong. Sets no message. */
int nn_condition_evaluate(const nn_model *model, const int64_t *code, const int64_t *symbols, const double *settings,
                          bool *truth);

/* ---- size.c ---- */

/* True when the program's value is a truth: that of a condition. */
bool nn_size_is_truth(const int64_t *code);
/* Calls visit for each symbol in the program. */
void nn_size_symbols(const int64_t *code, void (*visit)(void *data, int64_t symbol), void *data);
/* `2*batch + 1`, as much as fits. */
void nn_size_text(const int64_t *code, const char *const *symbols, char *text, size_t size);
/* a * b, or false when it overflows or is negative. */
bool nn_multiply(int64_t a, int64_t b, int64_t *product);
/* The product of a tensor's sizes. As nn_size_evaluate. `dims` may be NULL. */
int nn_tensor_sizes(const nn_image *image, const nn_tensor_info *tensor, const int64_t *symbols, int64_t *dims,
                    int64_t *elements, int64_t *unbound);

/* ---- convert.c ---- */

size_t nn_dtype_size(uint8_t dtype);
bool nn_dtype_is_float(uint8_t dtype);
/* Copies count elements, rounding to the nearest float. NN_ERROR_RANGE with a message, and the elements before copied,
 * when one is not a value of an integer type. What is computed here may overflow to infinity. */
int nn_convert(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t count);
/* The same of what others give, in which a finite number that would become infinite is refused too. Nothing is copied
 * then. */
int nn_convert_given(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t count);
/* nn_convert_given for callers who say where the element stands: copies up to the first that is refused and returns its
 * index, or count. `to` may be NULL. */
size_t nn_convert_fitting(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t count);
/* The first integer beyond the whole numbers of which the float type holds every one (2^24 for f32), or count. */
size_t nn_find_rounded(uint8_t to_type, uint8_t from_type, const void *from, size_t count);
/* One element as people write it, with as many digits as it needs. */
enum { NN_VALUE_TEXT = 32 };
void nn_value_text(uint8_t type, const void *values, size_t index, char text[NN_VALUE_TEXT]);

/* ---- names.c ---- */

typedef struct {
    const nn_image *image;
    int64_t *first, *next; /* by hash; by tensor: -1 ends a chain */
    uint32_t mask;
} nn_names;

/* False without memory; nn_names_free is due either way. */
bool nn_names_make(nn_names *names, const nn_image *image);
void nn_names_free(nn_names *names);
/* The first tensor of the name, and the next one that has the same; -1 when there is none. */
int64_t nn_names_find(const nn_names *names, const char *name);
int64_t nn_names_next(const nn_names *names, int64_t tensor);
/* The index of a parameter or state with a value, or -1. */
int64_t nn_params_find(const nn_params *params, const char *name);

/* ---- model.c ---- */

struct nn_model {
    atomic_int references;
    const nn_image *image;
    nn_memory memory;
    void *library; /* of dlopen, with its release; see host/open.c */
    void (*close_library)(void *library);
    nn_names names;
    uint32_t n_inputs;
    uint32_t *inputs;       /* tensors of a call's inputs, in order */
    uint8_t *dim_of_params; /* per symbol */
    uint8_t *dim_of_states; /* per symbol: in the shape of a state of the model */
    uint32_t n_settings;
    uint32_t *settings;                                    /* tensors */
    int64_t step_setting, steps_setting, progress_setting; /* tensors, or -1 */
    const nn_program *inference, *training, *step;         /* or NULL */
};

nn_model *nn_model_keep(nn_model *model);
/* The image's program, or NULL. */
const nn_program *nn_model_program(const nn_model *model, const char *name);
/* True if a role's values live in nn_params (a state without bound sizes may not). */
bool nn_role_is_param(uint8_t role);
bool nn_role_is_input(uint8_t role);
/* Copies the caller's sizes over free ones; -1 keeps, and so do those after n_dims. An error when they are too many or
 * a bound one differs. */
int nn_bind_symbols(const nn_model *model, const int64_t *dims, size_t n_dims, int64_t *symbols);
/* The message for what nn_size_evaluate refused; `what` is for people. */
int nn_size_fail(const nn_model *model, int status, int64_t unbound, const char *what);

/* ---- image.c ---- */

/* An error with a message when the image is not what it should be. */
int nn_image_check(const nn_image *image);

/* ---- checks.c ---- */

/* Compares the image's checks once sizes are bound. */
int nn_check_symbols(const nn_model *model, const int64_t *symbols, const double *settings);
/* The conditions in which a setting stands, as far as the sizes are known. */
int nn_check_setting(const nn_model *model, const int64_t *symbols, const double *settings, uint32_t tensor);

/* ---- params.c ---- */

/* One tensor's value; NULL when it is not here. */
typedef struct {
    void *at;
    int64_t elements;
    int64_t dims[NN_MAX_RANK];
} nn_value;

typedef struct nn_note {
    struct nn_note *next;
    char *value;
    char key[];
} nn_note;

struct nn_params {
    atomic_int references;
    nn_model *model;
    int64_t *symbols;
    nn_value *values; /* per tensor of the image */
    double *settings; /* per tensor of the image */
    uint64_t seed;
    atomic_ullong step; /* a loader's session may look while another trains */
    nn_note *notes;
};

nn_params *nn_params_keep(nn_params *params);
/* nn_params_new without the weights that came with the code. */
int nn_params_draw(nn_model *model, const int64_t *dims, size_t n_dims, uint64_t seed, nn_params **params);

/* ---- place.c ---- */

/* Something that lives from launch `first` to launch `last` and takes `size` bytes; `offset` is where it goes. */
typedef struct {
    uint32_t first, last;
    size_t size, offset;
} nn_lifetime;

/* First fit in the order of birth; every offset is a multiple of NN_ALIGNMENT. What lives at the same launch never
 * overlaps. `total` is the memory needed. False when there is no memory or it does not fit in size_t. */
bool nn_place(nn_lifetime *lifetimes, size_t count, size_t *total);

/* ---- bind.c ---- */

/* A launch with everything that its sizes decide. */
typedef struct {
    const nn_kernel *kernel;
    void **buffers;
    const int64_t *sizes;
    const nn_contract_plan *contraction;
    int64_t tasks, chunk, extent;
    uint32_t launch;
    uint32_t phase;
} nn_task;

/* A program at given sizes, ready to run. */
typedef struct {
    const nn_program *program;
    uint64_t used; /* when last; the oldest is replaced */
    int64_t *symbols;
    uint8_t *absent; /* per input of the model: not given */
    bool metrics;
    nn_task *tasks;
    uint32_t n_tasks;
    uint32_t phase_end[3];
    bool reads_steps[3]; /* per phase: it reads `steps` or `progress` */
    void **pointers;
    int64_t *sizes;
    nn_contract_plan *contractions;
    int64_t *elements;      /* per buffer of the program */
    uint8_t *missing;       /* per buffer: nothing computes it */
    uint8_t *ready_after;   /* per buffer: the phase that first touches it, NN_UNTOUCHED when none does */
    nn_lifetime *lifetimes; /* per buffer, of temporaries */
    void **separate;        /* per buffer: its own memory, when buffers are separate */
    uint32_t *patches;      /* pairs: index into pointers, tensor of an input */
    uint32_t n_patches;
    size_t arena, scratch, shared; /* bytes: of scratch those of one thread, and those of all */
} nn_binding;

enum { NN_BINDINGS = 6, NN_UNTOUCHED = 255 };

struct nn_session {
    nn_params *params;
    nn_model *model; /* of the params */
    nn_pool *pool;
    nn_binding bindings[NN_BINDINGS];
    uint64_t clock;
    int64_t *symbols;   /* of the current call */
    const void **given; /* per tensor: this call's input */
    nn_block *blocks;   /* per tensor: a result, a state of the session or the copy of an input */
    uint8_t *ready;     /* per tensor: the block holds a value of this call */
    double *settings;   /* per tensor: 8 bytes that hold the setting in its own type */
    int64_t loss;       /* the tensor of the total loss, or -1 */
    nn_block arena, scratch;
    nn_binding *training; /* forward has been run, backward may */
    int phase;            /* of the training program: the next one, NN_BACKWARD or NN_UPDATE */
    int metrics;          /* -1: as is usual for the call */
    uint64_t draws;       /* number of the random draws of training calls; 0: that of the step */
    bool has_states;      /* the model has states that live here */
    bool empty;           /* the current call has no rows: it changes nothing that is kept */
    int64_t *state_symbols;
    int64_t error;                     /* what a kernel reports: 1 + its buffer */
    const volatile sig_atomic_t *stop; /* nonzero: what runs ends at its next task; may be NULL */
};

/* The program at the session's symbols with what `given` has: from the cache or made. `lenient` leaves out launches
 * whose sizes are not bound. Memory is reserved. */
int nn_session_bind(nn_session *session, const nn_program *program, bool metrics, bool lenient, nn_binding **binding);
void nn_binding_clear(const nn_memory *memory, nn_binding *binding);

/* True if running the binding gives the tensor a value; false for -1. */
bool nn_binding_computes(const nn_binding *binding, int64_t tensor);
/* Where the value of a tensor that is no input lives, made if needed; NULL with a message when there is no memory. */
void *nn_session_tensor(nn_session *session, uint32_t tensor, int64_t elements, bool *moved);

/* ---- prepare.c ---- */

/* Sizes of a new call; whatever was begun ends here. */
int nn_session_begin(nn_session *session, const int64_t *dims, size_t n_dims);
/* Sets what the call gives for an input or target, or notes that it is not given (NULL). An array without elements may
 * be NULL, too: all of it is there. */
int nn_session_give(nn_session *session, uint32_t tensor, const void *values);
/* Writes the settings as their types want them. `step` and `progress` follow from the number of updates. */
void nn_session_write_settings(nn_session *session, uint64_t step);
/* A value that its range does not allow. */
typedef struct {
    int64_t row, value, range; /* row: index on the first axis; -1: all are allowed */
} nn_outside;

/* The first of an input's values that lies outside of its range. */
int nn_range_search(const nn_model *model, uint32_t tensor, const int64_t *symbols, const void *values,
                    nn_outside *outside);
/* Looks for a value outside of its range among what is given. */
int nn_session_check_ranges(nn_session *session);
/* Copies what is given into memory of the session: because backward reads it again, or so that reading past its end is
 * seen. */
int nn_session_keep_inputs(nn_session *session);
/* Gives the states of the session their first values when their sizes are new. */
int nn_session_make_states(nn_session *session);
/* So that the next call makes them. */
void nn_session_forget_states(nn_session *session);

/* ---- launch.c ---- */

/* Runs the launches of phases first … last. */
int nn_binding_run(nn_session *session, nn_binding *binding, int first, int last, uint64_t step);

/* ---- restore.c ---- */

/* Runs all phases. When the call has no rows, parameters and states keep their values. */
int nn_binding_run_whole(nn_session *session, nn_binding *binding, uint64_t step);

/* ---- cores.c ---- */

int nn_usable_cores(void);

/* ---- pool.c ---- */

/* Calls run(data, begin, end, thread) until every task 0 … tasks - 1 was in one range; thread < nn_pool_threads. When
 * the pool is NULL or busy, the caller does it all as thread 0. */
void nn_pool_run(nn_pool *pool, int64_t tasks, void (*run)(void *data, int64_t begin, int64_t end, int thread),
                 void *data);

#endif
