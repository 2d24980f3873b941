/* The checks of an image: sizes that must be equal, and conditions, as soon as what they are about is known. */
#include <stdio.h>
#include <string.h>

#include "core/internal.h"

enum { STACK = 64 };

/* What checks are asked about. */
typedef struct {
    const nn_model *model;
    const int64_t *symbols;
    const double *settings; /* by tensor; NULL: conditions over settings are not asked */
} Known;

/* A setting as its element type holds it. */
static double setting_value(const Known *known, int64_t tensor)
{
    double value = known->settings[tensor], read = value;
    char held[sizeof value];
    uint8_t dtype = known->model->image->tensors[tensor].dtype;
    if (nn_convert(dtype, held, NN_F64, &value, 1) || nn_convert(NN_F64, &read, dtype, held, 1)) return value;
    return read;
}

static double round_down(double x)
{
    if (!(x > -0x1p52 && x < 0x1p52)) return x; /* whole, or not finite */
    double whole = (double)(int64_t)x;
    return whole > x ? whole - 1 : whole;
}

/* Sets x[0] to the operator of x[0], x[1], …. False if the operator is unknown. */
static bool apply(int64_t kind, double *x)
{
    double a = x[0], b = x[1];
    switch (kind) {
    case NN_SIZE_ADD:
        return *x = a + b, true;
    case NN_SIZE_MUL:
        return *x = a * b, true;
    case NN_SIZE_DIV:
        return *x = a / b, true;
    case NN_SIZE_FLOOR_DIV:
        return *x = round_down(a / b), true;
    case NN_SIZE_MOD:
        return *x = a - b * round_down(a / b), true;
    case NN_SIZE_MAX:
        return *x = a > b || a != a ? a : b, true;
    case NN_SIZE_MIN:
        return *x = a < b || a != a ? a : b, true;
    case NN_SIZE_SELECT:
        return *x = a != 0 ? b : x[2], true;
    case NN_SIZE_EQ:
        return *x = a == b, true;
    case NN_SIZE_NE:
        return *x = a != b, true;
    case NN_SIZE_LT:
        return *x = a < b, true;
    case NN_SIZE_LE:
        return *x = a <= b, true;
    case NN_SIZE_AND:
        return *x = a != 0 && b != 0, true;
    case NN_SIZE_OR:
        return *x = a != 0 || b != 0, true;
    case NN_SIZE_NOT:
        return *x = a == 0, true;
    default:
        return false;
    }
}

/* A condition over settings. NN_ERROR_ARGUMENT while a size that it needs is free. */
static int evaluate_condition(const Known *known, const int64_t *code, bool *truth)
{
    double stack[STACK + 2] = {0};
    int depth = 0;
    for (; code[0] != NN_SIZE_END; code += 2) {
        int64_t kind = code[0], operand = code[1];
        bool pushes =
            kind == NN_SIZE_CONSTANT || kind == NN_SIZE_SYMBOL || kind == NN_SIZE_REAL || kind == NN_SIZE_SETTING;
        int count = kind == NN_SIZE_NOT ? 1 : kind == NN_SIZE_SELECT ? 3 : 2;
        if (pushes ? depth == STACK : depth < count) return NN_ERROR_RANGE;
        if (!pushes) {
            if (!apply(kind, &stack[depth - count])) return NN_ERROR_RANGE;
            depth -= count - 1;
            continue;
        }
        double *to = &stack[depth++];
        if (kind == NN_SIZE_SYMBOL && known->symbols[operand] < 0) return NN_ERROR_ARGUMENT;
        if (kind == NN_SIZE_REAL)
            memcpy(to, &operand, sizeof *to);
        else if (kind == NN_SIZE_SETTING)
            *to = setting_value(known, operand);
        else
            *to = (double)(kind == NN_SIZE_SYMBOL ? known->symbols[operand] : operand);
    }
    if (depth != 1) return NN_ERROR_RANGE;
    *truth = stack[0] != 0;
    return NN_OK;
}

