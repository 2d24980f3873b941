/* Random graphs: whatever the scheduler makes of them, they mean what the interpreter says. */
#include "ir/window.h"
#include "models.h"

enum { GRAPHS = 150, STEPS = 24, MAX_NODES = 64 };

typedef struct {
    Model *model;
    uint64_t state;
    Node nodes[MAX_NODES]; /* f32, of any shape of up to 3 of the sizes */
    uint32_t count;
    Dim sizes[4];
    Node ids;
    Node filter; /* [4, 4, 3] */
} Maker;

static uint32_t pick(Maker *maker, uint32_t count)
{
    maker->state = maker->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(maker->state >> 33) % count;
}

static Node any(Maker *maker)
{
    return maker->nodes[pick(maker, maker->count)];
}

/* Later nodes, so that graphs get deep. */
static Node recent(Maker *maker)
{
    uint32_t back = pick(maker, maker->count < 6 ? maker->count : 6);
    return maker->nodes[maker->count - 1 - back];
}

static const Type *type(Maker *maker, Node x)
{
    return node_type(maker->model->graph, x);
}

static void keep(Maker *maker, Node x)
{
    if (type(maker, x)->rank <= 4 && maker->count < MAX_NODES) maker->nodes[maker->count++] = x;
}

/* Another node of the same shape, or none better than x itself. */
static Node partner(Maker *maker, Node x)
{
    for (int i = 0; i < 20; i++) {
        Node y = any(maker);
        if (type_same_shape(type(maker, x), type(maker, y))) return y;
    }
    return x;
}

static Node make_unary(Maker *maker, Node x)
{
    const Op ops[] = {OP_NEG, OP_TANH, OP_SIGMOID, OP_ABS, OP_SIN, OP_SOFTPLUS, OP_ERF};
    return build_unary(maker->model->graph, ops[pick(maker, sizeof ops / sizeof *ops)], x);
}

static Node make_binary(Maker *maker, Node x)
{
    const Op ops[] = {OP_ADD, OP_SUB, OP_MUL, OP_MAX, OP_MIN};
    return build_binary(maker->model->graph, ops[pick(maker, sizeof ops / sizeof *ops)], x, partner(maker, x));
}

static Node make_select(Maker *maker, Node x)
{
    Graph *graph = maker->model->graph;
    Node y = partner(maker, x);
    return build_select(graph, build_binary(graph, OP_LT, x, y), build_unary(graph, OP_TANH, y), x);
}

static Node make_relu(Maker *maker, Node x)
{
    Graph *graph = maker->model->graph;
    keep(maker, relu(maker->model, x));
    Node sign = build_binary(graph, OP_LE, x, build_constant_like(graph, x, 0));
    return build_select(graph, sign, build_constant_like(graph, x, 0), partner(maker, x));
}

static Node make_reduction(Maker *maker, Node x)
{
    const Op ops[] = {OP_SUM, OP_REDUCE_MAX, OP_REDUCE_MIN, OP_SUM};
    int32_t axes[MAX_RANK];
    uint32_t n_axes = 0, rank = type(maker, x)->rank;
    for (uint32_t i = 0; i < rank; i++)
        if (pick(maker, 2)) axes[n_axes++] = (int32_t)i;
    if (!n_axes) return x;
    return build_reduce(maker->model->graph, ops[pick(maker, 4)], x, axes, n_axes);
}

/* Positions along any axes, as numbers; of equals the first. */
static Node make_position(Maker *maker, Node x)
{
    Graph *graph = maker->model->graph;
    int32_t axes[MAX_RANK];
    uint32_t n_axes = 0, rank = type(maker, x)->rank;
    for (uint32_t i = 0; i < rank; i++)
        if (pick(maker, 3)) axes[n_axes++] = (int32_t)i;
    if (!n_axes) return x;
    Node y = build_select(graph, build_binary(graph, OP_LT, x, build_constant_like(graph, x, 0)), x,
                          build_constant_like(graph, x, 0));
    y = build_unary(graph, OP_ABS, build_unary(graph, OP_SIGN, y));
    return build_cast(graph, build_reduce(graph, pick(maker, 2) ? OP_ARGMAX : OP_ARGMIN, y, axes, n_axes), DTYPE_F32);
}

