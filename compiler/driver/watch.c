#include "driver/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/files.h"
#include "driver/watch_internal.h"

/* The picture needs no more; beyond it every second sample is forgotten. */
enum { MOST_SAMPLES = 256 };
/* Tables in a whole training, at most. */
enum { MOST_TABLES = 20 };
/* Columns of the log: two a parameter, up to four a layer. */
enum { PARAM_COLUMNS = 2, LAYER_COLUMNS = 4 };

Watch *watch_new(Pipeline *pipeline)
{
    if (!pipeline_program(pipeline, false)) return NULL;
    if (node_is_none(module_function(pipeline->program->module, "training")->loss)) {
        diag_new(pipeline->context->diagnostics, DIAG_no_loss, NO_SPAN,
                 "--watch: %s has no loss, so there are no gradients to watch", pipeline->program->module->name);
        return NULL;
    }
    Watch *watch = calloc(1, sizeof *watch);
    if (!watch) abort();
    watch->pipeline = pipeline;
    watch->stride = 1;
    watch_find(watch);
    if (watch_add_function(watch)) return watch;
    watch_free(watch);
    return NULL;
}

void watch_free(Watch *watch)
{
    if (!watch) return;
    for (size_t i = 0; i < watch->samples.count; i++) free(watch->samples.at[i].layers);
    vec_free(&watch->samples);
    free(watch->pending.layers);
    free(watch);
}

/* ---- Measuring ---- */

static int read_result(const Watch *watch, nn_session *session, char what, Name path, double *value)
{
    return nn_session_get(session, watch_result(watch, what, path), NN_TYPE_F64, value, 1);
}

/* Norms of parameters into the log, their sums of squares into the layers. */
static int read_params(Watch *watch, nn_session *session, WatchStats *layers, double *weights)
{
    const Function *training = module_function(watch->pipeline->program->module, "training");
    for (uint32_t i = 0; i < watch->n_params; i++) {
        const WatchParam *param = &watch->params[i];
        double gradient, weight, change = 0;
        int status = read_result(watch, session, 'g', param->path, &gradient);
        if (!status) status = read_result(watch, session, 'w', param->path, &weight);
        if (!status && function_result(training, RESULT_UPDATE, param->path))
            status = read_result(watch, session, 'd', param->path, &change);
        if (status) return status;
        watch->values[PARAM_COLUMNS * i] = sqrt(gradient);
        watch->values[PARAM_COLUMNS * i + 1] = weight > 0 ? sqrt(change / weight) : 0;
        layers[param->layer].gradient += gradient;
        layers[param->layer].update += change;
        weights[param->layer] += weight;
    }
    return NN_OK;
}

static int read_layer(const Watch *watch, nn_session *session, uint32_t index, WatchStats *stats)
{
    const WatchLayer *layer = &watch->layers[index];
    stats->mean = stats->deviation = stats->dead = stats->saturated = NAN;
    if (node_is_none(layer->output)) return NN_OK;
    int status = read_result(watch, session, 'm', layer->path, &stats->mean);
    if (!status) status = read_result(watch, session, 'v', layer->path, &stats->deviation);
    if (!status) status = read_result(watch, session, 'z', layer->path, &stats->dead);
    if (!status && layer->sloped) status = read_result(watch, session, 's', layer->path, &stats->saturated);
    stats->deviation = sqrt(stats->deviation);
    return status;
}

static int read_results(Watch *watch, nn_session *session, WatchStats *layers)
{
    double *weights = calloc((size_t)watch->n_layers + 1, sizeof *weights);
    if (!weights) abort();
    int status = read_params(watch, session, layers, weights);
    double *to = watch->values + PARAM_COLUMNS * watch->n_params;
    for (uint32_t i = 0; i < watch->n_layers && !status; i++) {
        WatchStats *stats = &layers[i];
        stats->gradient = sqrt(stats->gradient);
        stats->update = weights[i] > 0 ? sqrt(stats->update / weights[i]) : 0;
        status = read_layer(watch, session, i, stats);
        if (node_is_none(watch->layers[i].output)) continue;
        *to++ = stats->mean;
        *to++ = stats->deviation;
        *to++ = stats->dead;
        if (watch->layers[i].sloped) *to++ = stats->saturated;
    }
    free(weights);
    return status;
}

/* The program sees the step that is to come: its draws and the schedule of its update. */
static int run_program(Watch *watch, nn_session *session, const nn_batch *batch, uint64_t step)
{
    nn_params *params = nn_session_params(session);
    uint64_t done = nn_params_step(params);
    for (size_t i = 0; i < watch->n_inputs; i++) watch->inputs[i].values = batch->inputs[watch->which[i]];
    nn_params_set_step(params, step);
    int status = nn_session_run(session, "watch", batch->dims, watch->pipeline->n_dims, watch->inputs, watch->n_inputs);
    nn_params_set_step(params, done);
    return status;
}

