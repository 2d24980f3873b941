#include <string.h>

#include "schedule/schedule_internal.h"

void draft_free(Draft *draft)
{
    vec_free(&draft->axes);
    vec_free(&draft->values);
}

bool affine_same(const Affine *a, const Affine *b)
{
    if (a->n_terms != b->n_terms || !dim_same(a->offset, b->offset) || a->value != b->value ||
        a->checked != b->checked || a->div != b->div)
        return false;
    for (uint32_t i = 0; i < a->n_terms; i++)
        if (a->terms[i].axis != b->terms[i].axis || a->terms[i].factor != b->terms[i].factor) return false;
    return true;
}

static bool shape_same(const Shape *a, const Shape *b)
{
    if (a->rank != b->rank) return false;
    for (uint32_t i = 0; i < a->rank; i++)
        if (!dim_same(a->dims[i], b->dims[i])) return false;
    return true;
}

static bool value_same(const DraftValue *a, const DraftValue *b)
{
    if (a->kind != b->kind || a->op != b->op || a->dtype != b->dtype || a->domain != b->domain ||
        a->reduced != b->reduced || a->n_args != b->n_args || memcmp(a->args, b->args, sizeof a->args) ||
        !node_same(a->node, b->node) || a->n_index != b->n_index || a->axis != b->axis || a->clipped != b->clipped ||
        !dim_same(a->size, b->size) || memcmp(&a->number, &b->number, sizeof a->number) || a->integer != b->integer ||
        !shape_same(&a->shape, &b->shape))
        return false;
    for (uint32_t i = 0; i < a->n_index; i++)
        if (!affine_same(&a->index[i], &b->index[i])) return false;
    return true;
}

uint32_t draft_add(Draft *draft, DraftValue value)
{
    for (size_t i = draft->values.count; i-- > 0;)
        if (value_same(&draft->values.at[i], &value)) return (uint32_t)i;
    vec_push(&draft->values, value);
    return (uint32_t)draft->values.count - 1;
}

uint32_t draft_compute(Draft *draft, Op op, DType dtype, uint32_t n_args, const uint32_t *args)
{
    DraftValue value = {.kind = KERNEL_COMPUTE, .op = op, .dtype = dtype, .n_args = n_args};
    for (uint32_t i = 0; i < n_args; i++) {
        value.args[i] = args[i];
        value.domain |= draft->values.at[args[i]].domain;
    }
    return draft_add(draft, value);
}

uint32_t draft_constant(Draft *draft, DType dtype, double number)
{
    if (dtype_class(dtype) == DTYPE_CLASS_INTEGER) return draft_integer(draft, dtype, (int64_t)number);
    return draft_add(draft, (DraftValue){.kind = KERNEL_CONSTANT, .dtype = dtype, .number = number});
}

uint32_t draft_integer(Draft *draft, DType dtype, int64_t integer)
{
    DraftValue value = {.kind = KERNEL_CONSTANT, .dtype = dtype, .number = (double)integer, .integer = integer};
    return draft_add(draft, value);
}

uint32_t draft_widen(Draft *draft, uint32_t value, AxisMask axes)
{
    DraftValue wide = draft->values.at[value];
    if ((wide.domain & axes) == axes) return value;
    if (wide.kind == KERNEL_REDUCE || wide.kind == KERNEL_SCAN) {
        /* A reduction's or scan's domain is given: repeat its value by an operation that changes nothing. */
        uint32_t args[] = {draft_constant(draft, DTYPE_BOOL, 1), value, value};
        value = draft_compute(draft, OP_SELECT, wide.dtype, 3, args);
        wide = draft->values.at[value];
    }
    wide.domain |= axes;
    return draft_add(draft, wide);
}

AxisMask affine_axes(const Draft *draft, const Affine *affine)
{
    AxisMask axes = affine->value >= 0 ? draft->values.at[affine->value].domain : 0;
    for (uint32_t i = 0; i < affine->n_terms; i++) axes |= axis_bit(affine->terms[i].axis);
    return axes;
}

static bool is_constant(const Scheduler *scheduler, Dim dim, int64_t number)
{
    int64_t value;
    return dim_is_constant(scheduler->dims, dim, &value) && value == number;
}

bool is_unit(const Scheduler *scheduler, Dim dim)
{
    return is_constant(scheduler, dim, 1);
}

bool affine_plain(const Scheduler *scheduler, const Affine *affine, uint32_t *axis)
{
    if (affine->n_terms != 1 || affine->terms[0].factor != 1 || affine->value >= 0 || affine->div > 1) return false;
    *axis = affine->terms[0].axis;
    return is_constant(scheduler, affine->offset, 0);
}

