#include "gradients.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "nn_random.h"

Bench bench_new(void)
{
    Bench bench = {.context = context_new()};
    bench.graph = graph_new(bench.context);
    bench.partials = rules_load_builtin(bench.context, "partials.nn");
    if (!bench.partials) {
        Text text = {0};
        diagnostics_print(bench.context->diagnostics, &text);
        cr_assert_fail("the partial rules do not load:\n%s", text_get(&text));
    }
    bench.eval = eval_new(bench.graph, &(EvalOptions){.smooth = true, .seed = 7, .step = 1});
    return bench;
}

void bench_free(Bench *bench)
{
    eval_free(bench->eval);
    graph_free(bench->graph);
    context_free(bench->context);
}

Type bench_type(Bench *bench, DType dtype, uint32_t rank, const int64_t *dims)
{
    Dim sizes[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) sizes[i] = dim_constant(graph_dims(bench->graph), dims[i]);
    return type_make(dtype, rank, sizes);
}

Node bench_source(Bench *bench, Type type, const double *values, double low, double high)
{
    Name name = intern_format(bench->context->names, "x%u", bench->n_sources++);
    Node node = build_source(bench->graph, OP_PARAM, name, type);
    int64_t dims[MAX_RANK], count;
    cr_assert(eval_sizes(bench->eval, &type, dims, &count));
    double *data = malloc((size_t)(count + 1) * sizeof *data);
    for (int64_t i = 0; i < count; i++)
        data[i] =
            values ? values[i] : low + (high - low) * (double)nn_random_uniform(11, bench->n_sources, 0, (uint64_t)i);
    cr_assert(eval_bind(bench->eval, node, data, count));
    free(data);
    return node;
}

Node bench_vector(Bench *bench, uint32_t count, const double *values)
{
    return bench_source(bench, bench_type(bench, DTYPE_F32, 1, (int64_t[]){count}), values, 0, 0);
}

Node bench_scalar(Bench *bench, double value)
{
    return bench_source(bench, type_scalar(DTYPE_F32), &value, 0, 0);
}

Node bench_constant(Bench *bench, Node like, double value)
{
    return build_constant_like(bench->graph, like, value);
}

const Tensor *bench_value(Bench *bench, Node node)
{
    const Tensor *value;
    cr_assert(eval_run(bench->eval, &node, 1, &value), "%s", eval_message(bench->eval));
    return value;
}

double bench_number(Bench *bench, Node node)
{
    const Tensor *value = bench_value(bench, node);
    cr_assert_eq(value->count, 1);
    return value->data[0];
}

Node bench_gradient(Bench *bench, Node y, Node x)
{
    Node gradient = build_gradient(bench->graph, build_reduce_all(bench->graph, OP_SUM, y), x);
    cr_assert(autodiff_eliminate(bench->graph, bench->partials, &gradient, 1));
    return gradient;
}

void bench_check(Bench *bench, Node y, const Node *xs, uint32_t count, const char *what)
{
    Graph *graph = bench->graph;
    Node weights = bench_source(bench, type_with(*node_type(graph, y), DTYPE_F32), NULL, 0.5, 1.5);
    Node loss = build_reduce_all(graph, OP_SUM, build_binary(graph, OP_MUL, y, weights));
    CheckResult results[4];
    cr_assert(count <= 4);
    cr_assert(check_gradients(bench->eval, graph, bench->partials, loss, xs, count, CHECK_DEFAULTS, results), "%s",
              what);
    for (uint32_t i = 0; i < count; i++) {
        cr_expect_eq(results[i].verdict, CHECK_RIGHT, "%s, operand %u: verdict %d, slope %g, errors %g and %g", what, i,
                     (int)results[i].verdict, results[i].slope, results[i].forward_error, results[i].difference_error);
        cr_expect_neq(results[i].slope, 0.0, "%s, operand %u: nothing was checked", what, i);
    }
}

void bench_expect(Bench *bench, Node node, const double *expected, double tolerance, const char *what)
{
    const Tensor *value = bench_value(bench, node);
    for (int64_t i = 0; i < value->count; i++) {
        double found = value->data[i], wanted = expected[i];
        bool same = found == wanted || (isnan(found) && isnan(wanted)) ||
                    fabs(found - wanted) <= tolerance * fmax(1, fabs(wanted));
        cr_expect(same, "%s, element %lld: %.17g, not %.17g", what, (long long)i, found, wanted);
    }
}
