/* Long sums and products: a chain of additions is shown as one sum, of multiplications as one product. Made step by
 * step, each from the one before it, a thousand parts would be copied and compared a thousand times. */
#include <stdlib.h>

#include "display/term_internal.h"
#include "support/vector.h"

/* Steps of a chain from which on it is long; a shorter one is searched for factors at every step. */
enum { LONG_CHAIN = 64 };

/* The kind of chain that the operator is a step of; TERM_NUMBER: of none. */
static TermKind chain_kind(Op op)
{
    return op == OP_ADD || op == OP_SUB ? TERM_SUM : op == OP_MUL ? TERM_PRODUCT : TERM_NUMBER;
}

static bool is_step(const NodeInfo *info)
{
    return chain_kind(info->op) != TERM_NUMBER;
}

/* The operand with which the chain goes on, the one that has more steps; -1: it ends here. */
static int next_step(const TermBuilder *b, const uint32_t *steps, const NodeInfo *info)
{
    int best = -1;
    uint32_t most = 0;
    for (int i = 0; i < (info->op == OP_SUB ? 1 : 2); i++) {
        Node arg = info->args[i];
        if (chain_kind(node_op(b->graph, arg)) != chain_kind(info->op) || b->names[arg.id] || b->uses[arg.id] != 1 ||
            steps[arg.id] <= most)
            continue;
        most = steps[arg.id];
        best = i;
    }
    return best;
}

void term_find_chains(TermBuilder *b, const Node *nodes, uint32_t count)
{
    uint32_t *steps = ARENA_ARRAY(b->arena, uint32_t, b->root.id + 1);
    b->chained = ARENA_ARRAY(b->arena, bool, b->root.id + 1);
    b->uses = ARENA_ARRAY(b->arena, uint32_t, b->root.id + 1);
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(b->graph, nodes[i]);
        for (uint32_t k = 0; k < info->n_args; k++) b->uses[info->args[k].id]++;
    }
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(b->graph, nodes[i]);
        int next = is_step(info) ? next_step(b, steps, info) : -1;
        if (is_step(info)) steps[nodes[i].id] = 1 + (next < 0 ? 0 : steps[info->args[next].id]);
    }
    for (uint32_t i = count; i-- > 0;) {
        const NodeInfo *info = graph_node(b->graph, nodes[i]);
        bool within = is_step(info) && (b->chained[nodes[i].id] || steps[nodes[i].id] >= LONG_CHAIN);
        int next = within ? next_step(b, steps, info) : -1;
        if (next >= 0) b->chained[info->args[next].id] = true;
    }
}

bool term_ends_chain(const TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    return is_step(info) && (b->chained[info->args[0].id] || b->chained[info->args[1].id]);
}

Term *term_chain(TermBuilder *b, Node node)
{
    typedef struct {
        Term *term;
        double factor;
    } Part;
    Vec(Part) behind = {0}; /* what stands right of the rest of the chain */
    bool sum = chain_kind(node_op(b->graph, node)) == TERM_SUM;
    void (*add)(Arena *, Term *, Term *, double) = sum ? term_accumulate : term_multiply;
    Term *whole = sum ? term_begin_sum(b->arena) : term_begin_product(b->arena, 1);
    for (bool ends = false; !ends;) {
        const NodeInfo *info = graph_node(b->graph, node);
        Node left = info->args[0], right = info->args[1];
        double factor = info->op == OP_SUB ? -1 : 1;
        ends = !b->chained[left.id] && !b->chained[right.id];
        if (!b->chained[left.id]) add(b->arena, whole, b->terms[left.id], 1);
        if (!b->chained[right.id]) vec_push(&behind, (Part){b->terms[right.id], factor});
        node = b->chained[left.id] ? left : right;
    }
    while (behind.count) {
        Part part = vec_pop(&behind);
        add(b->arena, whole, part.term, part.factor);
    }
    vec_free(&behind);
    return sum ? term_factor_sum(b->arena, whole) : term_finish_product(b->arena, whole);
}
