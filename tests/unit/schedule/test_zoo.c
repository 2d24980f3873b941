/* Graphs of many shapes: whatever is fused, they mean what the interpreter says. */
#include <stdio.h>

#include "models.h"

static Node unary(Model *model, Op op, Node x)
{
    return build_unary(model->graph, op, x);
}

static Node binary(Model *model, Op op, Node x, Node y)
{
    return build_binary(model->graph, op, x, y);
}

static Node output(Model *model, Function *function, const char *name, Node value)
{
    add_result(model, function, RESULT_OUTPUT, name, value, NODE_NONE);
    return value;
}

/* Mean along the last axis, repeated along it. */
static Node row_mean(Model *model, Node x)
{
    Graph *graph = model->graph;
    Type type = *node_type(graph, x);
    int32_t axis = (int32_t)type.rank - 1;
    Node sum = build_reduce(graph, OP_SUM, x, &axis, 1);
    Type row = *node_type(graph, sum);
    Node count = build_splat(graph, build_size(graph, type.dims[axis], DTYPE_F32), &row);
    return build_unreduce(graph, binary(model, OP_DIV, sum, count), &type, &axis, 1);
}

static Node normalise(Model *model, Node x)
{
    Node centred = binary(model, OP_SUB, x, row_mean(model, x));
    Node variance = row_mean(model, binary(model, OP_MUL, centred, centred));
    Node shifted = binary(model, OP_ADD, variance, build_constant_like(model->graph, x, 1e-5));
    return binary(model, OP_MUL, centred, unary(model, OP_RSQRT, shifted));
}

static Node sum_of_squares(Model *model, Node x)
{
    return build_reduce_all(model->graph, OP_SUM, binary(model, OP_MUL, x, x));
}

Test(zoo, layer_norm_trains)
{
    Model *model = model_new();
    Dim batch = size_free(model, "batch", 3), width = size_of(model, 6);
    Node x = declare(model, OP_INPUT, "x", MATRIX(batch, width));
    Node gain = declare(model, OP_PARAM, "gain", VECTOR(width));
    Node y = normalise(model, dense(model, x, "dense", 6, 6));
    Type type = *node_type(model->graph, y);
    int32_t last = 1;
    y = add_row(model, binary(model, OP_MUL, y, build_broadcast(model->graph, gain, &type, &last)), gain);
    Node loss = sum_of_squares(model, binary(model, OP_SUB, unary(model, OP_TANH, y), x));
    Function *training = add_function(model, "training");
    output(model, training, "y", y);
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    add_training(model, training, loss, UPDATE_ADAM);
    finish_model(model);
    expect_model(model);
    expect_step_equals_training(model);
    model_free(model);
}

/* Two heads over time: batched contractions, softmax of a cube, reshapes as views. */
static Node attend(Model *model, Node x, Dim batch, Dim time)
{
    Graph *graph = model->graph;
    Dim heads = size_of(model, 2), width = size_of(model, 3), all = size_of(model, 6);
    Node parts[3];
    const char *names[] = {"q", "k", "v"};
    Dim split[] = {batch, time, heads, width}, joined[] = {batch, time, all};
    for (int i = 0; i < 3; i++) {
        Node W = declare(model, OP_PARAM, names[i], MATRIX(all, all));
        parts[i] = build_reshape(graph, build_matmul(graph, x, W), 4, split);
    }
    /* b t h d, b s h d -> b h t s; b h t s, b s h d -> b t h d */
    const int32_t scores[] = {0, 1, 2, 3, 0, 4, 2, 3, 0, 2, 1, 4}, mix[] = {0, 2, 1, 4, 0, 4, 2, 3, 0, 1, 2, 3};
    Node s = build_contract(graph, parts[0], parts[1], scores, 4);
    Node p = build_along(graph, OP_SOFTMAX, binary(model, OP_MUL, s, build_constant_like(graph, s, 0.57)), 3);
    return build_reshape(graph, build_contract(graph, p, parts[2], mix, 4), 3, joined);
}

