/* The subcommands: each takes the parsed options and returns the exit status. */
#ifndef NNC_DRIVER_COMMANDS_H
#define NNC_DRIVER_COMMANDS_H

#include "driver/options.h"

#define COMMAND(id, name, arguments, summary, example) int command_##id(const Options *options);
#include "driver/commands.def"
#undef COMMAND

#endif
