/* Operators between values: element types are brought together, shapes are aligned, then one node is made. */
#include <math.h>

#include "elaborate/elaborator.h"
#include "ir/eval.h"
#include "ir/integer.h"

static int width(DType dtype)
{
    switch (dtype) {
    case DTYPE_F64:
    case DTYPE_I64:
        return 8;
    case DTYPE_F32:
    case DTYPE_I32:
        return 4;
    case DTYPE_BF16:
    case DTYPE_F16:
        return 2;
    default:
        return 1;
    }
}

/* The element type in which two tensors meet: a float wins over an integer, an integer over a bool, then the wider. */
static DType meet(DType a, DType b)
{
    DTypeClass x = dtype_class(a), y = dtype_class(b);
    if (x != y) return x > y ? a : b;
    if (a != b && width(a) == width(b)) return DTYPE_F32; /* bf16 beside f16 */
    return width(a) >= width(b) ? a : b;
}

static Value cast(Elaborator *el, Value x, DType dtype)
{
    Node node = build_cast(el->graph, x.node, dtype);
    return value_labelled(el, node, x.labels, x.count);
}

/* What two operands meet for. A u8 is stored as such and computed with as an i32. */
typedef enum { MEET_TO_MOVE, MEET_TO_COMPARE, MEET_TO_COMPUTE, MEET_AS_REAL } Meeting;

static DType computed(DType dtype)
{
    return dtype == DTYPE_U8 ? DTYPE_I32 : dtype;
}

/* A compile-time value beside a tensor takes the tensor's element type. */
static Value take_type(Elaborator *el, Value x, DType like, Meeting meeting, Span at)
{
    bool size = x.kind == VALUE_SIZE && !value_is_constant(el, x, &(double){0});
    if (like == DTYPE_BOOL) like = DTYPE_COUNT;
    if (meeting == MEET_TO_COMPUTE || size) like = computed(like); /* how large a free size is, nothing says */
    bool exact = meeting == MEET_TO_COMPARE && (size || x.kind == VALUE_LIST);
    return value_as_tensor(el, x, exact && !dtype_is_float(like) ? DTYPE_COUNT : like, at);
}

/* Both operands as tensors of one element type, which a compile-time number takes from the other operand. */
static bool promote(Elaborator *el, Value *a, Value *b, Meeting meeting, Span at)
{
    if (value_is_error(*a) || value_is_error(*b)) return false;
    bool tensor_a = a->kind == VALUE_TENSOR || a->kind == VALUE_INDEX;
    bool tensor_b = b->kind == VALUE_TENSOR || b->kind == VALUE_INDEX;
    if (tensor_a) *a = value_as_tensor(el, *a, DTYPE_COUNT, at);
    if (tensor_b) *b = value_as_tensor(el, *b, DTYPE_COUNT, at);
    DType like_a = tensor_a && !value_is_error(*a) ? node_type(el->graph, a->node)->dtype : DTYPE_COUNT;
    DType like_b = tensor_b && !value_is_error(*b) ? node_type(el->graph, b->node)->dtype : DTYPE_COUNT;
    if (!tensor_a) *a = take_type(el, *a, like_b, meeting, at);
    if (!tensor_b) *b = take_type(el, *b, like_a, meeting, at);
    if (value_is_error(*a) || value_is_error(*b)) return false;
    DType dtype = meet(node_type(el->graph, a->node)->dtype, node_type(el->graph, b->node)->dtype);
    if (meeting == MEET_TO_COMPUTE) dtype = computed(dtype);
    if (meeting == MEET_AS_REAL && !dtype_is_float(dtype)) dtype = el->real;
    *a = cast(el, *a, dtype);
    *b = cast(el, *b, dtype);
    return true;
}

/* A whole number in the text, or what is made of such numbers alone. */
static bool is_open(const Elaborator *el, Value x)
{
    int64_t integer;
    return x.kind == VALUE_TENSOR ? x.open : value_is_integer(el, x, &integer);
}

/* The result of an operator over values that were all open, or not. */
static Value opened(const Elaborator *el, Value result, bool open)
{
    result.open = open && result.kind == VALUE_TENSOR &&
                  dtype_class(node_type(el->graph, result.node)->dtype) == DTYPE_CLASS_INTEGER;
    return result;
}

Value value_settled(Elaborator *el, Value x)
{
    return x.kind == VALUE_TENSOR && x.open ? cast(el, x, el->real) : x;
}

/* A bool takes part in arithmetic as 0 or 1, a u8 as an i32. */
static Value counted(Elaborator *el, Value x)
{
    DType dtype = node_type(el->graph, x.node)->dtype;
    return dtype == DTYPE_BOOL || dtype == DTYPE_U8 ? cast(el, x, DTYPE_I32) : x;
}

