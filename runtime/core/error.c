#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/internal.h"
#include "nn_shown.h"

static _Thread_local char message[512];
static _Thread_local int last = NN_OK;

int nn_version(void)
{
    return NN_VERSION;
}

const char *nn_message(void)
{
    return message;
}

/* Names in messages come from files: nothing of them may act on a terminal. What has no room is left out. */
static void show(const char *text)
{
    size_t at = 0, length = strlen(text);
    for (size_t i = 0; i < length;) {
        char escape[NN_SHOWN_MOST];
        size_t size = (size_t)nn_shown(text + i, length - i, escape), shown = *escape ? strlen(escape) : size;
        if (at + shown >= sizeof message) break;
        memcpy(message + at, *escape ? escape : text + i, shown);
        at += shown;
        i += size;
    }
    message[at] = 0;
}

int nn_fail(nn_status status, const char *format, ...)
{
    char text[sizeof message];
    va_list arguments;
    last = (int)status;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    show(text);
    return (int)status;
}

int nn_last_failure(void)
{
    return last;
}

int nn_fail_errno(const char *path)
{
    char reason[128];
    return nn_fail(NN_ERROR_FILE, "%s: %s", path, strerror_r(errno, reason, sizeof reason));
}
