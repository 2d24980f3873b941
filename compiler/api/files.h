/* Reading sources and writing results. */
#ifndef NNC_API_FILES_H
#define NNC_API_FILES_H

#include "support/context.h"

/* Adds a file to the sources; NULL after a diagnostic. */
const Source *read_source(Context *context, const char *path);
/* Replaces the file's content, written aside and then renamed. False after a diagnostic; the old content is then
 * untouched. */
bool write_file(Context *context, const char *path, const void *bytes, size_t size);

#endif
