/* Windows and what is made of them: products, their gradients and pooling mean what the interpreter says, and no window
 * is ever stored. */
#include "ir/window.h"
#include "models.h"

/* A convolution of one axis by its numbers. */
typedef struct {
    int64_t size, count, taps, padding;
    int32_t stride, dilation;
} Form;

static Node windows(Model *model, Node x, uint32_t axis, const Form *form)
{
    Window window = {.axis = axis, .stride = form->stride, .dilation = form->dilation};
    window.padding = size_of(model, form->padding);
    window.count = size_of(model, form->count);
    window.taps = size_of(model, form->taps);
    return build_window(model->graph, x, window);
}

static Node sum_of_squares(Model *model, Node x)
{
    return build_reduce_all(model->graph, OP_SUM, build_binary(model->graph, OP_MUL, x, x));
}

static void give(Model *model, Function *function, const char *name, Node loss, Node x)
{
    add_result(model, function, RESULT_GRADIENT, name, build_gradient(model->graph, loss, x), NODE_NONE);
}

/* y[n, i, o] = sum over u, c of window(x)[n, i, u, c] W[u, c, o], and both gradients of the sum of its squares. */
static void expect_convolution(const Form *form)
{
    Model *model = model_new();
    Dim batch = size_free(model, "batch", 2), channels = size_of(model, 3);
    Node x = declare(model, OP_INPUT, "x", CUBE(batch, size_of(model, form->size), channels));
    Node W = declare(model, OP_PARAM, "W", CUBE(size_of(model, form->taps), channels, size_of(model, 2)));
    const int32_t labels[] = {0, 1, 2, 3, 2, 3, 4, 0, 1, 4};
    Node y = build_contract(model->graph, windows(model, x, 1, form), W, labels, 3);
    Function *training = add_function(model, "training");
    add_result(model, training, RESULT_OUTPUT, "y", y, NODE_NONE);
    Node loss = sum_of_squares(model, y);
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    give(model, training, "x", loss, x);
    give(model, training, "W", loss, W);
    finish_model(model);
    expect_model(model);
    model_free(model);
}

Test(window, convolutions, .timeout = 240)
{
    static const int64_t sizes[] = {0, 1, 4, 7}, counts[] = {0, 1, 2, 5}, taps[] = {0, 1, 2, 3, 8};
    static const int64_t paddings[] = {-9, -2, -1, 0, 1, 2, 9};
    static const int32_t strides[] = {1, 2, 3, 9}, dilations[] = {1, 2, 5};
    for (int i = 0; i < 4 * 4 * 5; i++)
        for (int j = 0; j < 7; j++) {
            int k = (i * 7 + j) % 12; /* all pairs of these, each with many of the others */
            Form form = {sizes[i % 4], counts[i / 4 % 4], taps[i / 16], paddings[j], strides[k % 4], dilations[k / 4]};
            expect_convolution(&form);
        }
}

/* ---- two axes: images of [n, h, w, c], filters of [u, v, c, o] */

static Node convolve(Model *model, Node x, Node W, const Form *form)
{
    const int32_t labels[] = {0, 1, 2, 3, 4, 5, 2, 4, 5, 6, 0, 1, 3, 6};
    return build_contract(model->graph, windows(model, windows(model, x, 1, form), 3, form), W, labels, 4);
}

static Type image(Model *model, Dim n, int64_t height, int64_t width, int64_t channels)
{
    return type_of(DTYPE_F32, 4, n, size_of(model, height), size_of(model, width), size_of(model, channels));
}

/* True if a buffer has the elements of all windows of the image, which are taps^2 times the results'. */
static bool stores_windows(Model *model, const Plan *plan, int64_t elements)
{
    for (uint32_t p = 0; p < plan->n_programs; p++)
        for (uint32_t i = 0; i < plan->programs[p].n_buffers; i++) {
            const PlanBuffer *buffer = &plan->programs[p].buffers[i];
            if (count_elements(model, buffer->rank, buffer->dims) >= elements) return true;
        }
    return false;
}

/* The products of several summed axes that the tiled code takes. */
static uint32_t count_products(const Plan *plan)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->n_kernels; i++) {
        KernelContraction form;
        bool tiled = kernel_contraction(plan->kernels[i], &form);
        count += tiled && form.lists;
    }
    return count;
}

