/* What guides differentiation: gradient nodes of any order, stopped gradients, derivatives of the user's own; and the
 * verdicts of the check. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "gradients.h"

Test(guides, nested_gradients)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_scalar(&bench, 0.7);
    Node y = build_unary(graph, OP_SIN, x), roots[5] = {y};
    for (int i = 1; i < 5; i++) roots[i] = build_gradient(graph, roots[i - 1], x);
    cr_assert(autodiff_eliminate(graph, bench.partials, roots, 5));
    double expected[] = {sin(0.7), cos(0.7), -sin(0.7), -cos(0.7), sin(0.7)};
    for (int i = 0; i < 5; i++) bench_expect(&bench, roots[i], &expected[i], 1e-15, "a derivative of sin");
    bench_free(&bench);
}

/* A loss made of a gradient, as for the residual of an equation: d/dw (d sin(w x)/dx)^2 */
Test(guides, gradient_inside_a_loss)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    double w = 1.3, x = 0.4;
    Node nw = bench_scalar(&bench, w), nx = bench_scalar(&bench, x);
    Node u = build_unary(graph, OP_SIN, build_binary(graph, OP_MUL, nw, nx));
    Node residual = build_gradient(graph, u, nx);
    Node roots[] = {build_gradient(graph, build_binary(graph, OP_MUL, residual, residual), nw), residual};
    cr_assert(autodiff_eliminate(graph, bench.partials, roots, 2));
    double r = w * cos(w * x), expected = 2 * r * (cos(w * x) - w * x * sin(w * x));
    bench_expect(&bench, roots[0], &expected, 1e-14, "by w");
    bench_expect(&bench, roots[1], &r, 1e-15, "the residual");
    bench_free(&bench);
}

Test(guides, by_what_is_between)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 3, (double[]){1, 2, 3}), h = build_unary(graph, OP_EXP, x);
    Node y = build_reduce_all(graph, OP_SUM, build_binary(graph, OP_MUL, h, build_binary(graph, OP_MUL, h, x)));
    /* y = sum of h^2 x: by h it is 2 h x, and h counts as free */
    Node roots[] = {build_gradient(graph, y, h), build_gradient(graph, y, x)};
    cr_assert(autodiff_eliminate(graph, bench.partials, roots, 2));
    double by_h[3], by_x[3];
    for (int i = 0; i < 3; i++) {
        by_h[i] = 2 * exp(i + 1) * (i + 1);
        by_x[i] = exp(2 * (i + 1)) * (1 + 2 * (i + 1));
    }
    bench_expect(&bench, roots[0], by_h, 1e-14, "by h");
    bench_expect(&bench, roots[1], by_x, 1e-14, "by x");
    bench_free(&bench);
}

Test(guides, of_what_it_does_not_depend_on)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 2, (double[]){1, 2}), other = bench_vector(&bench, 2, (double[]){3, 4});
    Node y = build_reduce_all(graph, OP_SUM, x), above = build_unary(graph, OP_EXP, x);
    Node roots[] = {build_gradient(graph, y, other), build_gradient(graph, y, above), build_gradient(graph, y, x)};
    cr_assert(autodiff_eliminate(graph, bench.partials, roots, 3));
    bench_expect(&bench, roots[0], (double[]){0, 0}, 0, "another");
    bench_expect(&bench, roots[1], (double[]){0, 0}, 0, "one above");
    bench_expect(&bench, roots[2], (double[]){1, 1}, 0, "itself");
    bench_free(&bench);
}

/* All parameters share one sweep: the graph grows with its depth, not with depth times parameters. */
Test(guides, one_sweep_for_all)
{
    enum { LAYERS = 200 };
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node y = bench_vector(&bench, 4, (double[]){1, 2, 3, 4}), gradients[LAYERS], params[LAYERS];
    for (int i = 0; i < LAYERS; i++) {
        params[i] = bench_source(&bench, *node_type(graph, y), NULL, -1, 1);
        y = build_unary(graph, OP_TANH, build_binary(graph, OP_MUL, y, params[i]));
    }
    Node loss = build_reduce_all(graph, OP_SUM, y);
    for (int i = 0; i < LAYERS; i++) gradients[i] = build_gradient(graph, loss, params[i]);
    uint32_t before = graph_count(graph);
    cr_assert(autodiff_eliminate(graph, bench.partials, gradients, LAYERS));
    cr_expect_lt(graph_count(graph) - before, 10u * LAYERS, "%u new nodes", graph_count(graph) - before);
    bench_free(&bench);
}

