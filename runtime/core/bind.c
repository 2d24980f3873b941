/* Binding: from a program and sizes to a table of launches whose pointers, sizes and tasks are all known. */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

/* A task of a loop should last long against handing it out (about 100 ns), yet there should be enough of them for many
 * threads. Both count elements, never threads, so that the split is the same on every machine. */
enum { TASK_WORK = 16384, MAX_TASKS = 256 };

void nn_binding_clear(const nn_memory *memory, nn_binding *binding)
{
    if (binding->separate)
        for (uint32_t i = 0; i < binding->program->n_buffers; i++)
            nn_memory_free(memory, binding->separate[i], binding->lifetimes[i].size);
    free(binding->symbols);
    free(binding->absent);
    free(binding->tasks);
    free(binding->pointers);
    free(binding->sizes);
    free(binding->contractions);
    free(binding->elements);
    free(binding->missing);
    free(binding->ready_after);
    free(binding->lifetimes);
    free(binding->separate);
    free(binding->patches);
    *binding = (nn_binding){0};
}

bool nn_binding_computes(const nn_binding *binding, int64_t tensor)
{
    for (uint32_t i = 0; i < binding->program->n_buffers; i++) {
        const nn_buffer *buffer = &binding->program->buffers[i];
        if (buffer->kind == NN_BUFFER_TENSOR && buffer->tensor == tensor && binding->ready_after[i] != NN_UNTOUCHED &&
            !binding->missing[i])
            return true;
    }
    return false;
}

typedef struct {
    nn_session *session;
    nn_binding *binding;
    const nn_image *image;
    const nn_program *program;
    bool lenient;
    uint8_t *active; /* per launch */
    void **memory;   /* per buffer; NULL for inputs */
} Builder;

static bool is_absent(const nn_session *session, uint32_t tensor)
{
    return nn_role_is_input(session->model->image->tensors[tensor].role) && !session->given[tensor];
}

static int size_buffers(Builder *builder)
{
    nn_binding *binding = builder->binding;
    for (uint32_t i = 0; i < builder->program->n_buffers; i++) {
        const nn_buffer *buffer = &builder->program->buffers[i];
        int64_t unbound, bytes;
        const char *name = buffer->kind == NN_BUFFER_TENSOR ? builder->image->tensors[buffer->tensor].name : "a buffer";
        binding->ready_after[i] = NN_UNTOUCHED;
        binding->missing[i] = buffer->kind == NN_BUFFER_TENSOR && is_absent(builder->session, buffer->tensor);
        int status = nn_size_evaluate(builder->image->size_code + buffer->elements, builder->session->symbols,
                                      &binding->elements[i], &unbound);
        if (status == NN_ERROR_ARGUMENT && builder->lenient) {
            binding->missing[i] = 1;
            continue;
        }
        if (!status && !nn_multiply(binding->elements[i], (int64_t)nn_dtype_size(buffer->dtype), &bytes))
            status = NN_ERROR_RANGE;
        if (status) return nn_size_fail(builder->session->model, status, unbound, name);
        if (buffer->kind == NN_BUFFER_TEMPORARY)
            binding->lifetimes[i] = (nn_lifetime){buffer->first, buffer->last, (size_t)bytes, 0};
    }
    return NN_OK;
}

static bool launch_can_run(const Builder *builder, const nn_launch *launch)
{
    if (launch->metric && !builder->binding->metrics) return false;
    for (uint32_t i = 0; i < launch->n_buffers; i++)
        if (builder->binding->missing[builder->image->references[launch->buffers + i]]) return false;
    for (uint32_t i = 0; builder->lenient && i < launch->n_sizes; i++) {
        int64_t value, unbound;
        const int64_t *code = builder->image->size_code + builder->image->references[launch->sizes + i];
        if (nn_size_evaluate(code, builder->session->symbols, &value, &unbound) == NN_ERROR_ARGUMENT) return false;
    }
    return true;
}

