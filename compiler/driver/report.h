/* What every subcommand says in the same way. */
#ifndef NNC_DRIVER_REPORT_H
#define NNC_DRIVER_REPORT_H

#include "api/files.h"

/* Prints the diagnostics on stderr and forgets them. */
void report(Context *context);

#endif
