#include "driver/feed.h"

#include <stdlib.h>
#include <string.h>

#include "data/npy.h"
#include "driver/arguments.h"
#include "driver/sizes.h"

bool feed_has(const Feed *feed, Node input)
{
    for (size_t i = 0; i < feed->count; i++)
        if (node_same(feed->nodes[i], input)) return true;
    return false;
}

void feed_free(Feed *feed)
{
    for (size_t i = 0; i < feed->count; i++) free((void *)feed->values[i].values);
    free(feed->values);
    free(feed->nodes);
    *feed = (Feed){0};
}

static Node find_input(Pipeline *pipeline, const char *name)
{
    const Module *module = pipeline->program->module;
    const char *names[64];
    size_t count = 0;
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        const char *own = graph_node(module->graph, module->inputs[i].node)->attr.name;
        if (!strcmp(own, name)) return module->inputs[i].node;
        if (count < 64) names[count++] = own;
    }
    Diag *diag = diag_new(pipeline->context->diagnostics, DIAG_unknown_input, NO_SPAN,
                          "--input %s: the model has no input or target of that name", name);
    const char *nearest = nearest_spelling(name, names, count);
    if (nearest) diag_hint(diag, "did you mean `%s`?", nearest);
    return NODE_NONE;
}

static bool mismatch(Pipeline *pipeline, const char *path, const Type *type, const nn_array *array)
{
    Text wanted = {0}, found = {0};
    type_print(graph_dims(pipeline->program->module->graph), type, &wanted);
    for (int i = 0; i < array->rank; i++) text_format(&found, "%s%lld", i ? ", " : "", (long long)array->dims[i]);
    diag_new(pipeline->context->diagnostics, DIAG_input_shape, NO_SPAN, "%s has the shape [%s], but %s is wanted", path,
             text_get(&found), text_get(&wanted));
    text_free(&wanted);
    text_free(&found);
    return false;
}

/* A bare free size takes the array's; every other one must agree. */
static bool bind_shape(Pipeline *pipeline, const char *path, const Type *type, const nn_array *array)
{
    const Module *module = pipeline->program->module;
    if ((uint32_t)array->rank != type->rank) return mismatch(pipeline, path, type, array);
    for (uint32_t d = 0; d < type->rank; d++) {
        Name symbol;
        int64_t size;
        if (dim_is_symbol(graph_dims(module->graph), type->dims[d], &symbol))
            for (uint32_t i = 0; i < module->n_dims; i++)
                if (module->dims[i] == symbol && pipeline->dims[i] < 0) pipeline->dims[i] = array->dims[d];
        if (!sizes_value(pipeline, type->dims[d], &size) || size != array->dims[d])
            return mismatch(pipeline, path, type, array);
    }
    return true;
}

/* The element as an integer, exactly. */
static int64_t integer_at(DType dtype, const void *values, int64_t i)
{
    if (dtype == DTYPE_I64) return ((const int64_t *)values)[i];
    if (dtype == DTYPE_I32) return ((const int32_t *)values)[i];
    return ((const uint8_t *)values)[i];
}

/* The first element outside of the range that the input states, or `count`. */
static int64_t find_outside(Pipeline *pipeline, const Type *type, const void *values, int64_t count, int64_t *range)
{
    int64_t i = 0;
    if (dim_is_none(type->range) || !sizes_value(pipeline, type->range, range)) return count;
    while (i < count && integer_at(type->dtype, values, i) >= 0 && integer_at(type->dtype, values, i) < *range) i++;
    return i;
}

static bool within_range(Pipeline *pipeline, const char *path, const Type *type, const nn_array *array,
                         const void *values)
{
    int64_t range, at = find_outside(pipeline, type, values, array->elements, &range);
    char text[NN_ELEMENT_TEXT];
    if (at == array->elements) return true;
    nn_array_element(array, at, text);
    diag_new(pipeline->context->diagnostics, DIAG_value_out_of_range, NO_SPAN, "%s: %s is not one of 0 to %lld", path,
             text, (long long)range - 1);
    return false;
}

static void warn_of_rounding(Pipeline *pipeline, const char *path, const nn_array *array, DType dtype)
{
    int64_t at = nn_array_rounded(array, (nn_type)dtype);
    char text[NN_ELEMENT_TEXT];
    if (at < 0) return;
    nn_array_element(array, at, text);
    diag_new(pipeline->context->diagnostics, DIAG_rounded_data, NO_SPAN,
             "%s: %s does not hold every whole number as large as %s", path, dtype_name(dtype), text);
}

/* Integers must survive; reals round. */
static void *convert(Pipeline *pipeline, const char *path, const nn_array *array, DType dtype)
{
    void *values;
    int status = nn_array_convert(array, (nn_type)dtype, &values);
    if (status == NN_ERROR_RANGE)
        diag_new(pipeline->context->diagnostics, DIAG_input_type, NO_SPAN, "%s: %s", path, nn_message());
    else if (status)
        pipeline_failed(pipeline, "--input");
    else
        warn_of_rounding(pipeline, path, array, dtype);
    return values;
}

static bool read_one(Feed *feed, const char *text)
{
    Pipeline *pipeline = feed->pipeline;
    Name name;
    const char *path;
    if (!arguments_split(pipeline->context, "--input", text, &name, &path)) return false;
    Node node = find_input(pipeline, name);
    nn_array array;
    if (node_is_none(node)) return false;
    if (feed_has(feed, node)) {
        diag_new(pipeline->context->diagnostics, DIAG_bad_option, NO_SPAN, "--input %s is given twice", name);
        return false;
    }
    if (nn_npy_read(path, &array)) return pipeline_failed(pipeline, "--input");
    Type type = *node_type(pipeline->program->module->graph, node);
    void *values = bind_shape(pipeline, path, &type, &array) ? convert(pipeline, path, &array, type.dtype) : NULL;
    if (values && !within_range(pipeline, path, &type, &array, values)) {
        free(values);
        values = NULL;
    }
    nn_array_free(&array);
    if (!values) return false;
    feed->values[feed->count] = (nn_named){name, values};
    feed->nodes[feed->count++] = node;
    return true;
}

bool feed_read(Pipeline *pipeline, Feed *feed)
{
    size_t count = pipeline->options->inputs.count;
    *feed = (Feed){.pipeline = pipeline};
    feed->values = calloc(count + 1, sizeof *feed->values);
    feed->nodes = calloc(count + 1, sizeof *feed->nodes);
    if (!feed->values || !feed->nodes) abort();
    for (size_t i = 0; i < count; i++)
        if (!read_one(feed, pipeline->options->inputs.at[i])) return false;
    return true;
}
