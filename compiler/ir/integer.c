#include "ir/integer.h"

#include <assert.h>
#include <math.h>

#include "ir/eval.h"
#include "nn_round.h"

int64_t integer_least(DType dtype)
{
    assert(dtype_class(dtype) == DTYPE_CLASS_INTEGER);
    return dtype == DTYPE_I64 ? INT64_MIN : dtype == DTYPE_I32 ? INT32_MIN : 0;
}

int64_t integer_most(DType dtype)
{
    assert(dtype_class(dtype) == DTYPE_CLASS_INTEGER);
    return dtype == DTYPE_I64 ? INT64_MAX : dtype == DTYPE_I32 ? INT32_MAX : UINT8_MAX;
}

int64_t integer_wrap(DType dtype, int64_t integer)
{
    assert(dtype_class(dtype) == DTYPE_CLASS_INTEGER);
    return dtype == DTYPE_I64 ? integer : dtype == DTYPE_I32 ? (int32_t)(uint32_t)integer : (uint8_t)integer;
}

int64_t integer_saturate(DType dtype, double number)
{
    int64_t least = integer_least(dtype), most = integer_most(dtype);
    if (isnan(number)) return 0;
    if (number >= 0x1p63 || (int64_t)fmax(number, -0x1p63) > most) return most;
    return number <= (double)least ? least : (int64_t)number;
}

double integer_to_float(DType dtype, int64_t integer)
{
    if (dtype == DTYPE_F64 || dtype == DTYPE_F32) return dtype == DTYPE_F64 ? (double)integer : (double)(float)integer;
    return dtype_round(dtype, nn_odd_double(integer));
}

int integer_compare(int64_t integer, double number)
{
    if (number >= 0x1p63) return -1;
    if (number < -0x1p63) return 1;
    double whole = trunc(number);
    int64_t other = (int64_t)whole;
    if (integer != other) return integer < other ? -1 : 1;
    return (number < whole) - (number > whole);
}

static int64_t wrap_add(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x + (uint64_t)y);
}

static int64_t wrap_sub(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x - (uint64_t)y);
}

static int64_t wrap_mul(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x * (uint64_t)y);
}

/* Towards minus infinity; 0 by 0. */
static int64_t floor_quotient(int64_t x, int64_t y)
{
    if (y == 0) return 0;
    if (y == -1) return wrap_sub(0, x);
    return x / y - (x % y && (x < 0) != (y < 0));
}

static int64_t floor_remainder(int64_t x, int64_t y)
{
    return y == 0 ? 0 : wrap_sub(x, wrap_mul(floor_quotient(x, y), y));
}

int64_t op_evaluate_integer(Op op, int64_t x, int64_t y)
{
    (void)y;
    switch (op) {
#define OP(id, spelling, arity, class, attributes, rule, flags, work, value, whole)                                    \
    case OP_##id:                                                                                                      \
        return whole;
#include "ir/ops.def"
#undef OP
    case OP_COUNT:
        break;
    }
    return 0;
}
