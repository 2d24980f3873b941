/* Sources, elementwise operators, movement and gathering. */
#include <assert.h>
#include <string.h>

#include "ir/eval_internal.h"
#include "ir/integer.h"
#include "nn_random.h"

/* ---- sources */

static void put_integer(Tensor *to, int64_t at, int64_t integer)
{
    if (to->integers)
        to->integers[at] = integer;
    else
        to->data[at] = (double)integer;
}

/* A number to be rounded to the element type. */
static void put_number(Tensor *to, int64_t at, double number)
{
    if (to->integers)
        to->integers[at] = integer_saturate(to->dtype, number);
    else
        to->data[at] = number;
}

static void fill_constant(EvalStep *step)
{
    const Attr *attr = &step->info->attr;
    for (int64_t i = 0; i < step->to->count; i++) {
        if (step->to->integers)
            step->to->integers[i] = attr->integer;
        else
            step->to->data[i] = attr->number;
    }
}

static void fill_random(EvalStep *step)
{
    const EvalOptions *options = &step->eval->options;
    Tensor *to = step->to;
    uint32_t stream = nn_random_stream(step->info->attr.name, step->info->attr.integer);
    int64_t row = to->rank && to->dims[0] ? to->count / to->dims[0] : 0;
    uint64_t first = (uint64_t)(options->first_row * row);
    for (int64_t i = 0; i < to->count; i++)
        put_number(to, i, nn_random_uniform(options->seed, stream, options->step, first + (uint64_t)i));
}

static void fill_iota(EvalStep *step)
{
    Tensor *to = step->to;
    int64_t strides[MAX_RANK], axis = step->info->attr.integer;
    tensor_strides(to, strides);
    for (int64_t i = 0; i < to->count; i++) put_integer(to, i, i / strides[axis] % to->dims[axis]);
}

bool eval_source(EvalStep *step)
{
    const Attr *attr = &step->info->attr;
    Tensor *to = step->to;
    int64_t size;
    switch (step->info->op) {
    case OP_CONST:
        fill_constant(step);
        return true;
    case OP_SETTING:
        for (int64_t i = 0; i < to->count; i++) put_number(to, i, attr->number);
        return true;
    case OP_LITERAL:
        if ((size_t)to->count * dtype_size(step->info->type.dtype) != attr->data_size)
            return eval_fail(step->eval, step->node, "a literal has other sizes than its type");
        if (to->integers)
            integer_load(to->dtype, to->integers, attr->data, to->count);
        else
            dtype_load(step->info->type.dtype, to->data, attr->data, to->count);
        return true;
    case OP_RANDOM:
        fill_random(step);
        return true;
    case OP_IOTA:
        fill_iota(step);
        return true;
    case OP_SIZE:
        if (!eval_dim(step->eval, step->node, attr->sizes[0], &size)) return false;
        put_integer(to, 0, size);
        return true;
    default:
        return eval_fail(step->eval, step->node, "`%s` has no value", attr->name);
    }
}

/* ---- elementwise */

/* To another type: integers wrap around, numbers are cut and saturate, both are rounded once. */
static void convert(Tensor *to, const Tensor *x)
{
    for (int64_t i = 0; i < to->count; i++) {
        if (!x->integers)
            put_number(to, i, x->data[i]);
        else if (dtype_is_float(to->dtype))
            to->data[i] = integer_to_float(to->dtype, x->integers[i]);
        else
            put_integer(to, i, to->dtype == DTYPE_BOOL ? x->integers[i] != 0 : x->integers[i]);
    }
}

static void choose(Tensor *to, const Tensor *condition, const Tensor *yes, const Tensor *no)
{
    for (int64_t i = 0; i < to->count; i++) tensor_copy(to, i, condition->data[i] != 0 ? yes : no, i, 1);
}

