/* Machine code that belongs to a model, and derivatives as formulas: what sources and graphs have in common. */

#include "api/deploy.h"
#include "api/derivative.h"
#include "api/failure.h"
#include "api/internal.h"
#include "support/memory.h"

/* What a model keeps until nothing is left over it. */
typedef struct {
    Workspace *workspace;
    Jit *jit;
} Code;

static void release_code(void *data)
{
    const Code *code = data;
    jit_free(code->jit);
    workspace_drop(code->workspace); /* the code is in it */
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
    Jit *jit = jit_compile(context, plan, &how);
    if (!jit) return false;
    Code *code = ARENA_NEW(context->arena, Code);
    *code = (Code){workspace, jit};
    if (!nn_model_from_image(jit_image(jit), &memory, model)) {
        memory_settle(jit);
        workspace_keep(workspace);
        nn_model_on_release(*model, release_code, code); /* of a model that has no owner yet */
        return true;
    }
    jit_free(jit);
    return fail(context);
}

int drop_model(nn_model **model)
{
    nn_model_free(*model);
    *model = NULL;
    return 1;
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
    memory_free(weights);
    return good;
}

bool formula_make(nnc_compiler *compiler, const Module *module, Node of, Node wrt, nnc_form form)
{
    Node gradient = derivative_find(module, of, wrt, NULL);
    if (node_is_none(gradient)) return false;
    Text formula = {0};
    display_formula(module->graph, gradient, form == NNC_LATEX ? DISPLAY_LATEX : DISPLAY_TEXT, &formula);
    compiler_keep(&compiler->formula, &formula);
    text_free(&formula);
    return true;
}
