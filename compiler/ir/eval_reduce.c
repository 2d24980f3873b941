/* Reductions, operators along an axis, contraction. */
#include <assert.h>
#include <math.h>

#include "ir/eval_internal.h"
#include "ir/integer.h"
#include "support/memory.h"

static double row_extreme(const double *row, int64_t n, bool largest, int64_t *where)
{
    double best = largest ? -INFINITY : INFINITY;
    *where = 0;
    for (int64_t i = 0; i < n; i++) {
        bool better = largest ? row[i] > best : row[i] < best;
        if (i && !better && !isnan(row[i])) continue;
        best = row[i];
        *where = i;
        if (isnan(best)) break; /* NaN passes, the first of them */
    }
    return best;
}

static double row_logsumexp(const double *row, int64_t n)
{
    int64_t where;
    double largest = row_extreme(row, n, true, &where), sum = 0;
    if (!isfinite(largest)) return largest;
    for (int64_t i = 0; i < n; i++) sum += exp(row[i] - largest);
    return largest + log(sum);
}

double eval_reduce_row(Op op, const double *row, int64_t n)
{
    int64_t where;
    double result = op == OP_PROD || op == OP_ALL ? 1 : 0;
    switch (op) {
    case OP_SUM:
        for (int64_t i = 0; i < n; i++) result += row[i];
        return result;
    case OP_PROD:
        for (int64_t i = 0; i < n; i++) result *= row[i];
        return result;
    case OP_ANY:
        for (int64_t i = 0; i < n; i++) result = result != 0 || row[i] != 0;
        return result;
    case OP_ALL:
        for (int64_t i = 0; i < n; i++) result = result != 0 && row[i] != 0;
        return result;
    case OP_REDUCE_MAX:
        return row_extreme(row, n, true, &where);
    case OP_REDUCE_MIN:
        return row_extreme(row, n, false, &where);
    case OP_ARGMAX:
        row_extreme(row, n, true, &where);
        return (double)where;
    case OP_ARGMIN:
        row_extreme(row, n, false, &where);
        return (double)where;
    case OP_LOGSUMEXP:
        return row_logsumexp(row, n);
    default:
        assert(!"a reduction");
        return 0;
    }
}

/* The reductions of integers; a sum or product wraps around. */
static int64_t row_reduce_integers(Op op, DType dtype, const int64_t *row, int64_t n)
{
    int64_t where = 0, result = op == OP_PROD;
    bool largest = op == OP_REDUCE_MAX || op == OP_ARGMAX;
    if (op == OP_SUM || op == OP_PROD) {
        for (int64_t i = 0; i < n; i++) result = op_evaluate_integer(op == OP_SUM ? OP_ADD : OP_MUL, result, row[i]);
        return result;
    }
    for (int64_t i = 1; i < n; i++)
        if (largest ? row[i] > row[where] : row[i] < row[where]) where = i;
    if (op == OP_ARGMAX || op == OP_ARGMIN) return where;
    assert(op == OP_REDUCE_MAX || op == OP_REDUCE_MIN);
    return n ? row[where] : largest ? integer_least(dtype) : integer_most(dtype);
}

static double *row_read(const Tensor *x, IndexWalk *inner, int64_t offset, int64_t n, double *row)
{
    for (int64_t i = 0; i < n; i++) {
        row[i] = x->data[offset + inner->offsets[0]];
        walk_next(inner);
    }
    return row;
}

static int64_t *row_read_integers(const Tensor *x, IndexWalk *inner, int64_t offset, int64_t n, int64_t *row)
{
    for (int64_t i = 0; i < n; i++) {
        row[i] = x->integers[offset + inner->offsets[0]];
        walk_next(inner);
    }
    return row;
}

bool eval_reduction(EvalStep *step)
{
    const Tensor *x = step->args[0];
    const Attr *attr = &step->info->attr;
    int64_t strides[MAX_RANK], n = 1;
    bool reduced[MAX_RANK] = {0};
    tensor_strides(x, strides);
    for (uint32_t i = 0; i < attr->n_ints; i++) reduced[attr->ints[i]] = true;

    IndexWalk outer = {.count = 1}, inner = {.count = 1};
    for (uint32_t i = 0; i < x->rank; i++) {
        IndexWalk *walk = reduced[i] ? &inner : &outer;
        walk->dims[walk->rank] = x->dims[i];
        walk->strides[0][walk->rank++] = strides[i];
        if (reduced[i]) n *= x->dims[i];
    }
    _Static_assert(sizeof(double) == sizeof(int64_t), "one row for both");
    void *row = memory_alloc((size_t)(n ? n : 1) * sizeof(double));
    for (int64_t to = 0; to < step->to->count; to++) {
        int64_t offset = outer.offsets[0], whole = 0;
        double number = 0;
        if (x->integers)
            whole = row_reduce_integers(step->info->op, x->dtype, row_read_integers(x, &inner, offset, n, row), n);
        else
            number = eval_reduce_row(step->info->op, row_read(x, &inner, offset, n, row), n);
        if (step->to->integers)
            step->to->integers[to] = x->integers ? whole : (int64_t)number;
        else
            step->to->data[to] = number;
        walk_next(&outer);
    }
    memory_free(row);
    return true;
}

