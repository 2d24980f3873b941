/* Comparisons of integers with numbers that their element type need not hold. */
#include <math.h>

#include "elaborate/elaborator.h"
#include "ir/integer.h"

/* A constant between integers: the largest that is not above it, with or without a rest. */
typedef struct {
    bool nan, above, below; /* not a number; beyond every integer of 64 bits */
    bool rest;
    int64_t floor;
} Position;

static Position position_of(const Elaborator *el, Value constant)
{
    int64_t integer;
    double number = 0;
    if (value_is_integer(el, constant, &integer)) return (Position){.floor = integer};
    value_is_constant(el, constant, &number);
    if (isnan(number)) return (Position){.nan = true};
    if (number >= 0x1p63) return (Position){.above = true};
    if (number < -0x1p63) return (Position){.below = true};
    double whole = floor(number);
    return (Position){.floor = (int64_t)whole, .rest = whole != number};
}

/* Where the constant lies outside of the type, the result is the same for all elements. */
Value compare_with_constant(Elaborator *el, Op op, Value x, Value constant, bool constant_first, const Syntax *at)
{
    Type type = *node_type(el->graph, x.node);
    Position place = position_of(el, constant);
    bool equality = op == OP_EQ || op == OP_NE;
    /* x < 2.5 and x <= 2.5 are x <= 2, 2.5 < x and 2.5 <= x are 2 < x */
    if (place.rest && !equality) op = constant_first ? OP_LT : OP_LE;
    bool above = place.above || (!place.nan && !place.below && place.floor > integer_most(type.dtype));
    bool below = place.below || (!place.nan && !place.above && place.floor < integer_least(type.dtype));
    bool decided = place.nan || above || below || (equality && place.rest);
    if (!decided) {
        Value c = value_tensor(build_integer(el->graph, type_scalar(type.dtype), place.floor));
        return binary_aligned(el, op, constant_first ? c : x, constant_first ? x : c, at);
    }
    bool truth = equality ? op == OP_NE : !place.nan && (constant_first ? below : above);
    return value_labelled(el, build_constant(el->graph, type_with(type, DTYPE_BOOL), truth), x.labels, x.count);
}