static Node make_unreduced(Maker *maker, Node x)
{
    Type shape = *type(maker, x);
    if (!shape.rank) return x;
    int32_t axis = (int32_t)pick(maker, shape.rank);
    Node y = build_reduce(maker->model->graph, OP_SUM, x, &axis, 1);
    return build_unreduce(maker->model->graph, y, &shape, &axis, 1);
}

static Node make_transpose(Maker *maker, Node x)
{
    uint32_t rank = type(maker, x)->rank;
    int32_t permutation[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) permutation[i] = (int32_t)i;
    for (uint32_t i = rank; i > 1; i--) {
        uint32_t j = pick(maker, i);
        int32_t old = permutation[j];
        permutation[j] = permutation[i - 1];
        permutation[i - 1] = old;
    }
    return build_transpose(maker->model->graph, x, permutation);
}

/* Cuts an axis and pads it to its size again. */
static Node make_shifted(Maker *maker, Node x)
{
    Type shape = *type(maker, x);
    Dim start[MAX_RANK], size[MAX_RANK], before[MAX_RANK];
    int32_t steps[MAX_RANK];
    Dim one = size_of(maker->model, 1), zero = size_of(maker->model, 0);
    if (!shape.rank) return x;
    uint32_t axis = pick(maker, shape.rank), side = pick(maker, 2);
    for (uint32_t i = 0; i < shape.rank; i++) {
        start[i] = i == axis && side ? one : zero;
        before[i] = i == axis && !side ? one : zero;
        size[i] = i == axis ? dim_sub(maker->model->dims, shape.dims[i], one) : shape.dims[i];
        steps[i] = 1;
    }
    Node cut = build_slice(maker->model->graph, x, start, size, steps);
    return build_pad(maker->model->graph, cut, before, shape.dims);
}

/* Windows of an axis, reduced again: by tap, or to what they were read from. */
static Node make_windows(Maker *maker, Node x)
{
    Graph *graph = maker->model->graph;
    Type shape = *type(maker, x);
    if (!shape.rank) return x;
    Window window = {.axis = pick(maker, shape.rank), .stride = 1 + (int32_t)pick(maker, 2), .dilation = 1};
    window.dilation += (int32_t)pick(maker, 2);
    window.padding = size_of(maker->model, (int64_t)pick(maker, 4) - 1);
    window.size = window.count = shape.dims[window.axis];
    window.taps = size_of(maker->model, 1 + (int64_t)pick(maker, 3));
    Node windows = build_window(graph, x, window);
    int32_t taps = (int32_t)window.axis + 1;
    switch (pick(maker, 4)) {
    case 0:
        return build_reduce(graph, OP_SUM, windows, &taps, 1);
    case 1:
        return build_reduce(graph, OP_REDUCE_MAX, windows, &taps, 1);
    case 2:
        return build_unwindow(graph, build_unary(graph, OP_SIN, windows), window);
    default:
        return build_unwindow(graph, windows, window);
    }
}

static Node make_joined(Maker *maker, Node x)
{
    Graph *graph = maker->model->graph;
    Type shape = *type(maker, x);
    if (!shape.rank) return x;
    int32_t axis = (int32_t)pick(maker, shape.rank);
    Node parts[] = {x, build_reverse(graph, partner(maker, x), &axis, 1)};
    Node joined = build_concat(graph, parts, 2, (uint32_t)axis);
    int32_t all = axis;
    return build_reduce(graph, OP_SUM, joined, &all, 1);
}

