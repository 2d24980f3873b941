/* Random valid modules for property tests. */
#ifndef NNC_TESTS_RANDOM_MODULE_H
#define NNC_TESTS_RANDOM_MODULE_H

#include <math.h>

#include "ir/build.h"
#include "ir/module.h"
#include "ir/window.h"

typedef struct {
    Graph *graph;
    uint64_t random;
    Node nodes[256];
    uint32_t count;
    Dim batch, five, seven;
} RandomModule;

static inline int random_below(RandomModule *r, int below)
{
    r->random = r->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (int)((r->random >> 33) % (uint64_t)below);
}

static inline Node random_node(RandomModule *r)
{
    return r->nodes[random_below(r, (int)r->count)];
}

static inline Name random_name(RandomModule *r, const char *stem, int below)
{
    return intern_format(graph_context(r->graph)->names, "%s%d", stem, random_below(r, below));
}

static inline double random_number(RandomModule *r)
{
    static const double special[] = {0.0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 0.1, 5e-324, 1e300, 1e16, 123456789};
    uint64_t bits = 0x7ff8000000000000ULL + (uint64_t)random_below(r, 1000);
    double payload;
    memcpy(&payload, &bits, sizeof bits);
    switch (random_below(r, 3)) {
    case 0:
        return special[random_below(r, (int)(sizeof special / sizeof *special))];
    case 1:
        return payload;
    default:
        return (random_below(r, 2000001) - 1000000) / 997.0;
    }
}

/* All values are f32[batch, 5, 7], so that any two fit. */
static inline Type random_type(RandomModule *r)
{
    return type_make(DTYPE_F32, 3, (Dim[]){r->batch, r->five, r->seven});
}

static inline Node random_source(RandomModule *r)
{
    Graph *g = r->graph;
    float numbers[35];
    Type literal = type_make(DTYPE_F32, 2, (Dim[]){r->five, r->seven});
    switch (random_below(r, 8)) {
    case 0:
        return build_source(g, OP_INPUT, random_name(r, "x", 4), random_type(r));
    case 1:
        return build_source(g, OP_PARAM, random_name(r, "layer[0].\"odd\\ name\"\n", 4), random_type(r));
    case 2:
        return build_source(g, OP_STATE, random_name(r, "état", 4), random_type(r));
    case 3:
        return build_random(g, random_name(r, "draw", 4), random_below(r, 3), random_type(r));
    case 4:
        return build_iota(g, random_type(r), (uint32_t)random_below(r, 3));
    case 5: {
        Type type = random_type(r);
        return build_splat(g, build_setting(g, random_name(r, "lr", 4), DTYPE_F32, random_number(r)), &type);
    }
    case 6: {
        Type type = random_type(r);
        for (int i = 0; i < 35; i++) numbers[i] = (float)random_number(r);
        return build_broadcast(g, build_literal(g, literal, numbers, sizeof numbers), &type, (int32_t[]){1, 2});
    }
    default:
        return build_constant(g, random_type(r), random_number(r));
    }
}

