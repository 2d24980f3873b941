#include "api/picture.h"

#include <stdlib.h>
#include <string.h>

#include "api/picture_internal.h"
#include "support/memory.h"

typedef Vec(Node) NodeList;

#define FORWARD_FILL "#dbe9f6"
#define FORWARD_LINE "#4a7aa8"
#define BACKWARD_FILL "#fbe3d6"
#define BACKWARD_LINE "#b8714a"
#define ACROSS_LINE "#c9c2bd"
#define FOLD_FILL "#f1f0fa"
#define FOLD_LINE "#7a74b8"
#define CLUSTER_LINE "#b8c0c8"
#define SHAPE_INK "#59636e"

/* ---- What is drawn ---- */

static void *table(const Graph *graph, size_t size)
{
    return memory_calloc((size_t)graph_count(graph) + 1, size);
}

static void add_roots(const Function *function, bool gradients, NodeList *roots)
{
    for (uint32_t i = 0; i < function->n_results; i++) {
        ResultRole role = function->results[i].role;
        bool forward = role == RESULT_OUTPUT || role == RESULT_LOSS || role == RESULT_METRIC;
        if (forward || (gradients && role == RESULT_GRADIENT)) vec_push(roots, function->results[i].value);
    }
}

/* A node without a layer of its own, as the sums of gradients of a shared weight, belongs to what it is made for. */
static Name layer_of(const Picture *p, Node node)
{
    Name layer = graph_layer(p->graph, node);
    return layer && strncmp(layer, "optimizer/", 10) ? layer : NULL;
}

static Picture picture_start(const Module *module)
{
    const Function *function = module_function(module, "training");
    if (!function || node_is_none(function->loss)) function = module_function(module, "inference");
    Picture p = {.module = module, .graph = module->graph};
    NodeList roots = {0};
    uint32_t n_forward = 0;
    p.forward = table(p.graph, sizeof *p.forward);
    p.drawn = table(p.graph, sizeof *p.drawn);
    p.stands = table(p.graph, sizeof *p.stands);
    p.layer = table(p.graph, sizeof *p.layer);
    if (function) add_roots(function, false, &roots);
    Node *forward = graph_reachable(p.graph, roots.at, (uint32_t)roots.count, &n_forward);
    for (uint32_t i = 0; i < n_forward; i++) p.forward[forward[i].id] = true;
    memory_free(forward);
    roots.count = 0;
    if (function) add_roots(function, true, &roots);
    p.nodes = graph_reachable(p.graph, roots.at, (uint32_t)roots.count, &p.count);
    for (uint32_t i = 0; i < p.count; i++) {
        Node node = p.nodes[i];
        p.drawn[node.id] = !picture_is_inline(&p, node);
        p.stands[node.id] = node;
        p.layer[node.id] = layer_of(&p, node);
    }
    vec_free(&roots);
    return p;
}

static void picture_end(Picture *p)
{
    memory_free(p->nodes);
    memory_free(p->forward);
    memory_free(p->drawn);
    memory_free(p->stands);
    memory_free(p->layer);
    vec_free(&p->folds);
}

/* ---- Boxes ---- */

static void print_quoted(const char *string, Text *to)
{
    for (; *string; string++) {
        if (*string == '"' || *string == '\\') text_put(to, "\\", 1);
        text_put(to, string, 1);
    }
}

/* `mul(·, 0.1)`: the operator with its constants; a dot is an operand that is drawn. */
static void print_operator(const Picture *p, const NodeInfo *info, Text *to)
{
    bool constant = false;
    for (uint32_t i = 0; i < info->n_args; i++) constant = constant || picture_is_inline(p, info->args[i]);
    text_string(to, op_info(info->op)->spelling);
    for (uint32_t i = 0; i < info->n_args && constant; i++) {
        double number;
        text_string(to, i ? ", " : "(");
        if (node_is_constant(p->graph, info->args[i], &number))
            text_number(to, number);
        else
            text_string(to, "·");
    }
    if (constant) text_string(to, ")");
}

static Name gradient_of(const Picture *p, Node node)
{
    const Function *training = module_function(p->module, "training");
    for (uint32_t i = 0; training && i < training->n_results; i++)
        if (training->results[i].role == RESULT_GRADIENT && node_same(training->results[i].value, node))
            return training->results[i].name;
    return NULL;
}

/* The last component of a path: what precedes it is said by the clusters around. */
static const char *short_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static void print_box(const Picture *p, Node node, Text *to)
{
    const NodeInfo *info = graph_node(p->graph, node);
    bool forward = p->forward[node.id], source = op_info(info->op)->class == OP_CLASS_SOURCE;
    Name own = info->attr.name ? info->attr.name : graph_name(p->graph, node), by = gradient_of(p, node);
    text_format(to, "n%u [label=\"", node.id);
    print_operator(p, info, to);
    if (own && !by) {
        text_string(to, "\\n");
        print_quoted(short_name(own), to);
    }
    if (by) text_format(to, "\\ngradient of %s", short_name(by));
    text_format(to, "\", fillcolor=\"%s\", color=\"%s\"%s%s];\n", forward ? FORWARD_FILL : BACKWARD_FILL,
                forward ? FORWARD_LINE : BACKWARD_LINE, source ? ", shape=ellipse" : "", by ? ", penwidth=2" : "");
}

