/* Compile-time numbers. Integers, symbolic sizes and their quotients are exact; where a real number takes part, or an
 * integer does not fit, the result is real. */
#include <math.h>
#include <string.h>

#include "elaborate/elaborator.h"
#include "ir/integer.h"

__extension__ typedef __int128 Wide;

static Wide gcd(Wide a, Wide b)
{
    while (b) {
        Wide rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

/* A quotient of constants in lowest terms; false when it does not fit. */
static bool reduced(Elaborator *el, Wide top, Wide bottom, Value *value)
{
    Wide common = gcd(top, bottom) * (bottom < 0 ? -1 : 1);
    top /= common;
    bottom /= common;
    if (top < INT64_MIN || top > INT64_MAX || bottom > INT64_MAX) return false;
    *value = value_integer(el, (int64_t)top);
    value->divisor = dim_constant(el->dims, (int64_t)bottom);
    return true;
}

static Value quotient(Elaborator *el, Dim size, Dim divisor)
{
    int64_t a, b;
    Dim whole;
    if (dim_divides(el->dims, size, divisor, &whole)) return value_size(el, whole);
    Value value = {.kind = VALUE_SIZE, .size = size, .divisor = divisor};
    if (dim_is_constant(el->dims, size, &a) && dim_is_constant(el->dims, divisor, &b)) reduced(el, a, b, &value);
    return value;
}

static bool is_zero(Elaborator *el, Dim size)
{
    return dim_same(size, dim_constant(el->dims, 0));
}

/* The integers of a constant size: numerator and divisor, which is positive. */
static bool constant_ratio(const Elaborator *el, Value value, int64_t *top, int64_t *bottom)
{
    return value.kind == VALUE_SIZE && dim_is_constant(el->dims, value.size, top) &&
           dim_is_constant(el->dims, value.divisor, bottom);
}

static Wide floor_quotient(Wide a, Wide b)
{
    return a / b - (a % b && (a < 0) != (b < 0));
}

/* Arithmetic of constants; b is not 0 where it divides. False when the result does not fit into 64 bits. */
static bool constants_exact(Elaborator *el, Operator op, Value a, Value b, Value *result)
{
    int64_t p, q, r, s;
    if (!constant_ratio(el, a, &p, &q) || !constant_ratio(el, b, &r, &s)) return false;
    Wide left = (Wide)p * s, right = (Wide)r * q, both = (Wide)q * s;
    switch (op) {
    case OPERATOR_ADD:
        return reduced(el, left + right, both, result);
    case OPERATOR_SUBTRACT:
        return reduced(el, left - right, both, result);
    case OPERATOR_MULTIPLY:
        return reduced(el, (Wide)p * r, both, result);
    case OPERATOR_DIVIDE:
        return reduced(el, left, right, result);
    case OPERATOR_FLOOR_DIVIDE:
        return reduced(el, floor_quotient(left, right), 1, result);
    default:
        return reduced(el, left - right * floor_quotient(left, right), both, result);
    }
}

/* A formula of free sizes that is longer than sizes can be. */
static Value bounded(Elaborator *el, Value value, Span at)
{
    if (value.kind != VALUE_SIZE || (!dim_is_none(value.size) && !dim_is_none(value.divisor))) return value;
    return size_refused(el, at);
}

static Value exact_unbounded(Elaborator *el, Operator op, Value a, Value b, Span at)
{
    DimTable *dims = el->dims;
    Dim left = dim_mul(dims, a.size, b.divisor), right = dim_mul(dims, b.size, a.divisor);
    Dim both = dim_mul(dims, a.divisor, b.divisor);
    switch (op) {
    case OPERATOR_ADD:
        return quotient(el, dim_add(dims, left, right), both);
    case OPERATOR_SUBTRACT:
        return quotient(el, dim_sub(dims, left, right), both);
    case OPERATOR_MULTIPLY:
        return quotient(el, dim_mul(dims, a.size, b.size), both);
    default:
        break;
    }
    if (is_zero(el, right)) {
        complain(el, DIAG_division_by_zero, at, "division by zero");
        return value_error();
    }
    switch (op) {
    case OPERATOR_DIVIDE:
        return quotient(el, left, right);
    case OPERATOR_FLOOR_DIVIDE:
        return value_size(el, dim_floor_div(dims, left, right));
    default:
        return quotient(el, dim_modulo(dims, left, right), both);
    }
}

static Value exact(Elaborator *el, Operator op, Value a, Value b, Span at)
{
    return bounded(el, exact_unbounded(el, op, a, b, at), at);
}

Op number_op(Operator op, bool *swaps)
{
    static const struct {
        Op op;
        bool swaps;
    } ops[OPERATORS] = {
#define OPERATOR(id, spelling, level, op, swaps) [OPERATOR_##id] = {OP_##op, swaps},
#include "syntax/syntax.def"
    };
    *swaps = ops[op].swaps;
    return ops[op].op;
}

static double real(Operator op, double x, double y)
{
    bool swaps;
    return op_evaluate(number_op(op, &swaps), x, y, 0);
}

/* The sign of a - b for two constants of which none is NaN. */
static int order(const Elaborator *el, Value a, Value b)
{
    int64_t p, q, r, s;
    double x = 0, y = 0;
    bool ratio_a = constant_ratio(el, a, &p, &q), ratio_b = constant_ratio(el, b, &r, &s);
    if (ratio_a && ratio_b) {
        Wide left = (Wide)p * s, right = (Wide)r * q;
        return (left > right) - (left < right);
    }
    value_is_constant(el, a, &x);
    value_is_constant(el, b, &y);
    if (ratio_a && q == 1) return integer_compare(p, y);
    if (ratio_b && s == 1) return -integer_compare(r, x);
    return (x > y) - (x < y);
}

bool number_compare(const Elaborator *el, Operator op, Value a, Value b)
{
    bool nan = (a.kind == VALUE_REAL && isnan(a.number)) || (b.kind == VALUE_REAL && isnan(b.number));
    if (nan) return op == OPERATOR_UNEQUAL;
    int sign = order(el, a, b);
    switch (op) {
    case OPERATOR_EQUAL:
        return sign == 0;
    case OPERATOR_UNEQUAL:
        return sign != 0;
    case OPERATOR_LESS:
        return sign < 0;
    case OPERATOR_LESS_EQUAL:
        return sign <= 0;
    case OPERATOR_GREATER:
        return sign > 0;
    default:
        return sign >= 0;
    }
}

/* A free size in a computation that sizes cannot express becomes a tensor, known when the size is. */
static Value at_run_time(Elaborator *el, Operator op, Value a, Value b, Span at)
{
    Syntax place = {.span = at};
    a = value_as_tensor(el, a, value_is_number(b) && b.kind == VALUE_REAL ? el->real : DTYPE_COUNT, at);
    b = value_as_tensor(el, b, DTYPE_COUNT, at);
    return operate(el, op, a, b, &place);
}

/* x ^ n by products; false when a constant's does not fit. */
static bool whole_power(Elaborator *el, Value x, int64_t exponent, bool constant, Value *product, Span at)
{
    *product = value_integer(el, 1);
    for (int64_t i = 0; i < exponent; i++) {
        if (!constant)
            *product = exact(el, OPERATOR_MULTIPLY, *product, x, at);
        else if (!constants_exact(el, OPERATOR_MULTIPLY, *product, x, product))
            return false;
    }
    return true;
}

static Value power(Elaborator *el, Value a, Value b, Span at)
{
    int64_t exponent;
    double x, y;
    Value product;
    bool constants = value_is_constant(el, a, &x) && value_is_constant(el, b, &y);
    if (constants && (a.kind == VALUE_REAL || b.kind == VALUE_REAL)) return value_real(pow(x, y));
    bool whole = a.kind == VALUE_SIZE && value_is_integer(el, b, &exponent) && exponent >= 0 && exponent <= 64;
    if (whole && whole_power(el, a, exponent, constants, &product, at)) return product;
    return constants ? value_real(pow(x, y)) : at_run_time(el, OPERATOR_POWER, a, b, at);
}

/* A whole real number as a size, so that a comparison with sizes is exact. */
static Value as_whole(Elaborator *el, Value value)
{
    bool whole = value.kind == VALUE_REAL && value.number == floor(value.number) && fabs(value.number) <= 0x1p53;
    return whole ? value_integer(el, (int64_t)value.number) : value;
}

/* Two sizes over one divisor, which is positive: they compare as *left and *right do. */
static bool over_one_divisor(Elaborator *el, Value a, Value b, Dim *left, Dim *right)
{
    int64_t x, y;
    if (a.kind != VALUE_SIZE || b.kind != VALUE_SIZE) return false;
    if (!dim_is_constant(el->dims, a.divisor, &x) || !dim_is_constant(el->dims, b.divisor, &y)) return false;
    *left = dim_mul(el->dims, a.size, b.divisor);
    *right = dim_mul(el->dims, b.size, a.divisor);
    return x > 0 && y > 0;
}

bool number_extreme(Elaborator *el, bool larger, Value a, Value b, Span at, Value *result)
{
    Dim left, right;
    if (!over_one_divisor(el, a, b, &left, &right)) return false;
    Dim size = larger ? dim_max(el->dims, left, right) : dim_min(el->dims, left, right);
    *result = bounded(el, quotient(el, size, dim_mul(el->dims, a.divisor, b.divisor)), at);
    return true;
}

/* A comparison that waits for free sizes; quotients are multiplied out. */
static Value compare_at_run_time(Elaborator *el, Operator op, Value a, Value b, Span at)
{
    Dim left, right;
    a = as_whole(el, a);
    b = as_whole(el, b);
    if (!over_one_divisor(el, a, b, &left, &right)) return at_run_time(el, op, a, b, at);
    return at_run_time(el, op, value_size(el, left), value_size(el, right), at);
}

Value number_binary(Elaborator *el, Operator op, Value a, Value b, Span at)
{
    double x = 0, y = 0;
    bool constants = value_is_constant(el, a, &x) && value_is_constant(el, b, &y);
    bool sizes = a.kind == VALUE_SIZE && b.kind == VALUE_SIZE;
    if (operator_level(op) == operator_level(OPERATOR_EQUAL)) {
        if (constants) return value_bool(number_compare(el, op, a, b));
        if (sizes) {
            Value difference = exact(el, OPERATOR_SUBTRACT, a, b, at);
            if (value_is_constant(el, difference, &x))
                return value_bool(number_compare(el, op, difference, value_integer(el, 0)));
        }
        return compare_at_run_time(el, op, a, b, at);
    }
    if (op == OPERATOR_POWER) return power(el, a, b, at);
    bool divides = op == OPERATOR_DIVIDE || op == OPERATOR_FLOOR_DIVIDE || op == OPERATOR_REMAINDER;
    if (sizes && constants && !(divides && is_zero(el, b.size))) {
        Value result;
        return constants_exact(el, op, a, b, &result) ? result : value_real(real(op, x, y));
    }
    if (sizes) return exact(el, op, a, b, at);
    if (constants) return value_real(real(op, x, y));
    return at_run_time(el, op, a, b, at);
}

Value number_negate(Elaborator *el, Value a)
{
    int64_t integer;
    if (a.kind == VALUE_REAL) return value_real(-a.number);
    if (value_is_integer(el, a, &integer) && integer == INT64_MIN) return value_real(0x1p63);
    a.size = dim_sub(el->dims, dim_constant(el->dims, 0), a.size);
    return bounded(el, a, el->here);
}

bool number_as_size(Elaborator *el, Value value, const char *what, Span at, Dim *size)
{
    double number;
    if (value_is_error(value)) return false;
    bool whole = value.kind == VALUE_REAL && value.number == floor(value.number) && fabs(value.number) < 0x1p63;
    if (value.kind != VALUE_SIZE && !whole) {
        complain(el, DIAG_not_whole, at, "%s must be a whole number known when the program is compiled, not %s", what,
                 value_describe(el, value));
        return false;
    }
    if (value.kind == VALUE_REAL) value = value_integer(el, (int64_t)value.number);
    *size = value.size;
    if (dim_same(value.divisor, dim_constant(el->dims, 1))) return true;
    if (value_is_constant(el, value, &number)) {
        complain(el, DIAG_not_whole, at, "%s must be a whole number, but this is %s", what, value_describe(el, value));
        return false;
    }
    Dim floored = dim_floor_div(el->dims, value.size, value.divisor);
    Dim back = dim_mul(el->dims, floored, value.divisor);
    const char *message =
        arena_format(el->arena, "%s must divide %s", dim_text(el, value.divisor), dim_text(el, value.size));
    check_add(el, (Check){value.size, back, NODE_NONE, message, at});
    *size = floored;
    return true;
}

bool number_as_integer(Elaborator *el, Value value, const char *what, Span at, int64_t *integer)
{
    Dim size;
    if (!number_as_size(el, value, what, at, &size)) return false;
    if (dim_is_constant(el->dims, size, integer)) return true;
    complain(el, DIAG_free_size, at, "%s must be known when the program is compiled, but %s is free", what,
             dim_text(el, size));
    return false;
}

bool value_same(const Elaborator *el, Value a, Value b, Span at)
{
    double x, y;
    if (!context_spend(el->context, 1, at)) return false;
    if (value_is_constant(el, a, &x) && value_is_constant(el, b, &y)) return number_compare(el, OPERATOR_EQUAL, a, b);
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case VALUE_SIZE:
        return dim_same(a.size, b.size) && dim_same(a.divisor, b.divisor);
    case VALUE_BOOL:
        return a.truth == b.truth;
    case VALUE_TEXT:
        return !strcmp(a.text, b.text);
    case VALUE_TENSOR:
        return node_same(a.node, b.node);
    case VALUE_LIST:
        if (a.count != b.count) return false;
        for (uint32_t i = 0; i < a.count; i++)
            if (!value_same(el, a.items[i], b.items[i], at)) return false;
        return true;
    default:
        return false;
    }
}
