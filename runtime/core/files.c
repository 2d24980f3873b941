#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/safetensors.h"

static int read_open_file(int file, const char *path, void **bytes, size_t *size)
{
    struct stat about;
    if (fstat(file, &about)) return nn_fail_errno(path);
    if (!S_ISREG(about.st_mode)) return nn_fail(NN_ERROR_FILE, "%s is not a file", path);
    *size = (size_t)about.st_size;
    char *memory = malloc(*size + 1);
    if (!memory) return nn_fail(NN_ERROR_MEMORY, "no memory for %s (%zu bytes)", path, *size);
    size_t done = 0;
    while (done < *size) {
        ssize_t got = read(file, memory + done, *size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            int status =
                got < 0 ? nn_fail_errno(path) : nn_fail(NN_ERROR_FILE, "%s became shorter while it was read", path);
            free(memory);
            return status;
        }
        done += (size_t)got;
    }
    *bytes = memory;
    return NN_OK;
}

int nn_file_read(const char *path, void **bytes, size_t *size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return nn_fail_errno(path);
    int status = read_open_file(file, path, bytes, size);
    close(file);
    return status;
}
