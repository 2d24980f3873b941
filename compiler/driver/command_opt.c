/* nnc opt: one pass on a graph in text form. */
#include "driver/commands.h"
#include "driver/report.h"
#include "passes/passes.h"

static int list_passes(const Options *options)
{
    const char *name, *purpose;
    int status = usage_error(options, "which pass? --pass=NAME");
    for (unsigned i = 0; (name = pass_name(i, &purpose)); i++) fprintf(stderr, "  %-16s %s\n", name, purpose);
    return status;
}

int command_OPT(const Options *options)
{
    if (!options->pass) return list_passes(options);
    Context *context = context_new();
    const Source *source = read_source(context, options->file);
    Module *module = source ? module_read(context, source) : NULL;
    bool good = module && pass_run(options->pass, module, NULL);
    if (good) {
        Text text = {0};
        module_print(module, &text);
        fputs(text_get(&text), stdout);
        text_free(&text);
    }
    if (module) graph_free(module->graph);
    report(context);
    context_free(context);
    return good ? EXIT_OK : EXIT_USER;
}
