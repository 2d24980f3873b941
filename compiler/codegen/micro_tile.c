/* The insides of contractions: a tile of C stays in registers while k runs. */
#include <stdio.h>
#include <string.h>

#include "codegen/micro_internal.h"

enum { MOST_TILE = 32 };

Micro micro_begin(Vector *v, DType dtype, const char *name, const char *parameters)
{
    Micro m = {.v = v, .b = v->builder, .dtype = dtype, .lanes = dtype == DTYPE_F64 ? v->lanes / 2 : v->lanes};
    m.i64 = LLVMInt64TypeInContext(v->context);
    m.element = vector_memory_type(v, dtype, 1);
    LLVMTypeRef types[16], pointer = LLVMPointerTypeInContext(v->context, 0);
    uint32_t n = (uint32_t)strlen(parameters);
    for (uint32_t i = 0; i < n; i++) types[i] = parameters[i] == 'p' ? pointer : m.i64;
    LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(v->context), types, n, false);
    m.function = LLVMAddFunction(v->module, name, type);
    LLVMSetLinkage(m.function, LLVMInternalLinkage);
    char section[80]; /* of its own, so that a linker drops what a model does not use */
    snprintf(section, sizeof section, ".text.%s", name);
    LLVMSetSection(m.function, section);
    vector_attributes(v, m.function);
    unsigned alone = LLVMGetEnumAttributeKindForName("noalias", 7);
    unsigned nounwind = LLVMGetEnumAttributeKindForName("nounwind", 8);
    for (uint32_t i = 0; i < n; i++)
        if (parameters[i] == 'p')
            LLVMAddAttributeAtIndex(m.function, i + 1, LLVMCreateEnumAttribute(v->context, alone, 0));
    LLVMAddAttributeAtIndex(m.function, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(v->context, nounwind, 0));
    LLVMPositionBuilderAtEnd(m.b, LLVMAppendBasicBlockInContext(v->context, m.function, "entry"));
    return m;
}

void micro_end(Micro *m)
{
    LLVMBuildRetVoid(m->b);
}

Loop loop_begin(const Micro *m, LLVMValueRef count, uint32_t step)
{
    Loop loop = {.count = count, .step = step, .before = LLVMGetInsertBlock(m->b)};
    loop.body = LLVMAppendBasicBlockInContext(m->v->context, m->function, "loop");
    loop.after = LLVMAppendBasicBlockInContext(m->v->context, m->function, "after");
    LLVMValueRef some = LLVMBuildICmp(m->b, LLVMIntSGT, count, micro_i64(m, 0), "");
    LLVMBuildCondBr(m->b, some, loop.body, loop.after);
    LLVMPositionBuilderAtEnd(m->b, loop.body);
    loop.index = loop_phi(m, &loop, micro_i64(m, 0));
    return loop;
}

LLVMValueRef loop_phi(const Micro *m, const Loop *loop, LLVMValueRef initial)
{
    LLVMValueRef phi = LLVMBuildPhi(m->b, LLVMTypeOf(initial), "");
    LLVMBasicBlockRef before = loop->before;
    LLVMAddIncoming(phi, &initial, &before, 1);
    return phi;
}

void loop_carry(const Micro *m, LLVMValueRef phi, LLVMValueRef next)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(m->b);
    LLVMAddIncoming(phi, &next, &here, 1);
}

void loop_end(const Micro *m, Loop *loop)
{
    LLVMValueRef next = LLVMBuildNUWAdd(m->b, loop->index, micro_i64(m, loop->step), "");
    loop_carry(m, loop->index, next);
    loop->body = LLVMGetInsertBlock(m->b); /* nested loops have moved on */
    LLVMValueRef more = LLVMBuildICmp(m->b, LLVMIntSLT, next, loop->count, "");
    LLVMBuildCondBr(m->b, more, LLVMGetInstructionParent(loop->index), loop->after);
    LLVMPositionBuilderAtEnd(m->b, loop->after);
}

LLVMValueRef loop_result(const Micro *m, const Loop *loop, LLVMValueRef phi, LLVMValueRef next)
{
    LLVMValueRef result = LLVMBuildPhi(m->b, LLVMTypeOf(phi), "");
    LLVMValueRef values[] = {LLVMGetIncomingValue(phi, 0), next};
    LLVMBasicBlockRef blocks[] = {loop->before, loop->body};
    LLVMAddIncoming(result, values, blocks, 2);
    return result;
}

