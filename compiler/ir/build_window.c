/* Windows and their transposes in normal form. */
#include <assert.h>
#include <string.h>

#include "ir/build.h"
#include "ir/window.h"

Window window_of(const Graph *graph, Node node)
{
    const NodeInfo *info = graph_node(graph, node);
    const Attr *attr = &info->attr;
    const Type *x = node_type(graph, info->args[0]);
    const Type *whole = info->op == OP_WINDOW ? x : &info->type, *parts = info->op == OP_WINDOW ? &info->type : x;
    Window window = {.axis = (uint32_t)attr->ints[0], .stride = attr->ints[1], .dilation = attr->ints[2]};
    window.padding = attr->sizes[0];
    window.size = whole->dims[window.axis];
    window.count = parts->dims[window.axis];
    window.taps = parts->dims[window.axis + 1];
    return window;
}

static Dim constant(const Graph *graph, int64_t value)
{
    return dim_constant(graph_dims(graph), value);
}

static bool is_number(const Graph *graph, Dim dim, int64_t number)
{
    int64_t value;
    return dim_is_constant(graph_dims(graph), dim, &value) && value == number;
}

/* factor * (count - 1) */
static Dim last_step(const Graph *graph, Dim count, int32_t factor)
{
    DimTable *dims = graph_dims(graph);
    return dim_mul(dims, dim_sub(dims, count, constant(graph, 1)), constant(graph, factor));
}

Dim window_last_index(const Graph *graph, const Window *window)
{
    DimTable *dims = graph_dims(graph);
    Dim reach = dim_add(dims, last_step(graph, window->count, window->stride),
                        last_step(graph, window->taps, window->dilation));
    return dim_sub(dims, reach, window->padding);
}

bool window_is_inside(const Graph *graph, const Window *window)
{
    DimTable *dims = graph_dims(graph);
    Dim end = dim_sub(dims, window->size, constant(graph, 1));
    return dim_at_least(dims, constant(graph, 0), window->padding) &&
           dim_at_least(dims, end, window_last_index(graph, window));
}

/* The type of x's windows. */
static Type window_type(const Graph *graph, Node x, const Window *window)
{
    Type type = *node_type(graph, x);
    assert(type.rank < MAX_RANK);
    for (uint32_t i = type.rank++; i > window->axis + 1; i--) type.dims[i] = type.dims[i - 1];
    type.dims[window->axis] = window->count;
    type.dims[window->axis + 1] = window->taps;
    return type;
}

static Node make(Graph *graph, Op op, Node x, const Window *window, const Type *type)
{
    const int32_t ints[] = {(int32_t)window->axis, window->stride, window->dilation};
    return graph_make(graph, op, &x, 1, &(Attr){.ints = ints, .n_ints = 3, .sizes = &window->padding, .n_sizes = 1},
                      type);
}

/* ---- one position or one tap: a row of indices */

/* `count` indices of an axis of `size`: first, first + step, … */
typedef struct {
    Dim before, after; /* elements that are missing at either end */
    Dim first, size;   /* with them, where the row begins, and the axis' size */
    Dim count;
    int32_t step;
} Row;

static Dim positive_part(const Graph *graph, Dim dim)
{
    DimTable *dims = graph_dims(graph);
    if (dim_at_least(dims, dim, constant(graph, 0))) return dim;
    return dim_at_least(dims, constant(graph, 0), dim) ? constant(graph, 0) : DIM_NONE;
}

/* False if there are several positions and several taps, or it is not known where the axis ends. */
static bool find_row(const Graph *graph, const Window *window, Row *row)
{
    DimTable *dims = graph_dims(graph);
    bool one_tap = is_number(graph, window->taps, 1);
    if (!one_tap && !is_number(graph, window->count, 1)) return false;
    row->count = one_tap ? window->count : window->taps;
    row->step = one_tap ? window->stride : window->dilation;
    Dim past = dim_sub(dims, window_last_index(graph, window), dim_sub(dims, window->size, constant(graph, 1)));
    row->before = positive_part(graph, window->padding);
    row->after = positive_part(graph, past);
    row->first = dim_sub(dims, row->before, window->padding);
    row->size = dim_add(dims, dim_add(dims, row->before, window->size), row->after);
    return !dim_is_none(row->first) && !dim_is_none(row->size);
}

