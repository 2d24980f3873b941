/* Elements of f32 or f64 as doubles. */
#ifndef NNC_TESTS_CODEGEN_FLOATS_H
#define NNC_TESTS_CODEGEN_FLOATS_H

#include <stddef.h>
#include <stdint.h>

#include "nn_image.h"

static inline size_t float_size(uint8_t dtype)
{
    return dtype == NN_F64 ? sizeof(double) : sizeof(float);
}

static inline double float_get(uint8_t dtype, const void *values, int64_t i)
{
    return dtype == NN_F64 ? ((const double *)values)[i] : (double)((const float *)values)[i];
}

static inline void float_set(uint8_t dtype, void *values, int64_t i, double x)
{
    if (dtype == NN_F64)
        ((double *)values)[i] = x;
    else
        ((float *)values)[i] = (float)x;
}

#endif
