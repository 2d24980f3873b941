/* A session: the calls of one user of a model, in an order that makes sense. */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

static bool allocate_tables(nn_session *session)
{
    const nn_image *image = session->model->image;
    session->symbols = malloc((image->n_symbols + 1) * sizeof *session->symbols);
    session->state_symbols = malloc((image->n_symbols + 1) * sizeof *session->state_symbols);
    session->given = calloc(image->n_tensors + 1, sizeof *session->given);
    session->blocks = calloc(image->n_tensors + 1, sizeof *session->blocks);
    session->ready = calloc(image->n_tensors + 1, 1);
    session->settings = calloc(image->n_tensors + 1, sizeof *session->settings);
    return session->symbols && session->state_symbols && session->given && session->blocks && session->ready &&
           session->settings;
}

int nn_session_new(nn_params *params, nn_pool *pool, nn_session **out)
{
    if (!out) return nn_fail(NN_ERROR_ARGUMENT, "there is no place for the session (NULL)");
    *out = NULL;
    if (!params) return nn_fail(NN_ERROR_ARGUMENT, "the parameters are NULL");
    nn_session *session = calloc(1, sizeof *session);
    if (!session) return nn_fail(NN_ERROR_MEMORY, "no memory for a session");
    session->params = nn_params_keep(params);
    session->model = params->model;
    session->pool = pool;
    session->metrics = -1;
    session->loss = -1;
    if (!allocate_tables(session)) {
        nn_session_free(session);
        return nn_fail(NN_ERROR_MEMORY, "no memory for a session");
    }
    const nn_image *image = session->model->image;
    memcpy(session->symbols, params->symbols, image->n_symbols * sizeof *session->symbols);
    nn_session_forget_states(session);
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        if (tensor->role == NN_STATE && !params->values[i].at) session->has_states = true;
        if (tensor->role == NN_LOSS && !strcmp(tensor->name, "loss")) session->loss = i;
    }
    *out = session;
    return NN_OK;
}

void nn_session_free(nn_session *session)
{
    if (!session) return;
    const nn_memory *memory = &session->model->memory;
    for (int i = 0; i < NN_BINDINGS; i++) nn_binding_clear(memory, &session->bindings[i]);
    for (uint32_t i = 0; session->blocks && i < session->model->image->n_tensors; i++)
        nn_block_free(memory, &session->blocks[i]);
    nn_block_free(memory, &session->arena);
    nn_block_free(memory, &session->scratch);
    free(session->symbols);
    free(session->state_symbols);
    free(session->given);
    free(session->blocks);
    free(session->ready);
    free(session->settings);
    nn_params_free(session->params);
    free(session);
}

nn_params *nn_session_params(nn_session *session)
{
    return session ? session->params : NULL;
}

void nn_session_set_metrics(nn_session *session, int on)
{
    if (session) session->metrics = on != 0;
}

static uint64_t next_step(const nn_session *session)
{
    return session->params->step + 1;
}

/* What the draws of a training call are numbered with. */
static uint64_t draw_number(const nn_session *session)
{
    return session->draws ? session->draws : next_step(session);
}

int nn_session_reset(nn_session *session)
{
    if (!session) return nn_fail(NN_ERROR_ARGUMENT, "the session is NULL");
    session->training = NULL;
    nn_session_forget_states(session);
    return NN_OK;
}

static int take_inputs(nn_session *session, const void *const *inputs, size_t n_inputs, bool copy)
{
    const nn_model *model = session->model;
    if (n_inputs != model->n_inputs || (n_inputs && !inputs))
        return nn_fail(NN_ERROR_ARGUMENT, "%s takes %u inputs and targets, %zu are given", model->image->name,
                       model->n_inputs, inputs ? n_inputs : (size_t)0);
    int status = NN_OK;
    for (uint32_t i = 0; i < model->n_inputs && !status; i++)
        status = nn_session_give(session, model->inputs[i], inputs[i]);
    if (!status) status = nn_session_check_ranges(session);
    if (status || !(copy || model->memory.separate)) return status;
    return nn_session_keep_inputs(session);
}

/* A program that was there when the model was opened, or that was compiled since. */
static const nn_program *form(const nn_model *model, const nn_program *known, const char *name)
{
    return known ? known : nn_model_program(model, name);
}

