#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

static void *allocate_default(void *data, size_t size)
{
    (void)data;
    if (size > SIZE_MAX - NN_ALIGNMENT) return NULL;
    return aligned_alloc(NN_ALIGNMENT, (size + NN_ALIGNMENT - 1) / NN_ALIGNMENT * NN_ALIGNMENT);
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
