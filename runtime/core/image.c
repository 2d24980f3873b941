/* What an image must be before anything in it is believed: tables that refer only to each other. */
#include <string.h>

#include "core/cpu.h"
#include "core/internal.h"

static int check_tensors(const nn_image *image)
{
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        if (!tensor->name || tensor->role > NN_SOURCE || tensor->dtype > NN_BOOL || tensor->rank > NN_MAX_RANK)
            return nn_fail(NN_ERROR_FORMAT, "the image's tensor %u is not valid", i);
        if (tensor->role == NN_SETTING && (tensor->rank != 0 || nn_dtype_size(tensor->dtype) > sizeof(double)))
            return nn_fail(NN_ERROR_FORMAT, "the image's setting %s is not a scalar", tensor->name);
    }
    return NN_OK;
}

static bool launch_is_valid(const nn_image *image, const nn_program *program, const nn_launch *launch)
{
    if (launch->kernel >= image->n_kernels || launch->phase > NN_UPDATE) return false;
    for (uint32_t i = 0; i < launch->n_buffers; i++)
        if (image->references[launch->buffers + i] >= program->n_buffers) return false;
    /* Whether the code is there is asked when a program is bound: it may be compiled after the model was opened. */
    const nn_kernel *kernel = &image->kernels[launch->kernel];
    if (kernel->kind == NN_KERNEL_CONTRACTION) return kernel->dtype == NN_F32 || kernel->dtype == NN_F64;
    if (kernel->kind != NN_KERNEL_LOOP || kernel->align < 1) return false;
    if (kernel->split >= (int32_t)launch->n_sizes || kernel->n_work > 16) return false;
    for (int i = 0; i < kernel->n_work; i++)
        if (kernel->work[i] >= launch->n_sizes) return false;
    return true;
}

static int check_program(const nn_image *image, const nn_program *program)
{
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        const nn_buffer *buffer = &program->buffers[i];
        bool good = buffer->kind <= NN_BUFFER_LITERAL && buffer->dtype <= NN_BOOL;
        if (buffer->kind == NN_BUFFER_TENSOR) good = good && buffer->tensor < image->n_tensors;
        if (buffer->kind == NN_BUFFER_LITERAL) good = good && buffer->data;
        if (buffer->kind == NN_BUFFER_TEMPORARY)
            good = good && buffer->first <= buffer->last && buffer->last < program->n_launches;
        if (!good)
            return nn_fail(NN_ERROR_FORMAT, "buffer %u of the image's program %s is not valid", i, program->name);
    }
    bool phased = !strcmp(program->name, "training"); /* only its phases run apart */
    uint8_t phase = NN_FORWARD;
    for (uint32_t i = 0; i < program->n_launches; i++) {
        const nn_launch *launch = &program->launches[i];
        if (!launch_is_valid(image, program, launch) || (phased && launch->phase < phase))
            return nn_fail(NN_ERROR_FORMAT, "launch %u of the image's program %s is not valid", i, program->name);
        phase = launch->phase;
    }
    return NN_OK;
}

int nn_image_check(const nn_image *image)
{
    if (image->magic != NN_IMAGE_MAGIC) return nn_fail(NN_ERROR_FORMAT, "this is not the image of a model");
    if (image->version != NN_IMAGE_VERSION || image->image_size < NN_IMAGE_SMALLEST)
        return nn_fail(NN_ERROR_VERSION, "the model was compiled for version %u of the run time, this is version %u",
                       image->version, NN_IMAGE_VERSION);
    if (!image->name || (image->n_kernels && !image->kernels) || (image->n_programs && !image->programs))
        return nn_fail(NN_ERROR_FORMAT, "the image of the model has no tables");
    if (image->cpu && !nn_cpu_runs(image->cpu))
        return nn_fail(NN_ERROR_VERSION,
                       "%s was compiled for %s, which this processor or its operating system cannot run", image->name,
                       image->cpu);
    int status = check_tensors(image);
    for (uint32_t i = 0; !status && i < image->n_programs; i++) status = check_program(image, &image->programs[i]);
    return status;
}
