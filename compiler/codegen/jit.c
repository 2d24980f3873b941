/* Machine code in this process. Kernels are shared out among threads, which emit objects to memory; one LLJIT links
 * them. An object is made of a few kernels, in an LLVM context of its own, and exports one table of their functions:
 * LLVM ends nothing that it has begun, so whoever interrupts a compilation waits for an object of each thread. */
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "codegen/codegen.h"
#include "codegen/image.h"
#include "codegen/micro.h"
#include "support/memory.h"
#include "support/stack.h"

enum { MAX_THREADS = 4, KERNELS_PER_THREAD = 4, KERNELS_PER_OBJECT = 32 };

/* What one thread compiles. */
typedef struct {
    const Jit *jit;
    const uint32_t *kernels;
    uint32_t n_kernels;
    uint32_t number; /* of its first object */
    uint64_t cost;
    Heap *heap;                       /* of its thread's attempt */
    bool exhausted;                   /* that failed */
    Vec(LLVMMemoryBufferRef) objects; /* each of the next KERNELS_PER_OBJECT kernels; in the heap */
    char *error;
    double build, select;
} Job;

/* What is being compiled now. */
typedef struct {
    Job jobs[MAX_THREADS];
    pthread_t threads[MAX_THREADS];
    bool started[MAX_THREADS];
    uint32_t n_jobs;
} Batch;

struct Jit {
    Context *context;
    const Plan *plan;
    CpuVariant cpu;
    int level, threads;
    LLVMOrcLLJITRef orc;
    nn_image image;        /* with the programs compiled so far */
    nn_kernel *kernels;    /* image.kernels */
    nn_program *programs;  /* image.programs */
    const nn_program *all; /* in the plan's order */
    bool *compiled;        /* per kernel of the plan */
    bool *listed, *wanted; /* per program of the plan: in the image; in the batch */
    uint32_t n_objects;
    Batch batch;
    CodegenTimes times;
};

/* A row of the table that a unit exports. */
typedef struct {
    nn_loop_function *loop;
    nn_tile_function *tile;
    nn_contraction_function *contraction;
} UnitRow;

/* Of this thread's processor time. */
static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void table_name(char *to, size_t size, uint32_t number)
{
    Text text = {0};
    text_format(&text, "nn_unit_%u", number);
    strncpy(to, text_get(&text), size - 1);
    to[size - 1] = 0;
    text_free(&text);
}

static void emit_table(Unit *unit, const KernelCode *code, uint32_t count, const char *name)
{
    LLVMTypeRef pointer = LLVMPointerTypeInContext(unit->vector.context, 0);
    LLVMValueRef *entries = ARENA_ARRAY(unit->arena, LLVMValueRef, 3 * count);
    for (uint32_t i = 0; i < count; i++) {
        LLVMValueRef row[] = {code[i].loop, code[i].tile, code[i].contraction};
        for (int f = 0; f < 3; f++) entries[3 * i + f] = row[f] ? row[f] : LLVMConstNull(pointer);
    }
    LLVMValueRef table = LLVMAddGlobal(unit->vector.module, LLVMArrayType2(pointer, 3 * count), name);
    LLVMSetInitializer(table, LLVMConstArray2(pointer, entries, 3 * count));
}

static uint32_t count_objects(const Job *job)
{
    return (job->n_kernels + KERNELS_PER_OBJECT - 1) / KERNELS_PER_OBJECT;
}

/* The kernels of one object. */
static const uint32_t *object_kernels(const Job *job, uint32_t object, uint32_t *count)
{
    uint32_t first = object * KERNELS_PER_OBJECT, left = job->n_kernels - first;
    *count = left < KERNELS_PER_OBJECT ? left : KERNELS_PER_OBJECT;
    return job->kernels + first;
}

