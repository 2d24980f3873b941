/* Micro kernels beside the tiles: dot products, transposition, copies and sums of panels. */
#include "codegen/micro_internal.h"

static LLVMValueRef parameter(const Micro *m, unsigned index)
{
    return LLVMGetParam(m->function, index);
}

/* One step of a recursive transposition by blocks of d lanes. low: x's lanes without bit d, then y's moved up by d;
 * high: x's lanes with bit d moved down, then y's. */
static LLVMValueRef shuffle_blocks(const Micro *m, LLVMValueRef x, LLVMValueRef y, uint32_t d, bool high)
{
    LLVMValueRef lanes[MICRO_MOST_LANES];
    for (uint32_t i = 0; i < m->lanes; i++) {
        uint32_t from_x = high ? i + d : i, from_y = m->lanes + (high ? i : i - d);
        lanes[i] = LLVMConstInt(LLVMInt32TypeInContext(m->v->context), i & d ? from_y : from_x, false);
    }
    return LLVMBuildShuffleVector(m->b, x, y, LLVMConstVector(lanes, m->lanes), "");
}

/* Which lanes of x and y (counted behind x's) a shuffle takes, by their number in the result. */
typedef uint32_t PickLane(const Micro *m, uint32_t i, uint32_t size);

static LLVMValueRef shuffle(const Micro *m, LLVMValueRef x, LLVMValueRef y, PickLane *pick, uint32_t size, uint32_t add)
{
    LLVMValueRef lanes[MICRO_MOST_LANES];
    LLVMTypeRef i32 = LLVMInt32TypeInContext(m->v->context);
    for (uint32_t i = 0; i < m->lanes; i++) lanes[i] = LLVMConstInt(i32, pick(m, i, size) + add, false);
    return LLVMBuildShuffleVector(m->b, x, y, LLVMConstVector(lanes, m->lanes), "");
}

/* Lanes in 16 bytes, which shuffles move as a whole or stay within. */
static uint32_t lanes_of_16(const Micro *m)
{
    return m->dtype == DTYPE_F64 ? 2 : 4;
}

/* In each 16 bytes the lower half of x's and y's there, taking turns by `size` lanes. */
static uint32_t pick_turns(const Micro *m, uint32_t i, uint32_t size)
{
    uint32_t each = lanes_of_16(m), within = i % each, turn = within / size;
    return i - within + turn / 2 * size + within % size + turn % 2 * m->lanes;
}

/* Every other 16 bytes of x, then of y. */
static uint32_t pick_others(const Micro *m, uint32_t i, uint32_t size)
{
    (void)m;
    return i / size * 2 * size + i % size;
}

/* Rows i and i + apart of each group of 2 * apart become what `pick` takes of them and, `add` lanes on, the rest. */
static void shuffle_pairs(const Micro *m, LLVMValueRef *rows, uint32_t apart, PickLane *pick, uint32_t size,
                          uint32_t add)
{
    for (uint32_t i = 0; i < m->lanes; i++) {
        if (i & apart) continue;
        LLVMValueRef x = rows[i], y = rows[i + apart];
        rows[i] = shuffle(m, x, y, pick, size, 0);
        rows[i + apart] = shuffle(m, x, y, pick, size, add);
    }
}

/* First within 16 bytes, then of 16 bytes as a whole: the shuffles that processors do fastest. They leave in row i the
 * column whose number has the bits of i, those within 16 bytes in reverse order. */
static void transpose_registers(const Micro *m, LLVMValueRef *rows)
{
    uint32_t each = lanes_of_16(m);
    LLVMValueRef columns[MICRO_MOST_LANES];
    for (uint32_t size = 1; size < each; size *= 2) shuffle_pairs(m, rows, size, pick_turns, size, each / 2);
    for (uint32_t apart = each; apart < m->lanes; apart *= 2) shuffle_pairs(m, rows, apart, pick_others, each, each);
    for (uint32_t i = 0; i < m->lanes; i++) {
        uint32_t column = 0;
        for (uint32_t bit = 1; bit < each; bit *= 2) column |= i & bit ? each / 2 / bit : 0;
        for (uint32_t bit = each; bit < m->lanes; bit *= 2) column |= i & bit;
        columns[column] = rows[i];
    }
    for (uint32_t i = 0; i < m->lanes; i++) rows[i] = columns[i];
}

/* Lane i of the result is the sum of rows[i]: a transposition whose halves are added at each step. */
static LLVMValueRef sum_rows(const Micro *m, LLVMValueRef *rows)
{
    for (uint32_t d = m->lanes / 2; d; d /= 2)
        for (uint32_t i = 0; i < d; i++) {
            LLVMValueRef low = shuffle_blocks(m, rows[i], rows[i + d], d, false);
            LLVMValueRef high = shuffle_blocks(m, rows[i], rows[i + d], d, true);
            rows[i] = LLVMBuildFAdd(m->b, low, high, "");
        }
    return rows[0];
}

