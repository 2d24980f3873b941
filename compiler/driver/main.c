/* nnc: from the command line to a subcommand, which runs on a stack of a known size. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver/commands.h"
#include "driver/heap.h"
#include "support/stack.h"

/* With a standard stream closed, the next file that is opened would take its number and all that is written to it. */
static bool open_standard_streams(void)
{
    int file;
    do {
        file = open("/dev/null", O_RDWR);
    } while (file >= 0 && file <= STDERR_FILENO);
    return file >= 0 && !close(file);
}

typedef struct {
    const Options *options;
    sigset_t signals; /* that the process was started with blocked */
    int status;
} Run;

static void run_command(void *data)
{
    static int (*const commands[])(const Options *) = {
#define COMMAND(id, name, arguments, summary, example) command_##id,
#include "driver/commands.def"
#undef COMMAND
    };
    Run *run = data;
    pthread_sigmask(SIG_SETMASK, &run->signals, NULL);
    run->status = commands[run->options->command](run->options);
}

/* Signals go to the command's thread alone: it waits for some of them. */
static int run_on_stack(const Options *options)
{
    Run run = {.options = options};
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &run.signals);
    if (stack_run(run_command, &run)) return run.status;
    fprintf(stderr, "nnc: no thread with a stack of %d MiB can be started: %s\n", STACK_SIZE / (1024 * 1024),
            strerror(errno));
    return EXIT_USER;
}

int main(int argc, char **argv)
{
    if (!open_standard_streams()) return EXIT_USER;
    signal(SIGPIPE, SIG_DFL);
    heap_prepare();
    Options options;
    int status;
    if (options_parse(&options, argc, argv, &status)) status = run_on_stack(&options);
    options_free(&options);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "nnc: the output cannot be written: %s\n", strerror(errno));
        if (!status) status = EXIT_USER;
    }
    return status;
}
