#include <stdlib.h>
#include <string.h>

#include "host/stop.h"
#include "host/totals.h"

enum { USUAL_BATCH = 512, MOST_BYTES = 16 << 20 };

typedef struct {
    const nn_evaluation *evaluation;
    nn_model *model;
    nn_session *session;
    nn_totals totals;
} Evaluator;

/* The inputs of the program among those of the batch. */
static size_t name_inputs(const Evaluator *evaluator, const char *program, const nn_batch *batch, nn_named *named)
{
    size_t count = 0;
    const char *name;
    for (size_t i = 0; (name = nn_model_program_input(evaluator->model, program, i)); i++)
        for (uint32_t k = 0; k < evaluator->model->n_inputs; k++)
            if (!strcmp(evaluator->model->image->tensors[evaluator->model->inputs[k]].name, name) && batch->inputs[k])
                named[count++] = (nn_named){name, batch->inputs[k]};
    return count;
}

static int accumulate(Evaluator *evaluator, nn_loader *loader, nn_named *named)
{
    uint32_t n_dims = evaluator->model->image->n_symbols;
    for (;;) {
        const nn_batch *batch;
        int status = nn_loader_next(loader, &batch);
        if (status || !batch) return status;
        size_t count = name_inputs(evaluator, "accumulate", batch, named);
        status = nn_session_run(evaluator->session, "accumulate", batch->dims, n_dims, named, count);
        if (!status) status = nn_totals_add(&evaluator->totals, evaluator->session, batch->rows);
        if (status) return status;
    }
}

/* Batch by batch, then the finishing program. */
static int evaluate_parts(Evaluator *evaluator, nn_loader *loader)
{
    const nn_evaluation *evaluation = evaluator->evaluation;
    nn_named *named = malloc((evaluator->model->n_inputs + 1) * sizeof *named);
    int status = named ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory for metrics");
    if (!status)
        status = nn_totals_new(&evaluator->totals, evaluation->params, evaluation->pool, evaluation->partials,
                               evaluation->n_partials, "finish");
    evaluator->totals.dims = evaluation->dims;
    evaluator->totals.n_dims = evaluation->n_dims;
    if (!status) status = accumulate(evaluator, loader, named);
    if (!status) status = nn_totals_finish(&evaluator->totals);
    free(named);
    return status;
}

/* All rows in one call: the meaning of a metric, and what models without partial results have. */
static int evaluate_whole(Evaluator *evaluator, nn_loader *loader)
{
    const nn_batch *batch;
    int status = nn_loader_next(loader, &batch);
    if (status) return status;
    return nn_session_forward(evaluator->session, batch->dims, evaluator->model->image->n_symbols, batch->inputs,
                              evaluator->model->n_inputs, 0);
}

static void add_scores(const nn_session *session, uint8_t role, bool total, nn_score *scores, size_t room,
                       size_t *count)
{
    const nn_image *image = session->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        if (tensor->role != role || tensor->rank || (session->loss == i) != total || !session->ready[i]) continue;
        if (*count == room) return;
        nn_score *score = &scores[(*count)++];
        size_t length = strnlen(tensor->name, sizeof score->name - 1);
        memcpy(score->name, tensor->name, length);
        score->name[length] = 0;
        nn_convert(NN_F64, &score->value, tensor->dtype, session->blocks[i].at, 1);
    }
}

void nn_scores_read(const nn_session *session, nn_score *scores, size_t *count)
{
    size_t room = *count;
    *count = 0;
    add_scores(session, NN_LOSS, true, scores, room, count);
    add_scores(session, NN_LOSS, false, scores, room, count);
    add_scores(session, NN_METRIC, false, scores, room, count);
}

static void add_names(const nn_image *image, uint8_t role, bool total, nn_score *scores, size_t room, size_t *count)
{
    for (uint32_t i = 0; i < image->n_tensors && *count < room; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        bool is_total = tensor->role == NN_LOSS && !strcmp(tensor->name, "loss");
        if (tensor->role != role || tensor->rank || is_total != total) continue;
        nn_score *score = &scores[(*count)++];
        *score = (nn_score){.value = 0};
        memcpy(score->name, tensor->name, strnlen(tensor->name, sizeof score->name - 1));
    }
}

void nn_score_names(const nn_model *model, nn_score *scores, size_t *count)
{
    size_t room = *count;
    *count = 0;
    add_names(model->image, NN_LOSS, true, scores, room, count);
    add_names(model->image, NN_LOSS, false, scores, room, count);
    add_names(model->image, NN_METRIC, false, scores, room, count);
}

/* As many rows at once as suit most, but few of long ones: a power of two, so that it depends on the data alone. */
static int64_t usual_batch(const nn_split *split)
{
    size_t row = 1;
    int64_t batch = USUAL_BATCH;
    for (size_t i = 0; i < split->n_feeds; i++)
        row += nn_source_row_size(split->feeds[i].source, split->feeds[i].column);
    while (batch > 1 && (size_t)batch > MOST_BYTES / row) batch /= 2;
    return batch;
}

static int evaluate(Evaluator *evaluator, bool partial)
{
    const nn_evaluation *evaluation = evaluator->evaluation;
    nn_loader_options options = {.params = evaluation->params,
                                 .split = evaluation->split,
                                 .dims = evaluation->dims,
                                 .n_dims = evaluation->n_dims};
    if (partial) options.batch = evaluation->batch ? evaluation->batch : usual_batch(evaluation->split);
    nn_loader *loader = NULL;
    int status = nn_session_new(evaluation->params, evaluation->pool, &evaluator->session);
    if (!status) nn_session_stop_at(evaluator->session, evaluation->stop);
    if (!status) status = nn_loader_new(&options, &loader);
    if (!status) status = partial ? evaluate_parts(evaluator, loader) : evaluate_whole(evaluator, loader);
    nn_loader_free(loader);
    return status;
}

int nn_evaluate(const nn_evaluation *evaluation, nn_score *scores, size_t *count)
{
    Evaluator evaluator = {.evaluation = evaluation, .model = evaluation->params->model};
    bool partial =
        nn_model_has_program(evaluator.model, "accumulate") && nn_model_has_program(evaluator.model, "finish");
    int status = evaluate(&evaluator, partial);
    if (status)
        *count = 0;
    else
        nn_scores_read(partial ? evaluator.totals.session : evaluator.session, scores, count);
    nn_totals_free(&evaluator.totals);
    nn_session_free(evaluator.session);
    return status;
}
