#include "driver/trap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/eval.h"
#include "nn_shown.h"
#include "support/vector.h"

/* A parameter or state: its values before the step, and after it. */
typedef struct {
    Node node;
    Name name;
    size_t count;
    double *before, *after;
} Stored;

struct Trap {
    Pipeline *pipeline;
    nn_observer observer;
    const Function *training;
    Node *nodes; /* what a step computes */
    uint32_t n_nodes;
    Vec(Stored) stored;
    bool ready, sprung; /* ready: `before` is filled */
};

/* ---- What a step starts from ---- */

static Node *step_nodes(const Trap *trap, uint32_t *count)
{
    Vec(Node) roots = {0};
    vec_push(&roots, trap->training->loss);
    for (uint32_t i = 0; i < trap->training->n_results; i++)
        if (trap->training->results[i].role == RESULT_UPDATE) vec_push(&roots, trap->training->results[i].value);
    Node *nodes = graph_reachable(trap->pipeline->program->module->graph, roots.at, (uint32_t)roots.count, count);
    vec_free(&roots);
    return nodes;
}

Trap *trap_new(Pipeline *pipeline)
{
    Trap *trap = calloc(1, sizeof *trap);
    if (!trap) abort();
    trap->pipeline = pipeline;
    const Module *module = pipeline->program->module;
    trap->training = module_function(module, "training");
    trap->nodes = step_nodes(trap, &trap->n_nodes);
    for (uint32_t i = 0; i < trap->n_nodes; i++) {
        const NodeInfo *info = graph_node(module->graph, trap->nodes[i]);
        if (info->op == OP_PARAM || info->op == OP_STATE)
            vec_push(&trap->stored, (Stored){.node = trap->nodes[i], .name = info->attr.name});
    }
    return trap;
}

void trap_free(Trap *trap)
{
    if (!trap) return;
    for (size_t i = 0; i < trap->stored.count; i++) {
        free(trap->stored.at[i].before);
        free(trap->stored.at[i].after);
    }
    vec_free(&trap->stored);
    free(trap->nodes);
    free(trap);
}

bool trap_sprung(const Trap *trap)
{
    return trap && trap->sprung;
}

static int make_room(Stored *stored, nn_params *params)
{
    int rank;
    int64_t dims[MAX_RANK];
    int status = nn_params_shape(params, stored->name, &rank, dims);
    if (status) return status;
    stored->count = 1;
    for (int i = 0; i < rank; i++) stored->count *= (size_t)dims[i];
    stored->before = malloc((stored->count + 1) * sizeof *stored->before);
    stored->after = malloc((stored->count + 1) * sizeof *stored->after);
    if (!stored->before || !stored->after) abort();
    return NN_OK;
}

/* All values into `after`; *finite says whether they are. */
static int read_values(Trap *trap, nn_params *params, bool *finite)
{
    *finite = true;
    for (size_t i = 0; i < trap->stored.count; i++) {
        Stored *stored = &trap->stored.at[i];
        int status = stored->after ? NN_OK : make_room(stored, params);
        if (!status) status = nn_params_get(params, stored->name, NN_TYPE_F64, stored->after, stored->count);
        if (status) return status;
        for (size_t k = 0; k < stored->count; k++) *finite = *finite && isfinite(stored->after[k]);
    }
    return NN_OK;
}

static void step_on(Trap *trap)
{
    for (size_t i = 0; i < trap->stored.count; i++) {
        Stored *stored = &trap->stored.at[i];
        double *values = stored->before;
        stored->before = stored->after;
        stored->after = values;
    }
    trap->ready = true;
}

/* ---- The step once more ---- */

static void bind_settings(const Trap *trap, Eval *eval, nn_params *params, uint64_t step)
{
    const Module *module = trap->pipeline->program->module;
    double steps = 0;
    nn_params_setting(params, "steps", &steps);
    for (uint32_t i = 0; i < module->n_settings; i++) {
        const Attr *attr = &graph_node(module->graph, module->settings[i].node)->attr;
        double value = attr->number;
        nn_params_setting(params, attr->name, &value);
        if (!strcmp(attr->name, "step")) value = (double)step;
        if (!strcmp(attr->name, "progress")) value = steps > 0 ? fmin((double)(step - 1) / steps, 1) : 0;
        eval_bind(eval, module->settings[i].node, &value, 1);
    }
}

