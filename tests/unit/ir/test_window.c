/* Windows in normal form mean what the plain operator does, and the forms are those that build_window promises. */
#include <criterion/criterion.h>
#include <string.h>

#include "ir/build.h"
#include "ir/eval.h"
#include "ir/window.h"

enum { ROWS = 2, COLUMNS = 3 };

typedef struct {
    Context *context;
    Graph *graph;
    Eval *eval;
    DimTable *dims;
} World;

static World world_new(void)
{
    World w = {.context = context_new()};
    w.graph = graph_new(w.context);
    w.dims = graph_dims(w.graph);
    w.eval = eval_new(w.graph, &(EvalOptions){.f64 = true});
    return w;
}

static void world_free(World *w)
{
    eval_free(w->eval);
    graph_free(w->graph);
    context_free(w->context);
}

static Dim size(World *w, int64_t value)
{
    return dim_constant(w->dims, value);
}

/* An input of f32[ROWS, n, COLUMNS] with the values 1, 2, … */
static Node source(World *w, int64_t n)
{
    double values[ROWS * 16 * COLUMNS];
    Name name = intern_format(w->context->names, "x%u", graph_count(w->graph));
    Type type = type_make(DTYPE_F32, 3, (Dim[]){size(w, ROWS), size(w, n), size(w, COLUMNS)});
    Node x = build_source(w->graph, OP_INPUT, name, type);
    for (int i = 0; i < ROWS * n * COLUMNS; i++) values[i] = i + 1;
    cr_assert(eval_bind(w->eval, x, values, ROWS * n * COLUMNS));
    return x;
}

/* x of n elements along axis 1, made in several ways. */
static Node operand(World *w, int way, int64_t n)
{
    Dim zero = size(w, 0), dims[] = {size(w, ROWS), size(w, n), size(w, COLUMNS)};
    Type type = type_make(DTYPE_F32, 3, dims);
    switch (way) {
    case 0:
        return source(w, n);
    case 1:
        return n < 3 ? source(w, n) : build_pad(w->graph, source(w, n - 3), (Dim[]){zero, size(w, 1), zero}, dims);
    case 2:
        return build_reverse(w->graph, source(w, n), (int32_t[]){1, 2}, 2);
    case 3: {
        Type flat = type_make(DTYPE_F32, 2, (Dim[]){dims[0], dims[2]});
        Node x = build_reshape(w->graph, source(w, 1), 2, flat.dims);
        return build_broadcast(w->graph, x, &type, (int32_t[]){0, 2});
    }
    case 4: {
        Node x = build_reshape(w->graph, source(w, n), 3, dims);
        x = build_reduce(w->graph, OP_SUM, x, (int32_t[]){0}, 1);
        return build_broadcast(w->graph, x, &type, (int32_t[]){1, 2});
    }
    case 5:
        return build_constant(w->graph, type, 3);
    case 6:
        return build_constant(w->graph, type, 0);
    default:
        return NODE_NONE;
    }
}

static Node plain(World *w, Op op, Node x, const Window *window, Type type)
{
    const int32_t ints[] = {(int32_t)window->axis, window->stride, window->dilation};
    Attr attr = {.ints = ints, .n_ints = 3, .sizes = &window->padding, .n_sizes = 1};
    return graph_make(w->graph, op, &x, 1, &attr, &type);
}

static void expect_same(World *w, Node built, Node wanted)
{
    const Tensor *a, *b;
    cr_assert(type_equal(node_type(w->graph, built), node_type(w->graph, wanted)));
    cr_assert(eval_run(w->eval, &built, 1, &a), "%s", eval_message(w->eval));
    cr_assert(eval_run(w->eval, &wanted, 1, &b), "%s", eval_message(w->eval));
    cr_assert_eq(a->count, b->count);
    for (int64_t i = 0; i < a->count; i++) cr_assert_eq(a->data[i], b->data[i]);
}

static void expect_normal(World *w, Node x, Window window)
{
    window.axis = 1;
    const Type whole = *node_type(w->graph, x);
    Type parts = type_make(DTYPE_F32, 4, (Dim[]){whole.dims[0], window.count, window.taps, whole.dims[2]});
    Node built = build_window(w->graph, x, window);
    expect_same(w, built, plain(w, OP_WINDOW, x, &window, parts));
    if (node_op(w->graph, built) == OP_WINDOW) /* building it again changes nothing */
        cr_assert(node_same(built, build_window(w->graph, node_arg(w->graph, built, 0), window_of(w->graph, built))));
    Node g = build_iota(w->graph, parts, 1);
    if (node_op(w->graph, x) != OP_CONST) return;
    g = build_binary(w->graph, OP_ADD, g, build_iota(w->graph, parts, 3));
    expect_same(w, build_unwindow(w->graph, g, window), plain(w, OP_UNWINDOW, g, &window, whole));
}

