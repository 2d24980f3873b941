#include "schedule/schedule.h"

#include <string.h>

#include "schedule/schedule_internal.h"
#include "support/memory.h"

/* The plan's distinct kernels. */
typedef struct {
    Arena *arena;
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

/* The kernel's number; an equal one that is there already stands for it, and otherwise a copy. */
static uint32_t pool_add(Pool *pool, const Kernel *kernel)
{
    if (2 * (pool->kernels.count + 1) > pool->capacity) pool_grow(pool);
    uint64_t hash = kernel_hash(kernel);
    uint32_t *slot = pool_slot(pool, kernel, hash);
    if (*slot) return *slot - 1;
    vec_push(&pool->kernels, kernel_copy(pool->arena, kernel));
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

static void add_launch(Scheduler *scheduler, Pool *pool, Launches *launches, Finished finished, Span place)
{
    Launch launch = finished.launch;
    uint32_t before_it = (uint32_t)pool->kernels.count;
    launch.kernel = pool_add(pool, finished.kernel);
    if (launch.kernel == before_it) spend_kernel(scheduler->context, finished.kernel, place);
    uint32_t at = (uint32_t)launches->count;
    for (uint32_t i = 0; i < finished.kernel->n_buffers; i++) {
        PlanBuffer *buffer = &scheduler->buffers.at[launch.buffers[i]];
        if (buffer->last == UINT32_MAX) buffer->first = at;
        buffer->last = at;
    }
    vec_push(launches, launch);
}

static Span place_of(const Scheduler *scheduler, const Group *group)
{
    const Span *places;
    return graph_places(scheduler->graph, group->members.at[group->stores.at[0].member].node, &places) ? places[0]
                                                                                                       : NO_SPAN;
}

/* Launches in order; a buffer lives from the first to the last that touches it. */
static void add_launches(Scheduler *scheduler, Pool *pool, Launches *launches)
{
    uint32_t *order = scheduler_launch_order(scheduler);
    for (size_t i = 0; i < scheduler->groups.count && !context_stopped(scheduler->context); i++) {
        Group *group = scheduler->groups.at[order[i]];
        /* Sources become buffers when something reads them. */
        size_t before = scheduler->buffers.count;
        Finished finished = group_finish(scheduler, group);
        for (size_t j = before; j < scheduler->buffers.count; j++) scheduler->buffers.at[j].last = UINT32_MAX;
        if (!group->stores.count) continue;
        Span place = place_of(scheduler, group);
        if (group->scatter) add_launch(scheduler, pool, launches, group_finish_zero(scheduler, group), place);
        add_launch(scheduler, pool, launches, finished, place);
        arena_reset(scheduler->scratch);
    }
    memory_free(order);
}

static void scheduler_free(Scheduler *scheduler)
{
    for (size_t i = 0; i < scheduler->groups.count; i++) group_free(scheduler->groups.at[i]);
    vec_free(&scheduler->groups);
    vec_free(&scheduler->targets);
    vec_free(&scheduler->buffers);
    memory_free(scheduler->facts);
}

static bool run_steps(Scheduler *scheduler, const Function *function, bool step)
{
    uint32_t count = graph_count(scheduler->graph);
    scheduler->facts = memory_calloc(count + 1, sizeof *scheduler->facts);
    for (uint32_t i = 0; i <= count; i++) {
        scheduler->facts[i].need = NEED_NONE;
        scheduler->facts[i].group = NO_GROUP;
        scheduler->facts[i].buffer = NO_BUFFER;
        scheduler->facts[i].target = NO_TARGET;
    }
    scheduler_set_targets(scheduler, function, step);
    scheduler_set_order(scheduler, function, step);
    layout_set_needs(scheduler);
    scheduler_materialise(scheduler);
    if (!scheduler_fuse(scheduler)) return false;
    scheduler_place(scheduler);
    return true;
}

static PlanProgram make_program(Scheduler *scheduler, Pool *pool, const Function *function, bool step, Name name)
{
    uint32_t scalars[NEED_NONE] = {NO_GROUP, NO_GROUP, NO_GROUP, NO_GROUP};
    scheduler->scalars = scalars;
    PlanProgram result = {.name = name};
    if (!run_steps(scheduler, function, step)) {
        scheduler_free(scheduler);
        return result;
    }
    for (size_t i = 0; i < scheduler->buffers.count; i++) scheduler->buffers.at[i].last = UINT32_MAX;
    Launches launches = {0};
    add_launches(scheduler, pool, &launches);
    for (size_t i = 0; i < scheduler->buffers.count; i++)
        if (scheduler->buffers.at[i].last == UINT32_MAX) scheduler->buffers.at[i].last = 0;
    result.n_buffers = (uint32_t)scheduler->buffers.count;
    result.n_launches = (uint32_t)launches.count;
    result.buffers = ARENA_COPY(scheduler->context->arena, PlanBuffer, scheduler->buffers.at, result.n_buffers);
    result.launches = ARENA_COPY(scheduler->context->arena, Launch, launches.at, result.n_launches);
    vec_free(&launches);
    scheduler_free(scheduler);
    return result;
}

static const ScheduleOptions default_options;

static bool is_wanted(const ScheduleOptions *options, Name scheduler)
{
    if (!options->programs) return true;
    for (const char *const *name = options->programs; *name; name++)
        if (!strcmp(*name, scheduler)) return true;
    return false;
}

Plan *schedule(Context *context, Module *module, const ScheduleOptions *options)
{
    if (!options) options = &default_options;
    Plan *plan = ARENA_NEW(context->arena, Plan);
    Pool pool = {.arena = context->arena};
    const Function *functions = canonical_functions(context, module, options->unfused);
    NameMap names;
    Arena *tables = arena_new();
    const Layouts layouts = layouts_choose(context, module, functions, tables);
    module_names(module, tables, &names);
    uint32_t n_naturals;
    const Dim *naturals = entry_naturals(module, tables, &n_naturals);
    plan->module = module;
    plan->programs = ARENA_ARRAY(context->arena, PlanProgram, module->n_functions + 1);
    for (uint32_t i = 0; i < module->n_functions; i++) {
        const Function *function = &functions[i];
        bool training = !strcmp(function->name, "training");
        for (uint32_t step = 0; step <= training; step++) {
            Name name = step ? intern(context->names, "step") : function->name;
            if (!is_wanted(options, name)) continue;
            Scheduler scheduler = {.context = context,
                                   .module = module,
                                   .graph = module->graph,
                                   .dims = graph_dims(module->graph),
                                   .arena = arena_new(),
                                   .scratch = arena_new(),
                                   .layouts = &layouts,
                                   .options = options,
                                   .names = &names,
                                   .naturals = naturals,
                                   .n_naturals = n_naturals,
                                   .phased = training && !step};
            plan->programs[plan->n_programs++] = make_program(&scheduler, &pool, function, step, name);
            arena_free(scheduler.arena);
            arena_free(scheduler.scratch);
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
