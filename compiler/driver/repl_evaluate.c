/* From a node of the session to its formula and its value: the node is copied into a graph of the statement,
 * simplified, differentiated and shown; if all that it holds has a value, it is compiled and run. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/failure.h"
#include "codegen/codegen.h"
#include "display/display.h"
#include "driver/repl_session.h"
#include "host/stop.h"
#include "ir/build.h"
#include "ir/condition.h"
#include "ir/eval.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

typedef struct {
    Session *session;
    Outcome *out;
    Module *module;
    Result *result;
    Vec(Declared) inputs; /* what is fed, in the order of `fed` */
    Vec(nn_named) fed;
    Vec(Array) learned; /* values of models */
    Vec(Node) from, to; /* sources and what takes their place */
    Vec(Name) symbols;
    Vec(int64_t) sizes;
    bool refused; /* a model whose value is asked for cannot be had, which was said */
} Evaluation;

/* A context for one statement: names, sources and diagnostics are the session's, what it keeps is its own. */
static Context *context_within(const Context *context)
{
    Arena *arena = arena_new();
    Context *inner = ARENA_NEW(arena, Context);
    *inner = (Context){.arena = arena,
                       .names = context->names,
                       .sources = context->sources,
                       .diagnostics = context->diagnostics,
                       .base = context,
                       .stop = context->stop,
                       .budget = context->budget};
    return inner;
}

static void context_within_free(Context *inner)
{
    if (!inner) return;
    vec_free(&inner->kept);
    arena_free(inner->arena);
}

static void add_symbol(void *data, Name symbol)
{
    Evaluation *e = data;
    for (size_t i = 0; i < e->symbols.count; i++)
        if (e->symbols.at[i] == symbol) return;
    vec_push(&e->symbols, symbol);
    vec_push(&e->sizes, -1);
}

static void node_symbols(Evaluation *e, Node node)
{
    const DimTable *dims = graph_dims(e->out->graph);
    const NodeInfo *info = graph_node(e->out->graph, node);
    for (uint32_t i = 0; i < info->type.rank; i++) dim_symbols(dims, info->type.dims[i], add_symbol, e);
    for (uint32_t i = 0; i < info->attr.n_sizes; i++) dim_symbols(dims, info->attr.sizes[i], add_symbol, e);
}

/* The node and what it needs, in the statement's graph. */
static Node *reach(const Evaluation *e, uint32_t *count)
{
    return graph_reachable(e->out->graph, &e->out->node, 1, count);
}

/* True if there is something unknown or given in it, which makes it a formula; else it is plain numbers. */
static bool holds_names(Evaluation *e)
{
    uint32_t count;
    Node *nodes = reach(e, &count);
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        found |= session_takes_value(node_op(e->out->graph, nodes[i]));
        node_symbols(e, nodes[i]);
    }
    free(nodes);
    return found || e->symbols.count;
}

static bool simplify(Evaluation *e, Node node)
{
    Outcome *out = e->out;
    names_keep_bound(e->session, node);
    node = settled_begin(e->session, node);
    out->context = context_within(e->session->context);
    out->graph = graph_new(out->context);
    graph_copy(out->graph, e->session->el->graph, &node, 1);
    Arena *arena = out->context->arena;
    Function *function = ARENA_NEW(arena, Function);
    e->result = ARENA_NEW(arena, Result);
    e->module = ARENA_NEW(arena, Module);
    *e->result = (Result){RESULT_VALUE, intern(out->context->names, "value"), node, NODE_NONE};
    *function = (Function){.name = intern(out->context->names, "evaluate"), .results = e->result, .n_results = 1};
    *e->module = (Module){
        .name = intern(out->context->names, "session"), .graph = out->graph, .functions = function, .n_functions = 1};
    if (!passes_run(RECIPE_FORMULA, e->module, NULL)) return false;
    out->node = e->module->functions[0].results[0].value;
    out->formula = holds_names(e);
    return true;
}

static bool size_of_symbol(void *data, Name symbol, int64_t *size)
{
    const Evaluation *e = data;
    for (size_t i = 0; i < e->symbols.count; i++)
        if (e->symbols.at[i] == symbol) return (*size = e->sizes.at[i]) >= 0;
    return false;
}

