/* Validity of a module: every node against ops.def and its type rule, every declared thing and result against the node
 * that it names. */
#include <stdlib.h>
#include <string.h>

#include "ir/condition.h"
#include "ir/graph_internal.h"
#include "ir/infer.h"
#include "ir/module_text.h"
#include "support/memory.h"

static const char *wrong_node(const Graph *graph, Node node, const char *wrong)
{
    return arena_format(graph->context->arena, "node %u (%s): %s", node.id,
                        (unsigned)node_op(graph, node) < OP_COUNT ? op_info(node_op(graph, node))->spelling : "?",
                        wrong);
}

static const char *verify_node(const Graph *graph, Node node)
{
    const NodeInfo info = *graph_node(graph, node);
    Type type;
    if ((unsigned)info.op >= OP_COUNT) return wrong_node(graph, node, "not an operator");
    for (uint32_t i = 0; i < info.n_args; i++)
        if (!info.args[i].id || info.args[i].id >= node.id)
            return wrong_node(graph, node, "an operand does not precede it");
    const char *wrong = infer_type(graph, &info, &type);
    if (wrong) return wrong_node(graph, node, wrong);
    if (!type_equal(&type, &info.type)) return wrong_node(graph, node, "its type does not follow from its operands");
    return NULL;
}

static bool exists(const Module *module, Node node)
{
    return node.id && node.id <= graph_count(module->graph);
}

static const char *verify_list(const Module *module, const Declared *list, uint32_t count, Op op, Op other)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!exists(module, list[i].node)) return "a declared node does not exist";
        Op is = node_op(module->graph, list[i].node);
        if (is != op && is != other) return wrong_node(module->graph, list[i].node, "declared as what it is not");
    }
    return NULL;
}

struct SymbolSearch {
    const Module *module;
    Name missing;
};

static void search_symbol(void *data, Name symbol)
{
    struct SymbolSearch *search = data;
    for (uint32_t i = 0; i < search->module->n_dims; i++)
        if (search->module->dims[i] == symbol) return;
    search->missing = symbol;
}

static const char *verify_dims(const Module *module)
{
    struct SymbolSearch search = {module, NULL};
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        const Type *type = node_type(module->graph, module->inputs[i].node);
        for (uint32_t k = 0; k < type->rank; k++)
            dim_symbols(graph_dims(module->graph), type->dims[k], search_symbol, &search);
    }
    if (!search.missing) return NULL;
    return arena_format(graph_context(module->graph)->arena, "the free size %s is not among the dims", search.missing);
}

static const char *verify_checks(const Module *module)
{
    for (uint32_t i = 0; i < module->n_checks; i++) {
        const Check *check = &module->checks[i];
        if (!dim_is_none(check->left)) {
            if (dim_is_none(check->right) || !node_is_none(check->condition))
                return "a check that is neither sizes nor a condition";
            continue;
        }
        if (!exists(module, check->condition)) return "the condition of a check does not exist";
        const Type *type = node_type(module->graph, check->condition);
        if (type->rank || type->dtype != DTYPE_BOOL) return "the condition of a check is not a bool scalar";
        if (!node_is_none(condition_obstacle(module->graph, check->condition)))
            return "the condition of a check is not about sizes, settings and numbers alone";
    }
    return NULL;
}

static bool same_tensor(const Type *a, const Type *b)
{
    return a->dtype == b->dtype && type_same_shape(a, b);
}

static bool is_float_scalar(const Module *module, Node node)
{
    const Type *type = node_type(module->graph, node);
    return !type->rank && dtype_is_float(type->dtype);
}

/* The old value of an update, or what an initial value is for. */
static const char *verify_old(const Module *module, const Result *result)
{
    if (!exists(module, result->old)) return "its old value does not exist";
    Op op = node_op(module->graph, result->old);
    if (op != OP_PARAM && op != OP_STATE) return "its old value is no parameter or state";
    if (!same_tensor(node_type(module->graph, result->old), node_type(module->graph, result->value)))
        return "its old and new value differ in type";
    return NULL;
}

