/* nnc grad: a derivative as a formula. */
#include <stdio.h>

#include "api/derivative.h"
#include "display/display.h"
#include "driver/commands.h"
#include "driver/pipeline.h"

static Node find_operand(const Pipeline *pipeline)
{
    const Module *module = pipeline->program->module;
    const char *of = pipeline->options->of;
    if (of) return derivative_value(module, "--of", of);
    Node loss = module_function(module, "inference")->loss;
    if (node_is_none(loss))
        diag_new(pipeline->context->diagnostics, DIAG_no_loss, NO_SPAN,
                 "the model has no loss; --of NAME says what is differentiated");
    return loss;
}

static bool print_derivative(Pipeline *pipeline)
{
    const Options *options = pipeline->options;
    const Module *module = pipeline->program->module;
    Node of = find_operand(pipeline);
    Node wrt = node_is_none(of) ? NODE_NONE : derivative_value(module, "--wrt", options->wrt);
    if (node_is_none(wrt)) return false;
    if (node_type(module->graph, of)->rank > 0)
        fprintf(stderr, "note: %s is no scalar; this differentiates its sum\n", options->of ? options->of : "the loss");
    PassOptions how = pipeline_explaining(pipeline);
    Node gradient = derivative_find(module, of, wrt, &how);
    if (node_is_none(gradient)) return false;
    Text text = {0};
    display_formula(module->graph, gradient, options->latex ? DISPLAY_LATEX : DISPLAY_TEXT, &text);
    puts(text_get(&text));
    text_free(&text);
    return true;
}

int command_GRAD(const Options *options)
{
    if (!options->wrt) return usage_error(options, "by what? --wrt NAME");
    Pipeline pipeline = pipeline_start(options);
    bool good = pipeline_program(&pipeline, false) && print_derivative(&pipeline);
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
