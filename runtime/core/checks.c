/* The checks of an image: sizes that must be equal, and conditions, as soon as what they are about is known. */
#include <stdio.h>
#include <string.h>

#include "core/internal.h"

/* What checks are asked about. */
typedef struct {
    const nn_model *model;
    const int64_t *symbols;
    const double *settings; /* by tensor; NULL: conditions over settings are not asked */
} Known;

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

static void add_name(Names *names, const char *name, uint8_t type, const void *value)
{
    char one[120], text[NN_VALUE_TEXT];
    nn_value_text(type, value, 0, text);
    snprintf(one, sizeof one, "%s is %s", name, text);
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
        if (at[0] == NN_SIZE_SYMBOL) add_name(&names, image->symbols[at[1]], NN_I64, &known->symbols[at[1]]);
        if (at[0] == NN_SIZE_SETTING) add_name(&names, image->tensors[at[1]].name, NN_F64, &known->settings[at[1]]);
    }
    return nn_fail(NN_ERROR_ARGUMENT, "%s%s%s", check->message, names.text, names.length ? ")" : "");
}

static int check_condition(const Known *known, const nn_check *check)
{
    bool truth = true;
    if (!known->settings) return NN_OK;
    const int64_t *code = known->model->image->size_code + check->left;
    int status = nn_condition_evaluate(known->model, code, known->symbols, known->settings, &truth);
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
