#include <math.h>
#include <string.h>

#include "ir/graph.h"

static const OpInfo rows[] = {
#define OP(id, spelling, arity, class, attributes, rule, flags, work, value, whole)                                    \
    {spelling, arity, OP_CLASS_##class, attributes, TYPE_RULE_##rule, flags, work},
#include "ir/ops.def"
#undef OP
};

const OpInfo *op_info(Op op)
{
    return &rows[op];
}

Op op_parse(const char *text, size_t length)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (strlen(rows[op].spelling) == length && !memcmp(rows[op].spelling, text, length)) return (Op)op;
    return OP_COUNT;
}

/* The floor of the exact quotient, as long as that is a double; beyond 2^53, where quotients are whole, the nearest. */
static double floored_quotient(double x, double y)
{
    bool apart = signbit(x) != signbit(y);
    double a = fabs(x), b = fabs(y), ratio = a / b, quotient = trunc(ratio);
    if (isinf(x)) return NAN;
    if (ratio < 0x1p53) {
        double rest = isinf(b) ? a : fma(-quotient, b, a); /* exact */
        if (rest < 0) quotient -= 1;                       /* the ratio was rounded up to a whole number */
        if (rest != 0 && apart) quotient += 1;
    }
    return apart ? -quotient : quotient;
}

/* x - y floor(x / y) of the exact quotient, rounded once. */
static double floored_remainder(double x, double y)
{
    double rest = fmod(x, y);
    if (rest == 0) return copysign(rest, y);
    return signbit(rest) != signbit(y) ? rest + y : rest;
}

double op_evaluate(Op op, double x, double y, double z)
{
    (void)y, (void)z;
    switch (op) {
#define OP(id, spelling, arity, class, attributes, rule, flags, work, value, whole)                                    \
    case OP_##id:                                                                                                      \
        return value;
#include "ir/ops.def"
#undef OP
    case OP_COUNT:
        break;
    }
    return 0;
}
