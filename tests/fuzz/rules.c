/* The text form of rules: a set or an error with a place; what is loaded can be built and matched. */
#include "rules/rules.h"

#include <string.h>

#include "fuzz.h"
#include "ir/build.h"

static void expect_place(void *data, const DiagView *view)
{
    (void)data;
    LAW(view->at.end, "%s without a place: %s", diag_id_name(view->id), view->message);
}

/* Sets are used by their kind, and hold one. */
static bool set_is(const RuleSet *set, const char *kind)
{
    for (uint32_t i = 0; i < rules_count(set); i++)
        if (strcmp(rule_kind(rules_at(set, i)), kind)) return false;
    return true;
}

/* Each rule's pattern over inputs of its own, and what the set makes of it. */
static void apply(Context *context, const RuleSet *set, DType dtype)
{
    bool partial = set_is(set, "partial");
    if (!partial && !set_is(set, "numeric") && !set_is(set, "display")) return;
    enum { MOST = 16 };
    Graph *graph = graph_new(context);
    DimTable *dims = graph_dims(graph);
    Type type = type_make(dtype, 2, (Dim[]){dim_symbol(dims, intern(context->names, "n")), dim_constant(dims, 3)});
    for (uint32_t i = 0; i < rules_count(set); i++) {
        const Name *names;
        Node values[MOST];
        const Rule *rule = rules_at(set, i);
        uint32_t count = rule_variables(rule, &names);
        LAW(count <= MOST, "%s", rule_text(rule));
        for (uint32_t k = 0; k < count; k++) values[k] = build_source(graph, OP_INPUT, names[k], type);
        Node left = rule_left(rule, graph, values, (int32_t[]){1}, 1);
        if (node_is_none(left)) continue;
        if (!partial) rules_apply(set, graph, left, NULL);
        for (uint32_t k = 0; partial && k < graph_node(graph, left)->n_args; k++) {
            Node value;
            rules_partial(set, graph, left, k, &value, NULL);
        }
    }
    graph_free(graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Context *context = context_new();
    const char *text = arena_text(context->arena, (const char *)bytes, size);
    RuleSet *set = rules_load(context, "input.nn", text);
    LAW(!set == (diagnostics_errors(context->diagnostics) > 0), "rules and an error, or neither");
    diagnostics_visit(context->diagnostics, expect_place, NULL);
    if (set) {
        apply(context, set, DTYPE_F32);
        apply(context, set, DTYPE_BOOL);
    }
    context_free(context);
    return 0;
}
