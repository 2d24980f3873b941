/* nnc.h: the operators of graphs. Each checks its operands against ir/ops.def before it makes a node. */
#include <math.h>
#include <string.h>

#include "api/graph.h"
#include "ir/build.h"
#include "ir/eval.h"
#include "ir/integer.h"

/* The operator of that name in a class, or OP_COUNT after a diagnostic. */
static Op find_op(nnc_graph *graph, const char *name, OpClass class, const char *what)
{
    Op op = name ? op_parse(name, strlen(name)) : OP_COUNT;
    if (op != OP_COUNT && op_info(op)->class == class && op != OP_CAST) return op;
    const char *candidates[OP_COUNT];
    size_t count = 0;
    for (int i = 0; i < OP_COUNT; i++)
        if (op_info((Op)i)->class == class && i != OP_CAST) candidates[count++] = op_info((Op)i)->spelling;
    graph->failed = true;
    Diag *diag = diag_new(graph->context->diagnostics, DIAG_bad_graph, NO_SPAN, "there is no %s called `%s`", what,
                          name ? name : "");
    const char *nearest = name ? nearest_spelling(name, candidates, count) : NULL;
    if (nearest) diag_hint(diag, "did you mean `%s`?", nearest);
    return OP_COUNT;
}

/* ---- Sources ---- */

/* True if integers from `least` to `most` certainly lie in the range of the type, if it has one. */
static bool in_range(nnc_graph *graph, const Type *type, int64_t least, int64_t most)
{
    DimTable *dims = graph_dims(graph->graph);
    if (dim_is_none(type->range)) return true;
    return least >= 0 && most < INT64_MAX && dim_at_least(dims, type->range, dim_constant(dims, most + 1));
}

static nnc_value refuse_constant(nnc_graph *graph, int64_t integer, const char *type_text)
{
    return graph_refuse(graph, "the constant %lld is not of type %s", (long long)integer, type_text);
}

/* The first element that may lie outside of the type's range; `count` where none does. */
static size_t find_outside(nnc_graph *graph, const Type *type, const char *elements, size_t count, int64_t *element)
{
    for (size_t i = 0; i < count; i++) {
        integer_load(type->dtype, element, elements + i * dtype_size(type->dtype), 1);
        if (!in_range(graph, type, *element, *element)) return i;
    }
    return count;
}

nnc_value nnc_constant(nnc_graph *graph, const char *type_text, double number)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Type type;
    if (!graph_type(graph, type_text, &type)) return NNC_NONE;
    bool integer = dtype_class(type.dtype) == DTYPE_CLASS_INTEGER;
    bool fits =
        !integer || (fabs(number) < 0x1p63 && number == trunc(number) && integer_fits(type.dtype, (int64_t)number));
    if (!fits || (type.dtype == DTYPE_BOOL && number != 0 && number != 1))
        return graph_refuse(graph, "the constant %.17g is not of type %s", number, type_text);
    if (integer && !in_range(graph, &type, (int64_t)number, (int64_t)number))
        return refuse_constant(graph, (int64_t)number, type_text);
    return (nnc_value){build_constant(graph->graph, type, number).id};
}

nnc_value nnc_integer(nnc_graph *graph, const char *type_text, int64_t integer)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Type type;
    if (!graph_type(graph, type_text, &type)) return NNC_NONE;
    bool fits = dtype_class(type.dtype) == DTYPE_CLASS_INTEGER && integer_fits(type.dtype, integer);
    if (!fits || !in_range(graph, &type, integer, integer)) return refuse_constant(graph, integer, type_text);
    return (nnc_value){build_integer(graph->graph, type, integer).id};
}

nnc_value nnc_literal(nnc_graph *graph, const char *type_text, const void *elements, size_t size)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Type type;
    if (!graph_type(graph, type_text, &type)) return NNC_NONE;
    if (!elements) return graph_refuse(graph, "literal: there are no elements (NULL)");
    if (!dim_is_none(type.range)) {
        size_t count = size / dtype_size(type.dtype);
        int64_t element;
        if (find_outside(graph, &type, elements, count, &element) < count)
            return refuse_constant(graph, element, type_text);
    }
    return graph_put(graph, OP_LITERAL, NULL, 0, &(Attr){.data = elements, .data_size = size}, &type);
}

