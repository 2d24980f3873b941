/* The values of integer element types, as 64-bit integers: what fits, what wraps around, what saturates. */
#ifndef NNC_IR_INTEGER_H
#define NNC_IR_INTEGER_H

#include "ir/graph.h"

/* The ends of an integer type. */
int64_t integer_least(DType dtype);
int64_t integer_most(DType dtype);
static inline bool integer_fits(DType dtype, int64_t integer)
{
    return integer >= integer_least(dtype) && integer <= integer_most(dtype);
}
/* What is left in the type's bits: the conversion of an integer, and the result of arithmetic. */
int64_t integer_wrap(DType dtype, int64_t integer);
/* The conversion of a floating-point number: cut towards zero, beyond the ends the nearest end, 0 for NaN. */
int64_t integer_saturate(DType dtype, double number);
/* The conversion to a floating-point type, rounded once. */
double integer_to_float(DType dtype, int64_t integer);

/* The sign of integer - number, exact for every pair of them; number is not NaN. */
int integer_compare(int64_t integer, double number);

/* The whole column of elementwise operators, before the result wraps around to its type. y is ignored by operators of
 * one operand. */
int64_t op_evaluate_integer(Op op, int64_t x, int64_t y);

#endif
