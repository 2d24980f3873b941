/* Turns of a repeat that compute the same, each from the one before, are drawn once. Two turns are alike when their
 * nodes can be paired so that operators, types and wiring within the turn agree. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/picture_internal.h"
#include "support/memory.h"

/* Fewer are drawn one by one. */
enum { FEWEST_TURNS = 3 };

typedef struct {
    uint64_t hash;
    Node node;
} Hashed;

typedef struct {
    int64_t number;
    Vec(Hashed) nodes; /* by hash, then by id */
} Turn;

typedef struct {
    Picture *picture;
    uint64_t *hashes; /* by node id: of the turn that is looked at */
    Vec(Turn) turns;
} Folder;

/* The length of `prefix[7]` when the path lies in a turn of the prefix, with its number; else 0. */
static size_t in_turn(const char *path, Name prefix, int64_t *number)
{
    size_t length = strlen(prefix);
    if (!path || strncmp(path, prefix, length) || path[length] != '[') return 0;
    char *end;
    *number = strtoll(path + length + 1, &end, 10);
    return (size_t)(end + 1 - path);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return hash_bytes(hash, &value, sizeof value);
}

/* What the node computes as seen from inside its turn. */
static uint64_t hash_node(const Folder *folder, Node node, Name prefix, int64_t turn)
{
    const Picture *p = folder->picture;
    const NodeInfo *info = graph_node(p->graph, node);
    int64_t number;
    const char *inside = p->layer[node.id] + in_turn(p->layer[node.id], prefix, &number);
    uint64_t hash = mix(hash_bytes(HASH_START, inside, strlen(inside)), info->op);
    hash = hash_bytes(mix(hash, p->forward[node.id]), &info->type, sizeof info->type);
    if (info->attr.n_ints) hash = hash_bytes(hash, info->attr.ints, info->attr.n_ints * sizeof *info->attr.ints);
    hash = hash_bytes(hash, &info->attr.number, sizeof info->attr.number);
    for (uint32_t i = 0; i < info->n_args; i++) {
        Node arg = info->args[i];
        bool own = p->drawn[arg.id] && in_turn(p->layer[arg.id], prefix, &number) && number == turn;
        if (own || picture_is_inline(p, arg))
            hash = mix(hash, own ? folder->hashes[arg.id] : arg.id);
        else
            hash = hash_bytes(hash, node_type(p->graph, arg), sizeof(Type));
    }
    return hash;
}

static int by_hash(const void *a, const void *b)
{
    const Hashed *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->node.id > y->node.id) - (x->node.id < y->node.id);
}

static int by_number(const void *a, const void *b)
{
    const Turn *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static Turn *turn_of(Folder *folder, int64_t number)
{
    for (size_t i = folder->turns.count; i-- > 0;)
        if (folder->turns.at[i].number == number) return &folder->turns.at[i];
    vec_push(&folder->turns, (Turn){.number = number});
    return &vec_last(&folder->turns);
}

static void collect_turns(Folder *folder, Name prefix)
{
    Picture *p = folder->picture;
    for (uint32_t i = 0; i < p->count; i++) {
        Node node = p->nodes[i];
        int64_t number;
        if (!p->drawn[node.id] || !in_turn(p->layer[node.id], prefix, &number)) continue;
        folder->hashes[node.id] = hash_node(folder, node, prefix, number);
        Turn *turn = turn_of(folder, number);
        vec_push(&turn->nodes, (Hashed){folder->hashes[node.id], node});
    }
    for (size_t i = 0; i < folder->turns.count; i++) {
        Turn *turn = &folder->turns.at[i];
        qsort(turn->nodes.at, turn->nodes.count, sizeof *turn->nodes.at, by_hash);
    }
    if (folder->turns.count) qsort(folder->turns.at, folder->turns.count, sizeof *folder->turns.at, by_number);
}

static bool alike(const Turn *a, const Turn *b)
{
    if (a->nodes.count != b->nodes.count) return false;
    for (size_t i = 0; i < a->nodes.count; i++)
        if (a->nodes.at[i].hash != b->nodes.at[i].hash) return false;
    return true;
}

/* Turns from `first` on that are alike become one. Returns the turn after them. */
static size_t fold_run(Folder *folder, Name prefix, size_t first)
{
    Picture *p = folder->picture;
    const Turn *turns = folder->turns.at;
    size_t end = first + 1;
    while (end < folder->turns.count && turns[end].number == turns[end - 1].number + 1 &&
           alike(&turns[first], &turns[end]))
        end++;
    if (end - first < FEWEST_TURNS) return first + 1;
    vec_push(&p->folds, (Fold){prefix, turns[first].number, turns[end - 1].number});
    for (size_t i = first + 1; i < end; i++)
        for (size_t k = 0; k < turns[i].nodes.count; k++) {
            p->drawn[turns[i].nodes.at[k].node.id] = false;
            p->stands[turns[i].nodes.at[k].node.id] = turns[first].nodes.at[k].node;
        }
    return end;
}

static void fold_prefix(Picture *p, uint64_t *hashes, Name prefix)
{
    Folder folder = {.picture = p, .hashes = hashes};
    collect_turns(&folder, prefix);
    for (size_t i = 0; i < folder.turns.count;) i = fold_run(&folder, prefix, i);
    for (size_t i = 0; i < folder.turns.count; i++) vec_free(&folder.turns.at[i].nodes);
    vec_free(&folder.turns);
}

/* Outer repeats first: what stands inside of a turn that is no longer drawn needs no folding. */
void picture_fold(Picture *p)
{
    Context *context = graph_context(p->graph);
    Vec(Name) done = {0};
    uint64_t *hashes = memory_calloc((size_t)graph_count(p->graph) + 1, sizeof *hashes);
    for (;;) {
        Name next = NULL;
        for (uint32_t i = 0; i < p->count; i++) {
            const char *path = p->drawn[p->nodes[i].id] ? p->layer[p->nodes[i].id] : NULL;
            for (const char *at = path ? strchr(path, '[') : NULL; at; at = strchr(at + 1, '[')) {
                Name prefix = intern_length(context->names, path, (size_t)(at - path));
                bool known = false;
                for (size_t d = 0; d < done.count; d++) known = known || done.at[d] == prefix;
                if (!known && (!next || strlen(prefix) < strlen(next))) next = prefix;
            }
        }
        if (!next) break;
        vec_push(&done, next);
        fold_prefix(p, hashes, next);
    }
    memory_free(hashes);
    vec_free(&done);
}

const Fold *picture_fold_of(const Picture *p, const char *path, size_t length)
{
    for (size_t i = 0; i < p->folds.count; i++) {
        const Fold *fold = &p->folds.at[i];
        int64_t number = -1;
        if (in_turn(path, fold->prefix, &number) == length && number == fold->first) return fold;
    }
    return NULL;
}