bool eval_elementwise(EvalStep *step)
{
    Tensor *to = step->to;
    uint32_t n = step->info->n_args;
    const double *args[3] = {0};
    for (uint32_t k = 0; k < n; k++) {
        if (step->args[k]->count != to->count)
            return eval_fail(step->eval, step->node, "the operands of `%s` differ in size",
                             op_info(step->info->op)->spelling);
        args[k] = step->args[k]->data;
    }
    Op op = step->info->op;
    const Tensor *x = step->args[0];
    if (op == OP_CAST)
        convert(to, x);
    else if (op == OP_SELECT)
        choose(to, x, step->args[1], step->args[2]);
    else if (x->integers)
        for (int64_t i = 0; i < to->count; i++)
            put_integer(to, i, op_evaluate_integer(op, x->integers[i], n > 1 ? step->args[1]->integers[i] : 0));
    if (op == OP_CAST || op == OP_SELECT || x->integers) return true;
    for (int64_t i = 0; i < to->count; i++)
        to->data[i] = op_evaluate(op, args[0][i], n > 1 ? args[1][i] : 0, n > 2 ? args[2][i] : 0);
    return true;
}

/* ---- movement */

/* to[index] = from[offset + sum of index * strides], or the other way round. */
static void copy_strided(Tensor *to, const Tensor *from, const int64_t *dims, const int64_t *strides,
                         const int64_t *to_strides, int64_t from_offset, int64_t to_offset)
{
    uint32_t rank = to->rank;
    IndexWalk walk = {.rank = rank, .count = 2, .offsets = {from_offset, to_offset}};
    for (uint32_t i = 0; i < rank; i++) {
        if (!dims[i]) return;
        walk.dims[i] = dims[i];
        walk.strides[0][i] = strides[i];
        walk.strides[1][i] = to_strides[i];
    }
    do tensor_copy(to, walk.offsets[1], from, walk.offsets[0], 1);
    while (walk_next(&walk));
}

static bool check_size(EvalStep *step, uint32_t axis, int64_t found, int64_t expected)
{
    if (found == expected) return true;
    return eval_fail(step->eval, step->node, "axis %u of `%s` has size %lld, but %lld is needed", axis,
                     op_info(step->info->op)->spelling, (long long)found, (long long)expected);
}

static bool move_slice(EvalStep *step, int64_t *strides, int64_t *offset)
{
    const Attr *attr = &step->info->attr;
    const Tensor *x = step->args[0];
    for (uint32_t i = 0; i < x->rank; i++) {
        int64_t start, size = step->to->dims[i];
        if (!eval_dim(step->eval, step->node, attr->sizes[i], &start)) return false;
        int64_t last = start + (size - 1) * attr->ints[i];
        if (size && (start < 0 || last < 0 || start >= x->dims[i] || last >= x->dims[i]))
            return eval_fail(step->eval, step->node, "a slice from %lld to %lld is outside axis %u of size %lld",
                             (long long)start, (long long)last, i, (long long)x->dims[i]);
        *offset += start * strides[i];
        strides[i] *= attr->ints[i];
    }
    return true;
}

static bool move_pad(EvalStep *step)
{
    const Tensor *x = step->args[0];
    Tensor *to = step->to;
    int64_t strides[MAX_RANK], to_strides[MAX_RANK], offset = 0;
    tensor_strides(x, strides);
    tensor_strides(to, to_strides);
    for (uint32_t i = 0; i < to->rank; i++) {
        int64_t before;
        if (!eval_dim(step->eval, step->node, step->info->attr.sizes[i], &before)) return false;
        if (before < 0 || before + x->dims[i] > to->dims[i])
            return eval_fail(step->eval, step->node, "the padding of axis %u is negative", i);
        offset += before * to_strides[i];
    }
    copy_strided(to, x, x->dims, strides, to_strides, 0, offset);
    return true;
}

static bool move_concat(EvalStep *step)
{
    Tensor *to = step->to;
    int64_t axis = step->info->attr.integer, inner = 1, outer = 1, at = 0;
    for (int64_t i = 0; i < axis; i++) outer *= to->dims[i];
    for (int64_t i = axis + 1; i < to->rank; i++) inner *= to->dims[i];
    for (uint32_t k = 0; k < step->info->n_args; k++) {
        const Tensor *x = step->args[k];
        int64_t block = x->dims[axis] * inner;
        if (x->count != outer * block || at + x->dims[axis] > to->dims[axis])
            return eval_fail(step->eval, step->node, "the parts of a concatenation differ in size");
        for (int64_t o = 0; o < outer; o++) tensor_copy(to, (o * to->dims[axis] + at) * inner, x, o * block, block);
        at += x->dims[axis];
    }
    return check_size(step, (uint32_t)axis, at, to->dims[axis]);
}