/* What every call of the model's own programs begins with. */
static int prepare(nn_session *session, const nn_program *program, const int64_t *dims, size_t n_dims,
                   const void *const *inputs, size_t n_inputs, bool copy, bool metrics, nn_binding **binding)
{
    if (!program) return nn_fail(NN_ERROR_STATE, "%s was compiled without this form", session->model->image->name);
    int status = nn_session_begin(session, dims, n_dims);
    if (!status) status = take_inputs(session, inputs, n_inputs, copy);
    if (!status) status = nn_session_make_states(session);
    if (!status) status = nn_session_bind(session, program, metrics, false, binding);
    return status;
}

int nn_session_forward(nn_session *session, const int64_t *dims, size_t n_dims, const void *const *inputs,
                       size_t n_inputs, int training)
{
    if (!session) return nn_fail(NN_ERROR_ARGUMENT, "the session is NULL");
    nn_binding *binding = NULL;
    const nn_model *model = session->model;
    const nn_program *program =
        training ? form(model, model->training, "training") : form(model, model->inference, "inference");
    int status = prepare(session, program, dims, n_dims, inputs, n_inputs, training, session->metrics != 0, &binding);
    if (status) return status;
    uint64_t step = training ? next_step(session) : session->params->step;
    nn_session_write_settings(session, step);
    /* Without training nothing comes after the call: the states that it changes are its own to write. */
    status = training ? nn_binding_run(session, binding, NN_FORWARD, NN_FORWARD, draw_number(session))
                      : nn_binding_run_whole(session, binding, step);
    if (status || !training) return status;
    session->training = binding;
    session->phase = NN_BACKWARD;
    return NN_OK;
}

/* Names the first target that was not given. */
static int fail_without_loss(const nn_session *session)
{
    const nn_model *model = session->model;
    for (uint32_t i = 0; i < model->n_inputs; i++)
        if (!session->given[model->inputs[i]])
            return nn_fail(NN_ERROR_STATE, "there is no loss, since %s was not given",
                           model->image->tensors[model->inputs[i]].name);
    return nn_fail(NN_ERROR_STATE, "%s has no loss", model->image->name);
}

int nn_session_backward(nn_session *session)
{
    if (!session) return nn_fail(NN_ERROR_ARGUMENT, "the session is NULL");
    if (!session->training)
        return nn_fail(NN_ERROR_STATE, "backward comes after a forward with training = 1, and nothing in between");
    if (session->phase != NN_BACKWARD) return nn_fail(NN_ERROR_STATE, "backward was called already; update comes next");
    if (session->loss < 0 || !session->ready[session->loss]) return fail_without_loss(session);
    int status = nn_binding_run(session, session->training, NN_BACKWARD, NN_BACKWARD, draw_number(session));
    if (status)
        session->training = NULL;
    else
        session->phase = NN_UPDATE;
    return status;
}

int nn_session_update(nn_session *session)
{
    if (!session) return nn_fail(NN_ERROR_ARGUMENT, "the session is NULL");
    if (!session->training || session->phase != NN_UPDATE)
        return nn_fail(NN_ERROR_STATE, "update comes after backward, and nothing in between");
    nn_binding *binding = session->training;
    session->training = NULL;
    if (session->empty) return NN_OK;
    nn_session_write_settings(session, next_step(session));
    int status = nn_binding_run(session, binding, NN_UPDATE, NN_UPDATE, draw_number(session));
    if (!status) session->params->step++;
    return status;
}

static int read_loss(nn_session *session, float *loss)
{
    if (session->loss < 0 || !session->ready[session->loss]) return fail_without_loss(session);
    return nn_convert(NN_F32, loss, session->model->image->tensors[session->loss].dtype,
                      session->blocks[session->loss].at, 1);
}

int nn_session_step(nn_session *session, const int64_t *dims, size_t n_dims, const void *const *inputs, size_t n_inputs,
                    float *loss)
{
    if (!session) return nn_fail(NN_ERROR_ARGUMENT, "the session is NULL");
    nn_binding *binding = NULL;
    const nn_model *model = session->model;
    const nn_program *program = form(model, model->step, "step");
    if (!program) program = form(model, model->training, "training");
    int status = prepare(session, program, dims, n_dims, inputs, n_inputs, false, session->metrics > 0, &binding);
    if (status) return status;
    /* Before anything is changed: an update without a loss would only age the optimizer. */
    if (!nn_binding_computes(binding, session->loss)) return fail_without_loss(session);
    nn_session_write_settings(session, next_step(session));
    status = nn_binding_run_whole(session, binding, next_step(session));
    if (status) return status;
    if (!session->empty) session->params->step++;
    return loss ? read_loss(session, loss) : NN_OK;
}