static void count_bools(Elaborator *el, Value *a, Value *b)
{
    if (node_type(el->graph, a->node)->dtype != DTYPE_BOOL) return;
    *a = counted(el, *a);
    *b = counted(el, *b);
}

Value binary_aligned(Elaborator *el, Op op, Value a, Value b, const Syntax *at)
{
    Value operands[] = {a, b};
    Label *const *labels;
    uint32_t n_labels;
    if (!align(el, operands, 2, at, &labels, &n_labels)) return value_error();
    Node node = build_binary(el->graph, op, operands[0].node, operands[1].node);
    return value_labelled(el, node, labels, n_labels);
}

/* True if x is an integer, a size or a number that elements of the type might not hold. */
static bool exceeds(const Elaborator *el, Value x, DType dtype)
{
    double number;
    if (x.kind == VALUE_TENSOR) {
        DType own = node_type(el->graph, x.node)->dtype;
        return dtype_class(own) == DTYPE_CLASS_INTEGER && own != DTYPE_U8;
    }
    if (x.kind == VALUE_INDEX) return true;
    if (!value_is_number(x)) return false;
    if (!value_is_constant(el, x, &number)) return true;
    double held = dtype_round(dtype, number);
    return number == floor(number) ? held != number : isinf(held);
}

/* Of bf16 or f16 beside what exceeds it, as a count may: true if `narrow` is made f32 for the operation. */
static bool widen(Elaborator *el, Value *narrow, Value other, DType *dtype)
{
    if (narrow->kind != VALUE_TENSOR) return false;
    *dtype = node_type(el->graph, narrow->node)->dtype;
    if (dtype_accumulator(*dtype) == *dtype || !exceeds(el, other, *dtype)) return false;
    *narrow = cast(el, *narrow, dtype_accumulator(*dtype));
    return true;
}

static bool is_integer_tensor(const Elaborator *el, Value x)
{
    return x.kind == VALUE_TENSOR && dtype_class(node_type(el->graph, x.node)->dtype) == DTYPE_CLASS_INTEGER;
}

Value elementwise(Elaborator *el, Op op, Value a, Value b, const Syntax *at)
{
    DType narrow;
    if (widen(el, &a, b, &narrow) || widen(el, &b, a, &narrow)) {
        Value result = elementwise(el, op, a, b, at);
        bool truth = op_info(op)->rule == TYPE_RULE_COMPARE;
        return value_is_error(result) || truth ? result : cast(el, result, narrow);
    }
    bool comparison = op_info(op)->rule == TYPE_RULE_COMPARE;
    bool equality = op == OP_EQ || op == OP_NE, open = is_open(el, a) && is_open(el, b);
    if (a.kind == VALUE_INDEX) a = value_as_tensor(el, a, DTYPE_COUNT, at->span);
    if (b.kind == VALUE_INDEX) b = value_as_tensor(el, b, DTYPE_COUNT, at->span);
    double number;
    if (comparison && is_integer_tensor(el, a) && value_is_constant(el, b, &number))
        return compare_with_constant(el, op, a, b, false, at);
    if (comparison && is_integer_tensor(el, b) && value_is_constant(el, a, &number))
        return compare_with_constant(el, op, b, a, true, at);
    Meeting meeting = comparison                             ? MEET_TO_COMPARE
                      : op_info(op)->rule == TYPE_RULE_FLOAT ? MEET_AS_REAL
                                                             : MEET_TO_COMPUTE;
    if (!promote(el, &a, &b, meeting, at->span)) return value_error();
    if (!comparison || !equality) count_bools(el, &a, &b);
    return opened(el, binary_aligned(el, op, a, b, at), open);
}

/* bool and bool; anything else is a mistake worth its own words. */
static Value logic(Elaborator *el, Operator op, Value a, Value b, const Syntax *at)
{
    if (value_is_error(a) || value_is_error(b)) return value_error();
    if (a.kind == VALUE_BOOL && b.kind == VALUE_BOOL)
        return value_bool(op == OPERATOR_AND ? a.truth && b.truth : a.truth || b.truth);
    for (int i = 0; i < 2; i++) {
        const Value *x = i ? &b : &a;
        bool fits =
            x->kind == VALUE_BOOL || (x->kind == VALUE_TENSOR && node_type(el->graph, x->node)->dtype == DTYPE_BOOL);
        if (fits) continue;
        Diag *diag = complain(el, DIAG_not_a_truth_value, at->span, "`%s` wants truth values, but this is %s",
                              operator_spelling(op), value_describe(el, *x));
        diag_hint(diag, "compare first: `x > 0`");
        return value_error();
    }
    /* A known operand decides or vanishes. */
    Value known = a.kind == VALUE_BOOL ? a : b, other = a.kind == VALUE_BOOL ? b : a;
    if (known.kind == VALUE_BOOL) {
        bool decides = known.truth == (op == OPERATOR_OR);
        if (!decides) return other;
    }
    a = value_as_tensor(el, a, DTYPE_COUNT, at->span);
    b = value_as_tensor(el, b, DTYPE_COUNT, at->span);
    return binary_aligned(el, op == OPERATOR_AND ? OP_AND : OP_OR, a, b, at);
}

