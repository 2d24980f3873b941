/* nnc: the compiler in your program. A text in the language of .nn files, or a graph built by calls, becomes an
 * nn_model (nn.h) that runs in this process, or a file. Plain C99 and C++.
 *
 *     nnc_compiler *compiler = nnc_new();
 *     nn_model *model;
 *     if (nnc_compile(compiler, NULL, text, NULL, &model)) fprintf(stderr, "%s", nnc_diagnostics(compiler));
 *
 * Calls that can fail return 0, or 1 after at least one error diagnostic. Nothing prints, exits or keeps global state.
 * A compiler and what was made with it is used by one thread at a time; any number of compilers work at once. Models
 * depend on no compiler: nn_model_free frees the code when the last parameters and session over it are gone.
 *
 * What compiles works on a thread of its own, with a stack of a known size, while the caller waits: a stack of 512 KiB
 * is enough for the caller. Listeners are called on the caller's thread.
 *
 * A call that runs out of memory fails with the error `out-of-memory`, keeps nothing and leaves no part of a file; the
 * next call works as if it had not been. nnc_new then gives NULL, and what builds a graph gives NNC_NONE: such a graph
 * can only be freed, which nnc_graph_compile says too. The exception is what LLVM allocates while it makes and links
 * machine code, in nnc_compile, nnc_graph_compile and in writing .so, .o, .a, .s and .ll: LLVM tells its caller of no
 * lack of memory, it ends the process. */
#ifndef NNC_NNC_H
#define NNC_NNC_H

#include <stddef.h>
#include <stdint.h>

#include "nn.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef NNC_API
#if defined(__GNUC__)
#define NNC_API __attribute__((visibility("default")))
#else
#define NNC_API
#endif
#endif

#define NNC_VERSION 3

typedef struct nnc_compiler nnc_compiler;

/* NNC_VERSION of the library that runs. */
NNC_API int nnc_version(void);
NNC_API nnc_compiler *nnc_new(void);
/* Not before its graphs. NULL is allowed. */
NNC_API void nnc_free(nnc_compiler *compiler);

/* ---- Diagnostics ---- */

typedef enum { NNC_ERROR, NNC_WARNING } nnc_severity;

/* A place in a source. Lines and columns count from 1, columns in characters; file is NULL where there is no place. */
typedef struct {
    const char *file;
    int line, column;
    int end_line, end_column; /* behind the last character */
} nnc_place;

typedef struct {
    nnc_place place;
    const char *message;
} nnc_note;

typedef struct {
    nnc_severity severity;
    const char *id; /* `unknown-name` */
    nnc_place place;
    const char *message;   /* one sentence without a period */
    const nnc_note *notes; /* other places that explain it */
    size_t n_notes;
    const char *const *hints; /* what would help */
    size_t n_hints;
} nnc_diagnostic;

/* Everything that it is given is valid during the call alone. */
typedef void nnc_listener(void *data, const nnc_diagnostic *diagnostic);

/* Who is told of each diagnostic, in the order of places, before the call that found it returns; NULL: nobody. */
NNC_API void nnc_listen(nnc_compiler *compiler, nnc_listener *listener, void *data);
/* The diagnostics of the last call that may fail as the command line prints them; "" when there were none. Valid until
 * the next call. */
NNC_API const char *nnc_diagnostics(const nnc_compiler *compiler);

/* ---- Sources ---- */

typedef struct {
    const char *name; /* of a free dimension */
    int64_t size;
} nnc_binding;

typedef struct {
    const char *name; /* `lr`, an input with a default */
    double value;     /* its default from now on; nn_params_set_setting still changes it */
} nnc_preset;

/* Another file for a data source of the model. */
typedef struct {
    const char *split; /* `train`; NULL: every split */
    const char *name;
    const char *path;
} nnc_data;

/* Zero but for `size` it means: the only model of the source as it is written, for this machine. */
typedef struct {
    size_t size;       /* sizeof(nnc_options) */
    const char *model; /* which model of the source */
    /* `native`, `x86-64-v2`, `x86-64-v3`, `x86-64-v4`. NULL: native in the process; a library, object or archive
     * carries the last three, of which the best that runs is chosen when it is opened. */
    const char *cpu;
    const nnc_binding *bindings;
    size_t n_bindings;
    const nnc_preset *presets;
    size_t n_presets;
    const nnc_data *data;
    size_t n_data;
    int f64;                 /* what is declared f32 becomes f64 */
    const nn_memory *memory; /* of the model's values; NULL: the C library's */
    int inference;           /* leave out what only training needs */
    const char *name;        /* of the model; the names of a library's functions begin with it. NULL: the source's */
    /* Of files that are written: a safetensors file that the code is to carry. A model in the process carries none;
     * nn_params_load reads them. */
    const char *weights;
    uint64_t budget; /* steps that a compilation may take before it is given up; 0: 1,000,000, which is some seconds */
} nnc_options;

#define NNC_OPTIONS_INIT                                                                                               \
    {                                                                                                                  \
        sizeof(nnc_options), NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 0, NULL, 0, NULL, NULL, 0                          \
    }