static Node make_contraction(Maker *maker, Node x)
{
    Graph *graph = maker->model->graph;
    Node y = any(maker);
    Type a = *type(maker, x), b = *type(maker, y);
    int32_t labels[3 * MAX_RANK], next = (int32_t)a.rank;
    uint32_t count = a.rank + b.rank, n_result = 0;
    for (uint32_t i = 0; i < a.rank; i++) labels[i] = (int32_t)i;
    for (uint32_t i = 0; i < b.rank; i++) {
        labels[a.rank + i] = next++;
        for (uint32_t j = 0; j < a.rank; j++) {
            bool taken = false;
            for (uint32_t k = 0; k < i; k++) taken = taken || labels[a.rank + k] == (int32_t)j;
            if (!taken && dim_same(a.dims[j], b.dims[i]) && pick(maker, 2)) labels[a.rank + i] = (int32_t)j;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        bool seen = false;
        for (uint32_t j = 0; j < i; j++) seen = seen || labels[j] == labels[i];
        bool shared = i >= a.rank && labels[i] < (int32_t)a.rank;
        for (uint32_t j = a.rank; i < a.rank && j < count; j++) shared = shared || labels[j] == labels[i];
        if (!seen && (!shared || !pick(maker, 3))) labels[count + n_result++] = labels[i];
    }
    return n_result <= 4 ? build_contract(graph, x, y, labels, n_result) : x;
}

/* A convolution along an axis, whose channels are another one, or its transpose: what adds up windows of a product. */
static Node make_convolution(Maker *maker, Node x)
{
    Graph *graph = maker->model->graph;
    Type shape = *type(maker, x);
    int32_t labels[3 * MAX_RANK], tap = MAX_RANK, next = MAX_RANK + 1;
    uint32_t count = 0, channel = 0;
    if (shape.rank < 2) return x;
    uint32_t axis = pick(maker, shape.rank);
    while (channel < shape.rank && (channel == axis || !dim_same(shape.dims[channel], maker->sizes[1]))) channel++;
    if (channel == shape.rank) return x;
    Window window = {.axis = axis, .stride = 1, .dilation = 1, .padding = size_of(maker->model, 1)};
    window.size = window.count = shape.dims[axis];
    window.taps = size_of(maker->model, 3);
    bool transposed = pick(maker, 2);
    for (uint32_t i = 0; i < shape.rank; i++) {
        labels[count++] = (int32_t)i;
        if (i == axis && !transposed) labels[count++] = tap;
    }
    bool flipped = pick(maker, 2);
    labels[count++] = flipped ? next : (int32_t)channel;
    labels[count++] = flipped ? (int32_t)channel : next;
    labels[count++] = tap;
    for (uint32_t i = 0; i < shape.rank; i++) {
        labels[count++] = i == channel ? next : (int32_t)i;
        if (i == axis && transposed) labels[count++] = tap;
    }
    Node read = transposed ? x : build_window(graph, x, window);
    Node y = build_contract(graph, read, maker->filter, labels, shape.rank + transposed);
    return transposed ? build_unwindow(graph, y, window) : y;
}

static Node make_flat(Maker *maker, Node x)
{
    Graph *graph = maker->model->graph;
    Type shape = *type(maker, x);
    Dim elements = type_elements(maker->model->dims, &shape);
    Node flat = build_unary(graph, OP_SIN, build_reshape(graph, x, 1, &elements));
    return build_reshape(graph, flat, shape.rank, shape.dims);
}

static Node make_gather(Maker *maker, Node x)
{
    Type shape = *type(maker, x);
    for (uint32_t i = 0; i < shape.rank; i++)
        if (dim_same(shape.dims[i], maker->sizes[1])) return build_gather(maker->model->graph, x, maker->ids, i, 0);
    return x;
}

/* Rows of x added up by number. */
static Node make_scatter(Maker *maker, Node x)
{
    Type shape = *type(maker, x);
    if (!shape.rank || !dim_same(shape.dims[0], maker->sizes[0])) return x;
    shape.dims[0] = maker->sizes[1];
    return build_scatter_add(maker->model->graph, maker->ids, x, 0, 0, &shape);
}

static Node make_along(Maker *maker, Node x)
{
    uint32_t rank = type(maker, x)->rank;
    const Op ops[] = {OP_SOFTMAX, OP_LOG_SOFTMAX, OP_CUMSUM};
    return rank ? build_along(maker->model->graph, ops[pick(maker, 3)], x, pick(maker, rank)) : x;
}

typedef Node Make(Maker *maker, Node x);

static Make *const makes[] = {
    make_unary,     make_binary,  make_binary,  make_select,      make_reduction, make_unary,       make_unreduced,
    make_transpose, make_shifted, make_joined,  make_contraction, make_flat,      make_gather,      make_relu,
    make_scatter,   make_along,   make_windows, make_windows,     make_position,  make_convolution, make_convolution};

static Model *model_random(uint64_t seed)
{
    Model *model = model_new();
    model->tolerance = 1e-3; /* roundings grow through sums and quotients */
    Maker maker = {.model = model, .state = seed * 77 + 5};
    maker.sizes[0] = size_free(model, "batch", 3);
    maker.sizes[1] = size_of(model, 4);
    maker.sizes[2] = size_free(model, "time", 2);
    maker.sizes[3] = size_of(model, 1);
    maker.ids = declare_ids(model, "ids", maker.sizes[0], maker.sizes[1]);
    Dim *sizes = maker.sizes;
    keep(&maker, declare(model, OP_INPUT, "x", MATRIX(sizes[0], sizes[1])));
    keep(&maker, declare(model, OP_PARAM, "W", MATRIX(sizes[1], sizes[1])));
    keep(&maker, declare(model, OP_STATE, "s", CUBE(sizes[0], sizes[2], sizes[1])));
    keep(&maker, declare(model, OP_INPUT, "u", CUBE(sizes[0], sizes[3], sizes[1])));
    keep(&maker, declare(model, OP_PARAM, "b", VECTOR(sizes[1])));
    maker.filter = declare(model, OP_PARAM, "filter", CUBE(sizes[1], sizes[1], size_of(model, 3)));
    Node W = maker.nodes[1], s = maker.nodes[2], b = maker.nodes[4];
    for (int i = 0; i < STEPS; i++)
        keep(&maker,
             makes[pick(&maker, sizeof makes / sizeof *makes)](&maker, pick(&maker, 3) ? recent(&maker) : any(&maker)));
    Function *function = add_function(model, "training");
    for (int i = 0; i < 4; i++) {
        Node x = recent(&maker);
        add_result(model, function, type(&maker, x)->rank ? RESULT_OUTPUT : RESULT_METRIC,
                   arena_format(model->context->arena, "r%d", i), x, NODE_NONE);
    }
    for (uint32_t i = maker.count; i-- > 0;) {
        Node x = maker.nodes[i];
        bool fresh = !function_result(function, RESULT_GRADIENT, name_of(model, "b"));
        if (fresh && type_equal(type(&maker, x), type(&maker, b)))
            add_result(model, function, RESULT_GRADIENT, "b", x, NODE_NONE);
        fresh = !function_result(function, RESULT_UPDATE, name_of(model, "W"));
        if (fresh && !node_same(x, W) && type_equal(type(&maker, x), type(&maker, W)))
            add_result(model, function, RESULT_UPDATE, "W", x, W);
        fresh = !function_result(function, RESULT_UPDATE, name_of(model, "s"));
        if (fresh && !node_same(x, s) && type_equal(type(&maker, x), type(&maker, s)))
            add_result(model, function, RESULT_UPDATE, "s", x, s);
    }
    finish_model(model);
    return model;
}

Test(random, graphs, .timeout = 120)
{
    const char *count = getenv("NNC_RANDOM_GRAPHS");
    uint64_t graphs = count ? strtoull(count, NULL, 10) : GRAPHS;
    for (uint64_t seed = 0; seed < graphs; seed++) {
        Model *model = model_random(seed);
        expect_model(model);
        expect_step_equals_training(model);
        model_free(model);
    }
}
