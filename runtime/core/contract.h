/* Contractions: cache blocking, packing and the split into tasks around micro kernels that the code generator emits.
 *
 *     C[m, n] = sum over k of A[m, k] * B[k, n]        for each point of the batch axes
 *
 * The order of a sum depends on the sizes, the operands' layouts and the vectors' width alone; never on where C goes,
 * how it is blocked, packed and split, or on threads. There are two orders.
 *
 * Chain: k is cut into leaves of NN_LEAF terms, rounded down to whole runs where several axes are summed. A leaf is one
 * chain of multiply-adds that begins with 0, and leaves are added as a binary counter counts: two single ones to a
 * pair, two pairs to a four, and so on.
 *
 * Lanes: for few rows (or one column) along contiguous k, in leaves of NN_LEAF terms a lane. Each lane is a chain over
 * every lanes-th term, then the lanes are added by halves. Leaves are added as above.
 *
 * Tasks are blocks of C. Where C is small and k long they are parts of k, so many leaves that a part's sum is one that
 * the counter passes through; a second round of tasks adds the parts. A tile function gets whole rows of a block, in
 * strips that are still near, wherever B, packed or not, is small enough to be walked again for each strip.
 *
 * Nothing here allocates. */
#ifndef NN_CONTRACT_H
#define NN_CONTRACT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "nn_image.h"

enum { NN_LEAF = 1024 };
enum { NN_MICRO_WIDTHS = 4, NN_MICRO_HEIGHTS = 16, NN_MICRO_ROWS = 3 };

/* C[i, j] = sum over k of A[i, k] * B[k, j] for the rows and columns of one tile of fixed size, k running through
 * `blocks` stretches of equal length: block i begins offsets[2 i] elements behind a and offsets[2 i + 1] behind b. B's
 * and C's columns are contiguous. In `along_k` kernels A's k is contiguous and a_stride leads from row to row; in
 * `along_m` kernels its rows are contiguous and a_stride leads from k to k + 1. `last` columns of the last vector
 * count, 1 … lanes. Each sum is a chain that begins with 0, or with C where `carry` is not 0. Strides in elements. */
typedef void nn_micro_tile(int64_t k, const void *a, int64_t a_stride, const void *b, int64_t b_stride, void *c,
                           int64_t c_stride, int64_t last, int64_t carry, int64_t blocks, const int64_t *offsets);
/* c[j] = sum over k of a[k] * b[j * b_stride + k] for j < count <= lanes. */
typedef void nn_micro_dot(int64_t k, const void *a, const void *b, int64_t b_stride, void *c, int64_t count);
/* to[k * to_stride + j] = from[j * from_stride + k] for j < count <= lanes. Writes whole vectors: `to` needs room for
 * k rounded up to a multiple of the lanes, and what is written beyond count or k has no meaning. */
typedef void nn_micro_transpose(int64_t k, int64_t count, const void *from, int64_t from_stride, void *to,
                                int64_t to_stride);
/* to[i * to_stride + j] = from[i * from_stride + j] for i < rows, j < columns. */
typedef void nn_micro_copy(int64_t rows, int64_t columns, const void *from, int64_t from_stride, void *to,
                           int64_t to_stride);
/* The same, added to what is there. */
typedef void nn_micro_add(int64_t rows, int64_t columns, const void *from, int64_t from_stride, void *to,
                          int64_t to_stride);

/* The micro kernels of one element type. Tiles are indexed [vectors - 1][rows - 1]. */
typedef struct {
    int32_t size;                     /* bytes of an element */
    int32_t lanes;                    /* elements of a vector */
    int32_t heights[NN_MICRO_WIDTHS]; /* most rows of a tile of 1 … 4 vectors */
    int32_t reads_whole;              /* tiles read whole vectors of B even where `last` is less */
    nn_micro_tile *along_k[NN_MICRO_WIDTHS][NN_MICRO_HEIGHTS];
    nn_micro_tile *along_m[NN_MICRO_WIDTHS][NN_MICRO_HEIGHTS];
    int32_t row_vectors[NN_MICRO_ROWS]; /* one row by many vectors, widest first */
    nn_micro_tile *row[NN_MICRO_ROWS];
    nn_micro_dot *dot;
    nn_micro_transpose *transpose;
    nn_micro_copy *copy;
    nn_micro_add *add;
} nn_micro_shapes;

typedef struct nn_micro_kernels {
    const char *cpu; /* "x86-64-v4" */
    const nn_micro_shapes *f32, *f64;
} nn_micro_kernels;

