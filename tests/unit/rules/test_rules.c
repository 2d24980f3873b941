/* Rules: what they match, what they build, and that every partial rule is the derivative. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/build.h"
#include "ir/eval.h"
#include "rules/rules.h"

typedef struct {
    Context *context;
    Graph *graph;
    Type type;
    Node x, y, z, truth;
} World;

static World world_new(void)
{
    World world = {.context = context_new()};
    world.graph = graph_new(world.context);
    DimTable *dims = graph_dims(world.graph);
    world.type =
        type_make(DTYPE_F32, 2, (Dim[]){dim_symbol(dims, intern(world.context->names, "n")), dim_constant(dims, 3)});
    static const char *const names[] = {"x", "y", "z"};
    Node *nodes[] = {&world.x, &world.y, &world.z};
    for (int i = 0; i < 3; i++)
        *nodes[i] = build_source(world.graph, OP_INPUT, intern(world.context->names, names[i]), world.type);
    world.truth = build_binary(world.graph, OP_LT, world.x, world.y);
    return world;
}

static void world_free(World *world)
{
    graph_free(world->graph);
    context_free(world->context);
}

static RuleSet *load(World *world, const char *text)
{
    RuleSet *set = rules_load(world->context, "test", text);
    if (set) return set;
    Text message = {0};
    diagnostics_print(world->context->diagnostics, &message);
    cr_assert_fail("%s: %s", text, text_get(&message));
    return NULL;
}

/* An expression of x, y, z (and the truth value t) over the last axis, `a`. */
static Node expression(World *world, const char *text)
{
    const char *rule_text = arena_format(world->context->arena, "numeric %s => 0\n", text);
    const Rule *rule = rules_at(load(world, rule_text), 0);
    const Name *names;
    Node values[8];
    uint32_t count = rule_variables(rule, &names);
    for (uint32_t i = 0; i < count; i++) {
        Node all[] = {world->x, world->y, world->z, world->truth};
        const char *at = strchr("xyzt", names[i][0]);
        cr_assert(at, "%s", names[i]);
        values[i] = all[at - "xyzt"];
    }
    Node node = rule_left(rule, world->graph, values, (int32_t[]){1}, 1);
    cr_assert_neq(node.id, 0u, "%s", text);
    return node;
}

/* The same, or a name or number alone. */
static Node expected(World *world, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    if (!*end) return build_constant(world->graph, world->type, number);
    return text[1] ? expression(world, text) : text[0] == 'x' ? world->x : world->y;
}

static const struct {
    const char *rules, *from, *to; /* to: NULL when nothing may match */
} rewrites[] = {
    {"1 / (1 + exp(-p)) => sigmoid(p)", "1 / (1 + exp(-x))", "sigmoid(x)"},
    {"1 / (1 + exp(-p)) => sigmoid(p)", "1 / (exp(-x) + 1)", "sigmoid(x)"},
    {"1 / (1 + exp(-p)) => sigmoid(p)", "2 / (1 + exp(-x))", NULL},
    {"1 / (1 + exp(-p)) => sigmoid(p)", "1 / (1 + exp(x))", NULL},
    {"p - p => 0", "x * y - x * y", "0"},
    {"p - p => 0", "x - y", NULL},
    /* the first factor may be either one, also when the second decides */
    {"p * q + p * r => p * (q + r)", "x * y + z * y", "y * (x + z)"},
    {"p * q + p * r => p * (q + r)", "y * x + y * z", "y * (x + z)"},
    {"p * q + p * r => p * (q + r)", "x * x + z * z", NULL},
    {"p > q => p", "x > y", NULL}, /* the result has another type */
    {"if c then p else q => if not c then q else p", "if t then x else y", "if not t then y else x"},
    {"max(p, q) => min(q, p)", "max(x, y)", "min(x, y)"},
    /* axes */
    {"log(sum[a](exp(p))) => logsumexp[a](p)", "log(sum[a](exp(x)))", "logsumexp[a](x)"},
    {"p - logsumexp[a](p) => log_softmax[a](p)", "x - logsumexp[a](x)", "log_softmax[a](x)"},
    {"p - logsumexp[a](p) => log_softmax[a](p)", "y - logsumexp[a](x)", NULL},
    {"exp(p) / sum[a](exp(p)) => softmax[a](p)", "exp(x) / sum[a](exp(x))", "softmax[a](x)"},
    {"softmax[a](p) => exp(p - logsumexp[a](p))", "softmax[a](x)", "exp(x - logsumexp[a](x))"},
    {"sum[a](p * q) => sum[a](p) * q", "sum[a](x * y)", NULL}, /* q has axes that the result lacks */
    {"log(sum[a](p)) + q => log(sum[a](p * exp(q)))", "log(sum[a](x)) + sum[a](y)", "log(sum[a](x * exp(sum[a](y))))"},
    {"max[a](p) => -min[a](-p)", "max[a](x)", "-min[a](-x)"},
    /* conditions, arithmetic on constants, the order of the file */
    {"p ^ m * p ^ n => p ^ (m + n) where constant(m) and constant(n)", "x ^ 2 * x ^ 3", "x ^ 5"},
    {"p ^ m * p ^ n => p ^ (m + n) where constant(m) and constant(n)", "x ^ 2 * x ^ y", NULL},
    {"p ^ n => sqrt(p) where n > 0 and n < 1", "x ^ 0.5", "sqrt(x)"},
    {"p ^ n => sqrt(p) where n > 0 and n < 1", "x ^ 2", NULL},
    {"p ^ n => p where not integer(n)", "x ^ 2", NULL},
    {"p ^ n => p * p where n % 2 == 0", "x ^ 4", "x * x"},
    {"p ^ 1 => p\nnumeric p ^ n => p * out where n >= 1", "x ^ 1", "x"},
    {"p ^ 1 => p\nnumeric p ^ n => p * out where n >= 1", "x ^ 3", "x * x ^ 3"},
};

