/* Places and slices on an axis, at both ends: what is outside is refused, now or from the moment when sizes are known.
 */
#include <math.h>

#include "elaborate/elaborator.h"
#include "elaborate/index_internal.h"
#include "ir/condition.h"

typedef enum { NEVER, SOMETIMES, ALWAYS } Holds;

/* Compares low <= high. A free size is never negative; a bound that overflows 64 bits lies outside every axis. */
static Holds at_most(Elaborator *el, Dim low, Dim high)
{
    int64_t room;
    if (dim_is_none(low) || dim_is_none(high)) return NEVER;
    Dim difference = dim_sub(el->dims, high, low);
    if (dim_is_none(difference)) return NEVER;
    if (dim_at_least(el->dims, high, low)) return ALWAYS;
    return dim_is_constant(el->dims, difference, &room) ? NEVER : SOMETIMES;
}

/* From the moment when sizes are known, low <= high. */
static void check_at_most(Elaborator *el, Dim low, Dim high, const char *message, Span at)
{
    Node condition =
        build_binary(el->graph, OP_LE, build_size(el->graph, low, DTYPE_I64), build_size(el->graph, high, DTYPE_I64));
    check_add(el, (Check){DIM_NONE, DIM_NONE, condition, message, at});
}

/* A place or an end of a slice on the axis: a negative constant counts from the end. */
typedef struct {
    Dim dim;
    const char *written; /* for messages: -1 where `dim` is n - 1 */
    bool from_end;
} Bound;

bool is_subscript(Elaborator *el, Value value, Span at)
{
    if (value.kind != VALUE_REAL) return true;
    Diag *diag = complain(el, DIAG_subscript_type, at, "a subscript is an integer or integers, not the real number %s",
                          number_text(el, value.number));
    if (value.number == floor(value.number) && fabs(value.number) < 0x1p53)
        diag_hint(diag, "write it without a point: `%lld`", (long long)value.number);
    return false;
}

void check_place(Elaborator *el, Node place, Dim size, const char *written, Span at)
{
    Type type = type_scalar(node_type(el->graph, place)->dtype);
    Node low = build_binary(el->graph, OP_LE, build_integer(el->graph, type, 0), place);
    Node high =
        build_binary(el->graph, OP_LT, build_cast(el->graph, place, DTYPE_I64), build_size(el->graph, size, DTYPE_I64));
    Node inside = build_binary(el->graph, OP_AND, low, high);
    if (!node_is_none(condition_obstacle(el->graph, inside)) || !condition_fits(el->graph, inside)) return;
    const char *message = arena_format(el->arena, "there is no place %s on an axis of %s", written, dim_text(el, size));
    check_add(el, (Check){DIM_NONE, DIM_NONE, inside, message, at});
}

static bool bound_of(Elaborator *el, Value value, Dim size, Span at, Bound *bound)
{
    int64_t known;
    if (!is_subscript(el, value, at)) return false;
    if (!number_as_size(el, value, "a subscript", at, &bound->dim)) return false;
    bound->written = dim_text(el, bound->dim);
    bound->from_end = dim_is_constant(el->dims, bound->dim, &known) && known < 0;
    if (bound->from_end) bound->dim = dim_add(el->dims, size, bound->dim);
    return true;
}

/* The ends of a slice: low <= high now, or from the moment when sizes are known. */
static bool in_order(Elaborator *el, Bound low, Bound high, const char *what, Dim size, Span at)
{
    Holds holds = at_most(el, low.dim, high.dim);
    if (holds == ALWAYS) return true;
    bool outside = low.from_end || high.from_end;
    const char *place = low.from_end ? low.written : high.written;
    const char *message =
        outside
            ? arena_format(el->arena, "%s: there is no place %s on an axis of %s", what, place, dim_text(el, size))
            : arena_format(el->arena, "%s: %s must be at most %s", what, dim_text(el, low.dim), dim_text(el, high.dim));
    if (holds == SOMETIMES) {
        check_at_most(el, low.dim, high.dim, message, at);
        return true;
    }
    bool huge = dim_is_none(low.dim) || dim_is_none(high.dim);
    Diag *diag = complain(el, DIAG_out_of_bounds, at, "%s: %s lies beyond %s", what,
                          huge ? low.written : dim_text(el, low.dim), huge ? high.written : dim_text(el, high.dim));
    note_dim(el, diag, high.dim);
    return false;
}

bool place_of(Elaborator *el, Value value, Dim size, Span at, Dim *place)
{
    Bound bound;
    if (!bound_of(el, value, size, at, &bound)) return false;
    *place = bound.dim;
    Dim zero = dim_constant(el->dims, 0), next = dim_add(el->dims, bound.dim, dim_constant(el->dims, 1));
    Holds begins = at_most(el, zero, bound.dim), ends = at_most(el, next, size);
    const char *message =
        arena_format(el->arena, "there is no place %s on an axis of %s", bound.written, dim_text(el, size));
    if (begins == NEVER || ends == NEVER) {
        Diag *diag = complain(el, DIAG_out_of_bounds, at, "%s", message);
        diag_hint(diag, "places are counted from 0, or from -1 at the end");
        return false;
    }
    if (begins == SOMETIMES) check_at_most(el, zero, bound.dim, message, at);
    if (ends == SOMETIMES) check_at_most(el, next, size, message, at);
    return true;
}

bool range_of(Elaborator *el, Scope *scope, const Syntax *range, Dim size, Dim *from, Dim *to)
{
    const Bound zero = {dim_constant(el->dims, 0), "0", false}, end = {size, dim_text(el, size), false};
    const Syntax *low = kid_from(range), *high = kid_to(range);
    Bound first = zero, last = end;
    if (low && !bound_of(el, evaluate(el, scope, low), size, low->span, &first)) return false;
    if (high && !bound_of(el, evaluate(el, scope, high), size, high->span, &last)) return false;
    if (low && !in_order(el, zero, first, "the slice's start", size, range->span)) return false;
    if (!in_order(el, first, last, low ? "the slice" : "the slice's end", size, range->span)) return false;
    if (high && !in_order(el, last, end, "the slice's end", size, range->span)) return false;
    *from = first.dim;
    *to = last.dim;
    return true;
}
