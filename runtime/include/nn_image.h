/* The image: how generated code presents itself to the run time. Constant tables that the code generator emits into
 * every model, compiled ahead of time or in the process, and that runtime/core walks. The only header beside nn.h that
 * the compiler shares with the run time. Not for users: nn.h is. */
#ifndef NN_IMAGE_H
#define NN_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define NN_IMAGE_MAGIC 0x314d494e4eULL /* "NNIM1" */
#define NN_IMAGE_VERSION 4u

enum nn_dtype_code { NN_F64, NN_F32, NN_BF16, NN_F16, NN_I64, NN_I32, NN_U8, NN_BOOL }; /* order of ir/dtypes.def */

enum nn_role_code {
    NN_INPUT,
    NN_TARGET,
    NN_PARAM,
    NN_STATE,           /* the model's */
    NN_OPTIMIZER_STATE, /* optimizer/PATH/NAME */
    NN_SETTING,
    NN_OUTPUT,
    NN_LOSS,
    NN_METRIC,
    NN_GRADIENT,
    NN_VALUE,
    NN_SOURCE /* read by one program beside the model's own: a column of data, a total over a split */
};

/* A size is a program in postfix form: pairs of code and operand, ended by NN_SIZE_END. NN_SIZE_MOD and what follows
 * NN_SIZE_MIN stand in conditions only; from NN_SIZE_EQ to NN_SIZE_NOT they give a truth, 0 or 1. A condition in which
 * a setting stands is decided in doubles, each result rounded to its element type. */
enum nn_size_code {
    NN_SIZE_END,
    NN_SIZE_CONSTANT,
    NN_SIZE_SYMBOL,
    NN_SIZE_ADD,
    NN_SIZE_MUL,
    NN_SIZE_FLOOR_DIV,
    NN_SIZE_MOD, /* the sign of the divisor */
    NN_SIZE_MAX,
    NN_SIZE_MIN,
    NN_SIZE_SELECT, /* condition, then, else: all are computed */
    NN_SIZE_EQ,
    NN_SIZE_NE,
    NN_SIZE_LT,
    NN_SIZE_LE,
    NN_SIZE_AND,
    NN_SIZE_OR,
    NN_SIZE_NOT,
    NN_SIZE_DIV,     /* with settings only */
    NN_SIZE_REAL,    /* the operand holds the bits of a double */
    NN_SIZE_SETTING, /* the operand is a tensor of role NN_SETTING */
    NN_SIZE_ROUND    /* with settings only: to the element type that is the operand */
};

/* How many values a program holds at once. */
enum { NN_SIZE_STACK = 64 };

/* A named thing that a caller can ask for. Sizes are offsets into image->size_code. */
typedef struct {
    const char *name;
    const char *doc; /* or NULL */
    uint8_t role, dtype;
    uint8_t rank;
    uint8_t has_range;
    uint32_t dims[12];
    uint32_t range; /* 0 <= value < range, checked on entry, when has_range */
    double value;   /* of a setting: its default */
} nn_tensor_info;

enum nn_buffer_kind { NN_BUFFER_TENSOR, NN_BUFFER_TEMPORARY, NN_BUFFER_LITERAL };

typedef struct {
    uint8_t kind, dtype;
    uint32_t tensor;   /* NN_BUFFER_TENSOR: index into image->tensors */
    uint32_t elements; /* size: offset into size_code */
    uint32_t first, last;
    const void *data; /* NN_BUFFER_LITERAL */
} nn_buffer;

/* What a kernel is called with. */
typedef struct {
    void *const *buffers; /* per kernel buffer */
    const int64_t *sizes; /* per kernel size */
    uint64_t seed, step;  /* of random draws */
    int64_t *error;       /* set to 1 + buffer when a checked index is out of range; else left alone */
} nn_kernel_args;

/* Runs the kernel for indices begin <= i < end of its split axis (0, 1 when it has none). */
typedef void nn_loop_function(const nn_kernel_args *args, int64_t begin, int64_t end);

/* A contraction's epilogue on one finished tile: rows m0 … m1, columns n0 … n1 of batch index `batch` (one per batch
 * axis); acc[(m - m0) * acc_stride + (n - n0)] are the sums. */
typedef void nn_tile_function(const nn_kernel_args *args, const int64_t *batch, int64_t m0, int64_t m1, int64_t n0,
                              int64_t n1, const void *acc, int64_t acc_stride);

enum { NN_MAX_BATCH_AXES = 6, NN_MAX_LIST_AXES = 4, NN_MAX_WINDOWS = 6 };
enum { NN_NO_AXIS = -1, NN_INNER_AXIS = NN_MAX_LIST_AXES }; /* in nn_window */

/* A subscript that may lie outside of its operand, whose elements there count as 0:
 *
 *     t = (f_outer * outer + f_inner * inner + offset) / div
 *
 * is inside where div divides and 0 <= t < limit; the operand then advances by t * stride elements. At most one window
 * mentions a list axis or k. */
