/* Integers where they are computed before a model runs: folding and the interpreter against arithmetic in 128 bits, for
 * every operator of ops.def that takes integers, of every integer type, at its ends. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>

#include "ir/build.h"
#include "ir/eval.h"
#include "ir/integer.h"
#include "passes/passes_internal.h"

__extension__ typedef __int128 Wide;

static const DType types[] = {DTYPE_U8, DTYPE_I32, DTYPE_I64};
enum { TYPES = sizeof types / sizeof *types };

static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -9007199254740993, INT32_MIN, -2, -1, 0, 1, 2, 127, 128,
                               255,       INT32_MAX,     9007199254740993,  INT64_MAX};
enum { ENDS = sizeof ends / sizeof *ends };

typedef struct {
    Context *context;
    Graph *graph;
    Eval *eval;
    Node x, y;
} Bench;

static Bench bench_new(DType dtype)
{
    Bench bench = {.context = context_new()};
    bench.graph = graph_new(bench.context);
    bench.eval = eval_new(bench.graph, NULL);
    Type type = type_scalar(dtype);
    bench.x = build_source(bench.graph, OP_INPUT, intern(bench.context->names, "x"), type);
    bench.y = build_source(bench.graph, OP_INPUT, intern(bench.context->names, "y"), type);
    return bench;
}

static void bench_free(Bench *bench)
{
    eval_free(bench->eval);
    graph_free(bench->graph);
    context_free(bench->context);
}

static void bind(Bench *bench, Node node, int64_t value)
{
    cr_assert(eval_bind_elements(bench->eval, node, DTYPE_I64, &value, 1));
}

static Tensor run(Bench *bench, Node node)
{
    const Tensor *tensor;
    cr_assert(eval_run(bench->eval, &node, 1, &tensor), "%s", eval_message(bench->eval));
    return *tensor;
}

static Wide floor_quotient(Wide x, Wide y)
{
    return y ? x / y - (x % y && (x < 0) != (y < 0)) : 0;
}

/* False when the operator takes no integers. */
static bool reference(Op op, Wide x, Wide y, Wide *value)
{
    switch (op) {
    case OP_NEG:
        return *value = -x, true;
    case OP_ABS:
        return *value = x < 0 ? -x : x, true;
    case OP_SIGN:
        return *value = (x > 0) - (x < 0), true;
    case OP_ADD:
        return *value = x + y, true;
    case OP_SUB:
        return *value = x - y, true;
    case OP_MUL:
        return *value = x * y, true;
    case OP_FLOOR_DIV:
        return *value = floor_quotient(x, y), true;
    case OP_MOD:
        return *value = y ? x - y * floor_quotient(x, y) : 0, true;
    case OP_MAX:
        return *value = x > y ? x : y, true;
    case OP_MIN:
        return *value = x < y ? x : y, true;
    case OP_EQ:
        return *value = x == y, true;
    case OP_NE:
        return *value = x != y, true;
    case OP_LT:
        return *value = x < y, true;
    case OP_LE:
        return *value = x <= y, true;
    default:
        return false;
    }
}

static int64_t wrap(DType dtype, Wide value)
{
    return dtype == DTYPE_U8 ? (uint8_t)value : dtype == DTYPE_I32 ? (int32_t)value : (int64_t)value;
}

static void check_point(DType dtype, Op op, Node node, Bench *bench, int64_t a, int64_t b)
{
    Wide value = 0;
    bool one = op_info(op)->arity == 1;
    reference(op, a, b, &value);
    bind(bench, bench->x, a);
    bind(bench, bench->y, b);
    Tensor found = run(bench, node);
    int64_t expected = found.dtype == DTYPE_BOOL ? (int64_t)value : wrap(dtype, value), folded = 0;
    double number = 0;
    cr_expect_eq(found.integers ? found.integers[0] : (int64_t)found.data[0], expected,
                 "%s of %s %" PRId64 ", %" PRId64, op_info(op)->spelling, dtype_name(dtype), a, b);
    Node args[] = {build_integer(bench->graph, type_scalar(dtype), a),
                   build_integer(bench->graph, type_scalar(dtype), b)};
    Node fold = fold_constant(bench->graph, graph_make(bench->graph, op, args, one ? 1 : 2, NULL, NULL));
    cr_assert(node_is_constant(bench->graph, fold, &number), "%s is not folded", op_info(op)->spelling);
    if (!node_is_integer(bench->graph, fold, &folded)) folded = (int64_t)number;
    cr_expect_eq(folded, expected, "folded: %s of %s %" PRId64 ", %" PRId64 ": %" PRId64, op_info(op)->spelling,
                 dtype_name(dtype), a, b, folded);
}

