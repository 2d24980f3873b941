/* A call without rows is computed like any other, and what it changed is put back: a mean of nothing must not reach
 * parameters and states, which outlive the call. */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

/* True for what the program may change: states, and whatever is trained in a program that trains. */
static bool may_change(const nn_session *session, const nn_binding *binding, uint32_t buffer)
{
    const nn_model *model = session->model;
    const nn_buffer *info = &binding->program->buffers[buffer];
    if (info->kind != NN_BUFFER_TENSOR || binding->missing[buffer]) return false;
    uint8_t role = model->image->tensors[info->tensor].role;
    bool trains = binding->program == model->step || binding->program == model->training;
    return trains ? nn_role_is_param(role) : role == NN_STATE;
}

/* The value of a buffer, which the parameters or the session own, and its size in bytes. */
static void *value_of(const nn_session *session, const nn_binding *binding, uint32_t buffer, size_t *size)
{
    uint32_t tensor = binding->program->buffers[buffer].tensor;
    const nn_value *value = &session->params->values[tensor];
    *size = (size_t)binding->elements[buffer] * nn_dtype_size(session->model->image->tensors[tensor].dtype);
    return value->at ? value->at : session->blocks[tensor].at;
}

static size_t total_size(const nn_session *session, const nn_binding *binding)
{
    size_t total = 0, size;
    for (uint32_t i = 0; i < binding->program->n_buffers; i++) {
        if (!may_change(session, binding, i)) continue;
        (void)value_of(session, binding, i, &size);
        total += size;
    }
    return total;
}

static void keep_values(const nn_session *session, const nn_binding *binding, char *copies)
{
    size_t size;
    for (uint32_t i = 0; i < binding->program->n_buffers; i++) {
        if (!may_change(session, binding, i)) continue;
        const void *value = value_of(session, binding, i, &size);
        if (size) memcpy(copies, value, size);
        copies += size;
    }
}

/* Writes nothing where nothing was changed: other sessions may be reading. */
static void restore_values(const nn_session *session, const nn_binding *binding, const char *copies)
{
    size_t size;
    for (uint32_t i = 0; i < binding->program->n_buffers; i++) {
        if (!may_change(session, binding, i)) continue;
        void *value = value_of(session, binding, i, &size);
        if (size && memcmp(value, copies, size)) memcpy(value, copies, size);
        copies += size;
    }
}

int nn_binding_run_whole(nn_session *session, nn_binding *binding, uint64_t step)
{
    if (!session->empty) return nn_binding_run(session, binding, NN_FORWARD, NN_UPDATE, step);
    size_t size = total_size(session, binding);
    char *copies = malloc(size + 1);
    if (!copies) return nn_fail(NN_ERROR_MEMORY, "no memory for %zu bytes of values to keep", size);
    keep_values(session, binding, copies);
    int status = nn_binding_run(session, binding, NN_FORWARD, NN_UPDATE, step);
    restore_values(session, binding, copies);
    free(copies);
    return status;
}
