#include "kernel/kernel.h"

/* What one check needs; `wrong` keeps the first complaint. */
typedef struct {
    Arena *arena;
    const Kernel *kernel;
    const char *wrong;
} Check;

#define COMPLAIN(check, ...) ((check)->wrong ? 0 : ((check)->wrong = arena_format((check)->arena, __VA_ARGS__), 0))

static void check_header(Check *check)
{
    const Kernel *kernel = check->kernel;
    if (kernel->n_axes > KERNEL_MAX_AXES) COMPLAIN(check, "more than %d axes", KERNEL_MAX_AXES);
    for (uint32_t i = 0; i < kernel->n_sizes; i++)
        if (kernel->sizes[i].known && kernel->sizes[i].value != 0 && kernel->sizes[i].value != 1)
            COMPLAIN(check, "s%u is known, but neither 0 nor 1", i);
    for (uint32_t i = 0; i < kernel->n_axes; i++)
        if (kernel->axes[i].extent >= kernel->n_sizes) COMPLAIN(check, "a%u has no extent", i);
    for (uint32_t i = 0; i < kernel->n_buffers; i++) {
        const KernelBuffer *buffer = &kernel->buffers[i];
        if (buffer->rank > MAX_RANK) {
            COMPLAIN(check, "b%u has too many dimensions", i);
            continue;
        }
        if (!buffer->read && !buffer->written) COMPLAIN(check, "b%u is neither read nor written", i);
        for (uint32_t j = 0; j < buffer->rank; j++)
            if (buffer->dims[j] >= kernel->n_sizes) COMPLAIN(check, "b%u has an unknown size", i);
    }
}

/* True when `arg` may be read by value `at`. */
static bool check_operand(Check *check, uint32_t at, uint32_t arg)
{
    if (arg >= at) {
        COMPLAIN(check, "v%u reads v%u before it is computed", at, arg);
        return false;
    }
    KernelValueKind kind = check->kernel->values[arg].kind;
    if (kind == KERNEL_STORE || kind == KERNEL_SCATTER) {
        COMPLAIN(check, "v%u reads the store v%u", at, arg);
        return false;
    }
    return true;
}

static AxisMask check_index(Check *check, uint32_t at)
{
    const Kernel *kernel = check->kernel;
    const KernelValue *value = &kernel->values[at];
    AxisMask axes = 0;
    for (uint32_t i = 0; i < value->n_index; i++) {
        const KernelIndex *index = &value->index[i];
        if (index->offset >= kernel->n_sizes) COMPLAIN(check, "subscript %u of v%u has an unknown offset", i, at);
        for (uint32_t j = 0; j < index->n_terms; j++)
            if (index->terms[j].axis >= kernel->n_axes) {
                COMPLAIN(check, "subscript %u of v%u has an unknown axis", i, at);
                return axes;
            }
        if (index->value >= 0) {
            if (!check_operand(check, at, (uint32_t)index->value)) return axes;
            DType dtype = kernel->values[index->value].dtype;
            if (dtype != DTYPE_I32 && dtype != DTYPE_I64)
                COMPLAIN(check, "subscript %u of v%u is data of type %s", i, at, dtype_name(dtype));
        } else if (index->checked) {
            COMPLAIN(check, "subscript %u of v%u is checked but no data", i, at);
        }
        if (kernel_index_clipped(value, i) && (value->kind != KERNEL_LOAD || !value->n_args || index->value >= 0))
            COMPLAIN(check, "subscript %u of v%u is clipped without a mask", i, at);
        if (index->div < 1) COMPLAIN(check, "subscript %u of v%u has no divisor", i, at);
        if (index->div > 1 && (value->kind != KERNEL_LOAD || !value->n_args || index->value >= 0))
            COMPLAIN(check, "subscript %u of v%u is divided without a mask", i, at);
        axes |= kernel_index_axes(kernel, index);
    }
    return axes;
}

