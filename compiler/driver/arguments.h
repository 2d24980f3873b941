/* The options whose values have a form of their own: NAME=VALUE, DIM=N, [SPLIT.]NAME=PATH. */
#ifndef NNC_DRIVER_ARGUMENTS_H
#define NNC_DRIVER_ARGUMENTS_H

#include "driver/options.h"
#include "elaborate/program.h"
#include "nn.h"

/* --bind, --set and --data into what the compiler takes. False after diagnostics. */
bool arguments_read(Context *context, const Options *options, ProgramOptions *to);
/* What --bind says of a dimension, or -1. */
int64_t arguments_bound(const Options *options, const char *dim);
/* Gives the parameters the settings of --set. False after a diagnostic. */
bool arguments_apply_settings(Context *context, const Options *options, nn_params *params);
/* Splits `NAME=VALUE` at its first `=`; the name in the context's names. False after a diagnostic. */
bool arguments_split(Context *context, const char *option, const char *text, Name *name, const char **value);

#endif
