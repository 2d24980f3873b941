/* Weight files: safetensors (8 bytes of header length, a JSON header, the tensors' bytes; all little-endian). */
#ifndef NN_CORE_SAFETENSORS_H
#define NN_CORE_SAFETENSORS_H

#include "core/internal.h"

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

/* A whole file in memory of its own (free). */
int nn_file_read(const char *path, void **bytes, size_t *size);

/* A file that is written beside its place and takes it only when it is complete. */
typedef struct {
    int file;
    int status; /* the first failure; later writes do nothing */
    char *path, *beside;
} nn_new_file;

int nn_new_file_open(const char *path, nn_new_file *file);
void nn_new_file_write(nn_new_file *file, const void *bytes, size_t size);
/* Writes through to the disk and renames; when anything failed or `keep` is false, leaves no trace. */
int nn_new_file_close(nn_new_file *file, bool keep);

#endif
