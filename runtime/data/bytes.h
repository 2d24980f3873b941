/* A file's bytes, by their positions. What is small or packed lies in memory; of a larger file the beginning does, and
 * the rest is read when it is asked for. Nothing is mapped: a file that gets shorter while it is in use is an error,
 * and no fault of memory. */
#ifndef NN_HOST_BYTES_H
#define NN_HOST_BYTES_H

#include <stdbool.h>

#include "nn.h"

typedef struct {
    const unsigned char *at; /* the first bytes */
    size_t have, size;       /* how many lie in memory, and how many there are */
    void *owned;
    char *path;
    int file; /* open while `in_file`: it has what does not lie in memory */
    bool in_file;
} nn_bytes;

/* Unpacks gzip. nn_bytes_close is due only after success. */
int nn_bytes_open(const char *path, nn_bytes *bytes);
void nn_bytes_close(nn_bytes *bytes);
/* Copies bytes [offset, offset + size), which must be there; NN_ERROR_FILE when the file lacks them by now. From any
 * thread. */
int nn_bytes_get(const nn_bytes *bytes, size_t offset, void *out, size_t size);
/* The same without a copy where that is possible: *piece lies in the bytes' memory or in *owned (free it; NULL else).
 */
int nn_bytes_piece(const nn_bytes *bytes, size_t offset, size_t size, const unsigned char **piece, void **owned);

/* Unpacks a raw deflate stream whose size is known; an error when it is another. */
int nn_bytes_inflate(const char *where, const void *packed, size_t packed_size, void *out, size_t size);

#endif
