/* --dump-after=STEP: prints what a step of the pipe made. */
#ifndef NNC_DRIVER_DUMP_H
#define NNC_DRIVER_DUMP_H

#include "driver/pipeline.h"

/* True when --dump-after names this step; it then counts as printed. */
bool dump_wants(Pipeline *pipeline, const char *step);
/* Prints the module when --dump-after names this step. */
void dump_module(Pipeline *pipeline, const char *step, const Module *module);
/* False after a diagnostic: --dump-after names no step. */
bool dump_step_exists(Pipeline *pipeline);
/* A warning when the command has ended without coming to the step. */
void dump_warn_missed(Pipeline *pipeline);

#endif