Test(integers, every_operator_at_the_ends_of_every_type)
{
    for (int t = 0; t < TYPES; t++)
        for (int op = 0; op < OP_COUNT; op++) {
            Wide value = 0;
            const OpInfo *info = op_info((Op)op);
            bool takes = info->class == OP_CLASS_ELEMENTWISE &&
                         (info->rule == TYPE_RULE_SAME || info->rule == TYPE_RULE_COMPARE);
            cr_assert_eq(takes, reference((Op)op, 1, 1, &value), "%s: is it an operator of integers?", info->spelling);
            if (!takes) continue;
            Bench bench = bench_new(types[t]);
            Node node = graph_make(bench.graph, (Op)op, (Node[]){bench.x, bench.y}, (uint32_t)info->arity, NULL, NULL);
            for (int i = 0; i < ENDS; i++)
                for (int j = 0; j < ENDS; j++)
                    if (integer_fits(types[t], ends[i]) && integer_fits(types[t], ends[j]))
                        check_point(types[t], (Op)op, node, &bench, ends[i], ends[j]);
            bench_free(&bench);
        }
}

/* Conversions: integers wrap around, floating-point numbers are cut and saturate. */
static const struct {
    DType from, to;
    double number;   /* of a float */
    int64_t integer; /* of an integer type */
    int64_t whole;   /* the result of an integer type or bool */
    double real;     /* of a float */
} casts[] = {
    {DTYPE_I64, DTYPE_I32, 0, 4294967297, 1, 0},
    {DTYPE_I64, DTYPE_I32, 0, INT64_MIN, 0, 0},
    {DTYPE_I64, DTYPE_U8, 0, -1, 255, 0},
    {DTYPE_I32, DTYPE_U8, 0, 300, 44, 0},
    {DTYPE_U8, DTYPE_I64, 0, 255, 255, 0},
    {DTYPE_I32, DTYPE_I64, 0, INT32_MIN, INT32_MIN, 0},
    {DTYPE_I64, DTYPE_BOOL, 0, INT64_MIN, 1, 0},
    {DTYPE_F64, DTYPE_I64, 9223372036854775807.0, 0, INT64_MAX, 0},
    {DTYPE_F64, DTYPE_I64, -0x1p63, 0, INT64_MIN, 0},
    {DTYPE_F64, DTYPE_I64, 9007199254740991.0, 0, 9007199254740991, 0},
    {DTYPE_F64, DTYPE_I32, 2147483647.9, 0, INT32_MAX, 0},
    {DTYPE_F64, DTYPE_I32, 1e300, 0, INT32_MAX, 0},
    {DTYPE_F64, DTYPE_I32, -1e300, 0, INT32_MIN, 0},
    {DTYPE_F32, DTYPE_U8, 255.5, 0, 255, 0},
    {DTYPE_F32, DTYPE_U8, -0.5, 0, 0, 0},
    {DTYPE_F32, DTYPE_U8, NAN, 0, 0, 0},
    {DTYPE_BOOL, DTYPE_I64, 1, 0, 1, 0},
    {DTYPE_I64, DTYPE_F64, 0, 9007199254740993, 0, 9007199254740992.0},
    {DTYPE_I64, DTYPE_F32, 0, INT64_C(1) << 54 | INT64_C(1) << 30 | 1, 0, 0x1p54 + 0x1p31}, /* rounded once */
    {DTYPE_I64, DTYPE_F32, 0, INT64_MAX, 0, 0x1p63},
    {DTYPE_I32, DTYPE_F16, 0, 65520, 0, INFINITY},
};

