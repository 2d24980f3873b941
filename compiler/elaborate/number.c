/* Compile-time numbers. Integers, symbolic sizes and their quotients are exact; where a real number takes part, or an
 * integer does not fit, the result is real. */
#include <math.h>

#include "elaborate/elaborator.h"

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

static Value quotient(Elaborator *el, Dim size, Dim divisor)
{
    int64_t a, b;
    Dim whole;
    if (dim_divides(el->dims, size, divisor, &whole)) return value_size(el, whole);
    if (dim_is_constant(el->dims, size, &a) && dim_is_constant(el->dims, divisor, &b)) {
        int64_t common = gcd(a, b) * (b < 0 ? -1 : 1);
        size = dim_constant(el->dims, a / common);
        divisor = dim_constant(el->dims, b / common);
    }
    return (Value){.kind = VALUE_SIZE, .size = size, .divisor = divisor};
}

static bool is_zero(Elaborator *el, Dim size)
{
    return dim_same(size, dim_constant(el->dims, 0));
}

/* Whether products of both numbers and their sums stay within 64 bits. */
static bool fits(const Elaborator *el, Value a, Value b)
{
    double x, y;
    if (!value_is_constant(el, a, &x) || !value_is_constant(el, b, &y)) return true;
    return fabs(x) < 2147483648.0 && fabs(y) < 2147483648.0;
}

/* A formula of free sizes that is longer than sizes can be. */
static Value bounded(Elaborator *el, Value value, Span at)
{
    if (value.kind != VALUE_SIZE || (!dim_is_none(value.size) && !dim_is_none(value.divisor))) return value;
    Diag *diag = complain(el, DIAG_size_too_complex, at, "this size is a formula of too many terms or divisions");
    diag_hint(diag, "sizes are computed from few others: is a loop wrong?");
    return value_error();
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

static double real(Operator op, double x, double y)
{
    switch (op) {
    case OPERATOR_ADD:
        return x + y;
    case OPERATOR_SUBTRACT:
        return x - y;
    case OPERATOR_MULTIPLY:
        return x * y;
    case OPERATOR_DIVIDE:
        return x / y;
    case OPERATOR_FLOOR_DIVIDE:
        return op_evaluate(OP_FLOOR_DIV, x, y, 0);
    case OPERATOR_REMAINDER:
        return op_evaluate(OP_MOD, x, y, 0);
    case OPERATOR_POWER:
        return pow(x, y);
    default:
        return NAN;
    }
}

static bool compare(Operator op, double x, double y)
{
    switch (op) {
    case OPERATOR_EQUAL:
        return x == y;
    case OPERATOR_UNEQUAL:
        return x != y;
    case OPERATOR_LESS:
        return x < y;
    case OPERATOR_LESS_EQUAL:
        return x <= y;
    case OPERATOR_GREATER:
        return x > y;
    default:
        return x >= y;
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

static Value power(Elaborator *el, Value a, Value b, Span at)
{
    int64_t exponent;
    double x, y;
    bool constants = value_is_constant(el, a, &x) && value_is_constant(el, b, &y);
    if (constants && (a.kind == VALUE_REAL || b.kind == VALUE_REAL)) return value_real(pow(x, y));
    if (a.kind == VALUE_SIZE && value_is_integer(el, b, &exponent) && exponent >= 0 && exponent <= 64 &&
        !(constants && fabs(pow(x, y)) > 9e15)) {
        Value product = value_integer(el, 1);
        for (int64_t i = 0; i < exponent; i++) product = exact(el, OPERATOR_MULTIPLY, product, a, at);
        return product;
    }
    return constants ? value_real(pow(x, y)) : at_run_time(el, OPERATOR_POWER, a, b, at);
}

/* A whole real number as a size, so that a comparison with sizes is exact. */
static Value as_whole(Elaborator *el, Value value)
{
    bool whole = value.kind == VALUE_REAL && value.number == floor(value.number) && fabs(value.number) <= 0x1p53;
    return whole ? value_integer(el, (int64_t)value.number) : value;
}

/* A comparison that waits for free sizes; quotients are multiplied out. */
static Value compare_at_run_time(Elaborator *el, Operator op, Value a, Value b, Span at)
{
    int64_t x, y;
    a = as_whole(el, a);
    b = as_whole(el, b);
    bool multiplied = a.kind == VALUE_SIZE && b.kind == VALUE_SIZE && dim_is_constant(el->dims, a.divisor, &x) &&
                      dim_is_constant(el->dims, b.divisor, &y) && x > 0 && y > 0;
    if (!multiplied) return at_run_time(el, op, a, b, at);
    Dim left = dim_mul(el->dims, a.size, b.divisor), right = dim_mul(el->dims, b.size, a.divisor);
    return at_run_time(el, op, value_size(el, left), value_size(el, right), at);
}

Value number_binary(Elaborator *el, Operator op, Value a, Value b, Span at)
{
    double x = 0, y = 0;
    bool constants = value_is_constant(el, a, &x) && value_is_constant(el, b, &y);
    bool sizes = a.kind == VALUE_SIZE && b.kind == VALUE_SIZE;
    if (operator_level(op) == operator_level(OPERATOR_EQUAL)) {
        if (constants) return value_bool(compare(op, x, y));
        if (sizes) {
            Value difference = exact(el, OPERATOR_SUBTRACT, a, b, at);
            if (value_is_constant(el, difference, &x)) return value_bool(compare(op, x, 0));
        }
        return compare_at_run_time(el, op, a, b, at);
    }
    if (op == OPERATOR_POWER) return power(el, a, b, at);
    if (sizes && fits(el, a, b)) return exact(el, op, a, b, at);
    if (constants) return value_real(real(op, x, y));
    return at_run_time(el, op, a, b, at);
}

Value number_negate(Elaborator *el, Value a)
{
    if (a.kind == VALUE_REAL) return value_real(-a.number);
    a.size = dim_sub(el->dims, dim_constant(el->dims, 0), a.size);
    return a;
}

bool number_as_size(Elaborator *el, Value value, const char *what, Span at, Dim *size)
{
    double number;
    if (value_is_error(value)) return false;
    if (value.kind != VALUE_SIZE && !(value.kind == VALUE_REAL && value.number == floor(value.number))) {
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
