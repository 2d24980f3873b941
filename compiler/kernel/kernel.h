/* Kernel IR: one loop nest as a list of scalar values over named axes. Where the graph says what is computed, a kernel
 * says in which loops, from which memory, at which addresses. The text form is .nnk.
 *
 * A kernel knows no actual sizes: each distinct size is a local parameter (sizes[i]) whose value a launch supplies, so
 * that layers of different widths share one compiled kernel. Equal sizes are the same parameter.
 *
 * Values are in SSA order. Each has a domain: the set of axes on which it depends (a bit mask), seldom more (an operand
 * of a REDUCE names all axes that are reduced, whether it depends on them or not). REDUCE removes axes from it, SCAN
 * keeps them: it is the one value that at a point depends on the points before. A store runs once for each point of its
 * own domain, the axes of its subscripts. The kernel means: for every axis point, in the order of the list, as if each
 * value were computed over its whole domain before the next one is. An axis may be reduced by one value and appear in a
 * later one again (softmax: max over j, sum over j, store over j). */
#ifndef NNC_KERNEL_KERNEL_H
#define NNC_KERNEL_KERNEL_H

#include "ir/graph.h"

typedef uint32_t AxisMask;

/* NO_AXIS has none. */
static inline AxisMask axis_bit(uint32_t axis)
{
    return axis == NO_AXIS ? 0 : (AxisMask)1 << axis;
}

enum { KERNEL_MAX_AXES = 24 };

/* A local size: a parameter of the kernel, or 0 or 1 where that is known for ever (known = true). */
typedef struct {
    bool known;
    int64_t value;
} KernelSize;

typedef struct {
    uint32_t extent; /* index into sizes */
} KernelAxis;

/* Row-major memory of a logical shape; a launch says which. No two buffers of a launch overlap, unless the same memory
 * is named once and both read and written, always at the same point. */
typedef struct {
    DType dtype;
    uint32_t rank;
    uint32_t dims[MAX_RANK]; /* indices into sizes */
    bool read, written;
} KernelBuffer;

/* One subscript: sum of factor * axis over the terms, plus a size, plus an integer value if `value` >= 0; all of that
 * divided by `div`, which divides it wherever the access takes place: what a stride spreads out is read by no other. */
typedef struct {
    uint32_t axis;
    int64_t factor;
} KernelTerm;

typedef struct {
    uint32_t n_terms;
    const KernelTerm *terms;
    uint32_t offset; /* index into sizes */
    bool negative;   /* the offset is subtracted */
    int32_t value;   /* a value of dtype i32 or i64, or -1; checked against the dimension when `checked` */
    bool checked;    /* an index from data: out of range sets the launch's error and reads element 0 */
    int64_t div;     /* at least 1; more only in a LOAD with a mask, and not with a value */
} KernelIndex;

typedef enum {
    KERNEL_LOAD,     /* buffer[index…]; args[0], if there, is a bool: false gives 0 and does not read */
    KERNEL_AXIS,     /* the number of axis `axis`, as i64 */
    KERNEL_CONSTANT, /* number; of an integer type integer, which it is the nearest of */
    KERNEL_SIZE,     /* sizes[size], as i64 */
    KERNEL_NUMBER,   /* the f32 or f64 whose bits sizes[size] holds: a launch's number, so that kernels share code */
    KERNEL_RANDOM,   /* uniform in (0, 1), f32; counter: the row-major position of index… in dims; see nn_random.h */
    KERNEL_COMPUTE,  /* an elementwise operator of ops.def on args */
    KERNEL_REDUCE,   /* op is SUM, PROD, REDUCE_MAX, REDUCE_MIN, ANY, ALL, ARGMAX or ARGMIN over the axes `reduced`; of
                        several axes a position is args[1], an i64, and of equal elements the smallest is taken */
    KERNEL_SCAN,     /* the same so far: over the points of the one axis `reduced` up to this one; ARGMAX, ARGMIN not */
    KERNEL_STORE,    /* buffer[index…] = args[0] */
    KERNEL_SCATTER /* buffer[index…] += args[0], in the order of the axes; the buffer was zeroed by an earlier kernel */
} KernelValueKind;