static inline Node random_operation(RandomModule *r)
{
    Graph *g = r->graph;
    Node x = random_node(r), y = random_node(r), z = random_node(r);
    Type type = *node_type(g, x);
    DimTable *dims = graph_dims(g);
    Dim zero = dim_constant(dims, 0), one = dim_constant(dims, 1), three = dim_constant(dims, 3);
    switch (random_below(r, 15)) {
    case 0:
        return build_unary(g, (Op)(OP_NEG + random_below(r, OP_ROUND - OP_NEG + 1)), x);
    case 1:
        return build_binary(g, (Op)(OP_ADD + random_below(r, OP_ATAN2 - OP_ADD + 1)), x, y);
    case 2:
        return build_select(g, build_binary(g, (Op)(OP_EQ + random_below(r, 4)), x, y), y, z);
    case 3: {
        int32_t axis = random_below(r, 3);
        Node sum = build_reduce(g, (Op)(OP_SUM + random_below(r, 4)), x, &axis, 1);
        return build_unreduce(g, sum, &type, &axis, 1);
    }
    case 4: {
        Node turned = build_transpose(g, x, (int32_t[]){0, 2, 1});
        return build_transpose(g, build_unary(g, OP_EXP, turned), (int32_t[]){0, 2, 1});
    }
    case 5: {
        Node cut =
            build_slice(g, x, (Dim[]){zero, one, zero}, (Dim[]){r->batch, three, r->seven}, (int32_t[]){1, 1, 1});
        return build_pad(g, cut, (Dim[]){zero, one, zero}, type.dims);
    }
    case 6:
        return build_along(g, (Op)(OP_SOFTMAX + random_below(r, 3)), x, (uint32_t)random_below(r, 3));
    case 7: {
        /* x[b, i, k], y[b, j, k] -> [b, i, j], and back by z[b, j, l] */
        Node square = build_contract(g, x, y, (int32_t[]){0, 1, 3, 0, 2, 3, 0, 1, 2}, 3);
        return build_contract(g, square, z, (int32_t[]){0, 1, 2, 0, 2, 3, 0, 1, 3}, 3);
    }
    case 8: {
        int32_t axis = 2;
        Node best = build_reduce(g, OP_ARGMAX, x, &axis, 1);
        Type ids = type_make(DTYPE_I32, 3, type.dims);
        return build_gather(g, y, build_broadcast(g, best, &ids, (int32_t[]){0, 1}), 2, 2);
    }
    case 9: {
        int32_t axis = random_below(r, 3);
        return build_reverse(g, x, &axis, 1);
    }
    case 10: {
        Dim flat = dim_mul(dims, r->five, r->seven);
        return build_reshape(g, build_unary(g, OP_TANH, build_reshape(g, x, 2, (Dim[]){r->batch, flat})), 3, type.dims);
    }
    case 11:
        return build_cast(g, build_cast(g, x, DTYPE_BF16), DTYPE_F32);
    case 12:
        return build_splat(g, build_size(g, dim_floor_div(dims, r->batch, dim_constant(dims, 2)), DTYPE_F32), &type);
    case 13: {
        Window window = {.axis = (uint32_t)random_below(r, 3), .dilation = 1 + random_below(r, 2)};
        window.stride = 1 + random_below(r, 3);
        window.padding = dim_constant(dims, random_below(r, 5) - 2);
        window.size = window.count = type.dims[window.axis];
        window.taps = three;
        return build_unwindow(g, build_unary(g, OP_SIN, build_window(g, x, window)), window);
    }
    default:
        return build_stop_gradient(g, x);
    }
}

static inline Declared *declare_all(RandomModule *r, Op op, uint32_t *count)
{
    Declared *list = ARENA_ARRAY(graph_context(r->graph)->arena, Declared, graph_count(r->graph));
    for (uint32_t id = 1; id <= graph_count(r->graph); id++)
        if (node_op(r->graph, (Node){id}) == op)
            list[(*count)++] = (Declared){.node = {id}, .doc = id % 2 ? "what it\tis\n\"for\"" : NULL};
    return list;
}

static inline Module *random_module(Context *context, uint64_t seed, int operations)
{
    RandomModule r = {.graph = graph_new(context), .random = seed * 7919 + 1};
    Arena *arena = context->arena;
    DimTable *dims = graph_dims(r.graph);
    Name batch = intern(context->names, "batch");
    r.batch = dim_symbol(dims, batch);
    r.five = dim_constant(dims, 5);
    r.seven = dim_constant(dims, 7);
    for (int i = 0; i < 6; i++) r.nodes[r.count++] = random_source(&r);
    for (int i = 0; i < operations && r.count < 250; i++) {
        r.nodes[r.count] = random_operation(&r);
        if (random_below(&r, 4) == 0) graph_set_name(r.graph, r.nodes[r.count], random_name(&r, "value \xc3\xa9 ", 9));
        r.count++;
    }
    Module *module = ARENA_NEW(arena, Module);
    Function *function = ARENA_NEW(arena, Function);
    Result *results = ARENA_ARRAY(arena, Result, 3);
    Node value = r.nodes[r.count - 1],
         state = build_source(r.graph, OP_STATE, intern(context->names, "s"), random_type(&r));
    Node loss = build_reduce_all(r.graph, OP_SUM, value);
    results[0] = (Result){RESULT_OUTPUT, intern(context->names, "out"), value, NODE_NONE};
    results[1] = (Result){RESULT_LOSS, intern(context->names, "loss"), loss, NODE_NONE};
    results[2] = (Result){RESULT_UPDATE, intern(context->names, "s"), random_node(&r), state};
    *function = (Function){intern(context->names, "training"), loss, results, 3};
    *module =
        (Module){.name = intern(context->names, "random"), .graph = r.graph, .functions = function, .n_functions = 1};
    module->dims = ARENA_COPY(arena, Name, &batch, 1);
    module->n_dims = 1;
    module->inputs = declare_all(&r, OP_INPUT, &module->n_inputs);
    module->params = declare_all(&r, OP_PARAM, &module->n_params);
    module->states = declare_all(&r, OP_STATE, &module->n_states);
    module->settings = declare_all(&r, OP_SETTING, &module->n_settings);
    module->checks = ARENA_NEW(arena, Check);
    module->n_checks = 1;
    *module->checks =
        (Check){.left = dim_modulo(dims, r.batch, r.five), .right = dim_constant(dims, 0), .message = "fives"};
    return module;
}

#endif