static void line_softmax(double *to, const double *from, int64_t n, int64_t stride, bool logarithm)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, from[i * stride]);
    for (int64_t i = 0; i < n; i++) sum += exp(from[i * stride] - largest);
    for (int64_t i = 0; i < n; i++) {
        double shifted = from[i * stride] - largest;
        to[i * stride] = logarithm ? shifted - log(sum) : exp(shifted) / sum;
    }
}

static void line_cumsum(int64_t *to, const int64_t *from, int64_t n, int64_t stride)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) to[i * stride] = sum = op_evaluate_integer(OP_ADD, sum, from[i * stride]);
}

bool eval_along(EvalStep *step)
{
    const Tensor *x = step->args[0];
    Op op = step->info->op;
    int64_t axis = step->info->attr.integer, inner = 1, n = x->dims[axis];
    for (int64_t i = axis + 1; i < x->rank; i++) inner *= x->dims[i];
    int64_t lines = n ? x->count / n : 0;
    for (int64_t line = 0; line < lines; line++) {
        int64_t at = line / inner * n * inner + line % inner;
        const double *from = x->data + at;
        double *to = step->to->data + at, sum = 0;
        if (x->integers)
            line_cumsum(step->to->integers + at, x->integers + at, n, inner);
        else if (op == OP_CUMSUM)
            for (int64_t i = 0; i < n; i++) to[i * inner] = sum += from[i * inner];
        else
            line_softmax(to, from, n, inner, op == OP_LOG_SOFTMAX);
    }
    return true;
}

/* ---- contraction */

typedef struct {
    int32_t label;
    int64_t size, strides[3]; /* in a, b and the result; 0 where it does not occur */
    bool in_result;
} Axis;

/* Adds one tensor's axes to the list of labels; false when a label has two sizes. */
static bool collect(Axis *axes, uint32_t *n_axes, const Tensor *tensor, const int32_t *labels, int which)
{
    int64_t strides[MAX_RANK];
    tensor_strides(tensor, strides);
    for (uint32_t i = 0; i < tensor->rank; i++) {
        uint32_t k = 0;
        while (k < *n_axes && axes[k].label != labels[i]) k++;
        if (k == *n_axes) axes[(*n_axes)++] = (Axis){.label = labels[i], .size = tensor->dims[i]};
        if (axes[k].size != tensor->dims[i]) return false;
        axes[k].strides[which] = strides[i];
        if (which == 2) axes[k].in_result = true;
    }
    return true;
}

static IndexWalk walk_over(const Axis *axes, uint32_t n_axes, bool in_result)
{
    IndexWalk walk = {.count = 3};
    for (uint32_t k = 0; k < n_axes; k++) {
        if (axes[k].in_result != in_result) continue;
        walk.dims[walk.rank] = axes[k].size;
        for (int which = 0; which < 3; which++) walk.strides[which][walk.rank] = axes[k].strides[which];
        walk.rank++;
    }
    return walk;
}

static int64_t dot_integers(int64_t sum, const int64_t *a, int64_t stride_a, const int64_t *b, int64_t stride_b,
                            int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        sum = op_evaluate_integer(OP_ADD, sum, op_evaluate_integer(OP_MUL, a[i * stride_a], b[i * stride_b]));
    return sum;
}

bool eval_contraction(EvalStep *step)
{
    const Tensor *a = step->args[0], *b = step->args[1];
    const int32_t *labels = step->info->attr.ints;
    Axis axes[3 * MAX_RANK];
    uint32_t n_axes = 0;
    if (!collect(axes, &n_axes, a, labels, 0) || !collect(axes, &n_axes, b, labels + a->rank, 1) ||
        !collect(axes, &n_axes, step->to, labels + a->rank + b->rank, 2))
        return eval_fail(step->eval, step->node, "an axis of a contraction has two sizes");
    for (uint32_t k = 0; k < n_axes; k++)
        if (!axes[k].size) return true; /* a sum of nothing, or no result */

    IndexWalk outer = walk_over(axes, n_axes, true), inner = walk_over(axes, n_axes, false);
    /* The last summed axis is a plain loop, which is where the time goes. */
    int64_t n = 1, stride_a = 0, stride_b = 0;
    if (inner.rank) {
        uint32_t last = --inner.rank;
        n = inner.dims[last], stride_a = inner.strides[0][last], stride_b = inner.strides[1][last];
    }
    do {
        double sum = 0;
        int64_t whole = 0;
        do {
            int64_t at_a = outer.offsets[0] + inner.offsets[0], at_b = outer.offsets[1] + inner.offsets[1];
            if (a->integers)
                whole = dot_integers(whole, a->integers + at_a, stride_a, b->integers + at_b, stride_b, n);
            else
                for (int64_t i = 0; i < n; i++) sum += a->data[at_a + i * stride_a] * b->data[at_b + i * stride_b];
        } while (walk_next(&inner));
        if (a->integers)
            step->to->integers[outer.offsets[2]] = whole;
        else
            step->to->data[outer.offsets[2]] = sum;
    } while (walk_next(&outer));
    return true;
}