typedef struct {
    KernelValueKind kind;
    DType dtype;
    Op op;
    AxisMask domain;
    AxisMask reduced;
    uint32_t n_args;
    uint32_t args[3];
    uint32_t buffer;
    uint32_t axis, size;
    uint32_t n_index;
    uint32_t clipped;         /* LOAD with a mask: bit d where the mask says that subscript d lies inside, and nothing
                                 else; 0 when it says something else */
    const KernelIndex *index; /* one per dimension of the buffer (LOAD, STORE, SCATTER) or of the draw (RANDOM) */
    uint32_t dims[MAX_RANK];  /* RANDOM: the draw's sizes (indices into sizes) */
    uint32_t stream;          /* RANDOM: index into sizes, whose value is the hash of path and number: nn_random.h */
    double number;
    int64_t integer;
} KernelValue;

typedef struct Kernel {
    Name name; /* what it mostly does, for people: `logits_dense_relu` */
    uint32_t n_sizes, n_axes, n_buffers, n_values;
    KernelSize *sizes;
    KernelAxis *axes;
    KernelBuffer *buffers;
    KernelValue *values;
} Kernel;

enum { KERNEL_MAX_WINDOWS = 6 };

/* A clipped subscript of an operand of a contraction: f_outer * outer + f_inner * inner, an axis of the batch and one
 * that is summed; NO_AXIS where there is none. */
typedef struct {
    uint32_t load, subscript;
    uint32_t outer, inner;
    int64_t f_outer, f_inner;
} KernelWindow;

/* A contraction that the tiled code can do: exactly one REDUCE, a SUM of mul(LOAD a, LOAD b) (after kernel_merge_axes),
 * where a lacks n, b lacks m, and n is the last axis of the stores. k is the summed axis that A walks nearest, the
 * others are lists; all other axes of the result are batch axes, whether both operands have them or only one (a second
 * m axis that could not be merged with the first, or one that moves a window). Loads have no subscripts from data and
 * no mask but that of their clipped subscripts, in which m and n do not occur; every store has the result's axes; what
 * depends on the summed axes leads to the sum alone. */
typedef struct {
    uint32_t reduce, a, b; /* values */
    uint32_t m, n, k;      /* axes; m or n is NO_AXIS when there is none (a vector) */
    AxisMask batch, lists;
    uint32_t n_windows;
    KernelWindow windows[KERNEL_MAX_WINDOWS];
} KernelContraction;

/* True and filled when the kernel has this form. */
bool kernel_contraction(const Kernel *kernel, KernelContraction *form);

/* Merges neighbouring axes that every access walks as one (`i*784 + j` contiguous), so that loops get long. A product
 * of sizes becomes a new local size: `sizes` (the launch's sizes, as many as the kernel has) grows along. In place. */
void kernel_merge_axes(Arena *arena, DimTable *dims, Kernel *kernel, Dim **sizes);

/* Removes sizes that nothing uses (in `sizes` too) and numbers the others by first use: in axes, buffers, values. */
void kernel_compact_sizes(Arena *arena, Kernel *kernel, Dim **sizes);

/* The axes in one subscript, data subscripts' domains included. */
AxisMask kernel_index_axes(const Kernel *kernel, const KernelIndex *index);
/* True when the subscript is one bare axis (then *axis is it): factor 1, no offset, no data. */
bool kernel_index_plain(const Kernel *kernel, const KernelIndex *index, uint32_t *axis);
/* True for a subscript of the load that its mask keeps inside. */
bool kernel_index_clipped(const KernelValue *load, uint32_t subscript);
/* Equal subscripts of the same kernel. */
bool kernel_index_same(const KernelIndex *a, const KernelIndex *b, uint32_t count);

/* A copy that needs nothing of where the kernel lies but its name. */
Kernel *kernel_copy(Arena *arena, const Kernel *kernel);

/* Equal but for names: they may share their code. */
bool kernel_equal(const Kernel *a, const Kernel *b);
uint64_t kernel_hash(const Kernel *kernel);

void kernel_print(const Kernel *kernel, Text *to);
/* Moves *at past what kernel_print wrote; NULL when it is not a kernel; *error says why (arena). */
Kernel *kernel_read(Context *context, const char **at, const char **error);
/* NULL when valid, else what is wrong (arena of the context). */
const char *kernel_verify(Context *context, const Kernel *kernel);

#endif
