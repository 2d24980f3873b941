#include "schedule/schedule.h"

#include <string.h>

#include "schedule/schedule_internal.h"
#include "support/memory.h"

/* The plan's distinct kernels. */
typedef struct {
    Vec(Kernel *) kernels;
    Vec(uint64_t) hashes;
    uint32_t *table; /* 1 + kernel, by hash */
    uint32_t capacity;
} Pool;

static uint32_t *pool_slot(const Pool *pool, const Kernel *kernel, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (pool->capacity - 1);
    for (; pool->table[at]; at = (at + 1) & (pool->capacity - 1)) {
        uint32_t other = pool->table[at] - 1;
        if (pool->hashes.at[other] == hash && kernel_equal(pool->kernels.at[other], kernel)) break;
    }
    return &pool->table[at];
}

static void pool_grow(Pool *pool)
{
    pool->capacity = pool->capacity ? 2 * pool->capacity : 64;
    memory_free(pool->table);
    pool->table = memory_calloc(pool->capacity, sizeof *pool->table);
    for (uint32_t i = 0; i < pool->kernels.count; i++)
        *pool_slot(pool, pool->kernels.at[i], pool->hashes.at[i]) = i + 1;
}

/* The kernel's number; an equal one that is there already stands for it. */
static uint32_t pool_add(Pool *pool, Kernel *kernel)
{
    if (2 * (pool->kernels.count + 1) > pool->capacity) pool_grow(pool);
    uint64_t hash = kernel_hash(kernel);
    uint32_t *slot = pool_slot(pool, kernel, hash);
    if (*slot) return *slot - 1;
    vec_push(&pool->kernels, kernel);
    vec_push(&pool->hashes, hash);
    *slot = (uint32_t)pool->kernels.count;
    return *slot - 1;
}

typedef Vec(Launch) Launches;

/* What it takes to compile a kernel, which grows with the instructions that its values become. */
static void spend_kernel(Context *context, const Kernel *kernel, Span at)
{
    enum { UNITS_PER_VALUE = 5 };
    uint64_t units = 0;
    for (uint32_t i = 0; i < kernel->n_values; i++) {
        const KernelValue *value = &kernel->values[i];
        units += UNITS_PER_VALUE * (1 + (uint64_t)(value->kind == KERNEL_COMPUTE ? op_info(value->op)->work : 0));
    }
    context_spend(context, units, at);
}

static void add_launch(Program *program, Pool *pool, Launches *launches, Finished finished, Span place)
{
    Launch launch = finished.launch;
    uint32_t before_it = (uint32_t)pool->kernels.count;
    launch.kernel = pool_add(pool, finished.kernel);
    if (launch.kernel == before_it) spend_kernel(program->context, finished.kernel, place);
    uint32_t at = (uint32_t)launches->count;
    for (uint32_t i = 0; i < finished.kernel->n_buffers; i++) {
        PlanBuffer *buffer = &program->buffers.at[launch.buffers[i]];
        if (buffer->last == UINT32_MAX) buffer->first = at;
        buffer->last = at;
    }
    vec_push(launches, launch);
}

static Span place_of(const Program *program, const Group *group)
{
    const Span *places;
    return graph_places(program->graph, group->members.at[group->stores.at[0].member].node, &places) ? places[0]
                                                                                                     : NO_SPAN;
}

/* Launches in order; a buffer lives from the first to the last that touches it. */
static void add_launches(Program *program, Pool *pool, Launches *launches)
{
    uint32_t *order = program_launch_order(program);
    for (size_t i = 0; i < program->groups.count && !context_stopped(program->context); i++) {
        Group *group = program->groups.at[order[i]];
        /* Sources become buffers when something reads them. */
        size_t before = program->buffers.count;
        Finished finished = group_finish(program, group);
        for (size_t j = before; j < program->buffers.count; j++) program->buffers.at[j].last = UINT32_MAX;
        if (!group->stores.count) continue;
        Span place = place_of(program, group);
        if (group->scatter) add_launch(program, pool, launches, group_finish_zero(program, group), place);
        add_launch(program, pool, launches, finished, place);
    }
    memory_free(order);
}