Test(window, normal_forms_keep_values, .timeout = 60)
{
    static const int64_t sizes[] = {0, 1, 3, 6}, paddings[] = {-7, -1, 0, 1, 4, 30};
    for (int way = 0; way < 7; way++)
        for (int i = 0; i < 4; i++) {
            World w = world_new();
            Node x = operand(&w, way, sizes[i]);
            for (int count = 0; count < 4; count++)
                for (int taps = 0; taps < 4; taps++)
                    for (int k = 0; k < 9 * 6; k++) {
                        Window window = {.stride = 1 + k % 3, .dilation = 1 + k / 3 % 3};
                        window.padding = size(&w, paddings[k / 9]);
                        window.count = size(&w, count), window.taps = size(&w, taps), window.size = size(&w, sizes[i]);
                        expect_normal(&w, x, window);
                    }
            world_free(&w);
        }
}

static void expect_op(World *w, Node node, Op op)
{
    cr_expect_eq(node_op(w->graph, node), op, "%s, not %s", op_info(node_op(w->graph, node))->spelling,
                 op_info(op)->spelling);
}

Test(window, normal_forms)
{
    World w = world_new();
    Dim h = dim_symbol(w.dims, intern(w.context->names, "h")), zero = size(&w, 0), one = size(&w, 1);
    Dim two = size(&w, 2), three = size(&w, 3);
    Type type = type_make(DTYPE_F32, 2, (Dim[]){h, dim_mul(w.dims, two, h)});
    Node x = build_source(w.graph, OP_INPUT, intern(w.context->names, "x"), type);
    Window same = {1, 1, 1, one, zero, dim_mul(w.dims, two, h), three};
    Node window = build_window(w.graph, x, same);
    expect_op(&w, window, OP_WINDOW);
    /* side by side */
    expect_op(&w, build_window(w.graph, x, (Window){1, 2, 1, zero, zero, h, two}), OP_RESHAPE);
    /* one tap, one position */
    Node tap = build_window(w.graph, x, (Window){1, 2, 1, zero, zero, h, one});
    expect_op(&w, tap, OP_RESHAPE);
    expect_op(&w, node_arg(w.graph, tap, 0), OP_SLICE);
    Node position = build_window(w.graph, x, (Window){1, 1, 1, one, zero, one, three});
    expect_op(&w, position, OP_WINDOW); /* where the axis ends is not known */
    /* several axes: the lower one first */
    Window rows = {0, 1, 1, one, zero, h, three};
    Node both = build_window(w.graph, window, rows);
    cr_assert_eq(window_of(w.graph, both).axis, 2);
    Window columns = same;
    columns.axis = 2;
    cr_assert(node_same(both, build_window(w.graph, build_window(w.graph, x, rows), columns)));
    /* the sums in the other order */
    Window of_rows = window_of(w.graph, node_arg(w.graph, both, 0)), of_columns = window_of(w.graph, both);
    Node sums = build_unwindow(w.graph, build_unwindow(w.graph, both, of_columns), of_rows);
    Window shifted = of_columns;
    shifted.axis = 1;
    cr_assert(node_same(sums, build_unwindow(w.graph, build_unwindow(w.graph, both, of_rows), shifted)));
    /* a padding is the window's own */
    Node padded = build_pad(w.graph, x, (Dim[]){zero, two}, (Dim[]){h, dim_add(w.dims, same.count, three)});
    Window less = same;
    less.padding = dim_sub(w.dims, one, two);
    cr_assert(node_same(build_window(w.graph, padded, less), window));
    /* repeated values: inside they repeat, outside there are zeros */
    Type row = type_make(DTYPE_F32, 1, (Dim[]){h});
    Node v = build_source(w.graph, OP_INPUT, intern(w.context->names, "v"), row);
    Node repeated = build_broadcast(w.graph, v, &type, (int32_t[]){0});
    Window inside = {1, 2, 1, zero, zero, dim_sub(w.dims, h, one), three};
    expect_op(&w, build_window(w.graph, repeated, inside), OP_BROADCAST);
    expect_op(&w, build_window(w.graph, repeated, same), OP_WINDOW);
    expect_op(&w, build_window(w.graph, build_constant(w.graph, type, 1), inside), OP_CONST);
    expect_op(&w, build_window(w.graph, build_constant(w.graph, type, 1), same), OP_WINDOW);
    expect_op(&w, build_window(w.graph, build_constant(w.graph, type, 0), same), OP_CONST);
    expect_op(&w, build_unwindow(w.graph, build_constant(w.graph, *node_type(w.graph, window), 0), same), OP_CONST);
    expect_op(&w, build_window(w.graph, build_reverse(w.graph, x, (int32_t[]){1}, 1), same), OP_REVERSE);
    world_free(&w);
}
