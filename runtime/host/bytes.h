/* A file's bytes: mapped, or unpacked when it is gzip. */
#ifndef NN_HOST_BYTES_H
#define NN_HOST_BYTES_H

#include <stdbool.h>

#include "nn.h"

typedef struct {
    const unsigned char *at;
    size_t size;
    void *owned; /* unpacked memory */
    void *mapped;
    size_t mapped_size;
} nn_bytes;

int nn_bytes_open(const char *path, nn_bytes *bytes);
void nn_bytes_close(nn_bytes *bytes);

/* Unpacks a raw deflate stream whose size is known; an error when it is another. */
int nn_bytes_inflate(const char *where, const void *packed, size_t packed_size, void *out, size_t size);

#endif