/* What a source's model has learned, else what the user gave for it. NULL: neither. */
static const Array *value_for(Evaluation *e, const NodeInfo *info)
{
    const char *model = names_model_of(e->session, info->attr.name);
    if (!model) return session_given(e->session, info->attr.name);
    Loaded *loaded = session_model_ready(e->session, model);
    Array value;
    e->refused = !loaded;
    if (!loaded || !loaded_value(loaded, info->attr.name, info->type.dtype, &value)) return NULL;
    vec_push(&e->learned, value);
    return &vec_last(&e->learned);
}

/* The value of a source, if it is of the source's type; it tells free sizes. */
static const Array *given_for(Evaluation *e, const NodeInfo *info)
{
    const Array *array = value_for(e, info);
    DimTable *dims = graph_dims(e->out->graph);
    if (!array || array->dtype != info->type.dtype || array->rank != info->type.rank) return NULL;
    for (uint32_t i = 0; i < array->rank; i++) {
        Name symbol;
        int64_t size = -1;
        if (dim_is_symbol(dims, info->type.dims[i], &symbol)) {
            add_symbol(e, symbol);
            for (size_t k = 0; k < e->symbols.count; k++)
                if (e->symbols.at[k] == symbol && e->sizes.at[k] < 0) e->sizes.at[k] = array->dims[i];
        }
        dim_evaluate(dims, info->type.dims[i], size_of_symbol, e, &size);
        if (size == array->dims[i]) continue;
        Text text = {0};
        dim_print(dims, info->type.dims[i], &text);
        diag_new(e->out->context->diagnostics, DIAG_input_shape, NO_SPAN,
                 "`%s` was given %lld along its axis %u, but `%s` is %lld by what was given before", info->attr.name,
                 (long long)array->dims[i], i, text_get(&text), (long long)size);
        text_free(&text);
        return NULL;
    }
    return array;
}

static Node start_of(const Session *session, Name name, const Type *type)
{
    const Graph *graph = session->el->graph;
    for (size_t i = session->starts.count; i-- > 0;) {
        const NodeInfo *info = graph_node(graph, session->starts.at[i].node);
        if (info->attr.name == name && info->type.dtype == type->dtype && info->type.rank == type->rank)
            return session->starts.at[i].start;
    }
    return NODE_NONE;
}

/* A source becomes a value that is fed, or what it starts from. False when it has none. */
static bool supply(Evaluation *e, Node node)
{
    Graph *graph = e->out->graph;
    const NodeInfo info = *graph_node(graph, node);
    const Array *array = given_for(e, &info);
    if (e->refused || diagnostics_errors(e->out->context->diagnostics)) return false;
    Node now = NODE_NONE;
    if (array) {
        Name name = intern_format(e->out->context->names, "v%zu", e->inputs.count);
        now = build_source(graph, OP_INPUT, name, info.type);
        vec_push(&e->inputs, (Declared){now, NULL, NO_SPAN});
        vec_push(&e->fed, (nn_named){name, array->data});
    } else if (info.op == OP_SETTING) {
        now = build_constant(graph, info.type, info.attr.number);
    } else if (info.op == OP_PARAM || info.op == OP_STATE) {
        now = start_of(e->session, info.attr.name, &info.type);
        if (!node_is_none(now)) graph_copy(graph, e->session->el->graph, &now, 1);
    }
    if (node_is_none(now)) {
        e->out->missing = info.attr.name;
        return false;
    }
    vec_push(&e->from, node);
    vec_push(&e->to, now);
    return true;
}

static Node replace_source(void *data, Node old, Node rebuilt)
{
    const Evaluation *e = data;
    for (size_t i = 0; i < e->from.count; i++)
        if (node_same(e->from.at[i], old)) return e->to.at[i];
    return rebuilt;
}

