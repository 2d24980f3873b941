/* An untaken branch never poisons a gradient, and extreme values stay finite. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "gradients.h"

static Node above(Bench *bench, Node x, double limit)
{
    return build_binary(bench->graph, OP_LT, bench_constant(bench, x, limit), x);
}

static Node select_zero(Bench *bench, Node condition, Node yes)
{
    return build_select(bench->graph, condition, yes, bench_constant(bench, yes, 0));
}

Test(branches, elu_far_out)
{
    Bench bench = bench_new();
    Node x = bench_vector(&bench, 4, (double[]){1000, -1000, 0, -1});
    Node branch =
        build_binary(bench.graph, OP_MUL, bench_constant(&bench, x, 2), build_unary(bench.graph, OP_EXPM1, x));
    Node elu = build_select(bench.graph, above(&bench, x, 0), x, branch);
    Node first = bench_gradient(&bench, elu, x), second = bench_gradient(&bench, first, x);
    bench_expect(&bench, first, (double[]){1, 0, 2, 2 * exp(-1)}, 1e-15, "elu");
    bench_expect(&bench, second, (double[]){0, 0, 2, 2 * exp(-1)}, 1e-15, "elu twice");
    bench_free(&bench);
}

typedef struct {
    const char *what;
    Op op;
    double x[2], expected[2]; /* the second element takes the branch */
} Branch;

static const Branch branches[] = {
    {"sqrt at 0", OP_SQRT, {0, 4}, {0, 0.25}},         {"sqrt of a negative", OP_SQRT, {-1, 4}, {0, 0.25}},
    {"rsqrt at 0", OP_RSQRT, {0, 4}, {0, -0.0625}},    {"log at 0", OP_LOG, {0, 4}, {0, 0.25}},
    {"log of a negative", OP_LOG, {-3, 4}, {0, 0.25}}, {"log1p below -1", OP_LOG1P, {-1, 3}, {0, 0.25}},
};

Test(branches, guarded_functions)
{
    for (size_t i = 0; i < sizeof branches / sizeof *branches; i++) {
        const Branch *row = &branches[i];
        Bench bench = bench_new();
        Node x = bench_vector(&bench, 2, row->x);
        Node y = select_zero(&bench, above(&bench, x, 0), build_unary(bench.graph, row->op, x));
        bench_expect(&bench, bench_gradient(&bench, y, x), row->expected, 1e-15, row->what);
        /* The same with the branch a chain, which meets x only at its end: 3 f(2 (x / 2)) */
        Node half = build_binary(bench.graph, OP_DIV, x, bench_constant(&bench, x, 2));
        Node back = build_binary(bench.graph, OP_MUL, half, bench_constant(&bench, x, 2));
        Node chain =
            build_binary(bench.graph, OP_MUL, build_unary(bench.graph, row->op, back), bench_constant(&bench, x, 3));
        Node z = select_zero(&bench, above(&bench, x, 0), chain);
        bench_expect(&bench, bench_gradient(&bench, z, x), (double[]){0, 3 * row->expected[1]}, 1e-15, row->what);
        /* and beneath an elementwise function whose own derivative at 0 is infinite. */
        Node deep = select_zero(&bench, above(&bench, x, 0),
                                build_unary(bench.graph, row->op, build_unary(bench.graph, OP_SQRT, x)));
        double found = bench_value(&bench, bench_gradient(&bench, deep, x))->data[0];
        cr_expect_eq(found, 0.0, "%s of sqrt: %g", row->what, found);
        bench_free(&bench);
    }
}

Test(branches, division_by_zero)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 2, (double[]){1, 1}), y = bench_vector(&bench, 2, (double[]){0, 2});
    Node safe = build_select(graph, above(&bench, y, 0), build_binary(graph, OP_DIV, x, y), x);
    bench_expect(&bench, bench_gradient(&bench, safe, x), (double[]){1, 0.5}, 0, "by the numerator");
    bench_expect(&bench, bench_gradient(&bench, safe, y), (double[]){0, -0.25}, 0, "by the denominator");
    bench_free(&bench);
}

/* if norm > 0 then x / norm else 0: the norm's own sqrt lies behind a broadcast and a sum. */
static Node normalise(Bench *bench, Node x, bool compare_first)
{
    Graph *graph = bench->graph;
    const Type type = *node_type(graph, x);
    int32_t last = (int32_t)type.rank - 1;
    Node norm = build_unary(graph, OP_SQRT, build_reduce(graph, OP_SUM, build_binary(graph, OP_MUL, x, x), &last, 1));
    Node full = build_unreduce(graph, norm, &type, &last, 1), condition;
    if (compare_first)
        condition = build_unreduce(graph, above(bench, norm, 0), &type, &last, 1);
    else
        condition = above(bench, full, 0);
    return select_zero(bench, condition, build_binary(graph, OP_DIV, x, full));
}

