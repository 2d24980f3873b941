/* Networks whose images are given as [n, c, h, w]: they mean what the interpreter says, their products are tiled, and
 * between convolutions nothing is copied. */
#include "ir/window.h"
#include "models.h"

/* A convolution of both axes of an image by its numbers. */
typedef struct {
    int64_t count, taps, padding;
    int32_t stride;
} Form;

static const Form same = {0, 3, 1, 1};

static Node windows_of(Model *model, Node x, uint32_t axis, const Form *form)
{
    Window window = {.axis = axis, .stride = form->stride, .dilation = 1};
    window.padding = size_of(model, form->padding);
    window.count = form->count ? size_of(model, form->count) : node_type(model->graph, x)->dims[axis];
    window.taps = size_of(model, form->taps);
    return build_window(model->graph, x, window);
}

static Node patches_of(Model *model, Node x, const Form *form)
{
    return windows_of(model, windows_of(model, x, 2, form), 4, form);
}

/* y[n, f, i, j] = sum over c, u, v of window(x)[n, c, i, u, j, v] K[f, c, u, v] */
static Node convolve(Model *model, Node x, const char *path, int64_t filters, const Form *form)
{
    const int32_t labels[] = {0, 1, 2, 3, 4, 5, 6, 1, 3, 5, 0, 6, 2, 4};
    Dim channels = node_type(model->graph, x)->dims[1], taps = size_of(model, form->taps);
    Node K = declare(model, OP_PARAM, path, type_of(DTYPE_F32, 4, size_of(model, filters), channels, taps, taps));
    return build_contract(model->graph, patches_of(model, x, form), K, labels, 4);
}

static Node add_channels(Model *model, Node x, const char *path)
{
    Type type = *node_type(model->graph, x);
    int32_t axis = 1;
    Node b = declare(model, OP_PARAM, path, VECTOR(type.dims[1]));
    return build_binary(model->graph, OP_ADD, x, build_broadcast(model->graph, b, &type, &axis));
}

/* The mean of each channel of each image. */
static Node mean_pool(Model *model, Node x)
{
    const int32_t axes[] = {2, 3};
    return build_reduce(model->graph, OP_SUM, x, axes, 2);
}

static Node max_pool(Model *model, Node x, const Form *form)
{
    const int32_t taps[] = {3, 5};
    return build_reduce(model->graph, OP_REDUCE_MAX, patches_of(model, x, form), taps, 2);
}

/* (x - mean) / deviation of each channel. */
static Node normalise(Model *model, Node x)
{
    Graph *graph = model->graph;
    const int32_t axes[] = {0, 2, 3}, kept = 1;
    Type type = *node_type(graph, x);
    Node count = build_cast(
        graph,
        build_size(graph, dim_mul(model->dims, type.dims[0], dim_mul(model->dims, type.dims[2], type.dims[3])),
                   DTYPE_F32),
        DTYPE_F32);
    Type row = type_make(DTYPE_F32, 1, &type.dims[1]);
    Node all = build_splat(graph, count, &row);
    Node mean = build_binary(graph, OP_DIV, build_reduce(graph, OP_SUM, x, axes, 3), all);
    Node centred = build_binary(graph, OP_SUB, x, build_broadcast(graph, mean, &type, &kept));
    Node squares = build_reduce(graph, OP_SUM, build_binary(graph, OP_MUL, centred, centred), axes, 3);
    Node variance = build_binary(graph, OP_ADD, build_binary(graph, OP_DIV, squares, all),
                                 build_constant_like(graph, squares, 0.1));
    Node scale = build_unary(graph, OP_RSQRT, variance);
    return build_binary(graph, OP_MUL, centred, build_broadcast(graph, scale, &type, &kept));
}

static Node flatten(Model *model, Node x)
{
    Type type = *node_type(model->graph, x);
    Dim dims[] = {type.dims[0], dim_product(model->dims, type.dims + 1, type.rank - 1)};
    return build_reshape(model->graph, x, 2, dims);
}

static Node sum_of_squares(Model *model, Node x)
{
    return build_reduce_all(model->graph, OP_SUM, build_binary(model->graph, OP_MUL, x, x));
}

static Node images(Model *model, int64_t batch, int64_t channels, int64_t height, int64_t width)
{
    Dim n = size_free(model, "batch", batch);
    return declare(model, OP_INPUT, "x",
                   type_of(DTYPE_F32, 4, n, size_of(model, channels), size_of(model, height), size_of(model, width)));
}

/* What the launches of a program are: products over windows; copies of what is given, and of what was computed. */
typedef struct {
    uint32_t products, given, computed;
} Counts;

