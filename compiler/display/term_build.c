/* From nodes to terms. */
#include <string.h>

#include "display/term_internal.h"
#include "support/memory.h"
#include "support/vector.h"

static Term *structural(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    switch (info->op) {
    case OP_BROADCAST:
        return term_broadcast(b, node);
    case OP_RESHAPE:
    case OP_TRANSPOSE:
    case OP_SLICE:
    case OP_PAD:
    case OP_CONCAT:
    case OP_WINDOW:
    case OP_UNWINDOW:
        return term_movement(b, node);
    case OP_GATHER:
        return term_gather_node(b, node);
    case OP_SCATTER_ADD:
        return term_scatter_node(b, node);
    case OP_SOFTMAX:
    case OP_LOG_SOFTMAX:
    case OP_CUMSUM:
        return term_call(b, node, op_info(info->op)->spelling, term_axis_note(b, node));
    case OP_CONTRACT:
        return term_contraction(b, node);
    default:
        if (op_info(info->op)->class == OP_CLASS_REDUCTION) return term_reduction(b, node, false);
        return term_call(b, node, op_info(info->op)->spelling, NULL);
    }
}

/* A large integer keeps all its digits, so that it is a name and not a number to be shortened. */
static Term *constant(TermBuilder *b, const NodeInfo *info)
{
    const int64_t large = 1 << 24;
    int64_t integer = dtype_class(info->type.dtype) == DTYPE_CLASS_INTEGER ? info->attr.integer : 0;
    if (integer >= -large && integer <= large) return term_number(b->arena, info->attr.number);
    return term_name(b->arena, arena_format(b->arena, "%lld", (long long)integer), RANK_NUMBER);
}

static Term *source(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    switch (info->op) {
    case OP_CONST:
        return constant(b, info);
    case OP_SIZE:
        return term_size_of(b, info->attr.sizes[0]);
    case OP_PARAM:
        return term_name(b->arena, info->attr.name, RANK_PARAM);
    case OP_INPUT:
    case OP_TARGET:
    case OP_STATE:
    case OP_SETTING:
    case OP_RANDOM:
    case OP_COTANGENT:
        return term_name(b->arena, info->attr.name, RANK_NAME);
    default:
        return term_call(b, node, op_info(info->op)->spelling, term_dims_note(b, &info->type));
    }
}

static Term *build(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    OpClass class = op_info(info->op)->class;
    Name called = b->names[node.id];
    Term *term;
    if (class == OP_CLASS_SOURCE && (info->op != OP_LITERAL || !called))
        term = source(b, node);
    else if (called && !node_same(node, b->root))
        term = term_name(b->arena, called, RANK_NAME);
    else
        term = class == OP_CLASS_ELEMENTWISE ? term_elementwise(b, node) : structural(b, node);
    if (!node_type(b->graph, node)->rank) term->scalar = true;
    return term;
}

/* What a node is called in the formula. A name that was bound again, or that a function's text gives at each of its
 * calls, belongs to several nodes: the last one keeps it, unless a source has it, and the others are shown by what they
 * compute. */
static void choose_names(TermBuilder *b, const Node *nodes, uint32_t count)
{
    Vec(Name) taken = {0};
    for (uint32_t sources = 2; sources-- > 0;) {
        for (uint32_t i = count; i-- > 0;) {
            const NodeInfo *info = graph_node(b->graph, nodes[i]);
            bool source = op_info(info->op)->class == OP_CLASS_SOURCE && info->op != OP_LITERAL;
            Name called = source ? info->attr.name : graph_name(b->graph, nodes[i]);
            bool free_name = called && source == (sources == 1);
            for (size_t k = 0; free_name && k < taken.count; k++) free_name = taken.at[k] != called;
            if (!free_name) continue;
            vec_push(&taken, called);
            b->names[nodes[i].id] = called;
        }
    }
    vec_free(&taken);
}

Term *term_of(Graph *graph, Arena *arena, Node root)
{
    root = display_rewrite(graph, root, NULL, NULL);
    TermBuilder b = {.graph = graph, .arena = arena, .root = root};
    b.terms = ARENA_ARRAY(arena, Term *, root.id + 1);
    b.names = ARENA_ARRAY(arena, Name, root.id + 1);
    b.rectified = ARENA_ARRAY(arena, Name, root.id + 1);
    b.kept = ARENA_ARRAY(arena, KeptAxes, root.id + 1);
    uint32_t count;
    Node *nodes = graph_reachable(graph, &root, 1, &count);
    choose_names(&b, nodes, count);
    for (uint32_t i = 0; i < count; i++) term_note_rectified(&b, nodes[i]);
    term_find_chains(&b, nodes, count);
    for (uint32_t i = 0; i < count; i++)
        if (!b.chained[nodes[i].id]) b.terms[nodes[i].id] = build(&b, nodes[i]);
    memory_free(nodes);
    Term *term = b.terms[root.id];
    term_shorten(arena, term, node_type(graph, root)->dtype == DTYPE_F32);
    return term;
}