Test(zoo, attention_trains)
{
    Model *model = model_new();
    Dim batch = size_free(model, "batch", 2), time = size_free(model, "time", 5);
    Node x = declare(model, OP_INPUT, "x", CUBE(batch, time, size_of(model, 6)));
    Node first = binary(model, OP_ADD, x, attend(model, normalise(model, x), batch, time));
    Node W = declare(model, OP_PARAM, "out", MATRIX(size_of(model, 6), size_of(model, 6)));
    Node y = binary(model, OP_ADD, first, build_matmul(model->graph, normalise(model, first), W));
    Node loss = sum_of_squares(model, y);
    Function *training = add_function(model, "training");
    output(model, training, "y", y);
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    add_training(model, training, loss, UPDATE_SGD);
    finish_model(model);
    expect_model(model);
    expect_step_equals_training(model);
    model_free(model);
}

Test(zoo, movement)
{
    Model *model = model_new();
    Graph *graph = model->graph;
    Dim n = size_free(model, "n", 4), six = size_of(model, 6), two = size_of(model, 2), zero = size_of(model, 0);
    Node x = declare(model, OP_INPUT, "x", MATRIX(n, six));
    Node e = unary(model, OP_EXP, x);
    Function *f = add_function(model, "inference");
    const int32_t swap[] = {1, 0}, both[] = {0, 1}, steps[] = {1, 2}, last[] = {1};
    Dim start[] = {zero, size_of(model, 1)}, size[] = {n, size_of(model, 3)};
    Dim before[] = {size_of(model, 1), two}, padded[] = {dim_add(model->dims, n, two), size_of(model, 9)};
    output(model, f, "transposed",
           binary(model, OP_ADD, build_transpose(graph, e, swap), build_transpose(graph, x, swap)));
    output(model, f, "reversed", build_reverse(graph, e, both, 2));
    Node slice = output(model, f, "sliced", build_slice(graph, e, start, size, steps));
    Node pad = output(model, f, "padded", build_pad(graph, unary(model, OP_LOG, e), before, padded));
    output(model, f, "rows", build_reduce(graph, OP_SUM, pad, last, 1));
    Node parts[] = {slice, x, build_reverse(graph, slice, last, 1)};
    Node joined = output(model, f, "joined", build_concat(graph, parts, 3, 1));
    output(model, f, "joined_max", build_reduce(graph, OP_REDUCE_MAX, joined, both, 1));
    Dim flat[] = {dim_mul(model->dims, n, six)}, halves[] = {n, two, size_of(model, 3)};
    output(model, f, "flat", build_reshape(graph, build_transpose(graph, e, swap), 1, flat));
    Node halved = build_reshape(graph, x, 3, halves);
    int32_t middle = 1;
    output(model, f, "halves", build_reduce(graph, OP_PROD, halved, &middle, 1));
    output(model, f, "running", build_along(graph, OP_CUMSUM, e, 1));
    Type square = MATRIX(six, six);
    Node iota = build_iota(graph, square, 1), down = build_iota(graph, square, 0);
    output(model, f, "lower",
           build_select(graph, binary(model, OP_LE, iota, down), iota, build_constant(graph, square, -1)));
    output(model, f, "input", x);
    output(model, f, "one", build_constant(graph, square, 1));
    Dim with_one[] = {n, size_of(model, 1), six};
    output(model, f, "unit",
           binary(model, OP_MUL, build_reshape(graph, e, 3, with_one), build_reshape(graph, x, 3, with_one)));
    finish_model(model);
    expect_model(model);
    model_free(model);
}

Test(zoo, embedding_trains)
{
    Model *model = model_new();
    Dim batch = size_free(model, "batch", 6), words = size_of(model, 5), width = size_of(model, 3);
    Node ids = declare_ids(model, "ids", batch, words);
    Node table = declare(model, OP_PARAM, "table", MATRIX(words, width));
    Node x = build_gather(model->graph, table, ids, 0, 0);
    Node y = unary(model, OP_TANH, dense(model, x, "dense", 3, 10));
    Node loss = cross_entropy(model, y, ids);
    expect_trains(model, loss, UPDATE_ADAM);
    model_free(model);
}

