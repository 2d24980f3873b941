/* What a plan means, without a code generator. Values are kept for their whole domain where the order matters
 * (reductions, and loads of memory that the kernel writes); all others are computed at each point where they are
 * needed. */
#include <math.h>
#include <string.h>

#include "ir/eval.h"
#include "ir/integer.h"
#include "kernel/plan.h"
#include "nn_random.h"
#include "support/memory.h"

/* A value: of an integer type exactly `integer`, of others `number` (a bool is 0 or 1). */
typedef union {
    double number;
    int64_t integer;
} Scalar;

typedef struct {
    const Kernel *kernel;
    void **memory;        /* per kernel buffer */
    const int64_t *sizes; /* per kernel size */
    uint64_t seed, step;
    Scalar **kept; /* per value: its elements over its domain, or NULL */
    Scalar *value; /* per value, at the current point */
    int64_t point[KERNEL_MAX_AXES];
    bool *needed; /* scratch: which values the current sink is made of */
    bool failed;
} Machine;

static int64_t extent(const Machine *machine, uint32_t axis)
{
    return machine->sizes[machine->kernel->axes[axis].extent];
}

static int64_t domain_count(const Machine *machine, AxisMask domain)
{
    int64_t count = 1;
    for (uint32_t i = 0; i < machine->kernel->n_axes; i++)
        if (domain >> i & 1) count *= extent(machine, i);
    return count;
}

/* Where the current point stands in a domain, first axis slowest. */
static int64_t domain_position(const Machine *machine, AxisMask domain)
{
    int64_t position = 0;
    for (uint32_t i = 0; i < machine->kernel->n_axes; i++)
        if (domain >> i & 1) position = position * extent(machine, i) + machine->point[i];
    return position;
}

/* Moves to the next point of a domain; false after the last, with all its axes back at 0. */
static bool domain_next(Machine *machine, AxisMask domain)
{
    for (uint32_t i = machine->kernel->n_axes; i-- > 0;) {
        if (!(domain >> i & 1)) continue;
        if (++machine->point[i] < extent(machine, i)) return true;
        machine->point[i] = 0;
    }
    return false;
}

static int64_t subscript(Machine *machine, const KernelIndex *index, int64_t dim)
{
    int64_t at = index->negative ? -machine->sizes[index->offset] : machine->sizes[index->offset];
    for (uint32_t i = 0; i < index->n_terms; i++) at += index->terms[i].factor * machine->point[index->terms[i].axis];
    if (index->value >= 0) at += machine->value[index->value].integer;
    int64_t rest = at % index->div;
    at /= index->div;
    if (!rest && at >= 0 && at < dim) return at;
    machine->failed = true;
    return 0;
}

static int64_t address(Machine *machine, const KernelValue *value, const uint32_t *dims)
{
    int64_t at = 0;
    for (uint32_t i = 0; i < value->n_index; i++) {
        int64_t dim = machine->sizes[dims[i]];
        at = at * dim + subscript(machine, &value->index[i], dim);
    }
    return at;
}

static bool is_integer(DType dtype)
{
    return dtype_class(dtype) == DTYPE_CLASS_INTEGER;
}

static Scalar scalar_number(double number)
{
    return (Scalar){.number = number};
}

static Scalar scalar_integer(int64_t integer)
{
    return (Scalar){.integer = integer};
}

static Scalar scalar_load(DType dtype, const void *from)
{
    Scalar scalar;
    if (is_integer(dtype))
        integer_load(dtype, &scalar.integer, from, 1);
    else
        dtype_load(dtype, &scalar.number, from, 1);
    return scalar;
}

/* True if what the load says of its mask holds here: it is true where all clipped subscripts lie inside. */
static bool mask_is_as_said(Machine *machine, const KernelValue *load, const uint32_t *dims, bool mask)
{
    bool failed = machine->failed, inside = true;
    for (uint32_t i = 0; i < load->n_index; i++) {
        if (!kernel_index_clipped(load, i)) continue;
        machine->failed = false;
        subscript(machine, &load->index[i], machine->sizes[dims[i]]);
        inside = inside && !machine->failed;
    }
    machine->failed = failed;
    return !load->clipped || inside == mask;
}