static void bind_batch(const Trap *trap, Eval *eval, const nn_batch *batch)
{
    const Module *module = trap->pipeline->program->module;
    for (uint32_t i = 0; i < module->n_dims; i++) eval_bind_size(eval, module->dims[i], batch->dims[i]);
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        Type type = *node_type(module->graph, module->inputs[i].node);
        int64_t dims[MAX_RANK], count;
        if (!batch->inputs[i] || !eval_sizes(eval, &type, dims, &count)) continue;
        eval_bind_elements(eval, module->inputs[i].node, type.dtype, batch->inputs[i], count);
    }
}

static Eval *bind_step(const Trap *trap, nn_params *params, const nn_batch *batch, uint64_t step)
{
    EvalOptions how = {.seed = nn_params_seed(params), .step = (uint32_t)step};
    Eval *eval = eval_new(trap->pipeline->program->module->graph, &how);
    bind_batch(trap, eval, batch);
    bind_settings(trap, eval, params, step);
    for (size_t i = 0; i < trap->stored.count; i++) {
        const Stored *stored = &trap->stored.at[i];
        eval_bind(eval, stored->node, stored->before, (int64_t)stored->count);
    }
    return eval;
}

static int64_t first_bad(const Tensor *tensor)
{
    for (int64_t i = 0; i < tensor->count; i++)
        if (!isfinite(tensor->data[i])) return i;
    return -1;
}

/* Among the bad nodes that lead to the first bad root, the first whose operands are all finite. */
static Node find_culprit(const Trap *trap, const Tensor *const *values)
{
    const Graph *graph = trap->pipeline->program->module->graph;
    bool *bad = calloc((size_t)graph_count(graph) + 1, sizeof *bad),
         *leads = calloc((size_t)graph_count(graph) + 1, sizeof *leads);
    Node culprit = NODE_NONE;
    if (!bad || !leads) abort();
    for (uint32_t i = 0; i < trap->n_nodes; i++) bad[trap->nodes[i].id] = first_bad(values[i]) >= 0;
    leads[trap->training->loss.id] = bad[trap->training->loss.id];
    for (uint32_t i = 0; i < trap->training->n_results && !bad[trap->training->loss.id]; i++)
        if (trap->training->results[i].role == RESULT_UPDATE) leads[trap->training->results[i].value.id] = true;
    for (uint32_t i = trap->n_nodes; i-- > 0;) {
        Node node = trap->nodes[i];
        const NodeInfo *info = graph_node(graph, node);
        if (!leads[node.id] || !bad[node.id]) continue;
        bool made = true;
        for (uint32_t a = 0; a < info->n_args; a++) {
            leads[info->args[a].id] = true;
            made = made && !bad[info->args[a].id];
        }
        if (made && info->op != OP_CONST) culprit = node;
    }
    free(bad);
    free(leads);
    return culprit;
}

/* ---- The report ---- */

static Span place_of(const Graph *graph, Node node)
{
    const Span *places;
    return graph_places(graph, node, &places) ? places[0] : NO_SPAN;
}

static const char *hint_for(Op op)
{
    switch (op) {
    case OP_LOG:
    case OP_LOG1P:
        return "a logarithm needs a positive number: take `cross_entropy` or `bce_logits` of logits, or keep the "
               "operand "
               "from 0 with `max`";
    case OP_DIV:
        return "a divisor became 0: add a small number, or choose with `if` before dividing";
    case OP_SQRT:
    case OP_RSQRT:
    case OP_POW:
        return "roots and powers need a positive operand here: add a small number before";
    case OP_EXP:
    case OP_EXPM1:
    case OP_SINH:
    case OP_COSH:
        return "this grows beyond what f32 holds: subtract the largest first, or use `softmax`, `sigmoid`, `logsumexp`";
    default:
        return "values have grown beyond what f32 holds: try a smaller learning rate (`--set lr=…`) or `clip_norm`";
    }
}

static void print_position(const Tensor *tensor, int64_t index, Text *to)
{
    int64_t rest = index;
    for (uint32_t d = 0; d < tensor->rank; d++) {
        int64_t inner = 1;
        for (uint32_t k = d + 1; k < tensor->rank; k++) inner *= tensor->dims[k];
        text_format(to, "%s%lld", d ? ", " : "", (long long)(rest / inner));
        rest %= inner;
    }
}

static void print_what(const Graph *graph, Node node, Text *to)
{
    const NodeInfo *info = graph_node(graph, node);
    Name name = info->attr.name && info->op != OP_RANDOM ? info->attr.name : graph_name(graph, node);
    text_format(to, "`%s`, ", name ? name : op_info(info->op)->spelling);
    type_print(graph_dims(graph), &info->type, to);
}

