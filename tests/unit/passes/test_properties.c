/* What passes.def says that a pass makes and keeps, held against the operators that stand in a module before and after
 * it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ir/build.h"
#include "passes/passes.h"

enum { DIFFERENTIATED = 1, EXPANDED = 2 };

static const struct {
    const char *name;
    unsigned needs, makes, keeps;
} rows[] = {
#define PASS(name, function, needs, makes, keeps, what) {#name, needs, makes, keeps},
#include "passes/passes.def"
#undef PASS
};
enum { ROWS = sizeof rows / sizeof *rows };

static unsigned properties_of(const Module *module)
{
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    unsigned properties = DIFFERENTIATED | EXPANDED;
    for (uint32_t i = 0; i < count; i++) {
        Op op = node_op(module->graph, nodes[i]);
        if (op_info(op)->class == OP_CLASS_DIFFERENTIAL) properties &= ~(unsigned)DIFFERENTIATED;
        if (op == OP_SOFTMAX || op == OP_LOG_SOFTMAX || op == OP_LOGSUMEXP) properties &= ~(unsigned)EXPANDED;
    }
    free(nodes);
    return properties;
}

typedef struct {
    Context *context;
    Module module;
    Function function;
    Result results[4];
} Case;

/* A module that has the wanted properties and neither of the others. The rules make a log_softmax of its logarithm. */
static void make(Case *c, unsigned wanted)
{
    *c = (Case){.context = context_new()};
    Graph *graph = graph_new(c->context);
    Dim sizes[] = {dim_constant(graph_dims(graph), 3), dim_constant(graph_dims(graph), 4)};
    Node x = build_source(graph, OP_PARAM, intern(c->context->names, "x"), type_make(DTYPE_F32, 2, sizes));
    Node exp = build_unary(graph, OP_EXP, x);
    Node total = build_reduce(graph, OP_SUM, exp, (int32_t[]){1}, 1);
    Node values[4] = {build_unary(graph, OP_LOG, total), build_reduce_all(graph, OP_SUM, exp)};
    uint32_t count = 2;
    if (!(wanted & EXPANDED)) values[count++] = build_along(graph, OP_SOFTMAX, x, 1);
    if (!(wanted & DIFFERENTIATED)) values[count++] = build_gradient(graph, values[1], x);
    for (uint32_t i = 0; i < count; i++) {
        c->results[i] = (Result){.role = RESULT_OUTPUT, .value = values[i]};
        c->results[i].name = intern_format(c->context->names, "y%u", i);
    }
    c->function = (Function){.name = intern(c->context->names, "inference"), .results = c->results, .n_results = count};
    c->module = (Module){.name = c->function.name, .graph = graph, .functions = &c->function, .n_functions = 1};
    cr_assert_eq(properties_of(&c->module), wanted);
}

static void drop(Case *c)
{
    graph_free(c->module.graph);
    context_free(c->context);
}

Test(properties, each_pass_makes_and_keeps_what_it_says)
{
    for (int i = 0; i < ROWS; i++)
        for (unsigned before = 0; before < 4; before++) {
            Case c;
            make(&c, before);
            bool ran = pass_run(rows[i].name, &c.module, NULL);
            cr_expect_eq(ran, (rows[i].needs & ~before) == 0, "%s", rows[i].name);
            unsigned expected = rows[i].makes | (rows[i].keeps & before);
            if (ran) cr_expect_eq(expected & ~properties_of(&c.module), 0, "%s, from %u", rows[i].name, before);
            drop(&c);
        }
}

/* A row that could say more says too little: simplify alone may lose what it had. */
Test(properties, only_simplify_makes_what_expand_removes)
{
    for (int i = 0; i < ROWS; i++) {
        Case c;
        make(&c, DIFFERENTIATED | EXPANDED);
        unsigned after = pass_run(rows[i].name, &c.module, NULL) ? properties_of(&c.module) : 3;
        cr_expect_eq(after, strcmp(rows[i].name, "simplify") ? 3 : DIFFERENTIATED, "%s", rows[i].name);
        drop(&c);
    }
}

/* Every recipe's passes find what they need where they stand. */
Test(properties, recipes_are_in_order)
{
    for (int recipe = 0; recipe < RECIPE_COUNT; recipe++) {
        const char *name;
        unsigned has = recipe == RECIPE_VALUE ? DIFFERENTIATED : 0; /* goes on where RECIPE_FORMULA ended */
        for (unsigned k = 0; (name = recipe_pass((Recipe)recipe, k)); k++)
            for (int i = 0; i < ROWS; i++) {
                if (strcmp(rows[i].name, name)) continue;
                cr_expect_eq(rows[i].needs & ~has, 0, "recipe %d: `%s` lacks what it needs", recipe, name);
                has = rows[i].makes | (rows[i].keeps & has);
            }
        if (recipe == RECIPE_COMPILE || recipe == RECIPE_VALUE) cr_expect_eq(has, DIFFERENTIATED | EXPANDED);
    }
}
