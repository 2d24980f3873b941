/* Expressions: elementwise operators, choices, reductions, conversions, names. */
#include <string.h>

#include "generate_internal.h"

static bool same_shape(const Shape *a, const Shape *b)
{
    return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
}

static const Named *find_value(Model *model, Kind kind, const Shape *shape)
{
    int start = model->n_values ? (int)below(model, (uint64_t)model->n_values) : 0;
    for (int i = 0; i < model->n_values; i++) {
        const Named *value = &model->values[(start + i) % model->n_values];
        if (value->kind == kind && same_shape(&value->shape, shape)) return value;
    }
    return NULL;
}

static void put_leaf(Model *model, Kind kind, const Shape *shape, Text *to)
{
    const Named *found = one_in(model, 5) ? NULL : find_value(model, kind, shape);
    if (!found && one_in(model, 3)) {
        if (shape->rank) text_string(to, "broadcast(");
        put_literal(model, kind, to);
        if (!shape->rank) return;
        text_string(to, ", ");
        put_shape(shape, to);
        text_string(to, ")");
        return;
    }
    if (!found) found = fresh_source(model, kind, shape);
    text_string(to, found->name);
}

static void put_call(Model *model, const char *name, Kind kind, const Shape *shape, int depth, Text *to)
{
    text_format(to, "%s(", name);
    put_value(model, kind, shape, depth, to);
    text_string(to, ")");
}

static void put_unary(Model *model, const Shape *shape, int depth, Text *to)
{
    static const char *const names[] = {
        "abs",     "sign",         "sqrt",       "rsqrt",      "exp",         "expm1",         "log",
        "log1p",   "sin",          "cos",        "tan",        "asin",        "acos",          "atan",
        "sinh",    "cosh",         "tanh",       "erf",        "erfc",        "sigmoid",       "softplus",
        "floor",   "ceil",         "round",      "relu",       "elu",         "selu",          "celu",
        "gelu",    "gelu_tanh",    "silu",       "mish",       "softsign",    "identity",      "-",
        "softmax", "hard_sigmoid", "hard_swish", "leaky_relu", "log_softmax", "stop_gradient", "cumsum"};
    char own[24];
    const char *name = names[below(model, sizeof names / sizeof *names)];
    bool along = !strcmp(name, "softmax") || !strcmp(name, "log_softmax") || !strcmp(name, "cumsum");
    if (along && !shape->rank) name = "tanh";
    if (model->n_functions && one_in(model, 5)) {
        snprintf(own, sizeof own, "f%d", (int)below(model, (uint64_t)model->n_functions));
        name = own;
    }
    put_call(model, name, REAL, shape, depth, to);
}

/* A shape that stretches to this one: itself, without leading axes, or with an axis of 1. */
static Shape stretchable(Model *model, const Shape *shape)
{
    Shape small = *shape;
    if (!shape->rank || !one_in(model, 3)) return small;
    int drop = (int)below(model, (uint64_t)shape->rank + 1);
    small.rank -= drop;
    memmove(small.dims, small.dims + drop, (size_t)small.rank * sizeof *small.dims);
    if (!drop) small.dims[below(model, (uint64_t)small.rank)] = 1;
    return small;
}

static void put_binary(Model *model, Kind kind, Kind of, const char *const *operators, size_t count, const Shape *shape,
                       int depth, Text *to)
{
    const char *op = operators[below(model, count)];
    bool named = op[0] >= 'a' && strcmp(op, "and") && strcmp(op, "or");
    bool number = kind != TRUTH && one_in(model, 4);
    Shape small = stretchable(model, shape);
    text_format(to, named ? "%s(" : "(", op);
    put_value(model, of, shape, depth, to);
    text_format(to, named ? ", " : " %s ", op);
    if (number)
        put_literal(model, of, to);
    else
        put_value(model, of, &small, depth, to);
    text_string(to, ")");
}

static void put_choice(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    Shape scalar = {0};
    text_string(to, "(if ");
    put_value(model, TRUTH, one_in(model, 4) ? &scalar : shape, depth, to);
    text_string(to, " then ");
    put_value(model, kind, shape, depth, to);
    text_string(to, " else ");
    if (kind != TRUTH && one_in(model, 3))
        put_literal(model, kind, to);
    else
        put_value(model, kind, shape, depth, to);
    text_string(to, ")");
}

