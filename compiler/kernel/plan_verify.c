#include "kernel/plan.h"
#include "support/vector.h"

static bool reads(const Kernel *kernel, uint32_t buffer)
{
    return kernel->buffers[buffer].read;
}

/* The kernel's buffers and sizes fit what the launch gives them. */
static const char *verify_launch(Context *context, const Plan *plan, const PlanProgram *program, uint32_t number)
{
    Arena *arena = context->arena;
    DimTable *dims = graph_dims(plan->module->graph);
    const Launch *launch = &program->launches[number];
    if (launch->kernel >= plan->n_kernels) return arena_format(arena, "launch %u has no kernel", number);
    const Kernel *kernel = plan->kernels[launch->kernel];
    for (uint32_t i = 0; i < kernel->n_sizes; i++) {
        int64_t value;
        if (dim_is_none(launch->sizes[i])) return arena_format(arena, "launch %u lacks size %u", number, i);
        if (kernel->sizes[i].known &&
            !(dim_is_constant(dims, launch->sizes[i], &value) && value == kernel->sizes[i].value))
            return arena_format(arena, "launch %u gives another value to the known size %u", number, i);
    }
    for (uint32_t i = 0; i < kernel->n_buffers; i++) {
        const KernelBuffer *local = &kernel->buffers[i];
        if (launch->buffers[i] >= program->n_buffers)
            return arena_format(arena, "launch %u lacks buffer %u", number, i);
        const PlanBuffer *buffer = &program->buffers[launch->buffers[i]];
        if (local->dtype != buffer->dtype)
            return arena_format(arena, "launch %u: buffer %u has another element type", number, i);
        Dim elements = dim_constant(dims, 1);
        for (uint32_t j = 0; j < local->rank; j++) elements = dim_mul(dims, elements, launch->sizes[local->dims[j]]);
        if (!dim_same(elements, dim_product(dims, buffer->dims, buffer->rank)))
            return arena_format(arena, "launch %u: buffer %u has another number of elements", number, i);
        if (local->written &&
            (buffer->role == BUFFER_INPUT || buffer->role == BUFFER_SETTING || buffer->role == BUFFER_LITERAL))
            return arena_format(arena, "launch %u writes a source, buffer %u", number, i);
        if (number < buffer->first || number > buffer->last)
            return arena_format(arena, "launch %u: buffer %u is not alive", number, i);
        for (uint32_t j = 0; j < i; j++)
            if (launch->buffers[i] == launch->buffers[j] && (local->written || kernel->buffers[j].written))
                return arena_format(arena, "launch %u: buffers %u and %u are the same memory", number, j, i);
    }
    return NULL;
}

/* Nothing is read before it is written, nor what only a metric wrote, unless for a metric: those may be skipped. */
static const char *verify_program(Context *context, const Plan *plan, const PlanProgram *program)
{
    bool *skipped = ARENA_ARRAY(context->arena, bool, program->n_buffers + 1);
    bool *filled = ARENA_ARRAY(context->arena, bool, program->n_buffers + 1);
    for (uint32_t i = 0; i < program->n_buffers; i++)
        filled[i] = program->buffers[i].role != BUFFER_RESULT && program->buffers[i].role != BUFFER_TEMPORARY;
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const PlanBuffer *buffer = &program->buffers[i];
        if (buffer->last_axis == NO_AXIS) continue;
        if (buffer->last_axis >= buffer->rank) return arena_format(context->arena, "buffer m%u has no such order", i);
        if (buffer->role != BUFFER_TEMPORARY)
            return arena_format(context->arena, "m%u is not row-major, as its user sees it", i);
    }
    for (uint32_t i = 0; i < program->n_launches; i++) {
        const char *wrong = verify_launch(context, plan, program, i);
        if (wrong) return wrong;
        const Launch *launch = &program->launches[i];
        const Kernel *kernel = plan->kernels[launch->kernel];
        for (uint32_t j = 0; j < kernel->n_buffers; j++)
            if (reads(kernel, j) && !filled[launch->buffers[j]])
                return arena_format(context->arena, "launch %u reads buffer m%u before it is written", i,
                                    launch->buffers[j]);
        for (uint32_t j = 0; j < kernel->n_buffers; j++)
            if (reads(kernel, j) && skipped[launch->buffers[j]] && !launch->metric)
                return arena_format(context->arena, "launch %u reads buffer m%u, which only a metric writes", i,
                                    launch->buffers[j]);
        for (uint32_t j = 0; j < kernel->n_buffers; j++) {
            if (!kernel->buffers[j].written) continue;
            filled[launch->buffers[j]] = true;
            skipped[launch->buffers[j]] = launch->metric;
        }
        if (i && launch->phase < program->launches[i - 1].phase && program->name &&
            program->name == intern(context->names, "training"))
            return arena_format(context->arena, "launch %u goes back to an earlier phase", i);
    }
    for (uint32_t i = 0; i < program->n_buffers; i++)
        if (program->buffers[i].role == BUFFER_RESULT && !filled[i])
            return arena_format(context->arena, "the result m%u is never written", i);
    return NULL;
}

const char *plan_verify(Context *context, const Plan *plan)
{
    for (uint32_t i = 0; i < plan->n_kernels; i++) {
        const char *wrong = kernel_verify(context, plan->kernels[i]);
        if (wrong) return arena_format(context->arena, "kernel %s: %s", plan->kernels[i]->name, wrong);
    }
    for (uint32_t i = 0; i < plan->n_programs; i++) {
        const char *wrong = verify_program(context, plan, &plan->programs[i]);
        if (wrong) return arena_format(context->arena, "program %s: %s", plan->programs[i].name, wrong);
    }
    return NULL;
}