/* What an input that is not given feeds is left out: the launches that touch it, and what those would have been the
 * first to write. */
static void choose_launches(Builder *builder)
{
    nn_binding *binding = builder->binding;
    for (uint32_t i = 0; i < builder->program->n_launches; i++) {
        const nn_launch *launch = &builder->program->launches[i];
        builder->active[i] = launch_can_run(builder, launch);
        for (uint32_t k = 0; k < launch->n_buffers; k++) {
            uint32_t b = builder->image->references[launch->buffers + k];
            const nn_buffer *buffer = &builder->program->buffers[b];
            if (binding->ready_after[b] != NN_UNTOUCHED) continue;
            bool kept = buffer->kind == NN_BUFFER_LITERAL ||
                        (buffer->kind == NN_BUFFER_TENSOR && builder->image->tensors[buffer->tensor].role < NN_OUTPUT);
            if (builder->active[i])
                binding->ready_after[b] = launch->phase;
            else if (!kept)
                binding->missing[b] = 1;
        }
    }
}

/* Places temporaries; those that nothing touches take no room. */
static int place_temporaries(Builder *builder)
{
    nn_binding *binding = builder->binding;
    uint32_t n = builder->program->n_buffers;
    nn_lifetime *lifetimes = malloc((n + 1) * sizeof *lifetimes);
    uint32_t *buffers = malloc((n + 1) * sizeof *buffers);
    bool done = lifetimes && buffers;
    size_t count = 0;
    for (uint32_t i = 0; done && i < n; i++) {
        if (builder->program->buffers[i].kind != NN_BUFFER_TEMPORARY || binding->ready_after[i] == NN_UNTOUCHED)
            continue;
        buffers[count] = i;
        lifetimes[count++] = binding->lifetimes[i];
    }
    done = done && nn_place(lifetimes, count, &binding->arena);
    for (size_t i = 0; done && i < count; i++) binding->lifetimes[buffers[i]].offset = lifetimes[i].offset;
    free(lifetimes);
    free(buffers);
    return done ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory to place the buffers of %s", builder->program->name);
}

static int reserve_separate(Builder *builder)
{
    nn_binding *binding = builder->binding;
    const nn_memory *memory = &builder->session->model->memory;
    binding->separate = calloc(builder->program->n_buffers + 1, sizeof *binding->separate);
    if (!binding->separate) return nn_fail(NN_ERROR_MEMORY, "no memory for buffers");
    for (uint32_t i = 0; i < builder->program->n_buffers; i++) {
        if (builder->program->buffers[i].kind != NN_BUFFER_TEMPORARY || binding->ready_after[i] == NN_UNTOUCHED)
            continue;
        size_t size = binding->lifetimes[i].size;
        binding->separate[i] = builder->memory[i] = nn_memory_new(memory, size);
        if (!builder->memory[i]) return nn_fail(NN_ERROR_MEMORY, "no memory for a buffer of %zu bytes", size);
        memset(builder->memory[i], 0xff, size);
    }
    return NN_OK;
}

void *nn_session_tensor(nn_session *session, uint32_t tensor, int64_t elements, bool *moved)
{
    const nn_tensor_info *info = &session->model->image->tensors[tensor];
    const nn_value *value = &session->params->values[tensor];
    if (info->role == NN_SETTING) return &session->settings[tensor];
    if (value->at) {
        if (value->elements == elements) return value->at;
        nn_fail(NN_ERROR_FORMAT, "%s has %lld elements, its buffer %lld", info->name, (long long)value->elements,
                (long long)elements);
        return NULL;
    }
    size_t size = (size_t)elements * nn_dtype_size(info->dtype);
    if (nn_block_reserve(&session->model->memory, &session->blocks[tensor], size, moved))
        return session->blocks[tensor].at;
    nn_fail(NN_ERROR_MEMORY, "no memory for %s", info->name);
    return NULL;
}

