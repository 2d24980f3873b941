/* nnc: from the command line to a subcommand. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "driver/commands.h"

int main(int argc, char **argv)
{
    static int (*const commands[])(const Options *) = {
#define COMMAND(id, name, arguments, summary, example) command_##id,
#include "driver/commands.def"
#undef COMMAND
    };
    signal(SIGPIPE, SIG_DFL);
    Options options;
    int status;
    if (options_parse(&options, argc, argv, &status)) status = commands[options.command](&options);
    options_free(&options);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "nnc: the output cannot be written: %s\n", strerror(errno));
        if (!status) status = EXIT_USER;
    }
    return status;
}
