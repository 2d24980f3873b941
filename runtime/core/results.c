/* Values of a session by name, and programs beside the model's own. */
#include <string.h>

#include "core/internal.h"

static bool is_state(const nn_session *session, int64_t tensor)
{
    return session->model->image->tensors[tensor].role == NN_STATE && !session->params->values[tensor].at;
}

static bool is_there(const nn_session *session, int64_t tensor)
{
    return session->ready[tensor] || (is_state(session, tensor) && session->blocks[tensor].at);
}

typedef enum { ALL, NO_GRADIENTS, GRADIENTS } Wanted;

/* The result of the name or a state of this session, preferably one that has a value now; -1 when there is none. */
static int64_t find_result(const nn_session *session, const char *name, Wanted wanted)
{
    const nn_model *model = session->model;
    int64_t found = -1;
    for (int64_t i = nn_names_find(&model->names, name); i >= 0; i = nn_names_next(&model->names, i)) {
        uint8_t role = model->image->tensors[i].role;
        bool result = role >= NN_OUTPUT && !nn_role_is_input(role);
        if (!(result || is_state(session, i)) || (wanted != ALL && (role == NN_GRADIENT) != (wanted == GRADIENTS)))
            continue;
        if (is_there(session, i)) return i;
        if (found < 0) found = i;
    }
    return found;
}

/* `grad.PATH` is the gradient by PATH, though another result may be called so too. */
static int64_t find_named(const nn_session *session, const char *name)
{
    static const char prefix[] = "grad.";
    if (strncmp(name, prefix, sizeof prefix - 1)) return find_result(session, name, NO_GRADIENTS);
    int64_t found = find_result(session, name, ALL);
    int64_t gradient = find_result(session, name + sizeof prefix - 1, GRADIENTS);
    if (found < 0 || gradient < 0) return found < 0 ? gradient : found;
    return is_there(session, found) || !is_there(session, gradient) ? found : gradient;
}

static int locate(const nn_session *session, const char *name, int64_t *index, int64_t *dims, int64_t *elements)
{
    if (!session || !name) return nn_fail(NN_ERROR_ARGUMENT, "the session or the name is NULL");
    const nn_model *model = session->model;
    *index = find_named(session, name);
    if (*index < 0) return nn_fail(NN_ERROR_ARGUMENT, "%s has no result %s", model->image->name, name);
    const nn_tensor_info *tensor = &model->image->tensors[*index];
    if (!is_there(session, *index)) return nn_fail(NN_ERROR_STATE, "%s was not computed by the last call", name);
    int64_t unbound;
    int status = nn_tensor_sizes(model->image, tensor, session->symbols, dims, elements, &unbound);
    if (status) return nn_size_fail(model, status, unbound, tensor->name);
    return NN_OK;
}

static int access_value(nn_session *session, const char *name, nn_type type, const void *values, size_t count,
                        int64_t *index)
{
    int64_t elements;
    if (!values) return nn_fail(NN_ERROR_ARGUMENT, "the values are NULL");
    if (!nn_type_size(type)) return nn_fail(NN_ERROR_ARGUMENT, "%d is no element type", (int)type);
    int status = locate(session, name, index, NULL, &elements);
    if (!status && (uint64_t)elements != count)
        return nn_fail(NN_ERROR_ARGUMENT, "%s has %lld elements, not %zu", name, (long long)elements, count);
    return status;
}

int nn_session_get(nn_session *session, const char *name, nn_type type, void *values, size_t count)
{
    int64_t index;
    int status = access_value(session, name, type, values, count, &index);
    if (status) return status;
    return nn_convert((uint8_t)type, values, session->model->image->tensors[index].dtype, session->blocks[index].at,
                      count);
}

int nn_session_set(nn_session *session, const char *name, nn_type type, const void *values, size_t count)
{
    int64_t index;
    int status = access_value(session, name, type, values, count, &index);
    if (status) return status;
    const nn_tensor_info *tensor = &session->model->image->tensors[index];
    if (tensor->role != NN_GRADIENT && tensor->role != NN_STATE)
        return nn_fail(NN_ERROR_ARGUMENT, "%s is computed; gradients and states of the session can be set", name);
    return nn_convert_given(tensor->dtype, session->blocks[index].at, (uint8_t)type, values, count);
}

