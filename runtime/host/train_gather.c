/* Updates from several batches: forward and backward of each, one update from the mean of their gradients. */
#include <stdlib.h>
#include <string.h>

#include "host/train_internal.h"

enum { CHUNK = 256 };

static int allocate_sums(nn_trainer *trainer)
{
    if (trainer->gathering.sums) return NN_OK;
    trainer->gathering.sums = calloc(trainer->session->model->image->n_tensors + 1, sizeof *trainer->gathering.sums);
    return trainer->gathering.sums ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory to accumulate gradients");
}

void nn_gather_free(nn_trainer *trainer)
{
    if (!trainer->gathering.sums) return;
    for (uint32_t i = 0; i < trainer->session->model->image->n_tensors; i++) free(trainer->gathering.sums[i]);
    free(trainer->gathering.sums);
}

static int64_t count_elements(const nn_trainer *trainer, uint32_t tensor)
{
    const nn_session *session = trainer->session;
    int64_t elements, unbound;
    const nn_image *image = session->model->image;
    return nn_tensor_sizes(image, &image->tensors[tensor], session->symbols, NULL, &elements, &unbound) ? 0 : elements;
}

/* sums += weight * gradients, where the first of a round begins from 0. */
static int add_gradients(nn_trainer *trainer, double weight, bool first)
{
    const nn_image *image = trainer->session->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        if (image->tensors[i].role != NN_GRADIENT || !trainer->session->ready[i]) continue;
        int64_t elements = count_elements(trainer, i);
        double **sums = &trainer->gathering.sums[i], chunk[CHUNK];
        if (!*sums) *sums = malloc(((size_t)elements + 1) * sizeof **sums);
        if (!*sums) return nn_fail(NN_ERROR_MEMORY, "no memory to accumulate %s", image->tensors[i].name);
        size_t width = nn_dtype_size(image->tensors[i].dtype);
        const char *at = trainer->session->blocks[i].at;
        for (int64_t begin = 0; begin < elements; begin += CHUNK) {
            size_t count = (size_t)(elements - begin < CHUNK ? elements - begin : CHUNK);
            nn_convert(NN_F64, chunk, image->tensors[i].dtype, at + (size_t)begin * width, count);
            double *to = *sums + begin;
            for (size_t k = 0; k < count; k++) to[k] = (first ? 0 : to[k]) + weight * chunk[k];
        }
    }
    return NN_OK;
}

static void set_gradients(nn_trainer *trainer, double rows)
{
    const nn_image *image = trainer->session->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        double *sums = trainer->gathering.sums[i];
        if (!sums || !trainer->session->ready[i]) continue;
        int64_t elements = count_elements(trainer, i);
        for (int64_t k = 0; k < elements; k++) sums[k] /= rows;
        nn_convert(image->tensors[i].dtype, trainer->session->blocks[i].at, NN_F64, sums, (size_t)elements);
    }
}

int nn_trainer_follow(nn_trainer *trainer, int64_t rows)
{
    return nn_totals_ready(&trainer->totals, trainer->session) ? nn_totals_add(&trainer->totals, trainer->session, rows)
                                                               : NN_OK;
}

static int learn_from(nn_trainer *trainer, const nn_batch *batch, bool first)
{
    nn_session *session = trainer->session;
    const nn_model *model = session->model;
    int status = nn_session_forward(session, batch->dims, model->image->n_symbols, batch->inputs, model->n_inputs, 1);
    if (!status) status = nn_session_backward(session);
    if (status) return status;
    double loss = 0, rows = (double)batch->rows;
    status = nn_session_get(session, "loss", NN_TYPE_F64, &loss, 1);
    trainer->gathering.rows = (first ? 0 : trainer->gathering.rows) + rows;
    trainer->gathering.loss = (first ? 0 : trainer->gathering.loss) + rows * loss;
    if (!status && session->metrics > 0) status = nn_trainer_follow(trainer, batch->rows);
    return status ? status : add_gradients(trainer, rows, first);
}

int nn_gather_step(nn_trainer *trainer, const nn_batch **batch, uint64_t step, double *loss, double *rows)
{
    int status = allocate_sums(trainer);
    for (uint64_t i = 0; !status && i < trainer->gather; i++) {
        if (i) status = nn_loader_next(trainer->loader, batch);
        if (status) break;
        /* Each batch has draws of its own. */
        trainer->session->draws = (step - 1) * trainer->gather + i + 1;
        status = learn_from(trainer, *batch, !i);
        if ((*batch)->last) break;
    }
    if (status) return status;
    *rows = trainer->gathering.rows;
    *loss = trainer->gathering.loss / *rows;
    set_gradients(trainer, *rows);
    return nn_session_update(trainer->session);
}