typedef enum {
    NN_FORM_TILES, /* tiles of C in registers */
    NN_FORM_ROWS,  /* row after row: few rows, B's columns contiguous */
    NN_FORM_DOTS,  /* row after row, B's k contiguous: the one form whose order is `lanes` */
    NN_FORM_LISTS  /* tiles over several axes of k */
} nn_form;

typedef enum {
    NN_PACK_NONE,
    NN_PACK_COPY,      /* the same order, close together */
    NN_PACK_TRANSPOSE, /* by the transposing micro kernel */
    NN_PACK_GATHER     /* element by element */
} nn_pack;

/* What a contraction over lists has besides. A run is k at one point of the list axes, a block one that is seen. */
typedef struct {
    int64_t runs;
    int64_t leaf_runs, pieces; /* a leaf is so many runs, or one of so many pieces of a run */
    int64_t most_blocks;       /* of a leaf */
    int64_t part_blocks;       /* of it that are added at a time, while they are near */
    int64_t group;             /* points of the batch that share a panel of B while it is near */
    int64_t width;             /* columns of a panel of B */
    bool packs_whole;          /* B is packed once a task, not once a leaf */
    int64_t k_stride;          /* rows of packed B that a run takes */
    int64_t panel_bytes;       /* of packed B */
    size_t scratch;            /* offset of the lists */
} nn_lists;

/* How a contraction is carried out, decided once, when its sizes are bound, from sizes and strides alone. Callers read
 * `tasks` and `scratch_size`. */
typedef struct {
    nn_contraction contraction;
    const nn_micro_shapes *shapes;
    nn_form form;
    bool swapped; /* computes the transpose: n was 1 */
    bool stores;  /* sums go to C at once, else through scratch */
    bool spreads; /* they are copied there from scratch, one by one: C's elements are apart */
    bool along_k; /* which tiles read A */
    bool by_rows; /* tiles: panels inside strips of rows, so that a tile function gets whole rows */
    nn_pack pack_a, pack_b;
    int64_t m, n, k, a_m, a_k, b_k, b_n, c_m; /* after the swap */
    int32_t vectors;                          /* most vectors of a panel of B */
    int64_t leaf, leaves;                     /* terms of k in a leaf (the last has the rest) */
    int64_t parts, part_leaves;               /* of k, each of so many leaves: a power of 2, or all of them */
    int64_t k_block;                          /* most terms of a leaf at a time */
    int64_t tasks;                            /* independent ones; 0 when C is empty */
    int64_t batches, batch_tasks, m_tasks, n_tasks;
    int64_t block_m, block_n;                  /* the largest block of a task */
    int64_t strip_tiles, panel_rows;           /* by_rows: tiles of a strip, rows of a packed panel of B */
    size_t scratch_size;                       /* bytes that one thread needs */
    size_t scratch_b, scratch_c, scratch_sums; /* offsets; A's part is first */
    size_t sums_size;                          /* bytes of one block of sums of leaves that wait to be added */
    int64_t part_stride;                       /* of several parts: from row to row of the sums */
    size_t part_size, shared_size;             /* bytes of one part's sums; bytes that all threads share */
    int64_t finish_rows, finish_tasks;         /* rows that are finished at a time; 0 tasks: when they are summed */
    nn_lists lists;                            /* NN_FORM_LISTS */
} nn_contract_plan;

/* dtype is NN_F32 or NN_F64. The micro kernels must outlive the plan. */
nn_contract_plan nn_contract_prepare(const nn_contraction *contraction, uint8_t dtype, const nn_micro_kernels *micro);

/* What a contraction is called with. */
typedef struct {
    const nn_kernel_args *args;
    nn_tile_function *tile;            /* called on each finished tile; NULL: none */
    void *shared;                      /* plan->shared_size bytes aligned to 64 */
    const volatile sig_atomic_t *stop; /* where it is not 0 no further task begins; NULL: never */
} nn_contract_call;

/* Runs tasks begin <= i < end, in any order and on any thread; each thread has scratch of its own, plan->scratch_size
 * bytes aligned to 64. A finished tile's sums stand in C where the contraction stores C, else in memory of the call.
 * k == 0 gives zeros. */
void nn_contract_run(const nn_contract_plan *plan, const nn_contract_call *call, int64_t begin, int64_t end,
                     void *scratch);

/* Where k is cut into parts: adds their sums and finishes the rows, in tasks begin <= i < end of plan->finish_tasks,
 * once all of the other tasks are done. */
void nn_contract_finish(const nn_contract_plan *plan, const nn_contract_call *call, int64_t begin, int64_t end);

#endif