nnc_value nnc_random(nnc_graph *graph, const char *path, const char *type_text)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Type type;
    if (!graph_type(graph, type_text, &type)) return NNC_NONE;
    if (!path || !*path) return graph_refuse(graph, "random: a path is missing");
    return graph_put(graph, OP_RANDOM, NULL, 0, &(Attr){.name = intern(graph->context->names, path)}, &type);
}

nnc_value nnc_iota(nnc_graph *graph, const char *type_text, int axis)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Type type;
    if (!graph_type(graph, type_text, &type)) return NNC_NONE;
    bool counts = axis >= 0 && (uint32_t)axis < type.rank && !dim_is_none(type.range);
    if (counts && !dim_at_least(graph_dims(graph->graph), type.range, type.dims[axis]))
        return graph_refuse(graph, "iota: the axis may be longer than the range of %s", type_text);
    return graph_put(graph, OP_IOTA, NULL, 0, &(Attr){.integer = axis}, &type);
}

nnc_value nnc_size(nnc_graph *graph, const char *size_text, const char *type_text)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Type type;
    Dim size;
    if (!graph_type(graph, type_text, &type) || !graph_size(graph, size_text, &size)) return NNC_NONE;
    if (type.rank || type.dtype == DTYPE_BOOL)
        return graph_refuse(graph, "a size is a number, not of type %s", type_text);
    return (nnc_value){build_size(graph->graph, size, type.dtype).id};
}

/* ---- Elementwise ---- */

nnc_value nnc_apply(nnc_graph *graph, const char *name, const nnc_value *args, size_t n_args)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    enum { MOST = 3 };
    Node nodes[MOST];
    Op op = find_op(graph, name, OP_CLASS_ELEMENTWISE, "elementwise operator");
    if (op == OP_COUNT) return NNC_NONE;
    if (n_args != (size_t)op_info(op)->arity || !args)
        return graph_refuse(graph, "%s takes %d operands, not %zu", name, op_info(op)->arity,
                            args ? n_args : (size_t)0);
    if (!graph_values(graph, args, n_args, nodes)) return NNC_NONE;
    Type widest = *node_type(graph->graph, nodes[0]);
    for (size_t i = 1; i < n_args; i++)
        if (node_type(graph->graph, nodes[i])->rank > widest.rank) widest = *node_type(graph->graph, nodes[i]);
    for (size_t i = 0; i < n_args; i++) nodes[i] = graph_stretch(graph, nodes[i], &widest);
    return graph_put(graph, op, nodes, (uint32_t)n_args, NULL, NULL);
}

nnc_value nnc_cast(nnc_graph *graph, nnc_value x, const char *element_type)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    DType dtype;
    Node node = graph_value(graph, x);
    if (node_is_none(node)) return NNC_NONE;
    if (!element_type || !dtype_parse(element_type, strlen(element_type), &dtype))
        return graph_refuse(graph, "`%s` is not an element type", element_type ? element_type : "");
    return (nnc_value){build_cast(graph->graph, node, dtype).id};
}

/* ---- Movement ---- */

/* The operand and the type of a movement; false when one of them is missing. */
static bool movement(nnc_graph *graph, nnc_value x, const char *shape, Node *node, Type *type)
{
    *node = graph ? graph_value(graph, x) : NODE_NONE;
    return !node_is_none(*node) && graph_type(graph, shape, type);
}

/* As many axes as the node has. False after a diagnostic. */
static bool read_axes(nnc_graph *graph, Node node, const int *axes, int32_t *to)
{
    uint32_t rank = node_type(graph->graph, node)->rank;
    if (rank && !axes) {
        graph_refuse(graph, "there are no axes (NULL)");
        return false;
    }
    for (uint32_t i = 0; i < rank; i++) to[i] = axes[i];
    return true;
}

nnc_value nnc_broadcast(nnc_graph *graph, nnc_value x, const char *shape, const int *axes)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node node;
    Type type;
    int32_t to[MAX_RANK];
    if (!movement(graph, x, shape, &node, &type) || !read_axes(graph, node, axes, to)) return NNC_NONE;
    Attr attr = {.ints = to, .n_ints = node_type(graph->graph, node)->rank};
    return graph_put(graph, OP_BROADCAST, &node, 1, &attr, &type);
}

