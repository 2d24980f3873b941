/* The rules over all models that the project has: how often each is applied (with --verbose), none is dead, a
 * simplified module stays as it is. And why rewriting ends: the numeric rules descend in a lexicographic path order. */
#include <criterion/criterion.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elaborate/program.h"
#include "ir/build.h"
#include "passes/passes.h"
#include "rules/rules.h"

TestSuite(rules_used, .timeout = 300);

/* ---- The corpus */

typedef struct {
    Context *context; /* the rules' own */
    const RuleSet *numeric, *partials;
    size_t *n_numeric, *n_partials; /* by rule */
    const RuleSet *here;            /* the partial rules once more, for the module at work */
    size_t models;
} Usage;

/* `numeric log(exp(x))   => x` is reported as `log(exp(x)) => x`. */
static bool says(const Rule *rule, const char *text)
{
    const char *at = strchr(rule_text(rule), ' ');
    for (; *at; at++) {
        if (*at == ' ') continue;
        while (*text == ' ') text++;
        if (*text++ != *at) return false;
    }
    return !*text;
}

static void count_rewrite(void *data, const Module *module, const Rewrite *rewrite)
{
    Usage *usage = data;
    (void)module;
    for (uint32_t i = 0; i < rules_count(usage->numeric); i++)
        if (says(rules_at(usage->numeric, i), rewrite->rule)) {
            usage->n_numeric[i]++;
            return;
        }
    cr_expect(false, "there is no rule `%s`", rewrite->rule);
}

/* The rule that says how a node is differentiated, or that it is not. */
static uint32_t partial_rule(const RuleSet *set, Graph *graph, Node node)
{
    const Rule *rule = NULL;
    rules_apply(set, graph, node, &rule);
    for (uint32_t i = 0; i < rules_count(set); i++)
        if (rule ? rules_at(set, i) == rule : rule_root(rules_at(set, i)) == node_op(graph, node)) return i;
    cr_assert_fail("%s has no partial rule", op_info(node_op(graph, node))->spelling);
    return 0;
}

/* Over what is differentiated: what stands before that pass, and what it makes, which a second derivative meets. */
static void count_partials(Usage *usage, const Module *module)
{
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    for (uint32_t i = 0; i < count; i++) {
        Op op = node_op(module->graph, nodes[i]);
        if (op_info(op)->class != OP_CLASS_ELEMENTWISE || op == OP_CAST || op == OP_SELECT) continue;
        usage->n_partials[partial_rule(usage->here, module->graph, nodes[i])]++;
    }
    free(nodes);
}

static char *module_text(const Module *module)
{
    Text text = {0};
    module_print(module, &text);
    char *copy = strdup(text_get(&text));
    text_free(&text);
    return copy;
}

/* What the rules have left alone once, they leave alone. */
static void expect_fixed(Module *module, const char *name)
{
    char *before = module_text(module);
    cr_expect(pass_run("simplify", module, NULL), "%s", name);
    char *after = module_text(module);
    cr_expect_str_eq(before, after, "%s: simplifying a simplified module changes it", name);
    free(before);
    free(after);
}

static bool run(Usage *usage, Module *module, const char *name)
{
    PassOptions options = {.explain = count_rewrite, .data = usage};
    usage->here = rules_load_builtin(graph_context(module->graph), "partials.nn");
    if (!pass_run("fold", module, &options) || !pass_run("simplify", module, &options)) return false;
    expect_fixed(module, name);
    count_partials(usage, module);
    if (!pass_run("differentiate", module, &options)) return false;
    count_partials(usage, module);
    if (!pass_run("simplify", module, &options)) return false;
    expect_fixed(module, name);
    usage->models++;
    return true;
}

/* False when it is no valid model. */
static bool use_text(Usage *usage, const char *name, const char *path, const char *text)
{
    Context *context = context_new();
    const Source *source = source_add(context->sources, name, text, strlen(text));
    Program *program = program_compile(context, path, source, &(ProgramOptions){0});
    bool good = program != NULL;
    if (program) {
        cr_expect(run(usage, program->module, name), "%s", name);
        graph_free(program->module->graph);
    }
    context_free(context);
    return good;
}