int nn_session_shape(const nn_session *session, const char *name, int *rank, int64_t *dims)
{
    int64_t index, elements;
    if (!rank || !dims) return nn_fail(NN_ERROR_ARGUMENT, "there is no place for the shape (NULL)");
    int status = locate(session, name, &index, dims, &elements);
    if (!status) *rank = session->model->image->tensors[index].rank;
    return status;
}

int nn_session_result(nn_session *session, const char *name, const void **values, nn_type *type, int *rank,
                      int64_t *dims)
{
    int64_t index, elements, sizes[NN_MAX_RANK];
    if (!values) return nn_fail(NN_ERROR_ARGUMENT, "there is no place for the values (NULL)");
    int status = locate(session, name, &index, sizes, &elements);
    if (status) return status;
    const nn_tensor_info *tensor = &session->model->image->tensors[index];
    *values = session->blocks[index].at;
    if (type) *type = (nn_type)tensor->dtype;
    if (rank) *rank = tensor->rank;
    if (dims) memcpy(dims, sizes, tensor->rank * sizeof *dims);
    return NN_OK;
}

/* The input tensor of that name in the program, or -1. */
static int64_t find_input(const nn_image *image, const nn_program *program, const char *name)
{
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const nn_buffer *buffer = &program->buffers[i];
        if (buffer->kind != NN_BUFFER_TENSOR) continue;
        const nn_tensor_info *tensor = &image->tensors[buffer->tensor];
        if (nn_role_is_input(tensor->role) && !strcmp(tensor->name, name)) return buffer->tensor;
    }
    return -1;
}

static int take_named(nn_session *session, const nn_program *program, const nn_named *inputs, size_t n_inputs)
{
    const nn_image *image = session->model->image;
    for (size_t i = 0; i < n_inputs; i++) {
        if (!inputs[i].name || !inputs[i].values) return nn_fail(NN_ERROR_ARGUMENT, "input %zu is NULL", i);
        int64_t tensor = find_input(image, program, inputs[i].name);
        if (tensor < 0) return nn_fail(NN_ERROR_ARGUMENT, "%s has no input %s", program->name, inputs[i].name);
        session->given[tensor] = inputs[i].values;
    }
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const nn_buffer *buffer = &program->buffers[i];
        if (buffer->kind == NN_BUFFER_TENSOR && nn_role_is_input(image->tensors[buffer->tensor].role) &&
            !session->given[buffer->tensor])
            return nn_fail(NN_ERROR_ARGUMENT, "%s needs %s", program->name, image->tensors[buffer->tensor].name);
    }
    int status = nn_session_check_ranges(session);
    if (!status && session->model->memory.separate) status = nn_session_keep_inputs(session);
    return status;
}

/* Programs over data do not touch the states, which would have to be drawn first. */
static bool uses_states(const nn_session *session, const nn_program *program)
{
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const nn_buffer *buffer = &program->buffers[i];
        if (buffer->kind == NN_BUFFER_TENSOR && session->model->image->tensors[buffer->tensor].role == NN_STATE)
            return true;
    }
    return false;
}

int nn_session_run(nn_session *session, const char *name, const int64_t *dims, size_t n_dims, const nn_named *inputs,
                   size_t n_inputs)
{
    if (!session || !name || (n_inputs && !inputs)) return nn_fail(NN_ERROR_ARGUMENT, "an argument is NULL");
    const nn_program *program = nn_model_program(session->model, name);
    if (!program) return nn_fail(NN_ERROR_ARGUMENT, "%s has no program %s", session->model->image->name, name);
    nn_binding *binding = NULL;
    int status = nn_session_begin(session, dims, n_dims);
    if (!status) status = take_named(session, program, inputs, n_inputs);
    if (!status && uses_states(session, program)) status = nn_session_make_states(session);
    if (!status) status = nn_session_bind(session, program, true, false, &binding);
    if (status) return status;
    nn_session_write_settings(session, session->params->step);
    return nn_binding_run_whole(session, binding, session->params->step);
}
