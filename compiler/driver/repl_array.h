/* Values of a session: arrays of known shape, and how people read them. */
#ifndef NNC_DRIVER_REPL_ARRAY_H
#define NNC_DRIVER_REPL_ARRAY_H

#include "ir/type.h"

/* Row-major elements in the element type's memory format; `data` is malloc'd and its owner's. */
typedef struct {
    DType dtype;
    uint32_t rank;
    int64_t dims[MAX_RANK];
    int64_t count;
    void *data;
} Array;

/* Room for the elements, zeroed. */
Array array_new(DType dtype, uint32_t rank, const int64_t *dims);
Array array_copy(const Array *from);
void array_free(Array *array);
double array_at(const Array *array, int64_t index);
/* A scalar in as few digits as tell it apart, a vector in brackets, a matrix in aligned rows, of a larger one its
 * matrices; what is long is shortened by `…`. Without a final newline; several lines where it has two axes or more. */
void array_print(const Array *array, Text *to);
/* The same numbers as an expression of the language that gives exactly this array. False where there is none (a
 * number that is not finite, too many elements). */
bool array_as_text(const Array *array, Text *to);

#endif
