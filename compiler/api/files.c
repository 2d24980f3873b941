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

/* A new file beside the path, of the mode that creating gives (the umask is the process's: it is not ours to ask for).
 */
static int create_aside(Context *context, const char *path, char **aside)
{
    enum { ATTEMPTS = 100 };
    int file = -1;
    for (int i = 0; i < ATTEMPTS && file < 0; i++) {
        *aside = arena_format(context->arena, "%s.%ld-%d.new", path, (long)getpid(), i);
        file = open(*aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0 && errno != EEXIST) break;
    }
    return file;
}

bool write_file(Context *context, const char *path, const void *bytes, size_t size)
{
    char *aside;
    struct stat old;
    int file = create_aside(context, path, &aside);
    bool written = file >= 0 && (stat(path, &old) || !fchmod(file, old.st_mode & 07777)) &&
                   write_all(file, bytes, size) && !fsync(file);
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
