/* Element types in memory, and walks over tensors. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "ir/eval_internal.h"
#include "ir/integer.h"

static int64_t to_int64(double value)
{
    return value >= 0x1p63 ? INT64_MAX : value <= -0x1p63 ? INT64_MIN : (int64_t)value;
}

/* bf16 is the upper half of an f32. */
static uint16_t bf16_bits(double value)
{
    float single = (float)dtype_round(DTYPE_BF16, value);
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    return isnan(value) ? 0x7FC0 : (uint16_t)(bits >> 16);
}

static double bf16_value(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float single;
    memcpy(&single, &bits, sizeof single);
    return single;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static uint16_t f16_bits(double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    if (isnan(value)) return 0x7E00;
    value = fabs(dtype_round(DTYPE_F16, value));
    if (isinf(value)) return sign | 0x7C00;
    if (value < 0x1p-14) return (uint16_t)(sign | (uint16_t)ldexp(value, 24));
    int exponent;
    double fraction = frexp(value, &exponent); /* value = fraction * 2^exponent, fraction in [0.5, 1) */
    return (uint16_t)(sign | ((exponent + 14) << 10) | (uint16_t)ldexp(fraction - 0.5, 11));
}

static double f16_value(uint16_t bits)
{
    int exponent = (bits >> 10) & 31, fraction = bits & 1023;
    double value = exponent == 31 ? (fraction ? NAN : INFINITY)
                   : exponent     ? ldexp(fraction + 1024, exponent - 25)
                                  : ldexp(fraction, -24);
    return bits & 0x8000 ? -value : value;
}

#define STORE_AS(T, convert)                                                                                           \
    for (int64_t i = 0; i < count; i++) ((T *)to)[i] = (T)convert(from[i]);                                            \
    break
#define LOAD_AS(T, convert)                                                                                            \
    for (int64_t i = 0; i < count; i++) to[i] = (double)convert(((const T *)from)[i]);                                 \
    break

void dtype_store(DType dtype, void *to, const double *from, int64_t count)
{
    switch (dtype) {
    case DTYPE_F64:
        STORE_AS(double, );
    case DTYPE_F32:
        STORE_AS(float, );
    case DTYPE_BF16:
        STORE_AS(uint16_t, bf16_bits);
    case DTYPE_F16:
        STORE_AS(uint16_t, f16_bits);
    case DTYPE_I64:
        STORE_AS(int64_t, to_int64);
    case DTYPE_I32:
        for (int64_t i = 0; i < count; i++) ((int32_t *)to)[i] = (int32_t)dtype_round(DTYPE_I32, from[i]);
        break;
    case DTYPE_U8:
        for (int64_t i = 0; i < count; i++) ((uint8_t *)to)[i] = (uint8_t)dtype_round(DTYPE_U8, from[i]);
        break;
    case DTYPE_BOOL:
        for (int64_t i = 0; i < count; i++) ((uint8_t *)to)[i] = from[i] != 0;
        break;
    case DTYPE_COUNT:
        assert(!"an element type");
    }
}

void dtype_load(DType dtype, double *to, const void *from, int64_t count)
{
    switch (dtype) {
    case DTYPE_F64:
        LOAD_AS(double, );
    case DTYPE_F32:
        LOAD_AS(float, );
    case DTYPE_BF16:
        LOAD_AS(uint16_t, bf16_value);
    case DTYPE_F16:
        LOAD_AS(uint16_t, f16_value);
    case DTYPE_I64:
        LOAD_AS(int64_t, );
    case DTYPE_I32:
        LOAD_AS(int32_t, );
    case DTYPE_U8:
        LOAD_AS(uint8_t, );
    case DTYPE_BOOL:
        LOAD_AS(uint8_t, );
    case DTYPE_COUNT:
        assert(!"an element type");
    }
}

void integer_store(DType dtype, void *to, const int64_t *from, int64_t count)
{
    assert(dtype_class(dtype) == DTYPE_CLASS_INTEGER);
    for (int64_t i = 0; i < count; i++) {
        if (dtype == DTYPE_I64)
            ((int64_t *)to)[i] = from[i];
        else if (dtype == DTYPE_I32)
            ((int32_t *)to)[i] = (int32_t)integer_wrap(DTYPE_I32, from[i]);
        else
            ((uint8_t *)to)[i] = (uint8_t)from[i];
    }
}

void integer_load(DType dtype, int64_t *to, const void *from, int64_t count)
{
    assert(dtype_class(dtype) == DTYPE_CLASS_INTEGER);
    for (int64_t i = 0; i < count; i++)
        to[i] = dtype == DTYPE_I64   ? ((const int64_t *)from)[i]
                : dtype == DTYPE_I32 ? ((const int32_t *)from)[i]
                                     : ((const uint8_t *)from)[i];
}

void tensor_copy(Tensor *to, int64_t to_at, const Tensor *from, int64_t from_at, int64_t count)
{
    assert(to->dtype == from->dtype);
    if (to->integers)
        memcpy(to->integers + to_at, from->integers + from_at, (size_t)count * sizeof *to->integers);
    else
        memcpy(to->data + to_at, from->data + from_at, (size_t)count * sizeof *to->data);
}

void tensor_add(Tensor *to, int64_t to_at, const Tensor *from, int64_t from_at, int64_t count)
{
    assert(to->dtype == from->dtype);
    for (int64_t i = 0; i < count; i++) {
        if (to->integers)
            to->integers[to_at + i] = op_evaluate_integer(OP_ADD, to->integers[to_at + i], from->integers[from_at + i]);
        else
            to->data[to_at + i] += from->data[from_at + i];
    }
}

int64_t tensor_extent(const Tensor *tensor, uint32_t from, uint32_t to)
{
    int64_t result = 1;
    for (uint32_t i = from; i < to; i++) result *= tensor->dims[i];
    return result;
}

void tensor_strides(const Tensor *tensor, int64_t *strides)
{
    int64_t stride = 1;
    for (uint32_t i = tensor->rank; i-- > 0;) {
        strides[i] = stride;
        stride *= tensor->dims[i];
    }
}

bool walk_next(IndexWalk *walk)
{
    for (uint32_t axis = walk->rank; axis-- > 0;) {
        walk->index[axis]++;
        for (uint32_t k = 0; k < walk->count; k++) walk->offsets[k] += walk->strides[k][axis];
        if (walk->index[axis] < walk->dims[axis]) return true;
        for (uint32_t k = 0; k < walk->count; k++) walk->offsets[k] -= walk->strides[k][axis] * walk->dims[axis];
        walk->index[axis] = 0;
    }
    return false;
}
