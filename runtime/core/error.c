#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/internal.h"

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

int nn_fail(nn_status status, const char *format, ...)
{
    va_list arguments;
    last = (int)status;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
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
