/* Which layers a model has, what each of them gives, and the function that measures them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "driver/watch_internal.h"
#include "ir/build.h"
#include "passes/passes.h"

/* The graph beneath the loss, looked at by node id. */
typedef struct {
    Graph *graph;
    const Module *module;
    const Function *training;
    Node *nodes;
    uint32_t count;
    bool *fixed;          /* the same for every row and every step: constants, settings, sizes */
    uint32_t *first_user; /* by node id, into users; one more in the end */
    Node *users;
    Vec(Node) region; /* what follows a layer elementwise, in the order of ids */
    bool *inside;     /* of the region */
    Node *now;        /* scratch: what stands for a node of the region */
} Search;

static bool *flags(const Graph *graph)
{
    bool *all = calloc((size_t)graph_count(graph) + 1, sizeof *all);
    if (!all) abort();
    return all;
}

static bool is_fixed(const Search *s, Node node)
{
    const NodeInfo *info = graph_node(s->graph, node);
    bool fixed = info->op == OP_CONST || info->op == OP_LITERAL || info->op == OP_SETTING || info->op == OP_SIZE;
    if (info->n_args) fixed = true;
    for (uint32_t i = 0; i < info->n_args; i++) fixed = fixed && s->fixed[info->args[i].id];
    return fixed;
}

/* Whom each node's value goes to. */
static void find_users(Search *s)
{
    size_t size = (size_t)graph_count(s->graph) + 2;
    uint32_t *end = calloc(size, sizeof *end), *first = s->first_user = calloc(size, sizeof *first);
    if (!end || !first) abort();
    for (uint32_t i = 0; i < s->count; i++) {
        const NodeInfo *info = graph_node(s->graph, s->nodes[i]);
        for (uint32_t a = 0; a < info->n_args; a++) first[info->args[a].id + 1]++;
    }
    for (size_t i = 1; i < size; i++) end[i] = first[i] += first[i - 1];
    s->users = calloc((size_t)first[size - 1] + 1, sizeof *s->users);
    if (!s->users) abort();
    for (uint32_t i = 0; i < s->count; i++) {
        const NodeInfo *info = graph_node(s->graph, s->nodes[i]);
        for (uint32_t a = 0; a < info->n_args; a++) s->users[end[info->args[a].id]++] = s->nodes[i];
    }
    free(end);
}

static Search search_start(const Module *module)
{
    Search s = {.graph = module->graph, .module = module, .training = module_function(module, "training")};
    s.nodes = graph_reachable(s.graph, &s.training->loss, 1, &s.count);
    s.fixed = flags(s.graph);
    s.inside = flags(s.graph);
    s.now = calloc((size_t)graph_count(s.graph) + 1, sizeof *s.now);
    if (!s.now) abort();
    for (uint32_t i = 0; i < s.count; i++) s.fixed[s.nodes[i].id] = is_fixed(&s, s.nodes[i]);
    find_users(&s);
    return s;
}

static void search_end(Search *s)
{
    free(s->nodes);
    free(s->fixed);
    free(s->first_user);
    free(s->users);
    vec_free(&s->region);
    free(s->inside);
    free(s->now);
}

static bool is_float(const Search *s, Node node)
{
    return dtype_is_float(node_type(s->graph, node)->dtype);
}

/* `h` of `h`, `h.dense` and `h[3].step`. */
static bool begins_with(const char *path, Name binding)
{
    size_t length = strlen(binding);
    return path && !strncmp(path, binding, length) && strchr(".[", path[length]);
}

/* The functions of a loss belong to the loss and are no activation of the last layer. */
static bool belongs_to_loss(const Search *s, Node node)
{
    Name layer = graph_layer(s->graph, node);
    for (uint32_t i = 0; i < s->training->n_results; i++)
        if (s->training->results[i].role == RESULT_LOSS && begins_with(layer, s->training->results[i].name))
            return true;
    return false;
}

/* ---- Layers ---- */

/* The path without its last component; NULL for a parameter of the model itself. */
static Name owner_of(const Search *s, Name path)
{
    const char *dot = strrchr(path, '.');
    return dot ? intern_length(graph_context(s->graph)->names, path, (size_t)(dot - path)) : NULL;
}

