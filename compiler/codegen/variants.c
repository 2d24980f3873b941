#include "codegen/variants.h"

#include "codegen/micro.h"
#include "support/stack.h"

/* What one thread compiles. */
typedef struct {
    const Plan *plan;
    const CodegenOptions *options;
    const ImageTables *tables;
    CpuVariant cpu;
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

static void *run_job(void *data)
{
    Job *job = data;
    Unit *unit = unit_new(job->cpu, level_of(job->options), job->plan->module->name, &job->error);
    if (!unit) return NULL;
    LLVMValueRef weights = weights_emit(unit, job->options, false);
    variant_emit(unit, job->plan, job->tables, weights, weights ? job->options->weights_size : 0);
    job->object = unit_output(unit, LLVMObjectFile, &job->error);
    unit_free(unit);
    return NULL;
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
    Job jobs[MAX_VARIANTS];
    char *error = NULL;
    bool good = true;
    units_prepare();
    for (int i = 0; i < variants->count; i++) {
        Job *job = &jobs[i];
        *job = (Job){.plan = plan, .options = options, .cpu = variants->cpus[i]};
        job->tables = image_build(context, plan, job->cpu); /* in the context's arena: before there are threads */
    }
    for (int i = 0; i < variants->count; i++)
        jobs[i].started = !(options && options->threads == 1) && stack_thread(&jobs[i].thread, run_job, &jobs[i]);
    LLVMMemoryBufferRef shared = compile_shared(plan, options, variants, &error);
    if (!shared) good = unit_refused(context, error);
    for (int i = 0; i < variants->count; i++) {
        if (jobs[i].started)
            pthread_join(jobs[i].thread, NULL);
        else
            run_job(&jobs[i]);
        variants->objects[i] = jobs[i].object;
        if (!jobs[i].object) good = unit_refused(context, jobs[i].error);
    }
    variants->objects[variants->count] = shared;
    return good;
}

void variants_free(Variants *variants)
{
    for (int i = 0; i <= variants->count; i++)
        if (variants->objects[i]) LLVMDisposeMemoryBuffer(variants->objects[i]);
}
