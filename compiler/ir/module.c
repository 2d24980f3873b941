#include "ir/module.h"

#include <string.h>

#include "support/vector.h"

typedef struct {
    Vec(Name) names;
    NameMap known;
    Arena *tables;
} Symbols;

static void add_symbol(void *data, Name symbol)
{
    Symbols *symbols = data;
    NameKey key = {.name = symbol};
    if (name_map_get(&symbols->known, key) != NAME_MAP_NONE) return;
    name_map_put(symbols->tables, &symbols->known, key, symbols->names.count);
    vec_push(&symbols->names, symbol);
}

static void add_symbols(const Graph *graph, const Declared *declared, uint32_t count, Symbols *symbols)
{
    for (uint32_t i = 0; i < count; i++) {
        const Type type = *node_type(graph, declared[i].node);
        for (uint32_t k = 0; k < type.rank; k++) dim_symbols(graph_dims(graph), type.dims[k], add_symbol, symbols);
        if (!dim_is_none(type.range)) dim_symbols(graph_dims(graph), type.range, add_symbol, symbols);
    }
}

void module_list_dims(Module *module)
{
    Symbols symbols = {.tables = arena_new()};
    add_symbols(module->graph, module->inputs, module->n_inputs, &symbols);
    add_symbols(module->graph, module->params, module->n_params, &symbols);
    add_symbols(module->graph, module->states, module->n_states, &symbols);
    module->n_dims = (uint32_t)symbols.names.count;
    module->dims =
        module->n_dims ? ARENA_COPY(graph_context(module->graph)->arena, Name, symbols.names.at, module->n_dims) : NULL;
    vec_free(&symbols.names);
    arena_free(symbols.tables);
}

void module_add_functions(Module *module, const Function *functions, uint32_t count)
{
    Function *all = ARENA_ARRAY(graph_context(module->graph)->arena, Function, module->n_functions + count);
    memcpy(all, module->functions, module->n_functions * sizeof *all);
    memcpy(all + module->n_functions, functions, count * sizeof *all);
    module->functions = all;
    module->n_functions += count;
}

void module_names(const Module *module, Arena *arena, NameMap *names)
{
    const Declared *lists[] = {module->params, module->states, module->inputs};
    const uint32_t counts[] = {module->n_params, module->n_states, module->n_inputs};
    *names = (NameMap){0};
    for (int list = 0; list < 3; list++)
        for (uint32_t i = 0; i < counts[list]; i++) {
            Node node = lists[list][i].node;
            name_map_put(arena, names, (NameKey){.name = graph_node(module->graph, node)->attr.name}, node.id);
        }
}

Node module_declared(const NameMap *names, Name name)
{
    uintptr_t id = name_map_get(names, (NameKey){.name = name});
    return id == NAME_MAP_NONE ? NODE_NONE : (Node){(uint32_t)id};
}

Function *module_function(const Module *module, const char *name)
{
    for (uint32_t i = 0; i < module->n_functions; i++)
        if (!strcmp(module->functions[i].name, name)) return &module->functions[i];
    return NULL;
}

Result *function_result(const Function *function, ResultRole role, Name name)
{
    for (uint32_t i = 0; i < function->n_results; i++)
        if (function->results[i].role == role && function->results[i].name == name) return &function->results[i];
    return NULL;
}