/* Gives every buffer its memory. *moved is set when memory that other bindings point at went elsewhere. */
static int reserve_buffers(Builder *builder, bool *moved)
{
    nn_session *session = builder->session;
    nn_binding *binding = builder->binding;
    for (uint32_t i = 0; i < builder->program->n_buffers; i++) {
        const nn_buffer *buffer = &builder->program->buffers[i];
        if (binding->missing[i] || buffer->kind == NN_BUFFER_TEMPORARY) continue;
        if (buffer->kind == NN_BUFFER_LITERAL) {
            builder->memory[i] = (void *)(uintptr_t)buffer->data;
        } else if (!nn_role_is_input(builder->image->tensors[buffer->tensor].role)) {
            builder->memory[i] = nn_session_tensor(session, buffer->tensor, binding->elements[i], moved);
            if (!builder->memory[i]) return NN_ERROR_MEMORY;
        }
    }
    if (session->model->memory.separate) return reserve_separate(builder);
    int status = place_temporaries(builder);
    if (status) return status;
    if (!nn_block_reserve(&session->model->memory, &session->arena, binding->arena, moved))
        return nn_fail(NN_ERROR_MEMORY, "no memory for %zu bytes of buffers", binding->arena);
    for (uint32_t i = 0; i < builder->program->n_buffers; i++)
        if (builder->program->buffers[i].kind == NN_BUFFER_TEMPORARY)
            builder->memory[i] = (char *)session->arena.at + binding->lifetimes[i].offset;
    return NN_OK;
}

static int allocate_tables(Builder *builder)
{
    nn_binding *binding = builder->binding;
    size_t tasks = 0, pointers = 0, sizes = 0, contractions = 0;
    for (uint32_t i = 0; i < builder->program->n_launches; i++) {
        const nn_launch *launch = &builder->program->launches[i];
        if (!builder->active[i]) continue;
        tasks++;
        pointers += launch->n_buffers;
        sizes += launch->n_sizes;
        contractions += builder->image->kernels[launch->kernel].kind == NN_KERNEL_CONTRACTION;
    }
    binding->tasks = malloc((tasks + 1) * sizeof *binding->tasks);
    binding->pointers = malloc((pointers + 1) * sizeof *binding->pointers);
    binding->sizes = malloc((sizes + 1) * sizeof *binding->sizes);
    binding->contractions = malloc((contractions + 1) * sizeof *binding->contractions);
    binding->patches = malloc((pointers + 1) * 2 * sizeof *binding->patches);
    if (!binding->tasks || !binding->pointers || !binding->sizes || !binding->contractions || !binding->patches)
        return nn_fail(NN_ERROR_MEMORY, "no memory for the tables of %s", builder->program->name);
    return NN_OK;
}

/* How the split axis of a loop is cut into tasks. False when the sizes do not fit. */
static bool split_loop(nn_task *task)
{
    const nn_kernel *kernel = task->kernel;
    task->extent = task->chunk = task->tasks = 1;
    if (kernel->split < 0) return true;
    int64_t work = 1, align = kernel->align;
    for (int i = 0; i < kernel->n_work; i++)
        if (!nn_multiply(work, task->sizes[kernel->work[i]], &work)) return false;
    task->extent = task->sizes[kernel->split];
    if (task->extent <= 0) {
        task->tasks = 0;
        return task->extent == 0;
    }
    int64_t per_task = TASK_WORK / (work > 0 ? work : 1);
    int64_t least = (task->extent + MAX_TASKS - 1) / MAX_TASKS;
    int64_t chunk = per_task > least ? per_task : least;
    if (chunk > task->extent) chunk = task->extent;
    task->chunk = (chunk + align - 1) / align * align;
    task->tasks = (task->extent + task->chunk - 1) / task->chunk;
    return true;
}

