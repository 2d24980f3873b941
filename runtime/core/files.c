#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* A new file takes the place of an old one, but never that of a folder or a device. */
static int check_place(const char *path)
{
    struct stat about;
    if (stat(path, &about)) return errno == ENOENT ? NN_OK : nn_fail_errno(path);
    return S_ISREG(about.st_mode) ? NN_OK : nn_fail(NN_ERROR_FILE, "%s is not a file", path);
}

int nn_new_file_open(const char *path, nn_new_file *file)
{
    int wrong = check_place(path);
    if (wrong) return wrong;
    size_t length = strlen(path) + 32;
    *file = (nn_new_file){.file = -1, .path = strdup(path), .beside = malloc(length)};
    if (!file->path || !file->beside) {
        free(file->path);
        free(file->beside);
        return nn_fail(NN_ERROR_MEMORY, "no memory to write %s", path);
    }
    for (int i = 0; i < 100 && file->file < 0; i++) {
        snprintf(file->beside, length, "%s.%ld-%d.part", path, (long)getpid(), i);
        file->file = open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file->file < 0 && errno != EEXIST) break;
    }
    if (file->file >= 0) return NN_OK;
    int status = nn_fail_errno(path);
    free(file->path);
    free(file->beside);
    return status;
}

void nn_new_file_write(nn_new_file *file, const void *bytes, size_t size)
{
    const char *from = bytes;
    while (size && !file->status) {
        ssize_t done = write(file->file, from, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) {
            file->status = nn_fail_errno(file->path);
            return;
        }
        from += done;
        size -= (size_t)done;
    }
}

int nn_new_file_close(nn_new_file *file, bool keep)
{
    if (!file->status && keep && fsync(file->file)) file->status = nn_fail_errno(file->path);
    if (close(file->file) && !file->status) file->status = nn_fail_errno(file->path);
    if (!file->status && keep && rename(file->beside, file->path)) file->status = nn_fail_errno(file->path);
    if (file->status || !keep) unlink(file->beside);
    free(file->path);
    free(file->beside);
    return file->status;
}
