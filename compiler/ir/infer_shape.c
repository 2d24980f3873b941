/* Type rules of sources, movement, gathers, reductions and contractions. */
#include "ir/infer_internal.h"

/* Sizes may differ in form where only a check at entry can decide; a difference that is a constant other than 0, or
 * below `least`, decides it now. */
static bool surely_below(const Infer *in, Dim a, Dim b)
{
    int64_t difference;
    DimTable *dims = graph_dims(in->graph);
    return dim_is_constant(dims, dim_sub(dims, a, b), &difference) && difference < 0;
}

static bool surely_different(const Infer *in, Dim a, Dim b)
{
    int64_t difference;
    DimTable *dims = graph_dims(in->graph);
    return dim_is_constant(dims, dim_sub(dims, a, b), &difference) && difference != 0;
}

static Dim constant(const Infer *in, int64_t value)
{
    return dim_constant(graph_dims(in->graph), value);
}

const char *infer_source(const Infer *in)
{
    const NodeInfo *node = in->node;
    const Type *type = &node->type;
    int64_t elements;
    switch (node->op) {
    case OP_LITERAL:
        if (!dim_is_constant(graph_dims(in->graph), type_elements(graph_dims(in->graph), type), &elements))
            return "a literal of a size that is no constant";
        if (elements < 0 || node->attr.data_size / dtype_size(type->dtype) != (uint64_t)elements ||
            node->attr.data_size % dtype_size(type->dtype))
            return "data does not fill the shape";
        return NULL;
    case OP_SETTING:
        return type->rank ? "a setting is a scalar" : NULL;
    case OP_RANDOM:
        return dtype_is_float(type->dtype) ? NULL : "random numbers are of a floating-point type";
    case OP_IOTA:
        if (node->attr.integer < 0 || node->attr.integer >= type->rank) return "axis out of range";
        return type->dtype == DTYPE_BOOL ? "counts in bool" : NULL;
    case OP_SIZE:
        if (node->attr.n_sizes != 1) return "not one size";
        return type->dtype != DTYPE_I64 || type->rank ? "a size is an i64 scalar" : NULL;
    default:
        return NULL;
    }
}

const char *infer_broadcast(const Infer *in)
{
    const Type *x = infer_arg(in, 0), *type = &in->node->type;
    const Attr *attr = &in->node->attr;
    if (attr->n_ints != x->rank) return "not one result axis for each operand axis";
    if (type->dtype != x->dtype) return "movement changes the element type";
    unsigned used = 0;
    for (uint32_t i = 0; i < x->rank; i++) {
        int32_t axis = attr->ints[i];
        if (axis < 0 || axis >= (int32_t)type->rank || (used >> axis & 1)) return "axis out of range or repeated";
        used |= 1u << axis;
        if (!dim_same(x->dims[i], type->dims[axis])) return "sizes differ";
    }
    return NULL;
}

const char *infer_reshape(const Infer *in)
{
    const Type *x = infer_arg(in, 0), *type = &in->node->type;
    DimTable *dims = graph_dims(in->graph);
    if (type->dtype != x->dtype) return "movement changes the element type";
    if (surely_different(in, type_elements(dims, x), type_elements(dims, type))) return "numbers of elements differ";
    return NULL;
}

const char *infer_slice(const Infer *in)
{
    const Type *x = infer_arg(in, 0), *type = &in->node->type;
    const Attr *attr = &in->node->attr;
    DimTable *dims = graph_dims(in->graph);
    if (type->dtype != x->dtype || type->rank != x->rank) return "slice changes the rank or the element type";
    if (attr->n_ints != x->rank || attr->n_sizes != x->rank) return "not one start and step for each axis";
    for (uint32_t i = 0; i < x->rank; i++) {
        if (attr->ints[i] <= 0) return "a step that is not positive";
        if (surely_below(in, attr->sizes[i], constant(in, 0))) return "start before the first element";
        int64_t none;
        if (dim_is_constant(dims, type->dims[i], &none) && none == 0) continue;
        Dim last = dim_mul(dims, dim_sub(dims, type->dims[i], constant(in, 1)), constant(in, attr->ints[i]));
        if (surely_below(in, dim_sub(dims, x->dims[i], constant(in, 1)), dim_add(dims, attr->sizes[i], last)))
            return "slice past the last element";
    }
    return NULL;
}

const char *infer_pad(const Infer *in)
{
    const Type *x = infer_arg(in, 0), *type = &in->node->type;
    const Attr *attr = &in->node->attr;
    if (type->dtype != x->dtype || type->rank != x->rank) return "pad changes the rank or the element type";
    if (attr->n_sizes != x->rank) return "not one size for each axis";
    for (uint32_t i = 0; i < x->rank; i++) {
        if (surely_below(in, attr->sizes[i], constant(in, 0))) return "less than nothing before";
        if (surely_below(in, type->dims[i], dim_add(graph_dims(in->graph), attr->sizes[i], x->dims[i])))
            return "padded size too small";
    }
    return NULL;
}

