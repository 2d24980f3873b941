#include "display/assemble.h"

#include "ir/build.h"

enum { MOST_PARTS = 64, MOST_FACTORS = 16 };

static bool is_constant(const Graph *graph, Dim dim, int64_t value)
{
    int64_t constant;
    return dim_is_constant(graph_dims(graph), dim, &constant) && constant == value;
}

bool display_is_widened(const Graph *graph, Node node, uint32_t axis)
{
    if (node_op(graph, node) != OP_RESHAPE) return false;
    const Type *wide = node_type(graph, node), *type = node_type(graph, node_arg(graph, node, 0));
    if (type->rank + 1 != wide->rank || !is_constant(graph, wide->dims[axis], 1)) return false;
    for (uint32_t i = 0; i < type->rank; i++)
        if (!dim_same(type->dims[i], wide->dims[i + (i >= axis)])) return false;
    return true;
}

/* The only element along the axis, without that axis; NODE_NONE when there are several. */
static Node without_axis(Graph *graph, Node node, uint32_t axis)
{
    if (!graph_name(graph, node) && display_is_widened(graph, node, axis)) return node_arg(graph, node, 0);
    Type type = *node_type(graph, node);
    if (!is_constant(graph, type.dims[axis], 1)) return NODE_NONE;
    type.rank--;
    for (uint32_t i = axis; i < type.rank; i++) type.dims[i] = type.dims[i + 1];
    type = type_make(type.dtype, type.rank, type.dims);
    if (node_is_constant(graph, node, NULL)) return build_spread_constant(graph, node, &type);
    return build_reshape(graph, node, type.rank, type.dims);
}

/* Elements put together along a new axis. */
static Node stack_up(Graph *graph, const Node *elements, uint32_t count, uint32_t axis)
{
    Node parts[MOST_PARTS];
    const Type *element = node_type(graph, elements[0]);
    Dim dims[MAX_RANK];
    for (uint32_t i = 0; i < element->rank; i++) dims[i + (i >= axis)] = element->dims[i];
    dims[axis] = dim_constant(graph_dims(graph), 1);
    for (uint32_t i = 0; i < count; i++) parts[i] = build_reshape(graph, elements[i], element->rank + 1, dims);
    return build_concat(graph, parts, count, axis);
}

/* ---- Sums of paddings */

typedef struct {
    Node parts[MOST_PARTS];
    uint32_t count;
} Parts;

/* depth: of additions above; no more are looked through than there may be parts. */
static bool collect(const Graph *graph, Node node, int depth, Parts *pads)
{
    Op op = node_op(graph, node);
    if (op == OP_ADD && (!depth || !graph_name(graph, node)))
        return depth < MOST_PARTS && collect(graph, node_arg(graph, node, 1), depth + 1, pads) &&
               collect(graph, node_arg(graph, node, 0), depth + 1, pads);
    if (op != OP_PAD || pads->count == MOST_PARTS) return false;
    pads->parts[pads->count++] = node;
    return true;
}

/* The one axis along which there are zeros; MAX_RANK when there are several. */
static uint32_t padded_axis(const Graph *graph, Node pad)
{
    const NodeInfo *info = graph_node(graph, pad);
    const Type *inner = node_type(graph, info->args[0]);
    uint32_t axis = MAX_RANK, n = 0;
    for (uint32_t i = 0; i < info->type.rank; i++) {
        if (dim_same(info->type.dims[i], inner->dims[i])) continue;
        axis = i;
        n++;
    }
    return n == 1 ? axis : MAX_RANK;
}

/* Brings the part that begins at `start` to the place `at`. */
static bool take_next(const Graph *graph, Parts *pads, uint32_t at, uint32_t axis, Dim start)
{
    for (uint32_t k = at; k < pads->count; k++) {
        Node pad = pads->parts[k];
        if (!dim_same(graph_node(graph, pad)->attr.sizes[axis], start) || padded_axis(graph, pad) != axis) continue;
        pads->parts[k] = pads->parts[at];
        pads->parts[at] = pad;
        return true;
    }
    return false;
}

static Node join_paddings(Graph *graph, Node sum)
{
    Parts pads = {.count = 0};
    DimTable *dims = graph_dims(graph);
    if (!collect(graph, sum, 0, &pads)) return NODE_NONE;
    uint32_t axis = padded_axis(graph, pads.parts[0]);
    if (axis == MAX_RANK) return NODE_NONE;
    Dim end = dim_constant(dims, 0);
    for (uint32_t i = 0; i < pads.count; i++) {
        if (!take_next(graph, &pads, i, axis, end)) return NODE_NONE;
        pads.parts[i] = node_arg(graph, pads.parts[i], 0);
        end = dim_add(dims, end, node_type(graph, pads.parts[i])->dims[axis]);
    }
    if (!dim_same(end, node_type(graph, sum)->dims[axis])) return NODE_NONE;
    return build_concat(graph, pads.parts, pads.count, axis);
}

