#include "api/deploy.h"

#include <ctype.h>
#include <string.h>

#include "api/failure.h"
#include "nn.h"
#include "support/memory.h"

static bool is_identifier(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_') return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_') return false;
    return true;
}

bool deploy_rename(Context *context, Program *program, const char *name)
{
    if (is_identifier(name)) {
        program->module->name = intern(context->names, name);
        return true;
    }
    diag_hint(
        diag_new(context->diagnostics, DIAG_bad_option, NO_SPAN, "`%s` cannot begin the names of functions", name),
        "letters, digits and _ can, with no digit in front");
    return false;
}

/* ---- Without training ---- */

static bool is_optimizer_state(const char *path)
{
    return !strncmp(path, "optimizer/", 10);
}

static void drop_optimizer_states(Module *module, Function *initialise)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < module->n_states; i++)
        if (!is_optimizer_state(graph_node(module->graph, module->states[i].node)->attr.name))
            module->states[kept++] = module->states[i];
    module->n_states = kept;
    kept = 0;
    for (uint32_t i = 0; initialise && i < initialise->n_results; i++)
        if (!is_optimizer_state(initialise->results[i].name)) initialise->results[kept++] = initialise->results[i];
    if (initialise) initialise->n_results = kept;
}

static bool declares(const Module *module, Node setting)
{
    for (uint32_t i = 0; i < module->n_settings; i++)
        if (node_same(module->settings[i].node, setting)) return true;
    return false;
}

/* Conditions on settings that are gone. */
static void drop_checks(Module *module)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < module->n_checks; i++) {
        uint32_t count = 0;
        Node condition = module->checks[i].condition;
        Node *nodes = node_is_none(condition) ? NULL : graph_reachable(module->graph, &condition, 1, &count);
        bool asked = true;
        for (uint32_t k = 0; k < count; k++)
            asked &= node_op(module->graph, nodes[k]) != OP_SETTING || declares(module, nodes[k]);
        if (asked) module->checks[kept++] = module->checks[i];
        memory_free(nodes);
    }
    module->n_checks = kept;
}

/* Settings that nothing reads any more: the optimizer's. */
static void drop_settings(Module *module)
{
    uint32_t count, kept = 0;
    Module results = {.graph = module->graph, .functions = module->functions, .n_functions = module->n_functions};
    Node *nodes = module_nodes(&results, &count);
    for (uint32_t i = 0; i < module->n_settings; i++) {
        bool used = false;
        for (uint32_t k = 0; k < count && !used; k++) used = node_same(nodes[k], module->settings[i].node);
        if (used) module->settings[kept++] = module->settings[i];
    }
    module->n_settings = kept;
    drop_checks(module);
    memory_free(nodes);
}

void deploy_without_training(Context *context, Program *program)
{
    static const char *const wanted[] = {"initialise", "inference"};
    Module *module = program->module;
    Function *functions = ARENA_ARRAY(context->arena, Function, 2);
    uint32_t count = 0;
    for (int i = 0; i < 2; i++) {
        const Function *function = module_function(module, wanted[i]);
        if (function) functions[count++] = *function;
    }
    module->functions = functions;
    module->n_functions = count;
    program->n_splits = 0;
    drop_optimizer_states(module, module_function(module, "initialise"));
    drop_settings(module);
}

/* ---- Weights ---- */

static bool fail(Context *context, const char *path)
{
    diag_new(context->diagnostics, failure_id(), NO_SPAN, "reading the weights of %s: %s", path, nn_message());
    return false;
}

/* The parameters as a file has them: logical tensors under their names, without what the model does not know. */
static bool params_to_bytes(Context *context, const nn_params *params, char **bytes, size_t *size)
{
    bool good = !nn_params_save_memory(params, NULL, 0, size);
    *bytes = good ? memory_alloc(*size) : NULL;
    if (good && !nn_params_save_memory(params, *bytes, *size, size)) return true;
    diag_new(context->diagnostics, failure_id(), NO_SPAN, "%s", nn_message());
    memory_free(*bytes);
    *bytes = NULL;
    return false;
}

static void free_params(void *params)
{
    nn_params_free(params);
}

bool deploy_weights(Context *context, const Plan *plan, const int64_t *dims, size_t n_dims, const char *path,
                    char **bytes, size_t *size)
{
    static const char *const programs[] = {"initialise", NULL};
    CodegenOptions how = {.level = 1, .programs = programs};
    nn_model *model = NULL;
    nn_params *params = NULL;
    Jit *jit = jit_compile(context, plan, &how);
    if (!jit) return false;
    bool good = !nn_model_from_image(jit_image(jit), NULL, &model) && !nn_params_new(model, dims, n_dims, 0, &params) &&
                !nn_params_load(params, path, NN_LOAD_WEIGHTS);
    nn_model_free(model); /* the parameters keep it */
    if (params) memory_on_failure(free_params, params);
    good = (good || fail(context, path)) && params_to_bytes(context, params, bytes, size);
    if (params) memory_settle(params);
    nn_params_free(params);
    jit_free(jit);
    return good;
}