static void use_models(Usage *usage, const char *pattern)
{
    glob_t files;
    cr_assert_eq(glob(pattern, 0, NULL, &files), 0, "%s", pattern);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        size_t size;
        char *text = read_file(files.gl_pathv[i], &size);
        cr_expect(use_text(usage, files.gl_pathv[i], files.gl_pathv[i], text), "%s", files.gl_pathv[i]);
        free(text);
    }
    globfree(&files);
}

static void use_graphs(Usage *usage, const char *pattern)
{
    glob_t files;
    cr_assert_eq(glob(pattern, 0, NULL, &files), 0, "%s", pattern);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        Context *context = context_new();
        size_t size;
        char *text = read_file(files.gl_pathv[i], &size);
        Module *module = module_read(context, source_add(context->sources, files.gl_pathv[i], text, size));
        if (module) {
            run(usage, module, files.gl_pathv[i]); /* some of them are mistakes */
            graph_free(module->graph);
        }
        free(text);
        context_free(context);
    }
    globfree(&files);
}

/* A case of golden/prelude: an expression over inputs, with its gradients where it has any. */
static void use_case(Usage *usage, json_t *test)
{
    const char *keys[] = {"value", "model", "expression"}, *expression = NULL, *name;
    for (size_t i = 0; i < 3 && !expression; i++) expression = json_string_value(json_object_get(test, keys[i]));
    if (!expression) return;
    for (int with_gradients = 1; with_gradients >= 0; with_gradients--) {
        Text text = {0};
        json_t *input;
        text_string(&text, "model m {\n");
        json_object_foreach(json_object_get(test, "inputs"), name, input)
            text_format(&text, "    input %s: %s\n", name, json_string_value(json_object_get(input, "type")));
        text_format(&text, "    output value = %s\n", expression);
        json_object_foreach(json_object_get(test, "inputs"), name,
                            input) if (with_gradients && json_string_value(json_object_get(input, "type"))[0] == 'f')
            text_format(&text, "    output d%s = grad(sum(value), %s)\n", name, name);
        text_string(&text, "}\n");
        bool good = use_text(usage, expression, NULL, text_get(&text));
        text_free(&text);
        if (good) return;
    }
}

static void use_cases(Usage *usage, const char *pattern)
{
    glob_t files;
    cr_assert_eq(glob(pattern, 0, NULL, &files), 0, "%s", pattern);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        json_t *file = json_load_file(files.gl_pathv[i], 0, NULL), *test;
        size_t index;
        cr_assert(file, "%s", files.gl_pathv[i]);
        json_array_foreach(json_object_get(file, "cases"), index, test) use_case(usage, test);
        json_decref(file);
    }
    globfree(&files);
}

static void report(const RuleSet *set, const size_t *times)
{
    for (uint32_t i = 0; i < rules_count(set); i++) {
        cr_log_info("%6zu  %s\n", times[i], rule_text(rules_at(set, i)));
        cr_expect(times[i], "no model uses this rule: %s", rule_text(rules_at(set, i)));
    }
}

Test(rules_used, by_a_model_each)
{
    Usage usage = {.context = context_new()};
    usage.numeric = rules_load_builtin(usage.context, "numeric.nn");
    usage.partials = rules_load_builtin(usage.context, "partials.nn");
    usage.n_numeric = calloc(rules_count(usage.numeric), sizeof(size_t));
    usage.n_partials = calloc(rules_count(usage.partials), sizeof(size_t));
    use_models(&usage, TESTS_FOLDER "/../examples/*.nn");
    use_models(&usage, TESTS_FOLDER "/golden/models/*.nn");
    use_graphs(&usage, TESTS_FOLDER "/golden/passes/*.nng");
    use_cases(&usage, TESTS_FOLDER "/golden/prelude/*.json");
    cr_log_info("%zu models\n", usage.models);
    cr_expect_geq(usage.models, 150u);
    report(usage.numeric, usage.n_numeric);
    report(usage.partials, usage.n_partials);
    free(usage.n_numeric);
    free(usage.n_partials);
    context_free(usage.context);
}

