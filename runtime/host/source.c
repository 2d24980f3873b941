#include "host/source.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *kind;
    bool file;
    int (*open)(const nn_source_request *request, nn_source **source);
} kinds[] = {{"idx", true, nn_idx_open},     {"csv", true, nn_csv_open},      {"npy", true, nn_npy_open},
             {"npz", true, nn_npz_open},     {"blobs", false, nn_blobs_open}, {"spirals", false, nn_spirals_open},
             {"moons", false, nn_moons_open}};

enum { KINDS = sizeof kinds / sizeof *kinds };

int nn_source_open(const char *kind, const char *path, const nn_argument *args, size_t n_args, const nn_source *like,
                   const volatile sig_atomic_t *stop, nn_source **source)
{
    *source = NULL;
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kind, kinds[i].kind)) continue;
        if (kinds[i].file && !path) return nn_fail(NN_ERROR_ARGUMENT, "%s reads a file, but none is named", kind);
        nn_source_request request = {kind, path, args, n_args, like, stop};
        return kinds[i].open(&request, source);
    }
    return nn_fail(NN_ERROR_ARGUMENT, "there is no data source %s (idx, csv, npy, npz, blobs, spirals, moons)", kind);
}

int nn_source_literal(nn_type type, int64_t rows, int rank, const int64_t *dims, const void *values, nn_source **out)
{
    *out = NULL;
    if (rank < 0 || rank > NN_MAX_RANK || rows < 0 || !nn_type_size(type) || !values)
        return nn_fail(NN_ERROR_ARGUMENT, "these rows are none");
    nn_source *source = nn_source_new(1);
    if (!source) return NN_ERROR_MEMORY;
    source->rows = rows;
    if (!nn_source_set_column(source, 0, "value", type, rank, dims, "as written", values, NULL)) {
        nn_source_free(source);
        return NN_ERROR_MEMORY;
    }
    *out = source;
    return NN_OK;
}

int nn_data_failure(void)
{
    return nn_last_failure();
}

nn_source *nn_source_new(size_t columns)
{
    nn_source *source = calloc(1, sizeof *source);
    nn_source_column_data *data = calloc(columns + 1, sizeof *data);
    if (!source || !data) {
        free(source);
        free(data);
        nn_fail(NN_ERROR_MEMORY, "no memory for a data source");
        return NULL;
    }
    source->columns = data;
    source->n_columns = columns;
    return source;
}

bool nn_source_set_column(nn_source *source, size_t column, const char *name, nn_type type, int rank,
                          const int64_t *dims, const char *doc, const void *values, void *owned)
{
    nn_source_column_data *data = &source->columns[column];
    data->name = strdup(name);
    data->values = values;
    data->owned = owned;
    data->row_size = nn_type_size(type);
    data->column = (nn_column){.name = data->name, .type = type, .rank = rank, .doc = doc};
    for (int i = 0; i < rank; i++) {
        data->column.dims[i] = dims[i];
        data->row_size *= (size_t)dims[i];
    }
    if (!data->name) nn_fail(NN_ERROR_MEMORY, "no memory for a data source");
    return data->name;
}

void nn_source_free(nn_source *source)
{
    if (!source) return;
    for (size_t i = 0; i < source->n_columns; i++) {
        nn_source_column_data *data = &source->columns[i];
        for (int64_t c = 0; data->categories && c < data->column.range; c++) free(data->categories[c]);
        free(data->categories);
        free(data->problem);
        free(data->text);
        free(data->owned);
        free(data->name);
    }
    nn_bytes_close(&source->bytes);
    free(source->columns);
    free(source);
}

int64_t nn_source_rows(const nn_source *source)
{
    return source->rows;
}

size_t nn_source_columns(const nn_source *source)
{
    return source->n_columns;
}

const nn_column *nn_source_column(const nn_source *source, size_t column)
{
    return column < source->n_columns ? &source->columns[column].column : NULL;
}

