/* Sources and the interpreter's own promises: random numbers, element types, mistakes that are reported. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "gradients.h"
#include "nn_random.h"

/* Known answers of Random123's kat_vectors for philox4x32, 10 rounds. */
Test(sources, philox_known_answers)
{
    nn_philox zero = nn_philox_make((nn_philox){{0, 0, 0, 0}}, 0, 0);
    uint32_t expected_zero[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    nn_philox ones = nn_philox_make((nn_philox){{~0u, ~0u, ~0u, ~0u}}, ~0u, ~0u);
    uint32_t expected_ones[] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    nn_philox pi =
        nn_philox_make((nn_philox){{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0);
    uint32_t expected_pi[] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    cr_expect_arr_eq(zero.word, expected_zero, sizeof expected_zero);
    cr_expect_arr_eq(ones.word, expected_ones, sizeof expected_ones);
    cr_expect_arr_eq(pi.word, expected_pi, sizeof expected_pi);
}

Test(sources, uniform_is_open)
{
    double sum = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        float u = nn_random_uniform(3, 4, 5, i);
        cr_assert(u > 0 && u < 1);
        sum += u;
    }
    cr_expect_float_eq(sum / 10000, 0.5, 0.01);
    cr_expect_lt((float)(UINT32_MAX >> 9) * 0x1p-23f + 0x1p-24f, 1.0f);
}

/* A row's numbers depend on where it stands in the whole batch, and on path, stream, seed and step. */
Test(sources, random)
{
    Bench bench = bench_new();
    Name path = intern(bench.context->names, "h.dropout"), other = intern(bench.context->names, "g.dropout");
    Type type = bench_type(&bench, DTYPE_F32, 2, (int64_t[]){2, 3}),
         tail_type = bench_type(&bench, DTYPE_F32, 2, (int64_t[]){1, 3});
    Node whole = build_random(bench.graph, path, 0, type), tail = build_random(bench.graph, path, 0, tail_type);
    Node second = build_random(bench.graph, path, 1, type), elsewhere = build_random(bench.graph, other, 0, type);
    double values[6];
    for (int i = 0; i < 6; i++) {
        values[i] = bench_value(&bench, whole)->data[i];
        cr_expect_eq(values[i], (double)nn_random_uniform(7, nn_random_stream("h.dropout", 0), 1, (uint64_t)i));
        cr_expect_neq(values[i], bench_value(&bench, second)->data[i]);
        cr_expect_neq(values[i], bench_value(&bench, elsewhere)->data[i]);
    }
    Eval *eval = eval_new(bench.graph, &(EvalOptions){.seed = 7, .step = 1, .first_row = 1});
    const Tensor *result;
    cr_assert(eval_run(eval, &tail, 1, &result));
    for (int i = 0; i < 3; i++) cr_expect_eq(result->data[i], values[3 + i]);
    eval_free(eval);
    bench_free(&bench);
}

Test(sources, constants_sizes_and_counting)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    Name batch = intern(bench.context->names, "batch");
    Dim size = dim_symbol(graph_dims(graph), batch), shape[] = {dim_constant(graph_dims(graph), 2), size};
    eval_bind_size(bench.eval, batch, 3);
    Node iota = build_iota(graph, type_make(DTYPE_I32, 2, shape), 1);
    bench_expect(&bench, iota, (double[]){0, 1, 2, 0, 1, 2}, 0, "iota");
    bench_expect(&bench, build_iota(graph, type_make(DTYPE_I32, 2, shape), 0), (double[]){0, 0, 0, 1, 1, 1}, 0, "iota");
    cr_expect_eq(bench_number(&bench, build_size(graph, dim_mul(graph_dims(graph), size, size), DTYPE_I64)), 9.0);
    Node constant = build_constant(graph, type_make(DTYPE_F32, 2, shape), 0.5);
    bench_expect(&bench, constant, (double[]){0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, 0, "const");
    Node rate = build_setting(graph, intern(bench.context->names, "lr"), DTYPE_F32, 0.25);
    cr_expect_eq(bench_number(&bench, rate), 0.25);
    cr_assert(eval_bind(bench.eval, rate, (double[]){0.75}, 1));
    cr_expect_eq(bench_number(&bench, rate), 0.75);
    bench_free(&bench);
}

Test(sources, element_types)
{
    static const struct {
        DType dtype;
        double from, to;
    } rows[] = {
        {DTYPE_F32, 0.1, 0.1f},        {DTYPE_BF16, 1.00390625, 1},  {DTYPE_BF16, 1.01171875, 1.015625},
        {DTYPE_BF16, 1e39, INFINITY},  {DTYPE_F16, 65519, 65504},    {DTYPE_F16, 65520, INFINITY},
        {DTYPE_F16, 0x1p-24, 0x1p-24}, {DTYPE_F16, 0x1p-26, 0},      {DTYPE_F16, 0.1, 0.0999755859375},
        {DTYPE_I32, -2.7, -2},         {DTYPE_I32, 1e10, INT32_MAX}, {DTYPE_I32, NAN, 0},
        {DTYPE_U8, 300, 255},          {DTYPE_BOOL, 0.25, 1},        {DTYPE_F64, 0.1, 0.1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double rounded = dtype_round(rows[i].dtype, rows[i].from), loaded;
        unsigned char memory[8];
        cr_expect_eq(rounded, rows[i].to, "%s of %g is %.17g", dtype_name(rows[i].dtype), rows[i].from, rounded);
        dtype_store(rows[i].dtype, memory, &rows[i].from, 1);
        dtype_load(rows[i].dtype, &loaded, memory, 1);
        cr_expect_eq(loaded, rows[i].to, "%s of %g through memory is %.17g", dtype_name(rows[i].dtype), rows[i].from,
                     loaded);
    }
}

/* In f32 each result is rounded; with the option nothing is. */
Test(sources, precision)
{
    Bench bench = bench_new();
    Node x = bench_scalar(&bench, 0.1), third = build_binary(bench.graph, OP_DIV, x, bench_constant(&bench, x, 3));
    cr_expect_eq(bench_number(&bench, third), 0.1 / 3);
    Eval *eval = eval_new(bench.graph, NULL);
    const Tensor *result;
    cr_assert(eval_bind(eval, x, (double[]){0.1}, 1));
    cr_assert(eval_run(eval, &third, 1, &result));
    cr_expect_eq(result->data[0], (double)(0.1f / 3.0f));
    eval_free(eval);
    bench_free(&bench);
}

static void expect_mistake(Bench *bench, Node node, Node culprit, const char *text)
{
    const Tensor *result;
    size_t errors = diagnostics_errors(bench->context->diagnostics);
    cr_assert_not(eval_run(bench->eval, &node, 1, &result), "%s", text);
    cr_expect(strstr(eval_message(bench->eval), text), "%s", eval_message(bench->eval));
    cr_expect(node_same(eval_culprit(bench->eval), culprit));
    cr_expect_eq(diagnostics_errors(bench->context->diagnostics), errors + 1);
    diagnostics_clear(bench->context->diagnostics);
}

Test(sources, mistakes)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    DimTable *dims = graph_dims(graph);
    static const int32_t outside[] = {3, -1};
    Node x = bench_vector(&bench, 3, (double[]){1, 2, 3});
    Type pair = bench_type(&bench, DTYPE_I32, 1, (int64_t[]){1});
    for (int i = 0; i < 2; i++) {
        Node ids = build_literal(graph, pair, &outside[i], 4), gather = build_gather(graph, x, ids, 0, 0);
        expect_mistake(&bench, build_unary(graph, OP_NEG, gather), gather, "outside an axis of size 3");
        Node part =
            build_slice(graph, x, (Dim[]){dim_constant(dims, 0)}, (Dim[]){dim_constant(dims, 1)}, (int32_t[]){1});
        Node scatter = build_scatter_add(graph, ids, part, 0, 0, node_type(graph, x));
        expect_mistake(&bench, scatter, scatter, "outside an axis of size 3");
    }
    Node unbound = build_source(graph, OP_INPUT, intern(bench.context->names, "image"), type_scalar(DTYPE_F32));
    expect_mistake(&bench, unbound, unbound, "`image` has no value");
    Dim size = dim_symbol(dims, intern(bench.context->names, "n"));
    Node many = build_constant(graph, type_make(DTYPE_F32, 1, &size), 1);
    expect_mistake(&bench, many, many, "`n`");
    Dim quotient = dim_floor_div(dims, dim_constant(dims, 6), size);
    Node divided = build_constant(graph, type_make(DTYPE_F32, 1, &quotient), 1);
    eval_bind_size(bench.eval, intern(bench.context->names, "n"), 0);
    expect_mistake(&bench, divided, divided, "divides by 0");
    Dim start = dim_add(dims, size, dim_constant(dims, 2));
    Node slice = build_slice(graph, x, &start, (Dim[]){dim_constant(dims, 2)}, (int32_t[]){1});
    expect_mistake(&bench, slice, slice, "outside axis 0 of size 3");
    Node gradient = build_gradient(graph, build_reduce_all(graph, OP_SUM, x), x);
    expect_mistake(&bench, gradient, gradient, "must be differentiated");
    bench_free(&bench);
}
