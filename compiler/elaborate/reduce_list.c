/* Reductions of flat lists of compile-time numbers, which stay compile-time numbers: `prod(shape(x)[:-1])` is a size.
 * They mean what the reduction of a tensor of these numbers means. */
#include <math.h>
#include <stdlib.h>

#include "elaborate/elaborator.h"
#include "ir/eval.h"

/* op over all items, from `start`. */
static Value fold(Elaborator *el, Operator op, int64_t start, Value list, const Syntax *at)
{
    Value result = value_integer(el, start);
    for (uint32_t i = 0; i < list.count; i++) result = operate(el, op, result, list.items[i], at);
    return result;
}

/* The same number as a real one: a mean is real where its numbers are integers, too. */
static Value as_real(Elaborator *el, Value value)
{
    double number;
    return value_is_constant(el, value, &number) ? value_real(number) : value;
}

static Value mean(Elaborator *el, Value list, const Syntax *at)
{
    Value sum = fold(el, OPERATOR_ADD, 0, list, at);
    return operate(el, OPERATOR_DIVIDE, sum, value_integer(el, list.count), at);
}

/* mean((x - mean(x))^2) */
static Value variance(Elaborator *el, Value list, const Syntax *at)
{
    Value middle = mean(el, list, at);
    Value *squares = ARENA_ARRAY(el->arena, Value, list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        Value off = operate(el, OPERATOR_SUBTRACT, list.items[i], middle, at);
        squares[i] = operate(el, OPERATOR_MULTIPLY, off, off, at);
    }
    return mean(el, value_list(el, squares, list.count), at);
}

/* True if a is beyond b; NaN is beyond every number. *known becomes false where free sizes decide. */
static bool is_beyond(Elaborator *el, bool larger, Value a, Value b, bool *known)
{
    double x, y;
    if (value_is_constant(el, a, &x) && value_is_constant(el, b, &y))
        return isnan(x) ? !isnan(y) : number_compare(el, larger ? OPERATOR_GREATER : OPERATOR_LESS, a, b);
    Value difference = number_binary(el, OPERATOR_SUBTRACT, larger ? a : b, larger ? b : a, NO_SPAN);
    *known = value_is_constant(el, difference, &x);
    return *known && x > 0;
}

/* The place of the largest or smallest item; false where free sizes decide which one it is. */
static bool extreme_place(Elaborator *el, bool larger, Value list, uint32_t *best)
{
    bool known = true;
    *best = 0;
    for (uint32_t i = 1; i < list.count && known; i++)
        if (is_beyond(el, larger, list.items[i], list.items[*best], &known)) *best = i;
    return known;
}

Value extreme_of(Elaborator *el, bool larger, Value list, const Syntax *at)
{
    uint32_t best;
    if (extreme_place(el, larger, list, &best)) return list.items[best];
    Value result = list.items[0];
    for (uint32_t i = 1; i < list.count; i++) {
        Value sizes;
        bool exact = number_extreme(el, larger, result, list.items[i], at->span, &sizes);
        result = exact ? sizes : elementwise(el, larger ? OP_MAX : OP_MIN, result, list.items[i], at);
    }
    return result;
}

static Value logsumexp(Elaborator *el, Value list)
{
    double *numbers = ARENA_ARRAY(el->arena, double, list.count);
    for (uint32_t i = 0; i < list.count; i++)
        if (!value_is_constant(el, list.items[i], &numbers[i])) return value_error();
    return value_real(eval_reduce_row(OP_LOGSUMEXP, numbers, list.count));
}

static Value truth_of(bool any, Value list)
{
    bool truth = !any;
    for (uint32_t i = 0; i < list.count; i++) truth = any ? truth || list.items[i].truth : truth && list.items[i].truth;
    return value_bool(truth);
}

/* Truth values count as 0 and 1, unless they are asked for. */
static bool prepare(Elaborator *el, bool logic, Value list, Value *items)
{
    for (uint32_t i = 0; i < list.count; i++) {
        Value item = list.items[i];
        if (logic ? item.kind != VALUE_BOOL : item.kind != VALUE_BOOL && !value_is_number(item)) return false;
        items[i] = item.kind == VALUE_BOOL && !logic ? value_integer(el, item.truth) : item;
    }
    return true;
}

static bool reduces_nothing(BuiltinId id)
{
    return id == BUILTIN_ID_sum || id == BUILTIN_ID_prod || id == BUILTIN_ID_any || id == BUILTIN_ID_all;
}

bool reduce_list(Elaborator *el, const Builtin *builtin, Value list, Span at, Value *result)
{
    bool logic = builtin->id == BUILTIN_ID_any || builtin->id == BUILTIN_ID_all;
    bool larger = builtin->id == BUILTIN_ID_max || builtin->id == BUILTIN_ID_argmax;
    Value *items = ARENA_ARRAY(el->arena, Value, list.count + 1);
    const Syntax place = {.span = at};
    uint32_t best;
    if (!prepare(el, logic, list, items)) return false;
    list.items = items;
    *result = value_error();
    if (!list.count && !reduces_nothing(builtin->id)) {
        complain(el, DIAG_empty_list, at, "an empty list has no `%s`", builtin->name);
        return true;
    }
    switch (builtin->id) {
    case BUILTIN_ID_sum:
        *result = fold(el, OPERATOR_ADD, 0, list, &place);
        return true;
    case BUILTIN_ID_prod:
        *result = fold(el, OPERATOR_MULTIPLY, 1, list, &place);
        return true;
    case BUILTIN_ID_mean:
        *result = as_real(el, mean(el, list, &place));
        return true;
    case BUILTIN_ID_variance:
        *result = as_real(el, variance(el, list, &place));
        return true;
    case BUILTIN_ID_max:
    case BUILTIN_ID_min:
        *result = extreme_of(el, larger, list, &place);
        return true;
    case BUILTIN_ID_argmax:
    case BUILTIN_ID_argmin:
        if (!extreme_place(el, larger, list, &best)) return false;
        *result = value_integer(el, best);
        return true;
    case BUILTIN_ID_any:
    case BUILTIN_ID_all:
        *result = truth_of(builtin->id == BUILTIN_ID_any, list);
        return true;
    default:
        *result = logsumexp(el, list);
        return !value_is_error(*result);
    }
}
