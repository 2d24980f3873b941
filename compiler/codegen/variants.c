#include "codegen/variants.h"

#include "codegen/micro.h"
#include "support/memory.h"
#include "support/stack.h"

/* What one thread compiles. */
typedef struct {
    const Plan *plan;
    const CodegenOptions *options;
    const ImageTables *tables;
    CpuVariant cpu;
    Heap *heap;     /* of its thread's attempt */
    bool exhausted; /* that failed */
    LLVMMemoryBufferRef object;
    char *error;
    pthread_t thread;
    bool started;
} Job;

static int level_of(const CodegenOptions *options)
{
    return options && options->level ? options->level : 2;
}

LLVMValueRef weights_emit(Unit *unit, const CodegenOptions *options, bool define)
{
    if (!options || !options->weights) return NULL;
    LLVMContextRef context = unit->vector.context;
    LLVMTypeRef type = LLVMArrayType2(LLVMInt8TypeInContext(context), options->weights_size);
    LLVMValueRef global = LLVMAddGlobal(unit->vector.module, type, "nn_weights");
    if (define)
        LLVMSetInitializer(global, LLVMConstStringInContext2(context, options->weights, options->weights_size, true));
    LLVMSetGlobalConstant(global, true);
    LLVMSetVisibility(global, LLVMHiddenVisibility);
    LLVMSetAlignment(global, 64);
    return global;
}

static bool contracts_f64(const Plan *plan, const ImageTables *tables)
{
    for (uint32_t i = 0; i < plan->n_kernels; i++)
        if (tables->kernels[i].kind == NN_KERNEL_CONTRACTION && tables->kernels[i].dtype == NN_F64) return true;
    return false;
}

LLVMValueRef variant_emit(Unit *unit, const Plan *plan, const ImageTables *tables, LLVMValueRef weights,
                          size_t weights_size)
{
    CpuVariant cpu = unit->vector.cpu;
    KernelCode *code = ARENA_ARRAY(unit->arena, KernelCode, plan->n_kernels + 1);
    for (uint32_t i = 0; i < plan->n_kernels; i++) code[i] = unit_kernel(unit, plan->kernels[i], i);
    const char *micro = contracts_f64(plan, tables) ? micro_symbol(cpu) : micro_symbol_f32(cpu);
    return image_emit(unit, plan, tables, code, micro, weights, weights_size);
}

static void make_object(void *data)
{
    Job *job = data;
    Unit *unit = unit_new(job->cpu, level_of(job->options), job->plan->module->name, &job->error);
    if (!unit) return;
    LLVMValueRef weights = weights_emit(unit, job->options, false);
    variant_emit(unit, job->plan, job->tables, weights, weights ? job->options->weights_size : 0);
    job->object = unit_output(unit, LLVMObjectFile, &job->error);
    unit_free(unit);
}

static void *run_job(void *data)
{
    Job *job = data;
    job->exhausted = !heap_attempt(job->heap, make_object, job);
    return NULL;
}

typedef struct {
    Job jobs[MAX_VARIANTS];
    int count;
} Jobs;

static void end_jobs(void *data)
{
    Jobs *jobs = data;
    for (int i = 0; i < jobs->count; i++) {
        Job *job = &jobs->jobs[i];
        if (job->started) pthread_join(job->thread, NULL);
        if (job->object) LLVMDisposeMemoryBuffer(job->object);
        LLVMDisposeMessage(job->error);
        heap_free(job->heap);
    }
}

static void dispose_buffer(void *buffer)
{
    LLVMDisposeMemoryBuffer(buffer);
}

/* What the variants share is code for the least of them. */
static LLVMMemoryBufferRef compile_shared(const Plan *plan, const CodegenOptions *options, const Variants *variants,
                                          char **error)
{
    Unit *unit = unit_new(variants->cpus[variants->count - 1], level_of(options), plan->module->name, error);
    if (!unit) return NULL;
    LLVMValueRef images[MAX_VARIANTS];
    LLVMTypeRef byte = LLVMInt8TypeInContext(unit->vector.context);
    for (int i = 0; i < variants->count; i++) {
        images[i] = LLVMAddGlobal(unit->vector.module, byte, image_symbol(variants->cpus[i]));
        LLVMSetVisibility(images[i], LLVMHiddenVisibility);
    }
    weights_emit(unit, options, true);
    entry_emit(unit, plan->module, images, (unsigned)variants->count);
    LLVMMemoryBufferRef object = unit_output(unit, LLVMObjectFile, error);
    unit_free(unit);
    return object;
}

bool variants_choose(Context *context, const CodegenOptions *options, Variants *variants)
{
    *variants = (Variants){.cpus = {CPU_X86_64_V4, CPU_X86_64_V3, CPU_X86_64_V2}, .count = MAX_VARIANTS};
    if (!options || !options->cpu) return true;
    variants->cpus[0] = unit_cpu(context, options->cpu);
    variants->count = 1;
    return variants->cpus[0] != CPU_COUNT;
}

bool variants_compile(Context *context, const Plan *plan, const CodegenOptions *options, Variants *variants)
{
    Jobs *all = ARENA_NEW(context->arena, Jobs);
    Job *jobs = all->jobs;
    char *error = NULL;
    bool good = true, exhausted = false;
    units_prepare();
    memory_on_failure(end_jobs, all);
    for (int i = 0; i < variants->count; i++) {
        Job *job = &jobs[all->count++];
        *job = (Job){.plan = plan, .options = options, .cpu = variants->cpus[i], .heap = heap_new()};
        if (!job->heap) memory_exhausted();
        job->tables = image_build(context, plan, job->cpu); /* in the context's arena: before there are threads */
    }
    for (int i = 0; i < variants->count; i++)
        jobs[i].started = !(options && options->threads == 1) && stack_thread(&jobs[i].thread, run_job, &jobs[i]);
    LLVMMemoryBufferRef shared = compile_shared(plan, options, variants, &error);
    if (shared) memory_on_failure(dispose_buffer, shared);
    if (!shared) good = unit_refused(context, error);
    for (int i = 0; i < variants->count; i++) {
        if (jobs[i].started)
            pthread_join(jobs[i].thread, NULL);
        else
            run_job(&jobs[i]);
        jobs[i].started = false;
        exhausted = exhausted || jobs[i].exhausted;
    }
    if (exhausted) memory_exhausted();
    for (int i = 0; i < variants->count; i++) {
        char *refusal = jobs[i].error;
        variants->objects[i] = jobs[i].object;
        jobs[i].object = NULL;
        jobs[i].error = NULL;
        if (variants->objects[i])
            memory_on_failure(dispose_buffer, variants->objects[i]);
        else
            good = unit_refused(context, refusal);
    }
    memory_settle(all);
    end_jobs(all);
    variants->objects[variants->count] = shared;
    return good;
}

void variants_free(Variants *variants)
{
    for (int i = 0; i <= variants->count; i++)
        if (variants->objects[i]) {
            memory_settle(variants->objects[i]);
            LLVMDisposeMemoryBuffer(variants->objects[i]);
        }
}
