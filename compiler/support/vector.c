#include "support/vector.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *vec_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = count < 8 ? 8 : count * 2;
    void *grown = wanted > SIZE_MAX / size ? NULL : realloc(items, wanted * size);
    if (!grown) {
        fputs("nnc: out of memory\n", stderr);
        abort();
    }
    *capacity = wanted;
    return grown;
}
