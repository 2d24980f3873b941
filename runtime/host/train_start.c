/* What comes before a training. */
#include <stdlib.h>

#include "core/safetensors.h"
#include "host/feed.h"
#include "host/train.h"

int nn_train_start(nn_params *params, const char *path, void (*tell)(void *data, const char *name, const char *why),
                   void *data)
{
    return nn_params_load_fitting(params, path, tell, data);
}

static size_t session_size(const nn_session *session)
{
    size_t size = session->arena.size + session->scratch.size;
    for (uint32_t i = 0; i < session->model->image->n_tensors; i++) size += session->blocks[i].size;
    return size;
}

/* Binds the step to a batch's sizes, which reserves memory and runs nothing. */
int nn_training_memory(const nn_training *training, size_t *bytes)
{
    const nn_model *model = training->params->model;
    const nn_image *image = model->image;
    bool gathers = training->accumulate > 1;
    const nn_program *program = gathers || !model->step ? model->training : model->step;
    *bytes = 0;
    if (!program) return nn_fail(NN_ERROR_STATE, "%s cannot be trained", image->name);
    int64_t rows = training->batch < training->train->rows ? training->batch : training->train->rows;
    int64_t *dims = malloc((image->n_symbols + 1) * sizeof *dims);
    nn_session *session = NULL;
    nn_binding *binding;
    int status = dims ? nn_session_new(training->params, NULL, &session) : nn_fail(NN_ERROR_MEMORY, "no memory");
    if (!status) {
        for (uint32_t i = 0; i < image->n_symbols; i++)
            dims[i] = training->dims && i < training->n_dims ? training->dims[i] : NN_FREE;
        nn_set_rows(model, program, rows, dims);
        status = nn_session_begin(session, dims, image->n_symbols);
        for (uint32_t i = 0; i < model->n_inputs; i++) session->given[model->inputs[i]] = dims;
    }
    if (!status) status = nn_session_bind(session, program, false, false, &binding);
    if (!status) *bytes = session_size(session);
    nn_session_free(session);
    free(dims);
    return status;
}