/* NULL with a message of LLVM's, or without one when it was stopped. */
static LLVMMemoryBufferRef make_object(Job *job, uint32_t object)
{
    char name[32];
    uint32_t count;
    const uint32_t *kernels = object_kernels(job, object, &count);
    LLVMMemoryBufferRef made = NULL;
    double start = now();
    table_name(name, sizeof name, job->number + object);
    Unit *unit = unit_new(job->jit->cpu, job->jit->level, name, &job->error);
    if (!unit) return NULL;
    KernelCode *code = ARENA_ARRAY(unit->arena, KernelCode, count);
    bool stopped = context_stop_asked(job->jit->context);
    for (uint32_t i = 0; i < count && !stopped; i++) {
        code[i] = unit_kernel(unit, job->jit->plan->kernels[kernels[i]], kernels[i]);
        stopped = context_stop_asked(job->jit->context);
    }
    if (!stopped) emit_table(unit, code, count, name);
    double built = now();
    if (!stopped) made = unit_output(unit, LLVMObjectFile, &job->error);
    unit_free(unit);
    job->build += built - start;
    job->select += now() - built;
    return made;
}

static void make_objects(void *data)
{
    Job *job = data;
    for (uint32_t i = 0; i < count_objects(job); i++) {
        vec_push(&job->objects, NULL); /* there is room for what is made */
        LLVMMemoryBufferRef object = make_object(job, i);
        vec_last(&job->objects) = object;
        if (object) continue;
        (void)vec_pop(&job->objects);
        break;
    }
}

static void *run_job(void *data)
{
    Job *job = data;
    job->exhausted = !heap_attempt(job->heap, make_objects, job);
    return NULL;
}

/* Puts the linked functions of an object, which is consumed, into the image. An error message of LLVM's, or NULL. */
static LLVMErrorRef load_object(Jit *jit, const Job *job, uint32_t object, LLVMMemoryBufferRef buffer)
{
    char name[32];
    uint32_t count;
    const uint32_t *kernels = object_kernels(job, object, &count);
    table_name(name, sizeof name, job->number + object);
    LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(jit->orc);
    LLVMErrorRef error = LLVMOrcLLJITAddObjectFile(jit->orc, library, buffer);
    LLVMOrcExecutorAddress address;
    if (!error) error = LLVMOrcLLJITLookup(jit->orc, &address, name);
    if (error) return error;
    const UnitRow *rows = (const UnitRow *)(uintptr_t)address;
    for (uint32_t i = 0; i < count; i++) {
        nn_kernel *kernel = &jit->kernels[kernels[i]];
        kernel->loop = rows[i].loop;
        kernel->tile = rows[i].tile;
        kernel->contraction = rows[i].contraction;
        jit->compiled[kernels[i]] = true;
    }
    return NULL;
}

/* ---- Sharing out ---- */

static int usable_threads(int asked)
{
    cpu_set_t set;
    if (asked > 0) return asked < MAX_THREADS ? asked : MAX_THREADS;
    int cores = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT_S(sizeof set, &set);
    return cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : cores;
}

static uint64_t kernel_cost(const Kernel *kernel)
{
    uint64_t cost = 10;
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        bool compute = kernel->values[v].kind == KERNEL_COMPUTE && kernel->values[v].n_args == 1;
        cost += compute || kernel->values[v].kind == KERNEL_REDUCE || kernel->values[v].kind == KERNEL_SCAN ? 10 : 2;
    }
    return cost;
}

/* Each kernel goes to the job that has least to do. */
static void share_out(const Jit *jit, Job *jobs, uint32_t n_jobs, const uint32_t *kernels, uint32_t n_kernels,
                      uint32_t *storage)
{
    for (uint32_t j = 0; j < n_jobs; j++) jobs[j].kernels = storage + j * n_kernels;
    for (uint32_t i = 0; i < n_kernels; i++) {
        uint32_t least = 0;
        for (uint32_t j = 1; j < n_jobs; j++) {
            if (jobs[j].cost < jobs[least].cost) least = j;
        }
        Job *job = &jobs[least];
        storage[least * n_kernels + job->n_kernels++] = kernels[i];
        job->cost += kernel_cost(jit->plan->kernels[kernels[i]]);
    }
}

static void dispose_error(void *message)
{
    LLVMDisposeErrorMessage(message);
}

