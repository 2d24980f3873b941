/* `grad(L, w)` differentiates by the name w, not by its expression: another value that happens to be equal stays
 * constant. Nodes are interned, so a value that a `grad` names becomes a node of its own: a custom gradient that hands
 * its cotangent on unchanged. Declared inputs, parameters and draws are different nodes already. */
#include "elaborate/elaborator.h"

/* Whether there is a `grad` with respect to the name; NULL: to any. */
static bool differentiates(const Syntax *node, Name name)
{
    for (; node && node->kind == SYNTAX_BINARY; node = node->kids[0])
        if (differentiates(node->kids[1], name)) return true;
    if (!node) return false;
    bool grad = node->kind == SYNTAX_CALL && node->n_kids == 3 && node->kids[0]->kind == SYNTAX_NAME;
    if (grad && node->kids[2]->kind == SYNTAX_NAME && (!name || node->kids[2]->name == name)) {
        Builtin builtin;
        if (builtin_find(node->kids[0]->name, &builtin) && builtin.family == BUILTIN_GRAD) return true;
    }
    for (uint32_t i = 0; i < node->n_kids; i++)
        if (differentiates(node->kids[i], name)) return true;
    return false;
}

void enter_body(Elaborator *el, const Syntax *syntax)
{
    el->body_syntax = syntax;
    el->body_differentiates = differentiates(syntax, NULL);
}

Node identify_node(Elaborator *el, Name name, Node node)
{
    Type type = *node_type(el->graph, node);
    Name unique = intern_format(el->context->names, "d.%s.%u", name, ++el->n_identities);
    Node dy = build_source(el->graph, OP_COTANGENT, unique, type);
    Node args[] = {node, dy, node, dy};
    Attr attr = {.integer = 1};
    return graph_make(el->graph, OP_CUSTOM_GRADIENT, args, 4, &attr, &type);
}

Value identify(Elaborator *el, Name name, Value value)
{
    bool tensor = value.kind == VALUE_TENSOR && !value.count;
    if (!tensor || !el->body_differentiates || !dtype_is_float(node_type(el->graph, value.node)->dtype)) return value;
    if (!differentiates(el->body_syntax, name)) return value;
    return value_tensor(identify_node(el, name, value.node));
}
