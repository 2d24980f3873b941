#include "host/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An input of the model. */
typedef struct {
    void *converted; /* when what is there has another type */
    size_t capacity;
} Slot;

struct nn_feeder {
    const nn_loader_options *options;
    nn_model *model;
    const nn_program *program; /* or NULL */
    nn_session *session;       /* runs it */
    int64_t *dims;
    void **columns; /* per feed: the gathered rows */
    nn_named *named;
    Slot *slots; /* per input of the model */
    const void **inputs;
};

static void set_leading(const nn_image *image, uint32_t tensor, int64_t rows, int64_t *dims)
{
    const nn_tensor_info *info = &image->tensors[tensor];
    if (!nn_role_is_input(info->role) || !info->rank) return;
    const int64_t *code = image->size_code + info->dims[0];
    if (code[0] == NN_SIZE_SYMBOL && code[2] == NN_SIZE_END) dims[code[1]] = rows;
}

void nn_set_rows(const nn_model *model, const nn_program *program, int64_t rows, int64_t *dims)
{
    for (uint32_t i = 0; i < model->n_inputs; i++) set_leading(model->image, model->inputs[i], rows, dims);
    for (uint32_t i = 0; program && i < program->n_buffers; i++)
        if (program->buffers[i].kind == NN_BUFFER_TENSOR)
            set_leading(model->image, program->buffers[i].tensor, rows, dims);
}

static bool allocate(nn_feeder *feeder, int64_t rows)
{
    const nn_split *split = feeder->options->split;
    feeder->dims = malloc((feeder->model->image->n_symbols + 1) * sizeof *feeder->dims);
    feeder->columns = calloc(split->n_feeds + 1, sizeof *feeder->columns);
    feeder->named = calloc(split->n_feeds + 1, sizeof *feeder->named);
    feeder->slots = calloc(feeder->model->n_inputs + 1, sizeof *feeder->slots);
    feeder->inputs = calloc(feeder->model->n_inputs + 1, sizeof *feeder->inputs);
    if (!feeder->dims || !feeder->columns || !feeder->named || !feeder->slots || !feeder->inputs) return false;
    for (size_t i = 0; i < split->n_feeds; i++) {
        int64_t size;
        if (!nn_multiply((int64_t)nn_source_row_size(split->feeds[i].source, split->feeds[i].column), rows, &size))
            return false;
        feeder->columns[i] = malloc((size_t)size + 1);
        if (!feeder->columns[i]) return false;
        feeder->named[i] = (nn_named){split->feeds[i].input, feeder->columns[i]};
    }
    return true;
}

int nn_feeder_new(const nn_loader_options *options, int64_t rows, nn_feeder **out)
{
    *out = NULL;
    nn_feeder *feeder = calloc(1, sizeof *feeder);
    if (!feeder) return nn_fail(NN_ERROR_MEMORY, "no memory for a batch");
    feeder->options = options;
    feeder->model = options->params->model;
    int status = NN_OK;
    if (!allocate(feeder, rows))
        status = nn_fail(NN_ERROR_MEMORY, "no memory for a batch of %lld rows", (long long)rows);
    if (!status && options->split->program) {
        feeder->program = nn_model_program(feeder->model, options->split->program);
        if (!feeder->program)
            status =
                nn_fail(NN_ERROR_ARGUMENT, "%s has no program %s", feeder->model->image->name, options->split->program);
        else
            status = nn_session_new(options->params, NULL, &feeder->session);
    }
    if (status)
        nn_feeder_free(feeder);
    else
        *out = feeder;
    return status;
}

void nn_feeder_free(nn_feeder *feeder)
{
    if (!feeder) return;
    for (size_t i = 0; feeder->columns && i < feeder->options->split->n_feeds; i++) free(feeder->columns[i]);
    for (uint32_t i = 0; feeder->slots && i < feeder->model->n_inputs; i++) free(feeder->slots[i].converted);
    nn_session_free(feeder->session);
    free(feeder->dims);
    free(feeder->columns);
    free(feeder->named);
    free(feeder->slots);
    free(feeder->inputs);
    free(feeder);
}

static void set_dims(nn_feeder *feeder, int64_t rows)
{
    const nn_loader_options *options = feeder->options;
    uint32_t count = feeder->model->image->n_symbols;
    for (uint32_t i = 0; i < count; i++)
        feeder->dims[i] = options->dims && i < options->n_dims && options->dims[i] >= 0 ? options->dims[i]
                                                                                        : options->params->symbols[i];
    nn_set_rows(feeder->model, feeder->program, rows, feeder->dims);
}

/* What is there under an input's name. */
typedef struct {
    const void *values;
    nn_type type;
    int64_t elements;
} Found;

static bool find_result(nn_feeder *feeder, const char *name, Found *found)
{
    int rank;
    int64_t dims[NN_MAX_RANK];
    if (!feeder->session || nn_session_result(feeder->session, name, &found->values, &found->type, &rank, dims))
        return false;
    found->elements = 1;
    for (int i = 0; i < rank; i++) found->elements *= dims[i];
    return true;
}

