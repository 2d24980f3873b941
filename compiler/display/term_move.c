/* What moves elements: subscripts, paddings, values put together. */
#include "display/assemble.h"
#include "display/term_internal.h"
#include "ir/window.h"

static const char *permutation_note(TermBuilder *b, const NodeInfo *info)
{
    Text text = {0};
    text_string(&text, "axes = [");
    for (uint32_t i = 0; i < info->attr.n_ints; i++) text_format(&text, "%s%d", i ? ", " : "", info->attr.ints[i]);
    text_string(&text, "]");
    return term_text(b, &text);
}

/* [[before, after], …] of a padding. */
static const char *widths_note(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    const Type *from = node_type(b->graph, info->args[0]);
    DimTable *dims = graph_dims(b->graph);
    Text text = {0};
    for (uint32_t i = 0; i < info->type.rank; i++) {
        text_string(&text, i ? ", [" : "[[");
        dim_print(dims, info->attr.sizes[i], &text);
        text_string(&text, ", ");
        dim_print(dims, dim_sub(dims, dim_sub(dims, info->type.dims[i], from->dims[i]), info->attr.sizes[i]), &text);
        text_string(&text, "]");
    }
    text_string(&text, "]");
    return term_text(b, &text);
}

/* `axis = 1, size = n, taps = 3, stride = 2, dilation = 1, padding = 1`, without what changes nothing. */
static const char *window_note(TermBuilder *b, Node node)
{
    DimTable *dims = graph_dims(b->graph);
    Window window = window_of(b->graph, node);
    bool sums = node_op(b->graph, node) == OP_UNWINDOW;
    int64_t padding;
    Text text = {0};
    text_format(&text, "axis = %u, size = ", window.axis);
    dim_print(dims, sums ? window.size : window.count, &text);
    if (!sums) {
        text_string(&text, ", taps = ");
        dim_print(dims, window.taps, &text);
    }
    if (window.stride != 1) text_format(&text, ", stride = %d", window.stride);
    if (window.dilation != 1) text_format(&text, ", dilation = %d", window.dilation);
    if (!dim_is_constant(dims, window.padding, &padding) || padding) {
        text_string(&text, ", padding = ");
        dim_print(dims, window.padding, &text);
    }
    return term_text(b, &text);
}

/* ---- Subscripts */

/* What is taken of a value, along each of its axes: `dropped` is the one index that is taken. */
typedef struct {
    Node of;
    Dim start[MAX_RANK], size[MAX_RANK];
    int32_t step[MAX_RANK];
    bool taken[MAX_RANK], dropped[MAX_RANK];
    uint32_t left[MAX_RANK], n_left; /* the axes that the result has */
    uint32_t n_taken;
} Subscript;

static bool is_constant(const TermBuilder *b, Dim dim, int64_t value)
{
    int64_t constant;
    return dim_is_constant(graph_dims(b->graph), dim, &constant) && constant == value;
}

static bool add_slice(const TermBuilder *b, const NodeInfo *info, Subscript *subscript)
{
    const Type *from = node_type(b->graph, info->args[0]);
    for (uint32_t i = 0; i < from->rank; i++) {
        uint32_t axis = subscript->left[i];
        if (dim_same(info->type.dims[i], from->dims[i]) && info->attr.ints[i] == 1) continue;
        if (subscript->taken[axis]) return false;
        subscript->taken[axis] = true;
        subscript->n_taken++;
        subscript->start[axis] = info->attr.sizes[i];
        subscript->size[axis] = info->type.dims[i];
        subscript->step[axis] = info->attr.ints[i];
    }
    return true;
}

/* A reshape that only drops axes of which one element was taken. */
static bool drop_axes(const TermBuilder *b, const NodeInfo *info, Subscript *subscript)
{
    const Type *from = node_type(b->graph, info->args[0]);
    uint32_t n_left = 0;
    for (uint32_t i = 0; i < from->rank; i++) {
        uint32_t axis = subscript->left[i];
        if (subscript->taken[axis] && is_constant(b, from->dims[i], 1))
            subscript->dropped[axis] = true;
        else if (n_left < info->type.rank && dim_same(from->dims[i], info->type.dims[n_left]))
            subscript->left[n_left++] = axis;
        else
            return false;
    }
    subscript->n_left = n_left;
    return n_left == info->type.rank;
}

static Subscript whole(const TermBuilder *b, Node node)
{
    Subscript subscript = {.of = node, .n_left = node_type(b->graph, node)->rank};
    for (uint32_t i = 0; i < subscript.n_left; i++) subscript.left[i] = i;
    return subscript;
}