static bool report_error(Jit *jit, LLVMErrorRef error)
{
    char *message = LLVMGetErrorMessage(error);
    memory_on_failure(dispose_error, message);
    diag_new(jit->context->diagnostics, DIAG_run_time, NO_SPAN, "the generated code cannot be loaded: %s", message);
    memory_settle(message);
    LLVMDisposeErrorMessage(message);
    return false;
}

/* Loads what a job has made, or, where something went wrong before, only frees it. */
static bool load_objects(Jit *jit, Job *job, bool good)
{
    for (uint32_t i = 0; i < job->objects.count; i++) {
        LLVMMemoryBufferRef object = job->objects.at[i];
        LLVMErrorRef error = NULL;
        job->objects.at[i] = NULL;
        if (good)
            error = load_object(jit, job, i, object);
        else if (object)
            LLVMDisposeMemoryBuffer(object);
        if (error) good = report_error(jit, error);
    }
    heap_free(job->heap);
    job->heap = NULL;
    job->objects.count = 0;
    return good;
}

/* What was compiled before an interruption stays, for the next time that it is wanted. */
static bool collect(Jit *jit, Job *jobs, uint32_t n_jobs)
{
    bool good = true;
    double start = now();
    for (uint32_t j = 0; j < n_jobs; j++) {
        Job *job = &jobs[j];
        jit->times.build += job->build;
        jit->times.select += job->select;
        bool all = job->objects.count == count_objects(job);
        char *refusal = job->error;
        job->error = NULL;
        if (refusal) good = unit_refused(jit->context, refusal);
        good = load_objects(jit, job, good);
        if (all || refusal) continue;
        context_stopped(jit->context);
        good = false;
    }
    jit->times.load += now() - start;
    return good;
}

/* Starts the threads that compile the kernels; finish_batch waits for them. */
static void start_batch(Jit *jit, const uint32_t *kernels, uint32_t n_kernels)
{
    Batch *batch = &jit->batch;
    *batch = (Batch){.n_jobs = 1 + n_kernels / KERNELS_PER_THREAD};
    if (batch->n_jobs > (uint32_t)jit->threads) batch->n_jobs = (uint32_t)jit->threads;
    uint32_t *storage = ARENA_ARRAY(jit->context->arena, uint32_t, (size_t)batch->n_jobs * n_kernels);
    share_out(jit, batch->jobs, batch->n_jobs, kernels, n_kernels, storage);
    for (uint32_t j = 0; j < batch->n_jobs; j++) {
        batch->jobs[j].heap = heap_new();
        if (!batch->jobs[j].heap) memory_exhausted();
    }
    for (uint32_t j = 0; j < batch->n_jobs; j++) {
        Job *job = &batch->jobs[j];
        job->jit = jit;
        job->number = jit->n_objects;
        jit->n_objects += count_objects(job);
        batch->started[j] = stack_thread(&batch->threads[j], run_job, job);
    }
}

static bool make_orc(Jit *jit)
{
    if (jit->orc) return true;
    double start = now();
    LLVMErrorRef error = LLVMOrcCreateLLJIT(&jit->orc, NULL);
    jit->times.load += now() - start;
    return error ? report_error(jit, error) : true;
}

/* Waits for a batch and loads what it made. */
static bool finish_batch(Jit *jit)
{
    Batch *batch = &jit->batch;
    bool good = !batch->n_jobs || make_orc(jit);
    bool exhausted = false;
    for (uint32_t j = 0; j < batch->n_jobs; j++) {
        if (batch->started[j])
            pthread_join(batch->threads[j], NULL);
        else
            run_job(&batch->jobs[j]);
        batch->started[j] = false;
        exhausted = exhausted || batch->jobs[j].exhausted;
    }
    if (exhausted) memory_exhausted();
    good = collect(jit, batch->jobs, batch->n_jobs) && good;
    *batch = (Batch){0};
    for (uint32_t p = 0; p < jit->plan->n_programs; p++) {
        bool made = good && jit->wanted[p];
        if (made) jit->programs[jit->image.n_programs++] = jit->all[p];
        jit->listed[p] |= made;
        jit->wanted[p] = false;
    }
    return good;
}

/* ---- The interface ---- */

