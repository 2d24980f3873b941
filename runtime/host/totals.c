#include "host/totals.h"

#include <stdlib.h>
#include <string.h>

#include "host/feed.h"

static bool find_tensor(const nn_image *image, const char *name, uint32_t *tensor)
{
    for (uint32_t i = 0; i < image->n_tensors; i++)
        if (image->tensors[i].role == NN_VALUE && !strcmp(image->tensors[i].name, name)) {
            *tensor = i;
            return true;
        }
    return false;
}

int nn_totals_new(nn_totals *totals, nn_params *params, nn_pool *pool, const nn_partial *partials, size_t count,
                  const char *finish)
{
    *totals = (nn_totals){.partials = partials, .count = count, .finish = finish};
    totals->totals = calloc(count + 1, sizeof *totals->totals);
    totals->named = calloc(count + 1, sizeof *totals->named);
    if (!totals->totals || !totals->named) return nn_fail(NN_ERROR_MEMORY, "no memory for metrics");
    for (size_t i = 0; i < count; i++)
        if (!find_tensor(params->model->image, partials[i].name, &totals->totals[i].tensor))
            return nn_fail(NN_ERROR_ARGUMENT, "%s has no result %s", params->model->image->name, partials[i].name);
    return nn_session_new(params, pool, &totals->session);
}

void nn_totals_free(nn_totals *totals)
{
    for (size_t i = 0; totals->totals && i < totals->count; i++) free(totals->totals[i].values);
    free(totals->totals);
    free(totals->named);
    free(totals->of_batch);
    nn_session_free(totals->session);
    *totals = (nn_totals){0};
}

void nn_totals_clear(nn_totals *totals)
{
    totals->rows = 0;
    totals->begun = false;
}

bool nn_totals_reserve(nn_totals *totals, size_t index, size_t elements)
{
    nn_total *total = &totals->totals[index];
    if (total->values && total->elements == elements) return true;
    free(total->values);
    total->values = calloc(elements + 1, sizeof *total->values);
    total->elements = total->values ? elements : 0;
    if (elements < totals->room) return total->values != NULL;
    free(totals->of_batch);
    totals->of_batch = malloc((elements + 1) * sizeof *totals->of_batch);
    totals->room = totals->of_batch ? elements + 1 : 0;
    return total->values && totals->of_batch;
}

bool nn_totals_ready(const nn_totals *totals, const nn_session *session)
{
    bool ready = totals->count > 0;
    for (size_t i = 0; i < totals->count && ready; i++) ready = session->ready[totals->totals[i].tensor];
    return ready;
}

/* NaN passes. */
static double combined(nn_combine combine, double a, double b)
{
    switch (combine) {
    case NN_COMBINE_SUM:
        return a + b;
    case NN_COMBINE_PRODUCT:
        return a * b;
    case NN_COMBINE_MAX:
        return b != b || b > a ? b : a;
    case NN_COMBINE_MIN:
        return b != b || b < a ? b : a;
    }
    return a;
}

static int add(nn_totals *totals, const nn_session *session, size_t index)
{
    const nn_image *image = session->model->image;
    nn_total *total = &totals->totals[index];
    const nn_tensor_info *tensor = &image->tensors[total->tensor];
    int64_t elements, unbound;
    if (!session->ready[total->tensor]) return nn_fail(NN_ERROR_STATE, "%s was not computed", tensor->name);
    int status = nn_tensor_sizes(image, tensor, session->symbols, NULL, &elements, &unbound);
    if (status) return nn_size_fail(session->model, status, unbound, tensor->name);
    if (totals->begun && (size_t)elements != total->elements)
        return nn_fail(NN_ERROR_FORMAT, "the size of %s depends on the batch", tensor->name);
    if (!nn_totals_reserve(totals, index, (size_t)elements))
        return nn_fail(NN_ERROR_MEMORY, "no memory for %s", tensor->name);
    double *to = totals->begun ? totals->of_batch : total->values;
    status = nn_convert(NN_F64, to, tensor->dtype, session->blocks[total->tensor].at, total->elements);
    for (size_t i = 0; totals->begun && i < total->elements; i++)
        total->values[i] = combined(totals->partials[index].combine, total->values[i], to[i]);
    return status;
}

int nn_totals_add(nn_totals *totals, const nn_session *session, int64_t rows)
{
    int status = NN_OK;
    for (size_t i = 0; i < totals->count && !status; i++) status = add(totals, session, i);
    totals->begun = true;
    totals->rows += rows;
    return status;
}

/* The totals in their own types, one behind the other. A total that the program does not read may have been folded
 * away. */
static int name_inputs(nn_totals *totals, const nn_program *program, unsigned char *values, size_t *n_named)
{
    const nn_model *model = totals->session->model;
    int status = NN_OK;
    *n_named = 0;
    for (size_t i = 0; i < totals->count && !status; i++) {
        const nn_total *total = &totals->totals[i];
        uint8_t dtype = model->image->tensors[total->tensor].dtype;
        bool read = false;
        for (uint32_t b = 0; b < program->n_buffers && !read; b++) {
            const nn_buffer *buffer = &program->buffers[b];
            const nn_tensor_info *tensor =
                buffer->kind == NN_BUFFER_TENSOR ? &model->image->tensors[buffer->tensor] : NULL;
            read = tensor && nn_role_is_input(tensor->role) && !strcmp(tensor->name, totals->partials[i].name);
        }
        if (!read) continue;
        status = nn_convert(dtype, values, NN_F64, total->values, total->elements);
        totals->named[(*n_named)++] = (nn_named){totals->partials[i].name, values};
        values += total->elements * sizeof(double);
    }
    return status;
}

int nn_totals_finish(nn_totals *totals)
{
    const nn_model *model = totals->session->model;
    const nn_program *program = nn_model_program(model, totals->finish);
    if (!program) return nn_fail(NN_ERROR_ARGUMENT, "%s has no program %s", model->image->name, totals->finish);
    size_t n_dims = model->image->n_symbols, size = 0, n_named = 0;
    for (size_t i = 0; i < totals->count; i++) size += totals->totals[i].elements * sizeof(double);
    unsigned char *values = malloc(size + 1);
    int64_t *dims = malloc((n_dims + 1) * sizeof *dims);
    int status = values && dims ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory for metrics");
    if (!status) status = name_inputs(totals, program, values, &n_named);
    if (!status) {
        for (size_t i = 0; i < n_dims; i++) dims[i] = totals->dims && i < totals->n_dims ? totals->dims[i] : NN_FREE;
        nn_set_rows(model, program, totals->rows, dims);
        status = nn_session_run(totals->session, totals->finish, dims, n_dims, totals->named, n_named);
    }
    free(values);
    free(dims);
    return status;
}