static bool find_column(nn_feeder *feeder, const char *name, int64_t rows, Found *found)
{
    const nn_split *split = feeder->options->split;
    for (size_t i = 0; i < split->n_feeds; i++) {
        if (strcmp(split->feeds[i].input, name)) continue;
        const nn_column *column = nn_source_column(split->feeds[i].source, split->feeds[i].column);
        *found = (Found){feeder->columns[i], column->type, rows};
        for (int k = 0; k < column->rank; k++) found->elements *= column->dims[k];
        return true;
    }
    return false;
}

/* Where an element of a batch stands in the data: people look for the row of the file, not for that of the batch. */
static int fail_value(const nn_tensor_info *info, const Found *found, const int64_t *rows, int64_t count, size_t index)
{
    char value[NN_VALUE_TEXT], column[48] = "";
    const char *type = nn_type_name((nn_type)info->dtype);
    nn_value_text((uint8_t)found->type, found->values, index, value);
    if (found->elements % count) /* not one thing a row */
        return nn_fail(NN_ERROR_RANGE, "%s: element %zu is %s, which is not a value of %s", info->name, index, value,
                       type);
    size_t width = (size_t)(found->elements / count);
    if (width > 1) snprintf(column, sizeof column, ", column %zu", index % width);
    return nn_fail(NN_ERROR_RANGE, "%s: row %lld%s of the data (from 0) holds %s, which is not a value of %s",
                   info->name, (long long)rows[index / width], column, value, type);
}

static int set_input(nn_feeder *feeder, uint32_t input, const Found *found, const int64_t *rows, int64_t count)
{
    const nn_image *image = feeder->model->image;
    const nn_tensor_info *info = &image->tensors[feeder->model->inputs[input]];
    Slot *slot = &feeder->slots[input];
    int64_t elements, unbound;
    int status = nn_tensor_sizes(image, info, feeder->dims, NULL, &elements, &unbound);
    if (status) return nn_size_fail(feeder->model, status, unbound, info->name);
    if (elements != found->elements)
        return nn_fail(NN_ERROR_ARGUMENT, "%s takes %lld elements, the data has %lld", info->name, (long long)elements,
                       (long long)found->elements);
    feeder->inputs[input] = found->values;
    if ((uint8_t)found->type == info->dtype) return NN_OK;
    size_t size = (size_t)elements * nn_dtype_size(info->dtype);
    if (size > slot->capacity || !slot->converted) {
        free(slot->converted);
        slot->converted = malloc(size + 1);
        slot->capacity = slot->converted ? size : 0;
        if (!slot->converted) return nn_fail(NN_ERROR_MEMORY, "no memory for %s", info->name);
    }
    feeder->inputs[input] = slot->converted;
    size_t good =
        nn_convert_fitting(info->dtype, slot->converted, (uint8_t)found->type, found->values, (size_t)elements);
    return good == (size_t)elements ? NN_OK : fail_value(info, found, rows, count, good);
}

static int check_rows(const nn_feeder *feeder, const int64_t *rows)
{
    const nn_model *model = feeder->model;
    nn_outside found = {.row = -1};
    for (uint32_t i = 0; i < model->n_inputs; i++) {
        if (!feeder->inputs[i]) continue;
        int status = nn_range_search(model, model->inputs[i], feeder->dims, feeder->inputs[i], &found);
        if (status) return status;
        if (found.row >= 0)
            return nn_fail(NN_ERROR_RANGE,
                           "%s: row %lld of the data (from 0) holds %lld, but only 0 to %lld are allowed",
                           model->image->tensors[model->inputs[i]].name, (long long)rows[found.row],
                           (long long)found.value, (long long)found.range - 1);
    }
    return NN_OK;
}

static int read_rows(nn_feeder *feeder, const int64_t *rows, int64_t count)
{
    const nn_split *split = feeder->options->split;
    int status = NN_OK;
    for (size_t i = 0; i < split->n_feeds && !status; i++)
        status =
            nn_source_read(split->feeds[i].source, split->feeds[i].column, rows, (size_t)count, feeder->columns[i]);
    return status;
}

int nn_feeder_fill(nn_feeder *feeder, const int64_t *rows, int64_t count, nn_batch *batch)
{
    const nn_split *split = feeder->options->split;
    int status = read_rows(feeder, rows, count);
    if (status) return status;
    set_dims(feeder, count);
    if (feeder->program)
        status = nn_session_run(feeder->session, split->program, feeder->dims, feeder->model->image->n_symbols,
                                feeder->named, split->n_feeds);
    for (uint32_t i = 0; i < feeder->model->n_inputs && !status; i++) {
        const char *name = feeder->model->image->tensors[feeder->model->inputs[i]].name;
        Found found;
        feeder->inputs[i] = NULL;
        if (find_result(feeder, name, &found) || (!feeder->program && find_column(feeder, name, count, &found)))
            status = set_input(feeder, i, &found, rows, count);
    }
    if (!status) status = check_rows(feeder, rows);
    batch->dims = feeder->dims;
    batch->inputs = feeder->inputs;
    batch->rows = count;
    return status;
}