/* True if the condition reads the setting `tensor`, or any setting when `tensor` is negative. */
static bool mentions_setting(const int64_t *code, int64_t tensor)
{
    for (; code[0] != NN_SIZE_END; code += 2)
        if (code[0] == NN_SIZE_SETTING && (tensor < 0 || code[1] == tensor)) return true;
    return false;
}

/* ` (batch is 2`, then `, h is 7`: each size and setting once. */
typedef struct {
    char text[200];
    size_t length;
} Names;

static void add_name(Names *names, const char *name, double value)
{
    char one[120];
    snprintf(one, sizeof one, "%s is %.9g", name, value);
    size_t room = sizeof names->text - names->length;
    int count = snprintf(names->text + names->length, room, names->length ? ", %s" : " (%s", one);
    if (count > 0 && (size_t)count + 2 < room) names->length += (size_t)count;
    names->text[names->length] = 0;
}

/* True if the code says the same before `at`. */
static bool said_before(const int64_t *code, const int64_t *at)
{
    for (; code < at; code += 2)
        if (code[0] == at[0] && code[1] == at[1]) return true;
    return false;
}

/* The user's words, and the sizes and settings that they are about. */
static int condition_fails(const Known *known, const nn_check *check)
{
    Names names = {.length = 0};
    const nn_image *image = known->model->image;
    const int64_t *code = image->size_code + check->left;
    for (const int64_t *at = code; at[0] != NN_SIZE_END; at += 2) {
        if (said_before(code, at)) continue;
        if (at[0] == NN_SIZE_SYMBOL) add_name(&names, image->symbols[at[1]], (double)known->symbols[at[1]]);
        if (at[0] == NN_SIZE_SETTING) add_name(&names, image->tensors[at[1]].name, known->settings[at[1]]);
    }
    return nn_fail(NN_ERROR_ARGUMENT, "%s%s%s", check->message, names.text, names.length ? ")" : "");
}

static int check_condition(const Known *known, const nn_check *check)
{
    bool truth = true;
    if (!known->settings) return NN_OK;
    int status = evaluate_condition(known, known->model->image->size_code + check->left, &truth);
    if (status == NN_ERROR_ARGUMENT) return NN_OK;
    if (status) return nn_fail(status, "%s (which cannot be decided)", check->message);
    return truth ? NN_OK : condition_fails(known, check);
}

/* The value of a check's side; false while a size that it needs is free. */
static bool side_of_check(const Known *known, uint32_t code, int64_t *value, int *status)
{
    int64_t unbound;
    *status = nn_size_evaluate(known->model->image->size_code + code, known->symbols, value, &unbound);
    return *status != NN_ERROR_ARGUMENT;
}

static int check_sizes(const Known *known, const nn_check *check)
{
    int64_t left = 0, right = 0;
    int status;
    if (!side_of_check(known, check->left, &left, &status)) return NN_OK;
    if (!status && !side_of_check(known, check->right, &right, &status)) return NN_OK;
    if (status) return nn_fail(status, "%s (which does not fit in 64 bits or divides by 0)", check->message);
    if (left == right) return NN_OK;
    if (nn_size_is_truth(known->model->image->size_code + check->left)) return condition_fails(known, check);
    return nn_fail(NN_ERROR_ARGUMENT, "%s (%lld is not %lld)", check->message, (long long)left, (long long)right);
}

int nn_check_symbols(const nn_model *model, const int64_t *symbols, const double *settings)
{
    const nn_image *image = model->image;
    const Known known = {model, symbols, settings};
    for (uint32_t i = 0; i < image->n_checks; i++) {
        const nn_check *check = &image->checks[i];
        bool real = mentions_setting(image->size_code + check->left, -1);
        int status = real ? check_condition(&known, check) : check_sizes(&known, check);
        if (status) return status;
    }
    return NN_OK;
}

int nn_check_setting(const nn_model *model, const int64_t *symbols, const double *settings, uint32_t tensor)
{
    const nn_image *image = model->image;
    const Known known = {model, symbols, settings};
    for (uint32_t i = 0; i < image->n_checks; i++) {
        const nn_check *check = &image->checks[i];
        if (!mentions_setting(image->size_code + check->left, tensor)) continue;
        int status = check_condition(&known, check);
        if (status) return status;
    }
    return NN_OK;
}