/* Indices and sums of a few of them stay within 64 bits. */
static bool reaches_too_far(const Infer *in, int32_t factor, Dim count, const int64_t most)
{
    int64_t number, reach;
    const DimTable *dims = graph_dims(in->graph);
    if (!dim_is_constant(dims, count, &number)) return false;
    return __builtin_mul_overflow(number, factor, &reach) || reach > most || reach < -most;
}

/* `whole` has one axis where `parts` have positions and taps. */
static const char *check_window(const Infer *in, const Type *whole, const Type *parts)
{
    const Attr *attr = &in->node->attr;
    const int64_t most = (int64_t)1 << 60;
    if (attr->n_ints != 3 || attr->n_sizes != 1) return "not an axis, a stride, a dilation and a padding";
    int32_t axis = attr->ints[0];
    if (whole->dtype != parts->dtype) return "movement changes the element type";
    if (axis < 0 || axis >= (int32_t)whole->rank) return "axis out of range";
    if (parts->rank != whole->rank + 1) return "not two axes for one";
    if (attr->ints[1] <= 0) return "a stride that is not positive";
    if (attr->ints[2] <= 0) return "a dilation that is not positive";
    for (uint32_t i = 0; i < whole->rank; i++)
        if (i != (uint32_t)axis && !dim_same(whole->dims[i], parts->dims[i + (i > (uint32_t)axis)]))
            return "sizes differ";
    if (reaches_too_far(in, attr->ints[1], parts->dims[axis], most) ||
        reaches_too_far(in, attr->ints[2], parts->dims[axis + 1], most) || reaches_too_far(in, 1, attr->sizes[0], most))
        return "positions beyond what 64 bits can count";
    return NULL;
}

const char *infer_window(const Infer *in)
{
    const Type *x = infer_arg(in, 0), *type = &in->node->type;
    const char *wrong = check_window(in, x, type);
    if (wrong) return wrong;
    return dim_is_none(type->range) || dim_same(type->range, x->range) ? NULL : "a range that is not its operand's";
}

const char *infer_unwindow(const Infer *in)
{
    const Type *type = &in->node->type;
    if (type->dtype == DTYPE_BOOL) return "arithmetic on bool";
    if (!dim_is_none(type->range)) return "a range on sums";
    return check_window(in, type, infer_arg(in, 0));
}

const char *infer_transpose(const Infer *in, Type *type)
{
    const Type *x = infer_arg(in, 0);
    const Attr *attr = &in->node->attr;
    *type = *x;
    if (attr->n_ints != x->rank) return "not one axis for each axis";
    unsigned used = 0;
    for (uint32_t i = 0; i < x->rank; i++) {
        int32_t axis = attr->ints[i];
        if (axis < 0 || axis >= (int32_t)x->rank || (used >> axis & 1)) return "axis out of range or repeated";
        used |= 1u << axis;
        type->dims[i] = x->dims[axis];
    }
    return NULL;
}

const char *infer_concat(const Infer *in, Type *type)
{
    const NodeInfo *node = in->node;
    int64_t axis = node->attr.integer;
    *type = *infer_arg(in, 0);
    if (axis < 0 || axis >= type->rank) return "axis out of range";
    for (uint32_t k = 1; k < node->n_args; k++) {
        const Type *x = infer_arg(in, k);
        if (x->dtype != type->dtype || x->rank != type->rank) return "operands differ in type";
        for (uint32_t i = 0; i < x->rank; i++)
            if (i != axis && !dim_same(x->dims[i], type->dims[i])) return "sizes differ";
        type->dims[axis] = dim_add(graph_dims(in->graph), type->dims[axis], x->dims[axis]);
        if (dim_is_none(type->dims[axis])) return "a size out of range";
        if (!dim_same(x->range, type->range)) type->range = DIM_NONE;
    }
    return NULL;
}

const char *infer_axes(const Infer *in, bool may_be_empty)
{
    const Attr *attr = &in->node->attr;
    if (!attr->n_ints && !may_be_empty) return "no axes";
    for (uint32_t i = 0; i < attr->n_ints; i++) {
        if (attr->ints[i] < 0 || attr->ints[i] >= (int32_t)infer_arg(in, 0)->rank) return "axis out of range";
        if (i && attr->ints[i] <= attr->ints[i - 1]) return "axes not ascending";
    }
    return NULL;
}

