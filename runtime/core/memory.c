#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/internal.h"

/* From this size on memory lies on huge pages where the system has some: rows that are pages apart then share one entry
 * of the address cache. */
static const size_t HUGE_PAGE = (size_t)2 << 20;

static void *allocate_default(void *data, size_t size)
{
    (void)data;
    size_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : NN_ALIGNMENT;
    if (size > SIZE_MAX - alignment) return NULL;
    size = (size + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, size);
#ifdef MADV_HUGEPAGE
    if (memory && alignment == HUGE_PAGE) madvise(memory, size, MADV_HUGEPAGE);
#endif
    return memory;
}

static void release_default(void *data, void *memory, size_t size)
{
    (void)data, (void)size;
    free(memory);
}

const nn_memory nn_memory_default = {NULL, allocate_default, release_default, 0};

void *nn_memory_new(const nn_memory *memory, size_t size)
{
    void *block = memory->allocate(memory->data, size ? size : 1);
    if (block) memset(block, 0, size);
    return block;
}

void nn_memory_free(const nn_memory *memory, void *block, size_t size)
{
    if (block) memory->release(memory->data, block, size ? size : 1);
}

bool nn_block_reserve(const nn_memory *memory, nn_block *block, size_t size, bool *moved)
{
    /* A guarded block must end where its value ends, so there it is never larger than needed. */
    if (block->at && (memory->separate ? size == block->size : size <= block->size)) return true;
    nn_block_free(memory, block);
    block->at = nn_memory_new(memory, size);
    block->size = block->at ? size : 0;
    *moved = true;
    return block->at;
}

void nn_block_free(const nn_memory *memory, nn_block *block)
{
    nn_memory_free(memory, block->at, block->size);
    *block = (nn_block){0};
}
