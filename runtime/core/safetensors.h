/* Weight files: safetensors (8 bytes of header length, a JSON header, the tensors' bytes; all little-endian). */
#ifndef NN_CORE_SAFETENSORS_H
#define NN_CORE_SAFETENSORS_H

#include "core/internal.h"
#include "core/new_file.h"

typedef struct {
    char *name;
    uint8_t dtype;
    int rank;
    int64_t dims[NN_MAX_RANK];
    const void *data; /* within the bytes that were read; not aligned */
    uint64_t begin, end;
} nn_stored;

typedef struct {
    nn_stored *tensors;
    size_t count;
    char **notes; /* pairs: key, text */
    size_t n_notes;
} nn_archive;

/* What the format calls the element types, by nn_dtype_code. */
extern const char *const nn_stored_types[];

/* Reads the header and checks it against the bytes: sizes, types, offsets that cover the data exactly once. `where`
 * names the bytes in messages. The archive refers to the bytes. */
int nn_archive_read(const char *where, const void *bytes, size_t size, nn_archive *archive);
void nn_archive_free(nn_archive *archive);
/* NULL when there is none. */
const nn_stored *nn_archive_find(const nn_archive *archive, const char *name);

/* Names that begin so are a training's own: reading parameters passes them by. */
#define NN_TRAINING_PREFIX "training/"

/* A tensor on its way into a file. */
typedef struct {
    const char *name;
    uint8_t dtype;
    int rank;
    const int64_t *dims;
    const void *at;
} nn_entry;

/* nn_params_save with further tensors. */
int nn_params_write(const nn_params *params, const char *path, const nn_entry *extra, size_t n_extra);
/* Loads what has the name, shape and type of a parameter or state, and leaves the rest alone. Calls tell for each: why
 * is NULL when it was taken, else what hinders it. NN_ERROR_FORMAT when nothing fits. */
int nn_params_load_fitting(nn_params *params, const char *path,
                           void (*tell)(void *data, const char *name, const char *why), void *data);

/* A whole file in memory of its own (free). */
int nn_file_read(const char *path, void **bytes, size_t *size);

#endif
