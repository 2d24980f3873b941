/* The values of postfix programs: one walk and one table of operators, in whole numbers, with every step checked, or in
 * doubles. */
#include <math.h>
#include <string.h>

#include "core/internal.h"

enum { MOST_TAKEN = 3 };

typedef union {
    int64_t whole;
    double real;
} Number;

/* ---- Whole numbers ---- */

/* Rounds down; so does what remains: it has the sign of b. */
static bool divide(int64_t a, int64_t b, int64_t *quotient, int64_t *remainder)
{
    if (b == 0 || (a == INT64_MIN && b == -1)) return false;
    bool down = a % b != 0 && (a % b < 0) != (b < 0);
    *quotient = a / b - down;
    *remainder = a % b + (down ? b : 0);
    return true;
}

static bool give(int64_t *x, int64_t value)
{
    *x = value;
    return true;
}

/* ---- Doubles, without a library of functions ---- */

/* What remains of a when b is taken from it as often as it can be; odd: that is an odd number of times. Exact: each
 * step takes what is more than half. a and b are finite, b is positive. */
static double take_away(double a, double b, bool *odd)
{
    double step = b;
    *odd = false;
    while (step <= a / 2) step *= 2;
    for (; step >= b; step /= 2) {
        *odd = a >= step;
        if (*odd) a -= step;
    }
    return a;
}

/* The floor of the exact quotient; beyond 2^53, where quotients are whole, the nearest. */
static double floored_quotient(double x, double y)
{
    double a = fabs(x), b = fabs(y), ratio = a / b, rest = a;
    bool apart = signbit(x) != signbit(y), odd = false;
    if (!isfinite(x)) return NAN;
    if (!(ratio < 0x1p53)) return x / y;
    int64_t quotient = (int64_t)ratio;
    if (isfinite(b)) rest = take_away(a, b, &odd);
    if ((quotient & 1) != odd) quotient--; /* the ratio was rounded up to a whole number */
    if (rest != 0 && apart) quotient++;
    return apart ? -(double)quotient : (double)quotient;
}

/* What the floor of the exact quotient leaves of x, rounded once: it has the sign of y. */
static double floored_remainder(double x, double y)
{
    bool odd;
    if (!isfinite(x) || isnan(y) || y == 0) return NAN;
    double rest = isfinite(y) ? take_away(fabs(x), fabs(y), &odd) : fabs(x);
    if (rest == 0) return copysign(rest, y);
    rest = copysign(rest, x);
    return signbit(x) != signbit(y) ? rest + y : rest;
}

/* The number as an element type holds it. */
static double round_to(int64_t dtype, double number)
{
    char held[sizeof number];
    double read;
    bool fits =
        !nn_convert((uint8_t)dtype, held, NN_F64, &number, 1) && !nn_convert(NN_F64, &read, (uint8_t)dtype, held, 1);
    return fits ? read : number;
}

/* ---- The operators ---- */

/* Code, how many values it takes, and what it makes of them, a, b and c: of whole numbers false where 64 bits do not
 * hold it. */
#define OPERATORS(ROW)                                                                                                 \
    ROW(ADD, 2, !__builtin_add_overflow(a, b, x), a + b)                                                               \
    ROW(MUL, 2, !__builtin_mul_overflow(a, b, x), a * b)                                                               \
    ROW(DIV, 2, false, a / b)                                                                                          \
    ROW(FLOOR_DIV, 2, divide(a, b, x, &rest), floored_quotient(a, b))                                                  \
    ROW(MOD, 2, divide(a, b, &rest, x), floored_remainder(a, b))                                                       \
    ROW(MAX, 2, give(x, a > b ? a : b), a > b || a != a ? a : b)                                                       \
    ROW(MIN, 2, give(x, a < b ? a : b), a < b || a != a ? a : b)                                                       \
    ROW(SELECT, 3, give(x, a ? b : c), a != 0 ? b : c)                                                                 \
    ROW(EQ, 2, give(x, a == b), a == b)                                                                                \
    ROW(NE, 2, give(x, a != b), a != b)                                                                                \
    ROW(LT, 2, give(x, a < b), a < b)                                                                                  \
    ROW(LE, 2, give(x, a <= b), a <= b)                                                                                \
    ROW(AND, 2, give(x, a &&b), a != 0 && b != 0)                                                                      \
    ROW(OR, 2, give(x, a || b), a != 0 || b != 0)                                                                      \
    ROW(NOT, 1, give(x, !a), a == 0)                                                                                   \
    ROW(ROUND, 1, false, round_to(operand, a))

