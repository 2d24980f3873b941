#include "elaborate/uses.h"

#include "support/memory.h"

/* A mark for each node, by its id. */
typedef struct {
    bool *marks;
    uint32_t size;
} Reached;

static bool reaches(const Reached *reached, Node node)
{
    return node.id < reached->size && reached->marks[node.id];
}

static Reached reached_by(Elaborator *el, const Node *roots, uint32_t n_roots)
{
    Reached reached = {0};
    uint32_t count = 0;
    Node *nodes = n_roots ? graph_reachable(el->graph, roots, n_roots, &count) : NULL;
    for (uint32_t i = 0; i < count; i++)
        if (nodes[i].id >= reached.size) reached.size = nodes[i].id + 1;
    reached.marks = ARENA_ARRAY(el->arena, bool, reached.size);
    for (uint32_t i = 0; i < count; i++) reached.marks[nodes[i].id] = true;
    memory_free(nodes);
    return reached;
}

/* What the results of these roles need; `roles` has a bit for each. */
static Reached reached_from(Elaborator *el, const Function *functions, uint32_t count, unsigned roles)
{
    Vec(Node) roots = {0};
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < functions[i].n_results; k++)
            if (roles & 1u << functions[i].results[k].role) vec_push(&roots, functions[i].results[k].value);
    Reached reached = reached_by(el, roots.at, (uint32_t)roots.count);
    vec_free(&roots);
    return reached;
}

static const unsigned any_role = ~0u, seen_roles = 1u << RESULT_OUTPUT | 1u << RESULT_LOSS | 1u << RESULT_METRIC;

static void warn_inputs(Elaborator *el, const Function *functions, uint32_t count)
{
    Reached reached = reached_from(el, functions, count, any_role);
    for (size_t i = 0; i < el->inputs.count + el->settings.count; i++) {
        bool setting = i >= el->inputs.count;
        const Declared *declared = setting ? &el->settings.at[i - el->inputs.count] : &el->inputs.at[i];
        if (!declared->place.end || reaches(&reached, declared->node)) continue;
        complain(el, DIAG_unused_input, declared->place, "nothing uses `%s`",
                 graph_node(el->graph, declared->node)->attr.name);
    }
}

/* An update of a state counts in the inference form alone: in training every parameter has updates of its own. */
static void warn_params(Elaborator *el, const Function *functions)
{
    Reached training = reached_from(el, &functions[TRAINING_FUNCTION], 1, seen_roles);
    Reached inference = reached_from(el, &functions[INFERENCE_FUNCTION], 1, any_role);
    for (size_t i = 0; i < el->params.count; i++) {
        const Stored *param = &el->params.at[i];
        if (reaches(&training, param->node) || reaches(&inference, param->node)) continue;
        Diag *diag = complain(el, DIAG_unused_parameter, param->made_by.end ? param->made_by : param->place,
                              "no output, loss or metric uses the parameter `%s`", param->path);
        diag_hint(diag, "use what is computed from it, or leave it out");
    }
}

/* Of each node whether it needs a target, by id; operands come first. */
static bool *needs_target(Elaborator *el)
{
    uint32_t count = graph_count(el->graph);
    bool *needs = ARENA_ARRAY(el->arena, bool, (size_t)count + 1);
    for (uint32_t id = 1; id <= count; id++) {
        const NodeInfo *node = graph_node(el->graph, (Node){id});
        needs[id] = node->op == OP_TARGET;
        for (uint32_t i = 0; i < node->n_args; i++) needs[id] |= needs[node->args[i].id];
    }
    return needs;
}

static void warn_output(Elaborator *el, const Result *output)
{
    Reached reached = reached_by(el, &output->value, 1);
    for (size_t k = 0; k < el->inputs.count; k++) {
        const NodeInfo target = *graph_node(el->graph, el->inputs.at[k].node);
        if (target.op != OP_TARGET || !reaches(&reached, el->inputs.at[k].node)) continue;
        Diag *diag = complain(el, DIAG_target_in_output, el->inputs.at[k].place,
                              "the output `%s` needs the target `%s`", output->name, target.attr.name);
        diag_hint(diag, "a target is the answer, which is not known when the model is used: declare an `input`, or "
                        "make it a metric");
    }
}

static void warn_outputs(Elaborator *el, const Function *inference)
{
    const bool *mistaken = needs_target(el);
    for (uint32_t i = 0; i < inference->n_results; i++) {
        const Result *result = &inference->results[i];
        if (result->role == RESULT_OUTPUT && mistaken[result->value.id]) warn_output(el, result);
    }
}

void uses_warn(Elaborator *el, const Function *functions, uint32_t count)
{
    warn_inputs(el, functions, count);
    warn_params(el, functions);
    warn_outputs(el, &functions[INFERENCE_FUNCTION]);
}

void uses_check_training(Elaborator *el, const Function *functions, const Item *train)
{
    const Function *training = &functions[TRAINING_FUNCTION];
    if (node_is_none(training->loss)) {
        if (!el->options->will_train) return;
        Diag *diag = complain(el, DIAG_no_loss, train->place, "`%s` is to be trained, but it has no loss", train->name);
        diag_hint(diag, "say what should be small: `loss = cross_entropy(logits, label)`");
        return;
    }
    Reached reached = reached_from(el, training, 1, 1u << RESULT_LOSS);
    bool found = false;
    for (size_t i = 0; i < el->params.count && !found; i++) found = reaches(&reached, el->params.at[i].node);
    if (found) return;
    Diag *diag = complain(el, DIAG_nothing_to_train, el->losses.at[0].place,
                          el->params.count ? "this loss depends on no parameter" : "the model has no parameters");
    diag_note(diag, train->place, "`%s` is to be trained here", train->name);
    diag_hint(diag, el->params.count ? "compute it from what the layers give"
                                     : "layers own parameters: `x |> dense(10)`; so does `param`");
}
