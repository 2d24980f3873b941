#include "data/bytes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/internal.h"

enum { RAW_DEFLATE = -15, GZIP = 15 + 16, LARGEST_CALL = 1 << 30 };
/* Files up to the first size are read at once; of others the beginning, which holds every header. */
enum { IN_MEMORY = 64 << 20, BEGINNING = 1 << 16, PACKED_AT_ONCE = 1 << 16 };

static int read_file(const nn_bytes *bytes, size_t offset, void *out, size_t size)
{
    char *to = out;
    while (size) {
        ssize_t got = pread(bytes->file, to, size < LARGEST_CALL ? size : LARGEST_CALL, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return nn_fail_errno(bytes->path);
        if (!got) return nn_fail(NN_ERROR_FILE, "%s became shorter while it was read", bytes->path);
        to += got;
        offset += (size_t)got;
        size -= (size_t)got;
    }
    return NN_OK;
}

int nn_bytes_get(const nn_bytes *bytes, size_t offset, void *out, size_t size)
{
    assert(offset <= bytes->size && size <= bytes->size - offset);
    if (bytes->in_file && size > bytes->have - (offset < bytes->have ? offset : bytes->have))
        return read_file(bytes, offset, out, size);
    if (size) memcpy(out, bytes->at + offset, size);
    return NN_OK;
}

int nn_bytes_piece(const nn_bytes *bytes, size_t offset, size_t size, const unsigned char **piece, void **owned)
{
    *owned = NULL;
    *piece = bytes->at + offset;
    if (!bytes->in_file) return NN_OK;
    *piece = *owned = malloc(size + 1);
    if (!*owned) return nn_fail(NN_ERROR_MEMORY, "no memory for %zu bytes of %s", size, bytes->path);
    int status = nn_bytes_get(bytes, offset, *owned, size);
    if (!status) return NN_OK;
    free(*owned);
    *owned = NULL;
    return status;
}

static int open_file(const char *path, nn_bytes *bytes)
{
    struct stat about;
    bytes->path = strdup(path);
    if (!bytes->path) return nn_fail(NN_ERROR_MEMORY, "no memory for %s", path);
    bytes->file = open(path, O_RDONLY | O_CLOEXEC);
    if (bytes->file < 0) return nn_fail_errno(path);
    bytes->in_file = true;
    if (fstat(bytes->file, &about)) return nn_fail_errno(path);
    if (!S_ISREG(about.st_mode)) return nn_fail(NN_ERROR_FILE, "%s is not a file", path);
    bytes->size = (size_t)about.st_size;
    size_t have = bytes->size <= IN_MEMORY ? bytes->size : BEGINNING;
    bytes->at = bytes->owned = malloc(have + 1);
    if (!bytes->owned) return nn_fail(NN_ERROR_MEMORY, "no memory for %s", path);
    int status = read_file(bytes, 0, bytes->owned, have);
    if (status) return status;
    bytes->have = have;
    if (have < bytes->size) return NN_OK;
    close(bytes->file);
    bytes->in_file = false;
    return NN_OK;
}

static unsigned portion(size_t left)
{
    return left > LARGEST_CALL ? LARGEST_CALL : (unsigned)left;
}

/* How large the unpacked file probably is: gzip ends with its size modulo 2^32, and deflate gains 1032 times at most.
 */
static int guess_size(const nn_bytes *packed, size_t *size)
{
    unsigned char end[4] = {0};
    int status = packed->size < 4 ? NN_OK : nn_bytes_get(packed, packed->size - 4, end, 4);
    size_t told = (size_t)end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
    *size = told < packed->size || told / 1032 > packed->size ? 4 * packed->size : told + 1;
    return status;
}

/* The unpacked bytes as they grow. */
typedef struct {
    unsigned char *at;
    size_t size, capacity;
} Unpacked;

static int no_memory(const nn_bytes *packed)
{
    return nn_fail(NN_ERROR_MEMORY, "no memory to unpack %s", packed->path);
}

static int damaged(const nn_bytes *packed)
{
    return nn_fail(NN_ERROR_FORMAT, "%s is a damaged gzip file", packed->path);
}

/* What one buffer of packed bytes gives; *ended is set when it ends a member of the file. */
static int unpack_some(z_stream *stream, const nn_bytes *packed, Unpacked *out, bool *ended)
{
    do {
        if (out->size == out->capacity) {
            unsigned char *larger = out->capacity > SIZE_MAX / 2 ? NULL : realloc(out->at, out->capacity * 2);
            if (!larger) return no_memory(packed);
            out->at = larger;
            out->capacity *= 2;
        }
        unsigned room = portion(out->capacity - out->size);
        if (*ended && inflateReset(stream) != Z_OK) return damaged(packed);
        *ended = false;
        stream->next_out = out->at + out->size;
        stream->avail_out = room;
        int result = inflate(stream, Z_NO_FLUSH);
        out->size += room - stream->avail_out;
        *ended = result == Z_STREAM_END;
        bool waits = result == Z_BUF_ERROR && !stream->avail_in;
        if (result != Z_OK && result != Z_STREAM_END && !waits) return damaged(packed);
    } while (stream->avail_in || (!stream->avail_out && !*ended));
    return NN_OK;
}

/* Runs over all members of the file. */
static int unpack_all(z_stream *stream, const nn_bytes *packed, Unpacked *out)
{
    static const size_t most = PACKED_AT_ONCE;
    unsigned char buffer[PACKED_AT_ONCE];
    bool ended = false;
    int status = guess_size(packed, &out->capacity);
    if (status) return status;
    out->at = malloc(out->capacity);
    if (!out->at) return no_memory(packed);
    for (size_t read = 0; read < packed->size; read += most) {
        size_t now = packed->size - read < most ? packed->size - read : most;
        status = nn_bytes_get(packed, read, buffer, now);
        stream->next_in = buffer;
        stream->avail_in = (unsigned)now;
        if (!status) status = unpack_some(stream, packed, out, &ended);
        if (status) return status;
    }
    return ended ? NN_OK : damaged(packed);
}

static int unpack(nn_bytes *bytes)
{
    z_stream stream = {0};
    Unpacked out = {0};
    if (inflateInit2(&stream, GZIP) != Z_OK) return no_memory(bytes);
    int status = unpack_all(&stream, bytes, &out);
    inflateEnd(&stream);
    if (status) {
        free(out.at);
        return status;
    }
    nn_bytes_close(bytes);
    *bytes = (nn_bytes){.at = out.at, .have = out.size, .size = out.size, .owned = out.at};
    return NN_OK;
}

int nn_bytes_open(const char *path, nn_bytes *bytes)
{
    *bytes = (nn_bytes){0};
    int status = open_file(path, bytes);
    if (!status && bytes->have > 2 && bytes->at[0] == 0x1f && bytes->at[1] == 0x8b) status = unpack(bytes);
    if (status) nn_bytes_close(bytes);
    return status;
}

void nn_bytes_close(nn_bytes *bytes)
{
    if (bytes->in_file) close(bytes->file);
    free(bytes->owned);
    free(bytes->path);
    *bytes = (nn_bytes){0};
}

int nn_bytes_inflate(const char *where, const void *packed, size_t packed_size, void *out, size_t size)
{
    z_stream stream = {0};
    if (packed_size > LARGEST_CALL || size > LARGEST_CALL)
        return nn_fail(NN_ERROR_FORMAT, "%s: packed arrays over 1 GiB are not supported, store them", where);
    if (inflateInit2(&stream, RAW_DEFLATE) != Z_OK) return nn_fail(NN_ERROR_MEMORY, "no memory to unpack %s", where);
    stream.next_in = (unsigned char *)(uintptr_t)packed;
    stream.avail_in = (unsigned)packed_size;
    stream.next_out = out;
    stream.avail_out = (unsigned)size;
    int result = inflate(&stream, Z_FINISH);
    bool good = result == Z_STREAM_END && !stream.avail_out;
    inflateEnd(&stream);
    return good ? NN_OK : nn_fail(NN_ERROR_FORMAT, "%s: the packed data is damaged", where);
}