static Scalar read_element(Machine *machine, const KernelValue *value)
{
    const KernelBuffer *buffer = &machine->kernel->buffers[value->buffer];
    bool mask = !value->n_args || machine->value[value->args[0]].number != 0;
    if (!mask_is_as_said(machine, value, buffer->dims, mask)) machine->failed = true;
    if (!mask) return is_integer(buffer->dtype) ? scalar_integer(0) : scalar_number(0);
    int64_t at = address(machine, value, buffer->dims);
    return scalar_load(buffer->dtype, (char *)machine->memory[value->buffer] + at * dtype_size(buffer->dtype));
}

static Scalar cast(DType to, DType from, Scalar x)
{
    if (is_integer(from) && is_integer(to)) return scalar_integer(integer_wrap(to, x.integer));
    if (is_integer(to)) return scalar_integer(integer_saturate(to, x.number));
    if (!is_integer(from)) return scalar_number(dtype_round(to, x.number));
    return scalar_number(to == DTYPE_BOOL ? x.integer != 0 : integer_to_float(to, x.integer));
}

/* An elementwise operator of operands of type `of` (a choice's: of those that it chooses from). */
static Scalar apply(Op op, DType to, DType of, const Scalar *x)
{
    if (op == OP_CAST) return cast(to, of, x[0]);
    if (op == OP_SELECT) return x[0].number != 0 ? x[1] : x[2];
    if (!is_integer(of)) return scalar_number(dtype_round(to, op_evaluate(op, x[0].number, x[1].number, x[2].number)));
    int64_t result = op_evaluate_integer(op, x[0].integer, x[1].integer);
    return is_integer(to) ? scalar_integer(integer_wrap(to, result)) : scalar_number((double)result);
}

static void write_element(Machine *machine, const KernelValue *value)
{
    const KernelBuffer *buffer = &machine->kernel->buffers[value->buffer];
    char *to =
        (char *)machine->memory[value->buffer] + address(machine, value, buffer->dims) * dtype_size(buffer->dtype);
    Scalar element = machine->value[value->args[0]];
    bool integer = is_integer(buffer->dtype);
    if (value->kind == KERNEL_SCATTER) {
        Scalar old = scalar_load(buffer->dtype, to);
        element = integer ? scalar_integer(op_evaluate_integer(OP_ADD, element.integer, old.integer))
                          : scalar_number(element.number + old.number);
    }
    if (integer)
        integer_store(buffer->dtype, to, &element.integer, 1);
    else
        dtype_store(buffer->dtype, to, &element.number, 1);
}

