/* Emitting explicit vector code for one CPU variant.
 *
 * A value in a register is a scalar (lanes == 1) or a vector <lanes x T>. Every helper takes its width from its
 * operands, so the same recipe serves whole vectors, half vectors and scalars. What stands in a register differs from
 * memory for three element types: a bool is an i1 (a byte 0 or 1 in memory), bf16 and f16 are an f32 (rounded to
 * nearest even when stored or cast). No fast-math flags anywhere: a multiply and an add are fused only by vector_fma.
 */
#ifndef NNC_CODEGEN_VECTOR_H
#define NNC_CODEGEN_VECTOR_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "ir/graph.h"

typedef enum { CPU_X86_64_V2, CPU_X86_64_V3, CPU_X86_64_V4, CPU_NATIVE, CPU_COUNT } CpuVariant;

/* "x86-64-v2" … "native". */
const char *cpu_name(CpuVariant cpu);
/* CPU_COUNT when no variant is called so. */
CpuVariant cpu_parse(const char *text, size_t length);
/* The best of v2, v3 and v4 that this machine can run (v2 when it is older still: callers that care ask cpu_runs). */
CpuVariant cpu_best(void);
/* This machine can run code of the variant. */
bool cpu_runs(CpuVariant cpu);
/* What LLVM calls the processor and its features; owned by the caller, freed with LLVMDisposeMessage. */
char *cpu_llvm_name(CpuVariant cpu);
char *cpu_llvm_features(CpuVariant cpu);

typedef struct {
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    CpuVariant cpu;
    uint32_t lanes; /* f32 in a register: 4, 8 or 16 */
    bool has_fma;   /* else llvm.fma would be a call of libm: vector_fma multiplies and adds */
    bool has_masks; /* masked loads and stores are instructions, not branches */
    char *llvm_name, *llvm_features;
} Vector;

/* The context of emission; module, context and builder stay the caller's. */
Vector vector_make(LLVMContextRef context, LLVMModuleRef module, LLVMBuilderRef builder, CpuVariant cpu);
void vector_free(Vector *vector);
/* Gives a function the target-cpu, target-features and vector width of the variant. */
void vector_attributes(const Vector *vector, LLVMValueRef function);

/* Types of values in registers and of elements in memory. */
LLVMTypeRef vector_type(const Vector *vector, DType dtype, uint32_t lanes);
LLVMTypeRef vector_memory_type(const Vector *vector, DType dtype, uint32_t lanes);
uint32_t vector_lanes(LLVMValueRef value);
/* `element` in the width of `like`. */
LLVMTypeRef vector_type_like(LLVMTypeRef element, LLVMValueRef like);

/* Constants, the same in each lane. An integer's number is exact up to 2^53. */
LLVMValueRef vector_number(const Vector *vector, DType dtype, uint32_t lanes, double number);
/* An integer constant in the type (scalar or vector) of `like`. */
LLVMValueRef vector_integer_like(LLVMValueRef like, uint64_t number);
/* A scalar in every lane; lanes == 1 gives it back. */
LLVMValueRef vector_splat(const Vector *vector, LLVMValueRef scalar, uint32_t lanes);
/* 0, 1, 2, … of i32 or i64. */
LLVMValueRef vector_iota(const Vector *vector, DType dtype, uint32_t lanes);

/* Lane i is set when i < count (an i64); <lanes x i1>. */
LLVMValueRef vector_mask(const Vector *vector, LLVMValueRef count, uint32_t lanes);

/* Memory, aligned for one element only. `mask` NULL is all lanes; lanes that are masked out load 0 and touch nothing.
 */
LLVMValueRef vector_load(const Vector *vector, DType dtype, LLVMValueRef pointer, uint32_t lanes, LLVMValueRef mask);
void vector_store(const Vector *vector, DType dtype, LLVMValueRef value, LLVMValueRef pointer, LLVMValueRef mask);
/* Elements at base[index[i]] (i64 indices, in elements). */
LLVMValueRef vector_gather(const Vector *vector, DType dtype, LLVMValueRef base, LLVMValueRef index, LLVMValueRef mask);

/* a * b + c: rounded once where the variant can, else twice. */
LLVMValueRef vector_fma(const Vector *vector, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c);
/* A call of an overloaded LLVM intrinsic ("llvm.sqrt") on operands of one type. */
LLVMValueRef vector_intrinsic(const Vector *vector, const char *name, LLVMValueRef *args, uint32_t n_args);
LLVMValueRef vector_select(const Vector *vector, LLVMValueRef condition, LLVMValueRef yes, LLVMValueRef no);

/* All lanes to one scalar by halves (lane i with lane i + lanes/2), so the order depends on the width alone.
 * `op` is ADD, MUL, MAX, MIN, AND or OR. */
LLVMValueRef vector_fold(Vector *vector, Op op, DType dtype, LLVMValueRef value);

#endif