static bool is_copy(const Kernel *kernel)
{
    uint32_t loads = 0, computed = 0;
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        loads += kernel->values[i].kind == KERNEL_LOAD;
        computed += kernel->values[i].kind != KERNEL_LOAD && kernel->values[i].kind != KERNEL_STORE;
    }
    return loads == 1 && !computed;
}

static bool reads_temporary(const PlanProgram *program, const Launch *launch, const Kernel *kernel)
{
    bool temporary = false;
    for (uint32_t i = 0; i < kernel->n_buffers; i++)
        temporary |= kernel->buffers[i].read && program->buffers[launch->buffers[i]].role == BUFFER_TEMPORARY;
    return temporary;
}

static Counts count_launches(const Plan *plan, const char *name)
{
    const PlanProgram *program = program_of(plan, name);
    Counts counts = {0};
    for (uint32_t i = 0; i < program->n_launches; i++) {
        const Launch *launch = &program->launches[i];
        const Kernel *kernel = plan->kernels[launch->kernel];
        KernelContraction form;
        bool copies = is_copy(kernel), computed = reads_temporary(program, launch, kernel);
        counts.products += kernel_contraction(kernel, &form) && form.lists && form.n != NO_AXIS;
        counts.given += copies && !computed;
        counts.computed += copies && computed;
    }
    return counts;
}

/* Trains by the loss. A step has so many products over windows and copies of what it computed; of what is given, the
 * images and each convolution's filters are copied once. */
static void expect_network(Model *model, Node loss, Optimizer optimizer, uint32_t products, uint32_t filters,
                           uint32_t copies)
{
    expect_trains(model, loss, optimizer);
    const Plan *plan = plan_model(model, false);
    Counts counts = count_launches(plan, "step");
    Text text = {0};
    plan_print(plan, &text);
    cr_expect_eq(counts.products, products, "%u products in\n%s", counts.products, text_get(&text));
    cr_expect_eq(counts.given, filters + 1, "%u copies of what is given in\n%s", counts.given, text_get(&text));
    cr_expect_eq(counts.computed, copies, "%u copies in\n%s", counts.computed, text_get(&text));
    text_free(&text);
    model_free(model);
}

Test(layout, two_convolutions)
{
    for (int i = 0; i < 4; i++) {
        Model *model = model_new();
        Node x = images(model, 2 + i, 3, 7, 6);
        Form form = {i % 2 ? 3 : 0, 3, 1, i % 2 ? 2 : 1};
        Node h = relu(model, add_channels(model, convolve(model, x, "first", 5, &same), "bias"));
        Node y = relu(model, convolve(model, h, "second", 4, &form));
        expect_network(model, sum_of_squares(model, mean_pool(model, y)), i / 2 ? UPDATE_ADAM : UPDATE_SGD, 5, 2, 0);
    }
}

Test(layout, pooling_and_dense)
{
    static const Form pools[] = {{3, 2, 0, 2}, {3, 3, 1, 2}, {4, 3, 0, 1}};
    for (int i = 0; i < 3; i++) {
        Model *model = model_new();
        Node x = images(model, 3, 2, 6, 6);
        Node h = max_pool(model, relu(model, convolve(model, x, "first", 8, &same)), &pools[i]);
        Node y = relu(model, add_channels(model, convolve(model, h, "second", 4, &same), "bias"));
        int64_t features = 4 * pools[i].count * pools[i].count;
        Node logits = dense(model, flatten(model, y), "dense", features, 10);
        Node label = declare_ids(model, "label", node_type(model->graph, x)->dims[0], size_of(model, 10));
        expect_network(model, cross_entropy(model, logits, label), UPDATE_SGD, 5, 2, 1);
    }
}

/* Windows that overlap, flattened: one copy for the dense layer, and one of its gradient, which each tap reads. */
Test(layout, flattened_pool)
{
    static const Form pool = {3, 3, 1, 2};
    Model *model = model_new();
    Node h = max_pool(model, relu(model, convolve(model, images(model, 3, 2, 6, 6), "filter", 4, &same)), &pool);
    Node y = dense(model, flatten(model, h), "dense", 4 * 3 * 3, 5);
    expect_network(model, sum_of_squares(model, y), UPDATE_SGD, 2, 1, 2);
}

Test(layout, residual_blocks)
{
    Model *model = model_new();
    Node h = convolve(model, images(model, 3, 3, 5, 5), "stem", 4, &same);
    for (int i = 0; i < 2; i++) {
        const char *path = arena_format(model->context->arena, "block%d", i);
        Node inner = relu(model, normalise(model, h));
        h = build_binary(model->graph, OP_ADD, h, convolve(model, inner, path, 4, &same));
    }
    expect_network(model, sum_of_squares(model, mean_pool(model, relu(model, h))), UPDATE_SGD, 8, 3, 0);
}