static bool add_step(const TermBuilder *b, Node node, Subscript *subscript)
{
    const NodeInfo *info = graph_node(b->graph, node);
    if (info->op == OP_SLICE) return add_slice(b, info, subscript);
    return info->op == OP_RESHAPE && drop_axes(b, info, subscript);
}

/* Subscripts of subscripts are one, as far as nothing between has a name. */
static Subscript subscript_of(const TermBuilder *b, Node node)
{
    Op op = node_op(b->graph, node);
    if ((op == OP_SLICE || op == OP_RESHAPE) && !b->names[node.id]) {
        Subscript subscript = subscript_of(b, node_arg(b->graph, node, 0));
        if (add_step(b, node, &subscript)) return subscript;
    }
    return whole(b, node);
}

static void print_range(const TermBuilder *b, const Subscript *subscript, uint32_t axis, Text *to)
{
    DimTable *dims = graph_dims(b->graph);
    Dim start = subscript->start[axis], end = dim_add(dims, start, subscript->size[axis]);
    if (!is_constant(b, start, 0)) dim_print(dims, start, to);
    text_string(to, ":");
    int32_t step = subscript->step[axis];
    if (step == 1 && !dim_same(end, node_type(b->graph, subscript->of)->dims[axis])) dim_print(dims, end, to);
    if (step != 1) text_format(to, ":%d", step);
}

static Term *subscript_term(TermBuilder *b, const Subscript *subscript)
{
    uint32_t rank = node_type(b->graph, subscript->of)->rank;
    Text text = {0};
    while (rank > 1 && !subscript->taken[rank - 1]) rank--;
    for (uint32_t axis = 0; axis < rank; axis++) {
        if (axis) text_string(&text, ", ");
        if (!subscript->taken[axis])
            text_string(&text, ":");
        else if (subscript->dropped[axis])
            dim_print(graph_dims(b->graph), subscript->start[axis], &text);
        else
            print_range(b, subscript, axis, &text);
    }
    Term *term = term_wrap(b, TERM_INDEX, b->terms[subscript->of.id], NULL);
    term->note = term_text(b, &text);
    return term;
}

/* ---- Values put together */

/* A part of a concatenation as a part of a stack: without the axis, along which it has one element. NULL when it is
 * none. */
static Term *stacked_part(TermBuilder *b, Node part, uint32_t axis)
{
    const NodeInfo *info = graph_node(b->graph, part);
    if (b->names[part.id] || !is_constant(b, info->type.dims[axis], 1)) return NULL;
    if (info->op == OP_CONST) return b->terms[part.id];
    if (display_is_widened(b->graph, part, axis)) return term_kid(b, part, 0);
    if (info->op != OP_SLICE) return NULL;
    Subscript subscript = subscript_of(b, part);
    if (!subscript.taken[subscript.left[axis]]) return NULL;
    subscript.dropped[subscript.left[axis]] = true;
    return subscript_term(b, &subscript);
}

static Term *concat_term(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    uint32_t axis = (uint32_t)info->attr.integer;
    Term *stack = term_call(b, node, "stack", axis ? arena_format(b->arena, "axis = %u", axis) : NULL);
    for (uint32_t i = 0; i < info->n_args; i++)
        if (!(stack->kids[i] = stacked_part(b, info->args[i], axis)))
            return term_call(b, node, "concat", arena_format(b->arena, "axis = %u", axis));
    return stack;
}

static Term *transpose_term(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    uint32_t r = info->type.rank;
    bool swap = r >= 2 && info->attr.ints[r - 1] == (int32_t)r - 2 && info->attr.ints[r - 2] == (int32_t)r - 1;
    for (uint32_t i = 0; swap && i + 2 < r; i++) swap = info->attr.ints[i] == (int32_t)i;
    return swap ? term_wrap(b, TERM_T, term_kid(b, node, 0), NULL)
                : term_call(b, node, "transpose", permutation_note(b, info));
}

Term *term_movement(TermBuilder *b, Node node)
{
    Node x = node_arg(b->graph, node, 0);
    Subscript subscript;
    switch (node_op(b->graph, node)) {
    case OP_CONCAT:
        return concat_term(b, node);
    case OP_PAD:
        return term_call(b, node, "pad", widths_note(b, node));
    case OP_WINDOW:
    case OP_UNWINDOW:
        return term_call(b, node, op_info(node_op(b->graph, node))->spelling, window_note(b, node));
    case OP_TRANSPOSE:
        return transpose_term(b, node);
    default:
        subscript = subscript_of(b, x);
        if (!add_step(b, node, &subscript)) {
            subscript = whole(b, x);
            if (!add_step(b, node, &subscript) || !subscript.n_taken)
                return term_call(b, node, "reshape", term_dims_note(b, node_type(b->graph, node)));
        }
        return subscript.n_taken ? subscript_term(b, &subscript) : b->terms[x.id];
    }
}
