/* Every elementwise operator: its value against a formula of its own in long double, its derivatives against
 * differences, to the second order. */
#include <criterion/criterion.h>
#include <math.h>

#include "gradients.h"

typedef struct {
    Op op;
    long double (*value)(long double x, long double y);
    double low, high; /* of the operands, where the operator is smooth */
    double low_second, high_second;
    bool flat; /* its derivative is zero everywhere */
} Row;

#define VALUE(id, expression)                                                                                          \
    static long double value_##id(long double x, long double y)                                                        \
    {                                                                                                                  \
        (void)x, (void)y;                                                                                              \
        return expression;                                                                                             \
    }

VALUE(NEG, -x)
VALUE(ABS, x < 0 ? -x : x)
VALUE(SIGN, (x > 0) - (x < 0))
VALUE(SQRT, powl(x, 0.5L))
VALUE(RSQRT, powl(x, -0.5L))
VALUE(EXP, powl(2.718281828459045235360287471352662498L, x))
VALUE(EXPM1, 2 * sinhl(x / 2) * expl(x / 2))
VALUE(LOG, log2l(x) / log2l(2.718281828459045235360287471352662498L))
VALUE(LOG1P, logl(1 + x))
VALUE(SIN, cosl(x - 1.570796326794896619231321691639751442L))
VALUE(COS, sinl(x + 1.570796326794896619231321691639751442L))
VALUE(TAN, sinl(x) / cosl(x))
VALUE(ASIN, atanl(x / sqrtl(1 - x * x)))
VALUE(ACOS, 1.570796326794896619231321691639751442L - asinl(x))
VALUE(ATAN, asinl(x / sqrtl(1 + x * x)))
VALUE(SINH, (expl(x) - expl(-x)) / 2)
VALUE(COSH, (expl(x) + expl(-x)) / 2)
VALUE(TANH, (expl(2 * x) - 1) / (expl(2 * x) + 1))
VALUE(ERF, 1 - erfcl(x))
VALUE(ERFC, 1 - erfl(x))
VALUE(SIGMOID, 0.5L + tanhl(x / 2) / 2)
VALUE(SOFTPLUS, logl(1 + expl(x)))
VALUE(FLOOR, x - fmodl(fmodl(x, 1) + 1, 1))
VALUE(CEIL, -floorl(-x))
VALUE(ROUND, floorl(x + 0.5L))
VALUE(ADD, x + y)
VALUE(SUB, x - y)
VALUE(MUL, x *y)
VALUE(DIV, x / y)
VALUE(FLOOR_DIV, floorl(x / y))
VALUE(MOD, fmodl(fmodl(x, y) + y, y))
VALUE(POW, expl(y *logl(x)))
VALUE(MAX, (x + y + fabsl(x - y)) / 2)
VALUE(MIN, (x + y - fabsl(x - y)) / 2)
VALUE(ATAN2, 2 * atanl(x / (sqrtl(x * x + y * y) + y)))

