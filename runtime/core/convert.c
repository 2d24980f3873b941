/* Element types: their sizes, names and conversions between them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"
#include "nn_round.h"
#include "nn_shown.h"

_Static_assert((int)NN_TYPE_F64 == NN_F64 && (int)NN_TYPE_BF16 == NN_BF16 && (int)NN_TYPE_BOOL == NN_BOOL,
               "nn.h and nn_image.h number types alike");
_Static_assert((int)NN_ROLE_INPUT == NN_INPUT && (int)NN_ROLE_SETTING == NN_SETTING && (int)NN_ROLE_SOURCE == NN_SOURCE,
               "nn.h and nn_image.h number roles alike");

/* One row a type: what it holds. Whole numbers from `least` to `most`, and below `beyond`; of floats, those up to
 * 2^digits, and every number that is nearer to its largest one than `beyond` rounds to it. */
static const struct {
    const char *name;
    uint8_t size, digits;
    int64_t least, most;
    double beyond;
} types[] = {{"f64", 8, 53, 0, 0, INFINITY},
             {"f32", 4, 24, 0, 0, 0x1.ffffffp127},
             {"bf16", 2, 8, 0, 0, 0x1.ffp127},
             {"f16", 2, 11, 0, 0, 65520},
             {"i64", 8, 63, INT64_MIN, INT64_MAX, 0x1p63},
             {"i32", 4, 31, INT32_MIN, INT32_MAX, 0x1p31},
             {"u8", 1, 8, 0, UINT8_MAX, 0x1p8},
             {"bool", 1, 1, 0, 1, 2}};

static const char *const roles[] = {"input",  "target", "parameter", "state",    "optimizer state", "setting",
                                    "output", "loss",   "metric",    "gradient", "value",           "source"};

size_t nn_dtype_size(uint8_t dtype)
{
    return types[dtype].size;
}

bool nn_dtype_is_float(uint8_t dtype)
{
    return dtype <= NN_F16;
}

size_t nn_type_size(nn_type type)
{
    return (unsigned)type <= NN_TYPE_BOOL ? types[type].size : 0;
}

const char *nn_type_name(nn_type type)
{
    return (unsigned)type <= NN_TYPE_BOOL ? types[type].name : "?";
}

const char *nn_role_name(nn_role role)
{
    return (unsigned)role <= NN_ROLE_SOURCE ? roles[role] : "?";
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* IEEE 754 binary16. */
static double half_load(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31) return float_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    return (sign ? -1.0 : 1.0) * fraction * 0x1p-24;
}

