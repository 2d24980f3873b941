/* The verifier refuses each kind of broken module. A good module is damaged behind the builder's back. */
#include <criterion/criterion.h>
#include <string.h>

#include "ir/graph_internal.h"
#include "random_module.h"

typedef struct {
    Context *context;
    Module *module;
    Node x, w, matmul, sum, loss, slice, gather, window, unwindow, state;
} World;

static World world_new(void)
{
    World w = {.context = context_new()};
    Arena *arena = w.context->arena;
    Interner *names = w.context->names;
    Graph *g = graph_new(w.context);
    DimTable *dims = graph_dims(g);
    Name *batch = ARENA_NEW(arena, Name);
    *batch = intern(names, "batch");
    Dim b = dim_symbol(dims, *batch), four = dim_constant(dims, 4), two = dim_constant(dims, 2),
        zero = dim_constant(dims, 0);
    w.x = build_source(g, OP_INPUT, intern(names, "x"), type_make(DTYPE_F32, 2, (Dim[]){b, four}));
    w.w = build_source(g, OP_PARAM, intern(names, "w"), type_make(DTYPE_F32, 2, (Dim[]){four, four}));
    w.state = build_source(g, OP_STATE, intern(names, "s"), type_scalar(DTYPE_F32));
    w.matmul = build_matmul(g, w.x, w.w);
    w.slice = build_slice(g, w.matmul, (Dim[]){zero, two}, (Dim[]){b, two}, (int32_t[]){1, 1});
    Type ids = type_make(DTYPE_I32, 1, &two);
    w.gather = build_gather(g, w.slice, build_iota(g, ids, 0), 1, 0);
    Window window = {1, 2, 1, dim_constant(dims, 1), four, two, four};
    w.window = build_window(g, w.x, window);
    w.unwindow = build_unwindow(g, w.window, window);
    w.sum = build_reduce(g, OP_SUM, w.gather, (int32_t[]){0, 1}, 2);
    w.loss = build_unary(g, OP_EXP, w.sum);
    Result *results = ARENA_ARRAY(arena, Result, 3);
    results[0] = (Result){RESULT_LOSS, intern(names, "loss"), w.loss, NODE_NONE};
    results[1] = (Result){RESULT_GRADIENT, intern(names, "w"), w.w, NODE_NONE};
    results[2] = (Result){RESULT_UPDATE, intern(names, "s"), w.sum, w.state};
    Function *function = ARENA_NEW(arena, Function);
    *function = (Function){intern(names, "training"), w.loss, results, 3};
    w.module = ARENA_NEW(arena, Module);
    *w.module = (Module){
        .name = intern(names, "m"), .graph = g, .dims = batch, .n_dims = 1, .functions = function, .n_functions = 1};
    w.module->inputs = ARENA_NEW(arena, Declared);
    w.module->params = ARENA_NEW(arena, Declared);
    w.module->states = ARENA_NEW(arena, Declared);
    w.module->inputs->node = w.x;
    w.module->params->node = w.w;
    w.module->states->node = w.state;
    w.module->n_inputs = w.module->n_params = w.module->n_states = 1;
    w.module->checks = ARENA_NEW(arena, Check);
    w.module->n_checks = 1;
    *w.module->checks = (Check){.left = b, .right = four, .message = "four"};
    return w;
}

static NodeInfo *info(World *w, Node node)
{
    return &w->module->graph->nodes.at[node.id - 1];
}

static Node *args(World *w, Node node)
{
    return (Node *)info(w, node)->args;
}

static int32_t *ints(World *w, Node node)
{
    return (int32_t *)info(w, node)->attr.ints;
}