/* Reduces an axis that the shape does not have, or one of size 1 that it keeps. */
static void put_reduction(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    static const char *const reals[] = {"sum", "mean", "prod", "max", "min", "logsumexp", "variance"};
    static const char *const wholes[] = {"sum", "max", "min", "prod", "argmax", "argmin"};
    static const char *const truths[] = {"any", "all"};
    if (shape->rank == MOST_AXES) {
        put_leaf(model, kind, shape, to);
        return;
    }
    const char *name = kind == REAL    ? reals[below(model, 7)]
                       : kind == WHOLE ? wholes[below(model, 6)]
                                       : truths[below(model, 2)];
    bool places = !strncmp(name, "arg", 3);
    Shape larger = *shape;
    int axis = (int)below(model, (uint64_t)shape->rank + 1);
    bool keep = axis < shape->rank && shape->dims[axis] == 1 && !places;
    if (!keep) {
        memmove(larger.dims + axis + 1, larger.dims + axis, (size_t)(shape->rank - axis) * sizeof *larger.dims);
        larger.rank++;
    }
    larger.dims[axis] = random_size(model);
    text_format(to, "%s(", name);
    put_value(model, places ? REAL : kind, &larger, depth, to);
    text_format(to, ", axis = %d%s)", one_in(model, 2) ? axis : axis - larger.rank, keep ? ", keep = true" : "");
}

static void put_real(Model *model, const Shape *shape, int depth, Text *to)
{
    static const char *const operators[] = {"+", "-", "*", "/", "//", "%", "^", "max", "min", "atan2"};
    switch (below(model, 10)) {
    case 0:
    case 1:
        put_unary(model, shape, depth, to);
        break;
    case 2:
    case 3:
        put_binary(model, REAL, REAL, operators, 10, shape, depth, to);
        break;
    case 4:
        put_choice(model, REAL, shape, depth, to);
        break;
    case 5:
        put_reduction(model, REAL, shape, depth, to);
        break;
    case 6:
        put_call(model, one_in(model, 3) ? "f64" : "f32", one_in(model, 2) ? WHOLE : TRUTH, shape, depth, to);
        break;
    case 7:
        if (put_layered(model, shape, depth, to)) break;
        put_unary(model, shape, depth, to);
        break;
    default:
        if (!put_moved(model, REAL, shape, depth, to)) put_binary(model, REAL, REAL, operators, 5, shape, depth, to);
    }
}

static void put_whole(Model *model, const Shape *shape, int depth, Text *to)
{
    static const char *const operators[] = {"+", "-", "*", "//", "%", "max", "min"};
    static const char *const casts[] = {"i32", "i64", "u8"};
    switch (below(model, 6)) {
    case 0:
    case 1:
        put_binary(model, WHOLE, WHOLE, operators, 7, shape, depth, to);
        break;
    case 2:
        put_reduction(model, WHOLE, shape, depth, to);
        break;
    case 3:
        put_choice(model, WHOLE, shape, depth, to);
        break;
    case 4:
        put_call(model, casts[below(model, 3)], (Kind)below(model, 3), shape, depth, to);
        break;
    default:
        if (!put_moved(model, WHOLE, shape, depth, to)) put_call(model, "-", WHOLE, shape, depth, to);
    }
}

static void put_truth(Model *model, const Shape *shape, int depth, Text *to)
{
    static const char *const comparisons[] = {"==", "!=", "<", "<=", ">", ">="};
    static const char *const logic[] = {"and", "or"};
    switch (below(model, 5)) {
    case 0:
    case 1:
        put_binary(model, TRUTH, one_in(model, 2) ? REAL : WHOLE, comparisons, 6, shape, depth, to);
        break;
    case 2:
        put_binary(model, TRUTH, TRUTH, logic, 2, shape, depth, to);
        break;
    case 3:
        put_reduction(model, TRUTH, shape, depth, to);
        break;
    default:
        if (put_moved(model, TRUTH, shape, depth, to)) break;
        text_string(to, "(not ");
        put_value(model, TRUTH, shape, depth, to);
        text_string(to, ")");
    }
}

/* The same value within many calls and brackets. */
static void put_nested(Model *model, const Shape *shape, Text *to)
{
    static const char *const opening[] = {"(", "tanh(", "(1 + ", "-(", "abs(", "(-"};
    uint64_t times = 1 + below(model, 120), way = below(model, 6);
    for (uint64_t i = 0; i < times; i++) text_string(to, opening[way]);
    put_leaf(model, REAL, shape, to);
    for (uint64_t i = 0; i < times; i++) text_string(to, ")");
}

void put_value(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    if (depth <= 0 || model->budget-- <= 0)
        put_leaf(model, kind, shape, to);
    else if (kind == REAL && !model->tame && one_in(model, 30))
        put_nested(model, shape, to);
    else if (one_in(model, 8))
        put_leaf(model, kind, shape, to);
    else if (kind == REAL)
        put_real(model, shape, depth - 1, to);
    else if (kind == WHOLE)
        put_whole(model, shape, depth - 1, to);
    else
        put_truth(model, shape, depth - 1, to);
}
