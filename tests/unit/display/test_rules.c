/* Every rule of rules/display.nn: both sides have one value at ordinary points, and a golden formula uses it. */
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/derivative.h"
#include "display/display.h"
#include "elaborate/program.h"
#include "ir/build.h"
#include "ir/eval.h"

/* ---- Values */

enum { ROWS = 256, COLUMNS = 3, COUNT = ROWS * COLUMNS, VARIABLES = 8 };

/* In display.nn `c` is a condition, and m < n are constants. */
static Node variable(Graph *graph, Name name, double *data, uint64_t seed)
{
    DimTable *dims = graph_dims(graph);
    bool condition = !strcmp(name, "c"), constant = !strcmp(name, "m") || !strcmp(name, "n");
    Dim shape[] = {dim_constant(dims, ROWS), dim_constant(dims, COLUMNS)};
    Type type = type_make(condition ? DTYPE_BOOL : DTYPE_F64, 2, shape);
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        double random = (double)(seed >> 11) / 9007199254740992.0 * 6 - 3;
        data[i] = condition ? random > 0 : random;
    }
    return constant ? build_constant(graph, type, *name == 'm' ? -0.5 : 0.75)
                    : build_source(graph, OP_INPUT, name, type);
}

static void expect_equal(const Rule *rule, const Tensor *left, const Tensor *right)
{
    int compared = 0;
    cr_assert_eq(left->count, right->count);
    for (int64_t i = 0; i < left->count; i++) {
        double expected = left->data[i], got = right->data[i];
        if (isnan(expected)) continue; /* outside of the left side's domain */
        compared++;
        cr_expect(fabs(got - expected) <= 1e-13 * (1 + fabs(expected)), "%s\n element %d: %.17g instead of %.17g",
                  rule_text(rule), (int)i, got, expected);
    }
    cr_expect_gt(compared, ROWS / 8, "%s: hardly any point in its domain", rule_text(rule));
}

static void prove(Graph *graph, const RuleSet *rules, const Rule *rule)
{
    const Name *names;
    Node inputs[VARIABLES];
    double data[VARIABLES][COUNT];
    uint32_t n = rule_variables(rule, &names);
    cr_assert_leq(n, (uint32_t)VARIABLES);
    for (uint32_t i = 0; i < n; i++) inputs[i] = variable(graph, names[i], data[i], 1234 + i);
    Node sides[2] = {rule_left(rule, graph, inputs, (int32_t[]){1}, 1)};
    cr_assert_not(node_is_none(sides[0]), "%s", rule_text(rule));
    const Rule *applied = NULL;
    sides[1] = rules_apply(rules, graph, sides[0], &applied);
    cr_assert_eq(applied, rule, "%s: shadowed by %s", rule_text(rule), applied ? rule_text(applied) : "nothing");
    cr_assert(type_equal(node_type(graph, sides[0]), node_type(graph, sides[1])), "%s", rule_text(rule));
    Eval *eval = eval_new(graph, NULL);
    const Tensor *results[2];
    for (uint32_t i = 0; i < n; i++)
        if (node_op(graph, inputs[i]) == OP_INPUT) cr_assert(eval_bind(eval, inputs[i], data[i], COUNT));
    cr_assert(eval_run(eval, sides, 2, results), "%s", rule_text(rule));
    expect_equal(rule, results[0], results[1]);
    eval_free(eval);
}

Test(display_rules, keep_the_value)
{
    Context *context = context_new();
    Graph *graph = graph_new(context);
    const RuleSet *rules = rules_load_builtin(context, "display.nn");
    cr_assert_not_null(rules);
    cr_assert_gt(rules_count(rules), 10);
    for (uint32_t i = 0; i < rules_count(rules); i++) prove(graph, rules, rules_at(rules, i));
    graph_free(graph);
    context_free(context);
}

/* ---- Use */

enum { MOST_RULES = 256 };

typedef struct {
    const RuleSet *rules; /* of the context at work */
    size_t times[MOST_RULES], formulas;
} Usage;

static void count(void *data, const Rule *rule)
{
    Usage *usage = data;
    for (uint32_t i = 0; i < rules_count(usage->rules); i++)
        if (rules_at(usage->rules, i) == rule) usage->times[i]++;
}

static void use(Usage *usage, const Module *module, const char *of, const char *wrt)
{
    Node gradient = derivative_find(module, derivative_value(module, "", of), derivative_value(module, "", wrt), NULL);
    cr_assert_not(node_is_none(gradient), "d %s / d %s", of, wrt);
    Node shown = display_rewrite(module->graph, gradient, count, usage);
    Node again = display_rewrite(module->graph, shown, NULL, NULL);
    cr_expect(node_same(shown, again), "d %s / d %s: the rules are not done with it", of, wrt);
    usage->formulas++;
}

/* `# grad: OF WRT [MODEL]` */
static void use_line(Usage *usage, const char *path, const char *text, size_t size, const char *line)
{
    char of[64], wrt[64], model[64] = "";
    if (sscanf(line, "# grad: %63s %63s %63[^ \n]", of, wrt, model) < 2) return;
    Context *context = context_new();
    usage->rules = rules_load_builtin(context, "display.nn");
    Program *program = program_compile(context, path, source_add(context->sources, path, text, size),
                                       &(ProgramOptions){.model = *model ? model : NULL});
    cr_assert_not_null(program, "%s: %s", path, line);
    use(usage, program->module, of, wrt);
    graph_free(program->module->graph);
    context_free(context);
}

static void use_file(Usage *usage, const char *path)
{
    size_t size;
    char *text = read_file(path, &size);
    cr_assert_not_null(text, "%s", path);
    for (const char *line = text; line && !strncmp(line, "# ", 2); line = strchr(line, '\n'), line += line != NULL) {
        char copy[256];
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
        use_line(usage, path, text, size, copy);
    }
    free(text);
}

Test(display_rules, are_used_by_a_formula_each, .timeout = 120)
{
    Usage usage = {0};
    glob_t files;
    cr_assert_eq(glob(TESTS_FOLDER "/golden/grad/*.nn", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) use_file(&usage, files.gl_pathv[i]);
    globfree(&files);
    Context *context = context_new();
    const RuleSet *rules = rules_load_builtin(context, "display.nn");
    cr_log_info("%zu formulas\n", usage.formulas);
    cr_expect_geq(usage.formulas, 60u);
    for (uint32_t i = 0; i < rules_count(rules); i++) {
        cr_log_info("%6zu  %s\n", usage.times[i], rule_text(rules_at(rules, i)));
        cr_expect(usage.times[i], "no formula uses this rule: %s", rule_text(rules_at(rules, i)));
    }
    context_free(context);
}