/* ---- what stands between convolutions */

static uint32_t count_row_major(const PlanProgram *program)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const PlanBuffer *buffer = &program->buffers[i];
        count += buffer->role == BUFFER_TEMPORARY && buffer->rank == 4 && buffer->last_axis == NO_AXIS;
    }
    return count;
}

static Node convolve_one_tap(Model *model, Node x, const char *path, int64_t filters)
{
    const int32_t labels[] = {0, 1, 2, 3, 4, 1, 0, 4, 2, 3};
    Dim channels = node_type(model->graph, x)->dims[1];
    Node K = declare(model, OP_PARAM, path, MATRIX(size_of(model, filters), channels));
    return build_contract(model->graph, x, K, labels, 4);
}

/* A narrow convolution between two of one tap: what no window touches stands as its neighbours do. */
Test(layout, bottleneck)
{
    Model *model = model_new();
    Node x = convolve(model, images(model, 3, 3, 6, 5), "stem", 8, &same), h = x;
    h = relu(model, convolve_one_tap(model, h, "narrow", 4));
    h = relu(model, convolve(model, h, "inner", 4, &same));
    h = build_binary(model->graph, OP_ADD, x, convolve_one_tap(model, h, "wide", 8));
    h = relu(model, convolve_one_tap(model, relu(model, h), "last", 6));
    Node loss = sum_of_squares(model, mean_pool(model, h));
    expect_trains(model, loss, UPDATE_SGD);
    const PlanProgram *step = program_of(plan_model(model, false), "step");
    /* The copies of images and filters, which are transpositions, and nothing else. */
    cr_expect_eq(count_row_major(step), 3, "%u values are row-major", count_row_major(step));
    model_free(model);
}

static Node slice_channels(Model *model, Node x, int64_t from, int64_t count)
{
    Type type = *node_type(model->graph, x);
    Dim start[4];
    const int32_t step[] = {1, 1, 1, 1};
    for (uint32_t i = 0; i < 4; i++) start[i] = size_of(model, i == 1 ? from : 0);
    type.dims[1] = size_of(model, count);
    return build_slice(model->graph, x, start, type.dims, step);
}

/* A product of gates, which are halves of the channels. */
static Node gate(Model *model, Node x)
{
    Graph *graph = model->graph;
    Node halves[] = {slice_channels(model, x, 0, 3), slice_channels(model, x, 3, 3)};
    return build_binary(graph, OP_MUL, halves[0], build_unary(graph, OP_SIGMOID, halves[1]));
}

static Node join_channels(Model *model, Node x)
{
    Node parts[] = {x, build_unary(model->graph, OP_TANH, x)};
    return build_concat(model->graph, parts, 2, 1);
}

/* The channels that stand beside each other are dealt out: what has groups inside merges moved and other axes. */
static Node shuffle(Model *model, Node x)
{
    Type type = *node_type(model->graph, x);
    Dim cut[] = {type.dims[0], size_of(model, 2), size_of(model, 3), type.dims[2], type.dims[3]};
    const int32_t permutation[] = {0, 2, 1, 3, 4};
    Node groups = build_transpose(model->graph, build_reshape(model->graph, x, 5, cut), permutation);
    return build_reshape(model->graph, groups, 4, type.dims);
}

/* Each two by two of the image becomes channels, through a copy. */
static Node fold_space(Model *model, Node x)
{
    Type type = *node_type(model->graph, x);
    Dim two = size_of(model, 2), three = size_of(model, 3);
    Dim cut[] = {type.dims[0], type.dims[1], three, two, three, two},
        flat[] = {type.dims[0], size_of(model, 24), three, three};
    const int32_t permutation[] = {0, 1, 3, 5, 2, 4};
    Node parts = build_transpose(model->graph, build_reshape(model->graph, x, 6, cut), permutation);
    return build_reshape(model->graph, parts, 4, flat);
}

static Node softmax_channels(Model *model, Node x)
{
    return build_along(model->graph, OP_SOFTMAX, x, 1);
}

static Node add_up_rows(Model *model, Node x)
{
    return build_along(model->graph, OP_CUMSUM, x, 2);
}

/* Noise by position, whatever the order. */
static Node drop(Model *model, Node x)
{
    Graph *graph = model->graph;
    Type type = *node_type(graph, x);
    Node noise = build_random(graph, name_of(model, "drop"), 0, type);
    Node kept = build_binary(graph, OP_LT, noise, build_constant_like(graph, x, 0.5));
    return build_select(graph, kept, x, build_constant_like(graph, x, 0));
}