/* A parameter of the model itself belongs to the value that first uses it. */
static Name first_user(const Search *s, Node param)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const NodeInfo *info = graph_node(s->graph, s->nodes[i]);
        for (uint32_t a = 0; a < info->n_args; a++)
            if (node_same(info->args[a], param) && graph_layer(s->graph, s->nodes[i]))
                return graph_layer(s->graph, s->nodes[i]);
    }
    return graph_node(s->graph, param)->attr.name;
}

/* What the layer gives: the last of its values that is used by another layer. */
static Node output_of(const Search *s, Name layer)
{
    Node output = NODE_NONE;
    for (uint32_t i = 0; i < s->count; i++) {
        const NodeInfo *info = graph_node(s->graph, s->nodes[i]);
        if (graph_layer(s->graph, s->nodes[i]) == layer) continue;
        for (uint32_t a = 0; a < info->n_args; a++) {
            Node x = info->args[a];
            bool own = graph_layer(s->graph, x) == layer && is_float(s, x) && !s->fixed[x.id];
            if (own && graph_node(s->graph, x)->n_args && x.id > output.id) output = x;
        }
    }
    return output;
}

static uint32_t find_layer(Watch *watch, const Search *s, Node param)
{
    Name name = graph_node(s->graph, param)->attr.name, path = owner_of(s, name);
    if (!path) path = first_user(s, param);
    for (uint32_t i = watch->n_layers; i-- > 0;)
        if (watch->layers[i].path == path) return i;
    const Span *places;
    WatchLayer layer = {.path = path, .output = output_of(s, path)};
    if (graph_places(s->graph, param, &places)) layer.place = places[0];
    watch->layers[watch->n_layers] = layer;
    return watch->n_layers++;
}

/* ---- Activation functions ---- */

/* True if all of the node's operands are of the region, or fixed. */
static bool follows_region(const Search *s, Node node)
{
    const NodeInfo *info = graph_node(s->graph, node);
    bool follows = op_info(info->op)->class == OP_CLASS_ELEMENTWISE && !belongs_to_loss(s, node);
    for (uint32_t a = 0; a < info->n_args && follows; a++)
        follows = s->inside[info->args[a].id] || s->fixed[info->args[a].id];
    return follows;
}

