/* NumPy's files: .npy (one array) and .npz (a zip of them, stored or deflated). What is in Fortran
 * order is transposed when read, what is big-endian is turned round. Integers that are none of our types become i64. */
#ifndef NN_HOST_NPY_H
#define NN_HOST_NPY_H

#include "nn.h"

typedef struct {
    char *name; /* in an .npz; else NULL */
    nn_type type;
    int rank;
    int64_t dims[12];
    int64_t elements;
    void *values; /* row-major */
} nn_array;

int nn_npy_read(const char *path, nn_array *array);
/* The array that stands in memory as an .npy file; `where` names it in messages. */
int nn_npy_parse(const char *where, const void *bytes, size_t size, nn_array *array);
int nn_npy_write(const char *path, const nn_array *array);
void nn_array_free(nn_array *array);

/* The elements in another type, in new memory at *values (free it). NN_ERROR_RANGE,
 * with a message that names the place and the value, when the type does not hold one: a fraction or NaN for an integer
 * type, a number outside of its range, or one that would become infinite. */
int nn_array_convert(const nn_array *array, nn_type type, void **values);
/* The first integer that a float type may round (beyond 2^24 for f32), or -1. */
int64_t nn_array_rounded(const nn_array *array, nn_type type);
/* `300 at [3, 1]`: what an element is and where it stands. */
enum { NN_ELEMENT_TEXT = 320 };
void nn_array_element(const nn_array *array, int64_t element, char text[NN_ELEMENT_TEXT]);

int nn_npz_read(const char *path, nn_array **arrays, size_t *count);
void nn_arrays_free(nn_array *arrays, size_t count);

/* Writes an .npz beside its place; close renames it. bf16 has no NumPy type and is written as f32. */
typedef struct nn_npz nn_npz;
int nn_npz_new(const char *path, nn_npz **npz);
int nn_npz_add(nn_npz *npz, const nn_array *array);
/* With keep = 0 nothing remains. Frees in any case; returns the first failure. */
int nn_npz_close(nn_npz *npz, int keep);

#endif