static const Row rows[] = {
    {OP_NEG, value_NEG, -2, 2, 0, 0, false},          {OP_ABS, value_ABS, -2, -0.5, 0, 0, false},
    {OP_SIGN, value_SIGN, 0.5, 2, 0, 0, true},        {OP_SQRT, value_SQRT, 0.5, 4, 0, 0, false},
    {OP_RSQRT, value_RSQRT, 0.5, 4, 0, 0, false},     {OP_EXP, value_EXP, -2, 2, 0, 0, false},
    {OP_EXPM1, value_EXPM1, -2, 2, 0, 0, false},      {OP_LOG, value_LOG, 0.5, 4, 0, 0, false},
    {OP_LOG1P, value_LOG1P, -0.5, 4, 0, 0, false},    {OP_SIN, value_SIN, -3, 3, 0, 0, false},
    {OP_COS, value_COS, -3, 3, 0, 0, false},          {OP_TAN, value_TAN, -1.2, 1.2, 0, 0, false},
    {OP_ASIN, value_ASIN, -0.8, 0.8, 0, 0, false},    {OP_ACOS, value_ACOS, -0.8, 0.8, 0, 0, false},
    {OP_ATAN, value_ATAN, -3, 3, 0, 0, false},        {OP_SINH, value_SINH, -3, 3, 0, 0, false},
    {OP_COSH, value_COSH, -3, 3, 0, 0, false},        {OP_TANH, value_TANH, -3, 3, 0, 0, false},
    {OP_ERF, value_ERF, -2, 2, 0, 0, false},          {OP_ERFC, value_ERFC, -2, 2, 0, 0, false},
    {OP_SIGMOID, value_SIGMOID, -4, 4, 0, 0, false},  {OP_SOFTPLUS, value_SOFTPLUS, -4, 4, 0, 0, false},
    {OP_FLOOR, value_FLOOR, -1.9, -1.1, 0, 0, true},  {OP_CEIL, value_CEIL, -1.9, -1.1, 0, 0, true},
    {OP_ROUND, value_ROUND, 0.6, 1.4, 0, 0, true},    {OP_ADD, value_ADD, -2, 2, -2, 2, false},
    {OP_SUB, value_SUB, -2, 2, -2, 2, false},         {OP_MUL, value_MUL, -2, 2, -2, 2, false},
    {OP_DIV, value_DIV, -2, 2, 0.5, 2, false},        {OP_FLOOR_DIV, value_FLOOR_DIV, 2.1, 2.9, 0.99, 1.01, true},
    {OP_MOD, value_MOD, 2.1, 2.9, 0.99, 1.01, false}, {OP_POW, value_POW, 0.5, 2, -2, 3, false},
    {OP_MAX, value_MAX, -2, 2, -2, 2, false},         {OP_MIN, value_MIN, -2, 2, -2, 2, false},
    {OP_ATAN2, value_ATAN2, -2, 2, 0.5, 2, false},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Truth values are tested by table, below; select and cast with the structural operators. */
static const Op others[] = {OP_NOT, OP_EQ, OP_NE, OP_LT, OP_LE, OP_AND, OP_OR, OP_SELECT, OP_CAST};

Test(elementwise, every_operator_has_a_row)
{
    for (int op = 0; op < OP_COUNT; op++) {
        if (op_info((Op)op)->class != OP_CLASS_ELEMENTWISE) continue;
        int found = 0;
        for (size_t i = 0; i < ROWS; i++) found += rows[i].op == (Op)op;
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) found += others[i] == (Op)op;
        cr_expect_eq(found, 1, "%s has %d rows", op_info((Op)op)->spelling, found);
    }
}

static Node row_node(Bench *bench, const Row *row, Node *args)
{
    Type type = bench_type(bench, DTYPE_F32, 1, (int64_t[]){7});
    args[0] = bench_source(bench, type, NULL, row->low, row->high);
    if (op_info(row->op)->arity == 1) return build_unary(bench->graph, row->op, args[0]);
    args[1] = bench_source(bench, type, NULL, row->low_second, row->high_second);
    return build_binary(bench->graph, row->op, args[0], args[1]);
}

Test(elementwise, values)
{
    Bench bench = bench_new();
    for (size_t i = 0; i < ROWS; i++) {
        Node args[2] = {0};
        Node y = row_node(&bench, &rows[i], args);
        double expected[7];
        for (int k = 0; k < 7; k++) {
            double second = node_is_none(args[1]) ? 0 : bench_value(&bench, args[1])->data[k];
            expected[k] = (double)rows[i].value(bench_value(&bench, args[0])->data[k], second);
        }
        bench_expect(&bench, y, expected, 1e-14, op_info(rows[i].op)->spelling);
    }
    bench_free(&bench);
}

Test(elementwise, first_order)
{
    for (size_t i = 0; i < ROWS; i++) {
        Bench bench = bench_new();
        Node args[2] = {0};
        uint32_t n = (uint32_t)op_info(rows[i].op)->arity;
        Node y = row_node(&bench, &rows[i], args);
        if (!rows[i].flat) bench_check(&bench, y, args, n, op_info(rows[i].op)->spelling);
        for (uint32_t k = 0; rows[i].flat && k < n; k++)
            bench_expect(&bench, bench_gradient(&bench, y, args[k]), (double[7]){0}, 0, op_info(rows[i].op)->spelling);
        bench_free(&bench);
    }
}

/* The gradient of the gradient's weighted sum, which is zero (and not checked) where the first is constant. */
Test(elementwise, second_order)
{
    for (size_t i = 0; i < ROWS; i++) {
        Bench bench = bench_new();
        Node args[2] = {0};
        uint32_t n = (uint32_t)op_info(rows[i].op)->arity;
        Node y = row_node(&bench, &rows[i], args);
        for (uint32_t k = 0; k < n; k++) {
            Node first = bench_gradient(&bench, y, args[k]);
            Node total = build_reduce_all(bench.graph, OP_SUM, first);
            CheckResult results[2];
            cr_assert(
                check_gradients(bench.eval, bench.graph, bench.partials, total, args, n, CHECK_DEFAULTS, results));
            for (uint32_t j = 0; j < n; j++)
                cr_expect_eq(results[j].verdict, CHECK_RIGHT, "%s, operands %u and %u: errors %g and %g",
                             op_info(rows[i].op)->spelling, k, j, results[j].forward_error,
                             results[j].difference_error);
        }
        bench_free(&bench);
    }
}