/* True if the launch reads `steps` or what is computed from it. */
static bool reads_steps(const Builder *builder, const nn_launch *launch)
{
    const nn_model *model = builder->session->model;
    for (uint32_t i = 0; i < launch->n_buffers; i++) {
        const nn_buffer *buffer = &builder->program->buffers[builder->image->references[launch->buffers + i]];
        if (buffer->kind == NN_BUFFER_TENSOR &&
            (buffer->tensor == model->steps_setting || buffer->tensor == model->progress_setting))
            return true;
    }
    return false;
}

static int make_task(Builder *builder, uint32_t index, nn_task *task, int64_t *sizes)
{
    const nn_image *image = builder->image;
    const nn_launch *launch = &builder->program->launches[index];
    const nn_kernel *kernel = &image->kernels[launch->kernel];
    bool loop = kernel->kind == NN_KERNEL_LOOP;
    if (loop ? !kernel->loop : !kernel->contraction || !image->micro_kernels)
        return nn_fail(NN_ERROR_STATE, "the program %s of %s is not compiled", builder->program->name, image->name);
    *task = (nn_task){.kernel = kernel, .sizes = sizes, .launch = index, .phase = launch->phase};
    for (uint32_t i = 0; i < launch->n_sizes; i++) {
        int64_t unbound;
        int status = nn_size_evaluate(image->size_code + image->references[launch->sizes + i],
                                      builder->session->symbols, &sizes[i], &unbound);
        if (status) return nn_size_fail(builder->session->model, status, unbound, task->kernel->name);
    }
    if (loop && !split_loop(task))
        return nn_fail(NN_ERROR_RANGE, "the work of %s does not fit in 64 bits", task->kernel->name);
    return NN_OK;
}

static void describe_contraction(Builder *builder, nn_task *task, nn_contract_plan *plan)
{
    nn_contraction contraction = {0};
    task->kernel->contraction(task->sizes, &contraction);
    *plan = nn_contract_prepare(&contraction, task->kernel->dtype, builder->image->micro_kernels);
    task->contraction = plan;
    task->tasks = plan->tasks;
    if (plan->scratch_size > builder->binding->scratch) builder->binding->scratch = plan->scratch_size;
    if (plan->shared_size > builder->binding->shared) builder->binding->shared = plan->shared_size;
}

static void fill_pointers(Builder *builder, nn_task *task, uint32_t *at)
{
    nn_binding *binding = builder->binding;
    const nn_launch *launch = &builder->program->launches[task->launch];
    task->buffers = binding->pointers + *at;
    for (uint32_t i = 0; i < launch->n_buffers; i++, (*at)++) {
        uint32_t b = builder->image->references[launch->buffers + i];
        binding->pointers[*at] = builder->memory[b];
        if (builder->memory[b]) continue;
        binding->patches[2 * binding->n_patches] = *at;
        binding->patches[2 * binding->n_patches++ + 1] = builder->program->buffers[b].tensor;
    }
}

static int fill_tables(Builder *builder)
{
    nn_binding *binding = builder->binding;
    uint32_t pointers = 0, sizes = 0, contractions = 0;
    for (uint32_t i = 0; i < builder->program->n_launches; i++) {
        if (!builder->active[i]) continue;
        nn_task *task = &binding->tasks[binding->n_tasks];
        int status = make_task(builder, i, task, binding->sizes + sizes);
        if (status) return status;
        if (task->kernel->kind == NN_KERNEL_CONTRACTION)
            describe_contraction(builder, task, &binding->contractions[contractions++]);
        fill_pointers(builder, task, &pointers);
        if (reads_steps(builder, &builder->program->launches[i])) binding->reads_steps[task->phase] = true;
        sizes += builder->program->launches[i].n_sizes;
        binding->n_tasks++;
        for (int phase = (int)task->phase; phase <= NN_UPDATE; phase++) binding->phase_end[phase] = binding->n_tasks;
    }
    return NN_OK;
}