static bool is_wanted(const char *const *names, const char *program)
{
    if (!names) return true;
    for (; *names; names++) {
        if (!strcmp(*names, program)) return true;
    }
    return false;
}

static void start_programs(Jit *jit, const char *const *names)
{
    const Plan *plan = jit->plan;
    bool *needed = ARENA_ARRAY(jit->context->arena, bool, plan->n_kernels + 1);
    uint32_t *kernels = ARENA_ARRAY(jit->context->arena, uint32_t, plan->n_kernels + 1), count = 0;
    for (uint32_t p = 0; p < plan->n_programs; p++) {
        const PlanProgram *program = &plan->programs[p];
        jit->wanted[p] = !jit->listed[p] && is_wanted(names, program->name);
        for (uint32_t l = 0; jit->wanted[p] && l < program->n_launches; l++) needed[program->launches[l].kernel] = true;
    }
    for (uint32_t k = 0; k < plan->n_kernels; k++) {
        if (needed[k] && !jit->compiled[k]) kernels[count++] = k;
    }
    if (count) start_batch(jit, kernels, count);
}

/* What is not memory of a Jit: threads, objects, linked code. */
static void end_jit(void *data)
{
    Jit *jit = data;
    Batch *batch = &jit->batch;
    for (uint32_t j = 0; j < batch->n_jobs; j++) {
        Job *job = &batch->jobs[j];
        if (batch->started[j]) pthread_join(batch->threads[j], NULL);
        for (uint32_t i = 0; i < job->objects.count; i++)
            if (job->objects.at[i]) LLVMDisposeMemoryBuffer(job->objects.at[i]);
        if (job->error) LLVMDisposeMessage(job->error);
        heap_free(job->heap);
    }
    *batch = (Batch){0};
    LLVMErrorRef error = jit->orc ? LLVMOrcDisposeLLJIT(jit->orc) : NULL;
    if (error) LLVMConsumeError(error);
    jit->orc = NULL;
}

Jit *jit_start(Context *context, const Plan *plan, const CodegenOptions *options)
{
    CpuVariant variant = unit_cpu(context, options ? options->cpu : NULL);
    if (variant == CPU_COUNT) return NULL;
    units_prepare();
    Jit *jit = ARENA_NEW(context->arena, Jit);
    ImageTables *tables = image_build(context, plan, variant);
    jit->context = context;
    jit->plan = plan;
    jit->cpu = variant;
    jit->level = options && options->level ? options->level : 1;
    jit->threads = usable_threads(options ? options->threads : 0);
    jit->compiled = ARENA_ARRAY(context->arena, bool, plan->n_kernels + 1);
    jit->listed = ARENA_ARRAY(context->arena, bool, plan->n_programs + 1);
    jit->wanted = ARENA_ARRAY(context->arena, bool, plan->n_programs + 1);
    jit->all = tables->image.programs;
    jit->programs = ARENA_ARRAY(context->arena, nn_program, plan->n_programs + 1);
    jit->kernels = tables->kernels;
    jit->image = tables->image;
    jit->image.programs = jit->programs;
    jit->image.n_programs = 0;
    jit->image.micro_kernels = micro_kernels(variant);
    memory_on_failure(end_jit, jit);
    start_programs(jit, options ? options->programs : NULL);
    return jit;
}

bool jit_wait(Jit *jit)
{
    return finish_batch(jit);
}

Jit *jit_compile(Context *context, const Plan *plan, const CodegenOptions *options)
{
    Jit *jit = jit_start(context, plan, options);
    if (jit && jit_wait(jit)) return jit;
    jit_free(jit);
    return NULL;
}

const nn_image *jit_image(const Jit *jit)
{
    return &jit->image;
}

bool jit_require(Jit *jit, const char *program)
{
    const char *const names[] = {program, NULL};
    if (!finish_batch(jit)) return false;
    start_programs(jit, program ? names : NULL);
    return finish_batch(jit);
}

CodegenTimes jit_times(const Jit *jit)
{
    return jit->times;
}

void jit_free(Jit *jit)
{
    if (!jit) return;
    memory_settle(jit);
    end_jit(jit);
}
