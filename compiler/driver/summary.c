#include "driver/summary.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "driver/flops.h"
#include "driver/watch_internal.h"
#include "support/vector.h"

/* Longer lists are cut. */
enum { MOST_ROWS = 16, WIDEST = 40 };

/* Parameters of one layer, or of equal layers of a repeat. */
typedef struct {
    Text shape;          /* its path with a * for each index */
    Text name, tensors;  /* of the first of them: `W [784, 256], b [256]` */
    size_t layers, here; /* how many; tensors that are listed */
    int64_t elements;
    const char *prefix; /* of the last tensor that was added */
    size_t prefix_length;
} Row;

typedef Vec(Row) Rows;

struct SummaryShapes {
    const char **paths, **shapes;
    uint32_t count;
};

const SummaryShapes *summary_shapes(Pipeline *pipeline)
{
    Arena *arena = pipeline->context->arena;
    const Graph *graph = pipeline->program->module->graph;
    SummaryShapes *found = ARENA_NEW(arena, SummaryShapes);
    Watch watch = {.pipeline = pipeline};
    if (!node_is_none(module_function(pipeline->program->module, "training")->loss)) watch_find(&watch);
    found->paths = ARENA_ARRAY(arena, const char *, watch.n_layers + 1);
    found->shapes = ARENA_ARRAY(arena, const char *, watch.n_layers + 1);
    for (uint32_t i = 0; i < watch.n_layers; i++) {
        if (node_is_none(watch.layers[i].output)) continue;
        Text text = {0};
        type_print(graph_dims(graph), node_type(graph, watch.layers[i].output), &text);
        const char *dims = strchr(text_get(&text), '[');
        found->paths[found->count] = watch.layers[i].path;
        found->shapes[found->count++] = arena_format(arena, "%s", dims ? dims : "");
        text_free(&text);
    }
    return found;
}

static const char *find_shape(const SummaryShapes *shapes, const char *path)
{
    for (uint32_t i = 0; i < shapes->count; i++)
        if (!strcmp(shapes->paths[i], path)) return shapes->shapes[i];
    return "";
}

static size_t layer_length(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? (size_t)(dot - path) : strlen(path);
}

/* `h[17].dense` as `h[*].dense`. */
static void put_shape(Text *to, const char *path, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        text_put(to, path + i, 1);
        if (path[i] != '[') continue;
        text_string(to, "*");
        while (i + 1 < length && isdigit((unsigned char)path[i + 1])) i++;
    }
}

static void put_tensor(Row *row, const char *path, const int64_t *dims, int rank)
{
    const char *last = strrchr(path, '.');
    text_format(&row->tensors, "%s%s", row->here++ ? ", " : "", last ? last + 1 : "");
    if (!rank) return;
    for (int i = 0; i < rank; i++) text_format(&row->tensors, "%s%" PRId64, i ? ", " : last ? " [" : "[", dims[i]);
    text_string(&row->tensors, "]");
}

static void add_tensor(Rows *rows, const char *path, const int64_t *dims, int rank)
{
    size_t length = layer_length(path);
    Text shape = {0};
    put_shape(&shape, path, length);
    Row *row = rows->count ? &vec_last(rows) : NULL;
    for (size_t i = 0; i < rows->count; i++)
        if (!strcmp(text_get(&rows->at[i].shape), text_get(&shape))) row = &rows->at[i];
    if (!row || strcmp(text_get(&row->shape), text_get(&shape))) {
        Row fresh = {.shape = shape};
        text_put(&fresh.name, path, length);
        vec_push(rows, fresh);
        row = &vec_last(rows);
    } else {
        text_free(&shape);
    }
    bool same = row->prefix && row->prefix_length == length && !strncmp(row->prefix, path, length);
    row->layers += !same;
    row->prefix = path;
    row->prefix_length = length;
    int64_t elements = 1;
    for (int i = 0; i < rank; i++) elements *= dims[i];
    row->elements += elements;
    if (row->layers == 1) put_tensor(row, path, dims, rank);
}

static void put_bytes(Text *to, double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    int unit = 0;
    for (; bytes >= 1000 && unit < 4; unit++) bytes /= 1000;
    text_format(to, "%.*f %s", unit && bytes < 10 ? 1 : 0, bytes, units[unit]);
}

/* 1234567 as 1,234,567. */
static const char *group_digits(int64_t number, char *text, size_t size)
{
    char plain[32];
    int length = snprintf(plain, sizeof plain, "%" PRId64, number);
    size_t at = 0;
    for (int i = 0; i < length && at + 2 < size; i++) {
        if (i && (length - i) % 3 == 0) text[at++] = ',';
        text[at++] = plain[i];
    }
    text[at] = 0;
    return text;
}

typedef struct {
    Rows rows;
    int64_t params; /* elements */
    double bytes, optimizer_bytes;
} Count;