static const char *verify_result(const Module *module, const NameMap *names, const Result *result)
{
    const Graph *graph = module->graph;
    if (!result->name) return "it has no name";
    if ((unsigned)result->role >= N_ROLES) return "it has no role";
    if (!exists(module, result->value)) return "its value does not exist";
    bool has_old = !node_is_none(result->old), may_have = result->role == RESULT_UPDATE || result->role == RESULT_INIT;
    if (result->role == RESULT_UPDATE && !has_old) return "an update without an old value";
    if (has_old && !may_have) return "an old value belongs to updates and initial values";
    if (result->role == RESULT_LOSS && !is_float_scalar(module, result->value)) return "it is not a scalar";
    if (result->role == RESULT_METRIC && node_type(graph, result->value)->rank) return "it is not a scalar";
    if (has_old) return verify_old(module, result);
    if (result->role == RESULT_GRADIENT || result->role == RESULT_INIT) {
        Node of = module_declared(names, result->name);
        if (!node_is_none(of) && !same_tensor(node_type(graph, of), node_type(graph, result->value)))
            return "it is not of the type of what it belongs to";
    }
    return NULL;
}

static int compare_results(const void *a, const void *b)
{
    const Result *x = a, *y = b;
    if (x->role != y->role) return x->role < y->role ? -1 : 1;
    return (uintptr_t)x->name < (uintptr_t)y->name ? -1 : (uintptr_t)x->name > (uintptr_t)y->name;
}

static const char *verify_function(const Module *module, const NameMap *names, const Function *function)
{
    Arena *arena = graph_context(module->graph)->arena;
    if (!function->name) return "a function has no name";
    if (!node_is_none(function->loss) && (!exists(module, function->loss) || !is_float_scalar(module, function->loss)))
        return arena_format(arena, "function %s: its total loss is not a scalar", function->name);
    for (uint32_t i = 0; i < function->n_results; i++) {
        const Result *result = &function->results[i];
        const char *wrong = verify_result(module, names, result);
        if (!wrong) continue;
        return arena_format(arena, "function %s, result %s: %s", function->name, result->name ? result->name : "?",
                            wrong);
    }
    if (function->n_results < 2) return NULL;
    Result *sorted = memory_alloc(function->n_results * sizeof *sorted);
    memcpy(sorted, function->results, function->n_results * sizeof *sorted);
    qsort(sorted, function->n_results, sizeof *sorted, compare_results);
    const char *wrong = NULL;
    for (uint32_t i = 1; i < function->n_results && !wrong; i++)
        if (!compare_results(&sorted[i - 1], &sorted[i]))
            wrong = arena_format(arena, "function %s: two results of the name %s", function->name, sorted[i].name);
    memory_free(sorted);
    return wrong;
}

const char *module_verify(const Module *module)
{
    const char *wrong = NULL;
    for (uint32_t id = 1; id <= graph_count(module->graph) && !wrong; id++)
        wrong = verify_node(module->graph, (Node){id});
    if (!wrong) wrong = verify_list(module, module->inputs, module->n_inputs, OP_INPUT, OP_TARGET);
    if (!wrong) wrong = verify_list(module, module->params, module->n_params, OP_PARAM, OP_PARAM);
    if (!wrong) wrong = verify_list(module, module->states, module->n_states, OP_STATE, OP_STATE);
    if (!wrong) wrong = verify_list(module, module->settings, module->n_settings, OP_SETTING, OP_SETTING);
    if (!wrong) wrong = verify_dims(module);
    if (!wrong) wrong = verify_checks(module);
    NameMap names = {0};
    Arena *arena = arena_new();
    if (!wrong) module_names(module, arena, &names);
    for (uint32_t f = 0; f < module->n_functions && !wrong; f++) {
        wrong = verify_function(module, &names, &module->functions[f]);
        for (uint32_t g = 0; g < f && !wrong; g++)
            if (module->functions[g].name == module->functions[f].name) wrong = "two functions of one name";
    }
    arena_free(arena);
    return wrong;
}