/* ---- A short vector, element by element: what is not padded with zeros lies between them. */

enum { MOST_ELEMENTS = 8 };

static void add_element(Graph *graph, Node *elements, int64_t index, Node x)
{
    double number;
    if (node_is_constant(graph, x, &number) && number == 0) return;
    Node *element = &elements[index];
    *element = node_is_none(*element) ? x : build_binary(graph, OP_ADD, *element, x);
}

static bool add_elements(Graph *graph, Node node, int depth, Node *elements)
{
    const NodeInfo info = *graph_node(graph, node);
    int64_t index;
    if (depth > MOST_PARTS || (depth && graph_name(graph, node))) return false;
    switch (info.op) {
    case OP_ADD:
        return add_elements(graph, info.args[1], depth + 1, elements) &&
               add_elements(graph, info.args[0], depth + 1, elements);
    case OP_PAD: {
        Node x = without_axis(graph, info.args[0], 0);
        if (node_is_none(x) || !dim_is_constant(graph_dims(graph), info.attr.sizes[0], &index)) return false;
        add_element(graph, elements, index, x);
        return true;
    }
    case OP_CONCAT:
        for (uint32_t i = 0; i < info.n_args; i++) {
            Node x = without_axis(graph, info.args[i], 0);
            if (node_is_none(x)) return false;
            add_element(graph, elements, i, x);
        }
        return true;
    default:
        return false;
    }
}

static Node join_elements(Graph *graph, Node node)
{
    const Type type = *node_type(graph, node);
    Node elements[MOST_ELEMENTS] = {NODE_NONE};
    int64_t count;
    if (type.rank != 1 || !dtype_is_float(type.dtype) || !dim_is_constant(graph_dims(graph), type.dims[0], &count))
        return NODE_NONE;
    if (count < 2 || count > MOST_ELEMENTS || !add_elements(graph, node, 0, elements)) return NODE_NONE;
    for (int64_t i = 0; i < count; i++)
        if (node_is_none(elements[i])) elements[i] = build_constant(graph, type_scalar(type.dtype), 0);
    return stack_up(graph, elements, (uint32_t)count, 0);
}

/* ---- Concatenations of products */

typedef struct {
    Node factors[MOST_FACTORS];
    uint32_t count;
    bool negative;
} Product;

static bool factorise(const Graph *graph, Node node, Product *product)
{
    Op op = node_op(graph, node);
    bool shown = graph_name(graph, node) != NULL;
    if (op == OP_NEG && !shown) {
        product->negative = !product->negative;
        return factorise(graph, node_arg(graph, node, 0), product);
    }
    if (op == OP_MUL && !shown)
        return factorise(graph, node_arg(graph, node, 0), product) &&
               factorise(graph, node_arg(graph, node, 1), product);
    if (product->count == MOST_FACTORS) return false;
    product->factors[product->count++] = node;
    return true;
}

static bool take_factor(Product *product, Node factor)
{
    for (uint32_t i = 0; i < product->count; i++) {
        if (!node_same(product->factors[i], factor)) continue;
        product->factors[i] = product->factors[--product->count];
        return true;
    }
    return false;
}

static Node multiply(Graph *graph, Node x, Node y)
{
    return node_is_none(x) ? y : build_binary(graph, OP_MUL, x, y);
}

/* The product as a node; NODE_NONE for 1. */
static Node product_node(Graph *graph, const Product *product)
{
    Node node = NODE_NONE;
    for (uint32_t i = 0; i < product->count; i++) node = multiply(graph, node, product->factors[i]);
    return node;
}

typedef struct {
    Product products[MOST_PARTS];
    uint32_t count, axis;
    Type part, whole; /* the type of a part without the axis, and of all of them */
    Product common;
} Stack;

static bool stack_of(Graph *graph, Node concat, Stack *stack)
{
    const NodeInfo info = *graph_node(graph, concat);
    if (info.n_args > MOST_PARTS) return false;
    stack->axis = (uint32_t)info.attr.integer;
    stack->count = info.n_args;
    stack->whole = info.type;
    for (uint32_t i = 0; i < info.n_args; i++) {
        Node part = without_axis(graph, info.args[i], stack->axis);
        if (node_is_none(part) || !factorise(graph, part, &stack->products[i])) return false;
        stack->part = *node_type(graph, part);
    }
    return true;
}

