/* nnc.h: graphs, what they declare and what they give. */
#include "api/graph.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "ir/build.h"
#include "ir/infer.h"
#include "support/memory.h"

nnc_value graph_refuse(nnc_graph *graph, const char *format, ...)
{
    Text text = {0};
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    diag_new(graph->context->diagnostics, DIAG_bad_graph, NO_SPAN, "%s", text_get(&text));
    text_free(&text);
    graph->failed = true;
    return NNC_NONE;
}

static bool is_identifier(const char *name)
{
    if (!name || !(isalpha((unsigned char)*name) || *name == '_')) return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_') return false;
    return true;
}

static void refuse_node(void *graph, const char *what)
{
    graph_refuse(graph, "%s", what);
}

static nnc_graph *refuse_name(const Context *context, const char *name)
{
    diag_new(context->diagnostics, DIAG_bad_graph, NO_SPAN, "`%s` is no name for a model: letters, digits and _",
             name ? name : "");
    return NULL;
}

static nnc_graph *make_graph(nnc_compiler *compiler, Workspace *workspace, const char *name)
{
    Context *context = workspace->context;
    nnc_graph *graph = ARENA_NEW(context->arena, nnc_graph);
    context->budget = UINT64_MAX; /* what the caller builds is counted when it is compiled */
    workspace->graph = graph_new(context);
    graph_listen(workspace->graph, (GraphListener){refuse_node, graph});
    *graph = (nnc_graph){.compiler = compiler,
                         .workspace = workspace,
                         .context = context,
                         .graph = workspace->graph,
                         .name = intern(context->names, name)};
    return graph;
}

/* NULL after a diagnostic, or without memory. */
static nnc_graph *open_graph(nnc_compiler *compiler, Workspace *workspace, const char *name)
{
    HEAP_SCOPE(workspace->heap, return NULL);
    return is_identifier(name) ? make_graph(compiler, workspace, name) : refuse_name(workspace->context, name);
}

nnc_graph *nnc_graph_new(nnc_compiler *compiler, const char *name)
{
    if (!compiler) return NULL;
    compiler_begin(compiler);
    Workspace *workspace = workspace_new();
    nnc_graph *graph = workspace ? open_graph(compiler, workspace, name) : NULL;
    if (graph) return graph;
    compiler_report(compiler, workspace);
    workspace_drop(workspace);
    return NULL;
}

void nnc_graph_free(nnc_graph *graph)
{
    if (graph) workspace_drop(graph->workspace);
}

/* ---- Values, types, sizes ---- */

Node graph_value(nnc_graph *graph, nnc_value value)
{
    if (value.id <= graph_count(graph->graph)) return (Node){value.id};
    graph_refuse(graph, "a value is not one of this graph");
    return NODE_NONE;
}

bool graph_values(nnc_graph *graph, const nnc_value *values, size_t count, Node *nodes)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        nodes[i] = graph_value(graph, values[i]);
        good = good && !node_is_none(nodes[i]);
    }
    return good;
}

static bool is_size(const nnc_graph *graph, Dim size)
{
    int64_t value;
    return !dim_is_constant(graph_dims(graph->graph), size, &value) || value >= 0;
}

bool graph_type(nnc_graph *graph, const char *text, Type *type)
{
    const char *at = text;
    bool good = text && type_parse(graph_dims(graph->graph), &at, type);
    if (good) good = !at[strspn(at, " ")];
    for (uint32_t i = 0; good && i < type->rank; i++) good = is_size(graph, type->dims[i]);
    if (good && !dim_is_none(type->range)) good = is_size(graph, type->range);
    if (!good) graph_refuse(graph, "`%s` is not a type; one is f32[batch, 784]", text ? text : "");
    return good;
}