/* The operand's range, and where the shapes are one its value at the bad element. */
static void note_operand(const Trap *trap, Diag *diag, Node node, const Tensor *operand, const Tensor *result,
                         int64_t bad)
{
    const Graph *graph = trap->pipeline->program->module->graph;
    double low = INFINITY, high = -INFINITY;
    Text text = {0};
    for (int64_t i = 0; i < operand->count; i++) {
        low = fmin(low, operand->data[i]);
        high = fmax(high, operand->data[i]);
    }
    print_what(graph, node, &text);
    text_format(&text, ", is between %.6g and %.6g", low, high);
    if (operand->count == result->count && operand->rank == result->rank && result->rank)
        text_format(&text, "; there it is %.6g", nn_shown_number(operand->data[bad]));
    diag_note(diag, place_of(graph, node), "%s", text_get(&text));
    text_free(&text);
}

static const Tensor *value_of(const Trap *trap, const Tensor *const *values, Node node)
{
    for (uint32_t i = 0; i < trap->n_nodes; i++)
        if (node_same(trap->nodes[i], node)) return values[i];
    return NULL;
}

/* A NaN has no sign that means anything. */
static const char *bad_number(double value)
{
    return isnan(value) ? "NaN" : value < 0 ? "-infinity" : "infinity";
}

static void report_culprit(const Trap *trap, const Tensor *const *values, Node culprit, uint64_t step)
{
    const Graph *graph = trap->pipeline->program->module->graph;
    const NodeInfo *info = graph_node(graph, culprit);
    const Tensor *result = value_of(trap, values, culprit);
    int64_t bad = first_bad(result), count = 0;
    for (int64_t i = 0; i < result->count; i++) count += !isfinite(result->data[i]);
    Text where = {0};
    if (result->rank) {
        text_format(&where, " in %lld of %lld elements, first at [", (long long)count, (long long)result->count);
        print_position(result, bad, &where);
        text_string(&where, "]");
    }
    if (!info->n_args) {
        diag_new(trap->pipeline->context->diagnostics, DIAG_not_finite, place_of(graph, culprit),
                 "step %llu: `%s` is %s%s before anything is computed", (unsigned long long)step, info->attr.name,
                 bad_number(result->data[bad]), text_get(&where));
    } else {
        Diag *diag = diag_new(trap->pipeline->context->diagnostics, DIAG_not_finite, place_of(graph, culprit),
                              "step %llu: `%s` of finite numbers gives %s%s", (unsigned long long)step,
                              op_info(info->op)->spelling, bad_number(result->data[bad]), text_get(&where));
        for (uint32_t i = 0; i < info->n_args; i++)
            if (!i || !node_same(info->args[i], info->args[i - 1]))
                note_operand(trap, diag, info->args[i], value_of(trap, values, info->args[i]), result, bad);
        diag_hint(diag, "%s", hint_for(info->op));
    }
    text_free(&where);
}

static void report(const Trap *trap, nn_params *params, const nn_batch *batch, uint64_t step, double loss)
{
    const Tensor **values = calloc((size_t)trap->n_nodes + 1, sizeof *values);
    if (!values) abort();
    Eval *eval = bind_step(trap, params, batch, step);
    Node culprit = NODE_NONE;
    if (eval_run(eval, trap->nodes, trap->n_nodes, values)) culprit = find_culprit(trap, values);
    if (!node_is_none(culprit))
        report_culprit(trap, values, culprit, step);
    else
        diag_new(trap->pipeline->context->diagnostics, DIAG_not_finite, NO_SPAN,
                 "step %llu: the loss is %.6g or a parameter is not finite, but the interpreter, which rounds each sum "
                 "only once, finds no operation of this batch that made it so",
                 (unsigned long long)step, nn_shown_number(loss));
    eval_free(eval);
    free(values);
}

/* ---- Looking on ---- */

static int before_step(void *data, nn_session *session, const nn_batch *batch, uint64_t step)
{
    Trap *trap = data;
    bool finite;
    (void)batch;
    (void)step;
    if (trap->ready) return NN_OK;
    int status = read_values(trap, nn_session_params(session), &finite);
    if (!status) step_on(trap);
    return status;
}

static int after_step(void *data, nn_session *session, const nn_batch *batch, uint64_t step, double loss)
{
    Trap *trap = data;
    bool finite;
    int status = read_values(trap, nn_session_params(session), &finite);
    if (status) return status;
    if (finite && isfinite(loss)) {
        step_on(trap);
        return NN_OK;
    }
    report(trap, nn_session_params(session), batch, step, loss);
    trap->sprung = true;
    return NN_ERROR_RANGE;
}

nn_observer *trap_observe(Trap *trap)
{
    trap->observer = (nn_observer){.data = trap, .before = before_step, .after = after_step};
    return &trap->observer;
}