static void check_access(Check *check, uint32_t at)
{
    const Kernel *kernel = check->kernel;
    const KernelValue *value = &kernel->values[at];
    if (value->buffer >= kernel->n_buffers) {
        COMPLAIN(check, "v%u names no buffer", at);
        return;
    }
    const KernelBuffer *buffer = &kernel->buffers[value->buffer];
    if (value->n_index != buffer->rank)
        COMPLAIN(check, "v%u has %u subscripts for b%u", at, value->n_index, value->buffer);
    if (value->dtype != buffer->dtype) COMPLAIN(check, "v%u and b%u differ in type", at, value->buffer);
    bool load = value->kind == KERNEL_LOAD;
    if (load ? !buffer->read : !buffer->written)
        COMPLAIN(check, "v%u %s b%u, which is not declared so", at, load ? "reads" : "writes", value->buffer);
    if (load ? value->n_args > 1 : value->n_args != 1) {
        COMPLAIN(check, "v%u has %u operands", at, value->n_args);
        return;
    }
    if (!value->n_args) return;
    DType dtype = kernel->values[value->args[0]].dtype;
    if (dtype != (load ? DTYPE_BOOL : value->dtype))
        COMPLAIN(check, "the operand of v%u is of type %s", at, dtype_name(dtype));
}

static void check_compute(Check *check, uint32_t at)
{
    const KernelValue *value = &check->kernel->values[at];
    const OpInfo *info = value->op < OP_COUNT ? op_info(value->op) : NULL;
    if (!info || info->class != OP_CLASS_ELEMENTWISE || (uint32_t)info->arity != value->n_args) {
        COMPLAIN(check, "v%u is no elementwise operation of %u operands", at, value->n_args);
        return;
    }
    const KernelValue *values = check->kernel->values;
    DType operand = values[value->args[0]].dtype;
    uint32_t first = 0;
    bool right = true;
    switch (info->rule) {
    case TYPE_RULE_SAME:
        right = value->dtype == operand;
        break;
    case TYPE_RULE_FLOAT:
        right = value->dtype == operand && dtype_is_float(operand);
        break;
    case TYPE_RULE_COMPARE:
        right = value->dtype == DTYPE_BOOL;
        break;
    case TYPE_RULE_LOGIC:
        right = value->dtype == DTYPE_BOOL && operand == DTYPE_BOOL;
        break;
    case TYPE_RULE_SELECT:
        right = operand == DTYPE_BOOL;
        operand = value->dtype;
        first = 1;
        break;
    default:
        break;
    }
    for (uint32_t i = first; i < value->n_args; i++) right = right && values[value->args[i]].dtype == operand;
    if (!right) COMPLAIN(check, "the types of v%u do not fit %s", at, info->spelling);
}

static bool is_position(const KernelValue *value)
{
    return value->op == OP_ARGMAX || value->op == OP_ARGMIN;
}

/* True for a reduction that kernels know, of as many operands as it has. */
static bool check_reduction(Check *check, uint32_t at)
{
    const KernelValue *value = &check->kernel->values[at];
    bool several = value->reduced & (value->reduced - 1);
    uint32_t n_args = value->kind == KERNEL_REDUCE && is_position(value) && several ? 2 : 1;
    bool known = value->op < OP_COUNT && op_info(value->op)->class == OP_CLASS_REDUCTION && value->op != OP_LOGSUMEXP;
    if (known && value->n_args == n_args) return true;
    COMPLAIN(check, "v%u is no reduction of %s", at, n_args == 1 ? "one operand" : "elements and their positions");
    return false;
}

static void check_scan(Check *check, uint32_t at)
{
    if (!check_reduction(check, at)) return;
    const KernelValue *value = &check->kernel->values[at], *arg = &check->kernel->values[value->args[0]];
    if (is_position(value)) COMPLAIN(check, "v%u scans positions", at);
    if (!value->reduced || value->reduced & (value->reduced - 1) || value->reduced & ~value->domain)
        COMPLAIN(check, "v%u does not scan one axis of its domain", at);
    if (value->domain != arg->domain) COMPLAIN(check, "v%u has another domain than its operand", at);
    if (value->dtype != arg->dtype) COMPLAIN(check, "v%u has the wrong type", at);
}

static void check_reduce(Check *check, uint32_t at)
{
    if (!check_reduction(check, at)) return;
    const KernelValue *value = &check->kernel->values[at];
    const KernelValue *arg = &check->kernel->values[value->args[0]];
    bool position = is_position(value);
    if (!value->reduced || (value->reduced & ~arg->domain))
        COMPLAIN(check, "v%u reduces axes that its operand lacks", at);
    if (value->domain != (arg->domain & ~value->reduced)) COMPLAIN(check, "v%u has the wrong domain", at);
    const KernelValue *place = &check->kernel->values[value->args[value->n_args - 1]];
    if (value->n_args == 2 && (place->dtype != DTYPE_I64 || place->domain & ~arg->domain))
        COMPLAIN(check, "v%u has positions that are not i64 or depend on other axes", at);
    if (value->dtype != (position ? DTYPE_I32 : arg->dtype)) COMPLAIN(check, "v%u has the wrong type", at);
}