/* The source of the next three: `text`, or the file at `path` where text is NULL. Beside a text, the path is its name
 * in diagnostics and says where its imports and data lie; without one that is the working folder. `options` may be
 * NULL. */

/* A model over machine code in this process. */
NNC_API int nnc_compile(nnc_compiler *compiler, const char *path, const char *text, const nnc_options *options,
                        nn_model **model);
/* Writes a file; its extension selects what: .so (with its .h) .a .o .h .ll .s .nng .nnk .dot */
NNC_API int nnc_write(nnc_compiler *compiler, const char *path, const char *text, const nnc_options *options,
                      const char *output);

typedef enum { NNC_TEXT, NNC_LATEX } nnc_form;

/* The derivative of a value (NULL: the total loss; of its sum when it is no scalar) by another, as a formula. Values
 * are called what the source calls them. *formula is valid until the compiler's next call. */
NNC_API int nnc_gradient(nnc_compiler *compiler, const char *path, const char *text, const nnc_options *options,
                         const char *of, const char *wrt, nnc_form form, const char **formula);

/* ---- Graphs ----
 *
 * A model without any syntax. Types are texts, as the compiler prints them: `f32`, `f32[batch, 784]`,
 * `i32[batch] in 10` (labels: 0 <= value < 10); a size is a number, a name, or a polynomial of names (`2*h + 1`).
 * Operators are called what ir/ops.def calls them.
 *
 * A call that does not fit gives a diagnostic and NNC_NONE. Whatever is given NNC_NONE gives NNC_NONE in silence, so it
 * is enough to look at what nnc_graph_compile returns; a graph in which a call failed never compiles. */

typedef struct nnc_graph nnc_graph;

/* A value of one graph. */
typedef struct {
    unsigned id;
} nnc_value;

/* No value, and how to see that. */
#define NNC_NONE (nnc_none())
static inline nnc_value nnc_none(void)
{
    nnc_value none = {0};
    return none;
}

/* `name` is an identifier: the model's name. NULL after a diagnostic. */
NNC_API nnc_graph *nnc_graph_new(nnc_compiler *compiler, const char *name);
/* Models that were made of it live on. NULL is allowed. */
NNC_API void nnc_graph_free(nnc_graph *graph);

/* What a call of the model is given; only losses and metrics may need targets. */
NNC_API nnc_value nnc_input(nnc_graph *graph, const char *name, const char *type);
NNC_API nnc_value nnc_target(nnc_graph *graph, const char *name, const char *type);
/* A parameter and its first value, of its type or a scalar; NNC_NONE: zero. */
NNC_API nnc_value nnc_param(nnc_graph *graph, const char *path, const char *type, nnc_value first);
/* What is kept from call to call: a running mean, or with a path `optimizer/PATH/NAME` an optimiser's. */
NNC_API nnc_value nnc_state(nnc_graph *graph, const char *path, const char *type, nnc_value first);
/* A scalar that nn_params_set_setting changes. `step`, `steps` and `progress` are the clock of the training, as nn.h
 * says. */
NNC_API nnc_value nnc_setting(nnc_graph *graph, const char *name, const char *type, double value);

/* A truth value: whether the model runs in its training form. select(nnc_training(graph), noisy, x) is a layer that
 * behaves differently in training; both forms are compiled, and neither asks. */
NNC_API nnc_value nnc_training(nnc_graph *graph);
/* One number everywhere. */
NNC_API nnc_value nnc_constant(nnc_graph *graph, const char *type, double number);
/* The same of an integer type, exact beyond 2^53 too. Since NNC_VERSION 3. */
NNC_API nnc_value nnc_integer(nnc_graph *graph, const char *type, int64_t integer);
/* Row-major elements, `size` bytes; copied. */
NNC_API nnc_value nnc_literal(nnc_graph *graph, const char *type, const void *elements, size_t size);
/* Uniform between 0 and 1. The path tells draws apart; what is drawn follows from it, the seed and the step. */
NNC_API nnc_value nnc_random(nnc_graph *graph, const char *path, const char *type);
/* 0, 1, 2 … along an axis. */
NNC_API nnc_value nnc_iota(nnc_graph *graph, const char *type, int axis);
/* A size (`batch`) as a scalar. */
NNC_API nnc_value nnc_size(nnc_graph *graph, const char *size, const char *type);

/* An elementwise operator: add sub mul div pow max min exp log tanh sigmoid select lt eq … Operands of a lower rank are
 * repeated along leading axes: a scalar fits everything, a row fits a matrix. */
NNC_API nnc_value nnc_apply(nnc_graph *graph, const char *op, const nnc_value *args, size_t n_args);
static inline nnc_value nnc_unary(nnc_graph *graph, const char *op, nnc_value x)
{
    return nnc_apply(graph, op, &x, 1);
}
static inline nnc_value nnc_binary(nnc_graph *graph, const char *op, nnc_value x, nnc_value y)
{
    nnc_value args[2];
    args[0] = x;
    args[1] = y;
    return nnc_apply(graph, op, args, 2);
}
NNC_API nnc_value nnc_cast(nnc_graph *graph, nnc_value x, const char *element_type);

/* Axes count from 0. A shape is a type; its element type must be that of x. */

