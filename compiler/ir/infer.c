#include "ir/infer.h"

#include "ir/infer_internal.h"

/* elementwise rules */

static bool same_values(const Type *a, const Type *b)
{
    return a->dtype == b->dtype && type_same_shape(a, b);
}

/* Arithmetic drops a known range. */
static const char *infer_same(const Infer *in, Type *type)
{
    const Type *x = infer_arg(in, 0);
    bool moves = op_info(in->node->op)->class == OP_CLASS_DIFFERENTIAL;
    for (uint32_t i = 1; i < in->node->n_args; i++)
        if (!same_values(x, infer_arg(in, i))) return "operands differ in type";
    if (x->dtype == DTYPE_BOOL && !moves) return "arithmetic on bool";
    *type = moves ? *x : type_with(*x, x->dtype);
    return NULL;
}

static const char *infer_float(const Infer *in, Type *type)
{
    if (!dtype_is_float(infer_arg(in, 0)->dtype)) return "operand is not of a floating-point type";
    return infer_same(in, type);
}

static const char *infer_compare(const Infer *in, Type *type)
{
    if (!same_values(infer_arg(in, 0), infer_arg(in, 1))) return "operands differ in type";
    *type = type_with(*infer_arg(in, 0), DTYPE_BOOL);
    return NULL;
}

static const char *infer_logic(const Infer *in, Type *type)
{
    for (uint32_t i = 0; i < in->node->n_args; i++)
        if (infer_arg(in, i)->dtype != DTYPE_BOOL || !type_same_shape(infer_arg(in, 0), infer_arg(in, i)))
            return "operands are not bool of one shape";
    *type = type_with(*infer_arg(in, 0), DTYPE_BOOL);
    return NULL;
}

static const char *infer_select(const Infer *in, Type *type)
{
    const Type *condition = infer_arg(in, 0), *yes = infer_arg(in, 1), *no = infer_arg(in, 2);
    if (condition->dtype != DTYPE_BOOL) return "condition is not bool";
    if (!same_values(yes, no) || !type_same_shape(condition, yes)) return "operands differ in type";
    *type = dim_same(yes->range, no->range) ? *yes : type_with(*yes, yes->dtype);
    return NULL;
}

/* custom_gradient(value, cotangent, x1 … xn, g1 … gn) */
static const char *infer_custom_gradient(const Infer *in, Type *type)
{
    const NodeInfo *node = in->node;
    int64_t n = node->attr.integer;
    if (n < 0 || n > INT32_MAX || node->n_args != 2 + 2 * (uint64_t)n) return "operands do not match its integer";
    if (node_op(in->graph, node->args[1]) != OP_COTANGENT) return "second operand is not a cotangent";
    if (!same_values(infer_arg(in, 0), infer_arg(in, 1))) return "cotangent is not of the value's type";
    for (uint32_t i = 0; i < n; i++)
        if (!same_values(infer_arg(in, 2 + i), infer_arg(in, 2 + (uint32_t)n + i)))
            return "reverse product is not of its operand's type";
    *type = *infer_arg(in, 0);
    return NULL;
}

/* shapes by the operator's own rule, and given types */

static const char *infer_given(const Infer *in, Type *type)
{
    const Type *given = &in->node->type;
    if ((unsigned)given->dtype >= DTYPE_COUNT || given->rank > MAX_RANK) return "not a type";
    if (!type_is_whole(given)) return "a size is missing: 64 bits do not hold it, or it is too long a formula";
    if (!dim_is_none(given->range) && dtype_class(given->dtype) != DTYPE_CLASS_INTEGER)
        return "a range on a type that is not an integer";
    *type = *given;
    switch (in->node->op) {
    case OP_CAST:
        return type_same_shape(given, infer_arg(in, 0)) ? NULL : "cast changes the shape";
    case OP_BROADCAST:
        return infer_broadcast(in);
    case OP_RESHAPE:
        return infer_reshape(in);
    case OP_SLICE:
        return infer_slice(in);
    case OP_PAD:
        return infer_pad(in);
    case OP_WINDOW:
        return infer_window(in);
    case OP_UNWINDOW:
        return infer_unwindow(in);
    case OP_SCATTER_ADD:
        return infer_scatter(in);
    case OP_GRADIENT:
        if (infer_arg(in, 0)->rank || !dtype_is_float(infer_arg(in, 0)->dtype)) return "gradient of what is no scalar";
        return same_values(given, infer_arg(in, 1)) ? NULL : "gradient is not of its operand's type";
    default:
        return infer_source(in);
    }
}