static int build(Builder *builder, bool *moved)
{
    int status = size_buffers(builder);
    if (status) return status;
    choose_launches(builder);
    if ((status = reserve_buffers(builder, moved))) return status;
    if ((status = allocate_tables(builder))) return status;
    if ((status = fill_tables(builder))) return status;
    size_t threads = (size_t)nn_pool_threads(builder->session->pool), each = builder->binding->scratch;
    each = builder->binding->scratch = (each + NN_ALIGNMENT - 1) / NN_ALIGNMENT * NN_ALIGNMENT;
    size_t scratch = threads * each + builder->binding->shared;
    bool ignored = false; /* nothing points into scratch between launches */
    if (!nn_block_reserve(&builder->session->model->memory, &builder->session->scratch, scratch, &ignored))
        return nn_fail(NN_ERROR_MEMORY, "no memory for %zu bytes of scratch", scratch);
    return NN_OK;
}

static bool allocate_binding(Builder *builder)
{
    const nn_session *session = builder->session;
    nn_binding *binding = builder->binding;
    size_t n = builder->program->n_buffers + (size_t)1;
    binding->symbols = malloc((builder->image->n_symbols + 1) * sizeof *binding->symbols);
    binding->absent = malloc(session->model->n_inputs + 1);
    binding->elements = calloc(n, sizeof *binding->elements);
    binding->missing = calloc(n, 1);
    binding->ready_after = calloc(n, 1);
    binding->lifetimes = calloc(n, sizeof *binding->lifetimes);
    builder->active = calloc(builder->program->n_launches + 1, 1);
    builder->memory = calloc(n, sizeof *builder->memory);
    return binding->symbols && binding->absent && binding->elements && binding->missing && binding->ready_after &&
           binding->lifetimes && builder->active && builder->memory;
}

static bool binding_fits(const nn_session *session, const nn_binding *binding, const nn_program *program, bool metrics)
{
    if (binding->program != program || binding->metrics != metrics) return false;
    if (memcmp(binding->symbols, session->symbols, session->model->image->n_symbols * sizeof *session->symbols))
        return false;
    for (uint32_t i = 0; i < session->model->n_inputs; i++)
        if (binding->absent[i] != is_absent(session, session->model->inputs[i])) return false;
    return true;
}

static void record_key(nn_session *session, nn_binding *binding, bool metrics)
{
    binding->metrics = metrics;
    memcpy(binding->symbols, session->symbols, session->model->image->n_symbols * sizeof *session->symbols);
    for (uint32_t i = 0; i < session->model->n_inputs; i++)
        binding->absent[i] = is_absent(session, session->model->inputs[i]);
}

int nn_session_bind(nn_session *session, const nn_program *program, bool metrics, bool lenient, nn_binding **out)
{
    nn_binding *oldest = &session->bindings[0];
    for (int i = 0; i < NN_BINDINGS; i++) {
        nn_binding *binding = &session->bindings[i];
        if (binding->program && binding_fits(session, binding, program, metrics)) {
            binding->used = ++session->clock;
            *out = binding;
            return NN_OK;
        }
        if (binding->used < oldest->used) oldest = binding;
    }
    const nn_memory *memory = &session->model->memory;
    nn_binding_clear(memory, oldest);
    oldest->program = program;
    Builder builder = {session, oldest, session->model->image, program, lenient, NULL, NULL};
    bool moved = false;
    int status = NN_ERROR_MEMORY;
    if (allocate_binding(&builder)) {
        record_key(session, oldest, metrics);
        status = build(&builder, &moved);
    } else {
        nn_fail(NN_ERROR_MEMORY, "no memory to bind %s", program->name);
    }
    free(builder.active);
    free(builder.memory);
    for (int i = 0; moved && i < NN_BINDINGS; i++)
        if (&session->bindings[i] != oldest) nn_binding_clear(memory, &session->bindings[i]);
    if (status) {
        nn_binding_clear(memory, oldest);
        return status;
    }
    oldest->used = ++session->clock;
    *out = oldest;
    return NN_OK;
}