/* Every channel with filters of its own: no product of matrices. */
static Node convolve_apart(Model *model, Node x)
{
    const int32_t labels[] = {0, 1, 2, 3, 4, 5, 1, 3, 5, 0, 1, 2, 4};
    Dim three = size_of(model, 3);
    Node K = declare(model, OP_PARAM, "apart", CUBE(node_type(model->graph, x)->dims[1], three, three));
    return build_contract(model->graph, patches_of(model, x, &same), K, labels, 4);
}

/* Two halves of the channels by themselves. */
static Node convolve_groups(Model *model, Node x)
{
    const int32_t labels[] = {0, 1, 2, 3, 4, 5, 6, 1, 7, 2, 4, 6, 0, 1, 7, 3, 5};
    Type type = *node_type(model->graph, x);
    Dim two = size_of(model, 2), three = size_of(model, 3);
    Dim cut[] = {type.dims[0], two, three, type.dims[2], type.dims[3]}, filter[] = {two, three, three, three, three};
    Node K = declare(model, OP_PARAM, "groups", type_make(DTYPE_F32, 5, filter));
    Node groups = build_reshape(model->graph, x, 5, cut);
    Node windows = windows_of(model, windows_of(model, groups, 3, &same), 5, &same);
    return build_reshape(model->graph, build_contract(model->graph, windows, K, labels, 5), 4, type.dims);
}

/* One tap: a product of matrices over channels. */
static Node mix(Model *model, Node x)
{
    const int32_t labels[] = {0, 1, 2, 3, 4, 1, 0, 4, 2, 3};
    Node K = declare(model, OP_PARAM, "mix", MATRIX(size_of(model, 6), node_type(model->graph, x)->dims[1]));
    return build_contract(model->graph, x, K, labels, 4);
}

/* Twice as many rows and columns: the transpose of a convolution of stride 2. */
static Node spread(Model *model, Node x)
{
    const int32_t labels[] = {0, 1, 2, 3, 1, 4, 5, 6, 0, 4, 2, 5, 3, 6};
    Graph *graph = model->graph;
    Dim channels = node_type(graph, x)->dims[1], three = size_of(model, 3);
    Node K = declare(model, OP_PARAM, "spread", type_of(DTYPE_F32, 4, channels, channels, three, three));
    Node y = build_contract(graph, x, K, labels, 6);
    Window window = {.axis = 4, .stride = 2, .dilation = 1, .padding = size_of(model, 1), .size = size_of(model, 12)};
    window.count = size_of(model, 6);
    window.taps = three;
    y = build_unwindow(graph, y, window);
    window.axis = 2;
    return build_unwindow(graph, y, window);
}

static Node turn(Model *model, Node x)
{
    const int32_t permutation[] = {0, 1, 3, 2}, rows[] = {2};
    return build_reverse(model->graph, build_transpose(model->graph, x, permutation), rows, 1);
}

typedef Node Between(Model *model, Node x);

Test(layout, what_stands_between, .timeout = 240)
{
    static Between *const between[] = {relu,        gate, join_channels,  shuffle,         fold_space, softmax_channels,
                                       add_up_rows, drop, convolve_apart, convolve_groups, mix,        spread,
                                       turn};
    for (size_t i = 0; i < sizeof between / sizeof *between; i++) {
        Model *model = model_new();
        model->tolerance = 1e-5;
        Node h = convolve(model, images(model, 3, 2, 6, 6), "first", 6, &same);
        Node inner = between[i](model, h);
        Node y = convolve(model, build_unary(model->graph, OP_TANH, inner), "second", 3, &same);
        Function *training = add_function(model, "training");
        Node loss = sum_of_squares(model, y);
        add_result(model, training, RESULT_OUTPUT, "first", h, NODE_NONE);
        add_result(model, training, RESULT_OUTPUT, "inner", inner, NODE_NONE);
        add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
        add_training(model, training, loss, UPDATE_SGD);
        finish_model(model);
        expect_model(model);
        expect_step_equals_training(model);
        model_free(model);
    }
}

/* A plan whose buffers stand as nothing can is refused. */
Test(layout, impossible_orders)
{
    Model *model = model_new();
    Node y = relu(model, convolve(model, images(model, 2, 3, 5, 5), "filter", 4, &same));
    Function *inference = add_function(model, "inference");
    add_result(model, inference, RESULT_OUTPUT, "y", y, NODE_NONE);
    finish_model(model);
    Plan *plan = plan_model(model, false);
    PlanProgram *program = &plan->programs[0];
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        PlanBuffer *buffer = &program->buffers[i];
        PlanBuffer before = *buffer;
        buffer->last_axis = buffer->role == BUFFER_TEMPORARY ? buffer->rank : 0;
        cr_expect_not_null(plan_verify(model->context, plan), "m%u", i);
        *buffer = before;
    }
    cr_expect_null(plan_verify(model->context, plan));
    model_free(model);
}
