/* What no one needs: updates of a parameter to the value that it has (a frozen one), checks that hold by the form of
 * the sizes, checks made twice. Nodes that nothing reaches need no pass: everything walks from the results. */
#include "passes/passes_internal.h"

static void drop_updates(const Graph *graph, Function *function)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < function->n_results; i++) {
        const Result result = function->results[i];
        bool idle = result.role == RESULT_UPDATE && node_same(result.value, result.old);
        if (idle && node_op(graph, result.old) == OP_PARAM) continue;
        function->results[kept++] = result;
    }
    function->n_results = kept;
}

static bool same_check(const Check *a, const Check *b)
{
    return dim_same(a->left, b->left) && dim_same(a->right, b->right) && node_same(a->condition, b->condition);
}

static bool always_holds(const Graph *graph, const Check *check)
{
    double truth;
    if (!dim_is_none(check->left)) return dim_same(check->left, check->right);
    return node_is_constant(graph, check->condition, &truth) && truth != 0;
}

bool pass_dead(Module *module, const PassOptions *options)
{
    (void)options;
    uint32_t kept = 0;
    for (uint32_t f = 0; f < module->n_functions; f++) drop_updates(module->graph, &module->functions[f]);
    for (uint32_t i = 0; i < module->n_checks; i++) {
        const Check check = module->checks[i];
        bool needed = !always_holds(module->graph, &check);
        for (uint32_t k = 0; k < kept && needed; k++) needed = !same_check(&check, &module->checks[k]);
        if (needed) module->checks[kept++] = check;
    }
    module->n_checks = kept;
    return true;
}