typedef struct {
    int8_t operand; /* 0: a, 1: b */
    int8_t outer;   /* a batch axis, or NN_NO_AXIS */
    int8_t inner;   /* a list axis; NN_INNER_AXIS: k, with div == 1; or NN_NO_AXIS */
    int64_t f_outer, f_inner, offset, div, limit, stride;
} nn_window;

/* C[m, n] = sum over the list axes and k of A[m, …, k] * B[…, k, n], for each point of the batch axes. Strides count
 * elements. */
typedef struct {
    int64_t m, n, k;
    int64_t a_m, a_k, b_k, b_n, c_m;         /* c has n contiguous */
    int64_t batch_extent[NN_MAX_BATCH_AXES]; /* 1 where unused */
    int64_t batch_a[NN_MAX_BATCH_AXES], batch_b[NN_MAX_BATCH_AXES], batch_c[NN_MAX_BATCH_AXES];
    int64_t list_extent[NN_MAX_LIST_AXES], list_a[NN_MAX_LIST_AXES], list_b[NN_MAX_LIST_AXES];
    nn_window windows[NN_MAX_WINDOWS];
    int64_t a_offset, b_offset, c_offset;
    int32_t n_batch, n_list, n_windows;
    int32_t a, b;     /* kernel buffers */
    int32_t c;        /* kernel buffer that takes the sums as they are, or -1 when the tile function stores */
    int32_t has_tile; /* there is a tile function: always where c is -1 */
} nn_contraction;

/* Fills the description from the launch's sizes; called once when sizes are bound. */
typedef void nn_contraction_function(const int64_t *sizes, nn_contraction *out);

enum nn_kernel_kind { NN_KERNEL_LOOP, NN_KERNEL_CONTRACTION };

typedef struct {
    const char *name;
    uint8_t kind;
    uint8_t dtype;    /* of a contraction's elements */
    uint8_t align;    /* NN_KERNEL_LOOP: splits of the axis fall on multiples of this (vector length), at least 1 */
    uint8_t n_work;   /* how many entries of work */
    int32_t split;    /* NN_KERNEL_LOOP: kernel size that is the extent of the split axis, or -1 */
    uint8_t work[16]; /* kernel sizes whose product is the work of one index of the split axis */
    nn_loop_function *loop;
    nn_tile_function *tile; /* NULL when the contraction stores its sums as they are */
    nn_contraction_function *contraction;
} nn_kernel;

enum nn_phase_code { NN_FORWARD, NN_BACKWARD, NN_UPDATE };

typedef struct {
    uint32_t kernel;
    uint32_t buffers; /* first of the kernel's entries in image->references: indices into the program's buffers */
    uint32_t sizes;   /* likewise: offsets into size_code */
    uint16_t n_buffers, n_sizes;
    uint8_t phase, metric;
    uint16_t line; /* of the source, 0 when unknown */
} nn_launch;

/* The model's own programs are `initialise`, `inference`, `training`, `step` and `accumulate`. What only other programs
 * read (`data.train`) has the role NN_SOURCE and may have the name of one of the model's inputs. The inputs of a call
 * are the tensors of role NN_INPUT and NN_TARGET, in the order of image->tensors. */
typedef struct {
    const char *name;
    const nn_buffer *buffers;
    const nn_launch *launches;
    uint32_t n_buffers, n_launches;
} nn_program;

/* Sizes that must be equal once bound. Of a condition: a truth that must be 1. */
typedef struct {
    uint32_t left, right;
    const char *message;
} nn_check;

/* Kernels of fixed size for the inside of contractions, by CPU variant; see core/contract.c. */
struct nn_micro_kernels;

typedef struct nn_image {
    uint64_t magic;
    uint32_t version;
    uint32_t image_size;        /* sizeof(nn_image) of the compiler that made it */
    const char *name;           /* the model's */
    const char *cpu;            /* what it was compiled for: "x86-64-v4" */
    const char *description;    /* the compiler and its version */
    const char *const *symbols; /* free sizes */
    const nn_tensor_info *tensors;
    const int64_t *size_code;
    const uint32_t *references;
    const nn_kernel *kernels;
    const nn_program *programs;
    const nn_check *checks;
    const struct nn_micro_kernels *micro_kernels;
    uint32_t n_symbols, n_tensors, n_kernels, n_programs, n_checks;
    uint32_t reserved;
    /* Since then; only when image_size says so. */
    const void *weights; /* a safetensors file with which parameters and states start, or NULL */
    uint64_t weights_size;
} nn_image;

/* The first images ended before their weights. */
#define NN_IMAGE_SMALLEST offsetof(nn_image, weights)

/* The one symbol by which a library hands out its image. */
#define NN_IMAGE_ENTRY "nn_model_entry"
typedef const nn_image *nn_image_entry(void);

#endif