/* Parameters of nn_micro_tile. */
enum {
    TILE_K,
    TILE_A,
    TILE_A_STRIDE,
    TILE_B,
    TILE_B_STRIDE,
    TILE_C,
    TILE_C_STRIDE,
    TILE_LAST,
    TILE_CARRY,
    TILE_BLOCKS,
    TILE_OFFSETS
};

typedef struct {
    Micro m;
    uint32_t rows, vectors;
    LLVMValueRef mask; /* of the last vector */
} Tile;

static LLVMValueRef parameter(const Micro *m, unsigned index)
{
    return LLVMGetParam(m->function, index);
}

static LLVMValueRef tile_mask(const Tile *t, uint32_t vector)
{
    return vector + 1 == t->vectors ? t->mask : NULL;
}

static LLVMValueRef tile_at(const Tile *t, uint32_t row, uint32_t vector)
{
    const Micro *m = &t->m;
    LLVMValueRef at = micro_at(m, parameter(m, TILE_C), micro_times(m, parameter(m, TILE_C_STRIDE), row));
    return micro_at(m, at, micro_i64(m, vector * m->lanes));
}

/* What the sums begin with: C where they carry on, else 0. */
static void tile_begin(const Tile *t, LLVMValueRef *sums)
{
    const Micro *m = &t->m;
    LLVMValueRef zero = LLVMConstNull(vector_type(m->v, m->dtype, m->lanes)), old[MOST_TILE];
    LLVMBasicBlockRef before = LLVMGetInsertBlock(m->b);
    LLVMBasicBlockRef carry = LLVMAppendBasicBlockInContext(m->v->context, m->function, "carry");
    LLVMBasicBlockRef begin = LLVMAppendBasicBlockInContext(m->v->context, m->function, "begin");
    LLVMValueRef fresh = LLVMBuildICmp(m->b, LLVMIntEQ, parameter(m, TILE_CARRY), micro_i64(m, 0), "");
    LLVMBuildCondBr(m->b, fresh, begin, carry);
    LLVMPositionBuilderAtEnd(m->b, carry);
    for (uint32_t i = 0; i < t->rows * t->vectors; i++) {
        uint32_t vector = i % t->vectors;
        old[i] = vector_load(m->v, m->dtype, tile_at(t, i / t->vectors, vector), m->lanes, tile_mask(t, vector));
    }
    carry = LLVMGetInsertBlock(m->b); /* masked loads may have branched */
    LLVMBuildBr(m->b, begin);
    LLVMPositionBuilderAtEnd(m->b, begin);
    for (uint32_t i = 0; i < t->rows * t->vectors; i++) {
        sums[i] = LLVMBuildPhi(m->b, LLVMTypeOf(zero), "");
        LLVMAddIncoming(sums[i], (LLVMValueRef[]){zero, old[i]}, (LLVMBasicBlockRef[]){before, carry}, 2);
    }
}

/* Adds the products over one block's k to sums[row * vectors + vector], each sum one chain. */
static void tile_block(Tile *t, bool along_k, LLVMValueRef a_first, LLVMValueRef b_first, LLVMValueRef *sums)
{
    Micro *m = &t->m;
    LLVMValueRef phis[MOST_TILE], next[MOST_TILE], b[MOST_TILE];
    LLVMValueRef a_stride = parameter(m, TILE_A_STRIDE);
    uint32_t n = t->rows * t->vectors;
    Loop loop = loop_begin(m, parameter(m, TILE_K), 1);
    LLVMValueRef a = loop_phi(m, &loop, a_first), b_at = loop_phi(m, &loop, b_first);
    for (uint32_t i = 0; i < n; i++) phis[i] = loop_phi(m, &loop, sums[i]);
    for (uint32_t j = 0; j < t->vectors; j++) {
        LLVMValueRef at = micro_at(m, b_at, micro_i64(m, j * m->lanes));
        b[j] = vector_load(m->v, m->dtype, at, m->lanes, m->v->has_masks ? tile_mask(t, j) : NULL);
    }
    for (uint32_t i = 0; i < t->rows; i++) {
        LLVMValueRef offset = along_k ? micro_times(m, a_stride, i) : micro_i64(m, i);
        LLVMValueRef scalar = vector_load(m->v, m->dtype, micro_at(m, a, offset), 1, NULL);
        LLVMValueRef row = vector_splat(m->v, scalar, m->lanes);
        for (uint32_t j = 0; j < t->vectors; j++)
            next[i * t->vectors + j] = vector_fma(m->v, row, b[j], phis[i * t->vectors + j]);
    }
    loop_carry(m, a, micro_at(m, a, along_k ? micro_i64(m, 1) : a_stride));
    loop_carry(m, b_at, micro_at(m, b_at, parameter(m, TILE_B_STRIDE)));
    for (uint32_t i = 0; i < n; i++) loop_carry(m, phis[i], next[i]);
    loop_end(m, &loop);
    for (uint32_t i = 0; i < n; i++) sums[i] = loop_result(m, &loop, phis[i], next[i]);
}

