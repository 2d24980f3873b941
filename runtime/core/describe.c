/* What a caller may ask of a model before it runs. */
#include <stdio.h>
#include <string.h>

#include "core/internal.h"

const char *nn_model_name(const nn_model *model)
{
    return model ? model->image->name : "";
}

const char *nn_model_cpu(const nn_model *model)
{
    return model && model->image->cpu ? model->image->cpu : "";
}

const char *nn_model_description(const nn_model *model)
{
    return model && model->image->description ? model->image->description : "";
}

size_t nn_model_dims(const nn_model *model)
{
    return model ? model->image->n_symbols : 0;
}

const char *nn_model_dim_name(const nn_model *model, size_t dim)
{
    return dim < nn_model_dims(model) ? model->image->symbols[dim] : NULL;
}

int nn_model_dim_of_params(const nn_model *model, size_t dim)
{
    return dim < nn_model_dims(model) && model->dim_of_params[dim];
}

size_t nn_model_inputs(const nn_model *model)
{
    return model ? model->n_inputs : 0;
}

size_t nn_model_input(const nn_model *model, size_t input)
{
    return input < nn_model_inputs(model) ? model->inputs[input] : SIZE_MAX;
}

size_t nn_model_tensors(const nn_model *model)
{
    return model ? model->image->n_tensors : 0;
}

static void note_symbol(void *data, int64_t symbol)
{
    (void)symbol;
    *(bool *)data = true;
}

/* The value where it is the same for all sizes, else -1. */
static int64_t known_size(const nn_image *image, uint32_t code)
{
    int64_t value, unbound;
    bool free_size = false;
    nn_size_symbols(image->size_code + code, note_symbol, &free_size);
    if (free_size || nn_size_evaluate(image->size_code + code, NULL, &value, &unbound)) return NN_FREE;
    return value;
}

int nn_model_tensor(const nn_model *model, size_t tensor, nn_tensor *info)
{
    if (!model || !info) return nn_fail(NN_ERROR_ARGUMENT, "the model or the place for its description is NULL");
    if (info->size < offsetof(nn_tensor, doc))
        return nn_fail(NN_ERROR_ARGUMENT,
                       "a description begins with its size, %zu cannot be right: nn_tensor t = {sizeof t}", info->size);
    if (tensor >= model->image->n_tensors)
        return nn_fail(NN_ERROR_ARGUMENT, "%s has %u tensors, there is no tensor %zu", model->image->name,
                       model->image->n_tensors, tensor);
    const nn_tensor_info *from = &model->image->tensors[tensor];
    nn_tensor to = {.size = info->size,
                    .name = from->name,
                    .doc = from->doc,
                    .role = (nn_role)from->role,
                    .type = (nn_type)from->dtype,
                    .rank = from->rank,
                    .value = from->value};
    for (int i = 0; i < from->rank; i++) to.dims[i] = known_size(model->image, from->dims[i]);
    to.range = from->has_range ? known_size(model->image, from->range) : 0;
    memcpy(info, &to, info->size < sizeof to ? info->size : sizeof to);
    return NN_OK;
}

int nn_model_dim_text(const nn_model *model, size_t tensor, int axis, char *text, size_t size)
{
    if (!model || !text || !size) return nn_fail(NN_ERROR_ARGUMENT, "the model or the place for the text is NULL");
    const nn_image *image = model->image;
    if (tensor >= image->n_tensors || axis < 0 || axis >= image->tensors[tensor].rank)
        return nn_fail(NN_ERROR_ARGUMENT, "%s has no tensor %zu with an axis %d", image->name, tensor, axis);
    nn_size_text(image->size_code + image->tensors[tensor].dims[axis], image->symbols, text, size);
    return NN_OK;
}

int nn_model_has_program(const nn_model *model, const char *program)
{
    return model && program && nn_model_program(model, program);
}

const char *nn_model_program_input(const nn_model *model, const char *name, size_t input)
{
    const nn_program *program = model && name ? nn_model_program(model, name) : NULL;
    for (uint32_t i = 0; program && i < program->n_buffers; i++) {
        const nn_buffer *buffer = &program->buffers[i];
        if (buffer->kind != NN_BUFFER_TENSOR) continue;
        const nn_tensor_info *tensor = &model->image->tensors[buffer->tensor];
        if (nn_role_is_input(tensor->role) && input-- == 0) return tensor->name;
    }
    return NULL;
}