/* Column statistics, states that move, random draws, a weight used twice, a gradient scaled by the norm of all. */
Test(zoo, awkward_training)
{
    Model *model = model_new();
    Graph *graph = model->graph;
    Dim batch = size_free(model, "batch", 5), width = size_of(model, 4);
    Node x = declare(model, OP_INPUT, "x", MATRIX(batch, width));
    Node W = declare(model, OP_PARAM, "W", MATRIX(width, width));
    Node mean = declare(model, OP_STATE, "mean", VECTOR(width));
    Type type = *node_type(graph, x);
    Node h = unary(model, OP_TANH, build_matmul(graph, x, W));
    int32_t rows = 0, last = 1;
    Node column = build_reduce(graph, OP_SUM, h, &rows, 1);
    Node spread = binary(model, OP_SUB, h, build_unreduce(graph, column, &type, &rows, 1));
    Node draw = build_random(graph, name_of(model, "drop"), 1, type);
    Node kept = build_select(graph, binary(model, OP_LT, draw, build_constant_like(graph, draw, 0.7)), spread,
                             build_constant_like(graph, spread, 0));
    const int32_t swap[] = {1, 0};
    Node again = build_matmul(graph, kept, build_transpose(graph, W, swap));
    Node loss = sum_of_squares(model, add_row(model, again, mean));
    Function *training = add_function(model, "training");
    output(model, training, "y", again);
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    add_result(model, training, RESULT_UPDATE, "mean", moving(model, mean, column, 0.9), mean);
    Node g = build_gradient(graph, loss, W);
    add_result(model, training, RESULT_GRADIENT, "W", g, NODE_NONE);
    add_result(model, training, RESULT_GRADIENT, "x", build_gradient(graph, loss, x), NODE_NONE);
    Node norm = unary(model, OP_SQRT, sum_of_squares(model, g));
    Node clipped = binary(model, OP_DIV, g, splat_like(model, norm, g));
    Node mixed = binary(model, OP_ADD, W, build_transpose(graph, W, swap));
    add_result(model, training, RESULT_UPDATE, "W", binary(model, OP_SUB, mixed, clipped), W);
    (void)last;
    finish_model(model);
    expect_model(model);
    expect_step_equals_training(model);
    model_free(model);
}

/* Two states that exchange their values, one that keeps an input; parameters drawn at the start. */
Test(zoo, exchanged_states)
{
    Model *model = model_new();
    Graph *graph = model->graph;
    Dim n = size_of(model, 4);
    Node x = declare(model, OP_INPUT, "x", VECTOR(n));
    Node a = declare(model, OP_STATE, "a", VECTOR(n)), b = declare(model, OP_STATE, "b", VECTOR(n));
    Node c = declare(model, OP_STATE, "c", VECTOR(n));
    Function *training = add_function(model, "training"), *initialise = add_function(model, "initialise");
    output(model, training, "sum", binary(model, OP_ADD, binary(model, OP_ADD, a, b), c));
    add_result(model, training, RESULT_UPDATE, "a", b, a);
    add_result(model, training, RESULT_UPDATE, "b", binary(model, OP_ADD, a, x), b);
    add_result(model, training, RESULT_UPDATE, "c", x, c);
    Node draw = build_random(graph, name_of(model, "a"), 0, VECTOR(n));
    add_result(model, initialise, RESULT_INIT, "a", draw, NODE_NONE);
    add_result(model, initialise, RESULT_INIT, "b", build_constant(graph, VECTOR(n), 0.5), NODE_NONE);
    add_result(model, initialise, RESULT_INIT, "c", binary(model, OP_ADD, draw, draw), NODE_NONE);
    finish_model(model);
    expect_model(model);
    expect_step_equals_training(model);
    model_free(model);
}

/* How often the kernel stores the value that it stores most. */
static uint32_t most_stores(const Kernel *kernel)
{
    uint32_t most = 0;
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < kernel->n_values; i++)
            count += kernel->values[i].kind == KERNEL_STORE && kernel->values[i].args[0] == v;
        if (count > most) most = count;
    }
    return most;
}

/* The biases of many layers start as one constant: kernels of a bounded number of stores fill them, all of the same
 * code but for the last, and what a step sets back to it, or shows of it several times, comes from it too. */
