/* A model as a whole: what it declares, how it is trained. */
#include <string.h>

#include "generate_internal.h"
#include "support/vector.h"

/* ---- Chance ---- */

uint64_t below(Model *model, uint64_t bound)
{
    model->state = model->state * 6364136223846793005ULL + 1442695040888963407ULL;
    uint64_t bits = (model->state ^ model->state >> 29) * 0x9E3779B97F4A7C15ULL;
    return (bits >> 33) % bound;
}

bool one_in(Model *model, uint64_t times)
{
    return !below(model, times);
}

/* ---- Sizes and literals ---- */

int64_t random_size(Model *model)
{
    static const int64_t wild[] = {0,         0,         1,         16,         17,         255,
                                   256,       257,       65536,     2147483647, 2147483648, 4294967297,
                                   1LL << 40, 1LL << 55, INT64_MAX, 1LL << 62,  16777217,   1000000000};
    if (!model->tame && one_in(model, 6)) return wild[below(model, sizeof wild / sizeof *wild)];
    if (one_in(model, 4)) return -1 - (int64_t)below(model, FREE_SIZES);
    return 1 + (int64_t)below(model, 5);
}

Shape random_shape(Model *model, int most)
{
    Shape shape = {.rank = (int)below(model, (uint64_t)most + 1)};
    for (int i = 0; i < shape.rank; i++) shape.dims[i] = random_size(model);
    return shape;
}

void put_size(int64_t size, Text *to)
{
    if (size < 0)
        text_string(to, size == -1 ? "n" : "m");
    else
        text_format(to, "%lld", (long long)size);
}

void put_shape(const Shape *shape, Text *to)
{
    text_string(to, "[");
    for (int i = 0; i < shape->rank; i++) {
        if (i) text_string(to, ", ");
        put_size(shape->dims[i], to);
    }
    text_string(to, "]");
}

void put_integer(Model *model, Text *to)
{
    static const char *const wild[] = {"127",
                                       "128",
                                       "255",
                                       "256",
                                       "-128",
                                       "-1000000",
                                       "32768",
                                       "2147483647",
                                       "-2147483648",
                                       "2147483648",
                                       "4294967296",
                                       "9007199254740993",
                                       "16777217",
                                       "-2147483649",
                                       "65536",
                                       "9223372036854775807",
                                       "-9223372036854775807",
                                       "9223372036854775808"};
    if (!model->tame && one_in(model, 3))
        text_string(to, wild[below(model, sizeof wild / sizeof *wild)]);
    else
        text_format(to, "%d", (int)below(model, 7) - 2);
}

void put_literal(Model *model, Kind kind, Text *to)
{
    static const char *const tame[] = {"0.5", "1.5", "0.1", "2.0", "0.25", "1e-3", "pi", "3"};
    static const char *const wild[] = {"0.0",   "-0.0",    "1e-45",      "1.2e-38", "3.4e38", "3.5e38",
                                       "1e308", "65504.0", "65520.0",    "1e-320",  "6e-8",   "1e10",
                                       "-1e30", "1e-7",    "16777217.0", "1e300"};
    if (kind == TRUTH)
        text_string(to, one_in(model, 2) ? "true" : "false");
    else if (kind == WHOLE)
        put_integer(model, to);
    else if (!model->tame && one_in(model, 3))
        text_string(to, wild[below(model, sizeof wild / sizeof *wild)]);
    else
        text_string(to, tame[below(model, sizeof tame / sizeof *tame)]);
}

/* ---- Names ---- */

void fresh_name(Model *model, char name[400])
{
    static const char *const odd[] = {"σ",     "größe", "int",  "NULL",   "errno",    "sum",    "mean",
                                      "data",  "loss_", "_",    "__x",    "restrict", "size_t", "W",
                                      "step_", "π",     "main", "printf", "model_"};
    int number = model->n_names++;
    if (!model->tame && one_in(model, 12)) {
        snprintf(name, 400, "%s%d", odd[below(model, sizeof odd / sizeof *odd)], number);
    } else if (!model->tame && one_in(model, 60)) {
        memset(name, 'q', 300);
        snprintf(name + 300, 100, "%d", number);
    } else {
        snprintf(name, 400, "v%d", number);
    }
}

Named *name_value(Model *model, const char *name, Kind kind, const Shape *shape, bool source)
{
    int at = model->n_values < MOST_VALUES ? model->n_values++ : (int)below(model, MOST_VALUES);
    Named *value = &model->values[at];
    *value = (Named){.kind = kind, .shape = *shape, .source = source};
    snprintf(value->name, sizeof value->name, "%s", name);
    return value;
}

/* ---- Statements ---- */

const Named *fresh_source(Model *model, Kind kind, const Shape *shape)
{
    static const char *const reals[] = {"f32", "f32", "f32", "f32", "f64", "bf16", "f16"};
    static const char *const wholes[] = {"i32", "i32", "i64", "u8"};
    char name[400];
    fresh_name(model, name);
    const char *type = kind == REAL    ? reals[below(model, model->tame ? 4 : 7)]
                       : kind == WHOLE ? wholes[below(model, 4)]
                                       : "bool";
    bool param = kind == REAL && one_in(model, 3);
    text_format(&model->head, "    %s %s: %s", param ? "param" : one_in(model, 8) ? "target" : "input", name, type);
    if (shape->rank) put_shape(shape, &model->head);
    if (kind == WHOLE && one_in(model, 3)) {
        text_string(&model->head, " in ");
        put_size(random_size(model), &model->head);
    }
    if (param) text_string(&model->head, one_in(model, 2) ? " ~ normal" : " = 0.5");
    text_string(&model->head, "\n");
    return name_value(model, name, kind, shape, true);
}

