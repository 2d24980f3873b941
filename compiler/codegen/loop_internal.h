/* How a kernel becomes loops.
 *
 * Stages are the values that need loops of their own: STORE, SCATTER and REDUCE. A block is emitted inside some open
 * axes for some sinks (stages to be done there). It takes the first stage that is not done, opens the axis that lets
 * most of the others join the loop, and emits a block inside. A reduction that a stage needs is emitted by the first
 * block that has its whole domain open, and once more where it is needed beyond that block: recomputed, never stored.
 * Everything else is evaluated on demand, at the outermost level that has its domain open, and lives until that level's
 * loop ends (LoopEmitter.bound).
 *
 * At most one open axis is the vector axis: a value that depends on it is a vector of `lanes` consecutive points. */
#ifndef NNC_CODEGEN_LOOP_INTERNAL_H
#define NNC_CODEGEN_LOOP_INTERNAL_H

#include "codegen/math.h"
#include "codegen/vector.h"
#include "kernel/kernel.h"

enum { MAX_LANES = 64 };

/* What is known about a value inside the open loops. */
typedef struct {
    LLVMValueRef value; /* NULL: not evaluated here */
    LLVMValueRef base;  /* accesses: address of what the open axes of `base_axes` select; NULL: not begun */
    AxisMask base_axes;
    LLVMValueRef sum, best; /* REDUCE, SCAN under way: accumulated so far; for ARGMAX and ARGMIN `sum` is the index */
    bool stored;            /* STORE: done for all points that the open axes leave */
} LoopValue;

/* Memory that accesses walk: strides in elements, as i64 values of the entry block. */
typedef struct {
    LLVMValueRef pointer;
    LLVMValueRef stride[MAX_RANK];
} MemoryWalk;

/* A value that waits in the memory of a store until that store overwrites it; store is UINT32_MAX when it does not. */
typedef struct {
    uint32_t store;
    uint32_t reduce; /* once this one is known, the value is in memory */
} Kept;

typedef struct LoopEmitter {
    Arena *arena;
    Vector *vector;
    const Kernel *kernel;
    LLVMValueRef function;
    LLVMValueRef *sizes; /* i64 */
    MemoryWalk *buffers;
    LLVMValueRef seed, step, error; /* of nn_kernel_args */
    LLVMValueRef spill;             /* where errors that did not happen are written */
    LLVMValueRef zero;              /* 8 zero bytes: what an untaken scalar load reads */
    LLVMValueRef nowhere;           /* room for a vector: where indices into no elements lead */

    AxisMask open;
    uint32_t vector_axis;               /* NO_AXIS when none is open */
    uint32_t lanes;                     /* points of the vector axis at a time: a register's, or several registers' */
    LLVMValueRef mask;                  /* of the lanes in use; NULL: all */
    LLVMValueRef at[KERNEL_MAX_AXES];   /* open axes: where they stand (lane 0 of the vector axis) */
    LLVMValueRef from[KERNEL_MAX_AXES]; /* bounds that are not 0 and the extent; NULL: those */
    LLVMValueRef to[KERNEL_MAX_AXES];
    LoopValue *bound; /* per kernel value */
    Kept *kept;       /* per kernel value */

    /* In a tile function: the reduction whose sums are given, as a matrix. */
    uint32_t given; /* value, or UINT32_MAX */
    uint32_t given_row, given_column;
    LLVMValueRef given_base, given_stride;
} LoopEmitter;

/* ---- loop_stage.c: what depends on what; which axis to open ---- */

/* The axes over which a stage runs. */
static inline AxisMask stage_axes(const KernelValue *stage)
{
    return stage->domain | stage->reduced;
}
bool is_sink(const KernelValue *value);
bool is_access(const KernelValue *value);
/* Calls visit for the operands of a value: its arguments and the integer values in its subscripts. */
void value_operands(const KernelValue *value, void (*visit)(void *data, uint32_t operand), void *data);
/* Sets needed[v] for all that `value` needs and is not evaluated yet, itself included. */
void mark_needed(const LoopEmitter *e, uint32_t value, bool *needed);
/* Axes that reductions still reduce before `value` can be had: they must not be opened for it. */
AxisMask blocked_axes(const LoopEmitter *e, uint32_t value);
/* The reductions not evaluated yet whose domain is open, and the sinks, in order. Arena. */
uint32_t *pending_stages(const LoopEmitter *e, const uint32_t *sinks, uint32_t n_sinks, uint32_t *count);
/* The axis to open for stages[0], whether as the vector axis, and which stages join (moved to `group`). */
uint32_t choose_axis(const LoopEmitter *e, const uint32_t *stages, uint32_t n_stages, bool *vectorised, uint32_t *group,
                     uint32_t *n_group);
/* True when the stages do so little, and some of it a reduction, that a vector of several registers pays: it hides the
 * latency of sums and walks columns in longer pieces. */
