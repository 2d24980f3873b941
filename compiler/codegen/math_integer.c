/* Integers and bools. u8 counts without sign; arithmetic wraps around. */
#include <assert.h>

#include "codegen/math_internal.h"

typedef struct {
    LLVMBuilderRef b;
    bool is_signed;
    LLVMValueRef zero, one;
} Integers;

static LLVMValueRef is(const Integers *m, LLVMIntPredicate predicate, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildICmp(m->b, predicate, x, y, "");
}

static LLVMValueRef choose(const Integers *m, LLVMValueRef condition, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildSelect(m->b, condition, x, y, "");
}

/* The quotient towards minus infinity and its remainder. Divisors that would trap (0, and -1 for the least number) are
 * replaced by 1 and their results put in afterwards. */
static LLVMValueRef floor_divide(const Integers *m, LLVMValueRef x, LLVMValueRef y, bool remainder)
{
    LLVMValueRef by_zero = is(m, LLVMIntEQ, y, m->zero);
    if (!m->is_signed) {
        LLVMValueRef safe = choose(m, by_zero, m->one, y);
        LLVMValueRef r = remainder ? LLVMBuildURem(m->b, x, safe, "") : LLVMBuildUDiv(m->b, x, safe, "");
        return choose(m, by_zero, m->zero, r);
    }
    LLVMValueRef minus_one = LLVMConstAllOnes(LLVMTypeOf(x)), negate = is(m, LLVMIntEQ, y, minus_one);
    LLVMValueRef safe = choose(m, LLVMBuildOr(m->b, by_zero, negate, ""), m->one, y);
    LLVMValueRef quotient = LLVMBuildSDiv(m->b, x, safe, "");
    LLVMValueRef rest = LLVMBuildSub(m->b, x, LLVMBuildMul(m->b, quotient, safe, ""), "");
    LLVMValueRef apart = is(m, LLVMIntSLT, LLVMBuildXor(m->b, rest, safe, ""), m->zero);
    LLVMValueRef lower = LLVMBuildAnd(m->b, is(m, LLVMIntNE, rest, m->zero), apart, "");
    if (remainder) {
        LLVMValueRef floored = choose(m, lower, LLVMBuildAdd(m->b, rest, safe, ""), rest);
        return choose(m, by_zero, m->zero, floored);
    }
    LLVMValueRef floored = choose(m, lower, LLVMBuildSub(m->b, quotient, m->one, ""), quotient);
    return choose(m, by_zero, m->zero, choose(m, negate, LLVMBuildNeg(m->b, x, ""), floored));
}

static LLVMValueRef integer_sign(const Integers *m, LLVMValueRef x)
{
    LLVMValueRef positive = choose(m, is(m, LLVMIntNE, x, m->zero), m->one, m->zero);
    if (!m->is_signed) return positive;
    return choose(m, is(m, LLVMIntSLT, x, m->zero), LLVMConstAllOnes(LLVMTypeOf(x)), positive);
}

static LLVMValueRef integer_abs(const Integers *m, LLVMValueRef x)
{
    if (!m->is_signed) return x;
    return choose(m, is(m, LLVMIntSLT, x, m->zero), LLVMBuildNeg(m->b, x, ""), x);
}

static LLVMValueRef integer_emit(const Integers *m, Op op, LLVMValueRef x, LLVMValueRef y)
{
    LLVMIntPredicate less = m->is_signed ? LLVMIntSLT : LLVMIntULT, most = m->is_signed ? LLVMIntSLE : LLVMIntULE;
    switch (op) {
    case OP_NEG:
        return LLVMBuildNeg(m->b, x, "");
    case OP_ABS:
        return integer_abs(m, x);
    case OP_SIGN:
        return integer_sign(m, x);
    case OP_ADD:
        return LLVMBuildAdd(m->b, x, y, "");
    case OP_SUB:
        return LLVMBuildSub(m->b, x, y, "");
    case OP_MUL:
        return LLVMBuildMul(m->b, x, y, "");
    case OP_FLOOR_DIV:
        return floor_divide(m, x, y, false);
    case OP_MOD:
        return floor_divide(m, x, y, true);
    case OP_MAX:
        return choose(m, is(m, less, y, x), x, y);
    case OP_MIN:
        return choose(m, is(m, less, x, y), x, y);
    case OP_EQ:
        return is(m, LLVMIntEQ, x, y);
    case OP_NE:
        return is(m, LLVMIntNE, x, y);
    case OP_LT:
        return is(m, less, x, y);
    case OP_LE:
        return is(m, most, x, y);
    default:
        assert(!"an elementwise operator on integers");
        return NULL;
    }
}

/* A bool is a number that is stored as 0 or 1: sums and negatives are true when they are not 0. */
static LLVMValueRef bool_emit(const Integers *m, Op op, LLVMValueRef x, LLVMValueRef y)
{
    switch (op) {
    case OP_NOT:
        return LLVMBuildNot(m->b, x, "");
    case OP_AND:
    case OP_MUL:
    case OP_MIN:
        return LLVMBuildAnd(m->b, x, y, "");
    case OP_OR:
    case OP_ADD:
    case OP_MAX:
        return LLVMBuildOr(m->b, x, y, "");
    case OP_NE:
    case OP_SUB:
        return LLVMBuildXor(m->b, x, y, "");
    case OP_EQ:
        return LLVMBuildNot(m->b, LLVMBuildXor(m->b, x, y, ""), "");
    case OP_LT:
        return LLVMBuildAnd(m->b, LLVMBuildNot(m->b, x, ""), y, "");
    case OP_LE:
        return LLVMBuildOr(m->b, LLVMBuildNot(m->b, x, ""), y, "");
    case OP_FLOOR_DIV:
        return LLVMBuildAnd(m->b, x, y, "");
    case OP_MOD:
        return LLVMConstNull(LLVMTypeOf(x));
    case OP_NEG:
    case OP_ABS:
    case OP_SIGN:
        return x;
    default:
        assert(!"an elementwise operator on bools");
        return NULL;
    }
}

LLVMValueRef math_integer(Vector *v, Op op, DType dtype, LLVMValueRef x, LLVMValueRef y)
{
    Integers m = {v->builder, dtype != DTYPE_U8, vector_integer_like(x, 0), vector_integer_like(x, 1)};
    return dtype == DTYPE_BOOL ? bool_emit(&m, op, x, y) : integer_emit(&m, op, x, y);
}
