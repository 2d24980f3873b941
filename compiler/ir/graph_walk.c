/* Side tables, reachability and rewriting. Operands have smaller ids than their users, so that ascending ids are an
 * order of evaluation and no walk needs a stack. */
#include <string.h>

#include "ir/graph_internal.h"
#include "support/memory.h"

/* places and names */

void graph_set_place(Graph *graph, Span place)
{
    graph->place = place;
}

void graph_set_layer(Graph *graph, Name path)
{
    graph->layer = path;
}

static bool before(Span a, Span b)
{
    return a.start != b.start ? a.start < b.start : a.end < b.end;
}

/* The first is NODE_NONE's. */
static Side *side_of(Graph *graph, Node node)
{
    return &graph->sides.at[node.id];
}

/* Kept sorted; the last one gives way where there are too many. */
void graph_add_place(Graph *graph, Node node, Span place)
{
    Side *side = side_of(graph, node);
    if (!place.end || node_is_none(node)) return;
    uint32_t low = 0, high = side->n_places;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (before(side->places[middle], place))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == GRAPH_MOST_PLACES || (low < side->n_places && !before(place, side->places[low]))) return;
    if (side->n_places == side->capacity) {
        uint32_t capacity = side->capacity ? 2 * side->capacity : 2;
        Span *grown = ARENA_ARRAY(graph->context->arena, Span, capacity);
        if (side->n_places) memcpy(grown, side->places, side->n_places * sizeof *grown);
        side->places = grown;
        side->capacity = capacity;
    }
    if (side->n_places < GRAPH_MOST_PLACES) side->n_places++;
    memmove(side->places + low + 1, side->places + low, (side->n_places - 1 - low) * sizeof *side->places);
    side->places[low] = place;
}

void graph_inherit_places(Graph *graph, Node to, Node from)
{
    if (node_same(to, from)) return;
    Side *own = side_of(graph, to), *other = side_of(graph, from);
    if (!own->layer) own->layer = other->layer;
    if (own->n_places) {
        for (uint32_t i = 0; i < other->n_places; i++) graph_add_place(graph, to, other->places[i]);
    } else {
        /* One array for both, which is full: the next place makes a copy of it. */
        other->capacity = other->n_places;
        own->places = other->places;
        own->n_places = own->capacity = other->n_places;
    }
}

void graph_inherit(Graph *graph, Node to, Node from)
{
    graph_inherit_places(graph, to, from);
    Side *side = side_of(graph, to);
    if (!side->name) side->name = graph->sides.at[from.id].name;
}

uint32_t graph_places(const Graph *graph, Node node, const Span **places)
{
    *places = graph->sides.at[node.id].places;
    return graph->sides.at[node.id].n_places;
}

void graph_set_name(Graph *graph, Node node, Name name)
{
    if (!node_is_none(node)) side_of(graph, node)->name = name;
}

Name graph_name(const Graph *graph, Node node)
{
    return graph->sides.at[node.id].name;
}

Name graph_layer(const Graph *graph, Node node)
{
    return graph->sides.at[node.id].layer;
}

/* walks */

static void *zeroed(size_t count, size_t size)
{
    return memory_calloc(count, size);
}

enum { WALK_SHARE = 64 }; /* below this share of the ids a set of nodes is cheaper than a mark for each id */

/* A set of nodes that keeps the order in which they came. */
typedef struct {
    Vec(Node) nodes;
    uint32_t *slots; /* a hash table of places in nodes, counted from 1 */
    size_t n_slots;
} NodeSet;

static uint32_t *slot_of(const NodeSet *set, Node node)
{
    size_t slot = node.id * 0x9E3779B97F4A7C15u >> 32 & (set->n_slots - 1);
    while (set->slots[slot] && !node_same(set->nodes.at[set->slots[slot] - 1], node))
        slot = (slot + 1) & (set->n_slots - 1);
    return &set->slots[slot];
}

static void set_add(NodeSet *set, Node node)
{
    if (2 * set->nodes.count >= set->n_slots) {
        memory_free(set->slots);
        set->n_slots = set->n_slots ? 2 * set->n_slots : 64;
        set->slots = zeroed(set->n_slots, sizeof *set->slots);
        for (size_t i = 0; i < set->nodes.count; i++) *slot_of(set, set->nodes.at[i]) = (uint32_t)i + 1;
    }
    uint32_t *slot = slot_of(set, node);
    if (*slot) return;
    vec_push(&set->nodes, node);
    *slot = (uint32_t)set->nodes.count;
}

