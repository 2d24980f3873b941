/* The elementwise operators as vector code: straight-line but for what few lanes need, which is behind one branch. */
#ifndef NNC_CODEGEN_MATH_H
#define NNC_CODEGEN_MATH_H

#include "codegen/vector.h"

/* The value of an ELEMENTWISE operator other than CAST. `dtype` is that of the operands (for SELECT, of y and z); the
 * operands are as they stand in registers (vector.h), of any width, all the same; unused ones are NULL. Comparisons
 * give bools. bf16 and f16 compute in f32 and are not rounded: see math_round.
 *
 * Floating point: NaN, infinities and signed zeros as C's libm has them. Largest errors found by
 * tests/unit/codegen/test_math.c and test_sweep.c, whatever the operands, in ulps, f32 / f64, any variant:
 *
 *     exp     0.99 / 0.96    sin     1.51 / 0.77    sinh     2.14 / 2.00    erf      1.14 / 1.17
 *     expm1   2.00 / 2.00    cos     1.50 / 0.75    cosh     1.53 / 1.42    erfc     2.90 / 2.63
 *     log     0.77 / 0.71    tan     2.83 / 2.04    tanh     2.30 / 2.11    sigmoid  2.18 / 1.84
 *     log1p   1.43 / 1.39    asin    2.29 / 2.07    atan     2.00 / 0.82    softplus 1.85 / 1.77
 *     pow     0.50 / 0.96    acos    1.11 / 1.10    atan2    1.93 / 1.41    rsqrt    1.49 / 1.46
 *
 * The 2.00 of expm1 and sinh are denormal units.
 *
 * FLOOR_DIV and MOD are exact, rounded once (math_divide.c).
 *
 * Integers wrap around; FLOOR_DIV and MOD by zero give 0. */
LLVMValueRef math_emit(Vector *vector, Op op, DType dtype, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z);

/* CAST. Floating point to integer truncates, saturates at the ends of the integer's range and makes NaN 0; to bool is
 * x != 0; integers wrap. To bf16 or f16: rounded to nearest even, still an f32 in the register. */
LLVMValueRef math_cast(Vector *vector, DType from, DType to, LLVMValueRef x);

/* Uniform numbers in (0, 1), f32, as nn_random.h defines them. `seed` is an i64, `stream` and `step` are i32 scalars,
 * `index` the row-major positions, i64, scalar or vector. */
LLVMValueRef random_emit(Vector *vector, LLVMValueRef seed, LLVMValueRef stream, LLVMValueRef step, LLVMValueRef index);

/* The nearest bf16 or f16, ties to even, of what was computed in f32, still an f32; another type's value as it is.
 * Every value of a kernel is rounded where it is computed, so that nothing depends on which of them are stored. */
LLVMValueRef math_round(Vector *vector, DType dtype, LLVMValueRef value);

/* Packs what stands in a register to the 16 bits of memory, and back: bf16 and f16 as integers i16. */
LLVMValueRef math_pack_half(Vector *vector, DType dtype, LLVMValueRef f32);
LLVMValueRef math_unpack_half(Vector *vector, DType dtype, LLVMValueRef bits);

#endif
