#include "support/vector.h"

#include <stdint.h>

#include "support/memory.h"

void *vec_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = count < 8 ? 8 : count * 2;
    if (wanted > SIZE_MAX / size) memory_exhausted();
    void *grown = memory_realloc(items, wanted * size);
    *capacity = wanted;
    return grown;
}
