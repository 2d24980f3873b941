#include "driver/report.h"

#include <stdio.h>

void report(Context *context)
{
    Text text = {0};
    diagnostics_print(context->diagnostics, &text);
    fputs(text_get(&text), stderr);
    text_free(&text);
    diagnostics_clear(context->diagnostics);
}
