/* Element types: their sizes, names and conversions between them. */
#include <string.h>

#include "core/internal.h"

_Static_assert((int)NN_TYPE_F64 == NN_F64 && (int)NN_TYPE_BF16 == NN_BF16 && (int)NN_TYPE_BOOL == NN_BOOL,
               "nn.h and nn_image.h number types alike");
_Static_assert((int)NN_ROLE_INPUT == NN_INPUT && (int)NN_ROLE_SETTING == NN_SETTING && (int)NN_ROLE_SOURCE == NN_SOURCE,
               "nn.h and nn_image.h number roles alike");

static const struct {
    const char *name;
    uint8_t size;
} types[] = {{"f64", 8}, {"f32", 4}, {"bf16", 2}, {"f16", 2}, {"i64", 8}, {"i32", 4}, {"u8", 1}, {"bool", 1}};

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
    uint32_t bits = bits_of_float((float)value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return sign | 0x7e00u;
    if (magnitude >= 0x477ff000u) return sign | 0x7c00u;
    if (magnitude < 0x38800000u) return sign | (uint16_t)bits_of_float(float_of_bits(magnitude) + 0.5f);
    return sign | (uint16_t)((magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13);
}

static uint16_t brain_store(double value)
{
    uint32_t bits = bits_of_float((float)value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

static double load_float(uint8_t type, const void *from, size_t i)
{
    switch (type) {
    case NN_F64:
        return ((const double *)from)[i];
    case NN_F32:
        return ((const float *)from)[i];
    case NN_BF16:
        return float_of_bits((uint32_t)((const uint16_t *)from)[i] << 16);
    default:
        return half_load(((const uint16_t *)from)[i]);
    }
}

static void store_float(uint8_t type, void *to, size_t i, double value)
{
    switch (type) {
    case NN_F64:
        ((double *)to)[i] = value;
        break;
    case NN_F32:
        ((float *)to)[i] = (float)value;
        break;
    case NN_BF16:
        ((uint16_t *)to)[i] = brain_store(value);
        break;
    default:
        ((uint16_t *)to)[i] = half_store(value);
        break;
    }
}

static int64_t load_integer(uint8_t type, const void *from, size_t i)
{
    switch (type) {
    case NN_I64:
        return ((const int64_t *)from)[i];
    case NN_I32:
        return ((const int32_t *)from)[i];
    default:
        return ((const uint8_t *)from)[i];
    }
}

/* False when the type has no such value. */
static bool store_integer(uint8_t type, void *to, size_t i, int64_t value)
{
    switch (type) {
    case NN_I64:
        ((int64_t *)to)[i] = value;
        return true;
    case NN_I32:
        ((int32_t *)to)[i] = (int32_t)value;
        return value == (int32_t)value;
    case NN_U8:
        ((uint8_t *)to)[i] = (uint8_t)value;
        return value == (uint8_t)value;
    default:
        ((uint8_t *)to)[i] = value != 0;
        return value == 0 || value == 1;
    }
}

static bool convert_one(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t i)
{
    if (nn_dtype_is_float(to_type)) {
        store_float(to_type, to, i,
                    nn_dtype_is_float(from_type) ? load_float(from_type, from, i)
                                                 : (double)load_integer(from_type, from, i));
        return true;
    }
    if (!nn_dtype_is_float(from_type)) return store_integer(to_type, to, i, load_integer(from_type, from, i));
    double value = load_float(from_type, from, i);
    if (!(value >= -0x1p63 && value < 0x1p63) || (double)(int64_t)value != value) return false;
    return store_integer(to_type, to, i, (int64_t)value);
}

int nn_convert(uint8_t to_type, void *to, uint8_t from_type, const void *from, size_t count)
{
    if (to_type == from_type) {
        if (count) memcpy(to, from, count * nn_dtype_size(to_type));
        return NN_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (convert_one(to_type, to, from_type, from, i)) continue;
        double value =
            nn_dtype_is_float(from_type) ? load_float(from_type, from, i) : (double)load_integer(from_type, from, i);
        return nn_fail(NN_ERROR_RANGE, "element %zu is %g, which is no value of %s", i, value, types[to_type].name);
    }
    return NN_OK;
}
