/* The elementwise operators as straight-line vector code: no branch, no call, no table, so they fuse. */
#ifndef NNC_CODEGEN_MATH_H
#define NNC_CODEGEN_MATH_H

#include "codegen/vector.h"

/* The value of an ELEMENTWISE operator other than CAST. `dtype` is that of the operands (for SELECT, of y and z); the
 * operands are as they stand in registers (vector.h), of any width, all the same; unused ones are NULL. Comparisons
 * give bools. bf16 and f16 compute in f32.
 *
 * Floating point: NaN, infinities, signed zeros and denormals as in C's libm; errors are bounded by the table in
 * math_f32.c and math_f64.c. Integers wrap around; FLOOR_DIV and MOD by zero give 0. */
LLVMValueRef math_emit(Vector *vector, Op op, DType dtype, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z);

/* CAST. Floating point to integer truncates, saturates at the ends of the integer's range and makes NaN 0; to bool is
 * x != 0; integers wrap. To bf16 or f16: rounded to nearest even, still an f32 in the register. */
LLVMValueRef math_cast(Vector *vector, DType from, DType to, LLVMValueRef x);

/* Uniform numbers in (0, 1), f32, as nn_random.h defines them. `seed` is an i64, `stream` and `step` are i32 scalars,
 * `index` the row-major positions, i64, scalar or vector. */
LLVMValueRef random_emit(Vector *vector, LLVMValueRef seed, LLVMValueRef stream, LLVMValueRef step, LLVMValueRef index);

/* Packs what stands in a register to the 16 bits of memory, and back: bf16 and f16 as integers i16. */
LLVMValueRef math_pack_half(Vector *vector, DType dtype, LLVMValueRef f32);
LLVMValueRef math_unpack_half(Vector *vector, DType dtype, LLVMValueRef bits);

#endif