/* clang-format off */
/* One kind of damage each, and a word of what the verifier must say. */
static const char *damage(World *w, int kind)
{
    Function *function = w->module->functions;
    Result *results = function->results;
    DimTable *dims = graph_dims(w->module->graph);
    switch (kind) {
    case 0: args(w, w->loss)[0] = w->loss; return "precede";
    case 1: args(w, w->loss)[0] = (Node){9999}; return "precede";
    case 2: args(w, w->loss)[0] = NODE_NONE; return "precede";
    case 3: info(w, w->loss)->n_args = 0; return "number of operands";
    case 4: info(w, w->loss)->type.dtype = DTYPE_F64; return "does not follow";
    case 5: info(w, w->loss)->op = (Op)9999; return "not an operator";
    case 6: info(w, w->loss)->op = OP_NOT; return "not bool";
    case 7: info(w, w->x)->attr.name = NULL; return "name is missing";
    case 8: info(w, w->loss)->attr.name = "x"; return "no use";
    case 9: info(w, w->x)->type.dims[0] = DIM_NONE; return "size is missing";
    case 10: info(w, w->x)->type.rank = 99; return "not a type";
    case 11: ints(w, w->sum)[1] = 7; return "out of range";
    case 12: ints(w, w->sum)[1] = 0; return "ascending";
    case 13: info(w, w->matmul)->attr.n_ints = 3; return "labels";
    case 14: ints(w, w->matmul)[2] = 0; return "sizes";
    case 15: ints(w, w->matmul)[5] = 30; return "no operand";
    case 16: ints(w, w->slice)[1] = 0; return "step";
    case 17: ints(w, w->slice)[1] = 3; return "past the last";
    case 18: ints(w, w->gather)[0] = 2; return "out of range";
    case 19: info(w, args(w, w->gather)[1])->type.dtype = DTYPE_F32; return "not integers";
    case 20: results[0].value = w->matmul; return "not a scalar";
    case 21: results[0].value = NODE_NONE; return "does not exist";
    case 22: results[0].name = NULL; return "no name";
    case 23: results[1].value = w->x; return "not of the type";
    case 24: results[2].old = NODE_NONE; return "old value";
    case 25: results[2].old = w->x; return "no parameter or state";
    case 26: results[2].value = w->x; return "differ in type";
    case 27: results[0].old = w->state; return "updates and initial";
    case 28: function->loss = w->x; return "not a scalar";
    case 29: results[1] = results[0]; return "two results";
    case 30: w->module->inputs->node = w->w; return "what it is not";
    case 31: w->module->n_dims = 0; return "not among the dims";
    case 32: w->module->checks->left = DIM_NONE; return "condition";
    case 33: w->module->checks->left = DIM_NONE, w->module->checks->condition = w->x; return "bool scalar";
    case 34: info(w, w->x)->type.range = dim_constant(dims, 4); return "range";
    case 35: ints(w, w->window)[0] = 2; return "out of range";
    case 36: ints(w, w->window)[0] = -1; return "out of range";
    case 37: ints(w, w->window)[1] = 0; return "stride";
    case 38: ints(w, w->window)[2] = -1; return "dilation";
    case 39: info(w, w->window)->attr.n_ints = 2; return "an axis, a stride";
    case 40: info(w, w->window)->attr.n_sizes = 0; return "and a padding";
    case 41: info(w, w->window)->type.dims[info(w, w->window)->type.rank -= 1] = DIM_NONE; return "two axes for one";
    case 42: info(w, w->window)->type.dims[0] = dim_constant(dims, 5); return "sizes differ";
    case 43: info(w, w->window)->type.dims[1] = dim_constant(dims, -1); return "negative";
    case 44: info(w, w->window)->type.dtype = DTYPE_F64; return "element type";
    case 45: *(Dim *)info(w, w->window)->attr.sizes = dim_constant(dims, INT64_MIN); return "64 bits";
    case 46: ints(w, w->unwindow)[1] = 0; return "stride";
    case 47: info(w, w->unwindow)->type.dims[info(w, w->unwindow)->type.rank -= 1] = DIM_NONE; return "out of range";
    case 48: info(w, w->unwindow)->type.dtype = DTYPE_BOOL; return "bool";
    default: return NULL;
    }
}
/* clang-format on */

Test(verify, refuses_each_kind_of_damage)
{
    World good = world_new();
    cr_assert_null(module_verify(good.module));
    graph_free(good.module->graph);
    context_free(good.context);
    for (int kind = 0;; kind++) {
        World w = world_new();
        const char *says = damage(&w, kind), *wrong = says ? module_verify(w.module) : NULL;
        cr_expect(!says || wrong, "damage %d is not seen", kind);
        cr_expect(!wrong || strstr(wrong, says), "damage %d: %s", kind, wrong);
        graph_free(w.module->graph);
        context_free(w.context);
        if (!says) break;
    }
}