static int before_step(void *data, nn_session *session, const nn_batch *batch, uint64_t step)
{
    Watch *watch = data;
    if ((step - 1) % watch->every) return NN_OK;
    memset(watch->pending.layers, 0, watch->n_layers * sizeof *watch->pending.layers);
    watch->pending.step = step;
    int status = run_program(watch, session, batch, step);
    if (!status) status = read_results(watch, session, watch->pending.layers);
    watch->observer.has_values = !status;
    return status;
}

/* ---- Keeping ---- */

static void thin_out(Watch *watch)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->samples.count; i++) {
        if (i % 2 == 0)
            watch->samples.at[kept++] = watch->samples.at[i];
        else
            free(watch->samples.at[i].layers);
    }
    watch->samples.count = kept;
    watch->stride *= 2;
}

static int after_step(void *data, nn_session *session, const nn_batch *batch, uint64_t step, double loss)
{
    Watch *watch = data;
    (void)session;
    (void)batch;
    if (watch->pending.step != step) return NN_OK;
    watch->pending.loss = loss;
    if (watch->taken++ % watch->stride) return NN_OK;
    size_t size = watch->n_layers * sizeof *watch->pending.layers;
    WatchSample sample = watch->pending;
    sample.layers = malloc(size + 1);
    if (!sample.layers) abort();
    memcpy(sample.layers, watch->pending.layers, size);
    vec_push(&watch->samples, sample);
    if (watch->samples.count == MOST_SAMPLES) thin_out(watch);
    return NN_OK;
}

static int end_part(void *data, uint64_t step)
{
    Watch *watch = data;
    (void)step;
    if (++watch->parts % watch->tables || !watch->to || !watch->pending.step) return NN_OK;
    Text text = {0};
    watch_print_table(watch, &watch->pending, &text);
    fputs(text_get(&text), watch->to);
    text_free(&text);
    return NN_OK;
}

bool watch_draw(const Watch *watch, const char *path)
{
    Text text = {0};
    watch_print_picture(watch, &text);
    bool good = write_file(watch->pipeline->context, path, text_get(&text), text.count);
    text_free(&text);
    return good;
}

/* ---- Setting up ---- */

static void name_columns(Watch *watch)
{
    Interner *names = watch->pipeline->context->names;
    size_t most = PARAM_COLUMNS * (size_t)watch->n_params + LAYER_COLUMNS * (size_t)watch->n_layers, n = 0;
    const char **columns = ARENA_ARRAY(watch->pipeline->context->arena, const char *, most + 1);
    for (uint32_t i = 0; i < watch->n_params; i++) {
        columns[n++] = intern_format(names, "gradient.%s", watch->params[i].path);
        columns[n++] = intern_format(names, "update.%s", watch->params[i].path);
    }
    for (uint32_t i = 0; i < watch->n_layers; i++) {
        const WatchLayer *layer = &watch->layers[i];
        if (node_is_none(layer->output)) continue;
        columns[n++] = intern_format(names, "mean.%s", layer->path);
        columns[n++] = intern_format(names, "deviation.%s", layer->path);
        columns[n++] = intern_format(names, "dead.%s", layer->path);
        if (layer->sloped) columns[n++] = intern_format(names, "saturated.%s", layer->path);
    }
    watch->values = ARENA_ARRAY(watch->pipeline->context->arena, double, most + 1);
    watch->observer.columns = columns;
    watch->observer.values = watch->values;
    watch->observer.n_columns = n;
}

/* The program reads some of the batch's inputs, in an order of its own. */
static void choose_inputs(Watch *watch)
{
    const Pipeline *pipeline = watch->pipeline;
    const Module *module = pipeline->program->module;
    watch->inputs = ARENA_ARRAY(pipeline->context->arena, nn_named, module->n_inputs + 1);
    watch->which = ARENA_ARRAY(pipeline->context->arena, uint32_t, module->n_inputs + 1);
    const char *name;
    for (size_t i = 0; (name = nn_model_program_input(pipeline->model, "watch", i)); i++)
        for (uint32_t k = 0; k < module->n_inputs; k++) {
            if (strcmp(name, graph_node(module->graph, module->inputs[k].node)->attr.name)) continue;
            watch->which[watch->n_inputs] = k;
            watch->inputs[watch->n_inputs++].name = name;
        }
}

nn_observer *watch_observe(Watch *watch, const nn_training *training, int64_t every)
{
    uint64_t per_epoch = ((uint64_t)training->train->rows + (uint64_t)training->batch - 1) / (uint64_t)training->batch;
    uint64_t steps = training->steps ? training->steps : training->epochs * per_epoch;
    uint64_t parts = training->epochs ? training->epochs : 10;
    watch->every = every > 0 ? (uint64_t)every : steps / 100 + 1;
    watch->tables = (parts + MOST_TABLES - 1) / MOST_TABLES;
    watch->to = training->progress;
    watch->pending.layers = calloc((size_t)watch->n_layers + 1, sizeof *watch->pending.layers);
    if (!watch->pending.layers) abort();
    watch->observer = (nn_observer){.data = watch, .before = before_step, .after = after_step, .part = end_part};
    name_columns(watch);
    choose_inputs(watch);
    return &watch->observer;
}
