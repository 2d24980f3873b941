#ifndef NN_HOST_NPY_INTERNAL_H
#define NN_HOST_NPY_INTERNAL_H

#include "data/npy.h"
#include "data/source.h"

typedef struct {
    nn_type type; /* as an array of ours */
    int rank;
    int64_t dims[NN_MAX_RANK];
    int64_t elements;
    char stored_kind; /* 'f', 'i', 'u' or 'b' */
    size_t stored_size;
    bool fortran;
    bool swapped; /* big-endian */
    bool direct;  /* the elements are as ours lie in memory */
    size_t start; /* of the elements */
} nn_npy_header;

/* Checks everything against the size; nothing is allocated. */
int nn_npy_read_header(const char *where, const nn_bytes *bytes, nn_npy_header *header);
/* Converts the elements, row-major. */
int nn_npy_load(const char *where, const nn_bytes *bytes, const nn_npy_header *header, void *values);

/* Room for any header. */
enum { NPY_HEADER = 512 };
size_t nn_npy_write_header(const nn_array *array, char *to);
/* The bytes to write; *widened is a copy in another type where NumPy has none (free it), else NULL. */
int nn_npy_values(const nn_array *array, void **widened, size_t *size);

#endif