static Count count_params(const nn_model *model, nn_params *params)
{
    Count count = {0};
    for (size_t i = 0; i < nn_model_tensors(model); i++) {
        nn_tensor tensor = {.size = sizeof tensor};
        int rank;
        int64_t dims[12], elements = 1;
        if (nn_model_tensor(model, i, &tensor) || nn_params_shape(params, tensor.name, &rank, dims)) continue;
        for (int k = 0; k < rank; k++) elements *= dims[k];
        double bytes = (double)elements * (double)nn_type_size(tensor.type);
        if (tensor.role == NN_ROLE_OPTIMIZER_STATE) {
            count.optimizer_bytes += bytes;
            continue;
        }
        if (tensor.role == NN_ROLE_PARAM || tensor.role == NN_ROLE_STATE) count.bytes += bytes;
        if (tensor.role != NN_ROLE_PARAM) continue;
        count.params += elements;
        add_tensor(&count.rows, tensor.name, dims, rank);
    }
    return count;
}

/* `h[*].dense (99 times)`. */
static void put_name(Text *to, const Row *row)
{
    text_string(to, text_get(row->layers > 1 ? &row->shape : &row->name));
    if (row->layers > 1) text_format(to, " (%zu times)", row->layers);
}

static void put_row(Text *to, const SummaryShapes *shapes, const Row *row, int width)
{
    char number[40];
    Text name = {0};
    put_name(&name, row);
    const char *shape = find_shape(shapes, text_get(&row->name));
    text_format(to, "  %-*s  %-28s  %12s%s%s\n", width, text_get(&name), text_get(&row->tensors),
                group_digits(row->elements, number, sizeof number), *shape ? "  -> " : "", shape);
    text_free(&name);
}

static void put_layers(Text *to, const SummaryShapes *shapes, const Rows *rows)
{
    size_t width = 10;
    for (size_t i = 0; i < rows->count && i < MOST_ROWS; i++) {
        Text name = {0};
        put_name(&name, &rows->at[i]);
        if (name.count > width) width = name.count;
        text_free(&name);
    }
    for (size_t i = 0; i < rows->count && i < MOST_ROWS; i++)
        put_row(to, shapes, &rows->at[i], (int)(width < WIDEST ? width : WIDEST));
    if (rows->count > MOST_ROWS) text_format(to, "  … and %zu layers more\n", rows->count - MOST_ROWS);
}

/* Of one row through forward and backward. */
static double flops_of_row(Pipeline *pipeline)
{
    int64_t *dims = pipeline->dims;
    pipeline->dims = ARENA_ARRAY(pipeline->context->arena, int64_t, pipeline->n_dims + 1);
    for (size_t i = 0; i < pipeline->n_dims; i++) pipeline->dims[i] = dims[i] < 0 ? 1 : dims[i];
    double flops = flops_count(pipeline);
    pipeline->dims = dims;
    return flops;
}

static void put_flops(Text *to, double flops)
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    int unit = 0;
    for (; flops >= 1000 && unit < 4; unit++) flops /= 1000;
    text_format(to, "; %.*f %sFLOP a sample", unit && flops < 10 ? 1 : 0, flops, units[unit]);
}

static void put_data(Text *to, const nn_training *training)
{
    char rows[40], valid[40];
    text_format(to, "  %s rows", group_digits(training->train->rows, rows, sizeof rows));
    if (training->valid)
        text_format(to, " and %s to validate", group_digits(training->valid->rows, valid, sizeof valid));
    text_format(to, ", batches of %" PRId64, training->batch);
    if (training->accumulate > 1) text_format(to, ", %" PRIu64 " an update", training->accumulate);
    if (training->epochs)
        text_format(to, ", %" PRIu64 " epoch%s\n\n", training->epochs, training->epochs > 1 ? "s" : "");
    else
        text_format(to, ", %" PRIu64 " step%s\n\n", training->steps, training->steps > 1 ? "s" : "");
}

bool summary_print(Pipeline *pipeline, const SummaryShapes *shapes, nn_params *params, const nn_training *training,
                   FILE *to)
{
    char number[40];
    size_t memory;
    if (nn_training_memory(training, &memory)) return pipeline_failed(pipeline, "preparing the training");
    Count count = count_params(pipeline->model, params);
    Text text = {0};
    text_format(&text, "%s: %s parameter%s\n", pipeline->program->module->name,
                group_digits(count.params, number, sizeof number), count.params == 1 ? "" : "s");
    put_layers(&text, shapes, &count.rows);
    text_string(&text, "  memory: ");
    put_bytes(&text, count.bytes);
    text_string(&text, " of weights, ");
    put_bytes(&text, count.optimizer_bytes);
    text_string(&text, " of the optimizer, ");
    put_bytes(&text, (double)memory);
    text_string(&text, " for a batch");
    double flops = flops_of_row(pipeline);
    if (flops > 0) put_flops(&text, flops);
    text_string(&text, "\n");
    put_data(&text, training);
    fputs(text_get(&text), to);
    text_free(&text);
    for (size_t i = 0; i < count.rows.count; i++) {
        text_free(&count.rows.at[i].shape);
        text_free(&count.rows.at[i].name);
        text_free(&count.rows.at[i].tensors);
    }
    vec_free(&count.rows);
    return true;
}