nnc_value nnc_reshape(nnc_graph *graph, nnc_value x, const char *shape)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node node;
    Type type;
    if (!movement(graph, x, shape, &node, &type)) return NNC_NONE;
    return graph_put(graph, OP_RESHAPE, &node, 1, NULL, &type);
}

nnc_value nnc_transpose(nnc_graph *graph, nnc_value x, const int *axes)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    int32_t to[MAX_RANK];
    Node node = graph_value(graph, x);
    if (node_is_none(node) || !read_axes(graph, node, axes, to)) return NNC_NONE;
    return graph_put(graph, OP_TRANSPOSE, &node, 1, &(Attr){.ints = to, .n_ints = node_type(graph->graph, node)->rank},
                     NULL);
}

nnc_value nnc_slice(nnc_graph *graph, nnc_value x, int axis, const char *start, const char *size)
{
    return nnc_stride(graph, x, axis, start, size, 1);
}

nnc_value nnc_stride(nnc_graph *graph, nnc_value x, int axis, const char *start, const char *size, int step)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Dim from, count, starts[MAX_RANK];
    int32_t steps[MAX_RANK];
    Node node = graph_value(graph, x);
    if (node_is_none(node) || !graph_size(graph, start, &from) || !graph_size(graph, size, &count)) return NNC_NONE;
    Type type = *node_type(graph->graph, node);
    if (axis < 0 || axis >= (int)type.rank) return graph_refuse(graph, "slice: there is no axis %d", axis);
    for (uint32_t i = 0; i < type.rank; i++) {
        starts[i] = (int)i == axis ? from : dim_constant(graph_dims(graph->graph), 0);
        steps[i] = (int)i == axis ? step : 1;
    }
    type.dims[axis] = count;
    Attr attr = {.sizes = starts, .ints = steps, .n_sizes = type.rank, .n_ints = type.rank};
    return graph_put(graph, OP_SLICE, &node, 1, &attr, &type);
}

nnc_value nnc_pad(nnc_graph *graph, nnc_value x, int axis, const char *before, const char *after)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Dim front, behind, starts[MAX_RANK];
    Node node = graph_value(graph, x);
    if (node_is_none(node) || !graph_size(graph, before, &front) || !graph_size(graph, after, &behind)) return NNC_NONE;
    DimTable *dims = graph_dims(graph->graph);
    Type type = *node_type(graph->graph, node);
    if (axis < 0 || axis >= (int)type.rank) return graph_refuse(graph, "pad: there is no axis %d", axis);
    for (uint32_t i = 0; i < type.rank; i++) starts[i] = (int)i == axis ? front : dim_constant(dims, 0);
    type.dims[axis] = dim_add(dims, dim_add(dims, front, type.dims[axis]), behind);
    return graph_put(graph, OP_PAD, &node, 1, &(Attr){.sizes = starts, .n_sizes = type.rank}, &type);
}

nnc_value nnc_reverse(nnc_graph *graph, nnc_value x, int axis)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node node = graph_value(graph, x);
    if (node_is_none(node)) return NNC_NONE;
    return graph_put(graph, OP_REVERSE, &node, 1, &(Attr){.ints = (int32_t[]){axis}, .n_ints = 1}, NULL);
}

/* WINDOW or UNWINDOW of a node, `type` the result's. */
static nnc_value put_window(nnc_graph *graph, Op op, Node node, int axis, int stride, int dilation, Dim padding,
                            const Type *type)
{
    const int32_t ints[] = {axis, stride, dilation};
    return graph_put(graph, op, &node, 1, &(Attr){.ints = ints, .n_ints = 3, .sizes = &padding, .n_sizes = 1}, type);
}

nnc_value nnc_window(nnc_graph *graph, nnc_value x, int axis, const char *count, const char *taps, int stride,
                     int dilation, const char *padding)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Dim positions, offsets, before;
    Node node = graph_value(graph, x);
    if (node_is_none(node) || !graph_size(graph, count, &positions) || !graph_size(graph, taps, &offsets) ||
        !graph_size(graph, padding, &before))
        return NNC_NONE;
    Type type = *node_type(graph->graph, node);
    if (axis < 0 || axis >= (int)type.rank) return graph_refuse(graph, "window: there is no axis %d", axis);
    if (type.rank == MAX_RANK) return graph_refuse(graph, "window: more than %d axes", MAX_RANK);
    for (int i = (int)type.rank++; i > axis + 1; i--) type.dims[i] = type.dims[i - 1];
    type.dims[axis] = positions;
    type.dims[axis + 1] = offsets;
    return put_window(graph, OP_WINDOW, node, axis, stride, dilation, before, &type);
}