/* One axis of x from `start` on, in steps. */
static Node slice_axis(Graph *graph, Node x, uint32_t axis, Dim start, Dim size, int32_t step)
{
    const Type type = *node_type(graph, x);
    Dim starts[MAX_RANK], sizes[MAX_RANK];
    int32_t steps[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++) {
        starts[i] = i == axis ? start : constant(graph, 0);
        sizes[i] = i == axis ? size : type.dims[i];
        steps[i] = i == axis ? step : 1;
    }
    return build_slice(graph, x, starts, sizes, steps);
}

static Node pad_axis(Graph *graph, Node x, uint32_t axis, Dim before, Dim size)
{
    Type type = *node_type(graph, x);
    Dim befores[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++) befores[i] = i == axis ? before : constant(graph, 0);
    type.dims[axis] = size;
    return build_pad(graph, x, befores, type.dims);
}

static Node window_row(Graph *graph, Node x, const Window *window, const Type *type)
{
    Row row;
    if (!find_row(graph, window, &row)) return NODE_NONE;
    Node padded = pad_axis(graph, x, window->axis, row.before, row.size);
    Node taken = slice_axis(graph, padded, window->axis, row.first, row.count, row.step);
    return build_reshape(graph, taken, type->rank, type->dims);
}

static Node unwindow_row(Graph *graph, Node g, const Window *window, const Type *type)
{
    Row row;
    if (!find_row(graph, window, &row) || row.step != 1) return NODE_NONE;
    Type flat = *type;
    flat.dims[window->axis] = row.count;
    Node placed = build_reshape(graph, g, flat.rank, flat.dims);
    placed = pad_axis(graph, placed, window->axis, row.first, row.size);
    return slice_axis(graph, placed, window->axis, row.before, window->size, 1);
}

/* True if the windows lie side by side and cover the axis. */
static bool is_reshape(const Graph *graph, const Window *window)
{
    Dim covered = dim_mul(graph_dims(graph), window->count, constant(graph, window->stride));
    return window->dilation == 1 && is_number(graph, window->taps, window->stride) &&
           is_number(graph, window->padding, 0) && dim_same(window->size, covered);
}

/* ---- what the axis is made of */

/* Without the padding along the axis, which adds to the window's own. */
static Node window_of_pad(Graph *graph, const NodeInfo *pad, Window window)
{
    uint32_t axis = window.axis;
    const Type inner = *node_type(graph, pad->args[0]);
    Dim sizes[MAX_RANK];
    if (dim_same(inner.dims[axis], pad->type.dims[axis])) return NODE_NONE;
    window.padding = dim_add(graph_dims(graph), window.padding, pad->attr.sizes[axis]);
    if (dim_is_none(window.padding)) return NODE_NONE;
    memcpy(sizes, pad->type.dims, sizeof sizes);
    sizes[axis] = inner.dims[axis];
    return build_window(graph, build_pad(graph, pad->args[0], pad->attr.sizes, sizes), window);
}

/* Positions and taps are reversed outside, and so are the other axes. */
static Node window_of_reverse(Graph *graph, const NodeInfo *reverse, Window window)
{
    DimTable *dims = graph_dims(graph);
    const Type type = reverse->type;
    int32_t axes[MAX_RANK];
    uint32_t n_axes = 0;
    bool reversed[MAX_RANK] = {0};
    for (uint32_t i = 0; i < reverse->attr.n_ints; i++) reversed[reverse->attr.ints[i]] = true;
    if (reversed[window.axis])
        window.padding =
            dim_sub(dims, window_last_index(graph, &window), dim_sub(dims, type.dims[window.axis], constant(graph, 1)));
    if (dim_is_none(window.padding)) return NODE_NONE;
    for (uint32_t i = 0; i < type.rank; i++) {
        if (!reversed[i]) continue;
        axes[n_axes++] = (int32_t)(i + (i > window.axis));
        if (i == window.axis) axes[n_axes++] = (int32_t)i + 1;
    }
    return build_reverse(graph, build_window(graph, reverse->args[0], window), axes, n_axes);
}

