#include "check/foreign.h"

#include <stddef.h>
#include <strings.h>

typedef struct {
    const char *name, *here;
} Foreign;

static const Foreign functions[] = {
    {"linear", "a linear layer is `dense(units)`"},
    {"fc", "a linear layer is `dense(units)`"},
    {"fully_connected", "a linear layer is `dense(units)`"},
    {"softmax_cross_entropy", "`cross_entropy(logits, label)` takes what comes before a softmax"},
    {"categorical_crossentropy", "`cross_entropy(logits, label)` takes what comes before a softmax"},
    {"crossentropyloss", "`cross_entropy(logits, label)` takes what comes before a softmax"},
    {"binary_crossentropy", "that is `bce`, or `bce_logits` before a sigmoid"},
    {"mse_loss", "that is `mse`"},
    {"mean_squared_error", "that is `mse`"},
    {"l1_loss", "that is `mae`"},
    {"matmul", "a matrix product is written `a @ b`"},
    {"dot", "a product of vectors is written `a @ b`"},
    {"mm", "a matrix product is written `a @ b`"},
    {"pow", "a power is written `x^2`"},
    {"power", "a power is written `x^2`"},
    {"ln", "the natural logarithm is `log`"},
    {"view", "that is `reshape(x, [sizes])`"},
    {"cat", "that is `concat(a, b)`"},
    {"concatenate", "that is `concat(a, b)`"},
    {"average", "that is `mean`"},
    {"batchnorm", "that is `batch_norm`"},
    {"layernorm", "that is `layer_norm`"},
    {"backward", "gradients need no call: `grad(loss, w)` is a value, and `train` uses them by itself"},
    {"print", "nothing is printed while a model runs; name it in an `output`"},
};

static const Foreign types[] = {
    {"float", "`f32`"}, {"float32", "`f32`"},  {"double", "`f64`"},    {"float64", "`f64`"},
    {"half", "`f16`"},  {"float16", "`f16`"},  {"bfloat16", "`bf16`"}, {"int", "`i32`"},
    {"int32", "`i32`"}, {"long", "`i64`"},     {"int64", "`i64`"},     {"uint8", "`u8`"},
    {"byte", "`u8`"},   {"boolean", "`bool`"}, {"real", "`f32`"},      {"integer", "`i32`"},
};

static const char *find(const Foreign *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcasecmp(rows[i].name, name)) return rows[i].here;
    return NULL;
}

const char *foreign_function(const char *name)
{
    return find(functions, sizeof functions / sizeof *functions, name);
}

const char *foreign_type(const char *name)
{
    return find(types, sizeof types / sizeof *types, name);
}
