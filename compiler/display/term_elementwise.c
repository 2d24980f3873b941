/* Elementwise operators. */
#include "display/term_internal.h"

/* if c then 1 else 0: of no type of its own, as in the language. */
static bool is_choice_of_numbers(const Term *x)
{
    return x->kind == TERM_SELECT && x->kids[1]->kind == TERM_NUMBER && x->kids[2]->kind == TERM_NUMBER;
}

Term *term_elementwise(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    Term *x = info->n_args ? term_kid(b, node, 0) : NULL, *y = info->n_args > 1 ? term_kid(b, node, 1) : NULL;
    if (term_ends_chain(b, node)) return term_chain(b, node);
    switch (info->op) {
    case OP_NEG:
        return term_product(b->arena, x, 1, NULL, 0, -1);
    case OP_ADD:
        return term_sum(b->arena, x, y, 1);
    case OP_SUB:
        return term_sum(b->arena, x, y, -1);
    case OP_MUL:
        return term_product(b->arena, x, 1, y, 1, 1);
    case OP_DIV:
        return term_product(b->arena, x, 1, y, -1, 1);
    case OP_POW:
        return y->kind == TERM_NUMBER ? term_product(b->arena, x, y->number, NULL, 0, 1) : term_infix(b, node, "^");
    case OP_SQRT:
        return term_product(b->arena, x, 0.5, NULL, 0, 1);
    case OP_EQ:
        return term_infix(b, node, "==");
    case OP_NE:
        return term_infix(b, node, "!=");
    case OP_LT:
        return term_comparison(b, node, "<");
    case OP_LE:
        return term_comparison(b, node, "<=");
    case OP_AND:
        return term_both(b, node);
    case OP_OR:
        return term_infix(b, node, "or");
    case OP_MOD:
        return term_infix(b, node, "%");
    case OP_FLOOR_DIV:
        return term_infix(b, node, "//");
    case OP_CAST:
        if (x->kind == TERM_NUMBER || is_choice_of_numbers(x) ||
            dtype_is_float(node_type(b->graph, info->args[0])->dtype) || node_op(b->graph, info->args[0]) == OP_SIZE)
            return x;
        return term_call(b, node, dtype_name(info->type.dtype), NULL);
    case OP_SELECT:
        return term_choice(b, node);
    default:
        return term_call(b, node, op_info(info->op)->spelling, NULL);
    }
}