Test(rules, rewrites)
{
    for (size_t i = 0; i < sizeof rewrites / sizeof *rewrites; i++) {
        World world = world_new();
        RuleSet *set = load(&world, arena_format(world.context->arena, "numeric %s\n", rewrites[i].rules));
        Node from = expression(&world, rewrites[i].from), result = rules_apply(set, world.graph, from, NULL);
        Text found = {0};
        text_format(&found, "%s over %s", rewrites[i].rules, rewrites[i].from);
        if (!rewrites[i].to) {
            cr_expect_eq(result.id, 0u, "%s: matched", text_get(&found));
        } else if (node_is_none(result)) {
            cr_expect_fail("%s: nothing", text_get(&found));
        } else {
            cr_expect(node_same(result, expected(&world, rewrites[i].to)), "%s: %s", text_get(&found),
                      op_info(node_op(world.graph, result))->spelling);
            cr_expect(type_equal(node_type(world.graph, result), node_type(world.graph, from)), "%s", text_get(&found));
        }
        text_free(&found);
        world_free(&world);
    }
}

static const char *const mistakes[] = {
    "numeric sin(p) => q\n",
    "numeric sin(p) => foo(p)\n",
    "numeric sin(p, q) => p\n",
    "numeric sum(p) => p\n",
    "numeric sin[a](p) => p\n",
    "numeric sin(p) => sum[a](p)\n",
    "numeric p => p\n",
    "numeric sin(p) = p\n",
    "partial sin(p) => cos(p)\n",
    "partial p * q = q\n",
    "numeric p @ q => p\n",
    "numeric gather(p, q) => p\n",
    "numeric sum[a](sum[b](p)) => p\n",
};

Test(rules, mistakes_in_rules)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        Context *context = context_new();
        cr_expect_null(rules_load(context, "test", mistakes[i]), "%s", mistakes[i]);
        cr_expect_eq(diagnostics_errors(context->diagnostics), 1u, "%s", mistakes[i]);
        context_free(context);
    }
}

Test(rules, one_of_each_kind)
{
    World world = world_new();
    RuleSet *set = load(&world, "# a comment\nnumeric x - x => 0\n\ndisplay x / x => 1 where x > 0\n");
    cr_assert_eq(rules_count(set), 2u);
    cr_expect_str_eq(rule_kind(rules_at(set, 0)), "numeric");
    cr_expect_str_eq(rule_text(rules_at(set, 1)), "display x / x => 1 where x > 0");
    cr_expect_eq(rule_root(rules_at(set, 1)), OP_DIV);
    const Rule *applied = NULL;
    Node difference = build_binary(world.graph, OP_SUB, world.x, world.x);
    cr_expect_neq(rules_apply(set, world.graph, difference, &applied).id, 0u);
    cr_expect_eq(applied, rules_at(set, 0));
    cr_expect_null(rules_load_builtin(world.context, "none.nn"));
    world_free(&world);
}

/* ---- every partial rule against differences */

enum { POINTS = 20 };

/* Sources of one size with random values in (0.15, 0.85), where all operators are smooth; a constant for what the
 * condition asks to be one. */
static Node partial_node(World *world, Eval *eval, const Rule *rule, Node *values, bool constant)
{
    const Name *names;
    uint32_t count = rule_variables(rule, &names);
    Type type = type_make(DTYPE_F32, 1, (Dim[]){dim_constant(graph_dims(world->graph), POINTS)});
    for (uint32_t i = 0; i < count; i++) {
        double data[POINTS];
        Name name = intern_format(world->context->names, "v%u", i);
        values[i] = build_source(world->graph, OP_INPUT, name, type);
        for (int k = 0; k < POINTS; k++) data[k] = 0.5 + 0.35 * sin(1 + 7.3 * k + 2.1 * i);
        cr_assert(eval_bind(eval, values[i], data, POINTS));
        if (constant && i == count - 1) values[i] = build_constant(world->graph, type, 1.75);
    }
    return rule_left(rule, world->graph, values, NULL, 0);
}