Test(branches, norm_of_zero)
{
    for (int compare_first = 0; compare_first < 2; compare_first++) {
        Bench bench = bench_new();
        static const double rows[] = {0, 0, 3, 4};
        Node x = bench_source(&bench, bench_type(&bench, DTYPE_F32, 2, (int64_t[]){2, 2}), rows, 0, 0);
        Node weights = bench_source(&bench, *node_type(bench.graph, x), (double[]){1, 1, 1, 0}, 0, 0);
        Node y = build_binary(bench.graph, OP_MUL, normalise(&bench, x, compare_first), weights);
        Node first = bench_gradient(&bench, y, x);
        bench_expect(&bench, first, (double[]){0, 0, 16.0 / 125, -12.0 / 125}, 1e-15, "rows");
        double second = bench_value(&bench, bench_gradient(&bench, first, x))->data[0];
        cr_expect_eq(second, 0.0, "second order: %g", second);

        Node vector = bench_vector(&bench, 2, (double[]){0, 0});
        Node z = normalise(&bench, vector, compare_first);
        bench_expect(&bench, bench_gradient(&bench, z, vector), (double[]){0, 0}, 0, "a vector");
        bench_free(&bench);
    }
}

/* A scalar condition holds through a contraction. */
Test(branches, uniform_condition_through_matmul)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    static const double zeros[4];
    Type type = bench_type(&bench, DTYPE_F32, 2, (int64_t[]){2, 2});
    Node x = bench_source(&bench, type, zeros, 0, 0), w = bench_source(&bench, type, NULL, -1, 1);
    Node product = build_matmul(graph, build_unary(graph, OP_LOG, x), w);
    Node total = build_reduce_all(graph, OP_SUM, x);
    Node condition = build_splat(graph, above(&bench, total, 0), &type);
    Node y = select_zero(&bench, condition, product);
    bench_expect(&bench, bench_gradient(&bench, y, x), zeros, 0, "by x");
    bench_expect(&bench, bench_gradient(&bench, y, w), zeros, 0, "by w");
    bench_free(&bench);
}

/* exp(x) @ w where a row is allowed, else 0: the row that overflows is not, and 0 times infinity would be NaN. */
Test(branches, overflow_in_a_row_of_a_matmul)
{
    static const double values[] = {1000, 0, 0, 0}, weights[] = {1, 2, 3, 4}, slopes[] = {1, 1, 1, 1};
    for (int moved = 0; moved < 2; moved++) {
        Bench bench = bench_new();
        Graph *graph = bench.graph;
        Type type = bench_type(&bench, DTYPE_F32, 2, (int64_t[]){2, 2}), truth = type_with(type, DTYPE_BOOL);
        Node x = bench_source(&bench, type, values, 0, 0), w = bench_source(&bench, type, weights, 0, 0);
        Node e = build_unary(graph, OP_EXP, x);
        Node right = build_matmul(graph, e, w), left = build_matmul(graph, build_transpose(graph, w, (int32_t[]){1, 0}),
                                                                    build_transpose(graph, e, (int32_t[]){1, 0}));
        Node product = moved ? build_transpose(graph, left, (int32_t[]){1, 0}) : right;
        Node allowed = bench_source(&bench, truth, (double[]){0, 0, 1, 1}, 0, 0);
        Node y = select_zero(&bench, allowed, product);
        bench_expect(&bench, bench_gradient(&bench, y, w), slopes, 1e-15, "by w");
        bench_expect(&bench, bench_gradient(&bench, y, x), (double[]){0, 0, 3, 7}, 1e-15, "by x");
        bench_free(&bench);
    }
}

/* if any is allowed then softmax else 0: a row of nothing but -inf is NaN, and not taken. The mask is chosen or added.
 */