/* Sources are replaced until none is left that is not fed: a parameter may start from another one. */
static bool supply_all(Evaluation *e)
{
    for (bool more = true; more;) {
        uint32_t count;
        Node *nodes = reach(e, &count);
        more = false;
        bool good = true;
        for (uint32_t i = 0; i < count && good; i++) {
            bool fed = false;
            for (size_t k = 0; k < e->inputs.count; k++) fed |= node_same(e->inputs.at[k].node, nodes[i]);
            if (fed || !session_takes_value(node_op(e->out->graph, nodes[i]))) continue;
            good = supply(e, nodes[i]);
            more = true;
        }
        free(nodes);
        if (!good) return false;
        if (more) graph_rewrite(e->out->graph, &e->out->node, 1, replace_source, e);
    }
    uint32_t count;
    Node *nodes = reach(e, &count);
    for (uint32_t i = 0; i < count; i++) node_symbols(e, nodes[i]);
    free(nodes);
    for (size_t i = 0; i < e->symbols.count; i++) {
        if (e->sizes.at[i] < 0) e->sizes.at[i] = session_size(e->session, e->symbols.at[i]);
        if (e->sizes.at[i] >= 0) continue;
        e->out->missing = e->symbols.at[i];
        e->out->missing_size = true;
    }
    return !e->out->missing;
}

/* For code without values: whatever is not computed is an input. */
static void supply_sources(Evaluation *e)
{
    uint32_t count;
    Node *nodes = reach(e, &count);
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo info = *graph_node(e->out->graph, nodes[i]);
        if (!session_takes_value(info.op)) continue;
        Node input = build_source(e->out->graph, OP_INPUT, info.attr.name, info.type);
        vec_push(&e->inputs, (Declared){input, NULL, NO_SPAN});
        vec_push(&e->from, nodes[i]);
        vec_push(&e->to, input);
    }
    free(nodes);
    graph_rewrite(e->out->graph, &e->out->node, 1, replace_source, e);
}