/* Rounds to nearest even by adding a float whose last bit is the half's: the hardware does the rounding. */
static uint16_t half_store(double value)
{
    uint32_t bits = bits_of_float(nn_odd_float(value));
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return sign | 0x7e00u;
    if (magnitude >= 0x477ff000u) return sign | 0x7c00u;
    if (magnitude < 0x38800000u) return sign | (uint16_t)bits_of_float(float_of_bits(magnitude) + 0.5f);
    return sign | (uint16_t)((magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13);
}

static uint16_t brain_store(double value)
{
    uint32_t bits = bits_of_float(nn_odd_float(value));
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

/* ---- Elements of any type as the widest of their kind ---- */

enum { CHUNK = 256 };

static void load_floats(uint8_t type, const void *from, size_t begin, size_t count, double *to)
{
    switch (type) {
    case NN_F64:
        memcpy(to, (const double *)from + begin, count * sizeof *to);
        break;
    case NN_F32:
        for (size_t i = 0; i < count; i++) to[i] = ((const float *)from)[begin + i];
        break;
    case NN_BF16:
        for (size_t i = 0; i < count; i++) to[i] = float_of_bits((uint32_t)((const uint16_t *)from)[begin + i] << 16);
        break;
    default:
        for (size_t i = 0; i < count; i++) to[i] = half_load(((const uint16_t *)from)[begin + i]);
        break;
    }
}

static void store_floats(uint8_t type, void *to, size_t begin, size_t count, const double *from)
{
    switch (type) {
    case NN_F64:
        memcpy((double *)to + begin, from, count * sizeof *from);
        break;
    case NN_F32:
        for (size_t i = 0; i < count; i++) ((float *)to)[begin + i] = (float)from[i];
        break;
    case NN_BF16:
        for (size_t i = 0; i < count; i++) ((uint16_t *)to)[begin + i] = brain_store(from[i]);
        break;
    default:
        for (size_t i = 0; i < count; i++) ((uint16_t *)to)[begin + i] = half_store(from[i]);
        break;
    }
}

static void load_integers(uint8_t type, const void *from, size_t begin, size_t count, int64_t *to)
{
    switch (type) {
    case NN_I64:
        memcpy(to, (const int64_t *)from + begin, count * sizeof *to);
        break;
    case NN_I32:
        for (size_t i = 0; i < count; i++) to[i] = ((const int32_t *)from)[begin + i];
        break;
    default:
        for (size_t i = 0; i < count; i++) to[i] = ((const uint8_t *)from)[begin + i];
        break;
    }
}

static void store_integers(uint8_t type, void *to, size_t begin, size_t count, const int64_t *from)
{
    switch (type) {
    case NN_I64:
        memcpy((int64_t *)to + begin, from, count * sizeof *from);
        break;
    case NN_I32:
        for (size_t i = 0; i < count; i++) ((int32_t *)to)[begin + i] = (int32_t)from[i];
        break;
    default:
        for (size_t i = 0; i < count; i++) ((uint8_t *)to)[begin + i] = (uint8_t)from[i];
        break;
    }
}

/* As floats from which one more rounding to the type is one of the integer itself. */
static void round_integers(uint8_t type, const int64_t *from, size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = type == NN_F64 ? (double)from[i] : type == NN_F32 ? (double)(float)from[i] : nn_odd_double(from[i]);
}

/* ---- What a type does not hold: the index of the first such element, or `count` ---- */

static size_t find_outside(uint8_t type, const int64_t *values, size_t count)
{
    size_t i = 0;
    while (i < count && values[i] >= types[type].least && values[i] <= types[type].most) i++;
    return i;
}

/* Fractions, NaN, and whole numbers outside of the integer type. */
static size_t find_not_whole(uint8_t type, const double *values, size_t count)
{
    size_t i = 0;
    while (i < count && values[i] >= (double)types[type].least && values[i] < types[type].beyond &&
           values[i] == (double)(int64_t)values[i])
        i++;
    return i;
}

/* Finite numbers that the float type would make infinite. */
static size_t find_infinite(uint8_t type, const double *values, size_t count)
{
    size_t i = 0;
    if (type == NN_F64) return count;
    while (i < count && (!isfinite(values[i]) || fabs(values[i]) < types[type].beyond)) i++;
    return i;
}

/* One chunk. `to` may be NULL: then it only looks. */
static size_t convert_chunk(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t begin, size_t count,
                            bool finite)
{
    double reals[CHUNK];
    int64_t integers[CHUNK];
    bool from_float = nn_dtype_is_float(from_type), to_float = nn_dtype_is_float(to_type);
    size_t good = count;
    if (from_float)
        load_floats(from_type, from, begin, count, reals);
    else
        load_integers(from_type, from, begin, count, integers);
    if (to_float) {
        if (!from_float) round_integers(to_type, integers, count, reals);
        if (finite) good = find_infinite(to_type, reals, count);
        if (to) store_floats(to_type, to, begin, good, reals);
        return good;
    }
    good = from_float ? find_not_whole(to_type, reals, count) : find_outside(to_type, integers, count);
    for (size_t i = 0; from_float && i < good; i++) integers[i] = (int64_t)reals[i];
    if (to) store_integers(to_type, to, begin, good, integers);
    return good;
}

static size_t convert_some(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t count, bool finite)
{
    if (to_type == from_type) {
        if (count && to) memcpy(to, from, count * nn_dtype_size(to_type));
        return count;
    }
    for (size_t begin = 0; begin < count; begin += CHUNK) {
        size_t now = count - begin < CHUNK ? count - begin : CHUNK;
        size_t good = convert_chunk(to_type, to, from_type, from, begin, now, finite);
        if (good < now) return begin + good;
    }
    return count;
}

/* ---- For the other files ---- */

size_t nn_convert_fitting(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t count)
{
    return convert_some(to_type, to, from_type, from, count, true);
}

void nn_value_text(uint8_t type, const void *values, size_t index, char text[NN_VALUE_TEXT])
{
    double real;
    int64_t integer;
    if (nn_dtype_is_float(type)) {
        load_floats(type, values, index, 1, &real);
        int digits = type == NN_F64 ? 15 : 6;
        do snprintf(text, NN_VALUE_TEXT, "%.*g", digits, nn_shown_number(real));
        while (digits++ < 17 && strtod(text, NULL) != real);
    } else {
        load_integers(type, values, index, 1, &integer);
        snprintf(text, NN_VALUE_TEXT, "%" PRId64, integer);
    }
}

static int refuse(uint8_t to_type, uint8_t from_type, const void *from, size_t index)
{
    char text[NN_VALUE_TEXT];
    nn_value_text(from_type, from, index, text);
    return nn_fail(NN_ERROR_RANGE, "element %zu is %s, which is no value of %s", index, text, types[to_type].name);
}

int nn_convert(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t count)
{
    size_t good = convert_some(to_type, to, from_type, from, count, false);
    return good == count ? NN_OK : refuse(to_type, from_type, from, good);
}

int nn_convert_given(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t count)
{
    size_t good = convert_some(to_type, NULL, from_type, from, count, true);
    if (good < count) return refuse(to_type, from_type, from, good);
    convert_some(to_type, to, from_type, from, count, true);
    return NN_OK;
}

size_t nn_find_rounded(uint8_t to_type, uint8_t from_type, const void *from, size_t count)
{
    int64_t values[CHUNK], most = INT64_C(1) << types[to_type].digits;
    if (!nn_dtype_is_float(to_type) || nn_dtype_is_float(from_type) || types[from_type].digits <= types[to_type].digits)
        return count;
    for (size_t begin = 0; begin < count; begin += CHUNK) {
        size_t now = count - begin < CHUNK ? count - begin : CHUNK;
        load_integers(from_type, from, begin, now, values);
        for (size_t i = 0; i < now; i++)
            if (values[i] > most || values[i] < -most) return begin + i;
    }
    return count;
}
