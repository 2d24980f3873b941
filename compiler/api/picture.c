#include "api/picture.h"

#include <stdlib.h>

#include "support/vector.h"

typedef Vec(Node) NodeList;

static void add_roots(const Function *function, bool forward, NodeList *roots)
{
    if (!function) return;
    for (uint32_t i = 0; i < function->n_results; i++) {
        ResultRole role = function->results[i].role;
        bool is_forward = role == RESULT_OUTPUT || role == RESULT_LOSS || role == RESULT_METRIC;
        if (is_forward == forward) vec_push(roots, function->results[i].value);
    }
}

static void print_box(const Graph *graph, Node node, bool forward, Text *to)
{
    const NodeInfo *info = graph_node(graph, node);
    Name name = info->attr.name ? info->attr.name : graph_name(graph, node);
    text_format(to, "    n%u [label = \"%s", node.id, op_info(info->op)->spelling);
    if (name) text_format(to, "\\n%s", name);
    if (info->op == OP_CONST) {
        text_string(to, "\\n");
        text_number(to, info->attr.number);
    }
    text_format(to, "\", fillcolor = \"%s\"%s];\n", forward ? "#dbe9f6" : "#fbe3d6",
                op_info(info->op)->class == OP_CLASS_SOURCE ? ", shape = ellipse" : "");
}

static void print_edges(const Graph *graph, Node node, Text *to)
{
    const NodeInfo *info = graph_node(graph, node);
    for (uint32_t i = 0; i < info->n_args; i++) {
        text_format(to, "    n%u -> n%u [label = \"", info->args[i].id, node.id);
        type_print(graph_dims(graph), node_type(graph, info->args[i]), to);
        text_string(to, "\"];\n");
    }
}

void picture_print(const Module *module, Text *to)
{
    NodeList roots = {0}, all = {0};
    uint32_t n_forward, count;
    add_roots(module_function(module, "inference"), true, &roots);
    add_roots(module_function(module, "training"), true, &roots);
    Node *forward = graph_reachable(module->graph, roots.at, (uint32_t)roots.count, &n_forward);
    for (size_t i = 0; i < roots.count; i++) vec_push(&all, roots.at[i]);
    add_roots(module_function(module, "training"), false, &all);
    Node *nodes = graph_reachable(module->graph, all.at, (uint32_t)all.count, &count);
    bool *is_forward = calloc(graph_count(module->graph) + 1, sizeof *is_forward);
    if (!is_forward) abort();
    for (uint32_t i = 0; i < n_forward; i++) is_forward[forward[i].id] = true;

    text_format(to, "digraph \"%s\" {\n", module->name);
    text_string(to, "    node [shape = box, style = \"rounded,filled\", fontname = \"sans-serif\"];\n"
                    "    edge [fontname = \"sans-serif\", fontsize = 9, color = \"#808080\"];\n");
    for (uint32_t i = 0; i < count; i++) {
        print_box(module->graph, nodes[i], is_forward[nodes[i].id], to);
        print_edges(module->graph, nodes[i], to);
    }
    text_string(to, "}\n");
    free(is_forward);
    free(forward);
    free(nodes);
    vec_free(&roots);
    vec_free(&all);
}