/* How many values an operator takes; 0 of what is no operator. */
static int taken(int64_t code)
{
    switch (code) {
#define ROW(code, count, whole, real)                                                                                  \
    case NN_SIZE_##code:                                                                                               \
        return count;
        OPERATORS(ROW)
#undef ROW
    default:
        return 0;
    }
}

static bool apply_whole(int64_t code, int64_t operand, Number *numbers)
{
    int64_t a = numbers[0].whole, b = numbers[1].whole, c = numbers[2].whole, rest, *x = &numbers->whole;
    (void)operand;
    switch (code) {
#define ROW(code, count, whole, real)                                                                                  \
    case NN_SIZE_##code:                                                                                               \
        return whole;
        OPERATORS(ROW)
#undef ROW
    default:
        return false;
    }
}

static bool apply_real(int64_t code, int64_t operand, Number *numbers)
{
    double a = numbers[0].real, b = numbers[1].real, c = numbers[2].real, *x = &numbers->real;
    switch (code) {
#define ROW(code, count, whole, real)                                                                                  \
    case NN_SIZE_##code:                                                                                               \
        return *x = real, true;
        OPERATORS(ROW)
#undef ROW
    default:
        return false;
    }
}

/* ---- The walk ---- */

typedef struct {
    bool (*apply)(int64_t code, int64_t operand, Number *numbers);
    /* The value that a code pushes; NN_ERROR_RANGE if it pushes none. */
    int (*push)(void *data, int64_t code, int64_t operand, Number *to);
    void *data;
} Arithmetic;

static int evaluate(const int64_t *code, const Arithmetic *in, Number *result)
{
    Number stack[NN_SIZE_STACK + MOST_TAKEN] = {{0}};
    int depth = 0, status;
    for (; code[0] != NN_SIZE_END; code += 2) {
        int count = taken(code[0]);
        if (count ? depth < count : depth == NN_SIZE_STACK) return NN_ERROR_RANGE;
        if (!count && (status = in->push(in->data, code[0], code[1], &stack[depth]))) return status;
        if (count && !in->apply(code[0], code[1], &stack[depth - count])) return NN_ERROR_RANGE;
        depth += 1 - count;
    }
    *result = stack[0];
    return depth == 1 ? NN_OK : NN_ERROR_RANGE;
}

typedef struct {
    const int64_t *symbols;
    int64_t unbound;
} Sizes;

static int push_size(void *data, int64_t code, int64_t operand, Number *to)
{
    Sizes *sizes = data;
    if (code != NN_SIZE_CONSTANT && code != NN_SIZE_SYMBOL) return NN_ERROR_RANGE;
    to->whole = code == NN_SIZE_SYMBOL ? sizes->symbols[operand] : operand;
    if (code == NN_SIZE_CONSTANT || to->whole >= 0) return NN_OK;
    sizes->unbound = operand;
    return NN_ERROR_ARGUMENT;
}

int nn_size_evaluate(const int64_t *code, const int64_t *symbols, int64_t *value, int64_t *unbound)
{
    Sizes sizes = {symbols, -1};
    Number result = {0};
    int status = evaluate(code, &(Arithmetic){apply_whole, push_size, &sizes}, &result);
    *unbound = sizes.unbound;
    if (!status) *value = result.whole;
    return status;
}

typedef struct {
    const nn_model *model;
    const int64_t *symbols;
    const double *settings;
} Given;

static int push_real(void *data, int64_t code, int64_t operand, Number *to)
{
    const Given *given = data;
    Sizes sizes = {given->symbols, -1};
    if (code == NN_SIZE_SETTING) {
        to->real = round_to(given->model->image->tensors[operand].dtype, given->settings[operand]);
        return NN_OK;
    }
    if (code == NN_SIZE_REAL) return memcpy(&to->real, &operand, sizeof to->real), NN_OK;
    int status = push_size(&sizes, code, operand, to);
    if (!status) to->real = (double)to->whole;
    return status;
}

int nn_condition_evaluate(const nn_model *model, const int64_t *code, const int64_t *symbols, const double *settings,
                          bool *truth)
{
    Given given = {model, symbols, settings};
    Number result = {0};
    int status = evaluate(code, &(Arithmetic){apply_real, push_real, &given}, &result);
    if (!status) *truth = result.real != 0;
    return status;
}
