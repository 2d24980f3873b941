#include "kernel/plan.h"

static const char *const phase_names[] = {"forward", "backward", "update"};
static const char *const role_names[] = {"input", "param", "state", "setting", "result", "literal", "temporary"};
static const char *const result_names[] = {"output", "loss", "metric", "gradient",
                                           "update", "init", "value",  "partial"};

/* The axes from the slowest to the fastest. */
static void print_order(const PlanBuffer *buffer, Text *to)
{
    if (buffer->last_axis == NO_AXIS) return;
    text_string(to, " order (");
    for (uint32_t d = 0; d < buffer->rank; d++)
        if (d != buffer->last_axis) text_format(to, "%u, ", d);
    text_format(to, "%u)", buffer->last_axis);
}

static void print_buffer(const DimTable *dims, const PlanBuffer *buffer, uint32_t number, Text *to)
{
    Type type = type_make(buffer->dtype, buffer->rank, buffer->dims);
    text_format(to, "    m%u: ", number);
    type_print(dims, &type, to);
    print_order(buffer, to);
    text_format(to, " %s", role_names[buffer->role]);
    if (buffer->role == BUFFER_RESULT) text_format(to, " %s", result_names[buffer->result]);
    if (buffer->name) text_format(to, " %s", buffer->name);
    text_format(to, " %u..%u\n", buffer->first, buffer->last);
}

static void print_launch(const DimTable *dims, const Plan *plan, const Launch *launch, uint32_t number, Text *to)
{
    const Kernel *kernel = plan->kernels[launch->kernel];
    text_format(to, "    %u: %s%s k%u %s(", number, phase_names[launch->phase], launch->metric ? " metric" : "",
                launch->kernel, kernel->name);
    for (uint32_t i = 0; i < kernel->n_buffers; i++) text_format(to, "%sm%u", i ? ", " : "", launch->buffers[i]);
    text_string(to, ") sizes");
    for (uint32_t i = 0; i < kernel->n_sizes; i++) {
        text_string(to, i ? ", " : " ");
        dim_print(dims, launch->sizes[i], to);
    }
    text_string(to, "\n");
}

void plan_print(const Plan *plan, Text *to)
{
    const DimTable *dims = graph_dims(plan->module->graph);
    for (uint32_t i = 0; i < plan->n_kernels; i++) {
        text_format(to, "# k%u\n", i);
        kernel_print(plan->kernels[i], to);
        text_string(to, "\n");
    }
    for (uint32_t i = 0; i < plan->n_programs; i++) {
        const PlanProgram *program = &plan->programs[i];
        text_format(to, "program %s {\n", program->name);
        for (uint32_t j = 0; j < program->n_buffers; j++) print_buffer(dims, &program->buffers[j], j, to);
        for (uint32_t j = 0; j < program->n_launches; j++) print_launch(dims, plan, &program->launches[j], j, to);
        text_string(to, i + 1 < plan->n_programs ? "}\n\n" : "}\n");
    }
}
