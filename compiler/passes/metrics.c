/* Cutting at the outermost reductions over the rows. Beneath a cut everything must be computed row by row (rows.c);
 * above it nothing may depend on single rows. */
#include "passes/metrics.h"

#include <string.h>

#include "ir/build.h"
#include "passes/passes_internal.h"
#include "passes/rows.h"
#include "support/memory.h"
#include "support/vector.h"

typedef struct {
    const Module *module;
    Graph *graph;
    Name batch, metric; /* the metric being cut */
    Rows rows;
    unsigned char *seen; /* by node id: the search above the cuts */
    Node *totals;        /* by node id: what stands for a cut */
    Vec(MetricPart) parts;
    uint32_t n_of_metric;
    bool running; /* of a training that runs; see metrics_run */
    bool failed;
} Splitter;

bool metrics_combine(const Graph *graph, Node reduction, Combine *combine)
{
    static const struct {
        Op op;
        Combine combine;
    } rows[] = {
        {OP_SUM, COMBINE_SUM},      {OP_CONTRACT, COMBINE_SUM},   {OP_SCATTER_ADD, COMBINE_SUM},
        {OP_PROD, COMBINE_PRODUCT}, {OP_REDUCE_MAX, COMBINE_MAX}, {OP_REDUCE_MIN, COMBINE_MIN},
        {OP_ANY, COMBINE_ANY},      {OP_ALL, COMBINE_ALL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == node_op(graph, reduction)) {
            *combine = rows[i].combine;
            return true;
        }
    return false;
}

static Span place_of(const Splitter *s, Node node)
{
    return node_place(s->graph, node);
}

static void fail_unreduced(Splitter *s, Node node)
{
    s->failed = true;
    if (s->running) return;
    Diag *diag = diag_new(graph_context(s->graph)->diagnostics, DIAG_metric_not_reduced, place_of(s, node),
                          "`%s` depends on single rows: `%s` over `%s` cannot be put together from batches", s->metric,
                          op_info(node_op(s->graph, node))->spelling, s->batch);
    diag_hint(diag, "reduce over `%s` with mean, sum, max, min, prod, any or all", s->batch);
}

static void fail_beneath(Splitter *s, Node node, RowTrouble trouble)
{
    static const char *const what[] = {
        [ROWS_NESTED] = "reduces over the rows inside another reduction over them",
        [ROWS_COUNTED] = "uses the number or the position of the rows inside a reduction over them",
        [ROWS_MIXED] = "lets one row depend on another inside a reduction over the rows",
    };
    static const char *const hint[] = {
        [ROWS_NESTED] = "write it as a formula of separate means: the variance as mean(x^2) - mean(x)^2",
        [ROWS_COUNTED] = "divide after the reduction, not before it",
        [ROWS_MIXED] = "a metric is accumulated batch by batch, so rows must be treated alike and apart",
    };
    s->failed = true;
    DiagId id = trouble == ROWS_MIXED ? DIAG_metric_not_reduced : DIAG_metric_nested;
    Diag *diag =
        diag_new(graph_context(s->graph)->diagnostics, id, place_of(s, node), "`%s` %s", s->metric, what[trouble]);
    diag_hint(diag, "%s", hint[trouble]);
}

static void cut(Splitter *s, Node node)
{
    Node culprit;
    RowTrouble trouble = s->running ? ROWS_GOOD : rows_beneath(&s->rows, node, &culprit);
    if (trouble != ROWS_GOOD) {
        fail_beneath(s, culprit, trouble);
        return;
    }
    MetricPart part = {.partial = node};
    metrics_combine(s->graph, node, &part.combine);
    part.name = intern_format(graph_context(s->graph)->names, "%s%s.%u", s->running ? "running." : "", s->metric,
                              s->n_of_metric++);
    Type type = *node_type(s->graph, node);
    part.total = build_source(s->graph, OP_INPUT, part.name, type_with(type, type.dtype));
    s->totals[node.id] = part.total;
    vec_push(&s->parts, part);
}

/* From a scalar down to the cuts. */
static void search(Splitter *s, Node root)
{
    Vec(Node) stack = {0};
    vec_push(&stack, root);
    while (stack.count) {
        Node node = vec_pop(&stack);
        if (s->seen[node.id] || !rows_dependent(&s->rows, node)) continue;
        s->seen[node.id] = 1;
        Combine combine;
        if (rows_has_axis(&s->rows, node)) {
            fail_unreduced(s, node);
        } else if (!rows_reduced_here(&s->rows, node)) {
            const NodeInfo *info = graph_node(s->graph, node);
            for (uint32_t i = 0; i < info->n_args; i++) vec_push(&stack, info->args[i]);
        } else if (metrics_combine(s->graph, node, &combine)) {
            cut(s, node);
        } else {
            fail_unreduced(s, node);
        }
    }
    vec_free(&stack);
}

static Node put_totals(void *data, Node old, Node rebuilt)
{
    Splitter *s = data;
    return s->totals[old.id].id ? s->totals[old.id] : rebuilt;
}

static void make_accumulate(Splitter *s, MetricSplit *split)
{
    Context *context = graph_context(s->graph);
    split->n_parts = (uint32_t)s->parts.count;
    split->parts = ARENA_COPY(context->arena, MetricPart, s->parts.at, s->parts.count);
    split->accumulate = (Function){.name = intern(context->names, "accumulate"), .n_results = split->n_parts};
    split->accumulate.results = ARENA_ARRAY(context->arena, Result, split->n_parts);
    for (uint32_t i = 0; i < split->n_parts; i++) {
        const MetricPart *part = &split->parts[i];
        split->accumulate.results[i] = (Result){.role = RESULT_VALUE, .name = part->name, .value = part->partial};
    }
}

/* True if a result is put together from batches. The losses of a training that runs are means of what its steps had. */
static bool is_scored(const Splitter *s, const Result *result)
{
    return result->role == RESULT_METRIC || (result->role == RESULT_LOSS && !s->running);
}

static void make_finish(Splitter *s, const Function *evaluation, Function *finish)
{
    Context *context = graph_context(s->graph);
    Vec(Node) roots = {0};
    *finish = (Function){.name = intern(context->names, s->running ? "running" : "finish")};
    finish->results = ARENA_ARRAY(context->arena, Result, evaluation->n_results);
    for (uint32_t i = 0; i < evaluation->n_results; i++) {
        const Result *result = &evaluation->results[i];
        if (!is_scored(s, result)) continue;
        finish->results[finish->n_results++] = *result;
        vec_push(&roots, result->value);
    }
    vec_push(&roots, s->running ? NODE_NONE : evaluation->loss);
    graph_rewrite(s->graph, roots.at, (uint32_t)roots.count, put_totals, s);
    for (uint32_t i = 0; i < finish->n_results; i++) finish->results[i].value = roots.at[i];
    finish->loss = vec_last(&roots);
    vec_free(&roots);
}

static Splitter splitter_new(const Module *module, Name batch, bool running)
{
    Graph *graph = module->graph;
    size_t n_nodes = (size_t)graph_count(graph) + 1;
    Splitter s = {.module = module, .graph = graph, .batch = batch, .running = running};
    rows_find(&s.rows, graph, batch);
    s.seen = memory_calloc(n_nodes, sizeof *s.seen);
    s.totals = memory_calloc(n_nodes, sizeof *s.totals);
    return s;
}

static void splitter_free(Splitter *s)
{
    memory_free(s->seen);
    memory_free(s->totals);
    vec_free(&s->parts);
    rows_free(&s->rows);
}

static void search_results(Splitter *s, const Function *function)
{
    for (uint32_t i = 0; i < function->n_results; i++) {
        const Result *result = &function->results[i];
        if (!is_scored(s, result)) continue;
        s->metric = result->name;
        s->n_of_metric = 0;
        search(s, result->value);
    }
}

bool metrics_split(const Module *module, const Function *evaluation, Name batch, MetricSplit *split)
{
    Splitter s = splitter_new(module, batch, false);
    search_results(&s, evaluation);
    if (!node_is_none(evaluation->loss) && !s.failed) {
        s.metric = intern(graph_context(s.graph)->names, "loss");
        s.n_of_metric = (uint32_t)s.parts.count; /* a loss called `loss` has the first numbers */
        search(&s, evaluation->loss);
    }
    if (!s.failed) {
        make_accumulate(&s, split);
        make_finish(&s, evaluation, &split->finish);
    }
    splitter_free(&s);
    return !s.failed;
}

static void add_partials(Module *module, const MetricPart *parts, uint32_t n_parts)
{
    Function *training = module_function(module, "training");
    Result *results = ARENA_ARRAY(graph_context(module->graph)->arena, Result, training->n_results + n_parts);
    memcpy(results, training->results, training->n_results * sizeof *results);
    for (uint32_t i = 0; i < n_parts; i++)
        results[training->n_results++] =
            (Result){.role = RESULT_PARTIAL, .name = parts[i].name, .value = parts[i].partial};
    training->results = results;
}

bool metrics_run(Module *module, Name batch, MetricPart **parts, uint32_t *n_parts)
{
    Context *context = graph_context(module->graph);
    const Function *training = module_function(module, "training");
    Splitter s = splitter_new(module, batch, true);
    search_results(&s, training);
    bool good = !s.failed && s.parts.count > 0;
    if (good) {
        *n_parts = (uint32_t)s.parts.count;
        *parts = ARENA_COPY(context->arena, MetricPart, s.parts.at, s.parts.count);
        Function running;
        make_finish(&s, training, &running);
        module_add_functions(module, &running, 1);
        add_partials(module, *parts, *n_parts);
    }
    splitter_free(&s);
    return good;
}

bool pass_metrics(Module *module, const PassOptions *options)
{
    const Function *evaluation = module_function(module, "evaluation");
    MetricSplit split;
    Name batch = options->batch ? options->batch : module->n_dims ? module->dims[0] : NULL;
    if (!evaluation) evaluation = module_function(module, "inference");
    if (!evaluation || module_function(module, "accumulate")) return true;
    if (!metrics_split(module, evaluation, batch, &split)) return false;
    module_add_functions(module, (Function[]){split.accumulate, split.finish}, 2);
    return true;
}
