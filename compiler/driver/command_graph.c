/* nnc graph: a picture of the model, by Graphviz when it shall be an .svg. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/files.h"
#include "api/picture.h"
#include "driver/commands.h"
#include "driver/pipeline.h"

extern char **environ;

/* Files without a name that are what `dot` reads, writes and says. */
typedef struct {
    FILE *in, *out, *error;
} Streams;

static bool streams_open(Streams *streams, Context *context, const Text *text)
{
    *streams = (Streams){tmpfile(), tmpfile(), tmpfile()};
    bool good = streams->in && streams->out && streams->error;
    good = good && fwrite(text_get(text), 1, text->count, streams->in) == text->count && !fflush(streams->in) &&
           !fseek(streams->in, 0, SEEK_SET);
    if (!good)
        diag_new(context->diagnostics, DIAG_unwritable_file, NO_SPAN, "no temporary file can be written: %s",
                 strerror(errno));
    return good;
}

static void streams_close(Streams *streams)
{
    if (streams->in) fclose(streams->in);
    if (streams->out) fclose(streams->out);
    if (streams->error) fclose(streams->error);
}

static void read_all(FILE *from, Text *to)
{
    char bytes[4096];
    size_t count;
    rewind(from);
    while ((count = fread(bytes, 1, sizeof bytes, from))) text_put(to, bytes, count);
}

/* 0, or what errno would be; *status is what waitpid gives. */
static int run_dot(const Streams *streams, int *status)
{
    char *arguments[] = {"dot", "-Tsvg", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(streams->in), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(streams->out), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(streams->error), STDERR_FILENO);
    int failed = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    while (!failed && waitpid(child, status, 0) < 0)
        if (errno != EINTR) failed = errno;
    return failed;
}

/* The drawing, laid out. */
static bool lay_out(Context *context, const Text *text, Text *svg)
{
    Streams streams;
    int status = 0;
    bool good = streams_open(&streams, context, text);
    int failed = good ? run_dot(&streams, &status) : 0;
    if (failed) {
        diag_hint(diag_new(context->diagnostics, DIAG_no_graphviz, NO_SPAN,
                           "an .svg is laid out by Graphviz, but `dot` cannot be run: %s", strerror(failed)),
                  "install Graphviz (apt-get install graphviz), or write a .dot");
        good = false;
    } else if (good && status) {
        Text said = {0};
        read_all(streams.error, &said);
        diag_new(context->diagnostics, DIAG_no_graphviz, NO_SPAN, "Graphviz failed: %s",
                 said.count ? text_get(&said) : "it said nothing");
        text_free(&said);
        good = false;
    }
    if (good) read_all(streams.out, svg);
    streams_close(&streams);
    return good;
}

static bool draw(Pipeline *pipeline, bool svg)
{
    Text text = {0}, drawn = {0}, painted = {0};
    if (!pipeline_passes(pipeline)) return false;
    picture_print(pipeline->program->module, &text);
    bool good = !svg || lay_out(pipeline->context, &text, &drawn);
    if (good && svg) picture_paint(&drawn, &painted);
    const Text *what = svg ? &painted : &text;
    good = good && write_file(pipeline->context, pipeline->options->output, text_get(what), what->count);
    text_free(&text);
    text_free(&drawn);
    text_free(&painted);
    return good;
}

int command_GRAPH(const Options *options)
{
    if (!options->output) return usage_error(options, "where to? -o OUT.svg or -o OUT.dot");
    const char *dot = strrchr(options->output, '.');
    bool svg = dot && !strcmp(dot, ".svg");
    if (!svg && !(dot && !strcmp(dot, ".dot")))
        return usage_error(options, "-o %s: a graph is an .svg or a .dot", options->output);
    Pipeline pipeline = pipeline_start(options);
    bool good = draw(&pipeline, svg);
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