static void check_value(Check *check, uint32_t at)
{
    const Kernel *kernel = check->kernel;
    const KernelValue *value = &kernel->values[at];
    AxisMask all = kernel->n_axes >= 32 ? ~(AxisMask)0 : ((AxisMask)1 << kernel->n_axes) - 1;
    if (value->domain & ~all) COMPLAIN(check, "v%u has unknown axes in its domain", at);
    if (value->n_args > 3) COMPLAIN(check, "v%u has too many operands", at);
    for (uint32_t i = 0; i < value->n_args && i < 3; i++)
        if (!check_operand(check, at, value->args[i])) return;
    AxisMask subscripts = check_index(check, at), needed = subscripts;
    if (check->wrong) return;
    if (value->kind != KERNEL_REDUCE)
        for (uint32_t i = 0; i < value->n_args; i++) needed |= kernel->values[value->args[i]].domain;
    switch (value->kind) {
    case KERNEL_STORE:
        if (value->domain != subscripts)
            COMPLAIN(check, "the domain of the store v%u is not that of its subscripts", at);
        check_access(check, at);
        break;
    case KERNEL_LOAD:
    case KERNEL_SCATTER:
        check_access(check, at);
        break;
    case KERNEL_AXIS:
        if (value->axis >= kernel->n_axes)
            COMPLAIN(check, "v%u names no axis", at);
        else
            needed |= (AxisMask)1 << value->axis;
        if (value->dtype != DTYPE_I64) COMPLAIN(check, "v%u is not i64", at);
        break;
    case KERNEL_SIZE:
        if (value->size >= kernel->n_sizes || value->dtype != DTYPE_I64)
            COMPLAIN(check, "v%u names no size as i64", at);
        break;
    case KERNEL_NUMBER:
        if (value->size >= kernel->n_sizes || (value->dtype != DTYPE_F32 && value->dtype != DTYPE_F64))
            COMPLAIN(check, "v%u names no number as f32 or f64", at);
        break;
    case KERNEL_RANDOM:
        if (value->dtype != DTYPE_F32) COMPLAIN(check, "the random v%u is not f32", at);
        if (value->stream >= kernel->n_sizes) COMPLAIN(check, "v%u names no stream", at);
        for (uint32_t i = 0; i < value->n_index; i++)
            if (value->dims[i] >= kernel->n_sizes) COMPLAIN(check, "v%u has an unknown size", at);
        break;
    case KERNEL_COMPUTE:
        check_compute(check, at);
        break;
    case KERNEL_REDUCE:
        check_reduce(check, at);
        break;
    case KERNEL_SCAN:
        check_scan(check, at);
        break;
    case KERNEL_CONSTANT:
        break;
    }
    if (needed & ~value->domain) COMPLAIN(check, "v%u depends on axes outside its domain", at);
}

/* Memory that is read and written is read exactly where it is written; nothing is written twice at one point. */
static void check_in_place(Check *check)
{
    const Kernel *kernel = check->kernel;
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        const KernelValue *store = &kernel->values[i];
        if (store->kind != KERNEL_STORE && store->kind != KERNEL_SCATTER) continue;
        for (uint32_t j = 0; j < kernel->n_values; j++) {
            const KernelValue *load = &kernel->values[j];
            if (load->kind != KERNEL_LOAD || load->buffer != store->buffer) continue;
            if (store->kind == KERNEL_SCATTER || !kernel_index_same(load->index, store->index, store->n_index))
                COMPLAIN(check, "v%u reads b%u elsewhere than v%u writes it", j, load->buffer, i);
        }
    }
}

const char *kernel_verify(Context *context, const Kernel *kernel)
{
    Check check = {.arena = context->arena, .kernel = kernel};
    check_header(&check);
    uint32_t stores = 0;
    for (uint32_t i = 0; i < kernel->n_values && !check.wrong; i++) {
        check_value(&check, i);
        stores += kernel->values[i].kind == KERNEL_STORE || kernel->values[i].kind == KERNEL_SCATTER;
    }
    if (!stores) COMPLAIN(&check, "nothing is stored");
    if (!check.wrong) check_in_place(&check);
    return check.wrong;
}
