/* The command line: one table of options (options.def), one of commands (commands.def), one parser for all. */
#ifndef NNC_DRIVER_OPTIONS_H
#define NNC_DRIVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
#define COMMAND(id, name, arguments, summary, example) COMMAND_##id,
#include "driver/commands.def"
#undef COMMAND
    COMMAND_COUNT
} CommandId;

/* Values of a repeated option, in order; they point into argv. */
typedef struct {
    const char **at;
    size_t count;
} TextList;

typedef bool OptionFLAG;
typedef const char *OptionTEXT;
typedef TextList OptionLIST;
/* An integer; -1 when not given. */
typedef int64_t OptionCOUNT;
typedef int64_t OptionNUMBER;

typedef struct {
    CommandId command;
    const char *file; /* the one positional argument, NULL when there was none */
#define OPTION(field, long_name, short_name, kind, value, commands, help) Option##kind field;
#include "driver/options.def"
#undef OPTION
} Options;

enum { EXIT_OK = 0, EXIT_USER = 1, EXIT_USAGE = 2 };

/* Reads argv. Returns true to go on; false when all is said (help, version or a usage error, printed), with the exit
 * status in *status. Free with options_free. */
bool options_parse(Options *options, int argc, char **argv, int *status);
void options_free(Options *options);
const char *command_name(CommandId command);
/* A usage error on stderr, with the command's synopsis; returns EXIT_USAGE. */
int usage_error(const Options *options, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
