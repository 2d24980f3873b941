/* The one way in which files are written: beside their place, under a name that nobody can foresee and only as a new
 * file, then renamed. So a reader sees the old content or the new one, never a part; and in a folder that others may
 * write, nobody can prepare a link for us to follow. */
#ifndef NN_CORE_NEW_FILE_H
#define NN_CORE_NEW_FILE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int file;
    int status; /* the first failure; later writes do nothing */
    char *path, *beside;
} nn_new_file;

/* Opens a file that will take the place of `path`, which must be a regular file or nothing. A symbolic link stays one:
 * what it leads to is replaced. An old file's mode is kept; a new one gets what the umask leaves. */
int nn_new_file_open(const char *path, nn_new_file *file);
void nn_new_file_write(nn_new_file *file, const void *bytes, size_t size);
/* Writes through to the disk, so that of what can fail only the renaming is left. */
void nn_new_file_sync(nn_new_file *file);
/* Writes through to the disk and renames; when anything failed or `keep` is false, leaves no trace. */
int nn_new_file_close(nn_new_file *file, bool keep);

#endif