bool stages_go_wide(const LoopEmitter *e, const uint32_t *stages, uint32_t n_stages);
/* True if the stages call elementary functions. */
bool stages_are_elementary(const LoopEmitter *e, const uint32_t *stages, uint32_t n_stages);
/* True for elementary functions, which take tens of instructions. */
bool is_elementary(const KernelValue *value);
/* True when one step along the axis leads an access to the next element. */
bool walks_next(const Kernel *kernel, const KernelValue *access, uint32_t axis);
/* The scans along the axis that the stage needs and that are not evaluated, in `needed` order; returns how many. */
uint32_t pending_scans(const LoopEmitter *e, uint32_t stage, uint32_t axis, uint32_t *scans);
/* True when different points of the axis never scatter to the same element. */
bool scatter_separates(const KernelValue *scatter, uint32_t axis);

/* ---- loop_address.c ---- */

LLVMValueRef size_value(const LoopEmitter *e, uint32_t size);
/* Subscripts that data decides, or that are checked, are computed where the access stands; the others are walked. */
bool index_is_walked(const KernelIndex *index);
void walk_strides(LoopEmitter *e, MemoryWalk *walk, uint32_t rank, const uint32_t *dims);
/* Begins or extends the base address of an access by the open axes. */
void access_extend(LoopEmitter *e, uint32_t access);
/* What an access's address advances by, in elements, when the axis takes one step (NULL: nothing), and where it begins
 * when all axes are 0; of subscripts that data does not decide. */
LLVMValueRef access_stride(const LoopEmitter *e, uint32_t access, uint32_t axis);
/* The same without the subscripts whose bits are set. */
LLVMValueRef access_stride_without(const LoopEmitter *e, uint32_t access, uint32_t axis, uint32_t without);
LLVMValueRef access_offset_without(const LoopEmitter *e, uint32_t access, uint32_t without);
/* What a subscript is where all axes are 0, before it is divided. */
LLVMValueRef subscript_offset(const LoopEmitter *e, const KernelIndex *index);
LLVMValueRef emit_load(LoopEmitter *e, uint32_t value);
void emit_store(LoopEmitter *e, uint32_t value);
void emit_scatter(LoopEmitter *e, uint32_t value);
LLVMValueRef emit_random(LoopEmitter *e, uint32_t value);

/* Writes a value where a store will write later, and reads it back. */
void store_early(LoopEmitter *e, uint32_t store, LLVMValueRef value);
LLVMValueRef load_early(LoopEmitter *e, uint32_t store);

/* ---- loop_keep.c ---- */

void find_kept(LoopEmitter *e);
/* True when the value can be read back where the emitter stands. */
bool is_kept(const LoopEmitter *e, uint32_t value);
/* Called with each value that was computed. */
void keep_value(LoopEmitter *e, uint32_t value, LLVMValueRef what);

/* ---- loop_value.c ---- */

/* The value where the emitter stands; a vector exactly when it depends on the open vector axis. */
LLVMValueRef value_emit(LoopEmitter *e, uint32_t value);
/* The same, as a vector of `lanes` (1: scalar) in any case. */
LLVMValueRef value_wide(LoopEmitter *e, uint32_t value, uint32_t lanes);
/* How wide the value is here. */
uint32_t value_lanes(const LoopEmitter *e, uint32_t value);

/* ---- loop_reduce.c ---- */

bool reduce_keeps_index(const KernelValue *reduce);
/* Sets the accumulator to the identity. */
void reduce_begin(LoopEmitter *e, uint32_t reduce, uint32_t lanes);
/* Accumulates the point where the emitter stands. */
void reduce_point(LoopEmitter *e, uint32_t reduce);
/* Accumulates another accumulator (of what comes later in order). */
void reduce_join(LoopEmitter *e, uint32_t reduce, LLVMValueRef sum, LLVMValueRef best);
/* Makes a vector accumulator one of fewer lanes, halving it: lane i with lane i + half. */
void reduce_fold(LoopEmitter *e, uint32_t reduce, uint32_t lanes);
/* True where the order of the elements shows in the last bits: sums and products of floats. */
bool reduce_is_ordered(const LoopEmitter *e, uint32_t reduce);
/* The elementwise operator that a reduction repeats. */
Op reduce_step(const KernelValue *reduce);

/* ---- loop_strip.c ---- */

/* One loop over an axis for a group of stages. */
typedef struct {
    uint32_t axis;
    bool vectorised;
    const uint32_t *group;
    uint32_t n_group;
    uint32_t *reduces; /* of the group: those that the axis is reduced by; or the scans along it that it needs */
    uint32_t n_reduces;
} Loop;

/* The accumulator of one of a loop's reductions. */
typedef struct {
    LLVMValueRef sum, best;
} Accumulator;

