/* nnc: from the command line to a subcommand. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver/commands.h"

/* With a standard stream closed, the next file that is opened would take its number and all that is written to it. */
static bool open_standard_streams(void)
{
    int file;
    do {
        file = open("/dev/null", O_RDWR);
    } while (file >= 0 && file <= STDERR_FILENO);
    return file >= 0 && !close(file);
}

int main(int argc, char **argv)
{
    static int (*const commands[])(const Options *) = {
#define COMMAND(id, name, arguments, summary, example) command_##id,
#include "driver/commands.def"
#undef COMMAND
    };
    if (!open_standard_streams()) return EXIT_USER;
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
