#include "ir/eval.h"

#include <assert.h>
#include <string.h>

#include "ir/eval_internal.h"
#include "ir/integer.h"
#include "support/memory.h"
#include "support/vector.h"

Eval *eval_new(Graph *graph, const EvalOptions *options)
{
    Eval *eval = memory_calloc(1, sizeof *eval);
    eval->graph = graph;
    if (options) eval->options = *options;
    return eval;
}

static void tensor_free(Tensor *tensor)
{
    if (!tensor) return;
    memory_free(tensor->data);
    memory_free(tensor->integers);
    memory_free(tensor);
}

void eval_free(Eval *eval)
{
    if (!eval) return;
    for (uint32_t i = 0; i < eval->capacity; i++) tensor_free(eval->values[i]);
    memory_free(eval->values);
    memory_free(eval->bound);
    memory_free(eval->sizes);
    memory_free(eval);
}

void eval_reset(Eval *eval)
{
    for (uint32_t i = 0; i < eval->capacity; i++) {
        if (eval->bound[i]) continue;
        tensor_free(eval->values[i]);
        eval->values[i] = NULL;
    }
}

/* ---- values */

static void values_reach(Eval *eval, uint32_t id)
{
    if (id < eval->capacity) return;
    uint32_t capacity = eval->capacity ? eval->capacity : 64;
    while (capacity <= id) capacity *= 2;
    eval->values = memory_realloc(eval->values, capacity * sizeof *eval->values);
    eval->bound = memory_realloc(eval->bound, capacity * sizeof *eval->bound);
    memset(eval->values + eval->capacity, 0, (capacity - eval->capacity) * sizeof *eval->values);
    memset(eval->bound + eval->capacity, 0, (capacity - eval->capacity) * sizeof *eval->bound);
    eval->capacity = capacity;
}

static DType working_dtype(const Eval *eval, DType dtype)
{
    bool widens = eval->options.smooth ? dtype_is_float(dtype) : eval->options.f64 && dtype == DTYPE_F32;
    return widens ? DTYPE_F64 : dtype;
}

/* Zeroed; NULL when a size is unknown, negative or absurd. */
static Tensor *tensor_new(Eval *eval, const Type *type)
{
    Tensor shape = {.dtype = working_dtype(eval, type->dtype), .rank = type->rank};
    if (!eval_sizes(eval, type, shape.dims, &shape.count)) return NULL;
    Tensor *tensor = memory_alloc(sizeof *tensor);
    *tensor = shape;
    tensor->data = memory_calloc(shape.count ? (size_t)shape.count : 1, sizeof(double));
    if (dtype_class(tensor->dtype) == DTYPE_CLASS_INTEGER)
        tensor->integers = memory_calloc(shape.count ? (size_t)shape.count : 1, sizeof *tensor->integers);
    return tensor;
}

/* Every element becomes a value of the tensor's type. */
static void tensor_round(Tensor *tensor)
{
    if (tensor->integers)
        for (int64_t i = 0; i < tensor->count; i++)
            tensor->data[i] = (double)(tensor->integers[i] = integer_wrap(tensor->dtype, tensor->integers[i]));
    else if (tensor->dtype != DTYPE_F64)
        for (int64_t i = 0; i < tensor->count; i++) tensor->data[i] = dtype_round(tensor->dtype, tensor->data[i]);
}

static Tensor *tensor_to_bind(Eval *eval, Node node, int64_t count)
{
    Tensor *tensor = tensor_new(eval, node_type(eval->graph, node));
    if (tensor && tensor->count == count) return tensor;
    tensor_free(tensor);
    return NULL;
}

static bool bind_tensor(Eval *eval, Node node, Tensor *tensor)
{
    tensor_round(tensor);
    eval_reset(eval);
    values_reach(eval, node.id);
    tensor_free(eval->values[node.id]);
    eval->values[node.id] = tensor;
    eval->bound[node.id] = true;
    return true;
}

bool eval_bind(Eval *eval, Node node, const double *data, int64_t count)
{
    Tensor *tensor = tensor_to_bind(eval, node, count);
    if (!tensor) return false;
    for (int64_t i = 0; i < count; i++) {
        tensor->data[i] = data[i];
        if (tensor->integers) tensor->integers[i] = integer_saturate(tensor->dtype, data[i]);
    }
    return bind_tensor(eval, node, tensor);
}