static int by_id(const void *a, const void *b)
{
    const Node *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* What the roots need, when that is not more than `most`: at a cost that does not depend on the size of the graph. NULL
 * when it is more. */
static Node *reach_few(const Graph *graph, const Node *roots, uint32_t n_roots, uint32_t most, uint32_t *count)
{
    NodeSet set = {0};
    for (uint32_t i = 0; i < n_roots; i++)
        if (!node_is_none(roots[i])) set_add(&set, roots[i]);
    for (size_t done = 0; done < set.nodes.count && set.nodes.count <= most; done++) {
        const NodeInfo *node = graph_node(graph, set.nodes.at[done]);
        for (uint32_t i = 0; i < node->n_args; i++) set_add(&set, node->args[i]);
    }
    memory_free(set.slots);
    if (set.nodes.count > most) vec_free(&set.nodes);
    *count = (uint32_t)set.nodes.count;
    if (*count) qsort(set.nodes.at, *count, sizeof *set.nodes.at, by_id);
    return set.nodes.at;
}

uint32_t graph_position(const Node *nodes, uint32_t count, Node node)
{
    uint32_t low = 0;
    while (count - low > 1) {
        uint32_t middle = low + (count - low) / 2;
        if (nodes[middle].id <= node.id)
            low = middle;
        else
            count = middle;
    }
    return low;
}

Node *graph_reachable(const Graph *graph, const Node *roots, uint32_t n_roots, uint32_t *count)
{
    uint32_t highest = 0, reached = 0;
    for (uint32_t i = 0; i < n_roots; i++)
        if (roots[i].id > highest) highest = roots[i].id;
    Node *few = reach_few(graph, roots, n_roots, highest / WALK_SHARE, count);
    if (few) return few;
    unsigned char *marked = zeroed((size_t)highest + 1, 1);
    for (uint32_t i = 0; i < n_roots; i++) marked[roots[i].id] = 1;
    for (uint32_t id = highest; id > 0; id--) {
        if (!marked[id]) continue;
        reached++;
        const NodeInfo *node = &graph->nodes.at[id - 1];
        for (uint32_t i = 0; i < node->n_args; i++) marked[node->args[i].id] = 1;
    }
    Node *nodes = zeroed(reached, sizeof *nodes);
    *count = 0;
    for (uint32_t id = 1; id <= highest; id++)
        if (marked[id]) nodes[(*count)++] = (Node){id};
    memory_free(marked);
    return nodes;
}

static Node rebuild(Graph *graph, Node old, const Node *replaced)
{
    enum { FEW = 8 };
    Node few[FEW];
    const NodeInfo *node = graph_node(graph, old);
    uint32_t n_args = node->n_args;
    const Node *args = node->args;
    Node *fresh = n_args > FEW ? zeroed(n_args, sizeof *fresh) : few;
    for (uint32_t i = 0; i < n_args; i++) fresh[i] = replaced[args[i].id];
    Node rebuilt = graph_remake(graph, old, fresh);
    if (fresh != few) memory_free(fresh);
    return rebuilt;
}

void graph_rewrite(Graph *graph, Node *roots, uint32_t n_roots, Node (*replace)(void *data, Node old, Node rebuilt),
                   void *data)
{
    uint32_t count;
    Node *nodes = graph_reachable(graph, roots, n_roots, &count);
    Node *replaced = zeroed(count ? nodes[count - 1].id + 1 : 1, sizeof *replaced);
    Span place = graph->place;
    Node origin = graph->origin;
    graph->place = NO_SPAN;
    for (uint32_t i = 0; i < count; i++) {
        Node old = nodes[i];
        graph->origin = old;
        Node fresh = replace(data, old, rebuild(graph, old, replaced));
        assert(!node_is_none(fresh));
        replaced[old.id] = fresh;
        graph_inherit(graph, fresh, old);
    }
    graph->place = place;
    graph->origin = origin;
    for (uint32_t i = 0; i < n_roots; i++) roots[i] = replaced[roots[i].id]; /* none stays none: id 0 */
    memory_free(replaced);
    memory_free(nodes);
}
