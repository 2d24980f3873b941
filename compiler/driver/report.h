/* What every subcommand says and reads in the same way. */
#ifndef NNC_DRIVER_REPORT_H
#define NNC_DRIVER_REPORT_H

#include "support/context.h"

/* Prints the diagnostics on stderr and forgets them. */
void report(Context *context);
/* Adds a file to the sources; NULL after a diagnostic. */
const Source *read_source(Context *context, const char *path);

#endif