bool graph_size(nnc_graph *graph, const char *text, Dim *size)
{
    const char *at = text;
    *size = text ? dim_parse(graph_dims(graph->graph), &at) : DIM_NONE;
    if (!dim_is_none(*size) && !at[strspn(at, " ")]) return true;
    graph_refuse(graph, "`%s` is not a size; one is 2*batch", text ? text : "");
    return false;
}

nnc_value graph_put(nnc_graph *graph, Op op, const Node *args, uint32_t n_args, const Attr *attr, const Type *type)
{
    NodeInfo info = {.op = op, .args = args, .n_args = n_args};
    Type made;
    if (attr) info.attr = *attr;
    if (type) info.type = *type;
    const char *wrong = infer_type(graph->graph, &info, &made);
    if (!wrong) return (nnc_value){graph_make(graph->graph, op, args, n_args, attr, type).id};
    Text types = {0};
    for (uint32_t i = 0; i < n_args; i++) {
        text_string(&types, i ? ", " : "");
        type_print(graph_dims(graph->graph), node_type(graph->graph, args[i]), &types);
    }
    graph_refuse(graph, "%s(%s): %s", op_info(op)->spelling, text_get(&types), wrong);
    text_free(&types);
    return NNC_NONE;
}

Node graph_stretch(nnc_graph *graph, Node x, const Type *shape)
{
    const Type type = *node_type(graph->graph, x);
    int32_t axes[MAX_RANK];
    if (type.rank >= shape->rank) return x;
    for (uint32_t i = 0; i < type.rank; i++) {
        axes[i] = (int32_t)(shape->rank - type.rank + i);
        if (!dim_same(type.dims[i], shape->dims[axes[i]])) return x;
    }
    return build_broadcast(graph->graph, x, shape, axes);
}

const char *nnc_type(nnc_graph *graph, nnc_value x)
{
    GRAPH_SCOPE(graph, "");
    Node node = graph_value(graph, x);
    if (node_is_none(node)) return "";
    Text text = {0};
    type_print(graph_dims(graph->graph), node_type(graph->graph, node), &text);
    const char *copy = arena_text(graph->context->arena, text_get(&text), text.count);
    text_free(&text);
    return copy;
}

void nnc_set_name(nnc_graph *graph, nnc_value x, const char *name)
{
    GRAPH_SCOPE(graph, );
    Node node = name ? graph_value(graph, x) : NODE_NONE;
    if (!node_is_none(node)) graph_set_name(graph->graph, node, intern(graph->context->names, name));
}

/* ---- Declarations ---- */

/* What was declared under the name; NULL when nothing was. */
static Declared *find_declared(const nnc_graph *graph, Name name)
{
    const struct {
        Declared *at;
        size_t count;
    } lists[] = {{graph->inputs.at, graph->inputs.count},
                 {graph->params.at, graph->params.count},
                 {graph->states.at, graph->states.count},
                 {graph->settings.at, graph->settings.count}};
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        for (size_t i = 0; i < lists[k].count; i++)
            if (graph_node(graph->graph, lists[k].at[i].node)->attr.name == name) return &lists[k].at[i];
    return NULL;
}

/* A source that is declared once, or NODE_NONE. */
static Node declare(nnc_graph *graph, Op op, const char *text, const char *type_text, double number)
{
    Type type;
    if (!text || !*text) {
        graph_refuse(graph, "%s: a name is missing", op_info(op)->spelling);
        return NODE_NONE;
    }
    Name name = intern(graph->context->names, text);
    if (find_declared(graph, name)) {
        graph_refuse(graph, "%s: `%s` is declared twice", op_info(op)->spelling, name);
        return NODE_NONE;
    }
    if (!graph_type(graph, type_text, &type)) return NODE_NONE;
    return (Node){graph_put(graph, op, NULL, 0, &(Attr){.name = name, .number = number}, &type).id};
}

static nnc_value declare_input(nnc_graph *graph, Op op, const char *name, const char *type)
{
    Node node = graph ? declare(graph, op, name, type, 0) : NODE_NONE;
    if (!node_is_none(node)) vec_push(&graph->inputs, (Declared){.node = node});
    return (nnc_value){node.id};
}