nnc_value nnc_unwindow(nnc_graph *graph, nnc_value g, int axis, const char *size, int stride, int dilation,
                       const char *padding)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Dim whole, before;
    Node node = graph_value(graph, g);
    if (node_is_none(node) || !graph_size(graph, size, &whole) || !graph_size(graph, padding, &before)) return NNC_NONE;
    Type type = type_with(*node_type(graph->graph, node), node_type(graph->graph, node)->dtype);
    if (axis < 0 || axis + 1 >= (int)type.rank)
        return graph_refuse(graph, "unwindow: there are no axes %d and %d", axis, axis + 1);
    for (int i = axis + 1; i + 1 < (int)type.rank; i++) type.dims[i] = type.dims[i + 1];
    type.dims[--type.rank] = DIM_NONE;
    type.dims[axis] = whole;
    return put_window(graph, OP_UNWINDOW, node, axis, stride, dilation, before, &type);
}

nnc_value nnc_concat(nnc_graph *graph, const nnc_value *parts, size_t n_parts, int axis)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    if (!parts || !n_parts) return graph_refuse(graph, "concat: there are no parts");
    Node *nodes = ARENA_ARRAY(graph->context->arena, Node, n_parts);
    if (!graph_values(graph, parts, n_parts, nodes)) return NNC_NONE;
    return graph_put(graph, OP_CONCAT, nodes, (uint32_t)n_parts, &(Attr){.integer = axis}, NULL);
}

nnc_value nnc_gather(nnc_graph *graph, nnc_value x, nnc_value ids, int axis, int batch_axes)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node nodes[2];
    if (!graph_values(graph, (nnc_value[]){x, ids}, 2, nodes)) return NNC_NONE;
    return graph_put(graph, OP_GATHER, nodes, 2, &(Attr){.ints = (int32_t[]){axis, batch_axes}, .n_ints = 2}, NULL);
}

nnc_value nnc_scatter_add(nnc_graph *graph, nnc_value ids, nnc_value g, const char *shape, int axis, int batch_axes)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node nodes[2];
    Type type;
    if (!graph_values(graph, (nnc_value[]){ids, g}, 2, nodes) || !graph_type(graph, shape, &type)) return NNC_NONE;
    Attr attr = {.ints = (int32_t[]){axis, batch_axes}, .n_ints = 2};
    return graph_put(graph, OP_SCATTER_ADD, nodes, 2, &attr, &type);
}

/* ---- Reductions and contractions ---- */

/* The mean is a sum divided by how many were added. */
static nnc_value divide_by_count(nnc_graph *graph, nnc_value sum, Node x, const int32_t *axes, size_t n_axes)
{
    if (!sum.id) return NNC_NONE;
    const Type type = *node_type(graph->graph, x);
    if (!dtype_is_float(type.dtype)) return graph_refuse(graph, "mean of %s; cast it first", dtype_name(type.dtype));
    Dim dims[MAX_RANK];
    for (size_t i = 0; i < n_axes; i++) dims[i] = type.dims[axes[i]];
    Dim count = dim_product(graph_dims(graph->graph), dims, (uint32_t)n_axes);
    Node total = {sum.id}, number = build_size(graph->graph, count, type.dtype);
    Node parts[] = {total, build_splat(graph->graph, number, node_type(graph->graph, total))};
    return graph_put(graph, OP_DIV, parts, 2, NULL, NULL);
}