/* x ^ n with a whole n > 0 of integers stays an integer. */
static Value integer_power(Elaborator *el, Value x, int64_t exponent, const Syntax *at)
{
    Value product = cast(el, x, computed(node_type(el->graph, x.node)->dtype));
    for (int64_t i = 1; i < exponent; i++) product = elementwise(el, OP_MUL, product, x, at);
    return product;
}

static Value power(Elaborator *el, Value a, Value b, const Syntax *at)
{
    int64_t exponent;
    if (a.kind == VALUE_INDEX) a = value_as_tensor(el, a, DTYPE_COUNT, at->span);
    bool integers = a.kind == VALUE_TENSOR && dtype_class(node_type(el->graph, a.node)->dtype) == DTYPE_CLASS_INTEGER;
    if (integers && value_is_integer(el, b, &exponent) && exponent > 0 && exponent <= 16)
        return integer_power(el, a, exponent, at);
    return elementwise(el, OP_POW, a, b, at);
}

/* x[…, m, k] @ y[…, k, n]; a vector stands for a row on the left and for a column on the right. */
static Value matmul(Elaborator *el, Value a, Value b, const Syntax *at)
{
    if (!promote(el, &a, &b, MEET_TO_COMPUTE, at->span)) return value_error();
    Type x = value_type(el, a), y = value_type(el, b);
    if (a.count || b.count) return unsupported(el, at->span, "`@` inside index notation");
    if (!x.rank || !y.rank) {
        complain(el, DIAG_product_mismatch, at->span, "`@` multiplies vectors and matrices, but %s is a number",
                 x.rank ? "the right side" : "the left side");
        return value_error();
    }
    if (x.dtype == DTYPE_BOOL) {
        Diag *diag = complain(el, DIAG_type_mismatch, at->span, "`@` multiplies numbers, not truth values");
        diag_hint(diag, "`f32(x)` makes numbers of them");
        return value_error();
    }
    uint32_t inner = y.rank == 1 ? 0 : y.rank - 2, batch_x = x.rank > 2 ? x.rank - 2 : 0;
    uint32_t batch_y = y.rank > 2 ? y.rank - 2 : 0;
    bool good = dim_same(x.dims[x.rank - 1], y.dims[inner]);
    for (uint32_t i = 0; good && batch_x && batch_y && i < batch_y; i++)
        good = batch_x == batch_y && dim_same(x.dims[i], y.dims[i]);
    if (!good) {
        Diag *diag = complain(el, DIAG_product_mismatch, at->span,
                              "`%s` @ `%s`: the last axis of the left side must be the %s of the right side",
                              type_text(el, &x), type_text(el, &y),
                              y.rank == 1   ? "axis"
                              : y.rank == 2 ? "first axis"
                                            : "last axis but one");
        if (at->kind == SYNTAX_BINARY)
            for (int i = 0; i < 2; i++)
                diag_note(diag, at->kids[i]->span, "`%s` is `%s`", syntax_text(el, at->kids[i]),
                          type_text(el, i ? &y : &x));
        note_dim(el, diag, x.dims[x.rank - 1]);
        note_dim(el, diag, y.dims[inner]);
        return value_error();
    }
    /* Labels of the contraction: shared leading axes, the inner one, then the outer ones of each side. */
    int32_t labels[3 * MAX_RANK];
    uint32_t n = 0, n_result = 0, shared = batch_x && batch_y ? batch_x : 0;
    int32_t result[2 * MAX_RANK];
    const int32_t RIGHT = MAX_RANK, INNER = 2 * MAX_RANK;
    for (uint32_t i = 0; i + 1 < x.rank; i++) result[n_result++] = labels[n++] = (int32_t)i;
    labels[n++] = INNER;
    for (uint32_t i = 0; i < y.rank; i++) {
        bool is_inner = i == inner, is_shared = i < shared;
        labels[n++] = is_inner ? INNER : is_shared ? (int32_t)i : RIGHT + (int32_t)i;
        if (is_inner || is_shared) continue;
        if (i < batch_y) { /* leading axes of the right side alone come first */
            for (uint32_t k = n_result; k > i; k--) result[k] = result[k - 1];
            result[i] = RIGHT + (int32_t)i;
            n_result++;
        } else {
            result[n_result++] = RIGHT + (int32_t)i;
        }
    }
    for (uint32_t i = 0; i < n_result; i++) labels[n++] = result[i];
    return value_tensor(build_contract(el->graph, a.node, b.node, labels, n_result));
}