nnc_value nnc_input(nnc_graph *graph, const char *name, const char *type)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    return declare_input(graph, OP_INPUT, name, type);
}

nnc_value nnc_target(nnc_graph *graph, const char *name, const char *type)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    return declare_input(graph, OP_TARGET, name, type);
}

/* First values are drawn before there is anything else: they follow from constants, draws and sizes alone. */
static bool stands_alone(const nnc_graph *graph, Node value)
{
    uint32_t count;
    Node *nodes = graph_reachable(graph->graph, &value, 1, &count);
    bool alone = true;
    for (uint32_t i = 0; i < count; i++) {
        Op op = node_op(graph->graph, nodes[i]);
        alone = alone && op != OP_INPUT && op != OP_TARGET && op != OP_PARAM && op != OP_STATE && op != OP_COTANGENT;
    }
    memory_free(nodes);
    return alone;
}

/* Gives a parameter or state its first value. False when it does not fit. */
static bool start_with(nnc_graph *graph, Node node, nnc_value first)
{
    const NodeInfo info = *graph_node(graph->graph, node);
    Node value =
        first.id ? graph_value(graph, first) : build_constant(graph->graph, type_with(info.type, info.type.dtype), 0);
    if (node_is_none(value)) return false;
    value = graph_stretch(graph, value, &info.type);
    const Type *type = node_type(graph->graph, value);
    bool fits = type->dtype == info.type.dtype && type_same_shape(type, &info.type);
    if (!fits || !stands_alone(graph, value)) {
        graph_refuse(graph, "the first value of `%s` %s", info.attr.name,
                     fits ? "depends on inputs, parameters, states or the form" : "is not of its type");
        return false;
    }
    vec_push(&graph->first, (Result){RESULT_INIT, info.attr.name, value, NODE_NONE});
    return true;
}

nnc_value nnc_param(nnc_graph *graph, const char *path, const char *type, nnc_value first)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node node = declare(graph, OP_PARAM, path, type, 0);
    if (node_is_none(node) || !start_with(graph, node, first)) return NNC_NONE;
    vec_push(&graph->params, (Declared){.node = node});
    return (nnc_value){node.id};
}

nnc_value nnc_state(nnc_graph *graph, const char *path, const char *type, nnc_value first)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node node = declare(graph, OP_STATE, path, type, 0);
    if (node_is_none(node) || !start_with(graph, node, first)) return NNC_NONE;
    vec_push(&graph->states, (Declared){.node = node});
    return (nnc_value){node.id};
}

/* The clock of the training is fed in its own types. */
static bool suits_clock(nnc_graph *graph, Node setting)
{
    const NodeInfo *info = graph_node(graph->graph, setting);
    bool progress = !strcmp(info->attr.name, "progress");
    bool counts = !strcmp(info->attr.name, "step") || !strcmp(info->attr.name, "steps");
    if (progress ? dtype_is_float(info->type.dtype) : !counts || info->type.dtype != DTYPE_BOOL) return true;
    graph_refuse(graph, "the setting `%s` is %s", info->attr.name, progress ? "a floating-point number" : "a number");
    return false;
}

nnc_value nnc_setting(nnc_graph *graph, const char *name, const char *type, double value)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    Node node = declare(graph, OP_SETTING, name, type, value);
    if (node_is_none(node) || !suits_clock(graph, node)) return NNC_NONE;
    vec_push(&graph->settings, (Declared){.node = node});
    return (nnc_value){node.id};
}

nnc_value nnc_training(nnc_graph *graph)
{
    GRAPH_SCOPE(graph, NNC_NONE);
    if (node_is_none(graph->training)) {
        Name name = intern(graph->context->names, "training");
        graph->training = build_source(graph->graph, OP_COTANGENT, name, type_scalar(DTYPE_BOOL));
    }
    return (nnc_value){graph->training.id};
}