/* A network of two convolutions trains: the first's filter gradient, the second's both. */
static void expect_network(const Form *form)
{
    enum { HEIGHT = 9, WIDTH = 8, CHANNELS = 3 };
    Model *model = model_new();
    Dim n = size_free(model, "batch", 4);
    Node x = declare(model, OP_INPUT, "x", image(model, n, HEIGHT, WIDTH, CHANNELS));
    Dim taps = size_of(model, form->taps), channels = size_of(model, CHANNELS);
    Node first = declare(model, OP_PARAM, "first", type_of(DTYPE_F32, 4, taps, taps, channels, channels));
    Node second = declare(model, OP_PARAM, "second", type_of(DTYPE_F32, 4, taps, taps, channels, channels));
    Node h = build_unary(model->graph, OP_TANH, convolve(model, x, first, form));
    Node y = convolve(model, h, second, form);
    Node loss = sum_of_squares(model, y);
    Function *training = add_function(model, "training");
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    give(model, training, "first", loss, first);
    give(model, training, "second", loss, second);
    give(model, training, "x", loss, x);
    finish_model(model);
    expect_model(model);
    int64_t patches = 4 * form->count * form->count * form->taps * form->taps * CHANNELS;
    const Plan *plan = plan_model(model, false);
    cr_expect(!stores_windows(model, plan, patches));
    cr_expect_eq(count_products(plan), 6, "%u products are tiled", count_products(plan));
    model_free(model);
}

Test(window, networks)
{
    expect_network(&(Form){.count = 9, .taps = 3, .padding = 1, .stride = 1, .dilation = 1});
    expect_network(&(Form){.count = 5, .taps = 3, .padding = 1, .stride = 2, .dilation = 1});
    expect_network(&(Form){.count = 8, .taps = 3, .padding = 2, .stride = 1, .dilation = 2});
}

/* ---- pooling: the largest of each window, what lies outside being smaller than all; and its gradient */

static Node inside_or(Model *model, Node windows, const Window *window, double outside)
{
    Graph *graph = model->graph;
    Type type = type_with(*node_type(graph, windows), DTYPE_I64);
    Node at = build_constant(graph, type, 0);
    for (uint32_t i = 0; i < 2; i++) {
        Node factor = build_constant(graph, type, i ? window->dilation : window->stride);
        at = build_binary(graph, OP_ADD, at,
                          build_binary(graph, OP_MUL, build_iota(graph, type, window->axis + i), factor));
    }
    at = build_binary(graph, OP_SUB, at, build_splat(graph, build_size(graph, window->padding, DTYPE_I64), &type));
    Node begins = build_binary(graph, OP_LE, build_constant(graph, type, 0), at);
    Node ends = build_binary(graph, OP_LT, at, build_splat(graph, build_size(graph, window->size, DTYPE_I64), &type));
    return build_select(graph, build_binary(graph, OP_AND, begins, ends), windows,
                        build_constant_like(graph, windows, outside));
}

static void expect_pooling(const Form *form)
{
    enum { HEIGHT = 9, WIDTH = 8, CHANNELS = 3 };
    Model *model = model_new();
    Dim n = size_free(model, "batch", 3);
    Node x = declare(model, OP_INPUT, "x", image(model, n, HEIGHT, WIDTH, CHANNELS));
    Node rows = windows(model, x, 1, form);
    Window down = {1,        form->stride, form->dilation, size_of(model, form->padding), size_of(model, HEIGHT),
                   DIM_NONE, DIM_NONE};
    Node patches = windows(model, inside_or(model, rows, &down, -INFINITY), 3, form);
    Window across = {3,        form->stride, form->dilation, size_of(model, form->padding), size_of(model, WIDTH),
                     DIM_NONE, DIM_NONE};
    patches = inside_or(model, patches, &across, -INFINITY);
    const int32_t taps[] = {2, 4};
    Node y = build_reduce(model->graph, OP_REDUCE_MAX, patches, taps, 2);
    Node loss = sum_of_squares(model, y);
    Function *training = add_function(model, "training");
    add_result(model, training, RESULT_OUTPUT, "y", y, NODE_NONE);
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    give(model, training, "x", loss, x);
    finish_model(model);
    expect_model(model);
    int64_t all = 3 * form->count * form->count * form->taps * form->taps * CHANNELS;
    bool overlap = form->taps > form->stride; /* windows side by side are a reshape */
    cr_expect(!overlap || !stores_windows(model, plan_model(model, false), all));
    model_free(model);
}

Test(window, pooling)
{
    expect_pooling(&(Form){.count = 4, .taps = 2, .padding = 0, .stride = 2, .dilation = 1});
    expect_pooling(&(Form){.count = 5, .taps = 3, .padding = 1, .stride = 2, .dilation = 1});
    expect_pooling(&(Form){.count = 8, .taps = 3, .padding = 1, .stride = 1, .dilation = 1});
    expect_pooling(&(Form){.count = 4, .taps = 2, .padding = 1, .stride = 2, .dilation = 3});
}
