/* Running what was bound: a walk over the table of launches. */
#include <string.h>

#include "core/internal.h"

/* One launch on its way through the pool. */
typedef struct {
    const nn_task *task;
    nn_contract_call call; /* for loops, its args and stop */
    char *scratch;
    size_t scratch_size; /* of one thread */
} Job;

static bool is_stopped(const volatile sig_atomic_t *stop)
{
    return stop && *stop;
}

static void run_loop(void *data, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const Job *job = data;
    const nn_task *task = job->task;
    for (int64_t i = begin; i < end && !is_stopped(job->call.stop); i++) {
        int64_t from = i * task->chunk, to = from + task->chunk;
        task->kernel->loop(job->call.args, from, to < task->extent ? to : task->extent);
    }
}

static void run_contraction(void *data, int64_t begin, int64_t end, int thread)
{
    const Job *job = data;
    nn_contract_run(job->task->contraction, &job->call, begin, end, job->scratch + (size_t)thread * job->scratch_size);
}

static void finish_contraction(void *data, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const Job *job = data;
    nn_contract_finish(job->task->contraction, &job->call, begin, end);
}

static void run_spread(nn_pool *pool, int64_t tasks, void (*run)(void *, int64_t, int64_t, int), Job *job)
{
    if (tasks > 1 && pool) {
        nn_pool_run(pool, tasks, run, job);
    } else {
        run(job, 0, tasks, 0);
    }
}

static void run_task(nn_pool *pool, Job *job)
{
    const nn_task *task = job->task;
    if (task->kernel->kind == NN_KERNEL_LOOP) {
        run_spread(pool, task->tasks, run_loop, job);
        return;
    }
    job->call.tile = task->kernel->tile;
    run_spread(pool, task->tasks, run_contraction, job);
    if (task->contraction->finish_tasks) run_spread(pool, task->contraction->finish_tasks, finish_contraction, job);
}

/* All bits set: NaN in every float type, and an index that no tensor has. */
static void poison_dead(const nn_binding *binding, uint32_t launch)
{
    for (uint32_t i = 0; i < binding->program->n_buffers; i++)
        if (binding->separate[i] && binding->lifetimes[i].last == launch)
            memset(binding->separate[i], 0xff, binding->lifetimes[i].size);
}

static int report_index(const nn_session *session, const nn_binding *binding, const nn_task *task)
{
    const nn_image *image = session->model->image;
    const nn_launch *launch = &binding->program->launches[task->launch];
    uint32_t which = (uint32_t)(session->error - 1);
    const char *name = "a buffer";
    if (which < launch->n_buffers) {
        const nn_buffer *buffer = &binding->program->buffers[image->references[launch->buffers + which]];
        if (buffer->kind == NN_BUFFER_TENSOR) name = image->tensors[buffer->tensor].name;
    }
    if (!launch->line) return nn_fail(NN_ERROR_RANGE, "%s: an index into %s is out of range", task->kernel->name, name);
    return nn_fail(NN_ERROR_RANGE, "line %u (%s): an index into %s is out of range", launch->line, task->kernel->name,
                   name);
}

/* A schedule over the whole training means nothing as long as nobody has said how long that is. */
static int check_steps(const nn_session *session, const nn_binding *binding, int first, int last)
{
    const nn_model *model = session->model;
    bool read = false;
    for (int phase = first; phase <= last; phase++) read = read || binding->reads_steps[phase];
    if (!read || (model->steps_setting >= 0 && session->params->settings[model->steps_setting] >= 1)) return NN_OK;
    return nn_fail(NN_ERROR_STATE,
                   "%s has a schedule over the whole training: say how many updates that will have by the setting "
                   "`steps` before the first",
                   model->image->name);
}

int nn_binding_run(nn_session *session, nn_binding *binding, int first, int last, uint64_t step)
{
    int status = check_steps(session, binding, first, last);
    if (status) return status;
    for (uint32_t i = 0; i < binding->n_patches; i++)
        binding->pointers[binding->patches[2 * i]] = (void *)(uintptr_t)session->given[binding->patches[2 * i + 1]];
    session->error = 0;
    nn_kernel_args args = {.seed = session->params->seed, .step = step, .error = &session->error};
    Job job = {.call = {.args = &args, .stop = session->stop}};
    job.scratch = session->scratch.at, job.scratch_size = binding->scratch;
    job.call.shared = job.scratch + (size_t)nn_pool_threads(session->pool) * job.scratch_size;
    for (uint32_t i = first ? binding->phase_end[first - 1] : 0; i < binding->phase_end[last]; i++) {
        job.task = &binding->tasks[i];
        args.buffers = job.task->buffers;
        args.sizes = job.task->sizes;
        run_task(session->pool, &job);
        if (is_stopped(session->stop)) return nn_fail(NN_ERROR_STATE, "interrupted");
        if (session->error) return report_index(session, binding, job.task);
        if (binding->separate) poison_dead(binding, job.task->launch);
    }
    for (uint32_t i = 0; i < binding->program->n_buffers; i++) {
        const nn_buffer *buffer = &binding->program->buffers[i];
        int phase = binding->ready_after[i];
        if (buffer->kind == NN_BUFFER_TENSOR && !binding->missing[i] && phase >= first && phase <= last)
            session->ready[buffer->tensor] = 1;
    }
    return NN_OK;
}