void nnc_set_doc(nnc_graph *graph, nnc_value x, const char *doc)
{
    GRAPH_SCOPE(graph, );
    Node node = graph_value(graph, x);
    if (node_is_none(node)) return;
    Declared *declared = find_declared(graph, graph_node(graph->graph, node)->attr.name);
    if (declared && node_same(declared->node, node)) {
        declared->doc = doc ? arena_format(graph->context->arena, "%s", doc) : NULL;
        return;
    }
    graph_refuse(graph, "only what is declared has a description");
}

/* ---- Results ---- */

static void give(nnc_graph *graph, ResultRole role, const char *name, nnc_value x)
{
    Node node = graph ? graph_value(graph, x) : NODE_NONE;
    if (node_is_none(node)) return;
    Name own = name && *name ? intern(graph->context->names, name) : NULL;
    bool taken = !own;
    for (size_t i = 0; i < graph->gives.count; i++) taken |= graph->gives.at[i].name == own;
    if (taken) {
        graph_refuse(graph, own ? "two results are called `%s`" : "a result has no name%s", own ? own : "");
        return;
    }
    const Type *type = node_type(graph->graph, node);
    if (role != RESULT_OUTPUT && (type->rank || !dtype_is_float(type->dtype))) {
        graph_refuse(graph, "`%s` is not a floating-point scalar, as losses and metrics are", own);
        return;
    }
    vec_push(&graph->gives, (Result){role, own, node, NODE_NONE});
}

void nnc_output(nnc_graph *graph, const char *name, nnc_value x)
{
    GRAPH_SCOPE(graph, );
    give(graph, RESULT_OUTPUT, name, x);
}

void nnc_loss(nnc_graph *graph, const char *name, nnc_value x)
{
    GRAPH_SCOPE(graph, );
    give(graph, RESULT_LOSS, name, x);
}

void nnc_metric(nnc_graph *graph, const char *name, nnc_value x)
{
    GRAPH_SCOPE(graph, );
    give(graph, RESULT_METRIC, name, x);
}

/* Adds the pair of a value before and after to the list, one of those that have none of it yet. */
static bool replace(nnc_graph *graph, nnc_value old, nnc_value next, bool params, Result *result)
{
    Node nodes[2];
    if (!graph || !graph_values(graph, (nnc_value[]){old, next}, 2, nodes)) return false;
    const NodeInfo info = *graph_node(graph->graph, nodes[0]);
    if (info.op != OP_STATE && !(params && info.op == OP_PARAM)) {
        graph_refuse(graph, "%s: only %sstates are updated", op_info(info.op)->spelling,
                     params ? "parameters and " : "");
        return false;
    }
    bool twice = false;
    for (size_t i = 0; i < graph->updates.count; i++) twice |= node_same(graph->updates.at[i].old, nodes[0]);
    for (size_t i = 0; i < graph->advances.count; i++) twice |= node_same(graph->advances.at[i].old, nodes[0]);
    Node value = graph_stretch(graph, nodes[1], &info.type);
    const Type *type = node_type(graph->graph, value);
    bool fits = type->dtype == info.type.dtype && type_same_shape(type, &info.type);
    *result = (Result){RESULT_UPDATE, info.attr.name, value, nodes[0]};
    if (twice || !fits)
        graph_refuse(graph, twice ? "`%s` is updated twice" : "the next value of `%s` is not of its type",
                     info.attr.name);
    return !twice && fits;
}

void nnc_update(nnc_graph *graph, nnc_value old, nnc_value next)
{
    GRAPH_SCOPE(graph, );
    Result result;
    if (replace(graph, old, next, true, &result)) vec_push(&graph->updates, result);
}

void nnc_advance(nnc_graph *graph, nnc_value state, nnc_value next)
{
    GRAPH_SCOPE(graph, );
    Result result;
    if (replace(graph, state, next, false, &result)) vec_push(&graph->advances, result);
}