/* Pointers to `lanes` rows of which only `count` exist: the others repeat the first, so that reading them is safe. */
static void row_pointers(const Micro *m, LLVMValueRef from, LLVMValueRef stride, LLVMValueRef count, LLVMValueRef *rows)
{
    for (uint32_t i = 0; i < m->lanes; i++) {
        LLVMValueRef exists = LLVMBuildICmp(m->b, LLVMIntSLT, micro_i64(m, i), count, "");
        LLVMValueRef offset = LLVMBuildMul(m->b, stride, micro_i64(m, i), "");
        rows[i] = micro_at(m, from, LLVMBuildSelect(m->b, exists, offset, micro_i64(m, 0), ""));
    }
}

static LLVMValueRef whole_part(const Micro *m, LLVMValueRef count)
{
    return LLVMBuildAnd(m->b, count, micro_i64(m, -(int64_t)m->lanes), "");
}

/* Opens a block that runs when `rest` is positive; returns the block after it. */
static LLVMBasicBlockRef when_positive(const Micro *m, LLVMValueRef rest)
{
    LLVMBasicBlockRef some = LLVMAppendBasicBlockInContext(m->v->context, m->function, "rest");
    LLVMBasicBlockRef after = LLVMAppendBasicBlockInContext(m->v->context, m->function, "whole");
    LLVMBuildCondBr(m->b, LLVMBuildICmp(m->b, LLVMIntSGT, rest, micro_i64(m, 0), ""), some, after);
    LLVMPositionBuilderAtEnd(m->b, some);
    return after;
}

/* Parameters of nn_micro_dot. */
enum { DOT_K, DOT_A, DOT_B, DOT_B_STRIDE, DOT_C, DOT_COUNT };
/* Rows of B read side by side: as many sums hide the latency of the multiply-add; more streams than that are beyond
 * what processors prefetch. */
enum { DOT_GROUP = 8 };

static void dot_step(const Micro *m, LLVMValueRef const *rows, uint32_t n, LLVMValueRef k, LLVMValueRef mask,
                     LLVMValueRef const *sums, LLVMValueRef *next)
{
    LLVMValueRef a = vector_load(m->v, m->dtype, micro_at(m, parameter(m, DOT_A), k), m->lanes, mask);
    for (uint32_t i = 0; i < n; i++) {
        LLVMValueRef b = vector_load(m->v, m->dtype, micro_at(m, rows[i], k), m->lanes, mask);
        next[i] = vector_fma(m->v, a, b, sums[i]);
    }
}

/* The products of `n` rows, still spread over the lanes: whole vectors of k first, then the masked rest. */
static void dot_group(const Micro *m, LLVMValueRef const *rows, uint32_t n, LLVMValueRef *sums)
{
    LLVMValueRef phis[MICRO_MOST_LANES], next[MICRO_MOST_LANES], rest_sums[MICRO_MOST_LANES];
    LLVMValueRef zero = LLVMConstNull(vector_type(m->v, m->dtype, m->lanes)), k = parameter(m, DOT_K);
    LLVMValueRef whole = whole_part(m, k), rest = LLVMBuildSub(m->b, k, whole, "");
    LLVMValueRef mask = vector_mask(m->v, rest, m->lanes);
    Loop loop = loop_begin(m, whole, m->lanes);
    for (uint32_t i = 0; i < n; i++) phis[i] = loop_phi(m, &loop, zero);
    dot_step(m, rows, n, loop.index, NULL, phis, next);
    for (uint32_t i = 0; i < n; i++) loop_carry(m, phis[i], next[i]);
    loop_end(m, &loop);
    for (uint32_t i = 0; i < n; i++) sums[i] = loop_result(m, &loop, phis[i], next[i]);
    LLVMBasicBlockRef before = LLVMGetInsertBlock(m->b), after = when_positive(m, rest);
    dot_step(m, rows, n, whole, mask, sums, rest_sums);
    LLVMBasicBlockRef some = LLVMGetInsertBlock(m->b);
    LLVMBuildBr(m->b, after);
    LLVMPositionBuilderAtEnd(m->b, after);
    for (uint32_t i = 0; i < n; i++) {
        LLVMValueRef phi = LLVMBuildPhi(m->b, LLVMTypeOf(zero), "");
        LLVMAddIncoming(phi, (LLVMValueRef[]){sums[i], rest_sums[i]}, (LLVMBasicBlockRef[]){before, some}, 2);
        sums[i] = phi;
    }
}

