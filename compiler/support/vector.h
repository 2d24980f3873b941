/* A growable array of any type: `Vec(int) numbers = {0}; vec_push(&numbers, 1); vec_free(&numbers);`. */
#ifndef NNC_SUPPORT_VECTOR_H
#define NNC_SUPPORT_VECTOR_H

#include <stddef.h>
#include <stdlib.h>

#include "support/memory.h"

#define Vec(T)                                                                                                         \
    struct {                                                                                                           \
        T *at;                                                                                                         \
        size_t count, capacity;                                                                                        \
    }

/* Makes room for one more item of `size` bytes. */
void *vec_grow(void *items, size_t count, size_t *capacity, size_t size);

#define vec_push(v, ...)                                                                                               \
    ((v)->at = (v)->count < (v)->capacity ? (v)->at : vec_grow((v)->at, (v)->count, &(v)->capacity, sizeof *(v)->at),  \
     (v)->at[(v)->count++] = (__VA_ARGS__))
#define vec_pop(v) ((v)->at[--(v)->count])
#define vec_last(v) ((v)->at[(v)->count - 1])
#define vec_free(v) (memory_free((v)->at), (v)->at = NULL, (v)->count = (v)->capacity = 0)

#endif