/* Repeated values are windowed before they are repeated, and not at all along the axis that repeats them. */
static Node window_of_broadcast(Graph *graph, const NodeInfo *broadcast, Window window, const Type *type)
{
    int32_t axes[MAX_RANK];
    uint32_t rank = broadcast->attr.n_ints, n = 0, from = MAX_RANK;
    for (uint32_t i = 0; i < rank; i++) {
        uint32_t to = (uint32_t)broadcast->attr.ints[i];
        axes[n++] = (int32_t)(to + (to > window.axis));
        if (to != window.axis) continue;
        axes[n++] = (int32_t)to + 1;
        from = i;
    }
    Node x = broadcast->args[0];
    if (from == MAX_RANK && !window_is_inside(graph, &window)) return NODE_NONE;
    if (from < MAX_RANK) {
        window.axis = from;
        x = build_window(graph, x, window);
    }
    return build_broadcast(graph, x, type, axes);
}

/* Windows over two axes: the lower axis first. */
static Node window_of_window(Graph *graph, Node x, Window window)
{
    Window inner = window_of(graph, x);
    if (window.axis >= inner.axis) return NODE_NONE;
    inner.axis++;
    return build_window(graph, build_window(graph, node_arg(graph, x, 0), window), inner);
}

static Node window_of_moved(Graph *graph, Node x, const Window *window, const Type *type)
{
    const NodeInfo info = *graph_node(graph, x);
    switch (info.op) {
    case OP_PAD:
        return window_of_pad(graph, &info, *window);
    case OP_REVERSE:
        return window_of_reverse(graph, &info, *window);
    case OP_BROADCAST:
        return window_of_broadcast(graph, &info, *window, type);
    case OP_WINDOW:
        return window_of_window(graph, x, *window);
    default:
        return NODE_NONE;
    }
}

/* ---- */

Node build_window(Graph *graph, Node x, Window window)
{
    double number;
    window.size = node_type(graph, x)->dims[window.axis];
    const Type type = window_type(graph, x, &window);
    bool zero = node_is_constant(graph, x, &number) && number == 0;
    if (node_is_constant(graph, x, NULL) && (zero || window_is_inside(graph, &window)))
        return build_spread_constant(graph, x, &type);
    if (is_reshape(graph, &window)) return build_reshape(graph, x, type.rank, type.dims);
    Node built = window_row(graph, x, &window, &type);
    if (node_is_none(built)) built = window_of_moved(graph, x, &window, &type);
    return node_is_none(built) ? make(graph, OP_WINDOW, x, &window, &type) : built;
}

/* Sums over two axes that do not meet: the higher axis first, as the transpose of windows by ascending axis. */
static Node unwindow_of_unwindow(Graph *graph, Node g, Window window)
{
    Window inner = window_of(graph, g);
    if (window.axis <= inner.axis) return NODE_NONE;
    window.axis++;
    return build_unwindow(graph, build_unwindow(graph, node_arg(graph, g, 0), window), inner);
}

Node build_unwindow(Graph *graph, Node g, Window window)
{
    double number;
    const Type parts = *node_type(graph, g);
    Type type = type_with(parts, parts.dtype);
    uint32_t axis = window.axis;
    window.count = parts.dims[axis];
    window.taps = parts.dims[axis + 1];
    memmove(&type.dims[axis + 1], &parts.dims[axis + 2], (parts.rank - axis - 2) * sizeof *type.dims);
    type.dims[--type.rank] = DIM_NONE;
    type.dims[axis] = window.size;
    if (node_is_constant(graph, g, &number) && number == 0) return build_constant(graph, type, 0);
    if (is_reshape(graph, &window)) return build_reshape(graph, g, type.rank, type.dims);
    Node built = unwindow_row(graph, g, &window, &type);
    if (node_is_none(built) && node_op(graph, g) == OP_UNWINDOW) built = unwindow_of_unwindow(graph, g, window);
    return node_is_none(built) ? make(graph, OP_UNWINDOW, g, &window, &type) : built;
}
