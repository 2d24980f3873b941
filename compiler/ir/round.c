/* The nearest values of element types. */
#include <assert.h>
#include <math.h>

#include "ir/eval.h"

/* Rounds to `bits` of significand, ties to even, with the smallest normal exponent `lowest` (of 0.5 <= m < 1). */
static double round_significand(double value, int bits, int lowest, double largest)
{
    if (!isfinite(value) || value == 0) return value;
    int exponent;
    frexp(value, &exponent);
    if (exponent < lowest) exponent = lowest;
    double rounded = ldexp(nearbyint(ldexp(value, bits - exponent)), exponent - bits);
    return fabs(rounded) > largest ? copysign(INFINITY, value) : rounded;
}

static double saturate(double value, double low, double high)
{
    if (isnan(value)) return 0;
    value = trunc(value) + 0.0; /* an integer has no -0 */
    return value < low ? low : value > high ? high : value;
}

double dtype_round(DType dtype, double value)
{
    switch (dtype) {
    case DTYPE_F64:
        return value;
    case DTYPE_F32:
        return (double)(float)value;
    case DTYPE_BF16:
        return round_significand(value, 8, -125, 0x1.FEp127);
    case DTYPE_F16:
        return round_significand(value, 11, -13, 65504);
    case DTYPE_I64:
        return saturate(value, -0x1p63, 0x1p63);
    case DTYPE_I32:
        return saturate(value, INT32_MIN, INT32_MAX);
    case DTYPE_U8:
        return saturate(value, 0, UINT8_MAX);
    case DTYPE_BOOL:
        return value != 0;
    case DTYPE_COUNT:
        break;
    }
    assert(!"an element type");
    return value;
}
