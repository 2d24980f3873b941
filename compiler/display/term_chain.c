/* Long sums: a chain of additions is shown as one sum. Made step by step, each sum from the one before it, a thousand
 * addends would be copied and compared a thousand times. */
#include <stdlib.h>

#include "display/term_internal.h"
#include "support/vector.h"

/* Steps of a chain from which on it is long; a shorter one is searched for factors at every step. */
enum { LONG_CHAIN = 64 };

static bool is_step(const NodeInfo *info)
{
    return info->op == OP_ADD || info->op == OP_SUB;
}

/* The operand with which the chain goes on, the one that has more steps; -1: it ends here. */
static int next_step(const Builder *b, const uint32_t *steps, const NodeInfo *info)
{
    int best = -1;
    uint32_t most = 0;
    for (int i = 0; i < (info->op == OP_ADD ? 2 : 1); i++) {
        Node arg = info->args[i];
        if (b->names[arg.id] || b->uses[arg.id] != 1 || steps[arg.id] <= most) continue;
        most = steps[arg.id];
        best = i;
    }
    return best;
}

void term_find_chains(Builder *b, const Node *nodes, uint32_t count)
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

Term *term_chain(Builder *b, Node node)
{
    typedef struct {
        Term *term;
        double factor;
    } Addend;
    Vec(Addend) behind = {0}; /* what stands right of the rest of the chain */
    Term *sum = term_begin_sum(b->arena);
    for (bool ends = false; !ends;) {
        const NodeInfo *info = graph_node(b->graph, node);
        Node left = info->args[0], right = info->args[1];
        double factor = info->op == OP_SUB ? -1 : 1;
        ends = !b->chained[left.id] && !b->chained[right.id];
        if (!b->chained[left.id]) term_accumulate(b->arena, sum, b->terms[left.id], 1);
        if (!b->chained[right.id]) vec_push(&behind, (Addend){b->terms[right.id], factor});
        node = b->chained[left.id] ? left : right;
    }
    while (behind.count) {
        Addend addend = vec_pop(&behind);
        term_accumulate(b->arena, sum, addend.term, addend.factor);
    }
    vec_free(&behind);
    return term_factor_sum(b->arena, sum);
}
