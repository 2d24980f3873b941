/* Runs emitted vector code in the process: a module of functions void(const void *x, const void *y, void *to, int64_t
 * n), each a loop over whole vectors around what a callback emits. */
#ifndef TESTS_VECTOR_HARNESS_H
#define TESTS_VECTOR_HARNESS_H

#include <criterion/criterion.h>
#include <llvm-c/Analysis.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <string.h>

#include "codegen/math.h"

typedef void HarnessFunction(const void *x, const void *y, void *to, int64_t n);
/* Emits the value for operands x and y (both loaded as `from`). */
typedef LLVMValueRef HarnessEmit(Vector *v, Op op, DType from, DType to, LLVMValueRef x, LLVMValueRef y);

typedef struct {
    Op op;
    DType from, to;
} HarnessCase;

typedef struct {
    LLVMOrcLLJITRef jit;
    uint32_t lanes;
} Harness;

static inline void harness_function(Vector *v, const char *name, HarnessCase c, HarnessEmit *emit, uint32_t lanes)
{
    LLVMBuilderRef b = v->builder;
    LLVMTypeRef i64 = LLVMInt64TypeInContext(v->context), pointer = LLVMPointerTypeInContext(v->context, 0);
    LLVMTypeRef types[] = {pointer, pointer, pointer, i64};
    LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(v->context), types, 4, false);
    LLVMValueRef function = LLVMAddFunction(v->module, name, type), zero = LLVMConstInt(i64, 0, false);
    vector_attributes(v, function);
    LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(v->context, function, "");
    LLVMBasicBlockRef body = LLVMAppendBasicBlockInContext(v->context, function, "");
    LLVMBasicBlockRef end = LLVMAppendBasicBlockInContext(v->context, function, "");
    LLVMPositionBuilderAtEnd(b, entry);
    LLVMBuildBr(b, body);
    LLVMPositionBuilderAtEnd(b, body);
    LLVMValueRef i = LLVMBuildPhi(b, i64, ""), at[3];
    for (unsigned k = 0; k < 3; k++)
        at[k] = LLVMBuildGEP2(b, vector_memory_type(v, k < 2 ? c.from : c.to, 1), LLVMGetParam(function, k), &i, 1, "");
    LLVMValueRef x = vector_load(v, c.from, at[0], lanes, NULL), y = vector_load(v, c.from, at[1], lanes, NULL);
    vector_store(v, c.to, emit(v, c.op, c.from, c.to, x, y), at[2], NULL);
    LLVMValueRef next = LLVMBuildAdd(b, i, LLVMConstInt(i64, lanes, false), "");
    LLVMAddIncoming(i, (LLVMValueRef[]){zero, next}, (LLVMBasicBlockRef[]){entry, LLVMGetInsertBlock(b)}, 2);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, next, LLVMGetParam(function, 3), ""), body, end);
    LLVMPositionBuilderAtEnd(b, end);
    LLVMBuildRetVoid(b);
}

/* Functions are called f0, f1, … by the index of their case; n must be a multiple of the lanes. */
static inline Harness harness_make(CpuVariant cpu, uint32_t lanes, const HarnessCase *cases, uint32_t n_cases,
                                   HarnessEmit *emit)
{
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    LLVMOrcThreadSafeContextRef safe = LLVMOrcCreateNewThreadSafeContext();
    LLVMContextRef context = LLVMOrcThreadSafeContextGetContext(safe);
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext("harness", context);
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(context);
    Vector v = vector_make(context, module, builder, cpu);
    Harness h = {.lanes = lanes ? lanes : v.lanes};
    for (uint32_t i = 0; i < n_cases; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%u", i);
        harness_function(&v, name, cases[i], emit, h.lanes);
    }
    char *error = NULL;
    cr_assert_not(LLVMVerifyModule(module, LLVMReturnStatusAction, &error), "%s", error);
    LLVMDisposeMessage(error);
    vector_free(&v);
    LLVMDisposeBuilder(builder);
    cr_assert_null(LLVMOrcCreateLLJIT(&h.jit, NULL));
    LLVMOrcThreadSafeModuleRef unit = LLVMOrcCreateNewThreadSafeModule(module, safe);
    cr_assert_null(LLVMOrcLLJITAddLLVMIRModule(h.jit, LLVMOrcLLJITGetMainJITDylib(h.jit), unit));
    LLVMOrcDisposeThreadSafeContext(safe);
    return h;
}

static inline HarnessFunction *harness_find(const Harness *h, uint32_t index)
{
    char name[16];
    snprintf(name, sizeof name, "f%u", index);
    LLVMOrcExecutorAddress address = 0;
    LLVMErrorRef error = LLVMOrcLLJITLookup(h->jit, &address, name);
    cr_assert_null(error, "%s", error ? LLVMGetErrorMessage(error) : "");
    HarnessFunction *function;
    memcpy(&function, &address, sizeof function);
    return function;
}

static inline void harness_free(Harness *h)
{
    LLVMOrcDisposeLLJIT(h->jit);
}

#endif