/* The operand in block `block`: offsets[2 * block + which] elements from where it begins. */
static LLVMValueRef block_operand(const Micro *m, LLVMValueRef block, unsigned which)
{
    LLVMValueRef index = LLVMBuildAdd(m->b, micro_times(m, block, 2), micro_i64(m, which), "");
    LLVMValueRef at = LLVMBuildInBoundsGEP2(m->b, m->i64, parameter(m, TILE_OFFSETS), &index, 1, "");
    return micro_at(m, parameter(m, which ? TILE_B : TILE_A), LLVMBuildLoad2(m->b, m->i64, at, ""));
}

/* Adds the products of all blocks, one after the other, to the sums. */
static void tile_sums(Tile *t, bool along_k, LLVMValueRef *sums)
{
    Micro *m = &t->m;
    LLVMValueRef phis[MOST_TILE], next[MOST_TILE];
    uint32_t n = t->rows * t->vectors;
    Loop loop = loop_begin(m, parameter(m, TILE_BLOCKS), 1);
    for (uint32_t i = 0; i < n; i++) phis[i] = next[i] = loop_phi(m, &loop, sums[i]);
    tile_block(t, along_k, block_operand(m, loop.index, 0), block_operand(m, loop.index, 1), next);
    for (uint32_t i = 0; i < n; i++) loop_carry(m, phis[i], next[i]);
    loop_end(m, &loop);
    for (uint32_t i = 0; i < n; i++) sums[i] = loop_result(m, &loop, phis[i], next[i]);
}

/* The whole tile, with the last vector masked by t->mask. Ends in an open block. */
static void tile_body(Tile *t, bool along_k)
{
    const Micro *m = &t->m;
    LLVMValueRef sums[MOST_TILE];
    tile_begin(t, sums);
    tile_sums(t, along_k, sums);
    for (uint32_t i = 0; i < t->rows * t->vectors; i++) {
        uint32_t vector = i % t->vectors;
        vector_store(m->v, m->dtype, sums[i], tile_at(t, i / t->vectors, vector), tile_mask(t, vector));
    }
}

LLVMValueRef micro_tile(Vector *v, DType dtype, uint32_t rows, uint32_t vectors, bool along_k)
{
    char name[64];
    snprintf(name, sizeof name, "tile_%s_%ux%u_%c", dtype == DTYPE_F64 ? "f64" : "f32", rows, vectors,
             along_k ? 'k' : 'm');
    Tile t = {.m = micro_begin(v, dtype, name, "ipipipiiiip"), .rows = rows, .vectors = vectors};
    Micro *m = &t.m;
    LLVMValueRef last = parameter(m, TILE_LAST);
    /* AVX-512 has registers of their own for masks and masks for free. Elsewhere a mask takes a register that the sums
     * need, so whole tiles have code of their own. */
    if (v->lanes < MICRO_MOST_LANES) {
        LLVMBasicBlockRef whole = LLVMAppendBasicBlockInContext(v->context, m->function, "whole");
        LLVMBasicBlockRef part = LLVMAppendBasicBlockInContext(v->context, m->function, "part");
        LLVMBuildCondBr(m->b, LLVMBuildICmp(m->b, LLVMIntEQ, last, micro_i64(m, m->lanes), ""), whole, part);
        LLVMPositionBuilderAtEnd(m->b, whole);
        tile_body(&t, along_k);
        LLVMBuildRetVoid(m->b);
        LLVMPositionBuilderAtEnd(m->b, part);
    }
    t.mask = vector_mask(v, last, m->lanes);
    tile_body(&t, along_k);
    micro_end(m);
    return m->function;
}