static bool is_tensor(Value value)
{
    return value.kind == VALUE_TENSOR || value.kind == VALUE_INDEX;
}

Value operate(Elaborator *el, Operator op, Value a, Value b, const Syntax *at)
{
    if (value_is_error(a) || value_is_error(b)) return value_error();
    if (op == OPERATOR_AND || op == OPERATOR_OR) return logic(el, op, a, b, at);
    if (op == OPERATOR_MATMUL) return matmul(el, a, b, at);
    if (value_is_number(a) && value_is_number(b)) return number_binary(el, op, a, b, at->span);
    bool equality = op == OPERATOR_EQUAL || op == OPERATOR_UNEQUAL;
    if (equality && !is_tensor(a) && !is_tensor(b) && a.kind == b.kind && a.kind != VALUE_FUNCTION)
        return value_bool(value_same(el, a, b, at->span) == (op == OPERATOR_EQUAL));
    if (op == OPERATOR_POWER) return power(el, a, b, at);
    bool swaps;
    Op node = number_op(op, &swaps);
    /* Operands keep their order in `at`, so that a diagnostic names them rightly. */
    if (!swaps) return elementwise(el, node, a, b, at);
    Syntax swapped = *at, *kids[2];
    if (at->kind == SYNTAX_BINARY) {
        kids[0] = kid_right(at);
        kids[1] = kid_left(at);
        swapped.kids = kids;
    }
    return elementwise(el, node, b, a, &swapped);
}

Value negate(Elaborator *el, Value a, Span at)
{
    if (value_is_error(a)) return a;
    if (value_is_number(a)) return number_negate(el, a);
    a = value_as_tensor(el, a, DTYPE_COUNT, at);
    if (value_is_error(a)) return a;
    bool open = a.open;
    a = counted(el, a);
    return opened(el, value_labelled(el, build_unary(el->graph, OP_NEG, a.node), a.labels, a.count), open);
}

Value choose(Elaborator *el, Value condition, Value yes, Value no, const Syntax *at)
{
    bool open = is_open(el, yes) && is_open(el, no);
    if (!promote(el, &yes, &no, MEET_TO_MOVE, at->span)) return value_error();
    Value operands[] = {condition, yes, no};
    Label *const *labels;
    uint32_t n_labels;
    if (!align(el, operands, 3, at, &labels, &n_labels)) return value_error();
    Node node = build_select(el->graph, operands[0].node, operands[1].node, operands[2].node);
    return opened(el, value_labelled(el, node, labels, n_labels), open);
}

/* Functions of a constant are computed here, so that `sqrt(2 / n)` is a number wherever one is needed. */
Value elementwise_unary(Elaborator *el, Op op, Value x, Span at)
{
    double number;
    int64_t integer;
    if (value_is_error(x)) return x;
    if ((op == OP_ABS || op == OP_SIGN) && value_is_integer(el, x, &integer))
        return op == OP_ABS && integer < 0 ? number_negate(el, x)
                                           : value_integer(el, op_evaluate_integer(op, integer, 0));
    if (value_is_constant(el, x, &number)) return value_real(op_evaluate(op, number, 0, 0));
    bool real = op_info(op)->rule == TYPE_RULE_FLOAT;
    x = value_as_tensor(el, x, real && value_is_number(x) ? el->real : DTYPE_COUNT, at);
    if (value_is_error(x)) return x;
    DType dtype = node_type(el->graph, x.node)->dtype;
    if (real && !dtype_is_float(dtype))
        x = cast(el, x, el->real);
    else if (op != OP_NOT)
        x = counted(el, x);
    return value_labelled(el, build_unary(el->graph, op, x.node), x.labels, x.count);
}

Value convert(Elaborator *el, Value x, DType dtype, Span at)
{
    bool constant = value_is_constant(el, x, &(double){0}) || x.kind == VALUE_BOOL || x.kind == VALUE_LIST;
    if (constant) return value_converted(el, x, dtype, at);
    x = value_as_tensor(el, x, x.kind == VALUE_SIZE && !dtype_is_float(dtype) ? DTYPE_I64 : dtype, at);
    return value_is_error(x) ? x : cast(el, x, dtype);
}
