#include "support/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef struct {
    void (*undo)(void *data);
    void *data;
} Undo;

struct Heap {
    void **blocks; /* by address, open addressing, a power of two of places; NULL is free */
    size_t n_blocks, n_places;
    Undo *undos;
    size_t n_undos, undo_capacity;
    bool active, failed;
    jmp_buf start;
    Heap *outer; /* that of the attempt within which this one is made */
};

/* That of the attempt in which this thread works. */
static _Thread_local Heap *current;

/* ---- Heaps ---- */

Heap *heap_new(void)
{
    return calloc(1, sizeof(Heap));
}

void heap_free(Heap *heap)
{
    if (!heap) return;
    for (size_t i = 0; i < heap->n_places; i++) free(heap->blocks[i]);
    free(heap->blocks);
    free(heap->undos);
    free(heap);
}

Heap *heap_enter(Heap *heap)
{
    if (heap->active || heap->failed) return NULL;
    heap->active = true;
    heap->outer = current;
    return current = heap;
}

jmp_buf *heap_start(Heap *heap)
{
    return &heap->start;
}

static void leave(Heap *heap)
{
    heap->active = false;
    current = heap->outer;
}

void heap_leave(Heap *const *heap)
{
    if (*heap && (*heap)->active) leave(*heap);
}

bool heap_attempt(Heap *heap, void (*work)(void *data), void *data)
{
    HEAP_SCOPE(heap, return false);
    work(data);
    return true;
}

_Noreturn void memory_exhausted(void)
{
    Heap *heap = current;
    if (!heap) {
        fputs("nnc: out of memory\n", stderr);
        abort();
    }
    heap->failed = true;
    leave(heap);
    while (heap->n_undos) {
        const Undo *last = &heap->undos[--heap->n_undos];
        last->undo(last->data);
    }
    longjmp(heap->start, 1);
}

/* ---- The blocks of a heap ---- */

static size_t place_of(const Heap *heap, const void *block)
{
    uint64_t hash = (uint64_t)(uintptr_t)block * 0x9E3779B97F4A7C15ULL;
    size_t place = (hash >> 32) & (heap->n_places - 1);
    while (heap->blocks[place] && heap->blocks[place] != block) place = (place + 1) & (heap->n_places - 1);
    return place;
}

/* Room for one more block, so that what is allocated next can be noted. */
static void make_room(Heap *heap)
{
    if (heap->n_blocks * 2 < heap->n_places) return;
    Heap larger = {.n_places = heap->n_places ? heap->n_places * 2 : 256};
    larger.blocks = calloc(larger.n_places, sizeof *larger.blocks);
    if (!larger.blocks) memory_exhausted();
    for (size_t i = 0; i < heap->n_places; i++)
        if (heap->blocks[i]) larger.blocks[place_of(&larger, heap->blocks[i])] = heap->blocks[i];
    free(heap->blocks);
    heap->blocks = larger.blocks;
    heap->n_places = larger.n_places;
}

static void *note(void *block)
{
    if (!block) memory_exhausted();
    if (!current) return block;
    current->blocks[place_of(current, block)] = block;
    current->n_blocks++;
    return block;
}

/* Those behind it move up, as far as they have been displaced. */
static void forget(const void *block)
{
    Heap *heap = current;
    if (!heap || !block || !heap->n_places) return;
    size_t mask = heap->n_places - 1, hole = place_of(heap, block);
    if (!heap->blocks[hole]) return;
    heap->blocks[hole] = NULL;
    heap->n_blocks--;
    for (size_t at = (hole + 1) & mask; heap->blocks[at]; at = (at + 1) & mask) {
        void *moved = heap->blocks[at];
        heap->blocks[at] = NULL;
        heap->blocks[place_of(heap, moved)] = moved;
    }
}

/* Asks the system for large pages where a block is made of some: the first touch of every page costs a fault. */
static void *spacious(void *block, size_t size)
{
    enum { LARGE_PAGE = 2 * 1024 * 1024 };
    size_t skipped = -(uintptr_t)block & (LARGE_PAGE - 1);
    size_t pages = block && size > skipped ? (size - skipped) / LARGE_PAGE : 0;
    if (pages) madvise((char *)block + skipped, pages * LARGE_PAGE, MADV_HUGEPAGE);
    return block;
}

void *memory_alloc(size_t size)
{
    if (current) make_room(current);
    return note(spacious(malloc(size ? size : 1), size));
}

void *memory_calloc(size_t count, size_t size)
{
    if (current) make_room(current);
    return note(spacious(calloc(count ? count : 1, size ? size : 1), count * size));
}

void *memory_realloc(void *block, size_t size)
{
    if (current) make_room(current);
    forget(block);
    void *resized = realloc(block, size ? size : 1);
    if (resized) return note(spacious(resized, size));
    if (block) note(block);
    memory_exhausted();
}

void memory_free(void *block)
{
    forget(block);
    free(block);
}

/* ---- What is in no heap ---- */

void memory_on_failure(void (*undo)(void *data), void *data)
{
    Heap *heap = current;
    if (!heap) return;
    if (heap->n_undos == heap->undo_capacity) {
        size_t capacity = heap->undo_capacity ? 2 * heap->undo_capacity : 8;
        Undo *grown = realloc(heap->undos, capacity * sizeof *grown);
        if (!grown) {
            undo(data);
            memory_exhausted();
        }
        heap->undos = grown;
        heap->undo_capacity = capacity;
    }
    heap->undos[heap->n_undos++] = (Undo){undo, data};
}

void memory_settle(const void *data)
{
    if (!current) return;
    for (size_t i = current->n_undos; i-- > 0;) {
        if (current->undos[i].data != data) continue;
        for (; i + 1 < current->n_undos; i++) current->undos[i] = current->undos[i + 1];
        current->n_undos--;
        return;
    }
}

void *memory_outside(size_t size)
{
    return calloc(1, size);
}

void memory_outside_free(void *block)
{
    free(block);
}