static const char *infer_shaped(const Infer *in, Type *type)
{
    switch (in->node->op) {
    case OP_TRANSPOSE:
        return infer_transpose(in, type);
    case OP_CONCAT:
        return infer_concat(in, type);
    case OP_REVERSE:
        *type = *infer_arg(in, 0);
        return infer_axes(in, true);
    case OP_GATHER:
        return infer_gather(in, type);
    case OP_CONTRACT:
        return infer_contract(in, type);
    default:
        return infer_reduction(in, type);
    }
}

static const char *check_fields(const NodeInfo *node)
{
    const OpInfo *info = op_info(node->op);
    const Attr *attr = &node->attr;
    unsigned uses = info->attributes;
    if (info->arity >= 0 && node->n_args != (uint32_t)info->arity) return "wrong number of operands";
    if (info->arity < 0 && node->n_args == 0) return "no operands";
    if (!(uses & ATTR_NAME) != !attr->name) return attr->name ? "a name it has no use for" : "its name is missing";
    if (!(uses & ATTR_DATA) && attr->data_size) return "data it has no use for";
    if (!(uses & ATTR_SIZES) && attr->n_sizes) return "sizes it has no use for";
    if (!(uses & ATTR_INTS) && attr->n_ints) return "integers it has no use for";
    for (uint32_t i = 0; i < attr->n_sizes; i++)
        if (dim_is_none(attr->sizes[i]))
            return "a size is missing: 64 bits do not hold it, or it is too long a formula";
    return NULL;
}

static const char *infer_by_rule(const Infer *in, Type *type)
{
    const NodeInfo *node = in->node;
    const OpInfo *info = op_info(node->op);
    const char *wrong = check_fields(node);
    if (wrong) return wrong;
    if (node->op == OP_CUSTOM_GRADIENT) return infer_custom_gradient(in, type);
    if (info->class == OP_CLASS_CUMULATIVE) {
        if (node->attr.integer < 0 || node->attr.integer >= infer_arg(in, 0)->rank) return "axis out of range";
        if (node->op != OP_CUMSUM) return infer_float(in, type);
    }
    switch (info->rule) {
    case TYPE_RULE_GIVEN:
        return infer_given(in, type);
    case TYPE_RULE_SAME:
        return infer_same(in, type);
    case TYPE_RULE_FLOAT:
        return infer_float(in, type);
    case TYPE_RULE_COMPARE:
        return infer_compare(in, type);
    case TYPE_RULE_LOGIC:
        return infer_logic(in, type);
    case TYPE_RULE_SELECT:
        return infer_select(in, type);
    case TYPE_RULE_SHAPED:
        return infer_shaped(in, type);
    }
    return "an operator without a type rule";
}

/* Offsets and sums of a few sizes stay within 64 bits. */
static const int64_t most_bytes = (int64_t)1 << 56;

/* Only these rules give a shape that is none of the operands'. */
static const char *check_size(const Infer *in, const Type *type)
{
    const DimTable *dims = graph_dims(in->graph);
    TypeRule rule = op_info(in->node->op)->rule;
    int64_t size;
    if (rule != TYPE_RULE_GIVEN && rule != TYPE_RULE_SHAPED) return NULL;
    for (uint32_t i = 0; i < type->rank; i++)
        if (dim_is_constant(dims, type->dims[i], &size) && size < 0) return "a size is negative";
    return dim_product_fits(dims, type->dims, type->rank, most_bytes / dtype_size(type->dtype))
               ? NULL
               : "sizes whose product is more than can be counted";
}

const char *infer_type(const Graph *graph, const NodeInfo *node, Type *type)
{
    const Infer in = {graph, node};
    const char *wrong = infer_by_rule(&in, type);
    return wrong ? wrong : check_size(&in, type);
}
