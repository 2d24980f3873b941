/* Division towards minus infinity of floating-point numbers, as Python has it: x = (x // y) y + x % y without rounding,
 * as far as the results are numbers of the format. */
#include <math.h>

#include "codegen/math_internal.h"

/* |x| by |y|. */
typedef struct {
    LLVMValueRef a, b;
    LLVMValueRef ratio;          /* rounded */
    LLVMValueRef quotient, rest; /* exact where the ratio is below the limit */
    LLVMValueRef apart;          /* the signs of x and y differ */
} Division;

/* Up to here, every whole number is one of the format. */
static LLVMValueRef limit(const Math *m)
{
    return m_num(m, ldexp(1, (int)m->format->mantissa + 1));
}

/* a - q b, where that is a number of the format. */
static LLVMValueRef minus_product(const Math *m, LLVMValueRef a, LLVMValueRef q, LLVMValueRef b)
{
    if (m->v->has_fma) return m_fma(m, m_neg(m, q), b, a);
    LLVMValueRef low, high = m_two_product(m, q, b, &low);
    return m_sub(m, m_sub(m, a, high), low);
}

/* The rounded ratio may reach a whole number that the exact one is still below, never one more. The rest is then -b at
 * least, and in either case a multiple of the last bit of a or b, so that it is exact. */
static Division divide(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    Division d = {.a = m_abs(m, x), .b = m_abs(m, y)};
    LLVMValueRef zero = m_num(m, 0), differ = LLVMBuildXor(m->b, m_to_bits(m, x), m_to_bits(m, y), "");
    d.apart = LLVMBuildICmp(m->b, LLVMIntSLT, differ, m_bits(m, 0), "");
    d.ratio = m_div(m, d.a, d.b);
    LLVMValueRef whole = m_call(m, "llvm.trunc", d.ratio), rest = minus_product(m, d.a, whole, d.b);
    LLVMValueRef below = m_lt(m, rest, zero);
    d.quotient = m_select(m, below, m_sub(m, whole, m_num(m, 1)), whole);
    rest = m_select(m, below, m_add(m, rest, d.b), rest);
    d.rest = m_select(m, m_lt(m, d.a, d.b), d.a, rest); /* b may be infinite */
    return d;
}

/* True where the exact quotient is negative and not an integer. */
static LLVMValueRef is_between(const Math *m, const Division *d, LLVMValueRef rest)
{
    return LLVMBuildAnd(m->b, d->apart, m_compare(m, LLVMRealONE, rest, m_num(m, 0)), "");
}

LLVMValueRef m_floor_div(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    Division d = divide(m, x, y);
    LLVMValueRef away = m_select(m, is_between(m, &d, d.rest), m_add(m, d.quotient, m_num(m, 1)), d.quotient);
    LLVMValueRef q = m_select(m, m_lt(m, d.ratio, limit(m)), away, d.ratio);
    q = m_select(m, m_eq(m, d.a, m_num(m, INFINITY)), m_num(m, NAN), q);
    return m_select(m, d.apart, m_neg(m, q), q);
}

/* ---- Remainders of large quotients ---- */

/* A finite number x >= 0 as mantissa 2^(exponent - 1075). */
static LLVMValueRef split(const Math *m, LLVMValueRef x, LLVMValueRef *exponent)
{
    LLVMValueRef bits = m_to_bits(m, x), one = m_bits(m, 1), hidden = m_bits(m, (uint64_t)1 << 52);
    LLVMValueRef field = LLVMBuildLShr(m->b, bits, m_bits(m, 52), "");
    LLVMValueRef denormal = LLVMBuildICmp(m->b, LLVMIntEQ, field, m_bits(m, 0), "");
    *exponent = m_select(m, denormal, one, field);
    LLVMValueRef fraction = LLVMBuildAnd(m->b, bits, m_bits(m, ((uint64_t)1 << 52) - 1), "");
    return m_select(m, denormal, fraction, LLVMBuildOr(m->b, fraction, hidden, ""));
}

/* x 2^count modulo y, for x < y < 2^53. */
static LLVMValueRef shift_modulo(const Math *m, LLVMValueRef x, LLVMValueRef y, LLVMValueRef count)
{
    enum { STEP = 64 - 53 };
    LLVMBasicBlockRef before = LLVMGetInsertBlock(m->b);
    LLVMValueRef function = LLVMGetBasicBlockParent(before), zero = m_bits(m, 0), most = m_bits(m, STEP);
    LLVMBasicBlockRef test = LLVMAppendBasicBlockInContext(m->v->context, function, "test");
    LLVMBasicBlockRef turn = LLVMAppendBasicBlockInContext(m->v->context, function, "turn");
    LLVMBasicBlockRef end = LLVMAppendBasicBlockInContext(m->v->context, function, "end");
    LLVMBuildBr(m->b, test);
    LLVMPositionBuilderAtEnd(m->b, test);
    LLVMValueRef rest = LLVMBuildPhi(m->b, m->bits, "rest"), left = LLVMBuildPhi(m->b, m->bits, "left");
    LLVMBuildCondBr(m->b, LLVMBuildICmp(m->b, LLVMIntSGT, left, zero, ""), turn, end);
    LLVMPositionBuilderAtEnd(m->b, turn);
    LLVMValueRef step = m_select(m, LLVMBuildICmp(m->b, LLVMIntSLT, left, most, ""), left, most);
    LLVMValueRef next = LLVMBuildURem(m->b, LLVMBuildShl(m->b, rest, step, ""), y, "");
    LLVMValueRef fewer = LLVMBuildSub(m->b, left, step, "");
    LLVMBuildBr(m->b, test);
    LLVMAddIncoming(rest, (LLVMValueRef[]){x, next}, (LLVMBasicBlockRef[]){before, turn}, 2);
    LLVMAddIncoming(left, (LLVMValueRef[]){count, fewer}, (LLVMBasicBlockRef[]){before, turn}, 2);
    LLVMPositionBuilderAtEnd(m->b, end);
    return rest;
}

/* fmod(a, b) for a >= b > 0, in whole numbers. */
static void remainder_any(const Math *m, const LLVMValueRef *args, LLVMValueRef *results)
{
    LLVMValueRef from, to, a = split(m, args[0], &from), b = split(m, args[1], &to);
    LLVMValueRef rest = shift_modulo(m, LLVMBuildURem(m->b, a, b, ""), b, LLVMBuildSub(m->b, from, to, ""));
    LLVMValueRef unit = m_from_bits(m, LLVMBuildShl(m->b, to, m_bits(m, 52), "")); /* 2^(to - 1023) */
    results[0] = m_mul(m, m_mul(m, LLVMBuildSIToFP(m->b, rest, m->type, ""), m_num(m, 0x1p-52)), unit);
}

LLVMValueRef m_mod(const Math *m, LLVMValueRef x, LLVMValueRef y)
{
    static const LaneFunction function = {"exact_remainder", 2, 1, remainder_any};
    Division d = divide(m, x, y);
    LLVMValueRef large = m_compare(m, LLVMRealOGE, d.ratio, limit(m));
    LLVMValueRef defined = LLVMBuildAnd(m->b, m_lt(m, d.a, m_num(m, INFINITY)), m_gt(m, d.b, m_num(m, 0)), "");
    m_rarely(m, &function, LLVMBuildAnd(m->b, large, defined, ""), (LLVMValueRef[]){d.a, d.b}, &d.rest);
    LLVMValueRef r = m_select(m, is_between(m, &d, d.rest), m_sub(m, d.b, d.rest), d.rest);
    return m_copysign(m, r, y);
}