nnc_value nnc_reduce(nnc_graph *graph, const char *name, nnc_value x, const int *axes, size_t n_axes)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    int32_t to[MAX_RANK];
    bool mean = name && !strcmp(name, "mean");
    Op op = find_op(graph, mean ? "sum" : name, OP_CLASS_REDUCTION, "reduction");
    Node node = op != OP_COUNT ? graph_value(graph, x) : NODE_NONE;
    if (node_is_none(node)) return NNC_NONE;
    uint32_t rank = node_type(graph->graph, node)->rank;
    size_t count = axes ? n_axes : rank;
    if (count > rank) return graph_refuse(graph, "%s over %zu axes of %u", name, count, rank);
    for (size_t i = 0; i < count; i++) to[i] = axes ? axes[i] : (int32_t)i;
    if (!count && op != OP_ARGMAX && op != OP_ARGMIN) return x;
    DType dtype = node_type(graph->graph, node)->dtype;
    Node wide = mean ? build_cast(graph->graph, node, dtype_accumulator(dtype)) : node;
    nnc_value made = graph_put(graph, op, &wide, 1, &(Attr){.ints = to, .n_ints = (uint32_t)count}, NULL);
    if (!mean || !made.id) return made;
    made = divide_by_count(graph, made, wide, to, count);
    return (nnc_value){build_cast(graph->graph, (Node){made.id}, dtype).id};
}

nnc_value nnc_along(nnc_graph *graph, const char *name, nnc_value x, int axis)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Op op = find_op(graph, name, OP_CLASS_CUMULATIVE, "operator along an axis");
    Node node = op != OP_COUNT ? graph_value(graph, x) : NODE_NONE;
    if (node_is_none(node)) return NNC_NONE;
    if (axis < 0 || axis >= (int)node_type(graph->graph, node)->rank)
        return graph_refuse(graph, "%s: there is no axis %d", name, axis);
    return graph_put(graph, op, &node, 1, &(Attr){.integer = axis}, NULL);
}

/* `bi,io->bo` as labels: letters by first appearance. The number of letters in each of the three parts; false when it
 * is not of that form. */
static bool read_letters(const char *text, int32_t *labels, uint32_t *counts)
{
    static const char *const ends[] = {",", "->", ""};
    int32_t known[256], next = 0;
    uint32_t n = 0;
    for (int i = 0; i < 256; i++) known[i] = -1;
    for (int part = 0; part < 3; part++) {
        counts[part] = 0;
        for (; (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'); text++) {
            int32_t *label = &known[(unsigned char)*text];
            if (++counts[part] > MAX_RANK) return false;
            if (*label < 0) *label = next++;
            labels[n++] = *label;
        }
        size_t length = strlen(ends[part]);
        if (strncmp(text, ends[part], length) || (part == 2 && *text)) return false;
        text += length;
    }
    return true;
}

nnc_value nnc_contract(nnc_graph *graph, const char *letters, nnc_value a, nnc_value b)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node nodes[2];
    int32_t labels[3 * MAX_RANK];
    uint32_t counts[3];
    if (!graph_values(graph, (nnc_value[]){a, b}, 2, nodes)) return NNC_NONE;
    if (!letters || !read_letters(letters, labels, counts))
        return graph_refuse(graph, "contract: `%s` is not of the form bi,io->bo", letters ? letters : "");
    for (int i = 0; i < 2; i++) {
        uint32_t rank = node_type(graph->graph, nodes[i])->rank;
        if (counts[i] != rank)
            return graph_refuse(graph, "contract: `%s` has %u letters for an operand of rank %u", letters, counts[i],
                                rank);
    }
    Attr attr = {.ints = labels, .n_ints = counts[0] + counts[1] + counts[2]};
    return graph_put(graph, OP_CONTRACT, nodes, 2, &attr, NULL);
}

/* ---- Differentiation ---- */

nnc_value nnc_derivative(nnc_graph *graph, nnc_value y, nnc_value x)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node nodes[2];
    if (!graph_values(graph, (nnc_value[]){y, x}, 2, nodes)) return NNC_NONE;
    Type type = *node_type(graph->graph, nodes[1]);
    if (!dtype_is_float(type.dtype))
        return graph_refuse(graph, "a derivative by what is of type %s", dtype_name(type.dtype));
    return graph_put(graph, OP_GRADIENT, nodes, 2, NULL, &type);
}

nnc_value nnc_stop_gradient(nnc_graph *graph, nnc_value x)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node node = graph_value(graph, x);
    return node_is_none(node) ? NNC_NONE : graph_put(graph, OP_STOP_GRADIENT, &node, 1, NULL, NULL);
}