const char *infer_reduction(const Infer *in, Type *type)
{
    const Type *x = infer_arg(in, 0);
    const Attr *attr = &in->node->attr;
    Op op = in->node->op;
    const char *wrong = infer_axes(in, false);
    if (wrong) return wrong;
    bool logic = op == OP_ANY || op == OP_ALL, position = op == OP_ARGMAX || op == OP_ARGMIN;
    if (logic != (x->dtype == DTYPE_BOOL)) return logic ? "operand is not bool" : "arithmetic on bool";
    if (op == OP_LOGSUMEXP && !dtype_is_float(x->dtype)) return "operand is not of a floating-point type";
    *type = type_scalar(position ? DTYPE_I32 : x->dtype);
    if (op == OP_REDUCE_MAX || op == OP_REDUCE_MIN) type->range = x->range;
    if (position) type->range = dim_constant(graph_dims(in->graph), 1);
    for (uint32_t i = 0; i < attr->n_ints && position; i++)
        type->range = dim_mul(graph_dims(in->graph), type->range, x->dims[attr->ints[i]]);
    if (position && dim_is_none(type->range)) return "a size out of range";
    for (uint32_t i = 0, k = 0; i < x->rank; i++) {
        if (k < attr->n_ints && attr->ints[k] == (int32_t)i)
            k++;
        else
            type->dims[type->rank++] = x->dims[i];
    }
    return NULL;
}

/* The type of gather(x, ids): x's with axis a replaced by what ids have beyond the b axes that both share. */
static const char *gathered(const Infer *in, const Type *x, const Type *ids, Type *type)
{
    const Attr *attr = &in->node->attr;
    if (attr->n_ints != 2) return "not an axis and a number of shared axes";
    int32_t a = attr->ints[0], b = attr->ints[1];
    if (a < 0 || a >= (int32_t)x->rank || b < 0 || b > a || b > (int32_t)ids->rank) return "axis out of range";
    if (dtype_class(ids->dtype) != DTYPE_CLASS_INTEGER) return "indices are not integers";
    if (x->rank - 1 + ids->rank - (uint32_t)b > MAX_RANK) return "too many axes";
    for (int32_t i = 0; i < b; i++)
        if (!dim_same(x->dims[i], ids->dims[i])) return "sizes differ";
    *type = type_scalar(x->dtype);
    type->range = x->range;
    for (int32_t i = 0; i < a; i++) type->dims[type->rank++] = x->dims[i];
    for (uint32_t i = (uint32_t)b; i < ids->rank; i++) type->dims[type->rank++] = ids->dims[i];
    for (uint32_t i = (uint32_t)a + 1; i < x->rank; i++) type->dims[type->rank++] = x->dims[i];
    return NULL;
}

const char *infer_gather(const Infer *in, Type *type)
{
    return gathered(in, infer_arg(in, 0), infer_arg(in, 1), type);
}

const char *infer_scatter(const Infer *in)
{
    Type type;
    const Type *g = infer_arg(in, 1);
    const char *wrong = gathered(in, &in->node->type, infer_arg(in, 0), &type);
    if (wrong) return wrong;
    if (type.dtype == DTYPE_BOOL) return "arithmetic on bool";
    return type.dtype != g->dtype || !type_same_shape(&type, g) ? "second operand is not of the gathered shape" : NULL;
}

enum { MAX_LABEL = 3 * MAX_RANK };

/* Binds labels to sizes; false when one is out of range, repeated in its list, or of another size than before. */
static bool bind_labels(const Type *x, const int32_t *labels, Dim *sizes)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < x->rank; i++) {
        int32_t label = labels[i];
        if (label < 0 || label >= MAX_LABEL || (used >> label & 1)) return false;
        used |= (uint64_t)1 << label;
        if (dim_is_none(sizes[label])) sizes[label] = x->dims[i];
        if (!dim_same(sizes[label], x->dims[i])) return false;
    }
    return true;
}

const char *infer_contract(const Infer *in, Type *type)
{
    const Type *a = infer_arg(in, 0), *b = infer_arg(in, 1);
    const Attr *attr = &in->node->attr;
    Dim sizes[MAX_LABEL] = {{0}};
    if (a->dtype != b->dtype || a->dtype == DTYPE_BOOL) return "operands are not numbers of one element type";
    if (attr->n_ints < a->rank + b->rank || attr->n_ints - a->rank - b->rank > MAX_RANK)
        return "wrong number of labels";
    if (!bind_labels(a, attr->ints, sizes) || !bind_labels(b, attr->ints + a->rank, sizes))
        return "labels do not fit the operands' sizes";
    *type = type_scalar(a->dtype);
    uint64_t used = 0;
    for (uint32_t i = a->rank + b->rank; i < attr->n_ints; i++) {
        int32_t label = attr->ints[i];
        if (label < 0 || label >= MAX_LABEL || dim_is_none(sizes[label]) || (used >> label & 1))
            return "a label of the result is repeated or in no operand";
        used |= (uint64_t)1 << label;
        type->dims[type->rank++] = sizes[label];
    }
    return NULL;
}