/* strides: those of the operand, changed to those by which the result's axes walk through it. */
static bool move_strides(EvalStep *step, int64_t *strides, int64_t *offset)
{
    const Attr *attr = &step->info->attr;
    const Tensor *x = step->args[0];
    int64_t own[MAX_RANK];
    memcpy(own, strides, sizeof own);
    switch (step->info->op) {
    case OP_BROADCAST:
        memset(strides, 0, MAX_RANK * sizeof *strides);
        for (uint32_t i = 0; i < x->rank; i++) {
            if (!check_size(step, i, x->dims[i], step->to->dims[attr->ints[i]])) return false;
            strides[attr->ints[i]] = own[i];
        }
        return true;
    case OP_TRANSPOSE:
        for (uint32_t i = 0; i < x->rank; i++) strides[i] = own[attr->ints[i]];
        return true;
    case OP_REVERSE:
        for (uint32_t i = 0; i < attr->n_ints; i++) {
            int32_t axis = attr->ints[i];
            *offset += (x->dims[axis] - 1) * own[axis];
            strides[axis] = -own[axis];
        }
        return true;
    default:
        return move_slice(step, strides, offset);
    }
}

bool eval_movement(EvalStep *step)
{
    const Tensor *x = step->args[0];
    Tensor *to = step->to;
    if (step->info->op == OP_PAD) return move_pad(step);
    if (step->info->op == OP_WINDOW || step->info->op == OP_UNWINDOW) return eval_window(step);
    if (step->info->op == OP_CONCAT) return move_concat(step);
    if (step->info->op == OP_RESHAPE) {
        if (x->count != to->count)
            return eval_fail(step->eval, step->node, "%lld elements cannot take a shape of %lld", (long long)x->count,
                             (long long)to->count);
        tensor_copy(to, 0, x, 0, x->count);
        return true;
    }
    int64_t strides[MAX_RANK], to_strides[MAX_RANK], offset = 0;
    tensor_strides(x, strides);
    tensor_strides(to, to_strides);
    if (!move_strides(step, strides, &offset)) return false;
    copy_strided(to, x, to->dims, strides, to_strides, offset, 0);
    return true;
}

/* ---- gathering */

/* Both read and write as [batch, middle, axis, inner], and [batch, middle, ids, inner] on the other side. */
bool eval_gather(EvalStep *step)
{
    bool scatter = step->info->op == OP_SCATTER_ADD;
    const Tensor *ids = step->args[scatter ? 0 : 1], *full = scatter ? step->to : step->args[0];
    const Tensor *part = scatter ? step->args[1] : step->to;
    uint32_t axis = (uint32_t)step->info->attr.ints[0], batch_axes = (uint32_t)step->info->attr.ints[1];
    int64_t batch = tensor_extent(full, 0, batch_axes), middle = tensor_extent(full, batch_axes, axis);
    int64_t size = full->dims[axis], inner = tensor_extent(full, axis + 1, full->rank);
    int64_t n_ids = tensor_extent(ids, batch_axes, ids->rank);
    if (ids->count != batch * n_ids || part->count != batch * middle * n_ids * inner)
        return eval_fail(step->eval, step->node, "the sizes of `%s` do not agree", op_info(step->info->op)->spelling);

    for (int64_t b = 0; b < batch; b++)
        for (int64_t k = 0; k < n_ids; k++) {
            int64_t id = ids->integers[b * n_ids + k];
            if (id < 0 || id >= size)
                return eval_fail(step->eval, step->node, "the index %lld is outside an axis of size %lld",
                                 (long long)id, (long long)size);
            for (int64_t m = 0; m < middle; m++) {
                int64_t f = (((b * middle + m) * size) + id) * inner, p = (((b * middle + m) * n_ids) + k) * inner;
                if (scatter)
                    tensor_add(step->to, f, part, p, inner);
                else
                    tensor_copy(step->to, p, full, f, inner);
            }
        }
    return true;
}