static int by_id(const void *a, const void *b)
{
    const Node *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static void enter_region(Search *s, Node node)
{
    s->inside[node.id] = true;
    vec_push(&s->region, node);
}

/* Finds what is computed from z alone, element by element: whatever enters may let its users enter. */
static void find_region(Search *s, Node z)
{
    for (size_t i = 0; i < s->region.count; i++) s->inside[s->region.at[i].id] = false;
    s->region.count = 0;
    enter_region(s, z);
    for (size_t i = 0; i < s->region.count; i++) {
        uint32_t id = s->region.at[i].id;
        for (uint32_t u = s->first_user[id]; u < s->first_user[id + 1]; u++)
            if (!s->inside[s->users[u].id] && follows_region(s, s->users[u])) enter_region(s, s->users[u]);
    }
    qsort(s->region.at, s->region.count, sizeof *s->region.at, by_id);
}

static bool is_used_outside(const Search *s, Node node)
{
    for (uint32_t u = s->first_user[node.id]; u < s->first_user[node.id + 1]; u++)
        if (!s->inside[s->users[u].id]) return true;
    return false;
}

/* A factor behind the function changes its slope, but not where it is flat: 0.1 * tanh(z) is tanh(z). */
static Node without_factor(const Search *s, Node z, Node y)
{
    for (;;) {
        const NodeInfo *info = graph_node(s->graph, y);
        if (info->op != OP_MUL && info->op != OP_DIV) return y;
        Node x = info->args[s->fixed[info->args[0].id] ? 1 : 0],
             factor = info->args[s->fixed[info->args[0].id] ? 0 : 1];
        if (!s->fixed[factor.id] || s->fixed[x.id] || node_same(x, z)) return y;
        y = x;
    }
}

/* The one value computed elementwise from z alone through which the rest sees it; z itself when there is none. */
static Node activation_of(Search *s, Node z)
{
    uint32_t found = 0;
    Node last = z;
    find_region(s, z);
    for (size_t i = 0; i < s->region.count; i++) {
        Node node = s->region.at[i];
        if (node_same(node, z) || !is_used_outside(s, node) || !is_float(s, node)) continue;
        found++;
        last = node;
    }
    return found == 1 ? without_factor(s, z, last) : z;
}

/* The same function of a source, which is one for all layers of a type. */
static Node of_source(Search *s, Node z, Node y, Node source)
{
    Node args[3];
    s->now[z.id] = source;
    for (size_t i = 0; i < s->region.count && s->region.at[i].id <= y.id; i++) {
        Node node = s->region.at[i];
        if (node_same(node, z)) continue;
        const NodeInfo info = *graph_node(s->graph, node);
        assert(info.n_args <= 3);
        for (uint32_t a = 0; a < info.n_args; a++)
            args[a] = s->inside[info.args[a].id] ? s->now[info.args[a].id] : info.args[a];
        s->now[node.id] = graph_remake(s->graph, node, args);
    }
    return s->now[y.id];
}

static int by_depth(const void *a, const void *b)
{
    const WatchLayer *x = a, *y = b;
    return (x->output.id > y->output.id) - (x->output.id < y->output.id);
}

static void sort_layers(Watch *watch)
{
    Name *owners = calloc((size_t)watch->n_params + 1, sizeof *owners);
    if (!owners) abort();
    for (uint32_t i = 0; i < watch->n_params; i++) owners[i] = watch->layers[watch->params[i].layer].path;
    qsort(watch->layers, watch->n_layers, sizeof *watch->layers, by_depth);
    for (uint32_t i = 0; i < watch->n_params; i++)
        for (uint32_t l = 0; l < watch->n_layers; l++)
            if (watch->layers[l].path == owners[i]) watch->params[i].layer = l;
    free(owners);
}

void watch_find(Watch *watch)
{
    const Module *module = watch->pipeline->program->module;
    Search s = search_start(module);
    watch->params = ARENA_ARRAY(watch->pipeline->context->arena, WatchParam, module->n_params + 1);
    watch->layers = ARENA_ARRAY(watch->pipeline->context->arena, WatchLayer, module->n_params + 1);
    for (uint32_t i = 0; i < module->n_params; i++) {
        Node node = module->params[i].node;
        Name path = graph_node(s.graph, node)->attr.name;
        if (!function_result(s.training, RESULT_GRADIENT, path)) continue;
        watch->params[watch->n_params++] = (WatchParam){path, node, find_layer(watch, &s, node)};
    }
    sort_layers(watch);
    search_end(&s);
}

/* ---- The function ---- */

typedef struct {
    const Watch *watch;
    Graph *graph;
    Vec(Result) results;
} Maker;

Name watch_result(const Watch *watch, char what, Name path)
{
    return intern_format(watch->pipeline->context->names, "watch.%c.%s", what, path);
}

static void add_result(Maker *m, char what, Name path, Node value)
{
    vec_push(&m->results, (Result){.role = RESULT_VALUE, .name = watch_result(m->watch, what, path), .value = value});
}

/* In f64: the square of what has vanished would vanish in f32. */
static Node wide(Graph *graph, Node x)
{
    return build_cast(graph, x, DTYPE_F64);
}

static Node sum_of_squares(Graph *graph, Node x)
{
    Node y = wide(graph, x);
    return build_reduce_all(graph, OP_SUM, build_binary(graph, OP_MUL, y, y));
}

static Node mean(Graph *graph, Node x)
{
    Node y = wide(graph, x);
    Node count = build_size(graph, type_elements(graph_dims(graph), node_type(graph, y)), DTYPE_F64);
    return build_binary(graph, OP_DIV, build_reduce_all(graph, OP_SUM, y), count);
}

static void measure_param(Maker *m, const WatchParam *param)
{
    const Function *training = module_function(m->watch->pipeline->program->module, "training");
    Node gradient = function_result(training, RESULT_GRADIENT, param->path)->value;
    const Result *update = function_result(training, RESULT_UPDATE, param->path);
    add_result(m, 'g', param->path, sum_of_squares(m->graph, gradient));
    add_result(m, 'w', param->path, sum_of_squares(m->graph, param->node));
    if (update)
        add_result(m, 'd', param->path,
                   sum_of_squares(m->graph, build_binary(m->graph, OP_SUB, wide(m->graph, update->value),
                                                         wide(m->graph, param->node))));
}

/* The largest of each unit's values over the batch: of all axes but the last. */
static Node largest_of_units(Graph *graph, Node x)
{
    int32_t axes[MAX_RANK];
    uint32_t rank = node_type(graph, x)->rank, count = rank > 1 ? rank - 1 : rank;
    for (uint32_t i = 0; i < count; i++) axes[i] = (int32_t)i;
    return build_reduce(graph, OP_REDUCE_MAX, build_unary(graph, OP_ABS, x), axes, count);
}

static void measure_layer(Maker *m, const WatchLayer *layer, Node activation, Node slope)
{
    Graph *graph = m->graph;
    Node y = wide(graph, activation), center = mean(graph, activation);
    Node off = build_binary(graph, OP_SUB, y, build_splat(graph, center, node_type(graph, y)));
    add_result(m, 'm', layer->path, center);
    add_result(m, 'v', layer->path, mean(graph, build_binary(graph, OP_MUL, off, off)));
    Node unit = largest_of_units(graph, layer->sloped ? slope : activation), zero = build_constant_like(graph, unit, 0);
    add_result(m, 'z', layer->path, mean(graph, build_binary(graph, OP_EQ, unit, zero)));
    if (!layer->sloped) return;
    Node flat = build_binary(graph, OP_LT, unit, build_constant_like(graph, unit, SATURATED));
    Node lives = build_binary(graph, OP_NE, unit, zero);
    add_result(m, 's', layer->path, mean(graph, build_binary(graph, OP_AND, flat, lives)));
}

typedef struct {
    Node from, to;
} Substitution;

static Node substitute(void *data, Node old, Node rebuilt)
{
    const Substitution *substitution = data;
    return node_same(old, substitution->from) ? substitution->to : rebuilt;
}

/* Slopes of the activation functions at the layers' outputs. Layers share few functions, and a derivative by a source
 * is cheap: so each function is differentiated once, over a source, before the outputs take the source's place. */
static bool find_slopes(const Watch *watch, Search *s, Node *activations, Node *slopes)
{
    Context *context = watch->pipeline->context;
    Node *sources = ARENA_ARRAY(context->arena, Node, watch->n_layers);
    Result *results = ARENA_ARRAY(context->arena, Result, watch->n_layers);
    Function function = {.name = intern(context->names, "slopes"), .results = results, .n_results = watch->n_layers};
    Module module = {.name = function.name, .graph = s->graph, .functions = &function, .n_functions = 1};
    for (uint32_t i = 0; i < watch->n_layers; i++) {
        WatchLayer *layer = &watch->layers[i];
        if (node_is_none(layer->output)) continue;
        activations[i] = activation_of(s, layer->output);
        layer->sloped = !node_same(activations[i], layer->output);
        sources[i] =
            build_source(s->graph, OP_INPUT, intern(context->names, "watch.z"), *node_type(s->graph, layer->output));
        Node value = of_source(s, layer->output, activations[i], sources[i]);
        results[i] = (Result){.role = RESULT_VALUE, .name = layer->path};
        results[i].value = build_gradient(s->graph, build_reduce_all(s->graph, OP_SUM, value), sources[i]);
    }
    if (!passes_run(RECIPE_SLOPE, &module, NULL)) return false;
    for (uint32_t i = 0; i < watch->n_layers; i++) {
        Substitution substitution = {sources[i], watch->layers[i].output};
        slopes[i] = results[i].value;
        if (!node_is_none(slopes[i])) graph_rewrite(s->graph, &slopes[i], 1, substitute, &substitution);
    }
    return true;
}

bool watch_add_function(Watch *watch)
{
    Module *module = watch->pipeline->program->module;
    Context *context = watch->pipeline->context;
    Maker m = {.watch = watch, .graph = module->graph};
    Search s = search_start(module);
    Node *activations = ARENA_ARRAY(context->arena, Node, watch->n_layers);
    Node *slopes = ARENA_ARRAY(context->arena, Node, watch->n_layers);
    bool good = find_slopes(watch, &s, activations, slopes);
    search_end(&s);
    for (uint32_t i = 0; i < watch->n_params; i++) measure_param(&m, &watch->params[i]);
    for (uint32_t i = 0; i < watch->n_layers && good; i++)
        if (!node_is_none(activations[i])) measure_layer(&m, &watch->layers[i], activations[i], slopes[i]);
    Function function = {.name = intern(context->names, "watch"),
                         .results = ARENA_COPY(context->arena, Result, m.results.at, m.results.count),
                         .n_results = (uint32_t)m.results.count};
    module_add_functions(module, &function, 1);
    vec_free(&m.results);
    return good;
}
