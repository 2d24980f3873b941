/* nnc eval: the loss and the metrics over a split. */
#include <stdlib.h>

#include "driver/commands.h"
#include "driver/splits.h"
#include "nn_shown.h"

enum { MOST_SCORES = 256 };

/* --split, else the first there is of test, valid and train. */
static const char *choose_split(const Pipeline *pipeline)
{
    static const char *const preferred[] = {"test", "valid", "train"};
    if (pipeline->options->split) return pipeline->options->split;
    for (size_t i = 0; i < 2; i++)
        if (program_split(pipeline->program, preferred[i])) return preferred[i];
    return preferred[2];
}

static bool evaluate(Pipeline *pipeline, const nn_split *split, nn_params *params, nn_pool *pool)
{
    nn_evaluation evaluation = {.params = params,
                                .pool = pool,
                                .split = split,
                                .dims = pipeline->dims,
                                .n_dims = pipeline->n_dims,
                                .batch = pipeline->options->batch > 0 ? pipeline->options->batch : 0};
    evaluation.partials = split_partials(pipeline, &evaluation.n_partials);
    nn_score scores[MOST_SCORES];
    size_t count = MOST_SCORES;
    if (nn_evaluate(&evaluation, scores, &count)) return pipeline_failed(pipeline, "evaluating");
    for (size_t i = 0; i < count; i++) printf("%s %.9g\n", scores[i].name, nn_shown_number(scores[i].value));
    return true;
}

int command_EVAL(const Options *options)
{
    Pipeline pipeline = pipeline_start(options);
    nn_split split;
    bool good = false;
    if (pipeline_program(&pipeline, false) && split_open(&pipeline, choose_split(&pipeline), &split)) {
        const char *programs[] = {"initialise", "accumulate", "finish", split.program, NULL};
        nn_params *params = pipeline_model(&pipeline, programs) ? pipeline_params(&pipeline, NN_LOAD_ALL) : NULL;
        nn_pool *pool = params ? pipeline_pool(&pipeline) : NULL;
        good = pool && evaluate(&pipeline, &split, params, pool);
        nn_params_free(params);
        nn_pool_free(pool);
    }
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