Test(elementwise, truth_values)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Type numbers = bench_type(&bench, DTYPE_F32, 1, (int64_t[]){4});
    Type truths = type_with(numbers, DTYPE_BOOL);
    Node x = bench_source(&bench, numbers, (double[]){1, 2, NAN, 3}, 0, 0);
    Node y = bench_source(&bench, numbers, (double[]){1, 3, NAN, 2}, 0, 0);
    Node a = bench_source(&bench, truths, (double[]){0, 0, 1, 1}, 0, 0);
    Node b = bench_source(&bench, truths, (double[]){0, 1, 0, 1}, 0, 0);
    bench_expect(&bench, build_binary(graph, OP_EQ, x, y), (double[]){1, 0, 0, 0}, 0, "eq");
    bench_expect(&bench, build_binary(graph, OP_NE, x, y), (double[]){0, 1, 1, 1}, 0, "ne");
    bench_expect(&bench, build_binary(graph, OP_LT, x, y), (double[]){0, 1, 0, 0}, 0, "lt");
    bench_expect(&bench, build_binary(graph, OP_LE, x, y), (double[]){1, 1, 0, 0}, 0, "le");
    bench_expect(&bench, build_binary(graph, OP_AND, a, b), (double[]){0, 0, 0, 1}, 0, "and");
    bench_expect(&bench, build_binary(graph, OP_OR, a, b), (double[]){0, 1, 1, 1}, 0, "or");
    bench_expect(&bench, build_unary(graph, OP_NOT, a), (double[]){1, 1, 0, 0}, 0, "not");
    bench_expect(&bench, build_select(graph, a, x, y), (double[]){1, 3, NAN, 3}, 0, "select");
    bench_free(&bench);
}

Test(elementwise, ties_and_corners)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 3, (double[]){-1, 0, 2}), y = bench_vector(&bench, 3, (double[]){-1, 1, 0});
    bench_expect(&bench, bench_gradient(&bench, build_binary(graph, OP_MAX, x, y), x), (double[]){0.5, 0, 1}, 0, "max");
    bench_expect(&bench, bench_gradient(&bench, build_binary(graph, OP_MAX, x, y), y), (double[]){0.5, 1, 0}, 0, "max");
    bench_expect(&bench, bench_gradient(&bench, build_binary(graph, OP_MIN, x, y), x), (double[]){0.5, 1, 0}, 0, "min");
    bench_expect(&bench, bench_gradient(&bench, build_unary(graph, OP_ABS, x), x), (double[]){-1, 0, 1}, 0, "abs");
    bench_expect(&bench, bench_gradient(&bench, build_unary(graph, OP_SIGN, x), x), (double[]){0, 0, 0}, 0, "sign");
    bench_free(&bench);
}

Test(elementwise, powers)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 4, (double[]){-2, 0, 0, 3}), y = bench_vector(&bench, 4, (double[]){2, 0, 2, 2});
    Node power = build_binary(graph, OP_POW, x, y);
    bench_expect(&bench, bench_gradient(&bench, power, x), (double[]){-4, 0, 0, 6}, 1e-15, "x^y by x");
    /* (-2)^y has no real derivative by y; at x = 0 it is the limit from above. */
    bench_expect(&bench, bench_gradient(&bench, power, y), (double[]){NAN, 0, 0, 9 * log(3)}, 1e-15, "x^y by y");

    Node square = build_binary(graph, OP_POW, x, bench_constant(&bench, x, 2));
    bench_expect(&bench, bench_gradient(&bench, square, x), (double[]){-4, 0, 0, 6}, 0, "x^2");
    Node cube = build_binary(graph, OP_POW, x, bench_constant(&bench, x, 3));
    Node first = bench_gradient(&bench, cube, x), second = bench_gradient(&bench, first, x);
    bench_expect(&bench, first, (double[]){12, 0, 0, 27}, 0, "x^3");
    bench_expect(&bench, second, (double[]){-12, 0, 0, 18}, 0, "x^3 twice");
    bench_expect(&bench, bench_gradient(&bench, second, x), (double[]){6, 6, 6, 6}, 0, "x^3 three times");
    Node none = build_binary(graph, OP_POW, x, bench_constant(&bench, x, 0));
    bench_expect(&bench, bench_gradient(&bench, none, x), (double[]){0, 0, 0, 0}, 0, "x^0");
    bench_free(&bench);
}