static void softmax_of_a_masked_row(bool added)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    static const double values[] = {1, 2, 3, 4}, zeros[] = {0, 0, 0, 0};
    Type type = bench_type(&bench, DTYPE_F32, 2, (int64_t[]){2, 2});
    Type truth = type_with(type, DTYPE_BOOL);
    Node x = bench_source(&bench, type, values, 0, 0), weights = bench_source(&bench, type, values, 0, 0);
    Node allowed = bench_source(&bench, truth, (double[]){1, 1, 0, 0}, 0, 0);
    Node nothing = bench_constant(&bench, x, -INFINITY),
         mask = build_select(graph, allowed, bench_constant(&bench, x, 0), nothing);
    Node scores = added ? build_binary(graph, OP_ADD, x, mask) : build_select(graph, allowed, x, nothing);
    Node any =
        build_unreduce(graph, build_reduce(graph, OP_ANY, allowed, (int32_t[]){1}, 1), &truth, (int32_t[]){1}, 1);
    double slope = exp(1) / ((1 + exp(1)) * (1 + exp(1))), expected[] = {-slope, slope, 0, 0};
    Node y = select_zero(&bench, any, build_along(graph, OP_SOFTMAX, scores, 1));
    y = build_binary(graph, OP_MUL, y, weights);
    bench_expect(&bench, bench_gradient(&bench, y, x), expected, 1e-15, "softmax");
    Node z = select_zero(&bench, any, build_along(graph, OP_LOG_SOFTMAX, scores, 1));
    cr_expect_eq(bench_value(&bench, bench_gradient(&bench, z, x))->data[2], 0.0);
    Node lse = build_reduce(graph, OP_LOGSUMEXP, scores, (int32_t[]){1}, 1);
    Node some = build_reduce(graph, OP_ANY, allowed, (int32_t[]){1}, 1);
    Node last = bench_gradient(&bench, select_zero(&bench, some, lse), x);
    bench_expect(&bench, last, (double[]){1 / (1 + exp(1)), exp(1) / (1 + exp(1)), 0, 0}, 1e-15, "logsumexp");
    cr_expect_arr_eq(bench_value(&bench, last)->data + 2, zeros, 16);
    bench_free(&bench);
}

Test(branches, softmax_of_a_masked_row)
{
    softmax_of_a_masked_row(false);
    softmax_of_a_masked_row(true);
}

/* The gate follows its branch through movement: log(x)[1:] taken only where x > 0. */
Test(branches, movement_within_a_branch)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    DimTable *dims = graph_dims(graph);
    Node x = bench_vector(&bench, 4, (double[]){0, 0, 1, 4}), root = build_unary(graph, OP_SQRT, x);
    Dim none = dim_constant(dims, 0), one = dim_constant(dims, 1), three = dim_constant(dims, 3),
        shape[] = {three, one};
    Node tail = build_slice(graph, build_reverse(graph, root, (int32_t[]){0}, 1), &none, &three, (int32_t[]){1});
    Node column = build_reshape(graph, tail, 2, shape);
    Node y = select_zero(&bench, above(&bench, column, 0), build_unary(graph, OP_LOG, column));
    /* log(sqrt x) has the slope 1 / 2x; x[0] is cut off, x[1] not taken */
    bench_expect(&bench, bench_gradient(&bench, y, x), (double[]){0, 0, 0.5, 0.125}, 1e-15, "moved");
    bench_free(&bench);
}

/* What both branches share is reached either way; what the inner of two shares with the outer, where the outer is. */
Test(branches, nested_and_shared)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 4, (double[]){-1, 0, 1, 4});
    Node root = build_unary(graph, OP_SQRT, x), positive = above(&bench, x, 0), big = above(&bench, x, 2);
    Node inner = build_select(graph, big, build_unary(graph, OP_LOG, root), build_binary(graph, OP_MUL, root, root));
    Node y = select_zero(&bench, positive, build_binary(graph, OP_ADD, inner, root));
    /* x > 2: log(sqrt x) + sqrt x; 0 < x <= 2: x + sqrt x; else 0 */
    double expected[] = {0, 0, 1 + 0.5, 1 / 8.0 + 1 / 4.0};
    bench_expect(&bench, bench_gradient(&bench, y, x), expected, 1e-15, "nested");

    Node both = build_select(graph, big, build_unary(graph, OP_LOG, x), build_unary(graph, OP_EXPM1, x));
    bench_expect(&bench, bench_gradient(&bench, both, x), (double[]){exp(-1), 1, exp(1), 0.25}, 1e-15, "both");
    bench_free(&bench);
}

/* relu(log x) at 0: a maximum does not pass what it did not take. */
Test(branches, maximum_of_infinities)
{
    Bench bench = bench_new();
    Node x = bench_vector(&bench, 2, (double[]){0, 2});
    Node y = build_binary(bench.graph, OP_MAX, build_unary(bench.graph, OP_SQRT, x), bench_constant(&bench, x, 1));
    double found = bench_value(&bench, bench_gradient(&bench, y, x))->data[1];
    cr_expect_float_eq(found, 0.5 / sqrt(2), 1e-15);
    Node big = build_binary(bench.graph, OP_MAX, bench_constant(&bench, x, 0), x);
    Node root = bench_gradient(&bench, build_unary(bench.graph, OP_SQRT, big), x);
    cr_expect_float_eq(bench_value(&bench, root)->data[1], 0.5 / sqrt(2), 1e-15);
    bench_free(&bench);
}

