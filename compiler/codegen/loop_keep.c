/* Keeping what is dear: softmax needs exp(x - max) for its sum and again for its result. Where a store will write the
 * same points in the end, its memory holds the value in between, instead of computing it twice. */
#include "codegen/loop_internal.h"

static bool is_walked_store(const KernelValue *store)
{
    for (uint32_t i = 0; i < store->n_index; i++) {
        if (store->index[i].value >= 0) return false;
    }
    return true;
}

/* Only this store touches its buffer, which holds floats as registers do. */
static bool owns_buffer(const Kernel *kernel, uint32_t store)
{
    const KernelValue *value = &kernel->values[store];
    const KernelBuffer *buffer = &kernel->buffers[value->buffer];
    if (buffer->read || (buffer->dtype != DTYPE_F32 && buffer->dtype != DTYPE_F64)) return false;
    for (uint32_t v = 0; v < kernel->n_values; v++) {
        if (v != store && is_sink(&kernel->values[v]) && kernel->values[v].buffer == value->buffer) return false;
    }
    return is_walked_store(value);
}

/* The last reduction over the store's points that `store` needs and that itself needs `value`; UINT32_MAX: none. */
static uint32_t find_reduce(const LoopEmitter *e, uint32_t store, uint32_t value)
{
    const Kernel *kernel = e->kernel;
    bool *needed = ARENA_ARRAY(e->arena, bool, kernel->n_values);
    mark_needed(e, store, needed);
    for (uint32_t r = store; r-- > value;) {
        if (!needed[r] || kernel->values[r].kind != KERNEL_REDUCE) continue;
        bool *inner = ARENA_ARRAY(e->arena, bool, kernel->n_values);
        mark_needed(e, r, inner);
        if (inner[value] && stage_axes(&kernel->values[r]) == kernel->values[store].domain) return r;
    }
    return UINT32_MAX;
}

/* Marks what the value depends on other than through reductions; operands stand before what uses them. */
static const bool *mark_direct(const LoopEmitter *e, uint32_t value)
{
    const Kernel *kernel = e->kernel;
    bool *direct = ARENA_ARRAY(e->arena, bool, kernel->n_values);
    direct[value] = true;
    for (uint32_t v = value + 1; v-- > 0;) {
        if (!direct[v] || kernel->values[v].kind == KERNEL_REDUCE) continue;
        for (uint32_t i = 0; i < kernel->values[v].n_args; i++) direct[kernel->values[v].args[i]] = true;
    }
    return direct;
}

static void find_kept_by(LoopEmitter *e, uint32_t store)
{
    const Kernel *kernel = e->kernel;
    const KernelValue *sink = &kernel->values[store];
    if (!owns_buffer(kernel, store)) return;
    const bool *direct = mark_direct(e, sink->args[0]);
    for (uint32_t v = store; v-- > 0;) {
        const KernelValue *value = &kernel->values[v];
        bool fits = is_elementary(value) && value->domain == sink->domain && value->dtype == sink->dtype;
        if (!fits || e->kept[v].store != UINT32_MAX || !direct[v]) continue;
        uint32_t reduce = find_reduce(e, store, v);
        if (reduce == UINT32_MAX) continue;
        e->kept[v] = (Kept){store, reduce};
        return;
    }
}

void find_kept(LoopEmitter *e)
{
    e->kept = ARENA_ARRAY(e->arena, Kept, e->kernel->n_values + 1);
    for (uint32_t v = 0; v < e->kernel->n_values; v++) e->kept[v] = (Kept){UINT32_MAX, UINT32_MAX};
    for (uint32_t v = 0; v < e->kernel->n_values; v++) {
        if (e->given == UINT32_MAX && e->kernel->values[v].kind == KERNEL_STORE) find_kept_by(e, v);
    }
}

bool is_kept(const LoopEmitter *e, uint32_t value)
{
    const Kept *kept = &e->kept[value];
    return kept->store != UINT32_MAX && !e->bound[kept->store].stored && e->bound[kept->reduce].value;
}

void keep_value(LoopEmitter *e, uint32_t value, LLVMValueRef what)
{
    const Kept *kept = &e->kept[value];
    if (kept->store != UINT32_MAX && !e->bound[kept->store].stored) store_early(e, kept->store, what);
}