LLVMValueRef micro_dot(Vector *v, DType dtype)
{
    Micro micro = micro_begin(v, dtype, dtype == DTYPE_F64 ? "dot_f64" : "dot_f32", "ippipi"), *m = &micro;
    LLVMValueRef rows[MICRO_MOST_LANES], sums[MICRO_MOST_LANES], count = parameter(m, DOT_COUNT);
    row_pointers(m, parameter(m, DOT_B), parameter(m, DOT_B_STRIDE), count, rows);
    LLVMValueRef columns = vector_mask(v, count, m->lanes), c = parameter(m, DOT_C);
    for (uint32_t i = 0; i < m->lanes; i += DOT_GROUP)
        dot_group(m, rows + i, m->lanes - i < DOT_GROUP ? m->lanes - i : DOT_GROUP, sums + i);
    vector_store(v, dtype, sum_rows(m, sums), c, columns);
    micro_end(m);
    return m->function;
}

static void transpose_block(const Micro *m, LLVMValueRef const *rows, LLVMValueRef k, LLVMValueRef mask)
{
    LLVMValueRef block[MICRO_MOST_LANES];
    for (uint32_t i = 0; i < m->lanes; i++)
        block[i] = vector_load(m->v, m->dtype, micro_at(m, rows[i], k), m->lanes, mask);
    transpose_registers(m, block);
    LLVMValueRef stride = parameter(m, 5);
    LLVMValueRef to = micro_at(m, parameter(m, 4), LLVMBuildMul(m->b, k, stride, ""));
    for (uint32_t i = 0; i < m->lanes; i++)
        vector_store(m->v, m->dtype, block[i], micro_at(m, to, micro_times(m, stride, i)), NULL);
}

/* nn_micro_transpose: (k, count, from, from_stride, to, to_stride). */
LLVMValueRef micro_transpose(Vector *v, DType dtype)
{
    Micro micro = micro_begin(v, dtype, dtype == DTYPE_F64 ? "transpose_f64" : "transpose_f32", "iipipi"), *m = &micro;
    LLVMValueRef rows[MICRO_MOST_LANES];
    LLVMValueRef k = parameter(m, 0), whole = whole_part(m, k), rest = LLVMBuildSub(m->b, k, whole, "");
    row_pointers(m, parameter(m, 2), parameter(m, 3), parameter(m, 1), rows);
    Loop loop = loop_begin(m, whole, m->lanes);
    transpose_block(m, rows, loop.index, NULL);
    loop_end(m, &loop);
    LLVMBasicBlockRef after = when_positive(m, rest);
    transpose_block(m, rows, whole, vector_mask(v, rest, m->lanes));
    LLVMBuildBr(m->b, after);
    LLVMPositionBuilderAtEnd(m->b, after);
    micro_end(m);
    return m->function;
}

/* Parameters of nn_micro_copy and nn_micro_add. */
enum { COPY_ROWS, COPY_COLUMNS, COPY_FROM, COPY_FROM_STRIDE, COPY_TO, COPY_TO_STRIDE };

static void copy_vector(const Micro *m, LLVMValueRef from, LLVMValueRef to, LLVMValueRef at, LLVMValueRef mask,
                        bool adds)
{
    to = micro_at(m, to, at);
    LLVMValueRef value = vector_load(m->v, m->dtype, micro_at(m, from, at), m->lanes, mask);
    if (adds) value = LLVMBuildFAdd(m->b, vector_load(m->v, m->dtype, to, m->lanes, mask), value, "");
    vector_store(m->v, m->dtype, value, to, mask);
}

static LLVMValueRef emit_copy(Vector *v, DType dtype, const char *name, bool adds)
{
    Micro micro = micro_begin(v, dtype, name, "iipipi"), *m = &micro;
    LLVMValueRef columns = parameter(m, COPY_COLUMNS), whole = whole_part(m, columns);
    LLVMValueRef rest = LLVMBuildSub(m->b, columns, whole, ""), mask = vector_mask(v, rest, m->lanes);
    Loop rows = loop_begin(m, parameter(m, COPY_ROWS), 1);
    LLVMValueRef from = loop_phi(m, &rows, parameter(m, COPY_FROM)), to = loop_phi(m, &rows, parameter(m, COPY_TO));
    Loop inner = loop_begin(m, whole, m->lanes);
    copy_vector(m, from, to, inner.index, NULL, adds);
    loop_end(m, &inner);
    LLVMBasicBlockRef after = when_positive(m, rest);
    copy_vector(m, from, to, whole, mask, adds);
    LLVMBuildBr(m->b, after);
    LLVMPositionBuilderAtEnd(m->b, after);
    loop_carry(m, from, micro_at(m, from, parameter(m, COPY_FROM_STRIDE)));
    loop_carry(m, to, micro_at(m, to, parameter(m, COPY_TO_STRIDE)));
    loop_end(m, &rows);
    micro_end(m);
    return m->function;
}

LLVMValueRef micro_copy(Vector *v, DType dtype)
{
    return emit_copy(v, dtype, dtype == DTYPE_F64 ? "copy_f64" : "copy_f32", false);
}

LLVMValueRef micro_add(Vector *v, DType dtype)
{
    return emit_copy(v, dtype, dtype == DTYPE_F64 ? "add_f64" : "add_f32", true);
}