bool affine_zero(const Scheduler *scheduler, const Affine *affine)
{
    return affine->n_terms == 0 && affine->value < 0 && is_constant(scheduler, affine->offset, 0);
}

Affine affine_none(const Scheduler *scheduler)
{
    return (Affine){.offset = dim_constant(scheduler->dims, 0), .value = -1, .div = 1, .inside = NO_VALUE};
}

Affine affine_axis(const Scheduler *scheduler, uint32_t axis)
{
    Affine affine = affine_none(scheduler);
    if (axis == NO_AXIS) return affine;
    affine.n_terms = 1;
    affine.terms[0] = (KernelTerm){axis, 1};
    return affine;
}

/* Takes out what the divisor and all parts of the sum have in common. */
static void reduce_quotient(const Scheduler *scheduler, Affine *affine)
{
    int64_t common = affine->div, number;
    Dim offset;
    if (common == 1) return;
    for (uint32_t i = 0; i < affine->n_terms; i++) common = dim_common_divisor(common, affine->terms[i].factor);
    if (dim_is_constant(scheduler->dims, affine->offset, &number)) common = dim_common_divisor(common, number);
    if (!dim_divides(scheduler->dims, affine->offset, dim_constant(scheduler->dims, common), &offset)) return;
    affine->offset = offset;
    affine->div /= common;
    for (uint32_t i = 0; i < affine->n_terms; i++) affine->terms[i].factor /= common;
}

/* affine * factor, of the sum alone: the divisor stays. */
static bool multiply_sum(const Scheduler *scheduler, Affine *affine, int64_t factor)
{
    if (factor == 1) return true;
    if (affine->value >= 0) return false;
    for (uint32_t i = 0; i < affine->n_terms; i++)
        if (__builtin_mul_overflow(affine->terms[i].factor, factor, &affine->terms[i].factor)) return false;
    affine->offset = dim_mul(scheduler->dims, affine->offset, dim_constant(scheduler->dims, factor));
    return !dim_is_none(affine->offset);
}

bool affine_scale(const Scheduler *scheduler, Affine *affine, int64_t factor, Dim offset)
{
    if (factor == 1 && is_constant(scheduler, offset, 0)) return true;
    if (!multiply_sum(scheduler, affine, factor)) return false;
    affine->inside = NO_VALUE;
    Dim added = dim_mul(scheduler->dims, offset, dim_constant(scheduler->dims, affine->div));
    affine->offset = dim_add(scheduler->dims, affine->offset, added);
    if (dim_is_none(affine->offset)) return false;
    reduce_quotient(scheduler, affine);
    return true;
}

static bool add_term(Affine *affine, KernelTerm term)
{
    for (uint32_t i = 0; i < affine->n_terms; i++) {
        if (affine->terms[i].axis != term.axis) continue;
        affine->terms[i].factor += term.factor;
        if (!affine->terms[i].factor) affine->terms[i] = affine->terms[--affine->n_terms];
        return true;
    }
    if (affine->n_terms == MAX_TERMS) return false;
    affine->terms[affine->n_terms++] = term;
    return true;
}

bool affine_add(const Scheduler *scheduler, Affine *a, const Affine *b)
{
    Affine sum = *a, other = *b;
    int64_t divisor = sum.div == other.div ? 1 : other.div;
    if (sum.value >= 0 && other.value >= 0) return false;
    if (!multiply_sum(scheduler, &sum, divisor) || !multiply_sum(scheduler, &other, sum.div == other.div ? 1 : sum.div))
        return false;
    if (__builtin_mul_overflow(sum.div, divisor, &sum.div)) return false;
    if (other.value >= 0) sum.value = other.value, sum.checked = other.checked;
    if (sum.value >= 0 && sum.div > 1) return false;
    for (uint32_t i = 0; i < other.n_terms; i++)
        if (!add_term(&sum, other.terms[i])) return false;
    sum.offset = dim_add(scheduler->dims, sum.offset, other.offset);
    if (dim_is_none(sum.offset)) return false;
    *a = sum;
    a->inside = NO_VALUE;
    reduce_quotient(scheduler, a);
    return true;
}

bool affine_divide(const Scheduler *scheduler, Affine *affine, int64_t divisor)
{
    if (divisor == 1) return true;
    if (affine->value >= 0 || __builtin_mul_overflow(affine->div, divisor, &affine->div)) return false;
    affine->inside = NO_VALUE;
    reduce_quotient(scheduler, affine);
    return true;
}
