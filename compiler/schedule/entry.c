/* What the checks on entry make certain of sizes: guards that they make needless are left out. */
#include "schedule/schedule_internal.h"
#include "support/vector.h"

typedef struct {
    const Graph *graph;
    DimTable *dims;
    Vec(Dim) naturals;
} EntryChecks;

/* a <= b. */
static void note(EntryChecks *entry, Dim a, Dim b)
{
    Dim difference = dim_sub(entry->dims, b, a);
    if (dim_is_none(difference) || dim_at_least(entry->dims, difference, dim_constant(entry->dims, 0))) return;
    for (size_t i = 0; i < entry->naturals.count; i++)
        if (dim_same(entry->naturals.at[i], difference)) return;
    vec_push(&entry->naturals, difference);
}

/* The size of a scalar integer that holds one exactly; false for other values. */
static bool size_of_node(const EntryChecks *entry, Node node, Dim *size)
{
    const NodeInfo *info = graph_node(entry->graph, node);
    if (info->type.dtype != DTYPE_I64 || info->type.rank) return false;
    if (info->op == OP_CONST) *size = dim_constant(entry->dims, info->attr.integer);
    if (info->op == OP_SIZE) *size = info->attr.sizes[0];
    return info->op == OP_CONST || info->op == OP_SIZE;
}

static void note_condition(EntryChecks *entry, Node condition)
{
    const NodeInfo *info = graph_node(entry->graph, condition);
    Dim a, b;
    bool ordered = info->op == OP_LE || info->op == OP_LT;
    if (!ordered || !size_of_node(entry, info->args[0], &a) || !size_of_node(entry, info->args[1], &b)) return;
    note(entry, info->op == OP_LT ? dim_add(entry->dims, a, dim_constant(entry->dims, 1)) : a, b);
}

const Dim *entry_naturals(const Module *module, Arena *arena, uint32_t *count)
{
    enum { MOST = 64 }; /* each may be tried in each proof */
    EntryChecks entry = {.graph = module->graph, .dims = graph_dims(module->graph)};
    for (uint32_t i = 0; i < module->n_checks && entry.naturals.count < MOST; i++) {
        const Check *check = &module->checks[i];
        if (dim_is_none(check->left)) {
            note_condition(&entry, check->condition);
            continue;
        }
        note(&entry, check->left, check->right);
        note(&entry, check->right, check->left);
    }
    *count = (uint32_t)entry.naturals.count;
    const Dim *naturals = ARENA_COPY(arena, Dim, entry.naturals.at, entry.naturals.count);
    vec_free(&entry.naturals);
    return naturals;
}

bool entry_at_least(const Scheduler *scheduler, Dim a, Dim b)
{
    return dim_at_least_given(scheduler->dims, a, b, scheduler->naturals, scheduler->n_naturals);
}