/* axes[i] is the axis of the shape that axis i of x becomes; along the others x repeats. */
NNC_API nnc_value nnc_broadcast(nnc_graph *graph, nnc_value x, const char *shape, const int *axes);
NNC_API nnc_value nnc_reshape(nnc_graph *graph, nnc_value x, const char *shape);
/* Axis i of the result is axis axes[i] of x. */
NNC_API nnc_value nnc_transpose(nnc_graph *graph, nnc_value x, const int *axes);
/* `size` elements from `start` on along one axis, both as texts. */
NNC_API nnc_value nnc_slice(nnc_graph *graph, nnc_value x, int axis, const char *start, const char *size);
/* The same of every step-th element; step > 0. */
NNC_API nnc_value nnc_stride(nnc_graph *graph, nnc_value x, int axis, const char *start, const char *size, int step);
/* So many zeros in front and behind along one axis, as texts. */
NNC_API nnc_value nnc_pad(nnc_graph *graph, nnc_value x, int axis, const char *before, const char *after);
/* One axis as two, of `count` positions and `taps`: element i, u is x[stride * i + dilation * u - padding] of that
 * axis, 0 outside of it. stride, dilation > 0; the padding may be negative. */
NNC_API nnc_value nnc_window(nnc_graph *graph, nnc_value x, int axis, const char *count, const char *taps, int stride,
                             int dilation, const char *padding);
/* Its reverse: `axis` and the next one become one of `size`, where what was read from one place is added up. */
NNC_API nnc_value nnc_unwindow(nnc_graph *graph, nnc_value g, int axis, const char *size, int stride, int dilation,
                               const char *padding);
/* The other way round along one axis. */
NNC_API nnc_value nnc_reverse(nnc_graph *graph, nnc_value x, int axis);
NNC_API nnc_value nnc_concat(nnc_graph *graph, const nnc_value *parts, size_t n_parts, int axis);
/* Rows of x by number: `axis` of x is replaced by the axes of ids after the first `batch_axes`, which both share. */
NNC_API nnc_value nnc_gather(nnc_graph *graph, nnc_value x, nnc_value ids, int axis, int batch_axes);
/* Its reverse: zeros of the shape, and what g has added where gather with these ids would have read it. */
NNC_API nnc_value nnc_scatter_add(nnc_graph *graph, nnc_value ids, nnc_value g, const char *shape, int axis,
                                  int batch_axes);

/* sum mean prod reduce_max reduce_min argmax argmin any all logsumexp, over axes in ascending order; NULL: all of them.
 */
NNC_API nnc_value nnc_reduce(nnc_graph *graph, const char *op, nnc_value x, const int *axes, size_t n_axes);
/* softmax log_softmax cumsum, along an axis. */
NNC_API nnc_value nnc_along(nnc_graph *graph, const char *op, nnc_value x, int axis);
/* A sum of products, a letter an axis: `bi,io->bo` is a product of matrices. Letters that the result lacks are summed.
 */
NNC_API nnc_value nnc_contract(nnc_graph *graph, const char *letters, nnc_value a, nnc_value b);

/* dy/dx of a scalar y, as a value of its own that may be differentiated again. */
NNC_API nnc_value nnc_derivative(nnc_graph *graph, nnc_value y, nnc_value x);
NNC_API nnc_value nnc_stop_gradient(nnc_graph *graph, nnc_value x);

/* What formulas call it. */
NNC_API void nnc_set_name(nnc_graph *graph, nnc_value x, const char *name);
/* What nn_model_tensor says of an input, target, parameter, state or setting. */
NNC_API void nnc_set_doc(nnc_graph *graph, nnc_value x, const char *doc);
/* `f32[batch, 10]`; "" for NNC_NONE. Valid as long as the graph. */
NNC_API const char *nnc_type(nnc_graph *graph, nnc_value x);

/* What the model gives. Losses and metrics are scalars; losses add up. */
NNC_API void nnc_output(nnc_graph *graph, const char *name, nnc_value x);
NNC_API void nnc_loss(nnc_graph *graph, const char *name, nnc_value x);
NNC_API void nnc_metric(nnc_graph *graph, const char *name, nnc_value x);
/* What a parameter or state is after each update: nnc_update(graph, w, w - lr * nnc_derivative(graph, loss, w)). */
NNC_API void nnc_update(nnc_graph *graph, nnc_value old, nnc_value next);
/* What a state is after each forward, and in training after each step: the memory of a stream. */
NNC_API void nnc_advance(nnc_graph *graph, nnc_value state, nnc_value next);

/* As for sources; of the options cpu, memory, inference, name and, for files, weights. The others are about sources:
 * a diagnostic says so. The graph may grow afterwards and be compiled again. */
NNC_API int nnc_graph_compile(nnc_graph *graph, const nnc_options *options, nn_model **model);
NNC_API int nnc_graph_write(nnc_graph *graph, const nnc_options *options, const char *output);
NNC_API int nnc_graph_gradient(nnc_graph *graph, nnc_value of, nnc_value wrt, nnc_form form, const char **formula);

#ifdef __cplusplus
}
#endif
#endif
