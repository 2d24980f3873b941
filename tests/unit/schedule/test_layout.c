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
    Function *training = add_function(model, "training");
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    add_training(model, training, loss, optimizer);
    finish_model(model);
    expect_model(model);
    expect_step_equals_training(model);
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