const char *nn_source_category(const nn_source *source, size_t column, int64_t category)
{
    if (column >= source->n_columns || !source->columns[column].categories) return NULL;
    if (category < 0 || category >= source->columns[column].column.range) return NULL;
    return source->columns[column].categories[category];
}

size_t nn_source_row_size(const nn_source *source, size_t column)
{
    return column < source->n_columns ? source->columns[column].row_size : 0;
}

static int check_column(const nn_source *source, size_t column)
{
    if (column >= source->n_columns) return nn_fail(NN_ERROR_ARGUMENT, "the source has %zu columns", source->n_columns);
    if (source->columns[column].problem)
        return nn_fail((nn_status)source->columns[column].failure, "%s", source->columns[column].problem);
    return NN_OK;
}

static int fail_row(const nn_source *source, int64_t row)
{
    return nn_fail(NN_ERROR_ARGUMENT, "there is no row %lld, the source has %lld", (long long)row,
                   (long long)source->rows);
}

/* Rows that stand one after the other. */
static int read_run(const nn_source *source, const nn_source_column_data *data, int64_t first, size_t count, void *out)
{
    size_t at = (size_t)first * data->row_size, size = count * data->row_size;
    if (!data->values) return nn_bytes_get(&source->bytes, data->start + at, out, size);
    if (size) memcpy(out, (const char *)data->values + at, size);
    return NN_OK;
}

int nn_source_read(const nn_source *source, size_t column, const int64_t *rows, size_t count, void *out)
{
    int status = check_column(source, column);
    const nn_source_column_data *data = &source->columns[column];
    for (size_t i = 0, run; i < count && !status; i += run) {
        if (rows[i] < 0 || rows[i] >= source->rows) return fail_row(source, rows[i]);
        int64_t left = source->rows - rows[i];
        for (run = 1; i + run < count && (int64_t)run < left && rows[i + run] == rows[i] + (int64_t)run; run++) {
        }
        status = read_run(source, data, rows[i], run, (char *)out + i * data->row_size);
    }
    return status;
}

int nn_source_read_range(const nn_source *source, size_t column, int64_t first, int64_t count, void *out)
{
    int status = check_column(source, column);
    if (status) return status;
    if (first < 0 || first > source->rows) return fail_row(source, first);
    if (count < 0 || count > source->rows - first) return fail_row(source, source->rows);
    return read_run(source, &source->columns[column], first, (size_t)count, out);
}

/* ---- Arguments ---- */

static const nn_argument *find_argument(const nn_source_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_args; i++)
        if (!strcmp(request->args[i].name, name)) return &request->args[i];
    return NULL;
}

int nn_request_check(const nn_source_request *request, const char *const *names)
{
    for (size_t i = 0; i < request->n_args; i++) {
        size_t k = 0;
        while (names[k] && strcmp(request->args[i].name, names[k])) k++;
        if (!names[k]) return nn_fail(NN_ERROR_ARGUMENT, "%s has no argument %s", request->kind, request->args[i].name);
    }
    return NN_OK;
}

double nn_request_number(const nn_source_request *request, const char *name, double otherwise)
{
    const nn_argument *argument = find_argument(request, name);
    return argument && !argument->text ? argument->number : otherwise;
}

const char *nn_request_text(const nn_source_request *request, const char *name, const char *otherwise)
{
    const nn_argument *argument = find_argument(request, name);
    return argument && argument->text ? argument->text : otherwise;
}

int nn_request_count(const nn_source_request *request, const char *name, int64_t otherwise, int64_t least, int64_t most,
                     int64_t *value)
{
    double number = nn_request_number(request, name, (double)otherwise);
    if (!(number >= (double)least && number <= (double)most) || number != (double)(int64_t)number)
        return nn_fail(NN_ERROR_ARGUMENT, "%s of %s is %g, but it is a whole number from %lld to %lld", name,
                       request->kind, number, (long long)least, (long long)most);
    *value = (int64_t)number;
    return NN_OK;
}