static void prove_partial(World *world, Eval *eval, Node node, uint32_t operand, Node partial, const char *text)
{
    const double step = 1e-5;
    Node x = node_arg(world->graph, node, operand);
    double base[POINTS], moved[POINTS], up[POINTS];
    const Tensor *value;
    cr_assert(eval_run(eval, &x, 1, &value));
    memcpy(base, value->data, sizeof base);
    for (int k = 0; k < POINTS; k++) moved[k] = base[k] + step;
    cr_assert(eval_bind(eval, x, moved, POINTS) && eval_run(eval, &node, 1, &value));
    memcpy(up, value->data, sizeof up);
    for (int k = 0; k < POINTS; k++) moved[k] = base[k] - step;
    cr_assert(eval_bind(eval, x, moved, POINTS) && eval_run(eval, &node, 1, &value));
    for (int k = 0; k < POINTS; k++) up[k] = (up[k] - value->data[k]) / (2 * step);
    cr_assert(eval_bind(eval, x, base, POINTS));
    if (!node_is_none(partial)) cr_assert(eval_run(eval, &partial, 1, &value), "%s", text);
    for (int k = 0; k < POINTS; k++) {
        double found = node_is_none(partial) ? 0 : value->data[k];
        cr_expect(fabs(found - up[k]) <= 1e-7 * fmax(1, fabs(found)), "%s, operand %u: %.9g, not %.9g", text, operand,
                  found, up[k]);
    }
}

Test(rules, partials_are_derivatives)
{
    World world = world_new();
    const RuleSet *set = rules_load_builtin(world.context, "partials.nn");
    cr_assert_not_null(set);
    Eval *eval = eval_new(world.graph, &(EvalOptions){.f64 = true});
    for (uint32_t i = 0; i < rules_count(set); i++) {
        const Rule *rule = rules_at(set, i);
        Node values[8], partial;
        Op op = rule_root(rule);
        if (op == OP_NOT || op == OP_AND || op == OP_OR) continue; /* of truth values: below */
        Node node = partial_node(&world, eval, rule, values, false);
        if (node_is_none(node)) node = partial_node(&world, eval, rule, values, true);
        cr_assert_neq(node.id, 0u, "%s", rule_text(rule));
        for (uint32_t k = 0; k < (uint32_t)op_info(op)->arity; k++) {
            const char *reason = NULL;
            PartialKind kind = rules_partial(set, world.graph, node, k, &partial, &reason);
            cr_expect_neq(kind, PARTIAL_MISSING, "%s", rule_text(rule));
            if (kind == PARTIAL_NONE) cr_expect(reason && strlen(reason) > 10, "%s", rule_text(rule));
            if (kind == PARTIAL_NONE || node_is_constant(world.graph, node_arg(world.graph, node, k), NULL)) continue;
            prove_partial(&world, eval, node, k, kind == PARTIAL_ZERO ? NODE_NONE : partial, rule_text(rule));
        }
    }
    eval_free(eval);
    world_free(&world);
}

/* The build holds a rule for every elementwise operator but those that are transposed in C. */
Test(rules, every_operator_has_a_partial)
{
    World world = world_new();
    const RuleSet *set = rules_load_builtin(world.context, "partials.nn");
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((Op)op);
        if (info->class != OP_CLASS_ELEMENTWISE || op == OP_SELECT || op == OP_CAST) continue;
        Node x = info->rule == TYPE_RULE_LOGIC ? world.truth : world.x, partial;
        Node node = info->arity == 1 ? build_unary(world.graph, (Op)op, x) : build_binary(world.graph, (Op)op, x, x);
        for (uint32_t k = 0; k < (uint32_t)info->arity; k++)
            cr_expect_neq(rules_partial(set, world.graph, node, k, &partial, NULL), PARTIAL_MISSING, "%s",
                          info->spelling);
    }
    world_free(&world);
}

/* What is wrong with a rule is said as golden/diagnostics has it. */
Test(rules, slips)
{
    Context *context = context_new();
    size_t size;
    char *text = read_file(TESTS_FOLDER "/golden/diagnostics/bad-rule-slips.rules", &size);
    char *expected = read_file(TESTS_FOLDER "/golden/diagnostics/bad-rule-slips.expected", &size);
    cr_assert(text && expected);
    cr_expect_null(rules_load(context, "bad-rule-slips.rules", text));
    Text found = {0};
    diagnostics_print(context->diagnostics, &found);
    cr_expect_str_eq(text_get(&found), expected, "%s", text_get(&found));
    text_free(&found);
    free(expected);
    free(text);
    context_free(context);
}