/* What needs no code: constants and literals. */
static bool is_plain(Evaluation *e)
{
    Outcome *out = e->out;
    const NodeInfo *info = graph_node(out->graph, out->node);
    int64_t dims[MAX_RANK];
    if (info->op != OP_CONST && info->op != OP_LITERAL) return false;
    for (uint32_t i = 0; i < info->type.rank; i++)
        if (!dim_evaluate(graph_dims(out->graph), info->type.dims[i], size_of_symbol, e, &dims[i])) return false;
    out->value = array_new(info->type.dtype, info->type.rank, dims);
    size_t size = dtype_size(info->type.dtype);
    if (info->op == OP_LITERAL) memcpy(out->value.data, info->attr.data, info->attr.data_size);
    bool integer = dtype_class(info->type.dtype) == DTYPE_CLASS_INTEGER;
    for (int64_t i = 0; info->op == OP_CONST && i < out->value.count; i++) {
        char *to = (char *)out->value.data + (size_t)i * size;
        if (integer)
            integer_store(info->type.dtype, to, &info->attr.integer, 1);
        else
            dtype_store(info->type.dtype, to, &info->attr.number, 1);
    }
    return out->known = true;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Conditions on sizes that all are known now. */
static void add_checks(Evaluation *e)
{
    const Elaborator *el = e->session->el;
    uint32_t required = e->module->n_checks;
    Check *checks = ARENA_ARRAY(e->out->context->arena, Check, required + el->checks.count + 1);
    for (uint32_t i = 0; i < required; i++) checks[i] = e->module->checks[i];
    for (size_t i = 0; i < el->checks.count; i++) {
        Check check = el->checks.at[i];
        /* A model's settings are asked when they are set. */
        if (!node_is_none(check.condition) && condition_has_settings(el->graph, check.condition)) continue;
        size_t before = e->symbols.count;
        if (!dim_is_none(check.left)) {
            check.left = dim_copy(graph_dims(e->out->graph), el->dims, check.left);
            check.right = dim_copy(graph_dims(e->out->graph), el->dims, check.right);
            dim_symbols(graph_dims(e->out->graph), check.left, add_symbol, e);
            dim_symbols(graph_dims(e->out->graph), check.right, add_symbol, e);
        } else {
            uint32_t count;
            graph_copy(e->out->graph, el->graph, &check.condition, 1);
            Node *nodes = graph_reachable(e->out->graph, &check.condition, 1, &count);
            for (uint32_t k = 0; k < count; k++) node_symbols(e, nodes[k]);
            free(nodes);
        }
        bool decided = before == e->symbols.count;
        e->symbols.count = e->sizes.count = before;
        if (decided && before) checks[e->module->n_checks++] = check;
    }
    e->module->checks = checks;
}

static bool make_plan(Evaluation *e)
{
    Outcome *out = e->out;
    Module *module = e->module;
    module->functions[0].results[0].value = out->node;
    module->n_inputs = (uint32_t)e->inputs.count;
    module->n_dims = (uint32_t)e->symbols.count;
    if (module->n_inputs) module->inputs = ARENA_COPY(out->context->arena, Declared, e->inputs.at, e->inputs.count);
    if (module->n_dims) module->dims = ARENA_COPY(out->context->arena, Name, e->symbols.at, e->symbols.count);
    add_checks(e);
    if (!passes_run(RECIPE_VALUE, module, NULL)) return false;
    out->plan = schedule(out->context, module, NULL);
    return out->plan != NULL;
}

static bool failed(Evaluation *e)
{
    if (context_stopped(e->out->context)) return false;
    diag_new(e->out->context->diagnostics, failure_id(), NO_SPAN, "%s", nn_message());
    return false;
}

static bool fetch(Evaluation *e, nn_session *session)
{
    const void *values;
    nn_type type;
    int rank;
    int64_t dims[MAX_RANK];
    if (nn_session_result(session, "value", &values, &type, &rank, dims)) return failed(e);
    e->out->value = array_new((DType)type, (uint32_t)rank, dims);
    memcpy(e->out->value.data, values, (size_t)e->out->value.count * dtype_size((DType)type));
    return e->out->known = true;
}

static bool execute(Evaluation *e, nn_model *model)
{
    nn_params *params = NULL;
    nn_session *session = NULL;
    int64_t seed = e->session->options->seed;
    bool good = !nn_params_new(model, e->sizes.at, e->sizes.count, seed > 0 ? (uint64_t)seed : 0, &params) &&
                !nn_session_new(params, NULL, &session);
    if (good) nn_session_stop_at(session, e->session->stop);
    double begin = seconds_now();
    good = good && !nn_session_run(session, "evaluate", e->sizes.at, e->sizes.count, e->fed.at, e->fed.count);
    e->out->run_seconds = seconds_now() - begin;
    good = good ? fetch(e, session) : failed(e);
    nn_session_free(session);
    nn_params_free(params);
    return good;
}

static bool compile_and_run(Evaluation *e)
{
    CodegenOptions how = {.level = 1, .threads = 1};
    nn_options options = NN_OPTIONS_INIT;
    nn_model *model = NULL;
    double begin = seconds_now();
    Jit *jit = make_plan(e) ? jit_compile(e->out->context, e->out->plan, &how) : NULL;
    e->out->compile_seconds = seconds_now() - begin;
    if (!jit) return false;
    bool good = !nn_model_from_image(jit_image(jit), &options, &model);
    good = good ? execute(e, model) : failed(e);
    nn_model_free(model);
    jit_free(jit);
    return good;
}

bool session_evaluate(Session *session, Node node, Effort effort, Outcome *outcome)
{
    *outcome = (Outcome){0};
    Evaluation e = {.session = session, .out = outcome};
    bool good = simplify(&e, node);
    if (good && outcome->formula) display_formula(outcome->graph, outcome->node, DISPLAY_TEXT, &outcome->text);
    if (good && effort == EVALUATE_VALUE && supply_all(&e) && !is_plain(&e)) good = compile_and_run(&e);
    if (good && effort == EVALUATE_PLAN) {
        supply_sources(&e);
        good = make_plan(&e);
    }
    good = good && !e.refused && !diagnostics_errors(session->context->diagnostics);
    vec_free(&e.inputs);
    vec_free(&e.fed);
    for (size_t i = 0; i < e.learned.count; i++) array_free(&e.learned.at[i]);
    vec_free(&e.learned);
    vec_free(&e.from);
    vec_free(&e.to);
    vec_free(&e.symbols);
    vec_free(&e.sizes);
    return good;
}

void outcome_free(Outcome *outcome)
{
    if (outcome->graph) graph_free(outcome->graph);
    context_within_free(outcome->context);
    text_free(&outcome->text);
    array_free(&outcome->value);
}