static double number_of_bits(DType dtype, int64_t bits)
{
    float narrow;
    double wide;
    memcpy(&narrow, &(uint32_t){(uint32_t)bits}, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return dtype == DTYPE_F32 ? (double)narrow : wide;
}

/* The value at the current point, from its operands at this point. */
static Scalar compute(Machine *machine, uint32_t at)
{
    const KernelValue *value = &machine->kernel->values[at];
    Scalar x[3] = {0};
    switch (value->kind) {
    case KERNEL_LOAD:
        return read_element(machine, value);
    case KERNEL_AXIS:
        return scalar_integer(machine->point[value->axis]);
    case KERNEL_CONSTANT:
        return is_integer(value->dtype) ? scalar_integer(value->integer)
                                        : scalar_number(dtype_round(value->dtype, value->number));
    case KERNEL_SIZE:
        return scalar_integer(machine->sizes[value->size]);
    case KERNEL_NUMBER:
        return scalar_number(number_of_bits(value->dtype, machine->sizes[value->size]));
    case KERNEL_RANDOM:
        return scalar_number(nn_random_uniform(machine->seed, (uint32_t)machine->sizes[value->stream],
                                               (uint32_t)machine->step,
                                               (uint64_t)address(machine, value, value->dims)));
    case KERNEL_COMPUTE:
        for (uint32_t i = 0; i < value->n_args; i++) x[i] = machine->value[value->args[i]];
        return apply(value->op, value->dtype, machine->kernel->values[value->args[value->n_args - 1]].dtype, x);
    default:
        return scalar_number(0);
    }
}

/* Marks what `at` is made of, down to kept values, beside what is marked already. */
static void mark_also(Machine *machine, uint32_t at)
{
    const Kernel *kernel = machine->kernel;
    machine->needed[at] = true;
    for (uint32_t i = at + 1; i-- > 0;) {
        const KernelValue *value = &kernel->values[i];
        if (!machine->needed[i] || (machine->kept[i] && i != at)) continue;
        for (uint32_t j = 0; j < value->n_args; j++) machine->needed[value->args[j]] = true;
        for (uint32_t j = 0; j < value->n_index; j++)
            if (value->index[j].value >= 0) machine->needed[value->index[j].value] = true;
    }
}

static void mark_needed(Machine *machine, uint32_t at)
{
    memset(machine->needed, 0, machine->kernel->n_values * sizeof *machine->needed);
    mark_also(machine, at);
}

/* Computes what was marked, below `end`, at the current point. */
static void compute_needed(Machine *machine, uint32_t end)
{
    for (uint32_t i = 0; i < end; i++) {
        if (!machine->needed[i]) continue;
        const Scalar *kept = machine->kept[i];
        machine->value[i] =
            kept ? kept[domain_position(machine, machine->kernel->values[i].domain)] : compute(machine, i);
    }
}

static double combine_numbers(Op op, double total, double x)
{
    switch (op) {
    case OP_PROD:
        return total * x;
    case OP_REDUCE_MAX:
        return op_evaluate(OP_MAX, x, total, 0);
    case OP_REDUCE_MIN:
        return op_evaluate(OP_MIN, x, total, 0);
    case OP_ANY:
        return total != 0 || x != 0;
    case OP_ALL:
        return total != 0 && x != 0;
    default:
        return total + x;
    }
}

static int64_t combine_integers(Op op, int64_t total, int64_t x)
{
    Op step = op == OP_PROD ? OP_MUL : op == OP_REDUCE_MAX ? OP_MAX : op == OP_REDUCE_MIN ? OP_MIN : OP_ADD;
    return op_evaluate_integer(step, total, x);
}

static Scalar reduction_start(Op op, DType dtype)
{
    bool integer = is_integer(dtype);
    switch (op) {
    case OP_PROD:
    case OP_ALL:
        return integer ? scalar_integer(1) : scalar_number(1);
    case OP_REDUCE_MAX:
        return integer ? scalar_integer(integer_least(dtype)) : scalar_number(-INFINITY);
    case OP_REDUCE_MIN:
        return integer ? scalar_integer(integer_most(dtype)) : scalar_number(INFINITY);
    default:
        return integer ? scalar_integer(0) : scalar_number(0);
    }
}

/* The position of the first greatest (least) element; NaN counts as beyond all. */
static int64_t find_position(Machine *machine, const KernelValue *value)
{
    bool integer = is_integer(machine->kernel->values[value->args[0]].dtype), largest = value->op == OP_ARGMAX;
    Scalar best = {0};
    int64_t count = 0, position = 0;
    uint32_t place = value->args[value->n_args - 1], end = place > value->args[0] ? place : value->args[0];
    do {
        compute_needed(machine, end + 1);
        Scalar x = machine->value[value->args[0]];
        int64_t here = value->n_args == 2 ? machine->value[place].integer : count;
        bool better, equal = integer ? x.integer == best.integer
                                     : x.number == best.number || (isnan(x.number) && isnan(best.number));
        if (integer)
            better = largest ? x.integer > best.integer : x.integer < best.integer;
        else
            better =
                !isnan(best.number) && (isnan(x.number) || (largest ? x.number > best.number : x.number < best.number));
        if (!count || better || (equal && here < position)) {
            best = x;
            position = here;
        }
        count++;
    } while (domain_next(machine, value->reduced));
    return position;
}

/* One more element of a reduction, not yet rounded to its type. */
static Scalar combine(const KernelValue *value, Scalar total, Scalar x)
{
    return is_integer(value->dtype) ? scalar_integer(combine_integers(value->op, total.integer, x.integer))
                                    : scalar_number(combine_numbers(value->op, total.number, x.number));
}

/* One element of a reduction of at least one element. */
static Scalar reduce_point(Machine *machine, const KernelValue *value)
{
    Scalar total = reduction_start(value->op, value->dtype);
    if (value->op == OP_ARGMAX || value->op == OP_ARGMIN) return scalar_integer(find_position(machine, value));
    do {
        compute_needed(machine, value->args[0] + 1);
        total = combine(value, total, machine->value[value->args[0]]);
    } while (domain_next(machine, value->reduced));
    return cast(value->dtype, is_integer(value->dtype) ? DTYPE_I64 : DTYPE_F64, total);
}

static void run_reduce(Machine *machine, uint32_t at)
{
    const KernelValue *value = &machine->kernel->values[at];
    int64_t count = domain_count(machine, value->domain), inner = domain_count(machine, value->reduced), i = 0;
    Scalar *kept = memory_calloc((size_t)count + 1, sizeof *kept);
    mark_needed(machine, value->args[0]);
    if (value->n_args == 2) mark_also(machine, value->args[1]);
    if (count > 0) do
            kept[i++] = inner ? reduce_point(machine, value) : reduction_start(value->op, value->dtype);
        while (domain_next(machine, value->domain));
    machine->kept[at] = kept;
}

/* Over the whole domain; the points before this one are in front of it. */
static void run_scan(Machine *machine, uint32_t at)
{
    const KernelValue *value = &machine->kernel->values[at];
    uint32_t axis = 0;
    while (!(value->reduced >> axis & 1)) axis++;
    int64_t count = domain_count(machine, value->domain), i = 0;
    Scalar *kept = memory_calloc((size_t)count + 1, sizeof *kept);
    mark_needed(machine, value->args[0]);
    if (count > 0) do {
            Scalar before = reduction_start(value->op, value->dtype);
            if (machine->point[axis] > 0) {
                machine->point[axis]--;
                before = kept[domain_position(machine, value->domain)];
                machine->point[axis]++;
            }
            compute_needed(machine, value->args[0] + 1);
            kept[i++] = combine(value, before, machine->value[value->args[0]]);
        } while (domain_next(machine, value->domain));
    while (i-- > 0) kept[i] = cast(value->dtype, is_integer(value->dtype) ? DTYPE_I64 : DTYPE_F64, kept[i]);
    machine->kept[at] = kept;
}

static void run_sink(Machine *machine, uint32_t at)
{
    const KernelValue *value = &machine->kernel->values[at];
    int64_t count = domain_count(machine, value->domain), i = 0;
    if (!count) return;
    bool load = value->kind == KERNEL_LOAD;
    Scalar *kept = load ? memory_alloc((size_t)count * sizeof *kept) : NULL;
    mark_needed(machine, at);
    do {
        compute_needed(machine, at);
        if (load)
            kept[i++] = compute(machine, at);
        else
            write_element(machine, value);
    } while (domain_next(machine, value->domain));
    machine->kept[at] = kept;
}

static bool run_launch(Context *context, Machine *machine, const char **error)
{
    const Kernel *kernel = machine->kernel;
    machine->kept = memory_calloc(kernel->n_values, sizeof *machine->kept);
    machine->value = memory_calloc(kernel->n_values, sizeof *machine->value);
    machine->needed = memory_calloc(kernel->n_values, sizeof *machine->needed);
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        const KernelValue *value = &kernel->values[i];
        bool sink = value->kind == KERNEL_STORE || value->kind == KERNEL_SCATTER;
        if (value->kind == KERNEL_REDUCE) run_reduce(machine, i);
        if (value->kind == KERNEL_SCAN) run_scan(machine, i);
        if (sink || (value->kind == KERNEL_LOAD && kernel->buffers[value->buffer].written)) run_sink(machine, i);
    }
    for (uint32_t i = 0; i < kernel->n_values; i++) memory_free(machine->kept[i]);
    memory_free(machine->kept);
    memory_free(machine->value);
    memory_free(machine->needed);
    if (machine->failed) *error = arena_format(context->arena, "an index is out of range in kernel %s", kernel->name);
    return !machine->failed;
}

bool plan_evaluate(Context *context, const Plan *plan, const PlanProgram *program, void **memory,
                   bool (*size)(void *data, Name symbol, int64_t *value), void *data, uint64_t seed, uint64_t step,
                   const char **error)
{
    DimTable *dims = graph_dims(plan->module->graph);
    for (uint32_t i = 0; i < program->n_launches; i++) {
        const Launch *launch = &program->launches[i];
        const Kernel *kernel = plan->kernels[launch->kernel];
        int64_t *sizes = ARENA_ARRAY(context->arena, int64_t, kernel->n_sizes);
        void **buffers = ARENA_ARRAY(context->arena, void *, kernel->n_buffers);
        for (uint32_t j = 0; j < kernel->n_sizes; j++)
            if (!dim_evaluate(dims, launch->sizes[j], size, data, &sizes[j])) {
                *error = arena_format(context->arena, "launch %u: a size is unknown", i);
                return false;
            }
        for (uint32_t j = 0; j < kernel->n_buffers; j++) buffers[j] = memory[launch->buffers[j]];
        Machine machine = {.kernel = kernel, .memory = buffers, .sizes = sizes, .seed = seed, .step = step};
        if (!run_launch(context, &machine, error)) return false;
    }
    return true;
}
