#include "api/files.h"

#include <errno.h>
#include <string.h>

#include "core/new_file.h"
#include "nn.h"
#include "support/memory.h"

const Source *read_source(Context *context, const char *path)
{
    size_t size;
    errno = 0;
    char *text = read_file(path, &size);
    if (!text || errno) {
        diag_new(context->diagnostics, DIAG_unreadable_file, NO_SPAN, "cannot read `%s`: %s", path, strerror(errno));
        memory_free(text);
        return NULL;
    }
    const Source *source = source_add(context->sources, path, text, size);
    memory_free(text);
    if (!source) diag_new(context->diagnostics, DIAG_unreadable_file, NO_SPAN, "`%s` is larger than 4 GiB", path);
    return source;
}

static bool refuse_writing(Context *context)
{
    diag_new(context->diagnostics, DIAG_unwritable_file, NO_SPAN, "cannot write %s", nn_message());
    return false;
}

bool write_file(Context *context, const char *path, const void *bytes, size_t size)
{
    nn_new_file file;
    if (nn_new_file_open(path, &file)) return refuse_writing(context);
    nn_new_file_write(&file, bytes, size);
    return !nn_new_file_close(&file, true) || refuse_writing(context);
}
