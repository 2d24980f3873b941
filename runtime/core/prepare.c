/* What comes before a call: sizes, settings, inputs and the states of the session. */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

void nn_session_forget_states(nn_session *session)
{
    for (uint32_t i = 0; i < session->model->image->n_symbols; i++) session->state_symbols[i] = NN_FREE - 1;
}

static void note_symbol(void *data, int64_t symbol)
{
    (void)symbol;
    *(bool *)data = true;
}

/* True if the call has inputs or targets of a free size and none of them has an element. Inputs of fixed shape are
 * values beside the rows. */
static bool has_no_rows(const nn_session *session)
{
    const nn_model *model = session->model;
    bool any = false;
    for (uint32_t i = 0; i < model->n_inputs; i++) {
        const nn_tensor_info *info = &model->image->tensors[model->inputs[i]];
        bool free_size = false;
        int64_t elements, unbound;
        for (int d = 0; d < info->rank; d++)
            nn_size_symbols(model->image->size_code + info->dims[d], note_symbol, &free_size);
        if (!free_size) continue;
        if (nn_tensor_sizes(model->image, info, session->symbols, NULL, &elements, &unbound) || elements) return false;
        any = true;
    }
    return any;
}

int nn_session_begin(nn_session *session, const int64_t *dims, size_t n_dims)
{
    const nn_image *image = session->model->image;
    session->training = NULL;
    memset(session->ready, 0, image->n_tensors);
    memset(session->given, 0, image->n_tensors * sizeof *session->given);
    memcpy(session->symbols, session->params->symbols, image->n_symbols * sizeof *session->symbols);
    int status = nn_bind_symbols(session->model, dims, n_dims, session->symbols);
    if (!status) status = nn_check_symbols(session->model, session->symbols, session->params->settings);
    session->empty = !status && has_no_rows(session);
    return status;
}

int nn_session_give(nn_session *session, uint32_t tensor, const void *values)
{
    static const int64_t nothing;
    const nn_tensor_info *info = &session->model->image->tensors[tensor];
    int64_t elements = 1, unbound;
    int status =
        values ? NN_OK : nn_tensor_sizes(session->model->image, info, session->symbols, NULL, &elements, &unbound);
    if (status && status != NN_ERROR_ARGUMENT) return nn_size_fail(session->model, status, unbound, info->name);
    session->given[tensor] = elements ? values : &nothing;
    return NN_OK;
}

void nn_session_write_settings(nn_session *session, uint64_t step)
{
    const nn_model *model = session->model;
    const double *settings = session->params->settings;
    double steps = model->steps_setting < 0 ? 0 : settings[model->steps_setting];
    double progress = steps > 0 && step > 0 ? (double)(step - 1) / steps : 0;
    for (uint32_t i = 0; i < model->n_settings; i++) {
        uint32_t tensor = model->settings[i];
        double value = settings[tensor];
        if (tensor == model->step_setting) value = (double)step;
        if (tensor == model->progress_setting) value = progress < 1 ? progress : 1;
        nn_convert(model->image->tensors[tensor].dtype, &session->settings[tensor], NN_F64, &value, 1);
    }
}

int nn_range_search(const nn_model *model, uint32_t tensor, const int64_t *symbols, const void *values,
                    nn_outside *outside)
{
    const nn_tensor_info *info = &model->image->tensors[tensor];
    int64_t range, elements, dims[NN_MAX_RANK], unbound;
    *outside = (nn_outside){.row = -1};
    if (!info->has_range || nn_dtype_is_float(info->dtype)) return NN_OK;
    int status = nn_size_evaluate(model->image->size_code + info->range, symbols, &range, &unbound);
    if (!status) status = nn_tensor_sizes(model->image, info, symbols, dims, &elements, &unbound);
    if (status) return nn_size_fail(model, status, unbound, info->name);
    for (int64_t i = 0; i < elements; i++) {
        int64_t value = info->dtype == NN_I32   ? ((const int32_t *)values)[i]
                        : info->dtype == NN_I64 ? ((const int64_t *)values)[i]
                                                : ((const uint8_t *)values)[i];
        if (value >= 0 && value < range) continue;
        *outside = (nn_outside){info->rank && dims[0] ? i / (elements / dims[0]) : 0, value, range};
        return NN_OK;
    }
    return NN_OK;
}

static int check_range(nn_session *session, uint32_t tensor)
{
    const nn_model *model = session->model;
    nn_outside found;
    int status = nn_range_search(model, tensor, session->symbols, session->given[tensor], &found);
    if (status || found.row < 0) return status;
    return nn_fail(NN_ERROR_RANGE, "%s: row %lld holds %lld, but only 0 to %lld are allowed",
                   model->image->tensors[tensor].name, (long long)found.row, (long long)found.value,
                   (long long)found.range - 1);
}

int nn_session_check_ranges(nn_session *session)
{
    const nn_image *image = session->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        int status = session->given[i] ? check_range(session, i) : NN_OK;
        if (status) return status;
    }
    return NN_OK;
}

int nn_session_keep_inputs(nn_session *session)
{
    const nn_model *model = session->model;
    for (uint32_t i = 0; i < model->image->n_tensors; i++) {
        const nn_tensor_info *info = &model->image->tensors[i];
        if (!session->given[i]) continue;
        int64_t elements, unbound;
        bool moved = false; /* inputs are looked up in each call */
        int status = nn_tensor_sizes(model->image, info, session->symbols, NULL, &elements, &unbound);
        if (status) return nn_size_fail(model, status, unbound, info->name);
        size_t size = (size_t)elements * nn_dtype_size(info->dtype);
        if (!nn_block_reserve(&model->memory, &session->blocks[i], size, &moved))
            return nn_fail(NN_ERROR_MEMORY, "no memory for %s", info->name);
        if (size) memcpy(session->blocks[i].at, session->given[i], size);
        session->given[i] = session->blocks[i].at;
    }
    return NN_OK;
}

/* True if the states that are there have the sizes of this call. Those that no state's shape names may differ: a stream
 * goes on over pieces of any length. */
static bool states_fit(const nn_session *session)
{
    for (uint32_t i = 0; i < session->model->image->n_symbols; i++)
        if (session->model->dim_of_states[i] && session->symbols[i] != session->state_symbols[i]) return false;
    return true;
}

int nn_session_make_states(nn_session *session)
{
    const nn_image *image = session->model->image;
    if (!session->has_states || states_fit(session)) return NN_OK;
    nn_params *first = NULL;
    bool moved = false;
    nn_session_forget_states(session); /* until all of them are there */
    /* With all sizes bound, parameters hold these states too. */
    int status = nn_params_draw(session->model, session->symbols, image->n_symbols, session->params->seed, &first);
    for (uint32_t i = 0; !status && i < image->n_tensors; i++) {
        const nn_tensor_info *info = &image->tensors[i];
        if (info->role != NN_STATE || session->params->values[i].at) continue;
        void *to = nn_session_tensor(session, i, first->values[i].elements, &moved);
        if (!to)
            status = NN_ERROR_MEMORY;
        else
            memcpy(to, first->values[i].at, (size_t)first->values[i].elements * nn_dtype_size(info->dtype));
    }
    nn_params_free(first);
    for (int i = 0; moved && i < NN_BINDINGS; i++) nn_binding_clear(&session->model->memory, &session->bindings[i]);
    if (!status) memcpy(session->state_symbols, session->symbols, image->n_symbols * sizeof *session->symbols);
    return status;
}