const Named *bind_value(Model *model, Kind kind, const Shape *shape, int depth)
{
    Text value = {0};
    char name[400];
    put_value(model, kind, shape, depth, &value);
    fresh_name(model, name);
    text_format(&model->body, "    %s = %s\n", name, text_get(&value));
    text_free(&value);
    return name_value(model, name, kind, shape, false);
}

/* A loop whose turns change a value of one shape, in place or twice as large each time. */
static void put_repeat(Model *model, Text *to)
{
    const Shape shape = random_shape(model, 3);
    const Named value = *bind_value(model, REAL, &shape, 1);
    static const char *const turns[] = {"%s = %s + 1", "%s = tanh(%s)", "%s = 0.5 * %s", "%s = stop_gradient(%s)"};
    unsigned times = (unsigned)below(model, 4);
    if (!model->tame && one_in(model, 4)) times = (unsigned)below(model, 70);
    text_format(to, "    repeat %u { ", times);
    if (!model->tame && shape.rank && one_in(model, 3))
        text_format(to, "%s = concat(%s, %s, axis = 0)", value.name, value.name, value.name);
    else
        text_format(to, turns[below(model, 4)], value.name, value.name);
    text_string(to, " }\n");
}

static void put_functions(Model *model)
{
    static const char *const bodies[] = {"x * sigmoid(x)",  "x^2 - x",       "if x > 0 then x else -x",
                                         "max(x, 0.5) / 2", "log1p(exp(x))", "x"};
    static const char *const uses[] = {"f%d(x) + f%d(x)", "f%d(f%d(x))", "f%d(x) * 0.5 + f%d(x + 1)"};
    uint64_t count = below(model, 4);
    for (uint64_t i = 0; i < count; i++) {
        int number = model->n_functions;
        text_format(&model->items, "fn f%d(x) = ", number);
        if (number && one_in(model, 2))
            text_format(&model->items, uses[below(model, 3)], number - 1, number - 1);
        else
            text_string(&model->items, bodies[below(model, 6)]);
        text_string(&model->items, "\n");
        if (one_in(model, 4)) text_format(&model->items, "derivative f%d(x) = dy * cos(x)\n", number);
        model->n_functions++;
    }
}

static void put_training(Model *model, Text *to)
{
    static const char *const rules[] = {"frozen()",
                                        "sgd(lr = 0.1)",
                                        "momentum()",
                                        "nesterov()",
                                        "adagrad()",
                                        "rmsprop()",
                                        "adadelta()",
                                        "adam()",
                                        "adamw()",
                                        "adamax()",
                                        "nadam()",
                                        "lion()",
                                        "lamb()",
                                        "sgd(lr = 1e30)",
                                        "adam(lr = 0.001 * cosine_decay(progress))",
                                        "sgd(lr = step_decay(step, 10))"};
    text_format(to, "train m { optimizer = %s", rules[below(model, sizeof rules / sizeof *rules)]);
    if (one_in(model, 4)) text_string(to, "; clip_norm = 1.0");
    if (one_in(model, 4)) text_string(to, "; clip_value = 0.5");
    if (one_in(model, 4)) text_string(to, "; accumulate = 2");
    if (one_in(model, 4)) text_string(to, "; average = 0.9");
    text_string(to, "; steps = ");
    text_format(to, "%u", (unsigned)(model->tame ? 10 : below(model, 2000000000)));
    text_string(to, " }\n");
}

static void put_results(Model *model)
{
    uint64_t outputs = 1 + below(model, 3);
    for (uint64_t i = 0; i < outputs; i++) {
        Shape shape = random_shape(model, 4);
        Text value = {0};
        put_value(model, (Kind)below(model, 3), &shape, 3, &value);
        text_format(&model->body, "    output out%d = %s\n", (int)i, text_get(&value));
        text_free(&value);
    }
    for (int i = 0; i < 2; i++) {
        Text value = {0};
        if (one_in(model, 3)) continue;
        put_loss(model, 3, &value);
        text_format(&model->body, i ? "    metric score = %s\n" : "    loss = %s + anchor^2\n", text_get(&value));
        model->has_loss |= !i;
        text_free(&value);
    }
}

bool generate_is_tame(uint64_t number)
{
    return number % 3 != 0;
}

void generate_model(uint64_t number, Text *to)
{
    Model *model = calloc(1, sizeof *model);
    LAW(model, "no memory");
    model->state = number * 2654435761 + 97;
    model->tame = generate_is_tame(number);
    below(model, 2);
    model->budget = 10 + (int)below(model, 60);
    put_functions(model);
    for (uint64_t i = below(model, 5); i > 0; i--) {
        Shape shape = random_shape(model, 3);
        bind_value(model, (Kind)below(model, 3), &shape, 2);
        if (one_in(model, 4)) put_repeat(model, &model->body);
    }
    put_results(model);
    text_format(to, "%smodel m {\n", text_get(&model->items));
    /* Both sizes are named, and the loss reaches a parameter, whatever else there is. */
    text_string(to, "    input first: f32[n, m]\n    param anchor: f32 = 0.5\n");
    text_format(to, "%s%s    output own = first\n}\n", text_get(&model->head), text_get(&model->body));
    if (model->has_loss && one_in(model, 2)) put_training(model, to);
    text_free(&model->items);
    text_free(&model->head);
    text_free(&model->body);
    free(model);
}