/* ---- Clusters ---- */

/* How much of two paths, in whole components, is the same. */
static size_t common_part(const char *a, const char *b)
{
    size_t common = 0;
    for (size_t i = 0;; i++) {
        if ((!a[i] || a[i] == '.') && (!b[i] || b[i] == '.')) common = i;
        if (a[i] != b[i] || !a[i]) return common;
    }
}

static unsigned components(const char *path, size_t length)
{
    unsigned count = length > 0;
    for (size_t i = 0; i < length; i++) count += path[i] == '.';
    return count;
}

static int by_layer(const void *a, const void *b, void *data)
{
    const Picture *p = data;
    const Node *x = a, *y = b;
    const char *left = p->layer[x->id] ? p->layer[x->id] : "", *right = p->layer[y->id] ? p->layer[y->id] : "";
    int order = strcmp(left, right);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static void open_cluster(const Picture *p, const char *path, size_t from, size_t end, Text *to)
{
    const Fold *fold = picture_fold_of(p, path, end);
    text_format(to, "subgraph \"cluster_%.*s\" {\nlabel=\"", (int)end, path);
    if (fold) {
        const char *base = short_name(fold->prefix);
        text_format(
            to,
            "%s[%lld] … %s[%lld]   × %lld\"; penwidth=2; style=\"rounded,filled\"; fillcolor=\"" FOLD_FILL "\"; "
            "color=\"" FOLD_LINE "\";\n",
            base, (long long)fold->first, base, (long long)fold->last, (long long)(fold->last - fold->first + 1));
    } else {
        text_format(to, "%.*s\";\n", (int)(end - from), path + from);
    }
}

/* Closes the clusters of one path and opens those of the next. */
static void change_cluster(const Picture *p, const char *from, const char *path, Text *to)
{
    size_t common = common_part(from, path), length = strlen(path);
    unsigned closed = components(from, strlen(from)) - components(from, common);
    while (closed--) text_string(to, "}\n");
    for (size_t at = common ? common + 1 : 0; at < length;) {
        size_t end = at + strcspn(path + at, ".");
        open_cluster(p, path, at, end, to);
        at = end + 1;
    }
}

/* The nodes are sorted by layer. */
static void print_clusters(const Picture *p, const NodeList *nodes, Text *to)
{
    const char *open = "";
    for (size_t i = 0; i < nodes->count; i++) {
        Name layer = p->layer[nodes->at[i].id];
        const char *path = layer ? layer : "";
        change_cluster(p, open, path, to);
        open = path;
        print_box(p, nodes->at[i], to);
    }
    change_cluster(p, open, "", to);
}

/* ---- Edges ---- */

typedef struct {
    Node from, to;
    bool again; /* from one turn of a folded repeat to the next */
} Edge;

static int by_ends(const void *a, const void *b)
{
    const Edge *x = a, *y = b;
    if (x->to.id != y->to.id) return x->to.id < y->to.id ? -1 : 1;
    if (x->from.id != y->from.id) return x->from.id < y->from.id ? -1 : 1;
    return (int)x->again - (int)y->again;
}

static void print_shape(const Picture *p, Node node, Text *to)
{
    const Type *type = node_type(p->graph, node);
    if (type->dtype != DTYPE_F32) text_format(to, "%s ", dtype_name(type->dtype));
    if (!type->rank && type->dtype == DTYPE_F32) text_string(to, "scalar");
    for (uint32_t i = 0; i < type->rank; i++) {
        if (i) text_string(to, "×");
        dim_print(graph_dims(p->graph), type->dims[i], to);
    }
}

/* Edges of the backward pass are turned round, so that each layer's gradients lie beside the layer. What the backward
 * pass reads of the forward pass does not pull. */
static void print_edge(const Picture *p, const Edge *edge, Text *to)
{
    bool from_forward = p->forward[edge->from.id], to_forward = p->forward[edge->to.id];
    bool source = op_info(node_op(p->graph, edge->from))->class == OP_CLASS_SOURCE;
    bool turned = !from_forward && !to_forward && !edge->again, across = from_forward && !to_forward;
    text_format(to, "n%u -> n%u [label=\"", turned ? edge->to.id : edge->from.id, turned ? edge->from.id : edge->to.id);
    if (!across) {
        text_string(to, "  "); /* away from the line */
        print_shape(p, edge->from, to);
    }
    text_format(to, "\", color=\"%s\"", across ? ACROSS_LINE : to_forward ? FORWARD_LINE : BACKWARD_LINE);
    if (turned) text_string(to, ", dir=back");
    if (edge->again) text_string(to, ", style=dashed");
    if (edge->again || (across && !source)) text_string(to, ", constraint=false");
    text_string(to, "];\n");
}

/* True if the two lie in different turns of what was folded. */
static bool changes_turn(const Picture *p, Node from, Node to)
{
    bool folded = !node_same(p->stands[from.id], from) || !node_same(p->stands[to.id], to);
    if (!folded || !p->layer[from.id] || !p->layer[to.id]) return false;
    for (size_t i = 0; i < p->folds.count; i++) {
        size_t length = strlen(p->folds.at[i].prefix);
        const char *a = p->layer[from.id], *b = p->layer[to.id];
        if (strncmp(a, p->folds.at[i].prefix, length) || strncmp(b, a, length) || a[length] != '[' || b[length] != '[')
            continue;
        int64_t x = strtoll(a + length + 1, NULL, 10), y = strtoll(b + length + 1, NULL, 10);
        const Fold *fold = &p->folds.at[i];
        if (x != y && x >= fold->first && x <= fold->last && y >= fold->first && y <= fold->last) return true;
    }
    return false;
}

static void print_edges(const Picture *p, Text *to)
{
    Vec(Edge) edges = {0};
    for (uint32_t i = 0; i < p->count; i++) {
        const NodeInfo *info = graph_node(p->graph, p->nodes[i]);
        for (uint32_t a = 0; a < info->n_args; a++) {
            Edge edge = {p->stands[info->args[a].id], p->stands[p->nodes[i].id],
                         changes_turn(p, info->args[a], p->nodes[i])};
            if (p->drawn[edge.from.id]) vec_push(&edges, edge);
        }
    }
    if (edges.count) qsort(edges.at, edges.count, sizeof *edges.at, by_ends);
    for (size_t i = 0; i < edges.count; i++)
        if (!i || by_ends(&edges.at[i - 1], &edges.at[i])) print_edge(p, &edges.at[i], to);
    vec_free(&edges);
}

/* ---- The whole ---- */

static void print_heading(const Picture *p, bool backward, Text *to)
{
    text_format(to,
                "digraph \"%s\" {\n"
                "graph [fontname=\"Helvetica\", fontsize=11, labeljust=l, labelloc=t, ranksep=0.3, nodesep=0.2, "
                "bgcolor=white];\n"
                "node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=10, height=0.3, "
                "margin=\"0.1,0.04\"];\n"
                "edge [fontname=\"Helvetica\", fontsize=8, fontcolor=\"" SHAPE_INK "\", arrowsize=0.6];\n",
                p->module->name);
    text_format(to,
                "label=<<table border=\"0\" cellspacing=\"4\"><tr><td><b><font point-size=\"16\">%s</font></b></td>"
                "<td bgcolor=\"%s\" width=\"14\" height=\"14\"></td><td>forward</td>",
                p->module->name, FORWARD_FILL);
    if (backward)
        text_format(to, "<td bgcolor=\"%s\" width=\"14\"></td><td>backward (arrows upwards)</td>", BACKWARD_FILL);
    if (p->folds.count) text_string(to, "<td>dashed: to the next turn</td>");
    text_string(to, "</tr></table>>;\n");
}

void picture_print(const Module *module, Text *to)
{
    Picture p = picture_start(module);
    NodeList nodes = {0};
    bool backward = false;
    picture_fold(&p);
    for (uint32_t i = 0; i < p.count; i++) {
        if (!p.drawn[p.nodes[i].id]) continue;
        vec_push(&nodes, p.nodes[i]);
        backward = backward || !p.forward[p.nodes[i].id];
    }
    if (nodes.count) qsort_r(nodes.at, nodes.count, sizeof *nodes.at, by_layer, &p);
    print_heading(&p, backward, to);
    text_string(to, "subgraph { graph [style=rounded, color=\"" CLUSTER_LINE "\"];\n");
    print_clusters(&p, &nodes, to);
    text_string(to, "}\n");
    print_edges(&p, to);
    text_string(to, "}\n");
    vec_free(&nodes);
    picture_end(&p);
}

/* ---- On dark paper ---- */

void picture_paint(const Text *svg, Text *to)
{
    static const struct {
        const char *light, *dark;
    } colors[] = {
        {"white", "#0d1117"},       {FORWARD_FILL, "#1b3247"}, {FORWARD_LINE, "#6ea3d8"}, {BACKWARD_FILL, "#46291b"},
        {BACKWARD_LINE, "#e0946a"}, {FOLD_FILL, "#1c1a30"},    {FOLD_LINE, "#9a94e0"},    {SHAPE_INK, "#9198a1"},
        {CLUSTER_LINE, "#3d444d"},  {ACROSS_LINE, "#57514d"},
    };
    const char *all = text_get(svg), *at = strstr(all, "<g ");
    if (!at) at = all;
    text_put(to, all, (size_t)(at - all));
    text_string(to, "<style>@media (prefers-color-scheme:dark){text{fill:#e6edf3}\n");
    for (size_t i = 0; i < sizeof colors / sizeof *colors; i++)
        text_format(to, "[fill=\"%s\"]{fill:%s}[stroke=\"%s\"]{stroke:%s}\n", colors[i].light, colors[i].dark,
                    colors[i].light, colors[i].dark);
    text_string(to, "}</style>\n");
    text_string(to, at);
}
