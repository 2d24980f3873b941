#include "api/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const Source *read_source(Context *context, const char *path)
{
    size_t size;
    errno = 0;
    char *text = read_file(path, &size);
    if (!text || errno) {
        diag_new(context->diagnostics, DIAG_unreadable_file, NO_SPAN, "cannot read `%s`: %s", path, strerror(errno));
        free(text);
        return NULL;
    }
    const Source *source = source_add(context->sources, path, text, size);
    free(text);
    if (!source) diag_new(context->diagnostics, DIAG_unreadable_file, NO_SPAN, "`%s` is larger than 4 GiB", path);
    return source;
}

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size) {
        ssize_t done = write(file, bytes, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

bool write_file(Context *context, const char *path, const void *bytes, size_t size)
{
    char *aside = arena_format(context->arena, "%s.XXXXXX", path);
    struct stat old;
    mode_t mode = stat(path, &old) ? 0 : old.st_mode & 07777;
    if (!mode) {
        mode_t mask = umask(0);
        umask(mask);
        mode = 0666 & ~mask;
    }
    int file = mkstemp(aside);
    bool written = file >= 0 && !fchmod(file, mode) && write_all(file, bytes, size) && !fsync(file);
    int error = errno;
    if (file >= 0 && close(file) && written) {
        written = false;
        error = errno;
    }
    if (written && rename(aside, path)) {
        written = false;
        error = errno;
    }
    if (written) return true;
    if (file >= 0) unlink(aside);
    diag_new(context->diagnostics, DIAG_unwritable_file, NO_SPAN, "cannot write `%s`: %s", path, strerror(error));
    return false;
}
