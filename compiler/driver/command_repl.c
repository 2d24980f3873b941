/* nnc repl: formulas, models and their training in a conversation. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver/commands.h"
#include "driver/repl_session.h"
#include "driver/repl_terminal.h"

/* Ctrl-C: forgets the line at the prompt, ends a training after its step and all else at its next piece. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static void catch_interrupts(Session *session)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    session_stop_at(session, &interrupted);
}

static void read_pipe(Session *session, const char *path)
{
    if (path) session_load(session, path);
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) >= 0)
        if (!session_line(session, line)) break;
    free(line);
    session_finish(session);
}

int command_REPL(const Options *options)
{
    Session *session = session_new(options);
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (terminal) catch_interrupts(session);
    if (terminal)
        terminal_run(session, options->file);
    else
        read_pipe(session, options->file);
    int status = session->errors && !terminal ? EXIT_USER : EXIT_OK;
    session_free(session);
    return status;
}
