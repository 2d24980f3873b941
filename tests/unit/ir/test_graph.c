/* Interning, canonical order, side tables, reachability and rewriting; also at a size that no recursion would survive.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random_module.h"

typedef struct {
    Context *context;
    Graph *graph;
    Type type;
    Node x, y;
} World;

static World world_new(void)
{
    World world = {.context = context_new()};
    world.graph = graph_new(world.context);
    Dim batch = dim_symbol(graph_dims(world.graph), intern(world.context->names, "batch"));
    world.type = type_make(DTYPE_F32, 2, (Dim[]){batch, dim_constant(graph_dims(world.graph), 3)});
    world.x = build_source(world.graph, OP_INPUT, intern(world.context->names, "x"), world.type);
    world.y = build_source(world.graph, OP_INPUT, intern(world.context->names, "y"), world.type);
    return world;
}

static void world_free(World *world)
{
    graph_free(world->graph);
    context_free(world->context);
}

Test(graph, equal_nodes_are_one)
{
    World w = world_new();
    Node a = build_binary(w.graph, OP_ADD, w.x, w.y), b = build_binary(w.graph, OP_ADD, w.y, w.x);
    cr_expect(node_same(a, b), "addition commutes");
    cr_expect_not(node_same(build_binary(w.graph, OP_SUB, w.x, w.y), build_binary(w.graph, OP_SUB, w.y, w.x)));
    cr_expect(node_same(build_source(w.graph, OP_INPUT, intern(w.context->names, "x"), w.type), w.x));
    Name draw = intern(w.context->names, "draw");
    cr_expect_not(node_same(build_random(w.graph, draw, 0, w.type), build_random(w.graph, draw, 1, w.type)));
    world_free(&w);
}

Test(graph, numbers_are_told_apart_by_their_bits)
{
    World w = world_new();
    Node zero = build_constant(w.graph, w.type, 0.0), minus = build_constant(w.graph, w.type, -0.0);
    Node nan = build_constant(w.graph, w.type, NAN);
    cr_expect_not(node_same(zero, minus));
    cr_expect(node_same(nan, build_constant(w.graph, w.type, NAN)));
    Type integer = type_with(w.type, DTYPE_I32);
    cr_expect(node_same(build_constant(w.graph, integer, 0.0), build_constant(w.graph, integer, -0.0)));
    world_free(&w);
}

Test(graph, constants_come_last)
{
    World w = world_new();
    Node one = build_constant(w.graph, w.type, 1), late = build_unary(w.graph, OP_EXP, w.x);
    Node sum = build_binary(w.graph, OP_ADD, one, late);
    cr_expect(node_same(node_arg(w.graph, sum, 0), late));
    cr_expect(node_same(node_arg(w.graph, sum, 1), one));
    world_free(&w);
}

Test(graph, movements_merge_and_constants_move)
{
    World w = world_new();
    DimTable *dims = graph_dims(w.graph);
    const int32_t swap[] = {1, 0};
    Node turned = build_transpose(w.graph, w.x, swap);
    cr_expect(node_same(build_transpose(w.graph, turned, swap), w.x));
    Dim flat = dim_mul(dims, w.type.dims[0], w.type.dims[1]);
    Node reshaped = build_reshape(w.graph, w.x, 1, &flat);
    cr_expect(node_same(build_reshape(w.graph, reshaped, 2, w.type.dims), w.x));
    Node constant = build_constant(w.graph, w.type, 5);
    cr_expect_eq(node_op(w.graph, build_reshape(w.graph, constant, 1, &flat)), OP_CONST);
    cr_expect_eq(node_op(w.graph, build_transpose(w.graph, constant, swap)), OP_CONST);
    Type cube = type_make(DTYPE_F32, 3, (Dim[]){flat, w.type.dims[0], w.type.dims[1]});
    Type row = type_make(DTYPE_F32, 1, &w.type.dims[1]);
    Node v = build_source(w.graph, OP_PARAM, intern(w.context->names, "v"), row);
    Node once = build_broadcast(w.graph, v, &cube, (int32_t[]){2});
    Node twice =
        build_broadcast(w.graph, build_broadcast(w.graph, v, &w.type, (int32_t[]){1}), &cube, (int32_t[]){1, 2});
    cr_expect(node_same(once, twice));
    world_free(&w);
}

Test(graph, places_gather_without_duplicates)
{
    World w = world_new();
    const Span *places;
    graph_set_place(w.graph, (Span){10, 12});
    Node exp = build_unary(w.graph, OP_EXP, w.x);
    graph_set_place(w.graph, (Span){5, 6});
    build_unary(w.graph, OP_EXP, w.x);
    build_unary(w.graph, OP_EXP, w.x);
    graph_set_place(w.graph, NO_SPAN);
    cr_assert_eq(graph_places(w.graph, exp, &places), 2);
    cr_expect_eq(places[0].start, 5);
    cr_expect_eq(places[1].start, 10);
    Node log = build_unary(w.graph, OP_LOG, w.x);
    cr_expect_eq(graph_places(w.graph, log, &places), 0);
    graph_set_name(w.graph, exp, intern(w.context->names, "e"));
    graph_inherit(w.graph, log, exp);
    cr_expect_eq(graph_places(w.graph, log, &places), 2);
    cr_expect_str_eq(graph_name(w.graph, log), "e");
    world_free(&w);
}

Test(graph, layers_stay_with_the_first_and_pass_on)
{
    World w = world_new();
    Name first = intern(w.context->names, "h[0].dense"), second = intern(w.context->names, "h[1].dense");
    graph_set_layer(w.graph, first);
    Node exp = build_unary(w.graph, OP_EXP, w.x);
    graph_set_layer(w.graph, second);
    build_unary(w.graph, OP_EXP, w.x);
    Node sin = build_unary(w.graph, OP_SIN, w.x);
    graph_set_layer(w.graph, NULL);
    Node log = build_unary(w.graph, OP_LOG, w.x);
    cr_expect_eq(graph_layer(w.graph, exp), first);
    cr_expect_eq(graph_layer(w.graph, sin), second);
    cr_expect_null(graph_layer(w.graph, log));
    graph_inherit_places(w.graph, log, exp);
    graph_inherit_places(w.graph, sin, exp);
    cr_expect_eq(graph_layer(w.graph, log), first);
    cr_expect_eq(graph_layer(w.graph, sin), second);
    world_free(&w);
}

static Node sin_to_cos(void *data, Node old, Node rebuilt)
{
    (void)old;
    Graph *graph = data;
    return node_op(graph, rebuilt) == OP_SIN ? build_unary(graph, OP_COS, node_arg(graph, rebuilt, 0)) : rebuilt;
}

Test(graph, rewriting_keeps_sharing_and_places)
{
    World w = world_new();
    graph_set_place(w.graph, (Span){3, 4});
    Node sin = build_unary(w.graph, OP_SIN, w.x);
    graph_set_place(w.graph, NO_SPAN);
    Node root = build_binary(w.graph, OP_MUL, build_unary(w.graph, OP_EXP, sin), build_unary(w.graph, OP_LOG, sin));
    graph_rewrite(w.graph, &root, 1, sin_to_cos, w.graph);
    Node left = node_arg(w.graph, node_arg(w.graph, root, 0), 0),
         right = node_arg(w.graph, node_arg(w.graph, root, 1), 0);
    const Span *places;
    cr_expect(node_same(left, right));
    cr_expect_eq(node_op(w.graph, left), OP_COS);
    cr_assert_eq(graph_places(w.graph, left, &places), 1);
    cr_expect_eq(places[0].start, 3);
    world_free(&w);
}

Test(graph, reachable_lists_operands_before_users)
{
    Context *context = context_new();
    Module *module = random_module(context, 17, 80);
    uint32_t count;
    Node *nodes = graph_reachable(module->graph, &module->functions->results[0].value, 1, &count);
    unsigned char *seen = calloc(graph_count(module->graph) + 1, 1);
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(module->graph, nodes[i]);
        for (uint32_t k = 0; k < info->n_args; k++) cr_expect(seen[info->args[k].id]);
        cr_expect_not(seen[nodes[i].id]);
        seen[nodes[i].id] = 1;
    }
    cr_expect(node_same(nodes[count - 1], module->functions->results[0].value));
    free(seen);
    free(nodes);
    graph_free(module->graph);
    context_free(context);
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* A chain 300 000 deep: each walk is a loop, and the whole is done in well under ten seconds even when sanitized. */
Test(graph, deep_graphs_take_no_stack_and_little_time, .timeout = 60)
{
    enum { LAYERS = 100000 };
    World w = world_new();
    double start = seconds();
    Node h = w.x;
    for (int i = 0; i < LAYERS; i++) {
        Name path = intern_format(w.context->names, "h[%d].w", i);
        Node weight = build_splat(w.graph, build_source(w.graph, OP_PARAM, path, type_scalar(DTYPE_F32)), &w.type);
        h = build_unary(w.graph, OP_SIN, build_binary(w.graph, OP_MUL, h, weight));
    }
    graph_rewrite(w.graph, &h, 1, sin_to_cos, w.graph);
    Name batch = intern(w.context->names, "batch");
    Result result = {.role = RESULT_OUTPUT, .name = intern(w.context->names, "h"), .value = h};
    Function function = {.name = intern(w.context->names, "inference"), .results = &result, .n_results = 1};
    Module module = {.name = function.name, .graph = w.graph, .functions = &function, .n_functions = 1};
    module.dims = &batch;
    module.n_dims = 1;
    Text text = {0}, again = {0};
    module_print(&module, &text);
    Context *other = context_new();
    Module *read = module_read(other, source_add(other->sources, "deep", text_get(&text), text.count));
    cr_assert_not_null(read);
    module_print(read, &again);
    cr_assert_str_eq(text_get(&text), text_get(&again));
    cr_expect_lt(seconds() - start, 10);
    text_free(&text);
    text_free(&again);
    graph_free(read->graph);
    context_free(other);
    world_free(&w);
}