/* ---- Termination: S. Kamin, J.-J. Lévy: Two generalizations of the recursive path ordering, 1980 */

/* The precedence: what stands later is greater. A broadcast only repeats, and is looked through. */
static const Op precedence[] = {
    OP_CONST,   OP_NEG,      OP_ABS, OP_MUL,        OP_ERF,     OP_ERFC,      OP_EXPM1,       OP_RSQRT, OP_TANH,
    OP_SIGMOID, OP_SOFTPLUS, OP_SUM, OP_REDUCE_MAX, OP_SOFTMAX, OP_LOGSUMEXP, OP_LOG_SOFTMAX, OP_LOG1P, OP_EXP,
    OP_SINH,    OP_COSH,     OP_ADD, OP_SUB,        OP_SQRT,    OP_DIV,       OP_LOG,         OP_POW};

static int rank(Op op)
{
    for (size_t i = 0; i < sizeof precedence / sizeof *precedence; i++)
        if (precedence[i] == op) return (int)i;
    cr_assert_fail("%s has no place in the precedence", op_info(op)->spelling);
    return -1;
}

static Node bare(const Graph *graph, Node x)
{
    while (node_op(graph, x) == OP_BROADCAST) x = node_arg(graph, x, 0);
    return x;
}

static bool greater(const Graph *graph, Node s, Node t);

static bool equal(const Graph *graph, Node s, Node t)
{
    s = bare(graph, s), t = bare(graph, t);
    if (node_op(graph, s) == OP_CONST && node_op(graph, t) == OP_CONST) return true; /* all constants are one symbol */
    return node_same(s, t);
}

static bool greater_than_operands(const Graph *graph, Node s, Node t)
{
    for (uint32_t i = 0; i < graph_node(graph, t)->n_args; i++)
        if (!greater(graph, s, node_arg(graph, t, i))) return false;
    return true;
}

/* s > t: an operand of s is t or greater; or s has the greater symbol, or the same over greater operands from the left,
 * and is greater than each operand of t. */
static bool greater(const Graph *graph, Node s, Node t)
{
    s = bare(graph, s), t = bare(graph, t);
    const NodeInfo *left = graph_node(graph, s), *right = graph_node(graph, t);
    for (uint32_t i = 0; i < left->n_args; i++)
        if (equal(graph, left->args[i], t) || greater(graph, left->args[i], t)) return true;
    if (left->op == OP_INPUT || right->op == OP_INPUT) return false;
    if (left->op != right->op) return rank(left->op) > rank(right->op) && greater_than_operands(graph, s, t);
    for (uint32_t i = 0; i < left->n_args; i++) {
        if (equal(graph, left->args[i], right->args[i])) continue;
        return greater(graph, left->args[i], right->args[i]) && greater_than_operands(graph, s, t);
    }
    return false;
}

Test(rules_used, rewriting_ends)
{
    Context *context = context_new();
    Graph *graph = graph_new(context);
    DimTable *dims = graph_dims(graph);
    const RuleSet *set = rules_load_builtin(context, "numeric.nn");
    Type type = type_make(DTYPE_F32, 2, (Dim[]){dim_symbol(dims, intern(context->names, "n")), dim_constant(dims, 3)});
    for (uint32_t i = 0; i < rules_count(set); i++) {
        const Rule *rule = rules_at(set, i);
        const Name *names;
        Node values[8];
        uint32_t count = rule_variables(rule, &names);
        for (uint32_t k = 0; k < count; k++) values[k] = build_source(graph, OP_INPUT, names[k], type);
        Node left = rule_left(rule, graph, values, (int32_t[]){1}, 1), right = rules_apply(set, graph, left, NULL);
        cr_assert_not(node_is_none(left) || node_is_none(right), "%s", rule_text(rule));
        cr_expect(greater(graph, left, right), "the right side is not less: %s", rule_text(rule));
    }
    graph_free(graph);
    context_free(context);
}
