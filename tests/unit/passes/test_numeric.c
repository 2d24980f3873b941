/* Every rule of rules/numeric.nn is proved here: the left side is computed with 4096 bits, the right side by the
 * interpreter in f64; at random points, small, large and extreme ones they agree to ULPS units in the last place, where
 * the left side exists. Rules over an axis are held to the largest of the values that they add. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/build.h"
#include "ir/eval.h"
#include "rules/rules.h"
#include "tests/unit/reference.h"

enum { BITS = 4096, ROWS = 64, COLUMNS = 5, COUNT = ROWS * COLUMNS, ULPS = 8 };

typedef struct {
    Context *context;
    Graph *graph;
    const RuleSet *rules;
    mpfr_t *values[4096]; /* by node id */
} World;

/* the reference */

/* A row's sum, maximum or log(sum(exp)). */
static void reference_row(Op op, mpfr_t to, mpfr_t *row)
{
    mpfr_t term;
    mpfr_init2(term, BITS);
    mpfr_set_zero(to, 1);
    if (op == OP_REDUCE_MAX) mpfr_set(to, row[0], MPFR_RNDN);
    for (int k = 0; k < COLUMNS; k++) {
        if (op == OP_LOGSUMEXP) mpfr_exp(term, row[k], MPFR_RNDN);
        if (op == OP_REDUCE_MAX)
            mpfr_max(to, to, row[k], MPFR_RNDN);
        else
            mpfr_add(to, to, op == OP_SUM ? row[k] : term, MPFR_RNDN);
    }
    if (op == OP_LOGSUMEXP) mpfr_log(to, to, MPFR_RNDN);
    mpfr_clear(term);
}

static void reference_softmax(Op op, mpfr_t *to, mpfr_t *x)
{
    mpfr_t total;
    mpfr_init2(total, BITS);
    for (int i = 0; i < COUNT; i++) {
        reference_row(OP_LOGSUMEXP, total, x + i / COLUMNS * COLUMNS);
        mpfr_sub(to[i], x[i], total, MPFR_RNDN);
        if (op == OP_SOFTMAX) mpfr_exp(to[i], to[i], MPFR_RNDN);
    }
    mpfr_clear(total);
}

static void reference_node(World *w, Node node)
{
    const NodeInfo *info = graph_node(w->graph, node);
    mpfr_t *to = w->values[node.id] = malloc(COUNT * sizeof(mpfr_t));
    for (int i = 0; i < COUNT; i++) mpfr_init2(to[i], BITS);
    mpfr_t *x = info->n_args ? w->values[info->args[0].id] : NULL,
           *y = info->n_args > 1 ? w->values[info->args[1].id] : NULL;
    OpClass class = op_info(info->op)->class;
    for (int i = 0; i < COUNT; i++) {
        if (info->op == OP_CONST) mpfr_set_d(to[i], info->attr.number, MPFR_RNDN);
        if (class == OP_CLASS_ELEMENTWISE) reference_elementwise(info->op, to[i], x[i], y ? y[i] : NULL);
        if (info->op == OP_BROADCAST) mpfr_set(to[i], x[i / COLUMNS], MPFR_RNDN);
        if (class == OP_CLASS_REDUCTION && i < ROWS) reference_row(info->op, to[i], x + i * COLUMNS);
    }
    if (class == OP_CLASS_CUMULATIVE) reference_softmax(info->op, to, x);
}

static void forget(World *w)
{
    for (size_t id = 0; id < sizeof w->values / sizeof *w->values; id++) {
        for (int i = 0; w->values[id] && i < COUNT; i++) mpfr_clear(w->values[id][i]);
        free(w->values[id]);
        w->values[id] = NULL;
    }
}

static void reference(World *w, Node root, const Node *inputs, uint32_t n_inputs, double (*data)[COUNT])
{
    uint32_t count;
    Node *nodes = graph_reachable(w->graph, &root, 1, &count);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_lt(nodes[i].id, sizeof w->values / sizeof *w->values);
        reference_node(w, nodes[i]);
        for (uint32_t k = 0; k < n_inputs; k++)
            for (int e = 0; node_same(nodes[i], inputs[k]) && e < COUNT; e++)
                mpfr_set_d(w->values[nodes[i].id][e], data[k][e], MPFR_RNDN);
    }
    free(nodes);
}

