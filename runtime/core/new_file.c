#include "core/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/internal.h"

static int refuse_memory(const char *path)
{
    return nn_fail(NN_ERROR_MEMORY, "no memory to write %s", path);
}

/* What the link `*path` says, put in its place: relative targets begin in the link's folder. */
static int follow_link(char **path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(*path, target, sizeof target);
    if (length < 0) return nn_fail_errno(*path);
    if ((size_t)length == sizeof target) return nn_fail(NN_ERROR_FILE, "%s leads to a name that is too long", *path);
    const char *slash = strrchr(*path, '/');
    size_t folder = *target != '/' && slash ? (size_t)(slash - *path) + 1 : 0;
    char *joined = malloc(folder + (size_t)length + 1);
    if (!joined) return refuse_memory(*path);
    memcpy(joined, *path, folder);
    memcpy(joined + folder, target, (size_t)length);
    joined[folder + (size_t)length] = 0;
    free(*path);
    *path = joined;
    return NN_OK;
}

/* Follows links, those that lead nowhere yet too, and checks what is there: a new file takes the place of an old one,
 * but never that of a folder or a device. *mode becomes the old file's permissions, or -1 where there is none. */
static int resolve(char **path, int *mode)
{
    enum { MOST_LINKS = 40 }; /* as the kernel */
    struct stat about;
    *mode = -1;
    for (int i = 0; i < MOST_LINKS; i++) {
        if (lstat(*path, &about)) return errno == ENOENT ? NN_OK : nn_fail_errno(*path);
        if (S_ISREG(about.st_mode)) *mode = (int)(about.st_mode & 0777);
        if (S_ISREG(about.st_mode)) return NN_OK;
        if (!S_ISLNK(about.st_mode)) return nn_fail(NN_ERROR_FILE, "%s: it is not a file", *path);
        int status = follow_link(path);
        if (status) return status;
    }
    errno = ELOOP;
    return nn_fail_errno(*path);
}

/* A new file beside the path; -1 with errno set. */
static int create(nn_new_file *file, size_t length)
{
    enum { ATTEMPTS = 100 };
    uint64_t number;
    for (int i = 0; i < ATTEMPTS; i++) {
        if (getrandom(&number, sizeof number, 0) != sizeof number) return -1;
        snprintf(file->beside, length, "%s.%016" PRIx64 ".part", file->path, number);
        file->file = open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file->file >= 0 || errno != EEXIST) break;
    }
    return file->file;
}

int nn_new_file_open(const char *path, nn_new_file *file)
{
    int mode;
    *file = (nn_new_file){.file = -1, .path = strdup(path)};
    int status = file->path ? resolve(&file->path, &mode) : refuse_memory(path);
    if (!status) {
        size_t length = strlen(file->path) + sizeof ".0123456789abcdef.part";
        file->beside = malloc(length);
        if (!file->beside)
            status = refuse_memory(path);
        else if (create(file, length) < 0)
            status = nn_fail_errno(path);
        else if (mode >= 0 && fchmod(file->file, (mode_t)mode))
            status = nn_fail_errno(path);
    }
    if (!status) return NN_OK;
    if (file->file >= 0) {
        close(file->file);
        unlink(file->beside);
    }
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

void nn_new_file_sync(nn_new_file *file)
{
    if (!file->status && fsync(file->file)) file->status = nn_fail_errno(file->path);
}

int nn_new_file_close(nn_new_file *file, bool keep)
{
    if (keep) nn_new_file_sync(file);
    if (close(file->file) && !file->status) file->status = nn_fail_errno(file->path);
    if (!file->status && keep && rename(file->beside, file->path)) file->status = nn_fail_errno(file->path);
    if (file->status || !keep) unlink(file->beside);
    free(file->path);
    free(file->beside);
    return file->status;
}
