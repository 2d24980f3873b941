/* Placing temporaries: they are born and die in the order of launches, like blocks of a heap whose calls are known. The
 * free parts are kept sorted by offset; each newborn takes the first that holds it. */
#include <stdlib.h>

#include "core/internal.h"

typedef struct {
    size_t offset, size;
} Gap;

typedef struct {
    Gap *gaps;
    size_t count;
    size_t top; /* end of the memory used so far; above it all is free */
} Heap;

static void remove_gap(Heap *heap, size_t at)
{
    for (size_t i = at; i + 1 < heap->count; i++) heap->gaps[i] = heap->gaps[i + 1];
    heap->count--;
}

static bool take(Heap *heap, size_t size, size_t *offset)
{
    for (size_t i = 0; i < heap->count; i++) {
        Gap *gap = &heap->gaps[i];
        if (gap->size < size) continue;
        *offset = gap->offset;
        gap->offset += size;
        gap->size -= size;
        if (!gap->size) remove_gap(heap, i);
        return true;
    }
    /* A gap that reaches the top grows into it. */
    Gap *last = heap->count ? &heap->gaps[heap->count - 1] : NULL;
    *offset = heap->top;
    if (last && last->offset + last->size == heap->top) {
        *offset = last->offset;
        heap->count--;
    }
    return !__builtin_add_overflow(*offset, size, &heap->top);
}

static void give(Heap *heap, size_t offset, size_t size)
{
    size_t at = heap->count;
    while (at > 0 && heap->gaps[at - 1].offset > offset) at--;
    bool joins_before = at > 0 && heap->gaps[at - 1].offset + heap->gaps[at - 1].size == offset;
    bool joins_after = at < heap->count && offset + size == heap->gaps[at].offset;
    if (joins_before) {
        heap->gaps[at - 1].size += size;
        if (!joins_after) return;
        heap->gaps[at - 1].size += heap->gaps[at].size;
        remove_gap(heap, at);
    } else if (joins_after) {
        heap->gaps[at].offset = offset;
        heap->gaps[at].size += size;
    } else {
        for (size_t i = heap->count; i > at; i--) heap->gaps[i] = heap->gaps[i - 1];
        heap->gaps[at] = (Gap){offset, size};
        heap->count++;
    }
}

/* The lifetimes sorted once by birth and once by death: a bucket a launch, so time is linear. */
typedef struct {
    uint32_t *births, *deaths;
} Order;

static void sort_by(const nn_lifetime *lifetimes, size_t count, uint32_t launches, bool death, uint32_t *starts,
                    uint32_t *order)
{
    for (uint32_t i = 0; i <= launches; i++) starts[i] = 0;
    for (size_t i = 0; i < count; i++) starts[(death ? lifetimes[i].last : lifetimes[i].first) + 1]++;
    for (uint32_t i = 0; i < launches; i++) starts[i + 1] += starts[i];
    for (size_t i = 0; i < count; i++) order[starts[death ? lifetimes[i].last : lifetimes[i].first]++] = (uint32_t)i;
}

static bool walk(nn_lifetime *lifetimes, size_t count, const Order *order, Heap *heap)
{
    size_t dead = 0;
    for (size_t i = 0; i < count; i++) {
        nn_lifetime *born = &lifetimes[order->births[i]];
        for (; dead < count && lifetimes[order->deaths[dead]].last < born->first; dead++) {
            const nn_lifetime *gone = &lifetimes[order->deaths[dead]];
            if (gone->size) give(heap, gone->offset, gone->size);
        }
        if (born->size > SIZE_MAX - NN_ALIGNMENT) return false;
        born->size = (born->size + NN_ALIGNMENT - 1) / NN_ALIGNMENT * NN_ALIGNMENT;
        if (born->size && !take(heap, born->size, &born->offset)) return false;
    }
    return true;
}

bool nn_place(nn_lifetime *lifetimes, size_t count, size_t *total)
{
    uint32_t launches = 0;
    for (size_t i = 0; i < count; i++)
        if (lifetimes[i].last >= launches) launches = lifetimes[i].last + 1;
    uint32_t *starts = malloc(((size_t)launches + 1) * sizeof *starts);
    uint32_t *orders = malloc((2 * count + 1) * sizeof *orders);
    Heap heap = {.gaps = malloc((count + 1) * sizeof *heap.gaps)};
    bool done = starts && orders && heap.gaps;
    if (done) {
        Order order = {orders, orders + count};
        sort_by(lifetimes, count, launches, false, starts, order.births);
        sort_by(lifetimes, count, launches, true, starts, order.deaths);
        done = walk(lifetimes, count, &order, &heap);
    }
    *total = heap.top;
    free(starts);
    free(orders);
    free(heap.gaps);
    return done;
}
