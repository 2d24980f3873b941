#include <stdlib.h>
#include <string.h>

#include "host/feed.h"
#include "host/train.h"

enum { USUAL_BATCH = 512 };

/* A partial result, combined over all batches so far. */
typedef struct {
    double *total;
    double *of_batch;
    void *values; /* the total in its own type, for the finishing program */
    size_t elements;
    nn_type type;
} Total;

typedef struct {
    const nn_evaluation *evaluation;
    nn_model *model;
    nn_session *session;
    Total *totals;
} Evaluator;

static int combine(Evaluator *evaluator, size_t index, bool first)
{
    const nn_partial *partial = &evaluator->evaluation->partials[index];
    Total *total = &evaluator->totals[index];
    const void *values;
    int rank;
    int64_t dims[NN_MAX_RANK];
    int status = nn_session_result(evaluator->session, partial->name, &values, &total->type, &rank, dims);
    if (status) return status;
    size_t elements = 1;
    for (int i = 0; i < rank; i++) elements *= (size_t)dims[i];
    if (first) {
        total->elements = elements;
        total->total = calloc(elements + 1, sizeof *total->total);
        total->of_batch = calloc(elements + 1, sizeof *total->of_batch);
        total->values = calloc(elements + 1, nn_type_size(total->type));
        if (!total->total || !total->of_batch || !total->values)
            return nn_fail(NN_ERROR_MEMORY, "no memory for %s", partial->name);
    }
    if (elements != total->elements)
        return nn_fail(NN_ERROR_FORMAT, "the size of %s depends on the batch", partial->name);
    status = nn_convert(NN_F64, first ? total->total : total->of_batch, (uint8_t)total->type, values, elements);
    for (size_t i = 0; !first && i < elements; i++) {
        double next = total->of_batch[i], *all = &total->total[i];
        if (partial->combine == NN_COMBINE_SUM)
            *all += next;
        else if (next != next || (partial->combine == NN_COMBINE_MAX ? next > *all : next < *all))
            *all = next;
    }
    return status;
}

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
    bool first = true;
    for (;;) {
        const nn_batch *batch;
        int status = nn_loader_next(loader, &batch);
        if (status || !batch) return status;
        size_t count = name_inputs(evaluator, "accumulate", batch, named);
        status = nn_session_run(evaluator->session, "accumulate", batch->dims, n_dims, named, count);
        for (size_t i = 0; i < evaluator->evaluation->n_partials && !status; i++) status = combine(evaluator, i, first);
        if (status) return status;
        first = false;
    }
}

static int finish(Evaluator *evaluator)
{
    const nn_evaluation *evaluation = evaluator->evaluation;
    uint32_t n_dims = evaluator->model->image->n_symbols;
    nn_named *named = malloc((evaluation->n_partials + 1) * sizeof *named);
    int64_t *dims = malloc((n_dims + 1) * sizeof *dims);
    int status = named && dims ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory for metrics");
    if (!status) {
        const nn_program *program = nn_model_program(evaluator->model, "finish");
        size_t count = 0;
        for (uint32_t i = 0; i < n_dims; i++)
            dims[i] = evaluation->dims && i < evaluation->n_dims ? evaluation->dims[i] : NN_FREE;
        nn_set_rows(evaluator->model, program, evaluation->split->rows, dims);
        for (size_t i = 0; i < evaluation->n_partials && !status; i++) {
            Total *total = &evaluator->totals[i];
            status = nn_convert((uint8_t)total->type, total->values, NN_F64, total->total, total->elements);
            /* A partial that the finishing program does not read may have been folded away. */
            const char *name;
            for (size_t k = 0; (name = nn_model_program_input(evaluator->model, "finish", k)); k++)
                if (!strcmp(name, evaluation->partials[i].name)) named[count++] = (nn_named){name, total->values};
        }
        if (!status) status = nn_session_run(evaluator->session, "finish", dims, n_dims, named, count);
    }
    free(named);
    free(dims);
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

static void add_scores(const Evaluator *evaluator, uint8_t role, bool total, nn_score *scores, size_t room,
                       size_t *count)
{
    const nn_image *image = evaluator->model->image;
    for (uint32_t i = 0; i < image->n_tensors; i++) {
        const nn_tensor_info *tensor = &image->tensors[i];
        bool is_total = evaluator->session->loss == i;
        if (tensor->role != role || tensor->rank || is_total != total || !evaluator->session->ready[i]) continue;
        nn_score *score = &scores[*count];
        if (*count == room) return;
        ++*count;
        size_t length = strnlen(tensor->name, sizeof score->name - 1);
        memcpy(score->name, tensor->name, length);
        score->name[length] = 0;
        nn_convert(NN_F64, &score->value, tensor->dtype, evaluator->session->blocks[i].at, 1);
    }
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

static int evaluate(Evaluator *evaluator, bool partial)
{
    const nn_evaluation *evaluation = evaluator->evaluation;
    nn_loader_options options = {.params = evaluation->params,
                                 .split = evaluation->split,
                                 .dims = evaluation->dims,
                                 .n_dims = evaluation->n_dims};
    if (partial) options.batch = evaluation->batch ? evaluation->batch : USUAL_BATCH;
    nn_loader *loader = NULL;
    int status = nn_session_new(evaluation->params, evaluation->pool, &evaluator->session);
    if (!status) status = nn_loader_new(&options, &loader);
    if (!status && partial) {
        nn_named *named = malloc((evaluator->model->n_inputs + 1) * sizeof *named);
        evaluator->totals = calloc(evaluation->n_partials + 1, sizeof *evaluator->totals);
        status = named && evaluator->totals ? accumulate(evaluator, loader, named)
                                            : nn_fail(NN_ERROR_MEMORY, "no memory for metrics");
        free(named);
        if (!status) status = finish(evaluator);
    } else if (!status) {
        status = evaluate_whole(evaluator, loader);
    }
    nn_loader_free(loader);
    return status;
}

int nn_evaluate(const nn_evaluation *evaluation, nn_score *scores, size_t *count)
{
    Evaluator evaluator = {.evaluation = evaluation, .model = evaluation->params->model};
    bool partial =
        nn_model_has_program(evaluator.model, "accumulate") && nn_model_has_program(evaluator.model, "finish");
    size_t room = *count;
    *count = 0;
    int status = evaluate(&evaluator, partial);
    if (!status) {
        add_scores(&evaluator, NN_LOSS, true, scores, room, count);
        add_scores(&evaluator, NN_LOSS, false, scores, room, count);
        add_scores(&evaluator, NN_METRIC, false, scores, room, count);
    }
    for (size_t i = 0; evaluator.totals && i < evaluation->n_partials; i++) {
        free(evaluator.totals[i].total);
        free(evaluator.totals[i].of_batch);
        free(evaluator.totals[i].values);
    }
    free(evaluator.totals);
    nn_session_free(evaluator.session);
    return status;
}
