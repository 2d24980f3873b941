/* Files that are written aside and then renamed, so that a failure loses nothing. */
#ifndef NNC_DRIVER_OUTPUT_H
#define NNC_DRIVER_OUTPUT_H

#include "support/context.h"

/* Replaces the file's content. False after a diagnostic; the old content is then untouched. */
bool write_file(Context *context, const char *path, const void *bytes, size_t size);

#endif
