#include "host/bytes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/internal.h"

enum { RAW_DEFLATE = -15, GZIP = 15 + 16, LARGEST_CALL = 1 << 30 };

static int map_file(const char *path, nn_bytes *bytes)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (file < 0) return nn_fail_errno(path);
    int status = NN_OK;
    if (fstat(file, &about)) {
        status = nn_fail_errno(path);
    } else if (!S_ISREG(about.st_mode)) {
        status = nn_fail(NN_ERROR_FILE, "%s is not a file", path);
    } else if (about.st_size) {
        bytes->mapped_size = (size_t)about.st_size;
        bytes->mapped = mmap(NULL, bytes->mapped_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (bytes->mapped == MAP_FAILED) {
            bytes->mapped = NULL;
            status = nn_fail_errno(path);
        }
    }
    close(file);
    bytes->at = bytes->mapped ? bytes->mapped : (const unsigned char *)"";
    bytes->size = bytes->mapped ? bytes->mapped_size : 0;
    return status;
}

static unsigned portion(size_t left)
{
    return left > LARGEST_CALL ? LARGEST_CALL : (unsigned)left;
}

/* How large the unpacked file probably is: gzip ends with its size modulo 2^32, and deflate gains 1032 times at most.
 */
static size_t guess_size(const nn_bytes *packed)
{
    const unsigned char *end = packed->at + packed->size;
    size_t told =
        packed->size < 4 ? 0 : (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
    return told < packed->size || told / 1032 > packed->size ? 4 * packed->size : told + 1;
}

/* Runs over all members of the file. */
static bool unpack_all(z_stream *stream, const nn_bytes *packed, unsigned char **out, size_t *size)
{
    size_t capacity = guess_size(packed), done = 0, read = 0;
    *out = malloc(capacity);
    while (*out) {
        if (done == capacity) {
            unsigned char *larger = capacity > SIZE_MAX / 2 ? NULL : realloc(*out, capacity *= 2);
            if (!larger) return false;
            *out = larger;
        }
        unsigned room = portion(capacity - done), given = portion(packed->size - read);
        stream->next_in = (unsigned char *)(uintptr_t)(packed->at + read);
        stream->avail_in = given;
        stream->next_out = *out + done;
        stream->avail_out = room;
        int result = inflate(stream, Z_NO_FLUSH);
        read += given - stream->avail_in;
        done += room - stream->avail_out;
        *size = done;
        if (result == Z_STREAM_END) {
            if (read == packed->size) return true;
            if (inflateReset(stream) != Z_OK) return false;
        } else if (result != Z_OK) {
            return false;
        }
    }
    return false;
}

static int unpack(const char *path, nn_bytes *bytes)
{
    z_stream stream = {0};
    unsigned char *out = NULL;
    size_t size = 0;
    if (inflateInit2(&stream, GZIP) != Z_OK) return nn_fail(NN_ERROR_MEMORY, "no memory to unpack %s", path);
    bool done = unpack_all(&stream, bytes, &out, &size);
    inflateEnd(&stream);
    if (!done) {
        free(out);
        return nn_fail(NN_ERROR_FORMAT, "%s is a damaged gzip file", path);
    }
    munmap(bytes->mapped, bytes->mapped_size);
    *bytes = (nn_bytes){.at = out, .size = size, .owned = out};
    return NN_OK;
}

int nn_bytes_open(const char *path, nn_bytes *bytes)
{
    *bytes = (nn_bytes){0};
    int status = map_file(path, bytes);
    if (!status && bytes->size > 2 && bytes->at[0] == 0x1f && bytes->at[1] == 0x8b) status = unpack(path, bytes);
    if (status) nn_bytes_close(bytes);
    return status;
}

void nn_bytes_close(nn_bytes *bytes)
{
    if (bytes->mapped) munmap(bytes->mapped, bytes->mapped_size);
    free(bytes->owned);
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