Test(integers, conversions)
{
    for (size_t i = 0; i < sizeof casts / sizeof *casts; i++) {
        Bench bench = bench_new(casts[i].from);
        bool integer = dtype_class(casts[i].from) == DTYPE_CLASS_INTEGER;
        Type type = type_scalar(casts[i].from);
        if (integer)
            bind(&bench, bench.x, casts[i].integer);
        else
            cr_assert(eval_bind(bench.eval, bench.x, &casts[i].number, 1));
        Tensor found = run(&bench, build_cast(bench.graph, bench.x, casts[i].to));
        double expected = dtype_is_float(casts[i].to) ? casts[i].real : (double)casts[i].whole, number = 0;
        int64_t folded = 0;
        cr_expect_eq(found.data[0], expected, "row %zu: %g", i, found.data[0]);
        if (found.integers) cr_expect_eq(found.integers[0], casts[i].whole, "row %zu", i);
        Node constant = integer ? build_integer(bench.graph, type, casts[i].integer)
                                : build_constant(bench.graph, type, casts[i].number);
        Node fold = fold_constant(bench.graph, build_cast(bench.graph, constant, casts[i].to));
        cr_assert(node_is_constant(bench.graph, fold, &number), "row %zu", i);
        cr_expect_eq(number, expected, "row %zu, folded: %g", i, number);
        if (node_is_integer(bench.graph, fold, &folded)) cr_expect_eq(folded, casts[i].whole, "row %zu, folded", i);
        bench_free(&bench);
    }
}

/* Reductions and movements of i64 beyond what doubles hold. */
Test(integers, survive_reductions_and_movements)
{
    static const int64_t data[] = {9007199254740993, 1, INT64_MAX, 3, -9007199254740993, 2};
    Bench bench = bench_new(DTYPE_I64);
    Graph *graph = bench.graph;
    DimTable *dims = graph_dims(graph);
    Type type = type_make(DTYPE_I64, 2, (Dim[]){dim_constant(dims, 3), dim_constant(dims, 2)});
    Node x = build_source(graph, OP_INPUT, intern(bench.context->names, "matrix"), type);
    cr_assert(eval_bind_elements(bench.eval, x, DTYPE_I64, data, 6));
    Type ids = type_make(DTYPE_I32, 1, (Dim[]){dim_constant(dims, 1)});
    Node first = build_slice(graph, x, (Dim[]){dim_constant(dims, 0), dim_constant(dims, 0)},
                             (Dim[]){dim_constant(dims, 1), dim_constant(dims, 2)}, (int32_t[]){1, 1});
    Node condition = build_binary(graph, OP_LT, build_constant(graph, type, 0), x);
    const struct {
        Node node;
        int64_t at, value;
    } expected[] = {
        {build_reduce(graph, OP_SUM, x, (int32_t[]){0}, 1), 0, INT64_MAX},
        {build_reduce(graph, OP_PROD, x, (int32_t[]){1}, 1), 1, INT64_MAX - 2}, /* 3 * (2^63 - 1), wrapped */
        {build_reduce_all(graph, OP_REDUCE_MAX, x), 0, INT64_MAX},
        {build_reduce_all(graph, OP_REDUCE_MIN, x), 0, -9007199254740993},
        {build_reduce(graph, OP_ARGMAX, x, (int32_t[]){0}, 1), 0, 1},
        {build_along(graph, OP_CUMSUM, x, 1), 1, 9007199254740994},
        {build_contract(graph, x, x, (int32_t[]){0, 1, 2, 1, 0, 2}, 2), 1,
         (int64_t)((uint64_t)9007199254740993 * INT64_MAX + 3)},
        {build_transpose(graph, x, (int32_t[]){1, 0}), 0, 9007199254740993},
        {build_reverse(graph, x, (int32_t[]){0}, 1), 0, -9007199254740993},
        {build_reshape(graph, x, 1, (Dim[]){dim_constant(dims, 6)}), 4, -9007199254740993},
        {build_concat(graph, (Node[]){x, x}, 2, 0), 6, 9007199254740993},
        {build_pad(graph, first, (Dim[]){dim_constant(dims, 1), dim_constant(dims, 0)},
                   (Dim[]){dim_constant(dims, 2), dim_constant(dims, 2)}),
         2, 9007199254740993},
        {build_gather(graph, x, build_constant(graph, ids, 2), 0, 0), 0, -9007199254740993},
        {build_scatter_add(graph, build_constant(graph, ids, 1), first, 0, 0, &type), 2, 9007199254740993},
        {build_select(graph, condition, x, build_unary(graph, OP_NEG, x)), 4, 9007199254740993},
        {build_literal(graph, type, data, sizeof data), 0, 9007199254740993},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        Tensor found = run(&bench, expected[i].node);
        cr_expect_eq(found.integers[expected[i].at], expected[i].value, "row %zu: %" PRId64, i,
                     found.integers[expected[i].at]);
    }
    bench_free(&bench);
}