static void program_free(Program *program)
{
    for (size_t i = 0; i < program->groups.count; i++) group_free(program->groups.at[i]);
    vec_free(&program->groups);
    vec_free(&program->targets);
    vec_free(&program->buffers);
    memory_free(program->facts);
}

static bool run_steps(Program *program, const Function *function, bool step)
{
    uint32_t count = graph_count(program->graph);
    program->facts = memory_calloc(count + 1, sizeof *program->facts);
    for (uint32_t i = 0; i <= count; i++) {
        program->facts[i].need = NEED_NONE;
        program->facts[i].group = NO_GROUP;
        program->facts[i].buffer = NO_BUFFER;
        program->facts[i].target = NO_TARGET;
    }
    program_set_targets(program, function, step);
    program_set_order(program, function, step);
    program_materialise(program);
    if (!program_fuse(program)) return false;
    program_place(program);
    return true;
}

static PlanProgram make_program(Program *program, Pool *pool, const Function *function, bool step, Name name)
{
    uint32_t scalars[NEED_NONE] = {NO_GROUP, NO_GROUP, NO_GROUP, NO_GROUP};
    program->scalars = scalars;
    PlanProgram result = {.name = name};
    if (!run_steps(program, function, step)) {
        program_free(program);
        return result;
    }
    for (size_t i = 0; i < program->buffers.count; i++) program->buffers.at[i].last = UINT32_MAX;
    Launches launches = {0};
    add_launches(program, pool, &launches);
    for (size_t i = 0; i < program->buffers.count; i++)
        if (program->buffers.at[i].last == UINT32_MAX) program->buffers.at[i].last = 0;
    result.n_buffers = (uint32_t)program->buffers.count;
    result.n_launches = (uint32_t)launches.count;
    result.buffers = ARENA_COPY(program->context->arena, PlanBuffer, program->buffers.at, result.n_buffers);
    result.launches = ARENA_COPY(program->context->arena, Launch, launches.at, result.n_launches);
    vec_free(&launches);
    program_free(program);
    return result;
}

static const ScheduleOptions default_options;

static bool is_wanted(const ScheduleOptions *options, Name program)
{
    if (!options->programs) return true;
    for (const char *const *name = options->programs; *name; name++)
        if (!strcmp(*name, program)) return true;
    return false;
}

Plan *schedule(Context *context, Module *module, const ScheduleOptions *options)
{
    if (!options) options = &default_options;
    Plan *plan = ARENA_NEW(context->arena, Plan);
    Pool pool = {0};
    const Function *functions = canonical_functions(context, module, options->unfused);
    NameMap names;
    Arena *tables = arena_new();
    module_names(module, tables, &names);
    plan->module = module;
    plan->programs = ARENA_ARRAY(context->arena, PlanProgram, module->n_functions + 1);
    for (uint32_t i = 0; i < module->n_functions; i++) {
        const Function *function = &functions[i];
        bool training = !strcmp(function->name, "training");
        for (uint32_t step = 0; step <= training; step++) {
            Name name = step ? intern(context->names, "step") : function->name;
            if (!is_wanted(options, name)) continue;
            Program program = {.context = context,
                               .module = module,
                               .graph = module->graph,
                               .dims = graph_dims(module->graph),
                               .arena = arena_new(),
                               .options = options,
                               .names = &names,
                               .phased = training && !step};
            plan->programs[plan->n_programs++] = make_program(&program, &pool, function, step, name);
            arena_free(program.arena);
        }
    }
    arena_free(tables);
    plan->n_kernels = (uint32_t)pool.kernels.count;
    plan->kernels = ARENA_COPY(context->arena, Kernel *, pool.kernels.at, plan->n_kernels);
    vec_free(&pool.kernels);
    vec_free(&pool.hashes);
    memory_free(pool.table);
    return context_stopped(context) ? NULL : plan;
}
