/* Models that the tests of nnc.h compile. */
#ifndef NNC_TESTS_API_MODELS_H
#define NNC_TESTS_API_MODELS_H

#include <nnc/nnc.h>

#define LOGISTIC                                                                                                       \
    "model logistic {\n"                                                                                               \
    "    input x: f32[batch, 2]\n"                                                                                     \
    "    target y: f32[batch]\n"                                                                                       \
    "    param w: f32[2] = 0.5\n"                                                                                      \
    "    param b: f32 = 0\n"                                                                                           \
    "    z = x @ w + b\n"                                                                                              \
    "    p = sigmoid(z)\n"                                                                                             \
    "    output p\n"                                                                                                   \
    "    loss = bce(p, y)\n"                                                                                           \
    "}\n"                                                                                                              \
    "train logistic { optimizer = sgd(lr = 1.0) }\n"

/* The same by calls: mean over the batch of softplus(z) - y * z, updated by gradient descent. */
static inline nnc_value build_logistic(nnc_graph *graph)
{
    nnc_value half = nnc_constant(graph, "f32", 0.5);
    nnc_value x = nnc_input(graph, "x", "f32[batch, 2]"), y = nnc_target(graph, "y", "f32[batch]");
    nnc_value w = nnc_param(graph, "w", "f32[2]", half), b = nnc_param(graph, "b", "f32", NNC_NONE);
    nnc_value z = nnc_binary(graph, "add", nnc_contract(graph, "bi,i->b", x, w), b);
    nnc_value each = nnc_binary(graph, "sub", nnc_unary(graph, "softplus", z), nnc_binary(graph, "mul", y, z));
    nnc_value loss = nnc_reduce(graph, "mean", each, NULL, 0);
    nnc_value lr = nnc_setting(graph, "lr", "f32", 1.0);
    nnc_value params[2];
    params[0] = w;
    params[1] = b;
    for (int i = 0; i < 2; i++) {
        nnc_value change = nnc_binary(graph, "mul", lr, nnc_derivative(graph, loss, params[i]));
        nnc_update(graph, params[i], nnc_binary(graph, "sub", params[i], change));
    }
    nnc_output(graph, "p", nnc_unary(graph, "sigmoid", z));
    nnc_loss(graph, "loss", loss);
    return loss;
}

#endif
