/* Expressions by layers, functions of the library, products and derivatives; losses and metrics. */
#include "generate_internal.h"

static bool put_product(Model *model, const Shape *shape, int depth, Text *to)
{
    if (shape->rank < 2) return false;
    Shape left = *shape, right = {.rank = 2, .dims = {random_size(model), shape->dims[shape->rank - 1]}};
    left.dims[left.rank - 1] = right.dims[0];
    text_string(to, "(");
    put_value(model, REAL, &left, depth, to);
    text_string(to, " @ ");
    put_value(model, REAL, &right, depth, to);
    text_string(to, ")");
    return true;
}

/* A layer that keeps the shape, or gives the last axis its size. */
static bool put_layer(Model *model, const Shape *shape, int depth, Text *to)
{
    static const char *const keeping[] = {
        "layer_norm",         "rms_norm",  "dropout", "prelu", "dropout(0.9)", "layer_norm(eps = 0.1)",
        "residual({ tanh })", "batch_norm"};
    if (!shape->rank) return false;
    Shape from = *shape;
    int64_t units = shape->dims[shape->rank - 1];
    if (one_in(model, 2) && units > 0 && units < 1000000) {
        from.dims[from.rank - 1] = random_size(model);
        text_string(to, "(");
        put_value(model, REAL, &from, depth, to);
        text_string(to, one_in(model, 2) ? " |> dense(4) |> relu |> dense(" : " |> dense(");
        text_format(to, one_in(model, 3) ? "%lld, bias = false))" : "%lld))", (long long)units);
        return true;
    }
    text_string(to, "(");
    put_value(model, REAL, &from, depth, to);
    text_format(to, " |> %s)", keeping[below(model, shape->rank > 1 ? 8 : 7)]);
    return true;
}

/* The derivative of a scalar by an input or parameter of the shape. */
static bool put_derivative(Model *model, const Shape *shape, int depth, Text *to)
{
    const Named value = *fresh_source(model, REAL, shape);
    const Shape scalar = {0};
    const Named sum = *bind_value(model, REAL, &scalar, depth);
    char name[400];
    fresh_name(model, name);
    text_format(&model->body, "    %s = %s + sum(%s * sin(%s))\n", name, sum.name, value.name, value.name);
    text_format(to, "grad(%s, %s)", name, value.name);
    return true;
}

/* Classes as rows of ones and zeros. */
static bool put_one_hot(Model *model, const Shape *shape, Text *to)
{
    if (!shape->rank || shape->dims[shape->rank - 1] < 1) return false;
    Shape ids = *shape;
    ids.rank--;
    char name[400];
    fresh_name(model, name);
    text_format(&model->head, "    input %s: i32", name);
    if (ids.rank) put_shape(&ids, &model->head);
    text_format(&model->head, " in %lld\n", (long long)shape->dims[ids.rank]);
    text_format(to, "one_hot(%s)", name);
    return true;
}

bool put_layered(Model *model, const Shape *shape, int depth, Text *to)
{
    switch (below(model, 5)) {
    case 0:
        return put_product(model, shape, depth, to);
    case 1:
        return put_derivative(model, shape, depth, to);
    case 2:
        return put_one_hot(model, shape, to);
    default:
        return put_layer(model, shape, depth, to);
    }
}

static void put_two(Model *model, const char *name, const char *more, int depth, Text *to)
{
    const Shape shape = random_shape(model, 3);
    text_format(to, "%s(", name);
    put_value(model, REAL, &shape, depth, to);
    text_string(to, ", ");
    put_value(model, REAL, &shape, depth, to);
    text_format(to, "%s)", more);
}

/* Of scores and classes. */
static void put_classes(Model *model, int depth, Text *to)
{
    static const char *const names[] = {"cross_entropy", "accuracy", "perplexity", "top_k", "nll"};
    Shape shape = {.rank = 2, .dims = {random_size(model), random_size(model)}};
    if (shape.dims[1] < 1) shape.dims[1] = 3;
    char name[400];
    fresh_name(model, name);
    text_format(&model->head, "    target %s: i32[", name);
    put_size(shape.dims[0], &model->head);
    text_format(&model->head, "] in %lld\n", (long long)shape.dims[1]);
    text_format(to, "%s(", names[below(model, 5)]);
    put_value(model, REAL, &shape, depth, to);
    text_format(to, ", %s)", name);
}

void put_loss(Model *model, int depth, Text *to)
{
    static const char *const pairs[] = {"mse",  "mae", "huber",     "bce",    "bce_logits", "hinge",
                                        "rmse", "r2",  "precision", "recall", "f1"};
    const Shape shape = random_shape(model, 4), scalar = {0};
    switch (below(model, 5)) {
    case 0:
        put_value(model, REAL, &scalar, depth, to);
        break;
    case 1:
        put_two(model, pairs[below(model, sizeof pairs / sizeof *pairs)], "", depth, to);
        break;
    case 2:
        put_classes(model, depth, to);
        break;
    default:
        text_string(to, one_in(model, 2) ? "sum(" : "mean(");
        put_value(model, REAL, &shape, depth, to);
        text_string(to, ")");
    }
}
