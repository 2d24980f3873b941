/* Models that several tests schedule. */
#ifndef NNC_TESTS_SCHEDULE_MODELS_H
#define NNC_TESTS_SCHEDULE_MODELS_H

#include "support.h"

typedef enum { UPDATE_SGD, UPDATE_ADAM } Optimizer;

static inline Node splat_like(Model *model, Node scalar, Node like)
{
    Type type = *node_type(model->graph, like);
    return build_splat(model->graph, scalar, &type);
}

static inline Node add_row(Model *model, Node x, Node row)
{
    Graph *graph = model->graph;
    Type type = *node_type(graph, x);
    int32_t last = (int32_t)type.rank - 1;
    return build_binary(graph, OP_ADD, x, build_broadcast(graph, row, &type, &last));
}

static inline Node dense(Model *model, Node x, const char *path, int64_t in, int64_t out)
{
    Dim rows = size_of(model, in), columns = size_of(model, out);
    const char *weight = arena_format(model->context->arena, "%s.W", path);
    const char *bias = arena_format(model->context->arena, "%s.b", path);
    Node W = declare(model, OP_PARAM, weight, MATRIX(rows, columns));
    Node b = declare(model, OP_PARAM, bias, VECTOR(columns));
    Node z = add_row(model, build_matmul(model->graph, x, W), b);
    graph_set_name(model->graph, z, name_of(model, path));
    return z;
}

/* The prelude's: if x <= 0 then 0 else x */
static inline Node relu(Model *model, Node x)
{
    Node zero = build_constant_like(model->graph, x, 0);
    return build_select(model->graph, build_binary(model->graph, OP_LE, x, zero), zero, x);
}

/* mean over the batch of -log_softmax(logits)[label] */
static inline Node cross_entropy(Model *model, Node logits, Node label)
{
    Graph *graph = model->graph;
    Node picked = build_gather(graph, build_along(graph, OP_LOG_SOFTMAX, logits, 1), label, 1, 1);
    Node sum = build_reduce_all(graph, OP_SUM, picked);
    Node count = build_size(graph, node_type(graph, logits)->dims[0], DTYPE_F32);
    return build_unary(graph, OP_NEG, build_binary(graph, OP_DIV, sum, count));
}

/* accuracy: how often the largest is the label */
static inline Node accuracy(Model *model, Node logits, Node label)
{
    Graph *graph = model->graph;
    int32_t axis = 1;
    Node best = build_reduce(graph, OP_ARGMAX, logits, &axis, 1);
    Node hit = build_cast(graph, build_binary(graph, OP_EQ, best, label), DTYPE_F32);
    Node count = build_size(graph, node_type(graph, logits)->dims[0], DTYPE_F32);
    return build_binary(graph, OP_DIV, build_reduce_all(graph, OP_SUM, hit), count);
}

static inline Node moving(Model *model, Node old, Node new, double rate)
{
    Graph *graph = model->graph;
    Node a = build_binary(graph, OP_MUL, old, build_constant_like(graph, old, rate));
    return build_binary(graph, OP_ADD, a, build_binary(graph, OP_MUL, new, build_constant_like(graph, old, 1 - rate)));
}

/* 1 - rate^step, a scalar */
static inline Node correction(Model *model, Node step, double rate)
{
    Graph *graph = model->graph;
    Node power = build_binary(graph, OP_POW, build_constant_like(graph, step, rate), step);
    return build_binary(graph, OP_SUB, build_constant_like(graph, step, 1), power);
}

static inline void add_adam(Model *model, Function *function, Node w, Node g, Node lr, Node step)
{
    Graph *graph = model->graph;
    Type type = *node_type(graph, w);
    Name path = graph_node(graph, w)->attr.name;
    const char *m_path = arena_format(model->context->arena, "optimizer/%s/m", path);
    const char *v_path = arena_format(model->context->arena, "optimizer/%s/v", path);
    Node m = declare(model, OP_STATE, m_path, type), v = declare(model, OP_STATE, v_path, type);
    Node new_m = moving(model, m, g, 0.9), new_v = moving(model, v, build_binary(graph, OP_MUL, g, g), 0.999);
    Node m_hat = build_binary(graph, OP_DIV, new_m, splat_like(model, correction(model, step, 0.9), w));
    Node v_hat = build_binary(graph, OP_DIV, new_v, splat_like(model, correction(model, step, 0.999), w));
    Node root = build_binary(graph, OP_ADD, build_unary(graph, OP_SQRT, v_hat), build_constant_like(graph, w, 1e-8));
    Node change = build_binary(graph, OP_MUL, splat_like(model, lr, w), build_binary(graph, OP_DIV, m_hat, root));
    add_result(model, function, RESULT_UPDATE, m_path, new_m, m);
    add_result(model, function, RESULT_UPDATE, v_path, new_v, v);
    add_result(model, function, RESULT_UPDATE, path, build_binary(graph, OP_SUB, w, change), w);
}

/* Gradients and updates of all parameters declared so far. */
static inline void add_training(Model *model, Function *function, Node loss, Optimizer optimizer)
{
    Graph *graph = model->graph;
    Node lr = declare_setting(model, "lr", 0.1), step = declare_setting(model, "step", 3);
    uint32_t count = model->module.n_params;
    for (uint32_t i = 0; i < count; i++) {
        Node w = model->params[i].node, g = build_gradient(graph, loss, w);
        Name path = graph_node(graph, w)->attr.name;
        add_result(model, function, RESULT_GRADIENT, path, g, NODE_NONE);
        if (optimizer == UPDATE_ADAM) {
            add_adam(model, function, w, g, lr, step);
        } else {
            Node change = build_binary(graph, OP_MUL, splat_like(model, lr, w), g);
            add_result(model, function, RESULT_UPDATE, path, build_binary(graph, OP_SUB, w, change), w);
        }
    }
}

/* Makes a model of the loss that is trained, and holds all that is expected of one. */
static inline void expect_trains(Model *model, Node loss, Optimizer optimizer)
{
    Function *training = add_function(model, "training");
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    add_training(model, training, loss, optimizer);
    finish_model(model);
    expect_model(model);
    expect_step_equals_training(model);
}

/* in -> hidden -> 10 with relu and cross entropy */
static inline Model *model_mlp(Optimizer optimizer, int64_t in, int64_t hidden, int64_t batch_size)
{
    Model *model = model_new();
    Dim batch = size_free(model, "batch", batch_size);
    Node image = declare(model, OP_INPUT, "image", MATRIX(batch, size_of(model, in)));
    Node label = declare_ids(model, "label", batch, size_of(model, 10));
    Node h = relu(model, dense(model, image, "hidden", in, hidden));
    Node logits = dense(model, h, "logits", hidden, 10);
    Node loss = cross_entropy(model, logits, label);
    Function *inference = add_function(model, "inference"), *training = add_function(model, "training");
    Node probability = build_along(model->graph, OP_SOFTMAX, logits, 1);
    add_result(model, inference, RESULT_OUTPUT, "probability", probability, NODE_NONE);
    add_result(model, inference, RESULT_LOSS, "loss", loss, NODE_NONE);
    add_result(model, inference, RESULT_METRIC, "accuracy", accuracy(model, logits, label), NODE_NONE);
    add_result(model, training, RESULT_OUTPUT, "probability", probability, NODE_NONE);
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    add_result(model, training, RESULT_METRIC, "accuracy", accuracy(model, logits, label), NODE_NONE);
    add_training(model, training, loss, optimizer);
    finish_model(model);
    return model;
}

#endif