Test(guides, stop_gradient)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 2, (double[]){2, 3});
    Node y = build_binary(graph, OP_MUL, x, build_stop_gradient(graph, build_binary(graph, OP_MUL, x, x)));
    Node gradient = bench_gradient(&bench, y, x);
    bench_expect(&bench, gradient, (double[]){4, 9}, 0, "x stop(x^2)");
    uint32_t count;
    Node *order = graph_reachable(graph, &gradient, 1, &count);
    for (uint32_t i = 0; i < count; i++) cr_expect_neq(node_op(graph, order[i]), OP_STOP_GRADIENT);
    free(order);
    bench_check(&bench, y, &x, 1, "held fixed");
    bench_free(&bench);
}

/* x with the reverse product dy * factor(x). */
static Node custom(Bench *bench, Node value, Node x, Node factor)
{
    Graph *graph = bench->graph;
    Node dy = build_source(graph, OP_COTANGENT, intern(bench->context->names, "dy"), *node_type(graph, value));
    Node args[] = {value, dy, x, build_binary(graph, OP_MUL, dy, factor)};
    return graph_make(graph, OP_CUSTOM_GRADIENT, args, 4, &(Attr){.integer = 1}, NULL);
}

Test(guides, custom_gradient)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 2, (double[]){2, 3});
    /* round(x), with the derivative of x^2, used twice: each use has its own cotangent */
    Node y = custom(&bench, build_unary(graph, OP_ROUND, x), x, build_binary(graph, OP_ADD, x, x));
    Node z = build_binary(graph, OP_ADD, build_binary(graph, OP_MUL, y, x), y);
    Node first = bench_gradient(&bench, z, x);
    /* z = y x + y: dy/dx (x + 1) + y with dy/dx = 2 x and y = x here */
    bench_expect(&bench, first, (double[]){2 * 2 * 3 + 2, 2 * 3 * 4 + 3}, 0, "first order");
    bench_free(&bench);
}

Test(guides, custom_gradient_of_second_order)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 2, (double[]){2, 3});
    Node y = custom(&bench, build_binary(graph, OP_MUL, x, x), x, build_binary(graph, OP_ADD, x, x));
    Node first = build_gradient(graph, build_reduce_all(graph, OP_SUM, y), x);
    Node second = build_gradient(graph, build_reduce_all(graph, OP_SUM, first), x);
    Node roots[] = {first, second};
    cr_assert(autodiff_eliminate(graph, bench.partials, roots, 2));
    bench_expect(&bench, roots[0], (double[]){4, 6}, 0, "first order");
    bench_expect(&bench, roots[1], (double[]){2, 2}, 0, "second order");
    bench_free(&bench);
}

static CheckVerdict verdict(Bench *bench, Node y, Node x)
{
    CheckResult result;
    Node loss = build_reduce_all(bench->graph, OP_SUM, y);
    cr_assert(check_gradients(bench->eval, bench->graph, bench->partials, loss, &x, 1, CHECK_DEFAULTS, &result));
    return result.verdict;
}

Test(guides, verdicts)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 3, (double[]){0.3, -2, 5}), flat = bench_vector(&bench, 2, (double[]){1, 1});
    Node square = build_binary(graph, OP_MUL, x, x), twice = build_binary(graph, OP_ADD, x, x);
    cr_expect_eq(verdict(&bench, square, x), CHECK_RIGHT);
    cr_expect_eq(verdict(&bench, custom(&bench, square, x, twice), x), CHECK_RIGHT);
    cr_expect_eq(verdict(&bench, custom(&bench, square, x, x), x), CHECK_DECLARED);
    cr_expect_eq(verdict(&bench, build_reduce_all(graph, OP_REDUCE_MAX, flat), flat), CHECK_KINK);
    bench_free(&bench);
}

