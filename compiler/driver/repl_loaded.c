#include "driver/repl_loaded.h"

#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "driver/report.h"
#include "grammar/parser.h"
#include "ir/eval.h"

static char *copy_text(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) abort();
    return copy;
}

/* The items of the journal, read anew into the model's own context. */
static Items *read_items(Context *context, const Journal *journal)
{
    Items *items = items_prelude(context);
    items_replace(items, true);
    for (size_t i = 0; i < journal->entries.count; i++) {
        const Entry *entry = &journal->entries.at[i];
        if (!entry->item) continue;
        const Source *source = source_add_part(context->sources, entry->path ? entry->path : "input", entry->line,
                                               entry->text, strlen(entry->text));
        if (source) items_read(items, entry->path, source);
    }
    check_items(items);
    return items;
}

static bool say(Loaded *model, bool good)
{
    fflush(stdout);
    report(model->pipeline.context);
    return good;
}

/* What failed on its way, which an interruption may have cut anywhere, is begun again from the journal. */
static bool say_made(Loaded *model, bool good)
{
    model->stale |= !good;
    return say(model, good);
}

Loaded *loaded_new(const Options *options, const Journal *journal, const char *path, const char *name,
                   const volatile sig_atomic_t *stop)
{
    Loaded *model = calloc(1, sizeof *model);
    if (!model) abort();
    model->name = copy_text(name);
    model->path = copy_text(path);
    model->options = *options;
    model->options.model = model->name;
    model->options.file = model->path;
    model->pipeline = pipeline_start(&model->options);
    model->pipeline.follows = true;
    model->pipeline.context->stop = stop;
    const Items *items = read_items(model->pipeline.context, journal);
    bool good =
        !diagnostics_errors(model->pipeline.context->diagnostics) && pipeline_items(&model->pipeline, items, false);
    if (say(model, good)) return model;
    loaded_free(model);
    return NULL;
}

void loaded_free(Loaded *model)
{
    if (!model) return;
    nn_params_free(model->params);
    nn_pool_free(model->pool);
    pipeline_finish(&model->pipeline, EXIT_OK);
    free(model->name);
    free(model->path);
    free(model);
}

bool loaded_ready(Loaded *model)
{
    static const char *const programs[] = {"initialise", NULL};
    if (model->params) return true;
    /* What a session asks of a model is not known before it does. */
    if (!pipeline_plan(&model->pipeline) || !pipeline_model(&model->pipeline, programs)) return say_made(model, false);
    model->params = pipeline_params(&model->pipeline, NN_LOAD_ALL);
    if (model->params && !model->pool) model->pool = pipeline_pool(&model->pipeline);
    return say_made(model, model->params && model->pool);
}

bool loaded_plan(Loaded *model)
{
    return say_made(model, pipeline_plan(&model->pipeline));
}

static bool is_learned(nn_role role)
{
    return role == NN_ROLE_PARAM || role == NN_ROLE_STATE || role == NN_ROLE_OPTIMIZER_STATE;
}

/* The elements of a parameter; false when there is none of that name. */
static bool shape_of(const nn_params *params, const char *name, int *rank, int64_t *dims, size_t *count)
{
    if (nn_params_shape(params, name, rank, dims)) return false;
    *count = 1;
    for (int i = 0; i < *rank; i++) *count *= (size_t)dims[i];
    return true;
}

/* Copies one value. False when the shapes differ or there was none. */
static bool inherit_one(Loaded *model, Loaded *old, const char *name)
{
    int rank, old_rank;
    int64_t dims[MAX_RANK] = {0}, old_dims[MAX_RANK] = {0};
    size_t count, old_count;
    if (!shape_of(model->params, name, &rank, dims, &count) ||
        !shape_of(old->params, name, &old_rank, old_dims, &old_count))
        return false;
    if (rank != old_rank || memcmp(dims, old_dims, (size_t)rank * sizeof *dims)) return false;
    double *values = malloc((count + 1) * sizeof *values);
    if (!values) abort();
    bool good = !nn_params_get(old->params, name, NN_TYPE_F64, values, count) &&
                !nn_params_set(model->params, name, NN_TYPE_F64, values, count);
    free(values);
    return good;
}

bool loaded_succeeds(Loaded *model, const Loaded *old)
{
    return !old || !old->params || loaded_ready(model);
}

void loaded_inherit(Loaded *model, Loaded *old)
{
    if (!old->params) return;
    Text anew = {0};
    for (size_t i = 0; i < nn_model_tensors(model->pipeline.model); i++) {
        nn_tensor tensor = {.size = sizeof tensor};
        if (nn_model_tensor(model->pipeline.model, i, &tensor) || !is_learned(tensor.role)) continue;
        if (!inherit_one(model, old, tensor.name) && tensor.role != NN_ROLE_OPTIMIZER_STATE)
            text_format(&anew, "%s%s", anew.count ? ", " : "", tensor.name);
    }
    nn_params_set_step(model->params, nn_params_step(old->params));
    if (anew.count) printf("begins anew: %s\n", text_get(&anew));
    text_free(&anew);
}

bool loaded_value(const Loaded *model, const char *name, DType dtype, Array *value)
{
    int rank = 0;
    int64_t dims[MAX_RANK];
    double setting;
    if (!nn_params_setting(model->params, name, &setting)) {
        *value = array_new(dtype, 0, dims);
        dtype_store(dtype, value->data, &setting, 1);
        return true;
    }
    if (nn_params_shape(model->params, name, &rank, dims)) return false;
    *value = array_new(dtype, (uint32_t)rank, dims);
    if (!nn_params_get(model->params, name, (nn_type)dtype, value->data, (size_t)value->count)) return true;
    array_free(value);
    return false;
}

void loaded_summary(const Loaded *model, Text *to)
{
    const Module *module = model->pipeline.program->module;
    DimTable *dims = graph_dims(module->graph);
    text_format(to, "model %s(", module->name);
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        const NodeInfo *info = graph_node(module->graph, module->inputs[i].node);
        text_format(to, "%s%s: ", i ? ", " : "", info->attr.name);
        type_print(dims, &info->type, to);
    }
    Dim count = dim_constant(dims, 0);
    for (uint32_t i = 0; i < module->n_params; i++)
        count = dim_add(dims, count, type_elements(dims, node_type(module->graph, module->params[i].node)));
    text_string(to, "): ");
    dim_print(dims, count, to);
    text_format(to, " parameters in %u tensors", module->n_params);
}