/* points: each magnitude in each sign, ordinary random numbers, and rows about a far centre */

static void choose_points(double *data, uint64_t seed)
{
    static const double magnitudes[] = {0, 5e-324, 1e-300, 1e-20, 1e-9, 1e-4, 0.1, 1, 5, 20, 37, 89, 700, 745, 1000};
    enum { MAGNITUDES = sizeof magnitudes / sizeof *magnitudes };
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        double random = (double)(seed >> 11) / 9007199254740992.0 * 2 - 1;
        int row = i / COLUMNS;
        if (row < 16)
            data[i] = magnitudes[(seed >> 40) % MAGNITUDES] * (seed >> 33 & 1 ? 1 : -1);
        else if (row < 48)
            data[i] = random * pow(10, row % 4 - 1);
        else
            data[i] = (row % 2 ? 1000 : -1000) + 3 * random;
    }
}

static void check_elements(World *w, const Rule *rule, Node left, const Tensor *right)
{
    bool over_axis = strchr(rule_text(rule), '[') != NULL;
    int compared = 0;
    for (int64_t i = 0; i < right->count; i++) {
        double expected = mpfr_get_d(w->values[left.id][i], MPFR_RNDN), got = right->data[i];
        if (isnan(expected)) continue; /* outside of the left side's domain */
        compared++;
        if (expected == got) continue;
        double scale = fabs(expected) + (over_axis ? 1 : 0);
        cr_expect(fabs(got - expected) <= ULPS * DBL_EPSILON * scale + 2 * 4.9e-324,
                  "%s\n element %d: %.17g instead of %.17g", rule_text(rule), (int)i, got, expected);
    }
    cr_expect_gt(compared, COUNT / 16, "%s: hardly any point in its domain", rule_text(rule));
}

static void prove(World *w, const Rule *rule)
{
    const Name *names;
    Node inputs[8];
    double data[8][COUNT];
    uint32_t n = rule_variables(rule, &names);
    DimTable *dims = graph_dims(w->graph);
    Type type = type_make(DTYPE_F64, 2, (Dim[]){dim_constant(dims, ROWS), dim_constant(dims, COLUMNS)});
    for (uint32_t i = 0; i < n; i++) {
        inputs[i] = build_source(w->graph, OP_INPUT, names[i], type);
        choose_points(data[i], 1234 + i);
    }
    Node left = rule_left(rule, w->graph, inputs, (int32_t[]){1}, 1);
    const Rule *applied = NULL;
    Node right = rules_apply(w->rules, w->graph, left, &applied);
    cr_assert_eq(applied, rule, "%s: shadowed by %s", rule_text(rule), applied ? rule_text(applied) : "nothing");
    cr_assert(type_equal(node_type(w->graph, left), node_type(w->graph, right)));
    reference(w, left, inputs, n, data);
    Eval *eval = eval_new(w->graph, NULL);
    const Tensor *result;
    for (uint32_t i = 0; i < n; i++) cr_assert(eval_bind(eval, inputs[i], data[i], COUNT));
    cr_assert(eval_run(eval, &right, 1, &result));
    check_elements(w, rule, left, result);
    eval_free(eval);
    forget(w);
}

Test(numeric, every_rule_keeps_or_improves_the_numbers, .timeout = 120)
{
    World w = {.context = context_new()};
    w.graph = graph_new(w.context);
    w.rules = rules_load_builtin(w.context, "numeric.nn");
    cr_assert_not_null(w.rules);
    cr_assert_gt(rules_count(w.rules), 20);
    for (uint32_t i = 0; i < rules_count(w.rules); i++) prove(&w, rules_at(w.rules, i));
    graph_free(w.graph);
    context_free(w.context);
    mpfr_free_cache();
}