/* Memory for the accumulators of ordered sums where the code has fewer of them in registers; per reduction of the
 * loop, NULL for others. */
typedef struct {
    LLVMValueRef *at;
} Slots;

LoopValue *scope_enter(LoopEmitter *e);
/* Forgets what was evaluated since, but for accumulators. */
void scope_leave(LoopEmitter *e, const LoopValue *outer);
LLVMBasicBlockRef emitter_block(const LoopEmitter *e, const char *name);
void phi_incoming(LLVMValueRef phi, LLVMValueRef value, LLVMBasicBlockRef from);

/* The accumulators of a loop's reductions, out of and into the loop values. */
void sums_take(const LoopEmitter *e, const Loop *loop, Accumulator *to);
void sums_give(LoopEmitter *e, const Loop *loop, const Accumulator *from);
Accumulator *sums_copy(const LoopEmitter *e, const Loop *loop, const Accumulator *sums);
/* Phis of the accumulators in the block where the builder stands. */
Accumulator *sums_phis(LoopEmitter *e, const Loop *loop, const Accumulator *like);
void sums_incoming(const Loop *loop, const Accumulator *phis, const Accumulator *sums, LLVMBasicBlockRef from);

/* The loop's body for the point or vector `at`; sums are replaced. */
void loop_body(LoopEmitter *e, const Loop *loop, LLVMValueRef at, Accumulator *sums);
/* for (i = from; i < limit; i += step) */
typedef struct {
    LLVMValueRef from, limit;
    LLVMValueRef masked_to; /* lanes beyond it are masked out; NULL: none */
    const Slots *slots;     /* sums that go through memory; NULL: none */
    bool some;              /* from < limit for certain */
} Strip;

/* Gives where it ended; sums go in and out. */
LLVMValueRef strip_emit(LoopEmitter *e, const Loop *loop, const Strip *strip, Accumulator *sums);

/* ---- loop_leaves.c: the order of sums ---- */

/* The lanes of a sum along the vector axis fill so many registers, whatever the width of the code that forms it. */
enum { LANE_REGISTERS = 4 };

/* True when some of the loop's reductions are ordered. */
bool loop_is_ordered(const LoopEmitter *e, const Loop *loop);
/* A strip without a mask, whose bounds are multiples of all lanes where the loop is vectorised; ordered sums go in at
 * their identity and come out as wide as all lanes, added leaf by leaf. */
void leaves_emit(LoopEmitter *e, const Loop *loop, const Strip *strip, Accumulator *sums);
void slots_read(LoopEmitter *e, const Loop *loop, const Slots *slots, LLVMValueRef at, Accumulator *sums);
void slots_write(LoopEmitter *e, const Loop *loop, const Slots *slots, LLVMValueRef at, const Accumulator *sums);

/* ---- loop_scan.c ---- */

/* How wide the accumulator is: one lane per lane of the vector axis, unless that is the axis which is scanned. */
uint32_t accumulator_lanes(const LoopEmitter *e, const KernelValue *value);

/* A SCAN's value where the emitter stands: what was accumulated and the operand, which is accumulated, too. */
LLVMValueRef scan_point(LoopEmitter *e, uint32_t scan);

/* ---- loop_transpose.c ---- */

/* True for a store of what was loaded, along the axis, while *other, the only other axis that is not open, is the one
 * along which the load finds neighbours. */
bool copies_across(const LoopEmitter *e, uint32_t stage, uint32_t axis, uint32_t *other);
/* Emits the part of such a copy that whole squares of vectors cover; gives where on both axes the rest begins. */
void squares_emit(LoopEmitter *e, uint32_t stage, uint32_t axis, uint32_t other, LLVMValueRef *end,
                  LLVMValueRef *other_end);

/* ---- loop_nest.c ---- */

void block_emit(LoopEmitter *e, const uint32_t *sinks, uint32_t n_sinks);

/* ---- loop.c ---- */

typedef enum { EMIT_KERNEL, EMIT_SIZES } EmitWhat;

/* Begins a function and an LoopEmitter in it whose entry block has read sizes and strides. The function's first
 * parameter is the nn_kernel_args, whose other fields are read too, or (EMIT_SIZES) the array of sizes. */
LoopEmitter *emitter_begin(Arena *arena, Vector *vector, const Kernel *kernel, const char *symbol, LLVMTypeRef type,
                           EmitWhat what);
/* Emits all stores and scatters of the kernel but `skip` (UINT32_MAX: none) and ends the function. */
void emitter_finish(LoopEmitter *e, uint32_t skip);

static inline LLVMTypeRef type_i64(const LoopEmitter *e)
{
    return LLVMInt64TypeInContext(e->vector->context);
}
static inline LLVMValueRef const_i64(const LoopEmitter *e, int64_t value)
{
    return LLVMConstInt(type_i64(e), (unsigned long long)value, true);
}

#endif