bool eval_bind_elements(Eval *eval, Node node, DType dtype, const void *elements, int64_t count)
{
    Tensor *tensor = tensor_to_bind(eval, node, count);
    if (!tensor) return false;
    dtype_load(dtype, tensor->data, elements, count);
    if (tensor->integers && dtype_class(dtype) == DTYPE_CLASS_INTEGER)
        integer_load(dtype, tensor->integers, elements, count);
    else if (tensor->integers)
        for (int64_t i = 0; i < count; i++) tensor->integers[i] = integer_saturate(tensor->dtype, tensor->data[i]);
    else if (dtype == DTYPE_I64) /* rounded once */
        for (int64_t i = 0; i < count && dtype_is_float(tensor->dtype); i++)
            tensor->data[i] = integer_to_float(tensor->dtype, ((const int64_t *)elements)[i]);
    return bind_tensor(eval, node, tensor);
}

/* ---- evaluation */

static bool (*const by_class[])(EvalStep *) = {
    [OP_CLASS_SOURCE] = eval_source,     [OP_CLASS_ELEMENTWISE] = eval_elementwise,
    [OP_CLASS_MOVEMENT] = eval_movement, [OP_CLASS_REDUCTION] = eval_reduction,
    [OP_CLASS_CUMULATIVE] = eval_along,  [OP_CLASS_CONTRACTION] = eval_contraction,
    [OP_CLASS_GATHER] = eval_gather,     [OP_CLASS_DIFFERENTIAL] = eval_differential,
};

static bool fail_sizes(Eval *eval, Node node)
{
    const Type *type = node_type(eval->graph, node);
    for (uint32_t i = 0; i < type->rank; i++) {
        int64_t value;
        if (!eval_dim(eval, node, type->dims[i], &value)) return false;
        if (value < 0) return eval_fail(eval, node, "the size of axis %u is negative: %lld", i, (long long)value);
    }
    return eval_fail(eval, node, "a value is too large to be interpreted");
}

bool eval_differential(EvalStep *step)
{
    if (step->info->op == OP_GRADIENT)
        return eval_fail(step->eval, step->node, "a gradient must be differentiated before it can be evaluated");
    tensor_copy(step->to, 0, step->args[0], 0, step->to->count);
    return true;
}

/* How many operands' values a node needs. */
static uint32_t needed_args(const NodeInfo *info)
{
    return info->op == OP_CUSTOM_GRADIENT ? 1 : info->n_args;
}

static bool compute(Eval *eval, Node node)
{
    const NodeInfo *info = graph_node(eval->graph, node);
    Tensor *to = tensor_new(eval, &info->type);
    if (!to) return fail_sizes(eval, node);

    uint32_t n_args = needed_args(info);
    const Tensor **args = memory_calloc(n_args ? n_args : 1, sizeof *args);
    for (uint32_t i = 0; i < n_args; i++) args[i] = eval->values[info->args[i].id];

    EvalStep step = {eval, node, info, args, to};
    bool ok = by_class[op_info(info->op)->class](&step);
    if (ok) tensor_round(to);
    memory_free(args);
    if (!ok) {
        tensor_free(to);
        return false;
    }
    eval->values[node.id] = to;
    return true;
}

bool eval_run(Eval *eval, const Node *nodes, uint32_t count, const Tensor **results)
{
    values_reach(eval, graph_count(eval->graph));
    eval->message = NULL;
    eval->culprit = NODE_NONE;

    uint32_t last = 0;
    for (uint32_t i = 0; i < count; i++)
        if (nodes[i].id > last) last = nodes[i].id;
    bool *needed = memory_calloc(last + 1, sizeof *needed);
    for (uint32_t i = 0; i < count; i++) needed[nodes[i].id] = true;
    /* Operands have smaller ids, so one walk down finds all and one walk up computes them. */
    for (uint32_t id = last; id > 0; id--) {
        if (!needed[id] || eval->values[id]) continue;
        const NodeInfo *info = graph_node(eval->graph, (Node){id});
        for (uint32_t i = 0; i < needed_args(info); i++) needed[info->args[i].id] = true;
    }
    bool ok = true;
    for (uint32_t id = 1; ok && id <= last; id++)
        if (needed[id] && !eval->values[id]) ok = compute(eval, (Node){id});
    memory_free(needed);
    for (uint32_t i = 0; i < count; i++) results[i] = ok ? eval->values[nodes[i].id] : NULL;
    return ok;
}