/* A gate costs nothing where nothing behind it can be infinite: relu's gradient is one select. */
Test(branches, harmless_branches_have_no_gates)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Type type = bench_type(&bench, DTYPE_F32, 2, (int64_t[]){3, 3});
    Node x = bench_source(&bench, type, NULL, -1, 1), w = bench_source(&bench, type, NULL, -1, 1);
    Node y = x;
    for (int layer = 0; layer < 3; layer++) {
        Node z = build_matmul(graph, y, w);
        y = build_select(graph, above(&bench, z, 0), z, bench_constant(&bench, z, 0));
    }
    Node gradient = bench_gradient(&bench, y, x);
    uint32_t count, selects = 0;
    Node *order = graph_reachable(graph, &gradient, 1, &count);
    for (uint32_t i = 0; i < count; i++) {
        Op op = node_op(graph, order[i]);
        selects += op == OP_SELECT;
        cr_expect(op != OP_ANY && op != OP_AND && op != OP_OR, "%s", op_info(op)->spelling);
    }
    cr_expect_eq(selects, 2 + 3, "%u selects", selects); /* two forward, three backward */
    free(order);
    bench_free(&bench);
}

/* Cross entropy of far logits: log_softmax and a gather. */
Test(branches, cross_entropy_of_far_logits)
{
    static const double logits[] = {1000, -1000, 0, -1000, -1000, 1000};
    static const int32_t labels[] = {1, 2};
    static const double gradient[] = {1, -1, 0, 0, 0, 0};
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node z = bench_source(&bench, bench_type(&bench, DTYPE_F32, 2, (int64_t[]){2, 3}), logits, 0, 0);
    Node ids = build_literal(graph, bench_type(&bench, DTYPE_I32, 2, (int64_t[]){2, 1}), labels, sizeof labels);
    Node picked = build_gather(graph, build_along(graph, OP_LOG_SOFTMAX, z, 1), ids, 1, 1);
    Node loss = build_unary(graph, OP_NEG, build_reduce_all(graph, OP_SUM, picked));
    cr_expect_eq(bench_number(&bench, loss), 2000.0);
    Node first = bench_gradient(&bench, loss, z);
    bench_expect(&bench, first, gradient, 0, "cross entropy");
    Node squares = build_binary(graph, OP_MUL, first, first);
    bench_expect(&bench, bench_gradient(&bench, squares, z), (double[6]){0}, 1e-300, "second order");
    bench_free(&bench);
}

/* f(x) @ w where a row is allowed, else 0: the row in which f is not a number is not, and does not reach w. */
Test(branches, no_number_in_a_row_of_a_matmul)
{
    static const double values[] = {-2, 0, 0.5, 0.25}, weights[] = {1, 2, 3, 4};
    static const Op ops[] = {OP_SQRT, OP_LOG, OP_ASIN, OP_ACOS, OP_MOD, OP_FLOOR_DIV, OP_POW};
    for (size_t i = 0; i < sizeof ops / sizeof *ops * 2; i++) {
        Op op = ops[i / 2];
        Bench bench = bench_new();
        Graph *graph = bench.graph;
        Type type = bench_type(&bench, DTYPE_F32, 2, (int64_t[]){2, 2}), truth = type_with(type, DTYPE_BOOL);
        Node x = bench_source(&bench, type, values, 0, 0), w = bench_source(&bench, type, weights, 0, 0);
        Node allowed = bench_source(&bench, truth, (double[]){0, 0, 1, 1}, 0, 0);
        Node right = op == OP_POW ? bench_constant(&bench, x, 1.5) : x;
        Node f = op_info(op)->arity == 1 ? build_unary(graph, op, x) : build_binary(graph, op, x, right);
        if (i % 2) f = build_unary(graph, OP_TANH, f); /* bounded, but not of what is not a number */
        Node y = select_zero(&bench, allowed, build_matmul(graph, f, w));
        const double *by_w = bench_value(&bench, bench_gradient(&bench, y, w))->data;
        for (int k = 0; k < 4; k++) cr_expect(isfinite(by_w[k]), "%s by w: %g", op_info(op)->spelling, by_w[k]);
        const double *by_x = bench_value(&bench, bench_gradient(&bench, y, x))->data;
        for (int k = 0; k < 4; k++) cr_expect(isfinite(by_x[k]), "%s by x: %g", op_info(op)->spelling, by_x[k]);
        bench_free(&bench);
    }
}

/* if x > 0 then x ^ 1.5 else 0 */
Test(branches, power_of_a_negative)
{
    Bench bench = bench_new();
    Node x = bench_vector(&bench, 2, (double[]){-1, 4});
    Node power = build_binary(bench.graph, OP_POW, x, bench_constant(&bench, x, 1.5));
    Node y = select_zero(&bench, above(&bench, x, 0), build_binary(bench.graph, OP_MUL, power, x));
    bench_expect(&bench, bench_gradient(&bench, y, x), (double[]){0, 20}, 1e-15, "x ^ 2.5");
    bench_free(&bench);
}
