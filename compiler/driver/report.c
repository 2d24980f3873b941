#include "driver/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report(Context *context)
{
    Text text = {0};
    diagnostics_print(context->diagnostics, &text);
    fputs(text_get(&text), stderr);
    text_free(&text);
    diagnostics_clear(context->diagnostics);
}

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