/* A wrong rule is found: the check does not only compare the products of one rule with each other. */
Test(guides, wrong_rules_are_found)
{
    Bench bench = bench_new();
    bench.partials = rules_load(bench.context, "wrong.nn", "partial sin(x) = 1.001 * cos(x)\n");
    cr_assert_not_null(bench.partials);
    Node x = bench_vector(&bench, 3, (double[]){0.3, -2, 5});
    cr_expect_eq(verdict(&bench, build_unary(bench.graph, OP_SIN, x), x), CHECK_WRONG);

    Node y = build_unary(bench.graph, OP_COS, x), gradient;
    cr_expect_not(autodiff_reverse(bench.graph, bench.partials, y, bench_constant(&bench, y, 1), &x, 1, &gradient));
    cr_expect_eq(diagnostics_errors(bench.context->diagnostics), 1u, "a missing rule is a diagnostic");
    bench_free(&bench);
}

/* New nodes keep the places of the nodes they come from. */
Test(guides, places)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_vector(&bench, 2, (double[]){2, 3}), y = build_unary(graph, OP_SIN, x);
    graph_add_place(graph, y, (Span){5, 9});
    Node gradient = bench_gradient(&bench, y, x);
    const Span *places;
    cr_assert_eq(node_op(graph, gradient), OP_COS);
    cr_assert_geq(graph_places(graph, gradient, &places), 1u);
    cr_expect_eq(places[0].start, 5u);
    bench_free(&bench);
}

static bool count_calls(void *data, Module *module)
{
    (void)module;
    ++*(int *)data;
    return true;
}

/* A module's gradients go one order after the other, and whoever wants may simplify between. */
Test(guides, orders_of_a_module)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node x = bench_scalar(&bench, 0.7), y = build_unary(graph, OP_SIN, x);
    Node first = build_gradient(graph, y, x), second = build_gradient(graph, build_stop_gradient(graph, first), x);
    Node third = build_gradient(graph, build_gradient(graph, first, x), x);
    Result results[] = {{.role = RESULT_VALUE, .value = first},
                        {.role = RESULT_VALUE, .value = second},
                        {.role = RESULT_VALUE, .value = third}};
    Function function = {.loss = y, .results = results, .n_results = 3};
    Module module = {.graph = graph, .functions = &function, .n_functions = 1};
    int calls = 0;
    cr_assert(autodiff_run(&module, bench.context, count_calls, &calls));
    cr_expect_eq(calls, 2);
    cr_expect_float_eq(bench_number(&bench, results[0].value), cos(0.7), 1e-15);
    cr_expect_eq(bench_number(&bench, results[1].value), 0.0);
    cr_expect_float_eq(bench_number(&bench, results[2].value), -cos(0.7), 1e-15);
    bench_free(&bench);
}

/* By a named value: another value that happens to be equal stays constant. */
Test(guides, equal_values_are_not_one)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Node w = bench_scalar(&bench, 1.5), square = build_binary(graph, OP_MUL, w, w);
    Node a = build_distinct(graph, square, intern(bench.context->names, "a")), b = square;
    Node y = build_binary(graph, OP_ADD, build_binary(graph, OP_MUL, bench_constant(&bench, a, 3), a), b);
    Node roots[] = {build_gradient(graph, y, a), build_gradient(graph, y, w), NODE_NONE};
    roots[2] = build_gradient(graph, build_gradient(graph, build_binary(graph, OP_MUL, y, a), a), w);
    cr_assert(autodiff_eliminate(graph, bench.partials, roots, 3));
    cr_expect_eq(bench_number(&bench, roots[0]), 3.0);
    cr_expect_eq(bench_number(&bench, roots[1]), 4 * 2 * 1.5);
    /* d(3 a^2 + b a)/da = 6 a + b, by w 7 * 2 w */
    cr_expect_eq(bench_number(&bench, roots[2]), 7 * 2 * 1.5);
    bench_free(&bench);
}