static void take_common(Stack *stack)
{
    Product first = stack->products[0];
    for (uint32_t k = 0; k < first.count; k++) {
        Product rest[MOST_PARTS];
        bool all = true;
        for (uint32_t i = 0; all && i < stack->count; i++) {
            rest[i] = stack->products[i];
            all = take_factor(&rest[i], first.factors[k]);
        }
        if (!all) continue;
        for (uint32_t i = 0; i < stack->count; i++) stack->products[i] = rest[i];
        stack->common.factors[stack->common.count++] = first.factors[k];
    }
    bool negative = true;
    for (uint32_t i = 0; i < stack->count; i++) negative &= stack->products[i].negative;
    for (uint32_t i = 0; negative && i < stack->count; i++) stack->products[i].negative = false;
    stack->common.negative = negative;
}

/* The value of which the product is element number `index` along the axis. */
static Node picked_from(const Graph *graph, const Stack *stack, uint32_t index)
{
    const Product *product = &stack->products[index];
    if (product->count != 1 || product->negative || node_op(graph, product->factors[0]) != OP_RESHAPE) return NODE_NONE;
    Node slice = node_arg(graph, product->factors[0], 0);
    if (node_op(graph, slice) != OP_SLICE) return NODE_NONE;
    const NodeInfo *info = graph_node(graph, slice);
    const Type *from = node_type(graph, info->args[0]);
    if (!type_same_shape(from, &stack->whole) || !is_constant(graph, info->attr.sizes[stack->axis], index) ||
        !is_constant(graph, info->type.dims[stack->axis], 1))
        return NODE_NONE;
    for (uint32_t i = 0; i < from->rank; i++)
        if (i != stack->axis && !dim_same(info->type.dims[i], from->dims[i])) return NODE_NONE;
    return info->args[0];
}

/* The value whose elements along the axis the parts are, in their order; else NODE_NONE. */
static Node whole_of(const Graph *graph, const Stack *stack)
{
    Node whole = picked_from(graph, stack, 0);
    for (uint32_t i = 1; i < stack->count && !node_is_none(whole); i++)
        if (!node_same(picked_from(graph, stack, i), whole)) return NODE_NONE;
    return whole;
}

static bool are_ones(const Stack *stack)
{
    for (uint32_t i = 0; i < stack->count; i++)
        if (stack->products[i].count || stack->products[i].negative) return false;
    return true;
}

static Node stack_again(Graph *graph, const Stack *stack)
{
    Node parts[MOST_PARTS];
    for (uint32_t i = 0; i < stack->count; i++) {
        parts[i] = product_node(graph, &stack->products[i]);
        if (node_is_none(parts[i])) parts[i] = build_constant(graph, stack->part, 1);
        if (stack->products[i].negative) parts[i] = build_unary(graph, OP_NEG, parts[i]);
    }
    return stack_up(graph, parts, stack->count, stack->axis);
}

static Node take_outside(Graph *graph, Node concat)
{
    Stack stack = {.count = 0};
    if (!stack_of(graph, concat, &stack)) return NODE_NONE;
    take_common(&stack);
    Node whole = whole_of(graph, &stack), common = product_node(graph, &stack.common), result = NODE_NONE;
    if (node_is_none(common) && node_is_none(whole) && !stack.common.negative) return NODE_NONE;
    if (!are_ones(&stack)) result = node_is_none(whole) ? stack_again(graph, &stack) : whole;
    if (!node_is_none(common)) {
        int32_t axes[MAX_RANK];
        for (uint32_t i = 0; i < stack.part.rank; i++) axes[i] = (int32_t)(i + (i >= stack.axis));
        result = multiply(graph, result, build_broadcast(graph, common, &stack.whole, axes));
    }
    return stack.common.negative ? build_unary(graph, OP_NEG, result) : result;
}

Node display_assemble(Graph *graph, Node node)
{
    Op op = node_op(graph, node);
    if (op != OP_ADD && op != OP_PAD) return NODE_NONE;
    Node joined = join_elements(graph, node);
    if (node_is_none(joined) && op == OP_ADD) joined = join_paddings(graph, node);
    if (node_is_none(joined)) return NODE_NONE;
    Node outside = take_outside(graph, joined);
    return node_is_none(outside) ? joined : outside;
}
