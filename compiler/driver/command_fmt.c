/* nnc fmt: lays a file out canonically. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/files.h"
#include "driver/commands.h"
#include "driver/report.h"
#include "grammar/parser.h"
#include "syntax/syntax.h"

static int write_back(const Options *options, Context *context, const Source *source, const Text *text)
{
    if (text->count == source->size && !memcmp(text_get(text), source->text, source->size)) return EXIT_OK;
    if (options->check) {
        printf("%s\n", options->file);
        return EXIT_USER;
    }
    return write_file(context, options->file, text_get(text), text->count) ? EXIT_OK : EXIT_USER;
}

int command_FMT(const Options *options)
{
    Context *context = context_new();
    int status = EXIT_USER;
    const Source *source = read_source(context, options->file);
    if (source) {
        const Syntax *tree = parse_source(context, source);
        if (!diagnostics_errors(context->diagnostics)) {
            Text text = {0};
            syntax_print(tree, &text);
            status = write_back(options, context, source, &text);
            text_free(&text);
        }
    }
    report(context);
    context_free(context);
    return status;
}
