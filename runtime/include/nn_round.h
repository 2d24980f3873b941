/* Rounding to odd: what cannot be held exactly becomes the neighbour whose last bit is 1. A second rounding, to nearest
 * and to at least two bits less, then gives what one rounding of the exact number gives (Boldo and Melquiond,
 * "Emulation of FMA and correctly rounded sums", 2008). So bf16 and f16, which are made from f32, are rounded once.
 * Shared by the compiler and the run time. */
#ifndef NN_ROUND_H
#define NN_ROUND_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float nn_odd_float(double exact)
{
    float nearest = (float)exact;
    double back = nearest;
    uint32_t bits;
    if (back == exact || isnan(exact)) return nearest;
    memcpy(&bits, &nearest, sizeof bits);
    bits = (bits - (fabs(back) > fabs(exact))) | 1;
    memcpy(&nearest, &bits, sizeof bits);
    return nearest;
}

/* Of large integers a multiple of 2^16, which has more bits than bf16 and f16. */
static inline double nn_odd_double(int64_t exact)
{
    if (exact >= -INT64_C(0x80000000) && exact < INT64_C(0x80000000)) return (double)exact;
    int64_t lost = exact & 0xffff;
    return (double)((exact - lost) | (lost ? 0x10000 : 0));
}

#endif
