/* Machine code that belongs to a model, and derivatives as formulas: what sources and graphs have in common. */
#include <stdlib.h>

#include "api/deploy.h"
#include "api/derivative.h"
#include "api/failure.h"
#include "api/internal.h"

/* What a model keeps until nothing is left over it. */
typedef struct {
    Workspace *workspace;
    Jit *jit;
} Code;

static void release_code(void *data)
{
    Code *code = data;
    jit_free(code->jit);
    workspace_drop(code->workspace);
    free(code);
}

static bool fail(Context *context)
{
    diag_new(context->diagnostics, failure_id(), NO_SPAN, "opening the compiled model: %s", nn_message());
    return false;
}

bool model_make(Workspace *workspace, const Plan *plan, const nnc_options *options, nn_model **model)
{
    Context *context = workspace->context;
    CodegenOptions how = {.cpu = options->cpu, .level = 1};
    if (options->weights) {
        diag_hint(diag_new(context->diagnostics, DIAG_bad_option, NO_SPAN, "weights are carried by files alone"),
                  "nn_params_load reads them into parameters of this model");
        return false;
    }
    nn_options memory = {.size = sizeof memory, .memory = options->memory};
    Code *code = malloc(sizeof *code);
    Jit *jit = code ? jit_compile(context, plan, &how) : NULL;
    if (!jit) {
        free(code);
        return false;
    }
    *code = (Code){workspace, jit};
    if (nn_model_from_image(jit_image(jit), &memory, model)) {
        jit_free(jit);
        free(code);
        return fail(context);
    }
    workspace_keep(workspace);
    if (!nn_model_on_release(*model, release_code, code)) return true;
    release_code(code);
    return fail(context);
}

bool model_write(Context *context, const Output *output, const Module *module, const Plan *plan,
                 const nnc_options *options, const char *path)
{
    CodegenOptions how = {.cpu = options->cpu, .level = 2};
    char *weights = NULL;
    if (plan && options->weights &&
        !deploy_weights(context, plan, NULL, 0, options->weights, &weights, &how.weights_size))
        return false;
    how.weights = weights;
    bool good = output_write(context, output, module, plan, &how, path);
    free(weights);
    return good;
}

bool formula_make(nnc_compiler *compiler, const Module *module, Node of, Node wrt, nnc_form form)
{
    Node gradient = derivative_find(module, of, wrt, NULL);
    if (node_is_none(gradient)) return false;
    display_formula(module->graph, gradient, form == NNC_LATEX ? DISPLAY_LATEX : DISPLAY_TEXT, &compiler->formula);
    return true;
}
