/* Shared by the files that emit micro kernels. */
#ifndef NNC_CODEGEN_MICRO_INTERNAL_H
#define NNC_CODEGEN_MICRO_INTERNAL_H

#include "codegen/micro.h"

enum { MICRO_MOST_LANES = 16 };

/* One function under construction. */
typedef struct {
    Vector *v;
    LLVMBuilderRef b;
    LLVMValueRef function;
    DType dtype;
    uint32_t lanes;
    LLVMTypeRef i64, element;
} Micro;

/* A counted loop under construction: body blocks are placed between loop_begin and loop_end. */
typedef struct {
    LLVMBasicBlockRef before, body, after;
    LLVMValueRef index; /* 0, step, 2 step, … < count */
    LLVMValueRef count;
    uint32_t step;
} Loop;

/* Starts an internal function void name(parameters…), 'p' a pointer that aliases no other, 'i' an i64. */
Micro micro_begin(Vector *v, DType dtype, const char *name, const char *parameters);
void micro_end(Micro *m);

Loop loop_begin(const Micro *m, LLVMValueRef count, uint32_t step);
/* A value carried by the loop; `next` is given to loop_carry before loop_end. */
LLVMValueRef loop_phi(const Micro *m, const Loop *loop, LLVMValueRef initial);
void loop_carry(const Micro *m, LLVMValueRef phi, LLVMValueRef next);
void loop_end(const Micro *m, Loop *loop);
/* What the phi is after the loop: `initial` when it never ran, else the last `next`. */
LLVMValueRef loop_result(const Micro *m, const Loop *loop, LLVMValueRef phi, LLVMValueRef next);

static inline LLVMValueRef micro_i64(const Micro *m, int64_t number)
{
    return LLVMConstInt(m->i64, (uint64_t)number, true);
}

/* pointer + index elements. */
static inline LLVMValueRef micro_at(const Micro *m, LLVMValueRef pointer, LLVMValueRef index)
{
    return LLVMBuildInBoundsGEP2(m->b, m->element, pointer, &index, 1, "");
}

static inline LLVMValueRef micro_times(const Micro *m, LLVMValueRef stride, uint32_t by)
{
    return LLVMBuildMul(m->b, stride, micro_i64(m, by), "");
}

/* C = (C +) A B for `rows` by `vectors`; see nn_micro_tile. */
LLVMValueRef micro_tile(Vector *v, DType dtype, uint32_t rows, uint32_t vectors, bool along_k);
LLVMValueRef micro_dot(Vector *v, DType dtype);
LLVMValueRef micro_transpose(Vector *v, DType dtype);
LLVMValueRef micro_copy(Vector *v, DType dtype);
LLVMValueRef micro_add(Vector *v, DType dtype);

#endif