Test(zoo, a_constant_for_many)
{
    enum { MANY = 100, SHOWN = 20, MOST = 16 + 1 /* what copies read */ };
    Model *model = model_new();
    Dim n = size_of(model, 5);
    Node x = declare(model, OP_INPUT, "x", VECTOR(n)), half = build_constant(model->graph, VECTOR(n), 0.5);
    Node doubled = binary(model, OP_ADD, x, x);
    Function *training = add_function(model, "training"), *initialise = add_function(model, "initialise");
    for (int i = 0; i < MANY; i++) {
        char name[16];
        sprintf(name, "s%d", i);
        Node state = declare(model, OP_STATE, name, VECTOR(n));
        add_result(model, initialise, RESULT_INIT, name, half, NODE_NONE);
        add_result(model, training, RESULT_UPDATE, name, i % 2 ? half : doubled, state);
        sprintf(name, "y%d", i);
        if (i < SHOWN) output(model, training, name, i % 2 ? half : binary(model, OP_ADD, state, doubled));
        sprintf(name, "z%d", i);
        if (i < SHOWN) output(model, training, name, doubled);
    }
    finish_model(model);
    expect_model(model);
    expect_step_equals_training(model);
    Plan *plan = plan_model(model, false);
    for (uint32_t i = 0; i < plan->n_kernels; i++) cr_expect_leq(most_stores(plan->kernels[i]), MOST);
    const PlanProgram *filling = program_of(plan, "initialise");
    for (uint32_t i = 1; i + 1 < filling->n_launches; i++)
        cr_expect_eq(filling->launches[i].kernel, filling->launches[0].kernel);
    model_free(model);
}

static void expect_tiled(const Plan *plan)
{
    KernelContraction form;
    for (uint32_t i = 0; i < plan->n_kernels; i++)
        if (strstr(plan->kernels[i]->name, "contract"))
            cr_expect(kernel_contraction(plan->kernels[i], &form), "%s is not tiled", plan->kernels[i]->name);
}

/* Sums over several axes in any order, results whose last axis both operands have. */
Test(zoo, contractions_of_any_layout)
{
    Model *model = model_new();
    Graph *graph = model->graph;
    Dim n = size_free(model, "n", 3), h = size_of(model, 2), d = size_of(model, 4), o = size_of(model, 5);
    Node x = declare(model, OP_INPUT, "x", CUBE(h, n, d)), y = declare(model, OP_INPUT, "y", CUBE(o, h, d));
    Node z = declare(model, OP_INPUT, "z", CUBE(d, o, h));
    Function *f = add_function(model, "inference");
    const int32_t apart[] = {0, 1, 2, 3, 0, 2, 1, 3}, turned[] = {0, 1, 2, 2, 3, 0, 1, 3};
    const int32_t shared[] = {0, 1, 2, 3, 0, 2, 1, 3, 0}, swap[] = {1, 2, 0};
    output(model, f, "apart", build_contract(graph, x, y, apart, 2));
    output(model, f, "turned", unary(model, OP_TANH, build_contract(graph, x, z, turned, 2)));
    output(model, f, "shared", build_contract(graph, x, y, shared, 3));
    output(model, f, "moved", build_contract(graph, x, build_transpose(graph, z, swap), apart, 2));
    finish_model(model);
    expect_model(model);
    expect_tiled(plan_model(model, false));
    model_free(model);
}

static Node quarter(Model *model, Node z, int64_t number, int64_t width)
{
    Dim start[] = {size_of(model, 0), size_of(model, number * width)};
    Dim size[] = {node_type(model->graph, z)->dims[0], size_of(model, width)};
    const int32_t steps[] = {1, 1};
    return build_slice(model->graph, z, start, size, steps);
}

/* The gates of a cell read parts of one product: all of them are one kernel. */
Test(zoo, gates_share_a_kernel)
{
    Model *model = model_new();
    Dim batch = size_free(model, "batch", 3);
    Node x = declare(model, OP_INPUT, "x", MATRIX(batch, size_of(model, 5)));
    Node c = declare(model, OP_STATE, "c", MATRIX(batch, size_of(model, 4)));
    Node z = dense(model, x, "cell", 5, 16);
    Node i = unary(model, OP_SIGMOID, quarter(model, z, 0, 4)), f = unary(model, OP_SIGMOID, quarter(model, z, 1, 4));
    Node g = unary(model, OP_TANH, quarter(model, z, 2, 4)), o = unary(model, OP_SIGMOID, quarter(model, z, 3, 4));
    Node next = binary(model, OP_ADD, binary(model, OP_MUL, f, c), binary(model, OP_MUL, i, g));
    Function *inference = add_function(model, "inference");
    Node h = binary(model, OP_MUL, o, unary(model, OP_TANH, next));
    output(model, inference, "h", h);
    output(model, inference, "gates", binary(model, OP_ADD, binary(model, OP_ADD, i, f), binary(model, OP_ADD, g, o)));
    add_result(model, inference, RESULT_UPDATE, "c", next, c);
    finish_model(model);
    expect_model(model);
    cr_expect_eq(program_of(plan_model(model, false), "inference")->n_launches, 2);
    model_free(model);
}
